#include "kasp/wanted.h"

#include "kasp/timing.h"

/* Keys that an entry of the policy has. */
struct choice {
    struct kasp_case *c;
    bool taken[KASP_PLAN_KEYS_MAX];
};

static struct kasp_key_plan *key_at(const struct kasp_case *c, size_t key)
{
    return &c->plan->keys[key];
}

static void wait_for(struct kasp_key_plan *key, enum kasp_reason reason, sg_time until)
{
    key->wait = (struct kasp_wait){.reason = reason, .until = until};
}

/* May something begin? Otherwise `key`, if any, waits for what is in the way. */
static bool may_begin(struct kasp_case *c, struct kasp_key_plan *key)
{
    enum kasp_reason reason = KASP_WAIT_NONE;
    if (c->facts->files_missing && kasp_has_rule(c, KASP_RULE_FILES)) {
        reason = KASP_WAIT_FILES;
    } else if (kasp_waits_for_step(c)) {
        c->plan->manual = true;
        reason = KASP_WAIT_MANUAL;
    }
    if (reason != KASP_WAIT_NONE && key != NULL) {
        wait_for(key, reason, c->now);
    }
    return reason == KASP_WAIT_NONE;
}

static void set_time(struct kasp_key_plan *key, enum key_time time, sg_time when)
{
    key->changed |= key->times[time] != when;
    key->times[time] = when;
}

static void set_end(const struct kasp_case *c, struct kasp_key_plan *key, sg_time inactive)
{
    set_time(key, KEY_INACTIVE, inactive);
    set_time(key, KEY_DELETE, inactive + kasp_retire_interval(c, key->state.ksk, key->state.zsk));
}

static void set_goal(struct kasp_key_plan *key, enum key_state_value goal)
{
    key->changed |= key->state.goal != goal;
    key->state.goal = goal;
}

/* ---- staying ---- */

/* The policy's lifetime is the key's, also when it was edited. */
static void take_lifetime(struct kasp_case *c, struct kasp_key_plan *key, uint32_t lifetime)
{
    struct key_state *state = &key->state;
    bool known = state->has_lifetime;
    if (known && state->lifetime == lifetime) {
        return;
    }
    state->has_lifetime = true;
    state->lifetime = lifetime;
    key->changed = true;
    if (!known || state->goal != KEY_STATE_OMNIPRESENT) {
        return;
    }
    if (lifetime == KASP_LIFETIME_UNLIMITED || key->times[KEY_ACTIVATE] == KEY_TIME_UNSET) {
        set_time(key, KEY_INACTIVE, KEY_TIME_UNSET);
        set_time(key, KEY_DELETE, KEY_TIME_UNSET);
        set_time(key, KEY_SYNC_DELETE, KEY_TIME_UNSET);
        return;
    }
    set_end(c, key, key->times[KEY_ACTIVATE] + (sg_duration)lifetime);
}

static unsigned settled_records(const struct kasp_key_plan *key)
{
    unsigned count = 0;
    for (int record = 0; record < KEY_RECORDS; record++) {
        count += key->state.records[record] == KEY_STATE_OMNIPRESENT;
    }
    return count;
}

/* The key that serves the entry now: of several, the one that has come furthest. */
static size_t holder_of(const struct choice *choice, const struct kasp_key *wanted)
{
    size_t best = SIZE_MAX;
    for (size_t n = 0; n < choice->c->plan->count; n++) {
        size_t i = choice->c->order[n];
        const struct kasp_key_plan *key = key_at(choice->c, i);
        if (choice->taken[i] || key->state.goal != KEY_STATE_OMNIPRESENT ||
            !kasp_key_matches(wanted, key->key)) {
            continue;
        }
        if (best == SIZE_MAX || settled_records(key) > settled_records(key_at(choice->c, best))) {
            best = i;
        }
    }
    return best;
}

/* ---- coming ---- */

static bool is_followed(const struct kasp_case *c, const struct kasp_key_plan *key)
{
    for (size_t i = 0; i < c->plan->count && key->state.has_successor; i++) {
        const struct kasp_key_plan *other = key_at(c, i);
        if (other->key->tag == key->state.successor &&
            other->key->algorithm == key->key->algorithm &&
            other->state.goal == KEY_STATE_OMNIPRESENT) {
            return true;
        }
    }
    return false;
}

/* One that was told to leave, is still there, and has a life before it: the edit was taken back. */
static size_t returning_to(const struct choice *choice, const struct kasp_key *wanted)
{
    const struct kasp_case *c = choice->c;
    for (size_t n = 0; n < c->plan->count; n++) {
        size_t i = c->order[n];
        const struct kasp_key_plan *key = key_at(c, i);
        sg_time active = key->times[KEY_ACTIVATE];
        bool has_time =
            wanted->lifetime == KASP_LIFETIME_UNLIMITED ||
            (active != KEY_TIME_UNSET &&
             active + (sg_duration)wanted->lifetime - kasp_publish_interval(c, key) > c->now);
        if (!choice->taken[i] && key->state.goal == KEY_STATE_HIDDEN && has_time &&
            kasp_is_in(key->state.records[KEY_RECORD_DNSKEY]) &&
            key->times[KEY_REVOKE] == KEY_TIME_UNSET && kasp_key_matches(wanted, key->key) &&
            !is_followed(c, key)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void bring_back(struct kasp_case *c, struct kasp_key_plan *key, uint32_t lifetime)
{
    set_goal(key, KEY_STATE_OMNIPRESENT);
    if (key->state.records[KEY_RECORD_DS] == KEY_STATE_HIDDEN) {
        set_time(key, KEY_DS_REMOVED, KEY_TIME_UNSET); /* That it is nowhere is of the past now. */
    }
    key->state.has_lifetime = true;
    key->state.lifetime = lifetime;
    if (lifetime != KASP_LIFETIME_UNLIMITED) {
        set_end(c, key, key->times[KEY_ACTIVATE] + (sg_duration)lifetime);
        return;
    }
    set_time(key, KEY_INACTIVE, KEY_TIME_UNSET);
    set_time(key, KEY_DELETE, KEY_TIME_UNSET);
}

static size_t unused_for(const struct choice *choice, const struct kasp_key *wanted)
{
    for (size_t n = 0; n < choice->c->plan->count; n++) {
        size_t i = choice->c->order[n];
        const struct kasp_key_plan *key = key_at(choice->c, i);
        if (!choice->taken[i] && key->state.goal != KEY_STATE_OMNIPRESENT &&
            kasp_key_is_unused(key->key) && kasp_key_matches(wanted, key->key)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void begin_record(const struct kasp_case *c, struct key_state *state, enum key_record record,
                         bool tracked)
{
    if (!tracked) {
        state->records[record] = KEY_STATE_NA;
        state->changes[record] = KEY_TIME_UNSET;
    } else if (state->records[record] == KEY_STATE_NA) {
        state->records[record] = KEY_STATE_HIDDEN;
    }
    if (tracked) {
        state->changes[record] = c->now;
    }
}

static void set_life(const struct kasp_case *c, struct kasp_key_plan *key,
                     const struct kasp_key_plan *predecessor)
{
    sg_time active = c->now;
    if (predecessor != NULL) {
        sg_time known = c->now + kasp_publish_interval(c, key);
        sg_time end = predecessor->times[KEY_INACTIVE];
        active = end > known ? end : known;
    }
    if (key->times[KEY_CREATED] == KEY_TIME_UNSET) {
        key->times[KEY_CREATED] = c->now;
    }
    key->times[KEY_PUBLISH] = c->now;
    key->times[KEY_ACTIVATE] = active;
    if (key->state.ksk) {
        key->times[KEY_SYNC_PUBLISH] = kasp_sync_time(c, key, predecessor == NULL);
    }
    if (key->state.lifetime != KASP_LIFETIME_UNLIMITED) {
        set_end(c, key, active + (sg_duration)key->state.lifetime);
        if (key->state.ksk) {
            key->times[KEY_SYNC_DELETE] =
                key->times[KEY_SYNC_PUBLISH] + (sg_duration)key->state.lifetime;
        }
    }
}

static void introduce(struct kasp_case *c, size_t index, const struct kasp_key *wanted,
                      struct kasp_key_plan *predecessor)
{
    struct kasp_key_plan *key = key_at(c, index);
    struct key_state *state = &key->state;
    state->present = true;
    state->has_roles = true;
    state->ksk = (wanted->role & KASP_ROLE_KSK) != 0;
    state->zsk = (wanted->role & KASP_ROLE_ZSK) != 0;
    state->has_lifetime = true;
    state->lifetime = wanted->lifetime;
    state->goal = KEY_STATE_OMNIPRESENT;
    begin_record(c, state, KEY_RECORD_DNSKEY, true);
    begin_record(c, state, KEY_RECORD_ZRRSIG, state->zsk);
    begin_record(c, state, KEY_RECORD_KRRSIG, state->ksk);
    begin_record(c, state, KEY_RECORD_DS, state->ksk);
    set_life(c, key, predecessor);
    key->changed = true;
    if (predecessor == NULL) {
        return;
    }
    predecessor->entry = KASP_KEYS_MAX;
    state->has_predecessor = true;
    state->predecessor = predecessor->key->tag;
    predecessor->state.has_successor = true;
    predecessor->state.successor = key->key->tag;
    set_goal(predecessor, KEY_STATE_HIDDEN);
    predecessor->changed = true;
}

static void take(struct choice *choice, size_t key, unsigned entry)
{
    choice->taken[key] = true;
    key_at(choice->c, key)->entry = entry;
}

/* An unused key, or one is to be made. */
static void bring_new(struct choice *choice, unsigned entry, size_t predecessor)
{
    struct kasp_case *c = choice->c;
    const struct kasp_key *wanted = &c->policy->keys[entry];
    struct kasp_key_plan *old = predecessor == SIZE_MAX ? NULL : key_at(c, predecessor);
    size_t unused = unused_for(choice, wanted);
    if (unused != SIZE_MAX) {
        take(choice, unused, entry);
        introduce(c, unused, wanted, old);
        return;
    }
    c->plan->makes[c->plan->makes_count++] = (struct kasp_make){entry, predecessor};
    if (old != NULL) {
        wait_for(old, KASP_WAIT_KEY, c->now);
    }
}

/* ---- following ---- */

static bool is_settled(const struct kasp_key_plan *key)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (key->state.records[record] != KEY_STATE_NA &&
            key->state.records[record] != KEY_STATE_OMNIPRESENT) {
            return false;
        }
    }
    return true;
}

static void roll(struct choice *choice, unsigned entry, size_t index)
{
    struct kasp_case *c = choice->c;
    struct kasp_key_plan *key = key_at(c, index);
    if (key->times[KEY_INACTIVE] == KEY_TIME_UNSET) {
        if (key->state.lifetime == KASP_LIFETIME_UNLIMITED ||
            key->times[KEY_ACTIVATE] == KEY_TIME_UNSET) {
            return;
        }
        set_end(c, key, key->times[KEY_ACTIVATE] + (sg_duration)key->state.lifetime);
    }
    sg_time due = key->times[KEY_INACTIVE] - kasp_publish_interval(c, key);
    if (due > c->now) {
        wait_for(key, KASP_WAIT_ROLL, due);
        kasp_wake(c, due);
        return;
    }
    if (kasp_has_rule(c, KASP_RULE_GATE) &&
        (!is_settled(key) || !kasp_chain_is_in_place(c->plan, key->key->algorithm))) {
        wait_for(key, KASP_WAIT_CHAIN, due);
        return;
    }
    if (may_begin(c, key)) {
        bring_new(choice, entry, index);
    }
}

static void satisfy(struct choice *choice, unsigned entry)
{
    struct kasp_case *c = choice->c;
    const struct kasp_key *wanted = &c->policy->keys[entry];
    size_t holder = holder_of(choice, wanted);
    if (holder != SIZE_MAX) {
        take(choice, holder, entry);
        take_lifetime(c, key_at(c, holder), wanted->lifetime);
        roll(choice, entry, holder);
        return;
    }
    size_t returning = returning_to(choice, wanted);
    if (!may_begin(c, returning == SIZE_MAX ? NULL : key_at(c, returning))) {
        return;
    }
    if (returning == SIZE_MAX) {
        bring_new(choice, entry, SIZE_MAX);
        return;
    }
    take(choice, returning, entry);
    bring_back(c, key_at(c, returning), wanted->lifetime);
}

/* ---- leaving ---- */

static void retire(struct kasp_case *c, struct kasp_key_plan *key)
{
    if (!may_begin(c, key)) {
        return;
    }
    set_goal(key, KEY_STATE_HIDDEN);
    if (key->times[KEY_INACTIVE] == KEY_TIME_UNSET || key->times[KEY_INACTIVE] > c->now) {
        set_end(c, key, c->now);
    }
}

void kasp_want(struct kasp_case *c)
{
    struct choice choice = {.c = c};
    for (size_t i = 0; i < c->plan->count; i++) {
        key_at(c, i)->entry = KASP_KEYS_MAX;
    }
    for (unsigned entry = 0; entry < c->policy->keys_count; entry++) {
        satisfy(&choice, entry);
    }
    for (size_t i = 0; i < c->plan->count; i++) {
        struct kasp_key_plan *key = key_at(c, i);
        /* None leaves before those that are to come are there: to make one may fail. */
        if (!choice.taken[i] && key->state.goal == KEY_STATE_OMNIPRESENT &&
            c->plan->makes_count == 0) {
            retire(c, key);
        }
        if (key->ttl != c->policy->dnskey_ttl) {
            key->ttl = c->policy->dnskey_ttl;
            key->changed = true;
        }
    }
}

void kasp_purge(struct kasp_case *c, size_t index)
{
    struct kasp_key_plan *key = key_at(c, index);
    sg_time newest = INT64_MIN;
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value value = key->state.records[record];
        if (value != KEY_STATE_HIDDEN && value != KEY_STATE_NA) {
            return;
        }
        sg_time change = value == KEY_STATE_NA ? INT64_MIN : key->state.changes[record];
        newest = change > newest ? change : newest;
    }
    if (c->policy->purge_keys == 0 || newest == KEY_TIME_UNSET ||
        key->state.goal == KEY_STATE_OMNIPRESENT || kasp_key_is_unused(key->key)) {
        return;
    }
    sg_time when = newest + c->policy->purge_keys;
    wait_for(key, KASP_WAIT_PURGE, when);
    key->purge = when <= c->now && !c->facts->files_missing;
    if (!key->purge) {
        kasp_wake(c, when);
    }
}
