/*
 * keeper/keying.h - keys of all zones that wait for them, in rounds: each folder is read once and
 * then followed, and what is made is durable by one sync (private to keeper/)
 *
 * A zone whose next job looks at its keys waits here first; the round brings the keys, and the job
 * finds them fresh. Where a round fails for a zone, the zone's job tries by itself and tells why.
 *
 * There are two lanes, each with one round at a time: zones with updates that wait do not stand
 * behind thousands of new zones whose keys are to be made. Zones of one name, which share key
 * files, are never in both (keeper.c: one at a time).
 *
 * Thread: keeper.
 */
#pragma once

#include "base/worker_pool.h"
#include "keeper/zone_queue.h"

enum { KEYING_SOON, KEYING_REST, KEYING_LANES };

struct keying_lane {
    struct zone_queue waiting;
    struct key_folders *folders; /* NULL: nothing was read, or a round has them */
    sg_time used_at;             /* when its last round began */
    bool running;
};

struct keying {
    struct keying_lane lanes[KEYING_LANES];
    uint64_t round;        /* of the newest round of any lane */
    uint64_t round_ns_max; /* then a round ends, with one zone at least */
};

struct keeper;

struct keying *keying_new(void);
void keying_free(struct keying *keying);
/* A wish that is made now must be noted with the zone: no round so far has seen it. */
uint64_t keying_round(const struct keying *keying);
/* Takes a zone, which is in no queue, into the next round. */
void keying_add(struct keeper *keeper, struct managed_zone *zone);
/* A zone that waits here has got updates. */
void keying_hasten(struct keeper *keeper, struct managed_zone *zone);
void keying_start(struct keeper *keeper, sg_time now);
bool keying_is_round(const struct job *job);
/* A worker's reply. Takes the job. */
void keying_take_job(struct keeper *keeper, struct job *job);
/* Nothing is to be done: what was read is forgotten, if it was not wanted for long. */
void keying_rest(struct keying *keying, sg_time now);
