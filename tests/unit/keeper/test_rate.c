#include "keeper/rate.h"
#include "support/table.h"

enum { T0 = 1700000000 };

static void so_many_a_second_and_no_more(void **state)
{
    struct rate rate = {.per_second = 3};
    (void)state;

    for (int second = 0; second < 5; second++) {
        for (int i = 0; i < 10; i++) {
            assert_int_equal(rate_take(&rate, T0 + second), i < 3);
        }
    }
    assert_true(rate_take(&rate, T0 - 1000)); /* a clock that was set back */
}

static void no_rate_is_no_limit(void **state)
{
    struct rate rate = {0};
    (void)state;

    for (int i = 0; i < 1000; i++) {
        assert_true(rate_take(&rate, T0));
        assert_int_equal(rate_reserve(&rate, T0), T0);
    }
}

static void places_ahead_are_given_in_order(void **state)
{
    struct rate rate = {.per_second = 20};
    (void)state;

    for (int i = 0; i < 1000; i++) {
        assert_int_equal(rate_reserve(&rate, T0), T0 + i / 20);
    }
    assert_int_equal(rate_reserve(&rate, T0 + 49), T0 + 50); /* the line goes on behind them */
    assert_int_equal(rate_reserve(&rate, T0 + 100), T0 + 100);
}

/* By a second or by years: nobody waits until the old time comes round again. */
static void a_clock_that_was_set_back_begins_another_line(void **state)
{
    static const int steps[] = {1, 60, 3600, 86400, 100000000};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct rate rate = {.per_second = 20};
        sg_time back = T0 - steps[i];
        for (int taken = 0; taken < 1000; taken++) {
            (void)rate_reserve(&rate, T0);
        }
        for (int taken = 0; taken < 100; taken++) {
            assert_int_equal(rate_reserve(&rate, back), back + taken / 20);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_a_second_and_no_more),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(places_ahead_are_given_in_order),
        cmocka_unit_test(a_clock_that_was_set_back_begins_another_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
