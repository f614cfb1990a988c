/*
 * dnssec/sign_work.h - the work of signing, as all that sign many names share it
 *
 * First one pass over the draft, or over what changed, lists names; then all workers take ranges
 * of the list, each with a lane (signer, pile, memory) of its own; then the calling thread alone
 * places what they made. While workers run, everything here but lanes, the `made` fields of their
 * own ranges, `failure` and `progress` is read only. Private to dnssec/.
 */
#pragma once

#include "dnssec/sign_name.h"

/* About 80 signatures: between two ranges a helper looks for jobs that are more urgent. */
enum { SIGN_RANGE_NAMES = 32 };

/* Which block of which lane's pile. */
struct sign_made {
    zone_block_ref ref; /* 0: none */
    uint32_t lane;
};

/* An authoritative name, or with NSEC3 an empty non-terminal (`source` NULL). */
struct sign_item {
    const struct zone_block *source;
    uint32_t flags; /* of the zone_node */
    uint32_t owner; /* where in `owners`: one byte of length, then the relative name */
    struct sign_made made;
};

struct nsec3_entry {
    uint8_t hash[NSEC3_HASH_BYTES];
    uint32_t item;
};

struct sign_work {
    struct sign_run run;
    struct worker_pool *pool;
    struct dns_name apex;
    struct dns_rrset *apex_rrsets; /* generated ones, packed in `apex_bytes` */
    size_t apex_count;
    struct buffer apex_bytes;
    struct buffer owners;
    struct sign_item *items; /* in canonical order; the first is the apex */
    size_t items_count, items_max;
    struct nsec3_entry *chain; /* sorted by hash */
    struct sign_made *chain_made;
    size_t chain_count;
    struct sign_lane *lanes;
    bool *lanes_taken; /* atomic, each */
    size_t lanes_count;
    int failure;           /* atomic: the first enum sg_result that was not SG_OK */
    const bool *cancelled; /* of the request */
    struct sign_progress *progress;
};

/*
 * Keys, lanes, and the RRsets of the draft's apex. To be cleared in all cases. SG_BAD_KEY,
 * SG_CONFLICT (keys), SG_MALFORMED (no SOA), SG_LIMIT.
 */
MUST_USE enum sg_result sign_work_begin(struct sign_work *work, const struct zone_version *draft,
                                        const struct sign_request *request,
                                        struct worker_pool *pool);
/* Hand the piles over. Refs within the pile of lane i are to be counted from out_bases[i], which
 * the caller frees. SG_LIMIT. */
MUST_USE enum sg_result sign_work_adopt(struct sign_work *work, struct zone_edit *edit,
                                        zone_block_ref **out_bases);
struct sign_report sign_work_report(const struct sign_work *work); /* of all lanes */
void sign_work_clear(struct sign_work *work);

/* Let step(argument, 0 ..) run for each range of SIGN_RANGE_NAMES among `count`, by all workers if
 * there is more than one. */
void sign_work_share(const struct sign_work *work, size_t count,
                     void (*step)(void *argument, size_t index), void *argument);

/* A free lane for the range that the calling thread is about to do. Never waits: there are as
 * many as threads. */
struct sign_lane *sign_work_take_lane(struct sign_work *work);
void sign_work_return_lane(struct sign_work *work, struct sign_lane *lane);
/* One name, or one NSEC3 RR. */
typedef enum sg_result sign_step(struct sign_work *work, struct sign_lane *lane, size_t index);
/* The steps of range `range` of all `count`, on one lane, until any thread's step has failed. They
 * are progress. */
void sign_work_range(struct sign_work *work, size_t range, size_t count, sign_step *step);
/* Remember a failure; the others stop at their next name. */
void sign_work_fail(struct sign_work *work, enum sg_result result);
/* That somebody has called it off is one. */
bool sign_work_has_failed(struct sign_work *work);

/* The item's absolute owner name. */
void sign_item_owner(const struct sign_work *work, const struct sign_item *item,
                     struct dns_name *out_owner);
struct zone_node sign_item_node(const struct sign_item *item);

/* Hash and sort every item into `chain`. SG_CONFLICT when two names have one hash. */
MUST_USE enum sg_result nsec3_chain_make(struct sign_work *work);
/* The NSEC3 RRs of the chain and their signatures, into `chain_made`. */
void nsec3_chain_sign(struct sign_work *work);
