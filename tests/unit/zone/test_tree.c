#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree_scene.h"

enum { STEPS = 3000 };

static void check_is(const struct scene *scene, const struct tree_cell *leaf,
                     const struct dns_name *name)
{
    if (name == NULL) {
        assert_null(leaf);
        return;
    }
    assert_non_null(leaf);
    struct span owner = tree_owner(scene->arena.chunks, leaf);
    assert_int_equal(owner.length, name->length - 1U);
    if (owner.length > 0) {
        assert_memory_equal(owner.bytes, name->wire, owner.length);
    }
}

static void check_question(struct scene *scene, const struct dns_name *name)
{
    uint8_t *const *chunks = scene->arena.chunks;
    struct tree_key key = scene_key(name);
    size_t at = scene_place(scene, name);
    bool known = at < scene->count && dns_name_equal(&scene->names[at], name);
    const struct dns_name *before = at > 0 ? &scene->names[at - 1] : NULL;
    const struct dns_name *floor = known ? &scene->names[at] : before;
    check_is(scene, tree_find(chunks, &scene->root, (struct span){name->wire, name->length - 1U}),
             known ? &scene->names[at] : NULL);
    check_is(scene, tree_floor(chunks, &scene->root, &key, false), floor);
    check_is(scene, tree_floor(chunks, &scene->root, &key, true), before);
}

static void floor_and_find_agree_with_a_sorted_array(void **state)
{
    (void)state;
    struct scene *scene = mem_alloc(sizeof(*scene));
    for (uint64_t seed = 1; seed <= 4; seed++) {
        scene_start(scene, seed, true);
        for (unsigned step = 0; step < STEPS; step++) {
            struct dns_name name = naive_random_name(&scene->random, &dns_name_root);
            bool grow = scene->count < NAMES_MAX - 1 && (step / 500 % 2 == 0);
            if (grow) {
                scene_insert(scene, &name);
            } else {
                if (scene->count > 0 && step % 2 == 0) {
                    size_t any = random_seeded_below(&scene->random, (uint32_t)scene->count);
                    name = scene->names[any];
                }
                delete (scene, &name);
            }
            name = naive_random_name(&scene->random, &dns_name_root);
            check_question(scene, &name);
            if (scene->count > 0) {
                name = scene->names[random_seeded_below(&scene->random, (uint32_t)scene->count)];
                check_question(scene, &name);
                check_is(scene, tree_last(scene->arena.chunks, &scene->root),
                         &scene->names[scene->count - 1]);
            }
        }
        arena_check(&scene->arena);
        arena_clear(&scene->arena);
    }
    mem_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_and_find_agree_with_a_sorted_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
