/* What tests of secondaries do besides: sign, and look at what differences lead on. */
#pragma once

#include "keeper/keeper_scene.h"

static inline void scene_be_signed(struct keeper_scene *scene)
{
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
}

static inline void scene_lose_policy(struct keeper_scene *scene)
{
    scene->plan[0].policy = NULL;
    scene->plan[0].inline_signing = false;
    scene_differ(scene);
    scene_configure(scene);
}

static inline size_t scene_links_from(struct keeper_scene *scene, uint32_t serial)
{
    const struct zone_history_link *links[8];
    size_t count = zone_history_collect(&scene_zone(scene)->slot->history, serial,
                                        scene_serial(scene), links, ARRAY_LEN(links));
    for (size_t i = 0; i < count; i++) {
        zone_history_unref(links[i]);
    }
    return count;
}
