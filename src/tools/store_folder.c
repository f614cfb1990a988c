#include "tools/store_folder.h"

#include <stdio.h>

#include "base/mem.h"
#include "conf/key_folders.h"

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

static struct conf *load(const char *tool, const char *conf_path)
{
    struct conf_report report = {.problems = NULL};
    struct conf *conf = NULL;
    if (conf_load(conf_path, &conf, &report) != SG_OK) {
        say_errors(tool, &report);
        conf = NULL;
    }
    conf_report_clear(&report);
    return conf;
}

static char *absolute(const struct conf *conf, const char *folder)
{
    const char *directory = conf->options.directory;
    return folder[0] != '/' && directory != NULL ? mem_format("%s/%s", directory, folder)
                                                 : mem_copy_text(folder);
}

char *store_folder_of(const char *tool, const char *conf_path, const char *store)
{
    if (store != NULL) {
        return mem_copy_text(store);
    }
    struct conf *conf = load(tool, conf_path);
    if (conf == NULL) {
        return NULL;
    }
    char *folder = absolute(conf, conf->options.store_directory);
    conf_free(conf);
    return folder;
}

struct key_folders {
    const struct conf *conf;
    void (*see)(void *argument, const char *folder);
    void *argument;
};

static void see_absolute(void *argument, const char *folder)
{
    const struct key_folders *folders = argument;
    char *path = absolute(folders->conf, folder);
    folders->see(folders->argument, path);
    mem_free(path);
}

bool store_folder_keys(const char *tool, const char *conf_path,
                       void (*see)(void *argument, const char *folder), void *argument)
{
    struct conf *conf = load(tool, conf_path);
    struct key_folders folders = {conf, see, argument};
    if (conf != NULL) {
        conf_key_folders(conf, see_absolute, &folders);
        conf_free(conf);
    }
    return conf != NULL;
}
