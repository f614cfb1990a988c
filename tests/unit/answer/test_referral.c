#include "answer/fixture.h"
#include "answer/referral.h"

static const struct referral_case {
    const char *name;
    const char *file;
    const char *asked;
    const char *expected;
} cases[] = {
    {"a secure delegation has its DS signed", "nsec.zone", "www.sec A do",
     "NOERROR | AU sec/NS sec/DS+ | AD ns.sec/A"},
    {"an insecure one the NSEC that denies DS", "nsec.zone", "www.child A do",
     "NOERROR | AU child/NS child/NSEC+ | AD ns1/A+ ns1/AAAA+"},
    {"or the NSEC3", "nsec3.zone", "www.child A do",
     "NOERROR | AU child/NS #/NSEC3+ | AD ns1/A+ ns1/AAAA+"},
    {"or, opted out, encloser and next closer", "optout.zone", "www.child A do",
     "NOERROR | AU child/NS #/NSEC3+ #/NSEC3+ | AD ns1/A+ ns1/AAAA+"},
    {"below empty non-terminals that are opted out too", "optout.zone", "a.deep.ent.insec A do",
     "NOERROR | AU deep.ent.insec/NS #/NSEC3+ #/NSEC3+ | AD ns1/A+ ns1/AAAA+"},
    {"without DO neither", "nsec.zone", "www.sec A", "NOERROR | AU sec/NS | AD ns.sec/A"},
    {"the cut itself is below the cut", "nsec.zone", "sec NS do",
     "NOERROR | AU sec/NS sec/DS+ | AD ns.sec/A"},
    {"and its ANY", "nsec.zone", "sec ANY", "NOERROR | AU sec/NS | AD ns.sec/A"},
    {"and its RRSIG", "nsec.zone", "sec RRSIG", "NOERROR | AU sec/NS | AD ns.sec/A"},
    {"and its glue", "nsec.zone", "ns.sec A", "NOERROR | AU sec/NS | AD ns.sec/A"},
    {"glue of the delegation, of its siblings, and addresses of the zone", "nsec.zone", "sub A",
     "NOERROR | AU sub/NS | AD ns.sub/A ns.sub/AAAA ns.sib/A ns1/A ns1/AAAA"},
};

static struct fixture fixture;

static void refers_as_the_row_says(void **state)
{
    const struct referral_case *c = *state;
    fixture_load(&fixture, "@", c->file);
    fixture_expect(&fixture, c->asked, c->expected);
    fixture_clear(&fixture);
}

/* A name server may stand at the cut; one below a DNAME has no address; one outside none here. */
static void odd_name_servers_do_no_harm(void **state)
{
    (void)state;
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "a NS a\na A 192.0.2.1\n"
                      "b NS ns.d\nd DNAME other.\nns.d A 192.0.2.2\n"
                      "c NS ns.other.\n"
                      "e NS nowhere\n");
    fixture_expect(&fixture, "x.a A", "NOERROR | AU a/NS | AD a/A");
    fixture_expect(&fixture, "x.b A", "NOERROR | AU b/NS");
    fixture_expect(&fixture, "x.c A", "NOERROR | AU c/NS");
    fixture_expect(&fixture, "x.e A", "NOERROR | AU e/NS");
    fixture_clear(&fixture);
}

static void a_delegation_hides_those_below_it(void **state)
{
    (void)state;
    fixture_load_text(&fixture, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "a NS ns.other.\nb.a NS ns2.other.\nx.b.a DNAME other.\n");
    fixture_expect(&fixture, "y.x.b.a A", "NOERROR | AU a/NS");
    fixture_expect(&fixture, "b.a DS", "NOERROR | AU a/NS");
    fixture_clear(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_name_servers_do_no_harm),
        cmocka_unit_test(a_delegation_hides_those_below_it),
    };
    return RUN_TABLE(cases, refers_as_the_row_says) + cmocka_run_group_tests(tests, NULL, NULL);
}
