/*
 * zone/transfer.h - the messages of an AXFR or IXFR that came in, into a draft (RFC 5936, 1995)
 *
 * Fed message by message in any thread that owns it; what it makes of them is an edit: a new zone
 * for AXFR (and AXFR-style IXFR), or for IXFR a list of differences to apply to the version that
 * the serial was asked for. A transfer that lies (SOAs that do not match, records out of zone, a
 * deletion of what is not there, differences that do not chain) is SG_MALFORMED or SG_CONFLICT and
 * nothing was touched. TSIG is the caller's business.
 */
#pragma once

#include "dns/message.h"
#include "zone/edit.h"

struct zone_transfer;

enum zone_transfer_kind {
    ZONE_TRANSFER_UNKNOWN, /* too early to tell */
    ZONE_TRANSFER_CURRENT, /* a single SOA that is not newer: nothing to do */
    ZONE_TRANSFER_WHOLE,
    ZONE_TRANSFER_DIFFERENCES,
};

struct zone_transfer_limits {
    uint64_t records_max; /* 0: none */
    uint64_t bytes_max;   /* of all messages; 0: none */
};

/* `base` NULL: AXFR was asked for; else IXFR from its source serial; referenced meanwhile. */
struct zone_transfer *zone_transfer_new(const struct dns_name *apex, uint16_t rrclass,
                                        const struct zone_version *base,
                                        const struct zone_transfer_limits *limits);
void zone_transfer_free(struct zone_transfer *transfer);
/*
 * One message, header included. SG_OK: go on, or it is complete (`out_complete`). SG_MALFORMED,
 * SG_LIMIT; SG_UNSUPPORTED: the peer answered with an rcode (`out_rcode` of zone_transfer_rcode()).
 */
MUST_USE enum sg_result zone_transfer_feed(struct zone_transfer *transfer, struct span message,
                                           bool *out_complete);
uint16_t zone_transfer_rcode(const struct zone_transfer *transfer);
enum zone_transfer_kind zone_transfer_kind(const struct zone_transfer *transfer);
uint32_t zone_transfer_serial(const struct zone_transfer *transfer); /* of the new SOA */
/*
 * The zone that came, once complete. WHOLE: a new edit in a lineage of its own, which the caller
 * seals or abandons. DIFFERENCES: the source layer of `edit`, a draft of the base, is changed.
 * Generated types are stripped with `strip_generated` (Signet signs it here: bump in the wire).
 * SG_CONFLICT: the differences do not fit the base (ask for AXFR).
 */
MUST_USE enum sg_result zone_transfer_take_whole(struct zone_transfer *transfer,
                                                 bool strip_generated,
                                                 struct zone_edit **out_edit);
MUST_USE enum sg_result zone_transfer_apply(struct zone_transfer *transfer, bool strip_generated,
                                            struct zone_edit *edit);
