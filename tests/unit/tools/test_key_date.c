#include "dnssec/key.h"
#include "support/table.h"
#include "tools/key_date.h"

enum { NOW = 1795317163, BASE = 1000000000 };

/* clang-format off */
static const struct date_case {
    const char *name;
    const char *text;
    enum sg_result result;
    sg_time when;
} dates[] = {
    {"now",                              "now",                 SG_OK, NOW},
    {"now and an offset",                "now+1h",              SG_OK, NOW + SG_HOUR},
    {"now less an offset",               "NOW-2D",              SG_OK, NOW - 2 * SG_DAY},
    {"an offset, from the base",         "+30d",                SG_OK, BASE + 30 * SG_DAY},
    {"a negative offset",                "-1w",                 SG_OK, BASE - SG_WEEK},
    {"an offset without sign",           "5mi",                 SG_OK, BASE + 5 * SG_MINUTE},
    {"seconds without unit",             "+3600",               SG_OK, BASE + SG_HOUR},
    {"months have 30 days",              "+2mo",                SG_OK, BASE + 60 * SG_DAY},
    {"years have 365 days",              "+1y",                 SG_OK, BASE + 365 * SG_DAY},
    {"a day",                            "20261122",            SG_OK, 1795305600},
    {"a day and an offset",              "20261122+1d",         SG_OK, 1795305600 + SG_DAY},
    {"a second",                         "20261122031243",      SG_OK, NOW},
    {"seconds since 1970",               "1795317163",          SG_OK, NOW},
    {"none",                             "none",                SG_OK, KEY_TIME_UNSET},
    {"never",                            "Never",               SG_OK, KEY_TIME_UNSET},
    {"nothing",                          "",                    SG_MALFORMED, 0},
    {"a word",                           "tomorrow",            SG_MALFORMED, 0},
    {"a unit that is none",              "+3x",                 SG_MALFORMED, 0},
    {"a sign alone",                     "+",                   SG_MALFORMED, 0},
    {"two signs",                        "+-1",                 SG_MALFORMED, 0},
    {"no such day",                      "20261131",            SG_MALFORMED, 0},
    {"an offset without sign behind",    "20261122 1d",         SG_MALFORMED, 0},
    {"an offset of 1001 years",          "+1001y",              SG_MALFORMED, 0},
    {"too many digits",                  "+99999999999",        SG_MALFORMED, 0},
};
/* clang-format on */

static void dates_are_those_of_bind(void **state)
{
    const struct date_case *c = *state;
    sg_time when = 0;
    assert_int_equal(key_date_parse(c->text, NOW, BASE, &when), c->result);
    if (c->result == SG_OK) {
        assert_int_equal(when, c->when);
    }
}

int main(void)
{
    return RUN_TABLE(dates, dates_are_those_of_bind);
}
