#include <stdio.h>

#include "answer/nsec3_memo.h"
#include "base/random.h"
#include "support/table.h"

enum { ASKED = 20000, NAMES = 400 };

/* Few names, several parameters, again and again: each time what the hasher itself says. */
static void a_remembered_hash_is_the_hash(void **state)
{
    struct nsec3_hasher *hasher = nsec3_hasher_new();
    struct random_seeded random = {4711};
    (void)state;
    for (int i = 0; i < ASKED; i++) {
        struct nsec3_params params = {.algorithm = 1};
        struct dns_name name;
        char text[256];
        uint8_t expected[NSEC3_HASH_BYTES], got[NSEC3_HASH_BYTES];
        params.iterations = (uint16_t)random_seeded_below(&random, 2);
        params.salt_length = (uint8_t)(random_seeded_below(&random, 3) * 5);
        params.salt[0] = (uint8_t)random_seeded_below(&random, 2);
        uint32_t number = random_seeded_below(&random, NAMES);
        snprintf(text, sizeof(text), "%0*u.example.", 1 + (int)(number % 60), number);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
        nsec3_hash(hasher, &params, name.wire, name.length, expected);
        nsec3_memo_hash(hasher, &params, name.wire, name.length, got);
        assert_memory_equal(got, expected, NSEC3_HASH_BYTES);
    }
    nsec3_hasher_free(hasher);
}

/* RFC 5155 appendix A. */
static void the_hash_of_example_is_that_of_rfc_5155(void **state)
{
    struct nsec3_hasher *hasher = nsec3_hasher_new();
    struct nsec3_params params = {1, 0, 12, 4, {0xaa, 0xbb, 0xcc, 0xdd}};
    static const uint8_t begin[] = {0x06, 0x53, 0x68, 0xab}; /* 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom */
    uint8_t got[NSEC3_HASH_BYTES];
    (void)state;
    for (int again = 0; again < 2; again++) {
        memset(got, 0, sizeof(got));
        nsec3_memo_hash(hasher, &params, (const uint8_t *)"\7example", 9, got);
        assert_memory_equal(got, begin, sizeof(begin));
    }
    nsec3_hasher_free(hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_remembered_hash_is_the_hash),
        cmocka_unit_test(the_hash_of_example_is_that_of_rfc_5155),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
