#include "base/heap.h"

#include "base/assert.h"
#include "base/mem.h"

void heap_free(struct heap *heap)
{
    mem_free(heap->nodes);
    *heap = HEAP_EMPTY;
}

static void set(struct heap *heap, size_t place, struct heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = place;
}

static void move_up(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    while (place > 1 && heap->nodes[place / 2 - 1]->key > node->key) {
        set(heap, place, heap->nodes[place / 2 - 1]);
        place /= 2;
    }
    set(heap, place, node);
}

static void move_down(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    for (size_t child; (child = place * 2) <= heap->length; place = child) {
        if (child < heap->length && heap->nodes[child]->key < heap->nodes[child - 1]->key) {
            child++;
        }
        if (heap->nodes[child - 1]->key >= node->key) {
            break;
        }
        set(heap, place, heap->nodes[child - 1]);
    }
    set(heap, place, node);
}

void heap_put(struct heap *heap, struct heap_node *node, int64_t key)
{
    if (node->place == 0) {
        if (heap->length == heap->capacity) {
            heap->capacity = heap->capacity == 0 ? 16 : heap->capacity * 2;
            heap->nodes = mem_resize_array(heap->nodes, heap->capacity, sizeof(*heap->nodes));
        }
        heap->length++;
        set(heap, heap->length, node);
    }
    node->key = key;
    move_up(heap, node);
    move_down(heap, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0) {
        return;
    }
    ASSERT(heap->nodes[node->place - 1] == node);
    size_t place = node->place;
    struct heap_node *last = heap->nodes[heap->length - 1];
    heap->length--;
    node->place = 0;
    if (last != node) {
        set(heap, place, last);
        move_up(heap, last);
        move_down(heap, last);
    }
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->length > 0 ? heap->nodes[0] : NULL;
}

void heap_shift(struct heap *heap, int64_t by)
{
    for (size_t i = 0; i < heap->length; i++) {
        heap->nodes[i]->key += by;
    }
}
