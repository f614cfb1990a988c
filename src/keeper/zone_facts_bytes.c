/*
 * Of a key (TAG_KEY_FACT):  2 tag, 1 algorithm, 2 flags, 4 lifetime, 2 predecessor, 2 successor,
 *     4 DSPublish count, 4 DSRemoved count, 1 goal, per record 1 state, 8 change; 2 which times
 *     there are, 8 each; 1 sighting, 8 its first instant, 8 its last.
 * Of the zone (TAG_KEY_FACTS): 1 flags, 8 each planned_at, waits_from, whole_begun, whole_at,
 *     campaign_begun; 1 terms, of each 8 longest, 8 last, 1 is current; of each term 8 later.
 * An unset time is INT64_MIN. What is appended later is skipped by this release.
 */
#include "base/mem.h"
#include "keeper/zone_facts.h"

enum {
    FLAG_KSK = 1,
    FLAG_ZSK = 2,
    FLAG_ROLES = 4,
    FLAG_LIFETIME = 8,
    FLAG_PREDECESSOR = 16,
    FLAG_SUCCESSOR = 32,
    FLAG_DS_PUBLISH_COUNT = 64,
    FLAG_DS_REMOVED_COUNT = 128,

    FLAG_COMMITTED = 1,
    FLAG_UNPUBLISHED = 2,
    FLAG_WHOLE_UNPUBLISHED = 4,
};

#define TIME_MAX (INT64_C(1) << 40) /* sums of times do not overflow */

static void append_time(struct buffer *bytes, sg_time time)
{
    buffer_append_u32(bytes, (uint32_t)((uint64_t)time >> 32));
    buffer_append_u32(bytes, (uint32_t)time);
}

static sg_time read_time(struct reader *reader)
{
    uint64_t high = reader_u32(reader);
    sg_time time = (sg_time)(high << 32 | reader_u32(reader));
    reader->failed |= time != KEY_TIME_UNSET && (time < -TIME_MAX || time > TIME_MAX);
    return time;
}

static sg_time read_instant(struct reader *reader)
{
    sg_time time = read_time(reader);
    reader->failed |= time == KEY_TIME_UNSET;
    return time;
}

static uint16_t flags_of(const struct key_state *state)
{
    return (uint16_t)((state->ksk ? FLAG_KSK : 0) | (state->zsk ? FLAG_ZSK : 0) |
                      (state->has_roles ? FLAG_ROLES : 0) |
                      (state->has_lifetime ? FLAG_LIFETIME : 0) |
                      (state->has_predecessor ? FLAG_PREDECESSOR : 0) |
                      (state->has_successor ? FLAG_SUCCESSOR : 0) |
                      (state->has_ds_publish_count ? FLAG_DS_PUBLISH_COUNT : 0) |
                      (state->has_ds_removed_count ? FLAG_DS_REMOVED_COUNT : 0));
}

static void take_flags(struct key_state *state, uint16_t flags)
{
    state->present = true;
    state->ksk = (flags & FLAG_KSK) != 0;
    state->zsk = (flags & FLAG_ZSK) != 0;
    state->has_roles = (flags & FLAG_ROLES) != 0;
    state->has_lifetime = (flags & FLAG_LIFETIME) != 0;
    state->has_predecessor = (flags & FLAG_PREDECESSOR) != 0;
    state->has_successor = (flags & FLAG_SUCCESSOR) != 0;
    state->has_ds_publish_count = (flags & FLAG_DS_PUBLISH_COUNT) != 0;
    state->has_ds_removed_count = (flags & FLAG_DS_REMOVED_COUNT) != 0;
}

static void encode_times(const sg_time *times, struct buffer *bytes)
{
    uint16_t there = 0;
    for (int time = 0; time < KEY_TIMES; time++) {
        there = (uint16_t)(there | (times[time] != KEY_TIME_UNSET ? 1u << time : 0u));
    }
    buffer_append_u16(bytes, there);
    for (int time = 0; time < KEY_TIMES; time++) {
        if (times[time] != KEY_TIME_UNSET) {
            append_time(bytes, times[time]);
        }
    }
}

void zone_facts_encode_key(const struct zone_key_fact *fact, struct buffer *out_bytes)
{
    const struct key_state *state = &fact->state;
    buffer_append_u16(out_bytes, fact->tag);
    buffer_append_u8(out_bytes, fact->algorithm);
    buffer_append_u16(out_bytes, flags_of(state));
    buffer_append_u32(out_bytes, state->lifetime);
    buffer_append_u16(out_bytes, state->predecessor);
    buffer_append_u16(out_bytes, state->successor);
    buffer_append_u32(out_bytes, state->ds_publish_count);
    buffer_append_u32(out_bytes, state->ds_removed_count);
    buffer_append_u8(out_bytes, (uint8_t)state->goal);
    for (int record = 0; record < KEY_RECORDS; record++) {
        buffer_append_u8(out_bytes, (uint8_t)state->records[record]);
        append_time(out_bytes, state->changes[record]);
    }
    encode_times(fact->times, out_bytes);
    buffer_append_u8(out_bytes, (uint8_t)fact->ds);
    append_time(out_bytes, fact->ds_at);
    append_time(out_bytes, fact->ds_asked_at);
}

static enum key_state_value read_value(struct reader *reader)
{
    unsigned value = reader_u8(reader);
    reader->failed |= value > KEY_STATE_NA;
    return reader->failed ? KEY_STATE_NA : (enum key_state_value)value;
}

static void decode_times(struct reader *reader, sg_time *times)
{
    unsigned there = reader_u16(reader);
    reader->failed |= there >> KEY_TIMES != 0;
    for (int time = 0; time < KEY_TIMES; time++) {
        times[time] = (there >> time & 1) != 0 ? read_time(reader) : KEY_TIME_UNSET;
    }
}

static void decode_state(struct reader *reader, struct key_state *state)
{
    take_flags(state, reader_u16(reader));
    state->lifetime = reader_u32(reader);
    state->predecessor = reader_u16(reader);
    state->successor = reader_u16(reader);
    state->ds_publish_count = reader_u32(reader);
    state->ds_removed_count = reader_u32(reader);
    state->goal = read_value(reader);
    for (int record = 0; record < KEY_RECORDS; record++) {
        state->records[record] = read_value(reader);
        state->changes[record] = read_time(reader);
    }
}

bool zone_facts_decode_key(struct reader *reader, struct zone_facts_of_keys *facts)
{
    struct zone_key_fact fact = {.tag = reader_u16(reader)};
    fact.algorithm = reader_u8(reader);
    decode_state(reader, &fact.state);
    decode_times(reader, fact.times);
    unsigned ds = reader_u8(reader);
    fact.ds_at = read_time(reader);
    fact.ds_asked_at = read_time(reader);
    if (reader->failed || ds > KASP_DS_MISSING || facts->count == ZONE_FACTS_KEYS_MAX) {
        return false;
    }
    fact.ds = (enum kasp_sighting)ds;
    facts->keys = mem_resize_array(facts->keys, facts->count + 1, sizeof(*facts->keys));
    facts->keys[facts->count++] = fact;
    return true;
}

void zone_facts_encode_rest(const struct zone_facts_of_keys *facts, struct buffer *out_bytes)
{
    buffer_append_u8(out_bytes, (uint8_t)((facts->committed ? FLAG_COMMITTED : 0) |
                                          (facts->unpublished ? FLAG_UNPUBLISHED : 0) |
                                          (facts->whole_unpublished ? FLAG_WHOLE_UNPUBLISHED : 0)));
    append_time(out_bytes, facts->planned_at);
    append_time(out_bytes, facts->waits_from);
    append_time(out_bytes, facts->whole_begun);
    append_time(out_bytes, facts->whole_at);
    append_time(out_bytes, facts->campaign_begun);
    buffer_append_u8(out_bytes, ZONE_TERMS);
    for (int term = 0; term < ZONE_TERMS; term++) {
        append_time(out_bytes, facts->terms[term].longest);
        append_time(out_bytes, facts->terms[term].last);
        buffer_append_u8(out_bytes, facts->terms[term].is_current);
    }
    for (int term = 0; term < ZONE_TERMS; term++) {
        append_time(out_bytes, facts->terms[term].later);
    }
}

bool zone_facts_decode_rest(struct reader *reader, struct zone_facts_of_keys *facts)
{
    unsigned flags = reader_u8(reader);
    facts->committed = (flags & FLAG_COMMITTED) != 0;
    facts->unpublished = (flags & FLAG_UNPUBLISHED) != 0;
    facts->whole_unpublished = (flags & FLAG_WHOLE_UNPUBLISHED) != 0;
    facts->planned_at = read_instant(reader);
    facts->waits_from = read_instant(reader);
    facts->whole_begun = read_instant(reader);
    facts->whole_at = read_instant(reader);
    facts->campaign_begun = read_instant(reader);
    unsigned terms = reader_u8(reader);
    for (unsigned term = 0; term < terms && !reader->failed; term++) {
        struct zone_high_water water = {.longest = read_instant(reader)};
        water.last = read_instant(reader);
        water.is_current = reader_u8(reader) != 0;
        water.later = water.is_current ? 0 : water.longest; /* Earlier releases do not tell it. */
        if (term < ZONE_TERMS) {
            facts->terms[term] = water;
        }
    }
    for (unsigned term = 0; term < terms && reader_left(reader) > 0; term++) {
        sg_duration later = read_instant(reader);
        if (term < ZONE_TERMS) {
            facts->terms[term].later = later;
        }
    }
    return !reader->failed;
}
