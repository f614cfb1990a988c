#include "base/mem.h"
#include "support/table.h"
#include "zone/zonefile_scan.h"

/* Each logical line as its tokens in brackets, quoted ones in braces, "!" for a broken one. */
static const struct scan_case {
    const char *name;
    const char *text;
    const char *tokens;
} cases[] = {
    {"blanks part words", "a  b\tc\n", "[a][b][c]|"},
    {"a file may end without a newline", "a b", "[a][b]|"},
    {"an empty file has no line", "", ""},
    {"CR LF, LF and CR all end a line", "a\r\nb\nc\rd", "[a]|[b]|[c]|[d]|"},
    {"a comment ends with its line", "a;b c\n;d\ne ; f\r\ng", "[a]||[e]|[g]|"},
    {"a semicolon ends a word", "ab;cd\n", "[ab]|"},
    {"a comment at the end of the file", "a ; b", "[a]|"},
    {"parentheses join lines", "a ( b\nc ; d )\n e )f\ng", "[a][b][c][e][f]|[g]|"},
    {"parentheses nest", "((a\n)\nb)c\nd", "[a][b][c]|[d]|"},
    {"a parenthesis ends a word", "a(b)c\n", "[a][b][c]|"},
    {"quotes hold blanks, semicolons and parentheses", "\"a ;()\" b\n", "{a ;()}[b]|"},
    {"a quote ends a word", "a\"b\"c\n", "[a]{b}[c]|"},
    {"an empty string is a token", "\"\" a\n", "{}[a]|"},
    {"escapes stay in their token", "a\\ b\\;c \"d\\\"e\" \\(\n", "[a\\ b\\;c]{d\\\"e}[\\(]|"},
    {"an escaped backslash escapes nothing", "\"a\\\\\" b\\\\ c\n", "{a\\\\}[b\\\\][c]|"},
    {"other bytes are words", "\x01\x80! \xff\n", "[\x01\x80!][\xff]|"},
    {"a quote that stays open breaks its line", "a \"b\nc\n", "[a]!|[c]|"},
    {"a quote that stays open at the end", "\"b", "!|"},
    {"a parenthesis that stays open", "a ( b\nc", "[a][b][c]!|"},
    {"a parenthesis that was not opened", "a ) b\nc", "[a]![b]|[c]|"},
    {"a backslash at the end of a line", "a\\\nb\n", "!|[b]|"},
    {"a backslash at the end of the file", "a\\", "!|"},
    {"a backslash at the end of a quoted line", "\"a\\\nb\n", "!|[b]|"},
    {"words longer than a wide load", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq rs\n",
     "[abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq][rs]|"},
};

static void describe(struct scan *scan, struct buffer *out)
{
    struct scan_token token;
    enum scan_kind kind;
    while ((kind = scan_next(scan, &token)) != SCAN_END) {
        if (kind == SCAN_BROKEN) {
            assert_non_null(scan->problem);
            buffer_append_u8(out, '!');
            continue;
        }
        buffer_append_u8(out, kind == SCAN_WORD ? '[' : '{');
        buffer_append(out, token.text, token.length);
        buffer_append_u8(out, kind == SCAN_WORD ? ']' : '}');
        bool escaped = token.length > 0 && memchr(token.text, '\\', token.length) != NULL;
        assert_int_equal(token.escaped, escaped);
    }
    scan_consume_end(scan);
    buffer_append_u8(out, '|');
}

static void gives_its_tokens(void **state)
{
    const struct scan_case *c = *state;
    size_t length = strlen(c->text);
    uint8_t *window = mem_alloc_zero(1, length + SCAN_SLACK_BYTES);
    memcpy(window, c->text, length);
    struct scan scan = {.at = window, .end = window + length, .line = 1, .final = true};
    struct buffer seen = BUFFER_EMPTY;
    while (!scan_is_finished(&scan)) {
        describe(&scan, &seen);
    }
    assert_string_equal(buffer_text(&seen), c->tokens);
    buffer_free(&seen);
    mem_free(window);
}

/* Wherever a window ends, the scan either sees the same as before or says that it starves. */
static void starves_rather_than_guess(void **state)
{
    const struct scan_case *c = *state;
    size_t length = strlen(c->text);
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *window = mem_alloc_zero(1, cut + SCAN_SLACK_BYTES);
        memcpy(window, c->text, cut);
        struct scan scan = {.at = window, .end = window + cut, .line = 1};
        struct buffer seen = BUFFER_EMPTY;
        while (!scan.starved && scan.at < scan.end) {
            size_t before = seen.length;
            describe(&scan, &seen);
            seen.length = scan.starved ? before : seen.length;
        }
        assert_memory_equal(buffer_text(&seen), c->tokens, seen.length);
        buffer_free(&seen);
        mem_free(window);
    }
}

static void counts_lines_inside_of_parentheses(void **state)
{
    (void)state;
    static const uint8_t text[] = "a (\n\n;\n b)\nc\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct scan scan = {.at = text, .end = text + 14, .line = 1, .final = true};
    scan_skip_line(&scan);
    assert_int_equal(scan.line, 4);
    scan_consume_end(&scan);
    assert_int_equal(scan.line, 5);
}

static void a_missing_parenthesis_is_reported_where_the_first_one_opened(void **state)
{
    (void)state;
    static const uint8_t text[] = "\na (\n(\nb\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct scan scan = {.at = text + 1, .end = text + 9, .line = 2, .final = true};
    struct scan_token token;
    while (scan_next(&scan, &token) != SCAN_BROKEN) {
    }
    assert_int_equal(scan.line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_lines_inside_of_parentheses),
        cmocka_unit_test(a_missing_parenthesis_is_reported_where_the_first_one_opened),
    };
    return RUN_TABLE(cases, gives_its_tokens) + RUN_TABLE(cases, starves_rather_than_guess) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
