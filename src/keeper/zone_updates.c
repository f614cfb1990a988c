#include "base/log.h"
#include "base/mem.h"
#include "dns/message.h"
#include "dns/serial.h"
#include "keeper/zone_steps.h"
#include "zone/update.h"

/* Of one update, while it is being applied. */
struct applying {
    const struct zone_job *job;
    const struct keeper_update *update;
};

static bool may(void *argument, const struct zone_update_wish *wish, uint16_t *out_records_max)
{
    const struct applying *applying = argument;
    const struct keeper_generation *generation = applying->job->generation;
    *out_records_max = 0;
    return generation->may_update == NULL ||
           generation->may_update(applying->job->settings, applying->update, wish, out_records_max);
}

static bool is_own(void *argument, uint16_t type, struct span rdata)
{
    const struct applying *applying = argument;
    return zone_is_own_key_record(applying->job, type, rdata);
}

static void note(void *argument, int severity, const char *text)
{
    const struct applying *applying = argument;
    log_write(LOG_UPDATE, severity, "%s: updating zone '%s/IN': %s", applying->update->client,
              applying->job->settings->name, text);
}

/* Returns how many RRsets changed. SG_LIMIT alone is a failure of the whole change. */
static enum sg_result apply(struct zone_job *job, struct zone_edit *edit,
                            struct keeper_update *update, uint64_t *changes, bool *soa_set)
{
    const struct zone_settings *settings = job->settings;
    struct applying applying = {job, update};
    const struct zone_update_options options = {
        .is_signed = zone_is_to_be_signed(job),
        .serial_pending = *changes > 0,
        .check_names = settings->checks->names,
        .max_zone_ttl =
            settings->policy != NULL ? settings->policy->max_zone_ttl : settings->max_zone_ttl,
        .private_type = settings->policy != NULL ? settings->limits.private_type : 0,
        .records_per_type_max = settings->limits.records_per_type_max,
        .types_per_name_max = settings->limits.types_per_name_max,
        .may = may,
        .is_own = is_own,
        .note = note,
        .argument = &applying,
    };
    struct zone_update_outcome outcome;

    enum sg_result result = zone_update_apply(edit, &update->message, &options, &outcome);
    if (result != SG_OK) {
        return result;
    }
    update->rcode = outcome.rcode;
    *changes += outcome.changes;
    *soa_set = *soa_set || outcome.soa_set;
    if (outcome.rcode != DNS_RCODE_NOERROR) {
        log_write(LOG_UPDATE, SEVERITY_INFO, "%s: updating zone '%s/IN': update unsuccessful: %s",
                  update->client, settings->name, outcome.reason);
    }
    return SG_OK;
}

static enum sg_result apply_all(struct zone_job *job, struct zone_edit *edit, uint64_t *changes)
{
    bool soa_set = false;
    for (struct keeper_update *update = job->asked.updates; update != NULL; update = update->next) {
        enum sg_result result = apply(job, edit, update, changes, &soa_set);
        if (result != SG_OK) {
            return result;
        }
    }
    uint32_t serial = zone_version_facts(zone_edit_draft(edit))->source_serial;
    uint32_t served = zone_version_facts(job->lent.base)->serial;
    bool is_kept = job->settings->serial_update == ZONE_SERIAL_KEEP && zone_is_to_be_signed(job) &&
                   serial_compare(serial, served) <= 0;
    if (*changes == 0 || (soa_set && !is_kept)) {
        return SG_OK;
    }
    serial = is_kept ? served : serial; /* the source's follows what its signatures have raised */
    return zone_edit_set_serial(edit, ZONE_SOURCE,
                                zone_serial_raise(job->settings->serial_update, serial, job->now));
}

enum sg_result zone_take_updates(struct zone_job *job)
{
    uint64_t changes = 0;
    enum sg_result result = zone_have_keys(job);
    if (result != SG_OK) {
        return result;
    }
    struct zone_edit *edit = zone_edit_open(job->lent.base);
    result = apply_all(job, edit, &changes);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        job->problem = mem_format("updates do not fit into the zone: %s", sg_result_text(result));
        return result;
    }
    if (changes == 0 && !zone_keys_changed(job)) {
        zone_edit_abandon(edit);
        job->made.unchanged = true;
        return SG_OK;
    }
    job->made.state.ahead_of_file |= changes > 0;
    return zone_sign_and_seal(job, edit, ZONE_SIGN_CHANGE);
}
