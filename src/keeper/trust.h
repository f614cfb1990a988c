/*
 * keeper/trust.h - where the clock is in doubt the states of keys rest (decision 1; private to
 * keeper/)
 *
 * A zone is answered, changed and signed by the wall clock whatever it shows. But each state of a
 * key ends a wait that caches need: with a false clock it would end too soon. So no key is
 * introduced and none moves on while the clock is in doubt: for all zones when it has jumped
 * (clock_guard.h), for one when it is behind the zone's last commit or far ahead of it. When it is
 * believed again, by itself or since an operator says so, waits begin anew and everything is signed
 * anew: what was done meanwhile has false times.
 *
 * Thread: keeper.
 */
#pragma once

#include "keeper/clock_guard.h"
#include "keeper/zone_record.h"

/* The time was noted: has the clock jumped? */
void trust_look(struct keeper *keeper);
/* CLOCK_TRUSTED also for a zone without a policy, which has no keys. */
enum clock_doubt trust_of_zone(const struct managed_zone *zone);
/* For operators: CLOCK_ACCEPTED until it is durable that the waits of its keys began anew. */
enum clock_doubt trust_to_show(const struct managed_zone *zone);
/* How the zone's next job is to see the clock. */
void trust_tell_job(const struct managed_zone *zone, struct zone_clock *out_clock);
/* What the state of a job's commit says of the clock, before and after the job was run: a doubt
 * that was accepted is over with the commit in which the waits of the keys begin anew, not before.
 * Thread: worker. */
void trust_begin_state(struct zone_job *job);
void trust_end_state(struct zone_job *job);
/* What a job made is durable: has the zone begun anew? */
void trust_take_job(struct managed_zone *zone, const struct zone_job *job);
/* It was recovered: say so if its clock is in doubt. */
void trust_log_zone(const struct managed_zone *zone);
