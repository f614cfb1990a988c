#include "kasp/denial.h"

/* RFC 5155 2: DSA and RSASHA1 by their first numbers say that a zone has NSEC. */
static bool knows_nsec_only(uint8_t algorithm)
{
    return algorithm == 1 || algorithm == 3 || algorithm == 5;
}

static bool some_key_knows_nsec_only(const struct key_list *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        enum key_state_value dnskey = keys->keys[i]->state.records[KEY_RECORD_DNSKEY];
        bool is_about = dnskey != KEY_STATE_HIDDEN && dnskey != KEY_STATE_NA;
        if (is_about && knows_nsec_only(keys->keys[i]->algorithm)) {
            return true;
        }
    }
    return false;
}

enum kasp_denial_step kasp_denial_plan(const struct kasp_policy *policy,
                                       const struct key_list *keys,
                                       const struct kasp_denial *current)
{
    if (!current->signed_here) {
        return KASP_DENIAL_STAYS;
    }
    if (!policy->nsec3) {
        return current->nsec3 ? KASP_DENIAL_TO_NSEC : KASP_DENIAL_STAYS;
    }
    if (some_key_knows_nsec_only(keys)) {
        return current->nsec3 ? KASP_DENIAL_TO_NSEC : KASP_DENIAL_WAITS;
    }
    if (!current->nsec3) {
        return KASP_DENIAL_TO_NSEC3;
    }
    /* A salt of the right length stays, whatever it is: it is not made anew at every start. */
    bool same = current->opt_out == policy->nsec3_opt_out && current->iterations == 0 &&
                current->salt_length == policy->nsec3_salt_length;
    return same ? KASP_DENIAL_STAYS : KASP_DENIAL_NEW_CHAIN;
}
