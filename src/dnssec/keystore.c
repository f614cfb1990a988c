#include "dnssec/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

struct name_list {
    char **names;
    size_t count, max;
};

struct keystore_index {
    char *folder;
    struct name_list keys;    /* names of .private files, sorted */
    struct name_list orphans; /* base names of .state files that have none, sorted */
    struct name_list halves;  /* and of .key files that have none, sorted */
    struct timespec changed;  /* the folder's time when it was read */
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

enum { PART_PRIVATE = 1, PART_STATE = 2, ALL_PARTS = PART_PRIVATE | PART_STATE };

/* SG_NOT_FOUND only for the .key file. `parts` are read beside it where they are there. */
static enum sg_result read_key(const struct reporter *reporter, const char *base, unsigned parts,
                               struct signing_key **out_key)
{
    struct signing_key *key = mem_alloc(sizeof(*key));
    signing_key_init(key);

    enum sg_result result = read_part(reporter, base, "key", keyfile_public_read, key);
    if (result != SG_OK) {
        goto out;
    }
    if ((parts & PART_PRIVATE) != 0) {
        result = read_part(reporter, base, "private", keyfile_private_read, key);
        if (result != SG_OK && result != SG_NOT_FOUND) {
            goto out;
        }
    }
    if ((parts & PART_STATE) != 0) {
        result = read_part(reporter, base, "state", keyfile_state_read, key);
        if (result != SG_OK && result != SG_NOT_FOUND) {
            goto out;
        }
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

/* Is it "K<zone>+AAA+TTTTT" and this suffix, of whatever zone? */
static bool is_key_file(const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t tail = strlen("+AAA+TTTTT") + strlen(suffix);
    if (name[0] != 'K' || length < tail + 1) {
        return false;
    }
    const char *end = name + length - tail;
    return end[0] == '+' && are_digits(end + 1, ALGORITHM_DIGITS) &&
           end[1 + ALGORITHM_DIGITS] == '+' && are_digits(end + ALGORITHM_DIGITS + 2, TAG_DIGITS) &&
           strcmp(end + ALGORITHM_DIGITS + 2 + TAG_DIGITS, suffix) == 0;
}

/* "K<zone>+": what the files of all its keys begin with. */
static char *file_prefix(const struct dns_name *zone)
{
    const struct signing_key any = {.zone = *zone};
    char *name = signing_key_file_name(&any);
    name[strlen(name) - (ALGORITHM_DIGITS + 1 + TAG_DIGITS)] = 0;
    return name;
}

/* The key of this name, without suffix, and which must be what its name says. */
static enum sg_result read_listed(const struct reporter *reporter, const char *folder,
                                  const char *name, struct signing_key **out_key)
{
    char *base = mem_format("%s/%s", folder, name);
    char *expected = NULL;
    struct signing_key *key = NULL;

    enum sg_result result = read_key(reporter, base, ALL_PARTS, &key);
    if (result == SG_NOT_FOUND) {
        tell(reporter, base, "there is a .private but no .key file");
    }
    if (result != SG_OK) {
        goto out;
    }
    expected = signing_key_file_name(key);
    if (strcmp(name, expected) != 0) {
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

/* Takes the name. */
static void add_name(struct name_list *list, char *name)
{
    if (list->count == list->max) {
        list->max = list->max == 0 ? INDEX_FIRST : 2 * list->max;
        list->names = mem_resize_array(list->names, list->max, sizeof(*list->names));
    }
    list->names[list->count++] = name;
}

static void sort_names(struct name_list *list)
{
    if (list->count > 0) {
        qsort(list->names, list->count, sizeof(*list->names), compare_names);
    }
}

static void clear_names(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        mem_free(list->names[i]);
    }
    mem_free(list->names);
}

/* The first name that is not before `prefix`. */
static size_t lower_bound(const struct name_list *list, const char *prefix)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list->names[middle], prefix) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* "K<zone>+AAA+TTTTT.private.XXXXXXXX.new": staged by a batch. Returns the length of its base name,
 * 0 for any other. */
static size_t staged_base_length(const char *name)
{
    const char *middle = strstr(name, ".private.");
    size_t base = middle == NULL ? 0 : (size_t)(middle - name);
    return base > 0 && strlen(middle) == strlen(".private.XXXXXXXX.new") &&
                   strcmp(name + strlen(name) - strlen(".new"), ".new") == 0
               ? base
               : 0;
}

/*
 * A batch was cut off between the names of a new key's .state and .private: all its bytes are on
 * the disk, and the key is as good as made. Only the private half has still to get its name, and
 * gets it once more where a power cut takes it back.
 */
static bool complete_key(struct keystore_index *index, const char *base,
                         const struct name_list *staged)
{
    bool completed = false;
    for (size_t i = lower_bound(staged, base); i < staged->count && !completed; i++) {
        if (strncmp(staged->names[i], base, strlen(base)) != 0) {
            break;
        }
        if (staged_base_length(staged->names[i]) == strlen(base)) {
            char *from = mem_format("%s/%s", index->folder, staged->names[i]);
            char *to = mem_format("%s/%s.private", index->folder, base);
            completed = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0;
            mem_free(to);
            mem_free(from);
        }
    }
    if (completed) {
        add_name(&index->keys, mem_format("%s.private", base));
    }
    return completed;
}

static void complete_orphans(struct keystore_index *index, const struct name_list *staged)
{
    size_t left = 0;
    for (size_t i = 0; i < index->orphans.count; i++) {
        if (complete_key(index, index->orphans.names[i], staged)) {
            mem_free(index->orphans.names[i]);
        } else {
            index->orphans.names[left++] = index->orphans.names[i];
        }
    }
    if (left < index->orphans.count) {
        index->orphans.count = left;
        sort_names(&index->keys);
    }
}

/* Is there a name that continues `base` by a dot? */
static bool has_suffixed(const struct name_list *list, const char *base)
{
    size_t at = lower_bound(list, base);
    size_t length = strlen(base);
    return at < list->count && strncmp(list->names[at], base, length) == 0 &&
           list->names[at][length] == '.';
}

/* Takes base names and keeps, sorted, those whose key has no .private file. */
static void find_incomplete(const struct keystore_index *index, struct name_list *names,
                            struct name_list *incomplete)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!has_suffixed(&index->keys, names->names[i])) {
            add_name(incomplete, mem_copy_text(names->names[i]));
        }
    }
    sort_names(incomplete);
    clear_names(names);
}

/* Takes the .key files' names. Those that a batch was cut off behind are no keys yet. */
static void find_halves(struct keystore_index *index, struct name_list *publics,
                        const struct name_list *staged)
{
    size_t left = 0;
    find_incomplete(index, publics, &index->halves);
    for (size_t i = 0; i < index->halves.count; i++) {
        if (has_suffixed(staged, index->halves.names[i])) {
            mem_free(index->halves.names[i]);
        } else {
            index->halves.names[left++] = index->halves.names[i];
        }
    }
    index->halves.count = left;
}

/* Every file of the folder into the list that it belongs to. */
static void read_names(struct keystore_index *index, DIR *listing, struct name_list *publics,
                       struct name_list *states, struct name_list *staged)
{
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        const char *name = entry->d_name;
        if (is_key_file(name, ".private")) {
            add_name(&index->keys, mem_copy_text(name));
        } else if (is_key_file(name, ".key")) {
            add_name(publics, mem_format("%.*s", (int)(strlen(name) - strlen(".key")), name));
        } else if (is_key_file(name, ".state")) {
            add_name(states, mem_format("%.*s", (int)(strlen(name) - strlen(".state")), name));
        } else if (staged_base_length(name) > 0) {
            add_name(staged, mem_copy_text(name));
        }
    }
    sort_names(&index->keys);
    sort_names(staged);
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
    struct name_list publics = {NULL, 0, 0};
    struct name_list states = {NULL, 0, 0};
    struct name_list staged = {NULL, 0, 0};
    read_names(index, listing, &publics, &states, &staged);
    closedir(listing);
    find_incomplete(index, &states, &index->orphans);
    complete_orphans(index, &staged);
    find_halves(index, &publics, &staged);
    clear_names(&staged);
    *out_index = index;
    return SG_OK;
}

void keystore_index_free(struct keystore_index *index)
{
    if (index == NULL) {
        return;
    }
    clear_names(&index->keys);
    clear_names(&index->orphans);
    clear_names(&index->halves);
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

const char *keystore_index_orphan(const struct keystore_index *index, const struct dns_name *zone)
{
    char *prefix = file_prefix(zone);
    size_t length = strlen(prefix);
    const char *found = NULL;
    for (size_t i = lower_bound(&index->orphans, prefix);
         found == NULL && i < index->orphans.count &&
         strncmp(index->orphans.names[i], prefix, length) == 0;
         i++) {
        const char *name = index->orphans.names[i];
        found = strlen(name) == length + strlen("AAA+TTTTT") ? name : NULL;
    }
    mem_free(prefix);
    return found;
}

/* The keys of `zone` whose names are in `names`, where each ends in `suffix`. */
static enum sg_result list_names(const struct keystore_index *index, const struct name_list *names,
                                 const char *suffix, const struct dns_name *zone,
                                 const struct reporter *reporter, struct key_list *out_list)
{
    struct key_list list = {NULL, 0};
    char *prefix = file_prefix(zone);
    size_t length = strlen(prefix);
    size_t base_length = length + strlen("AAA+TTTTT");
    enum sg_result result = SG_OK;
    for (size_t i = lower_bound(names, prefix);
         i < names->count && strncmp(names->names[i], prefix, length) == 0; i++) {
        const char *name = names->names[i];
        struct signing_key *key;
        if (strlen(name) != base_length + strlen(suffix)) {
            continue;
        }
        char *base = mem_format("%.*s", (int)base_length, name);
        if (read_listed(reporter, index->folder, base, &key) == SG_OK) {
            list.keys = mem_resize_array(list.keys, list.count + 1, sizeof(*list.keys));
            list.keys[list.count++] = key;
        } else {
            result = SG_BAD_KEY;
        }
        mem_free(base);
    }
    mem_free(prefix);
    if (list.count > 0) {
        qsort(list.keys, list.count, sizeof(*list.keys), compare_keys);
    }
    *out_list = list;
    return result;
}

enum sg_result keystore_index_list(const struct keystore_index *index, const struct dns_name *zone,
                                   keystore_report *report, void *argument,
                                   struct key_list *out_list)
{
    const struct reporter reporter = {report, argument};
    return list_names(index, &index->keys, ".private", zone, &reporter, out_list);
}

enum sg_result keystore_index_halves(const struct keystore_index *index,
                                     const struct dns_name *zone, keystore_report *report,
                                     void *argument, struct key_list *out_list)
{
    const struct reporter reporter = {report, argument};
    struct key_list list;
    enum sg_result result = list_names(index, &index->halves, "", zone, &reporter, &list);
    for (size_t i = 0; i < list.count && result == SG_OK; i++) {
        char *name = signing_key_file_name(list.keys[i]);
        char *base = mem_format("%s/%s", index->folder, name);
        result = read_part(&reporter, base, "key", keyfile_public_read_times, list.keys[i]);
        mem_free(base);
        mem_free(name);
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

static enum sg_result read_parts(const char *path, unsigned parts, keystore_report *report,
                                 void *argument, struct signing_key **out_key)
{
    const struct reporter reporter = {report, argument};
    char *base = base_of(path);
    enum sg_result result = read_key(&reporter, base, parts, out_key);
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
