#include "dnssec/algorithm.h"
#include "support/table.h"

/* clang-format off */
static const struct name_case {
    const char *name;
    const char *text;
    enum sg_result result;
    unsigned number;
} name_cases[] = {
    {"a mnemonic",                          "ECDSAP256SHA256", SG_OK, 13},
    {"a mnemonic in any case",              "ed25519",         SG_OK, 15},
    {"a number",                            "8",               SG_OK, 8},
    {"a short form of ECDSA",               "ecdsa384",        SG_OK, 14},
    {"an algorithm that only reads",        "NSEC3RSASHA1",    SG_OK, 7},
    {"a number that nobody signs with",     "3",               SG_UNSUPPORTED, 0},
    {"a number with something behind",      "8x",              SG_MALFORMED, 0},
    {"a number above 255",                  "256",             SG_MALFORMED, 0},
    {"a negative number",                   "-8",              SG_MALFORMED, 0},
    {"an unknown word",                     "DSA",             SG_MALFORMED, 0},
    {"nothing",                             "",                SG_MALFORMED, 0},
};

static const struct bits_case {
    const char *name;
    unsigned algorithm, asked;
    enum sg_result result;
    unsigned bits;
} bits_cases[] = {
    {"RSA keys have 2048 bits unless told",    8,    0, SG_OK, 2048},
    {"RSA keys may have 4096 bits",           10, 4096, SG_OK, 4096},
    {"RSA keys have no more",                  8, 4097, SG_LIMIT, 0},
    {"RSA keys below 1024 bits are not made",  8, 1023, SG_LIMIT, 0},
    {"P-256 has one size, whatever is asked", 13, 2048, SG_OK, 256},
    {"Ed448 counts its 57 bytes",             16,    0, SG_OK, 456},
    {"an unknown algorithm has no size",       3,    0, SG_UNSUPPORTED, 0},
};
/* clang-format on */

static void is_read_from_text(void **state)
{
    const struct name_case *c = *state;
    uint8_t number = 0;
    assert_int_equal(dnssec_algorithm_from_text(c->text, &number), c->result);
    assert_int_equal(number, c->number);
}

static void has_a_size(void **state)
{
    const struct bits_case *c = *state;
    unsigned bits = 0;
    assert_int_equal(dnssec_algorithm_bits(c->algorithm, c->asked, &bits), c->result);
    assert_int_equal(bits, c->bits);
}

static void text_and_number_are_inverse(void **state)
{
    (void)state;
    unsigned known = 0;
    for (unsigned number = 0; number < 256; number++) {
        uint8_t again;
        if (!dnssec_algorithm_is_known(number)) {
            assert_string_equal(dnssec_algorithm_text(number), "?");
            continue;
        }
        known++;
        assert_int_equal(dnssec_algorithm_from_text(dnssec_algorithm_text(number), &again), SG_OK);
        assert_int_equal(again, number);
    }
    assert_int_equal(known, 8);
}

static void sha1_keys_are_used_but_not_made(void **state)
{
    (void)state;
    assert_true(dnssec_algorithm_is_known(5) && !dnssec_algorithm_can_generate(5));
    assert_true(dnssec_algorithm_is_known(7) && !dnssec_algorithm_can_generate(7));
    assert_false(dnssec_algorithm_allows_nsec3(5));
    assert_true(dnssec_algorithm_allows_nsec3(7));
    assert_true(dnssec_algorithm_is_rsa(10) && !dnssec_algorithm_is_rsa(13));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_number_are_inverse),
        cmocka_unit_test(sha1_keys_are_used_but_not_made),
    };
    return RUN_TABLE(name_cases, is_read_from_text) + RUN_TABLE(bits_cases, has_a_size) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
