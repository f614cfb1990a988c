/*
 * kasp/parent.h - the DS at the parent: what was seen of it, and the operator's word
 */
#pragma once

#include "kasp/rules.h"

/* Let the sightings among the facts count: DSPublish, DSRemoved, and states that they contradict.
 */
void kasp_see_parent(struct kasp_case *c);
/* A key that is told to leave and whose DS nobody has looked for does not leave before somebody
 * has: as if its DS had just been withdrawn. */
void kasp_doubt_parent(struct kasp_case *c);

/*
 * `dnssec -checkds`: the operator saw the DS of the key published or withdrawn at `when`.
 * SG_CONFLICT if it is not asked for: the key's DNSKEY is not known everywhere, or its DS is still
 * needed.
 */
MUST_USE enum sg_result kasp_note_ds(struct signing_key *key, enum kasp_sighting ds, sg_time when);
/* `dnssec -rollover`: its successor is due at `when`. SG_CONFLICT: the key is not in use. */
MUST_USE enum sg_result kasp_roll_key(const struct kasp_policy *policy, struct signing_key *key,
                                      sg_time when);
