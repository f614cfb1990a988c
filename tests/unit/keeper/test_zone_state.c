#include "base/mem.h"
#include "keeper/zone_state.h"
#include "support/table.h"

static void everything_comes_back(void **state)
{
    (void)state;
    struct file_stamp files[2] = {
        {.path = (char *)(uintptr_t) "/zones/a",
         .device = 1,
         .inode = UINT64_MAX,
         .bytes = 3,
         .modified_ns = -4},
        {.path = (char *)(uintptr_t) "b", .modified_ns = INT64_MAX},
    };
    struct resign_cursor cursor = {
        .started = true, .nsec3 = true, .length = 3, .owner = {2, 'a', 'b'}};
    struct zone_state from = {
        .files = {files, 2},
        .loaded_at = 1767225600,
        .refused_at = 1767225601,
        .keys_fingerprint = UINT64_MAX,
        .frozen = true,
        .campaign = true,
        .cursor = &cursor,
        .clock_at = 1767225700,
        .clock_doubted = true,
        .unheard_since = 4711,
        .went_back = 1000,
        .restore = UINT64_C(1) << 40 | 1,
        .unheard_doubted = true,
        .ahead_of_file = true,
        .ambiguous = true,
        .timers = BUFFER_EMPTY,
        .told = BUFFER_EMPTY,
    };
    buffer_append(&from.timers, "timers", 6);
    buffer_append(&from.told, "told", 4);
    struct buffer bytes = BUFFER_EMPTY;
    struct zone_state to;
    zone_state_encode(&from, &bytes);
    assert_int_equal(zone_state_decode(buffer_span(&bytes), &to), SG_OK);
    assert_int_equal(to.files.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(to.files.files[i].path, files[i].path);
        assert_int_equal(to.files.files[i].device, files[i].device);
        assert_true(to.files.files[i].inode == files[i].inode);
        assert_int_equal(to.files.files[i].bytes, files[i].bytes);
        assert_true(to.files.files[i].modified_ns == files[i].modified_ns);
    }
    assert_int_equal(to.loaded_at, from.loaded_at);
    assert_int_equal(to.refused_at, from.refused_at);
    assert_true(to.keys_fingerprint == from.keys_fingerprint);
    assert_true(to.frozen && to.campaign && to.cursor->started && to.cursor->nsec3);
    assert_int_equal(to.cursor->length, 3);
    assert_memory_equal(to.cursor->owner, cursor.owner, 3);
    assert_int_equal(to.clock_at, 1767225700);
    assert_true(to.clock_doubted && to.ahead_of_file && to.ambiguous);
    assert_int_equal(to.unheard_since, 4711);
    assert_int_equal(to.went_back, 1000);
    assert_true(to.restore == (UINT64_C(1) << 40 | 1));
    assert_true(to.unheard_doubted);
    assert_int_equal(to.timers.length, 6);
    assert_memory_equal(to.timers.bytes, "timers", 6);
    assert_int_equal(to.told.length, 4);
    assert_memory_equal(to.told.bytes, "told", 4);
    zone_state_clear(&to);
    buffer_free(&from.timers);
    buffer_free(&from.told);
    buffer_free(&bytes);
}

static void an_empty_state_comes_back(void **state)
{
    (void)state;
    struct zone_state from = {.timers = BUFFER_EMPTY, .told = BUFFER_EMPTY}, to;
    struct buffer bytes = BUFFER_EMPTY;
    zone_state_encode(&from, &bytes);
    assert_int_equal(zone_state_decode(buffer_span(&bytes), &to), SG_OK);
    assert_int_equal(to.files.count, 0);
    assert_false(to.frozen || to.campaign);
    zone_state_clear(&to);
    buffer_free(&bytes);
}

static void a_copy_of_stamps_is_its_own(void **state)
{
    (void)state;
    struct file_stamp file = {.path = (char *)(uintptr_t) "a", .bytes = 5};
    const struct file_stamps from = {&file, 1};
    struct file_stamps copy;
    file_stamps_copy(&from, &copy);
    assert_int_equal(copy.count, 1);
    assert_ptr_not_equal(copy.files[0].path, file.path);
    assert_string_equal(copy.files[0].path, "a");
    assert_int_equal(copy.files[0].bytes, 5);
    file_stamps_clear(&copy);
    assert_int_equal(copy.count, 0);
}

struct row {
    const char *name;
    char bytes[64];
    size_t length;
    enum sg_result wanted;
    bool frozen;
};

static const struct row rows[] = {
    {"nothing", {0}, 0, SG_OK, false},
    {"frozen", {0, 4, 0, 0}, 4, SG_OK, true},
    {"a later release's field is passed over",
     {0, 99, 0, 2, 'x', 'y', 0, 4, 0, 0},
     10,
     SG_OK,
     true},
    {"half a tag", {0}, 1, SG_MALFORMED, false},
    {"a tag without a length", {0, 4, 0}, 3, SG_MALFORMED, false},
    {"a field that runs past the end", {0, 4, 0, 1}, 4, SG_MALFORMED, false},
    {"a time of seven bytes", {0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 0}, 11, SG_MALFORMED, false},
    {"keys of half a fingerprint", {0, 3, 0, 4, 0, 0, 0, 0}, 8, SG_MALFORMED, false},
    {"a file without a name", {0, 1, 0, 32}, 36, SG_MALFORMED, false},
    {"a file whose name has a zero", {0, 1, 0, 34, [36] = 'a'}, 38, SG_MALFORMED, false},
    {"a campaign of one byte", {0, 5, 0, 1, 1}, 5, SG_MALFORMED, false},
    {"a campaign at no name", {0, 5, 0, 5, 1, 0, 3, 'a', 'b'}, 9, SG_MALFORMED, false},
    {"a campaign at empty labels", {0, 5, 0, 6, 1, 0}, 10, SG_MALFORMED, false},
    {"good, then broken", {0, 1, 0, 33, [36] = 'a', 0, 4, 0}, 40, SG_MALFORMED, false},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct zone_state to;
    /* A copy of the right length, so that reading past it is seen. */
    uint8_t *bytes = mem_copy(row->bytes, row->length + (row->length == 0));
    assert_int_equal(zone_state_decode((struct span){bytes, row->length}, &to), row->wanted);
    if (row->wanted == SG_OK) {
        assert_int_equal(to.frozen, row->frozen);
        zone_state_clear(&to);
    }
    mem_free(bytes);
}

static void a_cursor_longer_than_a_name_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[4 + 2 + 300] = {0, 5, 302 >> 8, 302 & 0xff, 1, 0};
    struct zone_state to;
    assert_int_equal(zone_state_decode((struct span){bytes, sizeof(bytes)}, &to), SG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(an_empty_state_comes_back),
        cmocka_unit_test(a_copy_of_stamps_is_its_own),
        cmocka_unit_test(a_cursor_longer_than_a_name_is_refused),
    };
    return RUN_TABLE(rows, check_row) +
           cmocka_run_group_tests_name("zone_state", tests, NULL, NULL);
}
