#include "store/commit.h"

#include "base/assert.h"
#include "base/siphash.h"

enum {
    COMMIT_MAGIC = 0x53674331,   /* "SgC1" */
    MANIFEST_MAGIC = 0x53674931, /* "SgI1" */
    FORMAT = 1,
    CHECKED_FROM = 16, /* magic, format and the checksum itself come before */
};
enum manifest_kind { MANIFEST_INLINE = 1, MANIFEST_FILE = 2 };

/* A checksum against decay, not a seal against people: the key may be known. */
static const uint8_t checksum_key[16] = "signet's commit";

static uint64_t checksum(const uint8_t *record, size_t length)
{
    return siphash(checksum_key, record + CHECKED_FROM, length - CHECKED_FROM);
}

static void append_u64(struct buffer *buffer, uint64_t value)
{
    buffer_append_u32(buffer, (uint32_t)(value >> 32));
    buffer_append_u32(buffer, (uint32_t)value);
}

static uint64_t read_u64(struct reader *reader)
{
    uint64_t high = reader_u32(reader);
    return high << 32 | reader_u32(reader);
}

static size_t begin(struct buffer *bytes, uint32_t magic)
{
    size_t start = bytes->length;
    buffer_append_u32(bytes, magic);
    buffer_append_u32(bytes, FORMAT);
    append_u64(bytes, 0); /* the checksum, see seal() */
    return start;
}

static void seal(struct buffer *bytes, size_t start)
{
    uint8_t *record = bytes->bytes + start;
    store_put_u64(record + 8, checksum(record, bytes->length - start));
}

/* The reader stands behind the checksum afterwards. */
static enum sg_result open_sealed(struct span bytes, uint32_t magic, struct reader *out_reader)
{
    struct reader reader = reader_of(bytes);
    uint32_t magic_there = reader_u32(&reader);
    uint32_t format = reader_u32(&reader);
    uint64_t sum = read_u64(&reader);
    if (reader.failed || magic_there != magic) {
        return SG_MALFORMED;
    }
    if (format != FORMAT) {
        return SG_UNSUPPORTED;
    }
    if (sum != checksum(bytes.bytes, bytes.length)) {
        return SG_MALFORMED;
    }
    *out_reader = reader;
    return SG_OK;
}

void store_commit_encode(const struct store_commit_record *record, struct buffer *out_bytes)
{
    ASSERT((record->flags & ~(unsigned)STORE_COMMIT_FLAGS) == 0 && record->number != 0);
    ASSERT(record->state.length < STORE_COMMIT_BYTES_MAX);
    buffer_reserve(out_bytes,
                   STORE_COMMIT_HEADER_BYTES + record->state.length + record->changeset.length);
    size_t start = begin(out_bytes, COMMIT_MAGIC);
    append_u64(out_bytes, record->number);
    append_u64(out_bytes, (uint64_t)record->at);
    buffer_append_u32(out_bytes, record->flags);
    buffer_append_u32(out_bytes, record->serial);
    buffer_append_u32(out_bytes, record->source_serial);
    buffer_append_u32(out_bytes, (uint32_t)record->state.length);
    buffer_append(out_bytes, record->state.bytes, record->state.length);
    buffer_append(out_bytes, record->changeset.bytes, record->changeset.length);
    seal(out_bytes, start);
}

enum sg_result store_commit_decode(struct span bytes, struct store_commit_record *out_record)
{
    struct reader reader = {0};
    enum sg_result result = open_sealed(bytes, COMMIT_MAGIC, &reader);
    if (result != SG_OK) {
        return result;
    }
    struct store_commit_record record = {.number = read_u64(&reader)};
    record.at = (sg_time)read_u64(&reader);
    record.flags = reader_u32(&reader);
    record.serial = reader_u32(&reader);
    record.source_serial = reader_u32(&reader);
    record.state = reader_span(&reader, reader_u32(&reader));
    record.changeset = reader_span(&reader, reader_left(&reader));
    if (reader.failed || record.number == 0 ||
        (record.flags & ~(unsigned)STORE_COMMIT_FLAGS) != 0) {
        return SG_MALFORMED;
    }
    *out_record = record;
    return SG_OK;
}

void store_manifest_encode(struct span image, struct buffer *out_bytes)
{
    buffer_reserve(out_bytes, STORE_MANIFEST_FILE_BYTES + image.length);
    size_t start = begin(out_bytes, MANIFEST_MAGIC);
    buffer_append_u32(out_bytes, image.bytes != NULL ? MANIFEST_INLINE : MANIFEST_FILE);
    buffer_append(out_bytes, image.bytes, image.length);
    seal(out_bytes, start);
}

enum sg_result store_manifest_decode(struct span bytes, struct span *out_image)
{
    struct reader reader = {0};
    enum sg_result result = open_sealed(bytes, MANIFEST_MAGIC, &reader);
    if (result != SG_OK) {
        return result;
    }
    uint32_t kind = reader_u32(&reader);
    struct span image = reader_span(&reader, reader_left(&reader));
    bool is_file = kind == MANIFEST_FILE && image.length == 0;
    if (reader.failed || (!is_file && (kind != MANIFEST_INLINE || image.length == 0))) {
        return SG_MALFORMED;
    }
    *out_image = is_file ? (struct span){NULL, 0} : image;
    return SG_OK;
}
