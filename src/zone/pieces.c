#include "zone/pieces.h"

#include "base/mem.h"

enum { PIECES_MIN = 8 };

void pieces_add(struct pieces *list, arena_ref ref, size_t bytes)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : PIECES_MIN;
        list->pieces = mem_resize_array(list->pieces, list->capacity, sizeof(*list->pieces));
    }
    list->pieces[list->count++] = (struct piece){ref, (uint32_t)bytes};
    list->bytes += bytes;
}

void pieces_release(struct pieces *list, struct arena *arena)
{
    for (uint32_t i = 0; i < list->count; i++) {
        arena_free(arena, list->pieces[i].ref, list->pieces[i].bytes);
    }
    pieces_clear(list);
}

void pieces_clear(struct pieces *list)
{
    mem_free(list->pieces);
    *list = (struct pieces){0};
}
