/*
 * zone/gather.h - the records of one owner while they come in one by one (private to zone/)
 *
 * A master file or a transfer gives RR after RR, mostly grouped by owner. They are collected here,
 * sorted and without duplicates, and packed once when the owner changes. The memory is kept from
 * one owner to the next.
 */
#pragma once

#include "base/buffer.h"
#include "dns/name.h"
#include "zone/block.h"

struct gather_rrset {
    struct buffer packed; /* in order of arrival */
    uint32_t *order;      /* offsets into it, in canonical order */
    uint32_t count;
    uint32_t capacity; /* of `order` */
    uint32_t ttl;
    uint16_t type;
    uint16_t covered;
    bool in_order; /* arrival was canonical: `packed` is ready as it is */
};

struct gather {
    bool open;    /* there is a present owner */
    bool nsec3;   /* it belongs to the tree of hashes */
    bool changed; /* since it was started or loaded */
    uint8_t owner_length;
    uint32_t hash; /* of the owner, for zone/bulk */
    uint8_t owner[DNS_NAME_BYTES_MAX];
    struct gather_rrset *rrsets; /* `count` of them in use, the rest is memory kept */
    size_t count;
    size_t capacity;
    size_t bytes;
    struct buffer sorted; /* rdatas put in order for packing */
    /* of one owner; 0: those of a block alone */
    uint32_t records_per_type_max, types_per_name_max;
    uint64_t loaded; /* what gather_load() has cost so far, in bytes that were copied, roughly */
};

void gather_start(struct gather *gather, bool nsec3, struct span owner);
/* Begin with the records of a block. */
void gather_load(struct gather *gather, const struct zone_block *block);
static inline bool gather_is_for(const struct gather *gather, bool nsec3, struct span owner)
{
    return gather->open && gather->nsec3 == nsec3 && gather->owner_length == owner.length &&
           (owner.length == 0 || memcmp(gather->owner, owner.bytes, owner.length) == 0);
}
/* SG_EXISTS: a duplicate, dropped; SG_LIMIT. `out_ttl` is the RRset's TTL in both good cases. */
MUST_USE enum sg_result gather_add(struct gather *gather, uint16_t type, uint32_t ttl,
                                   struct span rdata, uint32_t *out_ttl);
/* Pack what there is; the gather stays as it is. SG_LIMIT. */
MUST_USE enum sg_result gather_pack(struct gather *gather, struct arena *arena, arena_ref *out_ref);
void gather_end(struct gather *gather);
void gather_clear(struct gather *gather);
