#include "base/siphash.h"
#include "support/table.h"

/* The reference vectors of the paper's appendix: key 00 01 ... 0f, message 00 01 ... */
static void reference_vectors_come_out(void **state)
{
    (void)state;
    uint8_t key[16];
    uint8_t message[15];
    for (uint8_t i = 0; i < 16; i++) {
        key[i] = i;
    }
    for (uint8_t i = 0; i < 15; i++) {
        message[i] = i;
    }
    assert_true(siphash(key, message, 15) == 0xa129ca6149be45e5u);
    assert_true(siphash(key, message, 0) == 0x726fdb47dd0e0e31u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reference_vectors_come_out)};
    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
