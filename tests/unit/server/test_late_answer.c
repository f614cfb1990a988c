#include "dns/reply.h"
#include "fixture.h"
#include "server/late_answer.h"

/* A way back that keeps what it is given. */
struct kept {
    struct net_later later; /* first member */
    bool given;
    struct buffer message;
};

static struct kept kept;

static void keep(struct net_later *later, struct span message)
{
    assert_ptr_equal(later, &kept.later);
    assert_false(kept.given);
    kept.given = true;
    buffer_append(&kept.message, message.bytes, message.length);
}

static struct net_later *begin(const struct net_request *request)
{
    (void)request;
    kept = (struct kept){.later = {keep}, .message = BUFFER_EMPTY};
    return &kept.later;
}

static struct net_later *begin_not(const struct net_request *request)
{
    (void)request;
    return NULL;
}

/* An update of `example.`, with EDNS (DO set) or without. */
static void write_update(bool edns, struct buffer *out_wire)
{
    static const uint8_t opt[] = {0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0};
    buffer_append_u16(out_wire, 0x1234);
    buffer_append_u16(out_wire, DNS_OPCODE_UPDATE << 11);
    buffer_append_u16(out_wire, 1);
    buffer_append_u16(out_wire, 0);
    buffer_append_u16(out_wire, 0);
    buffer_append_u16(out_wire, edns ? 1 : 0);
    buffer_append(out_wire, "\7ExamPle", 9);
    buffer_append_u16(out_wire, DNS_TYPE_SOA);
    buffer_append_u16(out_wire, DNS_CLASS_IN);
    if (edns) {
        buffer_append(out_wire, opt, sizeof(opt));
    }
}

/* Everything that the request consisted of is gone when this returns. */
static struct late_answer *answer_to(const struct buffer *wire, const struct tsig_key *key,
                                     struct tsig_exchange *tsig)
{
    struct conf *conf = desk_conf("options { max-udp-size 1232; edns-udp-size 1400; };\n");
    struct dns_message message;
    struct net_request net = {.later = begin};
    struct front front = {.conf = conf};
    assert_int_equal(dns_message_parse(buffer_span(wire), &message), SG_OK);
    const struct request request = {
        .net = &net, .front = &front, .key = key, .tsig = tsig, .message = &message};
    struct late_answer *answer = late_answer_new(&request);
    conf_free(conf);
    assert_non_null(answer);
    return answer;
}

static void the_answer_has_header_question_and_edns(void **state)
{
    (void)state;
    for (int edns = 0; edns < 2; edns++) {
        struct buffer wire = BUFFER_EMPTY;
        struct dns_message message;
        write_update(edns == 1, &wire);
        struct late_answer *answer = answer_to(&wire, NULL, NULL);
        late_answer_give(answer, DNS_RCODE_REFUSED, 0);
        assert_true(kept.given);
        assert_int_equal(dns_message_parse(buffer_span(&kept.message), &message), SG_OK);
        assert_int_equal(message.id, 0x1234);
        assert_int_equal(message.opcode, DNS_OPCODE_UPDATE);
        assert_true((message.flags & DNS_FLAG_QR) != 0);
        assert_int_equal(message.rcode, DNS_RCODE_REFUSED);
        assert_int_equal(message.edns.present, edns == 1);
        assert_int_equal(message.edns.dnssec_ok, edns == 1);
        /* The question as the client wrote it. */
        assert_memory_equal(kept.message.bytes + DNS_HEADER_BYTES, "\7ExamPle", 9);
        buffer_free(&kept.message);
        buffer_free(&wire);
    }
}

static void an_answer_that_is_dropped_says_nothing(void **state)
{
    struct buffer wire = BUFFER_EMPTY;
    (void)state;
    write_update(false, &wire);
    late_answer_drop(answer_to(&wire, NULL, NULL));
    assert_true(kept.given);
    assert_int_equal(kept.message.length, 0);
    buffer_free(&wire);
}

static void a_way_that_takes_no_more_is_told_at_once(void **state)
{
    struct buffer wire = BUFFER_EMPTY;
    struct dns_message message;
    struct net_request net = {.later = begin_not};
    (void)state;
    write_update(false, &wire);
    assert_int_equal(dns_message_parse(buffer_span(&wire), &message), SG_OK);
    const struct request request = {.net = &net, .message = &message};
    assert_null(late_answer_new(&request));
    buffer_free(&wire);
}

/* The key that signed the request may be of a configuration that is no more. */
static void it_is_signed_with_a_key_that_is_gone(void **state)
{
    enum { NOW = 1767225600 };
    (void)state;
    struct tsig_key *key = mem_alloc_zero(1, sizeof(*key));
    key->name = desk_name("k.");
    key->algorithm = TSIG_HMAC_SHA256;
    key->secret_length = 16;
    memcpy(key->secret, "0123456789abcdef", 16);
    const struct tsig_key client_key = *key;
    const struct tsig_key *keys[] = {key};

    struct buffer wire = BUFFER_EMPTY;
    write_update(false, &wire);
    uint8_t bytes[600];
    struct tsig_exchange client, server;
    memcpy(bytes, wire.bytes, wire.length);
    size_t length = tsig_sign_request(&client_key, NOW, bytes, wire.length, sizeof(bytes), &client);
    buffer_clear(&wire);
    buffer_append(&wire, bytes, length);
    struct dns_message request;
    assert_int_equal(dns_message_parse(buffer_span(&wire), &request), SG_OK);
    assert_int_equal(tsig_verify_request(&request, keys, 1, NOW, &server), SG_OK);
    struct late_answer *answer = answer_to(&wire, key, &server);
    tsig_exchange_clear(&server);
    memset(key, 0xee, sizeof(*key));
    mem_free(key);

    late_answer_give(answer, DNS_RCODE_NOERROR, NOW + 60);
    struct dns_message reply;
    assert_int_equal(dns_message_parse(buffer_span(&kept.message), &reply), SG_OK);
    assert_int_equal(tsig_verify_response(&client, &reply, NOW + 60), SG_OK);
    assert_true(tsig_is_settled(&client));
    tsig_exchange_clear(&client);
    buffer_free(&kept.message);
    buffer_free(&wire);
}

static void anothers_response_is_passed_on_under_our_id(void **state)
{
    static const uint8_t foreign[] = {0xab, 0xcd, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct buffer wire = BUFFER_EMPTY;
    (void)state;
    write_update(false, &wire);
    late_answer_pass(answer_to(&wire, NULL, NULL), (struct span){foreign, sizeof(foreign)});
    assert_int_equal(kept.message.length, sizeof(foreign));
    assert_int_equal(wire_get_u16(kept.message.bytes), 0x1234);
    assert_memory_equal(kept.message.bytes + 2, foreign + 2, sizeof(foreign) - 2);
    buffer_free(&kept.message);
    late_answer_pass(answer_to(&wire, NULL, NULL), (struct span){foreign, 5});
    assert_int_equal(kept.message.bytes[3] & 0xf, DNS_RCODE_SERVFAIL);
    buffer_free(&kept.message);
    buffer_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_has_header_question_and_edns),
        cmocka_unit_test(an_answer_that_is_dropped_says_nothing),
        cmocka_unit_test(a_way_that_takes_no_more_is_told_at_once),
        cmocka_unit_test(it_is_signed_with_a_key_that_is_gone),
        cmocka_unit_test(anothers_response_is_passed_on_under_our_id),
    };
    return cmocka_run_group_tests_name("late_answer", tests, NULL, NULL);
}
