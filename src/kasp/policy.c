#include "kasp/policy.h"

#include <string.h>

#include "base/mem.h"

/* Every default that is the same for the built-in and for a custom policy. */
static struct kasp_policy *policy_with_defaults(const char *name)
{
    struct kasp_policy *policy = mem_alloc_zero(1, sizeof(*policy));

    policy->name = mem_copy_text(name);
    policy->cdnskey = true;
    policy->cds_digests[0] = 2; /* SHA-256, RFC 8624 3.3 */
    policy->cds_digests_count = 1;
    policy->dnskey_ttl = (uint32_t)SG_HOUR;
    policy->inline_signing = true;
    policy->max_zone_ttl = (uint32_t)SG_DAY;
    policy->parent_ds_ttl = SG_DAY;
    policy->parent_propagation_delay = SG_HOUR;
    policy->publish_safety = SG_HOUR;
    policy->purge_keys = 90 * SG_DAY;
    policy->retire_safety = SG_HOUR;
    policy->signatures_jitter = 12 * SG_HOUR;
    policy->signatures_refresh = 5 * SG_DAY;
    policy->signatures_validity = 14 * SG_DAY;
    policy->signatures_validity_dnskey = 14 * SG_DAY;
    policy->signatures_inception_offset = SG_HOUR;
    policy->zone_propagation_delay = 5 * SG_MINUTE;
    return policy;
}

struct kasp_policy *kasp_policy_default(void)
{
    struct kasp_policy *policy = policy_with_defaults("default");

    policy->keys[0] = (struct kasp_key){
        .role = KASP_ROLE_CSK,
        .lifetime = KASP_LIFETIME_UNLIMITED,
        .algorithm = DNSSEC_ECDSAP256SHA256,
        .bits = 256,
        .tag_min = 0,
        .tag_max = UINT16_MAX,
    };
    policy->keys_count = 1;
    return policy;
}

struct kasp_policy *kasp_policy_insecure(void)
{
    struct kasp_policy *policy = policy_with_defaults("insecure");

    policy->insecure = true;
    policy->max_zone_ttl = 0;
    return policy;
}

void kasp_policy_free(struct kasp_policy *policy)
{
    if (policy == NULL) {
        return;
    }
    for (unsigned i = 0; i < policy->keys_count; i++) {
        mem_free(policy->keys[i].key_store);
    }
    mem_free(policy->name);
    mem_free(policy);
}
