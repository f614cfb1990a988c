#include <stdio.h>

#include "base/mem.h"
#include "support/table.h"
#include "zone/check.h"

#define HEAD  "$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* In the zone "e."; problems as "E words|W words", each a whole text, in the order of names. */
static const struct check_case {
    const char *name;
    const char *text; /* behind HEAD */
    const char *problems;
} cases[] = {
    {"nothing is wrong with this", "a A 192.0.2.1\n", ""},
    {"a CNAME stands alone", "a CNAME b\na TXT x\n", "E a.e: CNAME and other data"},
    {"NSEC, RRSIG and KEY may stand beside a CNAME",
     "a CNAME b\na NSEC b CNAME\na RRSIG NSEC 13 2 1 1 1 1 e. AAAA\na KEY 256 3 8 AAAA\n", ""},
    {"there is one CNAME", "a CNAME b\na CNAME c\n", "E a.e: multiple RRs of singleton type"},
    {"there is one DNAME", "a DNAME b\na DNAME c\n", "E a.e: multiple RRs of singleton type"},
    {"a wildcard delegates nothing", "*.a NS ns1\n", "E *.a.e: invalid NS owner name (wildcard)"},
    {"a DS belongs to the parent", "@ DS 1 13 2 " ZEROS "\n", "E e: DS record at top of zone"},
    {"a DS goes with a delegation", "a DS 1 13 2 " ZEROS "\nb NS x.\nb DS 1 13 2 " ZEROS "\n",
     "W a.e: DS without NS"},
    {"name servers of the apex have addresses", "@ NS a\n@ NS b\nb TXT x\n@ NS c.d\nx.c.d TXT x\n",
     "E NS 'a.e' has no address records (A or AAAA)|"
     "E NS 'b.e' has no address records (A or AAAA)|"
     "E NS 'c.d.e' has no address records (A or AAAA)"},
    {"a wildcard is an address too", "@ NS a.w\n*.w AAAA ::1\n", ""},
    {"name servers may be anywhere else", "@ NS x.\n@ NS a.d\nd NS x.\n", ""},
    {"name servers are no aliases", "@ NS a\na CNAME ns1\n@ NS b.c\nc DNAME x.\n",
     "E NS 'a.e' is a CNAME (illegal)|E NS 'b.c.e' is below a DNAME (illegal)"},
    {"a delegation into itself needs glue", "a NS a\nb NS x.b\nc NS x.c\nx.c A 192.0.2.1\n",
     "W a.e/NS 'a.e' has no REQUIRED GLUE address records (A or AAAA)|"
     "W b.e/NS 'x.b.e' has no REQUIRED GLUE address records (A or AAAA)"},
    {"a delegation to a sibling wants glue", "a NS x.b\nb NS x.\n",
     "W a.e/NS 'x.b.e' has no SIBLING GLUE address records (A or AAAA)"},
    {"a delegation to nothing", "a NS b\nc NS d\nd CNAME x.\n",
     "W a.e/NS 'b.e' has no address records (A or AAAA)|W c.e/NS 'd.e' is a CNAME (illegal)"},
    {"mail exchangers have addresses", "a MX 1 b\na MX 2 c\nc CNAME ns1\na MX 3 NS1\na MX 4 x.\n",
     "W a.e/MX 'b.e' has no address records (A or AAAA)|W a.e/MX 'c.e' is a CNAME (illegal)"},
    {"targets below a cut are another zone's", "a MX 1 b.c\nc NS x.\n", ""},
    {"services have addresses", "a SRV 1 1 1 b\na SRV 1 1 1 .\na SRV 1 1 1 x.c\nc DNAME y.\n",
     "W a.e/SRV 'b.e' has no address records (A or AAAA)|"
     "W a.e/SRV 'x.c.e' is below a DNAME (illegal)"},
    {"addresses are no names", "a MX 1 192.0.2.1.\nb NS 192.0.2.2.\n",
     "W a.e/MX '192.0.2.1' appears to be an address|"
     "W b.e/NS '192.0.2.2' appears to be an address"},
    {"hosts have hostnames",
     "a_b A 192.0.2.1\nc_d MX 1 x.\n_e AAAA ::1\n_f TXT x\n*.g A 192.0.2.1\n",
     "E _e.e: bad owner name (check-names)|E a_b.e: bad owner name (check-names)|"
     "E c_d.e: bad owner name (check-names)"},
    {"targets have hostnames", "a NS b_c.\nb MX 1 b_d.\nc SRV 1 1 1 b_e.\nd PTR b_f.\n",
     "E b_c: bad name (check-names)|E b_d: bad name (check-names)|E b_e: bad name (check-names)"},
    {"an inner wildcard is an accident", "a.*.b TXT x\n",
     "W a.*.b.e contains a non-terminal wildcard"},
    {"SPF goes with TXT", "a SPF \"v=spf1 -all\"\nb SPF \"v=spf1\"\nb TXT \"v=spf1\"\n",
     "W a.e has an SPF record but no SPF TXT record, add matching type TXT record"},
    {"records that only DNSSEC tells apart", "a NSEC b. A\na NSEC B. A\n",
     "W a.e/NSEC has semantically identical records"},
    {"data below a cut is hidden", "a NS x.\nb.a TXT x\nc.a A 192.0.2.1\n",
     "W b.a.e is below a zone cut, its records are not of this zone"},
    {"a CDS of an algorithm without a key",
     "@ CDS 1234 8 2 0000000000000000000000000000000000000000000000000000000000000000\n",
     "E e: bad CDS (one has an algorithm that no DNSKEY has, or DELETE has company)"},
    {"a CDS with its key",
     "@ CDS 1234 8 2 0000000000000000000000000000000000000000000000000000000000000000\n@ DNSKEY "
     "256 3 8 AwEAAQ==\n",
     ""},
    {"a DELETE alone", "@ CDS 0 0 0 00\n@ CDNSKEY 0 3 0 AA==\n", ""},
    {"a DELETE in company",
     "@ CDNSKEY 0 3 0 AA==\n@ CDNSKEY 257 3 8 AwEAAQ==\n@ DNSKEY 257 3 8 AwEAAQ==\n",
     "E e: bad CDNSKEY (one has an algorithm that no DNSKEY has, or DELETE has company)"},
    {"a CDS elsewhere is a record like others",
     "x CDS 1234 8 2 0000000000000000000000000000000000000000000000000000000000000000\n", ""},
    {"data below a DNAME is hidden", "a DNAME x.\nb.a A 192.0.2.1\n",
     "W b.a.e is below a DNAME, its records will not be found"},
};

static struct zone_edit *load(const char *zone, const char *head, const char *text)
{
    struct dns_name apex;
    struct zonefile_report report;
    struct zonefile_options options = {.path = "text"};
    struct buffer whole = BUFFER_EMPTY;
    buffer_append_text(&whole, head);
    buffer_append_text(&whole, text);
    assert_int_equal(dns_name_from_text(zone, strlen(zone), NULL, &apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, 1);
    if (zonefile_load_text(edit, &options, buffer_span(&whole), &report) != SG_OK) {
        fail_msg("%s", report.problems[0].text);
    }
    zonefile_report_clear(&report);
    buffer_free(&whole);
    return edit;
}

static void check(struct zone_edit *edit, const struct zone_check_options *options,
                  const char *expected)
{
    struct zonefile_report report = {0};
    struct buffer seen = BUFFER_EMPTY;
    enum sg_result result = zone_check(zone_edit_draft(edit), options, &report);
    for (size_t i = 0; i < report.problems_count; i++) {
        const struct zonefile_problem *problem = &report.problems[i];
        assert_null(problem->file);
        buffer_format(&seen, "%s%c %s", i > 0 ? "|" : "",
                      problem->severity == ZONEFILE_ERROR ? 'E' : 'W', problem->text);
    }
    assert_string_equal(buffer_text(&seen), expected);
    assert_int_equal(result, report.errors > 0 ? SG_MALFORMED : SG_OK);
    zonefile_report_clear(&report);
    buffer_free(&seen);
    zone_edit_abandon(edit);
}

static void is_reported(void **state)
{
    const struct check_case *c = *state;
    check(load("e.", HEAD, c->text), &zone_check_defaults, c->problems);
}

static void a_zone_has_one_soa_and_name_servers(void **state)
{
    (void)state;
    check(load("e.", "", ""), &zone_check_defaults, "E has 0 SOA records|E has no NS records");
    check(load("e.", HEAD, "@ SOA ns1 host 2 2 3 4 5\n"), &zone_check_defaults,
          "E has 2 SOA records");
}

static void options_change_severities(void **state)
{
    (void)state;
    static const char text[] = "a_b MX 1 c\nc CNAME x.\nd MX 1 192.0.2.1.\nd.*.x TXT x\n"
                               "f SRV 1 1 1 c\ng NS x.h\nh NS y.\ni NSEC b. A\ni NSEC B. A\n";
    struct zone_check_options none = {0};
    check(load("e.", HEAD, text), &none, "");
    struct zone_check_options all = {.names = CHECK_WARN,
                                     .mx = CHECK_FAIL,
                                     .mx_cname = CHECK_FAIL,
                                     .srv_cname = CHECK_FAIL,
                                     .dup_records = CHECK_FAIL,
                                     .wildcard = CHECK_FAIL,
                                     .sibling = CHECK_FAIL,
                                     .integrity = true};
    check(load("e.", HEAD, text), &all,
          "W a_b.e: bad owner name (check-names)|E a_b.e/MX 'c.e' is a CNAME (illegal)|"
          "E d.e/MX '192.0.2.1' appears to be an address|E f.e/SRV 'c.e' is a CNAME (illegal)|"
          "E g.e/NS 'x.h.e' has no SIBLING GLUE address records (A or AAAA)|"
          "E i.e/NSEC has semantically identical records|"
          "E d.*.x.e contains a non-terminal wildcard");
}

static void reverse_zones_name_hosts(void **state)
{
    (void)state;
    check(
        load("2.0.192.in-addr.arpa.", "$TTL 1\n@ SOA . . 1 2 3 4 5\n@ NS ns.x.\n", "1 PTR a_b.\n"),
        &zone_check_defaults, "E a_b: bad name (check-names)");
}

static void the_root_is_a_zone_like_others(void **state)
{
    (void)state;
    check(load(".", "$TTL 1\n@ SOA . . 1 2 3 4 5\n@ NS ns.x.\n", "x. NS ns.x.\n"),
          &zone_check_defaults, "W x/NS 'ns.x' has no REQUIRED GLUE address records (A or AAAA)");
}

/* Where the problems of a text lie, as "line words|line words"; 0: nowhere. */
static void located(const char *text, const char *expected)
{
    struct zonefile_report report = {0};
    struct zonefile_options options = {.path = "text"};
    struct buffer seen = BUFFER_EMPTY;
    struct dns_name apex;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    struct zone_edit *edit = load("e.", "", text);
    (void)!zone_check(zone_edit_draft(edit), &zone_check_defaults, &report);
    zonefile_locate_text(&apex, 1, &options, span_of_text(text), &report);
    for (size_t i = 0; i < report.problems_count; i++) {
        const struct zonefile_problem *problem = &report.problems[i];
        assert_int_equal(problem->file != NULL, problem->line != 0);
        buffer_format(&seen, "%s%u %s", i > 0 ? "|" : "", problem->line, problem->text);
    }
    assert_string_equal(buffer_text(&seen), expected);
    zonefile_report_clear(&report);
    buffer_free(&seen);
    zone_edit_abandon(edit);
}

static void problems_have_the_line_of_the_record_that_does_not_fit(void **state)
{
    (void)state;
    located(HEAD "a CNAME b\nb A 192.0.2.1\na RRSIG A 13 2 1 1 1 1 e. AAAA\nA.e. TXT x\na TXT y\n",
            "8 a.e: CNAME and other data");
    located(HEAD "a TXT b\n CNAME c\n", "6 a.e: CNAME and other data");
    located(HEAD "a CNAME b\na CNAME c\na CNAME d\n", "6 a.e: multiple RRs of singleton type");
    located(HEAD "b TXT x\n@ SOA ns1 host 2 2 3 4 5\n", "6 has 2 SOA records");
    located(HEAD "*.a TXT x\n*.a NS ns1\n", "6 *.a.e: invalid NS owner name (wildcard)");
    located(HEAD "a MX 1 ns1\na MX 2 x_y\na_b A 192.0.2.1\n",
            "6 x_y.e: bad name (check-names)|6 a.e/MX 'x_y.e' has no address records (A or AAAA)|"
            "7 a_b.e: bad owner name (check-names)");
    located(HEAD "$GENERATE 1-3 g$ A 192.0.2.$\ng2 CNAME b\n", "6 g2.e: CNAME and other data");
    located(HEAD "@ NS ns2\n", "5 NS 'ns2.e' has no address records (A or AAAA)");
    located("$TTL 1\n@ SOA x. x. 1 2 3 4 5\n", "0 has no NS records");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_has_one_soa_and_name_servers),
        cmocka_unit_test(options_change_severities),
        cmocka_unit_test(reverse_zones_name_hosts),
        cmocka_unit_test(the_root_is_a_zone_like_others),
        cmocka_unit_test(problems_have_the_line_of_the_record_that_does_not_fit),
    };
    return RUN_TABLE(cases, is_reported) + cmocka_run_group_tests(tests, NULL, NULL);
}
