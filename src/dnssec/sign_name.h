/*
 * dnssec/sign_name.h - everything that Signet generates for one owner name, as one block
 *
 * Whole-zone signing and changes of single names both come here, so that a name looks the same
 * however it was signed. Private to dnssec/.
 */
#pragma once

#include "base/random.h"
#include "dns/nsec3_hash.h"
#include "dnssec/sign_zone.h"

/* What is the same for all names of one signing. Shared by all workers, read only. */
struct sign_run {
    const struct dns_name *apex;
    const struct sign_policy *policy;
    struct sign_key *keys; /* by algorithm and tag, which is the canonical order of the RRSIGs */
    size_t keys_count;
    uint32_t denial_ttl; /* of NSEC and NSEC3 */
    sg_time now;
};
/* SG_BAD_KEY without a key for either role, or with one that has no secret; SG_CONFLICT for keys
 * that do not go together with NSEC3 or with each other. */
MUST_USE enum sg_result sign_run_init(struct sign_run *run, const struct dns_name *apex,
                                      const struct sign_keys *keys,
                                      const struct sign_policy *policy, sg_time now);
void sign_run_clear(struct sign_run *run);

/* A list of RRsets whose rdata may still move: `at` is where it begins in the lane's bytes. */
struct sign_rrset {
    struct dns_rrset rrset;
    size_t at; /* SIZE_MAX: rrset.packed is right as it is */
};

/* One worker's own workbench: memory that is used again for each name. */
struct sign_lane {
    struct signer *signer;
    struct zone_pile *pile;
    struct nsec3_hasher *hasher;
    struct random_seeded jitter;
    struct buffer bytes; /* packed rdata of what is being generated */
    struct sign_rrset *generated;
    struct dns_rrset *authoritative; /* what the name owns and what its bitmap tells */
    struct dns_rrset *block;
    uint16_t *types;
    size_t generated_count, generated_max;
    size_t authoritative_count, authoritative_max;
    struct sign_report report;
};
void sign_lane_init(struct sign_lane *lane);
/* Frees the pile as well, unless it was adopted and set to NULL. */
void sign_lane_clear(struct sign_lane *lane);

struct sign_name {
    const struct dns_name *owner; /* absolute */
    const struct zone_node *node; /* only its source block and flags are looked at */
    const struct dns_rrset *apex; /* the apex: what it owns besides, or instead, of its source */
    size_t apex_count;
    const struct dns_name *next; /* owner of the next NSEC; NULL: no NSEC here */
};

/*
 * Make the block of one authoritative name: the apex's own RRsets, NSEC, RRSIGs. `out_ref` is 0
 * where there is nothing to generate (an insecure delegation in an NSEC3 zone). SG_CRYPTO.
 */
MUST_USE enum sg_result sign_name(const struct sign_run *run, struct sign_lane *lane,
                                  const struct sign_name *name, zone_block_ref *out_ref);

/* One NSEC3 RR with its signatures. `node` NULL: an empty non-terminal. */
struct sign_nsec3 {
    const uint8_t *hash, *next_hash; /* NSEC3_HASH_BYTES */
    const struct zone_node *node;
    const struct dns_rrset *apex;
    size_t apex_count;
};
MUST_USE enum sg_result sign_nsec3(const struct sign_run *run, struct sign_lane *lane,
                                   const struct sign_nsec3 *nsec3, zone_block_ref *out_ref);
