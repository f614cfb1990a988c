#include "conf/grammar.h"
#include "support/table.h"

static const struct grammar_case {
    const char *name; /* the statement */
    const char *grammar;
    const char *says; /* NULL: it matches */
} cases[] = {
    {"a yes;", "<boolean>", NULL},
    {"a maybe;", "<boolean>", "t:1:3: expected 'yes' or 'no', found 'maybe'"},
    {"a;", "<boolean>", "t:1:2: expected 'yes' or 'no' before ';'"},
    {"a yes no;", "<boolean>", "t:1:7: expected ';', found 'no'"},
    {"a { };", "<boolean>", "expected 'yes' or 'no', found '{'"},
    {"a ! yes;", "<boolean>", "expected 'yes' or 'no', found '!'"},
    {"a 5;", "<integer 1..10>", NULL},
    {"a 11;", "<integer 1..10>", "expected a number from 1 to 10, found '11'"},
    {"a 11;", "<integer 1~10>", NULL},
    {"a x;", "<integer 1~10>", "expected a number, found 'x'"},
    {"a 1h;", "<duration>", NULL},
    {"a 1x;", "<duration>", "expected a duration such as"},
    {"a 10k;", "<size>", NULL},
    {"a 10%;", "<percent>", NULL},
    {"a 1.5;", "<decimal>", NULL},
    {"a \"x\";", "<quoted>", NULL},
    {"a x;", "<quoted>", "expected a quoted string, found 'x'"},
    {"a x;", "<string>", NULL},
    {"a example.org;", "<name>", NULL},
    {"a a..b;", "<name>", "expected a domain name, found 'a..b'"},
    {"a ::1;", "<address>", NULL},
    {"a ::1;", "<ipv4>", "expected an IPv4 address, found '::1'"},
    {"a ::1;", "<ipv6>", NULL},
    {"a 10/8;", "<prefix>", NULL},
    {"a TYPE65280;", "<rrtype>", NULL},
    {"a none;", "( <quoted> | none )", NULL},
    {"a \"x\";", "( <quoted> | none )", NULL},
    {"a x;", "( <quoted> | none )", "expected a quoted string or 'none', found 'x'"},
    {"a WARN;", "( fail | warn | ignore )", NULL},
    {"a;", "( fail | warn | ignore )", "expected 'fail' or 'warn' or 'ignore' before ';'"},
    {"a debug 3;", "( info | debug [ <integer> ] )", NULL},
    {"a debug;", "( info | debug [ <integer> ] )", NULL},
    {"a info 3;", "( info | debug [ <integer> ] )", "expected ';', found '3'"},
    {"a port 5 x;", "[ port <integer> ] <string>", NULL},
    {"a x;", "[ port <integer> ] <string>", NULL},
    {"a port x;", "[ port <integer> ] <string>", "t:1:8: expected a number, found 'x'"},
    {"a tls x port 5;", "[ port <integer> ] [ tls <string> ]", "expected ';', found 'port'"},
    {"a { b 1; c 2; };", "{ <string> <integer> }", NULL},
    {"a { b 1; c; };", "{ <string> <integer> }", "t:1:11: expected a number before ';'"},
    {"a { b 1 2; };", "{ <string> <integer> }", "expected ';', found '2'"},
    {"a { };", "{ <string> }", NULL},
    {"a b;", "{ <string> }", "expected '{', found 'b'"},
    {"a { b; } c { d; };", "{ <string> } [ c { <string> } ]", NULL},
    {"a b { c { d; }; };", "<string> {}", NULL},
    {"a b;", "<string> {}", "expected '{' before ';'"},
    {"a b c { d; } e;", "...", NULL},
    {"a;", "...", NULL},
    {"a { range 1 2; 5; };", "{ ( range <integer> <integer> | <integer> ) }", NULL},
    {"a { range 1; };", "{ ( range <integer> <integer> | <integer> ) }", "expected a number"},
    {"a { 10/8; !{ any; key k; }; };", "<acl>", NULL},
    {"a { 10/33; };", "<acl>", "'10/33' is an invalid prefix length"},
    {"a { { { 10.1; }; }; };", "<acl>", "t:1:9: '10.1' is an incomplete IPv4 address or prefix"},
    {"a any;", "<acl>", "expected '{' and an address match list, found 'any'"},
    {"a;", "", NULL},
    {"a b;", "", "expected ';', found 'b'"},
};

static void matches_or_says_why_not(void **state)
{
    const struct grammar_case *c = *state;
    struct conf_tree tree = {.memory = conf_memory_new()};
    struct conf_report report = {0};
    struct buffer text = BUFFER_EMPTY;

    conf_tree_read_text(&tree, "t", span_of_text(c->name), &report);
    assert_int_equal(report.count, 0);
    assert_int_equal(conf_grammar_match(c->grammar, tree.first, &report), c->says == NULL);
    assert_int_equal(report.errors, c->says != NULL);
    if (c->says != NULL) {
        conf_problem_text(&report.problems[0], &text);
        assert_non_null(strstr(buffer_text(&text), c->says));
    }
    buffer_free(&text);
    conf_report_clear(&report);
    conf_memory_free(tree.memory);
}

int main(void)
{
    return RUN_TABLE(cases, matches_or_says_why_not);
}
