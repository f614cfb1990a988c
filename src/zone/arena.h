/*
 * zone/arena.h - the memory of one zone: blocks named by 32-bit refs (private to zone/)
 *
 * A ref counts granules of 8 bytes in a space of 32 GiB. The space is cut in spans of 64 KiB, each
 * backed by one chunk; a chunk may be smaller than its span, so that a zone of five records costs
 * what five records need. A block larger than a chunk takes a run of spans with one allocation:
 * the address of a ref is found the same way everywhere.
 *
 *   address(ref) = chunks[ref >> 13] + (ref & 8191) * 8
 *
 * The first span is void, so that ref 0 can mean none. *
 * The table `chunks` only grows; when it moves, readers keep the table that their version knows,
 * and the old one goes to whoever asks for it with arena_take_old_tables().
 *
 * Free blocks wait in one list per size. Sizes to 512 bytes are exact, so that what an update
 * frees fits what the next one needs; above, four sizes per power of two. Chunks in which nothing
 * is alive any more go back to the system (arena_trim).
 *
 * Thread: one at a time, except arena_at() through a table that was published.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

enum {
    ARENA_GRANULE = 8,
    ARENA_SPAN_BITS = 13,
    ARENA_SPAN_GRANULES = 1 << ARENA_SPAN_BITS,
    ARENA_SPAN_BYTES = ARENA_SPAN_GRANULES * ARENA_GRANULE,
    ARENA_CHUNKS_MAX = 1 << (32 - ARENA_SPAN_BITS),
};

typedef uint32_t arena_ref; /* 0: none */

/* Ordinary zones use arena_sizes_default; tests make every bound easy to reach. */
struct arena_sizes {
    uint32_t chunk_bytes_min; /* of the first chunk; chunks grow with the arena, to ... */
    uint32_t chunk_bytes_max;
    uint32_t chunks_max; /* below ARENA_CHUNKS_MAX: the end of the last one is a ref, too */
};
extern const struct arena_sizes arena_sizes_default;

enum arena_chunk_kind {
    ARENA_CHUNK_OWN,
    ARENA_CHUNK_GUEST, /* adopted by an edit that may still be abandoned */
    ARENA_CHUNK_BRIEF, /* a guest that leaves with the edit: its blocks are copied out */
};

/* What the writer knows of a chunk, and readers need not. */
struct arena_note {
    uint32_t bytes;    /* allocated; of a run all with its first span; 0: a hole */
    uint32_t live;     /* granules in use */
    uint8_t kind;      /* enum arena_chunk_kind */
    bool continuation; /* a later span of a run */
};

struct arena_old_table {
    struct arena_old_table *next;
    uint8_t **chunks;
};

struct arena {
    uint8_t **chunks;
    struct arena_note *notes;
    uint32_t count; /* of indices given out, holes among them */
    uint32_t capacity;
    uint32_t holes;
    arena_ref bump, bump_end;
    arena_ref *free_heads; /* per size class; made when the first block is freed */
    struct arena_old_table *old_tables;
    uint64_t bytes;       /* allocated for chunks */
    uint64_t guest_bytes; /* of them, in chunks of a pile */
    uint64_t free_bytes;  /* in the free lists */
    uint64_t dead_bytes;  /* of chunks in which nothing is alive */
    struct arena_sizes sizes;
};

static inline const void *arena_at(uint8_t *const *chunks, arena_ref ref)
{
    return chunks[ref >> ARENA_SPAN_BITS] +
           (size_t)(ref & (ARENA_SPAN_GRANULES - 1)) * ARENA_GRANULE;
}

static inline void *arena_write(const struct arena *arena, arena_ref ref)
{
    return arena->chunks[ref >> ARENA_SPAN_BITS] +
           (size_t)(ref & (ARENA_SPAN_GRANULES - 1)) * ARENA_GRANULE;
}

void arena_init(struct arena *arena, const struct arena_sizes *sizes);
/* Frees all chunks and tables. */
void arena_clear(struct arena *arena);

/* Room for `bytes` > 0 bytes, not cleared, aligned to a granule. SG_LIMIT: the space is full. */
MUST_USE enum sg_result arena_alloc(struct arena *arena, size_t bytes, arena_ref *out_ref);
/* Give back what arena_alloc() gave for as many bytes, and what nobody reads any more. */
void arena_free(struct arena *arena, arena_ref ref, size_t bytes);
/* Free chunks that hold nothing, when that is worth a pass over the free lists. */
void arena_trim(struct arena *arena);

/* Nothing more is added for now: forget free blocks whose lists are larger than they are. */
void arena_rest(struct arena *arena);

/*
 * Take over all chunks of `other`, which ends empty: its refs plus `out_base` are refs here. Full
 * chunks become guests, the rest brief guests. SG_LIMIT: `other` is untouched.
 */
MUST_USE enum sg_result arena_adopt(struct arena *arena, struct arena *other, arena_ref *out_base);
/* The edit is sealed: guests become ordinary chunks, brief guests are freed. */
void arena_keep_guests(struct arena *arena);
/* The edit is abandoned: all guests are freed, with every block in them. */
void arena_drop_guests(struct arena *arena);

static inline enum arena_chunk_kind arena_kind(const struct arena *arena, arena_ref ref)
{
    return (enum arena_chunk_kind)arena->notes[ref >> ARENA_SPAN_BITS].kind;
}

/* Tables that were outgrown since the last call; to be freed when their readers are gone. */
struct arena_old_table *arena_take_old_tables(struct arena *arena);
void arena_free_old_tables(struct arena_old_table *tables);

/* Bytes of the arena's own memory, tables included. */
uint64_t arena_bytes(const struct arena *arena);

/* Abort if counts and lists do not agree. O(arena). */
void arena_check(const struct arena *arena);
