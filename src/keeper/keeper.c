#include "keeper/keeper.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/thread.h"
#include "keeper/notifying.h"
#include "keeper/overtake.h"
#include "keeper/secondary.h"
#include "keeper/trust.h"
#include "keeper/zone_parent.h"

enum {
    JOBS_PER_WORKER = 2,         /* so that no worker waits for the keeper */
    TIMERS_PER_TURN_MAX = 10000, /* no turn may keep commands waiting */
    PARENTS_PER_SECOND = 40,     /* turns, of which each asks one question at most */
};

struct keeper *keeper_new(const struct keeper_io *io)
{
    struct keeper *keeper = mem_alloc_zero(1, sizeof(*keeper));
    keeper->io = *io;
    keeper->timers = keeper->holders = HEAP_EMPTY;
    zone_queue_init(&keeper->soon);
    zone_queue_init(&keeper->queue);
    keeper->keying = keying_new();
    kept_keys_init(&keeper->kept_keys);
    keeper->asides.names_min = ASIDE_NAMES_MIN;
    keeper->next_id = 1;
    keeper->announced = true;
    zone_index_init(&keeper->index);
    zone_index_init(&keeper->leaving);
    keeper->notify = notify_sender_new(0, 0);
    keeper->refresh.quota = transfer_quota_new(0, 0);
    keeper->parents.per_second = PARENTS_PER_SECOND;
    random_bytes(&keeper->refresh.random, sizeof(keeper->refresh.random));
    return keeper;
}

/* --- queue ---------------------------------------------------------------------------------- */

bool keeper_is_awaited(const struct managed_zone *zone)
{
    return zone->updates.first != NULL && zone->slot->version != NULL;
}

void keeper_enqueue(struct keeper *keeper, struct managed_zone *zone)
{
    /* An update does not wait for a hundred thousand zones that are loaded. */
    struct zone_queue *queue = keeper_is_awaited(zone) ? &keeper->soon : &keeper->queue;
    if (zone->known.keying) {
        keying_hasten(keeper, zone);
        return;
    }
    if (zone->job != NULL || zone->gone || zone->ledger.opening || keeper->stopping ||
        opening_is_wanted(keeper, zone) || zone->queue == queue || zone->queue == &keeper->soon) {
        return;
    }
    if (zone->queue != NULL) {
        zone_queue_leave(zone);
    }
    zone_queue_add(queue, zone);
}

void keeper_unqueue(struct managed_zone *zone)
{
    if (zone->queue != NULL) {
        zone_queue_leave(zone);
        zone->known.keying = false;
    }
}

/* Perhaps the store can be read now. Not while a transfer, or a file, is about to take the place of
 * that: keys may have been looked at for it. */
static bool is_opened_again(const struct managed_zone *zone)
{
    return zone->ledger.lost && zone->job == NULL && !zone->wishes.give_up &&
           !secondary_has_transfer(zone);
}

void keeper_wish_load(struct keeper *keeper, struct managed_zone *zone, bool force)
{
    if (is_opened_again(zone)) {
        opening_start(keeper, zone);
        return;
    }
    zone->wishes.load = true;
    zone->wishes.force |= force;
    zone->known.keys_wished = keying_round(keeper->keying);
    if (opening_is_wanted(keeper, zone)) {
        opening_start(keeper, zone);
    } else {
        keeper_enqueue(keeper, zone);
    }
}

void keeper_wish_keys(struct keeper *keeper, struct managed_zone *zone, bool sign_all)
{
    const struct zone_version *version = zone_record_version(zone);
    if (zone->settings->policy == NULL &&
        (version == NULL || !zone_version_facts(version)->signed_here)) {
        return; /* a timer from before the policy was taken away */
    }
    if (version == NULL && zone->settings->type == ZONE_SECONDARY) {
        return; /* its first transfer looks at the keys */
    }
    zone->wishes.keys = true;
    zone->wishes.sign_all |= sign_all;
    zone->known.keys_wished = keying_round(keeper->keying);
    keeper_enqueue(keeper, zone);
}

/* Zones of one name in several views share key files: one at a time (decision 17). */
static bool twin_is_at_work(const struct keeper *keeper, const struct managed_zone *zone)
{
    for (const struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL; other = other->chain_next) {
        if (other != zone && (other->job != NULL || other->known.keying) &&
            other->settings->policy != NULL &&
            dns_name_equal(&other->slot->apex, &zone->slot->apex)) {
            return true;
        }
    }
    return false;
}

static void start_queue(struct keeper *keeper, struct zone_queue *queue, size_t places, sg_time now)
{
    struct managed_zone *next;
    for (struct managed_zone *zone = queue->first; zone != NULL && keeper->jobs < places;
         zone = next) {
        next = zone->queue_next;
        if (zone->settings->policy != NULL && twin_is_at_work(keeper, zone)) {
            continue;
        }
        zone_queue_leave(zone);
        if (zone->ledger.opening || !change_is_possible(zone)) {
            keeper_set_timer(keeper, zone);
        } else if (change_wants_keys(zone)) {
            keying_add(keeper, zone);
        } else {
            change_start(keeper, zone, now);
        }
    }
}

/* Those that somebody waits for find a place where there is none for the rest. */
static void start_jobs(struct keeper *keeper, sg_time now)
{
    size_t places = (worker_pool_threads(keeper->io.pool) + 1) * JOBS_PER_WORKER;
    start_queue(keeper, &keeper->soon, 2 * places, now);
    start_queue(keeper, &keeper->queue, places, now);
    keying_start(keeper, now);
    if (keeper->jobs == 0 && keeper->requests == 0) {
        keying_rest(keeper->keying, now);
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
    wake = earlier(wake, zone_parent_wake(zone));
    if (zone->job == NULL && zone->queue == NULL && !zone->known.keying && !zone->ledger.opening) {
        /* Else what is due has its turn when the job is done. */
        wake = earlier(wake,
                       earlier(health->key_event_at, earlier(health->resign_at, health->retry_at)));
        wake = earlier(wake, earlier(health->file_at, health->loadkeys_at));
        wake = earlier(wake, health->history_at);
    }
    if (wake == INT64_MAX) {
        heap_remove(&keeper->timers, &zone->timer);
    } else {
        heap_put(&keeper->timers, &zone->timer, wake);
    }
}

/* What had failed is wished once more. */
static void wish_again(struct managed_zone *zone)
{
    struct zone_wishes *wishes = &zone->wishes;
    const struct zone_wishes *later = &zone->later;
    wishes->load |= later->load;
    wishes->force |= later->force;
    wishes->give_up |= later->give_up;
    wishes->keys |= later->keys;
    wishes->sign_all |= later->sign_all;
    wishes->state |= later->state;
    wishes->clean |= later->clean;
    wishes->shorten |= later->shorten;
    wishes->serial_above = zone_greater_floor(wishes->serial_above, later->serial_above);
    zone->later = (struct zone_wishes){.load = false};
}

void keeper_wish_due(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_health *health = &zone->health;
    bool due = health->key_event_at <= keeper->now;
    if (health->retry_at <= keeper->now) {
        health->retry_at = INT64_MAX; /* Whatever fails again sets it again. */
        wish_again(zone);
        due = true;
    }
    if (health->loadkeys_at <= keeper->now) {
        health->loadkeys_at = INT64_MAX; /* The look itself says when the next one is. */
        due = true;
    }
    if (due) {
        keeper_wish_keys(keeper, zone, false);
    }
    zone->wishes.resign |= health->resign_at <= keeper->now;
    if (health->history_at <= keeper->now) {
        checkpoint_age(keeper, zone);
    }
    if (health->file_at <= keeper->now) {
        health->file_at = INT64_MAX;
        health->file_written_at = keeper->now;
        zone->wishes.dump = true;
    }
}

static void start_what_is_due(struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    struct zone_health *health = &zone->health;
    keeper_wish_due(keeper, zone);
    if (is_opened_again(zone) || opening_is_wanted(keeper, zone)) {
        opening_start(keeper, zone);
    } else if (zone_record_version(zone) == NULL && zone->settings->type == ZONE_PRIMARY) {
        keeper_wish_load(keeper, zone, true);
    } else if (change_is_wished(zone)) {
        keeper_enqueue(keeper, zone);
    } else if (health->key_event_at <= now) {
        health->key_event_at = INT64_MAX; /* The keys have nothing to do with it any more. */
    }
}

static void wake_zone(struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    if (zone->health.warn_at <= now) {
        overdue_warn(zone, now);
    }
    if (zone->job == NULL) {
        start_what_is_due(keeper, zone, now);
    }
    keeper_set_timer(keeper, zone);
    secondary_turn(keeper, zone);
    zone_parent_turn(keeper, zone);
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
    bool is_kept = zone->slot->version != NULL;
    keeper->failed += problem != NULL && !is_kept;
    keeper->kept += problem != NULL && is_kept;
    keeper->untried--;
    zone_facts_end_wait_of_twins(keeper, zone);
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
        keeper->io.all_loaded(keeper->io.argument, keeper->zones_count, keeper->failed,
                              keeper->kept);
    }
}

void keeper_bury(struct managed_zone *zone)
{
    if (!zone->gone || zone->job != NULL || zone->out > 0) {
        return;
    }
    if (zone->wiped != NULL) {
        opening_wipe(zone->keeper, zone);
    }
    zone_index_remove(&zone->keeper->leaving, zone);
    opening_of_successor(zone->keeper, zone);
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
        } else if (aside_is_round(job)) {
            aside_take_job(keeper, job);
        } else if (ds_proof_is_job(job)) {
            ds_proof_take_job(job);
        } else if (keying_is_round(job)) {
            keying_take_job(keeper, job);
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

/* New updates are refused while the store does not work. Those that wait behind a commit would wait
 * as long as that is in doubt, which may be days: their clients are told too. */
static void watch_store(struct keeper *keeper)
{
    if (keeper->stopping) {
        return; /* The store may be gone by now; it answers what it holds as it goes. */
    }
    enum sg_result before = keeper->store_health;
    enum sg_result health = keeper->io.store == NULL ? SG_OK : store_health(keeper->io.store);
    keeper->store_health = health;
    if (health == SG_OK || before != SG_OK || keeper->updates == 0) {
        return;
    }
    for (size_t i = 0; i < keeper->zones_count; i++) {
        change_refuse_updates(keeper, keeper->zones[i], DNS_RCODE_SERVFAIL);
    }
}

/* As far ahead of `now` as it was of `before`, at most. */
static void draw_near(sg_time *at, sg_time before, sg_time now)
{
    sg_duration wait = *at > before ? *at - before : 0;
    if (*at != INT64_MAX && *at > now + wait) {
        *at = now + wait;
    }
}

/*
 * What was put off after a failure was put off by the old time, and would now wait for that, for
 * decades if it was false enough. When signatures are due by themselves their expirations tell, and
 * of keys the plan, whatever the clock; but those that were made by a clock that was far ahead have
 * not begun now.
 */
static void clock_set_back(struct keeper *keeper, struct managed_zone *zone, sg_time before)
{
    struct zone_health *health = &zone->health;
    const struct kasp_policy *policy = zone->settings->policy;
    sg_time now = keeper->now;
    draw_near(&health->retry_at, before, now);
    draw_near(&health->file_at, before, now);
    draw_near(&health->history_at, before, now);
    draw_near(&health->warn_at, before, now);
    if (health->file_written_at > now) {
        health->file_written_at = now;
    }
    if (policy != NULL && health->expires_first != 0 && health->resign_at != INT64_MAX) {
        sg_time due = health->expires_first - policy->signatures_refresh;
        if (health->resign_at > due) {
            draw_near(&health->resign_at, before, now);
            health->resign_at = health->resign_at > due ? health->resign_at : due;
        }
    }
    overdue_note_ahead(zone, now);
    if (health->problem != NULL) {
        draw_near(&health->key_event_at, before, now);
    }
    secondary_clock_set_back(keeper, zone);
    keeper_set_timer(keeper, zone);
}

void keeper_note_time(struct keeper *keeper, sg_time now)
{
    sg_time before = keeper->now;
    keeper->now = now;
    if (now < before) {
        for (size_t i = 0; i < keeper->zones_count; i++) {
            clock_set_back(keeper, keeper->zones[i], before);
        }
        if (keeper->notify != NULL) {
            notify_send_clock_set_back(keeper->notify, before - now);
        }
        overtake_clock_set_back(keeper, before - now);
    }
    trust_look(keeper);
}

sg_time keeper_turn(struct keeper *keeper, sg_time now)
{
    thread_assert(THREAD_KEEPER);
    keeper_note_time(keeper, now);
    take_replies(keeper);
    watch_store(keeper);
    if (!keeper->stopping) {
        announce(keeper);
        run_timers(keeper, now);
        secondary_fetch_next(keeper);
        start_jobs(keeper, now);
    }
    sg_time told =
        keeper->stopping ? INT64_MAX : earlier(notifying_turn(keeper), overtake_turn(keeper));
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
        change_refuse_updates(keeper, zone, DNS_RCODE_SERVFAIL);
        secondary_stop(zone);
        zone_parent_end(zone);
        aside_cancel(keeper, zone);
    }
}

void keeper_note_restored(struct keeper *keeper, uint64_t restore)
{
    keeper->restored = restore;
}

bool keeper_has_overtaken(struct keeper *keeper)
{
    return keeper->announced && overtake_is_done(keeper);
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
    mem_free(keeper->store_missing);
    notify_sender_free(keeper->notify);
    transfer_quota_free(keeper->refresh.quota);
    mem_free(keeper->zones);
    keying_free(keeper->keying);
    zone_index_clear(&keeper->index);
    zone_index_clear(&keeper->leaving);
    heap_free(&keeper->timers);
    heap_free(&keeper->overtakes_due);
    heap_free(&keeper->holders);
    mem_free(keeper);
}
