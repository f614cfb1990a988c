#include "keeper/zone_job.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dns/serial.h"
#include "keeper/aside.h"
#include "keeper/source_wish.h"
#include "keeper/trust.h"
#include "keeper/zone_label.h"
#include "keeper/zone_record.h"
#include "keeper/zone_steps.h"
#include "zone/changeset.h"

/* The policy was taken away: nothing of ours is served any more. */
static enum sg_result become_unsigned(struct zone_job *job)
{
    struct zone_state *state = &job->made.state;
    bool was_campaign = state->campaign;
    state->campaign = false;
    if (!zone_version_facts(job->lent.base)->signed_here) {
        job->made.unchanged = !was_campaign;
        return SG_OK;
    }
    uint32_t serial = zone_serial_choose(job, zone_version_facts(job->lent.base)->source_serial);
    struct zone_edit *edit = zone_edit_open(job->lent.base);
    zone_edit_clear_generated(edit);
    zone_edit_clear_nsec3(edit);
    /* The serial of a secondary's source is its primaries': it is what they are compared by. */
    enum sg_result result = job->settings->type == ZONE_SECONDARY
                                ? SG_OK
                                : zone_edit_set_serial(edit, ZONE_SOURCE, serial);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    if (job->settings->type == ZONE_SECONDARY) {
        zone_warn_of_lower_serial(job, zone_version_facts(job->lent.base)->source_serial);
    }
    zone_keys_free(job->lent.keys);
    job->lent.keys = NULL;
    job->made.expires_first = 0;
    return zone_seal(job, edit);
}

/* Until what it is fetched for has come, it is served as it is: secondary_begin() has seen to it.
 */
static enum sg_result wait_for_source(struct zone_job *job)
{
    struct zone_state *state = &job->made.state;
    job->made.unchanged = !state->campaign || job->settings->policy != NULL;
    state->campaign &= job->settings->policy != NULL;
    return SG_OK;
}

/* What there is to be done is done aside: that is all that is new, if it was not told before. */
static enum sg_result tell_of_aside(struct zone_job *job)
{
    job->made.unchanged = !zone_keys_changed(job);
    return job->made.unchanged
               ? SG_OK
               : zone_sign_and_seal(job, zone_edit_open(job->lent.base), ZONE_SIGN_CHANGE);
}

/* Sign with the keys as they are now, if they are not what they were. */
static enum sg_result change_keys(struct zone_job *job)
{
    if (source_is_wanted(job->settings, job->lent.base)) {
        return wait_for_source(job);
    }
    if (job->settings->policy == NULL) {
        return become_unsigned(job);
    }
    enum sg_result result = zone_look_at_keys(job);
    if (result != SG_OK) {
        return result;
    }
    if (job->made.aside_keys != NULL) {
        return tell_of_aside(job);
    }
    if (job->lent.keys->sign_count == 0) {
        return become_unsigned(job); /* The policy is to have no keys, and the last one is done. */
    }
    bool is_changed = zone_keys_changed(job);
    if (!job->asked.sign_all && !is_changed) {
        job->made.unchanged = true;
        return SG_OK;
    }
    if (!is_changed) {
        return zone_resign(job); /* a campaign, in slices */
    }
    return zone_sign_and_seal(job, zone_edit_open(job->lent.base), ZONE_SIGN_CHANGE);
}

static enum sg_result raise_serial(struct zone_job *job)
{
    enum sg_result result = zone_have_keys(job);
    if (result != SG_OK) {
        return result;
    }
    bool is_its_primarys = job->settings->type == ZONE_SECONDARY && !zone_is_to_be_signed(job);
    if (is_its_primarys || source_is_wanted(job->settings, job->lent.base)) {
        job->made.unchanged = true; /* What comes has a serial of its own. */
        return SG_OK;
    }
    struct zone_edit *edit = zone_edit_open(job->lent.base);
    if (!zone_is_to_be_signed(job)) {
        uint32_t source_serial = zone_version_facts(job->lent.base)->source_serial;
        result = zone_edit_set_serial(edit, ZONE_SOURCE, zone_serial_choose(job, source_serial));
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    return zone_sign_and_seal(job, edit, ZONE_SIGN_CHANGE);
}

static enum sg_result run_kind(struct zone_job *job)
{
    switch (job->kind) {
    case ZONE_JOB_RECOVER:
        return zone_recover(job);
    case ZONE_JOB_LOAD:
        return zone_load(job);
    case ZONE_JOB_KEYS:
        return change_keys(job);
    case ZONE_JOB_UPDATE:
        return zone_take_updates(job);
    case ZONE_JOB_TRANSFER:
        return zone_take_transfer(job);
    case ZONE_JOB_RESIGN:
        return zone_resign(job);
    case ZONE_JOB_RAISE:
        return raise_serial(job);
    case ZONE_JOB_STATE:
        job->made.unchanged = job->lent.base == NULL; /* Without a version there is no record. */
        return SG_OK;
    case ZONE_JOB_DUMP:
        return zone_dump(job);
    case ZONE_JOB_LOOK:
        zone_say_ignored_file(job, job->lent.state);
        job->made.unchanged = true;
        return SG_OK;
    }
    UNREACHABLE();
}

/* What caches may hold of the zone as it was and as it is to be. Where the states of keys alone
 * changed, that is committed all the same. */
static void end_facts(struct zone_job *job)
{
    const struct kasp_policy *policy = job->settings->policy;
    struct zone_made *made = &job->made;
    if (policy == NULL || job->kind == ZONE_JOB_RECOVER || job->clock.doubted) {
        return;
    }
    sg_time expires = job->lent.expires_first;
    sg_duration late = expires == 0 ? 0 : job->now + policy->signatures_refresh - expires;
    zone_keys_observe(&made->state.facts, policy, job->lent.base, late > 0 ? late : 0, job->now);
    if (made->version != NULL) {
        zone_keys_observe(&made->state.facts, policy, made->version, 0, job->now);
    }
    if (made->unchanged && made->keys_looked_at && job->lent.base != NULL &&
        !zone_facts_equal(&made->state.facts, &job->lent.state->facts)) {
        made->unchanged = false;
    }
}

/* Is something else to be served under the serial that is served already? */
static bool is_serial_ambiguous(const struct zone_job *job)
{
    const struct zone_version *base = job->lent.base, *version = job->made.version;
    struct zone_changeset_header header;
    if (base == NULL || version == NULL) {
        return job->lent.state->ambiguous;
    }
    if (serial_compare(zone_version_facts(version)->serial, zone_version_facts(base)->serial) > 0) {
        return false;
    }
    bool is_same =
        job->made.difference != NULL &&
        zone_changeset_header(zone_history_changeset(job->made.difference), &header) == SG_OK &&
        header.deleted + header.added == 0;
    return !is_same || job->lent.state->ambiguous;
}

/* The state as it was, for the job to change. */
static void begin_state(struct zone_job *job)
{
    const struct zone_state *before = job->lent.state;
    struct zone_state *state = &job->made.state;
    *state = *before;
    file_stamps_copy(&before->files, &state->files);
    state->cursor = NULL;
    if (before->campaign && before->cursor != NULL) {
        *zone_state_cursor(state) = *before->cursor;
    }
    zone_facts_copy(&before->facts, &state->facts);
    state->timers = BUFFER_EMPTY;
    buffer_append(&state->timers, before->timers.bytes, before->timers.length);
    state->told = BUFFER_EMPTY;
    buffer_append(&state->told, before->told.bytes, before->told.length);
    state->was_static = !zone_is_stored(job->settings);
    trust_begin_state(job);
}

void zone_warn_of_ds(const struct zone_job *job, const struct zone_facts_of_keys *facts)
{
    char label[ZONE_LABEL_BYTES];
    for (size_t i = 0; job->settings->policy == NULL && i < facts->count; i++) {
        const struct key_state *state = &facts->keys[i].state;
        enum key_state_value ds = state->records[KEY_RECORD_DS];
        if (ds != KEY_STATE_HIDDEN && ds != KEY_STATE_NA) {
            log_write(
                LOG_DNSSEC, SEVERITY_ERROR,
                "zone %s: its dnssec-policy was taken away while the parent has, or may have, "
                "a DS of key %u: validators find an unsigned zone bogus; give it a policy "
                "again, and `dnssec-policy insecure` before there is none",
                zone_label(job->settings, label), facts->keys[i].tag);
        } else if (ds == KEY_STATE_HIDDEN && state->goal == KEY_STATE_OMNIPRESENT &&
                   zone_fact_is_published(&facts->keys[i])) {
            log_write(
                LOG_DNSSEC, SEVERITY_WARNING,
                "zone %s: its dnssec-policy was taken away: if somebody has given a DS of key %u "
                "to the parent, validators find the unsigned zone bogus; then give it a policy "
                "again, and `dnssec-policy insecure` before there is none",
                zone_label(job->settings, label), facts->keys[i].tag);
        }
    }
}

void zone_job_run(struct job *job)
{
    struct zone_job *work = (struct zone_job *)job;
    thread_assert(THREAD_WORKER);
    uint64_t started = time_monotonic_ns();
    work->made.key_event_at = INT64_MAX;
    work->made.expires_first = work->lent.expires_first;
    begin_state(work);
    work->result = run_kind(work);
    end_facts(work);
    if (work->made.version != NULL &&
        zone_version_facts(work->made.version)->denial == ZONE_DENIAL_NONE) {
        zone_warn_of_ds(work, &work->lent.state->facts);
    }
    trust_end_state(work);
    if (work->result == SG_OK && work->kind != ZONE_JOB_RECOVER) {
        zone_serial_note(work);
    }
    if (work->result == SG_OK && !work->made.unchanged && work->made.version == NULL &&
        (work->whole || work->asked.clean)) {
        work->result = zone_write_base(work);
    }
    if (work->result != SG_OK && work->problem == NULL) {
        work->problem = mem_copy_text(sg_result_text(work->result));
    }
    if (work->result == SG_OK && !work->made.unchanged) {
        if (work->kind != ZONE_JOB_RECOVER) {
            work->made.state.ambiguous = is_serial_ambiguous(work);
        }
        zone_state_encode(&work->made.state, &work->state_bytes);
    }
    work->made.took_ns = time_monotonic_ns() - started;
}

void zone_job_free(struct zone_job *job)
{
    struct zone_made *made = &job->made;
    if (job->lent.base != NULL) {
        zone_version_unref(job->lent.base);
    }
    if (made->version != NULL) {
        zone_version_unref(made->version);
    }
    zone_keys_free(job->lent.keys);
    zone_keys_free(made->aside_keys);
    zone_aside_free(job->lent.aside);
    zone_facts_twins_clear(&job->lent.twins);
    zone_facts_clear(&job->lent.waiting);
    resign_index_free(job->lent.resign);
    zone_transfer_free(job->asked.transfer);
    store_zone_free(job->asked.stored);
    zone_state_clear(&made->state);
    zone_history_unref(made->difference);
    buffer_free(&made->image);
    for (size_t i = 0; i < made->history_count; i++) {
        zone_history_unref(made->history[i].link);
    }
    mem_free(made->history);
    mem_free(made->expires_node);
    mem_free(made->missing);
    buffer_free(&job->state_bytes);
    mem_free(job->commit.problem);
    mem_free(job->problem);
    mem_free(job);
}
