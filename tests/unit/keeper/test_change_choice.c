#include "keeper/keeper_scene.h"

/* An order to raise the serial comes while a secondary is signed for the first time, beside what is
 * served: the primary's serial is not ours, and a next change of the primary would be missed. */
static void a_serial_is_raised_when_the_zone_has_one_of_its_own(void **state)
{
    struct keeper_scene *scene = *state;
    scene->keeper->asides.names_min = 1;
    scene_fetch(scene, 5);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_differ(scene);
    scene_configure_only(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 9), SG_OK);
    scene_turn(scene);
    const struct zone_facts *facts = zone_version_facts(scene_zone(scene)->slot->version);
    assert_true(facts->signed_here);
    assert_int_equal(facts->source_serial, 5);
    assert_in_range(facts->serial, 9, 12);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_serial_is_raised_when_the_zone_has_one_of_its_own),
    };
    return cmocka_run_group_tests_name("change_choice", tests, NULL, NULL);
}
