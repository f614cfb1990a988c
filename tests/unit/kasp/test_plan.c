/*
 * The engine beside the worked timelines: plan after plan at the instants that the plans ask for.
 */
#include <stdio.h>

#include "kasp/key_world.h"
#include "kasp/timelines.h"

enum { LOG_BYTES = 4096 };

static void state_text(const struct signing_key *key, char text[KEY_RECORDS + 1])
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        text[record] = "HROU-"[key->state.records[record]];
    }
    text[KEY_RECORDS] = 0;
}

/* One line for an instant at which something changed. */
static void write_line(const struct world *world, sg_time offset, char last[][KEY_RECORDS + 1],
                       char *log)
{
    char line[512];
    int length = snprintf(line, sizeof(line), "%lld", (long long)offset);
    int empty = length;
    for (size_t i = 0; i < world->list.count; i++) {
        char now[KEY_RECORDS + 1];
        size_t number = world_key_of(world->live[i])->number;
        state_text(world->live[i], now);
        if (strcmp(now, last[number]) != 0) {
            length +=
                snprintf(&line[length], sizeof(line) - (size_t)length, " %zu:%s", number, now);
            memcpy(last[number], now, sizeof(now));
        }
    }
    if (length > empty && log != NULL) {
        assert_true(strlen(log) + (size_t)length + 2 < LOG_BYTES);
        strcat(strcat(log, line), "\n");
    }
}

/* Who has lost a key's .state, or never reads it, does not take one that left for one that is in.
 */
static void check_times(const struct world *world, sg_time now)
{
    for (size_t i = 0; i < world->list.count; i++) {
        struct signing_key by_times = *world->live[i];
        if (kasp_key_is_published(&by_times) || kasp_key_is_unused(&by_times)) {
            continue;
        }
        for (int record = 0; record < KEY_RECORDS; record++) {
            by_times.state.records[record] = KEY_STATE_NA;
        }
        by_times.state.goal = KEY_STATE_NA;
        assert_true(kasp_key_adopt(&by_times, world->policy, false, now));
        assert_false(kasp_key_is_published(&by_times));
        assert_false(kasp_key_signs_zone(&by_times));
        assert_int_equal(by_times.state.goal, KEY_STATE_HIDDEN);
    }
}

static sg_time turn_with_parent(struct world *world, sg_time now)
{
    sg_time wake;
    do {
        wake = world_turn(world, now);
    } while (world_parent_obeys(world, now));
    check_times(world, now);
    return wake;
}

static void run(struct world *world, sg_time from, sg_time until, char last[][KEY_RECORDS + 1],
                char *log)
{
    for (sg_time now = from; now < until;) {
        sg_time wake = turn_with_parent(world, now);
        assert_true(wake > now);
        write_line(world, now - from, last, log);
        now = wake;
    }
}

static void comes_out_to_the_second(void **state)
{
    const struct timeline *t = *state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    char last[16][KEY_RECORDS + 1] = {""};
    char log[LOG_BYTES] = "";
    sg_time from = T0 + deed_at(t);
    set_keys(policy, t->before, t->lifetime);
    world_begin(world, policy);
    run(world, T0, from, last, NULL);
    if (t->deed == DEED_ROLL_0 || t->deed == DEED_ROLL_1) {
        struct signing_key *key = &world->made[t->deed == DEED_ROLL_0 ? 0 : 1]->key;
        assert_int_equal(kasp_roll_key(policy, key, from), SG_OK);
    } else if (t->after != NULL) {
        set_keys(policy, t->after, t->lifetime);
    }
    run(world, from, from + 40 * SG_DAY, last, log);
    assert_string_equal(log, t->expected);
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

/* Another signer's key in the middle of a roll: its states, links and instants are gone on from. */
static void take_over(struct world *world, size_t number, const char *states, sg_time since,
                      sg_time parent_acted)
{
    struct signing_key *key = world_make_key(world, &world->policy->keys[0], T0);
    struct signing_key *other = &world->made[number == 0 ? 0 : number - 1]->key;
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] =
            (enum key_state_value)(strchr("HROU-", states[record]) - "HROU-");
        key->state.changes[record] = since;
    }
    key->times[KEY_PUBLISH] = key->times[KEY_ACTIVATE] = since;
    key->times[number == 0 ? KEY_DS_REMOVED : KEY_DS_PUBLISH] = parent_acted;
    key->state.goal = number == 0 ? KEY_STATE_HIDDEN : KEY_STATE_OMNIPRESENT;
    key->state.has_lifetime = true;
    if (number > 0) {
        key->state.has_predecessor = other->state.has_successor = true;
        key->state.predecessor = other->tag;
        other->state.successor = key->tag;
    }
}

static void a_roll_is_taken_over_where_it_is(void **state)
{
    (void)state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    char last[16][KEY_RECORDS + 1] = {"OUOU", "OROR"};
    char log[LOG_BYTES] = "";
    world_begin(world, policy);
    take_over(world, 0, "OUOU", T0 + 7500, T0 + 8000);
    take_over(world, 1, "OROR", T0 + 7500, T0 + 8000);
    /* Nobody has looked at the parent since: what was noted counts. */
    for (sg_time now = T0 + 50000; now < T0 + 20 * SG_DAY;) {
        sg_time wake = world_turn(world, now);
        write_line(world, now - T0, last, log);
        now = wake;
    }
    assert_int_equal(world->made_count, 2);
    assert_string_equal(log, "101600 0:OUUH 1:OROO\n105500 0:OUHH\n"
                             "875400 0:UHHH 1:OOOO\n879300 0:HHHH\n");
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

/* A look whose plan was never published leaves in one key's file what it noted. The next one must
 * not have the other leave for that: both would take turns for ever. */
static void who_leaves_first_is_not_told_by_what_was_noted_before(void **state)
{
    static const char *const noted[][2] = {{"OR--", "OR--"}, {"OO--", "OR--"}, {"OR--", "OO--"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(noted); i++) {
        struct world *world = mem_alloc(sizeof(*world));
        struct kasp_policy *policy = kasp_policy_default();
        world_begin(world, policy);
        (void)world_retire(world, T0, KASP_ROLE_KSK, "O-OO");
        const struct signing_key *older = world_retire(world, T0, KASP_ROLE_ZSK, noted[i][0]);
        const struct signing_key *newer = world_retire(world, T0, KASP_ROLE_ZSK, noted[i][1]);
        (void)world_turn(world, T0 + 100 * SG_DAY);
        assert_int_equal(older->state.records[KEY_RECORD_ZRRSIG], KEY_STATE_UNRETENTIVE);
        assert_int_equal(newer->state.records[KEY_RECORD_ZRRSIG], KEY_STATE_OMNIPRESENT);
        world_end(world);
        kasp_policy_free(policy);
        mem_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_roll_is_taken_over_where_it_is),
        cmocka_unit_test(who_leaves_first_is_not_told_by_what_was_noted_before),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(timelines, comes_out_to_the_second);
}
