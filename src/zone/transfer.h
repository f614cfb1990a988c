/*
 * zone/transfer.h - the messages of an AXFR or IXFR that came in, into a draft (RFC 5936, 1995)
 *
 * Fed message by message in any thread that owns it; what it makes of them is an edit: a new zone
 * for AXFR (and AXFR-style IXFR), or for IXFR a list of differences to apply to the version that
 * the serial was asked for. A transfer that lies (SOAs that do not match, a deletion of what is not
 * there, an addition of what is there with another TTL, differences that do not chain, records
 * behind the end) is SG_MALFORMED or SG_CONFLICT and nothing was touched. Records out of the zone
 * are passed over, as secondaries do. TSIG is the caller's business. Names may come in any order,
 * and back again, but each return to a large one costs all that it has: a message that does so too
 * often is SG_LIMIT, so that no message takes long.
 *
 *   new SOA, RRs ..., new SOA                                     whole (RFC 5936 2.2)
 *   new SOA, { old SOA, deleted ..., next SOA, added ... }, new SOA  differences (RFC 1995 4)
 *   SOA that is not newer                                         current
 *
 * The SOA alone in one message that is newer: over UDP the answer did not fit and TCP is to be
 * asked (RFC 1995 2), over TCP the rest follows. Here it is ZONE_TRANSFER_UNKNOWN, not complete.
 */
#pragma once

#include "dns/message.h"
#include "zone/edit.h"

struct zone_transfer;

enum zone_transfer_kind {
    ZONE_TRANSFER_UNKNOWN, /* too early to tell */
    ZONE_TRANSFER_CURRENT, /* a SOA that is not newer than the base: nothing to do */
    ZONE_TRANSFER_WHOLE,
    ZONE_TRANSFER_DIFFERENCES,
};

struct zone_transfer_options {
    /* Of all that comes, out of zone or not. */
    uint64_t records_max;           /* 0: none */
    uint64_t bytes_max;             /* of all messages, names not compressed; 0: none */
    uint64_t differences_bytes_max; /* of these, as they are kept; 0: none */
    uint32_t records_per_type_max;  /* of one name; 0: none */
    uint32_t types_per_name_max;    /* 0: none; signatures are of a type for each that they cover */
    /* Leave out what a signer makes, and the private type: Signet signs the zone here. */
    bool strip_generated;
    uint16_t private_type; /* sig-signing-type; 0: none */
};

/* `base` NULL: AXFR was asked for; else IXFR from its source serial. Keeps nothing of it. */
struct zone_transfer *zone_transfer_new(const struct dns_name *apex, uint16_t rrclass,
                                        const struct zone_version *base,
                                        const struct zone_transfer_options *options);
void zone_transfer_free(struct zone_transfer *transfer);
/*
 * One message, header included. SG_OK: go on, or it is complete (`out_complete`). SG_MALFORMED,
 * SG_LIMIT; SG_UNSUPPORTED: the peer answered with an rcode (zone_transfer_rcode()). After a
 * failure, or once it is complete, nothing more is to be fed.
 */
MUST_USE enum sg_result zone_transfer_feed(struct zone_transfer *transfer, struct span message,
                                           bool *out_complete);
uint16_t zone_transfer_rcode(const struct zone_transfer *transfer);
enum zone_transfer_kind zone_transfer_kind(const struct zone_transfer *transfer);
uint32_t zone_transfer_serial(const struct zone_transfer *transfer); /* of the new SOA */

/* For a log line: "records=12 messages=1 bytes=512 out-of-zone=0". */
struct zone_transfer_totals {
    uint64_t messages, records, bytes, out_of_zone;
};
struct zone_transfer_totals zone_transfer_totals(const struct zone_transfer *transfer);

/*
 * What came, once it is complete. WHOLE: the new edit, in a lineage of its own, which the caller
 * seals or abandons. DIFFERENCES: the source layer of `edit`, a draft of the base, is changed;
 * O(differences). SG_CONFLICT: they do not fit the base, and the draft is as it was (ask for
 * AXFR). SG_LIMIT: the edit is to be abandoned.
 *
 * Where the base was taken without records that its signer publishes itself, differences pass over
 * them too: `own` tells which DNSKEY, CDS and CDNSKEY of the apex those are. NULL: none.
 */
struct zone_edit *zone_transfer_take_whole(struct zone_transfer *transfer);
struct zone_transfer_own {
    bool (*is_own)(const void *argument, uint16_t type, struct span rdata);
    const void *argument;
};
MUST_USE enum sg_result zone_transfer_apply(struct zone_transfer *transfer,
                                            const struct zone_transfer_own *own,
                                            struct zone_edit *edit);
