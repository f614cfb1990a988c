/*
 * zone/tree.h - a qp-trie of owner names (private to zone/)
 *
 * A cell of 12 bytes is a branch or a leaf.
 *
 *   branch: ref -> vector of its twigs, one cell for each bit of the bitmap, in symbol order
 *           hi  [31] 1  [30] fresh  [25:16] offset of the symbol in the key   [15:0] bitmap, high
 *           lo  bitmap, low: bit s is set when some key below has symbol s at the offset
 *   leaf:   ref -> source block, which holds the key: the owner name
 *           hi  [31] 0  [30] source block is fresh  [29] generated block is fresh  [28:0] flags
 *           lo  -> generated block, 0: none
 *
 * Offsets grow on the way down; symbols between them are the same in all keys below and are not
 * looked at: a search ends at the leaf that has most in common with its key, and compares there.
 *
 * Fresh is what the present edit made. It can be changed in place, since no reader knows it;
 * anything else is copied first, and the copy is fresh. The mark lies in the cell that refers to
 * the memory, so a fresh vector hangs below fresh vectors only, and all that an edit made is found
 * by following the marks from the root.
 *
 * An edit that begins with nothing marks nothing: to it, everything is fresh.
 */
#pragma once

#include "zone/block.h"
#include "zone/pieces.h"
#include "zone/tree_key.h"

struct tree_cell {
    uint32_t lo, hi, ref;
};

enum {
    TREE_OFFSET_SHIFT = 16,
    TREE_OFFSET_MASK = 0x3ff,
    TREE_BITMAP_HIGH = 0xffff,
    TREE_FLAGS_MASK = 0x1fffffff,
};
static const uint32_t TREE_BRANCH = UINT32_C(1) << 31;
static const uint32_t TREE_FRESH = UINT32_C(1) << 30;
static const uint32_t TREE_FRESH_GENERATED = UINT32_C(1) << 29;

/* An empty tree's root is a leaf without a source block. */
static inline bool tree_is_empty(const struct tree_cell *root)
{
    return root->ref == 0;
}

static inline bool tree_is_branch(const struct tree_cell *cell)
{
    return (cell->hi & TREE_BRANCH) != 0;
}

static inline unsigned tree_offset(const struct tree_cell *cell)
{
    return cell->hi >> TREE_OFFSET_SHIFT & TREE_OFFSET_MASK;
}

static inline uint64_t tree_bitmap(const struct tree_cell *cell)
{
    return (uint64_t)(cell->hi & TREE_BITMAP_HIGH) << 32 | cell->lo;
}

/*
 * One instruction on every processor of the last fifteen years, which a compiler that must also
 * serve older ones replaces by a call. Each step of a search counts bits.
 */
static inline unsigned tree_count_bits(uint64_t bits)
{
#if defined(__x86_64__) && !defined(__POPCNT__)
    if (__builtin_cpu_supports("popcnt")) {
        uint64_t count;
        __asm__("popcntq %1, %0" : "=r"(count) : "r"(bits) : "cc");
        return (unsigned)count;
    }
#endif
    return (unsigned)__builtin_popcountll(bits);
}

static inline unsigned tree_twigs_count(const struct tree_cell *cell)
{
    return tree_count_bits(tree_bitmap(cell));
}

/* Where the twig of a symbol is, or would be. */
static inline unsigned tree_twig_index(const struct tree_cell *cell, unsigned symbol)
{
    return tree_count_bits(tree_bitmap(cell) & ((UINT64_C(1) << symbol) - 1));
}

static inline bool tree_has_twig(const struct tree_cell *cell, unsigned symbol)
{
    return (tree_bitmap(cell) >> symbol & 1) != 0;
}

static inline const struct tree_cell *tree_twigs(uint8_t *const *chunks,
                                                 const struct tree_cell *branch)
{
    return arena_at(chunks, branch->ref);
}

static inline const struct zone_block *tree_source(uint8_t *const *chunks,
                                                   const struct tree_cell *leaf)
{
    return arena_at(chunks, leaf->ref);
}

static inline const struct zone_block *tree_generated(uint8_t *const *chunks,
                                                      const struct tree_cell *leaf)
{
    return leaf->lo != 0 ? arena_at(chunks, leaf->lo) : NULL;
}

static inline struct span tree_owner(uint8_t *const *chunks, const struct tree_cell *leaf)
{
    const struct zone_block *block = tree_source(chunks, leaf);
    return (struct span){block_owner(block), block->owner_length};
}

static inline struct zone_node tree_node(uint8_t *const *chunks, const struct tree_cell *leaf)
{
    return (struct zone_node){tree_source(chunks, leaf), tree_generated(chunks, leaf),
                              leaf->hi & TREE_FLAGS_MASK};
}

/* A leaf with which no other has more symbols in common with `key`. The tree is not empty. */
const struct tree_cell *tree_nearest(uint8_t *const *chunks, const struct tree_cell *root,
                                     const struct tree_key *key);

/* The leaf of exactly that owner, or NULL. */
const struct tree_cell *tree_find(uint8_t *const *chunks, const struct tree_cell *root,
                                  struct span owner);

/*
 * As tree_nearest(), but looks out for delegations and DNAMEs above the key: `out_cut` is the
 * topmost, then the leaf is NULL, or NULL. `owner` is the name that `key` encodes.
 */
const struct tree_cell *tree_search(uint8_t *const *chunks, const struct tree_cell *root,
                                    const struct tree_key *key, struct span owner,
                                    const struct tree_cell **out_cut);

/* The last leaf at or, if `strictly`, before the key. NULL: none. */
const struct tree_cell *tree_floor(uint8_t *const *chunks, const struct tree_cell *root,
                                   const struct tree_key *key, bool strictly);
/* The first leaf behind the key or, with `past`, behind the name and all below it. NULL: none. */
const struct tree_cell *tree_ceiling(uint8_t *const *chunks, const struct tree_cell *root,
                                     const struct tree_key *key, bool past);
/* The first and the last leaf of a tree that is not empty. */
const struct tree_cell *tree_first(uint8_t *const *chunks, const struct tree_cell *cell);
const struct tree_cell *tree_last(uint8_t *const *chunks, const struct tree_cell *cell);

/* Who changes a tree. */
struct tree_writer {
    struct arena *arena;
    struct pieces retired; /* what readers may still look at */
    bool all_fresh;
};

/* Free what the edit itself made, retire what it found. */
void tree_discard(struct tree_writer *writer, arena_ref ref, size_t bytes, bool fresh);

/*
 * The leaf of `key`, which the caller may write until the tree changes next. A created leaf is
 * all zero and must be given its source block at once. SG_LIMIT: the tree is as it was.
 */
MUST_USE enum sg_result tree_put(struct tree_writer *writer, struct tree_cell *root,
                                 const struct tree_key *key, struct tree_cell **out_leaf,
                                 bool *out_created);
/* The leaf of `key`, to be written until the tree changes next. SG_NOT_FOUND, SG_LIMIT. */
MUST_USE enum sg_result tree_own(struct tree_writer *writer, struct tree_cell *root,
                                 const struct tree_key *key, struct tree_cell **out_leaf);
/* Take the leaf out; its blocks are the caller's to discard. SG_NOT_FOUND, SG_LIMIT. */
MUST_USE enum sg_result tree_remove(struct tree_writer *writer, struct tree_cell *root,
                                    const struct tree_key *key, struct tree_cell *out_removed);

/* Let `change` write each leaf. SG_LIMIT: some were changed, the rest are as they were. */
MUST_USE enum sg_result tree_own_all(struct tree_writer *writer, struct tree_cell *root,
                                     void (*change)(void *argument, struct tree_cell *leaf),
                                     void *argument);
/* List all that is marked fresh, and take the marks away. */
void tree_collect_fresh(struct arena *arena, struct tree_cell *root, struct pieces *out_made);
/* Discard everything; the tree ends empty. */
void tree_discard_all(struct tree_writer *writer, struct tree_cell *root);
