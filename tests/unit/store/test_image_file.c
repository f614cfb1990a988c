#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/fixture.h"
#include "store/image_file.h"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_free(folder);
    return 0;
}

static void write_text(uint64_t zone, uint64_t commit, const char *text, bool keep)
{
    struct store_image *image;
    assert_int_equal(image_file_create(folder, zone, commit, &image), SG_OK);
    assert_int_equal(image_file_append(image, span_of_text(text)), SG_OK);
    assert_int_equal(image_file_finish(image, keep), SG_OK);
}

static void assert_text(const char *where, uint64_t zone, uint64_t commit, const char *text)
{
    struct store_image *image;
    uint8_t bytes[64];
    size_t length = 0, got;
    assert_int_equal(image_file_open(where, zone, commit, &image), SG_OK);
    while ((got = image_file_read(image, bytes + length, 3)) > 0) {
        assert_true(got <= 3);
        length += got;
    }
    image_file_close(image);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(bytes, text, length);
}

static void assert_none(uint64_t zone, uint64_t commit)
{
    struct store_image *image;
    assert_int_equal(image_file_open(folder, zone, commit, &image), SG_NOT_FOUND);
}

static bool exists(const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void an_image_has_its_name_once_it_is_whole(void **state)
{
    (void)state;
    struct store_image *image;
    assert_int_equal(image_file_create(folder, 0x2a, 7, &image), SG_OK);
    assert_int_equal(image_file_append(image, span_of_text("hello ")), SG_OK);
    assert_true(exists("000000000000002a-0000000000000007.partial"));
    assert_none(0x2a, 7);
    assert_int_equal(image_file_append(image, span_of_text("world")), SG_OK);
    assert_int_equal(image_file_finish(image, true), SG_OK);
    assert_text(folder, 0x2a, 7, "hello world");
    assert_true(exists("000000000000002a-0000000000000007"));
    assert_false(exists("000000000000002a-0000000000000007.partial"));
}

static void an_image_that_is_not_kept_leaves_nothing(void **state)
{
    (void)state;
    write_text(1, 1, "no", false);
    assert_none(1, 1);
    assert_false(exists("0000000000000001-0000000000000001.partial"));
}

static void a_disk_that_fills_up_leaves_nothing(void **state)
{
    (void)state;
    struct store_image *image;
    struct rlimit before, small;
    uint8_t bytes[1000] = {0};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){1500, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(image_file_create(folder, 1, 1, &image), SG_OK);
    assert_int_equal(image_file_append(image, (struct span){bytes, sizeof(bytes)}), SG_OK);
    assert_int_equal(image_file_append(image, (struct span){bytes, sizeof(bytes)}), SG_NO_SPACE);
    assert_int_equal(image_file_append(image, (struct span){bytes, 1}), SG_NO_SPACE);
    assert_int_equal(image_file_finish(image, true), SG_NO_SPACE);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_none(1, 1);
    assert_false(exists("0000000000000001-0000000000000001.partial"));
}

static void a_reader_outlives_the_removal(void **state)
{
    (void)state;
    struct store_image *image;
    uint8_t bytes[8];
    write_text(1, 1, "text", true);
    assert_int_equal(image_file_open(folder, 1, 1, &image), SG_OK);
    image_file_remove(folder, 1, 1);
    image_file_remove(folder, 1, 1);
    assert_none(1, 1);
    assert_int_equal(image_file_read(image, bytes, sizeof(bytes)), 4);
    image_file_close(image);
}

static bool is_of_zone_1(void *argument, uint64_t zone, uint64_t commit)
{
    (void)argument, (void)commit;
    return zone == 1;
}

static void the_sweep_takes_what_is_not_wanted_and_nothing_of_others(void **state)
{
    (void)state;
    char path[200];
    struct store_image *image;
    write_text(1, 1, "wanted", true);
    write_text(2, 1, "not wanted", true);
    assert_int_equal(image_file_create(folder, 1, 2, &image), SG_OK);
    snprintf(path, sizeof(path), "%s/NOTES", folder);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(image_file_sweep(folder, is_of_zone_1, NULL), 2);
    assert_text(folder, 1, 1, "wanted");
    assert_none(2, 1);
    assert_true(exists("NOTES"));
    assert_false(exists("0000000000000001-0000000000000002.partial"));
    assert_int_equal(image_file_finish(image, false), SG_OK);
}

static void a_copy_on_the_same_disk_is_a_second_name(void **state)
{
    (void)state;
    char to[200], path[300];
    struct stat status;
    snprintf(to, sizeof(to), "%s/copy", folder);
    assert_int_equal(mkdir(to, 0700), 0);
    write_text(3, 9, "same bytes", true);
    assert_int_equal(image_file_copy(folder, to, 3, 9), SG_OK);
    assert_text(to, 3, 9, "same bytes");
    snprintf(path, sizeof(path), "%s/0000000000000003-0000000000000009", to);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_nlink, 2);
    assert_int_equal(image_file_copy(folder, to, 3, 10), SG_NOT_FOUND);
}

static void a_copy_to_another_disk_has_the_bytes(void **state)
{
    (void)state;
    char to[] = "/tmp/signet-images-XXXXXX";
    if (mkdtemp(to) == NULL) {
        skip();
    }
    write_text(3, 9, "same bytes", true);
    assert_int_equal(image_file_copy(folder, to, 3, 9), SG_OK);
    assert_text(to, 3, 9, "same bytes");
    image_file_remove(to, 3, 9);
    assert_int_equal(rmdir(to), 0); /* no .partial was left */
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_has_its_name_once_it_is_whole),
        TEST(an_image_that_is_not_kept_leaves_nothing),
        TEST(a_disk_that_fills_up_leaves_nothing),
        TEST(a_reader_outlives_the_removal),
        TEST(the_sweep_takes_what_is_not_wanted_and_nothing_of_others),
        TEST(a_copy_on_the_same_disk_is_a_second_name),
        TEST(a_copy_to_another_disk_has_the_bytes),
    };
    return cmocka_run_group_tests_name("image_file", tests, NULL, NULL);
}
