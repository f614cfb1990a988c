/* A large zone signed whole beside what is served, which goes on; what private records tell of it:
 * test_zone_progress.c. */
#include "dns/rdata.h"
#include "keeper/aside_scene.h"
#include "keeper/managed_zone.h"

/* How many algorithms have signed all that is looked at, which must be one answer for all. */
static unsigned algorithms(struct keeper_scene *scene)
{
    static const struct {
        const char *owner;
        uint16_t type;
    } looked_at[] = {{"example.test.", DNS_TYPE_SOA},
                     {"example.test.", DNS_TYPE_DNSKEY},
                     {"ns1.example.test.", DNS_TYPE_A}};
    unsigned seen[ARRAY_LEN(looked_at)] = {0};
    for (size_t i = 0; i < ARRAY_LEN(looked_at); i++) {
        struct dns_name name;
        struct zone_node node;
        struct dns_rrset rrset;
        assert_int_equal(
            dns_name_from_text(looked_at[i].owner, strlen(looked_at[i].owner), NULL, &name), SG_OK);
        assert_true(zone_version_node(scene_zone(scene)->slot->version, &name, &node));
        assert_true(zone_node_signatures(&node, ZONE_VIEW_SIGNED, looked_at[i].type, &rrset));
        for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
            seen[i] |= 1u << c.rdata.bytes[2];
        }
        assert_int_equal(seen[i], seen[0]);
    }
    return seen[0];
}

static void updates_go_on_while_a_zone_is_signed_for_the_first_time(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, false);
    scene->plan[0].policy = scene->policy;
    scene_differ(scene);
    scene_configure_only(scene);
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC);
    assert_true(crowd.meanwhile > 0);
    check_signatures(scene, true);
    assert_int_equal(scene_update_now(scene, "after"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    check_kept(scene, &crowd);
    assert_true(scene_serves(scene, "after.example.test.", DNS_TYPE_A));
    check_signatures(scene, true);
}

static void updates_go_on_while_a_zone_gets_another_chain(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC3);
    assert_true(crowd.meanwhile > 0);
    check_signatures(scene, true);
    crowd.meanwhile = 0;
    wish_nsec3(scene, false);
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC);
    assert_true(crowd.meanwhile > 0);
    scene_restart(scene);
    check_kept(scene, &crowd);
    check_signatures(scene, true);
}

static void updates_go_on_while_a_zone_gets_another_algorithm(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    scene->policy->keys[0].algorithm = DNSSEC_ED25519;
    scene_differ(scene);
    scene_configure_only(scene);
    size_t turns = 0;
    while ((algorithms(scene) & 1u << DNSSEC_ED25519) == 0) {
        turn(scene, &crowd);
        assert_true(turns++ < TURNS_MAX);
    }
    settle(scene, &crowd);
    assert_true(crowd.meanwhile > 0);
    check_kept(scene, &crowd);
    assert_true((algorithms(scene) & 1u << DNSSEC_ED25519) != 0);
    check_signatures(scene, true);
}

static void updates_whose_keys_are_not_kept_go_on_too(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    scene->keeper->kept_keys.max = 0;
    wish_nsec3(scene, true);
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC3);
    check_signatures(scene, true);
}

/* In which order it was told how far the zone is, and that no two looks went back. */
static void its_status_tells_how_far_it_is(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    bool seen[ZONE_BESIDE_WHOLE + 1] = {false};
    be_dynamic(scene, true);
    assert_int_equal(scene_status(scene).beside.step, ZONE_BESIDE_NOTHING);
    wish_nsec3(scene, true);
    struct zone_beside last = {.step = ZONE_BESIDE_NOTHING};
    for (size_t turns = 0; denial(scene) != ZONE_DENIAL_NSEC3; turns++) {
        turn(scene, &crowd);
        assert_true(turns < TURNS_MAX);
        struct zone_beside beside = scene_status(scene).beside;
        assert_int_equal(aside_is_busy(scene_zone(scene)),
                         beside.step != ZONE_BESIDE_NOTHING && beside.step != ZONE_BESIDE_WHOLE);
        assert_true(beside.step >= last.step || beside.step == ZONE_BESIDE_NOTHING);
        assert_true(beside.done <= beside.all);
        seen[beside.step] = true;
        last = beside;
    }
    assert_true(seen[ZONE_BESIDE_SIGNING] && seen[ZONE_BESIDE_CATCHING_UP]);
    settle(scene, &crowd);
    assert_int_equal(scene_status(scene).beside.step, ZONE_BESIDE_NOTHING);
}

static void work_that_is_cut_off_is_begun_again(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    turn_until_busy(scene, &crowd);
    turn(scene, &crowd);
    let_rounds_end(scene, &crowd);
    crowd.sent--; /* Nobody knows. */
    scene_stop(scene);
    scene_start(scene);
    scene->keeper->asides.names_min = 0;
    scene_configure_only(scene);
    size_t turns = 0;
    while (scene_zone(scene)->slot->version == NULL) {
        scene_turn_once(scene);
        assert_true(turns++ < TURNS_MAX);
    }
    assert_int_equal(denial(scene), ZONE_DENIAL_NSEC);
    check_kept(scene, &crowd);
    struct crowd more = {.sent = 0};
    turn_until(scene, &more, ZONE_DENIAL_NSEC3);
    check_kept(scene, &crowd);
    check_signatures(scene, true);
}

static void who_thinks_better_of_it_gets_what_he_had(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    turn_until_busy(scene, &crowd);
    wish_nsec3(scene, false);
    for (size_t i = 0; i < 2 * ROUND_TURNS; i++) {
        turn(scene, &crowd);
        assert_int_equal(denial(scene), ZONE_DENIAL_NSEC);
    }
    settle(scene, &crowd);
    assert_null(scene_zone(scene)->known.aside);
    check_kept(scene, &crowd);
}

static void a_policy_that_goes_meanwhile_leaves_the_zone_unsigned(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, false);
    scene->plan[0].policy = scene->policy;
    scene_differ(scene);
    scene_configure_only(scene);
    turn_until_busy(scene, &crowd);
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure_only(scene);
    for (size_t i = 0; i < 2 * ROUND_TURNS; i++) {
        turn(scene, &crowd);
        assert_int_equal(denial(scene), ZONE_DENIAL_NONE);
    }
    settle(scene, &crowd);
    assert_null(scene_zone(scene)->known.aside);
    check_kept(scene, &crowd);
}

static void a_zone_that_goes_meanwhile_is_gone(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    turn_until_busy(scene, &crowd);
    let_rounds_end(scene, &crowd);
    scene->zones = 0;
    scene_configure(scene);
    assert_null(scene->keeper->asides.at_work);
    scene->zones = 1;
    scene->keeper->asides.names_min = UINT64_MAX;
    scene_configure(scene);
    assert_int_equal(denial(scene), ZONE_DENIAL_NSEC3);
}

/* What was signed is not signed again because the disk is full for an hour. */
static void what_is_done_outlives_a_full_disk(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    turn_until_busy(scene, &crowd);
    while (aside_is_busy(scene_zone(scene))) {
        turn(scene, &crowd);
    }
    const struct zone_aside *done = scene_zone(scene)->known.aside;
    assert_non_null(done);
    scene_break_disk(scene);
    settle(scene, &crowd);
    assert_int_equal(denial(scene), ZONE_DENIAL_NSEC);
    assert_ptr_equal(scene_zone(scene)->known.aside, done);
    fake_disk_heal(scene->disk);
    scene_pass(scene, 3600);
    assert_int_equal(denial(scene), ZONE_DENIAL_NSEC3);
    check_signatures(scene, true);
}

/* An edit of the file and a freeze are changes as any other. */
static void a_file_is_loaded_meanwhile(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    scene->plan[0].dynamic = false;
    wish_nsec3(scene, true);
    size_t turns = 0;
    while (!aside_is_busy(scene_zone(scene))) {
        scene_turn_once(scene);
        assert_true(turns++ < TURNS_MAX);
    }
    scene_write_file(scene, 8, true);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(denial(scene), ZONE_DENIAL_NSEC3);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    check_signatures(scene, true);
    check_kept(scene, &crowd);
}

static void two_zones_take_turns(void **state)
{
    struct keeper_scene *scene = *state;
    scene->zones = 2;
    assert_int_equal(dns_name_from_text("second.test.", 12, NULL, &scene->plan[1].apex), SG_OK);
    scene->plan[1].name = "second.test";
    scene->plan[1].policy = scene->policy;
    scene->plan[1].inline_signing = scene->plan[1].dynamic = true;
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    size_t at_work = 0, in_line = 0;
    for (size_t i = 0; i < TURNS_MAX; i++) {
        scene_turn_once(scene);
        at_work += scene->keeper->asides.at_work != NULL;
        for (size_t zone = 0; zone < 2; zone++) {
            struct zone_status status;
            managed_zone_status(keeper_zone(scene->keeper, zone), &status);
            in_line += status.beside.step == ZONE_BESIDE_IN_LINE;
        }
    }
    assert_true(at_work >= 2);
    assert_true(in_line >= 1);
    for (size_t i = 0; i < 2; i++) {
        const struct zone_version *version = keeper_zone(scene->keeper, i)->slot->version;
        assert_int_equal(zone_version_facts(version)->denial, ZONE_DENIAL_NSEC3);
    }
}

static void note_status(void *argument, const struct keeper_keys_status *status, const char *text)
{
    unsigned *keys = argument;
    (void)text;
    *keys = status != NULL ? (unsigned)status->count : 99;
}

static void note_order(void *argument, enum sg_result result, const char *text)
{
    (void)text;
    *(int *)argument = (int)result;
}

/* Asked for before the zone is signed beside, in the midst of the look that begins it, and later.
 * What changes something waits. */
static void how_keys_are_is_told_while_all_is_signed(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    struct keeper_key_word word = {.tag = KEEPER_ANY_KEY};
    unsigned keys[2] = {0};
    int cleared = -1;
    be_dynamic(scene, true);
    wish_nsec3(scene, true);
    while (scene_zone(scene)->job == NULL) {
        keeper_turn(scene->keeper, scene->now);
    }
    assert_false(aside_is_busy(scene_zone(scene)));
    assert_int_equal(
        keeper_clear_progress(scene->keeper, scene_zone(scene), &word, note_order, &cleared),
        SG_OK);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_equal(
            keeper_keys_status(scene->keeper, scene_zone(scene), note_status, &keys[i]), SG_OK);
        for (size_t turns = 0; keys[i] == 0; turns++) {
            crowd.round_turns = 0; /* The round lasts longer. */
            let_rounds_take_time(scene, &crowd);
            scene_turn_once(scene);
            assert_true(turns < TURNS_MAX);
        }
        assert_int_equal(keys[i], 1);
        assert_true(aside_is_busy(scene_zone(scene)));
        assert_int_equal(cleared, -1);
    }
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC3);
    assert_int_equal(cleared, SG_OK);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(updates_go_on_while_a_zone_is_signed_for_the_first_time),
        WITH_SCENE(updates_go_on_while_a_zone_gets_another_chain),
        WITH_SCENE(updates_go_on_while_a_zone_gets_another_algorithm),
        WITH_SCENE(updates_whose_keys_are_not_kept_go_on_too),
        WITH_SCENE(its_status_tells_how_far_it_is),
        WITH_SCENE(work_that_is_cut_off_is_begun_again),
        WITH_SCENE(who_thinks_better_of_it_gets_what_he_had),
        WITH_SCENE(a_policy_that_goes_meanwhile_leaves_the_zone_unsigned),
        WITH_SCENE(a_zone_that_goes_meanwhile_is_gone),
        WITH_SCENE(what_is_done_outlives_a_full_disk),
        WITH_SCENE(a_file_is_loaded_meanwhile),
        WITH_SCENE(two_zones_take_turns),
        WITH_SCENE(how_keys_are_is_told_while_all_is_signed),
    };
    return cmocka_run_group_tests_name("aside", tests, NULL, NULL);
}
