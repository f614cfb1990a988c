#include "dns/serial.h"
#include "support/table.h"

static const struct serial_case {
    const char *name;
    uint32_t a;
    uint32_t b;
    int order;
} cases[] = {
    {"equal", 7, 7, 0},
    {"after", 8, 7, 1},
    {"before", 7, 8, -1},
    {"after the wrap", 0, UINT32_MAX, 1},
    {"before the wrap", UINT32_MAX, 5, -1},
    {"as far ahead as can be", 0x7fffffff, 0, 1},
    {"half way round counts as before", 0x80000000, 0, -1},
    {"and from the other side", 0, 0x80000000, -1},
};

static void serials_compare_by_rfc_1982(void **state)
{
    const struct serial_case *c = *state;
    assert_int_equal(serial_compare(c->a, c->b), c->order);
}

static void the_next_serial_is_after_and_never_0(void **state)
{
    (void)state;
    assert_int_equal(serial_next(1), 2);
    assert_int_equal(serial_next(UINT32_MAX), 1);
    assert_int_equal(serial_compare(serial_next(UINT32_MAX), UINT32_MAX), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_next_serial_is_after_and_never_0)};
    return RUN_TABLE(cases, serials_compare_by_rfc_1982) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
