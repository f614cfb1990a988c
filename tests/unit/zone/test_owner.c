#include "base/mem.h"
#include "support/table.h"
#include "zone/owner.h"

/* clang-format off */
static const struct row {
    const char *name;
    const char *owner, *apex;
    int length; /* of the relative owner; -1: it is not in the zone */
} rows[] = {
    {"a name below",                               "www.e.",        "e.",   4},
    {"the apex",                                   "e.",            "e.",   0},
    {"a name of other letters",                    "www.f.",        "e.",  -1},
    {"the parent",                                 ".",             "e.",  -1},
    {"a label that ends as the apex",              "xe.",           "e.",  -1},
    {"a label that holds the apex at its end",     "x\\001e.",      "e.",  -1},
    {"the same, and labels before it",             "a.b.x\\001e.",  "e.",  -1},
    {"a label that holds an apex of two labels",   "x\\001e\\001f.", "e.f.", -1},
    {"the same, of its first label alone",         "x\\001e.f.",    "e.f.", -1},
    {"everything is below the root",               "www.e.",        ".",    6},
};
/* clang-format on */

static void is_in_the_zone_or_not(void **state)
{
    const struct row *row = *state;
    struct dns_name *owner = mem_alloc(sizeof(*owner)); /* so that a look beyond it is seen */
    struct dns_name apex;
    struct span relative = {NULL, 0};
    assert_int_equal(dns_name_from_text(row->owner, strlen(row->owner), NULL, owner), SG_OK);
    assert_int_equal(dns_name_from_text(row->apex, strlen(row->apex), NULL, &apex), SG_OK);
    assert_int_equal(owner_of(owner, &apex, &relative), row->length >= 0);
    if (row->length >= 0) {
        assert_int_equal(relative.length, row->length);
        assert_ptr_equal(relative.bytes, owner->wire);
    }
    mem_free(owner);
}

/* A full name whose last label steps over where the apex would begin. */
static void nothing_is_read_behind_a_name(void **state)
{
    (void)state;
    struct dns_name apex;
    struct span relative;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    struct dns_name *owner = mem_alloc(sizeof(*owner));
    memset(owner->wire, 'x', sizeof(owner->wire));
    for (unsigned at = 0; at < 4; at++) {
        owner->wire[at * 64] = at < 3 ? 63 : 61;
    }
    owner->wire[254] = 0;
    owner->wire[252] = 1;
    owner->wire[253] = 'e';
    owner->length = 255;
    owner->labels = 4;
    assert_false(owner_of(owner, &apex, &relative));
    assert_false(
        owner_is_at_or_below((struct span){owner->wire, 254}, (struct span){apex.wire, 2}));
    mem_free(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_read_behind_a_name),
    };
    int failed = RUN_TABLE(rows, is_in_the_zone_or_not);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
