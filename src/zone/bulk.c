#include "zone/bulk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "zone/hash.h"

enum {
    ORDER_SYMBOLS = 9,
    SYMBOL_BITS = 6,
    FLAG_BITS = BULK_FLAG_BITS,
    ENTRIES_MIN = 16,
    ENTRIES_MAX = INT32_MAX,
    FILTER_BITS = 8, /* per name; one new name in eight or more looks known */

    RADIX_BITS = 9, /* six passes over the 54 bits of nine symbols */
    RADIX = 1 << RADIX_BITS,
    RADIX_MIN = 512, /* fewer entries are sorted by insertion or merged */
    INSERTION_MAX = 24,

    PREFETCH_AHEAD = 12,
};

static_assert(ORDER_SYMBOLS * SYMBOL_BITS + FLAG_BITS == 64, "symbols and flags fill a word");

static uint64_t order_of(const struct tree_key *key, unsigned from, uint32_t flags)
{
    uint64_t order = 0;
    for (unsigned i = 0; i < ORDER_SYMBOLS; i++) {
        order = order << SYMBOL_BITS | tree_key_at(key, from + i);
    }
    return order << FLAG_BITS | flags;
}

static uint64_t symbols_of(const struct bulk_entry *entry)
{
    return entry->order >> FLAG_BITS;
}

static uint32_t flags_of(const struct bulk_entry *entry)
{
    return (uint32_t)entry->order & ((1U << FLAG_BITS) - 1);
}

static struct span owner_at(uint8_t *const *chunks, arena_ref ref)
{
    const struct zone_block *block = arena_at(chunks, ref);
    return (struct span){block_owner(block), block->owner_length};
}

static size_t filter_bits(const struct bulk *bulk)
{
    return bulk->capacity * FILTER_BITS;
}

static void put_in_filter(struct bulk *bulk, uint32_t hash)
{
    size_t bit = hash & (filter_bits(bulk) - 1);
    bulk->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool in_filter(const struct bulk *bulk, uint32_t hash)
{
    size_t bit = hash & (filter_bits(bulk) - 1);
    return (bulk->filter[bit / 64] >> bit % 64 & 1) != 0;
}

static void grow(struct bulk *bulk)
{
    bulk->capacity = bulk->capacity > 0 ? bulk->capacity * 2 : ENTRIES_MIN;
    bulk->entries = mem_resize_array(bulk->entries, bulk->capacity, sizeof(*bulk->entries));
    mem_free(bulk->filter);
    bulk->filter = mem_alloc_zero(filter_bits(bulk) / 64, sizeof(*bulk->filter));
    for (size_t i = 0; i < bulk->count; i++) {
        put_in_filter(bulk, bulk->entries[i].hash);
    }
}

/* Enter the names that are not in the hash yet; at most half of the slots are taken. */
static void catch_up(struct bulk *bulk)
{
    if (bulk->slots_mask + 1 < bulk->capacity * 2 || bulk->slots == NULL) {
        mem_free(bulk->slots);
        bulk->slots = mem_alloc_zero(bulk->capacity * 2, sizeof(*bulk->slots));
        bulk->slots_mask = bulk->capacity * 2 - 1;
        bulk->slots_count = 0;
    }
    for (size_t i = bulk->slots_count; i < bulk->count; i++) {
        uint32_t hash = bulk->entries[i].hash;
        size_t at = hash & bulk->slots_mask;
        while (bulk->slots[at] != 0) {
            at = (at + 1) & bulk->slots_mask;
        }
        bulk->slots[at] = (uint64_t)hash << 32 | (i + 1);
    }
    bulk->slots_count = bulk->count;
}

static void sort_by_insertion(struct bulk_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct bulk_entry entry = entries[i];
        size_t at = i;
        for (; at > 0 && entries[at - 1].order > entry.order; at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = entry;
    }
}

/* From the last digit to the first; a digit that all have in common costs one look. */
static void sort_by_radix(struct bulk_entry *entries, size_t count, struct bulk_entry *scratch)
{
    struct bulk_entry *from = entries;
    struct bulk_entry *to = scratch;
    for (unsigned shift = FLAG_BITS; shift < 64; shift += RADIX_BITS) {
        size_t starts[RADIX] = {0};
        for (size_t i = 0; i < count; i++) {
            starts[from[i].order >> shift & (RADIX - 1)]++;
        }
        if (starts[from[0].order >> shift & (RADIX - 1)] == count) {
            continue;
        }
        size_t sum = 0;
        for (unsigned digit = 0; digit < RADIX; digit++) {
            size_t here = starts[digit];
            starts[digit] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) {
            to[starts[from[i].order >> shift & (RADIX - 1)]++] = from[i];
        }
        struct bulk_entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries) {
        memcpy(entries, from, count * sizeof(*entries));
    }
}

static int compare_orders(const void *a, const void *b)
{
    uint64_t order_a = ((const struct bulk_entry *)a)->order;
    uint64_t order_b = ((const struct bulk_entry *)b)->order;
    return order_a < order_b ? -1 : order_a > order_b;
}

static void sort_by_order(struct bulk_entry *entries, size_t count, struct bulk_entry *scratch)
{
    if (count <= INSERTION_MAX) {
        sort_by_insertion(entries, count);
    } else if (count < RADIX_MIN) {
        qsort(entries, count, sizeof(*entries), compare_orders);
    } else {
        sort_by_radix(entries, count, scratch);
    }
}

/* Entries that have the same first `symbols` symbols. */
struct tie {
    size_t start, count;
    unsigned symbols;
};

struct ties {
    struct tie *ties;
    size_t count, capacity;
};

static void push_tie(struct ties *ties, struct tie tie)
{
    if (ties->count == ties->capacity) {
        ties->capacity = ties->capacity > 0 ? ties->capacity * 2 : ENTRIES_MIN;
        ties->ties = mem_resize_array(ties->ties, ties->capacity, sizeof(*ties->ties));
    }
    ties->ties[ties->count++] = tie;
}

static void push_ties(struct ties *ties, const struct bulk *bulk, struct tie within)
{
    const struct bulk_entry *entries = bulk->entries + within.start;
    for (size_t i = 0, end; i < within.count; i = end) {
        end = i + 1;
        while (end < within.count && symbols_of(&entries[end]) == symbols_of(&entries[i])) {
            end++;
        }
        if (end - i > 1) {
            push_tie(ties, (struct tie){within.start + i, end - i, within.symbols + ORDER_SYMBOLS});
        }
    }
}

/* By nine symbols, then those that tie by the next nine, and so on. */
static void sort(struct bulk *bulk, uint8_t *const *chunks)
{
    struct bulk_entry *scratch = mem_alloc(bulk->count * sizeof(*scratch));
    struct ties ties = {0};
    push_tie(&ties, (struct tie){0, bulk->count, 0});
    while (ties.count > 0) {
        struct tie tie = ties.ties[--ties.count];
        ASSERT(tie.symbols < TREE_KEY_SYMBOLS_MAX); /* No two names are equal. */
        struct bulk_entry *entries = bulk->entries + tie.start;
        for (size_t i = 0; tie.symbols > 0 && i < tie.count; i++) {
            if (i + PREFETCH_AHEAD < tie.count) {
                __builtin_prefetch(arena_at(chunks, entries[i + PREFETCH_AHEAD].block));
            }
            struct span owner = owner_at(chunks, entries[i].block);
            struct tree_key key;
            tree_key_encode(owner.bytes, owner.length, &key);
            entries[i].order = order_of(&key, tie.symbols, flags_of(&entries[i]));
        }
        sort_by_order(entries, tie.count, scratch);
        push_ties(&ties, bulk, tie);
    }
    mem_free(ties.ties);
    mem_free(scratch);
}

/*
 * A tree from sorted names. `open` are the branches on the way to the present name, from the root
 * down; the twigs that they have so far stand in one stack, each branch's behind its parent's.
 */
struct builder {
    struct arena *arena;
    struct tree_cell *twigs;
    size_t twigs_count, twigs_capacity;
    unsigned open_count;
    struct {
        uint64_t bitmap;
        uint32_t twigs_start;
        unsigned offset;
    } open[TREE_KEY_SYMBOLS_MAX + 1];
};

static void push_twig(struct builder *builder, struct tree_cell cell, unsigned symbol)
{
    if (builder->twigs_count == builder->twigs_capacity) {
        builder->twigs_capacity = builder->twigs_capacity > 0 ? builder->twigs_capacity * 2 : 64;
        builder->twigs =
            mem_resize_array(builder->twigs, builder->twigs_capacity, sizeof(*builder->twigs));
    }
    builder->twigs[builder->twigs_count++] = cell;
    builder->open[builder->open_count - 1].bitmap |= UINT64_C(1) << symbol;
}

/* Write the innermost branch's twigs; the branch takes their place. */
static enum sg_result close_branch(struct builder *builder, struct tree_cell *out_branch)
{
    unsigned top = builder->open_count - 1;
    size_t start = builder->open[top].twigs_start;
    size_t bytes = (builder->twigs_count - start) * sizeof(struct tree_cell);
    arena_ref ref;
    enum sg_result result = arena_alloc(builder->arena, bytes, &ref);
    if (result != SG_OK) {
        return result;
    }
    memcpy(arena_write(builder->arena, ref), builder->twigs + start, bytes);
    uint64_t bitmap = builder->open[top].bitmap;
    *out_branch = (struct tree_cell){
        .lo = (uint32_t)bitmap,
        .hi = TREE_BRANCH | (uint32_t)(bitmap >> 32) |
              (uint32_t)builder->open[top].offset << TREE_OFFSET_SHIFT,
        .ref = ref,
    };
    builder->twigs_count = start;
    builder->open_count--;
    return SG_OK;
}

/* Put `cell`, the last one below here whose key is `key`, where it parts from what follows. */
static enum sg_result part(struct builder *builder, struct tree_cell cell,
                           const struct tree_key *key, unsigned offset)
{
    while (builder->open_count > 0 && builder->open[builder->open_count - 1].offset > offset) {
        unsigned symbol = tree_key_at(key, builder->open[builder->open_count - 1].offset);
        push_twig(builder, cell, symbol);
        enum sg_result result = close_branch(builder, &cell);
        if (result != SG_OK) {
            return result;
        }
    }
    if (builder->open_count == 0 || builder->open[builder->open_count - 1].offset < offset) {
        unsigned top = builder->open_count++;
        builder->open[top].bitmap = 0;
        builder->open[top].offset = offset;
        builder->open[top].twigs_start = (uint32_t)builder->twigs_count;
    }
    push_twig(builder, cell, tree_key_at(key, offset));
    return SG_OK;
}

static enum sg_result end(struct builder *builder, struct tree_cell cell,
                          const struct tree_key *key, struct tree_cell *out_root)
{
    while (builder->open_count > 0) {
        push_twig(builder, cell, tree_key_at(key, builder->open[builder->open_count - 1].offset));
        enum sg_result result = close_branch(builder, &cell);
        if (result != SG_OK) {
            return result;
        }
    }
    *out_root = cell;
    return SG_OK;
}

static enum sg_result build(const struct bulk *bulk, struct builder *builder,
                            struct tree_cell *out_root)
{
    uint8_t *const *chunks = builder->arena->chunks;
    struct tree_key keys[2];
    struct span owner = owner_at(chunks, bulk->entries[0].block);
    tree_key_encode(owner.bytes, owner.length, &keys[0]);
    for (size_t i = 0; i < bulk->count; i++) {
        const struct bulk_entry *entry = &bulk->entries[i];
        struct tree_key *key = &keys[i % 2];
        struct tree_cell leaf = {.hi = flags_of(entry), .ref = entry->block};
        if (i + 1 == bulk->count) {
            return end(builder, leaf, key, out_root);
        }
        if (i + PREFETCH_AHEAD < bulk->count) {
            __builtin_prefetch(arena_at(chunks, bulk->entries[i + PREFETCH_AHEAD].block));
        }
        struct tree_key *next = &keys[(i + 1) % 2];
        owner = owner_at(chunks, bulk->entries[i + 1].block);
        tree_key_encode(owner.bytes, owner.length, next);
        unsigned offset = tree_key_difference(key, next);
        enum sg_result result = part(builder, leaf, key, offset);
        if (result != SG_OK) {
            return result;
        }
    }
    UNREACHABLE();
}

uint32_t bulk_hash(struct bulk *bulk, struct span owner)
{
    if (bulk->seed == 0) {
        random_bytes(&bulk->seed, sizeof(bulk->seed));
    }
    return (uint32_t)hash_bytes(bulk->seed, owner.bytes, owner.length);
}

uint32_t bulk_find(struct bulk *bulk, uint8_t *const *chunks, struct span owner, uint32_t hash)
{
    if (bulk->count == 0 || !in_filter(bulk, hash)) {
        return BULK_NONE;
    }
    catch_up(bulk);
    for (size_t at = hash & bulk->slots_mask;; at = (at + 1) & bulk->slots_mask) {
        uint64_t slot = bulk->slots[at];
        if (slot == 0) {
            return BULK_NONE;
        }
        uint32_t index = (uint32_t)slot - 1;
        if (slot >> 32 != hash) {
            continue;
        }
        struct span there = owner_at(chunks, bulk->entries[index].block);
        if (there.length == owner.length &&
            (owner.length == 0 || memcmp(there.bytes, owner.bytes, owner.length) == 0)) {
            return index;
        }
    }
}

enum sg_result bulk_add(struct bulk *bulk, struct span owner, uint32_t hash, arena_ref block,
                        uint32_t flags)
{
    if (bulk->count == ENTRIES_MAX) {
        return SG_LIMIT;
    }
    if (bulk->count == bulk->capacity) {
        grow(bulk);
    }
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    put_in_filter(bulk, hash);
    if (bulk->slots != NULL) {
        __builtin_prefetch(&bulk->slots[hash & bulk->slots_mask], 1); /* for catch_up() */
    }
    bulk->entries[bulk->count++] = (struct bulk_entry){order_of(&key, 0, flags), block, hash};
    return SG_OK;
}

void bulk_replace(struct bulk *bulk, uint32_t entry, arena_ref block, uint32_t flags)
{
    bulk->entries[entry].order = (bulk->entries[entry].order >> FLAG_BITS << FLAG_BITS) | flags;
    bulk->entries[entry].block = block;
}

enum sg_result bulk_build(struct bulk *bulk, struct arena *arena, struct tree_cell *out_root)
{
    if (bulk->count == 0) {
        *out_root = (struct tree_cell){0};
        bulk_clear(bulk);
        return SG_OK;
    }
    sort(bulk, arena->chunks);
    struct builder *builder = mem_alloc_zero(1, sizeof(*builder));
    builder->arena = arena;
    enum sg_result result = build(bulk, builder, out_root);
    mem_free(builder->twigs);
    mem_free(builder);
    bulk_clear(bulk);
    return result;
}

void bulk_clear(struct bulk *bulk)
{
    mem_free(bulk->entries);
    mem_free(bulk->filter);
    mem_free(bulk->slots);
    *bulk = (struct bulk){0};
}
