/*
 * answer/ixfr.h - differences of a zone as a stream of messages (RFC 1995)
 *
 * Streams the public entries of a chain of changesets, oldest first: new SOA, then for each
 * difference old SOA, deletions, new SOA, additions, then the new SOA. With more than one changeset
 * the chain is condensed into one difference (RFC 1995 5: what was added and deleted again is
 * not told) if that is the smaller answer. Holds references to the links, and none to the version.
 */
#pragma once

#include "answer/axfr.h"
#include "zone/history.h"

struct ixfr;
/*
 * `links` are taken (their references too, not the array). `version` is what they lead to; it is
 * read now, and not held.
 * SG_MALFORMED: they do not lead there, SG_LIMIT: larger than the whole zone (times
 * `ratio_percent`, 0: no limit); then answer with AXFR; the links have been given back.
 */
MUST_USE enum sg_result ixfr_new(const struct zone_version *version,
                                 const struct zone_history_link *const *links, size_t count,
                                 unsigned ratio_percent, const struct dns_message *question,
                                 struct ixfr **out_ixfr);
void ixfr_free(struct ixfr *ixfr);
/* As axfr_next(). */
size_t ixfr_next(struct ixfr *ixfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes);
struct axfr_totals ixfr_totals(const struct ixfr *ixfr);
/* Does all of it fit into one UDP message of `bytes_max`? Then write it; else 0: answer with the
 * SOA alone (RFC 1995 2). */
size_t ixfr_single(struct ixfr *ixfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes,
                   size_t bytes_max);
