#include "support/table.h"
#include "tools/command_words.h"

static const struct word_case {
    const char *name;
    const char *word;
    const char *meant; /* NULL: nothing */
} cases[] = {
    {"two neighbours exchanged", "relaod", "reload"},
    {"a letter missing", "chekzone", "checkzone"},
    {"a letter too many", "statuss", "status"},
    {"another letter", "reboad", "reload"},
    {"three slips are too many", "chkcnf", NULL},
    {"two letters missing in a long word", "chekcnf", "checkconf"},
    {"a short word may have one", "hlt", "halt"},
    {"but not two", "ht", NULL},
    {"the nearest of several", "singing", "signing"},
    {"case does not matter", "RELAOD", "reload"},
    {"a known word is meant as it is", "reload", NULL},
    {"a known word is not taken for its neighbour", "flushname", NULL},
    {"nothing like it", "frobnicate", NULL},
    {"no word at all", "", NULL},
    {"too long to be one", "reloadreloadreloadreloadreloadreload", NULL},
};

static void is_understood(void **state)
{
    const struct word_case *c = *state;
    const char *meant = command_word_meant(c->word);

    if (c->meant == NULL) {
        assert_null(meant);
    } else {
        assert_non_null(meant);
        assert_string_equal(meant, c->meant);
    }
}

static void known_words_are_known(void **state)
{
    (void)state;
    assert_true(command_word_is_known("checkzone"));
    assert_true(command_word_is_known("ZoneStatus"));
    assert_false(command_word_is_known("zonestat"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_words_are_known)};
    int failed = cmocka_run_group_tests_name("command_words", tests, NULL, NULL);

    return failed + RUN_TABLE(cases, is_understood);
}
