/*
 * keeper/zone_record.h - the members of a managed zone, their making and ending; for the
 * files of keeper/ alone
 */
#pragma once

#include "base/heap.h"
#include "keeper/managed_zone.h"
#include "keeper/zone_job.h"

/* What is asked of a zone while a job is out, or before it gets its turn. */
struct zone_wishes {
    bool load;
    bool force;
    bool keys;
    bool sign_all;
};

struct reload_waiter {
    struct reload_waiter *next;
    reload_done *done;
    void *argument;
};

struct zone_health {
    sg_time loaded_at;
    sg_time expires_first; /* 0: no signatures of ours */
    sg_time key_event_at;  /* INT64_MAX: none */
    sg_time resign_at;     /* INT64_MAX: never */
    sg_time retry_at;      /* INT64_MAX: nothing failed */
    char *resign_node;     /* whose signature expires first: `owner/type`; NULL: none */
    char *problem;         /* NULL: all is well */
};

struct managed_zone {
    struct heap_node timer; /* first member */
    struct zone_slot *slot;
    const struct zone_settings *settings;
    struct keeper_generation *generation; /* one use of it */
    struct managed_zone *chain_next;      /* in the index */
    struct managed_zone *queue_next;      /* waiting for a job's place */
    bool queued;
    bool gone;            /* no longer configured: forgotten when its job is back */
    bool tried;           /* loaded, or failed to, since all were last asked to */
    struct zone_job *job; /* at work; NULL: the zone is idle */
    struct zone_wishes wishes;
    struct reload_waiter *waiters;     /* for a load that has not begun */
    struct reload_waiter *job_waiters; /* for the one that runs */
    struct zone_health health;
    struct file_stamps files;
    uint64_t keys_fingerprint;
};

/* A zone that nothing was done with yet, and its slot. `id` is never given again. */
struct managed_zone *zone_record_new(uint64_t id, const struct zone_settings *settings,
                                     struct keeper_generation *generation);
/* No job is out. What queries may still look at goes after a grace period. */
void zone_record_free(struct managed_zone *zone);
/* Tell all of them, once; the list is empty then. */
void zone_tell_waiters(struct reload_waiter **waiters, enum reload_outcome outcome,
                       const char *text);
