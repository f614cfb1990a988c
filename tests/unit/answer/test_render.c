#include "answer/answer.h"
#include "answer/fixture.h"

static struct fixture fixture;
static uint8_t out[DNS_MESSAGE_BYTES_MAX];

static int load(void **state)
{
    (void)state;
    fixture_load(&fixture, "@", "nsec.zone");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

/* Build and render under `envelope`. */
static size_t render(const struct fixture_query *query, const struct answer_envelope *envelope)
{
    static struct answer answer;
    struct dns_message question;
    uint8_t wire[512];
    size_t length = fixture_query_wire(query, wire);

    fixture_build(&fixture, (struct span){wire, length}, &question, &answer);
    memset(out, 0xEE, envelope->bytes_max + 1);
    length = answer_render(&question, &answer, 0, envelope, out);
    assert_true(length <= envelope->bytes_max);
    assert_int_equal(out[envelope->bytes_max], 0xEE);
    return length;
}

static ldns_pkt *parse(size_t length)
{
    ldns_pkt *packet;
    assert_int_equal(ldns_wire2pkt(&packet, out, length), LDNS_STATUS_OK);
    return packet;
}

static void the_question_is_echoed_in_the_clients_case(void **state)
{
    static struct answer answer;
    struct fixture_query query = {.name = "target", .type = DNS_TYPE_A};
    struct answer_envelope envelope = {.bytes_max = 512};
    struct dns_message question;
    uint8_t wire[512];
    (void)state;
    size_t length = fixture_query_wire(&query, wire);
    memcpy(wire + DNS_HEADER_BYTES, "\6TaRgEt\5nAsTy\4TEST", 19);
    fixture_build(&fixture, (struct span){wire, length}, &question, &answer);
    length = answer_render(&question, &answer, 0, &envelope, out);
    assert_memory_equal(out + DNS_HEADER_BYTES, wire + DNS_HEADER_BYTES, 19 + 4);
    assert_int_equal(wire_get_u16(out + DNS_HEADER_BYTES + 19 + 4), 0xC00C);
    assert_int_equal(length, DNS_HEADER_BYTES + 19 + 4 + 16);
}

static void the_header_copies_rd_and_clears_ad_and_cd(void **state)
{
    static struct answer answer;
    struct fixture_query query = {.name = "target", .type = DNS_TYPE_A};
    struct answer_envelope envelope = {.bytes_max = 512};
    struct dns_message question;
    uint8_t wire[512];
    (void)state;
    size_t length = fixture_query_wire(&query, wire);
    wire_put_u16(wire + 2, DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD);
    fixture_build(&fixture, (struct span){wire, length}, &question, &answer);
    answer_render(&question, &answer, 0, &envelope, out);
    assert_int_equal(wire_get_u16(out), 0x1234);
    assert_int_equal(wire_get_u16(out + 2), DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD);
}

static void same_section(const ldns_rr_list *a, const ldns_rr_list *b)
{
    assert_int_equal(ldns_rr_list_rr_count(a), ldns_rr_list_rr_count(b));
    assert_int_equal(ldns_rr_list_compare(a, b), 0);
}

/* Whatever the limit: it is kept, TC tells when answer or authority lost something, and what is
 * there is there whole. */
static void every_limit_is_kept_and_truncation_is_told(void **state)
{
    static const struct fixture_query queries[] = {
        {.name = "big", .type = DNS_TYPE_TXT, .dnssec = true},
        {.name = "@", .type = DNS_TYPE_ANY, .dnssec = true},
        {.name = "@", .type = DNS_TYPE_DNSKEY, .dnssec = true},
        {.name = "b.ex2.w", .type = DNS_TYPE_A, .dnssec = true},
        {.name = "www.sub", .type = DNS_TYPE_A, .dnssec = true},
        {.name = "cwildnx", .type = DNS_TYPE_AAAA, .dnssec = true},
        {.name = "@", .type = DNS_TYPE_MX, .dnssec = true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct answer_envelope envelope = {.bytes_max = DNS_MESSAGE_BYTES_MAX - 1,
                                           .edns_payload = 1232};
        size_t whole_length = render(&queries[i], &envelope);
        ldns_pkt *whole = parse(whole_length);
        bool truncated_once = false;
        assert_false(ldns_pkt_tc(whole));
        for (envelope.bytes_max = 300; envelope.bytes_max <= whole_length; envelope.bytes_max++) {
            ldns_pkt *packet = parse(render(&queries[i], &envelope));
            assert_true(ldns_pkt_edns(packet));
            if (ldns_pkt_tc(packet)) {
                truncated_once = true;
                /* Only glue may have been dropped with the sections before it whole. */
                assert_true(ldns_pkt_arcount(packet) == 0 ||
                            ldns_pkt_nscount(packet) == ldns_pkt_nscount(whole));
            } else {
                same_section(ldns_pkt_answer(whole), ldns_pkt_answer(packet));
                same_section(ldns_pkt_authority(whole), ldns_pkt_authority(packet));
            }
            ldns_pkt_free(packet);
        }
        assert_true(truncated_once || queries[i].type == DNS_TYPE_MX || i == 4);
        ldns_pkt_free(whole);
    }
}

static void addresses_that_do_not_fit_are_left_out_in_silence(void **state)
{
    struct fixture_query query = {.name = "@", .type = DNS_TYPE_MX, .dnssec = true};
    struct answer_envelope envelope = {.bytes_max = 200};
    (void)state;
    ldns_pkt *packet = parse(render(&query, &envelope));
    assert_false(ldns_pkt_tc(packet));
    assert_int_equal(ldns_pkt_ancount(packet), 2);
    assert_int_equal(ldns_pkt_arcount(packet), 0); /* ldns takes OPT out */
    ldns_pkt_free(packet);
}

static void glue_of_the_delegation_that_does_not_fit_sets_tc(void **state)
{
    struct fixture_query query = {.name = "www.sub", .type = DNS_TYPE_A};
    struct answer_envelope envelope = {.bytes_max = 1232};
    (void)state;
    size_t whole = render(&query, &envelope);
    ldns_pkt *packet = parse(whole);
    /* ns.sub has A and AAAA, which come first and are required; the others are a courtesy. */
    size_t required = whole - 16 - 16 - 28;
    ldns_pkt_free(packet);
    for (envelope.bytes_max = required - 1; envelope.bytes_max <= required; envelope.bytes_max++) {
        packet = parse(render(&query, &envelope));
        assert_int_equal(ldns_pkt_tc(packet), envelope.bytes_max < required);
        assert_int_equal(ldns_pkt_nscount(packet), 4);
        ldns_pkt_free(packet);
    }
}

static void opt_answers_opt(void **state)
{
    struct fixture_query query = {.name = "target", .type = DNS_TYPE_A};
    struct answer_envelope envelope = {.bytes_max = 1232, .edns_payload = 1400};
    (void)state;
    ldns_pkt *packet = parse(render(&query, &envelope));
    assert_false(ldns_pkt_edns(packet));
    ldns_pkt_free(packet);
    query.edns = true;
    packet = parse(render(&query, &envelope));
    assert_true(ldns_pkt_edns(packet));
    assert_false(ldns_pkt_edns_do(packet));
    assert_int_equal(ldns_pkt_edns_udp_size(packet), 1400);
    ldns_pkt_free(packet);
    query.dnssec = true;
    packet = parse(render(&query, &envelope));
    assert_true(ldns_pkt_edns_do(packet));
    ldns_pkt_free(packet);
}

static void nsid_is_sent_to_who_asks(void **state)
{
    static struct answer answer;
    struct fixture_query query = {.name = "target", .type = DNS_TYPE_A, .edns = true};
    struct answer_envelope envelope = {.bytes_max = 1232, .nsid = {(const uint8_t *)"me", 2}};
    static const uint8_t nsid[] = {0, EDNS_OPTION_NSID, 0, 2, 'm', 'e'};
    struct dns_message question;
    uint8_t wire[512];
    (void)state;
    size_t length = fixture_query_wire(&query, wire);
    fixture_build(&fixture, (struct span){wire, length}, &question, &answer);
    length = answer_render(&question, &answer, 0, &envelope, out);
    assert_int_equal(wire_get_u16(out + length - 2), 0);

    length = fixture_query_wire(&query, wire);
    memcpy(wire + length - 2, "\0\4\0\3\0\0", 6);
    fixture_build(&fixture, (struct span){wire, length + 4}, &question, &answer);
    length = answer_render(&question, &answer, 0, &envelope, out);
    assert_memory_equal(out + length - sizeof(nsid), nsid, sizeof(nsid));
    assert_int_equal(wire_get_u16(out + length - sizeof(nsid) - 2), sizeof(nsid));

    /* Other options stand behind it. */
    envelope.extra_options = (struct span){(const uint8_t *)"\0\17\0\2\0\22", 6};
    length = answer_render(&question, &answer, 0, &envelope, out);
    assert_memory_equal(out + length - 6, envelope.extra_options.bytes, 6);
    assert_memory_equal(out + length - 6 - sizeof(nsid), nsid, sizeof(nsid));
    ldns_pkt_free(parse(length));
}

static void an_error_has_header_question_and_opt_alone(void **state)
{
    struct fixture_query query = {.name = "target", .type = DNS_TYPE_A, .edns = true};
    struct answer_envelope envelope = {.bytes_max = 512};
    struct dns_message question;
    uint8_t wire[512];
    (void)state;
    size_t length = fixture_query_wire(&query, wire);
    assert_int_equal(dns_message_parse((struct span){wire, length}, &question), SG_OK);
    length = answer_render(&question, NULL, DNS_RCODE_BADVERS, &envelope, out);
    ldns_pkt *packet = parse(length);
    assert_int_equal(ldns_pkt_get_rcode(packet), 0);
    assert_int_equal(ldns_pkt_edns_extended_rcode(packet), 1);
    assert_int_equal(length, question.question_end + EDNS_OPT_BYTES);
    ldns_pkt_free(packet);

    /* A header alone, as from a query that broke off behind it. */
    wire_put_u16(wire + 10, 0);
    assert_int_equal(dns_message_parse((struct span){wire, DNS_HEADER_BYTES}, &question),
                     SG_MALFORMED);
    length = answer_render(&question, NULL, DNS_RCODE_FORMERR, &envelope, out);
    assert_int_equal(length, DNS_HEADER_BYTES);
    assert_int_equal(wire_get_u16(out + 2), DNS_FLAG_QR | DNS_RCODE_FORMERR);
    assert_int_equal(wire_get_u16(out + 4), 0);
}

static void tsig_finds_its_room_reserved(void **state)
{
    static struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 16};
    static struct answer answer;
    const struct tsig_key *keys[] = {&key};
    struct fixture_query asked = {.name = "big", .type = DNS_TYPE_TXT, .dnssec = true};
    struct dns_message query, response;
    struct tsig_exchange client, server;
    uint8_t wire[1024];
    (void)state;
    key.name = fixture_name("key.");
    for (size_t limit = 400; limit < 1000; limit += 7) {
        size_t length = fixture_query_wire(&asked, wire);
        length = tsig_sign_request(&key, FIXTURE_NOW, wire, length, sizeof(wire), &client);
        fixture_build(&fixture, (struct span){wire, length}, &query, &answer);
        assert_int_equal(tsig_verify_request(&query, keys, 1, FIXTURE_NOW, &server), SG_OK);
        struct answer_envelope envelope = {.bytes_max = limit, .tsig = &server, .now = FIXTURE_NOW};
        length = answer_render(&query, &answer, 0, &envelope, out);
        assert_true(length <= limit);
        assert_int_equal(dns_message_parse((struct span){out, length}, &response), SG_OK);
        assert_true(response.edns.present);
        assert_int_equal(tsig_verify_response(&client, &response, FIXTURE_NOW), SG_OK);
        tsig_exchange_clear(&client);
        tsig_exchange_clear(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_question_is_echoed_in_the_clients_case),
        cmocka_unit_test(the_header_copies_rd_and_clears_ad_and_cd),
        cmocka_unit_test(every_limit_is_kept_and_truncation_is_told),
        cmocka_unit_test(addresses_that_do_not_fit_are_left_out_in_silence),
        cmocka_unit_test(glue_of_the_delegation_that_does_not_fit_sets_tc),
        cmocka_unit_test(opt_answers_opt),
        cmocka_unit_test(nsid_is_sent_to_who_asks),
        cmocka_unit_test(an_error_has_header_question_and_opt_alone),
        cmocka_unit_test(tsig_finds_its_room_reserved),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
