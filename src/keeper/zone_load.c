#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "keeper/foreign_journal.h"
#include "keeper/source_wish.h"
#include "keeper/zone_record.h"
#include "keeper/zone_steps.h"
#include "zone/diff.h"

/* Can the new source be told as a difference to what is there? Signed here before and after, or
 * never signed at all: what came signed from elsewhere is taken whole. */
static bool can_transform(const struct zone_job *job, const struct zone_version *fresh)
{
    const struct zone_policy_facts {
        bool before, after;
    } is_signed = {
        job->lent.base != NULL && zone_version_facts(job->lent.base)->signed_here,
        zone_is_to_be_signed(job),
    };
    if (job->lent.base == NULL || is_signed.before != is_signed.after) {
        return false;
    }
    return is_signed.after || (zone_version_facts(job->lent.base)->denial == ZONE_DENIAL_NONE &&
                               zone_version_facts(fresh)->denial == ZONE_DENIAL_NONE);
}

/* A static zone that the store knows: it was signed here, took updates or was a secondary, and its
 * file knows nothing of the serials that were served then. */
static bool was_stored(const struct zone_job *job)
{
    return job->store != NULL && !zone_is_stored(job->settings);
}

/* Did others than those who edit the file raise the served serial, or may they have? Updates, a
 * signer that the zone had, or the one whose policy says now that it is to be insecure. */
static bool has_serials_of_others(const struct zone_job *job)
{
    const struct zone_settings *settings = job->settings;
    bool was_signed = settings->policy != NULL && settings->type == ZONE_PRIMARY;
    return settings->dynamic || was_stored(job) || was_signed;
}

/* Whoever edited the file forgot it: where no signer chooses the serial, secondaries stay behind.
 */
static void warn_of_serial(const struct zone_job *job, uint32_t source_serial)
{
    uint32_t before = zone_version_facts(job->lent.base)->source_serial;
    char label[ZONE_LABEL_BYTES];
    if (job->kind != ZONE_JOB_LOAD || serial_compare(source_serial, before) > 0) {
        return;
    }
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: the file changed but its serial %u did not rise above %u; it is taken all "
              "the same%s",
              zone_label(job->settings, label), source_serial, before,
              zone_is_to_be_signed(job) ? "" : ", but its secondaries will keep what they have");
}

/* A zone that is served as its source has it never goes back behind what others have raised. */
static enum sg_result let_serial_rise(const struct zone_job *job, struct zone_edit *edit,
                                      bool is_edited)
{
    uint32_t source = zone_version_facts(zone_edit_draft(edit))->source_serial;
    char label[ZONE_LABEL_BYTES];

    if (!has_serials_of_others(job) || zone_is_to_be_signed(job)) {
        if (is_edited) {
            warn_of_serial(job, source);
        }
        return SG_OK;
    }
    uint32_t serial = zone_serial_choose(job, source);
    if (serial == source) {
        return SG_OK;
    }
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: the serial %u of its file is not above what was served: it becomes %u",
              zone_label(job->settings, label), source, serial);
    return zone_edit_set_serial(edit, ZONE_SOURCE, serial);
}

/* What secondaries have got from us and the new source knows nothing of: what the store has lost,
 * or what was signed here until now. Where no signer chooses the serial, the file's has to be above
 * it; not where the file comes signed, whose SOA must stay as it is. */
static bool has_to_rise(const struct zone_job *job, const struct zone_facts *source)
{
    const struct zone_version *base = job->lent.base;
    if (job->settings->type == ZONE_SECONDARY || zone_is_to_be_signed(job)) {
        return false;
    }
    bool was_served =
        base == NULL ? job->asked.serial_above != 0 : zone_version_facts(base)->signed_here;
    return was_served && source->denial == ZONE_DENIAL_NONE;
}

/* Its secondaries will keep what they have, and nothing that we may do helps: its SOA is signed, or
 * is its primaries'. */
void zone_warn_of_lower_serial(const struct zone_job *job, uint32_t serial)
{
    const struct zone_version *base = job->lent.base;
    char label[ZONE_LABEL_BYTES];
    if (base == NULL || zone_is_to_be_signed(job) ||
        serial_compare(serial, zone_version_facts(base)->serial) >= 0) {
        return;
    }
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: serial %u follows serial %u, which was served: its secondaries keep what "
              "they have until the serial is above that, or until each is told to retransfer it",
              zone_label(job->settings, label), serial, zone_version_facts(base)->serial);
}

static enum sg_result rise_above_others(const struct zone_job *job, struct zone_edit *edit)
{
    const struct zone_facts *source = zone_version_facts(zone_edit_draft(edit));
    char label[ZONE_LABEL_BYTES];
    if (!has_to_rise(job, source)) {
        zone_warn_of_lower_serial(job, source->source_serial);
        return SG_OK;
    }
    uint32_t serial = zone_serial_choose(job, source->source_serial);
    if (serial != source->source_serial) {
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: the serial %u of its file is not above what was served: it becomes %u",
                  zone_label(job->settings, label), source->source_serial, serial);
    }
    return zone_edit_set_serial(edit, ZONE_SOURCE, serial);
}

/*
 * Where the signed serial is to be the file's, an edit has to bring one that secondaries take. What
 * a primary sends is taken all the same: nobody there knows what our signatures have raised.
 */
static enum sg_result refuse_unraised_serial(struct zone_job *job, struct zone_edit *edit)
{
    uint32_t served = zone_version_facts(job->lent.base)->serial;
    uint32_t source = zone_version_facts(zone_edit_draft(edit))->source_serial;
    if (job->settings->serial_update != ZONE_SERIAL_KEEP || job->kind != ZONE_JOB_LOAD ||
        !zone_is_to_be_signed(job) || serial_compare(source, served) > 0) {
        return SG_OK;
    }
    job->problem = mem_format("with serial-update-method keep the file's serial %u has to be above "
                              "%u, which is served: raise "
                              "it to %u or more",
                              source, served, serial_next(served));
    return SG_CONFLICT;
}

/* Secondaries may have what is given up with this serial, or with the next: the commit after which
 * nothing tells of them has to be above. */
static bool has_serial_of_lost(const struct zone_job *job)
{
    uint32_t served = zone_version_facts(job->lent.base)->serial;
    uint32_t lost = job->asked.serial_above;
    return job->asked.give_up && lost != 0 && serial_compare(served, lost) <= 0;
}

/* The whole source came anew, as a zone of its own: what differs goes into a draft of the base, so
 * that the rest keeps its signatures. Takes `fresh`. */
static enum sg_result take_source(struct zone_job *job, struct zone_edit *fresh)
{
    if (!can_transform(job, zone_edit_draft(fresh))) {
        enum sg_result raised = rise_above_others(job, fresh);
        if (raised != SG_OK) {
            zone_edit_abandon(fresh);
            return raised;
        }
        return zone_sign_and_seal(job, fresh, ZONE_SIGN_ALL);
    }
    const struct zone_version *wanted;
    uint64_t changed;
    enum sg_result result = zone_is_to_be_signed(job) ? zone_drop_own_keys(job, fresh) : SG_OK;
    if (result != SG_OK) {
        zone_edit_abandon(fresh);
        return result;
    }
    result = zone_edit_seal(fresh, &wanted);
    if (result != SG_OK) {
        return result;
    }
    struct zone_edit *edit = zone_edit_open(job->lent.base);
    result = zone_diff_transform(edit, wanted, false, &changed);
    zone_version_unref(wanted);
    bool same_keys = job->made.state.keys_fingerprint == job->lent.state->keys_fingerprint &&
                     !zone_keys_changed(job);
    if (result != SG_OK || (changed == 0 && same_keys && !has_serial_of_lost(job))) {
        zone_edit_abandon(edit); /* Of the file only the time changed: that is committed. */
        return result;
    }
    result = changed > 0 ? refuse_unraised_serial(job, edit) : SG_OK;
    if (result == SG_OK) {
        result = let_serial_rise(job, edit, changed > 0);
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    return zone_sign_and_seal(job, edit, ZONE_SIGN_CHANGE);
}

/* A secondary's file is what it had when it was last written: nothing is amiss without it. */
static bool may_lack_file(const struct zone_settings *settings)
{
    return settings->type == ZONE_SECONDARY &&
           (settings->file == NULL || access(settings->file, F_OK) != 0);
}

/* A zone that we have nothing of may come from named, which may know more than its file. */
static enum sg_result refuse_older_than_journal(struct zone_job *job, struct zone_edit *edit)
{
    if (job->lent.base != NULL || job->settings->type != ZONE_PRIMARY ||
        !zone_is_stored(job->settings)) {
        return SG_OK;
    }
    uint32_t serial = zone_version_facts(zone_edit_draft(edit))->source_serial;
    job->problem = foreign_journal_problem(job->settings->file, job->settings->journal, serial);
    return job->problem == NULL ? SG_OK : SG_CONFLICT;
}

enum sg_result zone_load(struct zone_job *job)
{
    if (may_lack_file(job->settings)) {
        job->made.unchanged = true;
        return SG_OK;
    }
    if (job->settings->file == NULL) {
        job->problem = mem_copy_text("it has no file to be read from");
        return SG_UNSUPPORTED;
    }
    enum sg_result result = zone_save_updates(job);
    if (result != SG_OK) {
        return result;
    }
    if (job->asked.thaw) {
        job->made.state.frozen = false;
    } else if (!job->asked.force && job->lent.state->refused_at == 0 &&
               !zone_files_changed(&job->lent.state->files)) {
        job->made.unchanged = true;
        return SG_OK;
    }
    struct zone_edit *edit = zone_edit_new(&job->settings->apex, job->settings->rrclass);
    result = zone_read_file(job, edit);
    if (result == SG_OK) {
        result = refuse_older_than_journal(job, edit);
    }
    if (result == SG_OK && job->settings->policy != NULL) {
        result = zone_look_at_keys(job);
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    job->made.state.loaded_at = job->now;
    job->made.state.refused_at = 0;
    job->made.state.ahead_of_file = false;
    job->made.file_serial = zone_version_facts(zone_edit_draft(edit))->source_serial;
    return take_source(job, edit);
}

/* What comes from a primary is not checked as a file is: that is its business. But without a name
 * server there is no zone (RFC 1034 4.2.1). */
static enum sg_result check_transferred(struct zone_job *job, struct zone_edit *edit)
{
    struct dns_rrset rrset;
    struct zone_node apex;
    if (zone_version_node(zone_edit_draft(edit), &job->settings->apex, &apex) &&
        zone_node_rrset(&apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_NS, &rrset)) {
        return SG_OK;
    }
    job->problem = mem_copy_text("what came has no NS records at its apex");
    return SG_MALFORMED;
}

/* Differences fit what they were asked for alone: a version of which all is as a primary has it, or
 * nothing that a signer made. */
static bool is_whole_needed(const struct zone_job *job)
{
    const struct zone_version *base = job->lent.base;
    return source_is_wanted(job->settings, base) ||
           (zone_version_facts(base)->signed_here && !zone_is_to_be_signed(job));
}

static bool is_own(const void *job, uint16_t type, struct span rdata)
{
    return zone_is_own_key_record(job, type, rdata);
}

static enum sg_result take_differences(struct zone_job *job)
{
    const struct zone_transfer_own own = {is_own, job};
    bool leaves_out = zone_is_to_be_signed(job); /* zone_drop_own_keys() */
    if (is_whole_needed(job)) {
        job->problem = mem_copy_text("it is signed in another way now: the whole zone is needed");
        return SG_CONFLICT;
    }
    struct zone_edit *edit = zone_edit_open(job->lent.base);
    enum sg_result result =
        zone_transfer_apply(job->asked.transfer, leaves_out ? &own : NULL, edit);
    if (result != SG_OK) {
        job->problem =
            mem_format("the differences that came do not fit: %s", sg_result_text(result));
    } else {
        result = check_transferred(job, edit);
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    zone_warn_of_transferred(job, edit);
    return zone_sign_and_seal(job, edit, ZONE_SIGN_CHANGE);
}

enum sg_result zone_take_transfer(struct zone_job *job)
{
    enum sg_result result = zone_have_keys(job);
    if (result != SG_OK) {
        return result;
    }
    job->made.state.loaded_at = job->now;
    file_stamps_clear(&job->made.state.files); /* Its file, if there is one, is older now. */
    if (zone_transfer_kind(job->asked.transfer) == ZONE_TRANSFER_DIFFERENCES) {
        return take_differences(job);
    }
    if (job->settings->policy == NULL) { /* Whoever signs it again looks at them anew. */
        zone_keys_free(job->lent.keys);
        job->lent.keys = NULL;
        job->made.state.campaign = false;
    }
    struct zone_edit *edit = zone_transfer_take_whole(job->asked.transfer);
    result = check_transferred(job, edit);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    zone_warn_of_transferred(job, edit);
    return take_source(job, edit);
}
