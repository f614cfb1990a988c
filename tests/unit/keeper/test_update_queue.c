#include "keeper_scene.h"

enum { QUOTA = 4, UPDATES = 10, ZONES = 2 };

/* Two zones that take updates. */
static void serve_two(struct keeper_scene *scene)
{
    scene->zones = ZONES;
    scene->update_quota = QUOTA;
    scene->plan[1].dynamic = true;
    scene_serve_dynamic(scene);
}

static size_t count(const int *rcodes, size_t sent, int rcode)
{
    size_t found = 0;
    for (size_t i = 0; i < sent; i++) {
        found += rcodes[i] == rcode;
    }
    return found;
}

/* `sent` updates; how many of them wait, the others are SERVFAIL. */
static size_t flood(struct keeper_scene *scene, size_t zone, int *rcodes, size_t sent)
{
    for (size_t i = 0; i < sent; i++) {
        scene_update_zone(scene, zone, "n", &rcodes[i]);
    }
    size_t waiting = count(rcodes, sent, -1);
    assert_int_equal(waiting + count(rcodes, sent, DNS_RCODE_SERVFAIL), sent);
    return waiting;
}

static void a_zone_that_is_alone_has_the_whole_quota(void **state)
{
    struct keeper_scene *scene = *state;
    int rcodes[UPDATES];
    serve_two(scene);
    assert_int_equal(flood(scene, 0, rcodes, UPDATES), QUOTA);
    scene_turn(scene);
    assert_int_equal(count(rcodes, UPDATES, DNS_RCODE_NOERROR), QUOTA);
    assert_int_equal(scene->keeper->updates, 0);
}

/* Those that a job has taken count as well: its change may be the one that takes long. */
static void a_zone_whose_change_is_under_way_keeps_no_other_out(void **state)
{
    struct keeper_scene *scene = *state;
    int at_work[QUOTA];
    int waiting[UPDATES];
    int others[UPDATES];
    serve_two(scene);
    assert_int_equal(flood(scene, 0, at_work, QUOTA), QUOTA);
    scene_turn_once(scene);
    assert_int_equal(keeper_zone(scene->keeper, 0)->updates.at_work, QUOTA);
    assert_int_equal(flood(scene, 0, waiting, UPDATES), 0);
    assert_int_equal(flood(scene, 1, others, UPDATES), QUOTA / 2);
    scene_turn(scene);
    assert_int_equal(count(at_work, QUOTA, DNS_RCODE_NOERROR), QUOTA);
    assert_int_equal(count(others, UPDATES, DNS_RCODE_NOERROR), QUOTA / 2);
    assert_int_equal(scene->keeper->updates, 0);
    assert_int_equal(flood(scene, 0, waiting, UPDATES), QUOTA);
    scene_turn(scene);
}

static void a_zone_that_waits_keeps_no_other_out(void **state)
{
    struct keeper_scene *scene = *state;
    int waiting[UPDATES];
    int others[UPDATES];
    serve_two(scene);
    assert_int_equal(flood(scene, 0, waiting, UPDATES), QUOTA);
    assert_int_equal(flood(scene, 1, others, UPDATES), QUOTA / 2);
    scene_turn(scene);
    assert_int_equal(count(others, UPDATES, DNS_RCODE_NOERROR), QUOTA / 2);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_zone_that_is_alone_has_the_whole_quota),
        WITH_SCENE(a_zone_whose_change_is_under_way_keeps_no_other_out),
        WITH_SCENE(a_zone_that_waits_keeps_no_other_out),
    };
    return cmocka_run_group_tests_name("update_queue", tests, NULL, NULL);
}
