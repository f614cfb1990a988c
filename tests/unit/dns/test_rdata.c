#include <ldns/ldns.h>

#include "base/encoding.h"
#include "base/random.h"
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

static struct buffer rdata_of(const struct rdata_sample *sample)
{
    struct buffer rdata = BUFFER_EMPTY;
    const char *error = "";
    if (dns_rdata_from_text(type_of(sample->name), sample->text, strlen(sample->text), NULL, &rdata,
                            &error) != SG_OK) {
        fail_msg("%s: %s", sample->text, error);
    }
    buffer_reserve(&rdata, 1); /* so that `bytes` is never NULL */
    return rdata;
}

static struct buffer from_hex(const char *hex)
{
    struct buffer bytes = BUFFER_EMPTY;
    assert_int_equal(hex_decode(span_of_text(hex), &bytes), SG_OK);
    buffer_reserve(&bytes, 1);
    return bytes;
}

static void a_good_rdata_passes_and_gets_through_a_message(void **state)
{
    const struct rdata_sample *sample = *state;
    uint16_t type = type_of(sample->name);
    struct buffer rdata = rdata_of(sample);
    struct buffer copy = BUFFER_EMPTY;
    assert_int_equal(dns_rdata_check(type, buffer_span(&rdata)), SG_OK);
    assert_int_equal(dns_rdata_from_message(buffer_span(&rdata), 0, rdata.length, type, &copy),
                     SG_OK);
    assert_int_equal(copy.length, rdata.length);
    assert_memory_equal(rdata.bytes, buffer_text(&copy), copy.length);
    buffer_free(&copy);
    buffer_free(&rdata);
}

/* The canonical form of `rdata` by ldns, into `out`; returns how long it is. */
static size_t ldns_canonical(uint16_t type, const struct buffer *rdata, uint8_t *out)
{
    struct buffer wire = BUFFER_EMPTY;
    buffer_append_u8(&wire, 0);
    buffer_append_u16(&wire, type);
    buffer_append_u16(&wire, DNS_CLASS_IN);
    buffer_append_u32(&wire, 0);
    buffer_append_u16(&wire, (uint16_t)rdata->length);
    buffer_append(&wire, rdata->bytes, rdata->length);
    ldns_rr *rr = NULL;
    size_t position = 0;
    assert_int_equal(ldns_wire2rr(&rr, wire.bytes, wire.length, &position, LDNS_SECTION_ANSWER), 0);
    ldns_rr2canonical(rr);
    size_t length = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *field = ldns_rr_rdf(rr, i);
        memcpy(out + length, ldns_rdf_data(field), ldns_rdf_size(field));
        length += ldns_rdf_size(field);
    }
    ldns_rr_free(rr);
    buffer_free(&wire);
    return length;
}

static void the_canonical_form_is_that_of_ldns(void **state)
{
    const struct rdata_sample *sample = *state;
    uint16_t type = type_of(sample->name);
    struct buffer rdata = rdata_of(sample);
    uint8_t theirs[1024];
    uint8_t ours[1024];
    if (strcmp(sample->name, "NSAP-PTR") == 0) { /* ldns takes its name for a string. */
        buffer_free(&rdata);
        skip();
    }
    size_t length = ldns_canonical(type, &rdata, theirs);
    assert_int_equal(length, rdata.length);
    dns_rdata_canonical(type, buffer_span(&rdata), ours);
    assert_memory_equal(ours, theirs, length);
    dns_rdata_canonical(type, buffer_span(&rdata), rdata.bytes);
    assert_memory_equal(rdata.bytes, theirs, length);
    buffer_free(&rdata);
}

/* A copy of `rdata` with a few letters in the other case, or a byte changed. */
static struct buffer mutated(const struct buffer *rdata, struct random_seeded *random)
{
    struct buffer copy = BUFFER_EMPTY;
    buffer_append(&copy, rdata->bytes, rdata->length);
    buffer_reserve(&copy, 1);
    unsigned changes = rdata->length > 0 ? random_seeded_below(random, 4) : 0;
    for (unsigned i = 0; i < changes; i++) {
        uint8_t *at = &copy.bytes[random_seeded_below(random, (uint32_t)copy.length)];
        *at ^= random_seeded_below(random, 3) > 0 ? 0x20 : 1;
    }
    return copy;
}

static void comparing_is_comparing_canonical_forms(void **state)
{
    const struct rdata_sample *sample = *state;
    uint16_t type = type_of(sample->name);
    struct buffer rdata = rdata_of(sample);
    struct random_seeded random = {5};
    for (int i = 0; i < 400; i++) {
        struct buffer a = mutated(&rdata, &random);
        struct buffer b = mutated(&rdata, &random);
        if (dns_rdata_check(type, buffer_span(&a)) == SG_OK &&
            dns_rdata_check(type, buffer_span(&b)) == SG_OK) {
            int order = dns_rdata_compare(type, buffer_span(&a), buffer_span(&b));
            dns_rdata_canonical(type, buffer_span(&a), a.bytes);
            dns_rdata_canonical(type, buffer_span(&b), b.bytes);
            size_t shorter = a.length < b.length ? a.length : b.length;
            int naive = memcmp(a.bytes, b.bytes, shorter);
            naive = naive != 0 ? naive : (a.length > b.length) - (a.length < b.length);
            assert_int_equal((order > 0) - (order < 0), (naive > 0) - (naive < 0));
        }
        buffer_free(&a);
        buffer_free(&b);
    }
    buffer_free(&rdata);
}

/* What starts like another comes first, however the case differs (RFC 4034 6.3). */
static void a_shorter_rdata_comes_first(void **state)
{
    (void)state;
    const struct rdata_sample shorter = {"NS", "a."};
    const struct rdata_sample longer = {"NS", "A.example."};
    struct buffer a = rdata_of(&shorter);
    struct buffer b = rdata_of(&longer);
    assert_true(dns_rdata_compare(DNS_TYPE_NS, buffer_span(&a), buffer_span(&b)) < 0);
    assert_true(dns_rdata_compare(DNS_TYPE_NS, buffer_span(&b), buffer_span(&a)) > 0);
    struct span unknown[] = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"abc", 3}};
    assert_true(dns_rdata_compare(65280, unknown[0], unknown[1]) < 0);
    assert_true(dns_rdata_compare(65280, (struct span){NULL, 0}, unknown[1]) < 0);
    assert_int_equal(dns_rdata_compare(65280, (struct span){NULL, 0}, (struct span){NULL, 0}), 0);
    buffer_free(&a);
    buffer_free(&b);
}

/* A6 (RFC 2874) is not among the samples, since it has no text here. */
static void the_name_in_a6_is_lowered(void **state)
{
    (void)state;
    struct buffer rdata = from_hex("800141026242"
                                   "00");
    struct buffer without = from_hex("00"
                                     "41414141414141414141414141414141");
    assert_int_equal(dns_rdata_check(38, buffer_span(&rdata)), SG_OK);
    assert_int_equal(dns_rdata_check(38, buffer_span(&without)), SG_OK);
    dns_rdata_canonical(38, buffer_span(&rdata), rdata.bytes);
    assert_memory_equal(rdata.bytes, "\x80\1a\2bb", 7);
    dns_rdata_canonical(38, buffer_span(&without), without.bytes);
    assert_int_equal(without.bytes[16], 'A');
    buffer_free(&rdata);
    buffer_free(&without);
}

/*
 * Refused by named-rrchecker of BIND 9.18 on the wire, and by us: a secondary would drop the
 * transfer.
 */
/* clang-format off */
static const struct bad_case {
    const char *name;
    const char *type;
    const char *hex;
} bad_cases[] = {
    {"A of three bytes",                "A",          "c00002"},
    {"A of five bytes",                 "A",          "c000020101"},
    {"AAAA of fifteen",                 "AAAA",       "20010db8000000000000000000000000ff" "00"},
    {"NS without end",                  "NS",         "0161"},
    {"NS with bytes behind",            "NS",         "01610000"},
    {"NS with a compressed name",       "NS",         "c000"},
    {"MX without a name",               "MX",         "000a"},
    {"SOA with 19 bytes of numbers",    "SOA",        "000000000001000000010000000100000001000000"},
    {"TXT without a string",            "TXT",        ""},
    {"TXT that ends inside a string",   "TXT",        "03616263026162" "ff"},
    {"HINFO with three strings",        "HINFO",      "016101620163"},
    {"X25 with letters",                "X25",        "0431323361"},
    {"ISDN with three strings",         "ISDN",       "013101320133"},
    {"SRV with a compressed name",      "SRV",        "000100010001c000"},
    {"NAPTR with a broken regexp",      "NAPTR",      "0001000200000321612100"},
    {"NAPTR with unknown flags",        "NAPTR",      "000100020000052161216221" "7800"},
    {"CERT without certificate",        "CERT",       "0001000208"},
    {"DS without digest",               "DS",         "00010802"},
    {"DS with half a SHA-1",            "DS",         "00010801aabbccddeeff00112233"},
    {"DS with 33 bytes of SHA-256",     "DS",         "00010802" HEX32 "00"},
    {"CDS with half a SHA-384",         "CDS",        "00010804" HEX32},
    {"SSHFP with a short SHA-1",        "SSHFP",      "0101aabb"},
    {"DNSKEY without key",              "DNSKEY",     "0101030d"},
    {"DNSKEY of PRIVATEDNS, no name",   "DNSKEY",     "010103fd0161"},
    {"KEY without key",                 "KEY",        "0101030d"},
    {"KEY that has one but says not",   "KEY",        "c101030d00"},
    {"RRSIG without signature",         "RRSIG",      "00010d02000000010000000100000001000100"},
    {"RRSIG of fewer labels than its signer", "RRSIG", "00010d01" "00000001" "00000001" "00000001" "0001" "0161016200aa"},
    {"NSEC without types",              "NSEC",       "016100"},
    {"NSEC with an empty window",       "NSEC",       "0161000000"},
    {"NSEC with a zero byte at the end", "NSEC",      "01610000024000"},
    {"NSEC with windows out of order",  "NSEC",       "016100010140000140"},
    {"NSEC3 without a hash",            "NSEC3",      "010000000000"},
    {"NSEC3 that ends in its salt",     "NSEC3",      "0100000004aabb"},
    {"NSEC3PARAM with bytes behind",    "NSEC3PARAM", "010000000000"},
    {"NSEC3PARAM that ends in its salt", "NSEC3PARAM", "0100000002aa"},
    {"TLSA without data",               "TLSA",       "030101"},
    {"ZONEMD with half a SHA-384",      "ZONEMD",     "000000010101aabbccddeeff001122334455"},
    {"ZONEMD of eleven bytes",          "ZONEMD",     "0000000101f0aabbccddeeff0011223344"},
    {"CAA with an empty tag",           "CAA",        "000078"},
    {"CAA with a tag of signs",         "CAA",        "00012d78"},
    {"CSYNC that is cut",               "CSYNC",      "0000000100"},
    {"LOC at 91 degrees north",         "LOC",        "00121613938809808b0d2dd07000989680"},
    {"LOC with a size of a dozen",      "LOC",        "00c2161380000000800000000098968000"},
    {"APL longer than its family",      "APL",        "0001180501020304" "05"},
    {"APL with a prefix of 33 bits",    "APL",        "0001210401020304"},
    {"APL with a zero byte at the end", "APL",        "0001180201" "00"},
    {"APL cut short",                   "APL",        "00011804c0"},
    {"IPSECKEY without key",            "IPSECKEY",   "0a0102c0000226"},
    {"IPSECKEY of gateway type 4",      "IPSECKEY",   "0a0402c0000226aabb"},
    {"HIP without tag",                 "HIP",        "00020001aa"},
    {"HIP without key",                 "HIP",        "01020000aa"},
    {"HIP with a broken server",        "HIP",        "01020001aaaa0361"},
    {"SVCB with keys out of order",     "SVCB",       "000100" "00030002" "01bb" "0001" "0003" "026832"},
    {"SVCB with a key twice",           "SVCB",       "000100" "00030002" "01bb" "00030002" "01bb"},
    {"SVCB with an empty alpn",         "SVCB",       "000100" "00010000"},
    {"SVCB with an empty alpn id",      "SVCB",       "000100" "00010001" "00"},
    {"SVCB with an alpn cut short",     "SVCB",       "000100" "00010002" "0268"},
    {"SVCB with a port of one byte",    "SVCB",       "000100" "00030001" "01"},
    {"SVCB with half an address",       "HTTPS",      "000100" "00040002" "c000"},
    {"SVCB with half an IPv6 address",  "HTTPS",      "000100" "00060008" "20010db800000000"},
    {"SVCB mandatory without its key",  "SVCB",       "000100" "00000002" "0001"},
    {"SVCB mandatory mandatory",        "SVCB",       "000100" "00000002" "0000"},
    {"SVCB no-default-alpn alone",      "SVCB",       "000100" "00020000"},
    {"SVCB dohpath without dns",        "SVCB",       "000100" "00070002" "2f71"},
    {"SVCB dohpath that is not closed", "SVCB",       "000100" "00070007" "2f717b3f646e73"},
    {"SVCB dohpath of bad UTF-8",       "SVCB",       "000100" "00070009" "2f71ff7b3f646e737d"},
    {"SVCB cut in a parameter",         "SVCB",       "000100" "00030003" "01bb"},
    {"URI of three bytes",              "URI",        "000100"},
    {"EUI48 of five bytes",             "EUI48",      "0011223344"},
    {"L32 of seven",                    "L32",        "000a0a010200" "01"},
    {"WKS with a zero byte at the end", "WKS",        "01020304068000"},
    {"NXT with bit 0",                  "NXT",        "0080"},
    {"RKEY with flags",                 "RKEY",       "0100030d00"},
    {"A6 with a prefix but no name",    "TYPE38",     "80"},
    {"A6 without prefix but a name",    "TYPE38",     "000000000000000000000000000000000000"},
    {"A6 with a prefix of 129 bits",    "TYPE38",     "8100"},
    {"AMTRELAY with half an address",   "AMTRELAY",   "0a01c000"},
    {"DLV without digest",              "DLV",        "00010802"},
};
/* clang-format on */

static void bad_rdata_is_refused(void **state)
{
    const struct bad_case *c = *state;
    uint16_t type = type_of(c->type);
    struct buffer rdata = from_hex(c->hex);
    struct buffer out = BUFFER_EMPTY;
    assert_int_equal(dns_rdata_check(type, buffer_span(&rdata)), SG_MALFORMED);
    buffer_append_u8(&out, 42);
    if (strstr(c->name, "compressed") == NULL) {
        assert_int_equal(dns_rdata_from_message(buffer_span(&rdata), 0, rdata.length, type, &out),
                         SG_MALFORMED);
    }
    assert_int_equal(out.length, 1);
    buffer_free(&rdata);
    buffer_free(&out);
}

/* Message bytes: the name a.b at 0, then rdata at 5. */
static const struct compressed_case {
    const char *name;
    const char *type;
    const char *hex;
    const char *out; /* NULL: refused */
} compressed_cases[] = {
    {"MX", "MX", "000ac000", "000a0161016200"},
    {"SOA with two pointers", "SOA", "c000c0020000000100000001000000010000000100000001",
     "01610162000162000000000100000001000000010000000100000001"},
    {"SRV, which must not but may come", "SRV", "000100020003c002", "000100020003016200"},
    {"NAPTR", "NAPTR", "00010002000000c002", "00010002000000016200"},
    {"SIG with bytes behind", "SIG", "00010d02000000010000000100000001000fc002aabb",
     "00010d02000000010000000100000001000f016200aabb"},
    {"NXT", "NXT", "c00240", "01620040"},
    {"DNAME is never compressed", "DNAME", "c000", NULL},
    {"RRSIG neither", "RRSIG", "00010d02000000010000000100000001000fc002aabb", NULL},
    {"NSEC neither", "NSEC",
     "c0000001"
     "40",
     NULL},
    {"a name that ends behind the rdata", "MX", "000a0161", NULL},
    {"a pointer ahead", "NS", "c005", NULL},
};

static void compressed_names_are_expanded(void **state)
{
    const struct compressed_case *c = *state;
    struct buffer message = from_hex("0161016200");
    struct buffer rdata = from_hex(c->hex);
    struct buffer out = BUFFER_EMPTY;
    size_t offset = message.length;
    buffer_append(&message, rdata.bytes, rdata.length);
    buffer_append_u8(&message, 0); /* so that a name may go on behind the rdata */
    enum sg_result result =
        dns_rdata_from_message(buffer_span(&message), offset, rdata.length, type_of(c->type), &out);
    assert_int_equal(result, c->out != NULL ? SG_OK : SG_MALFORMED);
    if (c->out != NULL) {
        struct buffer expected = from_hex(c->out);
        assert_int_equal(out.length, expected.length);
        assert_memory_equal(out.bytes, expected.bytes, out.length);
        buffer_free(&expected);
    }
    buffer_free(&message);
    buffer_free(&rdata);
    buffer_free(&out);
}

static void an_offset_behind_the_message_is_refused(void **state)
{
    (void)state;
    struct buffer out = BUFFER_EMPTY;
    struct span message = {(const uint8_t *)"abcd", 4};
    assert_int_equal(dns_rdata_from_message(message, 5, 0, 65280, &out), SG_MALFORMED);
    assert_int_equal(dns_rdata_from_message(message, 2, 3, 65280, &out), SG_MALFORMED);
    assert_int_equal(dns_rdata_from_message(message, 4, 0, 65280, &out), SG_OK);
    buffer_free(&out);
}

/* RFC 3597 4, RFC 4034 6.2 as corrected by RFC 6840 5.1. */
static void the_lists_of_the_rfcs(void **state)
{
    (void)state;
    static const uint16_t old[] = {2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15};
    static const uint16_t lower[] = {17, 18, 21, 24, 26, 30, 33, 35, 36, 38, 39, 46};
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        bool is_old = false;
        bool is_lower = false;
        for (size_t i = 0; i < ARRAY_LEN(old); i++) {
            is_old |= old[i] == type;
        }
        for (size_t i = 0; i < ARRAY_LEN(lower); i++) {
            is_lower |= lower[i] == type;
        }
        struct dns_rdata_names names = dns_rdata_names((uint16_t)type);
        assert_int_equal(names.compressible, is_old);
        assert_int_equal(names.lower, is_old || is_lower);
        assert_true(!is_old || names.count > 0);
    }
}

static void names_are_found(void **state)
{
    const struct rdata_sample *sample = *state;
    uint16_t type = type_of(sample->name);
    struct buffer rdata = rdata_of(sample);
    struct dns_rdata_names names = dns_rdata_names(type);
    size_t at = names.count > 0 ? dns_rdata_name_offset(type, buffer_span(&rdata)) : 0;
    for (unsigned i = 0; i < names.count; i++) {
        size_t length = dns_name_wire_check((struct span){rdata.bytes + at, rdata.length - at});
        assert_true(length > 0);
        at += length;
    }
    if (strstr(sample->text, "B.Example.") != NULL) {
        assert_int_equal(at, rdata.length);
    }
    buffer_free(&rdata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shorter_rdata_comes_first),
        cmocka_unit_test(the_name_in_a6_is_lowered),
        cmocka_unit_test(an_offset_behind_the_message_is_refused),
        cmocka_unit_test(the_lists_of_the_rfcs),
    };
    return RUN_TABLE(rdata_samples, a_good_rdata_passes_and_gets_through_a_message) +
           RUN_TABLE(rdata_samples, the_canonical_form_is_that_of_ldns) +
           RUN_TABLE(rdata_samples, comparing_is_comparing_canonical_forms) +
           RUN_TABLE(rdata_samples, names_are_found) + RUN_TABLE(bad_cases, bad_rdata_is_refused) +
           RUN_TABLE(compressed_cases, compressed_names_are_expanded) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
