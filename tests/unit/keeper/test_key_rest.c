/* A look at keys that fails: the keys in use sign on. */
#include <signal.h>
#include <sys/resource.h>

#include "keeper/rolling_scene.h"

/* Signed on by the keys in use, for weeks, which do nothing else meanwhile. */
static void live_for_weeks(struct keeper_scene *scene)
{
    for (int i = 0; i < 3 * 7 * 4; i++) {
        scene_pass(scene, 6 * SG_HOUR);
    }
}

static void rest_for_weeks(struct keeper_scene *scene, const char *problem)
{
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    live_for_weeks(scene);
    assert_int_equal(published(scene), 2);
    assert_true(scene_status(scene).expires_first > scene->now + SG_DAY);
    assert_non_null(scene_status(scene).problem);
    assert_non_null(strstr(scene_status(scene).problem, problem));
    look(scene, answer);
    assert_int_equal(answer->result, SG_OK);
    assert_int_equal(answer->status.count, 2);
    for (size_t i = 0; i < answer->status.count; i++) {
        assert_int_equal(answer->status.keys[i].wait.reason, KASP_WAIT_FILES);
    }
    mem_free(answer);
}

static void write_zone_file(struct keeper_scene *scene, uint32_t serial)
{
    uint32_t before = scene_serial(scene);
    scene_write_file(scene, serial, false);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_true(scene_serial(scene) > before);
}

static void a_broken_file_of_another_key_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    run("echo half a copy > %s/Kexample.test.+008+00007.private; true %s", scene->folder);
    rest_for_weeks(scene, "+008+00007");
    write_zone_file(scene, 8);
    struct answer answer = roll(scene, old.tag);
    assert_int_equal(answer.result, SG_CONFLICT);
    assert_non_null(strstr(answer.text, "+008+00007"));
    scene_restart(scene);
    rest_for_weeks(scene, "+008+00007");
    run("rm %s/Kexample.test.+008+00007.private; true %s", scene->folder);
    live_until(scene, scene->now + SG_HOUR);
    assert_null(scene_status(scene).problem);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    assert_int_equal(published(scene), 3);
}

/* Half of the keys are to be in a folder of their own, which has its name in another way. */
static char *share_folder(struct keeper_scene *scene, const char *format)
{
    char *folder = mem_format(format, scene->folder);
    scene->policy->keys[1].key_store = folder;
    scene_differ(scene);
    scene_configure(scene);
    return folder;
}

static void a_folder_with_two_names_is_one(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    uint16_t ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT).tag;
    char *folder = share_folder(scene, "%s/.");
    live_until(scene, scene->now + SG_DAY);
    assert_null(scene_status(scene).problem);
    assert_int_equal(published(scene), 2);
    assert_int_equal(the_key(scene, true, KEY_STATE_OMNIPRESENT).tag, ksk);
    scene->policy->keys[1].key_store = NULL;
    mem_free(folder);
}

/* Copied, not moved, to a key-store. */
static void a_key_that_has_its_files_twice_rests(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    run("mkdir %s/copies && cd %s && cp K* copies/", scene->folder);
    char *folder = share_folder(scene, "%s/copies");
    rest_for_weeks(scene, "remove those that are not to count");
    assert_int_equal(the_key(scene, true, KEY_STATE_OMNIPRESENT).tag, ksk.tag);
    run("rm %s/copies/K*; true %s", scene->folder);
    live_until(scene, scene->now + SG_HOUR);
    assert_null(scene_status(scene).problem);
    scene->policy->keys[1].key_store = NULL;
    mem_free(folder);
}

/* The policy wants a key that cannot be made, in place of none. */
static void what_is_left_of_a_lost_key_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    run("echo lost > %s/Kexample.test.+013+04711.state; true %s", scene->folder);
    scene->policy->keys[2] = scene->policy->keys[1];
    scene->policy->keys[2].algorithm = DNSSEC_ED25519;
    scene->policy->keys_count = 3;
    scene_restart(scene);
    rest_for_weeks(scene, "+013+04711");
    scene->policy->keys_count = 2;
}

static void let_files_be_written(bool may)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = may ? limit.rlim_max : 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A transition is due, and its states cannot be written. */
static void a_full_folder_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    (void)signal(SIGXFSZ, SIG_IGN);
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    assert_int_equal(published(scene), 3);
    let_files_be_written(false);
    live_for_weeks(scene);
    let_files_be_written(true);
    assert_int_equal(published(scene), 3);
    assert_true(scene_status(scene).expires_first > scene->now + SG_DAY);
    assert_non_null(scene_status(scene).problem);
    assert_non_null(strstr(scene_status(scene).problem, "cannot be written"));
    live_until(scene, scene->now + SG_HOUR);
    assert_null(scene_status(scene).problem);
    assert_true(the_key(scene, false, KEY_STATE_OMNIPRESENT).signs_zone);
    assert_false(the_key(scene, false, KEY_STATE_HIDDEN).signs_zone);
}

/* Its states are in the commit. */
static void a_broken_state_of_a_key_in_use_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    char *command;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status zsk = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    command = mem_format("echo broken > %s/Kexample.test.+013+%05u.state", scene->folder, zsk.tag);
    assert_int_equal(system(command), 0);
    rest_for_weeks(scene, ".state");
    mem_free(command);
}

/* That is no rest: nobody could make its signatures anew. */
static void without_the_private_half_of_a_signing_key_it_is_a_failure(void **state)
{
    struct keeper_scene *scene = *state;
    struct answer answer = {.told = 0};
    char *command;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status zsk = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    command = mem_format("rm %s/Kexample.test.+013+%05u.private", scene->folder, zsk.tag);
    assert_int_equal(system(command), 0);
    mem_free(command);
    look(scene, &answer);
    assert_int_equal(answer.result, SG_OK); /* its status tells which one */
    assert_int_equal(answer.status.lost_count, 1);
    assert_int_equal(answer.status.lost[0].tag, zsk.tag);
    char *key = mem_format("key %u", zsk.tag);
    assert_non_null(strstr(scene_status(scene).problem, key));
    assert_non_null(strstr(scene_status(scene).problem, "put them back"));
    mem_free(key);
    sg_time since = scene_status(scene).problem_since;
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_pass(scene, 60);
    assert_non_null(scene_status(scene).problem); /* The zone's file was not what was wrong. */
    scene_pass(scene, 600);
    assert_int_equal(scene_status(scene).problem_since, since);
    assert_int_equal(published(scene), 2);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        ROW(a_broken_file_of_another_key_stops_no_signature),
        ROW(a_folder_with_two_names_is_one),
        ROW(a_key_that_has_its_files_twice_rests),
        ROW(what_is_left_of_a_lost_key_stops_no_signature),
        ROW(a_full_folder_stops_no_signature),
        ROW(a_broken_state_of_a_key_in_use_stops_no_signature),
        ROW(without_the_private_half_of_a_signing_key_it_is_a_failure),
    };
    return cmocka_run_group_tests_name("key_rest", tests, NULL, NULL);
}
