/*
 * keeper/keeper_parts.h - the keeper inside, as its files share it (private to keeper/)
 *
 *   keeper.c         queue, timers, turns
 *   aside.c          a zone signed whole beside what is served
 *   keying.c         keys of all waiting zones, before their jobs
 *   change_choice.c  what a zone's next job is to do
 *   change.c         the pipeline: a zone's job, its commit, its publication
 *   change_failure.c what becomes of the zone where that fails
 *   update_queue.c   updates that wait, and which are let in
 *   trust.c          keys rest while the clock is in doubt
 *   overdue.c        signatures that are not made anew in time
 *   resting.c        keys that cannot be looked at, while the zone is signed on
 *   checkpoint.c     images of zones whose changesets have become many
 *   history_budget.c the memory for all zones' histories
 *   configuration.c  zones come, stay, go
 *   commands.c       what operators ask for
 */
#pragma once

#include "keeper/aside.h"
#include "keeper/generation.h"
#include "keeper/kept_keys.h"
#include "keeper/keying.h"
#include "keeper/rate.h"
#include "keeper/zone_index.h"
#include "keeper/zone_label.h"
#include "keeper/zone_record.h"

struct keeper {
    struct keeper_io io;
    char *store_missing; /* why there is no store; NULL: there is one, or nothing is stored */
    struct keeper_generation *generation; /* the present one; NULL before the first */
    struct keeper_generation *fronted;    /* the one that queries still see; NULL: the present */
    struct zone_index index;
    struct zone_index leaving; /* no longer configured, and not yet buried */
    struct managed_zone **zones;
    size_t zones_count;
    struct managed_zone *removed; /* by queue_next: until the next front is published */
    struct heap timers;
    struct zone_queue soon;  /* for those that somebody waits for */
    struct zone_queue queue; /* for the rest */
    struct keying *keying;
    struct kept_keys kept_keys;
    struct {
        struct zone_aside *first, *at_work; /* in line; NULL: none */
        uint64_t names_min;                 /* smaller zones are signed by their jobs */
    } asides;
    size_t jobs;          /* in workers */
    size_t requests;      /* of the store */
    bool announced;       /* all_loaded() was called for what was asked for last */
    size_t updates;       /* that wait or are under way */
    size_t history_bytes; /* of all zones */
    struct heap holders;  /* of history, those first who have most */
    size_t untried;       /* zones that are to be loaded, or loaded again, before it is called */
    size_t failed;        /* of those that were tried: not served */
    size_t kept;          /* served as they were before */
    struct notify_sender *notify;
    struct telling *tellings;   /* questions that are out (notifying.c) */
    struct overtake *overtakes; /* secondaries whose serial is asked for (overtake.c) */
    struct heap overtakes_due;
    struct rate overtakes_rate;
    size_t overtakes_left; /* the zone that was not done when it was looked at last */
    uint64_t restored;     /* the store comes from a backup: which time; 0: it does not */
    struct refresh_shared refresh;
    struct rate parents; /* turns with parents */
    bool fetching;       /* secondary_fetch_next() is at work */
    bool stopping;
    uint64_t next_id;
    enum sg_result store_health; /* of the last turn */
    sg_time now;                 /* of the present turn */
    struct clock_guard clock;
};

/* --- keeper.c ------------------------------------------------------------------------------- */

/* Let the zone have a job as soon as there is a place. */
void keeper_enqueue(struct keeper *keeper, struct managed_zone *zone);
/* Does somebody wait for its next job? */
bool keeper_is_awaited(const struct managed_zone *zone);
void keeper_unqueue(struct managed_zone *zone);
void keeper_wish_load(struct keeper *keeper, struct managed_zone *zone, bool force);
/* What is due at the zone becomes a wish. */
void keeper_wish_due(struct keeper *keeper, struct managed_zone *zone);
void keeper_wish_keys(struct keeper *keeper, struct managed_zone *zone, bool sign_all);
/* The zone's next wake is the earliest of what its health says. */
void keeper_set_timer(struct keeper *keeper, struct managed_zone *zone);
/* It was loaded, or failed to be. */
void keeper_zone_was_tried(struct keeper *keeper, struct managed_zone *zone);
/* It counts until it was tried once more. */
void keeper_try_again(struct keeper *keeper, struct managed_zone *zone);
/* A zone that is no longer configured and that nobody works for is freed. */
void keeper_bury(struct managed_zone *zone);

/* --- change_choice.c ------------------------------------------------------------------------ */

/* Is its serial to be raised, by a job that is out, or once more after a failure? */
bool change_raises_serial(const struct managed_zone *zone);
/* Is there anything that a job can do for this zone now? */
bool change_is_wished(const struct managed_zone *zone);
/* The same of one that has got its turn: what was wished may be no more. */
bool change_is_possible(const struct managed_zone *zone);
/* Would that job look at the keys anew? */
bool change_wants_keys(const struct managed_zone *zone);
/* Give the job the most urgent of what is wished. */
void change_choose(struct managed_zone *zone, struct zone_job *job);

/* --- change.c ------------------------------------------------------------------------------- */

void change_start(struct keeper *keeper, struct managed_zone *zone, sg_time now);
/* Those that wait are answered so: the zone takes none any more, or the store does not. */
void change_refuse_updates(struct keeper *keeper, struct managed_zone *zone, uint16_t rcode);
/* Whoever waits for the job gets that answer, and the zone goes on. Takes the job. */
void change_end(struct keeper *keeper, struct zone_job *job, uint16_t rcode);
sg_time change_not_before(sg_time when, sg_time earliest);
/* A worker's reply. Takes the job. */
void change_take_job(struct keeper *keeper, struct zone_job *job);

/* --- change_failure.c ----------------------------------------------------------------------- */

enum {
    CHANGE_RETRY_SECONDS = 300,      /* after a failure, BIND's figure */
    CHANGE_STORE_RETRY_SECONDS = 10, /* after one of the store: it tries by itself meanwhile */
};
/* The job, or its commit, has failed; `retry` is one of those. Takes the job. */
void change_fail(struct keeper *keeper, struct zone_job *job, sg_duration retry);
/* What the store has of the zone, up to this serial, cannot be served. It may be known to have
 * what its file lacks. */
void change_recover_otherwise(struct keeper *keeper, struct managed_zone *zone, uint32_t serial,
                              bool has_more_than_file);
/* Whoever waits for something to be done with the zone is told its problem. None of that comes true
 * when it is over. */
void change_refuse_orders(struct managed_zone *zone);
/* Of a recovered zone that is frozen: that its file was not taken is its problem still. */
void change_recall_refusal(struct managed_zone *zone);

/* --- zone_facts_looks.c --------------------------------------------------------------------- */

/* The zone's version is served, now or since long: see to the states that count from then. */
void zone_facts_note_published(struct keeper *keeper, struct managed_zone *zone);
/* What one has found the others of its name look at too. */
void zone_facts_let_twins_follow(struct keeper *keeper, const struct managed_zone *zone);

/* --- opening.c ------------------------------------------------------------------------------ */

/* The zone is to be stored, and the store has not told yet what it has of it: nothing is done to
 * the zone until then, or what is acknowledged would not last. */
bool opening_is_wanted(const struct keeper *keeper, const struct managed_zone *zone);
/* Ask the store what it has of the zone, then let it be recovered, loaded, or go on. */
void opening_start(struct keeper *keeper, struct managed_zone *zone);
/* A static zone is served with its file's serial, above all that was served: it needs no store. */
void opening_forget_static(struct keeper *keeper, struct managed_zone *zone);
/* Let the store forget a zone that is gone. */
void opening_wipe(struct keeper *keeper, struct managed_zone *zone);
/* One of its name that has come since may be opened now. */
void opening_of_successor(struct keeper *keeper, const struct managed_zone *buried);

/* --- overdue.c ------------------------------------------------------------------------------ */

/* The first expiration is known, again or anew. */
void overdue_note(struct managed_zone *zone, sg_time now);
/* Signatures that may not have begun are no better than such as have expired: all are looked at. */
void overdue_note_ahead(struct managed_zone *zone, sg_time now);
/* The job begins: when will what it signs begin, and does the zone's index hold by its clock? */
void overdue_begin_job(struct managed_zone *zone, const struct zone_job *job);
/* warn_at has come: say it, and set the next. */
void overdue_warn(struct managed_zone *zone, sg_time now);

/* --- resting.c ------------------------------------------------------------------------------ */

/* A job that looked at the keys succeeded: do they rest, and why? */
void resting_note(struct managed_zone *zone, const struct zone_job *job, sg_time now);

/* --- checkpoint.c --------------------------------------------------------------------------- */

/* Make an image if the changesets since the last one have become many; let the store forget what
 * has become too old. */
void checkpoint_consider(struct keeper *keeper, struct managed_zone *zone);
/* Both, when something of its history is too old; what cannot be done now is, a while later. */
void checkpoint_age(struct keeper *keeper, struct managed_zone *zone);
/* A worker's reply. Takes the job. */
void checkpoint_take_job(struct keeper *keeper, struct job *job);
/* Let the history of a zone be what its settings and the memory for all allow. */
void checkpoint_trim_memory(struct keeper *keeper, struct managed_zone *zone);
/* The store has forgotten it: nothing leads to the present version any more. */
void checkpoint_forget_history(struct keeper *keeper, struct managed_zone *zone);

/* --- history_budget.c ----------------------------------------------------------------------- */

/* The history of this zone has changed: let that of all zones be what the memory for it allows. */
void history_budget_keep(struct keeper *keeper, struct managed_zone *zone);
/* The zone is freed. */
void history_budget_leave(struct keeper *keeper, struct managed_zone *zone);
