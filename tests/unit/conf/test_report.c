#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/report.h"

static void a_problem_reads_as_file_line_column_and_text(void **state)
{
    (void)state;
    struct conf_report report = {0};
    struct buffer text = BUFFER_EMPTY;

    conf_report_add(&report, CONF_ERROR, "f", 3, 7, "no %s", "good");
    conf_report_add(&report, CONF_WARNING, "f", 4, 1, "hm");
    conf_report_add(&report, CONF_ERROR, "g", 0, 0, "file not found");
    for (size_t i = 0; i < report.count; i++) {
        conf_problem_text(&report.problems[i], &text);
    }
    assert_string_equal(buffer_text(&text),
                        "f:3:7: no good\nf:4:1: warning: hm\ng: file not found\n");
    assert_int_equal(report.errors, 2);
    assert_int_equal(report.warnings, 1);
    buffer_free(&text);
    conf_report_clear(&report);
    assert_int_equal(report.count, 0);
}

static void words_of_the_file_cannot_command_the_terminal(void **state)
{
    (void)state;
    struct conf_report report = {0};

    conf_report_add(&report, CONF_ERROR, "f", 1, 1, "unknown option '%s'", "a\033[2J\nb\177");
    assert_string_equal(report.problems[0].text, "unknown option 'a?[2J?b?'");
    conf_report_clear(&report);
}

static void the_same_problem_is_told_once(void **state)
{
    (void)state;
    struct conf_report report = {0};

    for (int i = 0; i < 5; i++) {
        conf_report_add(&report, CONF_ERROR, "f", 1, 1, "x");
        conf_report_add(&report, CONF_ERROR, "f", 1, 2, "x");
    }
    assert_int_equal(report.count, 2);
    assert_int_equal(report.errors, 2);
    conf_report_clear(&report);
}

static void a_flood_of_warnings_leaves_room_for_errors(void **state)
{
    (void)state;
    struct conf_report report = {0};

    for (unsigned i = 0; i < 1000; i++) {
        conf_report_add(&report, CONF_WARNING, "f", i + 1, 1, "w");
    }
    conf_report_add(&report, CONF_ERROR, "f", 2000, 1, "e");
    assert_string_equal(report.problems[report.count - 1].text, "e");
    for (unsigned i = 0; i < 1000; i++) {
        conf_report_add(&report, CONF_ERROR, "f", 3000 + i, 1, "e");
    }
    assert_int_equal(report.count, CONF_PROBLEMS_MAX);
    assert_int_equal(report.warnings, 1000);
    assert_int_equal(report.errors, 1001);
    conf_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_reads_as_file_line_column_and_text),
        cmocka_unit_test(words_of_the_file_cannot_command_the_terminal),
        cmocka_unit_test(the_same_problem_is_told_once),
        cmocka_unit_test(a_flood_of_warnings_leaves_room_for_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
