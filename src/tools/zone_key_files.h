/*
 * tools/zone_key_files.h - the key files of one zone, read and never written, for tools that tell
 * what a policy would do to them
 */
#pragma once

#include "conf/conf.h"
#include "keeper/key_folders.h"

struct zone_key_files {
    const char *paths[KASP_KEYS_MAX + 1]; /* the zone's key folders, each once; borrowed */
    size_t paths_count;
    struct key_list list; /* of all of them */
    bool unreadable;      /* a folder or a file could not be read: the list is not whole */
};

/* Who is told. */
struct zone_key_listener {
    /* What is wrong with a folder or a file, in operators' words; takes the text. */
    void (*trouble)(void *argument, char *text);
    /* A key in `folder` that has a file with `suffix` ("state", "key") but no .private file. */
    void (*lost)(void *argument, const char *folder, const char *name, const char *suffix);
    void *argument;
};

/* Only the name that a cut off key still lacks is given, as by any reader. The zone has a policy.
 * Blocks on the disk; the caller clears. */
void zone_key_files_read(const struct conf *conf, const struct conf_zone *zone,
                         struct key_folders *folders, const struct zone_key_listener *listener,
                         struct zone_key_files *out_files);
/* Tell of each key that has lost its private half and is not done with. May set `unreadable`. */
void zone_key_files_find_lost(struct zone_key_files *files, const struct conf_zone *zone,
                              struct key_folders *folders, sg_time now,
                              const struct zone_key_listener *listener);
void zone_key_files_clear(struct zone_key_files *files);
