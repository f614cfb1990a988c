/*
 * sim/world.h - one seed's world: a keeper and its store, real; clock, disk, network, peers, fake
 *
 *   steps.c   what happens next, drawn from the seed: updates, edits, crashes, faults, days
 *   peace.c   then everything heals, and all that was asked for has to come true
 *   clock.c   the wall clock goes wrong, by a restart or while all runs
 *   upheaval.c the store is lost, saved and brought back; another configuration
 *   world.c   the keeper's life: start, turns, crash, start again
 *   zone.c    a zone, its settings, keys and file
 *   model.c   what a zone should be, told by acknowledgements alone
 *   watch.c   looks at every version that is published: S1, S3, S4
 *   valid.c   is it a valid signed zone (RFC 4035, 5155)?
 *   network.c questions to peers: loses, delays, reorders, cuts, lies
 *   primary.c a zone's primary: its versions, and its answers
 *   crash_sweep.c whole rolls, with a death at each operation of the disk
 *   rolls.h   keys that come and go, the parent, caches: S2, S6
 *
 * All of it runs in one thread and draws from one generator, so that a seed is a run, bit for bit.
 */
#pragma once

#include <stdio.h>

#include "base/random.h"
#include "keeper/keeper.h"
#include "sim/model.h"
#include "support/fake_disk.h"

#define SIM_EPOCH ((sg_time)1767225600) /* 2026-01-01 */

enum { SIM_ZONES_MAX = 4, SIM_VERSIONS_MAX = 400, SIM_POLICIES_MAX = 8 };

enum sim_kind {
    SIM_FILE,           /* a file, served as it is */
    SIM_DYNAMIC,        /* updates, not signed */
    SIM_SIGNED_FILE,    /* inline-signing of a file */
    SIM_SIGNED_DYNAMIC, /* updates, signed */
    SIM_SECONDARY,      /* from a primary, served as it is */
    SIM_BUMP,           /* from a primary, signed here */
    SIM_KINDS
};

enum { SIM_POLICIES = 2, SIM_PRIMARIES = 4, SIM_DEAD_PRIMARY = 3 /* 192.0.2.3 */ };

enum sim_denial { SIM_NSEC, SIM_NSEC3, SIM_OPT_OUT, SIM_DENIALS };

struct world;

/* A zone's primary, elsewhere: every version that it ever had. */
struct primary {
    struct records versions[SIM_VERSIONS_MAX]; /* without SOA */
    uint32_t serials[SIM_VERSIONS_MAX];
    size_t count;
    size_t shown; /* it answers with this version: the newest, unless it lags behind */
    bool lies;
};

/* A secondary of ours, as its copy is: fetched by IXFR wherever that is to be had. */
struct observer {
    struct records zone; /* as transferred, SOA included; count 0: nothing yet */
    uint32_t serial;
    uint32_t told; /* of the last NOTIFY that got through */
    bool was_told;
    size_t whole, incremental; /* transfers */
};

/* What was seen of the zone from outside, ever. */
struct seen {
    const struct zone_version *version; /* a reference: the last one that was looked at */
    struct records zone;                /* its AXFR */
    uint32_t serial, source_serial;
    bool any;           /* something was published once */
    bool restarted;     /* since then */
    bool was_away;      /* not served, for a while since then: it had expired */
    sg_time at;         /* when */
    unsigned skews;     /* of the world, then */
    sg_time expires_at; /* the earliest of its signatures; 0: none */
    size_t versions, versions_before_peace;
};

/* Where a zone stands whose store was lost, or is an older one, and what a backup has of it. */
struct standing {
    bool is_behind;       /* its secondary has a serial that ours is not above */
    bool is_heard;        /* since then the secondary has told it, and no crash came in between */
    bool was_silent;      /* since then a question to it got no answer, or a crash came */
    uint32_t above;       /* what it has told or, if that is later, ours then; 0: nothing */
    bool begins_anew;     /* what is published may have no difference that leads to it */
    bool is_saved;        /* a backup has ... */
    struct records saved; /* ... this source */
};

struct sim_zone {
    struct world *world;
    unsigned number;
    enum sim_kind kind;
    enum sim_denial denial;
    bool inline_signing;
    char *name, *file;
    struct dns_name apex;
    struct kasp_policy *policies[SIM_POLICIES]; /* of the same keys; NULL: it has none */
    struct kasp_policy *policy;                 /* one of them, or of `rolls`; NULL: not signed */
    unsigned primaries;                         /* which of the world's lists */
    bool is_changing;                           /* what is published may be of an earlier policy */
    struct kasp_policy *more_policies[SIM_POLICIES_MAX]; /* with another denial, for the zone */
    size_t more_count;
    unsigned denials;   /* a bit for each that it was ever to have */
    uint32_t max_ttl;   /* max-zone-ttl of its policies; 0: none */
    uint32_t long_ttl;  /* of a third of its RRsets; 0: all have a short one */
    uint32_t asked_ttl; /* what updates ask for instead, which is lowered; 0: they ask for that */
    enum sim_denial denial_served; /* of what was looked at last */
    struct managed_zone *managed;
    struct zone_settings *settings; /* of the present generation */
    struct model model;
    struct primary *primary; /* NULL: there is none */
    struct observer observer;
    struct seen seen;
    bool keys_rest;       /* when they were looked at last, since the clock was in doubt */
    uint64_t keys_states; /* then */
    unsigned keys_skews;  /* of the world, then */
    uint32_t file_serial;
    unsigned file_writes;      /* how often its file was written */
    size_t keys_made;          /* the first ones, and those that wait for a roll */
    unsigned rolls_left;       /* as many as there are keys for */
    struct sim_rolls *rolls;   /* NULL: no key rolls by itself */
    struct sim_parent *parent; /* and caches; NULL: not signed, or not always */
    struct sim_caches *caches;
    struct standing standing;
};

struct network {
    struct sim_question *first;
    uint64_t sequence;
    unsigned loss_percent; /* of messages */
    bool dead;             /* nothing gets through */
    bool secondaries_are_silent;
};

struct tally {
    size_t turns, crashes, faults, updates, acknowledged, refused, reloads, differences, rests;
    size_t losses, backups, restores, configurations;
};

struct world {
    uint64_t seed;
    struct random_seeded random;
    sg_time now;      /* the truth, and what the machine's uptime follows */
    sg_duration skew; /* how far the wall clock that the keeper sees is from it */
    unsigned skews;   /* how often that has changed */
    bool times_lie;   /* there may be signatures with times of a false clock */
    struct random_seeded clock_random, denial_random, rolls_random, upheaval_random, ttls_random;
    bool clock_is_steady; /* it never goes wrong in this world */
    bool is_inexact;      /* a step or a restore has moved what keys go by: S2, S6 do not hold */
    struct fake_disk *disk, *backup; /* `backup` NULL: there is none */
    sg_time backup_at;
    bool signs_aside; /* zones are taken for large ones (keeper/aside.h) */
    struct worker_pool *pool;
    struct mailbox mailbox, commits;
    struct store *store;
    struct keeper *keeper;
    bool is_down;                   /* crashed: what is answered now reaches nobody */
    bool is_lame;                   /* the disk fails for a while */
    sg_time lame_since, lame_until; /* the last while */
    struct sim_zone zones[SIM_ZONES_MAX];
    size_t zones_count;
    struct network network;
    struct refresh_settings refresh[SIM_PRIMARIES];
    struct valid_cache *valid;
    unsigned next_id;
    struct tally tally;
    FILE *trace;
};

/* --- world.c -------------------------------------------------------------------------------- */

void world_new(struct world *world, uint64_t seed, FILE *trace);
/* The same without zones, and not started. */
void world_prepare(struct world *world, uint64_t seed, FILE *trace);
void world_free(struct world *world);
void world_start(struct world *world);
/* The power goes: nobody hears of anything any more. Then world_start(). */
void world_crash(struct world *world);
/* One turn, and a look at what it published. */
sg_time world_turn(struct world *world);
/* Turns until nothing is at work. */
void world_settle(struct world *world);
/* Let time pass, with every wake in between. */
void world_pass(struct world *world, sg_duration time);
/* A new configuration, as the zones say now. */
void world_configure(struct world *world);

/* What the keeper's wall clock shows. */
sg_time world_clock(const struct world *world);
uint32_t world_draw(struct world *world, uint32_t bound);
bool world_chance(struct world *world, unsigned percent);
void world_say(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
/* An invariant does not hold: says so, and ends the process. */
_Noreturn void world_fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- zone.c --------------------------------------------------------------------------------- */

void sim_zone_new(struct world *world, unsigned number, struct sim_zone *out_zone);
/* Signed and dynamic, with NSEC; by this policy, whose keys it is to make itself. Takes it. */
void sim_zone_new_rolling(struct world *world, unsigned number, struct kasp_policy *policy,
                          struct sim_zone *out_zone);
void sim_zone_free(struct sim_zone *zone);
void sim_zone_settings(struct sim_zone *zone, struct zone_settings *out_settings);
/* Write its file: these records, with that serial. */
void sim_zone_write_file(struct sim_zone *zone, const struct records *records, uint32_t serial);
void sim_zone_break_file(struct sim_zone *zone);
bool sim_zone_is_signed(const struct sim_zone *zone);
bool sim_zone_is_dynamic(const struct sim_zone *zone);
/* The TTL that an update asks for, to have the record as it is. */
uint32_t sim_zone_asked_ttl(const struct sim_zone *zone, const struct record *record);
/* An SOA for the zone. */
void sim_zone_soa(const struct sim_zone *zone, uint32_t serial, struct record *out_soa);
/* Something that an update may ask for. */
void sim_zone_draw_wish(struct sim_zone *zone, struct model_wish *wish);
/* Let its policy want another denial of existence. False: it is not signed, or has had enough. */
bool sim_zone_change_denial(struct sim_zone *zone);
/* Change some of the records of a zone's source, as an operator would. */
void sim_zone_edit(struct sim_zone *zone, struct records *records, unsigned changes);
size_t sim_zone_count_keys(const struct sim_zone *zone);
/* Any of its keys, to be rolled. False: there is no other key for it. */
bool sim_zone_draw_key(struct sim_zone *zone, uint16_t *out_tag);
/* A sum over its keys and their states, as their files have them. */
uint64_t sim_zone_keys_states(const struct sim_zone *zone);

/* Take up the other one of its policies, one of them, or none. */
void sim_zone_set_policy(struct sim_zone *zone, struct kasp_policy *policy);
/* It wants what that policy does. NULL: not to be signed. */
void sim_zone_take_policy(struct sim_zone *zone, struct kasp_policy *policy);

/* --- watch.c -------------------------------------------------------------------------------- */

/* Look at what the zone publishes now; cheap if that is what it was. */
void watch_zone(struct sim_zone *zone);
/* The observer fetches the zone: by differences from what it has, else whole. */
void watch_observe(struct sim_zone *zone);
/* All its signatures hold now, and are looked at from now on. */
void watch_times(struct sim_zone *zone);
void watch_clear(struct sim_zone *zone);
/* The records of a version, SOA included, as a secondary gets them. */
void watch_take(struct sim_zone *zone, const struct zone_version *version,
                struct records *out_zone);

/* --- steps.c -------------------------------------------------------------------------------- */

enum { SIM_STEPS = 45 };
/* One thing that happens, and time that passes. */
void step(struct world *world);
/* An update of a dynamic zone. */
void step_update(struct sim_zone *zone);
/* A change of a zone in peace: whatever was refused meanwhile works now. */
void step_in_peace(struct world *world, struct sim_zone *zone);
/* The disk works again. */
void step_heal(struct world *world);

/* --- peace.c -------------------------------------------------------------------------------- */

/* Everything heals, and all that was asked for has to come true. */
void step_peace(struct world *world);

/* --- clock.c -------------------------------------------------------------------------------- */

/* The world is down: the clock goes wrong, or right again; true: clock_accept() once it is up. */
bool clock_restart(struct world *world);
/* An operator says that it is right, and all is signed anew. */
void clock_accept(struct world *world);
/* It is stepped while all runs. */
void clock_step(struct world *world);
/* While it is in doubt no key moves on. */
void clock_check_keys(struct sim_zone *zone);

/* --- upheaval.c ----------------------------------------------------------------------------- */

/* Now and then something that no ordinary day brings. */
void upheave(struct world *world);
/* Its secondary has told the keeper what it has. */
void upheaval_hear(struct sim_zone *zone);
/* A zone that was behind its secondary, and has heard of it, is above it now. */
void upheaval_check(struct sim_zone *zone);
/* Whatever is still behind its secondary an operator raises. */
void upheaval_raise_serials(struct world *world);

/* --- main.c --------------------------------------------------------------------------------- */

/* Zone files and keys are real. Paths in the trace are relative: a seed is the same wherever. The
 * folder's name is the caller's, for sim_remove_folder(), which takes it. */
char *sim_enter_folder(void);
void sim_remove_folder(char *folder);
/* The end of a trace, on standard output. */
void sim_print_tail(FILE *trace);

/* --- crash_sweep.c -------------------------------------------------------------------------- */

/* `sim --sweep ...`, as it was called. Returns the exit status. */
int crash_sweep_main(int argc, char **argv);

/* --- valid.c -------------------------------------------------------------------------------- */

struct valid_cache *valid_cache_new(void);
void valid_cache_free(struct valid_cache *cache);
/* Fails the world unless `published` is a valid zone now. Returns when its first signature
 * expires. */
sg_time valid_check(struct sim_zone *zone, const struct records *published);

/* --- network.c, primary.c ------------------------------------------------------------------- */

struct keeper_asker network_asker(struct world *world);
/* When something arrives; INT64_MAX: nothing is under way. */
sg_time network_wake(const struct world *world);
/* Deliver what has arrived by now. */
void network_turn(struct world *world);
void network_clear(struct world *world);

/* What the primary answers to a request, message by message. `ends_badly`: the connection breaks
 * then; `settled`: TSIG fits. */
enum { PRIMARY_MESSAGES_MAX = 40 };
struct primary_answer {
    struct buffer messages[PRIMARY_MESSAGES_MAX];
    size_t count;
    bool ends_badly, settled;
};
void primary_answer(struct sim_zone *zone, const struct dns_message *request,
                    struct primary_answer *out_answer);
/* The next version: some changes. */
void primary_edit(struct sim_zone *zone, unsigned changes);
/* A version that it shows, with a serial above `serial`, or its own. */
void primary_edit_above(struct sim_zone *zone, uint32_t serial);
void primary_free(struct primary *primary);
