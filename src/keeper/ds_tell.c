#include "keeper/ds_tell.h"

#include "base/mem.h"

enum { MARK_BYTES = 13, MARKS_MAX = DS_CHECK_KEYS_MAX * DS_TELL_WAYS };

/* Something that was told, before a restart. */
struct mark {
    uint16_t tag;
    uint8_t algorithm;
    enum ds_check_want want;
    enum ds_tell_way way;
    sg_time since;
};

struct way_state {
    bool telling;
    sg_time planned_at; /* when that was said: */
    sg_time due_at;
    sg_duration retry; /* the wait, should this one fail */
};

struct ds_tell {
    struct ds_tell_bounds bounds;
    struct way_state ways[DS_TELL_WAYS];
    struct ds_tell_item *items; /* at most DS_CHECK_KEYS_MAX */
    size_t count;
    struct mark *marks; /* of before the restart */
    size_t marks_count;
};

struct ds_tell *ds_tell_new(const struct ds_tell_bounds *bounds)
{
    struct ds_tell *tell = mem_alloc_zero(1, sizeof(*tell));
    tell->bounds = *bounds;
    for (int way = 0; way < DS_TELL_WAYS; way++) {
        tell->ways[way].retry = bounds->retry_min;
    }
    return tell;
}

static void clear_item(struct ds_tell_item *item)
{
    buffer_free(&item->dnskey);
    for (size_t i = 0; i < item->ds_count; i++) {
        buffer_free(&item->ds[i]);
    }
}

void ds_tell_free(struct ds_tell *tell)
{
    if (tell == NULL) {
        return;
    }
    for (size_t i = 0; i < tell->count; i++) {
        clear_item(&tell->items[i]);
    }
    mem_free(tell->items);
    mem_free(tell->marks);
    mem_free(tell);
}

void ds_tell_set_bounds(struct ds_tell *tell, const struct ds_tell_bounds *bounds)
{
    tell->bounds = *bounds;
}

/* --- what outlives a restart ---------------------------------------------------------------- */

static bool read_mark(struct reader *reader, struct mark *out_mark)
{
    out_mark->tag = reader_u16(reader);
    out_mark->algorithm = reader_u8(reader);
    unsigned want = reader_u8(reader);
    unsigned way = reader_u8(reader);
    uint64_t high = reader_u32(reader);
    out_mark->since = (sg_time)(high << 32 | reader_u32(reader));
    out_mark->want = (enum ds_check_want)want;
    out_mark->way = (enum ds_tell_way)way;
    return !reader->failed && want <= DS_CHECK_WITHDRAWN && way < DS_TELL_WAYS;
}

void ds_tell_restore(struct ds_tell *tell, struct span bytes)
{
    struct reader reader = reader_of(bytes);
    mem_free(tell->marks);
    tell->marks = mem_alloc_zero(MARKS_MAX, sizeof(*tell->marks));
    tell->marks_count = 0;
    while (reader_left(&reader) >= MARK_BYTES && tell->marks_count < MARKS_MAX) {
        tell->marks_count += read_mark(&reader, &tell->marks[tell->marks_count]);
    }
}

static void write_mark(const struct ds_tell_item *item, int way, struct buffer *out_bytes)
{
    buffer_append_u16(out_bytes, item->tag);
    buffer_append_u8(out_bytes, item->algorithm);
    buffer_append_u8(out_bytes, (uint8_t)item->want);
    buffer_append_u8(out_bytes, (uint8_t)way);
    buffer_append_u32(out_bytes, (uint32_t)((uint64_t)item->since >> 32));
    buffer_append_u32(out_bytes, (uint32_t)item->since);
}

void ds_tell_encode(const struct ds_tell *tell, struct buffer *out_bytes)
{
    for (size_t i = 0; i < tell->count * DS_TELL_WAYS; i++) {
        const struct ds_tell_item *item = &tell->items[i / DS_TELL_WAYS];
        if (item->told[i % DS_TELL_WAYS]) {
            write_mark(item, (int)(i % DS_TELL_WAYS), out_bytes);
        }
    }
}

static bool was_told(const struct ds_tell *tell, const struct ds_tell_item *item,
                     enum ds_tell_way way)
{
    for (size_t i = 0; i < tell->marks_count; i++) {
        const struct mark *mark = &tell->marks[i];
        if (mark->tag == item->tag && mark->algorithm == item->algorithm &&
            mark->want == item->want && mark->since == item->since && mark->way == way) {
            return true;
        }
    }
    return false;
}

/* --- what is wanted ------------------------------------------------------------------------- */

static struct ds_tell_item *find_item(struct ds_tell *tell, const struct ds_check_wish *wish)
{
    for (size_t i = 0; i < tell->count; i++) {
        struct ds_tell_item *item = &tell->items[i];
        if (item->tag == wish->key->tag && item->algorithm == wish->key->algorithm &&
            item->want == wish->want) {
            return item;
        }
    }
    return NULL;
}

/*
 * What is to go goes with every digest that the parent may have of it, whoever put it there: one
 * that stays would be waited for without end. What is not there is removed without harm.
 */
static const uint8_t all_digests[] = {1, 2, 4};

static void make_item(const struct ds_tell *tell, const struct ds_check_wish *wish,
                      const uint8_t *digest_types, size_t digest_types_count,
                      struct ds_tell_item *out_item)
{
    bool leaves = wish->want == DS_CHECK_WITHDRAWN;
    digest_types = leaves ? all_digests : digest_types;
    digest_types_count = leaves ? sizeof(all_digests) : digest_types_count;
    *out_item = (struct ds_tell_item){
        .tag = wish->key->tag,
        .algorithm = wish->key->algorithm,
        .want = wish->want,
        .since = wish->since,
        .dnskey = BUFFER_EMPTY,
    };
    buffer_append(&out_item->dnskey, wish->key->dnskey.bytes, wish->key->dnskey.length);
    for (size_t i = 0; i < digest_types_count && out_item->ds_count < DS_TELL_DIGESTS_MAX; i++) {
        struct buffer *ds = &out_item->ds[out_item->ds_count];
        *ds = BUFFER_EMPTY;
        if (signing_key_ds(wish->key, digest_types[i], ds) == SG_OK) {
            out_item->ds_count++;
        } else {
            buffer_free(ds);
        }
    }
    for (int way = 0; way < DS_TELL_WAYS; way++) {
        out_item->told[way] = was_told(tell, out_item, (enum ds_tell_way)way);
    }
}

static void begin_anew(struct ds_tell *tell, sg_time now)
{
    for (int way = 0; way < DS_TELL_WAYS; way++) {
        struct way_state *state = &tell->ways[way];
        state->planned_at = state->due_at = now;
        state->retry = tell->bounds.retry_min;
    }
}

/* It is corrected where a version came late. True: of something that was told. */
static bool correct_since(struct ds_tell_item *item, sg_time since)
{
    bool is_other = item->since != since;
    item->since = since;
    return is_other && (item->told[DS_TELL_COMMAND] || item->told[DS_TELL_PUSH]);
}

bool ds_tell_set_wishes(struct ds_tell *tell, const struct ds_check_wish *wishes, size_t count,
                        const uint8_t *digest_types, size_t digest_types_count, sg_time now)
{
    bool has_new = false, corrected = false;
    size_t next_count = 0;
    count = count < DS_CHECK_KEYS_MAX ? count : DS_CHECK_KEYS_MAX;
    struct ds_tell_item *next = mem_alloc_zero(count, sizeof(*next));
    for (size_t i = 0; i < count; i++) {
        if (wishes[i].noted) {
            continue;
        }
        struct ds_tell_item *old = find_item(tell, &wishes[i]);
        struct ds_tell_item *item = &next[next_count++];
        if (old != NULL) {
            *item = *old;
            corrected |= correct_since(item, wishes[i].since);
            *old = tell->items[--tell->count];
        } else {
            make_item(tell, &wishes[i], digest_types, digest_types_count, item);
            has_new = true;
        }
    }
    for (size_t i = 0; i < tell->count; i++) {
        clear_item(&tell->items[i]);
    }
    mem_free(tell->items);
    tell->items = next;
    tell->count = next_count;
    if (has_new) {
        begin_anew(tell, now);
    }
    return corrected;
}

/* --- telling -------------------------------------------------------------------------------- */

static bool may_tell(const struct ds_tell *tell, const struct ds_tell_item *item,
                     enum ds_tell_way way, bool withdraws)
{
    if (way == DS_TELL_COMMAND && tell->bounds.lacks_command[item->want]) {
        return false;
    }
    return !item->told[way] &&
           (withdraws || way == DS_TELL_PUSH || item->want == DS_CHECK_PUBLISHED);
}

static bool is_open(const struct ds_tell *tell, enum ds_tell_way way, bool withdraws)
{
    for (size_t i = 0; i < tell->count; i++) {
        if (may_tell(tell, &tell->items[i], way, withdraws)) {
            return true;
        }
    }
    return false;
}

/* Those of one wish that are to be told now: one of a command. */
static bool choose(struct ds_tell *tell, enum ds_tell_way way, enum ds_check_want want,
                   bool withdraws)
{
    bool chosen = false;
    for (size_t i = 0; i < tell->count && !(chosen && way == DS_TELL_COMMAND); i++) {
        struct ds_tell_item *item = &tell->items[i];
        if (item->want == want && may_tell(tell, item, way, withdraws)) {
            item->telling[way] = chosen = true;
        }
    }
    return chosen;
}

bool ds_tell_turn(struct ds_tell *tell, enum ds_tell_way way, bool withdraws, sg_time now)
{
    struct way_state *state = &tell->ways[way];
    bool is_due = state->due_at <= now || now < state->planned_at; /* the clock was set back */
    if (state->telling || !is_due || !is_open(tell, way, withdraws)) {
        return false;
    }
    bool chosen = choose(tell, way, DS_CHECK_PUBLISHED, withdraws);
    if (!chosen || way == DS_TELL_PUSH) {
        (void)choose(tell, way, DS_CHECK_WITHDRAWN, withdraws);
    }
    state->telling = true;
    return true;
}

bool ds_tell_ended(struct ds_tell *tell, enum ds_tell_way way, bool success, sg_time now)
{
    struct way_state *state = &tell->ways[way];
    bool changed = false;
    for (size_t i = 0; i < tell->count; i++) {
        struct ds_tell_item *item = &tell->items[i];
        if (item->telling[way]) {
            item->telling[way] = false;
            item->told[way] = success;
            changed |= success;
        }
    }
    state->telling = false;
    if (success) {
        state->retry = tell->bounds.retry_min;
        return changed;
    }
    sg_duration longest = tell->bounds.retry_max;
    state->planned_at = now;
    state->due_at = now + state->retry;
    state->retry = 2 * state->retry < longest ? 2 * state->retry : longest;
    return false;
}

void ds_tell_postpone(struct ds_tell *tell, enum ds_tell_way way, sg_time at)
{
    struct way_state *state = &tell->ways[way];
    for (size_t i = 0; i < tell->count; i++) {
        tell->items[i].telling[way] = false;
    }
    state->telling = false;
    state->planned_at = INT64_MIN;
    state->due_at = at;
}

sg_time ds_tell_wake(const struct ds_tell *tell, enum ds_tell_way way, bool withdraws)
{
    const struct way_state *state = &tell->ways[way];
    return !state->telling && is_open(tell, way, withdraws) ? state->due_at : INT64_MAX;
}

const struct ds_tell_item *ds_tell_items(const struct ds_tell *tell, size_t *out_count)
{
    *out_count = tell->count;
    return tell->items;
}
