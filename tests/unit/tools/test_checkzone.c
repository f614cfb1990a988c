#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "support/table.h"
#include "tools/checkzone.h"

enum { ARGUMENTS_MAX = 8, FOLDER_BYTES = 64 };

#define GOOD "$TTL 300\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"

static char folder[FOLDER_BYTES];

static const struct run_case {
    const char *name;
    const char *zone;
    const char *arguments[ARGUMENTS_MAX];
    int status;
} cases[] = {
    {"a good zone", GOOD, {"-q", "e", "zone"}, 0},
    {"a final dot makes no difference", GOOD, {"-q", "e.", "zone"}, 0},
    {"a bad line", GOOD "a A 1.2.3\n", {"-q", "e", "zone"}, 1},
    {"a zone that is not fit", "$TTL 1\n@ NS ns1\n", {"-q", "e", "zone"}, 1},
    {"a warning", GOOD "a_b A 192.0.2.1\n", {"-q", "e", "zone"}, 0},
    {"a warning made an error", GOOD "a_b A 192.0.2.1\n", {"-q", "-k", "fail", "e", "zone"}, 1},
    {"a mode that is none", GOOD, {"-q", "-k", "perhaps", "e", "zone"}, 1},
    {"a mode that this flag has not", GOOD, {"-q", "-T", "fail", "e", "zone"}, 1},
    {"a flag that is none", GOOD, {"-q", "-Z", "e", "zone"}, 1},
    {"a format that is not ours", GOOD, {"-q", "-f", "raw", "e", "zone"}, 1},
    {"no file", GOOD, {"-q", "e"}, 1},
    {"no such file", GOOD, {"-q", "e", "nope"}, 1},
    {"no such folder", GOOD, {"-q", "-w", "/nope", "e", "zone"}, 1},
    {"a name that is none", GOOD, {"-q", "e..x", "zone"}, 1},
    {"a TTL limit", GOOD, {"-q", "-l", "299", "e", "zone"}, 1},
    {"another class",
     "$TTL 1\n@ CH SOA a b 1 2 3 4 5\n@ NS x.\n",
     {"-q", "-c", "CH", "e", "zone"},
     0},
    {"a dump that cannot be written", GOOD, {"-q", "-o", "/nope/x", "e", "zone"}, 1},
};

static void exits_with_its_status(void **state)
{
    const struct run_case *c = *state;
    char *arguments[ARGUMENTS_MAX + 2] = {(char *)"checkzone"};
    int count = 1;
    for (size_t i = 0; i < ARGUMENTS_MAX && c->arguments[i] != NULL; i++) {
        arguments[count++] = (char *)c->arguments[i];
    }
    assert_int_equal(file_write_unsynced("zone", 0600, span_of_text(c->zone)), SG_OK);
    assert_int_equal(tool_checkzone(count, arguments), c->status);
}

static void dumps_what_it_read(void **state)
{
    (void)state;
    char *arguments[] = {(char *)"checkzone", (char *)"-qD",  (char *)"-o", (char *)"dump",
                         (char *)"e",         (char *)"zone", NULL};
    struct buffer text = BUFFER_EMPTY;
    assert_int_equal(file_write_unsynced("zone", 0600, span_of_text(GOOD)), SG_OK);
    assert_int_equal(tool_checkzone(6, arguments), 0);
    assert_int_equal(file_read("dump", 1000, &text), SG_OK);
    assert_string_equal(buffer_text(&text), "e. 300 IN SOA ns1.e. host.e. 1 2 3 4 5\n"
                                            "e. 300 IN NS ns1.e.\n"
                                            "ns1.e. 300 IN A 192.0.2.1\n");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dumps_what_it_read)};
    strcpy(folder, "/tmp/test_checkzone.XXXXXX");
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return 1;
    }
    int failed =
        RUN_TABLE(cases, exits_with_its_status) + cmocka_run_group_tests(tests, NULL, NULL);
    (void)!unlink("zone");
    (void)!unlink("dump");
    (void)!rmdir(folder);
    return failed;
}
