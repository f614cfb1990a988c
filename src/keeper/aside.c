#include "keeper/aside.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dnssec/sign_change.h"
#include "keeper/keeper_parts.h"
#include "keeper/zone_steps.h"
#include "zone/diff.h"

enum {
    ROUNDS_MAX = 8,
    /* A job that signs no more than that when it takes the zone over keeps nobody waiting. */
    LAST_ROUND_SIGNATURES = 1000,
};

/* --- a round: a worker ----------------------------------------------------------------------- */

static enum sg_result sign_round(struct zone_aside *aside, struct zone_edit *edit)
{
    const struct zone_signing signing = {
        .policy = aside->settings->policy,
        .keys = aside->keys,
        .before = aside->version != NULL ? aside->version : aside->source,
        .now = aside->now,
    };
    struct sign_policy policy;
    struct sign_keys keys;
    struct sign_request request;
    struct sign_report report;
    /* The job that takes it over gives it its serial. */
    zone_sign_request(&signing, zone_version_facts(aside->source)->serial, &policy, &keys,
                      &request);
    request.cancelled = &aside->cancelled;
    request.progress = &aside->progress;
    enum sg_result result = aside->version == NULL
                                ? sign_zone(edit, &request, aside->pool, &report)
                                : sign_change(edit, aside->version, &request, aside->pool, &report);
    if (result == SG_OK) {
        aside->signatures_round = report.signatures;
        aside->signatures += report.signatures;
    }
    return result;
}

/* Takes the edit. */
static enum sg_result seal_round(struct zone_aside *aside, struct zone_edit *edit)
{
    const struct zone_version *sealed;
    enum sg_result result = zone_edit_seal(edit, &sealed);
    if (result != SG_OK) {
        return result;
    }
    if (aside->version == NULL) {
        aside->resign = resign_index_new(sealed, aside->now);
    } else {
        resign_index_note(aside->resign, aside->version, sealed, aside->now);
        zone_version_unref(aside->version);
    }
    aside->version = sealed;
    return SG_OK;
}

static enum sg_result work_round(struct zone_aside *aside)
{
    uint64_t changed;
    struct zone_edit *edit = aside->version == NULL
                                 ? zone_edit_new(&aside->settings->apex, aside->settings->rrclass)
                                 : zone_edit_open(aside->version);
    enum sg_result result = zone_diff_transform(edit, aside->source, false, &changed);
    if (result == SG_OK) {
        result = sign_round(aside, edit);
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    return seal_round(aside, edit);
}

static void run_round(struct job *job)
{
    struct zone_aside *aside = (struct zone_aside *)job;
    thread_assert(THREAD_WORKER);
    aside->result = work_round(aside);
}

bool aside_is_round(const struct job *job)
{
    return job->run == run_round;
}

/* --- the keeper ------------------------------------------------------------------------------ */

void zone_aside_free(struct zone_aside *aside)
{
    if (aside == NULL) {
        return;
    }
    if (aside->source != NULL) {
        zone_version_unref(aside->source);
    }
    if (aside->version != NULL) {
        zone_version_unref(aside->version);
    }
    resign_index_free(aside->resign);
    zone_keys_free(aside->keys);
    generation_drop(aside->generation);
    mem_free(aside);
}

bool aside_is_busy(const struct managed_zone *zone)
{
    return zone->known.aside != NULL && !zone->known.aside->is_done;
}

struct zone_beside aside_tell(const struct managed_zone *zone)
{
    const struct zone_aside *aside = zone->known.aside;
    struct zone_beside beside = {.step = ZONE_BESIDE_NOTHING};
    if (aside == NULL) {
        return beside;
    }
    beside.done = __atomic_load_n(&aside->progress.done, __ATOMIC_RELAXED);
    beside.all = __atomic_load_n(&aside->progress.all, __ATOMIC_RELAXED);
    beside.step = aside->is_done       ? ZONE_BESIDE_WHOLE
                  : aside->rounds == 0 ? ZONE_BESIDE_IN_LINE
                  : aside->rounds == 1 ? ZONE_BESIDE_SIGNING
                                       : ZONE_BESIDE_CATCHING_UP;
    return beside;
}

void aside_tell_plan(const struct managed_zone *zone, struct zone_facts_of_keys *out_plan)
{
    if (zone->known.aside != NULL) {
        zone_facts_copy(&zone->known.aside->keys->facts, out_plan);
    }
}

struct zone_aside *aside_lend(struct managed_zone *zone)
{
    struct zone_aside *aside = zone->known.aside;
    if (aside == NULL || !aside->is_done) {
        return NULL;
    }
    zone->known.aside = NULL;
    return aside;
}

static void start_round(struct keeper *keeper, struct zone_aside *aside)
{
    struct managed_zone *zone = aside->zone;
    aside->source = zone_version_ref(zone_record_version(zone));
    aside->now = keeper->now;
    aside->rounds++;
    keeper->asides.at_work = aside;
    keeper->jobs++;
    zone->out++;
    worker_pool_submit(keeper->io.pool, WORK_BULK, &aside->job);
}

static void start_next(struct keeper *keeper)
{
    struct zone_aside *aside = keeper->asides.first;
    if (keeper->asides.at_work != NULL || aside == NULL || keeper->stopping) {
        return;
    }
    keeper->asides.first = aside->next;
    start_round(keeper, aside);
}

static void leave_line(struct keeper *keeper, const struct zone_aside *aside)
{
    for (struct zone_aside **at = &keeper->asides.first; *at != NULL; at = &(*at)->next) {
        if (*at == aside) {
            *at = aside->next;
            return;
        }
    }
}

/* Takes the keys. */
static void begin(struct keeper *keeper, struct managed_zone *zone, struct zone_job *job)
{
    char label[ZONE_LABEL_BYTES];
    struct zone_aside *aside = mem_alloc_zero(1, sizeof(*aside));
    struct zone_aside **last = &keeper->asides.first;
    aside->job = (struct job){.run = run_round, .reply = keeper->io.mailbox};
    aside->zone = zone;
    aside->settings = job->settings;
    aside->generation = generation_use(job->generation);
    aside->pool = keeper->io.pool;
    aside->keys = job->made.aside_keys;
    job->made.aside_keys = NULL;
    zone->known.aside = aside;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = aside;
    log_write(LOG_DNSSEC, SEVERITY_INFO,
              "zone %s: all of it is to be signed anew: that is done beside what is served, and "
              "published when it is whole",
              zone_label(zone->settings, label));
    start_next(keeper);
}

void aside_take_back(struct keeper *keeper, struct zone_job *job, bool is_new)
{
    struct managed_zone *zone = job->zone;
    struct zone_aside *aside = job->lent.aside;
    const struct zone_made *made = &job->made;
    job->lent.aside = NULL;
    if (aside != NULL) {
        bool is_used = made->from_aside && is_new;
        if (is_used || made->aside_useless || aside->cancelled) {
            zone_aside_free(aside);
        } else {
            zone->known.aside = aside;
        }
    }
    if (made->keys_looked_at && is_new) {
        zone->known.aside_fails = false;
    }
    /* It may have been made for settings that are no more. */
    if (made->aside_keys != NULL && job->result == SG_OK && zone->known.aside == NULL &&
        zone->generation == job->generation) {
        begin(keeper, zone, job);
    } else if (made->aside_keys != NULL && zone->known.aside == NULL) {
        keeper_wish_keys(keeper, zone, false);
    }
}

void aside_cancel(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_aside *aside = zone->known.aside;
    struct zone_aside *lent = zone->job != NULL ? zone->job->lent.aside : NULL;
    zone->known.aside_fails = false;
    if (lent != NULL) {
        lent->cancelled = true;
    }
    if (aside == NULL) {
        return;
    }
    if (aside == keeper->asides.at_work) {
        __atomic_store_n(&aside->cancelled, true, __ATOMIC_RELAXED);
        return;
    }
    leave_line(keeper, aside);
    zone->known.aside = NULL;
    zone_aside_free(aside);
}

/* What changes have brought since the last round would keep the job waiting that takes it over. */
static bool wants_another_round(const struct zone_aside *aside, const struct zone_version *source)
{
    return zone_record_version(aside->zone) != source && aside->rounds < ROUNDS_MAX &&
           (aside->rounds == 1 || aside->signatures_round > LAST_ROUND_SIGNATURES);
}

static void note_failure(struct managed_zone *zone, const struct zone_aside *aside)
{
    char label[ZONE_LABEL_BYTES];
    zone->known.aside_fails = true; /* A job tries it, and tells in the zone's status. */
    log_write(LOG_DNSSEC, SEVERITY_ERROR,
              "zone %s: it could not be signed beside what is served: %s",
              zone_label(zone->settings, label), sg_result_text(aside->result));
}

void aside_take_job(struct keeper *keeper, struct job *job)
{
    struct zone_aside *aside = (struct zone_aside *)job;
    struct managed_zone *zone = aside->zone;
    const struct zone_version *source = aside->source;
    bool is_wanted = !aside->cancelled && !zone->gone && !keeper->stopping;
    keeper->asides.at_work = NULL;
    zone->out--;
    aside->source = NULL;
    if (is_wanted && aside->result == SG_OK && wants_another_round(aside, source)) {
        start_round(keeper, aside);
    } else if (is_wanted && aside->result == SG_OK) {
        aside->is_done = true;
    } else {
        if (is_wanted) {
            note_failure(zone, aside);
        }
        zone->known.aside = NULL;
        zone_aside_free(aside);
    }
    zone_version_unref(source);
    start_next(keeper);
    if (zone->gone) {
        keeper_bury(zone);
    } else if (!aside_is_busy(zone)) {
        keeper_wish_keys(keeper, zone, false);
    }
}
