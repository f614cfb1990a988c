#include "update_scene.h"

/* clang-format off */
static const struct scene_row rows[] = {
    /* RFC 2136 2.4.1: an RRset exists, whatever it holds */
    {"2.4.1 an RRset exists",                    "p ANY www 0 A",            DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.1 an RRset does not exist",            "p ANY www 0 AAAA",         DNS_RCODE_NXRRSET, NULL, "www.e/AAAA: 'RRset exists (value independent)'"},
    {"2.4.1 nor at a name that does not",        "p ANY none 0 A",           DNS_RCODE_NXRRSET, NULL, "none.e/A: "},
    {"2.4.1 the case of names does not matter",  "p ANY WwW.E. 0 A",         DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.1 a wildcard does not stand for names","p ANY x.w 0 A",            DNS_RCODE_NXRRSET, NULL, "x.w.e/A"},
    {"2.4.1 a wildcard is a name itself",        "p ANY *.w 0 A",            DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.1 a CNAME is not followed",            "p ANY alias 0 A",          DNS_RCODE_NXRRSET, NULL, "alias.e/A"},
    {"2.4.1 glue is looked at",                  "p ANY ns.sub 0 A",         DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.1 DNSKEY of the source",               "p ANY @ 0 DNSKEY",         DNS_RCODE_NOERROR, NULL, NULL},
    /* 2.4.2: an RRset exists with these values */
    {"2.4.2 all RRs in any order",               "p IN www 0 A 192.0.2.81\np IN www 0 A 192.0.2.80", DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.2 a repeated RR counts once",          "p IN www 0 A 192.0.2.81\np IN www 0 A 192.0.2.80\np IN www 0 A 192.0.2.81", DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.2 one RR too few",                     "p IN www 0 A 192.0.2.81",  DNS_RCODE_NXRRSET, NULL, "www.e/A: 'RRset exists (value dependent)'"},
    {"2.4.2 one RR too many",                    "p IN www 0 A 192.0.2.81\np IN www 0 A 192.0.2.80\np IN www 0 A 192.0.2.82", DNS_RCODE_NXRRSET, NULL, "www.e/A"},
    {"2.4.2 as many RRs but others",             "p IN www 0 A 192.0.2.81\np IN www 0 A 192.0.2.82", DNS_RCODE_NXRRSET, NULL, "www.e/A"},
    {"2.4.2 two RRsets between each other",      "p IN www 0 A 192.0.2.81\np IN ns1 0 A 192.0.2.1\np IN www 0 A 192.0.2.80", DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.2 the second RRset fails",             "p IN ns1 0 A 192.0.2.1\np IN ns2 0 A 192.0.2.1", DNS_RCODE_NXRRSET, NULL, "ns2.e/A"},
    {"2.4.2 names in rdata ignore case",         "p IN alias 0 CNAME WWW",   DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.2 another type at the name",           "p IN www 0 TXT x",         DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.2 a SOA with its serial",              "p IN @ 0 SOA ns1 host 10 2 3 4 5", DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.2 a SOA with another serial",          "p IN @ 0 SOA ns1 host 11 2 3 4 5", DNS_RCODE_NXRRSET, NULL, "e/SOA"},
    /* 2.4.3: an RRset does not exist */
    {"2.4.3 an RRset does not exist",            "p NONE www 0 AAAA",        DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.3 nor at a name that does not",        "p NONE none 0 AAAA",       DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.3 an RRset exists",                    "p NONE www 0 A",           DNS_RCODE_YXRRSET, NULL, "'RRset does not exist'"},
    /* 2.4.4: a name is in use */
    {"2.4.4 a name is in use",                   "p ANY www 0 ANY",          DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.4 the apex is in use",                 "p ANY @ 0 ANY",            DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.4 a name is not in use",               "p ANY none 0 ANY",         DNS_RCODE_NXDOMAIN, NULL, "none.e/ANY: 'name in use'"},
    {"2.4.4 an empty non-terminal is not in use","p ANY ent 0 ANY",          DNS_RCODE_NXDOMAIN, NULL, "ent.e"},
    /* 2.4.5: a name is not in use */
    {"2.4.5 a name is not in use",               "p NONE none 0 ANY",        DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.5 an empty non-terminal is not",       "p NONE ent 0 ANY",         DNS_RCODE_NOERROR, NULL, NULL},
    {"2.4.5 a name is in use",                   "p NONE www 0 ANY",         DNS_RCODE_YXDOMAIN, NULL, "'name not in use'"},
    /* 3.2: what is malformed, and who comes first */
    {"3.2.1 a TTL that is not zero, ANY",        "p ANY www 1 A",            DNS_RCODE_FORMERR, NULL, "TTL"},
    {"3.2.1 a TTL that is not zero, NONE",       "p NONE www 1 A",           DNS_RCODE_FORMERR, NULL, "TTL"},
    {"3.2.1 a TTL that is not zero, with rdata", "p IN www 1 A 192.0.2.1",   DNS_RCODE_FORMERR, NULL, "TTL"},
    {"3.2.1 precedes 3.2.2",                     "p ANY www.f. 1 A",         DNS_RCODE_FORMERR, NULL, "TTL"},
    {"3.2.2 precedes 3.2.3",                     "p ANY www.f. 0 A 192.0.2.80", DNS_RCODE_NOTZONE, NULL, "www.f/A"},
    {"3.2.2 a name out of zone",                 "p ANY www.f. 0 A",         DNS_RCODE_NOTZONE, NULL, "www.f/A: the name is out of zone"},
    {"3.2.2 a name that only looks like it",     "p ANY xe. 0 A",            DNS_RCODE_NOTZONE, NULL, "xe/A"},
    {"3.2.2 the parent",                         "p ANY . 0 ANY",            DNS_RCODE_NOTZONE, NULL, "out of zone"},
    {"3.2.3 rdata with ANY",                     "p ANY www 0 A 192.0.2.80", DNS_RCODE_FORMERR, NULL, "RDATA"},
    {"3.2.3 rdata with NONE",                    "p NONE www 0 A 192.0.2.8", DNS_RCODE_FORMERR, NULL, "RDATA"},
    {"3.2.4 another class",                      "p CH www 0 A",             DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.2.4 rdata that does not fit its type",   "p IN www 0 A raw 0102",    DNS_RCODE_FORMERR, NULL, "malformed rdata"},
    {"3.2.4 a type that is for questions",       "p IN www 0 ANY",           DNS_RCODE_FORMERR, NULL, "www.e/ANY: prerequisite of a type"},
    {"3.2.4 with rdata",                         "p IN www 0 AXFR raw 00",   DNS_RCODE_FORMERR, NULL, "www.e/AXFR"},
    {"3.2.4 of a pseudo-RR",                     "p IN @ 0 TYPE249 raw 00",  DNS_RCODE_FORMERR, NULL, "prerequisite of a type"},
    {"3.2 no RRset is of such a type",           "p ANY www 0 AXFR",         DNS_RCODE_NXRRSET, NULL, "www.e/AXFR"},
    {"3.2 the first that fails decides",         "p ANY none 0 ANY\np CH www 0 A", DNS_RCODE_NXDOMAIN, NULL, "none.e"},
    {"3.2 what is malformed precedes values",    "p IN www 0 A 192.0.2.1\np CH www 0 A", DNS_RCODE_FORMERR, NULL, "malformed"},
    {"3.2 it fails, and nothing is changed",     "p ANY none 0 ANY\nu IN new 60 A 192.0.2.1", DNS_RCODE_NXDOMAIN, NULL, "none.e"},
    {"3.2 it holds, and the update is done",     "p ANY www 0 ANY\nu IN new 60 A 192.0.2.1", DNS_RCODE_NOERROR, "+new.e. 60 IN A 192.0.2.1\n", NULL},
    {"3.2 it is asked before the updates",       "p NONE new 0 ANY\nu IN new 60 A 192.0.2.1", DNS_RCODE_NOERROR, "+new.e. 60 IN A 192.0.2.1\n", NULL},
    {"3.2 it precedes a malformed update",       "p ANY none 0 ANY\nu CH www 0 A", DNS_RCODE_NXDOMAIN, NULL, "none.e"},
};

static const struct scene_row signed_rows[] = {
    {"our DNSKEY is seen",                "p IN @ 0 DNSKEY 257 3 13 BBBB\np IN @ 0 DNSKEY 256 3 14 AAAA", DNS_RCODE_NOERROR, NULL, NULL},
    {"and it is not alone",               "p IN @ 0 DNSKEY 257 3 13 BBBB",   DNS_RCODE_NXRRSET, NULL, "e/DNSKEY"},
    {"our CDS is seen",                   "p ANY @ 0 CDS",                   DNS_RCODE_NOERROR, NULL, NULL},
    {"our CDNSKEY is seen",               "p NONE @ 0 CDNSKEY",              DNS_RCODE_YXRRSET, NULL, "e/CDNSKEY"},
    {"our NSEC3PARAM is seen",            "p ANY @ 0 NSEC3PARAM",            DNS_RCODE_NOERROR, NULL, NULL},
    {"a CDS elsewhere is not",            "p ANY www 0 CDS",                 DNS_RCODE_NXRRSET, NULL, "www.e/CDS"},
    {"the serial is the one that is served", "p IN @ 0 SOA ns1 host 20 2 3 4 5", DNS_RCODE_NOERROR, NULL, NULL},
    {"and not the source's",              "p IN @ 0 SOA ns1 host 10 2 3 4 5", DNS_RCODE_NXRRSET, NULL, "e/SOA"},
    {"NSEC is seen where it is",          "p ANY @ 0 NSEC",                  DNS_RCODE_NOERROR, NULL, NULL},
    {"with its value",                    "p IN @ 0 NSEC alias.e. NS SOA",   DNS_RCODE_NOERROR, NULL, NULL},
    {"and no other",                      "p IN @ 0 NSEC www NS SOA",        DNS_RCODE_NXRRSET, NULL, "e/NSEC"},
    {"NSEC elsewhere is not",             "p ANY www 0 NSEC",                DNS_RCODE_NXRRSET, NULL, "www.e/NSEC"},
    {"RRSIG is seen where it is",         "p NONE @ 0 RRSIG",                DNS_RCODE_YXRRSET, NULL, "e/RRSIG"},
    {"RRSIG elsewhere is not",            "p NONE www 0 RRSIG",              DNS_RCODE_NOERROR, NULL, NULL},
    {"all RRSIGs of a name",              "p IN @ 0 RRSIG " SCENE_RRSIG_SOA "\np IN @ 0 RRSIG " SCENE_RRSIG_NS, DNS_RCODE_NOERROR, NULL, NULL},
    {"one RRSIG too few",                 "p IN @ 0 RRSIG " SCENE_RRSIG_NS,  DNS_RCODE_NXRRSET, NULL, "e/RRSIG"},
    {"one RRSIG is another",              "p IN @ 0 RRSIG " SCENE_RRSIG_SOA "\np IN @ 0 RRSIG A 13 1 300 20300101000000 20200101000000 1 e. BBBB", DNS_RCODE_NXRRSET, NULL, "e/RRSIG"},
};
/* clang-format on */

static void holds_as_the_rfc_says(void **state)
{
    struct zone_update_options options = {0};
    scene_check_row(*state, false, &options);
}

static void sees_what_a_client_sees(void **state)
{
    struct zone_update_options options = {0};
    scene_check_row(*state, true, &options);
}

static void a_serial_that_nobody_has_seen_matches_nothing(void **state)
{
    (void)state;
    struct scene *scene = scene_open(true);
    struct zone_update_options options = {.is_signed = true, .serial_pending = true};
    struct zone_update_outcome outcome =
        scene_update(scene, &options, "p IN @ 0 SOA ns1 host 20 2 3 4 5");
    assert_int_equal(outcome.rcode, DNS_RCODE_NXRRSET);
    outcome = scene_update(scene, &options, "p ANY @ 0 SOA");
    assert_int_equal(outcome.rcode, DNS_RCODE_NOERROR);
    scene_close(scene);
}

/* Signed elsewhere: they are of the source, and a name has one RRset of them for each type. */
static void signatures_of_the_source_are_seen(void **state)
{
    static const struct {
        const char *lines;
        uint16_t rcode;
    } asked[] = {
        {"p ANY @ 0 RRSIG", DNS_RCODE_NOERROR},
        {"p NONE @ 0 RRSIG", DNS_RCODE_YXRRSET},
        {"p ANY www 0 RRSIG", DNS_RCODE_NXRRSET},
        {"p NONE www 0 RRSIG", DNS_RCODE_NOERROR},
        {"p IN @ 0 RRSIG " SCENE_RRSIG_NS "\np IN @ 0 RRSIG " SCENE_RRSIG_SOA, DNS_RCODE_NOERROR},
        {"p IN @ 0 RRSIG " SCENE_RRSIG_NS, DNS_RCODE_NXRRSET},
        {"p ANY @ 0 NSEC", DNS_RCODE_NOERROR},
        {"p ANY 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM 0 NSEC3", DNS_RCODE_NOERROR},
        {"p ANY 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM 0 RRSIG", DNS_RCODE_NOERROR},
        {"p NONE 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR 0 NSEC3", DNS_RCODE_NOERROR},
    };
    struct zone_update_options options = {0};
    (void)state;
    struct scene *scene = scene_open_text(
        false, "$TTL 300\n@ SOA ns1 host 10 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.80\n"
               "@ RRSIG " SCENE_RRSIG_SOA "\n@ RRSIG " SCENE_RRSIG_NS "\n@ NSEC www NS SOA\n"
               "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A\n"
               "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM RRSIG NSEC3 13 2 300 20300101000000 "
               "20200101000000 1 e. BBBB\n");
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct zone_update_outcome outcome = scene_update(scene, &options, asked[i].lines);
        if (outcome.rcode != asked[i].rcode) {
            fail_msg("%s: %u", asked[i].lines, outcome.rcode);
        }
    }
    scene_close(scene);
}

static void the_updates_before_are_seen(void **state)
{
    (void)state;
    struct scene *scene = scene_open(false);
    struct zone_update_options options = {0};
    assert_int_equal(scene_update(scene, &options, "u IN new 60 A 192.0.2.7").rcode, 0);
    assert_int_equal(scene_update(scene, &options, "p IN new 0 A 192.0.2.7").rcode, 0);
    assert_int_equal(scene_update(scene, &options, "u ANY new 0 ANY").rcode, 0);
    assert_int_equal(scene_update(scene, &options, "p NONE new 0 ANY").rcode, 0);
    scene_close(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_that_nobody_has_seen_matches_nothing),
        cmocka_unit_test(signatures_of_the_source_are_seen),
        cmocka_unit_test(the_updates_before_are_seen),
    };
    int failed = RUN_TABLE(rows, holds_as_the_rfc_says);
    failed += RUN_TABLE(signed_rows, sees_what_a_client_sees);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
