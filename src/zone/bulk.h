/*
 * zone/bulk.h - the names of a zone that is loaded, until its tree is built in one go (private to
 * zone/)
 *
 * Inserting a million names one by one visits the tree a million times and leaves every vector
 * that grew as garbage. Instead the names are put in a list, the list is sorted once, and each
 * vector is written once, at its size.
 *
 * Names that come again are found by a hash of owners. Most names are new, and a filter of a few
 * bits a name, which stays in the cache, says so; only when it does not, the names since then are
 * entered in the hash, many at a time, so that their cache misses overlap.
 *
 * A list is filled either by bulk_add() or by bulk_append().
 */
#pragma once

#include "zone/tree.h"

/* A name: the first 19 symbols of its key, so that most names are sorted without a look at them. */
struct bulk_entry {
    uint64_t order[2]; /* 9 symbols at 6 bits, flags of the name at 10 bits; 10 symbols, 4 zeros */
    arena_ref block;
    union {
        uint32_t hash;       /* of the owner */
        arena_ref generated; /* of a list that came in order */
    };
};

struct bulk {
    struct bulk_entry *entries;
    size_t count;
    size_t capacity;
    uint64_t seed;
    uint64_t *filter; /* a bit for each hash seen */
    uint64_t *slots;  /* upper half: hash; lower half: index in `entries` + 1, 0: free */
    size_t slots_mask;
    size_t slots_count; /* entries that are in */
    bool in_order;      /* by bulk_append() alone */
};

static const uint32_t BULK_NONE = UINT32_MAX;
enum { BULK_FLAG_BITS = 10 };

static inline uint32_t bulk_flags(const struct bulk *bulk, uint32_t entry)
{
    return (uint32_t)bulk->entries[entry].order[0] & ((1U << BULK_FLAG_BITS) - 1);
}

uint32_t bulk_hash(struct bulk *bulk, struct span owner);
/* A hint: bulk_find() will soon be asked. */
void bulk_prefetch(const struct bulk *bulk, uint32_t hash);
/* The entry of that owner, or BULK_NONE. */
uint32_t bulk_find(struct bulk *bulk, uint8_t *const *chunks, struct span owner, uint32_t hash);
/* A name that bulk_find() does not find. SG_LIMIT: more than 2^31 names. */
MUST_USE enum sg_result bulk_add(struct bulk *bulk, struct span owner, uint32_t hash,
                                 arena_ref block, uint32_t flags);
void bulk_replace(struct bulk *bulk, uint32_t entry, arena_ref block, uint32_t flags);

/*
 * Names that come in canonical order, as an image has them, need no hash and no sorting. The leaf
 * is as it will stand in the tree. SG_MALFORMED: its owner is not behind all others. SG_LIMIT.
 */
MUST_USE enum sg_result bulk_append(struct bulk *bulk, uint8_t *const *chunks,
                                    const struct tree_cell *leaf);

/* Make the tree of all names. The bulk ends empty. SG_LIMIT: it ends empty, too. */
MUST_USE enum sg_result bulk_build(struct bulk *bulk, struct arena *arena,
                                   struct tree_cell *out_root);
void bulk_clear(struct bulk *bulk);
