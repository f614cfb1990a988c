#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/table.h"

static char folder[] = "/tmp/signet-file-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char *command = mem_format("rm -rf %s", folder);
    int failed = system(command);
    mem_free(command);
    return failed;
}

static void what_was_written_is_read_with_its_mode(void **state)
{
    (void)state;
    char *path = mem_format("%s/key", folder);
    struct buffer contents = BUFFER_EMPTY;
    struct stat status;
    assert_int_equal(file_write(path, 0600, span_of_text("first")), SG_OK);
    assert_int_equal(file_write(path, 0600, span_of_text("second")), SG_OK);
    assert_int_equal(file_read(path, 100, &contents), SG_OK);
    assert_string_equal(buffer_text(&contents), "second");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    buffer_free(&contents);
    mem_free(path);
}

static void a_file_above_the_bound_is_refused(void **state)
{
    (void)state;
    char *path = mem_format("%s/large", folder);
    struct buffer contents = BUFFER_EMPTY;
    assert_int_equal(file_write_unsynced(path, 0644, span_of_text("0123456789")), SG_OK);
    assert_int_equal(file_read(path, 9, &contents), SG_LIMIT);
    assert_int_equal(file_read(path, 10, &contents), SG_OK);
    assert_int_equal(contents.length, 10);
    buffer_free(&contents);
    mem_free(path);
}

/* Those of /proc say that they are empty, those of /sys that they have 4096 bytes. */
static void what_has_more_or_less_than_its_size_is_read_whole(void **state)
{
    (void)state;
    struct buffer contents = BUFFER_EMPTY;
    assert_int_equal(file_read("/proc/self/status", 65536, &contents), SG_OK);
    assert_non_null(strstr(buffer_text(&contents), "\nnonvoluntary_ctxt_switches:"));
    buffer_free(&contents);
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) == 0) {
        assert_int_equal(file_read("/sys/kernel/mm/transparent_hugepage/enabled", 4096, &contents),
                         SG_OK);
        assert_true(contents.length > 0 && contents.length < 4096);
        buffer_free(&contents);
    }
}

static void what_is_missing_and_what_is_a_folder_are_told_apart(void **state)
{
    (void)state;
    char *path = mem_format("%s/missing", folder);
    struct buffer contents = BUFFER_EMPTY;
    assert_int_equal(file_read(path, 10, &contents), SG_NOT_FOUND);
    assert_int_equal(file_read(folder, 10, &contents), SG_IO);
    assert_int_equal(file_write("/nonexistent/x/y", 0600, span_of_text("")), SG_NOT_FOUND);
    mem_free(path);
}

/* Whoever writes learns that there is no room; nothing is left behind. */
static void a_full_disk_is_told_from_a_broken_one(void **state)
{
    (void)state;
    char *path = mem_format("%s/full", folder);
    struct rlimit before;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {8, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum sg_result result = file_write(path, 0644, span_of_text("more than eight bytes"));
    int failed = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ptr_not_equal(signal(SIGXFSZ, handler), SIG_ERR);
    assert_int_equal(result, SG_NO_SPACE);
    assert_int_equal(failed, EFBIG);
    assert_int_not_equal(access(path, F_OK), 0);
    mem_free(path);
}

static void a_map_of_a_file_is_found(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    char *path = mem_format("%s/mapped", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && ftruncate(fd, BYTES) == 0);
    assert_null(file_find_map(fd, BYTES));
    void *map = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_equal(file_find_map(fd, BYTES), map);
    assert_null(file_find_map(fd, BYTES * 2));
    munmap(map, BYTES);
    close(fd);
    mem_free(path);
}

static void folders_are_made_with_those_that_lead_to_them(void **state)
{
    (void)state;
    char *path = mem_format("%s/a/b/c", folder);
    char *file = mem_format("%s/a/file", folder);
    assert_int_equal(file_make_folder(path, 0750), SG_OK);
    assert_int_equal(file_make_folder(path, 0750), SG_OK);
    assert_int_equal(file_write(file, 0600, span_of_text("x")), SG_OK);
    assert_int_equal(file_make_folder(file, 0750), SG_IO);
    mem_free(file);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_with_its_mode),
        cmocka_unit_test(a_file_above_the_bound_is_refused),
        cmocka_unit_test(what_has_more_or_less_than_its_size_is_read_whole),
        cmocka_unit_test(what_is_missing_and_what_is_a_folder_are_told_apart),
        cmocka_unit_test(a_full_disk_is_told_from_a_broken_one),
        cmocka_unit_test(a_map_of_a_file_is_found),
        cmocka_unit_test(folders_are_made_with_those_that_lead_to_them),
    };
    return cmocka_run_group_tests_name("file", tests, make_folder, remove_folder);
}
