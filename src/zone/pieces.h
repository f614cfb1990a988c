/*
 * zone/pieces.h - a list of pieces of an arena: what an edit made, or what it replaced (private
 * to zone/)
 */
#pragma once

#include "zone/arena.h"

struct piece {
    arena_ref ref;
    uint32_t bytes;
};

struct pieces {
    struct piece *pieces; /* NULL: none yet */
    uint32_t count;
    uint32_t capacity;
    uint64_t bytes; /* of all of them */
};

void pieces_add(struct pieces *list, arena_ref ref, size_t bytes);
/* Give all of them back to the arena; the list ends empty. */
void pieces_release(struct pieces *list, struct arena *arena);
/* Forget them. */
void pieces_clear(struct pieces *list);
