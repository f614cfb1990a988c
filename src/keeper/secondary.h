/*
 * keeper/secondary.h - a zone that comes from primaries: keeper/refresh.h, carried out
 *
 * Asks, fetches, hands what came to the pipeline as an input, and tells refresh what became of it.
 * Private to keeper/. Thread: keeper.
 */
#pragma once

#include "keeper/keeper_parts.h"
#include "keeper/refresh_timers.h"

struct zone_secondary;

/* The zone was opened, recovered or configured anew: begin, or go on under the new settings. Fine
 * for a primary: then there is nothing to do. */
void secondary_begin(struct keeper *keeper, struct managed_zone *zone);
/* Do what is due, and arm the zone's timer. */
void secondary_turn(struct keeper *keeper, struct managed_zone *zone);
/* Let those in line fetch, as far as there are places. */
void secondary_fetch_next(struct keeper *keeper);
/* When there is something to do; INT64_MAX. */
sg_time secondary_wake(const struct managed_zone *zone);
/* Is there a transfer for the pipeline? Then take it. */
bool secondary_has_transfer(const struct managed_zone *zone);
struct zone_transfer *secondary_take_transfer(struct managed_zone *zone);
/* What became of it: it is published, or why not. */
void secondary_applied(struct keeper *keeper, struct managed_zone *zone, enum sg_result result);
/* With these timers, as they were committed: was it served no more (RFC 1034 4.3.5)? */
bool secondary_had_expired(struct span timers, sg_time now);
/* A transfer is committed; if it was the same as what we had, that is served again. */
void secondary_came(struct managed_zone *zone);
/* Why the primary that was asked last was of no use, for people; NULL: it was of use, or none was
 * asked. */
const char *secondary_failure(const struct managed_zone *zone);
/* When its primaries are asked next, and until when it is served; NULL: it has none. */
const struct refresh_timers *secondary_timers(const struct managed_zone *zone);
void secondary_count(const struct managed_zone *zone, struct refresh_counts *counts);
/* A NOTIFY came. */
void secondary_notified(struct keeper *keeper, struct managed_zone *zone, const struct remote *from,
                        const struct dns_soa *hint);
/* `refresh` or `retransfer`. */
void secondary_demand(struct keeper *keeper, struct managed_zone *zone, bool whole);
/* Bring the zone's state up to date before it is committed. */
void secondary_encode_timers(struct managed_zone *zone);
/* The clock was set back: its times are no longer those that it meant; the caller
 * arms its timer. Fine for a primary. */
void secondary_clock_set_back(struct keeper *keeper, struct managed_zone *zone);
/* The server ends: what is out is asked no more. Fine for a primary. */
void secondary_stop(struct managed_zone *zone);
void secondary_end(struct managed_zone *zone);
