/* A store whose data.mdb is gone or cut: it is told, and never begun anew nor read beyond its end.
 */
#include <lmdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/fixture.h"

enum { COMMITS = 40, PAGE_BYTES = 4096 };

static char *folder, *tables;
static struct watch watch;

static int set_up(void **state)
{
    (void)state;
    folder = folder_new();
    tables = mem_format("%s/data.mdb", folder);
    watch = (struct watch){SG_OK, 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_free(tables);
    folder_free(folder);
    return 0;
}

static void commit_large(struct store *store, uint64_t zone, uint64_t number, size_t bytes)
{
    struct commit_text text;
    struct store_request request = commit_request(zone, number, &text);
    char *large = mem_alloc_zero(1, bytes);
    request.record.changeset = (struct span){(const uint8_t *)large, bytes};
    assert_int_equal(ask(store, &request), SG_OK);
    mem_free(large);
}

/* Zone "a" has small commits, zone "b" one that needs many pages. */
static void make_store(void)
{
    struct store *store = store_on(open_lmdb(folder), false, &watch);
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    for (uint64_t number = 1; number <= COMMITS; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
        if (number == COMMITS / 2) {
            commit_large(store, b, 1, 50000);
        }
    }
    store_free(store);
}

static void assert_whole(void)
{
    struct store *store = store_on(open_lmdb(folder), false, &watch);
    assert_zone(store, "a", 1, COMMITS);
    struct store_zone *b = open_zone(store, "b", SG_OK);
    assert_int_equal(b->last, 1);
    store_zone_free(b);
    store_free(store);
}

static void assert_damaged(const char *why)
{
    char *problem = NULL;
    struct store_io io;
    assert_int_equal(store_lmdb_open(folder, &io, &problem), SG_MALFORMED);
    assert_non_null(strstr(problem, folder));
    assert_non_null(strstr(problem, why));
    assert_non_null(strstr(problem, "restore a backup"));
    mem_free(problem);
}

static off_t size_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static void a_store_whose_file_is_empty_or_gone_is_not_begun_anew(void **state)
{
    (void)state;
    char *saved = mem_format("%s/saved", folder);
    make_store();
    struct store_io io = open_lmdb(folder);
    struct store_image *image;
    assert_int_equal(io.image_create(io.argument, 1, 1, &image), SG_OK);
    io.close(io.argument);
    assert_int_equal(io.image_finish(image, true), SG_OK); /* a start that is taken removes it */

    assert_int_equal(rename(tables, saved), 0);
    assert_damaged("data.mdb is empty or gone");
    assert_int_equal(access(tables, F_OK), -1);
    fclose(fopen(tables, "w"));
    assert_damaged("data.mdb is empty or gone");
    assert_int_equal(size_of(tables), 0);
    char *path = mem_format("%s/images/0000000000000001-0000000000000001", folder);
    assert_int_equal(access(path, F_OK), 0);
    mem_free(path);

    assert_int_equal(rename(saved, tables), 0);
    assert_whole();
    mem_free(saved);
}

/* Also while it runs, where a fault of the disk has it opened again. */
static void a_file_that_goes_while_it_is_used_is_not_begun_anew(void **state)
{
    (void)state;
    make_store();
    struct store_io io = open_lmdb(folder);
    assert_int_equal(unlink(tables), 0);
    assert_int_equal(io.reopen(io.argument), SG_IO);
    assert_non_null(strstr(io.trouble(io.argument), "data.mdb is empty or gone"));
    assert_int_equal(access(tables, F_OK), -1);
    io.close(io.argument);
}

/* Whatever is there of the files then, nothing was acknowledged yet. */
static void a_first_start_that_did_not_get_far_is_no_damage(void **state)
{
    (void)state;
    struct rlimit before;
    int failed = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (rlim_t bytes = 0; bytes <= (rlim_t)8 * PAGE_BYTES; bytes += PAGE_BYTES / 4) {
        struct rlimit small = {bytes, before.rlim_max};
        char *problem = NULL;
        struct store_io io;
        setrlimit(RLIMIT_FSIZE, &small);
        enum sg_result result = store_lmdb_open(folder, &io, &problem);
        setrlimit(RLIMIT_FSIZE, &before);
        if (result == SG_OK) {
            io.close(io.argument);
        }
        failed += result != SG_OK;
        mem_free(problem);
        io = open_lmdb(folder);
        io.close(io.argument);
        folder_free(folder);
        folder = folder_new();
    }
    assert_true(failed > 3);
}

static void an_empty_file_of_a_first_start_is_no_damage(void **state)
{
    (void)state;
    fclose(fopen(tables, "w"));
    make_store();
    assert_whole();
}

/* Wherever it ends: what can be opened has all. Were it read beyond its end, that were a SIGBUS. */
static void a_file_that_is_cut_is_damaged_or_whole(void **state)
{
    (void)state;
    int damaged = 0;
    make_store();
    char *saved = mem_format("%s/saved", folder);
    char *copy = mem_format("cp %s %s", tables, saved);
    char *back = mem_format("cp %s %s", saved, tables);
    assert_int_equal(system(copy), 0);
    off_t whole = size_of(tables);
    for (off_t bytes = PAGE_BYTES; bytes < whole; bytes += PAGE_BYTES / 2) {
        assert_int_equal(system(back), 0);
        assert_int_equal(truncate(tables, bytes), 0);
        char *problem = NULL;
        struct store_io io;
        enum sg_result result = store_lmdb_open(folder, &io, &problem);
        if (result == SG_OK) {
            io.close(io.argument);
            assert_whole();
        } else {
            assert_int_equal(result, SG_MALFORMED);
            assert_non_null(strstr(problem, "restore a backup"));
            assert_int_equal(size_of(tables), bytes);
            mem_free(problem);
            damaged++;
        }
    }
    assert_true(damaged > 10);
    assert_int_equal(system(back), 0);
    assert_whole();
    mem_free(saved);
    mem_free(copy);
    mem_free(back);
}

/* How many bytes data.mdb is shorter than what its meta page says was ever in use. */
static size_t missing_bytes(void)
{
    MDB_env *env;
    MDB_envinfo info;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, folder, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    size_t said = (info.me_last_pgno + 1) * PAGE_BYTES, there = (size_t)size_of(tables);
    return said > there ? said - there : 0;
}

/* LMDB does not write pages that a transaction has taken at the end and given back. */
static void a_file_whose_last_pages_were_never_written_is_whole(void **state)
{
    (void)state;
    enum { BYTES = 200000, KEYS = 20 };
    size_t missing = 0;
    make_store();
    uint8_t *bytes = mem_alloc_zero(1, BYTES);
    for (int i = 0; i < 10 && missing == 0; i++) {
        struct store_io io = open_lmdb(folder);
        uint8_t key[2] = {0, 0};
        assert_int_equal(io.begin(io.argument), SG_OK);
        for (key[1] = 0; key[1] < KEYS; key[1]++) {
            assert_int_equal(io.put(io.argument, STORE_CONFIG, (struct span){key, 2},
                                    (struct span){bytes, BYTES}),
                             SG_OK);
        }
        for (key[1] = 0; key[1] < KEYS; key[1]++) {
            assert_int_equal(io.remove(io.argument, STORE_CONFIG, (struct span){key, 2}), SG_OK);
        }
        assert_int_equal(io.commit(io.argument), SG_OK);
        io.close(io.argument);
        missing = missing_bytes();
    }
    mem_free(bytes);
    assert_true(missing > 0);
    assert_whole();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_store_whose_file_is_empty_or_gone_is_not_begun_anew),
        TEST(a_file_that_goes_while_it_is_used_is_not_begun_anew),
        TEST(a_first_start_that_did_not_get_far_is_no_damage),
        TEST(an_empty_file_of_a_first_start_is_no_damage),
        TEST(a_file_whose_last_pages_were_never_written_is_whole),
        TEST(a_file_that_is_cut_is_damaged_or_whole),
    };
    return cmocka_run_group_tests_name("lmdb_damage", tests, NULL, NULL);
}
