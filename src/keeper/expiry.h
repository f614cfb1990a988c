/*
 * keeper/expiry.h - a secondary that has expired is not served until a primary is heard (RFC 1034
 * 4.3.5; private to keeper/)
 *
 * What is signed here is signed on meanwhile, unseen, and its keys rest (trust.h). It comes back
 * with valid signatures only. A secondary of ours that came too late for the last version has kept
 * the one before until it expired too, so the waits of its keys begin anew then.
 *
 * Thread: keeper.
 */
#pragma once

#include "keeper/zone_record.h"

/* The timers say so, perhaps not for the first time. */
void expiry_begin(struct managed_zone *zone);
/* A primary was heard, or there is none any more. Fine where it has not expired. */
void expiry_end(struct managed_zone *zone);
/* Is what the job has made not to be seen? A transfer is what is waited for, but it has to be valid
 * too. */
bool expiry_lasts(const struct managed_zone *zone, const struct zone_job *job);
/* It is served again. */
void expiry_is_over(struct managed_zone *zone);
/* A job that has succeeded has perhaps found nothing to be signed any more. */
void expiry_take_job(struct managed_zone *zone, const struct zone_job *job);
/* Before the zone's state is lent: since when do its waits count? */
void expiry_note(struct managed_zone *zone);
