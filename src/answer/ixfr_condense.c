#include "answer/ixfr_condense.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"
#include "dns/name.h"
#include "dns/rrtype.h"

enum {
    RECORDS_MIN = 64,
};

struct condensing {
    struct ixfr_condensed *out;
    size_t capacity;
    uint32_t *slots; /* index of a record + 1; 0: free. At most half of them are taken */
    size_t mask;
    uint8_t seed[16];
    struct buffer text; /* what is hashed */
};

static struct span rdata_of(const struct ixfr_record *record)
{
    return (struct span){record->packed + 2, wire_get_u16(record->packed)};
}

static uint64_t hash_of(struct condensing *condensing, const struct ixfr_record *record)
{
    struct buffer *text = &condensing->text;
    struct span rdata = rdata_of(record);
    buffer_clear(text);
    buffer_append(text, record->owner, record->owner_length);
    buffer_append_u32(text, record->ttl);
    buffer_append_u16(text, record->type);
    buffer_append(text, rdata.bytes, rdata.length);
    return siphash(condensing->seed, text->bytes, text->length);
}

static bool is_same(const struct ixfr_record *a, const struct ixfr_record *b)
{
    struct span rdata_a = rdata_of(a), rdata_b = rdata_of(b);
    return a->type == b->type && a->ttl == b->ttl && a->owner_length == b->owner_length &&
           rdata_a.length == rdata_b.length && memcmp(a->owner, b->owner, a->owner_length) == 0 &&
           (rdata_a.length == 0 || memcmp(rdata_a.bytes, rdata_b.bytes, rdata_a.length) == 0);
}

static void grow(struct condensing *condensing)
{
    struct ixfr_condensed *out = condensing->out;
    condensing->capacity = condensing->capacity > 0 ? condensing->capacity * 2 : RECORDS_MIN;
    out->records = mem_resize_array(out->records, condensing->capacity, sizeof(*out->records));
    mem_free(condensing->slots);
    condensing->slots = mem_alloc_zero(condensing->capacity * 2, sizeof(*condensing->slots));
    condensing->mask = condensing->capacity * 2 - 1;
    for (size_t i = 0; i < out->count; i++) {
        size_t at = hash_of(condensing, &out->records[i]) & condensing->mask;
        while (condensing->slots[at] != 0) {
            at = (at + 1) & condensing->mask;
        }
        condensing->slots[at] = (uint32_t)i + 1;
    }
}

static void take_record(struct condensing *condensing, const struct ixfr_record *record, bool added)
{
    struct ixfr_condensed *out = condensing->out;
    if (out->count == condensing->capacity) {
        grow(condensing);
    }
    size_t at = hash_of(condensing, record) & condensing->mask;
    for (; condensing->slots[at] != 0; at = (at + 1) & condensing->mask) {
        struct ixfr_record *there = &out->records[condensing->slots[at] - 1];
        if (is_same(there, record)) {
            there->is = added;
            return;
        }
    }
    out->records[out->count] = *record;
    out->records[out->count].was = !added;
    out->records[out->count].is = added;
    condensing->slots[at] = (uint32_t)++out->count;
}

static void take_rrset(struct condensing *condensing, struct span owner,
                       const struct dns_rrset *rrset, bool added)
{
    struct ixfr_record record = {
        .owner = owner.bytes,
        .owner_length = (uint8_t)owner.length,
        .ttl = rrset->ttl,
        .type = rrset->type,
    };
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        record.packed = c.rdata.bytes - 2;
        take_record(condensing, &record, added);
    }
}

static void take_changeset(struct condensing *condensing, struct span changeset)
{
    struct zone_changeset_walk walk = zone_changeset_walk(changeset);
    while (zone_changeset_next(&walk)) {
        if (ixfr_is_told(&walk.change)) {
            take_rrset(condensing, walk.change.owner, &walk.change.deleted, false);
            take_rrset(condensing, walk.change.owner, &walk.change.added, true);
        }
    }
}

void ixfr_condense(const struct zone_history_link *const *links, size_t count,
                   struct ixfr_condensed *out_condensed)
{
    struct condensing condensing = {.out = out_condensed};
    *out_condensed = (struct ixfr_condensed){0};
    random_bytes(condensing.seed, sizeof(condensing.seed));
    for (size_t i = 0; i < count; i++) {
        take_changeset(&condensing, zone_history_changeset(links[i]));
    }
    for (size_t i = 0; i < out_condensed->count; i++) {
        const struct ixfr_record *record = &out_condensed->records[i];
        out_condensed->deleted += record->was && !record->is;
        out_condensed->added += !record->was && record->is;
    }
    buffer_free(&condensing.text);
    mem_free(condensing.slots);
}

void ixfr_condensed_clear(struct ixfr_condensed *condensed)
{
    mem_free(condensed->records);
    *condensed = (struct ixfr_condensed){0};
}
