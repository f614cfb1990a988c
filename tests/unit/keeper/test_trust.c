#include "keeper/keeper_scene.h"

/* The default policy's key asks for its DS a day and five minutes after it was published. */
enum { INTRODUCTION = 86700 };

static void serve_signed(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

static bool asks_for_ds(struct keeper_scene *scene)
{
    return scene_serves(scene, "example.test.", DNS_TYPE_CDS);
}

/* The keys go on, and what they wait for is counted from here. */
static void expect_new_waits(struct keeper_scene *scene)
{
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    assert_false(asks_for_ds(scene));
    scene_pass(scene, INTRODUCTION - 10);
    assert_false(asks_for_ds(scene));
    scene_pass(scene, 20);
    assert_true(asks_for_ds(scene));
    assert_null(scene_status(scene).problem);
}

static void keys_move_on_while_time_passes(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    expect_new_waits(scene);
}

static void a_jump_ahead_moves_no_key_but_makes_signatures_anew(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_AHEAD);
    scene_pass(scene, 10);
    assert_true(scene_status(scene).expires_first > scene->now);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), false), SG_OK);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_pass(scene, 2 * INTRODUCTION);
    assert_false(asks_for_ds(scene));
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    expect_new_waits(scene);
}

static void a_jump_ahead_that_is_taken_back_is_no_reason_to_ask(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 3000 * SG_DAY);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_true(scene_status(scene).expires_first > T0 + 3000 * SG_DAY);
    scene_set_clock(scene, -3000 * SG_DAY);
    assert_true(scene_status(scene).expires_first < T0 + 100 * SG_DAY); /* all made anew */
    expect_new_waits(scene);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

/* What was signed while it was ahead is not valid yet, by which way ever it comes back. */
static void a_jump_ahead_that_is_taken_back_too_far_is_mended_too(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 3000 * SG_DAY);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_set_clock(scene, -3000 * SG_DAY - 400);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    scene_set_clock(scene, 400);
    scene_turn(scene);
    assert_true(scene_status(scene).expires_first < T0 + 100 * SG_DAY); /* all made anew */
    expect_new_waits(scene);
}

static void a_jump_back_moves_no_key_until_its_time_has_come_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_pass(scene, SG_HOUR);
    scene_set_clock(scene, -10 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_pass(scene, 9 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_false(asks_for_ds(scene));
    scene_pass(scene, SG_DAY + 1);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    scene_pass(scene, INTRODUCTION);
    assert_true(asks_for_ds(scene));
}

static void a_start_behind_the_last_commit_moves_no_key_until_then(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 20 * SG_DAY;
    sg_time begun = scene->now;
    serve_signed(scene);
    scene_stop(scene);
    scene->now -= 10 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(scene_status(scene).clock_at, begun);
    /* What is committed meanwhile is no excuse. */
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(scene_status(scene).key_event_at, begun);
    scene_pass(scene, 10 * SG_DAY + 1);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    scene_pass(scene, INTRODUCTION);
    assert_true(asks_for_ds(scene));
}

static void a_start_far_ahead_of_the_last_commit_waits_for_a_word(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_stop(scene);
    scene->now += 91 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_UNLIKELY);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_UNLIKELY);
    scene_pass(scene, INTRODUCTION);
    assert_false(asks_for_ds(scene));
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    scene_restart(scene);
    expect_new_waits(scene);
    assert_int_equal(keeper_accept_clock(scene->keeper), 0);
}

static void a_server_that_was_away_for_weeks_is_no_reason_to_ask(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_stop(scene);
    scene->now += 80 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

/* The new process cannot know when the clock was set. */
static void a_jump_outlives_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 2 * SG_DAY);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_UNLIKELY);
    scene_pass(scene, INTRODUCTION);
    assert_false(asks_for_ds(scene));
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    expect_new_waits(scene);
}

static void a_new_zone_is_signed_by_a_doubtful_clock_and_its_waits_are_not(void **state)
{
    struct keeper_scene *scene = *state;
    scene_stop(scene);
    scene->now = 100 * SG_DAY; /* in 1970 */
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_status(scene).clock, CLOCK_EARLY);
    scene_set_clock(scene, T0);
    expect_new_waits(scene);
}

static void a_zone_without_a_policy_has_no_doubts(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    assert_int_equal(keeper_accept_clock(scene->keeper), 0);
}

/* Accepted while a round has the keys, prepared before. */
static void what_was_prepared_before_the_word_is_prepared_once_more(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    for (int turns = 0; turns < 4; turns++) {
        assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
        for (int i = 0; i < turns; i++) {
            scene_turn_once(scene);
        }
        assert_int_equal(keeper_accept_clock(scene->keeper), turns == 0);
        scene_turn(scene);
        assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
        assert_false(asks_for_ds(scene));
    }
    expect_new_waits(scene);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(keys_move_on_while_time_passes),
        WITH_SCENE(a_jump_ahead_moves_no_key_but_makes_signatures_anew),
        WITH_SCENE(a_jump_ahead_that_is_taken_back_is_no_reason_to_ask),
        WITH_SCENE(a_jump_ahead_that_is_taken_back_too_far_is_mended_too),
        WITH_SCENE(a_jump_back_moves_no_key_until_its_time_has_come_again),
        WITH_SCENE(a_start_behind_the_last_commit_moves_no_key_until_then),
        WITH_SCENE(a_start_far_ahead_of_the_last_commit_waits_for_a_word),
        WITH_SCENE(a_server_that_was_away_for_weeks_is_no_reason_to_ask),
        WITH_SCENE(a_jump_outlives_a_restart),
        WITH_SCENE(a_new_zone_is_signed_by_a_doubtful_clock_and_its_waits_are_not),
        WITH_SCENE(a_zone_without_a_policy_has_no_doubts),
        WITH_SCENE(what_was_prepared_before_the_word_is_prepared_once_more),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
