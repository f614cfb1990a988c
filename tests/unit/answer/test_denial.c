#include "answer/denial.h"
#include "answer/fixture.h"
#include "answer/judge.h"

static const char *const zone_files[] = {"nsec.zone", "nsec3.zone", "optout.zone"};

static ldns_rr_list *keys_of(struct fixture *fixture)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    struct fixture_query query = {.name = "@", .type = DNS_TYPE_DNSKEY, .edns = true};
    size_t length = fixture_ask(fixture, &query, bytes);
    ldns_pkt *packet;
    assert_int_equal(ldns_wire2pkt(&packet, bytes, length), LDNS_STATUS_OK);
    ldns_rr_list *keys = ldns_rr_list_clone(ldns_pkt_answer(packet));
    ldns_pkt_free(packet);
    assert_int_equal(ldns_rr_list_rr_count(keys), 2);
    return keys;
}

/* Without any one of its proofs the response is insecure: none is missing, none too many. */
static void want_every_proof(struct judge *judge, const ldns_rdf *qname)
{
    ldns_rr_list *authority = ldns_pkt_authority(judge->packet);
    size_t count = ldns_rr_list_rr_count(authority);

    judge->skip_signatures = true;
    for (size_t i = 0; i < count; i++) {
        ldns_rr *rr = ldns_rr_list_rr(authority, i);
        ldns_rr_type type = ldns_rr_get_type(rr);
        if (type != LDNS_RR_TYPE_NSEC && type != LDNS_RR_TYPE_NSEC3 && type != LDNS_RR_TYPE_SOA) {
            continue;
        }
        /* The last takes its place, and goes back. */
        ldns_rr *last = ldns_rr_list_pop_rr(authority);
        if (rr != last) {
            ldns_rr_list_set_rr(authority, last, i);
        }
        if (judge_response(judge, qname)) {
            char *text = ldns_rr2str(rr);
            fail_msg("not needed: %s", text);
        }
        if (rr != last) {
            ldns_rr_list_set_rr(authority, rr, i);
        }
        ldns_rr_list_push_rr(authority, last);
    }
}

static void judge_one(struct fixture *fixture, const ldns_rr_list *keys, const char *name,
                      uint16_t type)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    char text[FIXTURE_TEXT_BYTES];
    struct fixture_query query = {.name = name, .type = type, .dnssec = true, .payload = 4096};
    struct dns_name wire = fixture_name(name);
    char whole[DNS_NAME_TEXT_BYTES];
    size_t length = fixture_ask(fixture, &query, bytes);
    struct judge judge = {.keys = keys, .qtype = type};

    struct zone_match match;
    assert_int_equal(zone_version_find(fixture->slots[0].version, &wire, &match), SG_OK);
    judge.may_opt_out = type == DNS_TYPE_DS || match.kind == ZONE_MATCH_EMPTY;
    assert_int_equal(ldns_wire2pkt(&judge.packet, bytes, length), LDNS_STATUS_OK);
    ldns_rdf *apex = ldns_dname_new_frm_str("nasty.test.");
    ldns_rdf *qname = ldns_dname_new_frm_str(dns_name_to_text(&wire, whole));
    judge.apex = apex;
    if (!judge_response(&judge, qname)) {
        fail_msg("%s type %u: %s\n%s", whole, type, judge.complaint,
                 fixture_describe(bytes, length, text));
    }
    /* With opt-out, DS has two ways to be denied below a wildcard, and both are given. */
    if (!judge.may_opt_out || !zone_version_facts(fixture->slots[0].version)->opt_out) {
        want_every_proof(&judge, qname);
    }
    ldns_rdf_deep_free(qname);
    ldns_rdf_deep_free(apex);
    ldns_pkt_free(judge.packet);
}

/* The owner, and names that fall before, behind, below and beside it. */
static void judge_around(struct fixture *fixture, const ldns_rr_list *keys,
                         const struct dns_name *owner)
{
    static const char *const prefixes[] = {"", "00.", "zz.", "a.b.", "*.", "x.*."};
    static const uint16_t types[] = {DNS_TYPE_A,  DNS_TYPE_AAAA,  DNS_TYPE_TXT, DNS_TYPE_NS,
                                     DNS_TYPE_DS, DNS_TYPE_CNAME, DNS_TYPE_SRV, DNS_TYPE_NSEC};
    char text[DNS_NAME_TEXT_BYTES];
    char name[DNS_NAME_TEXT_BYTES + 8];

    dns_name_to_text(owner, text);
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        for (size_t j = 0; j < ARRAY_LEN(types); j++) {
            snprintf(name, sizeof(name), "%s%s", prefixes[i], text);
            judge_one(fixture, keys, name, types[j]);
        }
    }
}

static void every_name_type_and_gap_of_a_zone_is_answered_securely(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(zone_files); i++) {
        static struct fixture fixture;
        static struct zone_cursor cursor;
        struct dns_name previous = {0};
        fixture_load(&fixture, "@", zone_files[i]);
        const struct zone_version *version = fixture.slots[0].version;
        ldns_rr_list *keys = keys_of(&fixture);
        zone_cursor_start(&cursor, version);
        while (zone_cursor_next(&cursor)) {
            struct dns_name owner;
            zone_version_owner(version, &cursor.node, &owner);
            for (; owner.labels >= 2; owner = dns_name_parent(&owner, 1)) {
                /* Ancestors come again and again; those shared with the name before are done. */
                if (dns_name_is_at_or_below(&previous, &owner)) {
                    break;
                }
                judge_around(&fixture, keys, &owner);
            }
            zone_version_owner(version, &cursor.node, &previous);
        }
        ldns_rr_list_deep_free(keys);
        fixture_clear(&fixture);
    }
}

/* RFC 2308 5, RFC 9077 3: min(SOA TTL, SOA minimum) is how long a denial may be kept. */
static void a_denial_lives_no_longer_than_the_soa_says(void **state)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    static struct fixture fixture;
    struct fixture_query query = {.name = "b", .type = DNS_TYPE_A, .dnssec = true};
    ldns_pkt *packet;
    (void)state;
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 3600\n@ SOA ns1 host 1 2 3 4 60\n@ NS ns.other.\n"
                      "@ NSEC a NS SOA RRSIG NSEC\na A 192.0.2.1\na NSEC @ A RRSIG NSEC\n"
                      "a RRSIG NSEC 13 3 3600 20360101000000 20240101000000 1 nasty.test. AAAA\n");
    size_t length = fixture_ask(&fixture, &query, bytes);
    assert_int_equal(ldns_wire2pkt(&packet, bytes, length), LDNS_STATUS_OK);
    const ldns_rr_list *authority = ldns_pkt_authority(packet);
    assert_int_equal(ldns_rr_list_rr_count(authority), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(ldns_rr_ttl(ldns_rr_list_rr(authority, i)), 60);
    }
    ldns_pkt_free(packet);
    /* Who asks for the NSEC itself gets it as it is. */
    fixture_expect(&fixture, "a NSEC do", "NOERROR aa | AN a/NSEC+");
    fixture_clear(&fixture);
}

static void costly_nsec3_chains_prove_nothing(void **state)
{
    static struct fixture fixture;
    (void)state;
    /* RFC 9276 3.2; the chain's one NSEC3 covers every name. */
    static const char *const iterations[] = {"150", "151"};
    for (int i = 0; i < 2; i++) {
        char text[600];
        snprintf(text, sizeof(text),
                 "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 60\n@ NS ns.other.\n"
                 "@ NSEC3PARAM 1 0 %s -\n*.w TXT x\n"
                 "00000000000000000000000000000000 NSEC3 1 0 %s - "
                 "00000000000000000000000000000000 A\n",
                 iterations[i], iterations[i]);
        fixture_load_text(&fixture, "@", text);
        fixture_expect(&fixture, "b.w TXT do",
                       i == 0 ? "NOERROR aa | AN b.w/TXT | AU #/NSEC3" : "NOERROR aa | AN b.w/TXT");
        fixture_clear(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_denial_lives_no_longer_than_the_soa_says),
        cmocka_unit_test(costly_nsec3_chains_prove_nothing),
        cmocka_unit_test(every_name_type_and_gap_of_a_zone_is_answered_securely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
