/*
 * dnssec/sign_zone.h - sign a whole draft: apex records, denial chain, every signature
 *
 * Works in ranges of names on all workers of a pool; each worker has its own signer and fills its
 * own pile, which the edit adopts: no lock, no copy, no merge. For first signing and for a change
 * of everything; changes go by the incremental path, which shares what signs one name.
 */
#pragma once

#include "base/worker_pool.h"
#include "dnssec/sign.h"
#include "zone/edit.h"

/* A key and what it is used for in this version. */
struct sign_key {
    const struct signing_key *key;
    bool signs_keys; /* DNSKEY, CDS, CDNSKEY */
    bool signs_zone; /* everything else */
};

struct sign_policy {
    sg_duration inception_offset; /* PT1H */
    sg_duration validity;
    sg_duration validity_dnskey;
    sg_duration jitter;
    sg_duration interval; /* until a signature comes in turn again; see expiration.h */
    bool nsec3;
    struct nsec3_params nsec3_params; /* iterations 0; flags bit 0: opt-out; salt */
};

struct sign_keys {
    const struct sign_key *keys;
    size_t count;
};

struct sign_report {
    uint64_t signatures;
    uint64_t names;                /* authoritative names, i.e. those with an NSEC or NSEC3 */
    sg_time expires_first;         /* the earliest expiration of any signature made */
    struct dns_name expires_owner; /* the RRset under that signature */
    uint16_t expires_type;
};

/* How far sign_zone() is, for whoever looks meanwhile: steps, of which each takes about as long. */
struct sign_progress {
    uint64_t done, all; /* atomic, each; all is 0 until it is known */
};

/* How a draft is to be signed. All is borrowed. */
struct sign_request {
    /* What the apex gets in the signed view besides the source's RRsets: DNSKEY, CDS, CDNSKEY,
     * private type. The SOA is taken from the draft; NSEC3PARAM is made here. */
    const struct dns_rrset *apex;
    size_t apex_count;
    const struct sign_keys *keys;
    const struct sign_policy *policy;
    uint32_t serial; /* the signed SOA's */
    sg_time now;
    const bool *cancelled; /* atomic; once true, signing ends with SG_CANCELLED. NULL: never */
    struct sign_progress *progress; /* NULL: nobody looks */
};

/*
 * Sign the draft. Anything generated before is replaced. On failure the edit is to be abandoned.
 * Thread: a worker; `pool` may be NULL.
 */
MUST_USE enum sg_result sign_zone(struct zone_edit *edit, const struct sign_request *request,
                                  struct worker_pool *pool, struct sign_report *out_report);
