/*
 * keeper/zone_queue.h - zones in line; each stands in one line at most (private to keeper/)
 */
#pragma once

#include "keeper/zone_record.h"

struct zone_queue {
    struct managed_zone *first;
    struct managed_zone **last;
};

static inline void zone_queue_init(struct zone_queue *queue)
{
    *queue = (struct zone_queue){.last = &queue->first};
}

static inline void zone_queue_add(struct zone_queue *queue, struct managed_zone *zone)
{
    zone->queue = queue;
    zone->queue_next = NULL;
    *queue->last = zone;
    queue->last = &zone->queue_next;
}

/* Takes the zone that `at`, a link of the queue, points to out of it. */
static inline struct managed_zone *zone_queue_take(struct zone_queue *queue,
                                                   struct managed_zone **at)
{
    struct managed_zone *zone = *at;
    *at = zone->queue_next;
    if (*at == NULL) {
        queue->last = at;
    }
    zone->queue = NULL;
    return zone;
}
