/*
 * zone/cds_fit.h - do a zone's CDS and CDNSKEY go with its DNSKEY?
 *
 * A parent takes a DS only for an algorithm that signs the zone (RFC 7344 4.1), and a DELETE only
 * where it stands alone (RFC 8078 4). What a zone has is gathered record by record, from wherever
 * it comes: a file, an update, the signer.
 */
#pragma once

#include "base/buffer.h"

/* The algorithms of an RRset, one bit each. */
struct cds_algorithms {
    uint64_t bits[4];
    unsigned count; /* RRs */
    unsigned deletes;
};
#define CDS_ALGORITHMS_NONE ((struct cds_algorithms){{0}, 0, 0})

/* `type`: CDS, CDNSKEY or DNSKEY; nothing is noted of others, and of rdata that is too short. */
void cds_note(struct cds_algorithms *algorithms, uint16_t type, struct span rdata);

/* Of CDS or CDNSKEY: is each of an algorithm of `keys`, or is there one DELETE alone? An empty set
 * fits. */
bool cds_is_fit(const struct cds_algorithms *set, const struct cds_algorithms *keys);
