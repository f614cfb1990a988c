#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/folder_watch.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"
#include "dnssec/keystore_parts.h"

/*
 * A table of keys by zone: all of one zone are in one bucket, so that a look at a zone costs what
 * its keys cost, however many the folder has. It follows the folder by what the kernel tells of it;
 * where it cannot tell, by the folder's time of change, and then all is read again.
 */
enum {
    TAG_DIGITS = 5,
    ALGORITHM_DIGITS = 3,
    TAIL = 1 + ALGORITHM_DIGITS + 1 + TAG_DIGITS, /* "+AAA+TTTTT" */
    BUCKETS_FIRST = 64,                           /* a power of two */
    FOLDER_CLOCK_SECONDS = 2,
};

enum key_file {
    FILE_PUBLIC = 1,
    FILE_PRIVATE = 2,
    FILE_STATE = 4,
    FILE_STAGED = 8, /* ".private.XXXXXXXX.new" of a batch; alone in its entry */
};

struct index_entry {
    struct index_entry *next;
    uint64_t proven; /* keystore_proof */
    uint16_t base_length;
    uint8_t files; /* enum key_file */
    char name[];   /* "K<zone>+AAA+TTTTT"; of a staged file whole */
};

struct table {
    struct index_entry **buckets;
    size_t buckets_count;
    size_t count;
};

struct keystore_index {
    char *folder;
    struct table table;
    uint8_t hash_key[16];
    struct folder_watch *watch; /* NULL: there is none, or none yet */
    bool unwatched;             /* there can be none */
    struct timespec changed;    /* the folder's time when it was read */
    struct timespec read;
};

/* --- names of files --------------------------------------------------------------------------- */

static bool are_digits(const char *text, size_t count)
{
    return strspn(text, "0123456789") >= count;
}

/* Does it begin with "K<zone>+AAA+TTTTT", of whatever zone, and how long is that? 0: no. */
static size_t base_length(const char *name, size_t length)
{
    if (name[0] != 'K' || length < TAIL + 1) {
        return 0;
    }
    const char *end = name + length - TAIL;
    bool fits = end[0] == '+' && are_digits(end + 1, ALGORITHM_DIGITS) &&
                end[1 + ALGORITHM_DIGITS] == '+' &&
                are_digits(end + ALGORITHM_DIGITS + 2, TAG_DIGITS);
    return fits ? length : 0;
}

/* Which file of a key it is, and how long the key's name is in it; 0: none. */
static enum key_file kind_of(const char *name, size_t *out_base_length)
{
    static const struct {
        const char *suffix;
        enum key_file kind;
    } kinds[] = {{".key", FILE_PUBLIC}, {".private", FILE_PRIVATE}, {".state", FILE_STATE}};
    static const size_t staged_tail = sizeof(".private.XXXXXXXX.new") - 1;
    size_t length = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t suffix = strlen(kinds[i].suffix);
        if (length > suffix && strcmp(name + length - suffix, kinds[i].suffix) == 0) {
            *out_base_length = base_length(name, length - suffix);
            return *out_base_length > 0 ? kinds[i].kind : 0;
        }
    }
    if (length > staged_tail && strcmp(name + length - strlen(".new"), ".new") == 0 &&
        strncmp(name + length - staged_tail, ".private.", strlen(".private.")) == 0) {
        *out_base_length = base_length(name, length - staged_tail);
        return *out_base_length > 0 ? FILE_STAGED : 0;
    }
    return 0;
}

/* "K<zone>": what the files of all its keys begin with, and then a plus. */
static char *zone_part(const struct dns_name *zone)
{
    const struct signing_key any = {.zone = *zone};
    char *name = signing_key_file_name(&any);
    name[strlen(name) - TAIL] = 0;
    return name;
}

/* --- the table -------------------------------------------------------------------------------- */

static struct table table_new(size_t buckets_count)
{
    return (struct table){mem_alloc_zero(buckets_count, sizeof(struct index_entry *)),
                          buckets_count, 0};
}

static void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->buckets_count; i++) {
        for (struct index_entry *entry = table->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            mem_free(entry);
        }
    }
    mem_free(table->buckets);
    *table = (struct table){NULL, 0, 0};
}

static struct index_entry **bucket_of(const struct keystore_index *index, const char *zone,
                                      size_t length)
{
    const struct table *table = &index->table;
    return &table->buckets[siphash(index->hash_key, zone, length) & (table->buckets_count - 1)];
}

static void grow(struct keystore_index *index)
{
    struct table old = index->table;
    index->table = table_new(2 * old.buckets_count);
    index->table.count = old.count;
    for (size_t i = 0; i < old.buckets_count; i++) {
        for (struct index_entry *entry = old.buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            struct index_entry **bucket =
                bucket_of(index, entry->name, (size_t)entry->base_length - TAIL);
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    mem_free(old.buckets);
}

/* Where the entry of these `length` bytes is, or would be. */
static struct index_entry **find(const struct keystore_index *index, const char *name,
                                 size_t length, size_t base)
{
    struct index_entry **link = bucket_of(index, name, base - TAIL);
    while (*link != NULL &&
           (strncmp((*link)->name, name, length) != 0 || (*link)->name[length] != 0)) {
        link = &(*link)->next;
    }
    return link;
}

static size_t entry_length(const char *name, enum key_file kind, size_t base)
{
    return kind == FILE_STAGED ? strlen(name) : base;
}

static void add_file(struct keystore_index *index, const char *name)
{
    size_t base;
    enum key_file kind = kind_of(name, &base);
    if (kind == 0 || base > UINT16_MAX) {
        return;
    }
    size_t length = entry_length(name, kind, base);
    struct index_entry **link = find(index, name, length, base);
    if (*link == NULL) {
        struct index_entry *entry = mem_alloc(sizeof(*entry) + length + 1);
        *entry = (struct index_entry){NULL, 0, (uint16_t)base, 0};
        memcpy(entry->name, name, length);
        entry->name[length] = 0;
        *link = entry;
        index->table.count++;
    }
    (*link)->files |= (uint8_t)kind;
    if (index->table.count > index->table.buckets_count) {
        grow(index);
    }
}

static void remove_file(struct keystore_index *index, const char *name)
{
    size_t base;
    enum key_file kind = kind_of(name, &base);
    struct index_entry **link =
        kind == 0 ? NULL : find(index, name, entry_length(name, kind, base), base);
    if (link == NULL || *link == NULL) {
        return;
    }
    struct index_entry *entry = *link;
    entry->files &= (uint8_t)~kind;
    if (entry->files == 0) {
        *link = entry->next;
        mem_free(entry);
        index->table.count--;
    }
}

/* --- the folder ------------------------------------------------------------------------------- */

/* What was found out of keys that are there still is true still. */
static void take_proofs(struct keystore_index *index, const struct index_entry *entry)
{
    for (; entry != NULL; entry = entry->next) {
        struct index_entry *now =
            *find(index, entry->name, strlen(entry->name), entry->base_length);
        if (now != NULL) {
            now->proven = entry->proven;
        }
    }
}

/* The table stays as it is if reading fails. */
static enum sg_result read_folder(struct keystore_index *index)
{
    DIR *listing = opendir(index->folder);
    if (listing == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? SG_NOT_FOUND
               : errno == EACCES                   ? SG_DENIED
                                                   : SG_IO;
    }
    struct table old = index->table;
    index->table = table_new(BUCKETS_FIRST);
    struct stat status; /* before the first entry: what comes later is noticed */
    if (fstat(dirfd(listing), &status) == 0) {
        index->changed = status.st_mtim;
        clock_gettime(CLOCK_REALTIME, &index->read);
    }
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        add_file(index, entry->d_name);
    }
    closedir(listing);
    for (size_t i = 0; i < old.buckets_count; i++) {
        take_proofs(index, old.buckets[i]);
    }
    table_clear(&old);
    return SG_OK;
}

enum sg_result keystore_index_read(const char *folder, struct keystore_index **out_index)
{
    struct keystore_index *index = mem_alloc_zero(1, sizeof(*index));
    index->folder = mem_copy_text(folder);
    random_bytes(index->hash_key, sizeof(index->hash_key));
    enum sg_result result = read_folder(index);
    if (result == SG_OK) {
        *out_index = index;
    } else {
        keystore_index_free(index);
    }
    return result;
}

void keystore_index_free(struct keystore_index *index)
{
    if (index != NULL) {
        table_clear(&index->table);
        folder_watch_free(index->watch);
        mem_free(index->folder);
        mem_free(index);
    }
}

static void take_change(void *argument, const char *name, bool comes)
{
    struct keystore_index *index = argument;
    size_t base;
    if (kind_of(name, &base) == 0) {
        return;
    }
    /* Two names may also change places: what is told to have gone need not be away. */
    char *path = mem_format("%s/%s", index->folder, name);
    if (comes || access(path, F_OK) == 0) {
        add_file(index, name);
    } else {
        remove_file(index, name);
    }
    mem_free(path);
}

/* Who reads a folder once, as tools do, never comes here; so the watch begins here. What comes
 * between its beginning and the reading is told twice, which does not matter. */
static enum sg_result read_again(struct keystore_index *index)
{
    folder_watch_free(index->watch);
    index->watch = NULL;
    index->unwatched |= folder_watch_new(index->folder, &index->watch) != SG_OK;
    return read_folder(index);
}

/* Two changes within one tick of the file system's clock look like one. */
static bool is_current_by_time(const struct keystore_index *index)
{
    struct stat status;
    return stat(index->folder, &status) == 0 && status.st_mtim.tv_sec == index->changed.tv_sec &&
           status.st_mtim.tv_nsec == index->changed.tv_nsec &&
           index->read.tv_sec - index->changed.tv_sec > FOLDER_CLOCK_SECONDS;
}

enum sg_result keystore_index_refresh(struct keystore_index *index)
{
    if (index->watch != NULL && folder_watch_take(index->watch, take_change, index) == SG_OK) {
        return SG_OK;
    }
    if (index->unwatched && is_current_by_time(index)) {
        return SG_OK;
    }
    return read_again(index);
}

/* --- looking up ------------------------------------------------------------------------------- */

/* A zone's entries, one after the other; NULL after the last. `entry` NULL: the first. */
static struct index_entry *next_of_zone(const struct keystore_index *index, const char *zone,
                                        struct index_entry *entry)
{
    size_t length = strlen(zone);
    entry = entry == NULL ? *bucket_of(index, zone, length) : entry->next;
    while (entry != NULL &&
           (entry->base_length != length + TAIL || strncmp(entry->name, zone, length) != 0)) {
        entry = entry->next;
    }
    return entry;
}

static struct index_entry *staged_for(const struct keystore_index *index, const char *zone,
                                      const struct index_entry *key)
{
    struct index_entry *entry = NULL;
    do {
        entry = next_of_zone(index, zone, entry);
    } while (entry != NULL && (entry->files != FILE_STAGED ||
                               strncmp(entry->name, key->name, key->base_length) != 0));
    return entry;
}

static bool lacks_private(const struct index_entry *entry, enum key_file but_has)
{
    return (entry->files & FILE_STAGED) == 0 && (entry->files & but_has) != 0 &&
           (entry->files & FILE_PRIVATE) == 0;
}

/*
 * A batch was cut off between the names of a new key's .state and .private: all its bytes are on
 * the disk, and the key is as good as made. Only the private half has still to get its name, and
 * gets it once more where a power cut takes it back.
 */
static void complete_key(struct keystore_index *index, const char *zone, struct index_entry *key)
{
    struct index_entry *staged = staged_for(index, zone, key);
    if (staged == NULL) {
        return;
    }
    char *from = mem_format("%s/%s", index->folder, staged->name);
    char *to = mem_format("%s/%s.private", index->folder, key->name);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        key->files |= FILE_PRIVATE;
        char *name = mem_copy_text(staged->name);
        remove_file(index, name);
        mem_free(name);
    }
    mem_free(to);
    mem_free(from);
}

/* "K<zone>", whose keys that were cut off are whole; the caller frees. */
static char *open_zone(struct keystore_index *index, const struct dns_name *apex)
{
    char *zone = zone_part(apex);
    for (struct index_entry *entry = NULL; (entry = next_of_zone(index, zone, entry)) != NULL;) {
        if (lacks_private(entry, FILE_STATE)) {
            complete_key(index, zone, entry);
        }
    }
    return zone;
}

const char *keystore_index_orphan(struct keystore_index *index, const struct dns_name *apex)
{
    const char *found = NULL;
    char *zone = open_zone(index, apex);
    for (struct index_entry *entry = NULL; (entry = next_of_zone(index, zone, entry)) != NULL;) {
        if (lacks_private(entry, FILE_STATE) && (found == NULL || strcmp(entry->name, found) < 0)) {
            found = entry->name;
        }
    }
    mem_free(zone);
    return found;
}

static enum sg_result append_key(struct keystore_index *index, struct index_entry *entry,
                                 const struct keystore_reporter *reporter, struct key_list *list)
{
    const struct keystore_proof proof = {index->hash_key, &entry->proven};
    struct signing_key *key;
    if (keystore_read_listed(reporter, index->folder, entry->name, &proof, &key) != SG_OK) {
        return SG_BAD_KEY;
    }
    list->keys = mem_resize_array(list->keys, list->count + 1, sizeof(*list->keys));
    list->keys[list->count++] = key;
    return SG_OK;
}

enum sg_result keystore_index_list(struct keystore_index *index, const struct dns_name *apex,
                                   keystore_report *report, void *argument,
                                   struct key_list *out_list)
{
    const struct keystore_reporter reporter = {report, argument};
    struct key_list list = {NULL, 0};
    enum sg_result result = SG_OK;
    char *zone = open_zone(index, apex);
    for (struct index_entry *entry = NULL; (entry = next_of_zone(index, zone, entry)) != NULL;) {
        if ((entry->files & FILE_PRIVATE) != 0 &&
            append_key(index, entry, &reporter, &list) != SG_OK) {
            result = SG_BAD_KEY;
        }
    }
    mem_free(zone);
    keystore_sort(&list);
    *out_list = list;
    return result;
}

/* The times of a half are in its .key file alone. */
static enum sg_result read_times(const struct keystore_index *index,
                                 const struct keystore_reporter *reporter,
                                 const struct key_list *list)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < list->count && result == SG_OK; i++) {
        char *name = signing_key_file_name(list->keys[i]);
        char *base = mem_format("%s/%s", index->folder, name);
        result =
            keystore_read_part(reporter, base, "key", keyfile_public_read_times, list->keys[i]);
        mem_free(base);
        mem_free(name);
    }
    return result;
}

enum sg_result keystore_index_halves(struct keystore_index *index, const struct dns_name *apex,
                                     keystore_report *report, void *argument,
                                     struct key_list *out_list)
{
    const struct keystore_reporter reporter = {report, argument};
    struct key_list list = {NULL, 0};
    enum sg_result result = SG_OK;
    char *zone = open_zone(index, apex);
    for (struct index_entry *entry = NULL; (entry = next_of_zone(index, zone, entry)) != NULL;) {
        /* Those that a batch was cut off behind are no keys yet. */
        if (lacks_private(entry, FILE_PUBLIC) && staged_for(index, zone, entry) == NULL &&
            append_key(index, entry, &reporter, &list) != SG_OK) {
            result = SG_BAD_KEY;
        }
    }
    mem_free(zone);
    keystore_sort(&list);
    if (result == SG_OK) {
        result = read_times(index, &reporter, &list);
    }
    *out_list = list;
    return result;
}
