#include "update_scene.h"

/* clang-format off */
static const struct scene_row rows[] = {
    {"a DS without NS",                      "u IN new 60 DS 1 13 9 00",  DNS_RCODE_NOERROR, NULL, "new.e/DS: DS without NS is removed"},
    {"a DS before its NS",                   "u IN new 60 DS 1 13 9 00\nu IN new 60 NS ns.f.", DNS_RCODE_NOERROR, "+new.e. 60 IN NS ns.f.\n+new.e. 60 IN DS 1 13 9 00\n", NULL},
    {"a DS to an NS",                        "u IN cut 60 DS 1 13 9 00",  DNS_RCODE_NOERROR, "+cut.e. 60 IN DS 1 13 9 00\n", NULL},
    {"a DS goes with the last NS",           "u ANY sub 0 NS",            DNS_RCODE_NOERROR, "-sub.e. 300 IN NS ns.sub.e.\n-sub.e. 300 IN DS 1 13 9 00\n", "sub.e/DS: DS without NS is removed"},
    {"a name server without address",        "u IN @ 60 NS new",          DNS_RCODE_REFUSED, NULL, "'new.e' has no address"},
    {"a name server that is a CNAME",        "u IN @ 60 NS alias",        DNS_RCODE_REFUSED, NULL, "'alias.e' has no address"},
    {"a name server and its address",        "u IN @ 300 NS new\nu IN new 60 AAAA 2001:db8::1", DNS_RCODE_NOERROR, "+e. 300 IN NS new.e.\n+new.e. 60 IN AAAA 2001:db8::1\n", NULL},
    {"a name server elsewhere",              "u IN @ 300 NS ns.f.",       DNS_RCODE_NOERROR, "+e. 300 IN NS ns.f.\n", NULL},
    {"a name server below a delegation",     "u IN @ 300 NS x.cut",       DNS_RCODE_NOERROR, "+e. 300 IN NS x.cut.e.\n", NULL},
    {"a name server by a wildcard",          "u IN @ 300 NS ns.w",        DNS_RCODE_NOERROR, "+e. 300 IN NS ns.w.e.\n", NULL},
    {"a wildcard speaks for no name that is",   "u IN ns.w 60 TXT x\nu IN @ 300 NS ns.w", DNS_RCODE_REFUSED, NULL, "'ns.w.e' has no address"},
    {"nor for an empty non-terminal",        "u IN a.ns.w 60 TXT x\nu IN @ 300 NS ns.w", DNS_RCODE_REFUSED, NULL, "'ns.w.e' has no address"},
    {"nor behind a closer name",             "u IN b.w 60 TXT x\nu IN @ 300 NS ns.b.w", DNS_RCODE_REFUSED, NULL, "'ns.b.w.e' has no address"},
    {"a wildcard that comes",                "u IN *.ent 300 A 192.0.2.9\nu IN @ 300 NS x.ent", DNS_RCODE_NOERROR, "+e. 300 IN NS x.ent.e.\n+*.ent.e. 300 IN A 192.0.2.9\n", NULL},
    {"a wildcard that goes",                 "u ANY *.w 0 A\nu IN @ 300 NS ns.w", DNS_RCODE_REFUSED, NULL, "'ns.w.e' has no address"},
    {"a delegation that goes",               "u ANY cut 0 NS\nu IN @ 300 NS x.cut", DNS_RCODE_REFUSED, NULL, "'x.cut.e' has no address"},
    {"a delegation that comes",              "u IN new 300 NS ns.f.\nu IN @ 300 NS x.new", DNS_RCODE_NOERROR, "+e. 300 IN NS x.new.e.\n+new.e. 300 IN NS ns.f.\n", NULL},
    {"an address below a DNAME",             "u IN x.old 300 A 192.0.2.9\nu IN @ 300 NS x.old", DNS_RCODE_REFUSED, NULL, "'x.old.e' has no address"},
    {"the last address of a name server",    "u ANY ns1 0 A",             DNS_RCODE_REFUSED, NULL, "'ns1.e' has no address"},
    {"the name of a name server",            "u ANY ns2 0 ANY",           DNS_RCODE_REFUSED, NULL, "'ns2.e' has no address"},
    {"one address for another",              "u IN ns1 300 AAAA 2001:db8::1\nu ANY ns1 0 A", DNS_RCODE_NOERROR, "-ns1.e. 300 IN A 192.0.2.1\n+ns1.e. 300 IN AAAA 2001:db8::1\n", NULL},
    {"a name server and its address that go", "u NONE @ 0 NS ns2\nu ANY ns2 0 ANY", DNS_RCODE_NOERROR, "-e. 300 IN NS ns2.e.\n-ns2.e. 300 IN A 192.0.2.2\n", NULL},
    {"a CNAME in the place of an address",   "u ANY ns1 0 A\nu IN ns1 300 CNAME www", DNS_RCODE_REFUSED, NULL, "'ns1.e' has no address"},
    {"a DNAME above all name servers",       "u IN @ 300 DNAME f.",       DNS_RCODE_REFUSED, NULL, "'ns1.e' has no address"},
    {"a delegation at a name server",        "u IN ns1 300 NS ns.f.",     DNS_RCODE_NOERROR, "+ns1.e. 300 IN NS ns.f.\n", NULL},
    {"an NS of a delegation needs nothing",  "u IN cut 300 NS new",       DNS_RCODE_NOERROR, "+cut.e. 300 IN NS new.e.\n", NULL},
};
/* clang-format on */

static void is_fit_to_be_served(void **state)
{
    struct zone_update_options options = {0};
    scene_check_row(*state, false, &options);
}

/* What an update takes away does not stand in the wildcard's way, nor does what it passes over. */
static void a_wildcard_speaks_for_a_name_that_goes(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {0};
    const char *names = "u IN ns.w 60 TXT x\nu IN a.ns.w 60 TXT x\nu IN b.ns.w 60 TXT x";
    assert_int_equal(scene_update(scene, &options, names).changes, 3);
    struct zone_update_outcome outcome =
        scene_update(scene, &options, "u ANY ns.w 0 ANY\nu ANY a.ns.w 0 ANY\nu IN @ 300 NS ns.w");
    assert_int_equal(outcome.rcode, DNS_RCODE_REFUSED);
    outcome = scene_update(scene, &options,
                           "u ANY ns.w 0 ANY\nu ANY a.ns.w 0 ANY\nu ANY b.ns.w 0 ANY\n"
                           "u IN @ 300 NS ns.w");
    assert_int_equal(outcome.rcode, DNS_RCODE_NOERROR);
    scene_close(scene);
}

static const char broken_text[] = "$TTL 300\n@ SOA ns1 host 10 2 3 4 5\n@ NS ns1\n@ NS ns.w\n"
                                  "*.w A 192.0.2.10\n";

/* A wildcard stands for ns.w until that name exists; ns1 has no address, as a transfer may leave
 * it: whoever cannot mend that at once may change the rest. */
static void an_update_answers_for_what_it_breaks(void **state)
{
    (void)state;
    struct scene *scene = scene_open_text(false, broken_text);
    struct zone_update_options options = {0};
    assert_int_equal(scene_update(scene, &options, "u IN www 60 A 192.0.2.7").changes, 1);
    struct zone_update_outcome outcome = scene_update(scene, &options, "u IN ns.w 60 TXT x");
    assert_int_equal(outcome.rcode, DNS_RCODE_REFUSED);
    assert_non_null(strstr(outcome.reason, "'ns.w.e' has no address"));
    assert_int_equal(scene_update(scene, &options, "u ANY *.w 0 A").rcode, DNS_RCODE_REFUSED);
    assert_int_equal(scene_update(scene, &options, "u IN ns1 60 A 192.0.2.7").changes, 1);
    assert_int_equal(scene_update(scene, &options, "u ANY ns1 0 A").rcode, DNS_RCODE_REFUSED);
    scene_close(scene);
}

/* RFC 8078 4: DELETE stands alone, whoever signs the zone. */
static void judge_deletes(bool is_signed)
{
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {.is_signed = is_signed};
    assert_int_equal(scene_update(scene, &options, "u IN @ 60 CDS 0 0 0 00").changes, 1);
    assert_int_equal(scene_update(scene, &options, "u IN @ 60 CDS 8 14 9 00").rcode,
                     DNS_RCODE_REFUSED);
    assert_int_equal(
        scene_update(scene, &options, "u ANY @ 0 CDS\nu IN @ 60 CDS 8 14 9 00").changes, 1);
    /* A key that a CDS is of does not go before it. */
    assert_int_equal(scene_update(scene, &options, "u ANY @ 0 DNSKEY").rcode, DNS_RCODE_REFUSED);
    scene_close(scene);
}

static void a_delete_alone_is_fine_where_we_publish_none(void **state)
{
    (void)state;
    judge_deletes(true);
    judge_deletes(false);
}

/* The serial is raised for a batch in which no update that was carried out has set it. */
static void what_is_refused_has_not_set_the_serial(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {0};
    const char *soa = "u IN @ 60 SOA ns1 host 11 2 3 4 5";
    const char *soa_and_more = "u IN @ 60 SOA ns1 host 11 2 3 4 5\nu IN @ 60 NS new";
    struct zone_update_outcome refused = scene_update(scene, &options, soa_and_more);
    assert_int_equal(refused.rcode, DNS_RCODE_REFUSED);
    assert_int_equal(refused.changes, 0);
    assert_false(refused.soa_set);
    assert_true(scene_update(scene, &options, soa).soa_set);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_has_not_set_the_serial),
        cmocka_unit_test(a_wildcard_speaks_for_a_name_that_goes),
        cmocka_unit_test(an_update_answers_for_what_it_breaks),
        cmocka_unit_test(a_delete_alone_is_fine_where_we_publish_none),
    };
    int failed = RUN_TABLE(rows, is_fit_to_be_served);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
