/*
 * base/heap.h - a binary heap of timers, smallest first, whose members know their place
 *
 * The node is embedded in what waits, so that moving or removing it needs no search. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t place; /* 1 ... length; 0: not in a heap */
};

struct heap {
    struct heap_node **nodes;
    size_t length;
    size_t capacity;
};
#define HEAP_EMPTY ((struct heap){NULL, 0, 0})

void heap_free(struct heap *heap); /* the nodes are the caller's */
/* Insert, or move to a new key. */
void heap_put(struct heap *heap, struct heap_node *node, int64_t key);
void heap_remove(struct heap *heap, struct heap_node *node); /* fine if it is not in it */
/* All keys, whose order stays. */
void heap_shift(struct heap *heap, int64_t by);
/* The node with the smallest key, or NULL. */
struct heap_node *heap_first(const struct heap *heap);
