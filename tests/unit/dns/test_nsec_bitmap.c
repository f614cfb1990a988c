#include "base/random.h"
#include "dns/nsec_bitmap.h"
#include "support/table.h"

enum { TYPES_MAX = 64 };

/* The example of RFC 4034 4.3: A MX RRSIG NSEC TYPE1234. */
static void rfc_4034_has_this_example(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x00, 0x06, 0x40, 0x01, 0x00, 0x00, 0x00, 0x03, 0x04, 0x1b, 0, 0, 0, 0, 0, 0, 0, 0,   0,
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0x20};
    const uint16_t types[] = {1, 15, 46, 47, 1234};
    uint8_t bytes[64];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    nsec_bitmap_write(&writer, types, 5);
    assert_false(writer.failed);
    assert_int_equal(writer_length(&writer), sizeof(expected));
    assert_memory_equal(bytes, expected, sizeof(expected));
}

static void a_map_has_the_types_it_was_made_of_and_no_others(void **state)
{
    (void)state;
    struct random_seeded random = {3};
    for (int round = 0; round < 300; round++) {
        uint16_t types[TYPES_MAX];
        size_t count = 0;
        unsigned step = 1 + random_seeded_below(&random, 3000);
        for (unsigned type = random_seeded_below(&random, 300);
             type <= UINT16_MAX && count < TYPES_MAX;
             type += 1 + random_seeded_below(&random, step)) {
            types[count++] = (uint16_t)type;
        }
        uint8_t bytes[NSEC_BITMAP_BYTES_MAX];
        struct writer writer = writer_of(bytes, sizeof(bytes));
        nsec_bitmap_write(&writer, types, count);
        assert_false(writer.failed);
        struct span bitmap = {bytes, writer_length(&writer)};
        assert_true(nsec_bitmap_check(bitmap));
        size_t found = 0;
        for (unsigned type = 0; type <= UINT16_MAX; type++) {
            bool expected = found < count && types[found] == type;
            /* Of the others every eighth, another one each round: all take half a minute. */
            if (expected || type % 8 == (unsigned)round % 8) {
                assert_int_equal(nsec_bitmap_has(bitmap, (uint16_t)type), expected);
            }
            found += expected;
        }
        assert_int_equal(found, count);
    }
}

static void all_types_fit(void **state)
{
    (void)state;
    static uint16_t types[65536];
    static uint8_t bytes[NSEC_BITMAP_BYTES_MAX];
    for (unsigned i = 0; i < 65536; i++) {
        types[i] = (uint16_t)i;
    }
    struct writer writer = writer_of(bytes, sizeof(bytes));
    nsec_bitmap_write(&writer, types, 65536);
    assert_false(writer.failed);
    assert_int_equal(writer_length(&writer), NSEC_BITMAP_BYTES_MAX);
}

#define WIRE(text) text, sizeof(text) - 1
static const struct check_case {
    const char *name;
    const char *bitmap;
    size_t length;
    bool good;
} cases[] = {
    {"empty", WIRE(""), true},
    {"one window", WIRE("\0\1\x40"), true},
    {"two windows", WIRE("\0\1\x40\1\1\x40"), true},
    {"windows that descend", WIRE("\1\1\x40\0\1\x40"), false},
    {"a window twice", WIRE("\0\1\x40\0\1\x40"), false},
    {"an empty window", WIRE("\0\0"), false},
    {"33 bytes",
     WIRE("\0\x21"
          "123456789012345678901234567890123"),
     false},
    {"32 bytes",
     WIRE("\0\x20"
          "12345678901234567890123456789012"),
     true},
    {"a zero byte at the end", WIRE("\0\2\x40\0"), false},
    {"cut short", WIRE("\0\2\x40"), false},
    {"cut short by far", WIRE("\0\x1f\x40\x40\x40"), false},
    {"half a header", WIRE("\0"), false},
};

static void maps_from_outside_are_checked(void **state)
{
    const struct check_case *c = *state;
    struct span bitmap = {(const uint8_t *)c->bitmap, c->length};
    assert_int_equal(nsec_bitmap_check(bitmap), c->good);
    nsec_bitmap_has(bitmap, 300); /* stays within bounds in any case */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4034_has_this_example),
        cmocka_unit_test(a_map_has_the_types_it_was_made_of_and_no_others),
        cmocka_unit_test(all_types_fit),
    };
    return RUN_TABLE(cases, maps_from_outside_are_checked) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
