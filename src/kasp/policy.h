/*
 * kasp/policy.h - a dnssec-policy, resolved: every option has its value
 *
 * conf/ fills it; a unit test writes it as a literal. Options, ranges and defaults are those of
 * BIND 9.20, plus our own: signatures-inception-offset.
 */
#pragma once

#include <stdbool.h>

#include "base/time.h"
#include "dnssec/algorithm.h"

enum { KASP_KEYS_MAX = 16, KASP_DIGESTS_MAX = 8, KASP_LIFETIME_UNLIMITED = 0 };

enum kasp_role { KASP_ROLE_KSK = 1, KASP_ROLE_ZSK = 2, KASP_ROLE_CSK = 3 };

struct kasp_key {
    enum kasp_role role;
    char *key_store;   /* owned name of a key-store; NULL: the zone's key-directory */
    uint32_t lifetime; /* seconds; KASP_LIFETIME_UNLIMITED */
    uint8_t algorithm;
    uint16_t bits;
    uint16_t tag_min, tag_max;
};

struct kasp_policy {
    char *name; /* owned */
    struct kasp_key keys[KASP_KEYS_MAX];
    unsigned keys_count; /* 0: "insecure" */
    bool insecure;       /* the built-in of that name */

    bool cdnskey;
    uint8_t cds_digests[KASP_DIGESTS_MAX];
    unsigned cds_digests_count;
    uint32_t dnskey_ttl;
    bool inline_signing;
    bool manual_mode;
    bool offline_ksk;
    uint32_t max_zone_ttl; /* 0: no limit */

    bool nsec3;
    bool nsec3_opt_out;
    uint8_t nsec3_salt_length;

    sg_duration parent_ds_ttl;
    sg_duration parent_propagation_delay;
    sg_duration publish_safety;
    sg_duration purge_keys; /* 0: never */
    sg_duration retire_safety;
    sg_duration signatures_jitter;
    sg_duration signatures_refresh;
    sg_duration signatures_validity;
    sg_duration signatures_validity_dnskey;
    sg_duration signatures_inception_offset;
    sg_duration zone_propagation_delay;
};

/* The built-in policies. The caller frees with kasp_policy_free(). */
struct kasp_policy *kasp_policy_default(void);
struct kasp_policy *kasp_policy_insecure(void);
void kasp_policy_free(struct kasp_policy *policy);
