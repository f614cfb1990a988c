/*
 * keeper/keeper.h - the life of every zone: what comes in, the one pipeline, what goes out
 *
 * The keeper runs in the main thread, which owns the event loop; it has none of its own. server/
 * calls keeper_turn() whenever its mailbox has been woken or the instant that the last turn
 * asked for has come. It never blocks and never touches the disk: jobs do that, in workers.
 *
 *   server: conf_load() -> generation -> keeper_configure() -> slots -> front_publish()
 *   a zone: input -> job (PREPARE, SIGN, SEAL) -> store (COMMIT) -> PUBLISH -> wait for a wake
 *
 * Thread: keeper, all functions.
 */
#pragma once

#include "base/worker_pool.h"
#include "dns/message.h"
#include "kasp/plan.h"
#include "kasp/policy.h"
#include "kasp/progress.h"
#include "keeper/asking.h"
#include "keeper/clock_guard.h"
#include "keeper/ds_watch.h"
#include "keeper/notify_targets.h"
#include "keeper/refresh.h"
#include "keeper/running.h"
#include "store/store.h"
#include "zone/check.h"
#include "zone/table.h"
#include "zone/update.h"

struct keeper;
struct managed_zone;
struct keeper_update;
struct parent_telling_settings;

enum zone_type { ZONE_PRIMARY, ZONE_SECONDARY };
enum zone_serial_update {
    ZONE_SERIAL_INCREMENT,
    ZONE_SERIAL_UNIXTIME,
    ZONE_SERIAL_DATE,
    ZONE_SERIAL_KEEP, /* the source's; a file that does not raise it is refused */
};

/* Whom to tell of a change. */
struct zone_notify_settings {
    enum notify_mode mode;
    bool to_soa;
    sg_duration delay;
    const struct remote *also;
    size_t also_count;
};

/* What bounds a zone and what is kept of it. */
struct zone_limits {
    uint64_t records_max;          /* max-records; 0: unlimited */
    uint64_t journal_bytes_max;    /* of changesets kept; 0: twice the zone */
    sg_duration journal_age_max;   /* of the same; 0: unlimited */
    uint32_t ixfr_ratio_percent;   /* a difference that is larger is not told; 0: unlimited */
    uint32_t records_per_type_max; /* 0: unlimited */
    uint32_t types_per_name_max;   /* 0: unlimited */
    uint16_t private_type;         /* sig-signing-type */
};

/* What the keeper wants to know of a zone. Borrows strings and policy from its generation. */
struct zone_settings {
    const char *name; /* as written in the configuration */
    const char *view; /* "_default" where there are no views */
    struct dns_name apex;
    uint16_t rrclass;
    enum zone_type type;
    const char *file;                 /* relative to the working directory; NULL: none */
    const char *journal;              /* named's, of a zone that comes from it; NULL: FILE.jnl */
    const struct kasp_policy *policy; /* NULL: served as it is */
    bool inline_signing;
    bool dynamic; /* takes updates */
    const char *key_directory;
    uint32_t max_zone_ttl;
    enum zone_serial_update serial_update;
    unsigned loadkeys_interval_minutes; /* 0: never */
    const struct zone_check_options *checks;
    struct zone_limits limits;
    const struct zone_notify_settings *notify;     /* NULL: nobody */
    const struct refresh_settings *refresh;        /* of a secondary; NULL: it has no primaries */
    const struct ds_watch_settings *parent;        /* NULL: the parent is no matter */
    const struct parent_telling_settings *telling; /* NULL: it is not told either */
    sg_duration transfer_time_max, transfer_idle_max; /* of transfers in */
    uint32_t transfer_bytes_min;                      /* in each window; 0: no limit */
    sg_duration transfer_window;
    const void *access;           /* put into the slot's options */
    uint64_t fingerprint;         /* of all of the above */
    uint64_t updates_fingerprint; /* of who may update: `access` has it */
    const char *source_file;      /* where the statement stands */
    unsigned source_line;

    struct zone_slot *slot; /* out: set by keeper_configure() */
};

/*
 * One configuration's settings. `release` is called, in the keeper's thread, when neither the
 * keeper nor any job uses them any more; a grace period has passed by then.
 */
struct keeper_generation {
    struct zone_settings *zones;
    size_t zones_count;
    /* Folder of a key-store by name; NULL: the zone's key-directory. */
    const char *(*key_store_folder)(const struct keeper_generation *generation, const char *name);
    /* The update-policy of a zone, asked record by record in a worker; NULL: everything. */
    bool (*may_update)(const struct zone_settings *settings, const struct keeper_update *update,
                       const struct zone_update_wish *wish, uint16_t *out_records_max);
    void (*release)(struct keeper_generation *generation);
    struct {
        unsigned notify, startup_notify, serial_query; /* a second */
        unsigned transfers_in, transfers_per_server;   /* at once */
        unsigned updates;                              /* at once */
    } rates;
    uint64_t history_bytes_max;   /* of changesets in memory for IXFR, all zones together */
    void *owner;                  /* of whoever made it, e.g. the conf */
    size_t uses;                  /* private to the keeper */
    struct epoch_retired retired; /* private to the keeper */
};

struct keeper_io {
    struct worker_pool *pool;
    struct mailbox *mailbox;     /* replies of jobs come here; its wake leads to keeper_turn() */
    struct store *store;         /* NULL: nothing outlives a restart, or keeper_miss_store(); its
                                    `state_changed` leads to a turn too */
    struct mailbox *commits;     /* replies of the store; the same wake */
    struct keeper_asker asker;   /* `ask` NULL: nobody is told or asked */
    struct keeper_runner runner; /* `run` NULL: no program is run */
    /* In a turn: every load that keeper_configure() or keeper_reload_all() asked for has ended;
     * `failed` of `zones` could not be loaded, and `kept` could not and are served as before. */
    void (*all_loaded)(void *argument, size_t zones, size_t failed, size_t kept);
    /* Seconds since the machine was started: has the wall clock jumped? NULL: nobody looks. */
    sg_time (*uptime)(void *argument);
    bool untimed; /* how fast this machine signs decides nothing: a simulation can be repeated */
    void *argument;
};

struct keeper *keeper_new(const struct keeper_io *io);
/* No job may be running: keeper_stop() first, then turns until keeper_is_idle(). */
void keeper_free(struct keeper *keeper);

/*
 * There is no store, and why: a zone that is stored (signed here, dynamic, a secondary) is not
 * loaded or fetched until keeper_take_store(), or what it acknowledges would be lost. What is
 * served already goes on as it is. Before keeper_configure(); later with a newer reason.
 */
void keeper_miss_store(struct keeper *keeper, const char *why);
/* It could be opened: those zones are opened now. Borrows the store until keeper_free(). */
void keeper_take_store(struct keeper *keeper, struct store *store);
/* Why the zone cannot be worked on: the store that it needs is missing. NULL: it is not so. */
const char *keeper_lacks_store(const struct keeper *keeper, const struct managed_zone *zone);

/*
 * Take a new configuration: zones that are new are loaded, those that are gone are forgotten once
 * the next front is published, those whose fingerprint changed are loaded again, the others go on.
 * Takes the generation. Fills in each `zones[i].slot`. SG_EXISTS when two zones are the same
 * (nothing is changed and the generation is still the caller's), `out_duplicate` its index.
 */
MUST_USE enum sg_result keeper_configure(struct keeper *keeper,
                                         struct keeper_generation *generation, sg_time now,
                                         size_t *out_duplicate);
/* The new front is published: what only the old one used may go after a grace period. */
void keeper_front_published(struct keeper *keeper);

/* What follows, until the next turn, is called at `now`: inputs, commands, what was heard. */
void keeper_note_time(struct keeper *keeper, sg_time now);
/*
 * Do what is due: take replies, publish, start jobs, wake zones. Returns the instant of the next
 * wake (INT64_MAX: none but the mailbox).
 */
sg_time keeper_turn(struct keeper *keeper, sg_time now);

/* Start nothing more. */
void keeper_stop(struct keeper *keeper);
bool keeper_is_idle(const struct keeper *keeper);
/* Jobs that run or wait for a worker. */
size_t keeper_jobs(const struct keeper *keeper);

/* --- inputs --------------------------------------------------------------------------------- */

/*
 * A dynamic update on its way through the pipeline. Made by server/, which has checked TSIG and
 * allow-update; `done` is called once, in the keeper's thread, when the answer is known: after the
 * change is committed and published. It frees the update.
 */
struct keeper_update {
    struct keeper_update *next; /* private to the keeper */
    struct buffer wire;         /* the request; `message` is parsed from it */
    struct dns_message message;
    char *client;    /* how log lines about it begin */
    void *requester; /* of server/: who asks */
    uint16_t rcode;
    void (*done)(struct keeper_update *update);
};
/* Takes the update; answers it at once with SERVFAIL where it cannot be done at present, or with
 * REFUSED where the zone is frozen or takes none. */
void keeper_update(struct keeper *keeper, struct managed_zone *zone, struct keeper_update *update);
/* A NOTIFY that was let in (RFC 1996); `hint`: the SOA that it showed, or NULL. */
void keeper_notified(struct keeper *keeper, struct managed_zone *zone, const struct remote *from,
                     const struct dns_soa *hint);

/* --- what commands ask for ------------------------------------------------------------------ */

/*
 * Zones by name: `view` and `rrclass` (0: any) may be left open. Returns how many fit (more than
 * one: ambiguous) and sets `out_zone` to the first.
 */
size_t keeper_find(struct keeper *keeper, const struct dns_name *apex, uint16_t rrclass,
                   const char *view, struct managed_zone **out_zone);
size_t keeper_zones(const struct keeper *keeper);
/* For a walk over all zones, in no particular order; NULL after the last. */
struct managed_zone *keeper_zone(struct keeper *keeper, size_t index);

enum reload_outcome {
    RELOAD_STARTED,
    RELOAD_UP_TO_DATE,
    RELOAD_FAILED,
    RELOAD_GONE, /* to keeper_await() alone: the zone was removed before it was served */
};
/* Told once, in a later keeper_turn(): how a load that was asked for ended. */
typedef void reload_done(void *argument, enum reload_outcome outcome, const char *text);
/*
 * Read the zone's file again if it changed (or `force`, also of a dynamic zone whose stored state
 * cannot be read: it is given up once the file is taken). `done` may be NULL; it is called with
 * RELOAD_UP_TO_DATE, RELOAD_FAILED (why, in a few words) or RELOAD_STARTED for a success.
 * SG_UNSUPPORTED for a zone without file, SG_CANCELLED while stopping, SG_IO where the store is
 * missing, SG_CONFLICT for a dynamic zone that is not frozen: its file would undo what updates have
 * changed.
 */
MUST_USE enum sg_result keeper_reload(struct keeper *keeper, struct managed_zone *zone, bool force,
                                      reload_done *done, void *argument);
/* The same for every zone whose file changed. */
void keeper_reload_all(struct keeper *keeper);
/* `done` is called when the zone, which is new, is served or could not be loaded. */
void keeper_await(struct keeper *keeper, struct managed_zone *zone, reload_done *done,
                  void *argument);
/* When the zone is no longer configured, the store shall forget all of it. `done` is told once,
 * with SG_OK when that is durable, or nothing was to be forgotten; perhaps before the new
 * configuration is taken whole. */
typedef void wipe_done(void *argument, enum sg_result result);
void keeper_wipe(struct keeper *keeper, struct managed_zone *zone, wipe_done *done, void *argument);
/* It is configured on after all, and `done` is not told. False: it was not to be wiped. */
bool keeper_keep(struct keeper *keeper, struct managed_zone *zone);
/*
 * A dynamic zone: write its file and take no more updates; read the file again and take them;
 * write the file alone, also of a secondary. `done` as for keeper_reload(). SG_UNSUPPORTED: not
 * such a zone, SG_EXISTS: frozen already, or not frozen, SG_NOT_FOUND: nothing is loaded, SG_IO:
 * the store is missing, or what it has of the zone cannot be read.
 */
MUST_USE enum sg_result keeper_freeze(struct keeper *keeper, struct managed_zone *zone,
                                      reload_done *done, void *argument);
MUST_USE enum sg_result keeper_thaw(struct keeper *keeper, struct managed_zone *zone,
                                    reload_done *done, void *argument);
MUST_USE enum sg_result keeper_sync(struct keeper *keeper, struct managed_zone *zone,
                                    reload_done *done, void *argument);
/* The same, and nothing that came before is kept for IXFR or in the store's records; also of a zone
 * that has no file to be written. Where its file cannot be written all is kept. */
MUST_USE enum sg_result keeper_sync_clean(struct keeper *keeper, struct managed_zone *zone,
                                          reload_done *done, void *argument);
/* Let the served serial be `serial`. SG_CONFLICT unless it is greater than the present one. */
MUST_USE enum sg_result keeper_raise_serial(struct keeper *keeper, struct managed_zone *zone,
                                            uint32_t serial);
/* Has the clock jumped since the start? `out_jump`: how far. While it is in doubt the states of
 * keys rest (keeper/trust.h); single zones may be in doubt by themselves (struct zone_status). */
enum clock_doubt keeper_clock(const struct keeper *keeper, sg_duration *out_jump);
/* The clock is right: keys go on. Returns how many zones were in doubt. */
size_t keeper_accept_clock(struct keeper *keeper);
/* The store that is opened, or will be, comes from a backup: its zones' secondaries may have later
 * serials, and are asked. `restore` is another number for each time that a backup was put in place,
 * never 0: a zone that was changed since knows what it heard. Before zones are opened. */
void keeper_note_restored(struct keeper *keeper, uint64_t restore);
/* All zones were recovered, all secondaries that were asked have answered or were given up, and
 * what had to be overtaken is: a restart would find nothing else to do. */
bool keeper_has_overtaken(struct keeper *keeper);
/* A secondary: ask its primaries now; with `whole` fetch it by AXFR, whatever the serial.
 * SG_UNSUPPORTED for other zones. */
MUST_USE enum sg_result keeper_refresh(struct keeper *keeper, struct managed_zone *zone,
                                       bool whole);
/* What the secondary zones are at. */
void keeper_count_refreshes(const struct keeper *keeper, struct refresh_counts *out_counts);
/* Tell the zone's secondaries once more. */
MUST_USE enum sg_result keeper_notify(struct keeper *keeper, struct managed_zone *zone);
/* Look at the key directory now; sign again where the keys changed. */
MUST_USE enum sg_result keeper_loadkeys(struct keeper *keeper, struct managed_zone *zone,
                                        bool sign_all);

/* --- what is ordered of a zone's keys ------------------------------------------------------- */

enum { KEEPER_ANY_KEY = -1 /* the only one that the order can mean */ };

/*
 * Told once, in a later keeper_turn(), when what was ordered is durable or cannot be done: then
 * `text` says why, in a line that is for the operator. With SG_OK it says what was done.
 */
typedef void keys_order_done(void *argument, enum sg_result result, const char *text);
struct keeper_key_word {
    int tag;           /* KEEPER_ANY_KEY */
    uint8_t algorithm; /* 0: any */
    bool published;    /* else withdrawn */
    sg_time when;      /* 0: now; of a DS: or since it was first said */
};
/*
 * The DS of a key was seen published, or withdrawn, at `when`. SG_NOT_FOUND: no such key,
 * SG_EXISTS: several, SG_CONFLICT: it is not asked for now, or the clock is in doubt. A result that
 * is not SG_OK at once: SG_UNSUPPORTED for a zone without policy, SG_CANCELLED, SG_IO: what
 * the store has of it cannot be read; `done` is not called then.
 */
MUST_USE enum sg_result keeper_note_ds(struct keeper *keeper, struct managed_zone *zone,
                                       const struct keeper_key_word *word, keys_order_done *done,
                                       void *argument);
/* A successor of the key is due at `when`. Results as keeper_note_ds(), but SG_DENIED: the key is
 * not in use. */
MUST_USE enum sg_result keeper_rollover(struct keeper *keeper, struct managed_zone *zone,
                                        const struct keeper_key_word *word, keys_order_done *done,
                                        void *argument);
/* manual-mode: make all moves that are due. SG_CONFLICT: the policy moves by itself. */
MUST_USE enum sg_result keeper_step(struct keeper *keeper, struct managed_zone *zone,
                                    keys_order_done *done, void *argument);

/* As keeper_loadkeys(), and tell whether the look succeeded. SG_CANCELLED also: nothing is served.
 */
MUST_USE enum sg_result keeper_look_at_keys(struct keeper *keeper, struct managed_zone *zone,
                                            bool sign_all, keys_order_done *done, void *argument);

/* The private record which tells that the zone is signed with the key goes; KEEPER_ANY_KEY: all of
 * them. SG_NOT_FOUND: there is none of that key. */
MUST_USE enum sg_result keeper_clear_progress(struct keeper *keeper, struct managed_zone *zone,
                                              const struct keeper_key_word *word,
                                              keys_order_done *done, void *argument);

/* One key as its files, the last commit and the plan have it. */
struct keeper_key_status {
    uint8_t algorithm;
    uint16_t tag, flags, bits;
    struct key_state state;
    sg_time times[KEY_TIMES];
    struct kasp_wait wait;       /* kasp_wait_text() */
    enum kasp_sighting ds, asks; /* what was seen at the parent; what it is to show */
    sg_time ds_at, ds_asked_at;  /* KEY_TIME_UNSET: never */
    bool published, signs_keys, signs_zone, wants_ds;
    bool has_secret;
    enum kasp_progress progress; /* with signing the zone */
};
/* One that is served and has no files. */
struct keeper_lost_key {
    uint8_t algorithm;
    uint16_t tag, flags;
    const char *role; /* a literal: as it was committed, else by its flags */
};
enum { KEEPER_LOST_KEYS_MAX = 64 };
struct keeper_keys_status {
    sg_time now, wake_at; /* INT64_MAX: never */
    bool manual;          /* something waits for a step */
    bool publishes_delete;
    const char
        *problem; /* borrowed: why the keys rest, as they were committed; NULL: they do not */
    size_t count;
    struct keeper_key_status keys[KASP_PLAN_KEYS_MAX];
    size_t lost_count; /* above 0: there is a problem, and `keys` are the rest */
    struct keeper_lost_key lost[KEEPER_LOST_KEYS_MAX];
    const char *searched; /* borrowed: the folders, in lines; NULL: nothing is lost */
};
/* `status` NULL: the keys cannot be looked at, as `text` says. */
typedef void keys_status_done(void *argument, const struct keeper_keys_status *status,
                              const char *text);
/* Look at the keys, as loadkeys does, and tell what they do. Results as keeper_note_ds(). */
MUST_USE enum sg_result keeper_keys_status(struct keeper *keeper, struct managed_zone *zone,
                                           keys_status_done *done, void *argument);
