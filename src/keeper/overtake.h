/*
 * keeper/overtake.h - a serial above what the zone's secondaries have, when ours is not known
 *
 * A zone of which the store knows nothing is new, or its store was lost. In the second case its
 * secondaries have a serial that ours may not be above, and they would never take a change again
 * (RFC 1982). So they are asked once, after the first publication, and what one of them answers is
 * overtaken by a change that begins a new lineage: under that serial it has another zone than ours,
 * and no difference may lead on from there. A new zone costs a question that nobody answers. So it is with a
 * secondary that is signed here, whose signed serial is ours; not with others.
 *
 * Private to keeper/. Thread: keeper.
 */
#pragma once

#include "keeper/keeper_parts.h"

/* The zone's first version has been published. */
void overtake_start(struct keeper *keeper, struct managed_zone *zone);
/* Forget what was asked, of one zone, or (NULL) of all. */
void overtake_forget(struct keeper *keeper, const struct managed_zone *zone);
