#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "server/daemon.h"

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/signet-daemon-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/pid", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)rmdir(path);
    return rmdir(folder);
}

static void the_pid_file_has_our_number_and_goes_at_the_end(void **state)
{
    struct daemon_pid_file file = {NULL, -1};
    struct buffer text = BUFFER_EMPTY;
    char expected[32];
    pid_t owner = 0;

    (void)state;
    assert_int_equal(daemon_pid_file_take(path, &file, &owner), SG_OK);
    snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
    assert_int_equal(file_read(path, 100, &text), SG_OK);
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
    daemon_pid_file_drop(&file);
    assert_int_equal(access(path, F_OK), -1);
    daemon_pid_file_drop(&file); /* Twice does no harm. */
}

static void a_stale_pid_file_is_overwritten(void **state)
{
    struct daemon_pid_file file = {NULL, -1};
    pid_t owner = 0;

    (void)state;
    /* A number that lives: in another container, or given anew. Nobody holds the lock. */
    assert_int_equal(file_write(path, 0644, span_of_text("1\nand more\n")), SG_OK);
    assert_int_equal(daemon_pid_file_take(path, &file, &owner), SG_OK);
    daemon_pid_file_drop(&file);
}

static void a_pid_file_that_lives_is_not_touched(void **state)
{
    struct daemon_pid_file file = {NULL, -1};
    int ready[2], end[2];
    char byte = 0;
    pid_t owner = 0;

    (void)state;
    assert_int_equal(pipe(ready) | pipe(end), 0);
    pid_t child = fork();
    if (child == 0) {
        struct daemon_pid_file theirs = {NULL, -1};
        bool taken = daemon_pid_file_take(path, &theirs, &owner) == SG_OK;
        close(end[1]);
        (void)!write(ready[1], taken ? "y" : "n", 1);
        (void)!read(end[0], &byte, 1);
        daemon_pid_file_drop(&theirs);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(daemon_pid_file_take(path, &file, &owner), SG_EXISTS);
    assert_int_equal(owner, child);
    close(end[0]);
    close(end[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
    /* It has gone, and the file with it. */
    assert_int_equal(daemon_pid_file_take(path, &file, &owner), SG_OK);
    daemon_pid_file_drop(&file);
}

static void what_is_no_file_is_no_pid_file(void **state)
{
    struct daemon_pid_file file = {NULL, -1};
    pid_t owner = 0;

    (void)state;
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(daemon_pid_file_take(path, &file, &owner), SG_CONFLICT);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(daemon_pid_file_take(path, &file, &owner), SG_CONFLICT);
}

static void users_are_found_by_name_and_number(void **state)
{
    struct daemon_user user;

    (void)state;
    assert_int_equal(daemon_user_find("root", &user), SG_OK);
    assert_int_equal(user.uid, 0);
    assert_int_equal(daemon_user_find("0", &user), SG_OK);
    assert_string_equal(user.name, "root");
    assert_int_equal(daemon_user_find("no-such-user", &user), SG_NOT_FOUND);
    assert_int_equal(daemon_user_find("0x", &user), SG_NOT_FOUND);
    assert_int_equal(daemon_user_find("", &user), SG_NOT_FOUND);
}

/* Run `child_main` in the background as a daemon would be; the exit status that a shell sees. */
static int status_of_start(void (*child_main)(void))
{
    int status = -1;

    pid_t starter = fork();
    if (starter == 0) {
        if (daemon_detach() == SG_OK) {
            child_main();
        }
        _exit(99);
    }
    assert_int_equal(waitpid(starter, &status, 0), starter);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void runs(void)
{
    daemon_running();
    _exit(0);
}

static void fails(void)
{
    _exit(3);
}

static void is_killed(void)
{
    raise(SIGKILL);
}

static void whoever_starts_us_learns_how_it_went(void **state)
{
    (void)state;
    assert_int_equal(status_of_start(runs), 0);
    assert_int_equal(status_of_start(fails), 3);
    assert_int_equal(status_of_start(is_killed), 1);
}

static void missing_folders_are_made_and_others_left(void **state)
{
    struct stat status;

    (void)state;
    assert_int_equal(daemon_own_folder_of(path, NULL), SG_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(daemon_own_folder(path, NULL), SG_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(file_write(path, 0644, span_of_text("x")), SG_OK);
    assert_int_equal(daemon_own_folder(path, NULL), SG_CONFLICT);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_pid_file_has_our_number_and_goes_at_the_end),
        IN_FOLDER(a_stale_pid_file_is_overwritten),
        IN_FOLDER(a_pid_file_that_lives_is_not_touched),
        IN_FOLDER(what_is_no_file_is_no_pid_file),
        IN_FOLDER(users_are_found_by_name_and_number),
        IN_FOLDER(whoever_starts_us_learns_how_it_went),
        IN_FOLDER(missing_folders_are_made_and_others_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
