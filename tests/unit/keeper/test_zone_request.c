#include "keeper/keeper_scene.h"

static const struct zone_facts *facts(struct keeper_scene *scene)
{
    return zone_version_facts(scene_zone(scene)->slot->version);
}

/* It stands first in line, and is signed with the keys that are in memory: all of the chain would
 * be made anew for it, as neither policy wants it, and then once more. */
static void an_update_before_the_look_by_a_new_policy_keeps_the_chain(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene->policy->nsec3 = scene->policy->nsec3_opt_out = true;
    scene->policy->nsec3_salt_length = 4;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_serve_dynamic(scene);
    assert_int_equal(facts(scene)->denial, ZONE_DENIAL_NSEC3);
    assert_true(facts(scene)->opt_out);
    uint32_t serial = scene_serial(scene);

    scene->policy->nsec3 = scene->policy->nsec3_opt_out = false;
    scene_differ(scene);
    scene_configure_only(scene);
    scene_update(scene, "new", &rcode);
    while (scene_serial(scene) == serial) {
        scene_turn_once(scene);
    }
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_int_equal(facts(scene)->denial, ZONE_DENIAL_NSEC3);
    assert_true(facts(scene)->opt_out);
    assert_int_equal(facts(scene)->nsec3.salt_length, 4);
    scene_turn(scene);
    assert_int_equal(facts(scene)->denial, ZONE_DENIAL_NSEC);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(an_update_before_the_look_by_a_new_policy_keeps_the_chain),
    };
    return cmocka_run_group_tests_name("zone_request", tests, NULL, NULL);
}
