#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/tree.h"
#include "support/table.h"

/* The tree as text, braces around each statement's nodes: what a test can compare. */
static void write_tree(const struct conf_statement *first, struct buffer *out_text)
{
    const struct conf_statement *open[CONF_NESTING_MAX] = {first};
    unsigned next_node[CONF_NESTING_MAX] = {0};
    unsigned depth = 0;

    for (;;) {
        const struct conf_statement *statement = open[depth];
        if (statement == NULL) {
            if (depth-- == 0) {
                return;
            }
            buffer_append_text(out_text, "}");
            continue;
        }
        if (next_node[depth] == statement->count) {
            buffer_append_text(out_text, ";");
            open[depth] = statement->next;
            next_node[depth] = 0;
            continue;
        }
        const struct conf_node *node = &statement->nodes[next_node[depth]++];
        if (node->kind == CONF_NODE_BLOCK) {
            buffer_append_text(out_text, "{");
            open[++depth] = node->block;
            next_node[depth] = 0;
        } else {
            buffer_format(out_text, "%s<%s>", node->kind == CONF_NODE_QUOTED ? "q" : "",
                          node->text);
        }
    }
}

static const struct tree_case {
    const char *name;
    const char *text;
    const char *tree; /* NULL: refused */
    const char *says;
} cases[] = {
    {"a statement is words and a semicolon", "a b \"c\";", "<a><b>q<c>;", NULL},
    {"blocks nest", "a { b { c; d; }; } e;", "<a>{<b>{<c>;<d>;};}<e>;", NULL},
    {"an empty block is one", "a { };", "<a>{};", NULL},
    {"a not is a word of its own", "a { !b; ! { c; }; };", "<a>{<!><b>;<!>{<c>;};};", NULL},
    {"stray semicolons say nothing", ";;a;;", "<a>;", NULL},
    {"\\\" is a quote", "a \"b\\\"c\\d\";", "<a>q<b\"c\\d>;", NULL},
    {"foreign blocks are not looked at", "plugin query \"x\" { a b { c }; \"}\" };",
     "<plugin><query>q<x>{};", NULL},
    {"an empty file is empty", "", "", NULL},
    {"a semicolon is missing before }", "a { b };", NULL, "t:1:7: missing ';' before '}'"},
    {"a semicolon is missing at the end", "a b", NULL,
     "t:1:4: unexpected end of the file: missing ';'"},
    {"a brace is missing at the end", "a {\nb;\n", NULL,
     "t:3:1: unexpected end of the file: the '{' of line 1 is not closed"},
    {"a brace too many", "a; };", NULL, "t:1:4: '}' without a '{' before it"},
    {"nothing is included from memory", "include \"x\";", NULL, "'include' is not possible here"},
    {"a foreign block must end", "dyndb a { b", NULL, "is not closed"},
};

static void is_read(void **state)
{
    const struct tree_case *c = *state;
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct conf_report report = {0};
    struct buffer text = BUFFER_EMPTY;

    conf_tree_read_text(&tree, "t", span_of_text(c->text), &report);
    if (c->tree != NULL) {
        assert_int_equal(report.count, 0);
        write_tree(tree.first, &text);
        assert_string_equal(buffer_text(&text), c->tree);
    } else {
        assert_int_equal(report.errors, 1);
        conf_problem_text(&report.problems[0], &text);
        assert_non_null(strstr(buffer_text(&text), c->says));
    }
    buffer_free(&text);
    conf_report_clear(&report);
    conf_memory_free(tree.memory);
}

static void blocks_that_are_nested_too_deeply_are_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;

    for (int depth = 10; depth <= 1000; depth += 990) {
        struct conf_tree tree = {.memory = conf_memory_new()};
        struct conf_report report = {0};
        buffer_clear(&text);
        for (int i = 0; i < depth; i++) {
            buffer_append_text(&text, "a { ");
        }
        for (int i = 0; i < depth; i++) {
            buffer_append_text(&text, "}; ");
        }
        conf_tree_read_text(&tree, "t", buffer_span(&text), &report);
        assert_int_equal(report.errors, depth > CONF_NESTING_MAX);
        conf_report_clear(&report);
        conf_memory_free(tree.memory);
    }
    buffer_free(&text);
}

static void a_statement_of_too_many_words_is_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct conf_report report = {0};

    for (int i = 0; i <= CONF_STATEMENT_WORDS_MAX; i++) {
        buffer_append_text(&text, "a ");
    }
    conf_tree_read_text(&tree, "t", buffer_span(&text), &report);
    assert_int_equal(report.errors, 1);
    conf_report_clear(&report);
    conf_memory_free(tree.memory);
    buffer_free(&text);
}

/* --- includes --------------------------------------------------------------------------------- */

static char folder[] = "/tmp/signet-test-tree-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static void write_file(const char *name, const char *text)
{
    assert_int_equal(file_write(name, 0600, span_of_text(text)), SG_OK);
}

static int leave_folder(void **state)
{
    static const char *const names[] = {"main", "a1.inc", "a2.inc", "self", "half", "open"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)unlink(names[i]);
    }
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static void read_main(const char *text, const char *tree_text, const char *says)
{
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct conf_report report = {0};
    struct buffer found = BUFFER_EMPTY;

    write_file("main", text);
    assert_int_equal(conf_tree_read(&tree, "main", &report), SG_OK);
    if (tree_text != NULL) {
        assert_int_equal(report.errors, 0);
        write_tree(tree.first, &found);
        assert_string_equal(buffer_text(&found), tree_text);
    } else {
        assert_int_equal(report.errors, 1);
        conf_problem_text(&report.problems[0], &found);
        assert_non_null(strstr(buffer_text(&found), says));
    }
    buffer_free(&found);
    conf_report_clear(&report);
    conf_memory_free(tree.memory);
}

static void an_include_takes_the_place_of_its_statement(void **state)
{
    (void)state;
    write_file("a1.inc", "b; include \"a2.inc\"; d;");
    write_file("a2.inc", "c { x; };");
    read_main("a; include \"a1.inc\"; e;", "<a>;<b>;<c>{<x>;};<d>;<e>;", NULL);
    read_main("a { include \"a2.inc\"; };", "<a>{<c>{<x>;};};", NULL);
}

static void a_pattern_includes_each_file_in_order(void **state)
{
    (void)state;
    write_file("a1.inc", "b;");
    write_file("a2.inc", "c;");
    read_main("a; include \"*.inc\"; e;", "<a>;<b>;<c>;<e>;", NULL);
}

static void a_file_that_is_not_there_is_an_error_where_it_is_named(void **state)
{
    (void)state;
    read_main("a;\n include \"nosuch\";", NULL,
              "main:2:10: cannot include 'nosuch': file not found");
    read_main("a;\n include \"no*such\";", NULL, "main:2:10: cannot include");
}

static void a_file_that_includes_itself_is_an_error(void **state)
{
    (void)state;
    write_file("self", "a; include \"self\";");
    read_main("include \"self\";", NULL, "includes are nested too deeply");
}

static void a_file_ends_the_blocks_that_it_begins(void **state)
{
    (void)state;
    write_file("open", "a { b;");
    read_main("include \"open\"; };", NULL, "open:1:7: unexpected end of the file");
    write_file("half", "b; };");
    read_main("a { include \"half\";", NULL, "half:1:4: '}' without a '{' before it");
}

static void a_configuration_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct conf_report report = {0};

    assert_int_equal(conf_tree_read(&tree, "nosuch", &report), SG_NOT_FOUND);
    assert_int_equal(report.errors, 1);
    conf_report_clear(&report);
    conf_memory_free(tree.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_are_nested_too_deeply_are_refused),
        cmocka_unit_test(a_statement_of_too_many_words_is_refused),
        cmocka_unit_test(an_include_takes_the_place_of_its_statement),
        cmocka_unit_test(a_pattern_includes_each_file_in_order),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error_where_it_is_named),
        cmocka_unit_test(a_file_that_includes_itself_is_an_error),
        cmocka_unit_test(a_file_ends_the_blocks_that_it_begins),
        cmocka_unit_test(a_configuration_that_is_not_there_is_not_found),
    };
    return RUN_TABLE(cases, is_read) | cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
