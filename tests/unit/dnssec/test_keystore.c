#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "dnssec/keystore.h"
#include "support/table.h"

static char folder[64];
static char reported[4096];

static void report(void *argument, const char *path, const char *problem)
{
    size_t used = strlen(reported);
    assert_ptr_equal(argument, folder);
    snprintf(reported + used, sizeof(reported) - used, "%s: %s\n", strrchr(path, '/') + 1, problem);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_keystore.XXXXXX");
    reported[0] = 0;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
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

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct signing_key *generate(const char *zone_text, uint8_t algorithm, uint16_t flags)
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

static char *path_of(const struct signing_key *key, const char *suffix)
{
    char *name = signing_key_file_name(key);
    char *path = mem_format("%s/%s.%s", folder, name, suffix);
    mem_free(name);
    return path;
}

static mode_t mode_of(const struct signing_key *key, const char *suffix)
{
    char *path = path_of(key, suffix);
    struct stat status;
    mode_t mode = stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
    mem_free(path);
    return mode;
}

static void write_text(const struct signing_key *key, const char *suffix, const char *text)
{
    char *path = path_of(key, suffix);
    assert_int_equal(file_write(path, 0600, span_of_text(text)), SG_OK);
    mem_free(path);
}

static enum sg_result list(const char *zone_text, struct key_list *out_list)
{
    struct dns_name zone = name_of(zone_text);
    *out_list = (struct key_list){NULL, 0};
    return keystore_list(folder, &zone, report, folder, out_list);
}

static void what_is_generated_is_found_again(void **state)
{
    (void)state;
    struct signing_key *ksk = generate("Example.Test.", DNSSEC_ECDSAP256SHA256, 257);
    struct signing_key *zsk = generate("example.test.", DNSSEC_ED25519, 256);
    struct signing_key *other = generate("www.example.test.", DNSSEC_ED25519, 256);
    struct key_list found;

    assert_int_equal(list("EXAMPLE.test.", &found), SG_OK);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.keys[0]->tag, ksk->tag);
    assert_int_equal(found.keys[0]->flags, 257);
    assert_int_equal(found.keys[0]->ttl, 3600);
    assert_int_equal(found.keys[0]->times[KEY_CREATED], 1795317163);
    assert_int_equal(found.keys[0]->times[KEY_PUBLISH], KEY_TIME_UNSET);
    assert_non_null(found.keys[0]->secret);
    assert_false(found.keys[0]->state.present);
    assert_string_equal(found.keys[0]->folder, folder);
    assert_int_equal(found.keys[1]->tag, zsk->tag);
    assert_string_equal(reported, "");
    key_list_clear(&found);
    signing_key_free(ksk);
    signing_key_free(zsk);
    signing_key_free(other);
}

static void the_private_file_is_for_its_owner_alone(void **state)
{
    (void)state;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    char *path = path_of(key, "private");
    assert_int_equal(mode_of(key, "private"), 0600);
    assert_int_equal(mode_of(key, "key"), 0644);
    assert_int_equal(mode_of(key, "state"), 0); /* only a policy keeps states */
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(keystore_write(key), SG_OK);
    assert_int_equal(mode_of(key, "private"), 0600);
    mem_free(path);
    signing_key_free(key);
}

static void states_are_written_and_read(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    key->state.present = true;
    key->state.has_roles = key->state.zsk = true;
    key->state.goal = KEY_STATE_OMNIPRESENT;
    key->state.records[KEY_RECORD_DNSKEY] = KEY_STATE_RUMOURED;
    key->state.changes[KEY_RECORD_DNSKEY] = 1795317163;
    key->times[KEY_SIG_PUBLISH] = 1795317164;
    assert_int_equal(keystore_write(key), SG_OK);
    assert_int_equal(mode_of(key, "state"), 0644);

    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_memory_equal(&found.keys[0]->state, &key->state, sizeof(key->state));
    assert_memory_equal(found.keys[0]->times, key->times, sizeof(key->times));
    key_list_clear(&found);
    signing_key_free(key);
}

static void a_broken_key_is_reported_and_is_not_absent(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *good = generate("example.", DNSSEC_ED25519, 256);
    struct signing_key *broken = generate("example.", DNSSEC_ECDSAP256SHA256, 256);
    write_text(broken, "private", "Private-key-format: v1.3\nAlgorithm: 13\n");

    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.keys[0]->tag, good->tag);
    assert_non_null(strstr(reported, ".private: a part of the private key is missing\n"));
    key_list_clear(&found);
    signing_key_free(good);
    signing_key_free(broken);
}

static void files_of_different_keys_do_not_make_a_key(void **state)
{
    (void)state;
    struct key_list found;
    struct buffer text;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    struct signing_key *other = generate("example.", DNSSEC_ED25519, 256);
    char *path = path_of(other, "private");
    assert_int_equal(file_read(path, 4096, &text), SG_OK);
    write_text(key, "private", buffer_text(&text));

    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_int_equal(found.count, 1);
    assert_non_null(strstr(reported, "does not belong"));
    key_list_clear(&found);
    buffer_free(&text);
    mem_free(path);
    signing_key_free(key);
    signing_key_free(other);
}

static void a_private_file_without_key_file_is_reported(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    char *path = path_of(key, "key");
    unlink(path);
    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_int_equal(found.count, 0);
    assert_non_null(strstr(reported, "no .key file"));
    mem_free(path);
    key_list_clear(&found);
    signing_key_free(key);
}

static void a_file_under_another_name_is_reported(void **state)
{
    (void)state;
    struct key_list found;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 256);
    static const char *const suffixes[] = {"key", "private"};
    for (size_t i = 0; i < 2; i++) {
        char *path = path_of(key, suffixes[i]);
        char *moved =
            mem_format("%s/Kexample.+015+%05u.%s", folder, (key->tag + 1) % 65536, suffixes[i]);
        assert_int_equal(rename(path, moved), 0);
        mem_free(moved);
        mem_free(path);
    }
    assert_int_equal(list("example.", &found), SG_BAD_KEY);
    assert_non_null(strstr(reported, "another name"));
    key_list_clear(&found);
    signing_key_free(key);
}

static void other_files_of_the_folder_do_not_matter(void **state)
{
    (void)state;
    struct key_list found;
    static const char *const names[] = {
        "Kexample.+015+1234.private",   "Kexample.+15+01234.private",
        "Kexample.+015+012345.private", "Kexample.+015+01234.private~",
        "Kexample.+015+01234.key",      "Kexample2.+015+01234.private",
        "example.+015+01234.private",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = mem_format("%s/%s", folder, names[i]);
        assert_int_equal(file_write(path, 0600, span_of_text("junk")), SG_OK);
        mem_free(path);
    }
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 0);
    assert_string_equal(reported, "");
    key_list_clear(&found);
}

/* Made by dnssec-keygen 9.18 for this test: its private half is of 31 bytes. */
static void a_private_half_without_its_leading_zero_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *suffix, *text;
    } files[] = {
        {"key", "keys.test. IN DNSKEY 256 3 13 i6slAJGqnOymWdPAugIr3JF3iFaugamgylvHOYpdjaSEXE+IjzZ"
                "ph/6h aSj4MyVW5EhHsAuovxtB8Ex0rPA5SQ==\n"},
        {"private", "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
                    "PrivateKey: CCqDJuop3pjsOvbCmzGpzngr/aAeEeSb7rF8AKJdMA==\n"},
    };
    struct key_list found;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = mem_format("%s/Kkeys.test.+013+07204.%s", folder, files[i].suffix);
        assert_int_equal(file_write(path, 0600, span_of_text(files[i].text)), SG_OK);
        mem_free(path);
    }
    assert_int_equal(list("keys.test.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_non_null(found.keys[0]->secret);
    /* And still one when we have written it. */
    assert_int_equal(keystore_write(found.keys[0]), SG_OK);
    key_list_clear(&found);
    assert_int_equal(list("keys.test.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    key_list_clear(&found);
}

static void an_index_serves_many_zones(void **state)
{
    (void)state;
    static const char *const zones[] = {"a.", "a.b.", "b.", ".", "a-.", "aa."};
    struct keystore_index *index;
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        signing_key_free(generate(zones[i], DNSSEC_ED25519, 256));
        signing_key_free(generate(zones[i], DNSSEC_ED25519, 257));
    }
    assert_int_equal(keystore_index_read(folder, &index), SG_OK);
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        struct key_list found;
        struct dns_name zone = name_of(zones[i]);
        assert_int_equal(keystore_index_list(index, &zone, report, folder, &found), SG_OK);
        assert_int_equal(found.count, 2);
        assert_true(dns_name_equal(&found.keys[0]->zone, &zone));
        assert_true(found.keys[0]->tag < found.keys[1]->tag);
        key_list_clear(&found);
    }
    keystore_index_free(index);
    keystore_index_free(NULL);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(listing);
    return count;
}

static ino_t inode_of(const struct signing_key *key, const char *suffix)
{
    struct stat status;
    char *path = path_of(key, suffix);
    assert_int_equal(stat(path, &status), 0);
    mem_free(path);
    return status.st_ino;
}

static struct signing_key *stage(struct keystore_batch *batch, const char *zone_text)
{
    struct signing_key metadata;
    struct signing_key *key;
    struct dns_name zone = name_of(zone_text);
    signing_key_init(&metadata);
    metadata.state.present = true;
    const struct key_request request = {.folder = folder,
                                        .zone = &zone,
                                        .algorithm = DNSSEC_ED25519,
                                        .flags = 257,
                                        .metadata = &metadata};
    assert_int_equal(keystore_batch_generate(batch, &request, &key), SG_OK);
    return key;
}

static void a_batch_is_seen_only_when_it_is_committed(void **state)
{
    (void)state;
    struct key_list found;
    struct keystore_batch *batch = keystore_batch_new();
    for (int i = 0; i < 20; i++) {
        signing_key_free(stage(batch, "example."));
    }
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 0);
    key_list_clear(&found);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 20);
    assert_int_equal(count_files(), 60);
    assert_int_equal(mode_of(found.keys[0], "private"), 0600);
    assert_int_equal(mode_of(found.keys[0], "state"), 0644);
    key_list_clear(&found);
    assert_int_equal(keystore_batch_commit(batch), SG_OK); /* of nothing */
    keystore_batch_free(batch);
}

static void a_batch_goes_back_to_what_it_had(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    signing_key_free(stage(batch, "example."));
    size_t before = keystore_batch_count(batch);
    signing_key_free(stage(batch, "other."));
    assert_int_equal(count_files(), 6);
    keystore_batch_keep(batch, before);
    assert_int_equal(count_files(), 3);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(count_files(), 3);
    keystore_batch_free(batch);
}

static void a_batch_that_is_dropped_leaves_nothing(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    signing_key_free(stage(batch, "example."));
    assert_int_equal(count_files(), 3);
    keystore_batch_free(batch);
    keystore_batch_free(NULL);
    assert_int_equal(count_files(), 0);
}

static void a_key_that_is_written_again_in_a_batch_has_its_files_once(void **state)
{
    (void)state;
    struct key_list found;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    key->state.goal = KEY_STATE_OMNIPRESENT;
    key->times[KEY_PUBLISH] = 1700000000;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(count_files(), 3);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(count_files(), 3);
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.keys[0]->state.goal, KEY_STATE_OMNIPRESENT);
    assert_int_equal(found.keys[0]->times[KEY_PUBLISH], 1700000000);
    key_list_clear(&found);
    signing_key_free(key);
    keystore_batch_free(batch);
}

/* As the keeper does it: the successor is made before its predecessor is told to leave. What is cut
 * off in between is stood for by a name that cannot be given. */
static void a_batch_names_keys_that_were_there_before_new_ones(void **state)
{
    (void)state;
    struct key_list found;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *old = stage(batch, "example.");
    old->state.goal = KEY_STATE_OMNIPRESENT;
    assert_int_equal(keystore_batch_write(batch, old), SG_OK);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);

    struct signing_key *successor = stage(batch, "example.");
    old->state.goal = KEY_STATE_HIDDEN;
    assert_int_equal(keystore_batch_write(batch, old), SG_OK);
    char *taken = path_of(successor, "private");
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_equal(keystore_batch_commit(batch), SG_EXISTS);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.keys[0]->state.goal, KEY_STATE_HIDDEN);
    assert_int_equal(count_files(), 3);
    key_list_clear(&found);
    mem_free(taken);
    signing_key_free(old);
    signing_key_free(successor);
    keystore_batch_free(batch);
}

/* A .state that says what was done, beside times of before, would be believed. */
static void a_batch_names_the_state_of_a_key_that_was_there_last(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    ino_t before = inode_of(key, "state");

    key->state.goal = KEY_STATE_HIDDEN;
    key->times[KEY_INACTIVE] = 1800000000;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    char *taken = path_of(key, "private");
    assert_int_equal(unlink(taken), 0);
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_not_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(inode_of(key, "state"), before);
    mem_free(taken);
    signing_key_free(key);
    keystore_batch_free(batch);
}

static void files_that_would_be_the_same_are_left_alone(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    ino_t before[] = {inode_of(key, "key"), inode_of(key, "private"), inode_of(key, "state")};
    key->state.goal = KEY_STATE_OMNIPRESENT;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(count_files(), 4);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(inode_of(key, "key"), before[0]);
    assert_int_equal(inode_of(key, "private"), before[1]);
    assert_int_not_equal(inode_of(key, "state"), before[2]);

    /* Back to what is on the disk before the batch is committed: the last word counts. */
    key->state.goal = KEY_STATE_HIDDEN;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    key->state.goal = KEY_STATE_OMNIPRESENT;
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    struct key_list found;
    assert_int_equal(list("example.", &found), SG_OK);
    assert_int_equal(found.keys[0]->state.goal, KEY_STATE_OMNIPRESENT);
    key_list_clear(&found);

    /* A mode that somebody widened is put right. */
    char *path = path_of(key, "private");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(keystore_batch_write(batch, key), SG_OK);
    assert_int_equal(keystore_batch_commit(batch), SG_OK);
    assert_int_equal(mode_of(key, "private"), 0600);
    mem_free(path);
    signing_key_free(key);
    keystore_batch_free(batch);
}

static void a_new_key_never_replaces_another(void **state)
{
    (void)state;
    struct keystore_batch *batch = keystore_batch_new();
    struct signing_key *key = stage(batch, "example.");
    struct buffer text;
    char *path = path_of(key, "private");
    write_text(key, "private", "someone else's");
    assert_int_equal(keystore_batch_commit(batch), SG_EXISTS);
    assert_int_equal(file_read(path, 4096, &text), SG_OK);
    assert_string_equal(buffer_text(&text), "someone else's");
    assert_int_equal(count_files(), 1); /* A .key left here would pass for that of a lost key. */
    buffer_free(&text);
    mem_free(path);
    keystore_batch_free(batch);
    signing_key_free(key);
}

static unsigned collisions;

static void count_collisions(void *argument, enum log_category category, int severity,
                             const char *line)
{
    static const char words[] = "keymgr: key collision id ";
    (void)argument;
    collisions += category == LOG_DNSSEC && severity == SEVERITY_INFO &&
                  strncmp(line, words, strlen(words)) == 0;
}

static void tags_that_are_taken_are_not_drawn(void **state)
{
    (void)state;
    static uint16_t tags[65536];
    struct key_tag_set taken = {tags, 0, 0, UINT16_MAX};
    struct signing_key metadata;
    struct signing_key *key;
    struct dns_name zone = name_of("example.");
    signing_key_init(&metadata);
    struct key_request request = {folder, &zone, DNSSEC_ED25519, 0, 257, &taken, &metadata};
    /* Only tags of 8 modulo 64 are free: one of 64 draws fits, and so does its revoked tag. */
    for (unsigned tag = 0; tag < 65536; tag++) {
        if (tag % 64 != 8) {
            tags[taken.count++] = (uint16_t)tag;
        }
    }
    collisions = 0;
    log_set_sink(count_collisions, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(keystore_generate(&request, &key), SG_OK);
        assert_int_equal(key->tag % 64, 8);
        signing_key_free(key);
    }
    log_set_sink(NULL, NULL);
    assert_true(collisions > 0); /* All four at the first draw: one case of 16 millions. */

    const struct key_tag_set range = {NULL, 0, 30000, 40000};
    request.taken = &range;
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    assert_in_range(key->tag, 30000, 40000);
    signing_key_free(key);

    const struct key_tag_set none = {NULL, 0, 7, 6};
    request.taken = &none;
    assert_int_equal(keystore_generate(&request, &key), SG_LIMIT);
}

static void what_must_not_be_made_is_refused(void **state)
{
    (void)state;
    struct signing_key metadata;
    struct signing_key *key = NULL;
    struct dns_name zone = name_of("example.");
    signing_key_init(&metadata);
    const struct key_request old = {folder, &zone, 5, 0, 256, NULL, &metadata};
    const struct key_request small = {folder, &zone, 8, 512, 256, NULL, &metadata};
    const struct key_request nowhere = {"/nonexistent", &zone, 15, 0, 256, NULL, &metadata};
    assert_int_equal(keystore_generate(&old, &key), SG_UNSUPPORTED);
    assert_int_equal(keystore_generate(&small, &key), SG_LIMIT);
    assert_int_equal(keystore_generate(&nowhere, &key), SG_NOT_FOUND);
    assert_null(key);
}

static void folders_that_are_not_there_are_told(void **state)
{
    (void)state;
    struct key_list found;
    struct dns_name zone = name_of("example.");
    assert_int_equal(keystore_list("/nonexistent", &zone, report, folder, &found), SG_NOT_FOUND);
}

static void tools_read_one_key_by_any_of_its_names(void **state)
{
    (void)state;
    struct signing_key *key = generate("example.", DNSSEC_ED25519, 257);
    static const char *const suffixes[] = {"key", "private", "state"};
    struct signing_key *read;
    char *path = path_of(key, "key");
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char *named = path_of(key, suffixes[i]);
        assert_int_equal(keystore_read(named, report, folder, &read), SG_OK);
        assert_int_equal(read->tag, key->tag);
        assert_non_null(read->secret);
        signing_key_free(read);
        mem_free(named);
    }
    path[strlen(path) - strlen(".key")] = 0;
    assert_int_equal(keystore_read_public(path, report, folder, &read), SG_OK);
    assert_null(read->secret);
    signing_key_free(read);
    assert_int_equal(keystore_read("/nonexistent/Kx.+015+00001", report, folder, &read),
                     SG_NOT_FOUND);
    mem_free(path);
    signing_key_free(key);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_generated_is_found_again),
        TEST(the_private_file_is_for_its_owner_alone),
        TEST(states_are_written_and_read),
        TEST(a_broken_key_is_reported_and_is_not_absent),
        TEST(files_of_different_keys_do_not_make_a_key),
        TEST(a_private_file_without_key_file_is_reported),
        TEST(a_file_under_another_name_is_reported),
        TEST(other_files_of_the_folder_do_not_matter),
        TEST(a_private_half_without_its_leading_zero_is_one),
        TEST(an_index_serves_many_zones),
        TEST(a_batch_is_seen_only_when_it_is_committed),
        TEST(a_batch_goes_back_to_what_it_had),
        TEST(a_batch_that_is_dropped_leaves_nothing),
        TEST(a_key_that_is_written_again_in_a_batch_has_its_files_once),
        TEST(a_batch_names_keys_that_were_there_before_new_ones),
        TEST(a_batch_names_the_state_of_a_key_that_was_there_last),
        TEST(files_that_would_be_the_same_are_left_alone),
        TEST(a_new_key_never_replaces_another),
        TEST(tags_that_are_taken_are_not_drawn),
        TEST(what_must_not_be_made_is_refused),
        TEST(folders_that_are_not_there_are_told),
        TEST(tools_read_one_key_by_any_of_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
