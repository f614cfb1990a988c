#include "support/table.h"
#include "tools/zone_trouble.h"

/* clang-format off */
static const struct trouble_case {
    const char *name;
    const char *command, *text;
    int status;
} cases[] = {
    {"all is well",           "zonestatus z", "name: z\ndynamic: no", 0},
    {"a problem",             "zonestatus z", "name: z\nproblem: x", 2},
    {"the store",             "ZoneStatus z", "name: z\nstore: cannot be written: x", 2},
    {"overdue counts more",   "zonestatus z", "name: z\nproblem: x\nsignatures: overdue, y", 3},
    {"nobody was heard",      "zonestatus z", "name: z\nprimaries: unheard for long", 3},
    {"it must begin a line",  "zonestatus z", "name: problem: z", 0},
    {"an empty answer",       "zonestatus",   "", 0},
    {"other commands",        "status",       "problem: x", 0},
    {"of the same beginning", "zonestatuses", "problem: x", 0},
};
/* clang-format on */

static void is_told_by_the_status(void **state)
{
    const struct trouble_case *c = *state;

    assert_int_equal(zone_trouble(c->command, span_of_text(c->text)), c->status);
}

int main(void)
{
    return RUN_TABLE(cases, is_told_by_the_status);
}
