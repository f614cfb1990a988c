#include "store/commit.h"
#include "support/table.h"

static const struct store_commit_record sample = {
    .number = 0x0102030405060708,
    .at = -1,
    .serial = 0xfffffffe,
    .source_serial = 7,
    .flags = STORE_COMMIT_BREAKS,
    .state = {(const uint8_t *)"keys", 4},
    .changeset = {(const uint8_t *)"what changed", 12},
};

static void a_record_comes_back_as_it_went(void **state)
{
    (void)state;
    struct buffer bytes = BUFFER_EMPTY;
    struct store_commit_record record;
    buffer_append_text(&bytes, "before");
    store_commit_encode(&sample, &bytes);
    assert_int_equal(bytes.length, 6 + STORE_COMMIT_HEADER_BYTES + 4 + 12);
    struct span span = {bytes.bytes + 6, bytes.length - 6};
    assert_int_equal(store_commit_decode(span, &record), SG_OK);
    assert_true(record.number == sample.number && record.at == sample.at);
    assert_true(record.serial == sample.serial && record.source_serial == sample.source_serial);
    assert_int_equal(record.flags, sample.flags);
    assert_int_equal(record.state.length, 4);
    assert_memory_equal(record.state.bytes, "keys", 4);
    assert_int_equal(record.changeset.length, 12);
    assert_memory_equal(record.changeset.bytes, "what changed", 12);
    buffer_free(&bytes);
}

static void an_empty_state_and_changeset_are_a_record(void **state)
{
    (void)state;
    struct buffer bytes = BUFFER_EMPTY;
    struct store_commit_record record = {.number = 1};
    store_commit_encode(&record, &bytes);
    assert_int_equal(store_commit_decode(buffer_span(&bytes), &record), SG_OK);
    assert_int_equal(record.state.length + record.changeset.length, 0);
    buffer_free(&bytes);
}

static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct buffer bytes = BUFFER_EMPTY;
    struct store_commit_record record;
    store_commit_encode(&sample, &bytes);
    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum sg_result result = store_commit_decode(buffer_span(&bytes), &record);
        bool is_format = bit / 8 >= 4 && bit / 8 < 8;
        assert_int_equal(result, is_format ? SG_UNSUPPORTED : SG_MALFORMED);
        bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(store_commit_decode(buffer_span(&bytes), &record), SG_OK);
    buffer_free(&bytes);
}

static void every_shorter_or_longer_record_is_seen(void **state)
{
    (void)state;
    struct buffer bytes = BUFFER_EMPTY;
    struct store_commit_record record;
    store_commit_encode(&sample, &bytes);
    for (size_t length = 0; length < bytes.length; length++) {
        struct span span = {bytes.bytes, length};
        assert_int_equal(store_commit_decode(span, &record), SG_MALFORMED);
    }
    buffer_append_u8(&bytes, 0);
    assert_int_equal(store_commit_decode(buffer_span(&bytes), &record), SG_MALFORMED);
    buffer_free(&bytes);
}

static void a_manifest_holds_a_small_image_or_names_a_file(void **state)
{
    (void)state;
    struct buffer bytes = BUFFER_EMPTY;
    struct span image;
    store_manifest_encode(span_of_text("small"), &bytes);
    assert_int_equal(store_manifest_decode(buffer_span(&bytes), &image), SG_OK);
    assert_int_equal(image.length, 5);
    assert_memory_equal(image.bytes, "small", 5);
    assert_true(bytes.length > STORE_MANIFEST_FILE_BYTES);
    buffer_clear(&bytes);
    store_manifest_encode((struct span){NULL, 0}, &bytes);
    assert_int_equal(bytes.length, STORE_MANIFEST_FILE_BYTES);
    assert_int_equal(store_manifest_decode(buffer_span(&bytes), &image), SG_OK);
    assert_null(image.bytes);
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.bytes[i] ^= 0x40;
        assert_int_not_equal(store_manifest_decode(buffer_span(&bytes), &image), SG_OK);
        bytes.bytes[i] ^= 0x40;
    }
    buffer_free(&bytes);
}

static void numbers_in_keys_sort_as_bytes(void **state)
{
    (void)state;
    uint8_t low[8], high[8];
    store_put_u64(low, 0x00000001ffffffff);
    store_put_u64(high, 0x0000000200000000);
    assert_true(memcmp(low, high, sizeof(low)) < 0);
    assert_true(store_get_u64(low) == 0x00000001ffffffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_went),
        cmocka_unit_test(an_empty_state_and_changeset_are_a_record),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(every_shorter_or_longer_record_is_seen),
        cmocka_unit_test(a_manifest_holds_a_small_image_or_names_a_file),
        cmocka_unit_test(numbers_in_keys_sort_as_bytes),
    };
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
