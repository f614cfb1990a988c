/* A zone whose policy changes, goes, or comes back. */
#include "keeper/keying.h"
#include "keeper/signed_scene.h"

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

/* Secondaries have the signed serial: they would keep what nobody signs anew. */
static void the_serial_does_not_go_back_with_the_policy(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, false);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 101);
}

/* It stands in line for keys, as it does while another round runs. */
static void a_policy_goes_while_the_zone_waits_for_its_keys(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    keying_add(scene->keeper, scene_zone(scene));
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_false(scene_zone(scene)->known.keying);
}

static uint32_t dnskey_ttl(struct keeper_scene *scene)
{
    struct dns_rrset rrset;
    const struct zone_node *apex = zone_version_apex_node(scene_zone(scene)->slot->version);
    assert_true(zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &rrset));
    return rrset.ttl;
}

static void change_policy(struct keeper_scene *scene, bool while_down)
{
    if (while_down) {
        scene_restart(scene);
    } else {
        scene_differ(scene);
        scene_configure(scene);
    }
}

static void another_policy_is_what_the_zone_is_signed_by(struct keeper_scene *scene, bool dynamic,
                                                         bool while_down)
{
    struct kasp_policy *policy = scene->policy;
    serve_signed(scene, dynamic);
    assert_int_equal(scene_status(scene).facts->denial, ZONE_DENIAL_NSEC);
    policy->nsec3 = true;
    policy->nsec3_salt_length = 8;
    change_policy(scene, while_down);
    assert_int_equal(scene_status(scene).facts->denial, ZONE_DENIAL_NSEC3);
    assert_int_equal(scene_status(scene).facts->nsec3.salt_length, 8);
    policy->nsec3_opt_out = true;
    policy->nsec3_salt_length = 0;
    change_policy(scene, while_down);
    assert_int_equal(scene_status(scene).facts->nsec3.salt_length, 0);
    assert_true(scene_status(scene).facts->opt_out);
    policy->nsec3 = false;
    policy->dnskey_ttl = 1234;
    change_policy(scene, while_down);
    assert_int_equal(scene_status(scene).facts->denial, ZONE_DENIAL_NSEC);
    assert_int_equal(dnskey_ttl(scene), 1234);
    assert_int_equal(scene_serial(scene), 10);
    change_policy(scene, while_down); /* nothing is different now */
    assert_int_equal(scene_serial(scene), 10);
}

static void a_static_zone_follows_its_policy(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, false, false);
}

static void a_dynamic_zone_follows_its_policy(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, true, false);
}

static void a_static_zone_follows_a_policy_that_changed_while_the_server_was_down(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, false, true);
}

static void a_dynamic_zone_follows_a_policy_that_changed_while_the_server_was_down(void **state)
{
    another_policy_is_what_the_zone_is_signed_by(*state, true, true);
}

/* What caches have of the unsigned time counts: nobody is told of keys that sign again only now. */
static void a_policy_that_was_away_signs_again(struct keeper_scene *scene, bool dynamic)
{
    serve_signed(scene, dynamic);
    scene_pass(scene, 80000);
    for (int i = 0; i < 4; i++) {
        scene->plan[0].policy = NULL;
        change_policy(scene, i % 2 == 0);
        assert_false(scene_status(scene).secure);
        assert_false(scene_serves(scene, "example.test.", DNS_TYPE_DNSKEY));
        scene->plan[0].policy = scene->policy;
        change_policy(scene, i < 2);
        assert_true(scene_status(scene).secure);
    }
    scene_pass(scene, 10000);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_pass(scene, 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
}

static void a_static_zone_is_signed_by_a_policy_that_was_away(void **state)
{
    a_policy_that_was_away_signs_again(*state, false);
}

static void a_dynamic_zone_is_signed_by_a_policy_that_was_away(void **state)
{
    a_policy_that_was_away_signs_again(*state, true);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_campaign_ends_with_the_policy),
        WITH_SCENE(the_serial_does_not_go_back_with_the_policy),
        WITH_SCENE(a_policy_goes_while_the_zone_waits_for_its_keys),
        WITH_SCENE(a_static_zone_follows_its_policy),
        WITH_SCENE(a_dynamic_zone_follows_its_policy),
        WITH_SCENE(a_static_zone_follows_a_policy_that_changed_while_the_server_was_down),
        WITH_SCENE(a_dynamic_zone_follows_a_policy_that_changed_while_the_server_was_down),
        WITH_SCENE(a_static_zone_is_signed_by_a_policy_that_was_away),
        WITH_SCENE(a_dynamic_zone_is_signed_by_a_policy_that_was_away),
    };
    return cmocka_run_group_tests_name("zone_policy", tests, NULL, NULL);
}
