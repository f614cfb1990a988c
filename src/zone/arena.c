#include "zone/arena.h"

#include <string.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#endif

/*
 * A free block holds the ref of the next one of its size in its first four bytes. Under
 * AddressSanitizer the rest of it is poisoned, so that whoever reads a retired block is caught.
 */
enum {
    EXACT_GRANULES_MAX = 64, /* up to here a free list holds one size */
    EXACT_LOG = 6,
    STEPS_LOG = 2, /* beyond, four sizes per power of two ... */
    DOUBLINGS = 5, /* ... up to 2048 granules, 16 KiB */
    CLASSES = EXACT_GRANULES_MAX + DOUBLINGS * (1 << STEPS_LOG),
    CLASS_GRANULES_MAX = EXACT_GRANULES_MAX << DOUBLINGS,
    FREE_HEADS_BYTES = CLASSES * sizeof(arena_ref),

    GROWTH_FRACTION = 4,      /* the next chunk is a fourth of all before it */
    BIG_FRACTION = 4,         /* a block above a fourth of the largest chunk gets its own */
    TRIM_BYTES_MIN = 1 << 18, /* less than that is not worth a pass ... */
    TRIM_FRACTION = 8,        /* ... nor is less than an eighth of the arena */
    BRIEF_FRACTION = 4,       /* a pile's chunk that is a fourth empty is copied, not kept */
    ROOM_FRACTION = 8,        /* nor is any when an eighth of the arena is free */
};

const struct arena_sizes arena_sizes_default = {512, ARENA_SPAN_BYTES, ARENA_CHUNKS_MAX - 1};

static void poison(const void *at, size_t bytes)
{
#ifdef ARENA_POISON
    ASAN_POISON_MEMORY_REGION(at, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

static void unpoison(const void *at, size_t bytes)
{
#ifdef ARENA_POISON
    ASAN_UNPOISON_MEMORY_REGION(at, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

/* The power of two below a size beyond the exact ones. */
static unsigned log_below(uint32_t granules)
{
    unsigned log = EXACT_LOG;
    while (log < EXACT_LOG + DOUBLINGS - 1 && granules > 2U << log) {
        log++;
    }
    return log;
}

/* The granules that a block of so many bytes takes. */
static uint32_t granules_of(size_t bytes)
{
    uint32_t granules = (uint32_t)((bytes + ARENA_GRANULE - 1) / ARENA_GRANULE);
    if (granules <= EXACT_GRANULES_MAX) {
        return granules;
    }
    uint32_t step = 1U << (log_below(granules) - STEPS_LOG);
    return (granules + step - 1) & ~(step - 1);
}

/* The free list of blocks of exactly so many granules. */
static unsigned class_of(uint32_t granules)
{
    if (granules <= EXACT_GRANULES_MAX) {
        return granules - 1;
    }
    unsigned log = log_below(granules);
    unsigned quarter = (granules - 1) >> (log - STEPS_LOG) & ((1 << STEPS_LOG) - 1);
    return EXACT_GRANULES_MAX + (log - EXACT_LOG) * (1 << STEPS_LOG) + quarter;
}

static uint32_t class_granules(unsigned class)
{
    ASSERT(class < CLASSES);
    if (class < EXACT_GRANULES_MAX) {
        return class + 1;
    }
    unsigned log = EXACT_LOG + (class - EXACT_GRANULES_MAX) / (1 << STEPS_LOG);
    unsigned quarter = (class - EXACT_GRANULES_MAX) % (1 << STEPS_LOG);
    return (1U << log) + ((quarter + 1) << (log - STEPS_LOG));
}

/* The largest size that fits in so many granules. */
static unsigned class_within(uint32_t granules)
{
    if (granules >= CLASS_GRANULES_MAX) {
        return CLASSES - 1;
    }
    uint32_t rounded = granules_of((size_t)granules * ARENA_GRANULE);
    return rounded > granules ? class_of(rounded) - 1 : class_of(rounded);
}

static bool is_big(const struct arena *arena, size_t bytes)
{
    return bytes > arena->sizes.chunk_bytes_max / BIG_FRACTION;
}

static uint32_t spans_of(size_t bytes)
{
    return (uint32_t)((bytes + ARENA_SPAN_BYTES - 1) / ARENA_SPAN_BYTES);
}

static void grow_table(struct arena *arena, uint32_t count)
{
    uint32_t capacity = arena->capacity < 4 ? 4 : arena->capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    uint8_t **chunks = mem_alloc_zero(capacity, sizeof(*chunks));
    if (arena->chunks != NULL) {
        memcpy(chunks, arena->chunks, arena->count * sizeof(*chunks));
        struct arena_old_table *old = mem_alloc(sizeof(*old));
        *old = (struct arena_old_table){arena->old_tables, arena->chunks};
        arena->old_tables = old;
    }
    arena->chunks = chunks;
    arena->notes = mem_resize_array(arena->notes, capacity, sizeof(*arena->notes));
    memset(arena->notes + arena->count, 0, (capacity - arena->count) * sizeof(*arena->notes));
    arena->capacity = capacity;
}

/* `wanted` neighbouring indices: from the holes if they are there, else at the end. */
static enum sg_result take_indices(struct arena *arena, uint32_t wanted, uint32_t *out_first)
{
    if (arena->count == 0) {
        grow_table(arena, 1);
        arena->notes[0].continuation = true; /* the first span is void: its first ref means none */
        arena->count = 1;
    }
    uint32_t run = 0;
    for (uint32_t i = 0; arena->holes >= wanted && i < arena->count; i++) {
        run = arena->notes[i].bytes == 0 && !arena->notes[i].continuation ? run + 1 : 0;
        if (run == wanted) {
            arena->holes -= wanted;
            *out_first = i + 1 - wanted;
            return SG_OK;
        }
    }
    if (wanted > arena->sizes.chunks_max - arena->count) {
        return SG_LIMIT;
    }
    if (arena->count + wanted > arena->capacity) {
        grow_table(arena, arena->count + wanted);
    }
    *out_first = arena->count;
    arena->count += wanted;
    return SG_OK;
}

static void place_chunk(struct arena *arena, uint32_t first, uint8_t *bytes, uint32_t size)
{
    uint32_t spans = spans_of(size);
    for (uint32_t i = 0; i < spans; i++) {
        arena->chunks[first + i] = bytes + (size_t)i * ARENA_SPAN_BYTES;
        arena->notes[first + i] = (struct arena_note){.continuation = i > 0};
    }
    arena->notes[first].bytes = size;
    arena->bytes += size;
}

static void drop_chunk(struct arena *arena, uint32_t first)
{
    uint32_t size = arena->notes[first].bytes;
    uint32_t spans = spans_of(size);
    unpoison(arena->chunks[first], size);
    mem_free(arena->chunks[first]);
    for (uint32_t i = 0; i < spans; i++) {
        arena->chunks[first + i] = NULL;
        arena->notes[first + i] = (struct arena_note){0};
    }
    arena->bytes -= size;
    arena->holes += spans;
    while (arena->count > 0 && arena->notes[arena->count - 1].bytes == 0 &&
           !arena->notes[arena->count - 1].continuation) {
        arena->count--;
        arena->holes--;
    }
}

static enum sg_result new_chunk(struct arena *arena, uint32_t bytes, uint32_t *out_index)
{
    enum sg_result result = take_indices(arena, spans_of(bytes), out_index);
    if (result != SG_OK) {
        return result;
    }
    place_chunk(arena, *out_index, mem_alloc(bytes), bytes);
    return SG_OK;
}

static bool is_bump_chunk(const struct arena *arena, uint32_t index)
{
    return arena->bump_end != 0 && (arena->bump_end - 1) >> ARENA_SPAN_BITS == index;
}

static void add_live(struct arena *arena, arena_ref ref, uint32_t granules)
{
    struct arena_note *note = &arena->notes[ref >> ARENA_SPAN_BITS];
    if (note->live == 0 && !is_bump_chunk(arena, ref >> ARENA_SPAN_BITS)) {
        arena->dead_bytes -= note->bytes;
    }
    note->live += granules;
}

static void remove_live(struct arena *arena, arena_ref ref, uint32_t granules)
{
    struct arena_note *note = &arena->notes[ref >> ARENA_SPAN_BITS];
    ASSERT(note->live >= granules);
    note->live -= granules;
    if (note->live == 0 && !is_bump_chunk(arena, ref >> ARENA_SPAN_BITS)) {
        arena->dead_bytes += note->bytes;
    }
}

static void push_free(struct arena *arena, arena_ref ref, uint32_t granules)
{
    if (arena->free_heads == NULL) {
        arena->free_heads = mem_alloc_zero(CLASSES, sizeof(*arena->free_heads));
    }
    arena_ref *head = &arena->free_heads[class_of(granules)];
    uint8_t *at = arena_write(arena, ref);
    memcpy(at, head, sizeof(*head));
    *head = ref;
    arena->free_bytes += (uint64_t)granules * ARENA_GRANULE;
    poison(at, (size_t)granules * ARENA_GRANULE);
}

static arena_ref free_next(const struct arena *arena, arena_ref ref)
{
    arena_ref next;
    const uint8_t *at = arena_at(arena->chunks, ref);
    unpoison(at, sizeof(next));
    memcpy(&next, at, sizeof(next));
    poison(at, ARENA_GRANULE);
    return next;
}

static arena_ref pop_free(struct arena *arena, uint32_t granules)
{
    if (arena->free_heads == NULL) {
        return 0;
    }
    arena_ref *head = &arena->free_heads[class_of(granules)];
    arena_ref ref = *head;
    if (ref != 0) {
        *head = free_next(arena, ref);
        arena->free_bytes -= (uint64_t)granules * ARENA_GRANULE;
        unpoison(arena_at(arena->chunks, ref), (size_t)granules * ARENA_GRANULE);
    }
    return ref;
}

static bool is_dead(const struct arena *arena, uint32_t index)
{
    return arena->notes[index].live == 0 && !is_bump_chunk(arena, index);
}

/* Take the blocks in dead chunks off a free list. */
static void forget_dead(struct arena *arena, unsigned class)
{
    arena_ref kept = 0;
    for (arena_ref ref = arena->free_heads[class], next; ref != 0; ref = next) {
        next = free_next(arena, ref);
        if (is_dead(arena, ref >> ARENA_SPAN_BITS)) {
            arena->free_bytes -= (uint64_t)class_granules(class) * ARENA_GRANULE;
            continue;
        }
        uint8_t *at = arena_write(arena, ref);
        unpoison(at, sizeof(kept));
        memcpy(at, &kept, sizeof(kept));
        poison(at, ARENA_GRANULE);
        kept = ref;
    }
    arena->free_heads[class] = kept;
}

/* What is left of the present chunk becomes free blocks, of as few sizes as possible. */
static void end_bump(struct arena *arena)
{
    arena_ref at = arena->bump;
    arena_ref end = arena->bump_end;
    arena->bump = 0;
    arena->bump_end = 0;
    if (end != 0 && arena->notes[(end - 1) >> ARENA_SPAN_BITS].live == 0) {
        arena->dead_bytes += arena->notes[(end - 1) >> ARENA_SPAN_BITS].bytes;
    }
    if (arena->free_heads == NULL && (end - at) * ARENA_GRANULE < FREE_HEADS_BYTES) {
        return; /* The lists would cost more than they save. */
    }
    while (at < end) {
        unsigned class = class_within(end - at);
        push_free(arena, at, class_granules(class));
        at += class_granules(class);
    }
}

/* A fourth of what there is, so that at most a fifth of a small zone is empty. */
static uint32_t next_chunk_bytes(const struct arena *arena)
{
    uint64_t own = arena->bytes - arena->guest_bytes;
    uint64_t steps = own / GROWTH_FRACTION / arena->sizes.chunk_bytes_min + 1;
    uint64_t bytes = steps * arena->sizes.chunk_bytes_min;
    return bytes < arena->sizes.chunk_bytes_max ? (uint32_t)bytes : arena->sizes.chunk_bytes_max;
}

static enum sg_result bump_chunk(struct arena *arena, uint32_t granules)
{
    uint32_t needed = granules * ARENA_GRANULE;
    uint32_t bytes = next_chunk_bytes(arena);
    bytes = bytes < needed ? needed : bytes;
    end_bump(arena);
    uint32_t index;
    enum sg_result result = new_chunk(arena, bytes, &index);
    if (result != SG_OK) {
        return result;
    }
    arena->bump = index << ARENA_SPAN_BITS;
    arena->bump_end = (index << ARENA_SPAN_BITS) + bytes / ARENA_GRANULE;
    return SG_OK;
}

static enum sg_result alloc_big(struct arena *arena, size_t bytes, arena_ref *out_ref)
{
    uint32_t index;
    uint32_t rounded = (uint32_t)((bytes + ARENA_GRANULE - 1) & ~(size_t)(ARENA_GRANULE - 1));
    enum sg_result result = new_chunk(arena, rounded, &index);
    if (result != SG_OK) {
        return result;
    }
    arena->notes[index].live = rounded / ARENA_GRANULE;
    *out_ref = index << ARENA_SPAN_BITS;
    return SG_OK;
}

void arena_init(struct arena *arena, const struct arena_sizes *sizes)
{
    ASSERT(sizes->chunks_max < ARENA_CHUNKS_MAX && sizes->chunk_bytes_max <= ARENA_SPAN_BYTES);
    *arena = (struct arena){.sizes = *sizes};
}

void arena_clear(struct arena *arena)
{
    for (uint32_t i = 0; i < arena->count; i++) {
        if (arena->notes[i].bytes > 0) {
            unpoison(arena->chunks[i], arena->notes[i].bytes);
            mem_free(arena->chunks[i]);
        }
    }
    mem_free(arena->chunks);
    mem_free(arena->notes);
    mem_free(arena->free_heads);
    arena_free_old_tables(arena->old_tables);
    struct arena_sizes sizes = arena->sizes;
    arena_init(arena, &sizes);
}

enum sg_result arena_alloc(struct arena *arena, size_t bytes, arena_ref *out_ref)
{
    if (is_big(arena, bytes)) {
        return alloc_big(arena, bytes, out_ref);
    }
    uint32_t granules = granules_of(bytes);
    arena_ref ref = pop_free(arena, granules);
    if (ref == 0 && arena->bump_end - arena->bump < granules) {
        enum sg_result result = bump_chunk(arena, granules);
        if (result != SG_OK) {
            return result;
        }
    }
    if (ref == 0) {
        ref = arena->bump;
        arena->bump += granules;
    }
    add_live(arena, ref, granules);
    *out_ref = ref;
    return SG_OK;
}

void arena_free(struct arena *arena, arena_ref ref, size_t bytes)
{
    if (is_big(arena, bytes)) {
        drop_chunk(arena, ref >> ARENA_SPAN_BITS);
        return;
    }
    uint32_t granules = granules_of(bytes);
    remove_live(arena, ref, granules);
    push_free(arena, ref, granules);
}

void arena_trim(struct arena *arena)
{
    if (arena->dead_bytes < TRIM_BYTES_MIN || arena->dead_bytes < arena->bytes / TRIM_FRACTION) {
        return;
    }
    for (unsigned class = 0; arena->free_heads != NULL && class < CLASSES; class ++) {
        forget_dead(arena, class);
    }
    for (uint32_t i = arena->count; i-- > 0;) {
        uint32_t bytes = arena->notes[i].bytes;
        if (bytes > 0 && is_dead(arena, i)) {
            arena->dead_bytes -= bytes;
            drop_chunk(arena, i);
        }
    }
}

void arena_rest(struct arena *arena)
{
    if (arena->free_bytes < FREE_HEADS_BYTES) {
        mem_free(arena->free_heads);
        arena->free_heads = NULL;
        arena->free_bytes = 0;
    }
}

/*
 * A guest stays where it is if it is as large as a chunk can be and well filled, and if there is
 * not much room in the free lists, which its blocks had better fill. Those that stay are later
 * freed by the rules of this arena, so both must have the same.
 */
static enum arena_chunk_kind guest_kind(const struct arena *arena, const struct arena *other,
                                        const struct arena_note *note)
{
    bool same = memcmp(&arena->sizes, &other->sizes, sizeof(arena->sizes)) == 0;
    bool full = note->bytes >= other->sizes.chunk_bytes_max;
    bool used = note->live >= note->bytes / ARENA_GRANULE / BRIEF_FRACTION * (BRIEF_FRACTION - 1);
    bool room = arena->free_bytes > arena->bytes / ROOM_FRACTION;
    return same && full && used && !room ? ARENA_CHUNK_GUEST : ARENA_CHUNK_BRIEF;
}

enum sg_result arena_adopt(struct arena *arena, struct arena *other, arena_ref *out_base)
{
    uint32_t first = 1;
    if (other->count > 1) {
        enum sg_result result = take_indices(arena, other->count - 1, &first);
        if (result != SG_OK) {
            return result;
        }
    }
    for (uint32_t i = 1; i < other->count; i++) {
        const struct arena_note *note = &other->notes[i];
        if (note->continuation) {
            continue;
        }
        ASSERT(note->bytes > 0); /* A pile frees nothing, so it has no holes. */
        uint32_t index = first + i - 1;
        enum arena_chunk_kind kind = guest_kind(arena, other, note);
        unpoison(other->chunks[i], note->bytes);
        place_chunk(arena, index, other->chunks[i], note->bytes);
        arena->notes[index].kind = (uint8_t)kind;
        arena->notes[index].live = note->live;
        arena->guest_bytes += note->bytes;
    }
    *out_base = (first - 1) << ARENA_SPAN_BITS;
    other->count = 0;
    arena_clear(other);
    return SG_OK;
}

void arena_keep_guests(struct arena *arena)
{
    for (uint32_t i = arena->count; arena->guest_bytes > 0 && i-- > 0;) {
        struct arena_note *note = &arena->notes[i];
        arena->guest_bytes -= note->kind != ARENA_CHUNK_OWN ? note->bytes : 0;
        if (note->kind == ARENA_CHUNK_BRIEF) {
            drop_chunk(arena, i);
        } else {
            note->kind = ARENA_CHUNK_OWN;
        }
    }
}

void arena_drop_guests(struct arena *arena)
{
    for (uint32_t i = arena->count; arena->guest_bytes > 0 && i-- > 0;) {
        if (arena->notes[i].kind != ARENA_CHUNK_OWN) {
            arena->guest_bytes -= arena->notes[i].bytes;
            drop_chunk(arena, i);
        }
    }
}

struct arena_old_table *arena_take_old_tables(struct arena *arena)
{
    struct arena_old_table *tables = arena->old_tables;
    arena->old_tables = NULL;
    return tables;
}

void arena_free_old_tables(struct arena_old_table *tables)
{
    while (tables != NULL) {
        struct arena_old_table *next = tables->next;
        mem_free(tables->chunks);
        mem_free(tables);
        tables = next;
    }
}

uint64_t arena_bytes(const struct arena *arena)
{
    uint64_t heads = arena->free_heads != NULL ? FREE_HEADS_BYTES : 0;
    return arena->bytes + heads +
           (uint64_t)arena->capacity * (sizeof(*arena->chunks) + sizeof(*arena->notes));
}

void arena_check(const struct arena *arena)
{
    uint64_t bytes = 0;
    uint64_t dead = 0;
    uint64_t holes = 0;
    for (uint32_t i = 0; i < arena->count; i++) {
        const struct arena_note *note = &arena->notes[i];
        bytes += note->bytes;
        holes += note->bytes == 0 && !note->continuation;
        dead += note->live == 0 && !is_bump_chunk(arena, i) ? note->bytes : 0;
        ASSERT(note->live <= note->bytes / ARENA_GRANULE);
    }
    ASSERT(bytes == arena->bytes && dead == arena->dead_bytes && holes == arena->holes);

    uint64_t free_bytes = 0;
    for (unsigned class = 0; arena->free_heads != NULL && class < CLASSES; class ++) {
        ASSERT(class_of(class_granules(class)) == class);
        for (arena_ref ref = arena->free_heads[class]; ref != 0; ref = free_next(arena, ref)) {
            ASSERT(arena->notes[ref >> ARENA_SPAN_BITS].bytes > 0);
            free_bytes += (uint64_t)class_granules(class) * ARENA_GRANULE;
        }
    }
    ASSERT(free_bytes == arena->free_bytes);
}
