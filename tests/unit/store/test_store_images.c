/* Which images stay, and which go, when the disk fails; the files of them: test_image_file.c. */
#include "store/store_scene.h"

static void assert_image(const struct store_io *io, uint64_t zone, uint64_t number,
                         const char *text)
{
    char bytes[16] = "";
    struct store_image *image;
    assert_int_equal(io->image_open(io->argument, zone, number, &image), SG_OK);
    size_t length = io->image_read(image, (uint8_t *)bytes, sizeof(bytes) - 1);
    io->image_close(image);
    assert_int_equal(length, strlen(text));
    assert_string_equal(bytes, text);
}

/* Else the room that is missing would be taken by what nobody names. Who tries again writes anew.
 */
static void the_image_of_a_failed_commit_goes_and_the_one_before_stays(void **state)
{
    (void)state;
    start(false);
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a");
    write_image(io, a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    for (uint64_t at = 1; at <= 4; at++) {
        write_image(io, a, 2, "two");
        set_fault((struct fake_disk_fault){.at = at, .result = SG_IO});
        assert_int_equal(commit_image(store, a, 2, "", 0), SG_IO);
        assert_true(has_image(io, a, 1));
        assert_false(has_image(io, a, 2));
    }
    write_image(io, a, 2, "two");
    assert_int_equal(commit_image(store, a, 2, "", 0), SG_OK);
    assert_true(has_image(io, a, 2));
    assert_false(has_image(io, a, 1));
}

/* The disk has the meta page that could not be written, but the system's memory the one before: all
 * looks as if the commit had failed, until the power is lost. Whoever was told that it failed
 * writes another image under the name of the first. */
static void a_commit_that_a_crash_brings_back_has_its_own_image(void **state)
{
    (void)state;
    enum { WRITES_OF_AN_IMAGE = 5 };
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    write_image(store_images(store), a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    write_image(store_images(store), a, 2, "two");
    struct store_request request = commit_request(a, 2, &text);
    request.record.flags = STORE_COMMIT_IMAGE;
    request.reply = &box;
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_AN_IMAGE, .result = SG_IN_DOUBT, .goes_on = true, .haunts = true});
    store_submit(store, &request);
    assert_int_equal(commit(store, a, 2), SG_IO); /* the store looks once more, in vain */
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
        fake_disk_heal(disk);
        write_image(store_images(store), a, 2, "other");
    }
    store_free(store);
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
    }
    fake_disk_crash(disk);
    start(false);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_int_equal(zone->image_number, 2); /* so it is back */
    store_zone_free(zone);
    assert_image(store_images(store), a, 2, "two");
    mailbox_clear(&box);
}

/* The same of an image that was made while commits went on: it is not removed too soon. */
static void an_image_that_a_crash_brings_back_is_there(void **state)
{
    (void)state;
    enum { WRITES_OF_AN_IMAGE = 4 };
    struct mailbox box;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    write_image(store_images(store), a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    assert_int_equal(commit(store, a, 2), SG_OK);
    write_image(store_images(store), a, 2, "two");
    struct store_request request = {
        .kind = STORE_ZONE_IMAGE, .zone = a, .number = 2, .reply = &box};
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_AN_IMAGE, .result = SG_IN_DOUBT, .goes_on = true, .haunts = true});
    store_submit(store, &request);
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
    }
    store_free(store);
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
    }
    fake_disk_crash(disk);
    start(false);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_int_equal(zone->image_number, 2);
    store_zone_free(zone);
    assert_image(store_images(store), a, 2, "two");
    mailbox_clear(&box);
}

/* Nothing else would remove it before the next start. */
static void an_image_that_is_refused_leaves_no_file(void **state)
{
    (void)state;
    start(false);
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a");
    write_image(io, a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    write_image(io, a, 3, "three"); /* not the next number */
    assert_int_equal(commit_image(store, a, 3, "", 0), SG_CONFLICT);
    assert_false(has_image(io, a, 3));
    write_image(io, a, 1, "one again"); /* its name is in use */
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_CONFLICT);
    assert_true(has_image(io, a, 1));
    assert_int_equal(commit(store, a, 2), SG_OK);
    write_image(io, a, 2, "two");
    struct store_request request = {.kind = STORE_ZONE_IMAGE, .zone = a, .number = 2};
    set_fault((struct fake_disk_fault){.at = 1, .result = SG_IO});
    assert_int_equal(ask(store, &request), SG_IO);
    assert_false(has_image(io, a, 2));
    assert_true(has_image(io, a, 1));
    fake_disk_heal(disk);
    write_image(io, a, 2, "two");
    assert_int_equal(ask(store, &request), SG_OK);
    assert_true(has_image(io, a, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_that_is_refused_leaves_no_file),
        TEST(the_image_of_a_failed_commit_goes_and_the_one_before_stays),
        TEST(a_commit_that_a_crash_brings_back_has_its_own_image),
        TEST(an_image_that_a_crash_brings_back_is_there),
    };
    return cmocka_run_group_tests_name("store_images", tests, NULL, NULL);
}
