#include "keeper/keeper_scene.h"

static const struct zone_history *history_of(struct keeper_scene *scene, size_t zone)
{
    return &keeper_zone(scene->keeper, zone)->slot->history;
}

static void change(struct keeper_scene *scene, size_t zone, unsigned times)
{
    static unsigned labels;
    for (unsigned i = 0; i < times; i++) {
        char label[16];
        int rcode;
        snprintf(label, sizeof(label), "new%06u", labels++);
        scene_update_zone(scene, zone, label, &rcode);
        scene_turn(scene);
        assert_int_equal(rcode, DNS_RCODE_NOERROR);
    }
}

/* Zones in views that take updates; how large one change is. */
static size_t serve(struct keeper_scene *scene, size_t zones)
{
    scene->zones = zones;
    scene_write_file(scene, 7, false);
    for (size_t i = 0; i < zones; i++) {
        scene->plan[i].dynamic = true;
    }
    scene_configure(scene);
    change(scene, 0, 1);
    assert_int_equal(history_of(scene, 0)->links, 1);
    return history_of(scene, 0)->bytes;
}

static void let_fit(struct keeper_scene *scene, size_t bytes)
{
    scene->keeper->generation->history_bytes_max = bytes;
}

static void check_sum(struct keeper_scene *scene)
{
    size_t sum = 0;
    for (size_t i = 0; i < scene->zones; i++) {
        sum += history_of(scene, i)->bytes;
    }
    assert_int_equal(scene->keeper->history_bytes, sum);
    assert_true(sum <= scene->keeper->generation->history_bytes_max);
}

static void who_holds_most_makes_room(void **state)
{
    struct keeper_scene *scene = *state;
    size_t one = serve(scene, 2);
    let_fit(scene, 6 * one + one / 2);
    change(scene, 0, 9);
    assert_int_equal(history_of(scene, 0)->links, 6);
    for (size_t i = 1; i < 4; i++) {
        change(scene, 1, 1);
        assert_int_equal(history_of(scene, 1)->links, i);
        assert_int_equal(history_of(scene, 0)->links, 6 - i);
        check_sum(scene);
    }
    change(scene, 1, 5); /* It does not take more than half. */
    assert_int_equal(history_of(scene, 0)->links, 3);
    assert_int_equal(history_of(scene, 1)->links, 3);
}

/* With more zones than changes fit it is a matter of who was last. */
static void the_change_that_is_to_be_told_stays(void **state)
{
    struct keeper_scene *scene = *state;
    size_t one = serve(scene, 4);
    let_fit(scene, one + one / 2);
    for (unsigned i = 0; i < 12; i++) {
        change(scene, i % 4, 1);
        assert_int_equal(history_of(scene, i % 4)->links, 1);
        check_sum(scene);
    }
}

static void what_exceeds_it_alone_is_not_kept(void **state)
{
    struct keeper_scene *scene = *state;
    size_t one = serve(scene, 2);
    let_fit(scene, one - 1);
    change(scene, 1, 1);
    change(scene, 0, 1);
    assert_int_equal(history_of(scene, 0)->links, 0);
    assert_int_equal(scene->keeper->history_bytes, 0);
    assert_null(heap_first(&scene->keeper->holders));
}

static void a_restart_is_fair_too(void **state)
{
    struct keeper_scene *scene = *state;
    size_t one = serve(scene, 2);
    change(scene, 0, 7);
    change(scene, 1, 2);
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    let_fit(scene, 6 * one + one / 2);
    scene_turn(scene);
    assert_int_equal(history_of(scene, 0)->links, 4);
    assert_int_equal(history_of(scene, 1)->links, 2);
    check_sum(scene);
}

static void a_zone_that_goes_leaves_its_share(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve(scene, 2);
    change(scene, 1, 3);
    scene->zones = 0;
    scene_configure(scene);
    scene_turn(scene);
    assert_int_equal(scene->keeper->history_bytes, 0);
    assert_null(heap_first(&scene->keeper->holders));
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(who_holds_most_makes_room),
        WITH_SCENE(the_change_that_is_to_be_told_stays),
        WITH_SCENE(what_exceeds_it_alone_is_not_kept),
        WITH_SCENE(a_restart_is_fair_too),
        WITH_SCENE(a_zone_that_goes_leaves_its_share),
    };
    return cmocka_run_group_tests_name("history_budget", tests, NULL, NULL);
}
