/*
 * keeper/zone_aside.h - a job, and the zone that is signed whole beside it (private to keeper/)
 *
 * The worker's side of aside.h. Whatever looks at the keys may find that every name is to be signed
 * with them: another algorithm, another denial chain, a first signing. Of a large zone it then does
 * not do so, but goes on with the zone as it is served: with the keys and the chain that it has, or
 * unsigned. Once that work is done beside, the next look finds it, and the job's draft goes into
 * it.
 *
 * Thread: worker, the job's.
 */
#pragma once

#include "keeper/zone_job.h"
#include "zone/edit.h"

/*
 * The keys were looked at: is all to be signed with them? Then either made.from_aside, or keys as
 * served are put in their place, which are made.aside_keys then, and the look has not been. Else,
 * or where that is not possible, the job goes on with its keys. Says made.aside_useless where there
 * is one that does not fit.
 */
void zone_aside_consider(struct zone_job *job);

/* Let `*edit` be a draft of what was signed aside, with the source that it has. On failure too the
 * caller has an edit to abandon. SG_LIMIT. */
MUST_USE enum sg_result zone_aside_enter(struct zone_job *job, struct zone_edit **edit);

/* What the job's draft keeps signatures of: what is served or, with made.from_aside, the other. */
const struct zone_version *zone_aside_base(const struct zone_job *job);
