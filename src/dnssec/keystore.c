#include "dnssec/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "dnssec/keyfile.h"
#include "dnssec/pkey.h"

enum {
    DNSKEY_PROTOCOL = 3,
    TAG_DIGITS = 5,
    ALGORITHM_DIGITS = 3,
    KEY_DRAWS_MAX = 2048, /* a sixtieth of all tags is found almost surely; RSA draws take long */
    PRIVATE_MODE = 0600,
    PUBLIC_MODE = 0644,
};

struct reporter {
    keystore_report *report;
    void *argument;
};

static void tell(const struct reporter *reporter, const char *path, const char *problem)
{
    if (reporter->report != NULL) {
        reporter->report(reporter->argument, path, problem);
    }
}

/* Read `base`.`suffix` and parse it into the key. SG_NOT_FOUND is not reported. */
static enum sg_result
read_part(const struct reporter *reporter, const char *base, const char *suffix,
          enum sg_result (*parse)(struct span, struct signing_key *, struct keyfile_problem *),
          struct signing_key *key)
{
    char *path = mem_format("%s.%s", base, suffix);
    struct buffer text = BUFFER_EMPTY;
    struct keyfile_problem problem;

    enum sg_result result = file_read(path, KEYFILE_BYTES_MAX, &text);
    if (result == SG_OK) {
        result = parse(buffer_span(&text), key, &problem);
        if (result != SG_OK) {
            tell(reporter, path, problem.text);
        }
    } else if (result != SG_NOT_FOUND) {
        tell(reporter, path, sg_result_text(result));
    }
    buffer_wipe(&text);
    mem_free(path);
    return result;
}

static enum sg_result check_pair(const struct reporter *reporter, const char *base,
                                 const struct signing_key *key)
{
    struct span public_key = {key->dnskey.bytes + 4, key->dnskey.length - 4};
    if (key->secret == NULL || pkey_check_pair(key->secret, public_key) == SG_OK) {
        return SG_OK;
    }
    tell(reporter, base, "the .private file does not belong to the .key file");
    return SG_BAD_KEY;
}

/* SG_NOT_FOUND only for the .key file. */
static enum sg_result read_key(const struct reporter *reporter, const char *base, bool public_only,
                               struct signing_key **out_key)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);

    enum sg_result result = read_part(reporter, base, "key", keyfile_public_read, key);
    if (result != SG_OK) {
        goto out;
    }
    if (!public_only) {
        result = read_part(reporter, base, "private", keyfile_private_read, key);
        if (result != SG_OK && result != SG_NOT_FOUND) {
            goto out;
        }
    }
    result = read_part(reporter, base, "state", keyfile_state_read, key);
    if (result != SG_OK && result != SG_NOT_FOUND) {
        goto out;
    }
    result = check_pair(reporter, base, key);
    if (result != SG_OK) {
        goto out;
    }
    const char *slash = strrchr(base, '/');
    key->folder =
        slash != NULL ? mem_format("%.*s", (int)(slash - base), base) : mem_copy_text(".");
    *out_key = key;
    key = NULL;

out:
    signing_key_free(key);
    return result;
}

static bool are_digits(const char *text, size_t count)
{
    return strspn(text, "0123456789") >= count;
}

/* Is it "K<zone>+AAA+TTTTT.private"? `prefix` is "K<zone>+". */
static bool is_private_file_of(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    const char *rest = name + length;
    return strncmp(name, prefix, length) == 0 && are_digits(rest, ALGORITHM_DIGITS) &&
           rest[ALGORITHM_DIGITS] == '+' && are_digits(rest + ALGORITHM_DIGITS + 1, TAG_DIGITS) &&
           strcmp(rest + ALGORITHM_DIGITS + 1 + TAG_DIGITS, ".private") == 0;
}

static char *file_prefix(const struct dns_name *zone)
{
    const struct signing_key any = {.zone = *zone};
    char *name = signing_key_file_name(&any);
    name[strlen(name) - (ALGORITHM_DIGITS + 1 + TAG_DIGITS)] = 0;
    return name;
}

/* The key whose .private file is `name`, and which must be what its name says. */
static enum sg_result read_listed(const struct reporter *reporter, const char *folder,
                                  const char *name, struct signing_key **out_key)
{
    char *base = mem_format("%s/%.*s", folder, (int)(strlen(name) - strlen(".private")), name);
    char *expected = NULL;
    struct signing_key *key = NULL;

    enum sg_result result = read_key(reporter, base, false, &key);
    if (result == SG_NOT_FOUND) {
        tell(reporter, base, "there is a .private but no .key file");
    }
    if (result != SG_OK) {
        goto out;
    }
    expected = signing_key_file_name(key);
    if (strncmp(name, expected, strlen(expected)) != 0) {
        tell(reporter, base, "the key in it has another name, algorithm or tag");
        result = SG_BAD_KEY;
        goto out;
    }
    *out_key = key;
    key = NULL;

out:
    signing_key_free(key);
    mem_free(expected);
    mem_free(base);
    return result;
}

static int compare_keys(const void *a, const void *b)
{
    const struct signing_key *left = *(struct signing_key *const *)a;
    const struct signing_key *right = *(struct signing_key *const *)b;
    return left->algorithm != right->algorithm ? left->algorithm - right->algorithm
                                               : left->tag - right->tag;
}

void key_list_clear(struct key_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        signing_key_free(list->keys[i]);
    }
    mem_free(list->keys);
    *list = (struct key_list){NULL, 0};
}

enum sg_result keystore_list(const char *folder, const struct dns_name *zone,
                             keystore_report *report, void *argument, struct key_list *out_list)
{
    const struct reporter reporter = {report, argument};
    DIR *listing = opendir(folder);
    if (listing == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? SG_NOT_FOUND
               : errno == EACCES                   ? SG_DENIED
                                                   : SG_IO;
    }
    struct key_list list = {NULL, 0};
    char *prefix = file_prefix(zone);
    enum sg_result result = SG_OK;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        struct signing_key *key;
        if (!is_private_file_of(entry->d_name, prefix)) {
            continue;
        }
        if (read_listed(&reporter, folder, entry->d_name, &key) != SG_OK) {
            result = SG_BAD_KEY;
            continue;
        }
        list.keys = mem_resize_array(list.keys, list.count + 1, sizeof(*list.keys));
        list.keys[list.count++] = key;
    }
    closedir(listing);
    mem_free(prefix);
    if (list.count > 0) {
        qsort(list.keys, list.count, sizeof(*list.keys), compare_keys);
    }
    *out_list = list;
    return result;
}

/* `path` without one of the three suffixes. */
static char *base_of(const char *path)
{
    static const char *const suffixes[] = {".key", ".private", ".state"};
    size_t length = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length > suffix && strcmp(path + length - suffix, suffixes[i]) == 0) {
            return mem_format("%.*s", (int)(length - suffix), path);
        }
    }
    return mem_format("%s", path);
}

enum sg_result keystore_read(const char *path, keystore_report *report, void *argument,
                             struct signing_key **out_key)
{
    const struct reporter reporter = {report, argument};
    char *base = base_of(path);
    enum sg_result result = read_key(&reporter, base, false, out_key);
    mem_free(base);
    return result;
}

enum sg_result keystore_read_public(const char *path, keystore_report *report, void *argument,
                                    struct signing_key **out_key)
{
    const struct reporter reporter = {report, argument};
    char *base = base_of(path);
    enum sg_result result = read_key(&reporter, base, true, out_key);
    mem_free(base);
    return result;
}

static bool is_free(const struct key_tag_set *taken, uint16_t tag)
{
    for (size_t i = 0; i < taken->count; i++) {
        if (taken->tags[i] == tag) {
            return false;
        }
    }
    return tag >= taken->tag_min && tag <= taken->tag_max;
}

/* The tag that the key has once it is revoked (RFC 5011 3). */
static uint16_t revoked_tag(struct span dnskey)
{
    uint8_t copy[KEY_PUBLIC_BYTES_MAX + 4];
    ASSERT(dnskey.length <= sizeof(copy));
    memcpy(copy, dnskey.bytes, dnskey.length);
    copy[1] |= KEY_FLAG_REVOKE;
    return dnskey_tag((struct span){copy, dnskey.length});
}

static char *base_path(const struct signing_key *key)
{
    char *name = signing_key_file_name(key);
    char *path = mem_format("%s/%s", key->folder, name);
    mem_free(name);
    return path;
}

static bool has_files(const struct signing_key *key)
{
    char *base = base_path(key);
    char *public_path = mem_format("%s.key", base);
    char *private_path = mem_format("%s.private", base);
    bool has = access(public_path, F_OK) == 0 || access(private_path, F_OK) == 0;
    mem_free(private_path);
    mem_free(public_path);
    mem_free(base);
    return has;
}

/* A new pair in `key`, whatever its tag. */
static enum sg_result draw(struct signing_key *key)
{
    struct buffer rdata = BUFFER_EMPTY;
    struct signing_key_secret *secret;
    buffer_append_u16(&rdata, key->flags);
    buffer_append_u8(&rdata, DNSKEY_PROTOCOL);
    buffer_append_u8(&rdata, key->algorithm);
    enum sg_result result = pkey_generate(key->algorithm, key->bits, &rdata, &secret);
    if (result == SG_OK) {
        key_secret_unref(key->secret);
        key->secret = secret;
        mem_free((void *)key->dnskey.bytes);
        key->dnskey = (struct span){mem_copy(rdata.bytes, rdata.length), rdata.length};
        key->tag = dnskey_tag(key->dnskey);
    }
    buffer_free(&rdata);
    return result;
}

static enum sg_result draw_untaken(struct signing_key *key, const struct key_tag_set *taken)
{
    for (int i = 0; i < KEY_DRAWS_MAX; i++) {
        enum sg_result result = draw(key);
        if (result != SG_OK) {
            return result;
        }
        uint16_t revoked = revoked_tag(key->dnskey);
        if (is_free(taken, key->tag) && is_free(taken, revoked) && !has_files(key)) {
            return SG_OK;
        }
    }
    return SG_LIMIT;
}

enum sg_result keystore_generate(const char *folder, const struct dns_name *zone, uint8_t algorithm,
                                 unsigned bits, uint16_t flags, const struct key_tag_set *taken,
                                 const struct signing_key *metadata, struct signing_key **out_key)
{
    unsigned size;
    if (!dnssec_algorithm_can_generate(algorithm)) {
        return SG_UNSUPPORTED;
    }
    enum sg_result result = dnssec_algorithm_bits(algorithm, bits, &size);
    if (result != SG_OK) {
        return result;
    }
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);
    memcpy(key->times, metadata->times, sizeof(key->times));
    key->state = metadata->state;
    key->ttl = metadata->ttl;
    key->zone = *zone;
    dns_name_lower(&key->zone);
    key->algorithm = algorithm;
    key->flags = (uint16_t)(flags | KEY_FLAG_ZONE);
    key->bits = (uint16_t)size;
    key->folder = mem_copy_text(folder);

    static const struct key_tag_set none = {NULL, 0, 0, UINT16_MAX};
    result = draw_untaken(key, taken != NULL ? taken : &none);
    if (result != SG_OK) {
        goto out;
    }
    result = keystore_write(key);
    if (result != SG_OK) {
        goto out;
    }
    *out_key = key;
    key = NULL;

out:
    signing_key_free(key);
    return result;
}

static void warn_of_wide_mode(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 07777) != PRIVATE_MODE) {
        log_write(LOG_GENERAL, SEVERITY_WARNING,
                  "Permissions on the file %s have changed from 0%o to 0600 as a result of this "
                  "operation.",
                  path, (unsigned)status.st_mode & 07777);
    }
}

static enum sg_result write_part(const char *base, const char *suffix, mode_t mode,
                                 void (*write)(const struct signing_key *, struct buffer *),
                                 const struct signing_key *key)
{
    char *path = mem_format("%s.%s", base, suffix);
    struct buffer text = BUFFER_EMPTY;
    if (mode == PRIVATE_MODE) {
        warn_of_wide_mode(path);
    }
    write(key, &text);
    enum sg_result result = file_write(path, mode, buffer_span(&text));
    buffer_wipe(&text);
    mem_free(path);
    return result;
}

/*
 * A folder is searched by .private files, so that one comes after its .key: a crash in between
 * leaves a file that nobody looks at. The .state file is last: who reads it finds the key.
 */
enum sg_result keystore_write(const struct signing_key *key)
{
    char *base = base_path(key);
    enum sg_result result = write_part(base, "key", PUBLIC_MODE, keyfile_public_write, key);
    if (result == SG_OK && key->secret != NULL) {
        result = write_part(base, "private", PRIVATE_MODE, keyfile_private_write, key);
    }
    if (result == SG_OK && key->state.present) {
        result = write_part(base, "state", PUBLIC_MODE, keyfile_state_write, key);
    }
    mem_free(base);
    return result;
}
