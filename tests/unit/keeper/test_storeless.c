/* Which zones are served without a store, and which wait for it. What one brings that comes late:
 * test_late_store.c. */
#include "keeper/keeper_scene.h"

static void a_static_zone_needs_no_store(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_null(scene_status(scene).problem);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* Loaded from its file it would be without what updates have brought, and take more of them. */
static void a_dynamic_zone_is_not_loaded_before_its_store_is_there(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene->storeless = true;
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_string_equal(scene_status(scene).problem, "the store is not open: not mounted");
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    keeper_miss_store(scene->keeper, "not readable");
    assert_string_equal(scene_status(scene).problem, "the store is not open: not readable");
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_IO);
    assert_int_equal(keeper_freeze(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_IO);
    keeper_reload_all(scene->keeper);
    scene_pass(scene, 10000);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_take_store(scene);
    scene_turn(scene);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
}

static void a_signed_zone_waits_for_its_store_as_well(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).secure);
    sg_time expires = scene_status(scene).expires_first;
    scene->now += 100;
    scene_restart(scene);
    assert_int_equal(scene_status(scene).expires_first, expires);
}

/* What is fetched could not be kept, nor its times. */
static void a_secondary_asks_nobody_before_its_store_is_there(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 9);
    scene->storeless = true;
    scene_restart(scene);
    assert_int_equal(scene->questions_count, 0);
    scene_differ(scene);
    scene_configure(scene);
    scene_pass(scene, 10000);
    assert_int_equal(scene->questions_count, 0);
    assert_int_equal(scene_serial(scene), 0);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_non_null(scene_asked(scene, KEEPER_QUESTION_SOA));
}

/* A configuration that wants a zone stored which is served: it goes on as it is. */
static void a_served_zone_that_becomes_dynamic_without_a_store_takes_no_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    scene_take_store(scene);
    scene_turn(scene);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

/* What it was in line for was the job of a zone that needs no store. */
static void a_zone_in_line_that_comes_to_need_a_store_is_not_loaded(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene_configure_only(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_string_equal(scene_status(scene).problem, "the store is not open: not mounted");
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_static_zone_needs_no_store),
        WITH_SCENE(a_dynamic_zone_is_not_loaded_before_its_store_is_there),
        WITH_SCENE(a_signed_zone_waits_for_its_store_as_well),
        WITH_SCENE(a_secondary_asks_nobody_before_its_store_is_there),
        WITH_SCENE(a_served_zone_that_becomes_dynamic_without_a_store_takes_no_updates),
        WITH_SCENE(a_zone_in_line_that_comes_to_need_a_store_is_not_loaded),
    };
    return cmocka_run_group_tests_name("storeless", tests, NULL, NULL);
}
