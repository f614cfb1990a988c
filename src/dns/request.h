/*
 * dns/request.h - the requests that we send to other servers, as bytes
 *
 * SOA, AXFR and IXFR queries (RFC 1034 4.3.5, 5936, 1995), lookups and NOTIFY (RFC 1996), without
 * TSIG; the id is 0 until somebody sends it. Bounded: each fits into DNS_REQUEST_BYTES_MAX,
 * whatever the names. Thread: any.
 */
#pragma once

#include "dns/message.h"
#include "dns/rrtype.h"

enum {
    /* header, question, SOA with two whole names, OPT with EXPIRE; rounded up */
    DNS_REQUEST_BYTES_MAX = 1024,
};

struct dns_request {
    size_t length;
    uint8_t bytes[DNS_REQUEST_BYTES_MAX];
};

/* What the OPT says; `payload` 0: there is none, for servers that do not know EDNS. */
struct dns_request_edns {
    uint16_t payload;
    bool expire; /* ask for the EXPIRE option (RFC 7314) */
};

/* A zone as a request names it. `soa` (rdata, uncompressed) may be empty where it is not needed. */
struct dns_request_zone {
    const struct dns_name *apex;
    uint16_t rrclass;
    struct span soa;
    uint32_t soa_ttl;
};

/* SOA or AXFR, RD clear. */
void dns_request_query(const struct dns_request_zone *zone, uint16_t type,
                       const struct dns_request_edns *edns, struct dns_request *out_request);
/* A question that anybody may be asked, resolvers too: RD set, no EDNS. */
void dns_request_lookup(const struct dns_name *name, uint16_t rrclass, uint16_t type,
                        struct dns_request *out_request);
/* The same with DO and CD: for an answer that is judged by its signatures, by us (RFC 4035 3.2.2).
 */
void dns_request_proof(const struct dns_name *name, uint16_t rrclass, uint16_t type,
                       struct dns_request *out_request);
/* IXFR since the serial of `soa`, which goes into the authority section (RFC 1995 3). */
MUST_USE enum sg_result dns_request_ixfr(const struct dns_request_zone *zone,
                                         const struct dns_request_edns *edns,
                                         struct dns_request *out_request);
/* The new SOA goes into the answer section as a hint (RFC 1996 3.7), unless it is empty. No EDNS:
 * NOTIFY needs none. */
MUST_USE enum sg_result dns_request_notify(const struct dns_request_zone *zone,
                                           struct dns_request *out_request);
