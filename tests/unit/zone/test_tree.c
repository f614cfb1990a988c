#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/tree.h"

/* A tree beside a sorted array of its names. */
enum { NAMES_MAX = 400, STEPS = 3000 };

struct scene {
    struct random_seeded random;
    struct arena arena;
    struct tree_writer writer;
    struct tree_cell root;
    size_t count;
    struct dns_name names[NAMES_MAX];
};

static const struct arena_sizes small_sizes = {64, 1024, 5000};

static void set_up_scene(struct scene *scene, uint64_t seed, bool all_fresh)
{
    memset(scene, 0, sizeof(*scene));
    scene->random.state = seed;
    arena_init(&scene->arena, &small_sizes);
    scene->writer = (struct tree_writer){.arena = &scene->arena, .all_fresh = all_fresh};
}

static struct tree_key key_of(const struct dns_name *name)
{
    struct tree_key key;
    tree_key_encode(name->wire, name->length - 1U, &key);
    return key;
}

static size_t place_of(const struct scene *scene, const struct dns_name *name)
{
    size_t at = 0;
    while (at < scene->count && dns_name_compare(&scene->names[at], name) < 0) {
        at++;
    }
    return at;
}

static void insert(struct scene *scene, const struct dns_name *name)
{
    struct tree_key key = key_of(name);
    struct tree_cell *leaf;
    bool created;
    assert_int_equal(tree_put(&scene->writer, &scene->root, &key, &leaf, &created), SG_OK);
    size_t at = place_of(scene, name);
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

static void delete (struct scene *scene, const struct dns_name *name)
{
    struct tree_key key = key_of(name);
    struct tree_cell removed;
    size_t at = place_of(scene, name);
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
    struct tree_key key = key_of(name);
    size_t at = place_of(scene, name);
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
        set_up_scene(scene, seed, true);
        for (unsigned step = 0; step < STEPS; step++) {
            struct dns_name name = naive_random_name(&scene->random, &dns_name_root);
            bool grow = scene->count < NAMES_MAX - 1 && (step / 500 % 2 == 0);
            if (grow) {
                insert(scene, &name);
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
        set_up_scene(scene, way, way != 1);
        while (scene->count < NAMES_MAX - 1) {
            struct dns_name name = naive_random_name(&scene->random, &dns_name_root);
            insert(scene, &name);
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
    set_up_scene(scene, 9, false);
    while (scene->count < NAMES_MAX - 2) {
        struct dns_name name = naive_random_name(&scene->random, &dns_name_root);
        insert(scene, &name);
    }
    struct pieces made = {0};
    tree_collect_fresh(&scene->arena, &scene->root, &made);
    assert_true(made.count > scene->count); /* a block for each, and the vectors */
    pieces_clear(&made);

    struct tree_cell before = scene->root;
    size_t count_before = scene->count;
    uint64_t live_before = live_granules(&scene->arena);
    struct dns_name name = {.length = 6, .labels = 1, .wire = "\004nine"};
    insert(scene, &name);
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
        cmocka_unit_test(floor_and_find_agree_with_a_sorted_array),
        cmocka_unit_test(a_tree_that_was_emptied_holds_no_memory),
        cmocka_unit_test(a_change_copies_one_path_and_retires_what_it_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
