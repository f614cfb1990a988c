#include <stdlib.h>

#include "dns/reply.h"
#include "support/table.h"

#define HEADER  "\x12\x34\x84\x00\0\1"
#define ASKED   "\7example\0\0\6\0\1"
#define SOA_RR  "\300\14\0\6\0\1\0\0\16\20\0\36\3ns1\300\14\1a\300\14" NUMBERS
#define NUMBERS "\0\0\0\7\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
/* NS of ns1.example., and an SOA of another name */
#define NS_RR                "\300\14\0\2\0\1\0\0\16\20\0\6\3ns1\300\14"
#define OTHER_RR             "\1x\300\14\0\6\0\1\0\0\16\20\0\36\3ns1\300\14\1a\300\14" NUMBERS
#define OPT(length, options) "\0\0\51\4\320\0\0\0\0" length options

/* clang-format off */
static const struct row {
    const char *name;
    const char *bytes;
    size_t length;
    enum sg_result soa, expire;
    uint32_t seconds;
    unsigned rcode;
} rows[] = {
#define ROW(text) text, sizeof(text) - 1
    {"a primary's answer", ROW(HEADER "\0\1\0\0\0\1" ASKED SOA_RR OPT("\0\10", "\0\11\0\4\0\1\0\0")),
     SG_OK, SG_OK, 65536, 0},
    {"without EDNS", ROW(HEADER "\0\1\0\0\0\0" ASKED SOA_RR), SG_OK, SG_NOT_FOUND, 0, 0},
    {"EDNS without the option", ROW(HEADER "\0\1\0\0\0\1" ASKED SOA_RR OPT("\0\0", "")),
     SG_OK, SG_NOT_FOUND, 0, 0},
    {"the option behind another",
     ROW(HEADER "\0\1\0\0\0\1" ASKED SOA_RR OPT("\0\15", "\0\3\0\1x\0\11\0\4\0\0\0\5")),
     SG_OK, SG_OK, 5, 0},
    {"an empty option: the server has none", ROW(HEADER "\0\1\0\0\0\1" ASKED SOA_RR OPT("\0\4", "\0\11\0\0")),
     SG_OK, SG_NOT_FOUND, 0, 0},
    {"an option of three bytes", ROW(HEADER "\0\1\0\0\0\1" ASKED SOA_RR OPT("\0\7", "\0\11\0\3\0\0\1")),
     SG_OK, SG_NOT_FOUND, 0, 0},
    {"no SOA", ROW(HEADER "\0\1\0\0\0\0" ASKED NS_RR), SG_NOT_FOUND, SG_NOT_FOUND, 0, 0},
    {"nothing", ROW(HEADER "\0\0\0\0\0\0" ASKED), SG_NOT_FOUND, SG_NOT_FOUND, 0, 0},
    {"an SOA behind another type", ROW(HEADER "\0\2\0\0\0\0" ASKED NS_RR SOA_RR), SG_OK, SG_NOT_FOUND, 0, 0},
    {"two", ROW(HEADER "\0\2\0\0\0\0" ASKED SOA_RR SOA_RR), SG_NOT_FOUND, SG_NOT_FOUND, 0, 0},
    {"of another name", ROW(HEADER "\0\1\0\0\0\0" ASKED OTHER_RR), SG_NOT_FOUND, SG_NOT_FOUND, 0, 0},
    {"in the authority section", ROW(HEADER "\0\0\0\1\0\0" ASKED SOA_RR), SG_NOT_FOUND, SG_NOT_FOUND, 0, 0},
    {"too short", ROW(HEADER "\0\1\0\0\0\0" ASKED "\300\14\0\6\0\1\0\0\16\20\0\35\3ns1\300\14\1a\300\14"
      "\0\0\0\7\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), SG_MALFORMED, SG_NOT_FOUND, 0, 0},
    {"too long", ROW(HEADER "\0\1\0\0\0\0" ASKED "\300\14\0\6\0\1\0\0\16\20\0\37\3ns1\300\14\1a\300\14"
      NUMBERS "\0"), SG_MALFORMED, SG_NOT_FOUND, 0, 0},
    {"names that run out of the rdata", ROW(HEADER "\0\2\0\0\0\0" ASKED "\300\14\0\6\0\1\0\0\16\20\0\2\3n" SOA_RR),
     SG_MALFORMED, SG_NOT_FOUND, 0, 0},
    {"an extended rcode", ROW("\x12\x34\x84\x00\0\1\0\0\0\0\0\1" ASKED "\0\0\51\4\320\1\0\0\0\0\0"),
     SG_NOT_FOUND, SG_NOT_FOUND, 0, DNS_RCODE_BADVERS},
};
/* clang-format on */

static void a_reply_is_read(void **state)
{
    const struct row *row = *state;
    struct dns_message message;
    struct dns_soa soa = {0};
    uint32_t seconds = 0;

    /* On the heap, to the byte, so that a look beyond the end is seen. */
    uint8_t *bytes = malloc(row->length);
    memcpy(bytes, row->bytes, row->length);
    enum sg_result result = dns_message_parse((struct span){bytes, row->length}, &message);
    if (row->soa == SG_MALFORMED && result != SG_OK) {
        free(bytes);
        return;
    }
    assert_int_equal(result, SG_OK);
    assert_int_equal(dns_reply_soa(&message, &soa), row->soa);
    if (row->soa == SG_OK) {
        assert_int_equal(soa.serial, 7);
        assert_int_equal(soa.refresh, 1);
        assert_int_equal(soa.retry, 2);
        assert_int_equal(soa.expire, 3);
        assert_int_equal(soa.minimum, 4);
    }
    assert_int_equal(dns_reply_expire(&message, &seconds), row->expire);
    assert_int_equal(seconds, row->seconds);
    assert_int_equal(dns_reply_rcode(&message), row->rcode);
    free(bytes);
}

static void an_soa_of_a_zone_is_read(void **state)
{
    static const uint8_t rdata[] = "\1a\0\0" NUMBERS;
    struct dns_soa soa;
    (void)state;

    assert_int_equal(dns_soa_parse((struct span){rdata, sizeof(rdata) - 1}, &soa), SG_OK);
    assert_int_equal(soa.serial, 7);
    for (size_t length = 0; length < sizeof(rdata) - 1; length++) {
        assert_int_equal(dns_soa_parse((struct span){rdata, length}, &soa), SG_MALFORMED);
    }
    assert_int_equal(dns_soa_parse((struct span){rdata, sizeof(rdata)}, &soa), SG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_soa_of_a_zone_is_read)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, a_reply_is_read);
}
