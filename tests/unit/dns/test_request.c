#include "dns/reply.h"
#include "dns/request.h"
#include "support/table.h"

static const uint8_t soa[] = "\3ns1\7example\0\5admin\7example\0"
                             "\0\0\0\7\0\0\16\20\0\0\3\204\0\11\72\200\0\0\0\74";
static const struct span soa_rdata = {soa, sizeof(soa) - 1};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct dns_message parsed(const struct dns_request *request)
{
    struct dns_message message;
    assert_int_equal(dns_message_parse((struct span){request->bytes, request->length}, &message),
                     SG_OK);
    return message;
}

static const struct query_row {
    const char *name;
    uint16_t type;
    struct dns_request_edns edns;
} query_rows[] = {
    {"SOA", DNS_TYPE_SOA, {1232, false}},
    {"SOA, asking for EXPIRE", DNS_TYPE_SOA, {1232, true}},
    {"SOA without EDNS", DNS_TYPE_SOA, {0, true}},
    {"AXFR", DNS_TYPE_AXFR, {4096, true}},
};

static void a_query_is_what_it_says(void **state)
{
    const struct query_row *row = *state;
    struct dns_name apex = name_of("Example.org.");
    struct dns_request request;

    dns_request_query(&(struct dns_request_zone){&apex, DNS_CLASS_IN, {0}, 0}, row->type,
                      &row->edns, &request);
    struct dns_message message = parsed(&request);
    assert_int_equal(message.flags, 0); /* RFC 1034: no recursion, from a server */
    assert_true(dns_name_equal(&message.qname, &apex));
    assert_int_equal(message.qtype, row->type);
    assert_int_equal(message.qclass, DNS_CLASS_IN);
    assert_int_equal(message.edns.present, row->edns.payload != 0);
    if (row->edns.payload != 0) {
        assert_int_equal(message.edns.payload, row->edns.payload);
    }
    /* RFC 7314 3.1: the option is empty in a request */
    static const uint8_t option[] = {0, 4, 0, EDNS_OPTION_EXPIRE, 0, 0};
    bool asks = memcmp(request.bytes + request.length - 6, option, 6) == 0;
    assert_int_equal(asks, row->edns.expire && row->edns.payload != 0);
}

static void an_ixfr_tells_our_soa(void **state)
{
    struct dns_name apex = name_of("example.");
    struct dns_request_zone zone = {&apex, DNS_CLASS_IN, soa_rdata, 3600};
    const struct dns_request_edns edns = {1232, true};
    struct dns_request request;
    struct dns_record record;
    struct dns_soa numbers;
    (void)state;

    assert_int_equal(dns_request_ixfr(&zone, &edns, &request), SG_OK);
    struct dns_message message = parsed(&request);
    assert_int_equal(message.qtype, DNS_TYPE_IXFR);
    assert_int_equal(message.counts[1], 0);
    assert_int_equal(message.counts[2], 1);
    assert_int_equal(message.counts[3], 1);
    assert_int_equal(dns_record_parse(message.wire, message.section_offsets[1], &record), SG_OK);
    assert_int_equal(record.type, DNS_TYPE_SOA);
    assert_int_equal(record.ttl, 3600);
    assert_true(dns_name_equal(&record.owner, &apex));
    struct span rdata = {message.wire.bytes + record.rdata_offset, record.rdata_length};
    assert_int_equal(dns_soa_parse(rdata, &numbers), SG_OK);
    assert_int_equal(numbers.serial, 7);
    assert_int_equal(numbers.expire, 604800);

    zone.soa.length--;
    assert_int_equal(dns_request_ixfr(&zone, &edns, &request), SG_MALFORMED);
    zone.soa = (struct span){NULL, 0};
    assert_int_equal(dns_request_ixfr(&zone, &edns, &request), SG_MALFORMED);
}

static void a_notify_carries_the_new_soa(void **state)
{
    struct dns_name apex = name_of("example.");
    struct dns_request_zone zone = {&apex, DNS_CLASS_IN, soa_rdata, 3600};
    struct dns_request request;
    struct dns_soa numbers;
    (void)state;

    assert_int_equal(dns_request_notify(&zone, &request), SG_OK);
    struct dns_message message = parsed(&request);
    assert_int_equal(message.opcode, DNS_OPCODE_NOTIFY);
    assert_int_equal(message.flags & ~0x7800, DNS_FLAG_AA); /* RFC 1996 4.5 */
    assert_int_equal(message.qtype, DNS_TYPE_SOA);
    assert_int_equal(message.counts[1], 1);
    assert_int_equal(dns_reply_soa(&message, &numbers), SG_OK);
    assert_int_equal(numbers.serial, 7);

    zone.soa = (struct span){NULL, 0};
    assert_int_equal(dns_request_notify(&zone, &request), SG_OK);
    message = parsed(&request);
    assert_int_equal(message.counts[1], 0);
    zone.soa = (struct span){soa, 10};
    assert_int_equal(dns_request_notify(&zone, &request), SG_MALFORMED);
}

static void the_longest_names_fit(void **state)
{
    struct dns_name apex = {.length = 255, .labels = 127};
    uint8_t rdata[2 * 255 + 20] = {0};
    struct dns_request request;
    (void)state;

    for (int i = 0; i < 127; i++) {
        apex.wire[2 * i] = 1;
        apex.wire[2 * i + 1] = 'x';
    }
    memcpy(rdata, apex.wire, 255);
    memcpy(rdata + 255, apex.wire, 255);
    struct dns_request_zone zone = {&apex, DNS_CLASS_IN, {rdata, sizeof(rdata)}, 1};
    assert_int_equal(dns_request_ixfr(&zone, &(struct dns_request_edns){1232, true}, &request),
                     SG_OK);
    assert_int_equal(parsed(&request).counts[2], 1);
    assert_int_equal(dns_request_notify(&zone, &request), SG_OK);
    assert_int_equal(parsed(&request).counts[1], 1);
}

static void what_is_to_be_proven_comes_with_signatures(void **state)
{
    struct dns_name name = name_of("example.");
    struct dns_request request;
    (void)state;

    dns_request_proof(&name, DNS_CLASS_IN, DNS_TYPE_DS, &request);
    struct dns_message message = parsed(&request);
    assert_int_equal(message.flags, DNS_FLAG_RD | DNS_FLAG_CD);
    assert_true(dns_name_equal(&message.qname, &name));
    assert_int_equal(message.qtype, DNS_TYPE_DS);
    assert_true(message.edns.present && message.edns.dnssec_ok);
    assert_int_equal(message.edns.payload, EDNS_PAYLOAD_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_to_be_proven_comes_with_signatures),
        cmocka_unit_test(an_ixfr_tells_our_soa),
        cmocka_unit_test(a_notify_carries_the_new_soa),
        cmocka_unit_test(the_longest_names_fit),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(query_rows, a_query_is_what_it_says);
}
