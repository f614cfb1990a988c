#include "dnssec/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "dnssec/keyfile.h"
#include "dnssec/pkey.h"

enum {
    TAG_DIGITS = 5,
    ALGORITHM_DIGITS = 3,
    INDEX_FIRST = 64,
    FOLDER_CLOCK_SECONDS = 2,
};

struct keystore_index {
    char *folder;
    char **names; /* of .private files, sorted */
    size_t count, max;
    struct timespec changed; /* the folder's time when it was read */
    struct timespec read;
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

/* Is it "K<zone>+AAA+TTTTT.private", of whatever zone? */
static bool is_private_file(const char *name)
{
    static const char shape[] = "+AAA+TTTTT.private";
    size_t length = strlen(name);
    if (name[0] != 'K' || length < strlen(shape) + 1) {
        return false;
    }
    const char *end = name + length - strlen(shape);
    return end[0] == '+' && are_digits(end + 1, ALGORITHM_DIGITS) &&
           end[1 + ALGORITHM_DIGITS] == '+' && are_digits(end + ALGORITHM_DIGITS + 2, TAG_DIGITS) &&
           strcmp(end + ALGORITHM_DIGITS + 2 + TAG_DIGITS, ".private") == 0;
}

/* "K<zone>+": what the files of all its keys begin with. */
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

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(struct keystore_index *index, const char *name)
{
    if (index->count == index->max) {
        index->max = index->max == 0 ? INDEX_FIRST : 2 * index->max;
        index->names = mem_resize_array(index->names, index->max, sizeof(*index->names));
    }
    index->names[index->count++] = mem_copy_text(name);
}

enum sg_result keystore_index_read(const char *folder, struct keystore_index **out_index)
{
    DIR *listing = opendir(folder);
    if (listing == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? SG_NOT_FOUND
               : errno == EACCES                   ? SG_DENIED
                                                   : SG_IO;
    }
    struct keystore_index *index = mem_alloc_zero(1, sizeof(*index));
    index->folder = mem_copy_text(folder);
    struct stat status; /* before the first entry: what comes later is noticed */
    if (fstat(dirfd(listing), &status) == 0) {
        index->changed = status.st_mtim;
        clock_gettime(CLOCK_REALTIME, &index->read);
    }
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (is_private_file(entry->d_name)) {
            add_name(index, entry->d_name);
        }
    }
    closedir(listing);
    if (index->count > 0) {
        qsort(index->names, index->count, sizeof(*index->names), compare_names);
    }
    *out_index = index;
    return SG_OK;
}

void keystore_index_free(struct keystore_index *index)
{
    if (index == NULL) {
        return;
    }
    for (size_t i = 0; i < index->count; i++) {
        mem_free(index->names[i]);
    }
    mem_free(index->names);
    mem_free(index->folder);
    mem_free(index);
}

bool keystore_index_is_current(const struct keystore_index *index)
{
    struct stat status;
    /* Two changes within one tick of the file system's clock look like one. */
    return stat(index->folder, &status) == 0 && status.st_mtim.tv_sec == index->changed.tv_sec &&
           status.st_mtim.tv_nsec == index->changed.tv_nsec &&
           index->read.tv_sec - index->changed.tv_sec > FOLDER_CLOCK_SECONDS;
}

/* The first name that is not before `prefix`. */
static size_t lower_bound(const struct keystore_index *index, const char *prefix)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->names[middle], prefix) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

enum sg_result keystore_index_list(const struct keystore_index *index, const struct dns_name *zone,
                                   keystore_report *report, void *argument,
                                   struct key_list *out_list)
{
    const struct reporter reporter = {report, argument};
    struct key_list list = {NULL, 0};
    char *prefix = file_prefix(zone);
    size_t length = strlen(prefix);
    enum sg_result result = SG_OK;
    for (size_t i = lower_bound(index, prefix);
         i < index->count && strncmp(index->names[i], prefix, length) == 0; i++) {
        struct signing_key *key;
        if (strlen(index->names[i]) != length + strlen("AAA+TTTTT.private")) {
            continue;
        }
        if (read_listed(&reporter, index->folder, index->names[i], &key) != SG_OK) {
            result = SG_BAD_KEY;
            continue;
        }
        list.keys = mem_resize_array(list.keys, list.count + 1, sizeof(*list.keys));
        list.keys[list.count++] = key;
    }
    mem_free(prefix);
    if (list.count > 0) {
        qsort(list.keys, list.count, sizeof(*list.keys), compare_keys);
    }
    *out_list = list;
    return result;
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
