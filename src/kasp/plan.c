#include "kasp/plan.h"

#include "kasp/parent.h"
#include "kasp/timing.h"
#include "kasp/wanted.h"

void kasp_wake(const struct kasp_case *c, sg_time when)
{
    if (when > c->now && when < c->plan->wake_at) {
        c->plan->wake_at = when;
    }
}

bool kasp_waits_for_step(const struct kasp_case *c)
{
    bool some = false;
    for (size_t i = 0; i < c->plan->count; i++) {
        const struct key_state *before = &c->plan->keys[i].key->state;
        for (int record = 0; record < KEY_RECORDS; record++) {
            some |= kasp_is_about(before->records[record]);
        }
    }
    return c->policy->manual_mode && !c->facts->step && some;
}

/* ---- one move ---- */

/* Where the record shall go next: the same, nowhere. */
static enum key_state_value next_value(const struct kasp_case *c, size_t key,
                                       enum key_record record)
{
    const struct kasp_key_plan *planned = &c->plan->keys[key];
    enum key_state_value value = planned->state.records[record];
    bool wanted = planned->state.goal == KEY_STATE_OMNIPRESENT;
    switch (value) {
    case KEY_STATE_HIDDEN:
        return wanted ? KEY_STATE_RUMOURED : value;
    case KEY_STATE_RUMOURED: {
        bool finishes =
            wanted || (kasp_has_rule(c, KASP_RULE_HALFWAY) && kasp_finishes_first(c, key, record));
        return finishes ? KEY_STATE_OMNIPRESENT : KEY_STATE_UNRETENTIVE;
    }
    case KEY_STATE_OMNIPRESENT:
        return wanted ? value : KEY_STATE_UNRETENTIVE;
    case KEY_STATE_UNRETENTIVE:
        return wanted ? KEY_STATE_RUMOURED : KEY_STATE_HIDDEN;
    default:
        return value;
    }
}

static bool takes_time(enum key_state_value target)
{
    return target == KEY_STATE_OMNIPRESENT || target == KEY_STATE_HIDDEN;
}

/* What is in the way of the move; KASP_WAIT_NONE: nothing. */
static struct kasp_wait obstacle(struct kasp_case *c, const struct kasp_move *move)
{
    struct kasp_wait wait = {
        .record = move->record, .target = move->target, .rule = KASP_RULES, .until = c->now};
    wait.rule = kasp_rule_against(c, move);
    if (wait.rule != KASP_RULES) {
        wait.reason = wait.rule == KASP_RULE_TURN ? KASP_WAIT_TURN : KASP_WAIT_RULE;
        return wait;
    }
    if (takes_time(move->target)) {
        wait.until = kasp_settled_at(c, move);
        if (wait.until == INT64_MAX) {
            const struct kasp_key_plan *key = &c->plan->keys[move->key];
            bool was_seen = key->times[KEY_DS_PUBLISH] != KEY_TIME_UNSET;
            wait.reason =
                move->target == KEY_STATE_HIDDEN && !was_seen ? KASP_WAIT_NO_DS : KASP_WAIT_PARENT;
            wait.until = key->state.changes[move->record];
        } else if (wait.until > c->now) {
            wait.reason = KASP_WAIT_TIME;
            kasp_wake(c, wait.until);
        }
    } else if (kasp_waits_for_step(c)) {
        wait.reason = KASP_WAIT_MANUAL;
        c->plan->manual = true;
    }
    return wait;
}

static void make_move(const struct kasp_case *c, const struct kasp_move *move)
{
    struct kasp_key_plan *key = &c->plan->keys[move->key];
    key->state.records[move->record] = move->target;
    key->state.changes[move->record] = c->now;
    key->changed = true;
    bool leaves = move->record == KEY_RECORD_DNSKEY && move->target == KEY_STATE_UNRETENTIVE;
    if (leaves && (key->times[KEY_DELETE] == KEY_TIME_UNSET || key->times[KEY_DELETE] > c->now)) {
        /* It was a forecast. Who finds the times alone must not take the key for one that is in. */
        key->times[KEY_DELETE] = c->now;
    }
    /* What was seen before is of another time. */
    if (move->record == KEY_RECORD_DS && kasp_has_rule(c, KASP_RULE_SIGHTING)) {
        if (move->target == KEY_STATE_RUMOURED) {
            key->times[KEY_DS_PUBLISH] = KEY_TIME_UNSET;
        } else if (move->target == KEY_STATE_UNRETENTIVE) {
            key->times[KEY_DS_REMOVED] = KEY_TIME_UNSET;
        }
    }
}

/* ---- all moves ---- */

/* Of the things that a key waits for, the one that an operator can do something about comes first.
 */
static bool matters_more(const struct kasp_wait *wait, const struct kasp_wait *than)
{
    static const enum kasp_reason order[] = {KASP_WAIT_PARENT, KASP_WAIT_NO_DS, KASP_WAIT_MANUAL,
                                             KASP_WAIT_TIME,   KASP_WAIT_RULE,  KASP_WAIT_TURN};
    if (wait->reason == KASP_WAIT_TIME && than->reason == KASP_WAIT_TIME) {
        return wait->until < than->until;
    }
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (order[i] == than->reason) {
            return false;
        }
        if (order[i] == wait->reason) {
            return true;
        }
    }
    return false;
}

/* Where the record goes next; the same as now: nowhere. */
static struct kasp_move next_move(const struct kasp_case *c, size_t key, enum key_record record)
{
    return (struct kasp_move){key, record, next_value(c, key, record)};
}

/* Begins, or notes what has come or gone by time. True if the record moved. */
static bool move_record(struct kasp_case *c, size_t key, enum key_record record, bool begins)
{
    struct kasp_move move = next_move(c, key, record);
    bool is_due = move.target != c->plan->keys[key].state.records[record] &&
                  takes_time(move.target) != begins;
    if (!is_due || obstacle(c, &move).reason != KASP_WAIT_NONE) {
        return false;
    }
    make_move(c, &move);
    return true;
}

static bool move_records(struct kasp_case *c, bool begins)
{
    bool moved = false;
    for (size_t i = 0; i < c->plan->count; i++) {
        for (int record = 0; record < KEY_RECORDS; record++) {
            moved |= move_record(c, c->order[i], (enum key_record)record, begins);
        }
    }
    return moved;
}

static struct kasp_wait what_it_waits_for(struct kasp_case *c, size_t key)
{
    struct kasp_wait wait = {.reason = KASP_WAIT_NONE};
    for (int record = 0; record < KEY_RECORDS; record++) {
        struct kasp_move move = next_move(c, key, (enum key_record)record);
        if (move.target != c->plan->keys[key].state.records[record]) {
            struct kasp_wait found = obstacle(c, &move);
            wait = matters_more(&found, &wait) ? found : wait;
        }
    }
    return wait;
}

/* What has come or gone is noted of all keys before one begins something: which of two may leave is
 * then the same whatever of that was noted by an earlier look, whose plan was never published. */
static void move_keys(struct kasp_case *c)
{
    bool moved = true;
    for (int step = 0; moved && step < KASP_STEPS_MAX; step++) {
        moved = move_records(c, false) || move_records(c, true);
    }
    if (moved) {
        kasp_wake(c, c->now + 1);
    }
    for (size_t i = 0; i < c->plan->count; i++) {
        struct kasp_wait wait = what_it_waits_for(c, i);
        if (wait.reason != KASP_WAIT_NONE) {
            c->plan->keys[i].wait = wait;
        }
    }
}

/* ---- the plan ---- */

static bool comes_before(const struct signing_key *key, const struct signing_key *other)
{
    if (key->times[KEY_CREATED] != other->times[KEY_CREATED]) {
        return key->times[KEY_CREATED] < other->times[KEY_CREATED];
    }
    return key->algorithm != other->algorithm ? key->algorithm < other->algorithm
                                              : key->tag < other->tag;
}

/* Where only one of two may move, or be chosen, it is the same one at every look. */
static void order_keys(struct kasp_case *c)
{
    for (size_t i = 0; i < c->plan->count; i++) {
        size_t place = i;
        while (place > 0 &&
               comes_before(c->plan->keys[i].key, c->plan->keys[c->order[place - 1]].key)) {
            c->order[place] = c->order[place - 1];
            place--;
        }
        c->order[place] = i;
    }
}

static sg_time newest_change(const struct kasp_case *c)
{
    const struct kasp_plan *plan = c->plan;
    sg_time newest = INT64_MIN;
    for (size_t i = 0; i < plan->count; i++) {
        const struct key_state *state = &plan->keys[i].state;
        for (int record = 0; record < KEY_RECORDS; record++) {
            bool tracked = state->records[record] != KEY_STATE_NA;
            sg_time change = tracked ? state->changes[record] : INT64_MIN;
            newest = change > newest ? change : newest;
        }
        if (c->facts->keys != NULL && c->facts->keys[i].ds != KASP_DS_UNKNOWN &&
            c->facts->keys[i].ds_asked_at > newest) {
            newest = c->facts->keys[i].ds_asked_at;
        }
    }
    return newest;
}

/* Change times tell which versions came before which: with a clock that ran back they would lie. */
static bool clock_is_good(struct kasp_case *c)
{
    sg_time newest = newest_change(c);
    if (!kasp_has_rule(c, KASP_RULE_CLOCK) || (!c->facts->clock_suspect && newest <= c->now)) {
        return true;
    }
    if (newest > c->now) {
        /* In that very second a look from before would count as younger than what changes in it. */
        kasp_wake(c, newest + 1);
    }
    for (size_t i = 0; i < c->plan->count; i++) {
        c->plan->keys[i].wait = (struct kasp_wait){.reason = KASP_WAIT_CLOCK,
                                                   .until = newest > c->now ? newest : c->now};
    }
    return false;
}

/* What nobody can see nobody learns, and what they have seen before does not age by it. */
static bool is_served(struct kasp_case *c)
{
    for (size_t i = 0; i < c->plan->count && c->facts->unserved; i++) {
        c->plan->keys[i].wait = (struct kasp_wait){.reason = KASP_WAIT_UNSERVED, .until = c->now};
    }
    return !c->facts->unserved;
}

/* How far another zone with these keys has come is about to be known. */
static bool twins_are_known(struct kasp_case *c)
{
    for (size_t i = 0; i < c->plan->count && c->facts->twin_unknown; i++) {
        c->plan->keys[i].wait = (struct kasp_wait){.reason = KASP_WAIT_TWIN, .until = c->now};
    }
    return !c->facts->twin_unknown;
}

static enum kasp_sighting question(const struct kasp_key_plan *key)
{
    if (!key->state.ksk) {
        return KASP_DS_UNKNOWN;
    }
    if (kasp_is_in(key->state.records[KEY_RECORD_DS])) {
        return KASP_DS_SEEN;
    }
    bool leaves =
        key->state.goal == KEY_STATE_HIDDEN && kasp_is_about(key->state.records[KEY_RECORD_DNSKEY]);
    return leaves || key->state.records[KEY_RECORD_DS] == KEY_STATE_UNRETENTIVE ? KASP_DS_MISSING
                                                                                : KASP_DS_UNKNOWN;
}

static bool wants_delete(const struct kasp_case *c)
{
    bool signs = false;
    for (size_t i = 0; i < c->plan->count; i++) {
        const enum key_state_value *records = c->plan->keys[i].state.records;
        signs |= kasp_is_in(records[KEY_RECORD_DNSKEY]) && kasp_is_in(records[KEY_RECORD_KRRSIG]);
        if (kasp_is_in(records[KEY_RECORD_DS]) && kasp_has_rule(c, KASP_RULE_DELETE)) {
            return false; /* It must be alone (RFC 8078 4). */
        }
    }
    return signs && c->policy->insecure;
}

enum sg_result kasp_plan_by_rules(const struct kasp_policy *policy, const struct key_list *keys,
                                  const struct kasp_facts *facts, sg_time now, unsigned rules,
                                  struct kasp_plan *out_plan)
{
    struct kasp_case c = {policy, facts, now, rules, out_plan, {0}};
    if (keys->count > KASP_PLAN_KEYS_MAX) {
        return SG_LIMIT;
    }
    out_plan->count = keys->count;
    out_plan->makes_count = 0;
    out_plan->manual = false;
    out_plan->wake_at = INT64_MAX;
    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *key = keys->keys[i];
        struct kasp_key_plan *planned = &out_plan->keys[i];
        *planned = (struct kasp_key_plan){.key = key, .state = key->state, .ttl = key->ttl};
        for (int time = 0; time < KEY_TIMES; time++) {
            planned->times[time] = key->times[time];
        }
    }
    order_keys(&c);
    if (clock_is_good(&c) && is_served(&c) && twins_are_known(&c)) {
        kasp_see_parent(&c);
        kasp_want(&c);
        kasp_doubt_parent(&c);
        move_keys(&c);
        for (size_t i = 0; i < out_plan->count; i++) {
            kasp_purge(&c, i);
        }
    }
    for (size_t i = 0; i < out_plan->count; i++) {
        out_plan->keys[i].asks = question(&out_plan->keys[i]);
    }
    out_plan->publishes_delete = wants_delete(&c);
    return SG_OK;
}

enum sg_result kasp_plan(const struct kasp_policy *policy, const struct key_list *keys,
                         const struct kasp_facts *facts, sg_time now, struct kasp_plan *out_plan)
{
    return kasp_plan_by_rules(policy, keys, facts, now, KASP_RULES_ALL, out_plan);
}

void kasp_plan_apply(const struct kasp_key_plan *planned, struct signing_key *key)
{
    ASSERT(planned->key == key);
    key->state = planned->state;
    key->ttl = planned->ttl;
    for (int time = 0; time < KEY_TIMES; time++) {
        key->times[time] = planned->times[time];
    }
}
