#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree_scene.h"

static uint64_t live_granules(const struct arena *arena)
{
    uint64_t live = 0;
    for (uint32_t i = 0; i < arena->count; i++) {
        live += arena->notes[i].live;
    }
    return live;
}

static void a_tree_that_was_emptied_holds_no_memory(void **state)
{
    (void)state;
    struct scene *scene = mem_alloc(sizeof(*scene));
    for (unsigned way = 0; way < 3; way++) {
        scene_start(scene, way, way != 1);
        while (scene->count < NAMES_MAX - 1) {
            struct dns_name name = naive_random_name(&scene->random, &dns_name_root);
            scene_insert(scene, &name);
        }
        if (way == 2) {
            tree_discard_all(&scene->writer, &scene->root);
        } else {
            while (scene->count > 0) {
                delete (scene, &scene->names[scene->count / 2]);
            }
        }
        assert_true(tree_is_empty(&scene->root));
        assert_int_equal(scene->writer.retired.count, 0);
        assert_int_equal(live_granules(&scene->arena), 0);
        arena_check(&scene->arena);
        arena_clear(&scene->arena);
    }
    mem_free(scene);
}

static void a_change_copies_one_path_and_retires_what_it_copied(void **state)
{
    (void)state;
    struct scene *scene = mem_alloc(sizeof(*scene));
    scene_start(scene, 9, false);
    while (scene->count < NAMES_MAX - 2) {
        struct dns_name name = naive_random_name(&scene->random, &dns_name_root);
        scene_insert(scene, &name);
    }
    struct pieces made = {0};
    tree_collect_fresh(&scene->arena, &scene->root, &made);
    assert_true(made.count > scene->count); /* a block for each, and the vectors */
    pieces_clear(&made);

    struct tree_cell before = scene->root;
    size_t count_before = scene->count;
    uint64_t live_before = live_granules(&scene->arena);
    struct dns_name name = {.length = 6, .labels = 1, .wire = "\004nine"};
    scene_insert(scene, &name);
    assert_int_equal(scene->count, count_before + 1);
    assert_true(scene->writer.retired.count > 0 && scene->writer.retired.count < 20);
    /* The tree as it was is still whole. */
    struct span owner = {name.wire, name.length - 1U};
    assert_null(tree_find(scene->arena.chunks, &before, owner));
    assert_non_null(tree_find(scene->arena.chunks, &scene->root, owner));

    tree_collect_fresh(&scene->arena, &scene->root, &made);
    assert_true(made.count >= 2 && made.count < 20);
    /* Undone: what it made is freed, what it retired is in use again. */
    pieces_release(&made, &scene->arena);
    pieces_clear(&scene->writer.retired);
    assert_int_equal(live_granules(&scene->arena), live_before);
    arena_check(&scene->arena);
    arena_clear(&scene->arena);
    mem_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_that_was_emptied_holds_no_memory),
        cmocka_unit_test(a_change_copies_one_path_and_retires_what_it_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
