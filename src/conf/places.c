/* Folders that the configuration names: without some of them the server does not start. */
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "conf/loader.h"

/* 0, or why `path`, as seen from the working directory, is no folder. A folder that is hidden from
 * us counts as there: the server may be another user. */
static int folder_problem(const struct conf_loader *loader, const char *path)
{
    const char *directory = loader->conf->options.directory;
    struct stat status;

    bool below = *path != '/' && directory != NULL && strcmp(directory, path) != 0;
    char *whole = below ? mem_format("%s/%s", directory, path) : mem_copy_text(path);
    int problem = stat(whole, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    mem_free(whole);
    return problem == EACCES ? 0 : problem;
}

static bool check_directory(struct conf_loader *loader)
{
    const struct conf_statement *statement = conf_find_statement(loader->options, "directory");
    if (statement == NULL) {
        return true;
    }
    int problem = folder_problem(loader, loader->conf->options.directory);
    if (problem != 0) {
        conf_error(loader, statement, &statement->nodes[1], "change directory to '%s' failed: %s",
                   loader->conf->options.directory, strerror(problem));
    }
    return problem == 0;
}

static bool category_uses(const struct conf_logging *logging, const struct conf_category *category,
                          const char *name)
{
    for (unsigned i = 0; i < category->count; i++) {
        if (strcasecmp(logging->channels[category->channels[i]].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Only the channels of some category are opened. */
static bool is_used(const struct conf_logging *logging, const char *name)
{
    bool used = false;

    for (size_t i = 0; i < LOG_CATEGORIES; i++) {
        used |= category_uses(logging, &logging->categories[i], name);
    }
    return used;
}

static void check_log_file(struct conf_loader *loader, const struct conf_statement *channel)
{
    const struct conf_statement *file = conf_find_statement(conf_body(channel), "file");
    if (file == NULL || !is_used(&loader->conf->logging, channel->nodes[1].text)) {
        return;
    }
    const char *path = file->nodes[1].text;
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return; /* in the working directory */
    }
    char *folder = mem_format("%.*s", (int)(slash == path ? 1 : slash - path), path);
    int problem = folder_problem(loader, folder);
    if (problem != 0) {
        conf_error(loader, file, &file->nodes[1], "channel '%s': '%s' cannot be opened: %s",
                   channel->nodes[1].text, path, strerror(problem));
    }
    mem_free(folder);
}

static void check_log_files(struct conf_loader *loader)
{
    const struct conf_statement *logging = conf_find_statement(loader->top, "logging");
    const struct conf_statement *body = logging == NULL ? NULL : conf_body(logging);

    for (const struct conf_statement *at = conf_next_statement(body, "channel"); at != NULL;
         at = conf_next_statement(at->next, "channel")) {
        check_log_file(loader, at);
    }
}

static void check_key_stores(struct conf_loader *loader)
{
    for (const struct conf_statement *at = conf_next_statement(loader->top, "key-store");
         at != NULL; at = conf_next_statement(at->next, "key-store")) {
        const struct conf_statement *directory = conf_find_statement(conf_body(at), "directory");
        if (directory != NULL && folder_problem(loader, directory->nodes[1].text) != 0) {
            conf_warning(loader, directory, &directory->nodes[1],
                         "key-store '%s': directory '%s' does not exist", at->nodes[1].text,
                         directory->nodes[1].text);
        }
    }
}

/* Keys of a zone that is signed; each folder is looked at once. */
static void check_key_directory(struct conf_loader *loader, struct conf_zone *zone,
                                struct conf_names *seen)
{
    const char *folder = zone->key_directory;

    if (zone->policy == NULL || !conf_names_add(seen, folder, strlen(folder), zone)) {
        return;
    }
    int problem = folder_problem(loader, folder);
    if (problem != 0) {
        conf_report_add(loader->report, CONF_WARNING, zone->source_file, zone->source_line,
                        zone->source_column, "zone '%s': key-directory '%s': %s", zone->name,
                        folder, strerror(problem));
    }
}

static void check_key_directories(struct conf_loader *loader)
{
    const struct conf *conf = loader->conf;
    struct conf_names seen = CONF_NAMES_EMPTY;

    for (size_t v = 0; v < conf->views_count; v++) {
        for (size_t z = 0; z < conf->views[v]->zones_count; z++) {
            check_key_directory(loader, conf->views[v]->zones[z], &seen);
        }
    }
    conf_names_free(&seen);
}

void conf_check_places(struct conf_loader *loader)
{
    if (!loader->on_disk || !check_directory(loader)) {
        return; /* Nothing else could be found. */
    }
    if (!loader->overrides.no_log_files) {
        check_log_files(loader);
    }
    check_key_stores(loader);
    check_key_directories(loader);
}
