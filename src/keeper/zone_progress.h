/*
 * keeper/zone_progress.h - private records of what is under way in a zone (private to keeper/)
 *
 * Those of keys that follow each other come from the keys' states (kasp/progress.h). Of a zone that
 * is signed whole beside what is served (aside.h) they tell which keys begin and end, and which
 * NSEC3 chain comes and goes: they are served from the commit of the job that asks for that work
 * until the commit that has it. What the last version says is all that is remembered of them, so
 * that a restart finds them, and the next look at the keys mends what is not so any more.
 *
 * Thread: any that holds what it is given.
 */
#pragma once

#include "keeper/zone_job.h"
#include "keeper/zone_keys.h"

/* Of which keys a record tells that they begin to sign, or have done so; a bit each. */
uint64_t zone_progress_told(const struct zone_version *version, uint16_t private_type,
                            const struct key_list *keys);

/* `keys` are to sign all of it beside: so much is put into the apex of those as served, and the
 * salt of a new chain is drawn. */
void zone_progress_tell_aside(const struct zone_job *job, struct zone_keys *served,
                              struct zone_keys *keys);

/* Does what is served tell otherwise than the job's keys do, which were just looked at? */
bool zone_progress_differs(const struct zone_job *job);

/* Packed rdatas (dns/rrset.h): those that `version` has or, while it is unsigned and `keys` are at
 * work beside, those that it would have. Returns how many. */
size_t zone_progress_list(const struct zone_version *version, const struct zone_settings *settings,
                          const struct zone_keys *keys, struct buffer *out_packed);
