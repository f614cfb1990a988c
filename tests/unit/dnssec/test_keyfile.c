#include <stdlib.h>
#include <time.h>

#include "dnssec/keyfile.h"
#include "support/table.h"

/* clang-format off */
static const struct number_case {
    const char *name;
    const char *text;
    enum sg_result result;
    uint32_t number;
} numbers[] = {
    {"a number",                       "7776000",     SG_OK, 7776000},
    {"zero",                           "0",           SG_OK, 0},
    {"a number with words behind",     "13 (foo)",    SG_OK, 13},
    {"the largest number",             "4294967295",  SG_OK, UINT32_MAX},
    {"a number above the largest",     "4294967296",  SG_MALFORMED, 0},
    {"a number above 2^64",            "99999999999999999999999", SG_MALFORMED, 0},
    {"a number with letters",          "13a",         SG_MALFORMED, 0},
    {"a negative number",              "-1",          SG_MALFORMED, 0},
    {"nothing",                        "",            SG_MALFORMED, 0},
};

static const struct time_case {
    const char *name;
    const char *text;
    enum sg_result result;
    sg_time when;
} times[] = {
    {"14 digits",                      "20261122031243",                            SG_OK, 1795317163},
    {"14 digits and words",            "20261122031243 (Sun Nov 22 03:12:43 2026)", SG_OK, 1795317163},
    {"words that say something else",  "20261122031243 (whatever)",                 SG_OK, 1795317163},
    {"13 digits",                      "2026112203124",                             SG_MALFORMED, 0},
    {"15 digits",                      "202611220312430",                           SG_MALFORMED, 0},
    {"a year before the epoch", "02261122031243", SG_MALFORMED, 0},
    {"31 February",                    "20260231000000",                            SG_MALFORMED, 0},
    {"nothing",                        "",                                          SG_MALFORMED, 0},
};
/* clang-format on */

static void numbers_are_read(void **state)
{
    const struct number_case *c = *state;
    uint32_t number = 0;
    assert_int_equal(keyfile_number(span_of_text(c->text), UINT32_MAX, &number), c->result);
    if (c->result == SG_OK) {
        assert_int_equal(number, c->number);
    }
}

static void times_are_read(void **state)
{
    const struct time_case *c = *state;
    sg_time when = 0;
    assert_int_equal(keyfile_time(span_of_text(c->text), &when), c->result);
    assert_int_equal(when, c->when);
}

static void lines_are_split_and_counted(void **state)
{
    (void)state;
    struct keyfile_line line = keyfile_lines(span_of_text("\n  Tag:\t value \r\n\nno colon\nEnd:"));
    assert_true(keyfile_line_next(&line));
    assert_int_equal(line.number, 2);
    assert_true(keyfile_line_is(&line, "tAG"));
    assert_false(keyfile_line_is(&line, "Ta"));
    assert_int_equal(line.value.length, 5);
    assert_memory_equal(line.value.bytes, "value", 5);
    assert_true(keyfile_line_next(&line));
    assert_int_equal(line.number, 4);
    assert_int_equal(line.tag.length, 0);
    assert_true(keyfile_line_next(&line));
    assert_true(keyfile_line_is(&line, "End"));
    assert_int_equal(line.value.length, 0);
    assert_false(keyfile_line_next(&line));
    assert_false(keyfile_line_next(&line));
}

static void times_are_written_in_utc_and_told_in_local_time(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    setenv("TZ", "Asia/Kathmandu", 1);
    tzset();
    keyfile_append_time(&text, "; Created", 1795317163);
    unsetenv("TZ");
    tzset();
    assert_string_equal(buffer_text(&text),
                        "; Created: 20261122031243 (Sun Nov 22 08:57:43 2026)\n");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_split_and_counted),
        cmocka_unit_test(times_are_written_in_utc_and_told_in_local_time),
    };
    return RUN_TABLE(numbers, numbers_are_read) + RUN_TABLE(times, times_are_read) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
