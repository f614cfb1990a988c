#include "conf/lexer.h"
#include "support/table.h"

/* What comes out, one letter a token: Word, Quoted, {, }, ;, !, Broken. */
static const struct lexer_case {
    const char *name;
    const char *text;
    const char *kinds;
    const char *last; /* text of the last token, or NULL */
} cases[] = {
    {"words end at white space", "a b\tc\r\nd", "WWWW", "d"},
    {"words end at punctuation", "a{b}c;!d\"e\"", "W{W}W;!WQ", "e"},
    {"slashes are part of a word", "10/8 2001:db8::/32", "WW", "2001:db8::/32"},
    {"equals signs are part of a word", "YWI=", "W", "YWI="},
    {"// begins a comment", "a // b ; {\nc", "WW", "c"},
    {"// begins a comment inside a word", "a//b\nc", "WW", "c"},
    {"# begins a comment", "a # b\n#\nc", "WW", "c"},
    {"# begins a comment inside a word", "a#b\nc", "WW", "c"},
    {"a C comment is white space", "a/* b ; \n * ** / */c", "WW", "c"},
    {"a C comment does not nest", "/* /* */ a", "W", "a"},
    {"a C comment must end", "a /* b", "WB", "the comment that begins here never ends"},
    {"a lone slash is a word", "a / b", "WWW", "b"},
    {"a quoted string keeps comments", "\"a // b # c /* d\"", "Q", "a // b # c /* d"},
    {"a quoted string keeps backslashes", "\"a\\b\\\\\"", "Q", "a\\b\\\\"},
    {"a quoted string may be several lines long", "\"a\n  b\" c", "QW", "c"},
    {"a quoted string must end", "\"abc", "B",
     "unbalanced quotes: the string that begins here never ends"},
    {"an empty string is one", "\"\"", "Q", ""},
    {"control characters are no text", "a \001", "WB", "a control character"},
    {"nor in quotes", "\"\001\"", "B", "a quoted string with a control character"},
    {"an empty text ends", "", "", NULL},
    {"white space ends", " \n\t\v\f\r ", "", NULL},
    {"bytes above ASCII are words", "\xc3\xa4;", "W;", ";"},
};

static void comes_apart(void **state)
{
    static const char letters[] = "EWQ{};!B";
    const struct lexer_case *c = *state;
    struct conf_lexer lexer = conf_lexer_of(span_of_text(c->text));
    struct conf_token token = {0}, last = {0};
    size_t count = 0;

    while ((token = conf_lexer_next(&lexer)).kind != CONF_TOKEN_END) {
        assert_int_equal(letters[token.kind], c->kinds[count++]);
        last = token;
        if (token.kind == CONF_TOKEN_BROKEN) {
            break;
        }
    }
    assert_int_equal(count, strlen(c->kinds));
    if (c->last != NULL) {
        assert_int_equal(last.length, strlen(c->last));
        assert_memory_equal(last.text, c->last, last.length);
    }
}

static void lines_and_columns_count_from_one(void **state)
{
    (void)state;
    struct conf_lexer lexer = conf_lexer_of(span_of_text("a /* x\n y */ b\n\"c\nd\" e // f\n  g"));
    const unsigned where[][2] = {{1, 1}, {2, 7}, {3, 1}, {4, 4}, {5, 3}};

    for (size_t i = 0; i < ARRAY_LEN(where); i++) {
        struct conf_token token = conf_lexer_next(&lexer);
        assert_int_equal(token.line, where[i][0]);
        assert_int_equal(token.column, where[i][1]);
    }
    assert_int_equal(conf_lexer_next(&lexer).kind, CONF_TOKEN_END);
    assert_int_equal(conf_lexer_next(&lexer).kind, CONF_TOKEN_END);
}

static void a_foreign_block_is_skipped_whole(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool whole;
        const char *rest;
    } cases_of_blocks[] = {
        {"{ a b { c } \"}\" /* } */ // }\n } d", true, "d"},
        {" { } x", true, "x"},
        {"{ {", false, NULL},
        {"} x", false, NULL},
        {"a { }", false, NULL},
        {"", false, NULL},
        {"{ \"", false, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases_of_blocks); i++) {
        struct conf_lexer lexer = conf_lexer_of(span_of_text(cases_of_blocks[i].text));
        assert_int_equal(conf_lexer_skip_block(&lexer), cases_of_blocks[i].whole);
        if (cases_of_blocks[i].whole) {
            struct conf_token token = conf_lexer_next(&lexer);
            assert_int_equal(token.kind, CONF_TOKEN_WORD);
            assert_memory_equal(token.text, cases_of_blocks[i].rest, token.length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_columns_count_from_one),
        cmocka_unit_test(a_foreign_block_is_skipped_whole),
    };
    return RUN_TABLE(cases, comes_apart) | cmocka_run_group_tests(tests, NULL, NULL);
}
