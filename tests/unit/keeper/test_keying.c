#include <dirent.h>

#include "keeper_scene.h"

enum { ZONES = SCENE_ZONES_MAX };

/* Zones of names of their own, signed, which take updates; of each round there is time for one. */
static void name_zones(struct keeper_scene *scene)
{
    for (size_t i = 0; i < ZONES; i++) {
        struct zone_settings *plan = &scene->plan[i];
        char name[] = "zone0.test.";
        name[4] = (char)('0' + i);
        assert_int_equal(dns_name_from_text(name, strlen(name), NULL, &plan->apex), SG_OK);
        plan->policy = scene->policy;
        plan->inline_signing = plan->dynamic = true;
    }
    scene_write_file(scene, 7, false);
    scene->keeper->keying->round_ns_max = 0;
}

static size_t count_signed(struct keeper_scene *scene)
{
    size_t count = 0;
    for (size_t i = 0; i < scene->zones; i++) {
        const struct zone_version *version = keeper_zone(scene->keeper, i)->slot->version;
        count += version != NULL && zone_version_facts(version)->signed_here;
    }
    return count;
}

/* The worker is free between two rounds, and what they have made is used meanwhile. */
static void a_round_that_takes_long_leaves_zones_for_the_next(void **state)
{
    struct keeper_scene *scene = *state;
    name_zones(scene);
    scene->zones = ZONES;
    scene_configure_only(scene);
    size_t before = 0;
    for (size_t turns = 0; before < ZONES; turns++) {
        scene_turn_once(scene);
        size_t now = count_signed(scene);
        assert_true(now <= before + 1);
        assert_true(turns < SCENE_TURNS_MAX);
        before = now;
    }
    scene_turn(scene);
    assert_int_equal(scene->keeper->keying->lanes[KEYING_REST].running, false);
}

/* A folder may hold the keys of a hundred thousand zones: what reads it is the round, for many. */
static void no_zone_reads_a_folder_for_itself_because_others_took_its_place(void **state)
{
    struct keeper_scene *scene = *state;
    name_zones(scene);
    scene->keeper->keying->round_ns_max = UINT64_MAX;
    scene->keeper->kept_keys.max = 2;
    scene->zones = ZONES;
    scene_configure_only(scene);
    for (size_t turns = 0; count_signed(scene) < ZONES; turns++) {
        scene_turn_once(scene);
        for (size_t i = 0; i < ZONES; i++) {
            const struct managed_zone *zone = keeper_zone(scene->keeper, i);
            assert_true(!zone->known.keyed || zone->job != NULL || zone->known.keys != NULL);
        }
        assert_true(turns < SCENE_TURNS_MAX);
    }
}

/* After a restart no zone has its keys in memory: an update needs them read. */
static void an_update_does_not_stand_behind_zones_whose_keys_are_to_be_made(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    name_zones(scene);
    scene_configure(scene);
    assert_int_equal(count_signed(scene), 1);
    kept_keys_drop(&scene->keeper->kept_keys, scene_zone(scene));
    scene->zones = ZONES;
    scene_configure_only(scene);
    while (scene->keeper->keying->lanes[KEYING_REST].waiting.first == NULL &&
           !scene->keeper->keying->lanes[KEYING_REST].running) {
        scene_turn_once(scene);
    }
    scene_update(scene, "new", &rcode);
    while (rcode == -1) {
        scene_turn_once(scene);
    }
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    assert_true(count_signed(scene) < ZONES);
    scene_turn(scene);
    assert_int_equal(count_signed(scene), ZONES);
}

/* Its keys were wished to be looked at, then somebody came. */
static void a_zone_in_line_that_gets_an_update_goes_ahead(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    name_zones(scene);
    scene_configure(scene);
    struct keying_lane *lanes = scene->keeper->keying->lanes;
    keeper_wish_keys(scene->keeper, scene_zone(scene), false);
    keeper_unqueue(scene_zone(scene));
    keying_add(scene->keeper, scene_zone(scene));
    assert_ptr_equal(scene_zone(scene)->queue, &lanes[KEYING_REST].waiting);
    scene_update(scene, "new", &rcode);
    assert_ptr_equal(scene_zone(scene)->queue, &lanes[KEYING_SOON].waiting);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
}

/* By its times it is published and signs no more. */
static void bring_a_key_that_has_retired(const struct keeper_scene *scene)
{
    struct signing_key metadata;
    struct signing_key *key;
    signing_key_init(&metadata);
    metadata.times[KEY_CREATED] = metadata.times[KEY_PUBLISH] = scene->now - 10;
    metadata.times[KEY_INACTIVE] = scene->now - 5;
    const struct key_request request = {.folder = scene->folder,
                                        .zone = &scene->plan[0].apex,
                                        .algorithm = DNSSEC_ED25519,
                                        .flags = 257,
                                        .metadata = &metadata};
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    signing_key_free(key);
}

static size_t count_files(const struct keeper_scene *scene, const char *zone)
{
    size_t count = 0;
    DIR *listing = opendir(scene->folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        count += strncmp(entry->d_name, zone, strlen(zone)) == 0;
    }
    closedir(listing);
    return count;
}

/* They share one batch. */
static void a_look_that_fails_writes_nothing_while_others_write_their_keys(void **state)
{
    struct keeper_scene *scene = *state;
    name_zones(scene);
    scene->keeper->keying->round_ns_max = UINT64_MAX;
    scene->zones = ZONES;
    bring_a_key_that_has_retired(scene);
    assert_int_equal(count_files(scene, "Kzone0.test."), 2);
    scene_configure(scene);
    assert_int_equal(count_signed(scene), ZONES - 1);
    const char *problem = scene_status(scene).problem;
    assert_non_null(problem);
    assert_non_null(strstr(problem, "no key of it signs the zone"));
    assert_int_equal(count_files(scene, "Kzone0.test."), 2);
    assert_int_equal(count_files(scene, "Kzone1.test."), 3);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_round_that_takes_long_leaves_zones_for_the_next),
        WITH_SCENE(no_zone_reads_a_folder_for_itself_because_others_took_its_place),
        WITH_SCENE(an_update_does_not_stand_behind_zones_whose_keys_are_to_be_made),
        WITH_SCENE(a_zone_in_line_that_gets_an_update_goes_ahead),
        WITH_SCENE(a_look_that_fails_writes_nothing_while_others_write_their_keys),
    };
    return cmocka_run_group_tests_name("keying", tests, NULL, NULL);
}
