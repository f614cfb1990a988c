#include "zone/bulk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "zone/hash.h"

enum {
    SYMBOL_BITS = 6,
    FLAG_BITS = BULK_FLAG_BITS,
    FIRST_SYMBOLS = 9,   /* in order[0] */
    SECOND_SYMBOLS = 10, /* in order[1] */
    ORDER_SYMBOLS = FIRST_SYMBOLS + SECOND_SYMBOLS,
    WORD_BITS = 64,

    ENTRIES_MIN = 16,
    ENTRIES_MAX = INT32_MAX,
    FILTER_BITS = 8, /* per name; one new name in eight or more looks known */

    RADIX_BITS = 11, /* five passes over the 54 bits of nine symbols */
    RADIX = 1 << RADIX_BITS,
    RADIX_MIN = 2048, /* fewer entries are sorted by insertion or by qsort() */
    INSERTION_MAX = 24,

    PREFETCH_AHEAD = 12,
};

static_assert(FIRST_SYMBOLS * SYMBOL_BITS + FLAG_BITS == WORD_BITS, "symbols and flags are a word");
static_assert(SECOND_SYMBOLS * SYMBOL_BITS <= WORD_BITS, "ten symbols fit a word");

static uint64_t pack_symbols(const struct tree_key *key, unsigned from, unsigned count)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < count; i++) {
        word = word << SYMBOL_BITS | tree_key_at(key, from + i);
    }
    return word << (WORD_BITS - count * SYMBOL_BITS);
}

static void set_order(struct bulk_entry *entry, const struct tree_key *key, unsigned from,
                      uint32_t flags)
{
    entry->order[0] = pack_symbols(key, from, FIRST_SYMBOLS) | flags;
    entry->order[1] = pack_symbols(key, from + FIRST_SYMBOLS, SECOND_SYMBOLS);
}

static uint32_t flags_of(const struct bulk_entry *entry)
{
    return (uint32_t)entry->order[0] & ((1U << FLAG_BITS) - 1);
}

static uint64_t first_symbols(const struct bulk_entry *entry)
{
    return entry->order[0] >> FLAG_BITS << FLAG_BITS;
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

static void grow_entries(struct bulk *bulk)
{
    bulk->capacity = bulk->capacity > 0 ? bulk->capacity * 2 : ENTRIES_MIN;
    bulk->entries = mem_resize_array(bulk->entries, bulk->capacity, sizeof(*bulk->entries));
}

static void grow(struct bulk *bulk)
{
    grow_entries(bulk);
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

static int compare_orders(const void *a, const void *b)
{
    const struct bulk_entry *entry_a = a;
    const struct bulk_entry *entry_b = b;
    uint64_t first_a = first_symbols(entry_a);
    uint64_t first_b = first_symbols(entry_b);
    if (first_a != first_b) {
        return first_a < first_b ? -1 : 1;
    }
    return entry_a->order[1] < entry_b->order[1] ? -1 : entry_a->order[1] > entry_b->order[1];
}

static void sort_few(struct bulk_entry *entries, size_t count)
{
    if (count > INSERTION_MAX) {
        qsort(entries, count, sizeof(*entries), compare_orders);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct bulk_entry entry = entries[i];
        size_t at = i;
        for (; at > 0 && compare_orders(&entries[at - 1], &entry) > 0; at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = entry;
    }
}

/* By order[0], from its last digit to the first; a digit that all have in common costs one look. */
static void sort_many(struct bulk_entry *entries, size_t count, struct bulk_entry *scratch)
{
    struct bulk_entry *from = entries;
    struct bulk_entry *to = scratch;
    for (unsigned shift = FLAG_BITS; shift < WORD_BITS; shift += RADIX_BITS) {
        size_t starts[RADIX] = {0};
        for (size_t i = 0; i < count; i++) {
            starts[from[i].order[0] >> shift & (RADIX - 1)]++;
        }
        if (starts[from[0].order[0] >> shift & (RADIX - 1)] == count) {
            continue;
        }
        size_t sum = 0;
        for (unsigned digit = 0; digit < RADIX; digit++) {
            size_t here = starts[digit];
            starts[digit] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) {
            to[starts[from[i].order[0] >> shift & (RADIX - 1)]++] = from[i];
        }
        struct bulk_entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries) {
        memcpy(entries, from, count * sizeof(*entries));
    }
}

/* Where the run of entries with equal symbols that begins at `start` ends. */
static size_t run_end(const struct bulk_entry *entries, size_t start, size_t count, bool both)
{
    size_t end = start + 1;
    while (end < count && first_symbols(&entries[end]) == first_symbols(&entries[start]) &&
           (!both || entries[end].order[1] == entries[start].order[1])) {
        end++;
    }
    return end;
}

static void sort_by_order(struct bulk_entry *entries, size_t count, struct bulk_entry *scratch)
{
    if (count < RADIX_MIN) {
        sort_few(entries, count);
        return;
    }
    sort_many(entries, count, scratch);
    for (size_t i = 0, end; i < count; i = end) {
        end = run_end(entries, i, count, false);
        sort_few(entries + i, end - i);
    }
}

/*
 * Entries that have the same first `symbols` symbols: to be sorted by the next 19, which take
 * the place of their `order` for as long; a task below on the stack puts it back.
 */
struct tie {
    size_t start, count;
    unsigned symbols;
    bool restore;
    uint64_t order[2];
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

static void push_ties(struct ties *ties, const struct bulk_entry *entries, struct tie within)
{
    for (size_t i = 0, end; i < within.count; i = end) {
        end = run_end(entries, i, within.count, true);
        if (end - i == 1) {
            continue;
        }
        struct tie tie = {.start = within.start + i, .count = end - i};
        tie.restore = true;
        tie.order[0] = first_symbols(&entries[i]);
        tie.order[1] = entries[i].order[1];
        push_tie(ties, tie);
        tie.restore = false;
        tie.symbols = within.symbols + ORDER_SYMBOLS;
        push_tie(ties, tie);
    }
}

static void restore(struct bulk_entry *entries, const struct tie *tie)
{
    for (size_t i = 0; i < tie->count; i++) {
        entries[i].order[0] = tie->order[0] | flags_of(&entries[i]);
        entries[i].order[1] = tie->order[1];
    }
}

static void read_next_symbols(struct bulk_entry *entries, const struct tie *tie,
                              uint8_t *const *chunks)
{
    for (size_t i = 0; i < tie->count; i++) {
        if (i + PREFETCH_AHEAD < tie->count) {
            __builtin_prefetch(arena_at(chunks, entries[i + PREFETCH_AHEAD].block));
        }
        struct span owner = owner_at(chunks, entries[i].block);
        struct tree_key key;
        tree_key_encode(owner.bytes, owner.length, &key);
        set_order(&entries[i], &key, tie->symbols, flags_of(&entries[i]));
    }
}

static void sort(struct bulk *bulk, uint8_t *const *chunks)
{
    struct bulk_entry *scratch = mem_alloc(bulk->count * sizeof(*scratch));
    struct ties ties = {0};
    push_tie(&ties, (struct tie){.count = bulk->count});
    while (ties.count > 0) {
        struct tie tie = ties.ties[--ties.count];
        struct bulk_entry *entries = bulk->entries + tie.start;
        ASSERT(tie.symbols < TREE_KEY_SYMBOLS_MAX); /* No two names are equal. */
        if (tie.restore) {
            restore(entries, &tie);
            continue;
        }
        if (tie.symbols > 0) {
            read_next_symbols(entries, &tie, chunks);
        }
        sort_by_order(entries, tie.count, scratch);
        push_ties(&ties, entries, tie);
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
    const struct bulk_entry *name;   /* the present one, and the next */
    const struct bulk_entry *key_of; /* whose key `key` is: for symbols beyond the first 19 */
    struct tree_key key;
    struct tree_cell *twigs;
    size_t twigs_count, twigs_capacity;
    unsigned open_count;
    struct {
        uint64_t bitmap;
        uint32_t twigs_start;
        unsigned offset;
    } open[TREE_KEY_SYMBOLS_MAX + 1];
};

static unsigned symbol_at(struct builder *builder, unsigned offset)
{
    const struct bulk_entry *name = builder->name;
    if (offset < ORDER_SYMBOLS) {
        unsigned word = offset >= FIRST_SYMBOLS;
        unsigned place = word != 0 ? offset - FIRST_SYMBOLS : offset;
        unsigned shift = WORD_BITS - (place + 1) * SYMBOL_BITS;
        return (unsigned)(name->order[word] >> shift) & ((1U << SYMBOL_BITS) - 1);
    }
    if (builder->key_of != name) {
        struct span owner = owner_at(builder->arena->chunks, name->block);
        tree_key_encode(owner.bytes, owner.length, &builder->key);
        builder->key_of = name;
    }
    return tree_key_at(&builder->key, offset);
}

/* Where the present name parts from the next. */
static unsigned difference(const struct builder *builder)
{
    const struct bulk_entry *name = builder->name;
    uint64_t first = first_symbols(name) ^ first_symbols(name + 1);
    uint64_t second = name->order[1] ^ name[1].order[1];
    if (first != 0) {
        return (unsigned)__builtin_clzll(first) / SYMBOL_BITS;
    }
    if (second != 0) {
        return FIRST_SYMBOLS + (unsigned)__builtin_clzll(second) / SYMBOL_BITS;
    }
    struct tree_key keys[2];
    for (unsigned i = 0; i < 2; i++) {
        struct span owner = owner_at(builder->arena->chunks, name[i].block);
        tree_key_encode(owner.bytes, owner.length, &keys[i]);
    }
    return tree_key_difference(&keys[0], &keys[1]);
}

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

/* Close all branches that begin behind the offset; `cell` goes into the innermost first. */
static enum sg_result close_behind(struct builder *builder, int offset, struct tree_cell *cell)
{
    while (builder->open_count > 0 && (int)builder->open[builder->open_count - 1].offset > offset) {
        push_twig(builder, *cell,
                  symbol_at(builder, builder->open[builder->open_count - 1].offset));
        enum sg_result result = close_branch(builder, cell);
        if (result != SG_OK) {
            return result;
        }
    }
    return SG_OK;
}

/* Put the present name where it parts from the next. */
static enum sg_result part(struct builder *builder, struct tree_cell cell)
{
    unsigned offset = difference(builder);
    enum sg_result result = close_behind(builder, (int)offset, &cell);
    if (result != SG_OK) {
        return result;
    }
    if (builder->open_count == 0 || builder->open[builder->open_count - 1].offset < offset) {
        unsigned top = builder->open_count++;
        builder->open[top].bitmap = 0;
        builder->open[top].offset = offset;
        builder->open[top].twigs_start = (uint32_t)builder->twigs_count;
    }
    push_twig(builder, cell, symbol_at(builder, offset));
    return SG_OK;
}

static enum sg_result build(const struct bulk *bulk, struct builder *builder,
                            struct tree_cell *out_root)
{
    struct tree_cell cell = {0};
    for (size_t i = 0; i < bulk->count; i++) {
        builder->name = &bulk->entries[i];
        cell = (struct tree_cell){.lo = bulk->in_order ? builder->name->generated : 0,
                                  .hi = flags_of(builder->name),
                                  .ref = builder->name->block};
        enum sg_result result =
            i + 1 < bulk->count ? part(builder, cell) : close_behind(builder, -1, &cell);
        if (result != SG_OK) {
            return result;
        }
    }
    *out_root = cell;
    return SG_OK;
}

uint32_t bulk_hash(struct bulk *bulk, struct span owner)
{
    if (bulk->seed == 0) {
        random_bytes(&bulk->seed, sizeof(bulk->seed));
    }
    return (uint32_t)hash_bytes(bulk->seed, owner.bytes, owner.length);
}

void bulk_prefetch(const struct bulk *bulk, uint32_t hash)
{
    if (bulk->count > 0) {
        __builtin_prefetch(&bulk->filter[(hash & (filter_bits(bulk) - 1)) / 64]);
    }
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
    struct bulk_entry *entry = &bulk->entries[bulk->count++];
    entry->block = block;
    entry->hash = hash;
    set_order(entry, &key, 0, flags);
    return SG_OK;
}

void bulk_replace(struct bulk *bulk, uint32_t entry, arena_ref block, uint32_t flags)
{
    bulk->entries[entry].order[0] = first_symbols(&bulk->entries[entry]) | flags;
    bulk->entries[entry].block = block;
}

/* The first symbols decide nearly always. */
static bool is_before(uint8_t *const *chunks, const struct bulk_entry *last,
                      const struct bulk_entry *entry, const struct tree_key *key)
{
    int order = compare_orders(last, entry);
    if (order != 0) {
        return order < 0;
    }
    struct span owner = owner_at(chunks, last->block);
    struct tree_key last_key;
    tree_key_encode(owner.bytes, owner.length, &last_key);
    unsigned at = tree_key_difference(&last_key, key);
    return at != TREE_KEYS_EQUAL && tree_key_at(&last_key, at) < tree_key_at(key, at);
}

enum sg_result bulk_append(struct bulk *bulk, uint8_t *const *chunks, const struct tree_cell *leaf)
{
    ASSERT(bulk->in_order || bulk->count == 0);
    if (bulk->count == ENTRIES_MAX) {
        return SG_LIMIT;
    }
    struct span owner = owner_at(chunks, leaf->ref);
    struct bulk_entry entry = {.block = leaf->ref};
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    set_order(&entry, &key, 0, leaf->hi);
    entry.generated = leaf->lo;
    if (bulk->count > 0 && !is_before(chunks, &bulk->entries[bulk->count - 1], &entry, &key)) {
        return SG_MALFORMED;
    }
    if (bulk->count == bulk->capacity) {
        grow_entries(bulk);
    }
    bulk->in_order = true;
    bulk->entries[bulk->count++] = entry;
    return SG_OK;
}

enum sg_result bulk_build(struct bulk *bulk, struct arena *arena, struct tree_cell *out_root)
{
    if (bulk->count == 0) {
        *out_root = (struct tree_cell){0};
        bulk_clear(bulk);
        return SG_OK;
    }
    /* All names are known now; what found them makes room for the sort. */
    mem_free(bulk->filter);
    mem_free(bulk->slots);
    bulk->filter = NULL;
    bulk->slots = NULL;
    if (!bulk->in_order) {
        sort(bulk, arena->chunks);
    }
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
