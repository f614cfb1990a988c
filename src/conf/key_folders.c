#include "conf/key_folders.h"

#include <string.h>

#include "conf/memory.h"

struct walk {
    struct conf_names seen;
    void (*see)(void *argument, const char *folder);
    void *argument;
};

static void see_once(struct walk *walk, const char *folder)
{
    if (folder != NULL && conf_names_add(&walk->seen, folder, strlen(folder), walk)) {
        walk->see(walk->argument, folder);
    }
}

static void see_view(struct walk *walk, const struct conf_view *view)
{
    for (size_t i = 0; i < view->zones_count; i++) {
        if (view->zones[i]->policy != NULL) {
            see_once(walk, view->zones[i]->key_directory);
        }
    }
}

void conf_key_folders(const struct conf *conf, void (*see)(void *argument, const char *folder),
                      void *argument)
{
    struct walk walk = {CONF_NAMES_EMPTY, see, argument};

    for (size_t i = 0; i < conf->views_count; i++) {
        see_view(&walk, conf->views[i]);
    }
    for (size_t i = 0; i < conf->key_stores_count; i++) {
        see_once(&walk, conf->key_stores[i].directory);
    }
    conf_names_free(&walk.seen);
}
