#include "keeper/zone_state.h"

#include "base/mem.h"
#include "zone/owner.h"

/* Never given again once a release has written them. */
enum tag {
    TAG_FILE = 1,
    TAG_LOADED_AT = 2,
    TAG_KEYS = 3,
    TAG_FROZEN = 4,
    TAG_CAMPAIGN = 5,
    TAG_TIMERS = 6,
    TAG_CLOCK = 7,
    TAG_STATIC = 8,
    TAG_REFUSED_AT = 9,
    TAG_KEY_FACT = 10, /* one each (zone_facts_bytes.c) */
    TAG_KEY_FACTS = 11,
    TAG_AHEAD = 12,
    TAG_AMBIGUOUS = 13,
    TAG_UNHEARD = 16,
    TAG_WENT_BACK = 17,
    TAG_RESTORE = 18,
    TAG_TOLD = 32,
};

enum { STAMP_BYTES = 32, PATH_BYTES_MAX = 65535 - STAMP_BYTES };

void file_stamps_clear(struct file_stamps *stamps)
{
    for (size_t i = 0; i < stamps->count; i++) {
        mem_free(stamps->files[i].path);
    }
    mem_free(stamps->files);
    *stamps = (struct file_stamps){NULL, 0};
}

void file_stamps_copy(const struct file_stamps *from, struct file_stamps *out_copy)
{
    *out_copy =
        (struct file_stamps){mem_alloc_zero(from->count, sizeof(*from->files)), from->count};
    for (size_t i = 0; i < from->count; i++) {
        out_copy->files[i] = from->files[i];
        out_copy->files[i].path = mem_copy_text(from->files[i].path);
    }
}

void zone_state_clear(struct zone_state *state)
{
    file_stamps_clear(&state->files);
    buffer_free(&state->timers);
    buffer_free(&state->told);
    zone_facts_clear(&state->facts);
    mem_free(state->cursor);
    state->cursor = NULL;
}

struct resign_cursor *zone_state_cursor(struct zone_state *state)
{
    if (state->cursor == NULL) {
        state->cursor = mem_alloc_zero(1, sizeof(*state->cursor));
    }
    return state->cursor;
}

static void append_u64(struct buffer *bytes, uint64_t value)
{
    buffer_append_u32(bytes, (uint32_t)(value >> 32));
    buffer_append_u32(bytes, (uint32_t)value);
}

static uint64_t read_u64(struct reader *reader)
{
    uint64_t high = reader_u32(reader);
    return high << 32 | reader_u32(reader);
}

static void begin_field(struct buffer *bytes, enum tag tag, size_t length)
{
    ASSERT(length <= UINT16_MAX);
    buffer_append_u16(bytes, (uint16_t)tag);
    buffer_append_u16(bytes, (uint16_t)length);
}

static void encode_file(const struct file_stamp *file, struct buffer *bytes)
{
    size_t path_length = strlen(file->path);
    if (path_length > PATH_BYTES_MAX) {
        return; /* no system has such a path; the file would be read again, that is all */
    }
    begin_field(bytes, TAG_FILE, STAMP_BYTES + path_length);
    append_u64(bytes, file->device);
    append_u64(bytes, file->inode);
    append_u64(bytes, file->bytes);
    append_u64(bytes, (uint64_t)file->modified_ns);
    buffer_append(bytes, file->path, path_length);
}

static void encode_facts(const struct zone_facts_of_keys *facts, struct buffer *out_bytes)
{
    struct buffer field = BUFFER_EMPTY;
    for (size_t i = 0; i < facts->count; i++) {
        buffer_clear(&field);
        zone_facts_encode_key(&facts->keys[i], &field);
        begin_field(out_bytes, TAG_KEY_FACT, field.length);
        buffer_append(out_bytes, field.bytes, field.length);
    }
    buffer_clear(&field);
    zone_facts_encode_rest(facts, &field);
    begin_field(out_bytes, TAG_KEY_FACTS, field.length);
    buffer_append(out_bytes, field.bytes, field.length);
    buffer_free(&field);
}

void zone_state_encode(const struct zone_state *state, struct buffer *out_bytes)
{
    for (size_t i = 0; i < state->files.count && i < ZONE_STATE_FILES_MAX; i++) {
        encode_file(&state->files.files[i], out_bytes);
    }
    begin_field(out_bytes, TAG_LOADED_AT, 8);
    append_u64(out_bytes, (uint64_t)state->loaded_at);
    begin_field(out_bytes, TAG_KEYS, 8);
    append_u64(out_bytes, state->keys_fingerprint);
    if (state->refused_at != 0) {
        begin_field(out_bytes, TAG_REFUSED_AT, 8);
        append_u64(out_bytes, (uint64_t)state->refused_at);
    }
    if (state->frozen) {
        begin_field(out_bytes, TAG_FROZEN, 0);
    }
    if (state->ahead_of_file) {
        begin_field(out_bytes, TAG_AHEAD, 0);
    }
    if (state->was_static) {
        begin_field(out_bytes, TAG_STATIC, 0);
    }
    if (state->ambiguous) {
        begin_field(out_bytes, TAG_AMBIGUOUS, 0);
    }
    if (state->unheard_since != 0) {
        begin_field(out_bytes, TAG_UNHEARD, 9);
        append_u64(out_bytes, (uint64_t)state->unheard_since);
        buffer_append_u8(out_bytes, state->unheard_doubted);
    }
    if (state->restore != 0) {
        begin_field(out_bytes, TAG_RESTORE, 8);
        append_u64(out_bytes, state->restore);
    }
    if (state->went_back != 0) {
        begin_field(out_bytes, TAG_WENT_BACK, 4);
        buffer_append_u32(out_bytes, state->went_back);
    }
    if (state->campaign) {
        static const struct resign_cursor beginning = {.started = false};
        const struct resign_cursor *cursor = state->cursor != NULL ? state->cursor : &beginning;
        begin_field(out_bytes, TAG_CAMPAIGN, 2u + cursor->length);
        buffer_append_u8(out_bytes, cursor->started);
        buffer_append_u8(out_bytes, cursor->nsec3);
        buffer_append(out_bytes, cursor->owner, cursor->length);
    }
    begin_field(out_bytes, TAG_CLOCK, 9);
    append_u64(out_bytes, (uint64_t)state->clock_at);
    buffer_append_u8(out_bytes, state->clock_doubted);
    if (state->timers.length > 0) {
        ASSERT(state->timers.length <= UINT16_MAX);
        begin_field(out_bytes, TAG_TIMERS, state->timers.length);
        buffer_append(out_bytes, state->timers.bytes, state->timers.length);
    }
    if (state->told.length > 0) {
        begin_field(out_bytes, TAG_TOLD, state->told.length);
        buffer_append(out_bytes, state->told.bytes, state->told.length);
    }
    if (state->facts.committed) {
        encode_facts(&state->facts, out_bytes);
    }
}

static bool decode_file(struct reader *field, struct zone_state *state)
{
    struct file_stamp stamp = {.device = read_u64(field)};
    stamp.inode = read_u64(field);
    stamp.bytes = read_u64(field);
    stamp.modified_ns = (int64_t)read_u64(field);
    size_t length = reader_left(field);
    struct span path = reader_span(field, length);
    if (field->failed || length == 0 || memchr(path.bytes, 0, length) != NULL ||
        state->files.count == ZONE_STATE_FILES_MAX) {
        return false;
    }
    struct file_stamps *files = &state->files;
    files->files = mem_resize_array(files->files, files->count + 1, sizeof(*files->files));
    stamp.path = mem_alloc_zero(length + 1, 1);
    memcpy(stamp.path, path.bytes, length);
    files->files[files->count++] = stamp;
    return true;
}

static bool decode_campaign(struct reader *field, struct zone_state *state)
{
    struct resign_cursor *cursor = zone_state_cursor(state);
    cursor->started = reader_u8(field) != 0;
    cursor->nsec3 = reader_u8(field) != 0;
    size_t length = reader_left(field);
    struct span owner = reader_span(field, length);
    if (field->failed || length > sizeof(cursor->owner) || !owner_is_valid(owner)) {
        return false;
    }
    cursor->length = (uint8_t)length;
    if (length > 0) {
        memcpy(cursor->owner, owner.bytes, length);
    }
    state->campaign = true;
    return true;
}

static bool decode_field(unsigned tag, struct reader *field, struct zone_state *state)
{
    switch (tag) {
    case TAG_FILE:
        return decode_file(field, state);
    case TAG_LOADED_AT:
        state->loaded_at = (sg_time)read_u64(field);
        return !field->failed;
    case TAG_KEYS:
        state->keys_fingerprint = read_u64(field);
        return !field->failed;
    case TAG_REFUSED_AT:
        state->refused_at = (sg_time)read_u64(field);
        return !field->failed;
    case TAG_FROZEN:
        state->frozen = true;
        return true;
    case TAG_AHEAD:
        state->ahead_of_file = true;
        return true;
    case TAG_STATIC:
        state->was_static = true;
        return true;
    case TAG_AMBIGUOUS:
        state->ambiguous = true;
        return true;
    case TAG_UNHEARD:
        state->unheard_since = (sg_time)read_u64(field);
        state->unheard_doubted = reader_u8(field) != 0;
        return !field->failed;
    case TAG_RESTORE:
        state->restore = read_u64(field);
        return !field->failed;
    case TAG_WENT_BACK:
        state->went_back = reader_u32(field);
        return !field->failed;
    case TAG_CAMPAIGN:
        return decode_campaign(field, state);
    case TAG_TIMERS:
        buffer_clear(&state->timers);
        buffer_append(&state->timers, field->at, reader_left(field));
        return true;
    case TAG_TOLD:
        buffer_clear(&state->told);
        buffer_append(&state->told, field->at, reader_left(field));
        return true;
    case TAG_CLOCK:
        state->clock_at = (sg_time)read_u64(field);
        state->clock_doubted = reader_u8(field) != 0;
        return !field->failed;
    case TAG_KEY_FACT:
        return zone_facts_decode_key(field, &state->facts);
    case TAG_KEY_FACTS:
        return zone_facts_decode_rest(field, &state->facts);
    default:
        return true; /* a later release's */
    }
}

enum sg_result zone_state_decode(struct span bytes, struct zone_state *out_state)
{
    struct zone_state state = {.timers = BUFFER_EMPTY, .told = BUFFER_EMPTY};
    struct reader reader = reader_of(bytes);
    while (reader_left(&reader) > 0) {
        unsigned tag = reader_u16(&reader);
        size_t length = reader_u16(&reader);
        struct span field = reader_span(&reader, length);
        if (reader.failed) {
            break;
        }
        struct reader inside = reader_of(field);
        if (!decode_field(tag, &inside, &state)) {
            reader.failed = true;
            break;
        }
    }
    if (reader.failed) {
        zone_state_clear(&state);
        return SG_MALFORMED;
    }
    *out_state = state;
    return SG_OK;
}
