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

/*
 * Are the `length` bytes at `block`, which is aligned as arena_alloc() aligns, a whole block for
 * that place? Counts, offsets and order of entries, well-formed rdata in canonical order, the
 * owner's labels, and that NSEC3 stands where it belongs.
 */
bool block_check(const struct zone_block *block, size_t length, enum block_place place);
