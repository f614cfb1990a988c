/*
 * dns/trust_chain.h - is it true what a server says of a zone's DS? The chain from a trust anchor
 * to it: which answers are needed, and whether they prove it (RFC 4035 5)
 *
 *   DS of the zone -- signed by test. --> DNSKEY of test.  an anchor: done
 *                                          '-> DS of test. -- signed by the root --> DNSKEY of .
 * ...
 *
 * Collected from the zone upwards, where the signatures point; judged from the anchor downwards, in
 * one go, since a signature costs time. Each answer may come from anybody: nothing counts but
 * signatures, and no AD bit is looked at. A zone on the way whose DS is proven to be absent proves
 * nothing either. Bounded: TRUST_CHAIN_ZONES_MAX zones, one message of at most 64 KiB for each
 * answer, and within it what signed_rrset.h and nodata_proof.h bound.
 *
 * Thread: one at a time.
 */
#pragma once

#include "base/time.h"
#include "dns/message.h"

enum { TRUST_CHAIN_ZONES_MAX = 16 };

/* DS or DNSKEY of a zone, known from the configuration. */
struct trust_anchor {
    struct dns_name zone; /* lower case */
    uint16_t type;
    struct span rdata; /* well formed */
};

struct trust_anchors {
    const struct trust_anchor *anchors;
    size_t count;
};

/* Is one of them above `zone`, so that its DS can be proven? */
bool trust_anchors_reach(const struct trust_anchors *anchors, const struct dns_name *zone);

struct trust_chain;

/* For the DS of `zone`. Those anchors that are of use are copied. */
struct trust_chain *trust_chain_new(const struct dns_name *zone,
                                    const struct trust_anchors *anchors);
void trust_chain_free(struct trust_chain *chain); /* NULL is fine */

/* What has to be asked next, and then told to trust_chain_heard(); at first the DS of the zone.
 * False: nothing more. The name is borrowed until that. */
bool trust_chain_next(const struct trust_chain *chain, const struct dns_name **out_name,
                      uint16_t *out_type);
/* SG_OK and the message, which answers that question and is copied; or why there is none:
 * SG_NOT_FOUND where there is nobody to ask. */
void trust_chain_heard(struct trust_chain *chain, enum sg_result result,
                       const struct dns_message *message);

/* Judge what was collected; only when there is nothing more to ask. Takes milliseconds. */
void trust_chain_judge(struct trust_chain *chain, sg_time now);

/* Judged, and it is true. */
bool trust_chain_is_proven(const struct trust_chain *chain);
/* Why it is not: in operators' words, borrowed; NULL: it is, or nothing is known yet. */
const char *trust_chain_problem(const struct trust_chain *chain);
/* The TTL of the DS as it was signed; 0 where it is proven that there is none. */
uint32_t trust_chain_ttl(const struct trust_chain *chain);
/* The first answer, which all this is about: empty before. Borrowed from the chain. */
struct span trust_chain_answer(const struct trust_chain *chain);
