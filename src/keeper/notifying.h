/*
 * keeper/notifying.h - tell secondaries of a change: keeper/notify_send.h, carried out
 *
 * Private to keeper/. Thread: keeper.
 */
#pragma once

#include "keeper/keeper_parts.h"

/* The zone has a new version, or with `startup` its first since the start. */
void notifying_changed(struct keeper *keeper, struct managed_zone *zone, bool startup);
/* Whom the zone's changes are told; the caller clears. False: nobody is to be told. */
bool notifying_targets(struct keeper *keeper, struct managed_zone *zone,
                       struct notify_targets *out_targets);
/* Send what is due. Returns when the next is. */
sg_time notifying_turn(struct keeper *keeper);
/* It has new settings: what is still to be told must not look at the old ones. */
void notifying_adopt(struct keeper *keeper, struct managed_zone *zone);
/* The server ends: whoever has not answered is not heard any more. */
void notifying_stop(struct keeper *keeper);
