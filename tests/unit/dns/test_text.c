#include <ldns/ldns.h>

#include "base/encoding.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "rdata_samples.h"
#include "support/table.h"

static uint16_t type_of(const char *mnemonic)
{
    uint16_t type = 0;
    assert_int_equal(dns_type_from_text(mnemonic, strlen(mnemonic), &type), SG_OK);
    return type;
}

static struct buffer read_text(const char *mnemonic, const char *text)
{
    struct buffer rdata = BUFFER_EMPTY;
    const char *error = "";
    if (dns_rdata_from_text(type_of(mnemonic), text, strlen(text), NULL, &rdata, &error) != SG_OK) {
        fail_msg("%s %s: %s", mnemonic, text, error);
    }
    return rdata;
}

static void a_sample_is_written_as_it_was_read(void **state)
{
    const struct rdata_sample *sample = *state;
    struct buffer rdata = read_text(sample->name, sample->text);
    struct buffer text = BUFFER_EMPTY;
    dns_rdata_to_text(type_of(sample->name), buffer_span(&rdata), &text);
    assert_string_equal(buffer_text(&text), sample->text);
    buffer_free(&text);
    buffer_free(&rdata);
}

/* Both by what we wrote and by what was given. */
static void ldns_reads_the_same(void **state)
{
    const struct rdata_sample *sample = *state;
    struct buffer rdata = read_text(sample->name, sample->text);
    struct buffer line = BUFFER_EMPTY;
    dns_record_to_text((const uint8_t *)"\1a", 300, type_of(sample->name), buffer_span(&rdata),
                       &line);
    ldns_rr *rr = NULL;
    ldns_status status = ldns_rr_new_frm_str(&rr, buffer_text(&line), 0, NULL, NULL);
    /*
     * ldns takes the name of NSAP-PTR for a string, asks for a key where there is none, and does
     * not know the second escaping in alpn.
     */
    if (strcmp(sample->name, "NSAP-PTR") != 0 && strncmp(sample->text, "49152", 5) != 0 &&
        strstr(sample->text, "oo") == NULL) {
        assert_int_equal(status, LDNS_STATUS_OK);
        struct buffer theirs = BUFFER_EMPTY;
        for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
            buffer_append(&theirs, ldns_rdf_data(ldns_rr_rdf(rr, i)),
                          ldns_rdf_size(ldns_rr_rdf(rr, i)));
        }
        if (strncmp(sample->name, "TYPE", 4) != 0) { /* ldns counts opaque rdata otherwise. */
            assert_int_equal(theirs.length, rdata.length);
            assert_memory_equal(theirs.bytes, rdata.bytes, rdata.length);
        }
        buffer_free(&theirs);
    }
    ldns_rr_free(rr);
    buffer_free(&line);
    buffer_free(&rdata);
}

static void the_generic_form_is_read_for_every_type(void **state)
{
    const struct rdata_sample *sample = *state;
    struct buffer rdata = read_text(sample->name, sample->text);
    struct buffer generic = BUFFER_EMPTY;
    buffer_format(&generic, "\\# %zu ", rdata.length);
    hex_encode(buffer_span(&rdata), &generic);
    struct buffer again = read_text(sample->name, buffer_text(&generic));
    assert_int_equal(again.length, rdata.length);
    if (rdata.length > 0) {
        assert_memory_equal(again.bytes, rdata.bytes, rdata.length);
    }
    buffer_free(&again);
    buffer_free(&generic);
    buffer_free(&rdata);
}

/* clang-format off */
static const struct read_case {
    const char *name;
    const char *type;
    const char *text;
    const char *hex; /* NULL: SG_MALFORMED */
} read_cases[] = {
    {"a relative name",                  "NS",    "ns1",            "036e7331034f726700"},
    {"the origin",                       "MX",    "10 @",           "000a034f726700"},
    {"a relative name of SVCB",          "SVCB",  "1 a port=53",    "00010161034f726700" "000300020035"},
    {"a relative name of HIP",           "HIP",   "2 aa AAAA r",    "01020003aa0000000172034f726700"},
    {"a relative name of IPSECKEY",      "IPSECKEY", "1 3 2 g AAAA", "0103020167034f726700000000"},
    {"strings without quotes",           "TXT",   "a b",            "01610162"},
    {"strings that touch",               "TXT",   "\"a\"\"b\"c",    "016101620163"},
    {"an empty string",                  "TXT",   "\"\"",           "00"},
    {"escapes",                          "TXT",   "\\\"\\097\\;",   "0322613b"},
    {"a semicolon in quotes",            "TXT",   "\"a;b(c)\"",     "06613b62286329"},
    {"tabs between words",               "MX",    "\t10\t\ta. ",    "000a016100"},
    {"units of time",                    "SOA",   ". . 1 1h 2M 1w2d 3", "0000" "00000001" "00000e10" "00000078" "000bdd80" "00000003"},
    {"algorithm and digest by name",     "DS",    "1 ECDSAP256SHA256 SHA-256 " HEX32, "00010d02" HEX32},
    {"a digest in pieces",               "DS",    "1 8 1 aabb ccddeeff00112233" HEX10, "00010801" HEX20},
    {"base64 in pieces",                 "DNSKEY", "257 3 13 AA AA", "0101030d000000"},
    {"certificate by name",              "CERT",  "PGP 0 0 AAAA",   "0003000000000000"},
    {"times in seconds",                 "RRSIG", "A 13 0 0 4294967295 1 1 . AAAA", "00010d0000000000ffffffff00000001000100000000"},
    {"types in any order, twice",        "NSEC",  ". TYPE257 NS A NS", "00" "000160" "01" "0140"},
    {"NSAP with dots",                   "NSAP",  "0x47.0005.80",   "47000580"},
    {"AMTRELAY",                         "AMTRELAY", "10 1 3 a.",   "0a83016100"},
    {"AMTRELAY without relay",           "AMTRELAY", "10 0 0 .",    "0a00"},
    {"WKS by names, case ignored",       "WKS",   "192.0.2.1 tcp SMTP", "c00002010600000040"},
    {"WKS by numbers, in any order",     "WKS",   "192.0.2.1 17 53 0", "c000020111800000000000" "04"},
    {"WKS without a service",            "WKS",   "192.0.2.1 UDP",  "c000020111"},
    {"EID is hexadecimal",               "EID",   "0102 fF",        "0102ff"},
    {"NIMLOC is hexadecimal",            "NIMLOC", "0102",          "0102"},
    {"AVC is written like TXT",          "AVC",   "a",              "0161"},
    {"generic for a known type",         "A",     "\\# 4 C0 0002 01", "c0000201"},
    {"generic in quotes is a string",    "TXT",   "\"\\\\#\"",      "025c23"},
    {"what begins like generic",         "TXT",   "\\#4",           "022334"},

    {"keys in any order",                "HTTPS", "1 . port=53 alpn=h2", "000100" "00010003026832" "00030002" "0035"},
    {"keys by number",                   "SVCB",  "1 . key3=\\0005 key1=\\002h2", "000100" "00010003026832" "000300020035"},
    {"mandatory keys in any order",      "SVCB",  "1 . mandatory=port,alpn alpn=h2 port=1", "000100" "00000004" "00010003" "00010003026832" "000300020001"},
    {"dohpath",                          "SVCB",  "1 . dohpath=/q{?dns}", "000100" "00070008" "2f717b3f646e737d"},
    {"an empty list of prefixes",        "APL",   "",               ""},
    {"a prefix of nothing",              "APL",   "1:0.0.0.0/0",    "00010000"},
    {"LOC with defaults",                "LOC",   "1 N 2 W 3",      "00121613" "8036ee80" "7f922300" "009897ac"},
    {"LOC with a minute",                "LOC",   "1 1 n 2 0 0.5 e -0.5m 12m", "00131613" "8037d8e0" "806ddef4" "0098964e"},

    {"nothing",                          "A",     "",               NULL},
    {"words behind",                     "A",     "192.0.2.1 x",    NULL},
    {"three numbers",                    "A",     "192.0.2",        NULL},
    {"a number with zeros",              "A",     "192.0.2.256",    NULL},
    {"an address without end",           "AAAA",  "2001:db8:",      NULL},
    {"a very long address",              "AAAA",  HEX48 HEX48,      NULL},
    {"a number too large for its field", "MX",    "65536 a.",       NULL},
    {"a number far too large",           "MX",    "18446744073709551617 a.", NULL},
    {"a negative number",                "MX",    "-1 a.",          NULL},
    {"a number with a plus",             "MX",    "+1 a.",          NULL},
    {"no number",                        "MX",    "a. a.",          NULL},
    {"a field is missing",               "MX",    "10",             NULL},
    {"an empty label",                   "MX",    "10 a..b.",       NULL},
    {"a label of 64",                    "NS",    HEX48 ".a",       NULL},
    {"a serial too large",               "SOA",   ". . 4294967296 1 1 1 1", NULL},
    {"a unit of time in a serial",       "SOA",   ". . 1h 1 1 1 1", NULL},
    {"weeks that overflow",              "SOA",   ". . 1 99999w 1 1 1", NULL},
    {"a unit of time unknown",           "SOA",   ". . 1 1y 1 1 1", NULL},
    {"digits behind a unit",             "SOA",   ". . 1 1h5 1 1 1", NULL},
    {"a quote that is not closed",       "TXT",   "\"abc",          NULL},
    {"a backslash at the end",           "TXT",   "abc\\",          NULL},
    {"a decimal escape above 255",       "TXT",   "\\256",          NULL},
    {"a string of 256 bytes",            "TXT",   HEX32 HEX32 HEX32 HEX32 "a", NULL},
    {"a comment",                        "TXT",   "a ; b",          NULL},
    {"parentheses",                      "TXT",   "( a )",          NULL},
    {"an unknown type in a map",         "NSEC",  "a. A FOO",       NULL},
    {"no types",                         "NSEC",  "a.",             NULL},
    {"an unknown type covered",          "RRSIG", "FOO 13 0 0 1 1 1 . AAAA", NULL},
    {"a time that is none",              "RRSIG", "A 13 0 0 20261301000000 1 1 . AAAA", NULL},
    {"a time of 13 digits",              "RRSIG", "A 13 0 0 2026010100000 1 1 . AAAA", NULL},
    {"half a byte of digest",            "DS",    "1 8 5 abc",      NULL},
    {"a digest of letters",              "DS",    "1 8 5 xyz0",     NULL},
    {"an algorithm unknown",             "DS",    "1 FOO 5 ab",     NULL},
    {"a SHA-256 too short",              "DS",    "1 8 2 abcd",     NULL},
    {"base64 of another alphabet",       "DNSKEY", "257 3 13 AA-_", NULL},
    {"no key",                           "DNSKEY", "257 3 13",      NULL},
    {"a salt of 256 bytes",              "NSEC3PARAM", "1 0 0 " HEX48 HEX48 HEX48 HEX48 HEX48 HEX10 HEX10, NULL},
    {"half a byte of salt",              "NSEC3PARAM", "1 0 0 abc", NULL},
    {"a hash of letters not in base32",  "NSEC3", "1 0 0 - wxyz A", NULL},
    {"an EUI48 with colons",             "EUI48", "00:00:5e:00:53:2a", NULL},
    {"an EUI48 of five",                 "EUI48", "00-00-5e-00-53", NULL},
    {"an NID of three groups",           "NID",   "1 0014:4fff:ff20", NULL},
    {"an NID of uneven groups",          "NID",   "1 014:04fff:ff20:ee64", NULL},
    {"a CAA tag of signs",               "CAA",   "0 is-sue \"x\"", NULL},
    {"gateway kind and gateway differ",  "IPSECKEY", "1 1 2 gw. AAAA", NULL},
    {"gateway none but a name",          "IPSECKEY", "1 0 2 gw. AAAA", NULL},
    {"gateway of kind 4",                "IPSECKEY", "1 4 2 gw. AAAA", NULL},
    {"a priority too large",             "SVCB",  "65536 .",        NULL},
    {"a key twice",                      "SVCB",  "1 . alpn=h2 alpn=h3", NULL},
    {"mandatory but missing",            "SVCB",  "1 . mandatory=alpn", NULL},
    {"a port too large",                 "SVCB",  "1 . port=65536", NULL},
    {"a port that is none",              "SVCB",  "1 . port=x",     NULL},
    {"91 degrees north",                 "LOC",   "91 N 1 E 0m",    NULL},
    {"a prefix too long",                "APL",   "1:192.0.2.0/33", NULL},
    {"a family unknown",                 "APL",   "3:192.0.2.0/24", NULL},
    {"LOC of 60 minutes",                "LOC",   "1 60 N 1 E 0m",  NULL},
    {"LOC without longitude",            "LOC",   "1 N 0m",         NULL},
    {"LOC below the sea bed",            "LOC",   "1 N 1 E -100000.01m", NULL},
    {"LOC beyond the sky",               "LOC",   "1 N 1 E 99999999999999999999m", NULL},
    {"LOC with millimetres",             "LOC",   "1 N 1 E 0.001m", NULL},
    {"LOC of a huge size",               "LOC",   "1 N 1 E 0m 90000001m", NULL},
    {"HIP with half a byte of tag",      "HIP",   "2 aab AAAA",     NULL},
    {"HIP with an empty key",            "HIP",   "2 aa \"\"",      NULL},
    {"APL without prefix",               "APL",   "1:192.0.2.0",    NULL},
    {"an unknown service parameter",     "SVCB",  "1 . foo=bar",    NULL},
    {"a service parameter in quotes",    "SVCB",  "1 . \"alpn=h2\"", NULL},
    {"a key number with a zero",         "SVCB",  "1 . key0667=a",  NULL},
    {"a key number too large",           "SVCB",  "1 . key65536=a", NULL},
    {"a comma too many",                 "SVCB",  "1 . alpn=h2,",   NULL},
    {"a value where there is none",      "SVCB",  "1 . alpn=h2 no-default-alpn=1", NULL},
    {"an IPv6 address as IPv4",          "SVCB",  "1 . ipv4hint=::1", NULL},
    {"generic too short",                "A",     "\\# 4 c00002",   NULL},
    {"generic too long",                 "A",     "\\# 4 c000020101", NULL},
    {"generic that does not fit",        "A",     "\\# 3 c00002",   NULL},
    {"generic without length",           "A",     "\\#",            NULL},
    {"generic of letters",               "TYPE65280", "\\# 1 zz",   NULL},
    {"a type that only has generic",     "TYPE65280", "abc",        NULL},
    {"a service without a name here",    "WKS",   "192.0.2.1 TCP x400", NULL},
    {"a protocol too large",             "WKS",   "192.0.2.1 256 25", NULL},
    {"a port too large",                 "WKS",   "192.0.2.1 6 65536", NULL},
    {"an EID of letters",                "EID",   "zz",             NULL},
    {"A6 has generic only",              "A6",    "0 2001:db8::1",  NULL},
};
/* clang-format on */

static void text_is_read(void **state)
{
    const struct read_case *c = *state;
    struct dns_name origin;
    struct buffer rdata = BUFFER_EMPTY;
    const char *error = NULL;
    assert_int_equal(dns_name_from_text("Org.", 4, NULL, &origin), SG_OK);
    buffer_append_u8(&rdata, 42); /* what was there stays */
    enum sg_result result =
        dns_rdata_from_text(type_of(c->type), c->text, strlen(c->text), &origin, &rdata, &error);
    assert_int_equal(result, c->hex != NULL ? SG_OK : SG_MALFORMED);
    assert_int_equal(rdata.bytes[0], 42);
    if (c->hex != NULL) {
        struct buffer expected = BUFFER_EMPTY;
        assert_int_equal(hex_decode(span_of_text(c->hex), &expected), SG_OK);
        assert_null(error);
        assert_int_equal(rdata.length - 1, expected.length);
        assert_memory_equal(rdata.bytes + 1, expected.bytes, expected.length);
        buffer_free(&expected);
    } else {
        assert_non_null(error);
        assert_int_equal(rdata.length, 1);
    }
    buffer_free(&rdata);
}

static void what_does_not_fit_its_type_is_written_in_the_generic_form(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    dns_rdata_to_text(DNS_TYPE_A, (struct span){(const uint8_t *)"abc", 3}, &text);
    assert_string_equal(buffer_text(&text), "\\# 3 616263");
    buffer_clear(&text);
    dns_rdata_to_text(DNS_TYPE_APL, (struct span){NULL, 0}, &text);
    assert_string_equal(buffer_text(&text), "\\# 0");
    buffer_clear(&text);
    dns_rdata_to_text(258, (struct span){(const uint8_t *)"\1a", 2}, &text); /* AVC */
    assert_string_equal(buffer_text(&text), "\\# 2 0161");
    buffer_free(&text);
}

static void wks_is_written_in_numbers(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    static const uint8_t rdata[] = {192, 0, 2, 1, 17, 0x80, 0, 0, 0, 0, 0, 4};
    dns_rdata_to_text(DNS_TYPE_WKS, (struct span){rdata, sizeof(rdata)}, &text);
    assert_string_equal(buffer_text(&text), "192.0.2.1 17 0 53");
    buffer_free(&text);
}

static void a_record_is_a_line(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    dns_record_to_text((const uint8_t *)"\1A\2b.", 300, DNS_TYPE_A,
                       (struct span){(const uint8_t *)"\300\0\2\1", 4}, &text);
    assert_string_equal(buffer_text(&text), "A.b\\.. 300 IN A 192.0.2.1");
    buffer_free(&text);
}

static void long_text_has_a_bound(void **state)
{
    (void)state;
    static char text[300000];
    struct buffer rdata = BUFFER_EMPTY;
    memset(text, 'A', sizeof(text));
    memcpy(text, "257 3 13 ", 9);
    assert_int_equal(dns_rdata_from_text(DNS_TYPE_DNSKEY, text, 80009, NULL, &rdata, NULL), SG_OK);
    assert_int_equal(rdata.length, 60004);
    assert_int_equal(dns_rdata_from_text(DNS_TYPE_DNSKEY, text, 88009, NULL, &rdata, NULL),
                     SG_MALFORMED);
    assert_int_equal(dns_rdata_from_text(DNS_TYPE_DNSKEY, text, sizeof(text), NULL, &rdata, NULL),
                     SG_MALFORMED);
    buffer_free(&rdata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_its_type_is_written_in_the_generic_form),
        cmocka_unit_test(wks_is_written_in_numbers),
        cmocka_unit_test(a_record_is_a_line),
        cmocka_unit_test(long_text_has_a_bound),
    };
    return RUN_TABLE(rdata_samples, a_sample_is_written_as_it_was_read) +
           RUN_TABLE(rdata_samples, ldns_reads_the_same) +
           RUN_TABLE(rdata_samples, the_generic_form_is_read_for_every_type) +
           RUN_TABLE(read_cases, text_is_read) + cmocka_run_group_tests(tests, NULL, NULL);
}
