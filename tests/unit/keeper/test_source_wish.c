#include "keeper/secondary_scene.h"

/* Nobody knows whether its primaries sign it: what they have made was left out, but their DNSKEY.
 */
static void a_zone_whose_policy_goes_is_served_signed_until_it_came_anew(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    scene_lose_policy(scene);
    assert_true(scene_status(scene).secure);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    assert_non_null(question);
    scene_hear(question, SG_IO, (struct span){NULL, 0}); /* The primary is not there. */
    scene_turn(scene);
    scene_restart(scene);
    assert_true(scene_status(scene).secure);
    if (scene_asked(scene, KEEPER_QUESTION_TRANSFER) == NULL) {
        scene_pass(scene, SCENE_RETRY);
    }
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 5);
    assert_false(scene_zone(scene)->slot->version == NULL);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 5); /* Once is enough. */
    scene_turn(scene);
    assert_null(scene_asked(scene, KEEPER_QUESTION_TRANSFER));
}

/* Its keys had something to do then; they are no business of this zone any more. */
static void a_zone_without_its_policy_rests_while_its_primary_is_away(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    sg_time event = scene_status(scene).key_event_at;
    assert_true(event > scene->now);
    scene_lose_policy(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    assert_non_null(question);
    scene_hear(question, SG_IO, (struct span){NULL, 0});
    scene_turn(scene);
    scene_pass(scene, event - scene->now); /* scene_turn() sees a loop */
    assert_true(scene_status(scene).secure);
}

/* Tried until it succeeds: the serial alone would never have it fetched. */
static void a_source_that_did_not_come_is_fetched_at_the_retry(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    scene_lose_policy(scene);
    for (int i = 0; i < 3; i++) {
        struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
        assert_non_null(question);
        scene_hear(question, SG_IO, (struct span){NULL, 0});
        scene_turn(scene);
        scene_pass(scene, SCENE_RETRY);
    }
    assert_true(scene_status(scene).secure);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
}

/* It has begun with what a signer made, or without: that is of no use any more. */
static void a_transfer_that_other_settings_asked_for_begins_anew(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_secondary(scene);
    scene_configure(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    assert_non_null(question);
    scene_be_signed(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_false(question->out);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    scene_lose_policy(scene);
    assert_false(question->out);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_configure(scene); /* the same settings: it goes on */
    assert_int_equal(scene_serial(scene), 5);
}

/* Whole, but its job has not begun. */
static void a_transfer_that_waits_for_its_job_does_not_outlive_the_policy(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_lose_policy(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_status(scene).facts->source_serial, 5);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 6);
}

/* Else no serial of the primary's would ever be newer again. */
static void the_source_keeps_its_serial_when_the_policy_goes(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_fetch(scene, 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
        scene_turn(scene);
    }
    assert_int_equal(scene_serial(scene), 8);
    scene_lose_policy(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 5);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 6);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_zone_whose_policy_goes_is_served_signed_until_it_came_anew),
        WITH_SCENE(a_zone_without_its_policy_rests_while_its_primary_is_away),
        WITH_SCENE(a_source_that_did_not_come_is_fetched_at_the_retry),
        WITH_SCENE(a_transfer_that_other_settings_asked_for_begins_anew),
        WITH_SCENE(a_transfer_that_waits_for_its_job_does_not_outlive_the_policy),
        WITH_SCENE(the_source_keeps_its_serial_when_the_policy_goes),
    };
    return cmocka_run_group_tests_name("source_wish", tests, NULL, NULL);
}
