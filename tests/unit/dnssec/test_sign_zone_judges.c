/*
 * Zones of every shape, signed in every way, as ldns-verify-zone, dnssec-verify and kzonecheck
 * see them.
 */
#include "base/file.h"
#include "signing_bench.h"

static const char busy[] =
    "$ORIGIN example.test.\n"
    "$TTL 3600\n"
    "@ SOA ns.Example.test. Host.Master 1 7200 900 1209600 300\n"
    "@ NS ns\n"
    "@ NS ns.elsewhere.test.\n"
    "@ MX 10 Mail.EXAMPLE.test.\n"
    "@ TXT \"a\" \"b\"\n"
    "@ CAA 0 issue \"ca.example\"\n"
    "ns A 192.0.2.1\n"
    "ns AAAA 2001:db8::1\n"
    "mail A 192.0.2.25\n"
    "mail A 192.0.2.26\n"
    "WWW CNAME Web.Example.Test.\n"
    "web 60 A 192.0.2.80\n"
    /* Wildcards, one below an empty non-terminal, one that is a delegation's sibling. */
    "* TXT \"wild\"\n"
    "*.deep.down.in.the A 192.0.2.7\n"
    "a.*.star A 192.0.2.8\n"
    /* Empty non-terminals: one deep, one with several below. */
    "x.y.z.ent A 192.0.2.9\n"
    "w.y.z.ent SRV 1 2 3 Target.Example.TEST.\n"
    "_sip._udp NAPTR 10 100 \"S\" \"SIP+D2U\" \"\" _SIP._udp.example.test.\n"
    /* A DNAME with company. */
    "alias DNAME Target.example.test.\n"
    "alias TXT \"beside\"\n"
    /* Insecure delegations: with glue, with glue at the cut itself, deep, occluding. */
    "sub NS ns.sub\n"
    "ns.sub A 192.0.2.53\n"
    "self NS self\n"
    "self A 192.0.2.54\n"
    "self TXT \"not ours\"\n"
    "one.of.many NS ns\n"
    "two.of.many NS ns\n"
    "occluded.sub NS ns.other.test.\n"
    "occluded.sub DS 1 13 2 "
    "1111111111111111111111111111111111111111111111111111111111111111\n"
    /* Secure delegations, one beside an insecure one under the same empty non-terminal. */
    "secure NS ns.secure\n"
    "secure DS 12345 13 2 "
    "2222222222222222222222222222222222222222222222222222222222222222\n"
    "ns.secure A 192.0.2.55\n"
    "safe.mixed NS ns\n"
    "safe.mixed DS 12345 13 2 "
    "3333333333333333333333333333333333333333333333333333333333333333\n"
    "plain.mixed NS ns\n"
    /* Order and odd bytes. */
    "\\000 TXT \"nul\"\n"
    "a\\.b TXT \"a dot in a label\"\n"
    "\\200 TXT \"above\"\n"
    "Z TXT \"last?\"\n"
    "typ TYPE65280 \\# 3 010203\n";

/* kzonecheck refuses data below a DNAME at all; the others want it without NSEC and RRSIG. */
static const char occluded[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 5\n"
                               "@ 300 IN NS ns\n"
                               "ns 300 IN A 192.0.2.1\n"
                               "alias 300 IN DNAME ns\n"
                               "below.alias 300 IN A 192.0.2.66\n"
                               "far.below.alias 300 IN TXT \"occluded\"\n"
                               "next 300 IN A 192.0.2.67\n";

static const char tiny[] = "@ 300 IN SOA ns hostmaster 1 2 3 4 5\n"
                           "@ 300 IN NS ns\n"
                           "ns 300 IN A 192.0.2.1\n";

static const char root[] = ". 86400 IN SOA a.root. nstld.example. 2026 1800 900 604800 86400\n"
                           ". 518400 IN NS a.root.\n"
                           "a.root. 518400 IN A 192.0.2.1\n"
                           "com. 172800 IN NS a.gtld.net.\n"
                           "com. 86400 IN DS 19718 13 2 "
                           "8ACBB0CD28F41250A80A491389424D341522D946B0DA0C0291F2D3D771D7805A\n"
                           "a.gtld.net. 172800 IN A 192.0.2.2\n"
                           "test. 172800 IN NS ns.test.\n"
                           "ns.test. 172800 IN A 192.0.2.3\n";

enum denial { NSEC, NSEC3, SALTED, OPT_OUT };

/* clang-format off */
static const struct judged_case {
    const char *name;
    const char *apex;
    const char *text;
    const char *keys;
    enum denial denial;
} cases[] = {
    {"a busy zone, NSEC, KSK and ZSK",           "example.test.", busy, "K13 Z13",         NSEC},
    {"a busy zone, NSEC, CSK",                   "example.test.", busy, "C13",             NSEC},
    {"a busy zone, NSEC3, KSK and ZSK",          "example.test.", busy, "K13 Z13",         NSEC3},
    {"a busy zone, NSEC3 with salt, CSK",        "example.test.", busy, "C13",             SALTED},
    {"a busy zone, opt-out, KSK and ZSK",        "example.test.", busy, "K13 Z13",         OPT_OUT},
    {"a busy zone, opt-out, CSK",                "example.test.", busy, "C15",             OPT_OUT},
    {"a busy zone, NSEC, RSASHA256",             "example.test.", busy, "K8 Z8",           NSEC},
    {"a busy zone, NSEC3, RSASHA512",            "example.test.", busy, "K10 Z10",         NSEC3},
    {"a busy zone, NSEC, RSASHA1",               "example.test.", busy, "K5 Z5",           NSEC},
    {"a busy zone, NSEC3, NSEC3RSASHA1",         "example.test.", busy, "K7 Z7",           NSEC3},
    {"a busy zone, NSEC, P-384",                 "example.test.", busy, "C14",             NSEC},
    {"a busy zone, NSEC3, Ed448",                "example.test.", busy, "C16",             NSEC3},
    {"a busy zone, NSEC, two algorithms",        "example.test.", busy, "K8 Z8 K13 Z13",   NSEC},
    {"a busy zone, opt-out, two algorithms",     "example.test.", busy, "K15 Z15 K13 Z13", OPT_OUT},
    {"a busy zone, NSEC, two ZSKs",              "example.test.", busy, "K13 Z13 Z13",     NSEC},
    {"names below a DNAME, NSEC",                "dname.",        occluded, "K13 Z13",     NSEC},
    {"names below a DNAME, NSEC3",               "dname.",        occluded, "K13 Z13",     NSEC3},
    {"a tiny zone, NSEC",                        "tiny.",         tiny, "C13",             NSEC},
    {"a tiny zone, NSEC3",                       "tiny.",         tiny, "C13",             NSEC3},
    {"the root, NSEC",                           ".",             root, "K8 Z8",           NSEC},
    {"the root, NSEC3",                          ".",             root, "K13 Z13",         NSEC3},
    {"the root, opt-out",                        ".",             root, "K13 Z13",         OPT_OUT},
};
/* clang-format on */

static void set_denial(struct bench *bench, enum denial denial)
{
    struct nsec3_params *params = &bench->policy.nsec3_params;
    bench->policy.nsec3 = denial != NSEC;
    params->flags = denial == OPT_OUT;
    if (denial == SALTED) {
        params->salt_length = 8;
        memcpy(params->salt, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    }
}

static void the_judges_are_content(void **state)
{
    const struct judged_case *c = *state;
    struct bench bench;
    bench_init(&bench, c->apex, c->keys);
    set_denial(&bench, c->denial);
    const struct zone_version *version = bench_sign_text(&bench, c->text);
    bench_judge(&bench, version, c->text != occluded);
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

/* An RRset of 40 kB at one name, and thousands of names around it: several ranges of work. */
static void write_large(struct buffer *text)
{
    buffer_append_text(text, tiny);
    for (int i = 0; i < 300; i++) {
        buffer_format(text, "large 300 IN TXT \"%0120d\"\n", i);
    }
    for (int i = 0; i < 700; i++) {
        buffer_format(text, "n%d 300 IN A 192.0.2.%d\n", i, i % 256);
        buffer_format(text, "d%d.cuts 300 IN NS ns\n", i);
        buffer_format(text, "_x._y.e%d 300 IN TXT \"ent\"\n", i % 500);
    }
}

static void a_large_zone_is_signed_in_ranges(void **state)
{
    (void)state;
    for (enum denial denial = NSEC; denial <= OPT_OUT; denial++) {
        struct bench bench;
        struct buffer text = BUFFER_EMPTY;
        write_large(&text);
        bench_init(&bench, "large.test.", "C15");
        set_denial(&bench, denial);
        const struct zone_version *version = bench_sign_text(&bench, buffer_text(&text));
        bench_judge(&bench, version, true);
        zone_version_unref(version);
        buffer_free(&text);
        bench_clear(&bench);
        epoch_barrier();
    }
}

/* A real zone: SIGNET_TEST_ZONE is its file, SIGNET_TEST_APEX its name. Such zones lack glue here
 * and there, for which kzonecheck refuses them, signed or not. */
static void a_zone_from_outside_is_signed(void **state)
{
    (void)state;
    const char *path = getenv("SIGNET_TEST_ZONE");
    const char *apex = getenv("SIGNET_TEST_APEX");
    if (path == NULL || apex == NULL) {
        print_message("SKIPPED: SIGNET_TEST_ZONE and SIGNET_TEST_APEX name no zone\n");
        skip();
    }
    struct buffer text;
    assert_int_equal(file_read(path, (size_t)1 << 30, &text), SG_OK);
    for (enum denial denial = NSEC; denial <= OPT_OUT; denial++) {
        struct bench bench;
        bench_init(&bench, apex, "K13 Z13");
        set_denial(&bench, denial);
        const struct zone_version *version = bench_sign_text(&bench, buffer_text(&text));
        print_message("%llu names, %llu signatures\n", (unsigned long long)bench.report.names,
                      (unsigned long long)bench.report.signatures);
        bench_judge(&bench, version, false);
        zone_version_unref(version);
        bench_clear(&bench);
        epoch_barrier();
    }
    buffer_free(&text);
}

/* A judge that never objects would prove nothing. */
static void the_judges_object_to_a_zone_that_is_wrong(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, "tiny.", "C13");
    struct zone_edit *edit = bench_load(&bench, span_of_text(tiny));
    const struct zone_version *version;
    struct dns_name owner;
    struct zone_node node;
    assert_int_equal(bench_sign(&bench, edit), SG_OK);
    /* An address that came after the signature. */
    assert_int_equal(dns_name_from_text("ns.tiny.", 8, NULL, &owner), SG_OK);
    assert_true(zone_version_node(zone_edit_draft(edit), &owner, &node));
    const struct dns_rrset other = {(const uint8_t *)"\0\4\300\0\2\2", 6, 300, DNS_TYPE_A, 0, 1};
    assert_int_equal(zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, &other), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    assert_int_equal(bench_objections(&bench, version, true), bench_judges(true));
    zone_version_unref(version);
    bench_clear(&bench);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_zone_is_signed_in_ranges),
        cmocka_unit_test(the_judges_object_to_a_zone_that_is_wrong),
        cmocka_unit_test(a_zone_from_outside_is_signed),
    };
    return RUN_TABLE(cases, the_judges_are_content) + cmocka_run_group_tests(tests, NULL, NULL);
}
