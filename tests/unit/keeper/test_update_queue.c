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

/* ---- what waits together ---- */

static const struct span nothing = {NULL, 0};

/* `label` is added if `there` is in the zone. */
static void update_if(struct keeper_scene *scene, const char *there, const char *label, int *rcode)
{
    static const uint8_t address[] = {192, 0, 2, 8};
    struct scene_update *update = scene_update_new(scene, 0, 1, 1);
    scene_append_rr(update, there, DNS_TYPE_ANY, DNS_CLASS_ANY, 0, nothing);
    scene_append_rr(update, label, DNS_TYPE_A, 1, 60, (struct span){address, sizeof(address)});
    scene_send_update(scene, 0, update, rcode);
}

/* `label` is added, and with it what only the signer may make. */
static void update_refused(struct keeper_scene *scene, const char *label, int *rcode)
{
    static const uint8_t address[] = {192, 0, 2, 8};
    static const uint8_t nsec[] = {0, 0, 1, 0x40};
    struct scene_update *update = scene_update_new(scene, 0, 0, 2);
    scene_append_rr(update, label, DNS_TYPE_A, 1, 60, (struct span){address, sizeof(address)});
    scene_append_rr(update, label, DNS_TYPE_NSEC, 1, 60, (struct span){nsec, sizeof(nsec)});
    scene_send_update(scene, 0, update, rcode);
}

/* A message that breaks off in its last record. */
static void update_broken(struct keeper_scene *scene, const char *label, int *rcode)
{
    static const uint8_t address[] = {192, 0, 2};
    struct scene_update *update = scene_update_new(scene, 0, 0, 1);
    scene_append_rr(update, label, DNS_TYPE_A, 1, 60, (struct span){address, sizeof(address)});
    scene_send_update(scene, 0, update, rcode);
}

/*
 * One change for all: one serial, one commit. Each has its own answer, and none takes another with
 * it: not one that is refused, nor one whose prerequisite does not hold. Those before it in the
 * queue are seen by a prerequisite, those behind it are not.
 */
static void check_one_change(struct keeper_scene *scene)
{
    static const char *const served[] = {"a.example.test.", "b.example.test.", "c.example.test.",
                                         "d.example.test."};
    static const char *const not_served[] = {"x.example.test.", "y.example.test.",
                                             "z.example.test.", "early.example.test."};
    enum { SENT = 8 };
    const int wanted[SENT] = {DNS_RCODE_NOERROR, DNS_RCODE_NXDOMAIN, DNS_RCODE_NOERROR,
                              DNS_RCODE_REFUSED, DNS_RCODE_FORMERR,  DNS_RCODE_NXDOMAIN,
                              DNS_RCODE_NOERROR, DNS_RCODE_NOERROR};
    int rcodes[SENT];
    uint32_t serial = scene_serial(scene);

    scene_update(scene, "a", &rcodes[0]);
    update_if(scene, "none", "x", &rcodes[1]);
    update_if(scene, "a", "b", &rcodes[2]);
    update_refused(scene, "y", &rcodes[3]);
    update_broken(scene, "z", &rcodes[4]);
    update_if(scene, "c", "early", &rcodes[5]);
    scene_update(scene, "c", &rcodes[6]);
    scene_update(scene, "d", &rcodes[7]);
    assert_int_equal(count(rcodes, SENT, -1), SENT);
    scene_turn(scene);
    for (size_t i = 0; i < SENT; i++) {
        assert_int_equal(rcodes[i], wanted[i]);
    }
    assert_int_equal(scene_serial(scene), serial + 1);
    for (size_t i = 0; i < ARRAY_LEN(served); i++) {
        assert_true(scene_serves(scene, served[i], DNS_TYPE_A));
    }
    for (size_t i = 0; i < ARRAY_LEN(not_served); i++) {
        assert_false(scene_serves(scene, not_served[i], DNS_TYPE_A));
    }
}

static void updates_that_wait_share_a_change_and_each_has_its_answer(void **state)
{
    scene_serve_dynamic(*state);
    check_one_change(*state);
}

static void in_a_signed_zone_too(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_write_file(scene, 7, false);
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    check_one_change(scene);
}

/* Nothing of it changes the zone: no version, no serial, and still each has its answer. */
static void updates_that_change_nothing_raise_no_serial(void **state)
{
    struct keeper_scene *scene = *state;
    int rcodes[3];
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "a"), DNS_RCODE_NOERROR);
    uint32_t serial = scene_serial(scene);
    scene_update(scene, "a", &rcodes[0]);
    update_if(scene, "none", "x", &rcodes[1]);
    update_refused(scene, "y", &rcodes[2]);
    scene_turn(scene);
    assert_int_equal(rcodes[0], DNS_RCODE_NOERROR);
    assert_int_equal(rcodes[1], DNS_RCODE_NXDOMAIN);
    assert_int_equal(rcodes[2], DNS_RCODE_REFUSED);
    assert_int_equal(scene_serial(scene), serial);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_zone_that_is_alone_has_the_whole_quota),
        WITH_SCENE(a_zone_whose_change_is_under_way_keeps_no_other_out),
        WITH_SCENE(a_zone_that_waits_keeps_no_other_out),
        WITH_SCENE(updates_that_wait_share_a_change_and_each_has_its_answer),
        WITH_SCENE(in_a_signed_zone_too),
        WITH_SCENE(updates_that_change_nothing_raise_no_serial),
    };
    return cmocka_run_group_tests_name("update_queue", tests, NULL, NULL);
}
