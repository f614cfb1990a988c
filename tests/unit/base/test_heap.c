#include <stdlib.h>

#include "base/heap.h"
#include "base/random.h"
#include "support/table.h"

enum { NODES = 200, STEPS = 20000 };

static void smallest_key_is_first_whatever_was_put_moved_and_removed(void **state)
{
    (void)state;
    struct random_seeded random = {7};
    struct heap heap = HEAP_EMPTY;
    struct heap_node nodes[NODES] = {{0}};

    for (int step = 0; step < STEPS; step++) {
        struct heap_node *node = &nodes[random_seeded_below(&random, NODES)];
        if (random_seeded_below(&random, 3) == 0) {
            heap_remove(&heap, node);
            assert_int_equal(node->place, 0);
        } else {
            heap_put(&heap, node, random_seeded_below(&random, 1000));
        }
        int64_t smallest = INT64_MAX;
        size_t inside = 0;
        for (int i = 0; i < NODES; i++) {
            inside += nodes[i].place != 0;
            if (nodes[i].place != 0 && nodes[i].key < smallest) {
                smallest = nodes[i].key;
            }
        }
        assert_int_equal(inside, heap.length);
        struct heap_node *first = heap_first(&heap);
        assert_int_equal(first == NULL ? INT64_MAX : first->key, smallest);
    }
    heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_key_is_first_whatever_was_put_moved_and_removed),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
