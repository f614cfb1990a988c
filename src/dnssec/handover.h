/*
 * dnssec/handover.h - other keys sign than before: at once, or name by name?
 *
 * sign_change() gives today's keys to the apex and to what changed, and a campaign (resign.h) to
 * all other names, slice by slice. Until it has come round, a name may have signatures by the old
 * keys alone. So that no validator finds one that it cannot follow, whatever it has cached,
 *
 *   (1) every DNSKEY of the base that has made a signature over zone data in it stays in the
 *       DNSKEY RRset until the campaign is over;
 *   (2) the same algorithms sign as before: a validator may want each of them (RFC 6840 5.11);
 *   (3) no two DNSKEYs have the same algorithm and tag: by these a signature tells its key.
 *
 * Where one of these does not hold the whole zone is signed in one version (sign_zone.h). Whoever
 * waits until caches have forgotten an old key's signatures counts from the campaign's end.
 */
#pragma once

#include "dnssec/sign_zone.h"

enum handover {
    HANDOVER_NONE,     /* who signs the zone is who has: sign_change() is enough */
    HANDOVER_CAMPAIGN, /* sign_change(), and a campaign that begins at the first name */
    HANDOVER_WHOLE,    /* sign_zone() */
};

/* From `base`, which is signed whole but for a campaign that is `under_way`, to the draft of it
 * with that request. O(keys); a walk over the signatures where a DNSKEY goes in mid campaign. */
enum handover handover_choose(const struct zone_version *base, const struct zone_version *draft,
                              const struct sign_request *request, bool under_way);
