#include "keeper/keeper.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/thread.h"
#include "keeper/notifying.h"
#include "keeper/overtake.h"
#include "keeper/secondary.h"

enum {
    JOBS_PER_WORKER = 2,         /* so that no worker waits for the keeper */
    STORE_RETRY_SECONDS = 10,    /* the store tries by itself meanwhile */
    TIMERS_PER_TURN_MAX = 10000, /* no turn may keep commands waiting */
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
    keeper->notify = notify_sender_new(0, 0);
    keeper->refresh.quota = transfer_quota_new(0, 0);
    random_bytes(&keeper->refresh.random, sizeof(keeper->refresh.random));
    return keeper;
}

/* --- queue ---------------------------------------------------------------------------------- */

void keeper_enqueue(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->queued || zone->job != NULL || zone->gone || zone->ledger.opening ||
        keeper->stopping) {
        return;
    }
    zone->queued = true;
    zone->queue_next = NULL;
    *keeper->queue_last = zone;
    keeper->queue_last = &zone->queue_next;
}

void keeper_unqueue(struct keeper *keeper, struct managed_zone *zone)
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

void keeper_wish_load(struct keeper *keeper, struct managed_zone *zone, bool force)
{
    bool changes_by_itself = zone->settings->dynamic || zone->settings->type == ZONE_SECONDARY;
    bool file_counts = zone->wishes.thaw || zone->wishes.frozen;
    if (changes_by_itself && zone_record_version(zone) != NULL && !file_counts) {
        /* Its file is older than what updates or transfers have brought. */
        zone->wishes.keys = true;
        keeper_enqueue(keeper, zone);
        return;
    }
    zone->wishes.load = true;
    zone->wishes.force |= force;
    keeper_enqueue(keeper, zone);
}

void keeper_wish_keys(struct keeper *keeper, struct managed_zone *zone, bool sign_all)
{
    const struct zone_version *version = zone_record_version(zone);
    if (zone->settings->policy == NULL &&
        (version == NULL || !zone_version_facts(version)->signed_here)) {
        zone->health.key_event_at = INT64_MAX;
        return; /* a timer from before the policy was taken away */
    }
    zone->wishes.keys = true;
    zone->wishes.sign_all |= sign_all;
    keeper_enqueue(keeper, zone);
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
        change_start(keeper, zone, now);
    }
}

/* --- timers --------------------------------------------------------------------------------- */

static sg_time earlier(sg_time a, sg_time b)
{
    return a < b ? a : b;
}

void keeper_set_timer(struct keeper *keeper, struct managed_zone *zone)
{
    const struct zone_health *health = &zone->health;
    sg_time wake = earlier(health->warn_at, secondary_wake(zone));
    if (zone->job == NULL && !zone->queued) { /* else the job's end looks at what is due */
        wake = earlier(wake,
                       earlier(health->key_event_at, earlier(health->resign_at, health->retry_at)));
    }
    if (wake == INT64_MAX) {
        heap_remove(&keeper->timers, &zone->timer);
    } else {
        heap_put(&keeper->timers, &zone->timer, wake);
    }
}

/* It could not be asked of the store what it has: without that the zone's file would be taken for
 * all there is, and what updates have brought would be gone. */
static bool must_be_opened(const struct keeper *keeper, const struct managed_zone *zone)
{
    return keeper->io.store != NULL && zone->ledger.id == 0 && !zone->ledger.opening &&
           zone->job == NULL && zone_is_stored(zone->settings);
}

/* A commit failed: what was to be made is due once more. */
static void try_change_again(struct keeper *keeper, struct managed_zone *zone)
{
    zone->health.retry_at = INT64_MAX; /* what comes of it says whether there is another time */
    if (zone->settings->policy != NULL) {
        keeper_wish_keys(keeper, zone, false);
    } else {
        zone->wishes.state = zone->ledger.id != 0;
    }
}

static sg_time not_before(sg_time when, sg_time earliest)
{
    return when < earliest ? earliest : when;
}

/* While nothing can be committed nothing is signed for it either: it would be in vain, zone after
 * zone, every few seconds. What is served goes on, and so do questions to primaries. */
static void wait_for_store(const struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    struct zone_health *health = &zone->health;
    if (keeper->io.store == NULL || zone->ledger.id == 0 ||
        store_health(keeper->io.store) == SG_OK) {
        return;
    }
    health->retry_at = not_before(health->retry_at, now + STORE_RETRY_SECONDS);
    health->resign_at = not_before(health->resign_at, now + STORE_RETRY_SECONDS);
    health->key_event_at = not_before(health->key_event_at, now + STORE_RETRY_SECONDS);
}

static void wish_what_is_due(struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    const struct zone_health *health = &zone->health;
    if (health->resign_at <= now) {
        zone->wishes.resign = true;
        keeper_enqueue(keeper, zone);
    }
    if (health->key_event_at <= now) {
        keeper_wish_keys(keeper, zone, false);
    }
    if (health->retry_at <= now) {
        try_change_again(keeper, zone);
    }
}

/* What is due at the zone becomes a wish. */
static void wake_zone(struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    const struct zone_health *health = &zone->health;
    if (zone_record_version(zone) == NULL && must_be_opened(keeper, zone)) {
        zone->health.retry_at = INT64_MAX;
        opening_start(keeper, zone);
        return;
    }
    if (health->warn_at <= now) {
        overdue_warn(zone, now);
    }
    wait_for_store(keeper, zone, now);
    if (zone_record_version(zone) != NULL) {
        wish_what_is_due(keeper, zone, now);
    } else if (zone->secondary == NULL) {
        keeper_wish_load(keeper, zone, true);
    }
    if (zone->secondary != NULL) {
        secondary_turn(keeper, zone);
    }
    if (change_is_wished(zone)) {
        keeper_enqueue(keeper, zone);
    }
    keeper_set_timer(keeper, zone);
}

static void run_timers(struct keeper *keeper, sg_time now)
{
    for (int i = 0; i < TIMERS_PER_TURN_MAX; i++) {
        struct managed_zone *zone = (struct managed_zone *)heap_first(&keeper->timers);
        if (zone == NULL || zone->timer.key > now) {
            return;
        }
        heap_remove(&keeper->timers, &zone->timer);
        wake_zone(keeper, zone, now);
    }
}

void keeper_zone_was_tried(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->tried || zone->wishes.load || zone->ledger.stored != NULL) {
        return;
    }
    zone->tried = true;
    const char *problem = zone->health.problem;
    keeper->failed += problem != NULL;
    keeper->untried--;
    zone_tell_waiters(&zone->first_waiters, problem != NULL ? RELOAD_FAILED : RELOAD_STARTED,
                      problem != NULL ? problem : "");
}

void keeper_try_again(struct keeper *keeper, struct managed_zone *zone)
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

void keeper_bury(struct managed_zone *zone)
{
    if (!zone->gone || zone->job != NULL || zone->out > 0) {
        return;
    }
    if (zone->wiped) {
        opening_wipe(zone->keeper, zone);
    }
    zone_record_free(zone);
}

/* --- turns ---------------------------------------------------------------------------------- */

static void take_replies(struct keeper *keeper)
{
    for (struct letter *letter = mailbox_take_all(keeper->io.mailbox), *next; letter != NULL;
         letter = next) {
        struct job *job = (struct job *)letter;
        next = letter->next;
        keeper->jobs--;
        if (job->run == zone_job_run) {
            change_take_job(keeper, (struct zone_job *)job);
        } else {
            checkpoint_take_job(keeper, job);
        }
    }
    if (keeper->io.commits == NULL) {
        return;
    }
    for (struct letter *letter = mailbox_take_all(keeper->io.commits), *next; letter != NULL;
         letter = next) {
        struct store_request *request = (struct store_request *)letter;
        next = letter->next;
        keeper->requests--;
        request->done(request);
    }
}

void keeper_note_time(struct keeper *keeper, sg_time now)
{
    keeper->now = now;
}

sg_time keeper_turn(struct keeper *keeper, sg_time now)
{
    thread_assert(THREAD_KEEPER);
    keeper->now = now;
    take_replies(keeper);
    if (!keeper->stopping) {
        announce(keeper);
        run_timers(keeper, now);
        start_jobs(keeper, now);
    }
    sg_time told = keeper->stopping ? INT64_MAX : notifying_turn(keeper);
    epoch_reclaim();
    const struct heap_node *first = heap_first(&keeper->timers);
    return keeper->stopping ? INT64_MAX : earlier(told, first == NULL ? INT64_MAX : first->key);
}

void keeper_stop(struct keeper *keeper)
{
    keeper->stopping = true;
    notifying_stop(keeper);
    overtake_forget(keeper, NULL);
    for (size_t i = 0; i < keeper->zones_count; i++) {
        struct managed_zone *zone = keeper->zones[i];
        struct keeper_update *waiting = zone->updates.first;
        zone->updates = (struct zone_updates){.last = &zone->updates.first};
        keeper->updates -= zone_answer_updates(waiting, DNS_RCODE_SERVFAIL);
        secondary_end(zone);
    }
}

bool keeper_is_idle(const struct keeper *keeper)
{
    return keeper->jobs == 0 && keeper->requests == 0;
}

size_t keeper_jobs(const struct keeper *keeper)
{
    return keeper->jobs + keeper->requests;
}

void keeper_free(struct keeper *keeper)
{
    ASSERT(keeper_is_idle(keeper));
    keeper_front_published(keeper);
    for (size_t i = 0; i < keeper->zones_count; i++) {
        zone_record_free(keeper->zones[i]);
    }
    generation_drop(keeper->generation);
    notify_sender_free(keeper->notify);
    transfer_quota_free(keeper->refresh.quota);
    mem_free(keeper->zones);
    zone_index_clear(&keeper->index);
    heap_free(&keeper->timers);
    mem_free(keeper);
}
