#include "answer/additional.h"
#include "answer/fixture.h"

static const struct additional_case {
    const char *name;
    enum answer_minimal minimal;
    const char *asked;
    const char *expected;
} cases[] = {
    {"MX brings addresses", ANSWER_MINIMAL_NO_AUTH, "@ MX", "NOERROR aa | AN @/MX | AD mail/A"},
    {"signed ones with DO", ANSWER_MINIMAL_NO_AUTH, "@ MX do",
     "NOERROR aa | AN @/MX+ | AD mail/A+"},
    {"SRV", ANSWER_MINIMAL_NO_AUTH, "srv SRV", "NOERROR aa | AN srv/SRV | AD target/A target/AAAA"},
    {"but what lies below a delegation is not ours to give", ANSWER_MINIMAL_NO_AUTH, "srv2 SRV",
     "NOERROR aa | AN srv2/SRV"},
    {"AFSDB", ANSWER_MINIMAL_NO_AUTH, "afs AFSDB", "NOERROR aa | AN afs/AFSDB | AD mail/A"},
    {"RT", ANSWER_MINIMAL_NO_AUTH, "rt RT", "NOERROR aa | AN rt/RT | AD mail/A"},
    {"KX", ANSWER_MINIMAL_NO_AUTH, "kx KX", "NOERROR aa | AN kx/KX | AD mail/A"},
    {"NAPTR", ANSWER_MINIMAL_NO_AUTH, "naptr NAPTR",
     "NOERROR aa | AN naptr/NAPTR | AD target/A target/AAAA"},
    {"HTTPS", ANSWER_MINIMAL_NO_AUTH, "https2 HTTPS",
     "NOERROR aa | AN https2/HTTPS | AD target/A target/AAAA"},
    {"HTTPS whose target is the root has none", ANSWER_MINIMAL_NO_AUTH, "https HTTPS",
     "NOERROR aa | AN https/HTTPS"},
    {"PTR has none", ANSWER_MINIMAL_NO_AUTH, "ptr PTR", "NOERROR aa | AN ptr/PTR"},
    {"the apex's NS, with glue, as with Knot and NSD", ANSWER_MINIMAL_NO_AUTH, "@ NS",
     "NOERROR aa | AN @/NS | AD ns1/A ns1/AAAA ns2.sib/A"},
    {"ANY brings none", ANSWER_MINIMAL_NO_AUTH, "mail ANY",
     "NOERROR aa | AN mail/A+ mail/MX+ mail/NSEC+"},
    {"an address that is an answer is not said again", ANSWER_MINIMAL_NO, "ns1 A",
     "NOERROR aa | AN ns1/A | AU @/NS | AD ns1/AAAA ns2.sib/A"},
    {"minimal-responses no: NS in authority, and their addresses", ANSWER_MINIMAL_NO, "target A do",
     "NOERROR aa | AN target/A+ | AU @/NS+ | AD ns1/A+ ns1/AAAA+ ns2.sib/A"},
    {"but not where they are the answer", ANSWER_MINIMAL_NO, "@ NS",
     "NOERROR aa | AN @/NS | AD ns1/A ns1/AAAA ns2.sib/A"},
    {"nor for key material", ANSWER_MINIMAL_NO, "@ DNSKEY do", "NOERROR aa | AN @/DNSKEY+"},
    {"nor where the chain led elsewhere", ANSWER_MINIMAL_NO, "cout A",
     "NOERROR aa | AN cout/CNAME"},
    {"nor in a referral", ANSWER_MINIMAL_NO, "www.sec A", "NOERROR | AU sec/NS | AD ns.sec/A"},
    {"nor in a denial", ANSWER_MINIMAL_NO, "target MX", "NOERROR aa | AU @/SOA"},
    {"minimal-responses yes: the answer alone", ANSWER_MINIMAL_YES, "@ MX do",
     "NOERROR aa | AN @/MX+"},
    {"yet glue is required", ANSWER_MINIMAL_YES, "www.sec A do",
     "NOERROR | AU sec/NS sec/DS+ | AD ns.sec/A"},
    {"no-auth-recursive: as no without RD", ANSWER_MINIMAL_NO_AUTH_RECURSIVE, "target A",
     "NOERROR aa | AN target/A | AU @/NS | AD ns1/A ns1/AAAA ns2.sib/A"},
    {"and as no-auth with RD", ANSWER_MINIMAL_NO_AUTH_RECURSIVE, "@ MX rd",
     "NOERROR aa | AN @/MX | AD mail/A"},
};

static struct fixture fixture;

static void adds_what_the_row_says(void **state)
{
    const struct additional_case *c = *state;
    if (fixture.count == 0) {
        fixture_load(&fixture, "@", "nsec.zone");
    }
    fixture.context.minimal = c->minimal;
    fixture_expect(&fixture, c->asked, c->expected);
}

/* 300 MX to as many hosts: as many addresses as there is room for, and an end. */
static void more_targets_than_room_are_left_out(void **state)
{
    static struct answer answer;
    struct buffer text = BUFFER_EMPTY;
    struct dns_message question;
    uint8_t wire[512];
    struct fixture_query query = {.name = "@", .type = DNS_TYPE_MX, .edns = true};
    (void)state;
    buffer_append_text(&text, "$ORIGIN nasty.test.\n$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS o.\n");
    for (int i = 0; i < 300; i++) {
        buffer_format(&text, "@ MX %d m%d\nm%d A 192.0.2.1\nm%d AAAA 2001:db8::1\n", i, i, i, i);
    }
    fixture_load_text(&fixture, "@", buffer_text(&text));
    size_t length = fixture_query_wire(&query, wire);
    fixture_build(&fixture, (struct span){wire, length}, &question, &answer);
    assert_int_equal(answer.count, ANSWER_RRSETS_MAX);
    assert_int_equal(answer.items[0].rrset.count, 300);
    buffer_free(&text);
    fixture_clear(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_targets_than_room_are_left_out),
    };
    int failed = RUN_TABLE(cases, adds_what_the_row_says);
    fixture_clear(&fixture);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
