#include "keeper/secondary_scene.h"

/* RFC 1034 4.3.5: what has expired is served no more, over a restart neither. */
static void what_has_expired_stays_so_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    assert_null(scene_status(scene).problem);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(strstr(scene_status(scene).problem, "it has expired"));
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(scene_zone(scene)->known.expired);
    assert_non_null(strstr(scene_status(scene).problem, "it has expired"));
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 5);
}

static void what_expired_while_the_server_was_down_is_not_served(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene->now += SCENE_EXPIRE + 1;
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    for (int i = 0; i < 5; i++) {
        scene_turn_once(scene);
        assert_int_equal(scene_serial(scene), 0);
    }
    assert_non_null(scene_zone(scene)->known.expired);
}

/* The same where recovery is followed by keys, signatures and a file that is to be written. */
static void what_expired_is_not_served_for_one_turn_where_it_is_signed(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_be_secondary(scene);
    scene->plan[0].file = scene->file;
    (void)unlink(scene->file);
    scene_configure(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_true(scene_status(scene).secure);
    scene->now += SCENE_EXPIRE + 1;
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    for (int i = 0; i < 30; i++) {
        scene_turn_once(scene);
        assert_int_equal(scene_serial(scene), 0);
    }
    assert_non_null(scene_zone(scene)->known.expired);
}

static void the_same_zone_fetched_anew_is_served_again(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    struct scene_question *asked = scene_asked(scene, KEEPER_QUESTION_SOA);
    if (asked != NULL) {
        scene_hear(asked, SG_TIMEOUT, (struct span){NULL, 0});
        scene_turn(scene);
    }
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
}

/* Signing goes on in secret: the zone may come back. */
static void signing_does_not_revive_what_has_expired(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    assert_true(scene_status(scene).secure);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    scene_pass(scene, 10 * SG_DAY);
    assert_int_equal(scene_serial(scene), 0);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
}

static bool is_published(struct keeper_scene *scene, uint16_t type)
{
    struct dns_rrset rrset;
    const struct zone_version *version = zone_record_version(scene_zone(scene));
    return zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, type, &rrset);
}

/* What nobody sees nobody learns: a key that becomes known only after the zone came back is not
 * taken to be known already, and no other leaves for it. */
static void keys_rest_while_nothing_is_served(struct keeper_scene *scene, bool restarted)
{
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    scene_pass(scene, 3 * SG_DAY);
    assert_false(is_published(scene, DNS_TYPE_CDS));
    if (restarted) {
        scene_restart(scene);
        scene_pass(scene, 100 * SG_DAY); /* The clock is right all the time. */
    }
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    sg_time came_back = scene->now;
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_pass(scene, 3600);
    assert_false(is_published(scene, DNS_TYPE_CDS));
    assert_int_equal(scene_zone(scene)->known.revived_at, 0);
    assert_true(scene_zone(scene)->known.state.facts.waits_from >= came_back);
    scene_restart(scene);
    assert_true(scene_zone(scene)->known.state.facts.waits_from >= came_back);
}

static void keys_rest_while_a_secondary_has_expired(void **state)
{
    keys_rest_while_nothing_is_served(*state, false);
}

static void keys_rest_while_a_secondary_has_expired_over_a_restart(void **state)
{
    keys_rest_while_nothing_is_served(*state, true);
}

/* It was down for longer than signatures last, is heard, and cannot make new ones yet. */
static void come_back_with_old_signatures(struct keeper_scene *scene)
{
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    scene->now += 60 * SG_DAY;
    scene_stop(scene);
    scene_break_disk(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_non_null(scene_zone(scene)->known.expired);
    assert_true(scene_status(scene).expires_first <= scene->now);
    if (scene_asked(scene, KEEPER_QUESTION_SOA) == NULL) {
        assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
        scene_pass(scene, 1);
    }
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
}

static void heal(struct keeper_scene *scene)
{
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene_pass(scene, 61);
    scene_pass(scene, 301);
}

static void what_comes_back_is_signed_before_it_is_served(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    heal(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_status(scene).expires_first > scene->now);
}

/* What a primary sends is signed where it differs alone: the rest is as old as before. */
static void what_comes_anew_is_signed_whole_before_it_is_served(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene_turn(scene);
    assert_true(scene_status(scene).expires_first <= scene->now);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    for (int i = 0; i < 30; i++) {
        scene_turn_once(scene);
        assert_true(scene_serial(scene) == 0 || scene_status(scene).expires_first > scene->now);
    }
    assert_true(scene_serial(scene) >= 6);
    assert_null(scene_zone(scene)->known.expired);
    assert_false(scene_zone(scene)->known.heard);
}

/* Cut off between what is committed first and the last of its signatures, it is heard once more. */
static void what_is_not_signed_yet_is_not_served_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    struct managed_zone *zone = scene_zone(scene);
    uint64_t last = zone->ledger.last;
    zone->wishes = (struct zone_wishes){.state = true};
    zone->health.resign_at = INT64_MAX;
    keeper_enqueue(scene->keeper, zone);
    for (int i = 0; i < 30 && zone->ledger.last == last; i++) {
        scene_turn_once(scene);
    }
    assert_int_equal(zone->ledger.last, last + 1);
    assert_true(zone->known.heard);
    assert_true(scene_status(scene).expires_first <= scene->now);
    scene_stop(scene);
    scene_break_disk(scene);
    scene_start(scene);
    scene_configure_only(scene);
    for (int i = 0; i < 30; i++) {
        scene_turn_once(scene);
        assert_int_equal(scene_serial(scene), 0);
    }
    sg_time came_back = scene->now;
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
    heal(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_restart(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_zone(scene)->known.state.facts.waits_from >= came_back);
}

static void what_expires_once_more_before_it_is_signed_is_not_served(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    scene_pass(scene, SCENE_EXPIRE + 1);
    heal(scene);
    assert_int_equal(scene_serial(scene), 0);
}

static void a_primary_that_expired_as_a_secondary_is_served(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    scene_write_file(scene, 3, false);
    scene->plan[0].type = ZONE_PRIMARY;
    scene->plan[0].dynamic = true;
    scene->plan[0].refresh = NULL;
    scene->plan[0].file = scene->file;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 5);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(what_has_expired_stays_so_over_a_restart),
        WITH_SCENE(what_expired_while_the_server_was_down_is_not_served),
        WITH_SCENE(what_expired_is_not_served_for_one_turn_where_it_is_signed),
        WITH_SCENE(the_same_zone_fetched_anew_is_served_again),
        WITH_SCENE(signing_does_not_revive_what_has_expired),
        WITH_SCENE(keys_rest_while_a_secondary_has_expired),
        WITH_SCENE(what_comes_back_is_signed_before_it_is_served),
        WITH_SCENE(what_comes_anew_is_signed_whole_before_it_is_served),
        WITH_SCENE(what_is_not_signed_yet_is_not_served_over_a_restart),
        WITH_SCENE(what_expires_once_more_before_it_is_signed_is_not_served),
        WITH_SCENE(keys_rest_while_a_secondary_has_expired_over_a_restart),
        WITH_SCENE(a_primary_that_expired_as_a_secondary_is_served),
    };
    return cmocka_run_group_tests_name("expiry", tests, NULL, NULL);
}
