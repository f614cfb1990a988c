#include <stdio.h>

#include "support/table.h"
#include "zone/zonefile.h"

static void add(struct zonefile_report *report, enum zonefile_severity severity, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        zonefile_report_add(report, severity, severity == ZONEFILE_ERROR ? "file" : NULL, i + 1,
                            "problem %u", i + 1);
    }
}

static unsigned listed(const struct zonefile_report *report, enum zonefile_severity severity)
{
    unsigned count = 0;
    for (size_t i = 0; i < report->problems_count; i++) {
        count += report->problems[i].severity == severity;
    }
    return count;
}

static void problems_are_kept_in_order(void **state)
{
    (void)state;
    struct zonefile_report report = {0};
    add(&report, ZONEFILE_ERROR, 2);
    add(&report, ZONEFILE_WARNING, 1);
    assert_int_equal(report.problems_count, 3);
    assert_string_equal(report.problems[1].text, "problem 2");
    assert_string_equal(report.problems[1].file, "file");
    assert_int_equal(report.problems[1].line, 2);
    assert_null(report.problems[2].file);
    zonefile_report_clear(&report);
    assert_int_equal(report.errors, 0);
}

static void the_list_is_bounded_and_the_counts_are_not(void **state)
{
    (void)state;
    struct zonefile_report report = {0};
    add(&report, ZONEFILE_ERROR, 300);
    add(&report, ZONEFILE_WARNING, 300);
    assert_int_equal(report.errors, 300);
    assert_int_equal(report.warnings, 300);
    assert_int_equal(report.problems_count, ZONEFILE_PROBLEMS_MAX);
    assert_int_equal(listed(&report, ZONEFILE_ERROR), ZONEFILE_PROBLEMS_MAX);
    zonefile_report_clear(&report);
}

static void errors_take_the_place_of_warnings(void **state)
{
    (void)state;
    struct zonefile_report report = {0};
    add(&report, ZONEFILE_WARNING, 300);
    add(&report, ZONEFILE_ERROR, 2);
    assert_int_equal(report.problems_count, ZONEFILE_PROBLEMS_MAX);
    assert_int_equal(listed(&report, ZONEFILE_ERROR), 2);
    assert_string_equal(report.problems[0].text, "problem 1");
    assert_string_equal(report.problems[ZONEFILE_PROBLEMS_MAX - 1].text, "problem 2");
    assert_int_equal(report.problems[ZONEFILE_PROBLEMS_MAX - 1].severity, ZONEFILE_ERROR);
    add(&report, ZONEFILE_ERROR, 300);
    assert_int_equal(listed(&report, ZONEFILE_ERROR), ZONEFILE_PROBLEMS_MAX);
    zonefile_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problems_are_kept_in_order),
        cmocka_unit_test(the_list_is_bounded_and_the_counts_are_not),
        cmocka_unit_test(errors_take_the_place_of_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
