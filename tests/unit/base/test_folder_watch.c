#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder_watch.h"
#include "base/mem.h"
#include "support/table.h"

/* What was told, "+name" and "-name", one after the other. */
struct told {
    char text[200];
};

static void take(void *argument, const char *name, bool comes)
{
    struct told *told = argument;
    size_t length = strlen(told->text);
    (void)snprintf(told->text + length, sizeof(told->text) - length, "%s%c%s",
                   length > 0 ? " " : "", comes ? '+' : '-', name);
}

static void write_in_place(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("x", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_comes_and_goes_is_told_in_order_and_once(void **state)
{
    (void)state;
    char folder[] = "/tmp/signet-watch-XXXXXX";
    struct folder_watch *watch;
    struct told told = {""};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(folder_watch_new(folder, &watch), SG_OK);
    char *one = mem_format("%s/one", folder);
    char *two = mem_format("%s/two", folder);
    write_in_place(one);
    assert_int_equal(rename(one, two), 0);
    assert_int_equal(folder_watch_take(watch, take, &told), SG_OK);
    assert_string_equal(told.text, "+one -one +two");
    told.text[0] = 0;
    write_in_place(two);
    assert_int_equal(folder_watch_take(watch, take, &told), SG_OK);
    assert_string_equal(told.text, "");
    assert_int_equal(remove(two), 0);
    assert_int_equal(folder_watch_take(watch, take, &told), SG_OK);
    assert_string_equal(told.text, "-two");
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(folder_watch_take(watch, take, &told), SG_LIMIT);
    folder_watch_free(watch);
    folder_watch_free(NULL);
    mem_free(one);
    mem_free(two);
}

static void what_cannot_be_watched_is_not(void **state)
{
    (void)state;
    struct folder_watch *watch;
    assert_int_equal(folder_watch_new("/proc", &watch), SG_UNSUPPORTED); /* changes by itself */
    assert_int_not_equal(folder_watch_new("/tmp/signet-watch-none", &watch), SG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_is_told_in_order_and_once),
        cmocka_unit_test(what_cannot_be_watched_is_not),
    };
    return cmocka_run_group_tests_name("folder watch", tests, NULL, NULL);
}
