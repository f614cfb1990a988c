#include "tools/zone_key_files.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "kasp/keyset.h"

static void tell_of_file(void *argument, const char *path, const char *problem)
{
    const struct zone_key_listener *listener = argument;
    listener->trouble(listener->argument, mem_format("key file %s: %s", path, problem));
}

static const char *folder_of(const struct conf *conf, const struct conf_zone *zone,
                             const struct kasp_key *entry)
{
    const struct conf_key_store *store =
        entry->key_store == NULL ? NULL : conf_key_store_find(conf, entry->key_store);
    return store != NULL && store->directory != NULL ? store->directory : zone->key_directory;
}

static void choose_paths(struct zone_key_files *files, const struct conf *conf,
                         const struct conf_zone *zone)
{
    files->paths[files->paths_count++] = zone->key_directory;
    for (unsigned i = 0; i < zone->policy->keys_count; i++) {
        const char *folder = folder_of(conf, zone, &zone->policy->keys[i]);
        bool known = false;
        for (size_t p = 0; p < files->paths_count; p++) {
            known |= strcmp(files->paths[p], folder) == 0 || file_is_same(files->paths[p], folder);
        }
        if (!known) {
            files->paths[files->paths_count++] = folder;
        }
    }
}

static void append_keys(struct zone_key_files *files, struct keystore_index *index,
                        const struct dns_name *apex, const struct zone_key_listener *listener)
{
    struct key_list found;
    struct key_list *list = &files->list;
    if (keystore_index_list(index, apex, tell_of_file, (void *)listener, &found) != SG_OK) {
        files->unreadable = true;
    }
    list->keys =
        mem_resize_array(list->keys, list->count + found.count + 1, sizeof(struct signing_key *));
    for (size_t i = 0; i < found.count; i++) {
        list->keys[list->count++] = found.keys[i];
    }
    mem_free(found.keys);
}

void zone_key_files_read(const struct conf *conf, const struct conf_zone *zone,
                         struct key_folders *folders, const struct zone_key_listener *listener,
                         struct zone_key_files *out_files)
{
    struct dns_name apex;
    conf_zone_apex(zone, &apex);
    *out_files = (struct zone_key_files){.paths_count = 0};
    choose_paths(out_files, conf, zone);
    for (size_t p = 0; p < out_files->paths_count; p++) {
        struct keystore_index *index;
        const char *folder = out_files->paths[p];
        enum sg_result result = key_folders_find(folders, folder, 0, &index);
        if (result == SG_OK) {
            append_keys(out_files, index, &apex, listener);
            continue;
        }
        listener->trouble(listener->argument,
                          mem_format("keys in '%s': %s", folder, sg_result_text(result)));
        out_files->unreadable = true;
    }
}

static void find_lost_in(struct zone_key_files *files, const char *folder,
                         struct keystore_index *index, const struct dns_name *apex, sg_time now,
                         const struct zone_key_listener *listener)
{
    struct key_list halves;
    const char *orphan = keystore_index_orphan(index, apex);
    if (orphan != NULL) {
        listener->lost(listener->argument, folder, orphan, "state");
    }
    if (keystore_index_halves(index, apex, tell_of_file, (void *)listener, &halves) != SG_OK) {
        files->unreadable = true;
    }
    for (size_t i = 0; i < halves.count; i++) {
        char *name = signing_key_file_name(halves.keys[i]);
        bool known = orphan != NULL && strcmp(orphan, name) == 0;
        if (!known && !kasp_key_is_over(halves.keys[i], now)) {
            listener->lost(listener->argument, folder, name, "key");
        }
        mem_free(name);
    }
    key_list_clear(&halves);
}

void zone_key_files_find_lost(struct zone_key_files *files, const struct conf_zone *zone,
                              struct key_folders *folders, sg_time now,
                              const struct zone_key_listener *listener)
{
    struct dns_name apex;
    conf_zone_apex(zone, &apex);
    for (size_t p = 0; p < files->paths_count; p++) {
        struct keystore_index *index;
        /* One that cannot be read was told before. */
        if (key_folders_find(folders, files->paths[p], 0, &index) == SG_OK) {
            find_lost_in(files, files->paths[p], index, &apex, now, listener);
        }
    }
}

void zone_key_files_clear(struct zone_key_files *files)
{
    key_list_clear(&files->list);
}
