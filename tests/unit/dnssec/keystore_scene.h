/* A folder of keys, made for each test. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "dnssec/keystore.h"
#include "support/table.h"

static char folder[64];
static char reported[4096];

static inline void report(void *argument, const char *path, const char *problem)
{
    size_t used = strlen(reported);
    assert_ptr_equal(argument, folder);
    snprintf(reported + used, sizeof(reported) - used, "%s: %s\n", strrchr(path, '/') + 1, problem);
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_keystore.XXXXXX");
    reported[0] = 0;
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
    (void)state;
    DIR *listing = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    closedir(listing);
    return rmdir(folder);
}

static inline struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static inline struct signing_key *generate(const char *zone_text, uint8_t algorithm, uint16_t flags)
{
    struct signing_key metadata;
    struct signing_key *key;
    struct dns_name zone = name_of(zone_text);
    signing_key_init(&metadata);
    metadata.ttl = 3600;
    metadata.times[KEY_CREATED] = 1795317163;
    const struct key_request request = {folder, &zone, algorithm, 0, flags, NULL, &metadata};
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    return key;
}

static inline char *path_of(const struct signing_key *key, const char *suffix)
{
    char *name = signing_key_file_name(key);
    char *path = mem_format("%s/%s.%s", folder, name, suffix);
    mem_free(name);
    return path;
}

static inline mode_t mode_of(const struct signing_key *key, const char *suffix)
{
    char *path = path_of(key, suffix);
    struct stat status;
    mode_t mode = stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
    mem_free(path);
    return mode;
}

static inline void write_text(const struct signing_key *key, const char *suffix, const char *text)
{
    char *path = path_of(key, suffix);
    assert_int_equal(file_write(path, 0600, span_of_text(text)), SG_OK);
    mem_free(path);
}

static inline enum sg_result list(const char *zone_text, struct key_list *out_list)
{
    struct dns_name zone = name_of(zone_text);
    *out_list = (struct key_list){NULL, 0};
    return keystore_list(folder, &zone, report, folder, out_list);
}
