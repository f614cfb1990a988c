#include "support/fake_disk.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "support/fake_table.h"

/* How to take back a write of the transaction in progress. */
struct undo {
    enum store_table table;
    bool was_there;
    struct fake_entry before;
};

struct image {
    uint64_t zone, commit;
    struct buffer bytes;
};

struct fake_disk {
    struct fake_table tables[STORE_TABLES];
    struct undo *undos;
    size_t undos_count, undos_capacity;
    struct image *images;
    size_t images_count;
    bool in_transaction, is_open;
    struct undo *ghost; /* what a commit that haunts would write */
    size_t ghost_count;
    bool is_in_doubt; /* until it is opened again */
    bool is_without_power;
    bool refuses_reopen;
    struct fake_disk_fault fault;
    void (*see)(void *argument, bool lasts); /* each write; NULL: nobody looks */
    void *see_argument;
    uint64_t writes, commits;
    size_t largest;
    char *folder; /* of a copy */
    struct fake_disk *next_copy;
};

struct store_image {
    struct fake_disk *disk;
    uint64_t zone, commit;
    struct buffer bytes; /* written, or a copy of what is read */
    size_t at;
    enum sg_result failed;
};

/* ---- the transaction ---- */

static void remember(struct fake_disk *disk, enum store_table name, struct span key)
{
    const struct fake_table *table = &disk->tables[name];
    size_t at = fake_table_find(table, key);
    struct undo undo = {.table = name, .was_there = fake_table_has(table, at, key)};
    fake_buffer_set(&undo.before.key, key);
    if (undo.was_there) {
        fake_buffer_set(&undo.before.value, buffer_span(&table->entries[at].value));
    }
    if (disk->undos_count == disk->undos_capacity) {
        disk->undos_capacity = disk->undos_capacity * 2 + 16;
        disk->undos = mem_resize_array(disk->undos, disk->undos_capacity, sizeof(*disk->undos));
    }
    disk->undos[disk->undos_count++] = undo;
}

static void end(struct fake_disk *disk, bool take_back)
{
    while (disk->undos_count > 0) {
        struct undo *undo = &disk->undos[--disk->undos_count];
        struct span key = buffer_span(&undo->before.key);
        if (take_back && undo->was_there) {
            fake_table_put(&disk->tables[undo->table], key, buffer_span(&undo->before.value));
        } else if (take_back) {
            fake_table_remove(&disk->tables[undo->table], key);
        }
        fake_entry_free(&undo->before);
    }
    disk->in_transaction = false;
}

/* What the transaction has written, as the disk has it: a power loss shows it. */
static void keep_ghost(struct fake_disk *disk)
{
    disk->ghost = mem_alloc_zero(disk->undos_count, sizeof(*disk->ghost));
    disk->ghost_count = disk->undos_count;
    for (size_t i = 0; i < disk->ghost_count; i++) {
        struct undo *ghost = &disk->ghost[i];
        struct span key = buffer_span(&disk->undos[i].before.key);
        const struct fake_table *table = &disk->tables[disk->undos[i].table];
        size_t at = fake_table_find(table, key);
        *ghost = (struct undo){disk->undos[i].table, fake_table_has(table, at, key), {{0}, {0}}};
        fake_buffer_set(&ghost->before.key, key);
        if (ghost->was_there) {
            fake_buffer_set(&ghost->before.value, buffer_span(&table->entries[at].value));
        }
    }
}

static void end_ghost(struct fake_disk *disk, bool appears)
{
    for (size_t i = 0; i < disk->ghost_count; i++) {
        struct undo *ghost = &disk->ghost[i];
        struct fake_table *table = &disk->tables[ghost->table];
        if (appears && ghost->was_there) {
            fake_table_put(table, buffer_span(&ghost->before.key),
                           buffer_span(&ghost->before.value));
        } else if (appears) {
            fake_table_remove(table, buffer_span(&ghost->before.key));
        }
        fake_entry_free(&ghost->before);
    }
    mem_free(disk->ghost);
    disk->ghost = NULL;
    disk->ghost_count = 0;
}

static bool works(const struct fake_disk *disk)
{
    return !disk->is_without_power && !disk->is_in_doubt;
}

/* Count a write: does it fail, and how? */
static enum sg_result write_fails(struct fake_disk *disk, bool lasts)
{
    disk->writes++;
    if (!works(disk)) {
        return SG_IO;
    }
    if (disk->see != NULL) {
        disk->see(disk->see_argument, lasts);
    }
    struct fake_disk_fault *fault = &disk->fault;
    if (fault->at == 0 || (fault->at > 1 && fault->at--)) {
        return SG_OK;
    }
    fault->at = fault->goes_on ? 1 : 0;
    disk->is_without_power = fault->loses_power;
    return fault->loses_power ? SG_IO : fault->result;
}

static enum sg_result fail_write(struct fake_disk *disk)
{
    enum sg_result result = write_fails(disk, false);
    if (result == SG_IN_DOUBT) {
        result = SG_IO;
    }
    if (result != SG_OK) {
        end(disk, true);
    }
    return result;
}

static enum sg_result disk_begin(void *argument)
{
    struct fake_disk *disk = argument;
    ASSERT(!disk->in_transaction);
    if (!works(disk)) {
        return SG_IO;
    }
    disk->in_transaction = true;
    return SG_OK;
}

static enum sg_result disk_put(void *argument, enum store_table table, struct span key,
                               struct span value)
{
    struct fake_disk *disk = argument;
    ASSERT(disk->in_transaction && key.length > 0 && key.length <= STORE_KEY_BYTES_MAX);
    enum sg_result result = fail_write(disk);
    if (result == SG_OK) {
        remember(disk, table, key);
        fake_table_put(&disk->tables[table], key, value);
        disk->largest = value.length > disk->largest ? value.length : disk->largest;
    }
    return result;
}

static enum sg_result disk_remove(void *argument, enum store_table table, struct span key)
{
    struct fake_disk *disk = argument;
    ASSERT(disk->in_transaction && key.length > 0 && key.length <= STORE_KEY_BYTES_MAX);
    enum sg_result result = fail_write(disk);
    if (result == SG_OK) {
        remember(disk, table, key);
        fake_table_remove(&disk->tables[table], key);
    }
    return result;
}

static enum sg_result disk_commit(void *argument)
{
    struct fake_disk *disk = argument;
    ASSERT(disk->in_transaction);
    enum sg_result result = write_fails(disk, true);
    bool counts = result == SG_OK;
    if (result == SG_IN_DOUBT || (disk->is_without_power && result != SG_OK)) {
        counts = disk->fault.counts;
        disk->is_in_doubt = !disk->is_without_power;
        if (disk->is_in_doubt && disk->fault.haunts) {
            end_ghost(disk, false);
            keep_ghost(disk);
            counts = false;
        }
    }
    if (result == SG_OK) {
        disk->commits++;
        end_ghost(disk, false); /* This one has taken its place. */
    }
    end(disk, !counts);
    return result;
}

static void disk_abort(void *argument)
{
    end(argument, true);
}

static enum sg_result disk_get(void *argument, enum store_table table, struct span key,
                               struct span *out_value)
{
    struct fake_disk *disk = argument;
    size_t at = fake_table_find(&disk->tables[table], key);
    if (!works(disk)) {
        return SG_IO;
    }
    if (!fake_table_has(&disk->tables[table], at, key)) {
        return SG_NOT_FOUND;
    }
    *out_value = buffer_span(&disk->tables[table].entries[at].value);
    return SG_OK;
}

static enum sg_result disk_scan(void *argument, enum store_table table, struct span from,
                                bool (*see)(void *see_argument, struct span key, struct span value),
                                void *see_argument)
{
    struct fake_disk *disk = argument;
    const struct fake_table *rows = &disk->tables[table];
    if (!works(disk)) {
        return SG_IO;
    }
    for (size_t at = fake_table_find(rows, from); at < rows->count; at++) {
        const struct fake_entry *entry = &rows->entries[at];
        if (!see(see_argument, buffer_span(&entry->key), buffer_span(&entry->value))) {
            break;
        }
    }
    return SG_OK;
}

static enum sg_result disk_reopen(void *argument)
{
    struct fake_disk *disk = argument;
    end(disk, true);
    disk->is_in_doubt = disk->refuses_reopen;
    return disk->is_without_power || disk->refuses_reopen ? SG_IO : SG_OK;
}

/* ---- images ---- */

static struct image *find_image(struct fake_disk *disk, uint64_t zone, uint64_t commit)
{
    for (size_t i = 0; i < disk->images_count; i++) {
        if (disk->images[i].zone == zone && disk->images[i].commit == commit) {
            return &disk->images[i];
        }
    }
    return NULL;
}

static struct image *make_image(struct fake_disk *disk, uint64_t zone, uint64_t commit)
{
    struct image *image = find_image(disk, zone, commit);
    if (image == NULL) {
        disk->images =
            mem_resize_array(disk->images, disk->images_count + 1, sizeof(*disk->images));
        image = &disk->images[disk->images_count++];
        *image = (struct image){zone, commit, BUFFER_EMPTY};
    }
    return image;
}

static enum sg_result disk_image_create(void *argument, uint64_t zone, uint64_t commit,
                                        struct store_image **out_image)
{
    struct fake_disk *disk = argument;
    if (disk->is_without_power) {
        return SG_IO;
    }
    struct store_image *image = mem_alloc_zero(1, sizeof(*image));
    *image = (struct store_image){.disk = disk, .zone = zone, .commit = commit};
    *out_image = image;
    return SG_OK;
}

static enum sg_result disk_image_append(struct store_image *image, struct span bytes)
{
    if (image->failed == SG_OK) {
        enum sg_result result = write_fails(image->disk, false);
        image->failed = result == SG_IN_DOUBT ? SG_IO : result;
    }
    if (image->failed == SG_OK) {
        buffer_append(&image->bytes, bytes.bytes, bytes.length);
    }
    return image->failed;
}

static void disk_image_close(struct store_image *image)
{
    if (image != NULL) {
        buffer_free(&image->bytes);
        mem_free(image);
    }
}

static enum sg_result disk_image_finish(struct store_image *image, bool keep)
{
    enum sg_result result = image->failed;
    if (keep && result == SG_OK) {
        result = write_fails(image->disk, true);
        result = result == SG_IN_DOUBT ? SG_IO : result;
    }
    if (keep && result == SG_OK) {
        fake_buffer_set(&make_image(image->disk, image->zone, image->commit)->bytes,
                        buffer_span(&image->bytes));
    }
    disk_image_close(image);
    return keep ? result : SG_OK;
}

static enum sg_result disk_image_open(void *argument, uint64_t zone, uint64_t commit,
                                      struct store_image **out_image)
{
    struct fake_disk *disk = argument;
    const struct image *found = find_image(disk, zone, commit);
    if (disk->is_without_power) {
        return SG_IO;
    }
    if (found == NULL) {
        return SG_NOT_FOUND;
    }
    struct store_image *image = mem_alloc_zero(1, sizeof(*image));
    *image = (struct store_image){.disk = disk, .zone = zone, .commit = commit};
    fake_buffer_set(&image->bytes, buffer_span(&found->bytes));
    *out_image = image;
    return SG_OK;
}

static size_t disk_image_read(struct store_image *image, uint8_t *out_bytes, size_t bytes_max)
{
    size_t left = image->bytes.length - image->at;
    size_t length = left < bytes_max ? left : bytes_max;
    if (length > 0) {
        memcpy(out_bytes, image->bytes.bytes + image->at, length);
        image->at += length;
    }
    return length;
}

static void disk_image_remove(void *argument, uint64_t zone, uint64_t commit)
{
    struct fake_disk *disk = argument;
    struct image *image = find_image(disk, zone, commit);
    if (image != NULL && !disk->is_without_power) {
        buffer_free(&image->bytes);
        *image = disk->images[--disk->images_count];
    }
}

/* ---- life ---- */

static enum sg_result disk_copy(void *argument, const char *folder)
{
    struct fake_disk *disk = argument;
    ASSERT(!disk->in_transaction);
    if (!works(disk)) {
        return SG_IO;
    }
    if (fake_disk_copied(disk, folder) != NULL) {
        return SG_EXISTS;
    }
    struct fake_disk *copy = fake_disk_new();
    for (int table = 0; table < STORE_TABLES; table++) {
        for (size_t i = 0; i < disk->tables[table].count; i++) {
            const struct fake_entry *entry = &disk->tables[table].entries[i];
            fake_table_put(&copy->tables[table], buffer_span(&entry->key),
                           buffer_span(&entry->value));
        }
    }
    for (size_t i = 0; i < disk->images_count; i++) {
        fake_buffer_set(&make_image(copy, disk->images[i].zone, disk->images[i].commit)->bytes,
                        buffer_span(&disk->images[i].bytes));
    }
    copy->folder = mem_copy_text(folder);
    copy->next_copy = disk->next_copy;
    disk->next_copy = copy;
    return SG_OK;
}

static void disk_close(void *argument)
{
    struct fake_disk *disk = argument;
    end(disk, true);
    disk->is_open = false;
}

struct fake_disk *fake_disk_new(void)
{
    return mem_alloc_zero(1, sizeof(struct fake_disk));
}

void fake_disk_free(struct fake_disk *disk)
{
    while (disk != NULL) {
        struct fake_disk *next = disk->next_copy;
        ASSERT(!disk->is_open);
        for (int table = 0; table < STORE_TABLES; table++) {
            for (size_t i = 0; i < disk->tables[table].count; i++) {
                fake_entry_free(&disk->tables[table].entries[i]);
            }
            mem_free(disk->tables[table].entries);
        }
        for (size_t i = 0; i < disk->images_count; i++) {
            buffer_free(&disk->images[i].bytes);
        }
        end_ghost(disk, false);
        mem_free(disk->images);
        mem_free(disk->undos);
        mem_free(disk->folder);
        mem_free(disk);
        disk = next;
    }
}

static void disk_rest(void *argument)
{
    (void)argument;
}

struct store_io fake_disk_io(struct fake_disk *disk)
{
    ASSERT(!disk->is_open);
    disk->is_open = true;
    disk->is_in_doubt = false;
    return (struct store_io){
        .argument = disk,
        .begin = disk_begin,
        .put = disk_put,
        .remove = disk_remove,
        .commit = disk_commit,
        .abort = disk_abort,
        .get = disk_get,
        .scan = disk_scan,
        .rest = disk_rest,
        .reopen = disk_reopen,
        .copy = disk_copy,
        .image_create = disk_image_create,
        .image_append = disk_image_append,
        .image_finish = disk_image_finish,
        .image_open = disk_image_open,
        .image_read = disk_image_read,
        .image_close = disk_image_close,
        .image_remove = disk_image_remove,
        .close = disk_close,
    };
}

void fake_disk_set_fault(struct fake_disk *disk, const struct fake_disk_fault *fault)
{
    disk->fault = *fault;
}

void fake_disk_watch(struct fake_disk *disk, void (*see)(void *argument, bool lasts),
                     void *argument)
{
    disk->see = see;
    disk->see_argument = argument;
}

void fake_disk_cut_power(struct fake_disk *disk)
{
    disk->is_without_power = true;
}

void fake_disk_heal(struct fake_disk *disk)
{
    disk->fault = (struct fake_disk_fault){0};
    disk->refuses_reopen = false;
}

void fake_disk_refuse_reopen(struct fake_disk *disk)
{
    disk->refuses_reopen = true;
}

void fake_disk_crash(struct fake_disk *disk)
{
    end(disk, true);
    end_ghost(disk, true);
    fake_disk_heal(disk);
    disk->is_without_power = false;
}

bool fake_disk_is_without_power(const struct fake_disk *disk)
{
    return disk->is_without_power;
}

uint64_t fake_disk_writes(const struct fake_disk *disk)
{
    return disk->writes;
}

size_t fake_disk_largest(const struct fake_disk *disk)
{
    return disk->largest;
}

uint64_t fake_disk_commits(const struct fake_disk *disk)
{
    return disk->commits;
}

size_t fake_disk_images(const struct fake_disk *disk)
{
    return disk->images_count;
}

size_t fake_disk_count(const struct fake_disk *disk, enum store_table table)
{
    return disk->tables[table].count;
}

void fake_disk_damage(struct fake_disk *disk, enum store_table table, size_t index, size_t byte)
{
    ASSERT(index < disk->tables[table].count);
    const struct buffer *value = &disk->tables[table].entries[index].value;
    ASSERT(byte < value->length);
    value->bytes[byte] ^= 1;
}

struct fake_disk *fake_disk_copied(struct fake_disk *disk, const char *folder)
{
    struct fake_disk *copy = disk->next_copy;
    while (copy != NULL && strcmp(copy->folder, folder) != 0) {
        copy = copy->next_copy;
    }
    return copy;
}

struct fake_disk *fake_disk_take_copied(struct fake_disk *disk, const char *folder)
{
    struct fake_disk **at = &disk->next_copy;
    while (*at != NULL && strcmp((*at)->folder, folder) != 0) {
        at = &(*at)->next_copy;
    }
    struct fake_disk *copy = *at;
    if (copy != NULL) {
        *at = copy->next_copy;
        copy->next_copy = NULL;
    }
    return copy;
}
