#include "answer/answer.h"
#include "answer/fixture.h"

/*
 * One answer for each turn of the walk, as BIND 9.18, Knot 3.2 and NSD 4.6 give it to the same
 * zone; where they differ the row says why.
 */
static const struct answer_case {
    const char *name;
    const char *asked;
    const char *expected;
} cases[] = {
    {"a name that exists", "target A do", "NOERROR aa | AN target/A+"},
    {"without DO no signatures", "target A", "NOERROR aa | AN target/A"},
    {"a type that is not there", "target MX do", "NOERROR aa | AU @/SOA+ target/NSEC+"},
    {"the same without DO", "target MX", "NOERROR aa | AU @/SOA"},
    {"an empty non-terminal", "b.c A do", "NOERROR aa | AU @/SOA+ big/NSEC+"},
    {"a name that does not exist", "b.ex2.w A do",
     "NXDOMAIN aa | AU @/SOA+ a.ex2.w/NSEC+ ex.w/NSEC+"},
    {"one NSEC may deny name and wildcard", "zz A do",
     "NXDOMAIN aa | AU @/SOA+ *.sub.wild2/NSEC+ @/NSEC+"},
    {"a wildcard", "foo.w TXT do", "NOERROR aa | AN foo.w/TXT+ | AU a.ex2.w/NSEC+"},
    {"a wildcard asked for by its name", "*.w TXT do", "NOERROR aa | AN *.w/TXT+"},
    {"the type of a wildcard that is not there", "foo.w A do",
     "NOERROR aa | AU @/SOA+ a.ex2.w/NSEC+ *.w/NSEC+"},
    {"the NSEC of a wildcard, and of itself as proof", "zz.wc NSEC do",
     "NOERROR aa | AN zz.wc/NSEC+ | AU *.wc/NSEC+"},
    {"a wildcard that is an empty non-terminal", "foo.went A do",
     "NOERROR aa | AU @/SOA+ x.*.went/NSEC+ *.wc/NSEC+"},
    {"an existing name hides the wildcard from what is below", "x.ex.w A do",
     "NXDOMAIN aa | AU @/SOA+ ex.w/NSEC+"},
    {"below a wildcard's own name nothing is expanded", "a.*.w TXT do",
     "NXDOMAIN aa | AU @/SOA+ *.w/NSEC+"},
    {"DS at a signed delegation is the parent's", "sec DS do", "NOERROR aa | AN sec/DS+"},
    {"DS at an unsigned one is denied", "sub DS do", "NOERROR aa | AU @/SOA+ sub/NSEC+"},
    {"DS below a delegation is not ours", "www.sec DS", "NOERROR | AU sec/NS | AD ns.sec/A"},
    {"DS at the apex is denied for want of a parent", "@ DS do", "NOERROR aa | AU @/SOA+ @/NSEC+"},
    {"NSEC at a delegation refers, as with Knot and NSD", "sub NSEC do",
     "NOERROR | AU sub/NS sub/NSEC+ | AD ns.sub/A ns.sub/AAAA ns.sib/A ns1/A+ ns1/AAAA+"},
    {"what a delegation occludes is not there", "x.occ TXT",
     "NOERROR | AU occ/NS | AD ns1/A ns1/AAAA"},
    {"type 0 is a type", "target TYPE0", "NOERROR aa | AU @/SOA"},
    {"MAILB is nothing we do", "target MAILB", "NOTIMPL"},
    {"a meta type is no question", "target TSIG", "FORMERR"},
    {"nor is OPT", "target OPT", "FORMERR"},
    {"unassigned types of that range neither", "target TYPE200", "FORMERR"},
};

static struct fixture fixture;

static void answers_as_the_row_says(void **state)
{
    const struct answer_case *c = *state;
    if (fixture.count == 0) {
        fixture_load(&fixture, "@", "nsec.zone");
    }
    fixture_expect(&fixture, c->asked, c->expected);
}

static void a_zone_that_is_not_loaded_gives_servfail(void **state)
{
    static struct fixture empty;
    (void)state;
    fixture_add(&empty, "@", NULL);
    fixture_expect(&empty, "target A", "SERVFAIL");
    zone_table_free((struct zone_table *)(uintptr_t)empty.context.table);
    nsec3_hasher_free(empty.context.hasher);
}

static void a_wildcard_may_exist_without_owning_anything(void **state)
{
    static struct fixture small;
    (void)state;
    fixture_load_text(&small, "@",
                      "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
                      "x.*.went TXT \"x\"\n");
    fixture_expect(&small, "foo.went A", "NOERROR aa | AU @/SOA");
    fixture_expect(&small, "foo.nowhere A", "NXDOMAIN aa | AU @/SOA");
    fixture_clear(&small);
}

static void the_root_zone_is_a_zone(void **state)
{
    static struct fixture root;
    (void)state;
    fixture_load_text(&root, ".",
                      "$ORIGIN .\n$TTL 300\n@ SOA ns host 1 2 3 4 5\n@ NS a.net.\n@ MX 1 host\n"
                      "net NS a.net.\na.net. A 192.0.2.1\nhost A 192.0.2.2\n* TXT \"w\"\n");
    fixture_expect(&root, ". NS", "NOERROR aa | AN ./NS | AD a.net./A");
    fixture_expect(&root, ". MX", "NOERROR aa | AN ./MX | AD host./A");
    fixture_expect(&root, "www.net. A", "NOERROR | AU net./NS | AD a.net./A");
    fixture_expect(&root, "b.c. A", "NOERROR aa | AU ./SOA");
    fixture_expect(&root, "b.c. TXT", "NOERROR aa | AN b.c./TXT");
    fixture_clear(&root);
}

static void proofs_that_are_missing_are_left_out(void **state)
{
    static struct fixture broken;
    (void)state;
    /* NSEC3PARAM and one NSEC3 that matches nothing of use; no NSEC at all. */
    fixture_load_text(
        &broken, "@",
        "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns.other.\n"
        "@ NSEC3PARAM 1 0 0 -\nwww A 192.0.2.1\n* TXT \"w\"\nsub NS ns.other.\n"
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n");
    fixture_expect(&broken, "a.www A do", "NXDOMAIN aa | AU @/SOA");
    fixture_expect(&broken, "www AAAA do", "NOERROR aa | AU @/SOA");
    fixture_expect(&broken, "x.sub A do", "NOERROR | AU sub/NS");
    fixture_expect(&broken, "a A do", "NOERROR aa | AU @/SOA");
    fixture_clear(&broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_that_is_not_loaded_gives_servfail),
        cmocka_unit_test(a_wildcard_may_exist_without_owning_anything),
        cmocka_unit_test(the_root_zone_is_a_zone),
        cmocka_unit_test(proofs_that_are_missing_are_left_out),
    };
    int failed = RUN_TABLE(cases, answers_as_the_row_says);
    fixture_clear(&fixture);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
