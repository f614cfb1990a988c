#include "base/time.h"
#include "support/table.h"

/* clang-format off */
static const struct digits_case {
    const char *name;
    const char *text;
    enum sg_result result;
    sg_time when;
} cases[] = {
    {"the epoch",                         "19700101000000", SG_OK, 0},
    {"an instant of today",               "20261122031243", SG_OK, 1795317163},
    {"29 February of a leap year",        "20240229235959", SG_OK, 1709251199},
    {"29 February of a common year",      "20230229000000", SG_MALFORMED, 0},
    {"1900 was a common year",            "19000229000000", SG_MALFORMED, 0},
    {"a 13th month",                      "20231301000000", SG_MALFORMED, 0},
    {"a 25th hour",                       "20230101250000", SG_MALFORMED, 0},
    {"after 2106, where RRSIG times wrap", "21060207062816", SG_OK, 4294967296},
    {"a letter",                          "2023010100000x", SG_MALFORMED, 0},
    {"too short",                         "20230101", SG_MALFORMED, 0},
};
/* clang-format on */

/* The same digits, with marks between. */
static void assert_iso(sg_time when, const char *digits)
{
    char iso[TIME_HUMAN_BYTES];
    char found[TIME_HUMAN_BYTES] = "";
    size_t count = 0;
    time_to_iso(when, iso);
    assert_int_equal(strlen(iso), 20);
    assert_int_equal(iso[10], 'T');
    assert_int_equal(iso[19], 'Z');
    for (size_t i = 0; iso[i] != 0; i++) {
        if (iso[i] >= '0' && iso[i] <= '9') {
            found[count++] = iso[i];
        }
    }
    assert_string_equal(found, digits);
}

static void digits_become_the_instant_they_name(void **state)
{
    const struct digits_case *c = *state;
    sg_time when = -1;
    assert_int_equal(time_from_digits(c->text, &when), c->result);
    if (c->result == SG_OK) {
        char text[TIME_TEXT_BYTES];
        assert_int_equal(when, c->when);
        time_to_digits(when, text);
        assert_string_equal(text, c->text);
        assert_iso(when, c->text);
    } else {
        assert_int_equal(when, -1);
    }
}

int main(void)
{
    return RUN_TABLE(cases, digits_become_the_instant_they_name);
}
