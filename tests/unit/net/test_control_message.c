#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "base/random.h"
#include "net/control_message.h"
#include "support/table.h"

enum { PROPERTY_ROUNDS = 2000, TEXT_BYTES = 40 };

static struct tsig_key key_of(enum tsig_algorithm algorithm, const char *secret)
{
    struct tsig_key key = {.algorithm = algorithm, .secret_length = (uint16_t)strlen(secret)};

    memcpy(key.secret, secret, strlen(secret));
    return key;
}

static const struct control_message request = {
    .serial = 2057815492,
    .made_at = 1795317259,
    .expires_at = 1795317319,
    .command = {(const uint8_t *)"null", 4},
};

/*
 * Frames with the contents that BIND's rndc sent when it was watched (the MACs were computed by
 * Python's hmac over the same bytes with the secret "secret").
 */
static const char request_body[] =
    "055f6374726c020000003c045f736572010000000a32303537383135343932045f74696d01000000"
    "0a31373935333137323539045f657870010000000a31373935333137333139055f64617461020000"
    "000e047479706501000000046e756c6c";

static const struct mac_case {
    const char *name;
    enum tsig_algorithm algorithm;
    uint8_t code;
    const char *mac;
} macs[] = {
    {"hmac-md5 has a layout of its own", TSIG_HMAC_MD5, 0, "HsiYkQge/XbBOC56dLhX/w"},
    {"hmac-sha1 is padded", TSIG_HMAC_SHA1, 161, "9X2BQQe3vPTygcDluLZ6UoY6zJo="},
    {"hmac-sha224", TSIG_HMAC_SHA224, 162, "CJ/1vOQbF7VXLcxPTwS4gPt39AykH2+YTtybag=="},
    {"hmac-sha256", TSIG_HMAC_SHA256, 163, "QM+1p0JG0kn5KqjXu0vcB0KX9VG7cchY7Y3X1yo5Bgw="},
    {"hmac-sha384", TSIG_HMAC_SHA384, 164,
     "5Olu/KaIhx+FGcUSZQ2cBkkF1sVi6c621Xv6o+TIi31L7dVv6/JjKJGPIXqASZc8"},
    {"hmac-sha512 fills its place", TSIG_HMAC_SHA512, 165,
     "+BiYrsk1LinW52+QmP5i+wdnsG89keT9fozEurMUDWbvQ7CdvJp9dT13hU3RpjvmIdHHPgbnSetPgJZgVNmtjQ=="},
};

static void is_written_as_rndc_writes_it(void **state)
{
    const struct mac_case *c = *state;
    const struct tsig_key key = key_of(c->algorithm, "secret");
    struct buffer frame = BUFFER_EMPTY;
    struct buffer expected = BUFFER_EMPTY;
    bool md5 = c->algorithm == TSIG_HMAC_MD5;

    buffer_append_u32(&expected, 0);
    buffer_append_u32(&expected, 1);
    buffer_append(&expected, "\5_auth\2\0\0", 9);
    buffer_append_u16(&expected, md5 ? 32 : 99);
    buffer_append(&expected, md5 ? "\4hmd5\1\0\0\0\26" : "\4hsha\1\0\0\0\131", 10);
    if (!md5) {
        buffer_append_u8(&expected, c->code);
    }
    buffer_append_text(&expected, c->mac);
    while (!md5 && expected.length < 4 + 4 + 11 + 10 + 89) {
        buffer_append_u8(&expected, 0);
    }
    assert_int_equal(hex_decode(span_of_text(request_body), &expected), SG_OK);
    wire_put_u32(expected.bytes, (uint32_t)expected.length - 4);

    control_message_encode(&request, &key, &frame);
    assert_int_equal(frame.length, expected.length);
    assert_memory_equal(frame.bytes, expected.bytes, expected.length);
    buffer_free(&frame);
    buffer_free(&expected);
}

static void changing_any_byte_is_noticed(void **state)
{
    const struct mac_case *c = *state;
    const struct tsig_key key = key_of(c->algorithm, "secret");
    const struct tsig_key *const keys[] = {&key};
    const struct tsig_key *found = NULL;
    struct buffer frame = BUFFER_EMPTY;
    struct span body;

    control_message_encode(&request, &key, &frame);
    struct span whole = {frame.bytes + 4, frame.length - 4};
    assert_int_equal(control_message_verify(whole, keys, 1, &found, &body), SG_OK);
    assert_ptr_equal(found, &key);
    for (size_t i = 4; i < frame.length; i++) {
        frame.bytes[i] ^= 0x20;
        assert_int_not_equal(control_message_verify(whole, keys, 1, &found, &body), SG_OK);
        frame.bytes[i] ^= 0x20;
    }
    buffer_free(&frame);
}

static void cut_anywhere_it_is_refused(void **state)
{
    const struct tsig_key key = key_of(TSIG_HMAC_SHA256, "secret");
    const struct tsig_key *const keys[] = {&key};
    const struct tsig_key *found = NULL;
    struct control_message message;
    struct buffer frame = BUFFER_EMPTY;
    struct span body = {NULL, 0};

    (void)state;
    control_message_encode(&request, &key, &frame);
    for (size_t length = 0; length < frame.length - 4; length++) {
        struct span cut = {frame.bytes + 4, length};
        assert_int_not_equal(control_message_verify(cut, keys, 1, &found, &body), SG_OK);
    }
    struct span whole = {frame.bytes + 4, frame.length - 4};
    assert_int_equal(control_message_verify(whole, keys, 1, &found, &body), SG_OK);
    size_t length = body.length;
    for (body.length = 0; body.length < length; body.length++) {
        assert_int_equal(control_message_decode(body, &message), SG_MALFORMED);
    }
    assert_int_equal(control_message_decode(body, &message), SG_OK);
    buffer_free(&frame);
}

static void the_key_that_fits_is_found_among_several(void **state)
{
    const struct tsig_key first = key_of(TSIG_HMAC_SHA256, "first");
    const struct tsig_key second = key_of(TSIG_HMAC_SHA512, "second");
    /* Same secret, another algorithm: rndc and named must agree on both. */
    const struct tsig_key third = key_of(TSIG_HMAC_SHA256, "second");
    const struct tsig_key *const keys[] = {&first, &third, &second};
    const struct tsig_key *found = NULL;
    struct buffer frame = BUFFER_EMPTY;
    struct span body;

    (void)state;
    control_message_encode(&request, &second, &frame);
    struct span whole = {frame.bytes + 4, frame.length - 4};
    assert_int_equal(control_message_verify(whole, keys, 3, &found, &body), SG_OK);
    assert_ptr_equal(found, &second);
    assert_int_equal(control_message_verify(whole, keys, 2, &found, &body), SG_BAD_SIG);
    assert_int_equal(control_message_verify(whole, keys, 0, &found, &body), SG_BAD_SIG);
    buffer_free(&frame);
}

static void another_version_is_told_from_rubbish(void **state)
{
    const struct tsig_key key = key_of(TSIG_HMAC_SHA256, "secret");
    const struct tsig_key *const keys[] = {&key};
    const struct tsig_key *found = NULL;
    struct buffer frame = BUFFER_EMPTY;
    struct span body;

    (void)state;
    control_message_encode(&request, &key, &frame);
    wire_put_u32(frame.bytes + 4, 2);
    struct span whole = {frame.bytes + 4, frame.length - 4};
    assert_int_equal(control_message_verify(whole, keys, 1, &found, &body), SG_UNSUPPORTED);
    buffer_free(&frame);
}

static const struct body_case {
    const char *name;
    const char *hex;
    enum sg_result result;
} bodies[] = {
    {"a request as rndc sends it", request_body, SG_OK},
    {"nothing at all", "", SG_MALFORMED},
    {"no _ctrl", "055f64617461020000000e047479706501000000046e756c6c", SG_MALFORMED},
    {"no _data",
     "055f6374726c0200000021045f736572010000000131045f74696d010000000131045f6578700100"
     "00000131",
     SG_MALFORMED},
    {"entries we do not know are skipped, tables in tables too",
     "0178020000000a01790200000003ffffff055f6374726c0200000021045f73657201000000013104"
     "5f74696d010000000131045f657870010000000131017a030000000101055f64617461020000000e"
     "047479706501000000046e756c6c",
     SG_OK},
    {"a serial that is no number",
     "055f6374726c0200000021045f736572010000000178045f74696d010000000131045f6578700100"
     "00000131055f64617461020000000e047479706501000000046e756c6c",
     SG_MALFORMED},
    {"a serial of more than 32 bits",
     "055f6374726c020000002a045f736572010000000a34323934393637323936045f74696d01000000"
     "0131045f657870010000000131055f64617461020000000e047479706501000000046e756c6c",
     SG_MALFORMED},
    {"no expiry",
     "055f6374726c0200000016045f736572010000000131045f74696d010000000131055f6461746102"
     "0000000e047479706501000000046e756c6c",
     SG_MALFORMED},
    {"no command",
     "055f6374726c0200000021045f736572010000000131045f74696d010000000131045f6578700100"
     "00000131055f646174610200000000",
     SG_MALFORMED},
    {"a length that reaches beyond the table",
     "055f6374726c0200000021045f736572010000000131045f74696d010000000131045f6578700100"
     "00ffff31055f64617461020000000e047479706501000000046e756c6c",
     SG_MALFORMED},
    {"a length of four gigabytes", "055f6374726c02ffffffff", SG_MALFORMED},
    {"rubbish behind the last table",
     "055f6374726c0200000021045f736572010000000131045f74696d010000000131045f6578700100"
     "00000131055f64617461020000000e047479706501000000046e756c6c07",
     SG_MALFORMED},
};

static void is_decoded_or_refused(void **state)
{
    const struct body_case *c = *state;
    struct control_message message = {.serial = 4711};
    struct buffer body = BUFFER_EMPTY;

    assert_int_equal(hex_decode(span_of_text(c->hex), &body), SG_OK);
    assert_int_equal(control_message_decode(buffer_span(&body), &message), c->result);
    if (c->result != SG_OK) {
        assert_int_equal(message.serial, 4711); /* Outputs are set on success only. */
    } else {
        assert_memory_equal(message.command.bytes, "null", 4);
    }
    buffer_free(&body);
}

static struct span random_text(struct random_seeded *random, uint8_t *out_bytes)
{
    size_t length = random_seeded_below(random, TEXT_BYTES);

    for (size_t i = 0; i < length; i++) {
        out_bytes[i] = (uint8_t)random_seeded_below(random, 256);
    }
    return (struct span){out_bytes, length};
}

static void assert_same(struct span a, struct span b)
{
    assert_int_equal(a.length, b.length);
    if (a.length > 0) {
        assert_memory_equal(a.bytes, b.bytes, a.length);
    }
}

static void any_message_comes_back_as_it_was(void **state)
{
    struct random_seeded random = {.state = 20261122};
    const struct tsig_key key = key_of(TSIG_HMAC_SHA384, "any");
    const struct tsig_key *const keys[] = {&key};
    uint8_t texts[5][TEXT_BYTES];

    (void)state;
    for (int round = 0; round < PROPERTY_ROUNDS; round++) {
        struct control_message message = {
            .serial = (uint32_t)random_seeded_u64(&random),
            .made_at = (uint32_t)random_seeded_u64(&random),
            .expires_at = (uint32_t)random_seeded_u64(&random),
            .is_reply = random_seeded_below(&random, 2) == 1,
            .nonce = random_seeded_below(&random, 3),
            .from = random_text(&random, texts[0]),
            .to = random_text(&random, texts[1]),
            .command = random_text(&random, texts[2]),
        };
        if (message.is_reply) {
            message.result = (uint32_t)random_seeded_u64(&random);
            message.error = random_text(&random, texts[3]);
            message.text = random_text(&random, texts[4]);
        }
        struct buffer frame = BUFFER_EMPTY;
        struct control_message back;
        const struct tsig_key *found = NULL;
        struct span body;
        control_message_encode(&message, &key, &frame);
        struct span whole = {frame.bytes + 4, frame.length - 4};
        assert_int_equal(wire_get_u32(frame.bytes), whole.length);
        assert_int_equal(control_message_verify(whole, keys, 1, &found, &body), SG_OK);
        assert_int_equal(control_message_decode(body, &back), SG_OK);
        assert_int_equal(back.serial, message.serial);
        assert_int_equal(back.made_at, message.made_at);
        assert_int_equal(back.expires_at, message.expires_at);
        assert_int_equal(back.nonce, message.nonce);
        assert_int_equal(back.is_reply, message.is_reply);
        assert_int_equal(back.result, message.result);
        assert_same(back.from, message.from);
        assert_same(back.to, message.to);
        assert_same(back.command, message.command);
        assert_same(back.error, message.error);
        assert_same(back.text, message.text);
        buffer_free(&frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere_it_is_refused),
        cmocka_unit_test(the_key_that_fits_is_found_among_several),
        cmocka_unit_test(another_version_is_told_from_rubbish),
        cmocka_unit_test(any_message_comes_back_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_TABLE(macs, is_written_as_rndc_writes_it) +
           RUN_TABLE(macs, changing_any_byte_is_noticed) + RUN_TABLE(bodies, is_decoded_or_refused);
}
