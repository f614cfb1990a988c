#include "kasp/keyset.h"

#include <string.h>

/* The role of the whole key, as its state tells. */
static enum kasp_role role_of(const struct signing_key *key)
{
    return (enum kasp_role)((key->state.ksk ? KASP_ROLE_KSK : 0) |
                            (key->state.zsk ? KASP_ROLE_ZSK : 0));
}

static uint16_t revoked_tag(const struct signing_key *key)
{
    uint8_t rdata[KEY_PUBLIC_BYTES_MAX];
    ASSERT(key->dnskey.length >= 4 && key->dnskey.length <= sizeof(rdata));
    memcpy(rdata, key->dnskey.bytes, key->dnskey.length);
    rdata[1] |= KEY_FLAG_REVOKE;
    return dnskey_tag((struct span){rdata, key->dnskey.length});
}

static bool has_passed(sg_time when, sg_time now)
{
    return when != KEY_TIME_UNSET && when <= now;
}

static bool is_revoked(const struct signing_key *key)
{
    return (key->flags & KEY_FLAG_REVOKE) != 0;
}

bool kasp_key_is_over(const struct signing_key *key, sg_time now)
{
    return is_revoked(key) || has_passed(key->times[KEY_INACTIVE], now) ||
           has_passed(key->times[KEY_DELETE], now);
}

bool kasp_key_matches(const struct kasp_key *wanted, const struct signing_key *key)
{
    uint16_t revoked = revoked_tag(key);
    return !is_revoked(key) && key->algorithm == wanted->algorithm && key->bits == wanted->bits &&
           role_of(key) == wanted->role && key->tag >= wanted->tag_min &&
           key->tag <= wanted->tag_max && revoked >= wanted->tag_min && revoked <= wanted->tag_max;
}

/* Durations of RFC 7583 as the policy gives them (reference: key manager, times). */
static sg_duration dnskey_ttl(const struct signing_key *key, const struct kasp_policy *policy)
{
    return key->ttl != 0 ? key->ttl : policy->dnskey_ttl;
}

static sg_duration zone_ttl(const struct kasp_policy *policy)
{
    return policy->max_zone_ttl != 0 ? policy->max_zone_ttl : SG_WEEK;
}

struct adopted {
    enum key_state_value goal, dnskey, zrrsig, ds;
};

static enum key_state_value arrived(sg_time since, sg_duration wait, sg_time now)
{
    return since + wait <= now ? KEY_STATE_OMNIPRESENT : KEY_STATE_RUMOURED;
}

static enum key_state_value gone(sg_time since, sg_duration wait, sg_time now)
{
    return since + wait <= now ? KEY_STATE_HIDDEN : KEY_STATE_UNRETENTIVE;
}

/* Later rules override earlier ones. */
static struct adopted states_from_times(const struct signing_key *key,
                                        const struct kasp_policy *policy, sg_time now)
{
    const sg_time *times = key->times;
    sg_duration key_wait = dnskey_ttl(key, policy) + policy->zone_propagation_delay;
    sg_duration zone_wait = zone_ttl(policy) + policy->zone_propagation_delay;
    sg_duration ds_wait = policy->parent_ds_ttl + policy->parent_propagation_delay;
    struct adopted state = {KEY_STATE_HIDDEN, KEY_STATE_HIDDEN, KEY_STATE_HIDDEN, KEY_STATE_HIDDEN};

    if (has_passed(times[KEY_ACTIVATE], now)) {
        /* What signs has to be published, whenever it was to be: nobody could verify it. */
        state.dnskey = arrived(times[KEY_ACTIVATE], key_wait, now);
        state.zrrsig = arrived(times[KEY_ACTIVATE], zone_wait, now);
        state.goal = KEY_STATE_OMNIPRESENT;
    }
    if (has_passed(times[KEY_PUBLISH], now)) {
        state.dnskey = arrived(times[KEY_PUBLISH], key_wait, now);
        state.goal = KEY_STATE_OMNIPRESENT;
    }
    if (has_passed(times[KEY_SYNC_PUBLISH], now)) {
        state.ds = arrived(times[KEY_SYNC_PUBLISH], ds_wait, now);
        state.goal = KEY_STATE_OMNIPRESENT;
    }
    if (has_passed(times[KEY_INACTIVE], now)) {
        state.zrrsig = gone(times[KEY_INACTIVE], zone_wait, now);
        state.ds = KEY_STATE_UNRETENTIVE;
        state.goal = KEY_STATE_HIDDEN;
    }
    if (has_passed(times[KEY_DELETE], now)) {
        state.dnskey = gone(times[KEY_DELETE], key_wait, now);
        state.zrrsig = KEY_STATE_HIDDEN;
        state.ds = KEY_STATE_HIDDEN;
        state.goal = KEY_STATE_HIDDEN;
    }
    return state;
}

static bool is_in_use(enum key_state_value value)
{
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
}

static bool has_dnskey_in(const struct signing_key *key, const struct kasp_policy *policy,
                          sg_time now)
{
    enum key_state_value value = key->state.records[KEY_RECORD_DNSKEY];
    return is_in_use(value == KEY_STATE_NA ? states_from_times(key, policy, now).dnskey : value);
}

bool kasp_key_is_alone(const struct key_list *keys, size_t index, const struct kasp_policy *policy,
                       sg_time now)
{
    const struct signing_key *key = keys->keys[index];
    if (!has_dnskey_in(key, policy, now)) {
        return keys->count == 1; /* It was made for later, with others or alone. */
    }
    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *other = keys->keys[i];
        bool zsk = other->state.has_roles ? other->state.zsk : (other->flags & KEY_FLAG_SEP) == 0;
        if (i != index && zsk && other->algorithm == key->algorithm &&
            has_dnskey_in(other, policy, now)) {
            return false;
        }
    }
    return true;
}

static bool fill_record(struct key_state *state, enum key_record record, enum key_state_value value,
                        sg_time now)
{
    if (state->records[record] != KEY_STATE_NA) {
        return false;
    }
    state->records[record] = value;
    if (state->changes[record] == KEY_TIME_UNSET) {
        state->changes[record] = now;
    }
    return true;
}

bool kasp_key_adopt(struct signing_key *key, const struct kasp_policy *policy, bool alone,
                    sg_time now)
{
    struct key_state *state = &key->state;
    bool changed = !state->present;

    if (!state->has_roles) {
        state->ksk = (key->flags & KEY_FLAG_SEP) != 0;
        state->zsk = !state->ksk || alone;
        state->has_roles = true;
        changed = true;
    }
    struct adopted adopted = states_from_times(key, policy, now);
    if (state->goal == KEY_STATE_NA) {
        state->goal = adopted.goal;
        changed = true;
    }
    changed |= fill_record(state, KEY_RECORD_DNSKEY, adopted.dnskey, now);
    if (state->ksk) {
        changed |= fill_record(state, KEY_RECORD_KRRSIG, adopted.dnskey, now);
        changed |= fill_record(state, KEY_RECORD_DS, adopted.ds, now);
    }
    if (state->zsk) {
        changed |= fill_record(state, KEY_RECORD_ZRRSIG, adopted.zrrsig, now);
    }
    state->present = true;
    return changed;
}

bool kasp_key_is_unused(const struct signing_key *key)
{
    for (int time = 0; time < KEY_TIMES; time++) {
        if (time != KEY_CREATED && key->times[time] != KEY_TIME_UNSET) {
            return false;
        }
    }
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (key->state.records[record] != KEY_STATE_HIDDEN &&
            key->state.records[record] != KEY_STATE_NA) {
            return false;
        }
    }
    return true;
}

size_t kasp_key_choose(const struct kasp_key *wanted, const struct key_list *keys,
                       const bool *taken)
{
    size_t unused = SIZE_MAX;
    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *key = keys->keys[i];
        if (taken[i] || !kasp_key_matches(wanted, key)) {
            continue;
        }
        if (key->state.goal == KEY_STATE_OMNIPRESENT) {
            return i;
        }
        if (unused == SIZE_MAX && kasp_key_is_unused(key)) {
            unused = i;
        }
    }
    return unused;
}

bool kasp_key_is_gone(const struct signing_key *key, sg_time now)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (key->state.records[record] != KEY_STATE_HIDDEN &&
            key->state.records[record] != KEY_STATE_NA) {
            return false;
        }
    }
    return key->state.present ? key->state.goal == KEY_STATE_HIDDEN && !kasp_key_is_unused(key)
                              : has_passed(key->times[KEY_DELETE], now);
}

/* Ipub, and not before the zone's signatures are everywhere (RFC 7583 3.3.1). */
static sg_time sync_time(const struct kasp_policy *policy, sg_time now)
{
    sg_duration publish =
        policy->dnskey_ttl + policy->zone_propagation_delay + policy->publish_safety;
    sg_duration sign = zone_ttl(policy) + policy->zone_propagation_delay;
    return now + (publish > sign ? publish : sign);
}

bool kasp_key_restart(struct signing_key *key, const struct kasp_policy *policy, sg_time now)
{
    struct key_state *state = &key->state;
    bool restarted = false;
    bool changed = false;
    for (int record = 0; record < KEY_RECORDS; record++) {
        sg_time when = state->changes[record];
        bool waits = record != KEY_RECORD_DS && state->records[record] == KEY_STATE_RUMOURED;
        if (when != KEY_TIME_UNSET && when != now && (waits || when > now)) {
            state->changes[record] = now;
            changed = true;
            restarted |= waits;
        }
    }
    if (restarted && state->ksk && state->records[KEY_RECORD_DS] == KEY_STATE_HIDDEN) {
        key->times[KEY_SYNC_PUBLISH] = sync_time(policy, now);
    }
    return changed;
}

bool kasp_key_is_published(const struct signing_key *key)
{
    return is_in_use(key->state.records[KEY_RECORD_DNSKEY]);
}

bool kasp_key_signs_keys(const struct signing_key *key)
{
    return is_in_use(key->state.records[KEY_RECORD_KRRSIG]);
}

bool kasp_key_signs_zone(const struct signing_key *key)
{
    return is_in_use(key->state.records[KEY_RECORD_ZRRSIG]);
}

bool kasp_key_wants_ds(const struct signing_key *key)
{
    return !is_revoked(key) && is_in_use(key->state.records[KEY_RECORD_DS]);
}

/* By a key that validators can find. */
static bool is_signed_by(const struct key_list *keys, uint8_t algorithm)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *key = keys->keys[i];
        if (key->algorithm == algorithm && kasp_key_is_published(key) && kasp_key_signs_zone(key)) {
            return true;
        }
    }
    return false;
}

static bool has_ds_about(const struct key_list *keys, uint8_t algorithm)
{
    for (size_t i = 0; i < keys->count; i++) {
        enum key_state_value ds = keys->keys[i]->state.records[KEY_RECORD_DS];
        if (keys->keys[i]->algorithm == algorithm && ds != KEY_STATE_NA && ds != KEY_STATE_HIDDEN) {
            return true;
        }
    }
    return false;
}

/* Below a DS no cache may be without its DNSKEY. */
static bool may_begin_at_once(const struct key_list *keys, const struct signing_key *key)
{
    return key->state.records[KEY_RECORD_DNSKEY] == KEY_STATE_OMNIPRESENT ||
           !has_ds_about(keys, key->algorithm);
}

void kasp_keys_appoint_signers(const struct key_list *keys, sg_time now, bool *changed)
{
    for (size_t i = 0; i < keys->count; i++) {
        struct signing_key *key = keys->keys[i];
        struct key_state *state = &key->state;
        if (!state->zsk || state->goal != KEY_STATE_OMNIPRESENT || !kasp_key_is_published(key) ||
            is_signed_by(keys, key->algorithm) || !may_begin_at_once(keys, key)) {
            continue;
        }
        state->records[KEY_RECORD_ZRRSIG] = KEY_STATE_RUMOURED;
        state->changes[KEY_RECORD_ZRRSIG] = now;
        if (!has_passed(key->times[KEY_ACTIVATE], now)) {
            key->times[KEY_ACTIVATE] = now;
        }
        changed[i] = true;
    }
}
