/* A zone from its file, signed here. */
#pragma once

#include "keeper/keeper_scene.h"

static inline void serve_signed(struct keeper_scene *scene, bool dynamic)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = dynamic;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).secure);
}
