#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/load.h"
#include "support/table.h"

/* %s is a folder that is there, with a file "file" and a folder "sub" in it. */
#define DIRECTORY "options { directory \"%s\"; };\n"
#define LOG(path) "logging { channel c { file \"" path "\"; }; category default { c; }; };"
#define SIGNED    "zone a { " PRIMARY "dnssec-policy default; "

static const struct text_case cases[] = {
    {"a working directory", DIRECTORY, false, NULL},
    {"one that is not there", "options { directory \"%s/nosuch\"; };", true,
     ":1:21: change directory to '"},
    {"one without a name", "options { directory \"\"; };", true, "change directory to '' failed"},
    {"one that is a file", "options { directory \"%s/file\"; };", true, "Not a directory"},
    {"a log beside it", DIRECTORY LOG("x.log"), false, NULL},
    {"a log in a folder of it", DIRECTORY LOG("sub/x.log"), false, NULL},
    {"a log in a folder that is not there", DIRECTORY LOG("log/x.log"), true,
     ":2:28: channel 'c': 'log/x.log' cannot be opened: No such file or directory"},
    {"a log in a file", DIRECTORY LOG("file/x.log"), true, "'file/x.log' cannot be opened"},
    {"a log in the root", DIRECTORY LOG("/x.log"), false, NULL},
    {"a log that nobody writes to", DIRECTORY "logging { channel c { file \"/nosuch/x\"; }; };",
     false, NULL},
    {"a key-store", DIRECTORY "key-store s { directory \"sub\"; };", false, NULL},
    {"a key-store without its folder", DIRECTORY "key-store s { directory \"keys\"; };", false,
     ":2:25: warning: key-store 's': directory 'keys' does not exist"},
    {"a folder of keys", DIRECTORY SIGNED "key-directory \"sub\"; };", false, NULL},
    {"a folder of keys that is not there", DIRECTORY SIGNED "key-directory \"keys\"; };", false,
     ":2:1: warning: zone 'a': key-directory 'keys': No such file or directory"},
    {"a folder of keys that nobody needs",
     DIRECTORY "zone a { " PRIMARY "key-directory \"keys\"; };", false, NULL},
};

static void is_looked_for_below_the_working_directory(void **state)
{
    const struct text_case *c = *state;
    char folder[] = "/tmp/signet-test-places-XXXXXX";
    struct conf_report report = {0};
    struct conf *conf = NULL;
    struct buffer text = BUFFER_EMPTY;

    assert_non_null(mkdtemp(folder));
    char *path = mem_format("%s/file", folder);
    char *sub = mem_format("%s/sub", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    const char *hole = strstr(c->text, "%s");
    if (hole == NULL) {
        buffer_append_text(&text, c->text);
    } else {
        buffer_format(&text, "%.*s%s%s", (int)(hole - c->text), c->text, folder, hole + 2);
    }
    assert_int_equal(file_write(path, 0600, buffer_span(&text)), SG_OK);

    enum sg_result result = conf_load(path, &conf, &report);
    print_report(&report);
    assert_int_equal(result, c->refused ? SG_MALFORMED : SG_OK);
    if (c->says == NULL) {
        assert_int_equal(report.count, 0);
    } else {
        assert_true(report_says(&report, c->says));
    }
    conf_free(conf);
    conf_report_clear(&report);
    buffer_free(&text);
    unlink(path);
    rmdir(sub);
    rmdir(folder);
    mem_free(path);
    mem_free(sub);
}

static void a_text_of_no_file_asks_no_disk(void **state)
{
    (void)state;
    accept_quietly("options { directory \"/nosuch\"; };" LOG("/nosuch/x.log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_text_of_no_file_asks_no_disk)};
    return RUN_TABLE(cases, is_looked_for_below_the_working_directory) |
           cmocka_run_group_tests(tests, NULL, NULL);
}
