#include "kasp/timing.h"

static sg_duration longer(sg_duration a, sg_duration b)
{
    return a > b ? a : b;
}

/* A policy may have been shortened, or understate: what was seen counts as well. */
static sg_duration observed(const struct kasp_case *c, sg_duration seen)
{
    return kasp_has_rule(c, KASP_RULE_WAIT_OBSERVED) ? seen : 0;
}

static sg_duration term(const struct kasp_case *c, enum kasp_rule rule, sg_duration duration)
{
    return kasp_has_rule(c, rule) ? duration : 0;
}

static sg_duration dnskey_ttl(const struct kasp_case *c, const struct kasp_key_plan *key)
{
    sg_duration ttl = longer(c->policy->dnskey_ttl, key == NULL ? 0 : key->key->ttl);
    return longer(ttl, observed(c, c->facts->observed.dnskey_ttl));
}

static sg_duration zone_ttl(const struct kasp_case *c)
{
    sg_duration ttl = c->policy->max_zone_ttl != 0 ? c->policy->max_zone_ttl : SG_WEEK;
    return longer(ttl, observed(c, c->facts->observed.zone_ttl));
}

/* Dsgn: how long a signature that was made before may stay. */
static sg_duration resign_interval(const struct kasp_case *c)
{
    return longer(c->policy->signatures_validity - c->policy->signatures_refresh,
                  observed(c, c->facts->observed.resign));
}

static sg_duration dnskey_wait(const struct kasp_case *c, const struct kasp_key_plan *key)
{
    return term(c, KASP_RULE_WAIT_DNSKEY, dnskey_ttl(c, key) + c->policy->zone_propagation_delay);
}

static sg_duration zrrsig_wait(const struct kasp_case *c)
{
    return term(c, KASP_RULE_WAIT_ZRRSIG, zone_ttl(c) + c->policy->zone_propagation_delay);
}

static sg_duration ds_wait(const struct kasp_case *c)
{
    return term(c, KASP_RULE_WAIT_DS,
                longer(c->policy->parent_ds_ttl, observed(c, c->facts->observed.ds_ttl)) +
                    c->policy->parent_propagation_delay);
}

/* The instant at which a wait began, as far as clocks tell. */
static sg_time begun_at(const struct kasp_case *c, sg_time when)
{
    return kasp_has_rule(c, KASP_RULE_CLOCK) ? longer(when, c->facts->waits_from) : when;
}

static bool is_linked(const struct kasp_key_plan *key)
{
    return key->state.has_predecessor || key->state.has_successor;
}

/*
 * Do signatures change hands one by one? Not when the key was the first of its algorithm, since the
 * zone was then signed as a whole, nor when the last one leaves and all are removed. What others
 * were before this planning counts: two that came together arrive together.
 */
static bool changes_hands(const struct kasp_case *c, size_t key, enum key_state_value target)
{
    const struct kasp_key_plan *own = &c->plan->keys[key];
    for (size_t i = 0; i < c->plan->count; i++) {
        const struct kasp_key_plan *other = &c->plan->keys[i];
        if (i == key || other->key->algorithm != own->key->algorithm) {
            continue;
        }
        enum key_state_value now = other->state.records[KEY_RECORD_ZRRSIG];
        enum key_state_value before = other->key->state.records[KEY_RECORD_ZRRSIG];
        if (target == KEY_STATE_HIDDEN && kasp_is_in(now)) {
            return true;
        }
        bool together =
            before == KEY_STATE_RUMOURED &&
            other->key->state.changes[KEY_RECORD_ZRRSIG] == own->state.changes[KEY_RECORD_ZRRSIG];
        if (target == KEY_STATE_OMNIPRESENT && kasp_is_about(before) && !together) {
            return true;
        }
    }
    return is_linked(own);
}

/* The last signatures of an algorithm went together, also those that had been handed over before.
 */
static sg_time removed_at(const struct kasp_case *c, const struct kasp_key_plan *own)
{
    sg_time last = own->state.changes[KEY_RECORD_ZRRSIG];
    for (size_t i = 0; i < c->plan->count; i++) {
        const struct kasp_key_plan *other = &c->plan->keys[i];
        sg_time change = other->state.changes[KEY_RECORD_ZRRSIG];
        if (other->key->algorithm == own->key->algorithm && change > last &&
            other->state.records[KEY_RECORD_ZRRSIG] == KEY_STATE_UNRETENTIVE) {
            last = change;
        }
    }
    return last;
}

static sg_time zrrsig_settled_at(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct kasp_key_plan *key = &c->plan->keys[move->key];
    sg_time since = begun_at(c, key->state.changes[KEY_RECORD_ZRRSIG]);
    sg_time whole = KEY_TIME_UNSET;
    if (c->facts->keys != NULL) {
        const struct kasp_key_facts *facts = &c->facts->keys[move->key];
        whole = move->target == KEY_STATE_OMNIPRESENT ? facts->signed_at : facts->cleared_at;
    }
    if (whole != KEY_TIME_UNSET && whole >= since && whole <= c->now) {
        return whole + zrrsig_wait(c);
    }
    if (!kasp_has_rule(c, KASP_RULE_WAIT_RESIGN)) {
        return since + zrrsig_wait(c);
    }
    if (changes_hands(c, move->key, move->target)) {
        return since + zrrsig_wait(c) + resign_interval(c) + c->policy->retire_safety;
    }
    return (move->target == KEY_STATE_HIDDEN ? begun_at(c, removed_at(c, key)) : since) +
           zrrsig_wait(c);
}

static sg_time ds_settled_at(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct kasp_key_plan *key = &c->plan->keys[move->key];
    enum key_time seen = move->target == KEY_STATE_OMNIPRESENT ? KEY_DS_PUBLISH : KEY_DS_REMOVED;
    sg_time since = key->times[seen];
    if (since == KEY_TIME_UNSET || since > c->now) {
        return INT64_MAX;
    }
    return begun_at(c, since) + ds_wait(c) + (is_linked(key) ? c->policy->retire_safety : 0);
}

sg_time kasp_settled_at(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct kasp_key_plan *key = &c->plan->keys[move->key];
    ASSERT(move->target == KEY_STATE_OMNIPRESENT || move->target == KEY_STATE_HIDDEN);
    switch (move->record) {
    case KEY_RECORD_ZRRSIG:
        return zrrsig_settled_at(c, move);
    case KEY_RECORD_DS:
        return ds_settled_at(c, move);
    default:
        return begun_at(c, key->state.changes[move->record]) + dnskey_wait(c, key) +
               (move->target == KEY_STATE_OMNIPRESENT ? c->policy->publish_safety : 0);
    }
}

sg_duration kasp_publish_interval(const struct kasp_case *c, const struct kasp_key_plan *key)
{
    return dnskey_ttl(c, key) + c->policy->zone_propagation_delay + c->policy->publish_safety;
}

sg_duration kasp_retire_interval(const struct kasp_case *c, bool ksk, bool zsk)
{
    sg_duration zone = zone_ttl(c) + c->policy->zone_propagation_delay + resign_interval(c);
    sg_duration parent = longer(c->policy->parent_ds_ttl, c->facts->observed.ds_ttl) +
                         c->policy->parent_propagation_delay;
    return longer(zsk ? zone : 0, ksk ? parent : 0) + c->policy->retire_safety;
}

sg_time kasp_sync_time(const struct kasp_case *c, const struct kasp_key_plan *key, bool first)
{
    sg_duration publish = kasp_publish_interval(c, key);
    sg_duration sign = zone_ttl(c) + c->policy->zone_propagation_delay;
    return key->times[KEY_PUBLISH] + (first ? longer(publish, sign) : publish);
}
