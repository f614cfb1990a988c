/* Rounds of a check: facts that all agents prove, told and looked at in time. What is wished for:
 * test_ds_check_wishes.c. */
#include <stdio.h>

#include "base/mem.h"
#include "keeper/ds_check_scene.h"

static bool proves(enum word word, enum ds_check_want want)
{
    if (want == DS_CHECK_PUBLISHED) {
        return word == SHOWS || word == SHOWS_SHA1 || word == SHOWS_BOTH;
    }
    return word == NO_DS || word == WRONG_DIGEST || word == OTHER_KEY;
}

static enum ds_check_want opposite(enum ds_check_want want)
{
    return want == DS_CHECK_PUBLISHED ? DS_CHECK_WITHDRAWN : DS_CHECK_PUBLISHED;
}

static bool prove(enum word first, enum word second, enum ds_check_want what)
{
    return proves(first, what) && proves(second, what);
}

static void a_round_tells_what_both_prove(enum ds_check_want want, enum word first,
                                          enum word second)
{
    struct scene scene;
    scene_init(&scene, 2, want);
    assert_int_equal(ask(&scene, 0, first), 0);
    size_t facts = ask(&scene, 1, second);
    bool met = prove(first, second, want);
    bool contrary = prove(first, second, opposite(want));
    assert_int_equal(facts, met || contrary);
    assert_int_equal(ds_check_is_waiting(scene.check), !met);
    if (facts > 0) {
        assert_int_equal(scene.facts[0].tag, scene.key.tag);
        assert_int_equal(scene.facts[0].algorithm, scene.key.algorithm);
        assert_int_equal(scene.facts[0].want, want);
        assert_int_equal(scene.facts[0].what, met ? want : opposite(want));
        assert_int_equal(scene.facts[0].at, T0 + 2);
        assert_true(scene.facts[0].first == KEY_TIME_UNSET);
    }
    scene_clear(&scene);
}

/* Every word of two agents, for both wishes: a fact only where both prove it, whichever it is. */
static void only_what_all_agents_prove_becomes_a_fact(void **state)
{
    (void)state;
    for (int pair = 0; pair < WORDS * WORDS; pair++) {
        enum word first = (enum word)(pair / WORDS);
        enum word second = (enum word)(pair % WORDS);
        a_round_tells_what_both_prove(DS_CHECK_PUBLISHED, first, second);
        a_round_tells_what_both_prove(DS_CHECK_WITHDRAWN, first, second);
    }
}

/* Two digests at one agent, and the other silent: a counter would have been content. */
static void an_agent_has_one_voice(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 2, DS_CHECK_PUBLISHED);
    assert_int_equal(ask(&scene, 0, SHOWS_BOTH), 0);
    assert_int_equal(ask(&scene, 1, SILENT), 0);
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, NO_DS), 0);
    assert_int_equal(ask(&scene, 1, SHOWS), 0); /* each has agreed, but never in one round */
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, SHOWS), 0);
    assert_int_equal(ask(&scene, 1, SHOWS), 1);
    assert_int_equal(scene.facts[0].ttl, 3600);
    scene_clear(&scene);
}

static size_t show(struct scene *scene, uint32_t ttl)
{
    const struct remote *asked;
    struct said said;
    scene->now = ds_check_wake(scene->check);
    assert_true(ds_check_turn(scene->check, scene->now, &asked));
    say(&said, SHOWS, &scene->key, &scene->other);
    said.reply.ttl = ttl;
    size_t facts = ds_check_heard(scene->check, SG_OK, &said.reply, scene->now, scene->facts);
    unsay(&said);
    return facts;
}

/* It is lowered before the DS changes, and caches keep what they got before. */
static void a_ttl_that_has_grown_is_told(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    assert_int_equal(show(&scene, 3600), 1);
    assert_int_equal(show(&scene, 3600), 0);
    assert_int_equal(show(&scene, 172800), 1);
    assert_int_equal(scene.facts[0].ttl, 172800);
    assert_int_equal(scene.facts[0].what, DS_CHECK_PUBLISHED);
    assert_true(scene.facts[0].first == KEY_TIME_UNSET);
    assert_int_equal(show(&scene, 600), 0);
    assert_int_equal(show(&scene, 172800), 0);
    scene_clear(&scene);
}

static void retries_wait_longer_and_longer(void **state)
{
    struct scene scene;
    sg_duration wanted = RETRY_MIN;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    for (int round = 0; round < 12; round++) {
        assert_int_equal(ask(&scene, 0, round % 2 == 0 ? SILENT : NO_DS), round == 1);
        sg_duration wait = ds_check_wake(scene.check) - scene.now;
        assert_in_range(wait, wanted - wanted / 10, wanted + wanted / 10);
        const struct remote *asked;
        assert_false(ds_check_turn(scene.check, scene.now + wait - 1, &asked));
        scene.now += wait;
        wanted = 2 * wanted < RETRY_MAX ? 2 * wanted : RETRY_MAX;
    }
    /* The operator knows better. */
    assert_int_equal(ask(&scene, 0, NO_DS), 0);
    ds_check_demand(scene.check, scene.now);
    assert_int_equal(ask(&scene, 0, NO_DS), 0);
    assert_in_range(ds_check_wake(scene.check) - scene.now, RETRY_MIN - 6, RETRY_MIN + 6);
    scene_clear(&scene);
}

/* A clock that was a year ahead when the wait began must not hold a roll for a year. */
static void a_clock_that_was_set_back_stops_nothing(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    assert_int_equal(ask(&scene, 0, LAME), 0);
    const struct remote *asked;
    assert_true(ds_check_turn(scene.check, scene.now - 365 * SG_DAY, &asked));
    scene_clear(&scene);
}

/* Nothing is told that is known; and the parent is asked more and more rarely. */
static void what_is_as_it_should_be_is_looked_at_rarely(void **state)
{
    struct scene scene;
    sg_duration retry = RETRY_MIN;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_PUBLISHED);
    assert_int_equal(ask(&scene, 0, SHOWS), 1);
    for (int round = 0; round < 12; round++) {
        sg_duration wanted = retry > RETRY_MAX ? retry : RETRY_MAX;
        sg_duration wait = ds_check_wake(scene.check) - scene.now;
        assert_in_range(wait, wanted - wanted / 10, wanted + wanted / 10);
        scene.now += wait;
        assert_int_equal(ask(&scene, 0, round == 3 ? SILENT : SHOWS), 0);
        retry = 2 * retry < 4 * RETRY_MAX ? 2 * retry : 4 * RETRY_MAX;
    }
    assert_false(ds_check_warns(scene.check, scene.now + SG_WEEK));
    scene.now++;
    wish_for(&scene, DS_CHECK_PUBLISHED); /* wanted anew: older looks are not enough */
    assert_true(ds_check_is_waiting(scene.check));
    assert_int_equal(ask(&scene, 0, SHOWS), 1);
    assert_true(scene.facts[0].first == KEY_TIME_UNSET);
    scene_clear(&scene);
}

static void a_parent_that_turns_back_is_told(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 2, DS_CHECK_PUBLISHED);
    assert_int_equal(ask(&scene, 0, SHOWS) + ask(&scene, 1, SHOWS), 1);
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, NO_DS) + ask(&scene, 1, NO_DS), 1);
    assert_int_equal(scene.facts[0].what, DS_CHECK_WITHDRAWN);
    assert_int_equal(scene.facts[0].first, scene.now);
    assert_true(ds_check_is_waiting(scene.check));
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, SHOWS) + ask(&scene, 1, SHOWS), 1);
    assert_int_equal(scene.facts[0].first, scene.now);
    sg_time seen = scene.now;
    scene.now = ds_check_wake(scene.check);
    /* One of them went out and in again: between the looks it may have been gone. */
    assert_int_equal(ask(&scene, 0, SHOWS) + ask(&scene, 1, NO_DS), 0);
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, SHOWS) + ask(&scene, 1, SHOWS), 1);
    assert_true(scene.facts[0].first == scene.now && scene.now > seen);
    scene_clear(&scene);
}

static void the_first_look_that_shows_it_is_told(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 1, DS_CHECK_WITHDRAWN);
    assert_int_equal(ask(&scene, 0, SHOWS), 1);
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, SILENT), 0);
    scene.now = ds_check_wake(scene.check);
    assert_int_equal(ask(&scene, 0, NO_DS), 1);
    assert_int_equal(scene.facts[0].first, scene.now);
    sg_time gone = scene.now;
    scene.now += 5;
    wish_for(&scene, DS_CHECK_WITHDRAWN);
    assert_int_equal(ask(&scene, 0, NO_DS), 1);
    assert_int_equal(scene.facts[0].first, gone);
    assert_int_equal(scene.facts[0].at, scene.now);
    scene_clear(&scene);
}

static void new_agents_begin_anew(void **state)
{
    struct scene scene;
    const struct remote *asked;
    (void)state;
    scene_init(&scene, 2, DS_CHECK_PUBLISHED);
    assert_int_equal(ask(&scene, 0, SHOWS), 0);
    assert_true(ds_check_set_agents(scene.check, agents, 2, scene.now)); /* the same */
    assert_true(ds_check_turn(scene.check, scene.now, &asked));
    assert_false(ds_check_set_agents(scene.check, agents, 3, scene.now));
    assert_int_equal(hear(&scene, SHOWS), 0); /* late: for nobody */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask(&scene, i, SHOWS), i == 2);
    }
    scene_clear(&scene);
}

static unsigned lines;
static char last_line[512];

static void count_line(void *argument, const char *text)
{
    (void)argument;
    lines++;
    (void)snprintf(last_line, sizeof(last_line), "%s", text);
}

static void nobody_agrees_where_nobody_is_asked(void **state)
{
    struct scene scene;
    const struct remote *asked;
    struct remote *many = mem_alloc_zero(DS_CHECK_AGENTS_MAX + 1, sizeof(*many));
    (void)state;
    scene_init(&scene, 0, DS_CHECK_WITHDRAWN);
    assert_false(ds_check_turn(scene.check, scene.now, &asked));
    assert_true(ds_check_wake(scene.check) == INT64_MAX);
    lines = 0;
    ds_check_describe(scene.check, count_line, NULL);
    assert_int_equal(lines, 2);
    assert_non_null(strstr(last_line, "nobody is asked"));
    assert_true(ds_check_set_agents(scene.check, many, DS_CHECK_AGENTS_MAX + 1, scene.now));
    assert_false(ds_check_turn(scene.check, scene.now, &asked));
    ds_check_describe(scene.check, count_line, NULL);
    assert_non_null(strstr(last_line, "128"));
    assert_false(ds_check_set_agents(scene.check, many, DS_CHECK_AGENTS_MAX, scene.now));
    assert_true(ds_check_turn(scene.check, scene.now, &asked));
    mem_free(many);
    scene_clear(&scene);
}

static void a_stalled_check_is_told_once_a_day(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, 2, DS_CHECK_PUBLISHED);
    assert_false(ds_check_warns(scene.check, T0 + SG_DAY - 1));
    assert_true(ds_check_warns(scene.check, T0 + SG_DAY));
    assert_false(ds_check_warns(scene.check, T0 + SG_DAY + 1));
    assert_true(ds_check_warns(scene.check, T0 + 2 * SG_DAY));
    assert_int_equal(ask(&scene, 0, SERVFAIL), 0);
    lines = 0;
    ds_check_describe(scene.check, count_line, NULL);
    assert_int_equal(lines, 3);
    assert_string_equal(last_line, "parental agent 192.0.2.2#53 has not been asked yet");
    assert_int_equal(ask(&scene, 1, SILENT), 0);
    ds_check_describe(scene.check, count_line, NULL);
    assert_non_null(strstr(last_line, "192.0.2.2#53 does not answer (no answer in time: is it up"));
    scene.now = ds_check_due_at(scene.check);
    assert_int_equal(ask(&scene, 0, SERVFAIL), 0);
    assert_int_equal(ask(&scene, 1, HANGS_UP), 0);
    ds_check_describe(scene.check, count_line, NULL);
    assert_non_null(strstr(last_line, "does not answer (it cannot be reached, or it closed the"));
    ds_check_set_wishes(scene.check, NULL, 0, scene.now);
    assert_false(ds_check_warns(scene.check, T0 + 9 * SG_DAY));
    scene_clear(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_all_agents_prove_becomes_a_fact),
        cmocka_unit_test(an_agent_has_one_voice),
        cmocka_unit_test(a_ttl_that_has_grown_is_told),
        cmocka_unit_test(retries_wait_longer_and_longer),
        cmocka_unit_test(a_clock_that_was_set_back_stops_nothing),
        cmocka_unit_test(what_is_as_it_should_be_is_looked_at_rarely),
        cmocka_unit_test(a_parent_that_turns_back_is_told),
        cmocka_unit_test(the_first_look_that_shows_it_is_told),
        cmocka_unit_test(new_agents_begin_anew),
        cmocka_unit_test(nobody_agrees_where_nobody_is_asked),
        cmocka_unit_test(a_stalled_check_is_told_once_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
