#include <string.h>

#include "base/random.h"
#include "keeper/zone_aside.h"
#include "keeper/zone_steps.h"

/* A salt of the right length is kept: a new one costs every signature of the chain. */
bool zone_denial_is_kept(const struct kasp_policy *policy, const struct zone_version *before)
{
    const struct zone_facts *facts = before == NULL ? NULL : zone_version_facts(before);
    return facts != NULL && facts->denial == ZONE_DENIAL_NSEC3 &&
           facts->nsec3.salt_length == policy->nsec3_salt_length && facts->nsec3.iterations == 0;
}

static void choose_denial(const struct zone_signing *signing, struct sign_policy *policy)
{
    const struct kasp_policy *kasp = signing->policy;
    if (signing->keeps_chain) {
        const struct zone_facts *facts = zone_version_facts(signing->before);
        policy->nsec3 = facts->denial == ZONE_DENIAL_NSEC3;
        policy->nsec3_params = facts->nsec3;
        policy->nsec3_params.flags = facts->opt_out ? 1 : 0;
        return;
    }
    policy->nsec3 = signing->keys->nsec3;
    if (!policy->nsec3) {
        return;
    }
    if (zone_denial_is_kept(kasp, signing->before)) {
        policy->nsec3_params = zone_version_facts(signing->before)->nsec3;
    } else {
        policy->nsec3_params =
            (struct nsec3_params){.algorithm = 1, .salt_length = kasp->nsec3_salt_length};
        if (signing->keys->salt != NULL) {
            memcpy(policy->nsec3_params.salt, signing->keys->salt, kasp->nsec3_salt_length);
        } else {
            random_bytes(policy->nsec3_params.salt, kasp->nsec3_salt_length);
        }
    }
    policy->nsec3_params.flags = kasp->nsec3_opt_out ? 1 : 0;
}

struct zone_signing zone_signing_of(const struct zone_job *job)
{
    const struct zone_version *before = zone_aside_base(job);
    return (struct zone_signing){
        .policy = job->settings->policy,
        .keys = job->lent.keys,
        .before = before,
        .keeps_chain =
            !job->made.keys_looked_at && before != NULL && zone_version_facts(before)->signed_here,
        .now = job->now,
    };
}

void zone_sign_request(const struct zone_signing *signing, uint32_t serial,
                       struct sign_policy *policy, struct sign_keys *keys,
                       struct sign_request *out_request)
{
    const struct kasp_policy *kasp = signing->policy;
    *policy = (struct sign_policy){
        .inception_offset = kasp->signatures_inception_offset,
        .validity = kasp->signatures_validity,
        .validity_dnskey = kasp->signatures_validity_dnskey,
        .jitter = kasp->signatures_jitter,
        .interval = kasp->signatures_validity - kasp->signatures_refresh,
    };
    choose_denial(signing, policy);
    *keys = (struct sign_keys){signing->keys->sign, signing->keys->sign_count};
    *out_request = (struct sign_request){
        .apex = signing->keys->apex.rrsets,
        .apex_count = signing->keys->apex.count,
        .keys = keys,
        .policy = policy,
        .serial = serial,
        .now = signing->now,
    };
}
