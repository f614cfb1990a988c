#include "keeper/ds_watch_scene.h"

static void all_agents_show_it(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    turn(&scene);
    assert_true(scene.wake == INT64_MAX && !scene.out); /* nothing is wished */
    want(&scene, DS_CHECK_PUBLISHED);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &scene.agents[0]);
    scene.now += 2;
    show_ds(&scene);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &scene.agents[1]);
    scene.now += 3;
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    assert_int_equal(scene.fact.what, DS_CHECK_PUBLISHED);
    assert_int_equal(scene.fact.tag, scene.key.tag);
    assert_int_equal(scene.fact.at, T0 + 5);
    assert_int_equal(scene.fact.ttl, 7200);
    assert_false(scene.out);
    turn(&scene);
    assert_true(scene.wake == INT64_MAX);
    end(&scene);
}

static void one_agent_is_behind(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    want(&scene, DS_CHECK_WITHDRAWN);
    show_no_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 0);
    assert_in_range(scene.wake, T0 + RETRY_MIN - 6, T0 + RETRY_MIN + 6);
    scene.now = scene.wake;
    turn(&scene);
    show_no_ds(&scene);
    show_no_ds(&scene);
    assert_int_equal(scene.facts, 1);
    assert_int_equal(scene.fact.what, DS_CHECK_WITHDRAWN);
    end(&scene);
}

static void an_unsigned_answer_where_a_key_was_used_counts_nothing(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.settings.agents_count = 1;
    ds_watch_configure(scene.watch, &scene.of, &scene.settings);
    want(&scene, DS_CHECK_WITHDRAWN);
    scene.message[2] |= 0x80, scene.message[3] |= 0x80;
    hear(&scene, SG_OK, scene.question.message, false);
    assert_int_equal(scene.facts, 0);
    end(&scene);
}

static void nobody_can_be_asked(void **state)
{
    struct scene scene;
    (void)state;
    for (int mode = DS_WATCH_NO; mode <= DS_WATCH_YES; mode++) {
        begin(&scene, (enum ds_watch_mode)mode);
        scene.deaf = true;
        want(&scene, DS_CHECK_WITHDRAWN);
        assert_false(scene.out);
        assert_int_equal(scene.facts, 0);
        assert_true(mode == DS_WATCH_NO ? scene.wake == INT64_MAX
                                        : scene.wake > T0 && scene.wake <= T0 + RETRY_MAX);
        end(&scene);
    }
}

static const uint8_t server_name[] = "\2ns\7example";

static void find_the_parent(struct scene *scene)
{
    static const uint8_t address[] = {198, 51, 100, 1};
    expect_question(scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_NS, &scene->resolver);
    answer(scene, DNS_TYPE_NS, (struct span){server_name, sizeof(server_name)}, 1);
    expect_question(scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_A, &scene->resolver);
    answer(scene, DNS_TYPE_A, (struct span){address, sizeof(address)}, 1);
    expect_question(scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_AAAA, &scene->resolver);
    answer(scene, DNS_TYPE_AAAA, (struct span){(const uint8_t *)"0123456789abcdef", 16}, 1);
}

static bool has_no_ipv6;

static bool fake_reaches_ipv6(void *argument)
{
    (void)argument;
    return !has_no_ipv6;
}

static void says_ipv4_alone(void *argument, const char *text)
{
    bool *said = argument;
    *said |= strstr(text, "IPv4 addresses alone") != NULL;
}

static void ipv6_that_comes_and_goes_is_seen_at_the_next_check(void **state)
{
    static const uint8_t address[] = {198, 51, 100, 1};
    struct remote ipv4 = {.address = {198, 51, 100, 1}, .address_length = 4, .port = 53};
    struct scene scene;
    bool said = false;
    (void)state;
    begin(&scene, DS_WATCH_YES);
    scene.asker.reaches_ipv6 = fake_reaches_ipv6;
    has_no_ipv6 = true;
    want(&scene, DS_CHECK_PUBLISHED);
    expect_question(&scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_NS, &scene.resolver);
    answer(&scene, DNS_TYPE_NS, (struct span){server_name, sizeof(server_name)}, 1);
    answer(&scene, DNS_TYPE_A, (struct span){address, sizeof(address)}, 1);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &ipv4);
    hear(&scene, SG_TIMEOUT, (struct span){NULL, 0}, false);
    turn(&scene);
    ds_watch_describe(scene.watch, says_ipv4_alone, &said);
    assert_true(said);
    has_no_ipv6 = false;
    scene.now = scene.wake;
    turn(&scene);
    find_the_parent(&scene); /* before its TTL has passed */
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    end(&scene);
}

static void the_parents_servers_are_found_and_asked(void **state)
{
    struct scene scene;
    struct remote first = {.address = {198, 51, 100, 1}, .address_length = 4, .port = 53};
    struct remote second = {.address = "0123456789abcdef", .address_length = 16, .port = 53};
    (void)state;
    begin(&scene, DS_WATCH_YES);
    want(&scene, DS_CHECK_PUBLISHED);
    find_the_parent(&scene);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &first);
    show_ds(&scene);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &second);
    show_no_ds(&scene);
    assert_int_equal(scene.facts, 0);
    turn(&scene);
    scene.now = scene.wake;
    turn(&scene); /* what was found holds for its TTL: no new lookup */
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &first);
    show_ds(&scene);
    show_no_ds(&scene);
    scene.now += 7201;
    turn(&scene);
    find_the_parent(&scene);
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    end(&scene);
}

/* A server that lost the parent and resolves instead tells what it heard once. */
static void a_cache_is_believed_where_it_was_configured_alone(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_YES);
    want(&scene, DS_CHECK_PUBLISHED);
    find_the_parent(&scene);
    show_ds(&scene);
    scene.from_cache = true;
    show_ds(&scene);
    assert_int_equal(scene.facts, 0);
    assert_true(ds_watch_is_waiting(scene.watch));
    end(&scene);
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.from_cache = true;
    want(&scene, DS_CHECK_PUBLISHED);
    turn(&scene);
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    end(&scene);
}

static unsigned problems;

static void count_problem(void *argument, const char *text)
{
    (void)argument;
    problems += strstr(text, "the parent's name servers: no resolver has an answer") != NULL;
}

static void a_lookup_that_fails_is_tried_again(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_YES);
    want(&scene, DS_CHECK_PUBLISHED);
    hear(&scene, SG_TIMEOUT, (struct span){NULL, 0}, false);
    assert_false(scene.out);
    problems = 0;
    ds_watch_describe(scene.watch, count_problem, NULL);
    assert_int_equal(problems, 1);
    turn(&scene);
    assert_int_equal(scene.wake, T0 + RETRY_MIN);
    scene.now = scene.wake;
    turn(&scene);
    find_the_parent(&scene);
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    problems = 0;
    ds_watch_describe(scene.watch, count_problem, NULL);
    assert_int_equal(problems, 0);
    end(&scene);
}

static void a_new_configuration_takes_the_question_back(void **state)
{
    struct scene scene;
    (void)state;
    for (int mode = DS_WATCH_EXPLICIT; mode <= DS_WATCH_YES; mode++) {
        begin(&scene, (enum ds_watch_mode)mode);
        want(&scene, DS_CHECK_PUBLISHED);
        assert_true(scene.out);
        ds_watch_configure(scene.watch, &scene.of, &scene.settings);
        assert_int_equal(scene.cancelled, 1);
        assert_false(scene.out);
        turn(&scene);
        assert_true(scene.out); /* the first one again, at once */
        end(&scene);
        assert_int_equal(scene.cancelled, 2);
    }
}

/* Ten thousand zones must not run to their parents with every reload. */
static void a_new_configuration_that_says_the_same_asks_nobody_who_has_answered(void **state)
{
    struct scene scene;
    (void)state;
    for (int mode = DS_WATCH_EXPLICIT; mode <= DS_WATCH_YES; mode++) {
        begin(&scene, (enum ds_watch_mode)mode);
        scene.keeps = true;
        want(&scene, DS_CHECK_PUBLISHED);
        if (mode == DS_WATCH_YES) {
            find_the_parent(&scene);
        }
        show_ds(&scene);
        show_ds(&scene);
        assert_int_equal(scene.facts, 1);
        const unsigned asked = scene.asked;
        ds_watch_configure(scene.watch, &scene.of, &scene.settings);
        turn(&scene);
        assert_int_equal(scene.asked, asked);
        assert_true(scene.wake > scene.now && scene.wake < INT64_MAX);
        scene.now = scene.wake;
        turn(&scene);
        assert_true(scene.out);
        end(&scene);
    }
}

static bool fake_is_bogus(void *argument, const void *access, const struct remote *remote)
{
    (void)argument, (void)access, (void)remote;
    return true;
}

static void an_agent_that_is_bogus_is_told_as_such(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.asker.is_bogus = fake_is_bogus;
    scene.deaf = true;
    want(&scene, DS_CHECK_PUBLISHED);
    reasons = 0;
    ds_watch_describe(scene.watch, count_reason,
                      (void *)(uintptr_t) "a `server` statement says that it is bogus");
    assert_int_equal(reasons, 2);
    end(&scene);
}

static void a_demand_does_not_wait(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.keeps = true;
    want(&scene, DS_CHECK_PUBLISHED);
    show_no_ds(&scene);
    show_no_ds(&scene);
    turn(&scene);
    assert_false(scene.out);
    ds_watch_demand(scene.watch);
    turn(&scene);
    assert_true(scene.out);
    show_ds(&scene);
    show_ds(&scene);
    assert_false(ds_watch_is_waiting(scene.watch));
    assert_true(ds_watch_warn_at(scene.watch) == INT64_MAX);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_agents_show_it),
        cmocka_unit_test(one_agent_is_behind),
        cmocka_unit_test(an_unsigned_answer_where_a_key_was_used_counts_nothing),
        cmocka_unit_test(nobody_can_be_asked),
        cmocka_unit_test(the_parents_servers_are_found_and_asked),
        cmocka_unit_test(ipv6_that_comes_and_goes_is_seen_at_the_next_check),
        cmocka_unit_test(a_cache_is_believed_where_it_was_configured_alone),
        cmocka_unit_test(a_lookup_that_fails_is_tried_again),
        cmocka_unit_test(a_new_configuration_takes_the_question_back),
        cmocka_unit_test(a_new_configuration_that_says_the_same_asks_nobody_who_has_answered),
        cmocka_unit_test(an_agent_that_is_bogus_is_told_as_such),
        cmocka_unit_test(a_demand_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
