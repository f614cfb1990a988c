#include <sys/wait.h>

#include "store/fixture.h"
#include "store/store_reader.h"

static void put(const struct store_io *io, enum store_table table, struct span key,
                struct span value)
{
    assert_int_equal(io->begin(io->argument), SG_OK);
    assert_int_equal(io->put(io->argument, table, key, value), SG_OK);
    assert_int_equal(io->commit(io->argument), SG_OK);
}

static void put_commit(const struct store_io *io, uint64_t zone, uint64_t number)
{
    uint8_t key[STORE_LOG_KEY_BYTES];
    struct buffer bytes = BUFFER_EMPTY;
    const struct store_commit_record record = {.number = number,
                                               .at = 1795000000,
                                               .serial = (uint32_t)number + 100,
                                               .changeset = span_of_text("changes")};
    store_put_u64(key, zone);
    store_put_u64(key + 8, number);
    store_commit_encode(&record, &bytes);
    put(io, STORE_COMMITS, (struct span){key, sizeof(key)}, buffer_span(&bytes));
    buffer_free(&bytes);
}

/* In a process of its own, as the tool is: LMDB allows one environment a process. */
static void look(const char *folder, int (*story)(const char *folder))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(story(folder));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define EXPECT(condition)                                                                          \
    if (!(condition)) {                                                                            \
        return __LINE__ % 255 + 1;                                                                 \
    }

static int reads_two_zones(const char *folder)
{
    struct store_reader *reader;
    struct store_commit_record record;
    struct buffer bytes = BUFFER_EMPTY;
    char *problem = NULL;
    uint64_t zone = 0;

    EXPECT(store_reader_open(folder, &reader, &problem) == SG_OK);
    EXPECT(store_reader_find(reader, span_of_text("nope"), &zone) == SG_NOT_FOUND);
    EXPECT(store_reader_find(reader, span_of_text("zone"), &zone) == SG_OK && zone == 7);
    EXPECT(store_reader_commit(reader, zone, 0, &bytes, &record) == SG_OK);
    EXPECT(record.number == 3 && record.serial == 103 && record.changeset.length == 7);
    EXPECT(store_reader_commit(reader, zone, 4, &bytes, &record) == SG_OK && record.number == 4);
    EXPECT(store_reader_commit(reader, zone, 5, &bytes, &record) == SG_NOT_FOUND);
    buffer_free(&bytes);
    store_reader_close(reader);
    return 0;
}

static int finds_nothing(const char *folder)
{
    struct store_reader *reader;
    char *problem = NULL;

    EXPECT(store_reader_open(folder, &reader, &problem) == SG_NOT_FOUND);
    EXPECT(problem != NULL);
    mem_free(problem);
    return 0;
}

static int meets_damage(const char *folder)
{
    struct store_reader *reader;
    struct store_commit_record record = {.number = 0};
    struct buffer bytes = BUFFER_EMPTY;
    char *problem = NULL;

    EXPECT(store_reader_open(folder, &reader, &problem) == SG_OK);
    EXPECT(store_reader_commit(reader, 9, 0, &bytes, &record) == SG_MALFORMED);
    EXPECT(record.number == 1);
    EXPECT(store_reader_commit(reader, 9, 2, &bytes, &record) == SG_OK);
    buffer_free(&bytes);
    store_reader_close(reader);
    return 0;
}

static int is_told_what_to_do(const char *folder)
{
    struct store_reader *reader;
    char *problem = NULL;

    EXPECT(store_reader_open(folder, &reader, &problem) == SG_MALFORMED);
    EXPECT(strstr(problem, "restore a backup") != NULL);
    mem_free(problem);
    return 0;
}

static void another_process_reads_beside_the_store(void **state)
{
    uint8_t id[8];
    (void)state;
    char *folder = folder_new();
    struct store_io io = open_lmdb(folder);

    store_put_u64(id, 7);
    put(&io, STORE_ZONES, span_of_text("zone"), (struct span){id, sizeof(id)});
    put_commit(&io, 7, 3);
    put_commit(&io, 7, 4);
    put_commit(&io, 8, 1);
    look(folder, reads_two_zones);
    put_commit(&io, 7, 5); /* The reader has gone, and nothing stands in the way. */
    io.close(io.argument);
    folder_free(folder);
}

static void no_store_is_made_where_there_is_none(void **state)
{
    (void)state;
    char *folder = folder_new();
    look(folder, finds_nothing);
    assert_int_equal(rmdir(folder), 0);
    mem_free(folder);
}

static void a_damaged_record_is_told_and_passed(void **state)
{
    uint8_t key[STORE_LOG_KEY_BYTES];
    (void)state;
    char *folder = folder_new();
    struct store_io io = open_lmdb(folder);

    store_put_u64(key, 9);
    store_put_u64(key + 8, 1);
    put(&io, STORE_COMMITS, (struct span){key, sizeof(key)}, span_of_text("not a record"));
    put_commit(&io, 9, 2);
    look(folder, meets_damage);
    io.close(io.argument);
    folder_free(folder);
}

static void a_store_that_is_cut_or_empty_is_told(void **state)
{
    static const off_t left[] = {8192, 1000, 0};
    (void)state;
    char *folder = folder_new();
    char *tables = mem_format("%s/data.mdb", folder);
    struct store_io io = open_lmdb(folder);

    put_commit(&io, 7, 3);
    io.close(io.argument);
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        assert_int_equal(truncate(tables, left[i]), 0);
        look(folder, is_told_what_to_do);
    }
    mem_free(tables);
    folder_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_process_reads_beside_the_store),
        cmocka_unit_test(no_store_is_made_where_there_is_none),
        cmocka_unit_test(a_damaged_record_is_told_and_passed),
        cmocka_unit_test(a_store_that_is_cut_or_empty_is_told),
    };
    return cmocka_run_group_tests_name("store_reader", tests, NULL, NULL);
}
