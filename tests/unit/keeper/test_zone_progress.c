/* What private records tell while a zone is signed aside, and when they go. */
#include "dns/rdata.h"
#include "keeper/aside_scene.h"
#include "keeper/managed_zone.h"

/* The first that begins so; NULL: there is none. All are served with a signature. */
static const uint8_t *record(struct keeper_scene *scene, const char *begins, size_t length)
{
    const struct zone_node *apex = zone_version_apex_node(scene_zone(scene)->slot->version);
    struct dns_rrset rrset;
    if (!zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_PRIVATE_DEFAULT, &rrset)) {
        return NULL;
    }
    assert_int_equal(rrset.ttl, 0);
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        if (c.rdata.length >= length && memcmp(c.rdata.bytes, begins, length) == 0) {
            return c.rdata.bytes;
        }
    }
    return NULL;
}

static void be_busy_with_nsec3(struct keeper_scene *scene, struct crowd *crowd)
{
    be_dynamic(scene, true);
    scene->plan[0].limits.private_type = DNS_TYPE_PRIVATE_DEFAULT;
    wish_nsec3(scene, true);
    turn_until_busy(scene, crowd);
}

static void a_record_tells_of_a_chain_that_comes_or_goes(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    scene->policy->nsec3_salt_length = 4;
    be_busy_with_nsec3(scene, &crowd);
    uint8_t salt[4];
    const uint8_t *creates = record(scene, "\0\1\x80\0\0\4", 6);
    assert_non_null(creates);
    memcpy(salt, creates + 6, sizeof(salt));
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC3);
    assert_null(record(scene, "", 0));
    const struct zone_facts *facts = zone_version_facts(scene_zone(scene)->slot->version);
    assert_memory_equal(facts->nsec3.salt, salt, sizeof(salt));
    scene->policy->nsec3_salt_length = 0; /* one chain for another */
    scene_differ(scene);
    scene_configure_only(scene);
    for (size_t turns = 0; !aside_is_busy(scene_zone(scene)); turns++) {
        scene_turn_once(scene);
        assert_true(turns < TURNS_MAX);
    }
    assert_non_null(record(scene, "\0\1\x80\0\0\0", 6));
    assert_non_null(record(scene, "\0\1\x50\0\0\4", 6));
    settle(scene, &crowd);
    assert_null(record(scene, "", 0));
    wish_nsec3(scene, false);
    turn_until_busy(scene, &crowd);
    assert_non_null(record(scene, "\0\1\x40\0\0\0", 6));
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC);
    assert_null(record(scene, "", 0));
}

static void a_record_of_what_is_not_wished_any_more_goes(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_busy_with_nsec3(scene, &crowd);
    assert_non_null(record(scene, "\0\1\x80", 3));
    wish_nsec3(scene, false);
    for (size_t i = 0; i < 2 * ROUND_TURNS; i++) {
        turn(scene, &crowd);
    }
    settle(scene, &crowd);
    assert_null(record(scene, "", 0));
}

static void cut_off_records(struct keeper_scene *scene, bool is_still_wished)
{
    struct crowd crowd = {.sent = 0};
    be_busy_with_nsec3(scene, &crowd);
    assert_non_null(record(scene, "\0\1\x80", 3));
    let_rounds_end(scene, &crowd);
    scene_stop(scene);
    scene_start(scene);
    scene->keeper->asides.names_min = 0;
    scene->policy->nsec3 = is_still_wished;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(denial(scene), is_still_wished ? ZONE_DENIAL_NSEC3 : ZONE_DENIAL_NSEC);
    assert_null(record(scene, "", 0));
}

static void a_record_is_there_until_work_that_was_cut_off_is_done(void **state)
{
    cut_off_records(*state, true);
}

static void a_record_of_work_that_was_cut_off_goes_if_it_is_not_wished(void **state)
{
    cut_off_records(*state, false);
}

static void order_done(void *argument, enum sg_result result, const char *text)
{
    (void)argument;
    assert_int_equal(result, SG_OK);
    assert_string_equal(text, "request queued");
}

static void a_record_tells_that_a_key_begins_and_that_it_is_done(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    be_dynamic(scene, true);
    scene->plan[0].limits.private_type = DNS_TYPE_PRIVATE_DEFAULT;
    scene->policy->keys[0].algorithm = DNSSEC_ED25519;
    scene_differ(scene);
    scene_configure_only(scene);
    turn_until_busy(scene, &crowd);
    const uint8_t *begins = record(scene, "\x0f", 1);
    assert_non_null(begins);
    assert_int_equal(begins[3], 0);
    assert_int_equal(begins[4], 0);
    settle(scene, &crowd);
    const uint8_t *done = record(scene, "\x0f", 1);
    assert_non_null(done);
    assert_int_equal(done[3], 0);
    assert_int_equal(done[4], 1);
    uint32_t serial = scene_serial(scene);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
    assert_non_null(record(scene, "\x0f", 1));
    struct keeper_key_word all = {.tag = KEEPER_ANY_KEY};
    assert_int_equal(
        keeper_clear_progress(scene->keeper, scene_zone(scene), &all, order_done, scene), SG_OK);
    scene_turn(scene);
    assert_null(record(scene, "", 0));
    serial = scene_serial(scene);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
    assert_null(record(scene, "", 0));
    check_signatures(scene, true);
}

/* What is not signed yet has no records: they are told from the work itself. */
static void a_first_signing_is_told_of_without_a_record(void **state)
{
    struct keeper_scene *scene = *state;
    struct crowd crowd = {.sent = 0};
    struct buffer packed = BUFFER_EMPTY;
    bool beside = false;
    be_dynamic(scene, false);
    scene->plan[0].limits.private_type = DNS_TYPE_PRIVATE_DEFAULT;
    scene->plan[0].policy = scene->policy;
    scene->policy->nsec3 = true;
    scene_differ(scene);
    scene_configure_only(scene);
    turn_until_busy(scene, &crowd);
    assert_null(record(scene, "", 0));
    assert_int_equal(managed_zone_signing_records(scene_zone(scene), &packed, &beside), 2);
    assert_true(beside);
    static const uint8_t pending[] = {0, 6, 0, 1, 0xa0, 0, 0, 0};
    assert_memory_equal(packed.bytes + packed.length - sizeof(pending), pending, sizeof(pending));
    buffer_free(&packed);
    turn_until(scene, &crowd, ZONE_DENIAL_NSEC3);
    assert_int_equal(managed_zone_signing_records(scene_zone(scene), &packed, &beside), 0);
    assert_false(beside);
    buffer_free(&packed);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_record_tells_of_a_chain_that_comes_or_goes),
        WITH_SCENE(a_record_of_what_is_not_wished_any_more_goes),
        WITH_SCENE(a_record_is_there_until_work_that_was_cut_off_is_done),
        WITH_SCENE(a_record_of_work_that_was_cut_off_goes_if_it_is_not_wished),
        WITH_SCENE(a_record_tells_that_a_key_begins_and_that_it_is_done),
        WITH_SCENE(a_first_signing_is_told_of_without_a_record),
    };
    return cmocka_run_group_tests_name("zone_progress", tests, NULL, NULL);
}
