#include "answer/fixture.h"
#include "answer/positive.h"

/* Chains, ANY and RRSIG, asked with minimal-responses no-auth; "nasty.test" alone is served. */
static const struct positive_case {
    const char *name;
    const char *asked;
    const char *expected;
} cases[] = {
    {"a CNAME is followed", "c1 A do", "NOERROR aa | AN c1/CNAME+ target/A+"},
    {"and the next", "c2 A do", "NOERROR aa | AN c2/CNAME+ c1/CNAME+ target/A+"},
    {"not by who asks for it", "c2 CNAME do", "NOERROR aa | AN c2/CNAME+"},
    {"nor by ANY", "c2 ANY", "NOERROR aa | AN c2/CNAME+ c2/NSEC+"},
    {"nor by RRSIG", "c1 RRSIG", "NOERROR aa | AN c1/RRSIG"},
    {"nor by NSEC where there is one", "c1 NSEC do", "NOERROR aa | AN c1/NSEC+"},
    {"the last name's rcode counts", "cnx A do",
     "NXDOMAIN aa | AN cnx/CNAME+ | AU @/SOA+ naptr/NSEC+ @/NSEC+"},
    {"NODATA at the end", "cnodata A do", "NOERROR aa | AN cnodata/CNAME+ | AU @/SOA+ a.b.c/NSEC+"},
    {"an empty non-terminal at the end", "cent A do",
     "NOERROR aa | AN cent/CNAME+ | AU @/SOA+ big/NSEC+"},
    {"a chain that leaves", "cout A do", "NOERROR aa | AN cout/CNAME+"},
    {"a chain into a delegation refers and keeps AA", "csec A do",
     "NOERROR aa | AN csec/CNAME+ | AU sec/NS sec/DS+ | AD ns.sec/A"},
    {"a chain to a wildcard", "cwild TXT do",
     "NOERROR aa | AN cwild/CNAME+ foo.w/TXT+ | AU a.ex2.w/NSEC+"},
    {"a wildcard CNAME", "foo.wc A do", "NOERROR aa | AN foo.wc/CNAME+ target/A+ | AU *.wc/NSEC+"},
    {"a chain through a wildcard CNAME", "cwildnx MX do",
     "NOERROR aa | AN cwildnx/CNAME+ foo.wc/CNAME+ | AU *.wc/NSEC+ @/SOA+ target/NSEC+"},
    {"a loop ends, as with Knot and NSD", "cloop1 A do",
     "NOERROR aa | AN cloop1/CNAME+ cloop2/CNAME+"},
    {"a CNAME to itself", "cself A", "NOERROR aa | AN cself/CNAME"},
    {"a DNAME redirects what is below", "x.d A do", "NOERROR aa | AN d/DNAME+ x.d/CNAME x.dt/A+"},
    {"not its own name", "d TXT do", "NOERROR aa | AN d/TXT+"},
    {"which has no other types", "d A do", "NOERROR aa | AU @/SOA+ d/NSEC+"},
    {"a CNAME into a DNAME", "cdn A", "NOERROR aa | AN cdn/CNAME d/DNAME x.d/CNAME x.dt/A"},
    {"who asks for a CNAME has it then", "x.d CNAME do", "NOERROR aa | AN d/DNAME+ x.d/CNAME"},
    {"and who asks for ANY, as with BIND", "x.d ANY", "NOERROR aa | AN d/DNAME x.d/CNAME"},
    {"a DNAME that leaves", "a.b.dout A", "NOERROR aa | AN dout/DNAME a.b.dout/CNAME"},
    {"a DNAME to nowhere", "x.dself A do",
     "NXDOMAIN aa | AN dself/DNAME+ x.dself/CNAME | AU @/SOA+ dsub/NSEC+"},
    {"a DNAME into a delegation", "www.dsub A",
     "NOERROR aa | AN dsub/DNAME www.dsub/CNAME | AU sub/NS | AD ns.sub/A ns.sub/AAAA ns.sib/A "
     "ns1/A ns1/AAAA"},
    {"a name that grows too long is YXDOMAIN",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.dlong A do",
     "YXDOMAIN aa | AN dlong/DNAME+"},
    {"ANY gives all there is", "target ANY do",
     "NOERROR aa | AN target/A+ target/AAAA+ target/NSEC+"},
    {"ANY at a wildcard", "foo.w ANY do",
     "NOERROR aa | AN foo.w/MX+ foo.w/TXT+ foo.w/NSEC+ | AU a.ex2.w/NSEC+"},
};

static struct fixture fixture;

static void answers_as_the_row_says(void **state)
{
    const struct positive_case *c = *state;
    if (fixture.count == 0) {
        fixture_load(&fixture, "@", "nsec.zone");
    }
    fixture_expect(&fixture, c->asked, c->expected);
}

static ldns_pkt *ask(const char *name, uint16_t type)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    struct fixture_query query = {.name = name, .type = type, .edns = true};
    size_t length = fixture_ask(&fixture, &query, bytes);
    ldns_pkt *packet;
    assert_int_equal(ldns_wire2pkt(&packet, bytes, length), LDNS_STATUS_OK);
    return packet;
}

static void the_cname_of_a_dname_has_its_ttl_and_target(void **state)
{
    (void)state;
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "d 77 DNAME t\ny.x.t A 192.0.2.1\n");
    ldns_pkt *packet = ask("y.x.d", DNS_TYPE_A);
    const ldns_rr *cname = ldns_rr_list_rr(ldns_pkt_answer(packet), 1);
    ldns_rdf *target = ldns_dname_new_frm_str("y.x.t.nasty.test.");
    assert_int_equal(ldns_rr_get_type(cname), LDNS_RR_TYPE_CNAME);
    assert_int_equal(ldns_rr_ttl(cname), 77);
    assert_int_equal(ldns_dname_compare(ldns_rr_rdf(cname, 0), target), 0);
    ldns_rdf_deep_free(target);
    ldns_pkt_free(packet);
    fixture_clear(&fixture);
}

static void a_dname_at_the_apex_redirects_the_whole_zone(void **state)
{
    (void)state;
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "@ DNAME other.\nwww A 192.0.2.1\n");
    fixture_expect(&fixture, "www A", "NOERROR aa | AN @/DNAME www/CNAME");
    fixture_expect(&fixture, "@ SOA", "NOERROR aa | AN @/SOA");
    fixture_expect(&fixture, "@ A", "NOERROR aa | AU @/SOA");
    fixture_clear(&fixture);
}

/* Each of its CNAMEs is told once: an RRset has no duplicates (RFC 2181 5). */
static void a_loop_of_dnames_ends_where_it_began(void **state)
{
    (void)state;
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "self DNAME self\none DNAME two\ntwo DNAME one\nc CNAME c.self\n");
    fixture_expect(&fixture, "a.self A", "NOERROR aa | AN self/DNAME a.self/CNAME");
    fixture_expect(&fixture, "c A", "NOERROR aa | AN c/CNAME self/DNAME c.self/CNAME");
    fixture_expect(&fixture, "a.one A",
                   "NOERROR aa | AN one/DNAME a.one/CNAME two/DNAME a.two/CNAME");
    fixture_clear(&fixture);
}

static void chains_are_cut_at_their_bound(void **state)
{
    struct buffer text = BUFFER_EMPTY;
    (void)state;
    buffer_append_text(&text, "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS o.\n");
    for (int i = 0; i < 40; i++) {
        buffer_format(&text, "c%d CNAME c%d\n", i, i + 1);
    }
    buffer_append_text(&text, "c40 A 192.0.2.1\nloop DNAME x.loop\n");
    fixture_load_text(&fixture, "@", buffer_text(&text));
    ldns_pkt *packet = ask("c0", DNS_TYPE_A);
    assert_int_equal(ldns_pkt_ancount(packet), ANSWER_CHAIN_MAX + 1);
    assert_int_equal(ldns_pkt_get_rcode(packet), LDNS_RCODE_NOERROR);
    ldns_pkt_free(packet);
    packet = ask("a.loop", DNS_TYPE_A);
    assert_int_equal(ldns_pkt_ancount(packet), ANSWER_CHAIN_MAX + 1);
    ldns_pkt_free(packet);
    buffer_free(&text);
    fixture_clear(&fixture);
}

static void chains_go_on_in_other_zones_that_are_served(void **state)
{
    (void)state;
    fixture_load(&fixture, "@", "nsec.zone");
    fixture_load(&fixture, "child", "child.zone");
    fixture_expect(&fixture, "cchild A do", "NOERROR aa | AN cchild/CNAME+ www.child/A+");
    fixture_expect(&fixture, "up.child A do",
                   "NOERROR aa | AN up.child/CNAME+ c1/CNAME+ target/A+");
    /* The denial is that of the zone where the chain ended. */
    fixture_expect(&fixture, "up.child MX do",
                   "NOERROR aa | AN up.child/CNAME+ c1/CNAME+ | AU @/SOA+ target/NSEC+");
    fixture_clear(&fixture);
}

static bool never(void *argument, const struct zone_slot *slot)
{
    *(const struct zone_slot **)argument = slot;
    return false;
}

static void not_in_zones_that_the_client_may_not_see(void **state)
{
    const struct zone_slot *asked_for = NULL;
    (void)state;
    fixture_load(&fixture, "@", "nsec.zone");
    fixture_load(&fixture, "child", "child.zone");
    fixture.context.may_enter = never;
    fixture.context.argument = &asked_for;
    fixture_expect(&fixture, "cchild A", "NOERROR aa | AN cchild/CNAME");
    assert_ptr_equal(asked_for, &fixture.slots[1]);
    /* Its own zone a chain need not enter. */
    fixture_expect(&fixture, "c1 A", "NOERROR aa | AN c1/CNAME target/A");
    fixture_clear(&fixture);
}

static void minimal_any_gives_one_rrset(void **state)
{
    (void)state;
    fixture_load(&fixture, "@", "nsec.zone");
    fixture.context.minimal_any = true;
    fixture_expect(&fixture, "target ANY do", "NOERROR aa | AN target/A+");
    fixture_expect(&fixture, "target ANY", "NOERROR aa | AN target/A");
    fixture_clear(&fixture);
}

static void rrsig_gives_every_signature(void **state)
{
    (void)state;
    fixture_load(&fixture, "@", "nsec.zone");
    ldns_pkt *packet = ask("target", DNS_TYPE_RRSIG);
    assert_int_equal(ldns_pkt_ancount(packet), 3);
    ldns_pkt_free(packet);
    fixture_clear(&fixture);
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "c CNAME @\n");
    fixture_expect(&fixture, "@ RRSIG", "NOERROR aa | AU @/SOA");
    fixture_expect(&fixture, "c RRSIG", "NOERROR aa | AN c/CNAME | AU @/SOA");
    fixture_clear(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cname_of_a_dname_has_its_ttl_and_target),
        cmocka_unit_test(a_dname_at_the_apex_redirects_the_whole_zone),
        cmocka_unit_test(a_loop_of_dnames_ends_where_it_began),
        cmocka_unit_test(chains_are_cut_at_their_bound),
        cmocka_unit_test(chains_go_on_in_other_zones_that_are_served),
        cmocka_unit_test(not_in_zones_that_the_client_may_not_see),
        cmocka_unit_test(minimal_any_gives_one_rrset),
        cmocka_unit_test(rrsig_gives_every_signature),
    };
    int failed = RUN_TABLE(cases, answers_as_the_row_says);
    fixture_clear(&fixture);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
