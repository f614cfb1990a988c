/*
 * keeper/overtake.h - a serial above what the zone's secondaries have, when ours is not known
 *
 * A zone of which the store knows nothing is new, or its store was lost; one that comes from a
 * restored backup has lost what was committed since; and one that another signer has had meanwhile
 * (reign.h) was served with serials of that one. Its secondaries may have a serial that ours is not
 * above, and they would never take a change again (RFC 1982). So each of them is asked, after the
 * first publication, and what one answers is overtaken by a change that is told whole. One that is
 * silent is asked again, less and less often, for a week; then the log says so. A new zone costs
 * questions that nobody answers. So it is with a secondary that is signed here, whose signed serial
 * is ours; not with others.
 *
 * Of a restored zone not all secondaries may be known: no NOTIFY goes to them, or there are too
 * many; and one that is bogus is not asked, though what it asks is answered. For these it is in
 * doubt for a week, and the log says so.
 *
 * That they are asked is in the zone's state, from its first commit until what they have said is
 * overtaken: a restart asks them again.
 *
 * A secondary whose serial is one of ours as well may have other contents under it: as long as one
 * of a restored zone has not answered, and where one was overtaken, no difference is told. Nor from
 * a serial that ours has passed before its secondary told that it had it. One that is farther above
 * ours than a quarter of all serials is not believed: an error tells of it.
 *
 *   overtake_start -> due -> asked -- a serial --> overtaken, unless ours is above and knows it not
 *                      ^       |----- no such zone --> done
 *                      '-------'  silence, SERVFAIL: 15 s, 30 ... an hour later
 *
 * Private to keeper/. Thread: keeper.
 */
#pragma once

#include "keeper/keeper_parts.h"

/* Is that what a zone knew when the backup was made? */
bool overtake_is_of_backup(const struct keeper *keeper, const struct zone_state *state);
/* What is to be asked and overtaken, for the state that `job` commits. */
void overtake_tell_state(struct managed_zone *zone, const struct zone_job *job);
/* Where the first version that is published comes from: made here; from the store, and not all of
 * its secondaries had been heard; from a store that is a backup. */
enum overtake_origin { OVERTAKE_NEW, OVERTAKE_RECOVERED, OVERTAKE_RESTORED };
/* That version has been published. */
void overtake_start(struct keeper *keeper, struct managed_zone *zone, enum overtake_origin origin);
/* What was recovered is about to be published. */
void overtake_recovering(struct managed_zone *zone, const struct zone_job *job);
/* A zone that had expired is served again: whoever could not be asked as long is asked now. */
void overtake_revived(struct keeper *keeper, struct managed_zone *zone);
/* A version was published: what differs from the one before may not be told yet. `breaks`: nor is
 * it by what the store has of it; one that was committed before is not told apart after a restart,
 * and another has to follow. */
void overtake_published(struct managed_zone *zone, bool breaks);
/* Is the serial of what is served one that a secondary may have with other contents? */
static inline bool overtake_is_in_doubt(const struct managed_zone *zone)
{
    return zone->ledger.doubted || zone->ledger.overtaken != 0;
}
/* Is all durable that there was to hear and to overtake? */
bool overtake_is_done(struct keeper *keeper);
/* Ask those that are due. Returns when the next is. */
sg_time overtake_turn(struct keeper *keeper);
/* Those that are due are so by the old time. */
void overtake_clock_set_back(struct keeper *keeper, sg_duration by);
/* Forget what was asked, of one zone, or (NULL) of all. */
void overtake_forget(struct keeper *keeper, const struct managed_zone *zone);
