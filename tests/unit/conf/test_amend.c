#include "conf/load.h"
#include "conf/tree.h"
#include "support/table.h"

#define FILE_TEXT                                                                                  \
    "zone \"a.test\" { type primary; file \"a\"; };\nzone \"b.test\" { type primary; };\n"
#define VIEWS "view \"v\" { zone \"a.test\" { type primary; }; };\nview \"e\" { };\n"

/* clang-format off */
static const struct amend_case {
    const char *name;
    const char *file;
    struct conf_amendment amendment;
    const char *zones;   /* of the place that it is about, in order */
    const char *problem; /* part of it; NULL: none */
} cases[] = {
    {"a zone is added behind the others", FILE_TEXT,
     {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { type primary; };"},
     "a.test b.test c.test", NULL},
    {"to an empty file", "",
     {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { type secondary; };"}, "c.test", NULL},
    {"to a view", VIEWS,
     {CONF_AMEND_ADD, "v", "c.test", "zone \"c.test\" IN { type primary; };"}, "a.test c.test", NULL},
    {"to an empty view", VIEWS,
     {CONF_AMEND_ADD, "e", "c.test", "zone \"c.test\" { type primary; };"}, "c.test", NULL},
    {"what the file has counts, in whatever case", FILE_TEXT,
     {CONF_AMEND_ADD, "_default", "A.TEST.", "zone \"A.TEST.\" { type secondary; };"},
     "a.test b.test", "was also added by addzone: what stands here counts"},
    {"a zone is taken away", FILE_TEXT, {CONF_AMEND_REMOVE, "_default", "a.test", NULL}, "b.test", NULL},
    {"the last too", FILE_TEXT, {CONF_AMEND_REMOVE, "_default", "b.test", NULL}, "a.test", NULL},
    {"one that is not there", FILE_TEXT, {CONF_AMEND_REMOVE, "_default", "x.test", NULL},
     "a.test b.test", NULL},
    {"a zone is replaced", FILE_TEXT,
     {CONF_AMEND_REPLACE, "_default", "b.test", "zone \"b.test\" { type secondary; };"},
     "a.test b.test", NULL},
    {"there is no such view", VIEWS,
     {CONF_AMEND_ADD, "w", "c.test", "zone \"c.test\" { type primary; };"}, NULL,
     "there is no view 'w' any more"},
    {"a second statement is not smuggled in", FILE_TEXT,
     {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { type primary; }; options { };"},
     "a.test b.test", "one block of zone options is expected"},
    {"nor another one", FILE_TEXT, {CONF_AMEND_ADD, "_default", "c.test", "options { };"},
     "a.test b.test", "one block of zone options is expected"},
    {"broken text is told with its place", FILE_TEXT,
     {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { type primary }"},
     "a.test b.test", "added zone 'c.test':1:30: missing ';' before '}'"},
    {"an include is no zone", FILE_TEXT,
     {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { include \"/etc/passwd\"; };"},
     "a.test b.test", "'include' is not possible here"},
    {"a type that is not served", FILE_TEXT,
     {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { type hint; };"},
     "a.test b.test", "'hint' zones not supported by addzone"},
    {"a zone of another view", VIEWS,
     {CONF_AMEND_ADD, "e", "c.test", "zone \"c.test\" { in-view \"v\"; };"}, "",
     "'in-view' zones not supported by addzone"},
};
/* clang-format on */

static void append_zones(const struct conf_statement *first, struct buffer *text)
{
    for (; first != NULL; first = first->next) {
        buffer_format(text, "%s%s", text->length == 0 ? "" : " ", conf_statement_text(first, 1));
    }
}

static void amends(void **state)
{
    const struct amend_case *c = *state;
    struct conf_report report = {.problems = NULL};
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct buffer zones = BUFFER_EMPTY;

    conf_tree_read_text(&tree, "t", span_of_text(c->file), &report);
    assert_int_equal(report.count, 0);
    conf_amend_tree(&tree, &c->amendment, 1, &report);
    if (c->problem == NULL) {
        assert_int_equal(report.count, 0);
    } else {
        assert_true(report_says(&report, c->problem));
    }
    const struct conf_statement *first = tree.first;
    if (strcmp(c->file, VIEWS) == 0 && c->zones != NULL) {
        first = strcmp(c->amendment.view, "v") == 0 ? first : first->next;
        first = conf_statement_block(first)->block;
    }
    if (c->zones != NULL) {
        append_zones(first, &zones);
        assert_string_equal(buffer_text(&zones), c->zones);
    }
    buffer_free(&zones);
    conf_report_clear(&report);
    conf_memory_free(tree.memory);
}

static void what_replaces_counts_and_more_can_follow(void **state)
{
    const struct conf_amendment amendments[] = {
        {CONF_AMEND_REPLACE, "_default", "b.test", "zone \"b.test\" { type secondary; };"},
        {CONF_AMEND_REMOVE, "_default", "a.test", NULL},
        {CONF_AMEND_ADD, "_default", "c.test", "zone \"c.test\" { type primary; };"},
    };
    struct conf_report report = {.problems = NULL};
    struct conf_tree tree = {.memory = conf_memory_new()};

    (void)state;
    conf_tree_read_text(&tree, "t", span_of_text(FILE_TEXT), &report);
    conf_amend_tree(&tree, amendments, 3, &report);
    assert_int_equal(report.count, 0);
    const struct conf_statement *at = tree.first;
    assert_string_equal(conf_statement_text(at, 1), "b.test");
    assert_string_equal(conf_statement_text(conf_statement_block(at)->block, 1), "secondary");
    assert_string_equal(conf_statement_text(at->next, 1), "c.test");
    assert_null(at->next->next);
    conf_memory_free(tree.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_replaces_counts_and_more_can_follow),
    };
    int failed = RUN_TABLE(cases, amends);
    return failed + cmocka_run_group_tests_name("amend", tests, NULL, NULL);
}
