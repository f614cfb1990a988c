#include "keeper/zone_label.h"
#include "support/table.h"

static const struct label_case {
    const char *name;
    struct zone_settings settings;
    const char *label;
} cases[] = {
    {"without views the view goes without saying",
     {.name = "example.org", .view = "_default", .rrclass = 1},
     "example.org/IN"},
    {"with views it is named",
     {.name = "example.org", .view = "internal", .rrclass = 1},
     "example.org/IN/internal"},
    {"the class is the zone's own",
     {.name = "version.test", .view = "_default", .rrclass = 3},
     "version.test/CH"},
};

static void is_named(void **state)
{
    const struct label_case *c = *state;
    char text[ZONE_LABEL_BYTES];

    assert_string_equal(zone_label(&c->settings, text), c->label);
}

static void a_view_of_any_length_fits(void **state)
{
    char view[2 * ZONE_LABEL_BYTES];
    char text[ZONE_LABEL_BYTES];
    struct zone_settings settings = {.name = "example.org", .view = view, .rrclass = 1};

    (void)state;
    memset(view, 'v', sizeof(view) - 1);
    view[sizeof(view) - 1] = '\0';
    assert_int_equal(strlen(zone_label(&settings, text)), ZONE_LABEL_BYTES - 1);
    assert_memory_equal(text, "example.org/IN/vvv", 18);
}

int main(void)
{
    const struct CMUnitTest bounds[] = {cmocka_unit_test(a_view_of_any_length_fits)};
    int failed = cmocka_run_group_tests_name("zone_label", bounds, NULL, NULL);

    return failed + RUN_TABLE(cases, is_named);
}
