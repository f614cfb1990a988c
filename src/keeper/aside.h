/*
 * keeper/aside.h - a zone is signed whole beside the one that is served (private to keeper/)
 *
 * To sign every name of a large zone takes minutes, and a change of the zone that did so would keep
 * its updates waiting as long. So it is done beside the changes:
 *
 *   a job     looks at the keys, finds that all is to be signed with them, and goes on with the
 * zone as it is served (zone_aside.h) aside     copies the source into a lineage of its own and
 * signs it, as bulk work; then, in further rounds, signs what changes have brought meanwhile, until
 * that is little a job     looks at the keys again, brings the copy to the source as it is now,
 * signs what differs, commits it as an image and publishes it in place of the other
 *
 * What is served is the zone as it was or the zone as it is to be, never a mixture: no chain that
 * is half there (RFC 5155 10.4), no algorithm that has not signed all (RFC 6840 5.11). Nothing of
 * it is durable before its commit, and no key's state counts from before its publication: after a
 * crash the keys are looked at and the work is begun again, while what was acknowledged meanwhile
 * was committed as ever.
 *
 * One at a time, for all zones: it has all workers. Thread: keeper, but for zone_aside_free().
 */
#pragma once

#include "base/worker_pool.h"
#include "dnssec/resign.h"
#include "keeper/managed_zone.h"
#include "keeper/zone_keys.h"

enum { ASIDE_NAMES_MIN = 1000 /* signed in some 50 ms, with RSA in a second */ };

struct zone_aside {
    struct job job;          /* first member */
    struct zone_aside *next; /* in line */
    struct managed_zone *zone;
    const struct zone_settings *settings;
    struct keeper_generation *generation; /* one use of it */
    struct worker_pool *pool;
    struct zone_keys *keys;             /* that sign it */
    const struct zone_version *source;  /* of which it is signed; NULL between rounds */
    const struct zone_version *version; /* signed whole; NULL before the first round */
    struct resign_index *resign;        /* of that version; NULL: not known */
    sg_time now;
    struct sign_progress progress; /* of the first round */
    unsigned rounds;
    uint64_t signatures;       /* of all rounds */
    uint64_t signatures_round; /* of the last one */
    enum sg_result result;     /* of the last one */
    bool is_done;              /* a job may have it */
    bool cancelled;            /* atomic: nobody wants it any more */
};

struct keeper;
struct zone_job;

/* Has it one that is not done? Then its keys are not looked at for their own sake. */
bool aside_is_busy(const struct managed_zone *zone);
/* How far it is. */
struct zone_beside aside_tell(const struct managed_zone *zone);
/* The plan of the look that asked for it, which waits to be published; nothing where it has none.
 */
void aside_tell_plan(const struct managed_zone *zone, struct zone_facts_of_keys *out_plan);
/* One that is done goes with the job; NULL: there is none. */
struct zone_aside *aside_lend(struct managed_zone *zone);
/* The job has ended: `is_new`, its version is published. What it was lent comes back or has had its
 * day; what it asks for is begun. */
void aside_take_back(struct keeper *keeper, struct zone_job *job, bool is_new);
/* Other settings, or another clock: it would not fit. Whoever calls has the keys looked at. */
void aside_cancel(struct keeper *keeper, struct managed_zone *zone);
bool aside_is_round(const struct job *job);
/* A worker's reply. */
void aside_take_job(struct keeper *keeper, struct job *job);
/* Nobody works at it, and it stands in no line. NULL is fine. Thread: any. */
void zone_aside_free(struct zone_aside *aside);
