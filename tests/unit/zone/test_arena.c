#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "zone/arena.h"

static const struct arena_sizes small_sizes = {64, 2048, 5000};

static void blocks_never_overlap_and_keep_what_was_written(void **state)
{
    (void)state;
    enum { BLOCKS = 400, STEPS = 20000 };
    struct {
        arena_ref ref;
        uint32_t bytes;
        uint8_t fill;
    } blocks[BLOCKS] = {0};
    struct random_seeded random = {1};
    struct arena arena;
    arena_init(&arena, &small_sizes);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = random_seeded_below(&random, BLOCKS);
        if (blocks[i].bytes > 0) {
            const uint8_t *at = arena_at(arena.chunks, blocks[i].ref);
            assert_int_equal((uintptr_t)at % ARENA_GRANULE, 0);
            for (uint32_t b = 0; b < blocks[i].bytes; b++) {
                assert_int_equal(at[b], blocks[i].fill);
            }
            arena_free(&arena, blocks[i].ref, blocks[i].bytes);
        }
        /* Mostly small, some above a chunk, a few above a span. */
        unsigned size = random_seeded_below(&random, 100);
        blocks[i].bytes = 1 + random_seeded_below(&random, size == 0   ? 3 * ARENA_SPAN_BYTES
                                                           : size < 10 ? 3000
                                                                       : 200);
        blocks[i].fill = (uint8_t)step;
        assert_int_equal(arena_alloc(&arena, blocks[i].bytes, &blocks[i].ref), SG_OK);
        assert_int_not_equal(blocks[i].ref, 0);
        memset(arena_write(&arena, blocks[i].ref), blocks[i].fill, blocks[i].bytes);
        if (step % 500 == 0) {
            arena_trim(&arena);
            arena_check(&arena);
        }
    }
    arena_clear(&arena);
}

static void what_is_freed_is_used_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, &arena_sizes_default);
    uint64_t bytes = 0;
    for (unsigned round = 0; round < 1000; round++) {
        arena_ref refs[300];
        for (unsigned i = 0; i < 300; i++) {
            assert_int_equal(arena_alloc(&arena, 8 + i * 13, &refs[i]), SG_OK);
        }
        for (unsigned i = 0; i < 300; i++) {
            arena_free(&arena, refs[i], 8 + i * 13);
        }
        bytes = round == 0 ? arena.bytes : bytes;
        assert_int_equal(arena.bytes, bytes);
    }
    arena_check(&arena);
    arena_clear(&arena);
}

static void a_small_zone_costs_little(void **state)
{
    (void)state;
    struct arena arena;
    arena_ref ref;
    arena_init(&arena, &arena_sizes_default);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(arena_alloc(&arena, 48, &ref), SG_OK);
    }
    assert_true(arena_bytes(&arena) <= 640);
    arena_clear(&arena);
}

static void free_lists_larger_than_what_is_free_are_forgotten(void **state)
{
    (void)state;
    struct arena arena;
    arena_ref small, large;
    arena_init(&arena, &arena_sizes_default);
    assert_int_equal(arena_alloc(&arena, 48, &small), SG_OK);
    assert_int_equal(arena_alloc(&arena, 400, &large), SG_OK);
    uint64_t bytes = arena_bytes(&arena);
    arena_free(&arena, small, 48);
    arena_rest(&arena);
    assert_int_equal(arena_bytes(&arena), bytes);
    arena_check(&arena);
    arena_free(&arena, large, 400);
    arena_rest(&arena);
    arena_check(&arena);
    assert_int_equal(arena_alloc(&arena, 400, &small), SG_OK);
    assert_int_equal(small, large); /* What is worth its list is used again. */
    arena_clear(&arena);
}

static void dead_chunks_go_back_to_the_system(void **state)
{
    (void)state;
    enum { BLOCKS = 20000 };
    arena_ref *refs = mem_alloc(BLOCKS * sizeof(*refs));
    struct arena arena;
    arena_init(&arena, &arena_sizes_default);
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_int_equal(arena_alloc(&arena, 200, &refs[i]), SG_OK);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (i % 4000 != 0) {
            arena_free(&arena, refs[i], 200);
        }
    }
    uint64_t full = arena.bytes;
    arena_trim(&arena);
    arena_check(&arena);
    assert_true(arena.bytes < full / 4);
    assert_true(arena.holes > 0);
    /* The holes are filled before the table grows. */
    uint32_t count = arena.count;
    for (unsigned i = 0; i < BLOCKS / 2; i++) {
        assert_int_equal(arena_alloc(&arena, 200, &refs[i]), SG_OK);
    }
    assert_int_equal(arena.count, count);
    arena_check(&arena);
    arena_clear(&arena);
    mem_free(refs);
}

static void a_full_space_is_a_limit(void **state)
{
    (void)state;
    struct arena_sizes sizes = {64, 256, 4};
    struct arena arena;
    arena_ref ref;
    arena_init(&arena, &sizes);
    enum sg_result result = SG_OK;
    for (unsigned i = 0; result == SG_OK && i < 100; i++) {
        result = arena_alloc(&arena, 64, &ref);
    }
    assert_int_equal(result, SG_LIMIT);
    assert_int_equal(arena_alloc(&arena, 3 * ARENA_SPAN_BYTES, &ref), SG_LIMIT);
    arena_check(&arena);
    arena_clear(&arena);
}

static void the_largest_refs_have_addresses(void **state)
{
    (void)state;
    struct arena_sizes sizes = {ARENA_SPAN_BYTES, ARENA_SPAN_BYTES, ARENA_CHUNKS_MAX - 1};
    struct arena arena;
    arena_init(&arena, &sizes);
    arena_ref run, last;
    /* A run over nearly all of the space would need the memory; pretend that it is there. */
    assert_int_equal(arena_alloc(&arena, 8, &run), SG_OK);
    uint32_t grown = ARENA_CHUNKS_MAX - 2;
    arena.chunks = mem_resize_array(arena.chunks, ARENA_CHUNKS_MAX, sizeof(*arena.chunks));
    arena.notes = mem_resize_array(arena.notes, ARENA_CHUNKS_MAX, sizeof(*arena.notes));
    memset(arena.notes + arena.count, 0, (grown - arena.count) * sizeof(*arena.notes));
    for (uint32_t i = arena.count; i < grown; i++) {
        arena.notes[i].continuation = true;
    }
    arena.count = grown;
    arena.capacity = ARENA_CHUNKS_MAX;
    for (unsigned i = 0; i < 2 * ARENA_SPAN_GRANULES - 1; i++) {
        assert_int_equal(arena_alloc(&arena, 8, &last), SG_OK);
        memset(arena_write(&arena, last), 1, 8);
    }
    assert_int_equal(last, UINT32_MAX - ARENA_SPAN_GRANULES);
    assert_int_equal(arena_alloc(&arena, 8, &last), SG_LIMIT);
    arena_clear(&arena);
}

static void adopted_blocks_are_where_they_were_said_to_be(void **state)
{
    (void)state;
    enum { BLOCKS = 3000 };
    arena_ref *refs = mem_alloc(BLOCKS * sizeof(*refs));
    for (unsigned keep = 0; keep < 2; keep++) {
        struct arena arena, pile;
        arena_ref before, after, base;
        arena_init(&arena, &arena_sizes_default);
        arena_init(&pile, &arena_sizes_default);
        assert_int_equal(arena_alloc(&arena, 100, &before), SG_OK);
        for (unsigned i = 0; i < BLOCKS; i++) {
            size_t bytes = i == 77 ? 100000 : 100;
            assert_int_equal(arena_alloc(&pile, bytes, &refs[i]), SG_OK);
            memset(arena_write(&pile, refs[i]), (int)(i % 251), bytes);
        }
        uint64_t own = arena.bytes;
        assert_int_equal(arena_adopt(&arena, &pile, &base), SG_OK);
        assert_int_equal(arena_alloc(&arena, 100, &after), SG_OK);
        bool guests[3] = {false};
        for (unsigned i = 0; i < BLOCKS; i++) {
            const uint8_t *at = arena_at(arena.chunks, base + refs[i]);
            assert_int_equal(at[0], i % 251);
            assert_int_equal(at[99], i % 251);
            guests[arena_kind(&arena, base + refs[i])] = true;
        }
        assert_true(guests[ARENA_CHUNK_GUEST] && guests[ARENA_CHUNK_BRIEF]);
        assert_false(guests[ARENA_CHUNK_OWN]);
        arena_check(&arena);
        if (keep != 0) {
            arena_keep_guests(&arena);
            assert_true(arena.bytes > own + 100000 && arena.bytes < own + 500000);
        } else {
            arena_drop_guests(&arena);
            assert_int_equal(arena.bytes, own);
        }
        arena_check(&arena);
        arena_clear(&pile);
        arena_clear(&arena);
    }
    mem_free(refs);
}

static void tables_that_were_outgrown_are_handed_out(void **state)
{
    (void)state;
    struct arena_sizes sizes = {64, 64, 5000};
    struct arena arena;
    arena_init(&arena, &sizes);
    arena_ref first, ref;
    assert_int_equal(arena_alloc(&arena, 16, &first), SG_OK);
    uint8_t *const *old_table = arena.chunks;
    const void *where = arena_at(old_table, first);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(arena_alloc(&arena, 16, &ref), SG_OK);
    }
    assert_ptr_not_equal(arena.chunks, old_table);
    assert_ptr_equal(arena_at(old_table, first), where); /* a reader's view still stands */
    struct arena_old_table *tables = arena_take_old_tables(&arena);
    assert_non_null(tables);
    assert_null(arena_take_old_tables(&arena));
    arena_free_old_tables(tables);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_never_overlap_and_keep_what_was_written),
        cmocka_unit_test(what_is_freed_is_used_again),
        cmocka_unit_test(a_small_zone_costs_little),
        cmocka_unit_test(free_lists_larger_than_what_is_free_are_forgotten),
        cmocka_unit_test(dead_chunks_go_back_to_the_system),
        cmocka_unit_test(a_full_space_is_a_limit),
        cmocka_unit_test(the_largest_refs_have_addresses),
        cmocka_unit_test(adopted_blocks_are_where_they_were_said_to_be),
        cmocka_unit_test(tables_that_were_outgrown_are_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
