#include "base/buffer.h"
#include "support/table.h"

static void a_buffer_grows_and_stays_a_text(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER_EMPTY;
    assert_string_equal(buffer_text(&buffer), "");
    for (int i = 0; i < 1000; i++) {
        buffer_format(&buffer, "%d,", i);
    }
    assert_memory_equal(buffer_text(&buffer), "0,1,2,", 6);
    assert_int_equal(strlen(buffer_text(&buffer)), buffer.length);
    buffer_clear(&buffer);
    buffer_append_u8(&buffer, 1);
    buffer_append_u16(&buffer, 0x0203);
    buffer_append_u32(&buffer, 0x04050607);
    assert_memory_equal(buffer.bytes, "\1\2\3\4\5\6\7", 7);
    buffer_wipe(&buffer);
    assert_null(buffer.bytes);
}

static void nothing_at_all_can_be_read(void **state)
{
    (void)state;
    struct reader reader = reader_of((struct span){NULL, 0});
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_u8(&reader), 0);
    assert_true(reader.failed);
}

static void a_reader_keeps_its_first_error(void **state)
{
    (void)state;
    struct reader reader = reader_of((struct span){(const uint8_t *)"\1\2\3", 3});
    assert_int_equal(reader_u16(&reader), 0x0102);
    assert_int_equal(reader_u16(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(reader_u8(&reader), 0); /* one byte is left, but the error stands */
    assert_null(reader_span(&reader, 0).bytes);
}

static void a_writer_never_writes_past_its_end(void **state)
{
    (void)state;
    uint8_t bytes[4] = {0, 0, 0, 99};
    struct writer writer = writer_of(bytes, 3);
    writer_u16(&writer, 0x0102);
    writer_u16(&writer, 0x0304);
    assert_true(writer.failed);
    writer_u8(&writer, 5);
    assert_int_equal(writer_length(&writer), 2);
    assert_int_equal(bytes[3], 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_and_stays_a_text),
        cmocka_unit_test(nothing_at_all_can_be_read),
        cmocka_unit_test(a_reader_keeps_its_first_error),
        cmocka_unit_test(a_writer_never_writes_past_its_end),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
