/* What becomes of a zone whose job has failed, or whose commit has: it is served on, and tried
 * again. */
#include "base/log.h"
#include "base/mem.h"
#include "dns/serial.h"
#include "keeper/keeper_parts.h"
#include "keeper/key_orders.h"
#include "keeper/secondary.h"

void change_refuse_orders(struct managed_zone *zone)
{
    struct zone_wishes *wishes = &zone->wishes;
    const char *problem = zone->health.problem;
    wishes->load = wishes->thaw = wishes->frozen = wishes->give_up = false;
    wishes->dump = wishes->freeze = wishes->clean = false;
    zone_tell_waiters(&zone->waiters, RELOAD_FAILED, problem);
    zone_tell_waiters(&zone->dump_waiters, RELOAD_FAILED, problem);
    struct zone_key_order *orders = zone->known.orders;
    zone->known.orders = NULL;
    key_orders_tell(orders, problem);
}

/* Nothing is done to the zone meanwhile. */
static void wait_for_store(struct keeper *keeper, struct managed_zone *zone)
{
    zone->wishes.force = false;
    change_refuse_orders(zone);
    change_refuse_updates(keeper, zone, DNS_RCODE_SERVFAIL);
}

/* A store that cannot be read is no reason to be silent, where a file has it all as well. */
void change_recover_otherwise(struct keeper *keeper, struct managed_zone *zone, uint32_t serial,
                              bool has_more_than_file)
{
    struct zone_ledger *ledger = &zone->ledger;
    char label[ZONE_LABEL_BYTES];
    ledger->lost_serial = serial;
    if (zone_changes_by_itself(zone) || zone->settings->file == NULL || has_more_than_file) {
        /* The file does not have what updates and transfers brought. A secondary fetches it, unless
         * the store can be read before a primary is heard. */
        wait_for_store(keeper, zone);
        ledger->lost = true;
        zone->health.retry_at = keeper->now + CHANGE_RETRY_SECONDS;
        return;
    }
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: it is built anew from its file, with a serial above %u",
              zone_label(zone->settings, label), ledger->lost_serial);
    keeper_wish_load(keeper, zone, true);
}

/* What this job was to do is wished again when the zone is tried again. */
static void keep_wishes(struct managed_zone *zone, const struct zone_job *job, bool by_store)
{
    struct zone_wishes *later = &zone->later;
    const struct zone_asked *asked = &job->asked;
    bool loads = job->kind == ZONE_JOB_LOAD && (by_store || job->made.keys_failed) && !asked->thaw;
    later->load |= loads;
    later->force |= loads && asked->force;
    later->give_up |= loads && asked->give_up;
    later->keys |= asked->keys_wished || asked->sign_all || job->made.aside_keys != NULL;
    later->sign_all |= asked->sign_all;
    /* Where there are no keys to look at: does the store work again? */
    later->state |= job->kind == ZONE_JOB_STATE || (by_store && zone->settings->policy == NULL);
    later->clean |= job->kind == ZONE_JOB_STATE && asked->clean && !asked->shorten;
    later->shorten |= asked->shorten;
    if (asked->serial_above != 0 && asked->serial_above != zone->ledger.lost_serial) {
        later->serial_above = zone_greater_floor(later->serial_above, asked->serial_above);
    }
}

static void note_failure(struct keeper *keeper, struct managed_zone *zone, struct zone_job *job,
                         sg_duration retry)
{
    struct zone_health *health = &zone->health;
    bool by_store = retry != CHANGE_RETRY_SECONDS;
    if (by_store) { /* A disk may be full for days: less and less often. */
        bool again = health->problem != NULL && health->by_store;
        retry = again ? 2 * health->store_wait : retry;
        retry = retry < CHANGE_RETRY_SECONDS ? retry : CHANGE_RETRY_SECONDS;
        health->store_wait = retry;
    }
    health->problem_since = health->problem == NULL ? keeper->now : health->problem_since;
    mem_free(health->problem);
    health->problem = job->problem;
    health->failed = job->kind;
    health->by_store = by_store;
    job->problem = NULL;
    if (zone->settings->policy != NULL || by_store) {
        /* What was due stays due, or what is served would expire; but not at once again. It is put
         * off by what it fails of itself alone: a broken file that is reloaded every minute must
         * not keep the signatures from being made anew. */
        sg_time again = keeper->now + retry;
        health->retry_at = health->retry_at < again ? health->retry_at : again;
        if (job->kind == ZONE_JOB_RESIGN || by_store) {
            health->resign_at = change_not_before(health->resign_at, again);
        }
        if (job->kind == ZONE_JOB_KEYS || by_store) {
            health->key_event_at = change_not_before(health->key_event_at, again);
        }
        keep_wishes(zone, job, by_store);
    } else {
        /* A broken file waits for a reload; what the store has may be read again. */
        health->retry_at = zone->ledger.lost ? keeper->now + retry : INT64_MAX;
        health->resign_at = health->key_event_at = INT64_MAX;
    }
}

/* Since when is told over a restart too. */
static void note_refusal(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_state *state = &zone->known.state;
    if (zone->health.failed == ZONE_JOB_LOAD && !zone->health.by_store && state->refused_at == 0 &&
        zone->settings->type == ZONE_PRIMARY) {
        state->refused_at = keeper->now;
        zone->wishes.state |= zone->ledger.id != 0;
    }
}

/* The file of a static zone is read again at a start, and fails again. That of a frozen one waits
 * for its operator's word, who may be in the midst of his edit. */
void change_recall_refusal(struct managed_zone *zone)
{
    const struct zone_state *state = &zone->known.state;
    struct zone_health *health = &zone->health;
    char label[ZONE_LABEL_BYTES];
    char served[ZONE_SERVED_BYTES];
    if (state->refused_at == 0 || !state->frozen || !zone->settings->dynamic ||
        zone->settings->file == NULL) {
        return;
    }
    mem_free(health->problem);
    health->problem = mem_format("file '%s' was not taken before this server was started; the zone "
                                 "is frozen: `thaw` or `reload` reads it again, and says why not",
                                 zone->settings->file);
    health->problem_since = state->refused_at;
    health->failed = ZONE_JOB_LOAD;
    health->by_store = false;
    zone_served_text(zone, served);
    log_write(LOG_ZONE, SEVERITY_ERROR, "zone %s: %s: %s", zone_label(zone->settings, label),
              served, health->problem);
}

/* A file that we wrote is not somebody's edit for a commit that failed after it, nor does it lack
 * anything: it is not written again over the correction that an operator makes in it. */
static void note_written_file(struct managed_zone *zone, struct zone_job *job)
{
    if (job->made.file_written) {
        struct file_stamps *known = &zone->known.state.files;
        file_stamps_clear(known);
        *known = job->made.state.files;
        job->made.state.files = (struct file_stamps){.files = NULL};
        zone->known.state.ahead_of_file = job->made.state.ahead_of_file;
        zone->later.state |= zone->ledger.id != 0; /* It is committed with the next try. */
    }
}

void change_fail(struct keeper *keeper, struct zone_job *job, sg_duration retry)
{
    struct managed_zone *zone = job->zone;
    note_failure(keeper, zone, job, retry);
    note_refusal(keeper, zone);
    note_written_file(zone, job);
    /* They may speak of what never came to be. */
    resign_index_free(zone->known.resign);
    zone->known.resign = NULL;
    aside_take_back(keeper, job, false);
    if (job->made.keys_looked_at || job->made.aside_keys != NULL ||
        (job->lent.keys != NULL && job->lent.keys->fresh)) {
        zone_keys_free(job->lent.keys);
        job->lent.keys = NULL;
    }
    char label[ZONE_LABEL_BYTES];
    char served[ZONE_SERVED_BYTES];
    zone_served_text(zone, served);
    log_write(LOG_ZONE, SEVERITY_ERROR, "zone %s: %s: %s", zone_label(job->settings, label), served,
              zone->health.problem);
    zone_tell_waiters(&zone->job_waiters, RELOAD_FAILED, zone->health.problem);
    if (job->kind == ZONE_JOB_RECOVER) {
        /* It was read, perhaps, and could not be signed anew. */
        change_recover_otherwise(keeper, zone, job->asked.stored->serial,
                                 job->made.state.ahead_of_file);
    } else if (zone->ledger.lost) { /* What was to take its place did not: it is lost still. */
        wait_for_store(keeper, zone);
    }
    if (job->kind == ZONE_JOB_TRANSFER) {
        secondary_applied(keeper, zone, job->result != SG_OK ? job->result : SG_IO);
    } else if (zone->secondary == NULL) {
        secondary_begin(keeper, zone);
    }
    change_end(keeper, job, DNS_RCODE_SERVFAIL);
}
