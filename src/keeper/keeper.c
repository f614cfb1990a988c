#include "keeper/keeper.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "keeper/generation.h"
#include "keeper/publish.h"
#include "keeper/zone_index.h"
#include "keeper/zone_label.h"
#include "keeper/zone_record.h"

enum {
    JOBS_PER_WORKER = 2,         /* so that no worker waits for the keeper */
    RETRY_SECONDS = 300,         /* after a failure, BIND's figure */
    TIMERS_PER_TURN_MAX = 10000, /* no turn may keep commands waiting */
};

struct keeper {
    struct keeper_io io;
    struct keeper_generation *generation; /* the present one; NULL before the first */
    struct keeper_generation *fronted;    /* the one that queries still see; NULL: the present */
    struct zone_index index;
    struct managed_zone **zones;
    size_t zones_count;
    struct managed_zone *removed; /* by queue_next: until the next front is published */
    struct heap timers;
    struct managed_zone *queue_first;
    struct managed_zone **queue_last;
    size_t jobs;
    bool announced; /* all_loaded() was called for what was asked for last */
    size_t untried; /* zones that are to be loaded, or loaded again, before it is called */
    size_t failed;
    bool stopping;
    uint64_t next_id;
};

struct keeper *keeper_new(const struct keeper_io *io)
{
    struct keeper *keeper = mem_alloc_zero(1, sizeof(*keeper));
    keeper->io = *io;
    keeper->timers = HEAP_EMPTY;
    keeper->queue_last = &keeper->queue_first;
    keeper->next_id = 1;
    keeper->announced = true;
    zone_index_init(&keeper->index);
    return keeper;
}

/* --- queue and jobs ------------------------------------------------------------------------- */

static void enqueue(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->queued || zone->job != NULL || zone->gone || keeper->stopping) {
        return;
    }
    zone->queued = true;
    zone->queue_next = NULL;
    *keeper->queue_last = zone;
    keeper->queue_last = &zone->queue_next;
}

static void wish_load(struct keeper *keeper, struct managed_zone *zone, bool force)
{
    zone->wishes.load = true;
    zone->wishes.force |= force;
    enqueue(keeper, zone);
}

static void wish_keys(struct keeper *keeper, struct managed_zone *zone, bool sign_all)
{
    if (zone->settings->policy == NULL) {
        return; /* a timer from before the policy was taken away */
    }
    zone->wishes.keys = true;
    zone->wishes.sign_all |= sign_all;
    enqueue(keeper, zone);
}

/* Zones of one name in several views share key files: one at a time (decision 17). */
static bool twin_is_at_work(const struct keeper *keeper, const struct managed_zone *zone)
{
    for (const struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL; other = other->chain_next) {
        if (other != zone && other->job != NULL && other->settings->policy != NULL &&
            dns_name_equal(&other->slot->apex, &zone->slot->apex)) {
            return true;
        }
    }
    return false;
}

/* Nothing is served yet; or what is served came signed from elsewhere and is now to be signed
 * here: its file must be read again, without its old signatures. */
static bool must_load(const struct managed_zone *zone)
{
    const struct zone_version *version = zone->slot->version;
    const struct kasp_policy *policy = zone->settings->policy;
    return version == NULL ||
           (policy != NULL && policy->keys_count > 0 && !zone_version_facts(version)->signed_here);
}

static void start_job(struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    struct zone_job *job = mem_alloc_zero(1, sizeof(*job));
    bool load = zone->wishes.load || must_load(zone);
    job->job = (struct job){.run = zone_job_run, .reply = keeper->io.mailbox};
    job->zone = zone;
    job->settings = zone->settings;
    job->generation = generation_use(zone->generation);
    job->pool = keeper->io.pool;
    job->kind = load ? ZONE_JOB_LOAD : ZONE_JOB_KEYS;
    job->now = now;
    job->force = zone->wishes.force || zone->slot->version == NULL;
    job->keys_wished = zone->wishes.keys;
    job->sign_all = zone->wishes.sign_all;
    job->known_files = &zone->files;
    job->base = zone->slot->version == NULL ? NULL : zone_version_ref(zone->slot->version);
    job->known_keys = zone->keys_fingerprint;
    job->key_event_at = INT64_MAX;
    zone->wishes = (struct zone_wishes){.load = false};
    if (load) {
        zone->job_waiters = zone->waiters;
        zone->waiters = NULL;
    }
    zone->job = job;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, load ? WORK_BULK : WORK_SOON, &job->job);
}

static void start_jobs(struct keeper *keeper, sg_time now)
{
    size_t places = (worker_pool_threads(keeper->io.pool) + 1) * JOBS_PER_WORKER;
    struct managed_zone **at = &keeper->queue_first;
    while (*at != NULL && keeper->jobs < places) {
        struct managed_zone *zone = *at;
        if (zone->settings->policy != NULL && twin_is_at_work(keeper, zone)) {
            at = &zone->queue_next;
            continue;
        }
        *at = zone->queue_next;
        zone->queued = false;
        if (*at == NULL) {
            keeper->queue_last = at;
        }
        start_job(keeper, zone, now);
    }
}

/* --- results -------------------------------------------------------------------------------- */

static void set_timer(struct keeper *keeper, struct managed_zone *zone)
{
    const struct zone_health *health = &zone->health;
    sg_time wake =
        health->key_event_at < health->resign_at ? health->key_event_at : health->resign_at;
    wake = health->retry_at < wake ? health->retry_at : wake;
    if (wake == INT64_MAX) {
        heap_remove(&keeper->timers, &zone->timer);
    } else {
        heap_put(&keeper->timers, &zone->timer, wake);
    }
}

static sg_time resign_time(const struct managed_zone *zone, sg_time expires_first)
{
    if (expires_first == 0 || zone->settings->policy == NULL) {
        return INT64_MAX;
    }
    return expires_first - zone->settings->policy->signatures_refresh;
}

static void log_published(const struct zone_job *job)
{
    const struct zone_facts *facts = zone_version_facts(job->version);
    char label[ZONE_LABEL_BYTES];
    zone_label(job->settings, label);
    if (job->kind == ZONE_JOB_LOAD) {
        log_write(
            LOG_ZONE, SEVERITY_INFO, "zone %s: loaded serial %u%s", label, facts->source_serial,
            !facts->signed_here && facts->denial != ZONE_DENIAL_NONE ? " (DNSSEC signed)" : "");
    }
    if (facts->signed_here) {
        log_write(LOG_ZONE, SEVERITY_INFO, "zone %s (signed): serial %u (unsigned %u)", label,
                  facts->serial, facts->source_serial);
        log_write(LOG_DNSSEC, SEVERITY_INFO,
                  "zone %s published: serial=%u names=%llu signatures=%llu ms=%llu", label,
                  facts->serial, (unsigned long long)facts->names,
                  (unsigned long long)job->signatures,
                  (unsigned long long)(job->took_ns / 1000000));
    }
}

static void take_version(struct managed_zone *zone, struct zone_job *job)
{
    log_published(job);
    publish(zone->slot, job->version);
    job->version = NULL; /* the slot's reference now */
    zone->keys_fingerprint = job->keys_fingerprint;
    zone->health.expires_first = job->expires_first;
    zone->health.resign_at = resign_time(zone, job->expires_first);
    mem_free(zone->health.resign_node);
    zone->health.resign_node = job->expires_node;
    job->expires_node = NULL;
    if (job->kind == ZONE_JOB_LOAD) {
        zone->health.loaded_at = job->now;
    }
}

static sg_time not_before(sg_time when, sg_time earliest)
{
    return when < earliest ? earliest : when;
}

static void take_failure(struct managed_zone *zone, struct zone_job *job, sg_time now)
{
    struct zone_health *health = &zone->health;
    health->problem = job->problem;
    job->problem = NULL;
    if (zone->settings->policy != NULL) {
        /* What was due stays due, or what is served would expire; but not at once again. */
        health->retry_at = now + RETRY_SECONDS;
        health->resign_at = not_before(health->resign_at, health->retry_at);
        health->key_event_at = not_before(health->key_event_at, health->retry_at);
    } else {
        /* A broken file waits for a reload. */
        health->retry_at = health->resign_at = health->key_event_at = INT64_MAX;
    }
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_ZONE, SEVERITY_ERROR, "zone %s: %s: %s", zone_label(job->settings, label),
              zone->slot->version == NULL ? "not loaded due to errors"
                                          : "the last good version is served on",
              zone->health.problem);
}

static void zone_was_tried(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->tried || zone->wishes.load) {
        return;
    }
    zone->tried = true;
    keeper->failed += zone->health.problem != NULL;
    keeper->untried--;
}

/* It counts until it was tried once more. */
static void try_again(struct keeper *keeper, struct managed_zone *zone)
{
    keeper->untried += zone->tried;
    zone->tried = false;
}

static void announce(struct keeper *keeper)
{
    if (keeper->announced || keeper->untried > 0) {
        return;
    }
    keeper->announced = true;
    if (keeper->io.all_loaded != NULL) {
        keeper->io.all_loaded(keeper->io.argument, keeper->zones_count, keeper->failed);
    }
}

static void take_result(struct keeper *keeper, struct zone_job *job, sg_time now)
{
    struct managed_zone *zone = job->zone;
    mem_free(zone->health.problem);
    zone->health.problem = NULL;
    zone->health.retry_at = INT64_MAX;
    if (job->files_known) {
        file_stamps_clear(&zone->files);
        zone->files = job->files;
        job->files = (struct file_stamps){NULL, 0};
    }
    if (job->result != SG_OK) {
        take_failure(zone, job, now);
        zone_tell_waiters(&zone->job_waiters, RELOAD_FAILED, zone->health.problem);
    } else {
        if (job->version != NULL) {
            take_version(zone, job);
        }
        if (!(job->unchanged && job->kind == ZONE_JOB_LOAD)) {
            zone->health.key_event_at = job->key_event_at;
        }
        if (job->unchanged && job->kind == ZONE_JOB_LOAD && job->keys_wished) {
            wish_keys(keeper, zone, job->sign_all); /* There was nothing to load it along with. */
        }
        zone_tell_waiters(&zone->job_waiters, job->unchanged ? RELOAD_UP_TO_DATE : RELOAD_STARTED,
                          "");
    }
    set_timer(keeper, zone);
    zone_was_tried(keeper, zone);
    if (zone->wishes.load || zone->wishes.keys) {
        enqueue(keeper, zone);
    }
}

static void take_reply(struct keeper *keeper, struct zone_job *job, sg_time now)
{
    struct managed_zone *zone = job->zone;
    ASSERT(zone->job == job);
    zone->job = NULL;
    keeper->jobs--;
    if (zone->gone) {
        zone_record_free(zone);
    } else if (!keeper->stopping) {
        take_result(keeper, job, now);
    }
    generation_drop(job->generation);
    zone_job_free(job);
}

/* --- turns ---------------------------------------------------------------------------------- */

static void run_timers(struct keeper *keeper, sg_time now)
{
    for (int i = 0; i < TIMERS_PER_TURN_MAX; i++) {
        struct managed_zone *zone = (struct managed_zone *)heap_first(&keeper->timers);
        if (zone == NULL || zone->timer.key > now) {
            return;
        }
        heap_remove(&keeper->timers, &zone->timer);
        bool sign_all = zone->health.resign_at <= now;
        if (zone->slot->version == NULL) {
            wish_load(keeper, zone, true);
        } else {
            wish_keys(keeper, zone, sign_all);
        }
    }
}

sg_time keeper_turn(struct keeper *keeper, sg_time now)
{
    thread_assert(THREAD_KEEPER);
    for (struct letter *letter = mailbox_take_all(keeper->io.mailbox), *next; letter != NULL;
         letter = next) {
        next = letter->next;
        take_reply(keeper, (struct zone_job *)letter, now);
    }
    if (!keeper->stopping) {
        announce(keeper);
        run_timers(keeper, now);
        start_jobs(keeper, now);
    }
    epoch_reclaim();
    const struct heap_node *first = heap_first(&keeper->timers);
    return first == NULL || keeper->stopping ? INT64_MAX : first->key;
}

/* --- configuration -------------------------------------------------------------------------- */

static bool find_duplicate(const struct keeper_generation *generation, size_t *out_duplicate)
{
    struct zone_index seen;
    zone_index_init(&seen);
    struct managed_zone *records = mem_alloc_zero(generation->zones_count, sizeof(*records));
    struct zone_slot *slots = mem_alloc_zero(generation->zones_count, sizeof(*slots));
    bool found = false;
    for (size_t i = 0; i < generation->zones_count && !found; i++) {
        const struct zone_settings *settings = &generation->zones[i];
        found = zone_index_find(&seen, &settings->apex, settings->rrclass, settings->view) != NULL;
        slots[i].apex = settings->apex;
        slots[i].rrclass = settings->rrclass;
        records[i].slot = &slots[i];
        records[i].settings = settings;
        zone_index_add(&seen, &records[i]);
        *out_duplicate = i;
    }
    zone_index_clear(&seen);
    mem_free(records);
    mem_free(slots);
    return found;
}

/* The zone goes on under its new settings; loaded again where they say something else. */
static void adopt_zone(struct keeper *keeper, struct managed_zone *zone,
                       const struct zone_settings *settings, struct keeper_generation *generation)
{
    bool same = zone->settings->fingerprint == settings->fingerprint;
    struct keeper_generation *old = zone->generation;
    zone->settings = settings;
    zone->generation = generation_use(generation);
    epoch_publish(&zone->slot->options, settings->access);
    generation_drop(old);
    if (!same) {
        try_again(keeper, zone);
        wish_load(keeper, zone, true);
    }
}

static void unqueue(struct keeper *keeper, struct managed_zone *zone)
{
    struct managed_zone **at = &keeper->queue_first;
    if (!zone->queued) {
        return;
    }
    while (*at != NULL && *at != zone) {
        at = &(*at)->queue_next;
    }
    if (*at == NULL) {
        return;
    }
    *at = zone->queue_next;
    zone->queued = false;
    if (*at == NULL) {
        keeper->queue_last = at;
    }
}

static void forget_zone(struct keeper *keeper, struct managed_zone *zone)
{
    unqueue(keeper, zone);
    heap_remove(&keeper->timers, &zone->timer);
    zone_index_remove(&keeper->index, zone);
    keeper->untried -= !zone->tried;
    zone->tried = true;
    zone->queue_next = keeper->removed;
    keeper->removed = zone;
}

enum sg_result keeper_configure(struct keeper *keeper, struct keeper_generation *generation,
                                sg_time now, size_t *out_duplicate)
{
    thread_assert(THREAD_KEEPER);
    (void)now;
    if (find_duplicate(generation, out_duplicate)) {
        return SG_EXISTS;
    }
    struct managed_zone **before = keeper->zones;
    size_t before_count = keeper->zones_count;
    keeper->zones = mem_alloc_zero(generation->zones_count, sizeof(*keeper->zones));
    keeper->zones_count = generation->zones_count;
    keeper->failed = 0;
    generation_use(generation);

    for (size_t i = 0; i < generation->zones_count; i++) {
        struct zone_settings *settings = &generation->zones[i];
        struct managed_zone *zone =
            zone_index_find(&keeper->index, &settings->apex, settings->rrclass, settings->view);
        if (zone != NULL) {
            adopt_zone(keeper, zone, settings, generation);
        } else {
            zone = zone_record_new(keeper->next_id++, settings, generation);
            zone_index_add(&keeper->index, zone);
            keeper->untried++;
            wish_load(keeper, zone, true);
        }
        settings->slot = zone->slot;
        keeper->zones[i] = zone;
    }
    for (size_t i = 0; i < before_count; i++) {
        if (before[i]->generation != generation) {
            forget_zone(keeper, before[i]);
        }
    }
    mem_free(before);
    /* Queries go on under the old front until the next one is published. */
    if (keeper->fronted == NULL) {
        keeper->fronted = keeper->generation;
    } else {
        generation_drop(keeper->generation);
    }
    keeper->generation = generation;
    keeper->announced = false;
    return SG_OK;
}

void keeper_front_published(struct keeper *keeper)
{
    struct managed_zone *zone = keeper->removed;
    keeper->removed = NULL;
    generation_drop(keeper->fronted);
    keeper->fronted = NULL;
    while (zone != NULL) {
        struct managed_zone *next = zone->queue_next;
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_INFO, "zone %s: no longer configured",
                  zone_label(zone->settings, label));
        zone->gone = true;
        if (zone->job == NULL) {
            zone_record_free(zone);
        }
        zone = next;
    }
}

void keeper_stop(struct keeper *keeper)
{
    keeper->stopping = true;
}

bool keeper_is_idle(const struct keeper *keeper)
{
    return keeper->jobs == 0;
}

size_t keeper_jobs(const struct keeper *keeper)
{
    return keeper->jobs;
}

void keeper_free(struct keeper *keeper)
{
    ASSERT(keeper->jobs == 0);
    keeper_front_published(keeper);
    for (size_t i = 0; i < keeper->zones_count; i++) {
        zone_record_free(keeper->zones[i]);
    }
    generation_drop(keeper->generation);
    mem_free(keeper->zones);
    zone_index_clear(&keeper->index);
    heap_free(&keeper->timers);
    mem_free(keeper);
}

/* --- commands ------------------------------------------------------------------------------- */

size_t keeper_find(struct keeper *keeper, const struct dns_name *apex, uint16_t rrclass,
                   const char *view, struct managed_zone **out_zone)
{
    size_t found = 0;
    for (struct managed_zone *zone = zone_index_chain(&keeper->index, apex); zone != NULL;
         zone = zone->chain_next) {
        if (dns_name_equal(&zone->slot->apex, apex) &&
            (rrclass == 0 || zone->slot->rrclass == rrclass) &&
            (view == NULL || strcmp(zone->settings->view, view) == 0)) {
            found++;
            *out_zone = zone;
        }
    }
    return found;
}

size_t keeper_zones(const struct keeper *keeper)
{
    return keeper->zones_count;
}

struct managed_zone *keeper_zone(struct keeper *keeper, size_t index)
{
    return index < keeper->zones_count ? keeper->zones[index] : NULL;
}

enum sg_result keeper_reload(struct keeper *keeper, struct managed_zone *zone, bool force,
                             reload_done *done, void *argument)
{
    if (zone->settings->file == NULL) {
        return SG_UNSUPPORTED;
    }
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    if (done != NULL) {
        struct reload_waiter *waiter = mem_alloc_zero(1, sizeof(*waiter));
        *waiter = (struct reload_waiter){zone->waiters, done, argument};
        zone->waiters = waiter;
    }
    wish_load(keeper, zone, force);
    return SG_OK;
}

void keeper_reload_all(struct keeper *keeper)
{
    keeper->failed = 0;
    keeper->announced = false;
    for (size_t i = 0; i < keeper->zones_count; i++) {
        if (keeper->zones[i]->settings->file != NULL) {
            try_again(keeper, keeper->zones[i]);
            wish_load(keeper, keeper->zones[i], false);
        }
    }
}

enum sg_result keeper_loadkeys(struct keeper *keeper, struct managed_zone *zone, bool sign_all)
{
    if (zone->settings->policy == NULL) {
        return SG_UNSUPPORTED;
    }
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    wish_keys(keeper, zone, sign_all);
    return SG_OK;
}
