/*
 * A tree beside a sorted array of its names, and how both are changed. Include after <cmocka.h>.
 */
#pragma once

#include "naive.h"
#include "zone/tree.h"

enum { NAMES_MAX = 400 };

struct scene {
    struct random_seeded random;
    struct arena arena;
    struct tree_writer writer;
    struct tree_cell root;
    size_t count;
    struct dns_name names[NAMES_MAX];
};

static const struct arena_sizes scene_sizes = {64, 1024, 5000};

static inline void scene_start(struct scene *scene, uint64_t seed, bool all_fresh)
{
    memset(scene, 0, sizeof(*scene));
    scene->random.state = seed;
    arena_init(&scene->arena, &scene_sizes);
    scene->writer = (struct tree_writer){.arena = &scene->arena, .all_fresh = all_fresh};
}

static inline struct tree_key scene_key(const struct dns_name *name)
{
    struct tree_key key;
    tree_key_encode(name->wire, name->length - 1U, &key);
    return key;
}

static inline size_t scene_place(const struct scene *scene, const struct dns_name *name)
{
    size_t at = 0;
    while (at < scene->count && dns_name_compare(&scene->names[at], name) < 0) {
        at++;
    }
    return at;
}

static inline void scene_insert(struct scene *scene, const struct dns_name *name)
{
    struct tree_key key = scene_key(name);
    struct tree_cell *leaf;
    bool created;
    assert_int_equal(tree_put(&scene->writer, &scene->root, &key, &leaf, &created), SG_OK);
    size_t at = scene_place(scene, name);
    bool known = at < scene->count && dns_name_equal(&scene->names[at], name);
    assert_int_equal(created, !known);
    if (!created) {
        return;
    }
    struct naive_rrset buffer;
    struct span owner = {name->wire, name->length - 1U};
    arena_ref block;
    assert_int_equal(block_pack(&scene->arena, owner, naive_set(NAIVE_A, 1, &buffer), 1, &block),
                     SG_OK);
    leaf->ref = block;
    leaf->hi = scene->writer.all_fresh ? 0 : TREE_FRESH;
    memmove(scene->names + at + 1, scene->names + at,
            (scene->count - at) * sizeof(scene->names[0]));
    scene->names[at] = *name;
    scene->count++;
}

static inline void delete (struct scene *scene, const struct dns_name *name)
{
    struct tree_key key = scene_key(name);
    struct tree_cell removed;
    size_t at = scene_place(scene, name);
    bool known = at < scene->count && dns_name_equal(&scene->names[at], name);
    assert_int_equal(tree_remove(&scene->writer, &scene->root, &key, &removed),
                     known ? SG_OK : SG_NOT_FOUND);
    if (known) {
        tree_discard(&scene->writer, removed.ref,
                     block_bytes(tree_source(scene->arena.chunks, &removed)),
                     scene->writer.all_fresh || (removed.hi & TREE_FRESH) != 0);
        memmove(scene->names + at, scene->names + at + 1,
                (scene->count - at - 1) * sizeof(scene->names[0]));
        scene->count--;
    }
}
