#include "conf/load.h"
#include "support/table.h"

/* What is printed must load, print as the same, and hold the same zones. */
#define HASH "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define KEY_64                                                                                     \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static const struct print_case {
    const char *name;
    const char *text;
} cases[] = {
    {"nothing", ""},
    {"everything of options",
     "options { directory \"/d \\\"q\\\"\"; version \"v\"; hostname none; server-id \"s\";"
     "listen-on port 5300 { 127.0.0.1; !10/8; any; }; listen-on-v6 { none; };"
     "blackhole { 192.0.2.0/24; }; cookie-secret \"00112233445566778899aabbccddeeff\";"
     "minimal-responses no-auth; minimal-any yes; querylog yes; tcp-idle-timeout 7;"
     "rate-limit { responses-per-second 5; exempt-clients { localhost; }; }; };"},
    {"keys, stores, policies",
     KEY_K "key-store s { directory \"/tmp\"; pkcs11-uri \"pkcs11:x\"; };"
           "dnssec-policy p { keys { ksk key-store s lifetime P1Y algorithm 8 tag-range 1 9 3072;"
           "zsk lifetime unlimited algorithm 8; }; nsec3param optout yes salt-length 3;"
           "cds-digest-types { 4; }; };"
           "tls t { cert-file \"a\"; key-file \"b\"; protocols { TLSv1.3; }; };"
           "http h { endpoints { \"/x\"; \"/y\"; }; };"},
    {"lists in lists", "acl n { !127.0.0.1; any; };"
                       "zone a { " PRIMARY
                       "allow-query { !{ !10/8; any; }; n; { n; }; localhost; !localnets; none; };"
                       "allow-transfer port 853 transport tls { }; };"},
    {"logging",
     "logging { channel c { file \"x\" versions 3 size 1m; severity debug 4; print-time iso8601; };"
     "channel d { syslog local7; severity dynamic; }; category default { c; null; };"
     "category queries { d; default_stderr; }; };"},
    {"controls",
     KEY_K "controls { inet ::1 allow { any; } keys { k; } read-only yes; inet * allow { "
           "none; }; };"},
    {"no controls", "controls { };"},
    {"a primary zone", POLICY_P KEY_K
     "zone \"A.b\\.c\" { " PRIMARY "dnssec-policy p; allow-update { key k; !10/8; }; also-notify { "
     "::1 key k; 192.0.2.1 port 54; };"
     "parental-agents { 192.0.2.9; }; notify explicit; check-names warn; max-ixfr-ratio 3%;"
     "max-journal-size unlimited; max-journal-age 600; notify-source * port 5; notify-source-v6 "
     "::1; };"},
    {"checkds", "options { checkds no; }; view v { checkds yes; zone a { " PRIMARY
                "}; zone b { " PRIMARY "parental-agents { ::1; }; }; zone c { " PRIMARY
                "checkds explicit; }; }; view w { zone a { " PRIMARY "}; };"},
    {"checkds of agents", "zone a { " PRIMARY "parental-agents { ::1; }; checkds yes; };"},
    {"what proves the parent's answers",
     "trust-anchors { . static-ds 20326 8 2 \"" HASH "\"; \"T\" static-key 257 3 13 \"" KEY_64
     "\"; };"
     "options { checkds-validate yes; }; zone a { " PRIMARY "dnssec-policy default; };"},
    {"how the parent is told",
     KEY_K "zone a { " PRIMARY "ds-push { ::1 key k; }; ds-submit-command \"/bin/x a b\"; "
           "ds-retract-command \"/bin/y\"; ds-command-records ds; };"},
    {"how the parent is found",
     KEY_K "zone a { " PRIMARY "parent-resolvers port 5300 { ::1 key k; 192.0.2.1; }; "
           "parental-source 192.0.2.2; min-checkds-time 5; max-checkds-time 50; };"},
    {"what is not in effect yet",
     "options { answer-cookie no; dump-file \"d\"; transfer-message-size 1000; "
     "tcp-keepalive-timeout 7; flush-zones-on-shutdown yes; };"},
    {"an update policy",
     "zone a { " PRIMARY
     "update-policy { deny k name x.a A(3) TXT; grant k krb5-self . ANY; grant k "
     "zonesub; }; }; zone b { type primary; file \"y\"; update-policy local; };"},
    {"a secondary zone",
     "tls t { }; primaries l source 192.0.2.7 { 192.0.2.1 tls t; };"
     "zone a { type secondary; primaries { l; }; masterfile-style full; request-ixfr no;"
     "allow-update-forwarding { any; }; min-retry-time 9; max-transfer-time-in 9; };"},
    {"views", KEY_K "view v { match-clients { key k; }; match-recursive-only yes; zone a { " PRIMARY
                    " }; rate-limit { window 3; }; server 10/8 { keys k; provide-ixfr no; }; };"
                    "view w IN { match-destinations { ::1; }; zone a { in-view v; }; };"},
};

static void loads_again_and_is_the_same(void **state)
{
    const struct print_case *c = *state;
    struct buffer first = BUFFER_EMPTY, second = BUFFER_EMPTY;
    struct conf *conf = load(c->text);

    conf_print(conf, false, &first);
    struct conf *again = load(buffer_text(&first));
    conf_print(again, false, &second);
    assert_string_equal(buffer_text(&first), buffer_text(&second));
    assert_int_equal(conf->views_count, again->views_count);
    for (size_t i = 0; i < conf->views_count; i++) {
        const struct conf_view *a = conf->views[i], *b = again->views[i];
        assert_int_equal(a->zones_count, b->zones_count);
        for (size_t j = 0; j < a->zones_count; j++) {
            if (a->zones[j]->options->transfer_in.primaries.count == 0) {
                assert_int_equal(a->zones[j]->fingerprint, b->zones[j]->fingerprint);
            }
            assert_int_equal(a->zones[j]->content_fingerprint, b->zones[j]->content_fingerprint);
        }
    }
    conf_free(again);
    conf_free(conf);
    buffer_free(&first);
    buffer_free(&second);
}

/* Defaults are printed, but not those that a load would warn of. */
static void no_default_draws_a_warning(void **state)
{
    (void)state;
    struct conf_report report = {0};
    struct buffer text = BUFFER_EMPTY;
    struct conf *conf = load("parental-agents l { 192.0.2.1; }; zone a { " PRIMARY "};");
    struct conf *again = NULL;

    conf_print(conf, false, &text);
    assert_non_null(strstr(buffer_text(&text), "edns-udp-size 1232;"));
    assert_int_equal(conf_load_text("t", buffer_span(&text), &again, &report), SG_OK);
    assert_int_equal(report.count, 0);
    conf_report_clear(&report);
    conf_free(again);
    conf_free(conf);
    buffer_free(&text);
}

static void secrets_are_hidden_where_that_is_asked(void **state)
{
    (void)state;
    struct conf *conf =
        load(KEY_K "options { cookie-secret \"00112233445566778899aabbccddeeff\"; };");
    struct buffer text = BUFFER_EMPTY;

    conf_print(conf, true, &text);
    assert_null(strstr(buffer_text(&text), "MTIz"));
    assert_null(strstr(buffer_text(&text), "AABBCC"));
    assert_non_null(strstr(buffer_text(&text), "secret \"????????????????\";"));
    buffer_clear(&text);
    conf_print(conf, false, &text);
    assert_non_null(strstr(buffer_text(&text), "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="));
    assert_non_null(strstr(buffer_text(&text), "00112233445566778899AABBCCDDEEFF"));
    buffer_free(&text);
    conf_free(conf);
}

/* `showzone`: all that the statement comes to, and it loads again. */
static void a_zone_on_one_line(void **state)
{
    (void)state;
    static const char expected[] =
        "zone \"a \\\"b\" { type secondary; file \"x\t{\\\\\"; "
        "allow-transfer { key \"k.\"; }; "
        "primaries { 192.0.2.1 port 53 key \"k.\"; 2001:db8::1 port 54; }; };";
    struct conf *conf =
        load(KEY_K "primaries l { 2001:db8::1 port 54; }; options { allow-transfer { key k; }; };"
                   "zone \"a \\\"b\" { type slave; file \"x\t{\\\\\";"
                   "masters { 192.0.2.1 key k; l; }; };");
    struct buffer text = BUFFER_EMPTY;

    conf_print_zone(conf->views[0]->zones[0], &text);
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_default_draws_a_warning),
        cmocka_unit_test(secrets_are_hidden_where_that_is_asked),
        cmocka_unit_test(a_zone_on_one_line),
    };
    return RUN_TABLE(cases, loads_again_and_is_the_same) |
           cmocka_run_group_tests(tests, NULL, NULL);
}
