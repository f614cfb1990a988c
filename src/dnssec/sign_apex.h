/*
 * dnssec/sign_apex.h - the RRsets that the apex owns in the signed view
 *
 * Ours (DNSKEY, CDS, CDNSKEY, private type) joined with foreign ones of the same type that the
 * source has (other signers' keys; beside a DELETE of ours none stay), the SOA with the serial of
 * the signed zone, NSEC3PARAM. Private to dnssec/.
 */
#pragma once

#include "dns/nsec3_hash.h"
#include "zone/node.h"

struct sign_apex {
    const struct zone_node *node;
    const struct dns_rrset *ours;
    size_t ours_count;
    uint32_t serial;
    const struct nsec3_params *nsec3; /* NULL: no NSEC3PARAM */
};

/*
 * `out_rrsets` (the caller frees) point into `out_bytes`; `out_negative_ttl` is min(SOA TTL, SOA
 * minimum). SG_MALFORMED without an SOA, SG_LIMIT for an RRset that grows too large.
 */
MUST_USE enum sg_result sign_apex_make(const struct sign_apex *apex, struct buffer *out_bytes,
                                       struct dns_rrset **out_rrsets, size_t *out_count,
                                       uint32_t *out_negative_ttl);
