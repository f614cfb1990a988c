#include "server/shortfalls.h"
#include "support/table.h"

/* clang-format off */
static const struct shortfall_case {
    const char *name;
    const char *zone; /* statements of the only zone */
    int expected;     /* SHORTFALLS: none */
} cases[] = {
    {"a plain signed primary asks for nothing more", "type primary; file \"z\"; dnssec-policy default; inline-signing yes;", SHORTFALLS},
    {"a secondary",      "type secondary; primaries { 192.0.2.1; }; file \"z\";", SHORTFALLS},
    {"allow-update",     "type primary; file \"z\"; allow-update { any; };", SHORTFALLS},
    {"also-notify",      "type primary; file \"z\"; also-notify { 192.0.2.1; };", SHORTFALLS},
    {"a session key",    "type primary; file \"z\"; update-policy local;", SHORTFALLS},
    {"a key lifetime",   "type primary; file \"z\"; dnssec-policy rolls; inline-signing yes;", SHORTFALLS},
    {"manual-mode",      "type primary; file \"z\"; dnssec-policy manual; inline-signing yes;", SHORTFALLS},
    {"parental-agents",  "type primary; file \"z\"; dnssec-policy default; inline-signing yes; parental-agents { 192.0.2.1; };", SHORTFALL_PARENT},
    {"going insecure",   "type primary; file \"z\"; dnssec-policy insecure; inline-signing yes;", SHORTFALLS},
};
/* clang-format on */

static void each_kind_is_counted_and_no_other(void **state)
{
    const struct shortfall_case *c = *state;
    struct buffer text = BUFFER_EMPTY;
    struct conf *conf = NULL;
    struct conf_report report = {.problems = NULL};
    size_t counts[SHORTFALLS];
    const struct conf_zone *first[SHORTFALLS];

    buffer_format(&text,
                  "dnssec-policy rolls { keys { csk lifetime P1Y algorithm 13; }; };\n"
                  "dnssec-policy manual { manual-mode yes; };\n"
                  "options { directory \"/tmp\"; };\nzone \"example.test\" { %s };\n",
                  c->zone);
    assert_int_equal(conf_load_text("test", buffer_span(&text), &conf, &report), SG_OK);
    shortfalls_count(conf, counts, first);
    for (int i = 0; i < SHORTFALLS; i++) {
        assert_int_equal(counts[i], i == c->expected);
        assert_true((first[i] != NULL) == (i == c->expected));
    }
    conf_report_clear(&report);
    conf_free(conf);
    buffer_free(&text);
}

int main(void)
{
    return RUN_TABLE(cases, each_kind_is_counted_and_no_other);
}
