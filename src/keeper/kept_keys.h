/*
 * keeper/kept_keys.h - keys of zones that will want them again soon, in memory
 *
 * A zone that changes all the time does not read its key files with each change. But of a hundred
 * thousand zones that took an update once, few take the next one soon: beyond a number those that
 * were not used for the longest time are let go, and read again when they are wanted.
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
};

void kept_keys_init(struct kept_keys *kept);
/* The zone has these keys, and none that it had. Takes them. */
void kept_keys_put(struct kept_keys *kept, struct managed_zone *zone, struct zone_keys *keys);
/* The zone has none any more: its keys are the caller's; NULL: it had none. */
struct zone_keys *kept_keys_take(struct kept_keys *kept, struct managed_zone *zone);
void kept_keys_drop(struct kept_keys *kept, struct managed_zone *zone);
