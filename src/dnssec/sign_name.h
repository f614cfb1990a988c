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
    sg_time keep_from; /* a signature that expires before this is made anew */
};
/* Nothing that is valid at `now` is made anew, unless the caller sets another `keep_from`.
 * SG_BAD_KEY without a key for either role, or with one that has no secret; SG_CONFLICT for keys
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
    struct zone_node before; /* what the present name had: its signatures may be kept */
    bool differs;            /* a signature was made or dropped */
    size_t generated_count, generated_max;
    size_t authoritative_count, authoritative_max;
    struct sign_report report;
};
void sign_lane_init(struct sign_lane *lane);
/* Frees the pile as well, unless it was adopted and set to NULL. */
void sign_lane_clear(struct sign_lane *lane);

/* Made is what is there already: nothing is to be placed. */
static const zone_block_ref SIGN_SAME = UINT32_MAX;

struct sign_name {
    const struct dns_name *owner; /* absolute */
    const struct zone_node *node; /* its source, its flags, and whether it still has base's block */
    const struct dns_rrset *apex; /* the apex: what it owns besides, or instead, of its source */
    size_t apex_count;
    const struct dns_name *next;  /* owner of the next NSEC; NULL: no NSEC here */
    const struct zone_node *base; /* the name when it was last signed; NULL: it was not */
};

/*
 * Make the block of one authoritative name: the apex's own RRsets, NSEC, RRSIGs. An RRset that is
 * as it was in `base` keeps the signatures by keys that still sign, and gets those that lack; the
 * SOA is always signed. `out_ref` is 0 where there is nothing to generate (an insecure delegation
 * in an NSEC3 zone), SIGN_SAME where the node has it all. SG_CRYPTO.
 */
MUST_USE enum sg_result sign_name(const struct sign_run *run, struct sign_lane *lane,
                                  const struct sign_name *name, zone_block_ref *out_ref);

/* One NSEC3 RR with its signatures. `node` NULL: an empty non-terminal. */
struct sign_nsec3 {
    const uint8_t *hash, *next_hash; /* NSEC3_HASH_BYTES */
    const struct zone_node *node;
    const struct dns_rrset *apex;
    size_t apex_count;
    const struct zone_node *base; /* in the tree of hashes; NULL: none, or it is not ours */
    bool only_next;               /* base's bitmap is right; `node` is not looked at */
};
/* As sign_name(). SG_MALFORMED: base's NSEC3 is none. */
MUST_USE enum sg_result sign_nsec3(const struct sign_run *run, struct sign_lane *lane,
                                   const struct sign_nsec3 *nsec3, zone_block_ref *out_ref);

/*
 * Look through the signatures that a name of either tree has: those that run->keep_from or the
 * keys condemn are made anew, what is signed stays signed, and NSEC and NSEC3 get run->denial_ttl
 * if they have another; nothing else changes. As sign_name().
 */
MUST_USE enum sg_result sign_again(const struct sign_run *run, struct sign_lane *lane,
                                   const struct dns_name *owner, const struct zone_node *node,
                                   bool nsec3, zone_block_ref *out_ref);
