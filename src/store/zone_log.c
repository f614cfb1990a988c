#include "store/zone_log.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"

enum { KEY_BYTES = STORE_LOG_KEY_BYTES, TABLES_FORMAT = 1 };
static const char format_key[] = "format";
static const char next_zone_key[] = "next-zone";

struct log_key {
    uint8_t bytes[KEY_BYTES];
};

static struct log_key key_of(uint64_t zone, uint64_t number)
{
    struct log_key key;
    store_put_u64(key.bytes, zone);
    store_put_u64(key.bytes + 8, number);
    return key;
}

static struct span key_span(const struct log_key *key)
{
    return (struct span){key->bytes, KEY_BYTES};
}

struct finding {
    uint64_t zone;
    bool found;
    uint64_t number;
};

static bool see_first(void *argument, struct span key, struct span value)
{
    struct finding *finding = argument;
    (void)value;
    finding->found = key.length == KEY_BYTES && store_get_u64(key.bytes) == finding->zone;
    finding->number = finding->found ? store_get_u64(key.bytes + 8) : 0;
    return false;
}

/* The first number at or after `from` that a table has of a zone. SG_OK also when there is none. */
static enum sg_result find_first(const struct store_io *io, enum store_table table, uint64_t zone,
                                 uint64_t from, struct finding *out_finding)
{
    struct finding finding = {.zone = zone};
    struct log_key key = key_of(zone, from);
    enum sg_result result = io->scan(io->argument, table, key_span(&key), see_first, &finding);
    if (result == SG_OK) {
        *out_finding = finding;
    }
    return result;
}

/* ---- open ---- */

struct records {
    struct store_zone *zone;
    enum sg_result result;
    char **problem;
};

static bool refuse(struct records *records, enum sg_result result, const char *what,
                   uint64_t number)
{
    records->result = result;
    *records->problem =
        mem_format("%s of commit %" PRIu64 ": %s", what, number, sg_result_text(result));
    return false;
}

static void drop_records(struct store_zone *zone)
{
    for (size_t i = 0; i < zone->records_count; i++) {
        buffer_free(&zone->records[i]);
    }
    zone->records_count = 0;
}

static void keep_record(struct store_zone *zone, uint64_t number, struct span bytes)
{
    size_t count = zone->records_count;
    if ((count & (count - 1)) == 0) { /* full at each power of two */
        zone->records =
            mem_resize_array(zone->records, count == 0 ? 1 : count * 2, sizeof(*zone->records));
    }
    zone->records_first = count == 0 ? number : zone->records_first;
    zone->records[count] = BUFFER_EMPTY;
    buffer_append(&zone->records[count], bytes.bytes, bytes.length);
    zone->records_count++;
    zone->last = number;
}

static void take_state(struct store_zone *zone, const struct store_commit_record *record)
{
    buffer_clear(&zone->state);
    buffer_append(&zone->state, record->state.bytes, record->state.length);
    zone->committed_at = record->at;
    zone->serial = record->serial;
    zone->source_serial = record->source_serial;
}

/* One record, in order. What lies below the image is for IXFR alone: damage there costs history. */
static bool see_record(void *argument, struct span key, struct span value)
{
    struct records *records = argument;
    struct store_zone *zone = records->zone;
    struct store_commit_record record;
    if (key.length != KEY_BYTES || store_get_u64(key.bytes) != zone->zone) {
        return false;
    }
    uint64_t number = store_get_u64(key.bytes + 8);
    enum sg_result result = store_commit_decode(value, &record);
    bool has_gap = zone->records_count > 0 && number != zone->last + 1;
    if (result == SG_OK && record.number != number) {
        result = SG_MALFORMED;
    }
    if (zone->has_image && number < zone->image_number && (result != SG_OK || has_gap)) {
        log_write(LOG_GENERAL, SEVERITY_WARNING,
                  "store: commit %" PRIu64 " of zone %" PRIu64
                  " is damaged: the history for IXFR begins after it",
                  number, zone->zone);
        drop_records(zone);
        if (result != SG_OK) {
            return true;
        }
        has_gap = false;
    }
    if (result != SG_OK) {
        return refuse(records, result, "record", number);
    }
    if (has_gap) {
        return refuse(records, SG_NOT_FOUND, "record", zone->last + 1);
    }
    keep_record(zone, number, value);
    take_state(zone, &record);
    return true;
}

static bool see_image(void *argument, struct span key, struct span value)
{
    struct records *records = argument;
    struct store_zone *zone = records->zone;
    struct span image;
    if (key.length != KEY_BYTES || store_get_u64(key.bytes) != zone->zone) {
        return false;
    }
    uint64_t number = store_get_u64(key.bytes + 8);
    enum sg_result result = store_manifest_decode(value, &image);
    if (result != SG_OK) {
        return refuse(records, result, "image", number);
    }
    zone->has_image = true;
    zone->image_number = number;
    buffer_clear(&zone->image);
    buffer_append(&zone->image, image.bytes, image.length);
    return true;
}

/* The rules (1) to (3). */
static void check_whole(struct records *records)
{
    const struct store_zone *zone = records->zone;
    if (zone->has_image && (zone->records_count == 0 || zone->records_first > zone->image_number ||
                            zone->last < zone->image_number)) {
        (void)refuse(records, SG_NOT_FOUND, "record", zone->image_number);
    } else if (!zone->has_image && zone->records_count > 0 && zone->records_first != 1) {
        (void)refuse(records, SG_NOT_FOUND, "record", 1);
    }
}

static enum sg_result read_zone(const struct store_io *io, struct records *records)
{
    struct log_key from = key_of(records->zone->zone, 0);
    enum sg_result result =
        io->scan(io->argument, STORE_IMAGES, key_span(&from), see_image, records);
    if (result == SG_OK && records->result == SG_OK) {
        result = io->scan(io->argument, STORE_COMMITS, key_span(&from), see_record, records);
    }
    if (result == SG_OK && records->result == SG_OK) {
        check_whole(records);
    }
    if (result == SG_OK) {
        /* What is missing is damage all the same. */
        result = records->result == SG_NOT_FOUND ? SG_MALFORMED : records->result;
    }
    return result;
}

/* An id is never given twice, also not after its zone was forgotten: old image files carry it. */
static enum sg_result new_zone_id(struct store_transaction *transaction, struct span identity,
                                  uint64_t *out_zone)
{
    uint64_t zone;
    uint8_t bytes[8];
    enum sg_result result = store_meta_get(transaction->io, next_zone_key, &zone);
    if (result == SG_NOT_FOUND) {
        zone = 1;
    } else if (result != SG_OK) {
        return result;
    }
    store_put_u64(bytes, zone);
    result = store_transaction_put(transaction, STORE_ZONES, identity,
                                   (struct span){bytes, sizeof(bytes)});
    if (result == SG_OK) {
        result = store_meta_put(transaction, next_zone_key, zone + 1);
    }
    if (result == SG_OK) {
        *out_zone = zone;
    }
    return result;
}

static enum sg_result find_zone_id(const struct store_io *io, struct span identity,
                                   uint64_t *out_zone)
{
    struct span value;
    enum sg_result result = io->get(io->argument, STORE_ZONES, identity, &value);
    if (result != SG_OK) {
        return result;
    }
    if (value.length != 8) {
        return SG_MALFORMED;
    }
    *out_zone = store_get_u64(value.bytes);
    return SG_OK;
}

/* Of a damaged zone: how far its numbers go, and the last serial and state that can be read. */
static bool see_remnant(void *argument, struct span key, struct span value)
{
    struct store_zone *zone = argument;
    struct store_commit_record record;
    if (key.length != KEY_BYTES || store_get_u64(key.bytes) != zone->zone) {
        return false;
    }
    zone->last = store_get_u64(key.bytes + 8);
    if (store_commit_decode(value, &record) == SG_OK) {
        zone->serial = record.serial;
        buffer_clear(&zone->state);
        buffer_append(&zone->state, record.state.bytes, record.state.length);
    }
    return true;
}

static enum sg_result read_remnant(const struct store_io *io, uint64_t id,
                                   struct store_zone **out_zone)
{
    struct store_zone *zone = mem_alloc_zero(1, sizeof(*zone));
    struct log_key from = key_of(id, 0);
    zone->zone = id;
    enum sg_result result =
        io->scan(io->argument, STORE_COMMITS, key_span(&from), see_remnant, zone);
    if (result != SG_OK) {
        store_zone_free(zone);
        return result;
    }
    *out_zone = zone;
    return SG_OK;
}

enum sg_result zone_log_open(struct store_transaction *transaction, struct span identity,
                             bool only_known, struct store_zone **out_zone, char **out_problem)
{
    uint64_t id;
    if (identity.length == 0 || identity.length > STORE_KEY_BYTES_MAX) {
        *out_problem =
            mem_format("the zone's view and name are longer than %d bytes", STORE_KEY_BYTES_MAX);
        return SG_LIMIT;
    }
    enum sg_result result = find_zone_id(transaction->io, identity, &id);
    if (result == SG_NOT_FOUND && only_known) {
        return result;
    }
    if (result == SG_NOT_FOUND) {
        result = new_zone_id(transaction, identity, &id);
    }
    if (result != SG_OK) {
        if (transaction->failed == SG_OK) {
            *out_problem = mem_format("zone id: %s", sg_result_text(result));
        }
        return result;
    }
    struct store_zone *zone = mem_alloc_zero(1, sizeof(*zone));
    zone->zone = id;
    struct records records = {.zone = zone, .problem = out_problem};
    result = read_zone(transaction->io, &records);
    if (result != SG_OK) {
        if (*out_problem == NULL) {
            *out_problem = mem_format("the tables: %s", sg_result_text(result));
        }
        log_write(LOG_GENERAL, SEVERITY_ERROR, "store: zone %" PRIu64 " cannot be restored: %s", id,
                  *out_problem);
        store_zone_free(zone);
        if (result == SG_MALFORMED) {
            enum sg_result scanned = read_remnant(transaction->io, id, out_zone);
            result = scanned != SG_OK ? scanned : result;
        }
        return result;
    }
    *out_zone = zone;
    return SG_OK;
}

void store_zone_free(struct store_zone *zone)
{
    if (zone != NULL) {
        drop_records(zone);
        mem_free(zone->records);
        buffer_wipe(&zone->state); /* opaque: whatever the keeper holds dear */
        buffer_free(&zone->image);
        mem_free(zone);
    }
}

/* ---- append ---- */

static enum sg_result check_next(const struct store_io *io, uint64_t zone, uint64_t number)
{
    struct finding later = {0};
    enum sg_result result = find_first(io, STORE_COMMITS, zone, number, &later);
    if (result != SG_OK) {
        return result;
    }
    if (number == 0 || later.found) {
        return SG_CONFLICT;
    }
    if (number == 1) {
        struct finding any = {0};
        result = find_first(io, STORE_COMMITS, zone, 0, &any);
        return result == SG_OK && any.found ? SG_CONFLICT : result;
    }
    struct span before;
    struct log_key key = key_of(zone, number - 1);
    result = io->get(io->argument, STORE_COMMITS, key_span(&key), &before);
    return result == SG_NOT_FOUND ? SG_CONFLICT : result;
}

static enum sg_result check_image(const struct store_io *io, uint64_t zone, uint64_t number,
                                  struct span image)
{
    struct store_image *file;
    if (image.length > 0) {
        return image.length > STORE_IMAGE_INLINE_BYTES_MAX ? SG_LIMIT : SG_OK;
    }
    enum sg_result result = io->image_open(io->argument, zone, number, &file);
    if (result == SG_OK) {
        io->image_close(file);
    }
    return result;
}

/* What is there from `first` on and below `end`: looked for, never counted through, since numbers
 * that a damaged table shows may lie far apart. */
static enum sg_result remove_range(struct store_transaction *transaction, enum store_table table,
                                   uint64_t zone, uint64_t first, uint64_t end)
{
    for (;;) {
        struct finding next = {0};
        enum sg_result result = find_first(transaction->io, table, zone, first, &next);
        if (result != SG_OK || !next.found || next.number >= end) {
            return result;
        }
        struct log_key key = key_of(zone, next.number);
        result = store_transaction_remove(transaction, table, key_span(&key));
        if (result != SG_OK) {
            return result;
        }
        first = next.number; /* gone: the next one is found from here */
    }
}

static enum sg_result put_image(struct store_transaction *transaction, uint64_t zone,
                                uint64_t number, struct span image)
{
    struct log_key key = key_of(zone, number);
    struct buffer manifest = BUFFER_EMPTY;
    store_manifest_encode(image.length > 0 ? image : (struct span){NULL, 0}, &manifest);
    enum sg_result result =
        store_transaction_put(transaction, STORE_IMAGES, key_span(&key), buffer_span(&manifest));
    buffer_free(&manifest);
    return result;
}

/* The image makes way for the new one. */
static enum sg_result replace_image(struct store_transaction *transaction, uint64_t zone,
                                    uint64_t number, struct span image,
                                    struct zone_log_image *out_gone)
{
    struct finding old = {0};
    enum sg_result result = find_first(transaction->io, STORE_IMAGES, zone, 0, &old);
    if (result == SG_OK && old.found) {
        result = remove_range(transaction, STORE_IMAGES, zone, old.number, old.number + 1);
    }
    if (result == SG_OK) {
        result = put_image(transaction, zone, number, image);
    }
    if (result == SG_OK) {
        *out_gone = (struct zone_log_image){zone, old.number};
    }
    return result;
}

/* Behind a break the records before are of use to nobody. */
static enum sg_result drop_before(struct store_transaction *transaction, uint64_t zone,
                                  uint64_t number)
{
    struct finding records = {0};
    enum sg_result result = find_first(transaction->io, STORE_COMMITS, zone, 0, &records);
    if (result == SG_OK && records.found) {
        result = remove_range(transaction, STORE_COMMITS, zone, records.number, number);
    }
    return result;
}

bool zone_log_may_name_image(const struct store_io *io, uint64_t zone, uint64_t number)
{
    struct log_key key = key_of(zone, number);
    struct span manifest;
    return io->get(io->argument, STORE_IMAGES, key_span(&key), &manifest) != SG_NOT_FOUND;
}

enum sg_result zone_log_put_image(struct store_transaction *transaction, uint64_t zone,
                                  uint64_t number, struct span image,
                                  struct zone_log_image *out_gone)
{
    const struct store_io *io = transaction->io;
    struct log_key key = key_of(zone, number);
    struct finding old = {0};
    struct span record;
    enum sg_result result = find_first(io, STORE_IMAGES, zone, 0, &old);
    if (result == SG_OK && old.found && old.number >= number) {
        result = SG_CONFLICT; /* A commit brought a newer one meanwhile. */
    }
    if (result == SG_OK) {
        result = io->get(io->argument, STORE_COMMITS, key_span(&key), &record);
    }
    if (result == SG_OK) {
        result = check_image(io, zone, number, image);
    }
    if (result == SG_OK) {
        result = replace_image(transaction, zone, number, image, out_gone);
    }
    return result;
}

enum sg_result zone_log_append(struct store_transaction *transaction, uint64_t zone,
                               const struct store_commit_record *record, struct span image,
                               struct zone_log_image *out_gone)
{
    struct zone_log_image gone = {0};
    if (record->state.length >= STORE_COMMIT_BYTES_MAX ||
        record->changeset.length >= STORE_COMMIT_BYTES_MAX - record->state.length) {
        return SG_LIMIT;
    }
    enum sg_result result = check_next(transaction->io, zone, record->number);
    bool has_image = (record->flags & STORE_COMMIT_IMAGE) != 0;
    if (result == SG_OK && has_image) {
        result = check_image(transaction->io, zone, record->number, image);
    }
    if (result == SG_OK && has_image && (record->flags & STORE_COMMIT_BREAKS) != 0) {
        result = drop_before(transaction, zone, record->number);
    }
    if (result == SG_OK && has_image) {
        result = replace_image(transaction, zone, record->number, image, &gone);
    }
    if (result != SG_OK) {
        return result;
    }
    struct log_key key = key_of(zone, record->number);
    struct buffer bytes = BUFFER_EMPTY;
    store_commit_encode(record, &bytes);
    result = store_transaction_put(transaction, STORE_COMMITS, key_span(&key), buffer_span(&bytes));
    buffer_free(&bytes);
    if (result == SG_OK) {
        *out_gone = gone;
    }
    return result;
}

/* ---- trim, forget ---- */

enum sg_result zone_log_trim(struct store_transaction *transaction, uint64_t zone, uint64_t number)
{
    struct finding image = {0};
    struct finding records = {0};
    enum sg_result result = find_first(transaction->io, STORE_IMAGES, zone, 0, &image);
    if (result == SG_OK) {
        result = find_first(transaction->io, STORE_COMMITS, zone, 0, &records);
    }
    if (result != SG_OK || !image.found || !records.found) {
        return result;
    }
    uint64_t end = number < image.number ? number : image.number;
    return remove_range(transaction, STORE_COMMITS, zone, records.number, end);
}

enum sg_result zone_log_forget(struct store_transaction *transaction, uint64_t zone,
                               struct span identity, struct zone_log_image *out_gone)
{
    const struct store_io *io = transaction->io;
    struct finding image = {0};
    uint64_t id;
    if (identity.length == 0 || identity.length > STORE_KEY_BYTES_MAX) {
        return SG_LIMIT;
    }
    enum sg_result result = find_zone_id(io, identity, &id);
    if (result != SG_OK) {
        return result == SG_NOT_FOUND ? SG_OK : result;
    }
    if (zone != 0 && id != zone) {
        return SG_CONFLICT;
    }
    result = find_first(io, STORE_IMAGES, id, 0, &image);
    if (result == SG_OK) {
        result = store_transaction_remove(transaction, STORE_ZONES, identity);
    }
    if (result == SG_OK) {
        result = remove_range(transaction, STORE_IMAGES, id, 0, UINT64_MAX);
    }
    if (result == SG_OK) {
        result = remove_range(transaction, STORE_COMMITS, id, 0, UINT64_MAX);
    }
    if (result == SG_OK) {
        *out_gone = (struct zone_log_image){id, image.number};
    }
    return result;
}

enum sg_result zone_log_check_format(struct store_transaction *transaction)
{
    uint64_t format;
    enum sg_result result = store_meta_get(transaction->io, format_key, &format);
    if (result == SG_NOT_FOUND) {
        return store_meta_put(transaction, format_key, TABLES_FORMAT);
    }
    if (result == SG_OK && format != TABLES_FORMAT) {
        return SG_UNSUPPORTED;
    }
    return result;
}
