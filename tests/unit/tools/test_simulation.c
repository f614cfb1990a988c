#include <stdio.h>

#include "base/mem.h"
#include "kasp/parent.h"
#include "kasp/timelines.h"
#include "support/table.h"
#include "tools/simulation.h"

enum { LOG_BYTES = 4096, LINE_BYTES = 512 };

static void run(struct simulation *simulation, const struct simulation_request *request,
                struct key_list *list)
{
    struct key_list none = {NULL, 0};
    simulation_run(request, list == NULL ? &none : list, simulation);
}

static struct simulation_request request_of(const struct kasp_policy *policy, sg_time from,
                                            sg_duration length)
{
    return (struct simulation_request){
        .policy = policy, .apex = &dns_name_root, .from = from, .until = from + length};
}

/* ---- the worked timelines ---- */

/* What the keys are at the end, as the files of another day would have it. */
static struct key_list keys_left(const struct simulation *simulation)
{
    struct key_list list = {mem_alloc_zero(simulation->keys_count + 1, sizeof(*list.keys)), 0};
    for (size_t i = 0; i < simulation->keys_count; i++) {
        list.keys[list.count++] = signing_key_copy(simulation->keys[i].key);
    }
    return list;
}

static void begin_states(const struct simulation_key *key, char text[KEY_RECORDS + 1])
{
    const struct key_state *state = &key->key->state;
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value value = key->before.records[record];
        value = key->invented ? KEY_STATE_HIDDEN : value;
        text[record] = state->records[record] == KEY_STATE_NA ? '-' : "HROU-"[value];
    }
    text[KEY_RECORDS] = 0;
}

/* One line for all that moved at the instant of the event. Returns the first event behind. */
static size_t write_line(const struct simulation *simulation, size_t first,
                         char states[][KEY_RECORDS + 1], char *log)
{
    bool moved[16] = {false};
    bool some = false;
    char line[LINE_BYTES];
    sg_time at = simulation->events[first].at;
    size_t next = first;
    for (; next < simulation->events_count && simulation->events[next].at == at; next++) {
        const struct simulation_event *event = &simulation->events[next];
        if (event->act == SIMULATION_MOVED) {
            assert_true(event->key < ARRAY_LEN(moved));
            states[event->key][event->record] = "HROU-"[event->to];
            moved[event->key] = some = true;
        }
    }
    int length = snprintf(line, sizeof(line), "%lld", (long long)(at - simulation->request.from));
    for (size_t i = 0; i < simulation->keys_count; i++) {
        if (moved[i]) {
            length +=
                snprintf(&line[length], sizeof(line) - (size_t)length, " %zu:%s", i, states[i]);
        }
    }
    if (some) {
        assert_true(strlen(log) + (size_t)length + 2 < LOG_BYTES);
        strcat(strcat(log, line), "\n");
    }
    return next;
}

static void write_log(const struct simulation *simulation, char *log)
{
    char states[16][KEY_RECORDS + 1];
    assert_true(simulation->keys_count <= ARRAY_LEN(states));
    for (size_t i = 0; i < simulation->keys_count; i++) {
        begin_states(&simulation->keys[i], states[i]);
    }
    for (size_t i = 0; i < simulation->events_count;) {
        i = write_line(simulation, i, states, log);
    }
}

/* The keys of a zone that has been signed for a while, and what is done to them at `from`. */
static struct key_list settled_keys(const struct timeline *t, struct kasp_policy *policy,
                                    sg_time from)
{
    struct simulation simulation;
    struct simulation_request request = request_of(policy, T0, from - T0);
    run(&simulation, &request, NULL);
    struct key_list list = keys_left(&simulation);
    simulation_clear(&simulation);
    if (t->deed == DEED_ROLL_0 || t->deed == DEED_ROLL_1) {
        struct signing_key *key = list.keys[t->deed == DEED_ROLL_0 ? 0 : 1];
        assert_int_equal(kasp_roll_key(policy, key, from), SG_OK);
    } else if (t->after != NULL) {
        set_keys(policy, t->after, t->lifetime);
    }
    return list;
}

static void timelines_are_those_of_the_engine(void **state)
{
    const struct timeline *t = *state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    struct key_list list = {NULL, 0};
    char log[LOG_BYTES] = "";
    sg_time from = T0 + deed_at(t);
    set_keys(policy, t->before, t->lifetime);
    if (t->deed != DEED_NOTHING) {
        list = settled_keys(t, policy, from);
    }
    struct simulation_request request = request_of(policy, from, 40 * SG_DAY);
    run(&simulation, &request, &list);
    assert_int_equal(simulation.end, SIMULATION_ENDED);
    write_log(&simulation, log);
    assert_string_equal(log, t->expected);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

/* ---- the rest of the world ---- */

static size_t count_acts(const struct simulation *simulation, enum simulation_act act)
{
    size_t count = 0;
    for (size_t i = 0; i < simulation->events_count; i++) {
        count += simulation->events[i].act == act;
    }
    return count;
}

static const struct simulation_event *first_act(const struct simulation *simulation,
                                                enum simulation_act act)
{
    for (size_t i = 0; i < simulation->events_count; i++) {
        if (simulation->events[i].act == act) {
            return &simulation->events[i];
        }
    }
    fail_msg("no such event");
    return NULL;
}

static void the_parent_takes_its_time(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    struct simulation_request request = request_of(policy, T0, 20 * SG_DAY);
    request.parent_delay = 3 * SG_DAY;
    run(&simulation, &request, NULL);
    assert_int_equal(first_act(&simulation, SIMULATION_DS_SEEN)->at, T0 + 86700 + 3 * SG_DAY);
    assert_int_equal(simulation.keys[0].key->times[KEY_DS_PUBLISH], T0 + 86700 + 3 * SG_DAY);
    assert_int_equal(simulation.keys[0].key->state.changes[KEY_RECORD_DS],
                     T0 + 86700 + 3 * SG_DAY + 90000);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static void a_parent_that_never_acts_stalls_the_roll(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    policy->keys[0].lifetime = 30 * 86400;
    struct simulation_request request = request_of(policy, T0, 400 * SG_DAY);
    request.parent_delay = SIMULATION_NEVER;
    run(&simulation, &request, NULL);
    assert_int_equal(simulation.keys_count, 1);
    assert_int_equal(count_acts(&simulation, SIMULATION_DS_SEEN), 0);
    assert_int_equal(simulation.keys[0].wait.reason, KASP_WAIT_PARENT);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static void a_slow_parent_makes_rolls_late(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    policy->keys[0].lifetime = 30 * 86400;
    struct simulation_request request = request_of(policy, T0, 400 * SG_DAY);
    request.parent_delay = 40 * SG_DAY;
    run(&simulation, &request, NULL);
    /* The first DS is there after 40 days and its settling; then the successor is due at once. */
    assert_int_equal(simulation.keys[0].late, 86700 + 40 * SG_DAY + 90000 + 7500 - 30 * SG_DAY);
    assert_true(simulation.rolling * 2 > 400 * SG_DAY);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static void by_hand_only_the_first_keys_begin_without_a_step(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    policy->manual_mode = true;
    struct simulation_request request = request_of(policy, T0, 20 * SG_DAY);
    request.step_delay = SIMULATION_NEVER;
    run(&simulation, &request, NULL);
    assert_int_equal(first_act(&simulation, SIMULATION_MADE)->at, T0);
    assert_int_equal(count_acts(&simulation, SIMULATION_DS_SEEN), 0);
    assert_true(simulation.manual);
    simulation_clear(&simulation);

    request.step_delay = SG_HOUR;
    run(&simulation, &request, NULL);
    assert_int_equal(first_act(&simulation, SIMULATION_MADE)->at, T0);
    /* The DS is asked for by a step. */
    assert_int_equal(count_acts(&simulation, SIMULATION_STEPPED), 1);
    assert_int_equal(first_act(&simulation, SIMULATION_DS_SEEN)->at, T0 + SG_HOUR + 86700);
    assert_false(simulation.manual);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static void a_key_that_is_lost_is_not_replaced(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    struct simulation_request request = request_of(policy, T0, 20 * SG_DAY);
    request.files_missing = true;
    run(&simulation, &request, NULL);
    assert_int_equal(simulation.events_count, 0);
    assert_int_equal(simulation.keys_count, 0);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static void an_insecure_zone_asks_for_no_ds(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct kasp_policy *insecure = kasp_policy_insecure();
    struct simulation simulation;
    struct simulation_request request = request_of(policy, T0, 20 * SG_DAY);
    run(&simulation, &request, NULL);
    struct key_list list = keys_left(&simulation);
    simulation_clear(&simulation);

    request = request_of(insecure, T0 + 20 * SG_DAY, 20 * SG_DAY);
    run(&simulation, &request, &list);
    sg_time begun = first_act(&simulation, SIMULATION_DELETE_BEGUN)->at;
    assert_int_equal(begun, T0 + 20 * SG_DAY);
    assert_true(first_act(&simulation, SIMULATION_DELETE_ENDED)->at > begun);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
    kasp_policy_free(insecure);
}

/* Seconds where there are days: years of them are more than anybody reads. */
static void make_quick(struct kasp_policy *policy)
{
    policy->dnskey_ttl = policy->max_zone_ttl = 1;
    policy->parent_ds_ttl = policy->parent_propagation_delay = 1;
    policy->publish_safety = policy->retire_safety = policy->zone_propagation_delay = 1;
    policy->signatures_validity = 20;
    policy->signatures_refresh = 15;
    policy->keys[0].lifetime = 60;
    policy->purge_keys = 60;
}

static void it_is_bounded(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation simulation;
    struct simulation_request request = request_of(policy, T0, 100 * 365 * SG_DAY);
    make_quick(policy);
    run(&simulation, &request, NULL);
    assert_int_equal(simulation.end, SIMULATION_EVENTS_FULL);
    assert_true(simulation.events_count < SIMULATION_EVENTS_MAX + 100);
    assert_true(simulation.ended_at < request.until);
    simulation_clear(&simulation);

    policy->purge_keys = 0;
    run(&simulation, &request, NULL);
    assert_int_equal(simulation.end, SIMULATION_EVENTS_FULL); /* Keys that are gone fill nothing. */
    assert_true(simulation.keys_count > 2 * KASP_PLAN_KEYS_MAX);
    simulation_clear(&simulation);

    policy->purge_keys = 1000;
    policy->keys[0].tag_max = 3;
    run(&simulation, &request, NULL);
    assert_int_equal(simulation.end, SIMULATION_NO_TAG);
    simulation_clear(&simulation);
    kasp_policy_free(policy);
}

static void it_comes_out_the_same_again(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct simulation one, other;
    policy->keys[0].lifetime = 40 * 86400;
    struct simulation_request request = request_of(policy, T0, 1000 * SG_DAY);
    run(&one, &request, NULL);
    run(&other, &request, NULL);
    assert_int_equal(one.keys_count, other.keys_count);
    assert_true(one.keys_count > 20);
    for (size_t i = 0; i < one.keys_count; i++) {
        assert_int_equal(one.keys[i].key->tag, other.keys[i].key->tag);
    }
    simulation_clear(&one);
    simulation_clear(&other);
    kasp_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parent_takes_its_time),
        cmocka_unit_test(a_parent_that_never_acts_stalls_the_roll),
        cmocka_unit_test(a_slow_parent_makes_rolls_late),
        cmocka_unit_test(by_hand_only_the_first_keys_begin_without_a_step),
        cmocka_unit_test(a_key_that_is_lost_is_not_replaced),
        cmocka_unit_test(an_insecure_zone_asks_for_no_ds),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(it_comes_out_the_same_again),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(timelines, timelines_are_those_of_the_engine);
}
