/* What the store has of a zone that comes, stays or goes: its updates outlive all of that. */
#include "keeper/keeper_scene.h"

static void an_update_outlives_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_serial(scene), 8);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

/* Its file does not have what updates brought: the store is asked again, the file is not taken. */
static void a_record_that_cannot_be_read_is_no_reason_to_forget_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_COMMITS, 1, 40);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(scene_status(scene).problem);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 0);
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    fake_disk_damage(scene->disk, STORE_COMMITS, 1, 40); /* whole again */
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

static void an_image_that_cannot_be_read_is_no_reason_to_forget_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_pass(scene, 301);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), false), SG_UNSUPPORTED);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void who_reloads_a_zone_that_the_store_can_read_again_is_told(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_int_equal(scene_serial(scene), 8);
}

/* An operator who gives up what the store has says so: the file counts, and secondaries see it. */
static void a_reload_by_hand_takes_the_file_of_a_zone_whose_record_is_lost(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
    assert_int_equal(scene_serial(scene), 10);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    int outcome = -1;
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_int_equal(scene_serial(scene), 11);
    assert_int_equal(scene_update_now(scene, "again"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 12);
    assert_true(scene_serves(scene, "again.example.test.", DNS_TYPE_A));
}

/* It takes no updates any more, and its file lacks what they brought. The server is not running. */
static void be_static_and_ahead(struct keeper_scene *scene, bool is_signed)
{
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene->plan[0].dynamic = false;
    scene->plan[0].policy = is_signed ? scene->policy : NULL;
    scene->plan[0].inline_signing = is_signed;
    scene_differ(scene);
}

static void expect_lost_updates_kept(struct keeper_scene *scene)
{
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(strstr(scene_status(scene).problem, "`reload -force` takes the file"));
}

static void expect_updates_back(struct keeper_scene *scene)
{
    scene_pass(scene, 301);
    assert_true(scene_serial(scene) >= 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

static void a_zone_made_static_keeps_its_updates_where_its_record_is_damaged(void **state)
{
    struct keeper_scene *scene = *state;
    be_static_and_ahead(scene, false);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    expect_lost_updates_kept(scene);
    scene_pass(scene, 301);
    expect_lost_updates_kept(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    expect_updates_back(scene);
}

static void a_zone_made_static_and_signed_keeps_its_updates_so_too(void **state)
{
    struct keeper_scene *scene = *state;
    be_static_and_ahead(scene, true);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    expect_lost_updates_kept(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    expect_updates_back(scene);
}

/* An image file could not be opened for once: too many were open. */
static void a_zone_made_static_keeps_its_updates_where_its_image_is_not_read_once(void **state)
{
    struct keeper_scene *scene = *state;
    be_static_and_ahead(scene, true);
    scene_start(scene);
    scene_configure_only(scene);
    scene_lack_image(scene);
    scene_turn(scene);
    expect_lost_updates_kept(scene);
    expect_updates_back(scene);
}

static void a_word_gives_up_the_updates_of_a_zone_made_static(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    be_static_and_ahead(scene, false);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_int_equal(scene_serial(scene), 9);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

/* A commit that was answered as failed and has come to be all the same: the numbers part. */
static void a_store_that_has_more_than_it_told_is_asked_anew(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_zone(scene)->ledger.last--;
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_SERVFAIL);
    scene_pass(scene, 11);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_update_now(scene, "three"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "one.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "three.example.test.", DNS_TYPE_A));
}

static void a_zone_that_becomes_dynamic_is_stored_from_then_on(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
}

static void a_zone_that_becomes_dynamic_can_be_frozen_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(keeper_freeze(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_UP_TO_DATE);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).frozen);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_REFUSED);
}

/* Until the store has given it a place nothing that it acknowledged would last. */
static void updates_wait_for_the_store_of_a_zone_that_becomes_dynamic(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure_only(scene);
    scene_update(scene, "new", &rcode);
    scene_turn(scene);
    if (rcode == DNS_RCODE_NOERROR) {
        scene_restart(scene);
        assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    } else {
        assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    }
}

static void a_zone_that_gets_a_policy_is_stored_from_then_on(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 8);
    sg_time expires = scene_status(scene).expires_first;
    scene->now += 100;
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_int_equal(scene_status(scene).expires_first, expires); /* nothing signed anew */
}

/* It was stored once, then not, and is again: what is served goes on, not what was then. */
static void what_the_store_has_from_long_ago_does_not_come_back(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "old"), DNS_RCODE_NOERROR);
    scene->plan[0].dynamic = false;
    scene_differ(scene);
    scene_stop(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_true(scene_serves(scene, "old.example.test.", DNS_TYPE_A));
    scene_write_file(scene, 20, true); /* without it */
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 20);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 20);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 21);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    assert_false(scene_serves(scene, "old.example.test.", DNS_TYPE_A));
}

static void a_new_configuration_while_it_is_opened_does_not_undo_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    scene_differ(scene);
    scene_configure_only(scene);
    scene_turn_once(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void a_reload_while_it_is_recovered_does_not_undo_updates(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    scene_turn_once(scene);
    if (keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome) == SG_OK) {
        keeper_reload_all(scene->keeper);
        scene_turn(scene);
        assert_int_not_equal(outcome, -1);
    }
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void note_wipe(void *argument, enum sg_result result)
{
    *(int *)argument = (int)result;
}

static void what_is_to_be_forgotten_is_told_when_that_is_durable(void **state)
{
    struct keeper_scene *scene = *state;
    int wiped = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "old"), DNS_RCODE_NOERROR);
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    assert_true(keeper_keep(scene->keeper, scene_zone(scene)));
    assert_false(keeper_keep(scene->keeper, scene_zone(scene)));
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    uint64_t commits = fake_disk_commits(scene->disk);
    scene_configure_only(scene);
    assert_int_equal(wiped, -1);
    scene_turn(scene);
    assert_int_equal(wiped, SG_OK);
    assert_true(fake_disk_commits(scene->disk) > commits);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 0);
    scene->zones = 1;
}

static void what_cannot_be_forgotten_is_told_too(void **state)
{
    struct keeper_scene *scene = *state;
    int wiped = -1;
    scene_serve_dynamic(scene);
    scene_break_disk(scene);
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(wiped, SG_NO_SPACE);
    scene->zones = 1;
}

/* The store parts with its numbers: until it is asked anew the zone has no number of its own. */
static void what_is_to_be_forgotten_needs_not_be_open(void **state)
{
    struct keeper_scene *scene = *state;
    int wiped = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_zone(scene)->ledger.last--;
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_SERVFAIL);
    scene_zone(scene)->ledger.id = 0;
    assert_int_equal(fake_disk_count(scene->disk, STORE_ZONES), 1);
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(wiped, SG_OK);
    assert_int_equal(fake_disk_count(scene->disk, STORE_ZONES), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 0);
    scene->zones = 1;
}

/* Both have one number in the store: what the first one's worker still writes would be taken for
 * the second one's. */
static void a_zone_that_comes_back_waits_for_the_end_of_what_it_was(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode, wiped = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "old"), DNS_RCODE_NOERROR);
    scene_update(scene, "older", &rcode);
    scene_turn_once(scene); /* a job is out */
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    scene_configure_only(scene);
    scene->zones = 1;
    scene_configure_only(scene);
    assert_true(scene_zone(scene)->ledger.awaits_burial);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(wiped, SG_OK);
    assert_int_equal(scene_serial(scene), 7); /* the file's */
    assert_false(scene_serves(scene, "old.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void a_zone_that_goes_while_it_is_opened_is_forgotten(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene->plan[0].dynamic = true;
    scene_configure_only(scene);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(keeper_zones(scene->keeper), 0);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(an_update_outlives_a_restart),
        WITH_SCENE(a_record_that_cannot_be_read_is_no_reason_to_forget_updates),
        WITH_SCENE(an_image_that_cannot_be_read_is_no_reason_to_forget_updates),
        WITH_SCENE(who_reloads_a_zone_that_the_store_can_read_again_is_told),
        WITH_SCENE(a_reload_by_hand_takes_the_file_of_a_zone_whose_record_is_lost),
        WITH_SCENE(a_zone_made_static_keeps_its_updates_where_its_record_is_damaged),
        WITH_SCENE(a_zone_made_static_and_signed_keeps_its_updates_so_too),
        WITH_SCENE(a_zone_made_static_keeps_its_updates_where_its_image_is_not_read_once),
        WITH_SCENE(a_word_gives_up_the_updates_of_a_zone_made_static),
        WITH_SCENE(a_store_that_has_more_than_it_told_is_asked_anew),
        WITH_SCENE(a_zone_that_becomes_dynamic_is_stored_from_then_on),
        WITH_SCENE(a_zone_that_becomes_dynamic_can_be_frozen_over_a_restart),
        WITH_SCENE(updates_wait_for_the_store_of_a_zone_that_becomes_dynamic),
        WITH_SCENE(a_zone_that_gets_a_policy_is_stored_from_then_on),
        WITH_SCENE(what_the_store_has_from_long_ago_does_not_come_back),
        WITH_SCENE(a_new_configuration_while_it_is_opened_does_not_undo_updates),
        WITH_SCENE(a_reload_while_it_is_recovered_does_not_undo_updates),
        WITH_SCENE(what_is_to_be_forgotten_is_told_when_that_is_durable),
        WITH_SCENE(what_cannot_be_forgotten_is_told_too),
        WITH_SCENE(what_is_to_be_forgotten_needs_not_be_open),
        WITH_SCENE(a_zone_that_comes_back_waits_for_the_end_of_what_it_was),
        WITH_SCENE(a_zone_that_goes_while_it_is_opened_is_forgotten),
    };
    return cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
