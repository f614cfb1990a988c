#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "dns/serial.h"
#include "keeper/expiry.h"
#include "keeper/key_orders.h"
#include "keeper/notifying.h"
#include "keeper/overtake.h"
#include "keeper/publish.h"
#include "keeper/secondary.h"
#include "keeper/trust.h"
#include "keeper/zone_parent.h"

enum {
    KEYS_KEPT_NAMES_MIN = 2000,
    LARGE_NAMES_MIN = 1000, /* signed in some 50 ms */
};

/* --- PREPARE, SIGN, SEAL: a worker ---------------------------------------------------------- */

/*
 * What may read, write or sign a large zone whole is bulk: urgent work comes in between
 * (base/worker_pool.h), and must not itself be of that kind. A small one is done with at once.
 */
static enum work_class class_of(const struct zone_job *job)
{
    const struct zone_version *base = job->lent.base;
    bool large = base != NULL && zone_version_facts(base)->names >= LARGE_NAMES_MIN;
    switch (job->kind) {
    case ZONE_JOB_LOAD:
    case ZONE_JOB_RECOVER:
        return WORK_BULK;
    case ZONE_JOB_TRANSFER:
        return zone_transfer_kind(job->asked.transfer) == ZONE_TRANSFER_DIFFERENCES ? WORK_SOON
                                                                                    : WORK_BULK;
    case ZONE_JOB_KEYS:
    case ZONE_JOB_DUMP:
        return large ? WORK_BULK : WORK_SOON;
    case ZONE_JOB_RESIGN:
        /* Once it is known to be more than one slice others come in between. */
        return large && (job->lent.state->campaign || job->zone->known.slices_follow) ? WORK_BULK
                                                                                      : WORK_SOON;
    case ZONE_JOB_UPDATE:
    case ZONE_JOB_RAISE:
    case ZONE_JOB_STATE:
    case ZONE_JOB_LOOK:
        return WORK_SOON;
    }
    UNREACHABLE();
}

void change_start(struct keeper *keeper, struct managed_zone *zone, sg_time now)
{
    struct zone_job *job = mem_alloc_zero(1, sizeof(*job));
    job->job = (struct job){.run = zone_job_run, .reply = keeper->io.mailbox};
    job->zone = zone;
    job->settings = zone->settings;
    job->generation = generation_use(zone->generation);
    job->pool = keeper->io.pool;
    job->now = now;
    if (zone->ledger.id != 0) {
        job->store = keeper->io.store;
        job->store_zone = zone->ledger.id;
        job->commit_number = zone->ledger.last + 1;
        job->whole = !zone->ledger.continues;
    }
    trust_tell_job(zone, &job->clock);
    change_choose(zone, job);
    if (zone->known.keys == NULL || !zone->known.keys->fresh) {
        zone_facts_take_looks(zone); /* Keys that are fresh have facts of their own. */
    }
    secondary_encode_timers(zone);
    zone_parent_encode(zone);
    overtake_tell_state(zone, job);
    overdue_begin_job(zone, job);
    const struct zone_version *base = zone_record_version(zone);
    job->lent = (struct zone_lent){
        .base = base == NULL ? NULL : zone_version_ref(base),
        .state = &zone->known.state,
        .keys = kept_keys_take(&keeper->kept_keys, zone),
        .resign = zone->known.resign,
        .expires_first = zone->health.expires_first,
        .signature_ns = zone->known.signature_ns,
    };
    aside_tell_plan(zone, &job->lent.waiting);
    job->lent.aside = aside_lend(zone);
    job->aside_names_min = zone->known.aside_fails ? UINT64_MAX : keeper->asides.names_min;
    zone_facts_find_twins(keeper, zone, &job->lent.twins);
    zone->known.keyed = false;
    zone->known.resign = NULL;
    zone->job = job;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, class_of(job), &job->job);
}

/* --- the end of a change -------------------------------------------------------------------- */

sg_time change_not_before(sg_time when, sg_time earliest)
{
    return when < earliest ? earliest : when;
}

static sg_time resign_time(const struct managed_zone *zone, sg_time expires_first)
{
    if (expires_first == 0 || zone->settings->policy == NULL) {
        return INT64_MAX;
    }
    return expires_first - zone->settings->policy->signatures_refresh;
}

/* Will the keys be wanted again soon? A static zone is signed once in days: it reads them then. */
static bool keeps_keys(const struct managed_zone *zone)
{
    const struct zone_version *version = zone->slot->version;
    return zone->settings->dynamic || zone->settings->type == ZONE_SECONDARY ||
           zone->known.state.campaign ||
           (version != NULL && zone_version_facts(version)->names >= KEYS_KEPT_NAMES_MIN);
}

/* What was lent comes back, or what the job has put in its place. */
static void take_back_resign(struct managed_zone *zone, struct zone_job *job)
{
    zone->known.resign = job->lent.resign;
    job->lent.resign = NULL;
}

/* Not before the end: a commit takes time, in which those of others could push them out. */
static void take_back_keys(struct managed_zone *zone, struct zone_job *job)
{
    if (!zone->gone && keeps_keys(zone)) {
        kept_keys_put(&zone->keeper->kept_keys, zone, job->lent.keys);
        job->lent.keys = NULL;
    }
}

void change_end(struct keeper *keeper, struct zone_job *job, uint16_t rcode)
{
    struct managed_zone *zone = job->zone;
    struct keeper_update *updates = job->asked.updates;
    struct zone_key_order *orders = job->asked.orders;
    job->asked.updates = NULL;
    job->asked.orders = NULL;
    zone->job = NULL;
    zone->updates.at_work = 0;
    zone->known.keys_wished = keying_round(keeper->keying); /* It may have made keys. */
    keeper->updates -= zone_answer_updates(updates, rcode);
    key_orders_tell(orders, rcode == DNS_RCODE_NOERROR     ? NULL
                            : zone->health.problem != NULL ? zone->health.problem
                                                           : "the server is stopping");
    take_back_keys(zone, job);
    generation_drop(job->generation);
    zone_job_free(job);
    if (zone->gone) {
        keeper_bury(zone);
        return;
    }
    keeper_zone_was_tried(keeper, zone);
    if (zone->updates.first != NULL) {
        keeper_wish_due(keeper, zone); /* Where updates never end the timer has no turn. */
    }
    if (zone->known.ds_looks.count > 0) {
        keeper_wish_keys(keeper, zone, false); /* They came while its keys were looked at. */
    }
    if (opening_is_wanted(keeper, zone)) {
        opening_start(keeper, zone); /* A configuration that has come since has it stored. */
    } else if (change_is_wished(zone)) {
        keeper_enqueue(keeper, zone);
    }
    keeper_set_timer(keeper, zone);
}

/* --- PUBLISH -------------------------------------------------------------------------------- */

static void log_published(const struct zone_job *job)
{
    const struct zone_facts *facts = zone_version_facts(job->made.version);
    char name[ZONE_LABEL_BYTES];
    zone_label(job->settings, name);
    if (job->kind == ZONE_JOB_LOAD) {
        log_write(
            LOG_ZONE, SEVERITY_INFO, "zone %s: loaded serial %u%s", name, facts->source_serial,
            !facts->signed_here && facts->denial != ZONE_DENIAL_NONE ? " (DNSSEC signed)" : "");
    }
    if (job->kind == ZONE_JOB_RECOVER) {
        log_write(LOG_ZONE, SEVERITY_INFO, "zone %s: recovered serial %u from the store", name,
                  facts->serial);
    }
    if (facts->signed_here) {
        /* Of thousands of updates a second nobody wants to read two lines each. */
        int severity = job->kind == ZONE_JOB_UPDATE ? SEVERITY_DEBUG : SEVERITY_INFO;
        log_write(LOG_ZONE, severity, "zone %s (signed): serial %u (unsigned %u)", name,
                  facts->serial, facts->source_serial);
        log_write(LOG_DNSSEC, severity,
                  "zone %s published: serial=%u names=%llu signatures=%llu ms=%llu", name,
                  facts->serial, (unsigned long long)facts->names,
                  (unsigned long long)job->made.signatures,
                  (unsigned long long)(job->made.took_ns / 1000000));
    }
}

/* The whole zone is new; was another one served under its serial? */
static void begin_history(struct managed_zone *zone, const struct zone_version *version)
{
    const struct zone_version *before = zone_record_version(zone);
    if (before != NULL && serial_compare(zone_version_facts(version)->serial,
                                         zone_version_facts(before)->serial) <= 0) {
        zone_history_be_ambiguous(&zone->slot->history);
    } else {
        zone_history_clear(&zone->slot->history);
    }
}

static void remember_history(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_made *made = &job->made;
    for (size_t i = 0; i < made->history_count; i++) {
        zone_history_add(&zone->slot->history, made->history[i].link, i == 0,
                         &made->history[i].commit);
    }
    made->history_count = 0; /* They are the zone's now. */
    if (made->difference != NULL) {
        const struct zone_history_commit commit = {.number = job->commit.record.number,
                                                   .at = job->now};
        zone_history_add(&zone->slot->history, made->difference, false, &commit);
        made->difference = NULL;
    } else if (made->is_image) {
        begin_history(zone, made->version);
    }
    if (job->kind == ZONE_JOB_RECOVER && made->state.ambiguous) {
        zone_history_be_ambiguous(&zone->slot->history);
    }
    if (made->serial_is_reused && !zone->slot->history.ambiguous) {
        zone_history_clear(&zone->slot->history);
    }
}

static void take_version(struct managed_zone *zone, struct zone_job *job)
{
    const struct zone_version *expired = zone->known.expired;
    log_published(job);
    remember_history(zone, job); /* first: a reader finds no version that the history lacks */
    bool first = zone_record_version(zone) == NULL;
    if (job->kind == ZONE_JOB_RECOVER) {
        overtake_recovering(zone, job);
    }
    if (expiry_lasts(zone, job)) {
        zone->known.expired = job->made.version;
    } else {
        zone->known.expired = NULL;
        publish(zone->slot, job->made.version);
    }
    job->made.version = NULL; /* the zone's reference now */
    if (expired != NULL) {
        zone_version_unref(expired);
    }
    overtake_published(zone,
                       job->store == NULL || (job->commit.record.flags & STORE_COMMIT_BREAKS) != 0);
    notifying_changed(zone->keeper, zone, first);
    if (expired != NULL && zone->slot->version != NULL) {
        expiry_is_over(zone);
    }
}

/* A recovered zone goes on as any other: is its file newer, are keys or signatures due? */
static void wish_ordinary_wake(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->settings->file != NULL && zone->settings->type == ZONE_PRIMARY &&
        !zone->settings->dynamic) {
        keeper_wish_load(keeper, zone, false);
    }
    keeper_wish_keys(keeper, zone, false);
}

/* Is what this job has done the end of what is wrong with the zone? */
static bool is_mended(const struct managed_zone *zone, const struct zone_job *job)
{
    const struct zone_health *health = &zone->health;
    switch (job->kind) {
    case ZONE_JOB_LOAD: /* Of a file that is as it was it did nothing else. */
        return health->failed == ZONE_JOB_LOAD || health->by_store || !job->made.unchanged ||
               job->made.keys_looked_at;
    case ZONE_JOB_RECOVER:
    case ZONE_JOB_TRANSFER:
        return true;
    case ZONE_JOB_KEYS:
        return health->failed != ZONE_JOB_LOAD || health->by_store;
    default:
        return health->failed == job->kind || (health->by_store && !job->made.unchanged);
    }
}

/* Also where nothing is due for years: somebody may bring a key, edit one, or take it away. */
static sg_time next_loadkeys(const struct managed_zone *zone)
{
    sg_duration interval = (sg_duration)zone->settings->loadkeys_interval_minutes * SG_MINUTE;
    return zone->settings->policy == NULL || interval == 0 ? INT64_MAX
                                                           : zone->keeper->now + interval;
}

/* It is tried again every hour, and said when it begins and once a day. */
static void tell_missing(struct managed_zone *zone, const char *missing)
{
    sg_time now = zone->keeper->now;
    sg_time *warn_at = &zone->health.missing_warn_at;
    char label[ZONE_LABEL_BYTES];
    if (missing == NULL) {
        *warn_at = 0;
        return;
    }
    bool is_ahead = *warn_at > now + SG_DAY; /* The clock was false. */
    if (now >= *warn_at || is_ahead) {
        *warn_at = now + SG_DAY;
        log_write(LOG_DNSSEC, SEVERITY_ERROR,
                  "zone %s: a key is due to roll and has no successor: %s",
                  zone_label(zone->settings, label), missing);
    }
}

static void recover_health(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_health *health = &zone->health;
    struct zone_made *made = &job->made;
    if (health->problem != NULL && is_mended(zone, job)) {
        mem_free(health->problem);
        health->problem = NULL;
        if (!zone->later.load && !zone->later.keys && !zone->later.state &&
            zone->later.serial_above == 0) {
            health->retry_at = INT64_MAX;
        }
    }
    if (made->keys_looked_at || job->settings->policy == NULL) { /* without one they have none */
        health->key_event_at = made->key_event_at;
        resting_note(zone, job, zone->keeper->now);
        health->loadkeys_at = next_loadkeys(zone);
        tell_missing(zone, made->missing);
    }
    if (made->expires_first != health->expires_first) {
        mem_free(health->resign_node);
        health->resign_node = made->expires_node;
        made->expires_node = NULL;
    }
    health->expires_first = made->expires_first;
    health->resign_at = resign_time(zone, made->expires_first);
    overdue_note(zone, zone->keeper->now);
    if (job->kind == ZONE_JOB_RESIGN && made->unchanged) {
        /* There was nothing that it could do: not at once again. */
        health->resign_at =
            change_not_before(health->resign_at, zone->keeper->now + CHANGE_RETRY_SECONDS);
    }
    if (job->kind == ZONE_JOB_RESIGN || job->kind == ZONE_JOB_RECOVER) {
        zone->known.begins_latest = job->now; /* What begins later was found due. */
    }
    overdue_note_ahead(zone, zone->keeper->now); /* It was set back while the job was out. */
}

/* What a load was asked besides, where it did not come to it. */
static void wish_what_is_left(struct keeper *keeper, struct managed_zone *zone,
                              const struct zone_job *job, bool is_new)
{
    const struct zone_asked *asked = &job->asked;
    if (asked->sign_all || (asked->keys_wished && !is_new) || zone->known.orders != NULL) {
        keeper_wish_keys(keeper, zone, asked->sign_all);
    }
    if (!is_new) {
        uint32_t *above = &zone->wishes.serial_above;
        *above = zone_greater_floor(*above, asked->serial_above);
    }
}

static void take_state(struct managed_zone *zone, struct zone_job *job)
{
    zone_state_clear(&zone->known.state);
    zone->known.state = job->made.state;
    job->made.state = (struct zone_state){.timers = BUFFER_EMPTY, .told = BUFFER_EMPTY};
}

/* What a recovered zone needs that a changed one does not. */
static void end_recovery(struct keeper *keeper, struct managed_zone *zone,
                         const struct zone_made *made)
{
    zone->ledger.continues = true;
    bool is_restored = made->signed_anew || overtake_is_of_backup(keeper, &zone->known.state);
    if (is_restored || zone->known.state.unheard_since != 0) {
        overtake_start(keeper, zone, is_restored ? OVERTAKE_RESTORED : OVERTAKE_RECOVERED);
    }
    trust_log_zone(zone);
    /* A configuration may have begun one meanwhile, without the zone and its times. */
    secondary_end(zone);
    change_recall_refusal(zone);
    wish_ordinary_wake(keeper, zone);
    /* What was committed for other settings is not what the file of a static zone has. */
    zone->wishes.force |=
        !zone_is_stored(zone->settings) && !zone->known.state.was_static && zone->wishes.load;
    if (!zone->wishes.load) { /* Who had it reloaded has what he wanted. */
        zone_tell_waiters(&zone->waiters, RELOAD_STARTED, "");
    }
}

static void succeed(struct keeper *keeper, struct zone_job *job)
{
    struct managed_zone *zone = job->zone;
    struct zone_made *made = &job->made;
    bool is_new = made->version != NULL;
    bool is_first = zone_record_version(zone) == NULL && job->kind != ZONE_JOB_RECOVER;

    if (is_new) {
        take_version(zone, job);
    }
    aside_take_back(keeper, job, is_new);
    if (is_new && is_first && job->store != NULL) {
        overtake_start(keeper, zone, OVERTAKE_NEW);
    }
    if (!made->unchanged) {
        take_state(zone, job);
    }
    zone_facts_note_published(keeper, zone);
    trust_take_job(zone, job);
    recover_health(zone, job);
    expiry_take_job(zone, job);
    zone->wishes.resign |= made->more || zone->known.state.campaign;
    if (job->kind == ZONE_JOB_RESIGN) {
        zone->known.slices_follow = made->more;
        zone->known.signature_ns = keeper->io.untimed        ? 0
                                   : made->signature_ns != 0 ? made->signature_ns
                                                             : zone->known.signature_ns;
    }
    if (job->kind == ZONE_JOB_RECOVER) {
        end_recovery(keeper, zone, made);
    } else if (job->kind == ZONE_JOB_LOAD) {
        wish_what_is_left(keeper, zone, job, is_new);
        if (is_new && zone_version_facts(zone_record_version(zone))->serial == made->file_serial) {
            opening_forget_static(keeper, zone);
        }
    }
    if (made->file_written && job->asked.freeze) {
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_INFO, "zone %s: frozen", zone_label(job->settings, label));
    }
    if (made->keys_looked_at && job->lent.keys != NULL) {
        const struct zone_keys *keys = job->lent.keys;
        zone_parent_want(keeper, zone, keys->wishes, keys->wishes_count);
    }
    if (made->keys_looked_at && !made->unchanged) {
        zone_facts_let_twins_follow(keeper, zone);
    }
    if (job->kind == ZONE_JOB_TRANSFER) {
        secondary_came(zone);
        secondary_applied(keeper, zone, SG_OK);
    } else if (zone->secondary == NULL) {
        secondary_begin(keeper, zone);
    }
    zone_tell_waiters(&zone->job_waiters, is_new ? RELOAD_STARTED : RELOAD_UP_TO_DATE, "");
    if (job->asked.clean && !made->unchanged) {
        checkpoint_forget_history(keeper, zone);
    }
    checkpoint_trim_memory(keeper, zone);
    checkpoint_consider(keeper, zone);
    change_end(keeper, job, DNS_RCODE_NOERROR);
}

/* --- COMMIT --------------------------------------------------------------------------------- */

static struct zone_job *job_of(struct store_request *request)
{
    return (struct zone_job *)((char *)request - offsetof(struct zone_job, commit));
}

/* What leads from the base to the version; empty: nothing, or an image is committed alone. */
static struct span changeset_of(const struct zone_job *job)
{
    const struct zone_history_link *difference = job->made.difference;
    bool is_told = difference != NULL && (!job->made.is_image || job->made.keeps_difference);
    return is_told ? zone_history_changeset(difference) : (struct span){NULL, 0};
}

static void take_commit(struct store_request *request)
{
    struct zone_job *job = job_of(request);
    struct keeper *keeper = job->zone->keeper;
    struct zone_ledger *ledger = &job->zone->ledger;
    if (request->result != SG_OK) {
        mem_free(job->problem);
        job->problem = mem_format("it could not be committed to the store: %s",
                                  request->problem != NULL ? request->problem
                                                           : sg_result_text(request->result));
        if (request->result == SG_CONFLICT) {
            ledger->id = 0; /* The store has more than it told of: it is asked anew. */
            ledger->continues = false;
        }
        change_fail(keeper, job, CHANGE_STORE_RETRY_SECONDS);
        return;
    }
    ledger->last = request->record.number;
    ledger->continues = true;
    ledger->lost = false; /* A transfer, or the file, has the place of what could not be read. */
    ledger->lost_serial = 0;
    job->zone->wishes.give_up = job->zone->later.give_up = false; /* What follows is kept. */
    if (job->made.is_image) {
        ledger->image_number = ledger->last;
        ledger->since_image_bytes = 0;
        ledger->untrimmed = job->made.keeps_difference;
    } else {
        ledger->since_image_bytes += changeset_of(job).length + job->state_bytes.length;
    }
    succeed(keeper, job);
}

/* Over what is no link now none leads after a restart either. */
static unsigned commit_flags(const struct zone_job *job)
{
    const struct zone_made *made = &job->made;
    bool breaks = (made->is_image && !made->keeps_difference) || made->serial_is_reused ||
                  overtake_is_in_doubt(job->zone) || job->zone->slot->history.ambiguous;
    return (made->is_image ? STORE_COMMIT_IMAGE : 0u) | (breaks ? STORE_COMMIT_BREAKS : 0u);
}

static void commit(struct keeper *keeper, struct zone_job *job)
{
    struct zone_made *made = &job->made;
    const struct zone_version *now = made->version != NULL ? made->version : job->lent.base;
    job->commit = (struct store_request){
        .kind = STORE_ZONE_COMMIT,
        .reply = keeper->io.commits,
        .done = take_commit,
        .zone = job->store_zone,
        .image = buffer_span(&made->image),
        .record =
            {
                .number = job->commit_number,
                .at = job->now,
                .serial = zone_version_facts(now)->serial,
                .source_serial = zone_version_facts(now)->source_serial,
                .flags = commit_flags(job),
                .state = buffer_span(&job->state_bytes),
                .changeset = changeset_of(job),
            },
    };
    keeper->requests++;
    store_submit(keeper->io.store, &job->commit);
}

void change_take_job(struct keeper *keeper, struct zone_job *job)
{
    struct managed_zone *zone = job->zone;
    ASSERT(zone->job == job);
    take_back_resign(zone, job);
    if (zone->gone || keeper->stopping) {
        change_end(keeper, job, DNS_RCODE_SERVFAIL);
    } else if (job->result != SG_OK) {
        change_fail(keeper, job,
                    job->made.disk_failed ? CHANGE_STORE_RETRY_SECONDS : CHANGE_RETRY_SECONDS);
    } else if (job->store == NULL || job->made.unchanged ||
               (job->kind == ZONE_JOB_RECOVER && !job->made.is_image)) {
        succeed(keeper, job);
    } else {
        commit(keeper, job);
    }
}

/* --- inputs --------------------------------------------------------------------------------- */

void keeper_notified(struct keeper *keeper, struct managed_zone *zone, const struct remote *from,
                     const struct dns_soa *hint)
{
    if (zone->secondary != NULL && !keeper->stopping) {
        secondary_notified(keeper, zone, from, hint);
    }
}
