/*
 * zone/block.h - how a block lies in memory (private to zone/)
 *
 *   compact: 4 bytes of header, entries of 8 bytes { ttl, type, end }
 *   wide:    8 bytes of header, entries of 12 bytes { ttl, end, type, count }
 *
 * then the owner, then the packed rdatas of all entries. `end` is where an entry's rdatas end,
 * counted from where the first entry's begin. A compact entry does not hold its number of rdatas:
 * it has one or a few, which are counted when it is read. Wide is for what does not fit: more
 * than 64 KiB of rdata, more than 255 RRsets.
 */
#pragma once

#include "base/result.h"
#include "zone/arena.h"
#include "zone/node.h"

enum {
    BLOCK_WIDE = 1,
    BLOCK_BYTES_MAX = 16 * 1024 * 1024,
    BLOCK_COMPACT_RRSETS_MAX = 255,
    BLOCK_COMPACT_RDATA_BYTES_MAX = 65535,
};

struct zone_block {
    uint8_t form; /* 0 or BLOCK_WIDE */
    uint8_t owner_length;
    uint8_t rrsets;     /* entries of types; compact only */
    uint8_t signatures; /* entries of types covered; compact only */
};

struct zone_block_wide {
    struct zone_block head;
    uint16_t rrsets;
    uint16_t signatures;
};

struct block_entry_compact {
    uint32_t ttl;
    uint16_t type; /* type covered, of signatures */
    uint16_t end;
};

struct block_entry_wide {
    uint32_t ttl;
    uint32_t end;
    uint16_t type;
    uint16_t count;
};

static inline unsigned block_rrsets(const struct zone_block *block)
{
    return block->form == BLOCK_WIDE ? ((const struct zone_block_wide *)(const void *)block)->rrsets
                                     : block->rrsets;
}

static inline unsigned block_signatures(const struct zone_block *block)
{
    return block->form == BLOCK_WIDE
               ? ((const struct zone_block_wide *)(const void *)block)->signatures
               : block->signatures;
}

/* The relative owner name. Its length is owner_length. */
static inline const uint8_t *block_owner(const struct zone_block *block)
{
    const uint8_t *at = (const uint8_t *)block;
    unsigned entries = block_rrsets(block) + block_signatures(block);
    return block->form == BLOCK_WIDE
               ? at + sizeof(struct zone_block_wide) + entries * sizeof(struct block_entry_wide)
               : at + sizeof(struct zone_block) + entries * sizeof(struct block_entry_compact);
}

/* The entry at `index`: types first, signatures behind them. */
void block_entry(const struct zone_block *block, unsigned index, struct dns_rrset *out_rrset);
/* Bytes that arena_alloc() was asked for. */
size_t block_bytes(const struct zone_block *block);
/* RRs in the block, signatures included. */
uint64_t block_records(const struct zone_block *block);
/* The flags of the name that owns this source block. */
uint32_t block_flags(const struct zone_block *block);
uint32_t block_ttl_max(const struct zone_block *block);
/* RRs of type NSEC3 that have the opt-out flag. */
uint32_t block_opt_outs(const struct zone_block *block);
/* Entry index of a type or, with `signatures`, of a type covered. False: none. */
bool block_find(const struct zone_block *block, bool signatures, uint16_t type,
                unsigned *out_index);

/* As zone_pile_add(). */
MUST_USE enum sg_result block_pack(struct arena *arena, struct span owner,
                                   const struct dns_rrset *rrsets, size_t count,
                                   arena_ref *out_ref);
