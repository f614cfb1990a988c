#include "base/encoding.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "support/table.h"
#include "zone/zonefile_rdata.h"

#define ZEROS_20 "0000000000000000000000000000000000000000"
#define ZEROS_32 "00000000000000000000000000000000"
#define ZEROS_64 ZEROS_32 ZEROS_32
#define X_64     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

enum { LDNS = true };

/* Every row is read by our own parser, but those marked LDNS. The origin is "e.". */
static const struct good_case {
    const char *name; /* the text */
    uint16_t type;
    const char *wire;
    bool odd;
} good_cases[] = {
    {"192.0.2.1", DNS_TYPE_A, "C0000201", 0},
    {"2001:DB8::1", DNS_TYPE_AAAA, "20010DB8000000000000000000000001", 0},
    {"::ffff:192.0.2.1", DNS_TYPE_AAAA, "00000000000000000000FFFFC0000201", 0},
    {"Ns1", DNS_TYPE_NS, "034E7331016500", 0},
    {"ns1.x.", DNS_TYPE_NS, "036E7331017800", 0},
    {"@", DNS_TYPE_CNAME, "016500", 0},
    {".", DNS_TYPE_PTR, "00", 0},
    {"a\\.b\\065", DNS_TYPE_DNAME, "04612E6241016500", 0},
    {"( 10 ; comment\n mail )", DNS_TYPE_MX, "000A046D61696C016500", 0},
    {"0 1 65535 x.", DNS_TYPE_SRV, "00000001FFFF017800", 0},
    {"m. h. 4294967295 1h 1m30s 1w 0", DNS_TYPE_SOA,
     "016D00016800FFFFFFFF00000E100000005A00093A8000000000", 0},
    {"\"a b\" c \"\"", DNS_TYPE_TXT, "03612062016300", 0},
    {"\\065\\\"\\;\\\\ \"\\\"\\255\"", DNS_TYPE_TXT, "0441223B5C0222FF", 0},
    {"v=spf1", DNS_TYPE_SPF, "06763D73706631", 0},
    {"\"x y\" z", DNS_TYPE_HINFO, "03782079017A", 0},
    {"m. .", DNS_TYPE_RP, "016D0000", 0},
    {"1 2 \"u\" \"\" \"!^a!b!\" .", DNS_TYPE_NAPTR, "0001000201750006215E6121622100", 0},
    {"1 13 2 " ZEROS_64 "\n", DNS_TYPE_DS, "00010D02" ZEROS_64, 0},
    {"1 8 1 0011 2233445566778899AabBcCdDeEfF 00112233", DNS_TYPE_DS,
     "0001080100112233445566778899AABBCCDDEEFF00112233", 0},
    {"1 8 1 001 1223344556677889 9AabBcCdDeEfF00112233", DNS_TYPE_DS,
     "0001080100112233445566778899AABBCCDDEEFF00112233", LDNS},
    {"0 0 0 00", DNS_TYPE_CDS, "0000000000", 0},
    {"257 3 13 AAEC AwQF", DNS_TYPE_DNSKEY, "0101030D000102030405", 0},
    {"257 3 13 AAECAw==", DNS_TYPE_DNSKEY, "0101030D00010203", 0},
    {"257 3 13 AAECAwQ=", DNS_TYPE_DNSKEY, "0101030D0001020304", 0},
    {"257 3 13 A AEC", DNS_TYPE_DNSKEY, "0101030D000102", LDNS},
    {"257 3 ECDSAP256SHA256 AAEC", DNS_TYPE_DNSKEY, "0101030D000102", LDNS},
    {"0 3 0 AA==", DNS_TYPE_CDNSKEY, "0000030000", 0},
    {"A 13 2 300 20300101000000 19700101000001 65535 e. AAAA", DNS_TYPE_RRSIG,
     "00010D020000012C70DBD88000000001FFFF016500000000", 0},
    {"TYPE65280 8 1 0 1893456000 1 1 . AAAA", DNS_TYPE_RRSIG,
     "FF0008010000000070DBD88000000001000100000000", 0},
    {"b. A RRSIG NSEC CAA TYPE65280", DNS_TYPE_NSEC, "0162000006400000000003010140FF0180", 0},
    {"1 0 5 aB " ZEROS_32 " A", DNS_TYPE_NSEC3, "0100000501AB14" ZEROS_20 "000140", 0},
    {"1 1 0 - VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV", DNS_TYPE_NSEC3,
     "010100000014FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 0},
    {"1 0 0 -", DNS_TYPE_NSEC3PARAM, "0100000000", 0},
    {"0 issue \"ca; x=y\"", DNS_TYPE_CAA, "0005697373756563613B20783D79", 0},
    {"128 Tag x", DNS_TYPE_CAA, "800354616778", 0},
    {"3 1 1 00ff", DNS_TYPE_TLSA, "03010100FF", 0},
    {"4 2 " ZEROS_64, DNS_TYPE_SSHFP, "0402" ZEROS_64, 0},
    {"1 3 A NS", DNS_TYPE_CSYNC, "000000010003000160", 0},
    {"AAAA", DNS_TYPE_OPENPGPKEY, "000000", 0},
    {"\\# 4 c0000201", DNS_TYPE_A, "C0000201", LDNS},
    {"\\# 4 c0 00 02 ( 0\n1 )", DNS_TYPE_A, "C0000201", LDNS},
    {"\\# 0", 65280, "", LDNS},
    {"\\# 3 ABCDEF", 65280, "ABCDEF", LDNS},
    {"\"\\#\"", DNS_TYPE_TXT, "0123", 0},
    {"1 . alpn=h2 port=443", DNS_TYPE_HTTPS, "000100000100030268320003000201BB", LDNS},
    {"1:192.0.2.0/24", DNS_TYPE_APL, "00011803C00002", LDNS},
};

static const struct bad_case {
    const char *name; /* the text */
    uint16_t type;
    const char *problem;
} bad_cases[] = {
    {"1.2.3", DNS_TYPE_A, "bad IPv4 address near '1.2.3'"},
    {"1.2.3.4 5", DNS_TYPE_A, "extra input text near '5'"},
    {"", DNS_TYPE_A, "unexpected end of line"},
    {"\"1.2.3.4\"", DNS_TYPE_A, "quoted string where none belongs near '1.2.3.4'"},
    {"::g", DNS_TYPE_AAAA, "bad IPv6 address near '::g'"},
    {"a..b", DNS_TYPE_NS, "empty label"},
    {X_64, DNS_TYPE_NS, "longer than 63 bytes"},
    {"\"a\"", DNS_TYPE_NS, "quoted string where none belongs"},
    {"70000 x", DNS_TYPE_MX, "number out of range near '70000'"},
    {"99999999999999999999 x", DNS_TYPE_MX, "number out of range"},
    {"a x", DNS_TYPE_MX, "MX rdata 'a x'"},
    {"10", DNS_TYPE_MX, "unexpected end of line"},
    {"10 (", DNS_TYPE_MX, "unbalanced parentheses"},
    {"10 x )", DNS_TYPE_MX, "unbalanced parentheses"},
    {"m. h. 4294967296 1 1 1 1", DNS_TYPE_SOA, "number out of range near '4294967296'"},
    {"m. h. 1 1 1 1 1x", DNS_TYPE_SOA, "not a valid number near '1x'"},
    {"m. h. 1 1 1 1", DNS_TYPE_SOA, "unexpected end of line"},
    {"\"" X_64 X_64 X_64 X_64 "\"", DNS_TYPE_TXT, "text string longer than 255 bytes"},
    {"\\256", DNS_TYPE_TXT, "bad escape"},
    {"\\25", DNS_TYPE_TXT, "bad escape"},
    {"\"a", DNS_TYPE_TXT, "unbalanced quotes"},
    {"", DNS_TYPE_TXT, "unexpected end of line"},
    {"1 13 2 0000", DNS_TYPE_DS, "digest is too short or too long"},
    {"1 13 2 " ZEROS_64 "0g", DNS_TYPE_DS, "DS rdata"},
    {"65536 13 2 " ZEROS_64, DNS_TYPE_DS, "number out of range"},
    {"257 3 13 AAE", DNS_TYPE_DNSKEY, "DNSKEY rdata"},
    {"257 3 13 AAE* ", DNS_TYPE_DNSKEY, "DNSKEY rdata"},
    {"257 3 13 AB==", DNS_TYPE_DNSKEY, "DNSKEY rdata"},
    {"257 3 13", DNS_TYPE_DNSKEY, "unexpected end of line"},
    {"A 13 2 300 20301301000000 1 1 e. AAAA", DNS_TYPE_RRSIG, "not a valid time"},
    {"A 13 2 300 203001010000000 1 1 e. AAAA", DNS_TYPE_RRSIG, "not a valid time"},
    {"FOO 13 2 300 1 1 1 e. AAAA", DNS_TYPE_RRSIG, "RRSIG rdata"},
    {"b.", DNS_TYPE_NSEC, "does not fit its type"},
    {"b. FOO", DNS_TYPE_NSEC, "NSEC rdata"},
    {"0 is-sue x", DNS_TYPE_CAA, "CAA rdata"},
    {"x", 65280, "TYPE65280 rdata"},
    {"\\# 1", 65280, "length do not fit"},
    {"\\# 1 0", 65280, "not hexadecimal"},
    {"\\# 1 0g", 65280, "not hexadecimal"},
    {"\\# x", 65280, "not followed by a length"},
    {"\\# 65536 00", 65280, "not followed by a length"},
    {"\\# 3 c00002", DNS_TYPE_A, "does not fit its type"},
};

/* One reader for all rows, as a load keeps it. */
static struct zonefile_rdata *rdata;
static struct dns_name origin;

static enum sg_result read_text(const char *text, uint16_t type, struct span *out_wire)
{
    static uint8_t window[1024];
    size_t length = strlen(text);
    assert_true(length + SCAN_SLACK_BYTES <= sizeof(window));
    memset(window, 0, sizeof(window));
    memcpy(window, text, length);
    struct scan scan = {.at = window, .end = window + length, .line = 1, .final = true};
    return zonefile_rdata_read(rdata, &scan, &origin, type, out_wire);
}

static void becomes_wire_format(void **state)
{
    const struct good_case *c = *state;
    struct span wire;
    struct buffer hex = BUFFER_EMPTY;
    if (read_text(c->name, c->type, &wire) != SG_OK) {
        fail_msg("%s", rdata->problem);
    }
    hex_encode(wire, &hex);
    assert_string_equal(buffer_text(&hex), c->wire);
    assert_int_equal(rdata->odd, c->odd);
    buffer_free(&hex);
}

static void is_refused_with_its_reason(void **state)
{
    const struct bad_case *c = *state;
    struct span wire;
    assert_int_equal(read_text(c->name, c->type, &wire), SG_MALFORMED);
    if (strstr(rdata->problem, c->problem) == NULL) {
        fail_msg("%s", rdata->problem);
    }
}

/* What is written by dns/text is read as it was. */
static void reads_back_what_was_written(void **state)
{
    const struct good_case *c = *state;
    struct buffer bytes = BUFFER_EMPTY;
    struct buffer text = BUFFER_EMPTY;
    struct span wire;
    assert_int_equal(hex_decode(span_of_text(c->wire), &bytes), SG_OK);
    dns_rdata_to_text(c->type, buffer_span(&bytes), &text);
    assert_int_equal(read_text(buffer_text(&text), c->type, &wire), SG_OK);
    assert_int_equal(wire.length, bytes.length);
    if (bytes.length > 0) {
        assert_memory_equal(wire.bytes, bytes.bytes, bytes.length);
    }
    buffer_free(&bytes);
    buffer_free(&text);
}

static void rdata_beyond_65535_bytes_is_refused(void **state)
{
    (void)state;
    enum { STRINGS = 300, STRING_BYTES = 252 };
    struct buffer text = BUFFER_EMPTY;
    struct span wire;
    for (int i = 0; i < STRINGS; i++) {
        buffer_append_u8(&text, ' ');
        for (int j = 0; j < STRING_BYTES; j++) {
            buffer_append_u8(&text, 'x');
        }
    }
    size_t length = text.length;
    for (int i = 0; i < SCAN_SLACK_BYTES; i++) {
        buffer_append_u8(&text, 0);
    }
    struct scan scan = {.at = text.bytes, .end = text.bytes + length, .line = 1, .final = true};
    assert_int_equal(zonefile_rdata_read(rdata, &scan, &origin, DNS_TYPE_TXT, &wire), SG_MALFORMED);
    assert_string_equal(rdata->problem, "rdata longer than 65535 bytes");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rdata_beyond_65535_bytes_is_refused)};
    rdata = zonefile_rdata_new();
    int failed = dns_name_from_text("e.", 2, NULL, &origin) != SG_OK;
    failed += RUN_TABLE(good_cases, becomes_wire_format);
    failed += RUN_TABLE(bad_cases, is_refused_with_its_reason);
    failed += RUN_TABLE(good_cases, reads_back_what_was_written);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    zonefile_rdata_free(rdata);
    return failed;
}
