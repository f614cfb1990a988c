#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/control_call.h"
#include "support/table.h"

enum { WORDS_SHOWN = 4 };

/* clang-format off */
static const struct words_case {
    const char *name;
    const char *line;
    enum sg_result result;
    size_t count;
    const char *words[WORDS_SHOWN];
} cases[] = {
    {"one word",                    "status",                    SG_OK, 1, {"status"}},
    {"words between blanks",        "  reload\texample.org  IN ", SG_OK, 3, {"reload", "example.org", "IN"}},
    {"no word",                     " \t ",                      SG_OK, 0, {NULL}},
    {"nothing",                     "",                          SG_OK, 0, {NULL}},
    {"a quoted word keeps blanks",  "a \"b c\" d",               SG_OK, 3, {"a", "b c", "d"}},
    {"an empty quoted word counts", "a \"\"",                    SG_OK, 2, {"a", ""}},
    {"a quote within a word stays", "a\"b",                      SG_OK, 1, {"a\"b"}},
    {"a quote that does not end",   "a \"b c",                   SG_MALFORMED, 0, {NULL}},
    {"a block is all that follows", "addzone z { type \"a; b\"; { x; }; }; ", SG_OK, 3,
     {"addzone", "z", "{ type \"a; b\"; { x; }; }; "}},
    {"too many words", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3",
     SG_LIMIT, 0, {NULL}},
};
/* clang-format on */

static void is_split_into_words(void **state)
{
    const struct words_case *c = *state;
    struct control_call call;

    assert_int_equal(control_call_open(NULL, NULL, c->line, &call), c->result);
    if (c->result != SG_OK) {
        return;
    }
    assert_int_equal(call.count, c->count);
    for (size_t i = 0; i < c->count; i++) {
        assert_string_equal(control_call_word(&call, i), c->words[i]);
    }
    assert_null(control_call_word(&call, c->count));
    control_call_close(&call);
}

static void words_are_compared_without_case(void **state)
{
    struct control_call call;

    (void)state;
    assert_int_equal(control_call_open(NULL, NULL, "RELOAD -P", &call), SG_OK);
    assert_true(control_call_word_is(&call, 0, "reload"));
    assert_true(control_call_word_is(&call, 1, "-p"));
    assert_false(control_call_word_is(&call, 0, "reloa"));
    assert_false(control_call_word_is(&call, 2, "x"));
    control_call_close(&call);
}

static void every_result_has_bind_s_words(void **state)
{
    (void)state;
    assert_string_equal(control_result_text(CONTROL_UNKNOWN_COMMAND), "unknown command");
    assert_string_equal(control_result_text(CONTROL_NOT_FOUND), "not found");
    assert_string_equal(control_result_text(4711), "failure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_compared_without_case),
        cmocka_unit_test(every_result_has_bind_s_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_TABLE(cases, is_split_into_words);
}
