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
 * or DNAME comes or goes. Cost O(change), never O(zone), but for what nsec3_mend.h says of opt-out.
 *
 * Keys that are not those of base: the apex gets the signatures of today's keys over all its
 * RRsets, touched names too, where signatures by keys that do not sign any more are dropped. All
 * other names stay as they are: a campaign (resign.h) brings them what lacks. So a key may be
 * taken out of the request once its signatures may fade, and its DNSKEY once they have.
 *
 * SG_CONFLICT: sign_zone() is needed, since every name would change: base has another denial chain
 * than the policy wants (kind, salt, iterations, opt-out flag) or none of ours; the draft's NSEC3s
 * are not base's; or two names have one hash, when sign_zone() will refuse too.
 *
 * Where the draft's SOA has another TTL or minimum, so that denials live longer or shorter (RFC
 * 9077), what is touched gets NSEC and NSEC3 with the new TTL, and a campaign brings it to the
 * rest.
 */
#pragma once

#include "dnssec/sign_zone.h"

/* Is base signed, with the denial chain that the policy wants? */
bool sign_change_fits(const struct zone_version *base, const struct sign_policy *policy);

/*
 * `request` as for sign_zone(). The apex RRsets of the request replace those of base where they
 * differ; the SOA gets request->serial and is always signed. Once an edit, with `base` what it was
 * opened from. `pool` NULL or few signatures: the calling thread does it all. On failure the edit
 * is to be abandoned, but after SG_CONFLICT sign_zone() may have it. The report's `names` are those
 * that were looked at. Thread: a worker.
 */
MUST_USE enum sg_result sign_change(struct zone_edit *edit, const struct zone_version *base,
                                    const struct sign_request *request, struct worker_pool *pool,
                                    struct sign_report *out_report);
