/*
 * kasp/random_life.h - five years of a zone with a random policy, and then rest
 *
 * Whatever happens, the model of caches is asked after each instant at which something changed:
 * what caches hold only shrinks in between.
 */
#pragma once

#include "kasp/random_parent.h"

/* ---- the zone ---- */

static void serve_zone(struct scene *s)
{
    static struct caches_version dnskey, data[CACHES_ALGORITHMS];
    memset(&dnskey, 0, sizeof(dnskey));
    memset(data, 0, sizeof(data));
    dnskey.ttl = s->policy.dnskey_ttl;
    for (size_t i = 0; i < s->world.list.count; i++) {
        const struct signing_key *key = s->world.live[i];
        size_t number = world_key_of(key)->number;
        if (kasp_key_is_published(key)) {
            caches_add(&dnskey, number, key->algorithm, kasp_key_signs_keys(key));
        }
        if (kasp_key_signs_zone(key)) {
            caches_add(&data[key->algorithm], number, key->algorithm, false);
        }
    }
    caches_serve(&s->caches.dnskey, &dnskey, s->caches.zone_propagation, s->now);
    for (int a = 0; a < CACHES_ALGORITHMS; a++) {
        data[a].ttl = real_zone_ttl(s);
        caches_serve_data(&s->caches, (uint8_t)a, &data[a], s->now);
    }
}

/* RFC 4035 2.2: an algorithm of the DNSKEY RRset signs the RRset and the zone. */
static const char *check_complete(const struct scene *s)
{
    const struct caches_version *dnskey = &s->caches.dnskey.versions[s->caches.dnskey.count - 1];
    for (size_t i = 0; i < dnskey->count; i++) {
        const struct caches_history *data = &s->caches.data[dnskey->entries[i].algorithm];
        bool signs = false;
        for (size_t k = 0; k < dnskey->count; k++) {
            signs |= dnskey->entries[k].algorithm == dnskey->entries[i].algorithm &&
                     dnskey->entries[k].signs;
        }
        if (!signs || !caches_verifies(dnskey, &data->versions[data->count - 1])) {
            return "incomplete: an algorithm is published and does not sign everything";
        }
    }
    return NULL;
}

static const char *check_move(const struct scene *s, const struct signing_key *key,
                              enum key_record record)
{
    size_t number = world_key_of(key)->number;
    int presence = caches_presence(&s->caches, record, number, key->algorithm);
    switch (key->state.records[record]) {
    case KEY_STATE_OMNIPRESENT:
        return presence == 1 ? NULL : "untrue: omnipresent, and not in every cache";
    case KEY_STATE_HIDDEN:
        return presence == -1 ? NULL : "untrue: hidden, and in some cache";
    case KEY_STATE_RUMOURED:
        /* RFC 7583 3.3.1: not before every cache has the key. One that was asked for before, and is
         * seen to have come anew, is no wish. */
        if (record == KEY_RECORD_DS && s->last[number].records[record] != KEY_STATE_OMNIPRESENT &&
            caches_presence(&s->caches, KEY_RECORD_KRRSIG, number, key->algorithm) != 1) {
            return "early: a DS is asked for before its DNSKEY is everywhere";
        }
        return NULL;
    default:
        return NULL;
    }
}

static const char *check_key(struct scene *s, const struct signing_key *key)
{
    const char *problem = NULL;
    size_t number = world_key_of(key)->number;
    const struct key_state *last = &s->last[number];
    for (int record = 0; record < KEY_RECORDS && problem == NULL; record++) {
        bool moved = last->present && last->records[record] != key->state.records[record] &&
                     last->records[record] != KEY_STATE_NA;
        problem = moved ? check_move(s, key, (enum key_record)record) : NULL;
        s->key = number;
        s->record = (enum key_record)record;
    }
    s->last[number] = key->state;
    return problem;
}

static bool has_followed(const struct scene *s, const struct signing_key *key)
{
    return s->last[world_key_of(key)->number].present || !key->state.has_predecessor;
}

/* Two changes of the DS RRset, of which nobody has seen the first, are one too many. */
static const char *check_roll(const struct scene *s, const struct signing_key *key)
{
    for (size_t i = 0; i < s->world.list.count && !has_followed(s, key); i++) {
        const struct signing_key *old = s->world.live[i];
        if (old->tag == key->state.predecessor && old->algorithm == key->algorithm &&
            old->state.ksk &&
            caches_presence(&s->caches, KEY_RECORD_DS, world_key_of(old)->number, old->algorithm) !=
                1) {
            return "early: a key is followed whose DS is not everywhere";
        }
    }
    return NULL;
}

/* What was begun in this turn could be begun. */
static const char *check_begun(const struct scene *s, size_t made_before)
{
    const char *problem = NULL;
    if (s->world.facts.files_missing && s->world.made_count > made_before) {
        return "lost: a key is made beside one whose file is missing";
    }
    for (size_t i = 0; i < s->world.list.count && problem == NULL; i++) {
        problem = check_roll(s, s->world.live[i]);
        if (s->world.plan.publishes_delete && kasp_key_wants_ds(s->world.live[i])) {
            problem = "delete records beside those of a key (RFC 8078 4)";
        }
    }
    return problem;
}

/* What became omnipresent or hidden just now is so. */
static const char *check_moves(struct scene *s)
{
    const char *problem = NULL;
    bool has_ds = false;
    for (size_t i = 0; i < s->world.list.count && problem == NULL; i++) {
        problem = check_key(s, s->world.live[i]);
        has_ds |= kasp_key_wants_ds(s->world.live[i]);
    }
    if (problem == NULL && s->had_ds && !has_ds && s->policy.keys_count > 0) {
        problem = "insecure: no DS is asked for any more, and nobody wanted that";
    }
    s->had_ds = has_ds;
    return problem;
}

static const char *turn(struct scene *s, sg_time *out_wake)
{
    sg_time clock = s->now + s->clock_off;
    size_t made_before = s->world.made_count;
    sg_time wake = world_turn(&s->world, clock);
    s->world.facts.step = false;
    s->turns++;
    *out_wake = wake == NEVER ? NEVER : s->now + (wake - clock);
    serve_zone(s);
    const char *problem = caches_check(&s->caches, s->now);
    if (problem == NULL) {
        problem = check_complete(s);
    }
    if (problem == NULL) {
        problem = check_begun(s, made_before);
    }
    return problem != NULL ? problem : check_moves(s);
}

/* ---- events ---- */

static void edit_policy(struct scene *s)
{
    s->before_edit = s->policy;
    if (s->edit_is_undone_at == NEVER && chance(s, 50)) {
        s->edit_is_undone_at = s->now + between(s, 0, 12 * SG_DAY);
    }
    draw_policy(s, &s->policy);
    take_policy(s);
}

static void roll_some_key(struct scene *s)
{
    if (s->world.list.count > 0) {
        struct signing_key *key = s->world.live[draw(s, s->world.list.count)];
        sg_time when = s->now + s->clock_off + (chance(s, 50) ? 0 : between(s, 0, 20 * SG_DAY));
        s->rolls += kasp_roll_key(&s->policy, key, when) == SG_OK;
    }
}

static void resign_zone(struct scene *s)
{
    sg_time clock = s->now + s->clock_off;
    if (s->world.facts.clock_suspect) {
        return;
    }
    for (size_t i = 0; i < s->world.list.count; i++) {
        const struct signing_key *key = s->world.live[i];
        struct kasp_key_facts *facts = &s->world.key_facts[i];
        bool signs = kasp_key_signs_zone(key);
        facts->signed_at = signs ? clock : KEY_TIME_UNSET;
        facts->cleared_at = signs ? KEY_TIME_UNSET : clock;
    }
    caches_resign(&s->caches, s->now);
}

/* Ahead, and known to be suspect; or behind, which the engine has to see by itself. */
static void upset_clock(struct scene *s)
{
    bool ahead = chance(s, 50);
    s->clock_off = (ahead ? 1 : -1) * between(s, SG_HOUR, 40 * SG_DAY);
    s->world.facts.clock_suspect = ahead;
    s->clock_mends_at = s->now + between(s, SG_HOUR, 30 * SG_DAY);
}

static void mend_clock(struct scene *s)
{
    if (s->clock_off < 0) {
        s->world.facts.waits_from = s->now; /* it leaps ahead, and the keeper sees that */
    }
    s->clock_off = 0;
    s->clock_mends_at = NEVER;
    s->world.facts.clock_suspect = false;
}

static void happen(struct scene *s)
{
    s->next_event = s->now + between(s, SG_MINUTE, 60 * SG_DAY);
    switch (draw(s, 9)) {
    case 8:
        stranger_acts(s);
        look_at_parent(s); /* What was seen in this second was before. */
        return;
    case 0:
    case 1:
    case 2:
        edit_policy(s);
        return;
    case 3:
    case 4:
        roll_some_key(s);
        return;
    case 5:
        resign_zone(s);
        return;
    case 6:
        if (s->clock_mends_at == NEVER) {
            upset_clock(s);
        }
        return;
    default:
        s->world.facts.files_missing = chance(s, 20);
        s->world.facts.step = true;
        return;
    }
}

static void events(struct scene *s)
{
    if (s->next_event <= s->now) {
        happen(s);
    }
    if (s->edit_is_undone_at <= s->now) {
        s->edit_is_undone_at = NEVER;
        s->policy = s->before_edit;
        take_policy(s);
    }
    if (s->clock_mends_at <= s->now) {
        mend_clock(s);
        look_at_parent(s); /* before it is trusted again */
    }
    if (s->policy.manual_mode && chance(s, 30)) {
        s->world.facts.step = true;
    }
}

/* ---- a life ---- */

/* As other signers leave a key: its times, of which none tells that its DS was ever submitted. */
static struct signing_key *take_over_key(struct scene *s, const struct kasp_key *wanted,
                                         sg_time since)
{
    struct signing_key *key = world_make_key(&s->world, wanted, since);
    key->times[KEY_PUBLISH] = key->times[KEY_ACTIVATE] = since;
    key->state.goal = KEY_STATE_NA;
    return key;
}

/* In the middle of a roll of named's: it was told `-checkds published` as soon as the parent had
 * both DS, and obeys that before caches have the new DNSKEY. */
static void take_over_hasty_roll(struct scene *s, const struct kasp_key *wanted)
{
    struct signing_key *old = s->world.live[0];
    serve_ds(s); /* as all was before */
    serve_zone(s);
    struct signing_key *key = take_over_key(s, wanted, s->now);
    struct key_state *state = &key->state;
    state->has_predecessor = old->state.has_successor = true;
    state->predecessor = old->tag;
    old->state.successor = key->tag;
    old->state.goal = KEY_STATE_HIDDEN;
    old->state.records[KEY_RECORD_DS] = KEY_STATE_OMNIPRESENT;
    s->last[world_key_of(old)->number] = old->state;
    state->goal = KEY_STATE_OMNIPRESENT;
    for (int record = 0; record < KEY_RECORDS; record++) {
        state->records[record] = KEY_STATE_RUMOURED;
        state->changes[record] = s->now;
    }
    state->records[KEY_RECORD_ZRRSIG] = state->zsk ? KEY_STATE_HIDDEN : KEY_STATE_NA;
    key->times[KEY_DS_PUBLISH] = s->now;
    s->last[world_key_of(key)->number] = *state;
    caches_add(&s->at_parent, world_key_of(key)->number, key->algorithm, false);
    s->hasty++;
}

/* The zone was signed elsewhere for years; its ZSK may have changed hours ago. */
static void take_over(struct scene *s)
{
    struct kasp_policy before = s->policy;
    sg_time since = s->now - YEAR;
    size_t count;
    before.keys_count = 0;
    before.insecure = false;
    draw_keys(s, &before);
    for (unsigned i = 0; i < before.keys_count; i++) {
        before.keys[i].tag_min = 0;
        before.keys[i].tag_max = UINT16_MAX;
        (void)take_over_key(s, &before.keys[i], since);
    }
    if (before.keys_count == 2 && chance(s, 50)) {
        s->world.live[1]->times[KEY_INACTIVE] = s->now - SG_HOUR;
        struct signing_key *next = take_over_key(s, &before.keys[1], s->now - SG_HOUR);
        next->times[KEY_PUBLISH] = since;
    }
    count = s->world.list.count;
    for (size_t i = 0; i < count; i++) {
        struct signing_key *key = s->world.live[i];
        (void)kasp_key_adopt(key, &s->policy, false, s->now);
        s->last[world_key_of(key)->number] = key->state;
        if (key->state.ksk) {
            caches_add(&s->at_parent, world_key_of(key)->number, key->algorithm, false);
        }
    }
    s->takeovers += count > 0;
    if (count > 0 && chance(s, 30)) {
        take_over_hasty_roll(s, &before.keys[0]);
    }
}

static void begin(struct scene *s, uint64_t seed, unsigned rules)
{
    bool parent_is_steady = s->parent_is_steady;
    memset(s, 0, sizeof(*s));
    s->parent_is_steady = parent_is_steady;
    s->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    s->now = T0;
    world_begin(&s->world, &s->policy);
    s->world.rules = rules;
    s->caches.zone_propagation = chance(s, 20) ? 0 : between(s, 0, SG_DAY);
    s->caches.parent_propagation = chance(s, 20) ? 0 : between(s, 0, SG_DAY);
    s->zone_ttl_extra = chance(s, 30) ? between(s, 0, 3 * SG_DAY) : 0;
    s->policy.zone_propagation_delay = s->caches.zone_propagation;
    s->policy.parent_propagation_delay = s->caches.parent_propagation;
    s->policy.parent_ds_ttl = between(s, 0, 2 * SG_DAY);
    s->world.facts.observed.ds_ttl =
        s->policy.parent_ds_ttl + (chance(s, 30) ? between(s, 0, 2 * SG_DAY) : 0);
    draw_policy(s, &s->policy);
    take_policy(s);
    s->manner = (enum parent_manner)draw(s, PARENT_MANNERS);
    s->parent_delay = chance(s, 50) ? SG_HOUR : between(s, 0, 30 * SG_DAY);
    s->parent_wavers = chance(s, 30) && !s->parent_is_steady;
    s->looks_seldom = !s->parent_wavers && chance(s, 40);
    s->tells = !s->parent_wavers && chance(s, 20);
    s->world.makes_slowly = chance(s, 50);
    s->parent_acts_at = s->parent_turns_back_at = NEVER;
    s->clock_mends_at = s->edit_is_undone_at = NEVER;
    s->next_event = s->now + between(s, 0, chance(s, 30) ? 2 * SG_DAY : 60 * SG_DAY);
    if (chance(s, 25)) {
        take_over(s);
    }
    serve_ds(s);
    serve_zone(s);
}

static sg_time earlier(sg_time a, sg_time b)
{
    return a < b ? a : b;
}

static const char *live_until(struct scene *s, sg_time end)
{
    while (s->now < end) {
        sg_time wake;
        if (s->parent_acts_at <= s->now) {
            parent_acts(s);
        }
        if (s->parent_turns_back_at <= s->now) {
            parent_turns_back(s);
        }
        if (!s->looks_seldom || chance(s, 30)) {
            look_at_parent(s);
        }
        events(s);
        const char *problem = turn(s, &wake);
        if (problem != NULL) {
            return problem;
        }
        wake_parent(s);
        if (wake != NEVER && chance(s, 10)) {
            wake += between(s, 0, 2 * SG_DAY); /* there was no time */
        }
        sg_time next = earlier(earlier(wake, s->next_event), s->now + 30 * SG_DAY);
        next = earlier(next, earlier(s->parent_acts_at, s->parent_turns_back_at));
        next = earlier(next, earlier(s->edit_is_undone_at, s->clock_mends_at));
        s->now = next > s->now ? next : s->now + 1;
    }
    return NULL;
}

static bool is_at_rest(const struct key_state *state)
{
    enum key_state_value rest =
        state->goal == KEY_STATE_OMNIPRESENT ? KEY_STATE_OMNIPRESENT : KEY_STATE_HIDDEN;
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (state->records[record] != KEY_STATE_NA && state->records[record] != rest) {
            return false;
        }
    }
    return true;
}

static void calm_down(struct scene *s)
{
    s->next_event = s->edit_is_undone_at = NEVER;
    s->parent_wavers = s->looks_seldom = false;
    s->parent_turns_back_at = NEVER;
    s->parent_delay = SG_HOUR;
    s->policy.manual_mode = false;
    s->world.facts.files_missing = false;
    mend_clock(s);
    for (unsigned i = 0; i < s->policy.keys_count; i++) {
        s->policy.keys[i].lifetime = KASP_LIFETIME_UNLIMITED;
    }
}

/* Nobody disturbs it any more: every roll ends. */
static const char *come_to_rest(struct scene *s)
{
    calm_down(s);
    const char *problem = live_until(s, s->now + 500 * SG_DAY);
    size_t staying = 0;
    for (size_t i = 0; i < s->world.list.count && problem == NULL; i++) {
        const struct key_state *state = &s->world.live[i]->state;
        staying += state->goal == KEY_STATE_OMNIPRESENT;
        problem = is_at_rest(state) ? NULL : "endless: a key does not come to rest";
    }
    return problem == NULL && staying != s->policy.keys_count
               ? "endless: not one key for each entry"
               : problem;
}

static const char *live(struct scene *s, uint64_t seed, unsigned rules)
{
    begin(s, seed, rules);
    const char *problem = live_until(s, T0 + YEARS * YEAR);
    return problem != NULL ? problem : come_to_rest(s);
}
