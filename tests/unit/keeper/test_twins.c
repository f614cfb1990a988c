/* Zones of one name in two views share their keys, which wait for both. */
#include "keeper/signed_scene.h"

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

/* What has been committed of the other may be steps behind: neither a move nor a purge before it is
 * known. */
static void keys_wait_for_a_twin_that_is_still_to_be_recovered(void **state)
{
    struct keeper_scene *scene = *state;
    scene->policy->signatures_validity = SCENE_LONG_VALIDITY;
    scene->zones = 2;
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = true;
    scene->plan[1].dynamic = true;
    serve_signed(scene, true);
    struct managed_zone *twin = keeper_zone(scene->keeper, 1);
    const struct zone_version *version = twin->slot->version;
    twin->slot->version = NULL;
    twin->health.key_event_at = INT64_MAX;
    keeper_try_again(scene->keeper, twin);
    keeper_set_timer(scene->keeper, twin);
    scene->now += 86700;
    scene_turn(scene);
    assert_true(scene_zone(scene)->known.twin_awaited);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    twin->slot->version = version;
    keeper_zone_was_tried(scene->keeper, twin);
    scene_turn(scene);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

/* One that is not served teaches no cache: its secondaries may serve what it had before. */
static void keys_wait_for_a_twin_that_has_expired(void **state)
{
    struct keeper_scene *scene = *state;
    scene->policy->signatures_validity = SCENE_LONG_VALIDITY;
    scene->zones = 2;
    scene->plan[1].type = ZONE_SECONDARY;
    scene->plan[1].file = NULL;
    scene->plan[1].refresh = &scene->refresh;
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = true;
    serve_signed(scene, true);
    struct managed_zone *twin = keeper_zone(scene->keeper, 1);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_non_null(twin->slot->version);
    scene_pass(scene, 86401);
    assert_non_null(twin->known.expired);
    scene_pass(scene, SG_DAY);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_restart(scene);
    twin = keeper_zone(scene->keeper, 1);
    assert_non_null(twin->known.expired);
    scene_pass(scene, SG_HOUR);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_non_null(twin->slot->version);
    scene_pass(scene, SG_DAY / 2);
    scene_answer_soa(scene, 5);
    scene_pass(scene, SG_DAY / 2);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_answer_soa(scene, 5);
    scene_pass(scene, SG_HOUR);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_twin_follows_the_keys),
        WITH_SCENE(keys_wait_for_a_twin_that_is_still_to_be_recovered),
        WITH_SCENE(keys_wait_for_a_twin_that_has_expired),
    };
    return cmocka_run_group_tests_name("twins", tests, NULL, NULL);
}
