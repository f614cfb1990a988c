/* What is wished for changes, was noted or guessed before, or was never seen. */
#include <stdio.h>

#include "keeper/ds_check_scene.h"

static void a_new_wish_ends_the_round(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 2, DS_CHECK_PUBLISHED);
    assert_int_equal(ask(&scene, 0, SHOWS), 0);
    const struct ds_check_wish both[] = {
        {&scene.key, DS_CHECK_PUBLISHED, T0, false, false},
        {&scene.other, DS_CHECK_WITHDRAWN, T0, false, false},
    };
    ds_check_set_wishes(scene.check, both, 2, scene.now);
    assert_int_equal(ask(&scene, 0, SHOWS), 0); /* from the first one again */
    assert_int_equal(ask(&scene, 1, SHOWS), 2);
    assert_false(ds_check_is_waiting(scene.check));
    scene_clear(&scene);
}

static void a_new_wish_while_a_question_is_out(void **state)
{
    struct scene scene;
    const struct remote *asked;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    assert_true(ds_check_turn(scene.check, scene.now, &asked));
    wish_for(&scene, DS_CHECK_WITHDRAWN);
    assert_int_equal(hear(&scene, NO_DS), 0); /* the question was put before */
    assert_true(ds_check_is_waiting(scene.check));
    assert_int_equal(ask(&scene, 0, NO_DS), 1);
    assert_false(ds_check_is_waiting(scene.check));
    scene_clear(&scene);
}

static void one_of_two_wishes_is_fulfilled(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    const struct ds_check_wish both[] = {
        {&scene.other, DS_CHECK_PUBLISHED, T0, false, false},
        {&scene.key, DS_CHECK_PUBLISHED, T0, false, false},
    };
    ds_check_set_wishes(scene.check, both, 2, scene.now);
    assert_int_equal(ask(&scene, 0, SHOWS), 2);
    assert_int_equal(scene.facts[0].tag, scene.other.tag);
    assert_int_equal(scene.facts[0].what, DS_CHECK_WITHDRAWN);
    assert_int_equal(scene.facts[1].what, DS_CHECK_PUBLISHED);
    assert_true(ds_check_is_waiting(scene.check));
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, OTHER_KEY), 2); /* the first has gone again */
    assert_int_equal(scene.facts[0].what, DS_CHECK_PUBLISHED);
    assert_int_equal(scene.facts[1].what, DS_CHECK_WITHDRAWN);
    scene_clear(&scene);
}

/* After a restart: it is looked at in the course of a day, and nobody is alarmed. */
static void what_was_noted_before_is_not_waited_for(void **state)
{
    struct scene scene;
    const struct remote *asked;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    ds_check_set_wishes(scene.check, NULL, 0, T0);
    const struct ds_check_wish wish = {&scene.key, DS_CHECK_PUBLISHED, T0 - SG_DAY, true, false};
    ds_check_set_wishes(scene.check, &wish, 1, T0);
    assert_false(ds_check_is_waiting(scene.check));
    assert_false(ds_check_warns(scene.check, T0 + SG_WEEK));
    assert_false(ds_check_turn(scene.check, T0, &asked));
    assert_in_range(ds_check_wake(scene.check), T0 + 1, T0 + 4 * RETRY_MAX);
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, NO_DS), 1);
    assert_true(ds_check_is_waiting(scene.check)); /* it is not so any more */
    scene_clear(&scene);
}

/* The parent may have taken it up, and this agent not yet: who has the DS that was asked for last
 * has passed it. */
static void one_that_was_never_seen_is_gone_where_the_newest_is_shown(void **state)
{
    struct scene scene;
    (void)state;
    for (int was_seen = 0; was_seen < 2; was_seen++) {
        scene_init(&scene, 1, DS_CHECK_PUBLISHED);
        scene.key.times[KEY_DS_PUBLISH] = was_seen ? T0 - SG_DAY : KEY_TIME_UNSET;
        const struct ds_check_wish both[] = {
            {&scene.key, DS_CHECK_WITHDRAWN, T0, false, false},
            {&scene.other, DS_CHECK_PUBLISHED, T0, false, false},
        };
        ds_check_set_wishes(scene.check, both, 2, scene.now);
        assert_int_equal(ask(&scene, 0, NO_DS), 1 + was_seen);
        assert_int_equal(scene.facts[0].what, DS_CHECK_WITHDRAWN);
        assert_int_equal(scene.facts[0].tag, was_seen ? scene.key.tag : scene.other.tag);
        scene.now = ds_check_wake(scene.check);
        assert_int_equal(ask(&scene, 0, OTHER_KEY), 2 - was_seen);
        assert_false(ds_check_is_waiting(scene.check));
        scene_clear(&scene);
    }
}

static char last_line[512];

static void keep_line(void *argument, const char *text)
{
    (void)argument;
    (void)snprintf(last_line, sizeof(last_line), "%s", text);
}

/* Going insecure nothing is asked for instead: a parent that lags shows by days without it that it
 * is not to come. */
static void one_that_was_never_seen_and_has_no_successor_is_gone_after_days(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    scene.key.times[KEY_DS_PUBLISH] = KEY_TIME_UNSET;
    scene.key.state.records[KEY_RECORD_DS] = KEY_STATE_UNRETENTIVE;
    const struct ds_check_wish gone = {&scene.key, DS_CHECK_WITHDRAWN, T0, false, false};
    ds_check_set_wishes(scene.check, &gone, 1, scene.now);
    assert_int_equal(ask(&scene, 0, NO_DS), 0);
    ds_check_describe(scene.check, keep_line, NULL);
    assert_string_equal(last_line, "parental agent 192.0.2.1#53 has no DS, and what is missing "
                                   "counts as withdrawn from Fri, 17 Nov 2023 22:13:20 GMT on; "
                                   "asked on Tue, 14 Nov 2023 22:13:21 GMT");
    scene.now = T0 + 3 * SG_DAY - 2; /* and one for the answer */
    assert_int_equal(ask(&scene, 0, NO_DS), 0);
    assert_true(ds_check_is_waiting(scene.check));
    scene.now = T0 + 4 * SG_DAY;
    assert_int_equal(ask(&scene, 0, NO_DS), 1);
    assert_int_equal(scene.facts[0].what, DS_CHECK_WITHDRAWN);
    ds_check_describe(scene.check, keep_line, NULL);
    assert_non_null(strstr(last_line, " has no DS, as it should be; "));
    scene_clear(&scene);
}

/* States that another signer's times let be: looked at soon, and not counted on before. */
static void what_was_guessed_is_looked_at_first(void **state)
{
    struct scene scene;
    const struct remote *asked;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    ds_check_set_wishes(scene.check, NULL, 0, T0);
    const struct ds_check_wish wish = {&scene.key, DS_CHECK_PUBLISHED, T0 - SG_DAY, true, true};
    ds_check_set_wishes(scene.check, &wish, 1, T0);
    assert_false(ds_check_is_waiting(scene.check));
    assert_true(ds_check_is_guessing(scene.check));
    assert_true(ds_check_turn(scene.check, T0, &asked));
    assert_int_equal(hear(&scene, SHOWS), 1);
    assert_false(ds_check_is_guessing(scene.check));
    scene_clear(&scene);
}

static void wishes_that_go_leave_nothing(void **state)
{
    struct scene scene;
    const struct remote *asked;
    (void)state;
    scene_init(&scene, 2, DS_CHECK_PUBLISHED);
    assert_true(ds_check_turn(scene.check, scene.now, &asked));
    ds_check_set_wishes(scene.check, NULL, 0, scene.now);
    assert_int_equal(hear(&scene, SHOWS), 0);
    assert_false(ds_check_turn(scene.check, scene.now, &asked));
    scene_clear(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_wish_ends_the_round),
        cmocka_unit_test(a_new_wish_while_a_question_is_out),
        cmocka_unit_test(one_of_two_wishes_is_fulfilled),
        cmocka_unit_test(what_was_noted_before_is_not_waited_for),
        cmocka_unit_test(what_was_guessed_is_looked_at_first),
        cmocka_unit_test(one_that_was_never_seen_is_gone_where_the_newest_is_shown),
        cmocka_unit_test(one_that_was_never_seen_and_has_no_successor_is_gone_after_days),
        cmocka_unit_test(wishes_that_go_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
