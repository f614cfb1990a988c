#include <pthread.h>

#include "server/stats.h"
#include "support/table.h"

enum { THREADS = 4, COUNTS = 20000 };

static void *count_many(void *argument)
{
    struct stats_block *block = stats_take(argument);
    for (int i = 0; i < COUNTS; i++) {
        stats_count(block, STATS_QUERIES);
    }
    stats_give_back(block);
    return NULL;
}

static void counts_of_all_threads_are_summed(void **state)
{
    struct stats stats;
    struct stats_counts counts;
    pthread_t threads[THREADS];

    (void)state;
    stats_init(&stats);
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, count_many, &stats), 0);
        }
        stats_sum(&stats, &counts); /* while they count */
        assert_true(counts.counters[STATS_QUERIES] <= (uint64_t)round * THREADS * COUNTS);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
        stats_sum(&stats, &counts);
        assert_int_equal(counts.counters[STATS_QUERIES], round * THREADS * COUNTS);
        assert_int_equal(counts.counters[STATS_UDP], 0);
    }
    stats_clear(&stats);
}

static void a_block_that_was_given_back_is_taken_again(void **state)
{
    struct stats stats;

    (void)state;
    stats_init(&stats);
    struct stats_block *first = stats_take(&stats);
    struct stats_block *second = stats_take(&stats);
    assert_ptr_not_equal(first, second);
    assert_int_equal((uintptr_t)first % 64, 0);
    stats_give_back(first);
    assert_ptr_equal(stats_take(&stats), first);
    stats_give_back(first);
    stats_give_back(second);
    stats_clear(&stats);
}

static void every_counter_has_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < STATS_COUNTERS; i++) {
        assert_non_null(stats_counter_text((enum stats_counter)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_all_threads_are_summed),
        cmocka_unit_test(a_block_that_was_given_back_is_taken_again),
        cmocka_unit_test(every_counter_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
