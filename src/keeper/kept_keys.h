/*
 * keeper/kept_keys.h - keys of zones that will want them again soon, in memory
 *
 * A zone that changes all the time does not read its key files with each change. But of a hundred
 * thousand zones that took an update once, few take the next one soon: beyond a number those that
 * were not used for the longest time are let go, and read again when they are wanted.
 *
 * Keys that are fresh wait here for the job that they were prepared for. Where they are let go, the
 * zone waits for a round of keying/ once more: a job that had to read a folder for itself would
 * read the names of all zones' keys.
 *
 * While a job is out its zone has none: they are lent to it.
 */
#pragma once

#include <stddef.h>

struct managed_zone;
struct zone_keys;

enum { KEPT_KEYS_ZONES_MAX = 4096 };

/* Zones with keys, the longest unused first. */
struct kept_keys {
    struct managed_zone *first;
    struct managed_zone **last;
    size_t count, max;
    size_t fresh; /* how many of them are */
};

void kept_keys_init(struct kept_keys *kept);
/* The zone has these keys, and none that it had. Takes them. */
void kept_keys_put(struct kept_keys *kept, struct managed_zone *zone, struct zone_keys *keys);
/* The zone has none any more: its keys are the caller's; NULL: it had none. */
struct zone_keys *kept_keys_take(struct kept_keys *kept, struct managed_zone *zone);
void kept_keys_drop(struct kept_keys *kept, struct managed_zone *zone);
/* What has changed since the zone's keys were prepared makes them those of the last look. */
void kept_keys_are_stale(struct kept_keys *kept, struct managed_zone *zone);
/* For how many more zones keys may be prepared before those that have them use them. */
size_t kept_keys_room(const struct kept_keys *kept);
