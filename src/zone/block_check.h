/*
 * zone/block_check.h - is this a block? Bytes from a disk are asked before they are used (private
 * to zone/)
 */
#pragma once

#include "zone/block.h"

enum block_place {
    BLOCK_OF_SOURCE,
    BLOCK_OF_GENERATED,
    BLOCK_OF_HASH, /* in the tree of NSEC3 records */
};

/* What a block adds up to, learned in the same pass. */
struct block_summary {
    uint32_t records;
    uint32_t opt_outs; /* as block_opt_outs() */
    uint32_t flags;    /* as block_flags() */
    uint32_t ttl_max;  /* as block_ttl_max() */
    /* A bit for each type, or type covered, modulo 64: have two blocks one in common? */
    uint64_t types, signatures;
};

/*
 * Are the `length` bytes at `block`, which is aligned as arena_alloc() aligns, a whole block for
 * that place? Counts, offsets and order of entries, well-formed rdata in canonical order, the
 * owner's labels, and that NSEC3 stands where it belongs. `out_summary` is set if they are.
 */
bool block_check(const struct zone_block *block, size_t length, enum block_place place,
                 struct block_summary *out_summary);
