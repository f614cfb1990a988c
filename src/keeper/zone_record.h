/*
 * keeper/zone_record.h - the members of a managed zone, their making and ending; for the
 * files of keeper/ alone
 */
#pragma once

#include "base/heap.h"
#include "dns/serial.h"
#include "keeper/managed_zone.h"
#include "keeper/notify_send.h"
#include "keeper/zone_job.h"
#include "keeper/zone_state.h"

enum { ZONE_SERVED_BYTES = 64 };

/* What is asked of a zone while a job is out, or before it gets its turn. */
struct zone_wishes {
    bool load;
    bool force;
    bool keys;
    bool sign_all;
    bool resign;
    bool look;  /* was the file edited that updates make worthless? */
    bool state; /* what is known besides zone data changed, e.g. a timer */
    bool dump;
    bool clean;            /* with the dump or the state: forget the history */
    bool shorten;          /* with the state: the same, if there is still none to tell then */
    bool freeze;           /* with the dump */
    bool thaw;             /* with the load */
    bool frozen;           /* with the load: of a zone that is frozen and stays so */
    bool give_up;          /* with the load: it takes the place of what the store has lost */
    bool others_first;     /* updates had the last turn */
    uint32_t serial_above; /* 0: none; raise the serial above it */
};

/* Both of them count, so the greater one does; 0: none. */
static inline uint32_t zone_greater_floor(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && serial_compare(b, a) > 0) ? b : a;
}

struct reload_waiter {
    struct reload_waiter *next;
    reload_done *done;
    void *argument;
};

struct zone_health {
    sg_time expires_first;   /* 0: no signatures of ours */
    sg_time key_event_at;    /* INT64_MAX: none */
    sg_time loadkeys_at;     /* who else has changed key files by then? INT64_MAX: never */
    sg_time resign_at;       /* INT64_MAX: never */
    sg_time retry_at;        /* INT64_MAX: nothing failed */
    sg_time overdue_at;      /* signatures should have been made anew by then; INT64_MAX: never */
    sg_time file_at;         /* of a secondary: when its file is to be written; INT64_MAX: never */
    sg_time history_at;      /* when the oldest of its history is too old; INT64_MAX: never */
    sg_time file_written_at; /* when that was begun last */
    sg_time missing_warn_at; /* when the log says next that a successor is missing; 0: none is */
    sg_time warn_at;         /* when the log says so next, if it is still so */
    char *resign_node;       /* whose signature expires first: `owner/type`; NULL: none */
    char *problem;           /* NULL: all is well */
    sg_time problem_since;   /* with a problem, of this server's run */
    enum zone_job_kind failed; /* with a problem: whose it is */
    bool by_store;             /* and it was the store's fault */
    sg_duration store_wait;    /* then: how long until it is tried again */
    char *rest_problem; /* why the keys rest, with which it is signed on; NULL: they do not */
    sg_time rest_since, rest_told_at; /* with that; when the log said so last */
};

/* Where the zone stands in the store. */
struct zone_ledger {
    uint64_t id;                /* 0: not opened yet, or not stored */
    uint64_t last;              /* number of the last commit */
    uint64_t image_number;      /* of the commit whose image is the newest */
    uint64_t since_image_bytes; /* of changesets behind it */
    uint32_t lost_serial;       /* of what cannot be read; 0: none */
    bool opening;               /* the store was asked and has not answered */
    bool unasked;               /* the store has come while a job was out: it is asked after it */
    bool awaits_burial;         /* `opening` as well: one of that name is still at work */
    bool continues;             /* the newest version is what was committed last */
    bool lost;                  /* what the store has could not be read, and no file has it: it is
                                   asked again, until a transfer takes its place, or a file for
                                   which it was given up */
    bool imaging;               /* a new image is being made */
    bool untrimmed;             /* a commit's image is there: the store may let go what we did */
    bool aged;                  /* what has become too old is still in the store */
    sg_time shortened_at;       /* when that was seen to last */
    bool doubted;               /* by overtake.c: of a backup, and not all secondaries were heard */
    uint32_t overtaken;         /* what one of them has is to be overtaken; 0: nothing */
    size_t unheard;             /* those whose serial is still asked for */
    size_t unlisted;            /* of these: who cannot be asked, as nobody knows them */
    sg_time unheard_since;      /* 0: all was heard, and what had to be is overtaken */
    struct store_zone *stored;  /* what the store has, to be recovered from; NULL: nothing */
};

/* Updates that wait, in order of arrival. */
struct zone_updates {
    struct keeper_update *first;
    struct keeper_update **last;
    size_t count;
    size_t at_work; /* taken by the job that is out */
};

/* What is known of a zone beside its version; lent to the job that is out. */
struct zone_knowledge {
    const struct zone_version *expired; /* a reference: not served until a primary is heard */
    struct zone_state state;
    bool trusts_anew;       /* the clock is believed again, and the keys were not told yet */
    bool heard;             /* it has expired, and is served again as soon as it is signed anew */
    sg_time revived_at;     /* it had expired and was served again then; 0: `state` knows it */
    struct zone_keys *keys; /* NULL: not in memory; set by kept_keys.h alone */
    struct managed_zone *kept_next, **kept_link; /* with keys: its place among those */
    uint64_t keys_wished;          /* the round of keying.h in which they were to be looked at */
    bool keying;                   /* it waits for a round, or one is at work */
    struct zone_ds_looks ds_looks; /* that wait until the state is at home */
    bool twin_awaited;             /* its keys rest until another of its name was tried */
    struct zone_key_order *orders; /* that wait for the next look at the keys */
    bool keyed;                    /* a round was at work for the job that comes next */
    struct resign_index *resign;   /* NULL: small, or not known */
    uint64_t signature_ns;         /* what one took in the last slice; 0: not known */
    bool slices_follow;            /* more is due than was signed anew in the last slice */
    sg_time begins_latest;         /* no signature begins later that a walk has not found due */
    struct zone_aside *aside;      /* signed whole beside it (aside.h); NULL: nothing is */
    bool aside_fails;              /* that has failed: its jobs do it themselves */
};

struct managed_zone {
    struct heap_node timer; /* first member */
    struct keeper *keeper;
    struct zone_slot *slot;
    const struct zone_settings *settings;
    struct keeper_generation *generation; /* one use of it */
    struct managed_zone *chain_next;      /* in the index */
    struct zone_queue *queue;             /* where it waits for a job's place; NULL: it does not */
    struct managed_zone *queue_next;
    struct managed_zone **queue_link; /* what points to it there */
    bool gone;                        /* no longer configured: forgotten when its job is back */
    bool tried;                       /* loaded, or failed to, since all were last asked to */
    wipe_done *wiped;                 /* the store shall forget it when it is gone; NULL: no */
    void *wiped_argument;
    unsigned out;         /* requests of the store that are not answered, besides the job's */
    struct zone_job *job; /* at work or being committed; NULL: the zone is idle */
    struct zone_wishes wishes;
    struct zone_wishes later; /* what has failed, and is wished again at health.retry_at */
    struct zone_updates updates;
    struct reload_waiter *waiters;       /* for a load that has not begun */
    struct reload_waiter *dump_waiters;  /* for a dump that has not begun */
    struct reload_waiter *job_waiters;   /* for the one that runs */
    struct reload_waiter *first_waiters; /* for its being tried */
    struct zone_health health;
    struct zone_ledger ledger;
    size_t history_counted; /* of its history, in the keeper's sum */
    struct heap_node held;  /* its place among those who have any, most first */
    struct zone_knowledge known;
    struct zone_secondary *secondary; /* NULL: a primary */
    struct zone_parent *parent;       /* NULL: nothing was ever wanted of it */
    struct notify_zone notify;
};

/* The newest version: what is served, or would be if it had not expired. NULL: there is none. */
static inline const struct zone_version *zone_record_version(const struct managed_zone *zone)
{
    return zone->slot->version != NULL ? zone->slot->version : zone->known.expired;
}

/* May there be signatures that have not begun? Then the clock was set back behind what it was when
 * they were made, or found good. */
static inline bool zone_record_is_ahead(const struct managed_zone *zone, sg_time now)
{
    return zone->known.begins_latest > now && zone->health.expires_first != 0 &&
           zone->settings->policy != NULL;
}

/* By how much the signature that expires first is overdue. */
static inline sg_duration zone_record_late(const struct managed_zone *zone, sg_time now)
{
    sg_time expires = zone->health.expires_first;
    const struct kasp_policy *policy = zone->settings->policy;
    sg_duration late =
        policy == NULL || expires == 0 ? 0 : now + policy->signatures_refresh - expires;
    return late > 0 ? late : 0;
}

/* A zone that nothing was done with yet, and its slot. `id` is never given again. */
struct managed_zone *zone_record_new(uint64_t id, const struct zone_settings *settings,
                                     struct keeper_generation *generation);
/* No job and no request is out. What queries may still look at goes after a grace period. */
void zone_record_free(struct managed_zone *zone);
/* Tell all of them, once; the list is empty then. */
void zone_tell_waiters(struct reload_waiter **waiters, enum reload_outcome outcome,
                       const char *text);
/* Answer every update of the list with `rcode` where it has none yet. Returns how many. */
size_t zone_answer_updates(struct keeper_update *updates, uint16_t rcode);
/* Takes it no updates now? From the moment a freeze is asked for until a thaw is committed. */
bool zone_is_frozen(const struct managed_zone *zone);
/* Does it change by other means than its file: by updates or transfers? */
bool zone_changes_by_itself(const struct managed_zone *zone);
/* What is served while the zone has a problem, for its log line. */
void zone_served_text(const struct managed_zone *zone, char out_text[ZONE_SERVED_BYTES]);
/* What to do where what the store has of the zone cannot be read, as the end of a problem's text;
 * empty: nothing. `is_ahead`: the store is known to have what the file lacks. */
const char *zone_words_of_loss(const struct zone_settings *settings, bool is_ahead);
/* An update that is not taken. `why` NULL: since the zone is not loaded, or too much is asked. */
void zone_say_refused(const struct managed_zone *zone, const struct keeper_update *update,
                      const char *why);
/* Does what becomes of this zone have to outlive a restart? A static zone that is served as its
 * file has it does not. */
bool zone_is_stored(const struct zone_settings *settings);
