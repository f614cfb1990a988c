/*
 * keeper/zone_parent.h - a zone's parent: ds_watch.h, carried out for a managed zone, and
 * parent_telling.h beside it
 *
 * After each look at the zone's keys the keeper says which DS the parent is to show or to withdraw.
 * Whoever is to be asked is asked until it is so, and from then on now and then; what all agents
 * say becomes a fact for the plan of the keys. What does not come is told in the log once a day.
 *
 *   zone_parent_want() -> ds_watch -> questions -> all agree -> the zone's facts -> a look at keys
 *          ^                                                                             |
 *          '-----------------------------------------------------------------------------'
 *
 * A zone has one from its first wish on, as long as it has a policy; also where nobody is to be
 * asked (`checkds no`), since what is waited for is to be seen there too. Thread: keeper.
 */
#pragma once

#include "keeper/ds_watch.h"
#include "keeper/keeper_parts.h"

struct zone_parent;

/* What is wanted now, whole; 0: nothing. Keys are borrowed until this returns. Nothing is asked
 * before the zone's next turn. */
void zone_parent_want(struct keeper *keeper, struct managed_zone *zone,
                      const struct ds_check_wish *wishes, size_t count);
/* The zone has new settings; the old ones are borrowed until this returns. */
void zone_parent_adopt(struct keeper *keeper, struct managed_zone *zone);
/* Do what is due, and arm the zone's timer. */
void zone_parent_turn(struct keeper *keeper, struct managed_zone *zone);
/* When there is something to do; INT64_MAX. */
sg_time zone_parent_wake(const struct managed_zone *zone);
/* The operator wants to know now, or nobody knows how old what was seen is: ask at once. */
void zone_parent_demand(struct keeper *keeper, struct managed_zone *zone);
/* As ds_watch_describe(); nothing where nothing is wanted. */
void zone_parent_describe(const struct managed_zone *zone,
                          void (*line)(void *argument, const char *text), void *argument);
bool zone_parent_is_waiting(const struct managed_zone *zone);
/* Bring the zone's state up to date before it is committed. */
void zone_parent_encode(struct managed_zone *zone);
/* Nobody is asked or told any more, and nothing is known. */
void zone_parent_end(struct managed_zone *zone);
