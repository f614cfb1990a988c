#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/store_lock.h"

static void one_at_a_time(void **state)
{
    (void)state;
    char folder[] = "/tmp/signet-lock-XXXXXX";
    char wanted[64];
    char *problem = NULL;
    int first, second;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_lock_take(folder, &first, &problem), SG_OK);
    assert_null(problem);
    assert_int_equal(store_lock_take(folder, &second, &problem), SG_EXISTS);
    assert_int_equal(second, -1);
    snprintf(wanted, sizeof(wanted), "process %ld holds the lock", (long)getpid());
    assert_non_null(strstr(problem, wanted));
    mem_free(problem);
    problem = NULL;
    close(first);
    assert_int_equal(store_lock_take(folder, &second, &problem), SG_OK);
    close(second);
    char *path = mem_format("%s/signetd.lock", folder);
    assert_int_equal(unlink(path), 0); /* it stays */
    mem_free(path);
    assert_int_equal(rmdir(folder), 0);
}

static void a_folder_that_is_not_there(void **state)
{
    (void)state;
    char *problem = NULL;
    int fd;
    assert_int_not_equal(store_lock_take("/tmp/signet-lock/not/there", &fd, &problem), SG_OK);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(problem, "/tmp/signet-lock/not/there/signetd.lock"));
    mem_free(problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests_name("store_lock", tests, NULL, NULL);
}
