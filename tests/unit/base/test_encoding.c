#include "base/encoding.h"
#include "base/random.h"
#include "support/table.h"

/* RFC 4648 section 10, and what must be refused. */
/* clang-format off */
static const struct base64_case {
    const char *name;
    const char *bytes;
    const char *text;
    enum sg_result result;
} cases[] = {
    {"empty",                      "",       "",         SG_OK},
    {"one byte",                   "f",      "Zg==",     SG_OK},
    {"two bytes",                  "fo",     "Zm8=",     SG_OK},
    {"three bytes",                "foo",    "Zm9v",     SG_OK},
    {"six bytes",                  "foobar", "Zm9vYmFy", SG_OK},
    {"white space is skipped",     "foobar", "Zm9v \tYm Fy\n", SG_OK},
    {"no padding",                 "",       "Zg",       SG_MALFORMED},
    {"too much padding",           "",       "Zg===",    SG_MALFORMED},
    {"padding inside",             "",       "Zg==Zg==", SG_MALFORMED},
    {"bits behind the last byte",  "",       "Zh==",     SG_MALFORMED},
    {"another alphabet",           "",       "Zm9-",     SG_MALFORMED},
};
/* clang-format on */

static void base64_follows_rfc_4648(void **state)
{
    const struct base64_case *c = *state;
    struct buffer out = BUFFER_EMPTY;
    assert_int_equal(base64_decode(span_of_text(c->text), &out), c->result);
    assert_string_equal(buffer_text(&out), c->bytes);
    buffer_free(&out);
}

static void what_is_encoded_decodes_to_itself(void **state)
{
    (void)state;
    struct random_seeded random = {11};
    for (int round = 0; round < 500; round++) {
        uint8_t bytes[64];
        size_t length = random_seeded_below(&random, sizeof(bytes));
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)random_seeded_u64(&random);
        }
        struct span span = {bytes, length};
        struct buffer text = BUFFER_EMPTY;
        struct buffer back = BUFFER_EMPTY;
        base64_encode(span, &text);
        assert_int_equal(base64_decode(buffer_span(&text), &back), SG_OK);
        assert_int_equal(back.length, length);
        assert_memory_equal(buffer_text(&back), bytes, length);
        buffer_clear(&text);
        buffer_clear(&back);
        hex_encode(span, &text);
        assert_int_equal(hex_decode(buffer_span(&text), &back), SG_OK);
        assert_int_equal(back.length, length);
        assert_memory_equal(buffer_text(&back), bytes, length);
        buffer_clear(&back);
        char base32[128];
        size_t characters = base32hex_encode(bytes, length, base32);
        assert_int_equal(characters, (length * 8 + 4) / 5);
        assert_int_equal(base32hex_decode((struct span){(uint8_t *)base32, characters}, &back),
                         SG_OK);
        assert_int_equal(back.length, length);
        assert_memory_equal(buffer_text(&back), bytes, length);
        buffer_free(&text);
        buffer_free(&back);
    }
}

static void base32hex_is_that_of_rfc_4648(void **state)
{
    (void)state;
    char text[16];
    size_t length = base32hex_encode((const uint8_t *)"foobar", 6, text);
    assert_int_equal(length, 10);
    assert_memory_equal(text, "cpnmuoj1e8", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base32hex_is_that_of_rfc_4648),
        cmocka_unit_test(what_is_encoded_decodes_to_itself),
    };
    int failed = RUN_TABLE(cases, base64_follows_rfc_4648);
    return failed + cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
