#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "keeper/foreign_journal.h"
#include "support/table.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define V9_2 ";BIND LOG V9.2\n\0"
#define V9   ";BIND LOG V9\n\0\0\0"

/* clang-format off */
static const struct row {
    const char *name;
    struct span header;
    uint32_t serial; /* of the file */
    bool is_problem;
} rows[] = {
    {"it goes on",             BYTES(V9_2 "\0\0\0\1\0\0\2\0\0\0\0\3\0\0\2\326"), 2, true},
    {"of an older named",      BYTES(V9   "\0\0\0\1\0\0\2\0\0\0\0\3\0\0\2\326"), 2, true},
    {"it ends where the file", BYTES(V9_2 "\0\0\0\1\0\0\2\0\0\0\0\3\0\0\2\326"), 3, false},
    {"the file was edited",    BYTES(V9_2 "\0\0\0\1\0\0\2\0\0\0\0\3\0\0\2\326"), 9, false},
    {"it goes on past 2^32",   BYTES(V9_2 "\0\0\0\1\0\0\2\0\0\0\0\3\0\0\2\326"), 0xfffffff0, true},
    {"it is empty",            BYTES(V9_2 "\0\0\0\3\0\0\2\0\0\0\0\3\0\0\2\0"),   2, false},
    {"no journal of named",    BYTES("something else\n\0" "\0\0\0\1\0\0\2\0\0\0\0\3\0\0\2\326"), 2, false},
    {"cut short",              BYTES(V9_2 "\0\0\0\1\0\0\2\0\0\0\0\3"),           2, false},
    {"no byte in it",          BYTES(""),                                        2, false},
};
/* clang-format on */

static void tells_whether_the_file_has_all(void **state)
{
    const struct row *row = *state;
    char path[] = "/tmp/signet-journal-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write(path, 0600, row->header), SG_OK);
    char *problem = foreign_journal_problem("zone.db", path, row->serial);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(problem != NULL, row->is_problem);
    mem_free(problem);
}

static void where_there_is_none_the_file_is_all(void **state)
{
    (void)state;
    assert_null(foreign_journal_problem("/nonexistent/zone.db", NULL, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(where_there_is_none_the_file_is_all)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(rows, tells_whether_the_file_has_all);
}
