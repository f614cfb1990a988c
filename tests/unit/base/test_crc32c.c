#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/random.h"
#include "support/table.h"

/* clang-format off */
/* RFC 3720 B.4, and the check value that catalogues of CRCs give. */
static const struct vector {
    const char *name;
    int first, step; /* of 32 bytes; `text` NULL */
    const char *text;
    uint32_t crc;
} vectors[] = {
    {"32 bytes of zeros",  0x00, 0,  NULL,        0x8a9136aa},
    {"32 bytes of ones",   0xff, 0,  NULL,        0x62a8ab43},
    {"32 bytes ascending", 0x00, 1,  NULL,        0x46dd794e},
    {"32 bytes descending", 31,  -1, NULL,        0x113fdb5c},
    {"nine digits",        0,    0,  "123456789", 0xe3069283},
    {"nothing",            0,    0,  "",          0},
};
/* clang-format on */

static void gives_the_published_value(void **state)
{
    const struct vector *v = *state;
    uint8_t bytes[32];
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)(v->first + i * v->step);
    }
    const void *from = v->text != NULL ? (const void *)v->text : bytes;
    size_t length = v->text != NULL ? strlen(v->text) : sizeof(bytes);
    assert_int_equal(crc32c(0, from, length), v->crc);
    assert_int_equal(crc32c_by_tables(0, from, length), v->crc);
}

static void pieces_and_both_ways_agree(void **state)
{
    struct random_seeded random = {1};
    uint8_t bytes[300];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)random_seeded_u64(&random);
    }
    for (size_t start = 0; start < 9; start++) {
        for (size_t length = 0; length < sizeof(bytes) - start; length += 1 + length / 7) {
            uint32_t whole = crc32c(0, bytes + start, length);
            size_t cut = random_seeded_below(&random, (uint32_t)length + 1);
            uint32_t first = crc32c_by_tables(0, bytes + start, cut);
            assert_int_equal(crc32c(first, bytes + start + cut, length - cut), whole);
            assert_int_equal(crc32c_by_tables(0, bytes + start, length), whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_and_both_ways_agree),
    };
    int failed = RUN_TABLE(vectors, gives_the_published_value);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
