#include "zone/gather.h"

#include "base/mem.h"
#include "dns/rdata.h"

enum {
    RRSETS_ON_STACK_MAX = 32,
    RRSET_RECORDS_MAX = 65535,
    ORDER_MIN = 4,
    RECORD_COST_BYTES = 16, /* of a record that is loaded, besides its bytes */
    RRSIG_RDATA_MIN = 18,   /* up to the signer's name */
};

static struct span rdata_at(const struct gather_rrset *rrset, uint32_t offset)
{
    const uint8_t *at = rrset->packed.bytes + offset;
    return (struct span){at + 2, wire_get_u16(at)};
}

static struct gather_rrset *find_rrset(struct gather *gather, uint16_t type, uint16_t covered)
{
    for (size_t i = 0; i < gather->count; i++) {
        if (gather->rrsets[i].type == type && gather->rrsets[i].covered == covered) {
            return &gather->rrsets[i];
        }
    }
    return NULL;
}

static struct gather_rrset *add_rrset(struct gather *gather, uint16_t type, uint16_t covered,
                                      uint32_t ttl)
{
    if (gather->count == gather->capacity) {
        size_t capacity = gather->capacity > 0 ? gather->capacity * 2 : 4;
        gather->rrsets = mem_resize_array(gather->rrsets, capacity, sizeof(*gather->rrsets));
        memset(gather->rrsets + gather->capacity, 0,
               (capacity - gather->capacity) * sizeof(*gather->rrsets));
        gather->capacity = capacity;
    }
    struct gather_rrset *rrset = &gather->rrsets[gather->count++];
    rrset->type = type;
    rrset->covered = covered;
    rrset->ttl = ttl;
    rrset->count = 0;
    rrset->in_order = true;
    buffer_clear(&rrset->packed);
    return rrset;
}

/* Where the rdata belongs in canonical order. False: it is there already. */
static bool find_place(const struct gather_rrset *rrset, struct span rdata, uint32_t *out_place)
{
    uint32_t low = 0;
    uint32_t high = rrset->count;
    while (low < high) {
        /* Sorted input is the rule: look at the end first. */
        uint32_t middle = high == rrset->count ? high - 1 : (low + high) / 2;
        int order = dns_rdata_compare(rrset->type, rdata, rdata_at(rrset, rrset->order[middle]));
        if (order == 0) {
            return false;
        }
        if (order > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_place = low;
    return true;
}

static void insert(struct gather_rrset *rrset, uint32_t place, struct span rdata)
{
    if (rrset->count == rrset->capacity) {
        rrset->capacity = rrset->capacity > 0 ? rrset->capacity * 2 : ORDER_MIN;
        rrset->order = mem_resize_array(rrset->order, rrset->capacity, sizeof(*rrset->order));
    }
    memmove(rrset->order + place + 1, rrset->order + place,
            (rrset->count - place) * sizeof(*rrset->order));
    rrset->order[place] = (uint32_t)rrset->packed.length;
    rrset->in_order = rrset->in_order && place == rrset->count;
    rrset->count++;
    buffer_append_u16(&rrset->packed, (uint16_t)rdata.length);
    buffer_append(&rrset->packed, rdata.bytes, rdata.length);
}

/* RFC 2181 5.2: one TTL for all; the smallest is safe for every record. */
static uint32_t lower_ttl(struct gather *gather, struct gather_rrset *rrset, uint32_t ttl)
{
    if (ttl < rrset->ttl) {
        rrset->ttl = ttl;
        gather->changed = true;
    }
    return rrset->ttl;
}

static struct dns_rrset borrow(const struct gather_rrset *rrset)
{
    return (struct dns_rrset){
        .packed = rrset->packed.bytes,
        .bytes = (uint32_t)rrset->packed.length,
        .ttl = rrset->ttl,
        .type = rrset->type,
        .covered = rrset->covered,
        .count = (uint16_t)rrset->count,
    };
}

/* Copy the rdatas of one that did not arrive in order; gather->sorted has room. */
static struct dns_rrset sort(struct gather *gather, const struct gather_rrset *rrset)
{
    struct dns_rrset sorted = borrow(rrset);
    if (rrset->in_order) {
        return sorted;
    }
    sorted.packed = gather->sorted.bytes + gather->sorted.length;
    for (uint32_t i = 0; i < rrset->count; i++) {
        struct span rdata = rdata_at(rrset, rrset->order[i]);
        buffer_append(&gather->sorted, rdata.bytes - 2, rdata.length + 2);
    }
    return sorted;
}

void gather_start(struct gather *gather, bool nsec3, struct span owner)
{
    gather->open = true;
    gather->nsec3 = nsec3;
    gather->changed = false;
    gather->owner_length = (uint8_t)owner.length;
    if (owner.length > 0) {
        memcpy(gather->owner, owner.bytes, owner.length);
    }
    gather->count = 0;
    gather->bytes = 0;
}

void gather_load(struct gather *gather, const struct zone_block *block)
{
    for (unsigned i = 0; i < block_rrsets(block) + block_signatures(block); i++) {
        struct dns_rrset there;
        block_entry(block, i, &there);
        struct gather_rrset *rrset = add_rrset(gather, there.type, there.covered, there.ttl);
        for (struct dns_rdata_cursor c = dns_rrset_walk(&there); dns_rdata_next(&c);) {
            insert(rrset, rrset->count, c.rdata);
        }
        gather->bytes += there.bytes;
        gather->loaded += there.bytes + (uint64_t)there.count * RECORD_COST_BYTES;
    }
}

/* For one more record? NULL: it would begin an RRset. */
static bool has_room(const struct gather *gather, const struct gather_rrset *rrset)
{
    if (rrset == NULL) {
        return gather->types_per_name_max == 0 || gather->count < gather->types_per_name_max;
    }
    return rrset->count < RRSET_RECORDS_MAX &&
           (gather->records_per_type_max == 0 || rrset->count < gather->records_per_type_max);
}

enum sg_result gather_add(struct gather *gather, uint16_t type, uint32_t ttl, struct span rdata,
                          uint32_t *out_ttl)
{
    uint16_t covered = 0;
    if (rdata.length > DNS_RDATA_BYTES_MAX) {
        return SG_LIMIT;
    }
    if (type == DNS_TYPE_RRSIG) {
        if (rdata.length < RRSIG_RDATA_MIN) {
            return SG_MALFORMED;
        }
        covered = wire_get_u16(rdata.bytes);
    }
    struct gather_rrset *rrset = find_rrset(gather, type, covered);
    uint32_t place = 0;
    if (rrset != NULL && !find_place(rrset, rdata, &place)) {
        *out_ttl = lower_ttl(gather, rrset, ttl);
        return SG_EXISTS;
    }
    if (gather->bytes + rdata.length + 2 > BLOCK_BYTES_MAX || !has_room(gather, rrset)) {
        return SG_LIMIT;
    }
    if (rrset == NULL) {
        rrset = add_rrset(gather, type, covered, ttl);
    }
    insert(rrset, place, rdata);
    gather->bytes += rdata.length + 2;
    gather->changed = true;
    *out_ttl = lower_ttl(gather, rrset, ttl);
    return SG_OK;
}

enum sg_result gather_pack(struct gather *gather, struct arena *arena, arena_ref *out_ref)
{
    struct dns_rrset on_stack[RRSETS_ON_STACK_MAX];
    struct dns_rrset *rrsets = gather->count <= RRSETS_ON_STACK_MAX
                                   ? on_stack
                                   : mem_alloc(gather->count * sizeof(*rrsets));
    buffer_clear(&gather->sorted);
    for (size_t i = 0; i < gather->count; i++) {
        if (!gather->rrsets[i].in_order) {
            buffer_reserve(&gather->sorted, gather->bytes); /* so that it does not move below */
            break;
        }
    }
    for (size_t i = 0; i < gather->count; i++) {
        rrsets[i] = sort(gather, &gather->rrsets[i]);
    }
    struct span owner = {gather->owner, gather->owner_length};
    enum sg_result result = block_pack(arena, owner, rrsets, gather->count, out_ref);
    if (rrsets != on_stack) {
        mem_free(rrsets);
    }
    return result;
}

void gather_end(struct gather *gather)
{
    gather->open = false;
}

void gather_clear(struct gather *gather)
{
    for (size_t i = 0; i < gather->capacity; i++) {
        buffer_free(&gather->rrsets[i].packed);
        mem_free(gather->rrsets[i].order);
    }
    mem_free(gather->rrsets);
    buffer_free(&gather->sorted);
    *gather = (struct gather){0};
}
