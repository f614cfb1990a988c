#include "keeper/keeper_scene.h"
#include "keeper/zone_parent.h"
#include "support/heard_log.h"

enum { RETRY_MIN = 60, RETRY_MAX = 3600 };

static struct remote agents[2];
static struct ds_watch_settings settings;
static struct signing_key key;

/* The zone's only key, as it is served. */
static void take_key(struct keeper_scene *scene)
{
    static uint8_t dnskey[68];
    struct dns_rrset rrset;
    const struct zone_version *version = scene_zone(scene)->slot->version;
    assert_true(zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY,
                                &rrset));
    struct span rdata = dns_rrset_first(&rrset);
    assert_int_equal(rdata.length, sizeof(dnskey));
    memcpy(dnskey, rdata.bytes, sizeof(dnskey));
    signing_key_init(&key);
    assert_int_equal(dns_name_from_text("example.test.", 13, NULL, &key.zone), SG_OK);
    key.algorithm = DNSSEC_ECDSAP256SHA256;
    key.flags = 257;
    key.dnskey = (struct span){dnskey, sizeof(dnskey)};
    key.tag = dnskey_tag(key.dnskey);
}

/* A signed zone whose parent has two agents. */
static struct keeper_scene *begin(void **state)
{
    struct keeper_scene *scene = *state;
    for (size_t i = 0; i < 2; i++) {
        agents[i] = (struct remote){
            .address = {192, 0, 2, (uint8_t)(i + 1)}, .address_length = 4, .port = 53};
        scene->plan[i].policy = scene->policy;
        scene->plan[i].inline_signing = true;
        scene->plan[i].parent = &settings;
    }
    settings = (struct ds_watch_settings){
        .mode = DS_WATCH_EXPLICIT,
        .agents = agents,
        .agents_count = 2,
        .bounds = {RETRY_MIN, RETRY_MAX, SG_DAY, SG_DAY},
    };
    scene_write_file(scene, 1, false);
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    take_key(scene);
    return scene;
}

/* The signatures are everywhere: the DS is wanted. */
static void let_it_want(struct keeper_scene *scene)
{
    scene_pass(scene, SG_DAY);
    assert_int_equal(scene->questions_count, 0);
    scene_pass(scene, 5 * SG_MINUTE);
}

static struct scene_question *expect_asked(struct keeper_scene *scene, size_t agent)
{
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_DS);
    assert_non_null(question);
    assert_true(remote_equal(&question->remote, &agents[agent]));
    return question;
}

static void show(struct keeper_scene *scene, size_t agent, bool has_ds)
{
    struct buffer rdata = BUFFER_EMPTY, message = BUFFER_EMPTY;
    struct scene_question *question = expect_asked(scene, agent);
    scene_reply(question, 1, &message);
    /* A DS of another key, where ours is not there: the parent's word all the same. */
    assert_int_equal(signing_key_ds(&key, 2, &rdata), SG_OK);
    rdata.bytes[0] ^= has_ds ? 0 : 1;
    scene_append_record(&message, DNS_TYPE_DS, buffer_span(&rdata));
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
    buffer_free(&rdata);
    scene_turn(scene);
}

static void be_silent(struct keeper_scene *scene, size_t agent)
{
    scene_hear(expect_asked(scene, agent), SG_TIMEOUT, (struct span){NULL, 0});
    scene_turn(scene);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void what_all_agents_show_is_told_once(void **state)
{
    struct keeper_scene *scene = begin(state);
    heard_log_begin();
    let_it_want(scene);
    show(scene, 0, true);
    assert_int_equal(heard_log_count("seen published"), 0);
    show(scene, 1, true);
    assert_true(heard_log_has("dnssec notice: zone example.test/IN/inside: keymgr: checkds DS for "
                              "key example.test/ECDSAP256SHA256/"));
    assert_int_equal(heard_log_count("seen published at"), 1);
    assert_false(zone_parent_is_waiting(scene_zone(scene)));
    size_t asked = scene->questions_count;
    scene_pass(scene, RETRY_MAX - RETRY_MAX / 10 - 1);
    assert_int_equal(scene->questions_count, asked);
    scene_pass(scene, RETRY_MAX / 5 + 1); /* Is it still so? */
    show(scene, 0, true);
    show(scene, 1, true);
    assert_int_equal(heard_log_count("seen published at"), 1);
    heard_log_end();
}

static void a_parent_that_turns_back_is_told(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    show(scene, 0, true);
    show(scene, 1, true);
    heard_log_begin();
    scene_pass(scene, 2 * RETRY_MAX);
    show(scene, 0, false);
    show(scene, 1, false);
    assert_true(heard_log_has("dnssec warning: zone example.test/IN/inside: the parent has turned "
                              "back: the DS of key example.test/ECDSAP256SHA256/"));
    assert_true(zone_parent_is_waiting(scene_zone(scene)));
    heard_log_end();
}

/* What is waited for, since when, and what each agent said: once a day, however often it is asked.
 */
static void a_stalled_parent_is_told_once_a_day(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    show(scene, 0, true);
    be_silent(scene, 1);
    heard_log_begin();
    scene_pass(scene, SG_DAY - 1);
    assert_int_equal(heard_log_count("waited for since"), 0);
    scene_pass(scene, 1);
    assert_int_equal(heard_log_count("dnssec warning: zone example.test/IN/inside: the DS of key"),
                     1);
    assert_int_equal(heard_log_count("is to be published by the parent, waited for since"), 1);
    assert_int_equal(heard_log_count("parental agent 192.0.2.1#53 has DS records, as it should be"),
                     1);
    assert_int_equal(
        heard_log_count("parental agent 192.0.2.2#53 does not answer (no answer in time"), 1);
    scene_pass(scene, SG_DAY - 1);
    assert_int_equal(heard_log_count("waited for since"), 1);
    scene_pass(scene, 1);
    assert_int_equal(heard_log_count("waited for since"), 2);
    heard_log_end();
}

static void where_nobody_is_to_be_asked_the_wait_is_told_too(void **state)
{
    struct keeper_scene *scene = begin(state);
    settings.mode = DS_WATCH_NO;
    scene_configure(scene);
    heard_log_begin();
    let_it_want(scene);
    scene_pass(scene, SG_DAY);
    assert_int_equal(scene->questions_count, 0);
    assert_int_equal(heard_log_count("is to be published by the parent"), 1);
    assert_int_equal(heard_log_count("say with `dnssec -checkds`"), 1);
    heard_log_end();
}

static void nothing_is_asked_when_nothing_is_wanted_any_more(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    be_silent(scene, 0);
    zone_parent_want(scene->keeper, scene_zone(scene), NULL, 0);
    be_silent(scene, 1);
    size_t asked = scene->questions_count;
    scene_pass(scene, 2 * RETRY_MIN); /* before the keys are looked at once more */
    assert_int_equal(scene->questions_count, asked);
}

/* The old configuration is freed with its agents: nobody may be asked by it any more. */
static void a_new_configuration_has_its_own_agents(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    struct scene_question *first = expect_asked(scene, 0);
    struct remote other = agents[0];
    other.address[3] = 99;
    struct ds_watch_settings next = settings;
    next.agents = &other;
    next.agents_count = 1;
    scene->plan[0].parent = &next;
    scene_configure_only(scene);
    assert_false(first->out);
    agents[0].address[3] = 99;
    agents[0].port = 53;
    memset(&settings, 0xff, sizeof(settings));
    scene_turn(scene); /* by the zone's timer alone */
    show(scene, 0, true);
    assert_false(zone_parent_is_waiting(scene_zone(scene)));
}

static void a_zone_without_policy_has_no_parent(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    struct scene_question *question = expect_asked(scene, 0);
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_false(question->out);
    assert_null(scene_zone(scene)->parent);
    const struct ds_check_wish wish = {&key, DS_CHECK_PUBLISHED, scene->now, false, false};
    zone_parent_want(scene->keeper, scene_zone(scene), &wish, 1);
    assert_null(scene_zone(scene)->parent);
}

static void who_takes_the_policy_from_a_zone_with_a_ds_hears_of_it(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    heard_log_begin();
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(heard_log_count("dnssec error: zone example.test/IN/inside: its dnssec-policy "
                                     "was taken away while the parent has, or may have, a DS"),
                     1);
    heard_log_end();
}

/* Nobody was asked for a DS yet, but who has read the key may have given one to the parent. */
static void who_takes_it_from_a_zone_whose_ds_is_unasked_hears_of_it_too(void **state)
{
    struct keeper_scene *scene = begin(state);
    heard_log_begin();
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(heard_log_count("dnssec warning: zone example.test/IN/inside: its "
                                     "dnssec-policy was taken away: if somebody has given a DS"),
                     1);
    assert_int_equal(heard_log_count("was taken away while the parent has"), 0);
    heard_log_end();
}

static void a_zone_that_goes_asks_nobody(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    struct scene_question *question = expect_asked(scene, 0);
    scene->zones = 0;
    scene_configure(scene);
    assert_false(question->out);
    scene_pass(scene, SG_WEEK);
    assert_int_equal(scene->questions_count, 1);
}

static void what_is_out_when_the_server_ends_is_taken_back(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    struct scene_question *question = expect_asked(scene, 0);
    keeper_stop(scene->keeper);
    assert_false(question->out);
    scene->now += SG_DAY;
    scene_turn_once(scene);
    assert_int_equal(scene->questions_count, 1);
}

/* Ten thousand zones that roll on the same day must not come down on one parent. */
static void zones_stand_in_line(void **state)
{
    struct keeper_scene *scene = *state;
    scene->zones = 2;
    (void)begin(state);
    scene->keeper->parents.per_second = 1;
    let_it_want(scene);
    assert_int_equal(scene->questions_count, 1);
    assert_true(keeper_turn(scene->keeper, scene->now) > scene->now);
    scene_pass(scene, 1);
    assert_int_equal(scene->questions_count, 2);
}

static void show_if_asked(struct keeper_scene *scene)
{
    for (size_t agent = 0; agent < 2; agent++) {
        if (scene_asked(scene, KEEPER_QUESTION_DS) != NULL) {
            show(scene, agent, true);
        }
    }
}

/* Seen at the parent, noted with the key, settled, and known after a restart. */
static void a_ds_that_was_seen_settles(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    show(scene, 0, true);
    show(scene, 1, true);
    scene_turn(scene);
    const struct zone_facts_of_keys *facts = &scene_zone(scene)->known.state.facts;
    assert_int_equal(facts->count, 1);
    assert_int_equal(facts->keys[0].ds, KASP_DS_SEEN);
    assert_int_equal(facts->keys[0].times[KEY_DS_PUBLISH], scene->now);
    assert_int_equal(facts->keys[0].state.records[KEY_RECORD_DS], KEY_STATE_RUMOURED);
    sg_time settles_at = scene->now + 90000; /* parent-ds-ttl, parent-propagation-delay */
    scene_restart(scene);
    assert_false(zone_parent_is_waiting(scene_zone(scene)));
    for (int i = 0; i < 60 && scene->now < settles_at; i++) {
        scene_pass(scene, 1800);
        show_if_asked(scene); /* Is it still so? */
    }
    facts = &scene_zone(scene)->known.state.facts;
    assert_int_equal(facts->keys[0].state.records[KEY_RECORD_DS], KEY_STATE_OMNIPRESENT);
    assert_int_equal(facts->keys[0].state.changes[KEY_RECORD_DS], settles_at);
}

/* What was seen by a false clock is looked at again when it is right. */
static void a_look_by_a_clock_in_doubt_is_taken_again(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    show(scene, 0, true);
    scene_set_clock(scene, -2 * SG_HOUR);
    show(scene, 1, true);
    const struct zone_facts_of_keys *facts = &scene_zone(scene)->known.state.facts;
    assert_int_equal(facts->keys[0].times[KEY_DS_PUBLISH], KEY_TIME_UNSET);
    (void)keeper_accept_clock(scene->keeper);
    scene_turn(scene);
    scene_pass(scene, 1);
    for (int i = 0; i < 50 && scene_asked(scene, KEEPER_QUESTION_DS) == NULL; i++) {
        scene_pass(scene, SG_HOUR);
    }
    show(scene, 0, true);
    show(scene, 1, true);
    scene_turn(scene);
    facts = &scene_zone(scene)->known.state.facts;
    assert_int_equal(facts->keys[0].times[KEY_DS_PUBLISH], scene->now);
}

static void a_look_that_is_demanded_does_not_wait(void **state)
{
    struct keeper_scene *scene = begin(state);
    let_it_want(scene);
    be_silent(scene, 0);
    be_silent(scene, 1);
    assert_null(scene_asked(scene, KEEPER_QUESTION_DS));
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_turn(scene);
    show(scene, 0, true);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(what_all_agents_show_is_told_once),
        SCENE_TEST(a_parent_that_turns_back_is_told),
        SCENE_TEST(a_stalled_parent_is_told_once_a_day),
        SCENE_TEST(where_nobody_is_to_be_asked_the_wait_is_told_too),
        SCENE_TEST(nothing_is_asked_when_nothing_is_wanted_any_more),
        SCENE_TEST(a_new_configuration_has_its_own_agents),
        SCENE_TEST(a_zone_without_policy_has_no_parent),
        SCENE_TEST(who_takes_the_policy_from_a_zone_with_a_ds_hears_of_it),
        SCENE_TEST(who_takes_it_from_a_zone_whose_ds_is_unasked_hears_of_it_too),
        SCENE_TEST(a_zone_that_goes_asks_nobody),
        SCENE_TEST(what_is_out_when_the_server_ends_is_taken_back),
        SCENE_TEST(zones_stand_in_line),
        SCENE_TEST(a_ds_that_was_seen_settles),
        SCENE_TEST(a_look_by_a_clock_in_doubt_is_taken_again),
        SCENE_TEST(a_look_that_is_demanded_does_not_wait),
    };
    return cmocka_run_group_tests_name("zone_parent", tests, NULL, NULL);
}
