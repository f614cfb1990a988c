#include "keeper/transfer_rate.h"
#include "support/table.h"

/* 100 bytes in 10 seconds. */
static const struct rate_case {
    const char *name;
    struct {
        unsigned second;
        uint64_t bytes; /* in all */
        bool too_low;
    } heard[4];
} cases[] = {
    {"nothing is said before the window is over", {{1, 0, false}, {9, 1, false}}},
    {"just enough", {{10, 100, false}, {20, 200, false}, {30, 300, false}}},
    {"too little", {{10, 99, true}}},
    {"fast at first, then too slow",
     {{10, 100000, false}, {15, 100001, false}, {20, 100099, true}}},
    {"a message that took long, and brought enough for that", {{40, 400, false}}},
    {"a message that took long, and brought too little", {{40, 399, true}}},
};

static void bytes_by_time(void **state)
{
    const struct rate_case *c = *state;
    struct transfer_rate rate = {.bytes_min = 100, .window = 10, .began_ns = 7};

    for (size_t i = 0; i < ARRAY_LEN(c->heard) && c->heard[i].second != 0; i++) {
        uint64_t now_ns = 7 + c->heard[i].second * UINT64_C(1000000000);
        assert_int_equal(transfer_rate_is_too_low(&rate, c->heard[i].bytes, now_ns),
                         c->heard[i].too_low);
    }
}

static void no_limit(void **state)
{
    (void)state;
    struct transfer_rate rate = {.window = 10};

    assert_false(transfer_rate_is_too_low(&rate, 0, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_limit)};
    return RUN_TABLE(cases, bytes_by_time) | cmocka_run_group_tests(tests, NULL, NULL);
}
