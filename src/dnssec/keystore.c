#include "dnssec/keystore.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "dnssec/keyfile.h"
#include "dnssec/keystore_parts.h"
#include "dnssec/pkey.h"

void keystore_tell(const struct keystore_reporter *reporter, const char *path, const char *problem)
{
    if (reporter->report != NULL) {
        reporter->report(reporter->argument, path, problem);
    }
}

enum sg_result keystore_read_part(const struct keystore_reporter *reporter, const char *base,
                                  const char *suffix, keystore_parse *parse,
                                  struct signing_key *key)
{
    char *path = mem_format("%s.%s", base, suffix);
    struct buffer text = BUFFER_EMPTY;
    struct keyfile_problem problem;

    enum sg_result result = file_read(path, KEYFILE_BYTES_MAX, &text);
    if (result == SG_OK) {
        result = parse(buffer_span(&text), key, &problem);
        if (result != SG_OK) {
            keystore_tell(reporter, path, problem.text);
        }
    } else if (result != SG_NOT_FOUND) {
        keystore_tell(reporter, path, sg_result_text(result));
    }
    buffer_wipe(&text);
    mem_free(path);
    return result;
}

static uint64_t hash_of_pair(const uint8_t hash_key[16], const struct signing_key *key)
{
    struct buffer pair = BUFFER_EMPTY;
    buffer_append(&pair, key->dnskey.bytes, key->dnskey.length);
    buffer_append(&pair, key->secret->bytes, key->secret->length);
    uint64_t hash = siphash(hash_key, pair.bytes, pair.length);
    buffer_wipe(&pair);
    return hash;
}

static enum sg_result check_pair(const struct keystore_reporter *reporter, const char *base,
                                 const struct signing_key *key, const struct keystore_proof *proof)
{
    struct span public_key = {key->dnskey.bytes + 4, key->dnskey.length - 4};
    if (key->secret == NULL) {
        return SG_OK;
    }
    uint64_t hash = proof == NULL ? 0 : hash_of_pair(proof->hash_key, key);
    if (proof != NULL && *proof->hash == hash) {
        return SG_OK;
    }
    if (pkey_check_pair(key->secret, public_key) == SG_OK) {
        if (proof != NULL) {
            *proof->hash = hash;
        }
        return SG_OK;
    }
    keystore_tell(reporter, base, "the .private file does not belong to the .key file");
    return SG_BAD_KEY;
}

enum { PART_PRIVATE = 1, PART_STATE = 2, ALL_PARTS = PART_PRIVATE | PART_STATE };

/* SG_NOT_FOUND only for the .key file. `parts` are read beside it where they are there. */
static enum sg_result read_key(const struct keystore_reporter *reporter, const char *base,
                               unsigned parts, const struct keystore_proof *proof,
                               struct signing_key **out_key)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);

    enum sg_result result = keystore_read_part(reporter, base, "key", keyfile_public_read, key);
    if (result != SG_OK) {
        goto out;
    }
    if ((parts & PART_PRIVATE) != 0) {
        result = keystore_read_part(reporter, base, "private", keyfile_private_read, key);
        if (result != SG_OK && result != SG_NOT_FOUND) {
            goto out;
        }
    }
    if ((parts & PART_STATE) != 0) {
        result = keystore_read_part(reporter, base, "state", keyfile_state_read, key);
        if (result != SG_OK && result != SG_NOT_FOUND) {
            goto out;
        }
    }
    result = check_pair(reporter, base, key, proof);
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

enum sg_result keystore_read_listed(const struct keystore_reporter *reporter, const char *folder,
                                    const char *name, const struct keystore_proof *proof,
                                    struct signing_key **out_key)
{
    char *base = mem_format("%s/%s", folder, name);
    char *expected = NULL;
    struct signing_key *key = NULL;

    enum sg_result result = read_key(reporter, base, ALL_PARTS, proof, &key);
    if (result == SG_NOT_FOUND) {
        keystore_tell(reporter, base, "there is a .private but no .key file");
    }
    if (result != SG_OK) {
        goto out;
    }
    expected = signing_key_file_name(key);
    if (strcmp(name, expected) != 0) {
        keystore_tell(reporter, base, "the key in it has another name, algorithm or tag");
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

void keystore_sort(struct key_list *list)
{
    if (list->count > 0) {
        qsort(list->keys, list->count, sizeof(*list->keys), compare_keys);
    }
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
    struct keystore_index *index;
    enum sg_result result = keystore_index_read(folder, &index);
    if (result == SG_OK) {
        result = keystore_index_list(index, zone, report, argument, out_list);
        keystore_index_free(index);
    }
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

static enum sg_result read_parts(const char *path, unsigned parts, keystore_report *report,
                                 void *argument, struct signing_key **out_key)
{
    const struct keystore_reporter reporter = {report, argument};
    char *base = base_of(path);
    enum sg_result result = read_key(&reporter, base, parts, NULL, out_key);
    mem_free(base);
    return result;
}

enum sg_result keystore_read(const char *path, keystore_report *report, void *argument,
                             struct signing_key **out_key)
{
    return read_parts(path, ALL_PARTS, report, argument, out_key);
}

enum sg_result keystore_read_pair(const char *path, keystore_report *report, void *argument,
                                  struct signing_key **out_key)
{
    return read_parts(path, PART_PRIVATE, report, argument, out_key);
}

enum sg_result keystore_read_public(const char *path, keystore_report *report, void *argument,
                                    struct signing_key **out_key)
{
    return read_parts(path, PART_STATE, report, argument, out_key);
}
