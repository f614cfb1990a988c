/*
 * kasp/timing.h - how long caches, the zone's secondaries and the parent take (README.md, RFC 7583)
 *
 * Private to kasp/.
 */
#pragma once

#include "kasp/rules.h"

/* Ipub: from the publication of a DNSKEY until every cache has it, with the safety. */
sg_duration kasp_publish_interval(const struct kasp_case *c, const struct kasp_key_plan *key);
/* Iret of a role: from the end of its use until its records are nowhere. */
sg_duration kasp_retire_interval(const struct kasp_case *c, bool ksk, bool zsk);
/* When the first DS may be asked for: every cache has the key and the signed zone (3.3.1). */
sg_time kasp_sync_time(const struct kasp_case *c, const struct kasp_key_plan *key, bool first);

/*
 * When the record arrives at OMNIPRESENT or HIDDEN, for which it has set out. INT64_MAX: not known,
 * since the parent has not been seen to act.
 */
sg_time kasp_settled_at(const struct kasp_case *c, const struct kasp_move *move);
