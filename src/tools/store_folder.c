#include "tools/store_folder.h"

#include <stdio.h>

#include "base/mem.h"
#include "conf/conf.h"

static void say_errors(const char *tool, const struct conf_report *report)
{
    struct buffer text = BUFFER_EMPTY;
    for (size_t i = 0; i < report->count; i++) {
        if (report->problems[i].severity == CONF_ERROR) {
            conf_problem_text(&report->problems[i], &text);
        }
    }
    fprintf(stderr, "signet %s: the configuration cannot be read (-s names a store):\n%s", tool,
            buffer_text(&text));
    buffer_free(&text);
}

char *store_folder_of(const char *tool, const char *conf_path, const char *store)
{
    struct conf_report report = {.problems = NULL};
    struct conf *conf = NULL;

    if (store != NULL) {
        return mem_copy_text(store);
    }
    if (conf_load(conf_path, &conf, &report) != SG_OK) {
        say_errors(tool, &report);
        conf_report_clear(&report);
        return NULL;
    }
    const struct conf_options *options = &conf->options;
    bool relative = options->store_directory[0] != '/' && options->directory != NULL;
    char *folder = relative ? mem_format("%s/%s", options->directory, options->store_directory)
                            : mem_copy_text(options->store_directory);
    conf_report_clear(&report);
    conf_free(conf);
    return folder;
}
