/* A zone that needs no store any more stays above every serial that it was served with. */
#include "keeper/keeper_scene.h"

static void be_static(struct keeper_scene *scene)
{
    scene->plan[0].dynamic = false;
    scene->plan[0].policy = NULL;
    scene->plan[0].inline_signing = false;
    scene_differ(scene);
}

/* Signed, with a serial far above its file's 7. */
static uint32_t serve_raised(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    return 100;
}

/* Its file, edited, is not above what was served; later it is, and then it counts again. */
static void expect_floor(struct keeper_scene *scene)
{
    uint32_t served = scene_serial(scene);
    assert_true(served > 100);
    assert_false(scene_status(scene).secure);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), served);
    scene_write_file(scene, 8, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), served + 1);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), served + 1);
    assert_null(scene_status(scene).problem);
    scene_stop(scene);
    scene_write_file(scene, 9, false);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), served + 2);
    assert_false(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    scene_write_file(scene, 500, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 500);
    scene_write_file(scene, 300, true); /* As ever with a static zone: whoever edits it decides. */
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 300);
}

static void a_policy_that_is_taken_away_lowers_no_serial(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    be_static(scene);
    scene_configure(scene);
    expect_floor(scene);
}

static void a_policy_that_is_taken_away_while_it_is_down_lowers_no_serial(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    scene_start(scene);
    scene_configure(scene);
    expect_floor(scene);
}

static void a_zone_that_takes_no_updates_any_more_keeps_them_in_its_file(void **state)
{
    struct keeper_scene *scene = *state;
    struct buffer text = BUFFER_EMPTY;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    be_static(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_int_equal(file_read(scene->file, 10000, &text), SG_OK);
    assert_non_null(strstr(buffer_text(&text), "\nnew "));
    buffer_free(&text);
    for (int i = 0; i < 2; i++) {
        scene_restart(scene);
        assert_int_equal(scene_serial(scene), 8);
        assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    }
}

static void a_static_zone_whose_store_comes_late_lowers_no_serial_for_long(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 101);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 101);
}

/* And stays so with every edit of its file, over restarts, until that is above it. */
static void a_static_zone_with_a_damaged_record_is_served_with_a_serial_above_it(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 101);
    assert_null(scene_status(scene).problem);
    expect_floor(scene);
}

/* Its store comes late and is damaged. */
static void a_static_zone_that_is_served_rises_above_a_damaged_record(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 101);
    expect_floor(scene);
}

/* A job is out when the store comes. */
static void a_static_zone_at_work_asks_its_store_afterwards(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    scene->storeless = true;
    scene_start(scene);
    scene_configure_only(scene);
    scene_turn_once(scene);
    assert_non_null(scene_zone(scene)->job);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 101);
    expect_floor(scene);
}

/* Served from its file without a store, it was made dynamic, or signed, before that came. */
static void a_zone_that_is_to_be_stored_meanwhile_lowers_no_serial_for_long(void **state)
{
    struct keeper_scene *scene = *state;
    for (int i = 0; i < 4; i++) {
        bool is_signed = i % 2 == 1, is_damaged = i >= 2;
        (void)serve_raised(scene);
        scene_stop(scene);
        be_static(scene);
        if (is_damaged) {
            fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
        }
        scene->storeless = true;
        scene_start(scene);
        scene_configure(scene);
        assert_int_equal(scene_serial(scene), 7);
        scene->plan[0].dynamic = !is_signed;
        scene->plan[0].policy = is_signed ? scene->policy : NULL;
        scene->plan[0].inline_signing = is_signed;
        scene_differ(scene);
        scene_configure(scene);
        assert_int_equal(scene_serial(scene), 7);
        scene_take_store(scene);
        scene_turn(scene);
        assert_true(scene_serial(scene) > 100);
        assert_int_equal(scene_status(scene).secure, is_signed);
        uint32_t served = scene_serial(scene);
        scene_restart(scene);
        assert_int_equal(scene_serial(scene), served);
        /* The next one begins with an empty disk. */
        be_static(scene);
        scene_stop(scene);
        fake_disk_free(scene->disk);
        scene->disk = fake_disk_new();
        scene_start(scene);
    }
}

/* A zone that was never stored gets no place in the store. */
static void a_static_zone_is_not_known_to_the_store(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    assert_int_equal(scene_zone(scene)->ledger.id, 0);
    scene_write_file(scene, 5, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_policy_that_is_taken_away_lowers_no_serial),
        WITH_SCENE(a_policy_that_is_taken_away_while_it_is_down_lowers_no_serial),
        WITH_SCENE(a_zone_that_takes_no_updates_any_more_keeps_them_in_its_file),
        WITH_SCENE(a_static_zone_whose_store_comes_late_lowers_no_serial_for_long),
        WITH_SCENE(a_static_zone_with_a_damaged_record_is_served_with_a_serial_above_it),
        WITH_SCENE(a_static_zone_that_is_served_rises_above_a_damaged_record),
        WITH_SCENE(a_static_zone_at_work_asks_its_store_afterwards),
        WITH_SCENE(a_zone_that_is_to_be_stored_meanwhile_lowers_no_serial_for_long),
        WITH_SCENE(a_static_zone_is_not_known_to_the_store),
    };
    return cmocka_run_group_tests_name("serial_floor", tests, NULL, NULL);
}
