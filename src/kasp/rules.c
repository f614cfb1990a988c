/*
 * The versions of an RRset that caches may hold are told by the instants at which records came and
 * went: a record that is rumoured is in those from its change on, one that is unretentive in those
 * before it, and one that is omnipresent in all.
 */
#include "kasp/rules.h"

#define BEFORE_ALL ((sg_time)INT64_MIN)

enum { VERSIONS_MAX = 2 * KASP_PLAN_KEYS_MAX + 1 };

/* States as they are, or as they would be after a move. */
struct outlook {
    const struct kasp_case *c;
    const struct kasp_move *move; /* NULL: as they are */
    uint8_t algorithm;
};

static enum key_state_value value_of(const struct outlook *o, size_t key, enum key_record record)
{
    if (o->move != NULL && o->move->key == key && o->move->record == record) {
        return o->move->target;
    }
    return o->c->plan->keys[key].state.records[record];
}

static sg_time change_of(const struct outlook *o, size_t key, enum key_record record)
{
    if (o->move != NULL && o->move->key == key && o->move->record == record) {
        return o->c->now;
    }
    return o->c->plan->keys[key].state.changes[record];
}

static bool is_of(const struct outlook *o, size_t key)
{
    return o->c->plan->keys[key].key->algorithm == o->algorithm;
}

/* Is the record in the version that was made at `version`? */
static bool is_in_version(const struct outlook *o, size_t key, enum key_record record,
                          sg_time version)
{
    switch (value_of(o, key, record)) {
    case KEY_STATE_OMNIPRESENT:
        return true;
    case KEY_STATE_RUMOURED:
        return version != BEFORE_ALL && version >= change_of(o, key, record);
    case KEY_STATE_UNRETENTIVE:
        return version == BEFORE_ALL || version < change_of(o, key, record);
    default:
        return false;
    }
}

static size_t add_versions(const struct outlook *o, enum key_record record, sg_time *versions,
                           size_t count)
{
    for (size_t i = 0; i < o->c->plan->count; i++) {
        enum key_state_value value = value_of(o, i, record);
        if (is_of(o, i) && (value == KEY_STATE_RUMOURED || value == KEY_STATE_UNRETENTIVE)) {
            versions[count++] = change_of(o, i, record);
        }
    }
    return count;
}

/* ---- the rules that hold or do not ---- */

static bool has_ds(const struct outlook *o, enum key_state_value value)
{
    for (size_t i = 0; i < o->c->plan->count; i++) {
        if (is_of(o, i) && value_of(o, i, KEY_RECORD_DS) == value) {
            return true;
        }
    }
    return false;
}

/* What nobody knows is judged as the states are: a DNSKEY that is to come has no DS yet. */
static bool may_have_ds(const struct outlook *o, size_t key)
{
    return kasp_is_about(value_of(o, key, KEY_RECORD_DS)) || kasp_ds_is_unknown(o->c, key);
}

static bool ds_is_about(const struct outlook *o)
{
    for (size_t i = 0; i < o->c->plan->count; i++) {
        if (is_of(o, i) && may_have_ds(o, i)) {
            return true;
        }
    }
    return false;
}

static bool is_entry(const struct outlook *o, size_t key, sg_time version)
{
    return is_in_version(o, key, KEY_RECORD_DNSKEY, version) &&
           is_in_version(o, key, KEY_RECORD_KRRSIG, version);
}

/* A DS that every cache has opens this version; otherwise each one that may be alone must. */
static bool version_is_opened(const struct outlook *o, bool certain, sg_time version)
{
    for (size_t i = 0; i < o->c->plan->count; i++) {
        enum key_state_value ds = value_of(o, i, KEY_RECORD_DS);
        if (!is_of(o, i)) {
            continue;
        }
        if (certain && ds == KEY_STATE_OMNIPRESENT && is_entry(o, i, version)) {
            return true;
        }
        if (!certain && may_have_ds(o, i) && !is_entry(o, i, version)) {
            return false;
        }
    }
    return !certain;
}

static bool dnskey_holds(const struct outlook *o)
{
    sg_time versions[VERSIONS_MAX] = {BEFORE_ALL};
    size_t count = add_versions(o, KEY_RECORD_DNSKEY, versions, 1);
    count = add_versions(o, KEY_RECORD_KRRSIG, versions, count);
    bool certain = has_ds(o, KEY_STATE_OMNIPRESENT);
    for (size_t v = 0; v < count; v++) {
        if (!version_is_opened(o, certain, versions[v])) {
            return false;
        }
    }
    return true;
}

static bool pair_verifies(const struct outlook *o, sg_time dnskey, sg_time rrsig)
{
    for (size_t i = 0; i < o->c->plan->count; i++) {
        if (is_of(o, i) && is_in_version(o, i, KEY_RECORD_DNSKEY, dnskey) &&
            is_in_version(o, i, KEY_RECORD_ZRRSIG, rrsig)) {
            return true;
        }
    }
    return false;
}

static bool rrsig_holds(const struct outlook *o)
{
    sg_time dnskeys[VERSIONS_MAX] = {BEFORE_ALL};
    sg_time rrsigs[VERSIONS_MAX] = {BEFORE_ALL};
    size_t dnskeys_count = add_versions(o, KEY_RECORD_DNSKEY, dnskeys, 1);
    size_t rrsigs_count = add_versions(o, KEY_RECORD_ZRRSIG, rrsigs, 1);
    if (!ds_is_about(o)) {
        return true;
    }
    bool holds = true;
    for (size_t d = 0; d < dnskeys_count; d++) {
        for (size_t r = 0; r < rrsigs_count && holds; r++) {
            holds = pair_verifies(o, dnskeys[d], rrsigs[r]);
        }
    }
    return holds;
}

static bool chain_holds(const struct outlook *o)
{
    for (size_t i = 0; i < o->c->plan->count; i++) {
        if (kasp_is_in(value_of(o, i, KEY_RECORD_DS))) {
            return true;
        }
    }
    return o->c->policy->keys_count == 0; /* going insecure is what is wanted */
}

static bool rule_forbids(const struct kasp_case *c, const struct kasp_move *move,
                         bool (*holds)(const struct outlook *o))
{
    uint8_t algorithm = c->plan->keys[move->key].key->algorithm;
    const struct outlook after = {c, move, algorithm};
    if (holds(&after)) {
        return false;
    }
    const struct outlook now = {c, NULL, algorithm};
    /* States that somebody else left: they mend by coming and by time, not by withdrawal. */
    return holds(&now) || move->target == KEY_STATE_UNRETENTIVE;
}

/* ---- the rules about moves ---- */

static const struct key_state *state_of(const struct kasp_case *c, const struct kasp_move *move)
{
    return &c->plan->keys[move->key].state;
}

/* Does another key, one that is published, sign the same? */
static bool has_signer(const struct kasp_case *c, size_t key, enum key_record record)
{
    const struct kasp_plan *plan = c->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const enum key_state_value *records = plan->keys[i].state.records;
        if (i != key && plan->keys[i].key->algorithm == plan->keys[key].key->algorithm &&
            kasp_is_in(records[record]) && kasp_is_in(records[KEY_RECORD_DNSKEY])) {
            return true;
        }
    }
    return false;
}

/* Does another key, one that is published, stay? */
static bool algorithm_stays(const struct kasp_case *c, size_t key)
{
    const struct kasp_plan *plan = c->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct key_state *state = &plan->keys[i].state;
        if (i != key && plan->keys[i].key->algorithm == plan->keys[key].key->algorithm &&
            kasp_is_in(state->records[KEY_RECORD_DNSKEY]) && state->goal == KEY_STATE_OMNIPRESENT) {
            return true;
        }
    }
    return false;
}

/* Who signs the zone is published as long as it does, and the last who signs keys: such a DNSKEY
 * goes with the last one of the algorithm. */
static bool is_needed_signer(const struct kasp_case *c, size_t key)
{
    const enum key_state_value *records = c->plan->keys[key].state.records;
    return kasp_is_in(records[KEY_RECORD_ZRRSIG]) ||
           (kasp_is_in(records[KEY_RECORD_KRRSIG]) && !has_signer(c, key, KEY_RECORD_KRRSIG));
}

static bool algorithm_is_published(const struct kasp_plan *plan, uint8_t algorithm)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->keys[i].key->algorithm == algorithm &&
            kasp_is_in(plan->keys[i].state.records[KEY_RECORD_DNSKEY])) {
            return true;
        }
    }
    return false;
}

/* Keys of both roles are there to be introduced together. */
static bool algorithm_is_manned(const struct kasp_plan *plan, uint8_t algorithm)
{
    bool ksk = false;
    bool zsk = false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct key_state *state = &plan->keys[i].state;
        if (plan->keys[i].key->algorithm == algorithm && state->goal == KEY_STATE_OMNIPRESENT) {
            ksk |= state->ksk;
            zsk |= state->zsk;
        }
    }
    return ksk && zsk;
}

static bool is_complete(const struct kasp_case *c, const struct kasp_move *move)
{
    uint8_t algorithm = c->plan->keys[move->key].key->algorithm;
    bool published = algorithm_is_published(c->plan, algorithm);
    if (move->record == KEY_RECORD_DS) {
        return true;
    }
    if (move->record == KEY_RECORD_DNSKEY && move->target == KEY_STATE_RUMOURED) {
        return published || algorithm_is_manned(c->plan, algorithm);
    }
    if (move->record == KEY_RECORD_DNSKEY) {
        return move->target != KEY_STATE_UNRETENTIVE || !algorithm_stays(c, move->key) ||
               !is_needed_signer(c, move->key);
    }
    return move->target != KEY_STATE_UNRETENTIVE || !published ||
           has_signer(c, move->key, move->record);
}

static bool is_everywhere(const struct key_state *state, enum key_record record)
{
    return state->records[record] == KEY_STATE_OMNIPRESENT;
}

/* The first DS of an algorithm asks for more than a mix that happens to verify. */
static bool zone_is_signed_everywhere(const struct kasp_plan *plan, uint8_t algorithm)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct key_state *state = &plan->keys[i].state;
        if (plan->keys[i].key->algorithm == algorithm && is_everywhere(state, KEY_RECORD_DNSKEY) &&
            is_everywhere(state, KEY_RECORD_ZRRSIG)) {
            return true;
        }
    }
    return false;
}

static bool ds_is_wanted(const struct kasp_plan *plan, uint8_t algorithm)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->keys[i].key->algorithm == algorithm &&
            kasp_is_in(plan->keys[i].state.records[KEY_RECORD_DS])) {
            return true;
        }
    }
    return false;
}

static bool ds_may_come(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct key_state *state = state_of(c, move);
    uint8_t algorithm = c->plan->keys[move->key].key->algorithm;
    return is_everywhere(state, KEY_RECORD_DNSKEY) && is_everywhere(state, KEY_RECORD_KRRSIG) &&
           (ds_is_wanted(c->plan, algorithm) || zone_is_signed_everywhere(c->plan, algorithm));
}

/* Validators come from a DS to the algorithm: what they know of its keys counts. */
static bool leads_somewhere(const struct kasp_case *c, size_t key)
{
    const struct outlook now = {c, NULL, c->plan->keys[key].key->algorithm};
    return has_ds(&now, KEY_STATE_RUMOURED) || has_ds(&now, KEY_STATE_OMNIPRESENT) ||
           has_ds(&now, KEY_STATE_UNRETENTIVE);
}

static bool is_its_turn(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct key_state *state = state_of(c, move);
    if (move->target != KEY_STATE_RUMOURED) {
        return true;
    }
    switch (move->record) {
    case KEY_RECORD_KRRSIG:
        return kasp_is_in(state->records[KEY_RECORD_DNSKEY]);
    case KEY_RECORD_ZRRSIG:
        return is_everywhere(state, KEY_RECORD_DNSKEY) ||
               (!has_signer(c, move->key, move->record) && !leads_somewhere(c, move->key));
    case KEY_RECORD_DS:
        return ds_may_come(c, move);
    default:
        return true;
    }
}

static bool parent_may_turn_back(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct key_state *state = state_of(c, move);
    return move->target == KEY_STATE_UNRETENTIVE &&
           (move->record == KEY_RECORD_DNSKEY || move->record == KEY_RECORD_KRRSIG) &&
           (kasp_is_about(state->records[KEY_RECORD_DS]) || kasp_ds_is_unknown(c, move->key));
}

bool kasp_finishes_first(const struct kasp_case *c, size_t key, enum key_record record)
{
    const struct kasp_key_plan *planned = &c->plan->keys[key];
    return record != KEY_RECORD_DS &&
           (record == KEY_RECORD_DNSKEY || kasp_is_in(planned->state.records[KEY_RECORD_DNSKEY])) &&
           kasp_has_ds_about(c, planned->key->algorithm);
}

static bool is_halfway(const struct kasp_case *c, const struct kasp_move *move)
{
    return move->target == KEY_STATE_UNRETENTIVE &&
           state_of(c, move)->records[move->record] == KEY_STATE_RUMOURED &&
           kasp_finishes_first(c, move->key, move->record);
}

enum kasp_rule kasp_rule_against(const struct kasp_case *c, const struct kasp_move *move)
{
    const struct {
        enum kasp_rule rule;
        bool forbids;
    } rules[] = {
        {KASP_RULE_TURN, !is_its_turn(c, move)},
        {KASP_RULE_HALFWAY, is_halfway(c, move)},
        {KASP_RULE_PARENT, parent_may_turn_back(c, move)},
        {KASP_RULE_COMPLETE, !is_complete(c, move)},
        {KASP_RULE_CHAIN, move->record == KEY_RECORD_DS && rule_forbids(c, move, chain_holds)},
        {KASP_RULE_DNSKEY, rule_forbids(c, move, dnskey_holds)},
        {KASP_RULE_RRSIG, rule_forbids(c, move, rrsig_holds)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].forbids && kasp_has_rule(c, rules[i].rule)) {
            return rules[i].rule;
        }
    }
    return KASP_RULES;
}

bool kasp_chain_is_in_place(const struct kasp_plan *plan, uint8_t algorithm)
{
    for (size_t i = 0; i < plan->count; i++) {
        enum key_state_value ds = plan->keys[i].state.records[KEY_RECORD_DS];
        if (plan->keys[i].key->algorithm == algorithm &&
            (ds == KEY_STATE_OMNIPRESENT || ds == KEY_STATE_UNRETENTIVE)) {
            return true;
        }
    }
    return false;
}

bool kasp_ds_is_unknown(const struct kasp_case *c, size_t key)
{
    const struct kasp_key_plan *planned = &c->plan->keys[key];
    bool is_revoked = (planned->key->flags & KEY_FLAG_REVOKE) != 0; /* No DS leads to it. */
    return kasp_has_rule(c, KASP_RULE_STRANGER) && planned->state.ksk && !is_revoked &&
           planned->state.records[KEY_RECORD_DS] == KEY_STATE_HIDDEN &&
           planned->times[KEY_DS_REMOVED] == KEY_TIME_UNSET &&
           kasp_is_in(planned->state.records[KEY_RECORD_DNSKEY]);
}

bool kasp_has_ds_about(const struct kasp_case *c, uint8_t algorithm)
{
    const struct outlook now = {c, NULL, algorithm};
    return ds_is_about(&now);
}
