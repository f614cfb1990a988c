/* A change from its job's start to its end, and what is not forgotten where one fails. What is done
 * at all: test_change_choice.c. */
#include "keeper/signed_scene.h"

static void updates_that_wait_are_refused_when_the_zone_takes_none_any_more(void **state)
{
    struct keeper_scene *scene = *state;
    int under_way, waits;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &under_way);
    scene_turn_once(scene);
    scene_update(scene, "second", &waits);
    scene_be_secondary(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(under_way, DNS_RCODE_NOERROR);
    assert_int_equal(waits, DNS_RCODE_REFUSED);
    assert_false(scene_serves(scene, "second.example.test.", DNS_TYPE_A));
}

/* Who may update has changed: nobody has asked the new rules yet. */
static void updates_that_wait_are_refused_when_others_may_update(void **state)
{
    struct keeper_scene *scene = *state;
    int under_way, waits;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &under_way);
    scene_turn_once(scene);
    scene_update(scene, "second", &waits);
    scene->plan[0].updates_fingerprint++;
    scene_configure(scene);
    assert_int_equal(under_way, DNS_RCODE_NOERROR);
    assert_int_equal(waits, DNS_RCODE_REFUSED);
    assert_false(scene_serves(scene, "second.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "third"), DNS_RCODE_NOERROR);
}

static void updates_that_wait_outlive_a_reload_that_does_not_concern_them(void **state)
{
    struct keeper_scene *scene = *state;
    int under_way, waits;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &under_way);
    scene_turn_once(scene);
    scene_update(scene, "second", &waits);
    scene_configure(scene);
    assert_int_equal(under_way, DNS_RCODE_NOERROR);
    assert_int_equal(waits, DNS_RCODE_NOERROR);
}

static void updates_are_answered_servfail_when_the_disk_is_full_and_leave_no_trace(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    scene_break_disk(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_SERVFAIL);
    assert_int_equal(scene_serial(scene), 7);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    fake_disk_heal(scene->disk);
    scene_pass(scene, 3600);
    /* Without its thread the store learns by a write that it works again. */
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_serial(scene), 8);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
}

static void updates_are_answered_when_the_server_ends(void **state)
{
    struct keeper_scene *scene = *state;
    int first, second;
    scene_serve_dynamic(scene);
    scene_update(scene, "first", &first);
    scene_turn_once(scene);
    scene_update(scene, "second", &second);
    scene_stop(scene);
    assert_int_equal(first, DNS_RCODE_SERVFAIL);
    assert_int_equal(second, DNS_RCODE_SERVFAIL);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* Secondaries have the higher serial: a first try that fails must not make it forgotten. */
static void
a_lost_record_is_replaced_above_its_serial_even_if_the_file_is_broken_first(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
        scene_turn(scene);
    }
    assert_int_equal(scene_serial(scene), 10);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 300);
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_write_file(scene, 7, false);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 11);
}

static void signatures_that_are_due_do_not_wait_for_the_last_update(void **state)
{
    enum { UPDATES = 30 };
    struct keeper_scene *scene = *state;
    int rcodes[UPDATES];
    serve_signed(scene, true);
    sg_time expires = scene_status(scene).expires_first;
    scene_update(scene, "n", &rcodes[0]);
    scene_turn_once(scene);
    scene->now = scene_status(scene).resign_at + 1;
    for (int i = 1; i < UPDATES; i++) {
        scene_update(scene, i % 2 == 0 ? "m" : "n", &rcodes[i]);
        scene_turn_once(scene);
    }
    assert_true(scene_status(scene).expires_first > expires);
    scene_turn(scene);
}

/* Whoever reloads a broken file again and again must not let what is served expire. */
static void a_file_that_stays_broken_does_not_put_off_the_signatures(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    sg_time expires = scene_status(scene).expires_first;
    sg_time due = scene_status(scene).resign_at;
    sg_time keys_due = scene->now + 86700; /* CDS, a day after the keys were made */
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    for (sg_time at = keys_due - 600; at < keys_due + 300; at += 60) {
        scene->now = at;
        assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
        scene_turn(scene);
        assert_non_null(scene_status(scene).problem);
    }
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    for (sg_time at = due - 300; at < due + 300; at += 60) {
        scene->now = at;
        assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
        scene_turn(scene);
    }
    assert_true(scene_status(scene).expires_first > expires);
}

/* The clock of a machine that came up decades ahead, and without its keys: when it is set right,
 * what has failed meanwhile is tried again soon, and signatures are due when they are. */
static void what_was_put_off_by_a_false_clock_is_not(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    struct managed_zone *zone = scene_zone(scene);
    sg_time due = scene_status(scene).resign_at;
    char *away = mem_format("%s.away", scene->folder);
    assert_int_equal(rename(scene->folder, away), 0);
    sg_duration jump = 20 * 365 * SG_DAY;
    scene_set_clock(scene, jump);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_non_null(scene_status(scene).problem);
    assert_in_range(zone->health.retry_at, scene->now, scene->now + SG_HOUR);
    assert_true(zone->health.resign_at >= scene->now);
    scene_set_clock(scene, -jump);
    assert_in_range(zone->health.retry_at, scene->now, scene->now + SG_HOUR);
    assert_true(zone->health.resign_at <= (due > scene->now ? due : scene->now) + SG_HOUR);
    assert_true(zone->health.key_event_at <= scene->now + SG_DAY);
    assert_int_equal(rename(away, scene->folder), 0);
    mem_free(away);
    scene_pass(scene, SG_HOUR);
    assert_null(scene_status(scene).problem);
}

/* A reload whose commit failed is done when the disk works again, or the zone would be served as
 * an older configuration had it. */
static void a_load_that_was_not_committed_is_tried_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    scene_write_file(scene, 9, true);
    scene_differ(scene);
    scene_break_disk(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_pass(scene, 11);
    assert_int_equal(scene_serial(scene), 7);
    fake_disk_heal(scene->disk);
    scene_pass(scene, 60);
    scene_pass(scene, 60);
    assert_int_equal(scene_serial(scene), 9);
    assert_null(scene_status(scene).problem);
}

/* How often the keeper wakes within an hour in which nothing comes. */
static size_t wakes_in_an_hour(struct keeper_scene *scene)
{
    sg_time end = scene->now + SG_HOUR;
    size_t wakes = 0;
    for (;;) {
        sg_time wake = keeper_turn(scene->keeper, scene->now);
        if (keeper_jobs(scene->keeper) > 0) {
            continue;
        }
        if (wake > end) {
            return wakes;
        }
        scene->now = wake > scene->now ? wake : scene->now;
        assert_true(++wakes < 1000);
    }
}

static void a_disk_that_stays_full_is_tried_less_and_less_often(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    scene_write_file(scene, 9, true);
    scene_differ(scene);
    scene_break_disk(scene);
    scene_configure(scene);
    assert_in_range(wakes_in_an_hour(scene), 10, 30);
    fake_disk_heal(scene->disk);
    scene_pass(scene, 300);
    scene_pass(scene, 300);
    assert_int_equal(scene_serial(scene), 9);
}

static void signing_all_is_not_forgotten_for_a_new_file(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    scene->now += 3600;
    sg_time expires = scene_status(scene).expires_first;
    scene_write_file(scene, 9, true);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_not_equal(scene_status(scene).expires_first, expires);
    assert_true(scene_serial(scene) > 9);
}

static void a_raised_serial_is_not_forgotten_for_a_file_that_did_not_change(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
}

static void a_raised_serial_that_was_not_committed_is_not_forgotten_for_an_update(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode = -1;
    serve_signed(scene, true);
    scene_break_disk(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_zone(scene)->later.keys = false; /* what would have it tried again all the same */
    fake_disk_heal(scene->disk);
    struct managed_zone *zone = scene_zone(scene);
    zone->wishes.state = true; /* The store learns by a write that it works again. */
    keeper_enqueue(scene->keeper, zone);
    scene_turn(scene);
    scene_update(scene, "new", &rcode);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    scene_pass(scene, 400);
    assert_true(scene_serial(scene) >= 100);
}

/* It may be in doubt for days. What of it proves durable is published; what waits behind it was
 * never begun. */
static void updates_behind_a_commit_in_doubt_are_refused(void **state)
{
    struct keeper_scene *scene = *state;
    enum { WRITES_OF_A_COMMIT = 3 };
    int in_doubt, waits, later;
    scene_serve_dynamic(scene);
    scene_update(scene, "doubt", &in_doubt);
    scene_turn_once(scene); /* a job is out */
    scene_update(scene, "waits", &waits);
    fake_disk_set_fault(
        scene->disk,
        &(struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true});
    fake_disk_refuse_reopen(scene->disk);
    for (int i = 0; i < 5; i++) {
        scene_turn_once(scene);
    }
    assert_int_equal(in_doubt, -1);
    assert_int_equal(waits, DNS_RCODE_SERVFAIL);
    scene_update(scene, "later", &later);
    assert_int_equal(later, DNS_RCODE_SERVFAIL);
    fake_disk_heal(scene->disk);
    struct mailbox box;
    struct store_request poke = {
        .kind = STORE_CONFIG_PUT, .reply = &box, .identity = span_of_text("poke")};
    mailbox_init(&box, NULL, NULL);
    store_submit(scene->store, &poke); /* stands for the store's clock */
    assert_non_null(mailbox_take(&box));
    mem_free(poke.problem);
    mailbox_clear(&box);
    scene_turn(scene);
    assert_int_equal(in_doubt, DNS_RCODE_NOERROR);
    assert_true(scene_serves(scene, "doubt.example.test.", DNS_TYPE_A));
    assert_false(scene_serves(scene, "waits.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "again"), DNS_RCODE_NOERROR);
}

static void the_serial_of_an_unsigned_zone_can_be_raised(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_CONFLICT);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 99), SG_CONFLICT);
}

static void jobs_of_every_kind_end_when_the_zone_goes(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    int rcode;
    scene_update(scene, "new", &rcode);
    scene_turn_once(scene);
    int reload = -1;
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &reload), SG_OK);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(reload, RELOAD_FAILED);
    scene->zones = 1;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(updates_that_wait_are_refused_when_the_zone_takes_none_any_more),
        WITH_SCENE(updates_that_wait_are_refused_when_others_may_update),
        WITH_SCENE(updates_that_wait_outlive_a_reload_that_does_not_concern_them),
        WITH_SCENE(updates_are_answered_servfail_when_the_disk_is_full_and_leave_no_trace),
        WITH_SCENE(updates_are_answered_when_the_server_ends),
        WITH_SCENE(a_lost_record_is_replaced_above_its_serial_even_if_the_file_is_broken_first),
        WITH_SCENE(signatures_that_are_due_do_not_wait_for_the_last_update),
        WITH_SCENE(a_file_that_stays_broken_does_not_put_off_the_signatures),
        WITH_SCENE(what_was_put_off_by_a_false_clock_is_not),
        WITH_SCENE(a_load_that_was_not_committed_is_tried_again),
        WITH_SCENE(a_disk_that_stays_full_is_tried_less_and_less_often),
        WITH_SCENE(signing_all_is_not_forgotten_for_a_new_file),
        WITH_SCENE(a_raised_serial_is_not_forgotten_for_a_file_that_did_not_change),
        WITH_SCENE(a_raised_serial_that_was_not_committed_is_not_forgotten_for_an_update),
        WITH_SCENE(updates_behind_a_commit_in_doubt_are_refused),
        WITH_SCENE(the_serial_of_an_unsigned_zone_can_be_raised),
        WITH_SCENE(jobs_of_every_kind_end_when_the_zone_goes),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
