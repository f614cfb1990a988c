#include "keeper/keeper_scene.h"

static void serve_signed(struct keeper_scene *scene, bool dynamic)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = dynamic;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).secure);
}

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

static void a_campaign_ends_with_the_policy(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    scene_zone(scene)->known.state.campaign = true;
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_false(scene_zone(scene)->known.state.campaign);
    assert_int_equal(scene_status(scene).resign_at, 0);
    scene_restart(scene);
    assert_false(scene_status(scene).secure);
}

/* CDS is due a day after the keys were made. Whoever reads the keys sees it first. */
static void what_the_keys_have_become_is_published_whoever_reads_them(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    struct managed_zone *zone = scene_zone(scene);
    scene->now += 86700;
    zone->health.key_event_at = INT64_MAX;
    zone->wishes.resign = true;
    keeper_enqueue(scene->keeper, zone);
    scene_turn(scene);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_int_equal(scene_serial(scene), 8);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 8);
}

static void an_update_without_effect_publishes_what_the_keys_have_become(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    struct managed_zone *zone = scene_zone(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene->now += 86700;
    zone_keys_free(zone->known.keys);
    zone->known.keys = NULL;
    zone->health.key_event_at = INT64_MAX;
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR); /* it is there */
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

/* A change of keys that was not committed is not in the zone: what memory knows must not say so. */
static void keys_that_were_not_committed_are_read_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    scene_break_disk(scene);
    scene_pass(scene, 86700);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_non_null(scene_status(scene).problem);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene->now += 1;
    struct managed_zone *zone = scene_zone(scene);
    zone->health.retry_at = zone->health.key_event_at = INT64_MAX;
    int rcode;
    scene_update(scene, "new", &rcode);
    if (rcode == DNS_RCODE_SERVFAIL) {
        zone->wishes.state = true; /* The store learns by a write that it works again. */
        keeper_enqueue(scene->keeper, zone);
        scene_turn(scene);
        scene_update(scene, "new", &rcode);
    }
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    uint32_t serial = scene_serial(scene);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial); /* the record says whose keys signed */
}

/* A success of something else is no reason to forget what failed. */
static void keys_that_could_not_be_looked_at_are_tried_again_though_updates_succeed(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR); /* keys in memory */
    char *away = mem_format("%s.away", scene->folder);
    assert_int_equal(rename(scene->folder, away), 0);
    scene->now += 86700;
    scene_turn(scene);
    assert_non_null(scene_status(scene).problem);
    sg_time again = scene_status(scene).key_event_at;
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_non_null(scene_status(scene).problem);
    assert_int_equal(rename(away, scene->folder), 0);
    mem_free(away);
    scene->now = again;
    scene_turn(scene);
    assert_null(scene_status(scene).problem);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
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

/* Zones of one name in two views share their keys: what one of them finds the other follows. */
static void a_twin_follows_the_keys(void **state)
{
    struct keeper_scene *scene = *state;
    scene->zones = 2;
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = true;
    scene->plan[1].dynamic = true;
    serve_signed(scene, true);
    struct managed_zone *twin = keeper_zone(scene->keeper, 1);
    assert_int_equal(twin->known.state.keys_fingerprint,
                     scene_zone(scene)->known.state.keys_fingerprint);
    scene->now += 86700;
    twin->health.key_event_at = INT64_MAX;
    scene_turn(scene);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_int_equal(twin->known.state.keys_fingerprint,
                     scene_zone(scene)->known.state.keys_fingerprint);
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
        WITH_SCENE(a_campaign_ends_with_the_policy),
        WITH_SCENE(what_the_keys_have_become_is_published_whoever_reads_them),
        WITH_SCENE(an_update_without_effect_publishes_what_the_keys_have_become),
        WITH_SCENE(keys_that_were_not_committed_are_read_again),
        WITH_SCENE(keys_that_could_not_be_looked_at_are_tried_again_though_updates_succeed),
        WITH_SCENE(a_load_that_was_not_committed_is_tried_again),
        WITH_SCENE(signing_all_is_not_forgotten_for_a_new_file),
        WITH_SCENE(a_raised_serial_is_not_forgotten_for_a_file_that_did_not_change),
        WITH_SCENE(the_serial_of_an_unsigned_zone_can_be_raised),
        WITH_SCENE(a_twin_follows_the_keys),
        WITH_SCENE(jobs_of_every_kind_end_when_the_zone_goes),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
