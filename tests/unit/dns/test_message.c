#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "dns/message.h"
#include "dns/rrtype.h"
#include "support/table.h"

/* clang-format off */
#define WWW  "03577777" "076578616d706c65" "00" /* WwW.example. */
#define Q    WWW "0001" "0001"                  /* A, IN */
#define OPT  "00" "0029" "04d0" "00008000" "0000"
#define A    WWW "0001" "0001" "0000012c" "0004" "c0000201"
#define TSIG "016b00" "00fa" "00ff" "00000000" "0000"

#define QUERY    "1234" "0100"
#define RESPONSE "1234" "8180"
#define NOTIFY   "1234" "2400"
#define UPDATE   "1234" "2800"
#define DSO      "1234" "3000"

static const struct message_case {
    const char *name;
    const char *hex;
    bool malformed;
    bool has_question;
    bool has_edns;
    bool has_tsig;
} cases[] = {
    {"the usual query",                QUERY "0001" "0000" "0000" "0000" Q, false, true, false, false},
    {"the usual query with EDNS",      QUERY "0001" "0000" "0000" "0001" Q OPT, false, true, true, false},
    {"a query with TSIG",              QUERY "0001" "0000" "0000" "0001" Q TSIG, false, true, false, true},
    {"a query with EDNS and TSIG",     QUERY "0001" "0000" "0000" "0002" Q OPT TSIG, false, true, true, true},
    {"TSIG before OPT",                QUERY "0001" "0000" "0000" "0002" Q TSIG OPT, true, true, false, true},
    {"TSIG twice",                     QUERY "0001" "0000" "0000" "0002" Q TSIG TSIG, true, true, false, true},
    {"TSIG in answer",                 RESPONSE "0001" "0001" "0000" "0000" Q TSIG, true, true, false, false},
    {"TSIG in authority",              QUERY "0001" "0000" "0001" "0000" Q TSIG, true, true, false, false},
    {"OPT twice",                      QUERY "0001" "0000" "0000" "0002" Q OPT OPT, true, true, true, false},
    {"OPT in answer",                  QUERY "0001" "0001" "0000" "0000" Q OPT, true, true, false, false},
    {"OPT in authority",               QUERY "0001" "0000" "0001" "0000" Q OPT, true, true, false, false},
    {"OPT owned by a name",            QUERY "0001" "0000" "0000" "0001" Q "0161" OPT, true, true, false, false},
    {"OPT owned by a pointer to the root", QUERY "0001" "0000" "0000" "0001" Q "c018" "0029" "04d0" "00000000" "0000",
                                       false, true, true, false},
    {"OPT of version 1",               QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00010000" "0000", false, true, true, false},
    {"OPT with options",               QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00000000" "000a" "000300000800" "02aabb00",
                                       true, true, false, false},
    {"OPT with good options",          QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00000000" "000a" "00030000" "ffff0002aabb",
                                       false, true, true, false},
    {"OPT with half an option",        QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00000000" "0003" "000300", true, true, false, false},
    {"OPT with a long option",         QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00000000" "0004" "00030001", true, true, false, false},
    {"OPT that runs past the end",     QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00000000" "0001", true, true, false, false},
    {"OPT without its length",         QUERY "0001" "0000" "0000" "0001" Q "00" "0029" "04d0" "00000000" "00", true, true, false, false},
    {"bytes behind the question",      QUERY "0001" "0000" "0000" "0000" Q "aabbcc", false, true, false, false},
    {"bytes behind OPT",               QUERY "0001" "0000" "0000" "0001" Q OPT "aa", false, true, true, false},
    {"a record that is missing",       QUERY "0001" "0000" "0000" "0001" Q, true, true, false, false},
    {"no question",                    QUERY "0000" "0000" "0000" "0000", true, false, false, false},
    {"no question but OPT",            QUERY "0000" "0000" "0000" "0001" OPT, true, false, true, false},
    {"two questions",                  QUERY "0002" "0000" "0000" "0000" Q Q, true, false, false, false},
    {"an answer in a query",           QUERY "0001" "0001" "0000" "0000" Q A, false, true, false, false},
    {"a question without class",       QUERY "0001" "0000" "0000" "0000" WWW "0001" "00", true, false, false, false},
    {"a compressed question",          QUERY "0001" "0000" "0000" "0000" "0161c00c" "0001" "0001", true, false, false, false},
    {"a question that points at the header", QUERY "0001" "0000" "0000" "0000" "c004" "0001" "0001", true, false, false, false},
    {"a question without end",         QUERY "0001" "0000" "0000" "0000" "0361", true, false, false, false},
    {"a header alone",                 QUERY "0001" "0000" "0000" "0000", true, false, false, false},
    {"a response",                     RESPONSE "0001" "0001" "0000" "0001" Q A OPT, false, true, true, false},
    {"a response without question",    RESPONSE "0000" "0001" "0000" "0000" A, false, false, false, false},
    {"a response with two questions",  RESPONSE "0002" "0000" "0000" "0000" Q Q, true, false, false, false},
    {"a notify with its SOA",          NOTIFY "0001" "0001" "0000" "0000" Q A, false, true, false, false},
    {"a notify without question",      NOTIFY "0000" "0000" "0000" "0000", true, false, false, false},
    {"an update",                      UPDATE "0001" "0001" "0001" "0001" Q A A TSIG, false, true, false, true},
    {"an update of two zones",         UPDATE "0002" "0000" "0000" "0000" Q Q, true, false, false, false},
    {"an unknown opcode, no question", DSO "0000" "0000" "0000" "0000", false, false, false, false},
    {"an unknown opcode, cut record",  DSO "0000" "0000" "0000" "0001" "00", true, false, false, false},
};
/* clang-format on */

static struct buffer from_hex(const char *hex)
{
    struct buffer bytes = BUFFER_EMPTY;
    assert_int_equal(hex_decode(span_of_text(hex), &bytes), SG_OK);
    return bytes;
}

static void messages_are_taken_apart(void **state)
{
    const struct message_case *c = *state;
    struct buffer wire = from_hex(c->hex);
    struct dns_message message;
    memset(&message, 0xaa, sizeof(message));
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message),
                     c->malformed ? SG_MALFORMED : SG_OK);
    assert_int_equal(message.id, 0x1234);
    assert_int_equal(message.opcode, (wire.bytes[2] >> 3) & 15);
    assert_int_equal(message.has_question, c->has_question);
    assert_int_equal(message.edns.present, c->has_edns);
    assert_int_equal(message.tsig_offset != 0, c->has_tsig);
    if (c->has_question) {
        assert_int_equal(message.qtype, DNS_TYPE_A);
        assert_int_equal(message.qclass, DNS_CLASS_IN);
        assert_int_equal(message.question_end, 12 + 13 + 4);
        assert_memory_equal(message.qname.wire, "\3www\7example", 13);
        assert_int_equal(message.qname.length, 13);
        assert_int_equal(message.qname.labels, 2);
    }
    buffer_free(&wire);
}

/* Nothing behind `length` bytes is looked at: valgrind and ASan see to that. */
static void any_cut_message_is_malformed_or_short(void **state)
{
    const struct message_case *c = *state;
    struct buffer wire = from_hex(c->hex);
    for (size_t length = 0; length < wire.length; length++) {
        uint8_t *exact = malloc(length > 0 ? length : 1);
        memcpy(exact, wire.bytes, length);
        struct dns_message message;
        enum sg_result result = dns_message_parse((struct span){exact, length}, &message);
        if (length < DNS_HEADER_BYTES) {
            assert_int_equal(result, SG_NO_SPACE);
        } else if (strstr(c->name, "behind") == NULL) {
            assert_int_equal(result, SG_MALFORMED);
        }
        free(exact);
    }
    buffer_free(&wire);
}

static struct dns_edns edns_of(const char *ttl_and_options)
{
    char hex[512];
    snprintf(hex, sizeof(hex), "%s%s%s",
             QUERY "0001"
                   "0000"
                   "0000"
                   "0001" Q "00"
                   "0029",
             ttl_and_options, "");
    struct buffer wire = from_hex(hex);
    struct dns_message message;
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
    buffer_free(&wire);
    return message.edns;
}

static void edns_says_what_the_client_wants(void **state)
{
    (void)state;
    struct dns_edns edns = edns_of("1000"
                                   "00008000"
                                   "0000");
    assert_true(edns.present && edns.dnssec_ok && !edns.wants_nsid);
    assert_int_equal(edns.payload, 4096);
    edns = edns_of("0010"
                   "00050000"
                   "0004"
                   "00030000");
    assert_true(!edns.dnssec_ok && edns.wants_nsid);
    assert_int_equal(edns.payload, EDNS_PAYLOAD_MIN);
    assert_int_equal(edns.version, 5);
}

static void section_offsets_lead_to_the_records(void **state)
{
    (void)state;
    struct buffer wire = from_hex(UPDATE "0001"
                                         "0002"
                                         "0001"
                                         "0002" Q A A A A TSIG);
    struct dns_message message;
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
    size_t record_bytes = 13 + 10 + 4;
    assert_int_equal(message.section_offsets[0], 29);
    assert_int_equal(message.section_offsets[1], 29 + 2 * record_bytes);
    assert_int_equal(message.section_offsets[2], 29 + 3 * record_bytes);
    assert_int_equal(message.tsig_offset, 29 + 4 * record_bytes);

    struct dns_record record;
    assert_int_equal(dns_record_parse(message.wire, message.section_offsets[1], &record), SG_OK);
    assert_memory_equal(record.owner.wire, "\3Www", 2);
    assert_int_equal(record.owner.wire[3], 'w');
    assert_int_equal(record.type, DNS_TYPE_A);
    assert_int_equal(record.rrclass, DNS_CLASS_IN);
    assert_int_equal(record.ttl, 300);
    assert_int_equal(record.rdata_length, 4);
    assert_memory_equal(wire.bytes + record.rdata_offset, "\300\0\2\1", 4);
    assert_int_equal(record.after, message.section_offsets[2]);
    buffer_free(&wire);
}

/* RFC 2931 3.1: it is the last record, as a TSIG is. */
static void sig0_is_found_where_it_may_be(void **state)
{
    (void)state;
#define SIG0                                                                                       \
    "00"                                                                                           \
    "0018"                                                                                         \
    "00ff"                                                                                         \
    "00000000"                                                                                     \
    "0003"                                                                                         \
    "00000d"
#define SIG_OF_A                                                                                   \
    "00"                                                                                           \
    "0018"                                                                                         \
    "0001"                                                                                         \
    "00000000"                                                                                     \
    "0003"                                                                                         \
    "00010d"
    static const struct {
        const char *hex;
        enum sg_result result;
        unsigned offset;
    } places[] = {
        {UPDATE "00010000"
                "00000001" Q SIG0,
         SG_OK, 29},
        {UPDATE "00010000"
                "00000002" Q OPT SIG0,
         SG_OK, 29 + 11},
        {UPDATE "00010000"
                "00000002" Q SIG0 OPT,
         SG_MALFORMED, 29},
        {UPDATE "00010000"
                "00000002" Q SIG0 TSIG,
         SG_MALFORMED, 29},
        {UPDATE "00010000"
                "00000002" Q SIG0 SIG0,
         SG_MALFORMED, 29},
        {UPDATE "00010000"
                "00000002" Q SIG_OF_A OPT,
         SG_OK, 0},
        {UPDATE "00010000"
                "00010000" Q SIG0,
         SG_OK, 0},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct buffer wire = from_hex(places[i].hex);
        struct dns_message message;
        assert_int_equal(dns_message_parse(buffer_span(&wire), &message), places[i].result);
        assert_int_equal(message.sig0_offset, places[i].offset);
        buffer_free(&wire);
    }
}

static void more_than_65535_bytes_are_malformed(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, 65536);
    bytes[5] = 1; /* one question: the root, type 0 */
    struct dns_message message;
    assert_int_equal(dns_message_parse((struct span){bytes, 65536}, &message), SG_MALFORMED);
    assert_int_equal(dns_message_parse((struct span){bytes, 65535}, &message), SG_OK);
    free(bytes);
}

/* Options, and whether they are sound; each is EDNS that a response answers with EDNS. */
/* clang-format off */
static const struct option_case {
    const char *name;
    const char *options;
    bool sound;
} option_cases[] = {
    {"a client's cookie", "000a0008" "0101010101010101", true},
    {"an empty cookie", "000a0000", false},
    {"a cookie of 7 bytes", "000a0007" "01010101010101", false},
    {"a cookie of 9 bytes", "000a0009" "010101010101010101", false},
    {"a cookie of 15 bytes", "000a000f" "010101010101010101010101010101", false},
    {"both cookies", "000a0010" "01010101010101010202020202020202", true},
    {"the longest cookie", "000a0028" "0101010101010101" "0202020202020202" "0202020202020202" "0202020202020202" "0202020202020202", true},
    {"too long a cookie", "000a0029" "0101010101010101" "0202020202020202" "0202020202020202" "0202020202020202" "0202020202020202" "02", false},
    {"a subnet", "00080007" "00011800" "c00002", true},
    {"a subnet of odd bits", "00080007" "00011700" "c00002", true},
    {"a bit beyond the prefix", "00080007" "00011700" "c00003", false},
    {"no subnet told", "00080004" "00010000", true},
    {"no family told", "00080004" "00000000", true},
    {"too few octets", "00080006" "00011800" "c000", false},
    {"too many octets", "00080008" "00011800" "c0000200", false},
    {"a whole address", "00080008" "00012000" "c0000201", true},
    {"more than an IPv4 address", "00080009" "00012100" "c000020100", false},
    {"a whole IPv6 address", "00080014" "00028000" "20010db8000000000000000000000001", true},
    {"more than an IPv6 address", "00080015" "00028100" "20010db800000000000000000000000100", false},
    {"a scope in a question", "00080007" "00011801" "c00002", false},
    {"a scope without a subnet", "00080004" "00010001", false},
    {"half a subnet", "00080003" "000118", false},
    {"a sound one does not mend another", "000a0001" "01" "000a0008" "0101010101010101", false},
    {"EXPIRE of any length", "00090001" "01", true},
    {"NSID with content", "00030001" "01", true},
};
/* clang-format on */

static void an_option_is_sound_or_not(void **state)
{
    const struct option_case *c = *state;
    for (unsigned version = 0; version < 2; version++) {
        char hex[400];
        struct dns_message message;
        snprintf(hex, sizeof(hex),
                 QUERY "0001"
                       "0000"
                       "0000"
                       "0001" Q "00"
                       "0029"
                       "1000"
                       "00%02x8000"
                       "%04zx"
                       "%s",
                 version, strlen(c->options) / 2, c->options);
        struct buffer wire = from_hex(hex);
        bool sound = c->sound || version > 0;
        assert_int_equal(dns_message_parse(buffer_span(&wire), &message),
                         sound ? SG_OK : SG_MALFORMED);
        assert_true(message.edns.present && message.edns.dnssec_ok);
        assert_int_equal(message.edns.payload, 4096);
        assert_int_equal(message.edns.version, version);
        buffer_free(&wire);
    }
}

static void an_answer_tells_a_scope(void **state)
{
    (void)state;
    struct dns_message message;
    struct buffer wire = from_hex(QUERY "0001"
                                        "0000"
                                        "0000"
                                        "0001" Q "00"
                                        "0029"
                                        "1000"
                                        "00000000"
                                        "000b"
                                        "00080007"
                                        "00011810"
                                        "c00002");
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_MALFORMED);
    wire.bytes[2] |= 0x80; /* QR */
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
    buffer_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_tells_a_scope),
        cmocka_unit_test(edns_says_what_the_client_wants),
        cmocka_unit_test(section_offsets_lead_to_the_records),
        cmocka_unit_test(sig0_is_found_where_it_may_be),
        cmocka_unit_test(more_than_65535_bytes_are_malformed),
    };
    return RUN_TABLE(cases, messages_are_taken_apart) +
           RUN_TABLE(option_cases, an_option_is_sound_or_not) +
           RUN_TABLE(cases, any_cut_message_is_malformed_or_short) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
