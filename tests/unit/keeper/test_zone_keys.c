/* What keys have become is published, once it is committed, and counts from then on; what is
 * planned for them: test_key_planning.c. */
#include "keeper/signed_scene.h"

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
    uint32_t serial = scene_serial(scene); /* a name may have had its turn, too */
    assert_in_range(serial, 8, 10);
    assert_int_equal(keeper_loadkeys(scene->keeper, zone, false), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

static void an_update_without_effect_publishes_what_the_keys_have_become(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    struct managed_zone *zone = scene_zone(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene->now += 86700;
    kept_keys_drop(&scene->keeper->kept_keys, zone);
    zone->health.key_event_at = INT64_MAX;
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR); /* it is there */
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

/* Where so many others have their keys in memory that there is no room for it. */
static void a_zone_whose_keys_are_not_kept_reads_them_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    assert_int_equal(scene->keeper->kept_keys.count, 1);
    scene->keeper->kept_keys.max = 0;
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
        assert_int_equal(scene->keeper->kept_keys.count, 0);
    }
    assert_true(scene_serves(scene, "new2.example.test.", DNS_TYPE_A));
    assert_true(scene_status(scene).secure);
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

static void make_keys_without_a_commit(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure_only(scene);
    for (int i = 0; i < 10 && scene_zone(scene)->ledger.id == 0; i++) {
        scene_turn_once(scene);
    }
    scene_break_disk(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
}

/* Who counts from when the keys were made asks for a DS that no cache can follow yet. */
static void keys_wait_from_when_they_are_published(void **state)
{
    struct keeper_scene *scene = *state;
    make_keys_without_a_commit(scene);
    for (int i = 0; i < 20; i++) {
        scene_pass(scene, SG_HOUR * 2);
    }
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_heal(scene->disk);
    for (int i = 0; i < 5; i++) {
        scene_pass(scene, 61);
    }
    assert_true(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_pass(scene, 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static void keys_that_were_made_before_the_server_went_down_wait_as_well(void **state)
{
    struct keeper_scene *scene = *state;
    make_keys_without_a_commit(scene);
    fake_disk_heal(scene->disk);
    scene->now += 2 * SG_DAY;
    scene_restart(scene);
    assert_true(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_restart(scene);
    scene_pass(scene, 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(what_the_keys_have_become_is_published_whoever_reads_them),
        WITH_SCENE(an_update_without_effect_publishes_what_the_keys_have_become),
        WITH_SCENE(a_zone_whose_keys_are_not_kept_reads_them_again),
        WITH_SCENE(keys_that_were_not_committed_are_read_again),
        WITH_SCENE(keys_that_could_not_be_looked_at_are_tried_again_though_updates_succeed),
        WITH_SCENE(keys_wait_from_when_they_are_published),
        WITH_SCENE(keys_that_were_made_before_the_server_went_down_wait_as_well),
    };
    return cmocka_run_group_tests_name("zone_keys", tests, NULL, NULL);
}
