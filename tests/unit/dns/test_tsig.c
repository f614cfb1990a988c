#include "base/encoding.h"
#include "base/random.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"
#include "support/table.h"

enum { NOW = 1700000000, MESSAGE_BYTES = 1024 };

/* What dnspython made of a message: as it was, and with its TSIG (none: it went unsigned). */
struct pair {
    struct span plain;
    struct span with_tsig;
};

static const struct peer {
    const char *name;
    struct pair request, single, first, second, third, last;
} peers[] = {
#define BYTES(...)                                                                                 \
    {                                                                                              \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                     \
    }
#include "tsig_vectors.inc"
};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static struct tsig_key key_of(const char *algorithm)
{
    struct tsig_key key = {.name = name_of("key.example."), .secret_length = 32};
    for (unsigned i = 0; i < 32; i++) {
        key.secret[i] = (uint8_t)(i + 1);
    }
    assert_int_equal(tsig_algorithm_from_text(algorithm, &key.algorithm, &key.mac_bits), SG_OK);
    return key;
}

static struct dns_message parsed(const uint8_t *bytes, size_t length)
{
    struct dns_message message;
    assert_int_equal(dns_message_parse((struct span){bytes, length}, &message), SG_OK);
    return message;
}

static struct dns_message parsed_span(struct span wire)
{
    return parsed(wire.bytes, wire.length);
}

/* Offset of the MAC size in the TSIG rdata. */
static size_t mac_size_offset(const struct dns_message *message)
{
    struct dns_record record;
    assert_true(message->tsig_offset > 0);
    assert_int_equal(dns_record_parse(message->wire, message->tsig_offset, &record), SG_OK);
    return record.rdata_offset + dns_name_wire_length(message->wire.bytes + record.rdata_offset) +
           8;
}

static struct span mac_of(const struct dns_message *message)
{
    const uint8_t *at = message->wire.bytes + mac_size_offset(message);
    return (struct span){at + 2, wire_get_u16(at)};
}

static void assert_same_mac(const uint8_t *bytes, size_t length, struct span theirs)
{
    struct dns_message ours_parsed = parsed(bytes, length);
    struct dns_message theirs_parsed = parsed_span(theirs);
    struct span ours = mac_of(&ours_parsed);
    struct span expected = mac_of(&theirs_parsed);
    assert_int_equal(ours.length, expected.length);
    assert_memory_equal(ours.bytes, expected.bytes, ours.length);
}

/* Verify the request of `peer`; the server's side of an exchange. */
static struct tsig_exchange server_side(const struct peer *peer, const struct tsig_key *key)
{
    struct tsig_exchange exchange;
    struct dns_message request = parsed_span(peer->request.with_tsig);
    assert_int_equal(tsig_verify_request(&request, &key, 1, NOW, &exchange), SG_OK);
    assert_ptr_equal(exchange.key, key);
    return exchange;
}

static struct tsig_exchange client_side(const struct peer *peer, const struct tsig_key *key)
{
    struct tsig_exchange exchange;
    uint8_t bytes[MESSAGE_BYTES];
    memcpy(bytes, peer->request.plain.bytes, peer->request.plain.length);
    size_t length =
        tsig_sign_request(key, NOW, bytes, peer->request.plain.length, sizeof(bytes), &exchange);
    assert_true(length > 0);
    assert_same_mac(bytes, length, peer->request.with_tsig);
    return exchange;
}

static size_t sign_plain(struct tsig_exchange *exchange, struct span plain, uint8_t *out_bytes)
{
    memcpy(out_bytes, plain.bytes, plain.length);
    size_t reserve = tsig_reserve(exchange);
    size_t length = tsig_sign(exchange, NOW, out_bytes, plain.length, MESSAGE_BYTES);
    assert_int_equal(length, plain.length + reserve);
    return length;
}

static void a_response_is_signed_as_the_peer_signs_it(void **state)
{
    const struct peer *peer = *state;
    struct tsig_key key = key_of(peer->name);
    struct tsig_exchange exchange = server_side(peer, &key);
    uint8_t bytes[MESSAGE_BYTES];
    size_t length = sign_plain(&exchange, peer->single.plain, bytes);
    assert_same_mac(bytes, length, peer->single.with_tsig);
    tsig_exchange_clear(&exchange);
}

static void a_transfer_is_signed_as_the_peer_signs_it(void **state)
{
    const struct peer *peer = *state;
    struct tsig_key key = key_of(peer->name);
    struct tsig_exchange exchange = server_side(peer, &key);
    uint8_t bytes[MESSAGE_BYTES];
    size_t length = sign_plain(&exchange, peer->first.plain, bytes);
    assert_same_mac(bytes, length, peer->first.with_tsig);
    tsig_skip(&exchange, peer->second.plain.bytes, peer->second.plain.length);
    tsig_skip(&exchange, peer->third.plain.bytes, peer->third.plain.length);
    length = sign_plain(&exchange, peer->last.plain, bytes);
    assert_same_mac(bytes, length, peer->last.with_tsig);
    tsig_exchange_clear(&exchange);
}

static void the_peers_response_verifies(void **state)
{
    const struct peer *peer = *state;
    struct tsig_key key = key_of(peer->name);
    struct tsig_exchange exchange = client_side(peer, &key);
    struct dns_message response = parsed_span(peer->single.with_tsig);
    assert_int_equal(tsig_verify_response(&exchange, &response, NOW), SG_OK);
    assert_true(tsig_is_settled(&exchange));
    tsig_exchange_clear(&exchange);
}

static void the_peers_transfer_verifies(void **state)
{
    const struct peer *peer = *state;
    struct tsig_key key = key_of(peer->name);
    struct tsig_exchange exchange = client_side(peer, &key);
    assert_false(tsig_is_settled(&exchange));

    struct dns_message message = parsed_span(peer->first.with_tsig);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    assert_true(tsig_is_settled(&exchange));
    message = parsed_span(peer->second.plain);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    assert_false(tsig_is_settled(&exchange));
    message = parsed_span(peer->third.plain);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    message = parsed_span(peer->last.with_tsig);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    assert_true(tsig_is_settled(&exchange));
    tsig_exchange_clear(&exchange);
}

static void a_transfer_with_a_message_missing_does_not_verify(void **state)
{
    const struct peer *peer = *state;
    struct tsig_key key = key_of(peer->name);
    struct tsig_exchange exchange = client_side(peer, &key);
    struct dns_message message = parsed_span(peer->first.with_tsig);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    message = parsed_span(peer->third.plain);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    message = parsed_span(peer->last.with_tsig);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_BAD_SIG);
    tsig_exchange_clear(&exchange);
}

static void any_bit_of_a_request_is_covered(void **state)
{
    const struct peer *peer = *state;
    struct tsig_key key = key_of(peer->name);
    const struct tsig_key *keys[] = {&key};
    struct span wire = peer->request.with_tsig;
    struct dns_message whole = parsed_span(wire);
    size_t names_end = mac_size_offset(&whole) - 8;
    uint8_t bytes[MESSAGE_BYTES];

    for (size_t bit = 0; bit < wire.length * 8; bit++) {
        memcpy(bytes, wire.bytes, wire.length);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct dns_message message;
        struct tsig_exchange exchange;
        if (dns_message_parse((struct span){bytes, wire.length}, &message) != SG_OK ||
            message.tsig_offset == 0) {
            continue;
        }
        enum sg_result result = tsig_verify_request(&message, keys, 1, NOW, &exchange);
        bool is_id = bit < 16; /* the original id counts, not this one (RFC 8945 4.3.2) */
        /* Key and algorithm are digested in lower case. */
        bool is_case = bit / 8 >= whole.tsig_offset && bit / 8 < names_end &&
                       dns_lower[bytes[bit / 8]] == dns_lower[wire.bytes[bit / 8]];
        if (is_id || is_case) {
            assert_int_equal(result, SG_OK);
        } else {
            assert_int_not_equal(result, SG_OK);
        }
        tsig_exchange_clear(&exchange);
    }
}

/* The refusals of RFC 8945 5.2, with hmac-sha256. */
static const struct peer *sha256(void)
{
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        if (strcmp(peers[i].name, "hmac-sha256") == 0) {
            return &peers[i];
        }
    }
    fail();
    return NULL;
}

static struct tsig_exchange refused(const struct tsig_key *key, sg_time now,
                                    enum sg_result expected, uint16_t error)
{
    struct tsig_exchange exchange;
    struct dns_message request = parsed_span(sha256()->request.with_tsig);
    assert_int_equal(tsig_verify_request(&request, &key, 1, now, &exchange), expected);
    assert_int_equal(exchange.error, error);
    return exchange;
}

/* The error, MAC length and other data of our response's TSIG. */
static void assert_error_response(struct tsig_exchange *exchange, sg_time now, uint16_t error,
                                  size_t mac_length, uint64_t time_signed)
{
    struct span plain = sha256()->single.plain;
    uint8_t bytes[MESSAGE_BYTES];
    memcpy(bytes, plain.bytes, plain.length);
    size_t length = tsig_sign(exchange, now, bytes, plain.length, sizeof(bytes));
    assert_true(length > plain.length);
    struct dns_message response = parsed(bytes, length);
    assert_int_equal(response.counts[3], 1);
    size_t at = mac_size_offset(&response);
    assert_int_equal((uint64_t)wire_get_u16(bytes + at - 8) << 32 | wire_get_u32(bytes + at - 6),
                     time_signed);
    assert_int_equal(wire_get_u16(bytes + at), mac_length);
    const uint8_t *tail = bytes + at + 2 + mac_length;
    assert_int_equal(wire_get_u16(tail), 0x1234);
    assert_int_equal(wire_get_u16(tail + 2), error);
    if (error == DNS_RCODE_BADTIME) {
        assert_int_equal(wire_get_u16(tail + 4), 6);
        assert_int_equal((uint64_t)wire_get_u16(tail + 6) << 32 | wire_get_u32(tail + 8), now);
    } else {
        assert_int_equal(wire_get_u16(tail + 4), 0);
    }

    /* The client learns of it. */
    struct tsig_key key = key_of("hmac-sha256");
    struct tsig_exchange client = client_side(sha256(), &key);
    assert_int_equal(tsig_verify_response(&client, &response, NOW),
                     error == DNS_RCODE_BADTIME  ? SG_BAD_TIME
                     : error == DNS_RCODE_BADKEY ? SG_BAD_KEY
                                                 : SG_BAD_SIG);
    tsig_exchange_clear(&client);
}

static void an_unknown_key_gets_an_unsigned_badkey(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    key.name = name_of("other.example.");
    struct tsig_exchange exchange = refused(&key, NOW, SG_BAD_KEY, DNS_RCODE_BADKEY);
    assert_null(exchange.key);
    assert_error_response(&exchange, NOW, DNS_RCODE_BADKEY, 0, NOW);
}

static void the_right_name_with_another_algorithm_is_badkey(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha512");
    struct tsig_exchange exchange = refused(&key, NOW, SG_BAD_KEY, DNS_RCODE_BADKEY);
    tsig_exchange_clear(&exchange);
}

static void another_secret_gets_an_unsigned_badsig(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    key.secret[0] ^= 1;
    struct tsig_exchange exchange = refused(&key, NOW, SG_BAD_SIG, DNS_RCODE_BADSIG);
    assert_null(exchange.key);
    assert_error_response(&exchange, NOW, DNS_RCODE_BADSIG, 0, NOW);
}

static void a_clock_beyond_the_fudge_gets_a_signed_badtime(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    struct tsig_exchange exchange = refused(&key, NOW + 301, SG_BAD_TIME, DNS_RCODE_BADTIME);
    assert_error_response(&exchange, NOW + 301, DNS_RCODE_BADTIME, 32, NOW);
    exchange = refused(&key, NOW - 301, SG_BAD_TIME, DNS_RCODE_BADTIME);
    assert_error_response(&exchange, NOW - 301, DNS_RCODE_BADTIME, 32, NOW);
    exchange = refused(&key, NOW + ((sg_time)1 << 32), SG_BAD_TIME, DNS_RCODE_BADTIME);
    assert_error_response(&exchange, NOW + ((sg_time)1 << 32), DNS_RCODE_BADTIME, 32, NOW);
}

static void a_clock_at_the_edge_of_the_fudge_is_fine(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    struct tsig_exchange exchange = refused(&key, NOW + 300, SG_OK, 0);
    tsig_exchange_clear(&exchange);
    exchange = refused(&key, NOW - 300, SG_OK, 0);
    tsig_exchange_clear(&exchange);
}

static void a_mac_shorter_than_policy_gets_a_signed_badtrunc(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256-128"); /* what the client uses */
    struct tsig_exchange exchange;
    uint8_t bytes[MESSAGE_BYTES];
    struct span plain = sha256()->request.plain;
    memcpy(bytes, plain.bytes, plain.length);
    size_t length = tsig_sign_request(&key, NOW, bytes, plain.length, sizeof(bytes), &exchange);
    struct dns_message request = parsed(bytes, length);

    struct tsig_key strict = key_of("hmac-sha256");
    const struct tsig_key *keys[] = {&strict};
    assert_int_equal(tsig_verify_request(&request, keys, 1, NOW, &exchange), SG_BAD_SIG);
    assert_int_equal(exchange.error, DNS_RCODE_BADTRUNC);
    assert_ptr_equal(exchange.key, &strict);
    assert_int_equal(sign_plain(&exchange, sha256()->single.plain, bytes),
                     sha256()->single.plain.length + 13 + 10 + 13 + 16 + 32);
    tsig_exchange_clear(&exchange);
}

static void a_longer_mac_than_policy_asks_for_is_answered_in_kind(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256-128");
    struct tsig_exchange exchange = refused(&key, NOW, SG_OK, 0);
    uint8_t bytes[MESSAGE_BYTES];
    size_t length = sign_plain(&exchange, sha256()->single.plain, bytes);
    assert_same_mac(bytes, length, sha256()->single.with_tsig);
    tsig_exchange_clear(&exchange);
}

static void lengths_of_a_mac_outside_the_law_are_malformed(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    const struct tsig_key *keys[] = {&key};
    struct span wire = sha256()->request.with_tsig;
    struct dns_message whole = parsed_span(wire);
    size_t at = mac_size_offset(&whole);

    for (size_t mac_length = 0; mac_length <= 40; mac_length++) {
        uint8_t bytes[MESSAGE_BYTES];
        memcpy(bytes, wire.bytes, at + 2);
        wire_put_u16(bytes + at, (uint16_t)mac_length);
        memset(bytes + at + 2, 0xaa, mac_length);
        memcpy(bytes + at + 2, wire.bytes + at + 2, mac_length < 32 ? mac_length : 32);
        memcpy(bytes + at + 2 + mac_length, wire.bytes + at + 2 + 32, 6);
        size_t rdlength_at = at - 8 - 13 - 2;
        wire_put_u16(bytes + rdlength_at, (uint16_t)(13 + 16 + mac_length));
        struct dns_message message = parsed(bytes, at + 2 + mac_length + 6);
        struct tsig_exchange exchange;
        enum sg_result result = tsig_verify_request(&message, keys, 1, NOW, &exchange);
        if (mac_length < 16 || mac_length > 32) {
            assert_int_equal(result, SG_MALFORMED);
            assert_int_equal(exchange.error, 0);
            assert_int_equal(tsig_reserve(&exchange), 0);
        } else if (mac_length < 32) {
            assert_int_equal(exchange.error, DNS_RCODE_BADTRUNC);
        } else {
            assert_int_equal(result, SG_OK);
        }
        tsig_exchange_clear(&exchange);
    }
}

static void a_request_without_tsig_has_no_key_and_its_answer_none_either(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    const struct tsig_key *keys[] = {&key};
    struct dns_message request = parsed_span(sha256()->request.plain);
    struct tsig_exchange exchange;
    uint8_t bytes[MESSAGE_BYTES];
    assert_int_equal(tsig_verify_request(&request, keys, 1, NOW, &exchange), SG_OK);
    assert_null(exchange.key);
    assert_int_equal(tsig_reserve(&exchange), 0);
    assert_int_equal(sign_plain(&exchange, sha256()->single.plain, bytes),
                     sha256()->single.plain.length);
    tsig_skip(&exchange, bytes, DNS_HEADER_BYTES);
    tsig_exchange_clear(&exchange);
}

static void a_tsig_that_does_not_fit_is_not_written(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    struct tsig_exchange exchange = server_side(sha256(), &key);
    uint8_t bytes[MESSAGE_BYTES];
    struct span plain = sha256()->single.plain;
    size_t reserve = tsig_reserve(&exchange);
    memcpy(bytes, plain.bytes, plain.length);
    assert_int_equal(tsig_sign(&exchange, NOW, bytes, plain.length, plain.length + reserve - 1), 0);
    assert_int_equal(tsig_sign(&exchange, NOW, bytes, plain.length, plain.length + reserve),
                     plain.length + reserve);
    tsig_exchange_clear(&exchange);
}

static void an_unsigned_answer_to_a_signed_request_is_refused(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    struct tsig_exchange exchange = client_side(sha256(), &key);
    struct dns_message response = parsed_span(sha256()->single.plain);
    assert_int_equal(tsig_verify_response(&exchange, &response, NOW), SG_BAD_SIG);
    tsig_exchange_clear(&exchange);
}

static void the_hundredth_unsigned_message_in_a_row_is_refused(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    struct tsig_exchange exchange = client_side(sha256(), &key);
    struct dns_message message = parsed_span(sha256()->first.with_tsig);
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    message = parsed_span(sha256()->second.plain);
    for (unsigned i = 0; i < TSIG_UNSIGNED_MAX; i++) {
        assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_OK);
    }
    assert_int_equal(tsig_verify_response(&exchange, &message, NOW), SG_BAD_SIG);
    tsig_exchange_clear(&exchange);
}

static void a_relayed_request_verifies_by_its_original_id(void **state)
{
    (void)state;
    struct tsig_key key = key_of("hmac-sha256");
    const struct tsig_key *keys[] = {&key};
    uint8_t bytes[MESSAGE_BYTES];
    struct span wire = sha256()->request.with_tsig;
    memcpy(bytes, wire.bytes, wire.length);
    wire_put_u16(bytes, 0x9999);
    struct dns_message request = parsed(bytes, wire.length);
    struct tsig_exchange exchange;
    assert_int_equal(tsig_verify_request(&request, keys, 1, NOW, &exchange), SG_OK);
    assert_int_equal(exchange.original_id, 0x1234);
    tsig_exchange_clear(&exchange);
}

/* clang-format off */
static const struct algorithm_case {
    const char *text;
    enum sg_result result;
    enum tsig_algorithm algorithm;
    uint16_t mac_bits;
} algorithm_cases[] = {
    {"hmac-md5",                  SG_OK,        TSIG_HMAC_MD5,    0},
    {"HMAC-MD5.SIG-ALG.REG.INT",  SG_OK,        TSIG_HMAC_MD5,    0},
    {"hmac-md5.sig-alg.reg.int.", SG_OK,        TSIG_HMAC_MD5,    0},
    {"hmac-sha1",                 SG_OK,        TSIG_HMAC_SHA1,   0},
    {"hmac-sha1.",                SG_OK,        TSIG_HMAC_SHA1,   0},
    {"hmac-sha224",               SG_OK,        TSIG_HMAC_SHA224, 0},
    {"hmac-sha256-128",           SG_OK,        TSIG_HMAC_SHA256, 128},
    {"hmac-sha256-256",           SG_OK,        TSIG_HMAC_SHA256, 0},
    {"hmac-sha512-256",           SG_OK,        TSIG_HMAC_SHA512, 256},
    {"hmac-sha256-120",           SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha256-129",           SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha256-264",           SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha1-72",              SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha256-",              SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha256-+128",          SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha2",                 SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"hmac-sha2567",              SG_MALFORMED, TSIG_HMAC_MD5,    0},
    {"",                          SG_MALFORMED, TSIG_HMAC_MD5,    0},
};
/* clang-format on */

static void algorithms_are_read_as_named_conf_has_them(void **state)
{
    const struct algorithm_case *c = *state;
    enum tsig_algorithm algorithm = TSIG_HMAC_MD5;
    uint16_t mac_bits = 0;
    assert_int_equal(tsig_algorithm_from_text(c->text, &algorithm, &mac_bits), c->result);
    assert_int_equal(algorithm, c->algorithm);
    assert_int_equal(mac_bits, c->mac_bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_key_gets_an_unsigned_badkey),
        cmocka_unit_test(the_right_name_with_another_algorithm_is_badkey),
        cmocka_unit_test(another_secret_gets_an_unsigned_badsig),
        cmocka_unit_test(a_clock_beyond_the_fudge_gets_a_signed_badtime),
        cmocka_unit_test(a_clock_at_the_edge_of_the_fudge_is_fine),
        cmocka_unit_test(a_mac_shorter_than_policy_gets_a_signed_badtrunc),
        cmocka_unit_test(a_longer_mac_than_policy_asks_for_is_answered_in_kind),
        cmocka_unit_test(lengths_of_a_mac_outside_the_law_are_malformed),
        cmocka_unit_test(a_request_without_tsig_has_no_key_and_its_answer_none_either),
        cmocka_unit_test(a_tsig_that_does_not_fit_is_not_written),
        cmocka_unit_test(an_unsigned_answer_to_a_signed_request_is_refused),
        cmocka_unit_test(the_hundredth_unsigned_message_in_a_row_is_refused),
        cmocka_unit_test(a_relayed_request_verifies_by_its_original_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_TABLE(peers, a_response_is_signed_as_the_peer_signs_it) +
           RUN_TABLE(peers, a_transfer_is_signed_as_the_peer_signs_it) +
           RUN_TABLE(peers, the_peers_response_verifies) +
           RUN_TABLE(peers, the_peers_transfer_verifies) +
           RUN_TABLE(peers, a_transfer_with_a_message_missing_does_not_verify) +
           RUN_TABLE(peers, any_bit_of_a_request_is_covered) +
           RUN_TABLE(algorithm_cases, algorithms_are_read_as_named_conf_has_them);
}
