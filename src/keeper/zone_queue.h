/*
 * keeper/zone_queue.h - zones in line; each stands in one line at most, and can leave it from
 * anywhere (private to keeper/)
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
    zone->queue_link = queue->last;
    *queue->last = zone;
    queue->last = &zone->queue_next;
}

/* Takes a zone out of the queue that it stands in. */
static inline void zone_queue_leave(struct managed_zone *zone)
{
    *zone->queue_link = zone->queue_next;
    if (zone->queue_next != NULL) {
        zone->queue_next->queue_link = zone->queue_link;
    } else {
        zone->queue->last = zone->queue_link;
    }
    zone->queue = NULL;
}
