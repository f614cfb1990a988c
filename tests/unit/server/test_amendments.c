#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server/amendments.h"
#include "support/table.h"

/* clang-format off */
static const struct life_case {
    const char *name;
    const char *deeds; /* a: addzone, m: modzone, d: delzone, r: signet.conf is read again */
    int kind;          /* -1: nothing is left */
    bool stored;
} cases[] = {
    {"added",                                     "a",    CONF_AMEND_ADD,     true},
    {"added, then modified",                      "am",   CONF_AMEND_ADD,     true},
    {"added, then deleted",                       "ad",   -1,                 false},
    {"added, modified, deleted, added",           "amda", CONF_AMEND_ADD,     true},
    {"added ones stay when the file is read",     "ar",   CONF_AMEND_ADD,     true},
    {"the file's, modified",                      "m",    CONF_AMEND_REPLACE, false},
    {"until it is read again",                    "mr",   -1,                 false},
    {"the file's, deleted",                       "d",    CONF_AMEND_REMOVE,  false},
    {"until it is read again",                    "dr",   -1,                 false},
    {"modified, then deleted",                    "md",   CONF_AMEND_REMOVE,  false},
    {"the file's, deleted, another added",        "da",   CONF_AMEND_ADD,     true},
    {"which is so only where the file lacks it",  "dad",  -1,                 false},
    {"both: the file's counts when it is read",   "dar",  CONF_AMEND_ADD,     true},
    {"the other modified",                        "dam",  CONF_AMEND_ADD,     true},
};
/* clang-format on */

static void leads_a_life(void **state)
{
    const struct life_case *c = *state;
    struct amendments *list = NULL;

    for (const char *deed = c->deeds; *deed != '\0'; deed++) {
        const struct amendment_wish wish = {"v", "z", *deed == 'd' ? NULL : "text"};
        struct amendments *next =
            *deed == 'r' ? amendments_stored(list) : amendments_change(list, &wish, *deed == 'a');
        amendments_free(list);
        list = next;
    }
    const struct amendment *left = amendments_find(list, "v", "z");
    assert_null(amendments_find(list, "w", "z"));
    if (c->kind < 0) {
        assert_null(left);
    } else {
        assert_non_null(left);
        assert_int_equal(left->kind, c->kind);
        assert_int_equal(left->stored, c->stored);
        assert_int_equal(left->text == NULL, c->kind == CONF_AMEND_REMOVE);
    }
    amendments_free(list);
}

static void what_does_not_fit_is_left_out_and_kept(void **state)
{
    struct conf_report report = {.problems = NULL};
    char place[CONF_AMENDMENT_PLACE_BYTES];
    size_t count;

    (void)state;
    struct amendments *one = amendments_change(NULL, &(struct amendment_wish){"v", "a", "x"}, true);
    struct amendments *two = amendments_change(one, &(struct amendment_wish){"v", "b", "y"}, true);
    conf_report_add(&report, CONF_ERROR, "signet.conf", 1, 1, "elsewhere");
    assert_int_equal(amendments_leave_out(two, &report), 0);
    conf_report_add(&report, CONF_ERROR, conf_amendment_place("w", "b", place), 1, 1, "wrong");
    assert_int_equal(amendments_leave_out(two, &report), 0);
    conf_report_add(&report, CONF_ERROR, conf_amendment_place("v", "b", place), 1, 1, "wrong");
    assert_int_equal(amendments_leave_out(two, &report), 1);
    assert_int_equal(amendments_leave_out(two, &report), 0);
    struct conf_amendment *all = amendments_for_conf(two, &count);
    assert_int_equal(count, 1);
    assert_string_equal(all[0].name, "a");
    assert_true(amendments_find(two, "v", "b")->broken);
    struct amendments *again = amendments_stored(two);
    assert_false(amendments_find(again, "v", "b")->broken);
    conf_report_add(&report, CONF_ERROR, conf_amendment_place("v", "a", place), 1, 1, "wrong");
    assert_int_equal(amendments_leave_out_again(again, &report, two), 1);
    assert_true(amendments_find(again, "v", "b")->broken);
    assert_false(amendments_find(again, "v", "a")->broken);
    amendments_free(again);
    mem_free(all);
    conf_report_clear(&report);
    amendments_free(two);
    amendments_free(one);
}

static void names_and_keys_ignore_case(void **state)
{
    struct dns_name apex;
    struct buffer key = BUFFER_EMPTY;
    struct buffer long_key = BUFFER_EMPTY;
    char view[520];

    (void)state;
    assert_int_equal(dns_name_from_text("Ex.Test.", 8, NULL, &apex), SG_OK);
    char *name = amendment_name(&apex);
    assert_string_equal(name, "ex.test");
    assert_int_equal(amendment_key("v", 1, &apex, &key), SG_OK);
    assert_int_equal(key.length, 2 + 2 + 9);
    assert_memory_equal(key.bytes, "v\0\0\1\2ex\4test", 13);
    memset(view, 'v', sizeof(view) - 1);
    view[sizeof(view) - 1] = '\0';
    assert_int_equal(amendment_key(view, 1, &apex, &long_key), SG_LIMIT);
    buffer_free(&long_key);
    buffer_free(&key);
    mem_free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_left_out_and_kept),
        cmocka_unit_test(names_and_keys_ignore_case),
    };
    int failed = RUN_TABLE(cases, leads_a_life);
    return failed + cmocka_run_group_tests_name("amendments", tests, NULL, NULL);
}
