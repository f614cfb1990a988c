#include "kasp/parent.h"

#include "kasp/timing.h"

static void restart(struct kasp_case *c, struct kasp_key_plan *key, enum key_state_value value)
{
    key->state.records[KEY_RECORD_DS] = value;
    key->state.changes[KEY_RECORD_DS] = c->now;
    key->times[value == KEY_STATE_RUMOURED ? KEY_DS_PUBLISH : KEY_DS_REMOVED] = KEY_TIME_UNSET;
    key->changed = true;
}

/*
 * The parent did what was asked for; or it did and has undone it, perhaps between two looks: then
 * what is so now is younger than what was noted.
 */
static void follow(struct kasp_case *c, struct kasp_key_plan *key, enum key_time done,
                   const struct kasp_key_facts *facts, enum kasp_sighting asked)
{
    sg_time noted = key->times[done];
    bool turns_back = kasp_has_rule(c, KASP_RULE_TURNBACK) && noted != KEY_TIME_UNSET &&
                      (facts->ds == asked ? facts->ds_at : facts->ds_asked_at) > noted;
    if (turns_back) {
        restart(c, key, key->state.records[KEY_RECORD_DS]);
    }
    if (facts->ds != asked || (noted != KEY_TIME_UNSET && !turns_back)) {
        return;
    }
    /* What was so before the change may have been otherwise between two looks. */
    sg_time change = key->state.changes[KEY_RECORD_DS];
    bool stale = kasp_has_rule(c, KASP_RULE_SIGHTING) && facts->ds_at < change;
    key->times[done] = stale ? facts->ds_asked_at : facts->ds_at;
    key->changed = true;
}

/* Is a settled state not what the parent shows, or was it otherwise since it was noted? */
static bool is_undone(const struct kasp_key_plan *key, enum key_time done,
                      const struct kasp_key_facts *facts, enum kasp_sighting asked)
{
    return facts->ds != asked ||
           (key->times[done] != KEY_TIME_UNSET && facts->ds_at > key->times[done]);
}

static void see_key(struct kasp_case *c, struct kasp_key_plan *key,
                    const struct kasp_key_facts *facts)
{
    enum key_state_value ds = key->state.records[KEY_RECORD_DS];
    bool turns_back = kasp_has_rule(c, KASP_RULE_TURNBACK);
    bool is_old = facts->ds_asked_at < key->state.changes[KEY_RECORD_DS];
    bool leaves =
        key->state.goal == KEY_STATE_HIDDEN && kasp_is_in(key->state.records[KEY_RECORD_DNSKEY]);
    if (facts->ds == KASP_DS_UNKNOWN || (is_old && kasp_has_rule(c, KASP_RULE_SIGHTING))) {
        return;
    }
    if (ds == KEY_STATE_RUMOURED) {
        follow(c, key, KEY_DS_PUBLISH, facts, KASP_DS_SEEN);
    } else if (ds == KEY_STATE_UNRETENTIVE) {
        follow(c, key, KEY_DS_REMOVED, facts, KASP_DS_MISSING);
    } else if (ds == KEY_STATE_OMNIPRESENT && turns_back &&
               is_undone(key, KEY_DS_PUBLISH, facts, KASP_DS_SEEN)) {
        restart(c, key, KEY_STATE_RUMOURED);
    } else if (ds == KEY_STATE_HIDDEN && turns_back && leaves &&
               is_undone(key, KEY_DS_REMOVED, facts, KASP_DS_MISSING)) {
        restart(c, key, KEY_STATE_UNRETENTIVE);
    }
}

void kasp_see_parent(struct kasp_case *c)
{
    for (size_t i = 0; i < c->plan->count && c->facts->keys != NULL; i++) {
        if (c->plan->keys[i].state.ksk) {
            see_key(c, &c->plan->keys[i], &c->facts->keys[i]);
        }
    }
}

void kasp_doubt_parent(struct kasp_case *c)
{
    for (size_t i = 0; i < c->plan->count; i++) {
        struct kasp_key_plan *key = &c->plan->keys[i];
        if (key->state.goal == KEY_STATE_HIDDEN && kasp_ds_is_unknown(c, i)) {
            restart(c, key, KEY_STATE_UNRETENTIVE);
        }
    }
}

enum sg_result kasp_note_ds(struct signing_key *key, enum kasp_sighting ds, sg_time when)
{
    enum key_state_value state = key->state.records[KEY_RECORD_DS];
    bool published = ds == KASP_DS_SEEN;
    ASSERT(ds != KASP_DS_UNKNOWN);
    if (!key->state.ksk || state != (published ? KEY_STATE_RUMOURED : KEY_STATE_UNRETENTIVE)) {
        return SG_CONFLICT;
    }
    sg_time change = key->state.changes[KEY_RECORD_DS];
    key->times[published ? KEY_DS_PUBLISH : KEY_DS_REMOVED] = when < change ? change : when;
    return SG_OK;
}

enum sg_result kasp_roll_key(const struct kasp_policy *policy, struct signing_key *key,
                             sg_time when)
{
    const struct kasp_facts facts = {.keys = NULL};
    const struct kasp_case c = {.policy = policy, .facts = &facts, .rules = KASP_RULES_ALL};
    const struct kasp_key_plan planned = {.key = key};
    if (key->state.goal != KEY_STATE_OMNIPRESENT || !kasp_key_is_published(key) ||
        key->times[KEY_ACTIVATE] == KEY_TIME_UNSET) {
        return SG_CONFLICT;
    }
    key->times[KEY_INACTIVE] = when + kasp_publish_interval(&c, &planned);
    /* Else the end of a longer life would be told, or none. */
    key->times[KEY_DELETE] =
        key->times[KEY_INACTIVE] + kasp_retire_interval(&c, key->state.ksk, key->state.zsk);
    return SG_OK;
}
