#include "net/peer_request.h"
#include "peer_fixture.h"
#include "support/table.h"

enum { NOW = 1700000000 };

static size_t with_opcode(uint8_t opcode, uint8_t out_bytes[512])
{
    size_t length = question_of("example.", DNS_TYPE_SOA, out_bytes);
    out_bytes[2] |= (uint8_t)(opcode << 3);
    return length;
}

/* A response, made from the request by what the row says. */
static const struct row {
    const char *name;
    uint8_t opcode;
    uint16_t flags; /* of the response, with rcode */
    bool questionless;
    bool tcp;
    enum sg_result result;
} rows[] = {
    {"a query's answer", DNS_OPCODE_QUERY, 0, false, false, SG_OK},
    {"a notify's answer", DNS_OPCODE_NOTIFY, DNS_FLAG_AA, false, false, SG_OK},
    {"RFC 2136 3.8: an update's answer may be a header", DNS_OPCODE_UPDATE, 0, true, false, SG_OK},
    {"a query's answer has a question", DNS_OPCODE_QUERY, 0, true, false, SG_NOT_FOUND},
    {"RFC 5936 2.2: over TCP it need not", DNS_OPCODE_QUERY, 0, true, true, SG_OK},
    {"an error may have none", DNS_OPCODE_QUERY, DNS_RCODE_FORMERR, true, false, SG_OK},
};

static void an_answer_is_told_by_its_form(void **state)
{
    const struct row *row = *state;
    struct peer_request request;
    struct span frame;
    uint8_t bytes[512];
    uint8_t response[512];

    const struct peer_question question = {.message = {bytes, with_opcode(row->opcode, bytes)}};
    assert_int_equal(peer_request_init(&question, &request), SG_OK);
    assert_int_equal(peer_request_frame(&request, NOW, &frame), SG_OK);
    assert_int_equal(wire_get_u16(frame.bytes), frame.length - 2);
    size_t length =
        response_to((struct span){frame.bytes + 2, frame.length - 2}, row->flags, 0, response);
    if (row->questionless) {
        wire_put_u16(response + 4, 0);
        length = DNS_HEADER_BYTES;
    }
    struct span wire = {response, length};
    assert_int_equal(peer_request_check(&request, wire, row->tcp, NOW), row->result);
    response[2] &= 0x7f;
    assert_int_equal(peer_request_check(&request, wire, row->tcp, NOW), SG_NOT_FOUND);
    assert_int_equal(peer_request_check(&request, (struct span){response, 11}, row->tcp, NOW),
                     SG_MALFORMED);
    peer_request_clear(&request);
}

static void the_letters_case_does_not_matter(void **state)
{
    struct peer_request request;
    struct span frame;
    uint8_t bytes[512];
    (void)state;

    const struct peer_question question = {
        .message = {bytes, question_of("eXample.", DNS_TYPE_SOA, bytes)}};
    assert_int_equal(peer_request_init(&question, &request), SG_OK);
    assert_int_equal(peer_request_frame(&request, NOW, &frame), SG_OK);
    uint8_t response[512];
    size_t length = response_to((struct span){frame.bytes + 2, frame.length - 2}, 0, 0, response);
    response[DNS_HEADER_BYTES + 1] = 'E';
    assert_int_equal(peer_request_check(&request, (struct span){response, length}, false, NOW),
                     SG_OK);
    peer_request_clear(&request);
}

static void a_signed_request_fits_its_key(void **state)
{
    struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 16};
    const struct tsig_key *keys[] = {&key};
    struct tsig_exchange exchange;
    struct dns_message message;
    struct peer_request request;
    struct span frame;
    uint8_t bytes[512];
    (void)state;

    assert_int_equal(dns_name_from_text("key.", 4, NULL, &key.name), SG_OK);
    struct peer_question question = {
        .key = &key, .message = {bytes, question_of("example.", DNS_TYPE_SOA, bytes)}};
    assert_int_equal(peer_request_init(&question, &request), SG_OK);
    for (int times = 0; times < 2; times++) { /* once over UDP, then over TCP */
        assert_int_equal(peer_request_frame(&request, NOW + times, &frame), SG_OK);
        struct span wire = {frame.bytes + 2, frame.length - 2};
        assert_int_equal(dns_message_parse(wire, &message), SG_OK);
        assert_int_equal(tsig_verify_request(&message, keys, 1, NOW, &exchange), SG_OK);
        assert_ptr_equal(exchange.key, &key);
        tsig_exchange_clear(&exchange);
        assert_false(peer_request_is_settled(&request));
    }
    question.message = (struct span){frame.bytes + 2, frame.length - 2};
    struct peer_request twice;
    assert_int_equal(peer_request_init(&question, &twice), SG_MALFORMED); /* signed already */
    peer_request_clear(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_letters_case_does_not_matter),
        cmocka_unit_test(a_signed_request_fits_its_key),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, an_answer_is_told_by_its_form);
}
