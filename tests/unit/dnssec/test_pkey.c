#include "dnssec/pkey.h"
#include "support/table.h"

/* clang-format off */
static const struct pair_case {
    const char *name;
    uint8_t algorithm;
    unsigned bits;
    size_t public_bytes;
} pairs[] = {
    {"RSASHA256 by RFC 3110",  DNSSEC_RSASHA256,       1024, 1 + 3 + 128},
    {"RSASHA512 by RFC 3110",  DNSSEC_RSASHA512,       1536, 1 + 3 + 192},
    {"P-256 by RFC 6605",      DNSSEC_ECDSAP256SHA256,  256, 64},
    {"P-384 by RFC 6605",      DNSSEC_ECDSAP384SHA384,  384, 96},
    {"Ed25519 by RFC 8080",    DNSSEC_ED25519,          256, 32},
    {"Ed448 by RFC 8080",      DNSSEC_ED448,            456, 57},
};

static const struct public_case {
    const char *name;
    uint8_t algorithm;
    size_t length; /* zeros behind the bytes given */
    uint8_t bytes[8];
    enum sg_result result;
} publics[] = {
    {"RSA without bytes",                  8,   0, {0},                SG_MALFORMED},
    {"RSA whose exponent runs over",       8,   4, {9, 1, 0, 1},       SG_MALFORMED},
    {"RSA with an exponent of one",        8, 140, {1, 1, 0x80},       SG_MALFORMED},
    {"RSA with an even exponent",          8, 140, {1, 4, 0x80},       SG_MALFORMED},
    {"RSA with a long exponent length",    8, 140, {0, 0, 1, 3, 0x80}, SG_OK},
    {"RSA with a modulus of 4104 bits",    8, 515, {1, 3, 0x80},       SG_LIMIT},
    {"RSA with a modulus of zero",         8, 140, {1, 3},             SG_MALFORMED},
    {"P-256 with a byte too few",         13,  63, {1},                SG_MALFORMED},
    {"Ed25519 with a byte too many",      15,  33, {1},                SG_MALFORMED},
    {"an algorithm that is not known",     3,  32, {1},                SG_UNSUPPORTED},
};
/* clang-format on */

static void a_generated_pair_belongs_together(void **state)
{
    const struct pair_case *c = *state;
    struct buffer public_key = BUFFER_EMPTY, other_key = BUFFER_EMPTY;
    struct signing_key_secret *secret, *other;
    unsigned bits;

    assert_int_equal(pkey_generate(c->algorithm, c->bits, &public_key, &secret), SG_OK);
    assert_int_equal(pkey_generate(c->algorithm, c->bits, &other_key, &other), SG_OK);
    assert_int_equal(public_key.length, c->public_bytes);
    assert_int_equal(pkey_public_bits(c->algorithm, buffer_span(&public_key), &bits), SG_OK);
    assert_int_equal(bits, c->bits);
    assert_int_equal(pkey_check_pair(secret, buffer_span(&public_key)), SG_OK);
    assert_int_not_equal(pkey_check_pair(secret, buffer_span(&other_key)), SG_OK);
    key_secret_unref(secret);
    key_secret_unref(other);
    buffer_free(&public_key);
    buffer_free(&other_key);
}

static void public_bytes_are_checked(void **state)
{
    const struct public_case *c = *state;
    uint8_t bytes[600] = {0};
    unsigned bits;
    memcpy(bytes, c->bytes, sizeof(c->bytes));
    assert_int_equal(pkey_public_bits(c->algorithm, (struct span){bytes, c->length}, &bits),
                     c->result);
}

static void a_point_off_the_curve_is_refused(void **state)
{
    (void)state;
    uint8_t point[64] = {1, 2, 3};
    EVP_PKEY *pkey;
    assert_int_equal(
        pkey_import_public(NULL, DNSSEC_ECDSAP256SHA256, (struct span){point, 64}, &pkey),
        SG_CRYPTO);
}

static void rsa_numbers_out_of_shape_are_refused(void **state)
{
    (void)state;
    struct buffer public_key = BUFFER_EMPTY;
    struct signing_key_secret *secret;
    assert_int_equal(pkey_generate(DNSSEC_RSASHA256, 1024, &public_key, &secret), SG_OK);
    for (size_t i = 0; i < KEY_SECRET_PARTS; i++) {
        struct span parts[KEY_SECRET_PARTS];
        memcpy(parts, secret->parts, sizeof(parts));
        parts[i] = (struct span){(const uint8_t *)"\x10", 1};
        struct signing_key_secret *odd = key_secret_new(DNSSEC_RSASHA256, parts);
        enum sg_result result = pkey_check_pair(odd, buffer_span(&public_key));
        /* A wrong CRT number is found out by the signature, or healed by the private exponent. */
        if (i <= KEY_SECRET_PUBLIC_EXPONENT || i == KEY_SECRET_PRIME1 || i == KEY_SECRET_PRIME2) {
            assert_int_equal(result, SG_BAD_KEY);
        }
        key_secret_unref(odd);
    }
    key_secret_unref(secret);
    buffer_free(&public_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_off_the_curve_is_refused),
        cmocka_unit_test(rsa_numbers_out_of_shape_are_refused),
    };
    return RUN_TABLE(pairs, a_generated_pair_belongs_together) +
           RUN_TABLE(publics, public_bytes_are_checked) + cmocka_run_group_tests(tests, NULL, NULL);
}
