/* Another signer has withdrawn the keys of what is recovered: it is signed anew, also where the
 * first try fails. Whether one had the zone: test_reign.c. */
#include "keeper/overtake.h"
#include "keeper/signed_scene.h"

/* As another signer leaves the files of a key that it has withdrawn. */
static void have_keys_withdrawn(struct keeper_scene *scene)
{
    char when[TIME_TEXT_BYTES];
    time_to_digits(scene->now, when);
    char *command = mem_format("sed -i -e 's/^DNSKEYState:.*/DNSKEYState: unretentive/' "
                               "-e 's/^ZRRSIGState:.*/ZRRSIGState: hidden/' "
                               "-e 's/^DNSKEYChange:.*/DNSKEYChange: %s/' %s/K*.state",
                               when, scene->folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
}

/* Its version has to be signed anew, which cannot be committed; the file, which would do for a
 * static zone otherwise, lacks the update. */
static void an_update_outlives_a_recovery_that_fails(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene->now += SG_DAY;
    have_keys_withdrawn(scene);
    scene->plan[0].dynamic = false;
    scene_break_disk(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene_pass(scene, 301);
    scene_pass(scene, 301);
    assert_true(scene_status(scene).secure);
    assert_true(scene_serves(scene, "one.example.test.", DNS_TYPE_A));
}

/* And its successor, which caches know. */
static void have_key_that_signs(struct keeper_scene *scene)
{
    struct signing_key metadata, *key;
    signing_key_init(&metadata);
    metadata.times[KEY_CREATED] = metadata.times[KEY_PUBLISH] = metadata.times[KEY_ACTIVATE] =
        scene->now;
    metadata.state = (struct key_state){.present = true,
                                        .has_roles = true,
                                        .zsk = true,
                                        .goal = KEY_STATE_OMNIPRESENT,
                                        .records = {[KEY_RECORD_DNSKEY] = KEY_STATE_OMNIPRESENT,
                                                    [KEY_RECORD_ZRRSIG] = KEY_STATE_OMNIPRESENT,
                                                    [KEY_RECORD_KRRSIG] = KEY_STATE_NA,
                                                    [KEY_RECORD_DS] = KEY_STATE_NA}};
    for (int record = 0; record < KEY_RECORDS; record++) {
        metadata.state.changes[record] = scene->now;
    }
    const struct key_request request = {.folder = scene->folder,
                                        .zone = &scene->plan[0].apex,
                                        .algorithm = DNSSEC_ECDSAP256SHA256,
                                        .flags = 256,
                                        .metadata = &metadata};
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    signing_key_free(key);
}

/* The key files tell of the other signer until the commit that does justice to it is made. */
static void another_signer_is_seen_after_a_recovery_that_failed(struct keeper_scene *scene,
                                                                bool is_followed, bool restarts)
{
    serve_signed(scene, true);
    scene_stop(scene);
    scene->now += SG_DAY;
    have_keys_withdrawn(scene);
    if (is_followed) {
        have_key_that_signs(scene);
    }
    scene_break_disk(scene);
    scene->now += SG_MINUTE;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_heal(scene->disk);
    if (restarts) {
        scene_restart(scene);
    } else {
        store_health(scene->store);
        scene_pass(scene, 301);
        scene_pass(scene, 301);
    }
    assert_true(scene_status(scene).secure);
    assert_true(overtake_is_in_doubt(scene_zone(scene))); /* as what was signed anew is */
    assert_true(scene_serial(scene) > 7);
}

static void another_signer_is_seen_when_recovery_is_tried_again(void **state)
{
    another_signer_is_seen_after_a_recovery_that_failed(*state, false, false);
}

static void another_signer_is_seen_at_the_start_after_a_recovery_that_failed(void **state)
{
    another_signer_is_seen_after_a_recovery_that_failed(*state, false, true);
}

static void a_successor_by_another_signer_is_seen_after_a_recovery_that_failed(void **state)
{
    another_signer_is_seen_after_a_recovery_that_failed(*state, true, true);
}

/* Its files are written once the commit is made. */
static void key_files_follow_a_recovery_that_signed_anew(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene, true);
    scene_stop(scene);
    scene->now += SG_DAY;
    have_keys_withdrawn(scene);
    have_key_that_signs(scene);
    scene->now += SG_MINUTE;
    scene_start(scene);
    scene_configure(scene);
    assert_true(overtake_is_in_doubt(scene_zone(scene)));
    char *command = mem_format("! grep -l 'DNSKEYState: unretentive' %s/K*.state && "
                               "grep -q 'DNSKEYState: rumoured' %s/K*.state",
                               scene->folder, scene->folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
    uint32_t serial = scene_serial(scene);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(an_update_outlives_a_recovery_that_fails),
        WITH_SCENE(another_signer_is_seen_when_recovery_is_tried_again),
        WITH_SCENE(another_signer_is_seen_at_the_start_after_a_recovery_that_failed),
        WITH_SCENE(a_successor_by_another_signer_is_seen_after_a_recovery_that_failed),
        WITH_SCENE(key_files_follow_a_recovery_that_signed_anew),
    };
    return cmocka_run_group_tests_name("zone_reign", tests, NULL, NULL);
}
