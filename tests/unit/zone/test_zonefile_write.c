#include "support/table.h"
#include "zone/zonefile.h"

static const char zone_text[] =
    "$TTL 300\n"
    "@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n@ A 192.0.2.1\n@ 60 TYPE65280 \\# 2 0102\n"
    "ns1 AAAA 2001:db8::1\nns1 TXT \"a \\\"b\\\" \\255\" c\n"
    "b.a MX 10 Mail.example.net.\n*.w CNAME x.\nx\\.y SRV 1 2 3 .\n"
    "@ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 e. AAAA\n"
    "@ RRSIG NS 13 1 300 20300101000000 20200101000000 1 e. AAAA\n"
    "@ NSEC3PARAM 1 0 0 -\n"
    "0123456789abcdefghijklmnopqrstuv NSEC3 1 0 0 - 0123456789abcdefghijklmnopqrstuv A\n"
    "0123456789abcdefghijklmnopqrstuv RRSIG NSEC3 13 2 300 20300101000000 20200101000000 1 e. "
    "AAAA\n";

static const struct zone_version *load(struct span text)
{
    struct dns_name apex;
    struct zonefile_report report;
    struct zonefile_options options = {.path = "text"};
    const struct zone_version *version;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, 1);
    if (zonefile_load_text(edit, &options, text, &report) != SG_OK) {
        fail_msg("%s", report.problems[0].text);
    }
    zonefile_report_clear(&report);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    struct buffer first = BUFFER_EMPTY;
    struct buffer second = BUFFER_EMPTY;
    const struct zone_version *version = load(span_of_text(zone_text));
    zonefile_write(version, ZONE_VIEW_UNSIGNED, &first);
    const struct zone_version *again = load(buffer_span(&first));
    zonefile_write(again, ZONE_VIEW_UNSIGNED, &second);
    assert_string_equal(buffer_text(&first), buffer_text(&second));
    assert_int_equal(zone_version_facts(version)->records, 14);
    assert_int_equal(zone_version_facts(again)->records, 14);
    zone_version_unref(version);
    zone_version_unref(again);
    buffer_free(&first);
    buffer_free(&second);
}

static void the_soa_is_the_first_record(void **state)
{
    (void)state;
    static const char begin[] = "e. 300 IN SOA ns1.e. host.e. 1 2 3 4 5\n";
    struct buffer text = BUFFER_EMPTY;
    const struct zone_version *version = load(span_of_text(zone_text));
    zonefile_write(version, ZONE_VIEW_SIGNED, &text);
    assert_memory_equal(buffer_text(&text), begin, sizeof(begin) - 1);
    assert_null(strstr(buffer_text(&text) + sizeof(begin), " IN SOA "));
    zone_version_unref(version);
    buffer_free(&text);
}

static void nsec3_records_are_written_once(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    const struct zone_version *version = load(span_of_text(zone_text));
    zonefile_write(version, ZONE_VIEW_SIGNED, &text);
    const char *found = strstr(buffer_text(&text), " IN NSEC3 1 0 0 -");
    assert_non_null(found);
    assert_null(strstr(found + 1, " IN NSEC3 1 0 0 -"));
    zone_version_unref(version);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(the_soa_is_the_first_record),
        cmocka_unit_test(nsec3_records_are_written_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
