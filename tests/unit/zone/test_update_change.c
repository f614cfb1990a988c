#include "update_scene.h"

/* clang-format off */
static const struct scene_row rows[] = {
    /* RFC 2136 2.5.1, 3.4.2.2: add to an RRset */
    {"2.5.1 a new name",                   "u IN new 60 A 192.0.2.1",  DNS_RCODE_NOERROR, "+new.e. 60 IN A 192.0.2.1\n", NULL},
    {"2.5.1 a new type",                   "u IN www 60 AAAA 2001:db8::1", DNS_RCODE_NOERROR, "+www.e. 60 IN AAAA 2001:db8::1\n", NULL},
    {"2.5.1 one more record",              "u IN www 300 A 192.0.2.7", DNS_RCODE_NOERROR, "+www.e. 300 IN A 192.0.2.7\n", NULL},
    {"2.5.1 a wildcard",                   "u IN *.x 60 A 192.0.2.1",  DNS_RCODE_NOERROR, "+*.x.e. 60 IN A 192.0.2.1\n", NULL},
    {"2.5.1 owners are lower case",        "u IN NEW 60 A 192.0.2.1",  DNS_RCODE_NOERROR, "+new.e. 60 IN A 192.0.2.1\n", NULL},
    {"2.5.1 a duplicate changes nothing",  "u IN www 300 A 192.0.2.80",DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.1 a duplicate but for case",     "u IN sub 300 NS NS.sub",   DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.1 the same twice",               "u IN new 60 A 192.0.2.1\nu IN new 60 A 192.0.2.1", DNS_RCODE_NOERROR, "+new.e. 60 IN A 192.0.2.1\n", NULL},
    {"2.5.1 the TTL is the whole RRset's", "u IN www 60 A 192.0.2.80", DNS_RCODE_NOERROR,
     "-www.e. 300 IN A 192.0.2.80\n-www.e. 300 IN A 192.0.2.81\n+www.e. 60 IN A 192.0.2.80\n+www.e. 60 IN A 192.0.2.81\n", NULL},
    {"2.5.1 the last TTL counts",          "u IN new 60 A 192.0.2.1\nu IN new 90 A 192.0.2.2", DNS_RCODE_NOERROR, "+new.e. 90 IN A 192.0.2.1\n+new.e. 90 IN A 192.0.2.2\n", NULL},
    {"2.5.1 a TTL with the top bit is 0",  "u IN new 2147483648 A 192.0.2.1", DNS_RCODE_NOERROR, "+new.e. 0 IN A 192.0.2.1\n", NULL},
    {"2.5.1 glue below a delegation",      "u IN ns2.sub 60 A 192.0.2.1", DNS_RCODE_NOERROR, "+ns2.sub.e. 60 IN A 192.0.2.1\n", NULL},
    {"3.4.2.2 a CNAME replaces a CNAME",   "u IN alias 60 CNAME ns1",  DNS_RCODE_NOERROR, "-alias.e. 300 IN CNAME www.e.\n+alias.e. 60 IN CNAME ns1.e.\n", NULL},
    {"3.4.2.2 CNAME beside other data",    "u IN www 60 CNAME ns1",    DNS_RCODE_NOERROR, NULL, "www.e/CNAME: attempt to add CNAME alongside non-CNAME ignored"},
    {"3.4.2.2 other data beside CNAME",    "u IN alias 60 A 192.0.2.1",DNS_RCODE_NOERROR, NULL, "alias.e/A: attempt to add non-CNAME alongside CNAME ignored"},
    {"3.4.2.2 CNAME at the apex",          "u IN @ 60 CNAME www",      DNS_RCODE_NOERROR, NULL, "ignored"},
    {"3.4.2.2 a KEY may stand by a CNAME", "u IN alias 60 KEY 512 3 13 AAAA", DNS_RCODE_NOERROR, "+alias.e. 60 IN KEY 512 3 13 AAAA\n", NULL},
    {"3.4.2.2 and a CNAME by a KEY",       "u IN k 60 KEY 512 3 13 AAAA\nu IN k 60 CNAME www", DNS_RCODE_NOERROR, "+k.e. 60 IN CNAME www.e.\n+k.e. 60 IN KEY 512 3 13 AAAA\n", NULL},
    {"3.4.2.2 CNAME after its name went",  "u ANY www 0 ANY\nu IN www 60 CNAME ns1", DNS_RCODE_NOERROR,
     "-www.e. 300 IN A 192.0.2.80\n-www.e. 300 IN A 192.0.2.81\n-www.e. 300 IN TXT \"x\"\n+www.e. 60 IN CNAME ns1.e.\n", NULL},
    {"3.4.2.2 a greater SOA",              "u IN @ 60 SOA ns1 host 11 2 3 4 6", DNS_RCODE_NOERROR, "-e. 300 IN SOA ns1.e. host.e. 10 2 3 4 5\n+e. 60 IN SOA ns1.e. host.e. 11 2 3 4 6\n", NULL},
    {"3.4.2.2 an equal SOA",               "u IN @ 60 SOA ns1 host 10 2 3 4 6", DNS_RCODE_NOERROR, NULL, "does not raise the serial"},
    {"3.4.2.2 a lesser SOA",               "u IN @ 60 SOA ns1 host 9 2 3 4 6", DNS_RCODE_NOERROR, NULL, "does not raise the serial"},
    {"3.4.2.2 2^31 ahead is behind",       "u IN @ 60 SOA ns1 host 2147483659 2 3 4 6", DNS_RCODE_NOERROR, NULL, "does not raise the serial"},
    {"3.4.2.2 a SOA elsewhere",            "u IN www 60 SOA ns1 host 11 2 3 4 5", DNS_RCODE_NOERROR, NULL, "second SOA ignored"},
    {"3.4.2.2 a WKS of the same protocol", "u IN wks 300 WKS \\# 6 c0000201 06 02", DNS_RCODE_NOERROR, "-wks.e. 300 IN WKS 192.0.2.1 6 7\n+wks.e. 300 IN WKS 192.0.2.1 6 6\n", NULL},
    {"3.4.2.2 a WKS of another protocol",  "u IN wks 300 WKS \\# 6 c0000201 11 02", DNS_RCODE_NOERROR, "+wks.e. 300 IN WKS 192.0.2.1 17 6\n", NULL},
    {"RFC 6672 5.2 a DNAME replaces one",  "u IN old 300 DNAME ns1",   DNS_RCODE_NOERROR, "-old.e. 300 IN DNAME www.e.\n+old.e. 300 IN DNAME ns1.e.\n", NULL},
    {"RFC 6672 5.2 no DNAME by a CNAME",   "u IN alias 300 DNAME ns1", DNS_RCODE_NOERROR, NULL, "alongside CNAME ignored"},
    {"RFC 6672 5.2 no CNAME by a DNAME",   "u IN old 300 CNAME ns1",   DNS_RCODE_NOERROR, NULL, "alongside non-CNAME ignored"},
    /* 2.5.2, 3.4.2.3: delete an RRset */
    {"2.5.2 an RRset",                     "u ANY www 0 A",            DNS_RCODE_NOERROR, "-www.e. 300 IN A 192.0.2.80\n-www.e. 300 IN A 192.0.2.81\n", NULL},
    {"2.5.2 an RRset that is not there",   "u ANY www 0 MX",           DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.2 at a name that is not there",  "u ANY none 0 A",           DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.2 a wildcard is no pattern",     "u ANY * 0 A",              DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.2 not the SOA",                  "u ANY @ 0 SOA",            DNS_RCODE_NOERROR, NULL, "ignored"},
    {"2.5.2 not the NS of the zone",       "u ANY @ 0 NS",             DNS_RCODE_NOERROR, NULL, "ignored"},
    {"2.5.2 other types of the apex",      "u ANY @ 0 TXT",            DNS_RCODE_NOERROR, "-e. 300 IN TXT \"apex\"\n", NULL},
    {"2.5.2 the NS of a delegation",       "u ANY cut 0 NS",           DNS_RCODE_NOERROR, "-cut.e. 300 IN NS ns.sub.e.\n", NULL},
    /* 2.5.3, 3.4.2.3: delete all RRsets of a name */
    {"2.5.3 a name",                       "u ANY www 0 ANY",          DNS_RCODE_NOERROR, "-www.e. 300 IN A 192.0.2.80\n-www.e. 300 IN A 192.0.2.81\n-www.e. 300 IN TXT \"x\"\n", NULL},
    {"2.5.3 a name that is not there",     "u ANY none 0 ANY",         DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.3 not the names below",          "u ANY ent 0 ANY",          DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.3 the apex keeps SOA and NS",    "u ANY @ 0 ANY",            DNS_RCODE_NOERROR, "-e. 300 IN TXT \"apex\"\n-e. 3600 IN DNSKEY 256 3 14 AAAA\n", NULL},
    /* 2.5.4, 3.4.2.4: delete an RR */
    {"2.5.4 an RR",                        "u NONE www 0 A 192.0.2.80",DNS_RCODE_NOERROR, "-www.e. 300 IN A 192.0.2.80\n", NULL},
    {"2.5.4 the last RR of its RRset",     "u NONE www 0 TXT x",       DNS_RCODE_NOERROR, "-www.e. 300 IN TXT \"x\"\n", NULL},
    {"2.5.4 an RR that is not there",      "u NONE www 0 A 192.0.2.1", DNS_RCODE_NOERROR, NULL, NULL},
    {"2.5.4 names in rdata ignore case",   "u NONE alias 0 CNAME WWW", DNS_RCODE_NOERROR, "-alias.e. 300 IN CNAME www.e.\n", NULL},
    {"2.5.4 not the SOA",                  "u NONE @ 0 SOA ns1 host 10 2 3 4 5", DNS_RCODE_NOERROR, NULL, "SOA ignored"},
    {"2.5.4 one NS of two",                "u NONE @ 0 NS ns2",        DNS_RCODE_NOERROR, "-e. 300 IN NS ns2.e.\n", NULL},
    {"2.5.4 not the last NS",              "u NONE @ 0 NS ns2\nu NONE @ 0 NS ns1", DNS_RCODE_NOERROR, "-e. 300 IN NS ns2.e.\n", "last NS ignored"},
    {"2.5.4 NS exchanged, new one first",  "u IN @ 300 NS ns.f.\nu NONE @ 0 NS ns2\nu NONE @ 0 NS ns1", DNS_RCODE_NOERROR, "-e. 300 IN NS ns1.e.\n-e. 300 IN NS ns2.e.\n+e. 300 IN NS ns.f.\n", NULL},
    {"2.5.4 the last NS of a delegation",  "u NONE cut 0 NS ns.sub",   DNS_RCODE_NOERROR, "-cut.e. 300 IN NS ns.sub.e.\n", NULL},
    /* 3.4.2.7: one after the other */
    {"3.4.2 added, then deleted",          "u IN new 60 A 192.0.2.1\nu ANY new 0 A", DNS_RCODE_NOERROR, NULL, NULL},
    {"3.4.2 deleted, then added",          "u ANY www 0 TXT\nu IN www 300 TXT x", DNS_RCODE_NOERROR, NULL, NULL},
    {"3.4.2 deleted, then others added",   "u ANY www 0 A\nu IN www 300 A 192.0.2.1", DNS_RCODE_NOERROR, "-www.e. 300 IN A 192.0.2.80\n-www.e. 300 IN A 192.0.2.81\n+www.e. 300 IN A 192.0.2.1\n", NULL},
    {"nothing at all",                     "",                         DNS_RCODE_NOERROR, NULL, NULL},
};

static const struct scene_row signed_rows[] = {
    {"a DNSKEY of another signer",          "u IN @ 60 DNSKEY 257 3 13 CCCC",  DNS_RCODE_NOERROR, "+e. 3600 IN DNSKEY 257 3 13 CCCC\n", NULL},
    {"a DNSKEY of ours is there already",   "u IN @ 60 DNSKEY 257 3 13 BBBB",  DNS_RCODE_NOERROR, NULL, NULL},
    {"a DNSKEY of ours stays",              "u NONE @ 0 DNSKEY 257 3 13 BBBB", DNS_RCODE_NOERROR, NULL, "attempt to delete in use DNSKEY ignored"},
    {"a DNSKEY of others goes",             "u NONE @ 0 DNSKEY 256 3 14 AAAA", DNS_RCODE_NOERROR, "-e. 3600 IN DNSKEY 256 3 14 AAAA\n", NULL},
    {"a DNSKEY that is not there",          "u NONE @ 0 DNSKEY 256 3 13 DDDD", DNS_RCODE_NOERROR, NULL, NULL},
    {"all DNSKEYs but ours go",             "u ANY @ 0 DNSKEY",                DNS_RCODE_NOERROR, "-e. 3600 IN DNSKEY 256 3 14 AAAA\n", "in use DNSKEY"},
    {"our CDS stays",                       "u ANY @ 0 CDS",                   DNS_RCODE_NOERROR, NULL, "in use CDS"},
    {"our CDNSKEY stays",                   "u NONE @ 0 CDNSKEY 257 3 13 BBBB",DNS_RCODE_NOERROR, NULL, "in use CDNSKEY"},
    {"a CDS of another key",                "u IN @ 60 CDS 8 14 9 00",         DNS_RCODE_NOERROR, "+e. 3600 IN CDS 8 14 9 00\n", NULL},
    {"a CDS of an unknown algorithm",       "u IN @ 60 CDS 8 15 9 00",         DNS_RCODE_REFUSED, NULL, "bad CDS RRset"},
    {"a CDS DELETE beside others",          "u IN @ 60 CDS 0 0 0 00",          DNS_RCODE_REFUSED, NULL, "bad CDS RRset"},
    {"a CDNSKEY of an unknown algorithm",   "u IN @ 60 CDNSKEY 257 3 15 AAAA", DNS_RCODE_REFUSED, NULL, "bad CDNSKEY RRset"},
    {"a CDNSKEY DELETE beside others",      "u IN @ 60 CDNSKEY 0 3 0 AA==",    DNS_RCODE_REFUSED, NULL, "bad CDNSKEY RRset"},
    {"a key and its CDS at once",           "u IN @ 60 DNSKEY 257 3 15 CCCC\nu IN @ 60 CDS 8 15 9 00", DNS_RCODE_NOERROR, "+e. 3600 IN DNSKEY 257 3 15 CCCC\n+e. 3600 IN CDS 8 15 9 00\n", NULL},
    {"NSEC3PARAM is the policy's",          "u IN @ 60 NSEC3PARAM 1 0 5 -",    DNS_RCODE_NOERROR, NULL, "NSEC3PARAM: ignored"},
    {"NSEC3PARAM stays",                    "u ANY @ 0 NSEC3PARAM",            DNS_RCODE_NOERROR, NULL, "NSEC3PARAM: ignored"},
    {"the private type is ignored",         "u IN @ 60 TYPE65534 \\# 5 0d00010001", DNS_RCODE_NOERROR, NULL, NULL},
    {"and ignored when it is deleted",      "u ANY @ 0 TYPE65534",             DNS_RCODE_NOERROR, NULL, NULL},
    {"a DS at the apex",                    "u IN @ 60 DS 1 13 9 00",          DNS_RCODE_NOERROR, NULL, "DS at the apex ignored"},
    {"a serial between source and served",  "u IN @ 60 SOA ns1 host 15 2 3 4 5", DNS_RCODE_NOERROR, NULL, "does not raise the serial"},
    {"a serial above what is served",       "u IN @ 60 SOA ns1 host 21 2 3 4 5", DNS_RCODE_NOERROR, "-e. 300 IN SOA ns1.e. host.e. 10 2 3 4 5\n+e. 60 IN SOA ns1.e. host.e. 21 2 3 4 5\n", NULL},
    {"the apex is cleared, our keys stay",  "u ANY @ 0 ANY",                   DNS_RCODE_NOERROR, "-e. 300 IN TXT \"apex\"\n-e. 3600 IN DNSKEY 256 3 14 AAAA\n", NULL},
    {"a TTL above max-zone-ttl",            "u IN new 86401 A 192.0.2.1",      DNS_RCODE_NOERROR, "+new.e. 86400 IN A 192.0.2.1\n", "lowered"},
};
/* clang-format on */

static void does_what_the_rfc_says(void **state)
{
    struct zone_update_options options = {0};
    scene_check_row(*state, false, &options);
}

static void leaves_the_signers_things_alone(void **state)
{
    struct zone_update_options options = {.private_type = DNS_TYPE_PRIVATE_DEFAULT,
                                          .max_zone_ttl = 86400};
    scene_check_row(*state, true, &options);
}

/* The served DNSKEY RRset is that of the version before, while a draft is made. */
static void a_foreign_key_may_go_and_come_back_in_one_change(void **state)
{
    (void)state;
    struct scene *scene = scene_open(true);
    struct zone_update_options options = {.is_signed = true};
    char *before = scene_dump(scene);
    assert_int_equal(scene_update(scene, &options, "u ANY @ 0 DNSKEY").changes, 1);
    assert_int_equal(scene_update(scene, &options, "p IN @ 0 DNSKEY 257 3 13 BBBB").rcode, 0);
    assert_int_equal(scene_update(scene, &options, "u NONE @ 0 DNSKEY 256 3 14 AAAA").changes, 0);
    assert_string_equal(buffer_text(&scene->notes), "");
    assert_int_equal(scene_update(scene, &options, "u IN @ 3600 DNSKEY 256 3 14 AAAA").changes, 1);
    char *after = scene_dump(scene);
    assert_string_equal(before, after);
    mem_free(before);
    mem_free(after);
    scene_close(scene);
}

static void the_client_may_set_the_serial(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {0};
    assert_true(scene_update(scene, &options, "u IN @ 60 SOA ns1 host 11 2 3 4 6").soa_set);
    assert_false(scene_update(scene, &options, "u IN @ 60 SOA ns1 host 11 2 3 4 7").soa_set);
    assert_true(scene_update(scene, &options, "u IN @ 60 SOA ns1 host 12 2 3 4 7").soa_set);
    scene_close(scene);
}

static void limits_refuse_the_whole_update(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {.records_per_type_max = 3, .types_per_name_max = 2};
    char *before = scene_dump(scene);
    struct zone_update_outcome outcome =
        scene_update(scene, &options, "u IN www 300 A 192.0.2.1\nu IN www 300 A 192.0.2.2\n");
    assert_int_equal(outcome.rcode, DNS_RCODE_REFUSED);
    assert_string_equal(outcome.reason, "www.e/A: more records than max-records-per-type");
    outcome = scene_update(scene, &options, "u ANY ns1 0 ANY\nu IN www 300 MX 1 www");
    assert_int_equal(outcome.rcode, DNS_RCODE_REFUSED);
    assert_string_equal(outcome.reason, "www.e/MX: more types than max-types-per-name");
    char *after = scene_dump(scene);
    assert_string_equal(before, after);
    assert_int_equal(scene_update(scene, &options, "u IN www 300 A 192.0.2.1").changes, 1);
    mem_free(before);
    mem_free(after);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_key_may_go_and_come_back_in_one_change),
        cmocka_unit_test(the_client_may_set_the_serial),
        cmocka_unit_test(limits_refuse_the_whole_update),
    };
    int failed = RUN_TABLE(rows, does_what_the_rfc_says);
    failed += RUN_TABLE(signed_rows, leaves_the_signers_things_alone);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
