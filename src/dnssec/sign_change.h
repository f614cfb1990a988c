/*
 * dnssec/sign_change.h - sign what changed, and nothing else
 *
 * Given a draft whose source layer was changed since `base`, a version that is signed whole, mend
 * the denial chain around the touched names and sign what is new: the number of signatures is what
 * the difference needs. An RRset that is as it was keeps its RRSIGs, also where its neighbour at
 * the same name changed; a name whose NSEC changes alone gets one signature a key.
 *
 * What a touched name may touch besides itself: its predecessor's NSEC, or the NSEC3s before its
 * hash and those of the empty non-terminals that come and go with it; all names below when a cut
 * or DNAME comes or goes. Cost O(change), never O(zone).
 */
#pragma once

#include "dnssec/sign_zone.h"

/*
 * `request` as for sign_zone(); the chain's kind, salt and opt-out flag must be those of `base`
 * (SG_CONFLICT: sign_zone() is needed). The apex RRsets of the request replace those of base where
 * they differ; the SOA gets request->serial and is always signed. `pool` NULL or few signatures:
 * the calling thread does it all. On failure the edit is to be abandoned. Thread: a worker.
 */
MUST_USE enum sg_result sign_change(struct zone_edit *edit, const struct zone_version *base,
                                    const struct sign_request *request, struct worker_pool *pool,
                                    struct sign_report *out_report);
