/*
 * keeper/managed_zone.h - what the keeper remembers of one zone, and what it tells of it
 */
#pragma once

#include "keeper/keeper.h"
#include "keeper/zone_state.h"

/* A zone that is signed whole beside what is served. */
struct zone_beside {
    enum {
        ZONE_BESIDE_NOTHING,
        ZONE_BESIDE_IN_LINE,     /* another zone's turn */
        ZONE_BESIDE_SIGNING,     /* `done` steps of `all`; 0: how many is not known yet */
        ZONE_BESIDE_CATCHING_UP, /* with what changes have brought meanwhile */
        ZONE_BESIDE_WHOLE,       /* a job takes it over next */
    } step;
    uint64_t done, all;
};

/* Every fact that `zonestatus` prints, so that it can also be JSON. Strings are borrowed until
 * the next turn. */
struct zone_status {
    const struct zone_settings *settings;
    const struct zone_facts *facts; /* NULL: nothing is served, SERVFAIL */
    sg_time loaded_at;              /* 0: never */
    bool loading;                   /* a job is at work */
    const struct file_stamp *files; /* every file that was read: `path` */
    size_t files_count;
    struct zone_beside beside;
    bool frozen;             /* it takes no updates until it is thawed */
    bool secure;             /* signed, here or elsewhere */
    const char *resign_node; /* what is due first: `owner/type`; NULL: none */
    sg_time resign_at;       /* 0: none; signatures are made anew then */
    sg_time expires_first;   /* 0: none; the earliest expiration */
    sg_time overdue_at;   /* 0: none; if it is past, signatures are not made anew as they should */
    sg_time key_event_at; /* 0: none */
    enum clock_doubt clock;      /* other than TRUSTED: the states of its keys rest */
    sg_time clock_at;            /* of the last commit before */
    const char *problem;         /* NULL: all is well; else what, and what to do */
    sg_time problem_since;       /* 0: not known */
    sg_time refresh_at;          /* of a secondary: its primaries are asked next; 0: none */
    sg_time expire_at;           /* of a secondary: it is, or was, served until then; 0: none */
    sg_time expiring_at;         /* half of the time until then is over; 0: none */
    const char *refresh_failure; /* of a secondary: why the last primary was of no use; NULL */
    size_t unheard;              /* secondaries that are asked for their serial (overtake.h) */
    bool doubted;                /* restored: transfers are whole (overtake.h) */
    size_t unnotified;           /* name servers whose address nobody here knows */
    bool stored;                 /* what is served is what the store has */
};
void managed_zone_status(const struct managed_zone *zone, struct zone_status *out_status);
/* What is waited for at the parent, and what each of its agents said: `line` is told, once a line.
 */
void managed_zone_describe_parent(const struct managed_zone *zone,
                                  void (*line)(void *argument, const char *text), void *argument);
/*
 * What private records tell of work that is under way, or done: packed rdatas (dns/rrset.h), of
 * which it returns the number; the caller frees. True in `out_beside` while all of the zone is
 * signed beside what is served: its keys are not looked at then.
 */
size_t managed_zone_signing_records(const struct managed_zone *zone, struct buffer *out_packed,
                                    bool *out_beside);
/* Is anything waited for there? */
bool managed_zone_waits_for_parent(const struct managed_zone *zone);
const struct zone_settings *managed_zone_settings(const struct managed_zone *zone);
