#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "keeper/notifying.h"
#include "keeper/overtake.h"
#include "keeper/publish.h"
#include "keeper/secondary.h"

enum {
    RETRY_SECONDS = 300,      /* after a failure, BIND's figure */
    STORE_RETRY_SECONDS = 10, /* after one of the store: it tries by itself meanwhile */
    UPDATES_MAX = 256,        /* in one change */
    UPDATES_WAITING_MAX = 4096,
    KEYS_KEPT_NAMES_MIN = 2000,
};

/* --- PREPARE, SIGN, SEAL: a worker ---------------------------------------------------------- */

/* Nothing is served yet; or what is served came signed from elsewhere and is now to be signed
 * here: its file must be read again, without its old signatures. */
static bool must_load(const struct managed_zone *zone)
{
    const struct zone_version *version = zone_record_version(zone);
    const struct kasp_policy *policy = zone->settings->policy;
    if (version == NULL) {
        return zone->settings->type == ZONE_PRIMARY;
    }
    const struct zone_facts *facts = zone_version_facts(version);
    return policy != NULL && policy->keys_count > 0 && zone->settings->file != NULL &&
           !zone->settings->dynamic && !facts->signed_here && facts->denial != ZONE_DENIAL_NONE;
}

static bool others_are_wished(const struct zone_wishes *wishes)
{
    return wishes->load || wishes->keys || wishes->resign || wishes->dump || wishes->state ||
           wishes->serial_above != 0;
}

bool change_is_wished(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    return others_are_wished(wishes) || zone->updates.first != NULL ||
           zone->ledger.stored != NULL || secondary_has_transfer(zone);
}

/* Updates and the rest take turns, so that neither starves the other. What was accepted before a
 * freeze is to be in the file that the operator edits, or the thaw would undo it. */
static bool updates_are_next(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    return zone->updates.first != NULL && zone->slot->version != NULL &&
           (wishes->freeze || !(others_are_wished(wishes) && wishes->others_first));
}

/* Keys are read with the file, when they are wished, and by whatever signs without having them. */
bool change_wants_keys(const struct managed_zone *zone)
{
    const struct zone_wishes *wishes = &zone->wishes;
    bool missing = zone->known.keys == NULL;
    if (zone->known.keyed || zone->settings->policy == NULL || zone->ledger.stored != NULL) {
        return false;
    }
    if (updates_are_next(zone) || secondary_has_transfer(zone)) {
        return missing;
    }
    if (wishes->load || must_load(zone)) {
        return wishes->force || wishes->thaw || zone->slot->version == NULL;
    }
    if (wishes->dump) {
        return false;
    }
    return wishes->keys || (missing && (wishes->resign || wishes->serial_above != 0));
}

static struct keeper_update *take_updates(struct managed_zone *zone)
{
    struct zone_updates *updates = &zone->updates;
    struct keeper_update *first = updates->first;
    struct keeper_update **after = &updates->first;
    for (size_t i = 0; i < UPDATES_MAX && *after != NULL; i++) {
        after = &(*after)->next;
        updates->count--;
    }
    updates->first = *after;
    *after = NULL;
    if (updates->first == NULL) {
        updates->last = &updates->first;
    }
    return first;
}

static void choose_load(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_wishes *wishes = &zone->wishes;
    job->kind = ZONE_JOB_LOAD;
    job->asked.thaw = wishes->thaw;
    job->asked.force = wishes->force || zone->slot->version == NULL;
    job->asked.keys_wished = wishes->keys;
    job->asked.sign_all = wishes->sign_all;
    job->asked.serial_above = wishes->serial_above;
    wishes->load = wishes->force = wishes->keys = wishes->sign_all = false;
    wishes->thaw = wishes->frozen = false;
    wishes->serial_above = 0;
    zone->job_waiters = zone->waiters;
    zone->waiters = NULL;
}

/* Give the job the most urgent of what is wished. */
static void choose_kind(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_wishes *wishes = &zone->wishes;
    bool updates_next = updates_are_next(zone);
    wishes->others_first = false;
    if (zone->ledger.stored != NULL) {
        job->kind = ZONE_JOB_RECOVER;
        job->asked.stored = zone->ledger.stored;
        zone->ledger.stored = NULL;
    } else if (updates_next) {
        job->kind = ZONE_JOB_UPDATE;
        job->asked.updates = take_updates(zone);
        wishes->others_first = true;
    } else if (secondary_has_transfer(zone)) {
        job->kind = ZONE_JOB_TRANSFER;
        job->asked.transfer = secondary_take_transfer(zone);
    } else if (wishes->load || must_load(zone)) {
        choose_load(zone, job);
    } else if (wishes->dump) {
        job->kind = ZONE_JOB_DUMP;
        job->asked.freeze = wishes->freeze;
        wishes->dump = wishes->freeze = false;
        zone->job_waiters = zone->waiters;
        zone->waiters = NULL;
    } else if (wishes->keys) {
        job->kind = ZONE_JOB_KEYS;
        job->asked.sign_all = wishes->sign_all;
        wishes->keys = wishes->sign_all = false;
    } else if (wishes->resign) {
        job->kind = ZONE_JOB_RESIGN;
        wishes->resign = false;
    } else if (wishes->serial_above != 0) {
        job->kind = ZONE_JOB_RAISE;
        job->asked.serial_above = wishes->serial_above;
        wishes->serial_above = 0;
    } else if (wishes->state) {
        job->kind = ZONE_JOB_STATE;
        wishes->state = false;
    } else {
        UNREACHABLE(); /* what was queued is wished, and nobody takes it back */
    }
}

static enum work_class class_of(const struct zone_job *job)
{
    bool bulk = job->kind == ZONE_JOB_LOAD || job->kind == ZONE_JOB_RECOVER;
    return bulk ? WORK_BULK : WORK_SOON;
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
    }
    choose_kind(zone, job);
    if (zone->ledger.rebuilding && job->asked.serial_above == 0) {
        job->asked.serial_above = zone->ledger.serial_floor;
    }
    secondary_encode_timers(zone);
    const struct zone_version *base = zone_record_version(zone);
    job->lent = (struct zone_lent){
        .base = base == NULL ? NULL : zone_version_ref(base),
        .state = &zone->known.state,
        .keys = zone->known.keys,
        .resign = zone->known.resign,
        .expires_first = zone->health.expires_first,
    };
    zone->known.keys = NULL;
    zone->known.keyed = false;
    zone->known.resign = NULL;
    zone->job = job;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, class_of(job), &job->job);
}

/* --- the end of a change -------------------------------------------------------------------- */

static sg_time not_before(sg_time when, sg_time earliest)
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
static void take_back(struct managed_zone *zone, struct zone_job *job)
{
    zone->known.resign = job->lent.resign;
    job->lent.resign = NULL;
    if (keeps_keys(zone)) {
        zone->known.keys = job->lent.keys;
        job->lent.keys = NULL;
    }
}

static void end_change(struct keeper *keeper, struct zone_job *job, uint16_t rcode)
{
    struct managed_zone *zone = job->zone;
    struct keeper_update *updates = job->asked.updates;
    job->asked.updates = NULL;
    zone->job = NULL;
    zone->known.keys_wished = keying_round(keeper->keying); /* It may have made keys. */
    keeper->updates -= zone_answer_updates(updates, rcode);
    generation_drop(job->generation);
    zone_job_free(job);
    if (zone->gone) {
        keeper_bury(zone);
        return;
    }
    keeper_set_timer(keeper, zone);
    keeper_zone_was_tried(keeper, zone);
    if (change_is_wished(zone)) {
        keeper_enqueue(keeper, zone);
    }
}

/* A store that cannot be read is no reason to be silent, where a file has it all as well. */
static void recover_otherwise(struct keeper *keeper, struct managed_zone *zone,
                              const struct zone_job *job)
{
    const struct store_zone *stored = job->asked.stored;
    if (zone->settings->dynamic) {
        /* The file does not have what updates brought. */
        zone_tell_waiters(&zone->waiters, RELOAD_FAILED, zone->health.problem);
        return;
    }
    zone->ledger.rebuilding = true;
    zone->ledger.serial_floor = stored->serial;
    if (zone->settings->type == ZONE_SECONDARY) {
        secondary_begin(keeper, zone); /* Its primaries have it. */
        return;
    }
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: it is built anew from its file, with a serial above %u",
              zone_label(zone->settings, label), stored->serial);
    keeper_wish_load(keeper, zone, true);
}

static void fail(struct keeper *keeper, struct zone_job *job, sg_duration retry)
{
    struct managed_zone *zone = job->zone;
    struct zone_health *health = &zone->health;
    mem_free(health->problem);
    health->problem = job->problem;
    job->problem = NULL;
    resign_index_free(zone->known.resign); /* It may speak of what never came to be. */
    zone->known.resign = NULL;
    zone_keys_free(zone->known.keys); /* Nor does what is committed know of these. */
    zone->known.keys = NULL;
    health->load_again |= job->kind == ZONE_JOB_LOAD && retry == STORE_RETRY_SECONDS;
    if (zone->settings->policy != NULL || retry != RETRY_SECONDS) {
        /* What was due stays due, or what is served would expire; but not at once again. */
        health->retry_at = keeper->now + retry;
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
              health->problem);
    zone_tell_waiters(&zone->job_waiters, RELOAD_FAILED, health->problem);
    if (job->kind == ZONE_JOB_RECOVER) {
        recover_otherwise(keeper, zone, job);
    } else if (job->kind == ZONE_JOB_TRANSFER) {
        secondary_applied(keeper, zone, job->result != SG_OK ? job->result : SG_IO);
    } else if (zone->secondary == NULL) {
        secondary_begin(keeper, zone);
    }
    end_change(keeper, job, DNS_RCODE_SERVFAIL);
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

static void remember_history(struct managed_zone *zone, struct zone_job *job)
{
    struct zone_made *made = &job->made;
    for (size_t i = 0; i < made->history_count; i++) {
        zone_history_add(&zone->slot->history, &made->history[i], i == 0);
    }
    if (made->changeset.length > 0) {
        zone_history_add(&zone->slot->history, &made->changeset, false);
    } else if (made->is_image) {
        zone_history_clear(&zone->slot->history);
    }
}

static void take_version(struct managed_zone *zone, struct zone_job *job)
{
    log_published(job);
    remember_history(zone, job); /* first: a reader finds no version that the history lacks */
    bool first = zone_record_version(zone) == NULL;
    if (job->kind == ZONE_JOB_RECOVER &&
        secondary_is_expired(zone->settings, &job->made.state, zone->keeper->now)) {
        zone->known.expired = job->made.version; /* It stays so until a primary is heard. */
        job->made.version = NULL;
        return;
    }
    publish(zone->slot, job->made.version);
    job->made.version = NULL; /* the slot's reference now */
    if (zone->known.expired != NULL) {
        zone_version_unref(zone->known.expired);
        zone->known.expired = NULL;
    }
    checkpoint_trim_memory(zone->keeper, zone);
    notifying_changed(zone->keeper, zone, first);
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

static void succeed(struct keeper *keeper, struct zone_job *job)
{
    struct managed_zone *zone = job->zone;
    struct zone_health *health = &zone->health;
    struct zone_made *made = &job->made;
    bool is_new = made->version != NULL;

    mem_free(health->problem);
    health->problem = NULL;
    health->retry_at = INT64_MAX;
    health->load_again &= job->kind != ZONE_JOB_LOAD;
    bool is_first = zone_record_version(zone) == NULL && job->kind == ZONE_JOB_LOAD;
    if (is_new) {
        zone->ledger.rebuilding = false;
        take_version(zone, job);
    }
    if (is_new && is_first && job->store != NULL) {
        overtake_start(keeper, zone);
    }
    if (!made->unchanged) {
        zone_state_clear(&zone->known.state);
        zone->known.state = made->state;
        made->state = (struct zone_state){.timers = BUFFER_EMPTY};
    }
    if (made->keys_looked_at) {
        health->key_event_at = made->key_event_at;
    }
    if (made->expires_first != health->expires_first) {
        mem_free(health->resign_node);
        health->resign_node = made->expires_node;
        made->expires_node = NULL;
    }
    health->expires_first = made->expires_first;
    health->resign_at = resign_time(zone, made->expires_first);
    overdue_note(zone, keeper->now);
    if (made->more || zone->known.state.campaign) {
        zone->wishes.resign = true;
    }
    if (job->kind == ZONE_JOB_RECOVER) {
        wish_ordinary_wake(keeper, zone);
    } else if (job->kind == ZONE_JOB_LOAD && !is_new && job->asked.keys_wished) {
        keeper_wish_keys(keeper, zone, job->asked.sign_all);
    }
    if (job->kind == ZONE_JOB_TRANSFER) {
        secondary_applied(keeper, zone, SG_OK);
    } else if (zone->secondary == NULL) {
        secondary_begin(keeper, zone);
    }
    zone_tell_waiters(&zone->job_waiters, is_new ? RELOAD_STARTED : RELOAD_UP_TO_DATE, "");
    if (zone->slot->version != NULL) {
        checkpoint_consider(keeper, zone);
    }
    end_change(keeper, job, DNS_RCODE_NOERROR);
}

/* --- COMMIT --------------------------------------------------------------------------------- */

static struct zone_job *job_of(struct store_request *request)
{
    return (struct zone_job *)((char *)request - offsetof(struct zone_job, commit));
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
        fail(keeper, job, STORE_RETRY_SECONDS);
        return;
    }
    ledger->last = request->record.number;
    if (job->made.is_image) {
        ledger->image_number = ledger->last;
        ledger->since_image_bytes = 0;
    } else {
        ledger->since_image_bytes += job->made.changeset.length + job->state_bytes.length;
    }
    succeed(keeper, job);
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
                .flags = made->is_image ? STORE_COMMIT_IMAGE | STORE_COMMIT_BREAKS : 0u,
                .state = buffer_span(&job->state_bytes),
                .changeset = buffer_span(&made->changeset),
            },
    };
    keeper->requests++;
    store_submit(keeper->io.store, &job->commit);
}

void change_take_job(struct keeper *keeper, struct zone_job *job)
{
    struct managed_zone *zone = job->zone;
    ASSERT(zone->job == job);
    take_back(zone, job);
    if (zone->gone || keeper->stopping) {
        end_change(keeper, job, DNS_RCODE_SERVFAIL);
    } else if (job->result != SG_OK) {
        fail(keeper, job, job->made.disk_failed ? STORE_RETRY_SECONDS : RETRY_SECONDS);
    } else if (job->store == NULL || job->made.unchanged || job->kind == ZONE_JOB_RECOVER) {
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

void keeper_update(struct keeper *keeper, struct managed_zone *zone, struct keeper_update *update)
{
    const struct zone_settings *settings = zone->settings;
    update->next = NULL;
    update->rcode = DNS_RCODE_NOERROR;
    if (!settings->dynamic || zone_is_frozen(zone)) {
        zone_answer_updates(update, DNS_RCODE_REFUSED);
        return;
    }
    size_t quota = keeper->generation->rates.updates;
    bool store_works = keeper->io.store == NULL || store_health(keeper->io.store) == SG_OK;
    if (zone->gone || keeper->stopping || zone->slot->version == NULL || !store_works ||
        zone->updates.count >= UPDATES_WAITING_MAX || (quota != 0 && keeper->updates >= quota)) {
        zone_answer_updates(update, DNS_RCODE_SERVFAIL);
        return;
    }
    *zone->updates.last = update;
    zone->updates.last = &update->next;
    zone->updates.count++;
    keeper->updates++;
    keeper_enqueue(keeper, zone);
}
