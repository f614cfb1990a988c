#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zone/pieces.h"

static void released_pieces_are_free_and_cleared_ones_are_not(void **state)
{
    (void)state;
    struct arena arena;
    struct pieces kept = {0}, released = {0};
    arena_init(&arena, &arena_sizes_default);
    for (unsigned i = 0; i < 100; i++) {
        arena_ref ref;
        assert_int_equal(arena_alloc(&arena, 40, &ref), SG_OK);
        pieces_add(i % 4 == 0 ? &kept : &released, ref, 40);
    }
    assert_int_equal(kept.count, 25);
    pieces_clear(&kept);
    assert_int_equal(kept.count, 0);
    uint64_t before = arena.free_bytes;
    pieces_release(&released, &arena);
    assert_int_equal(released.count, 0);
    assert_int_equal(arena.free_bytes - before, 75 * 40);
    arena_check(&arena);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_pieces_are_free_and_cleared_ones_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
