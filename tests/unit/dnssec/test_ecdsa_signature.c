#include "base/random.h"
#include "dnssec/ecdsa_signature.h"
#include "support/table.h"

/* clang-format off */
static const struct der_case {
    const char *name;
    size_t length;
    uint8_t der[16];
} broken[] = {
    {"no bytes at all",                 0, {0}},
    {"not a sequence",                  8, {0x31, 6, 2, 1, 1, 2, 1, 1}},
    {"a length beyond the end",         8, {0x30, 7, 2, 1, 1, 2, 1, 1}},
    {"a length before the end",         8, {0x30, 5, 2, 1, 1, 2, 1, 1}},
    {"one number only",                 5, {0x30, 3, 2, 1, 1}},
    {"a third number",                 11, {0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1}},
    {"a number that is not an integer", 8, {0x30, 6, 3, 1, 1, 2, 1, 1}},
    {"a number that runs past the end", 8, {0x30, 6, 2, 1, 1, 2, 2, 1}},
    {"a number that is too long",      10, {0x30, 8, 2, 3, 1, 1, 1, 2, 1, 1}},
};
/* clang-format on */

static void broken_der_is_refused(void **state)
{
    const struct der_case *c = *state;
    uint8_t raw[4];
    assert_false(ecdsa_signature_from_der((struct span){c->der, c->length}, 2, raw));
}

static void leading_zeros_are_restored(void **state)
{
    (void)state;
    static const uint8_t der[] = {0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 2};
    static const uint8_t expected[] = {0, 0x80, 1, 2};
    uint8_t raw[4];
    assert_true(ecdsa_signature_from_der((struct span){der, sizeof(der)}, 2, raw));
    assert_memory_equal(raw, expected, sizeof(raw));
}

static void der_and_raw_are_inverse(void **state)
{
    (void)state;
    struct random_seeded random = {0x51913};
    for (int round = 0; round < 20000; round++) {
        uint8_t raw[2 * ECDSA_NUMBER_BYTES_MAX], again[2 * ECDSA_NUMBER_BYTES_MAX];
        uint8_t der[ECDSA_DER_BYTES_MAX];
        size_t number_bytes = round % 2 == 0 ? 32 : 48;
        for (size_t i = 0; i < 2 * number_bytes; i++) {
            /* Mostly zeros at times, so that short numbers come as well. */
            raw[i] = round % 3 == 0 && i % 7 != 6 ? 0 : (uint8_t)random_seeded_u64(&random);
        }
        size_t length = ecdsa_signature_to_der(raw, number_bytes, der);
        assert_true(ecdsa_signature_from_der((struct span){der, length}, number_bytes, again));
        assert_memory_equal(raw, again, 2 * number_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leading_zeros_are_restored),
        cmocka_unit_test(der_and_raw_are_inverse),
    };
    return RUN_TABLE(broken, broken_der_is_refused) + cmocka_run_group_tests(tests, NULL, NULL);
}
