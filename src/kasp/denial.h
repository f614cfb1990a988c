/*
 * kasp/denial.h - authenticated denial: what the policy wants, beside what the zone has
 */
#pragma once

#include "kasp/keyset.h"

struct kasp_denial {
    bool signed_here; /* else there is nothing to change from */
    bool nsec3;
    bool opt_out;
    uint8_t salt_length;
    uint16_t iterations;
};

enum kasp_denial_step {
    KASP_DENIAL_STAYS,
    KASP_DENIAL_TO_NSEC,
    KASP_DENIAL_TO_NSEC3,  /* with a new salt */
    KASP_DENIAL_NEW_CHAIN, /* NSEC3 with other parameters and a new salt */
    KASP_DENIAL_WAITS      /* a key of an algorithm that knows no NSEC3 is about (RFC 5155 2) */
};

/* Whole chains: the change is one version, so that no cache sees half of one (RFC 5155 10.4). */
enum kasp_denial_step kasp_denial_plan(const struct kasp_policy *policy,
                                       const struct key_list *keys,
                                       const struct kasp_denial *current);
