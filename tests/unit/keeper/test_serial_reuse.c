/* A serial that was served before: no difference leads on from it (zone_serial_note()). */
#include "keeper/secondary_scene.h"

/* Whole, whatever serial we have. */
static void take_from_primary(struct keeper_scene *scene, uint32_t serial)
{
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    scene_answer_transfer(scene, serial);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* Whoever has the zone from here stays at the higher one, and takes up our count from there. */
static void what_has_gone_back_is_told_whole_until_all_that_was_served_is_passed(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 90);
    take_from_primary(scene, 99);
    take_from_primary(scene, 100);
    assert_int_equal(scene_links_from(scene, 99), 1);
    take_from_primary(scene, 98);
    for (uint32_t serial = 99; serial <= 101; serial++) {
        take_from_primary(scene, serial);
        assert_int_equal(scene_links_from(scene, serial - 1), 0);
        assert_int_equal(scene_links_from(scene, 90), 0);
        scene_restart(scene);
        assert_int_equal(scene_links_from(scene, serial - 1), 0);
        assert_int_equal(scene_links_from(scene, 90), 0);
    }
    take_from_primary(scene, 102);
    assert_int_equal(scene_links_from(scene, 101), 1);
    scene_restart(scene);
    assert_int_equal(scene_links_from(scene, 101), 1);
}

static void what_has_lost_its_policy_is_told_whole_as_long(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 103);
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    take_from_primary(scene, 100);
    for (uint32_t serial = 101; serial <= 104; serial++) {
        take_from_primary(scene, serial);
        assert_int_equal(scene_links_from(scene, serial - 1), 0);
    }
    take_from_primary(scene, 105);
    assert_int_equal(scene_links_from(scene, 104), 1);
}

/* A date that has become a small number is not come up to by counting; but if it becomes a date
 * again, those that were served are near. */
static void a_serial_that_is_reset_is_counted_on_from(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 2026010105);
    take_from_primary(scene, 1);
    take_from_primary(scene, 2);
    assert_int_equal(scene_links_from(scene, 1), 0);
    take_from_primary(scene, 3);
    assert_int_equal(scene_links_from(scene, 2), 1);
    take_from_primary(scene, 2026010104);
    assert_int_equal(scene_links_from(scene, 2), 2);
    for (uint32_t serial = 2026010105; serial <= 2026010106; serial++) {
        take_from_primary(scene, serial);
        assert_int_equal(scene_links_from(scene, serial - 1), 0);
    }
}

/* Serial 5 was served twice: signed here, and then as its primary has it. */
static void serve_another_zone_under_the_same_serial(struct keeper_scene *scene)
{
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    scene_lose_policy(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 5);
}

static void fetch_newer(struct keeper_scene *scene, uint32_t serial)
{
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_turn(scene);
    scene_answer_soa(scene, serial);
    scene_turn(scene);
    scene_answer_transfer(scene, serial);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* Whoever has the first one would make of it, by a difference, what nobody has ever served. */
static void no_difference_leads_from_a_serial_that_had_two_contents(void **state)
{
    struct keeper_scene *scene = *state;
    serve_another_zone_under_the_same_serial(scene);
    fetch_newer(scene, 6);
    assert_int_equal(scene_links_from(scene, 5), 0);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 6);
    assert_int_equal(scene_links_from(scene, 5), 0);
    fetch_newer(scene, 7);
    assert_int_equal(scene_links_from(scene, 6), 1);
    assert_int_equal(scene_links_from(scene, 5), 0);
}

static void nor_where_the_server_was_restarted_before_it_rose(void **state)
{
    struct keeper_scene *scene = *state;
    serve_another_zone_under_the_same_serial(scene);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 5);
    fetch_newer(scene, 6);
    assert_int_equal(scene_links_from(scene, 5), 0);
    scene_restart(scene);
    assert_int_equal(scene_links_from(scene, 5), 0);
    fetch_newer(scene, 7);
    assert_int_equal(scene_links_from(scene, 6), 1);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(what_has_gone_back_is_told_whole_until_all_that_was_served_is_passed),
        WITH_SCENE(what_has_lost_its_policy_is_told_whole_as_long),
        WITH_SCENE(a_serial_that_is_reset_is_counted_on_from),
        WITH_SCENE(no_difference_leads_from_a_serial_that_had_two_contents),
        WITH_SCENE(nor_where_the_server_was_restarted_before_it_rose),
    };
    return cmocka_run_group_tests_name("serial_reuse", tests, NULL, NULL);
}
