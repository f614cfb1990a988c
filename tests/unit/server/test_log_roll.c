#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "server/log_roll.h"

static char folder[64];
static char path[128];

static void write_file(const char *suffix, const char *text)
{
    char name[160];

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    assert_int_equal(file_write(name, 0644, span_of_text(text)), SG_OK);
}

static void assert_file(const char *suffix, const char *text)
{
    struct buffer contents = BUFFER_EMPTY;
    char name[160];

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    if (text == NULL) {
        assert_int_equal(access(name, F_OK), -1);
        return;
    }
    assert_int_equal(file_read(name, 100, &contents), SG_OK);
    assert_string_equal(buffer_text(&contents), text);
    buffer_free(&contents);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/signet-roll-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    return 0;
}

static int tear_down(void **state)
{
    DIR *open_folder = opendir(folder);

    (void)state;
    for (const struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        char name[400];
        snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        (void)unlink(name);
    }
    closedir(open_folder);
    return rmdir(folder);
}

static void numbers_move_up_and_the_last_falls_out(void **state)
{
    (void)state;
    write_file("", "now");
    write_file(".0", "before");
    write_file(".1", "long before");
    log_roll_numbers(path, 2);
    assert_file("", NULL);
    assert_file(".0", "now");
    assert_file(".1", "before");
    assert_file(".2", NULL);
}

static void a_hole_in_the_row_is_filled_first(void **state)
{
    (void)state;
    write_file("", "now");
    write_file(".1", "old");
    log_roll_numbers(path, 5);
    assert_file(".0", "now");
    assert_file(".1", "old");
}

static void one_version_is_overwritten(void **state)
{
    (void)state;
    write_file("", "now");
    write_file(".0", "before");
    log_roll_numbers(path, 1);
    assert_file(".0", "now");
    assert_file(".1", NULL);
}

static void without_end_all_are_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        write_file("", text);
        log_roll_numbers(path, ~0U);
    }
    assert_file(".0", "29");
    assert_file(".29", "0");
}

static void only_files_with_a_stamp_are_counted_and_removed(void **state)
{
    (void)state;
    write_file("", "now");
    write_file(".20200101000000000", "oldest");
    write_file(".20210101000000000", "older");
    write_file(".2020", "not a stamp");
    write_file(".20200101000000000.gz", "not ours");
    log_roll_timestamp(path, 2);
    assert_file("", NULL);
    assert_file(".20200101000000000", NULL);
    assert_file(".20210101000000000", "older");
    assert_file(".2020", "not a stamp");
    assert_file(".20200101000000000.gz", "not ours");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(numbers_move_up_and_the_last_falls_out),
        IN_FOLDER(a_hole_in_the_row_is_filled_first),
        IN_FOLDER(one_version_is_overwritten),
        IN_FOLDER(without_end_all_are_kept),
        IN_FOLDER(only_files_with_a_stamp_are_counted_and_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
