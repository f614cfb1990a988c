#include "base/log.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/handover.h"
#include "dnssec/sign_change.h"
#include "keeper/zone_aside.h"
#include "keeper/zone_progress.h"
#include "keeper/zone_steps.h"
#include "zone/changeset.h"
#include "zone/image.h"

enum {
    /* Below this a zone's signatures are found by a walk when they are due; an index is for those
     * that are too large for that. */
    INDEXED_NAMES_MIN = 2000,
    /* A rough guess of what a record takes in an image: which form an image has is all that
     * depends on it. */
    IMAGE_RECORD_BYTES = 120,
    /* A difference that is committed as an image: as large, and half the zone, after which an image
     * would be due anyway; or larger, and so much of the zone that its image is not far more. */
    IMAGE_CHANGE_BYTES_MIN = 256 * 1024,
    IMAGE_CHANGE_BYTES_LARGE = 8 << 20,
    IMAGE_CHANGE_LARGE_PART = 8,
};

static sg_duration late_by(const struct zone_job *job)
{
    sg_time expires = job->lent.expires_first;
    sg_duration late =
        expires == 0 ? 0 : job->now + job->settings->policy->signatures_refresh - expires;
    return late > 0 ? late : 0;
}

enum sg_result zone_look_at_keys(struct zone_job *job)
{
    struct zone_keys *keys = job->lent.keys;
    if (keys == NULL || !keys->fresh || job->asked.orders != NULL) {
        const struct zone_keys_request request = {.settings = job->settings,
                                                  .generation = job->generation,
                                                  .served = job->lent.base,
                                                  .published = job->lent.base,
                                                  .now = job->now,
                                                  .clock = &job->clock,
                                                  .facts = &job->lent.state->facts,
                                                  .waiting = &job->lent.waiting,
                                                  .twins = &job->lent.twins,
                                                  .late = late_by(job),
                                                  .orders = job->asked.orders,
                                                  .keeps_files = job->kind == ZONE_JOB_RECOVER};
        keys = mem_alloc_zero(1, sizeof(*keys));
        enum sg_result result = zone_keys_prepare_alone(&request, keys, &job->problem);
        if (result != SG_OK) {
            job->made.disk_failed = result == SG_IO || result == SG_NO_SPACE;
            job->made.keys_failed = true;
            mem_free(keys);
            return result;
        }
        zone_keys_free(job->lent.keys);
        job->lent.keys = keys;
    }
    keys->fresh = false;
    job->made.keys_looked_at = true;
    job->made.key_event_at = keys->wake_at;
    mem_free(job->made.missing);
    job->made.missing = keys->missing;
    keys->missing = NULL;
    job->made.state.keys_fingerprint = keys->fingerprint;
    zone_facts_clear(&job->made.state.facts);
    zone_facts_copy(&keys->facts, &job->made.state.facts);
    zone_aside_consider(job);
    return SG_OK;
}

enum sg_result zone_have_keys(struct zone_job *job)
{
    if (job->settings->policy == NULL || (job->lent.keys != NULL && !job->lent.keys->fresh)) {
        return SG_OK;
    }
    return zone_look_at_keys(job);
}

bool zone_is_to_be_signed(const struct zone_job *job)
{
    return job->settings->policy != NULL && job->lent.keys != NULL &&
           job->lent.keys->sign_count > 0;
}

bool zone_keys_changed(const struct zone_job *job)
{
    const struct zone_made *made = &job->made;
    if (!zone_is_to_be_signed(job) || (!made->keys_looked_at && made->aside_keys == NULL)) {
        return false;
    }
    return made->state.keys_fingerprint != job->lent.state->keys_fingerprint ||
           zone_progress_differs(job);
}

/* --- SIGN ----------------------------------------------------------------------------------- */

static void say_signing(const struct zone_job *job)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_DNSSEC, zone_progress_severity(job), "zone %s: %s",
              zone_label(job->settings, label),
              job->kind == ZONE_JOB_LOAD ? "read, now signing" : "signing anew");
}

/* `owner/type` of what has to be signed again first, in BIND's form: no dot at the end. */
static char *node_text(const struct dns_name *name, uint16_t covered)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    dns_name_to_text_short(name, owner);
    return mem_format("%s/%s", owner, dns_type_to_text(covered, type));
}

static void say_handover(const struct zone_job *job)
{
    char label[ZONE_LABEL_BYTES];
    log_write(
        LOG_DNSSEC, zone_progress_severity(job),
        "zone %s: other keys sign than before: its names get their signatures as they become due",
        zone_label(job->settings, label));
}

/* Does a key go whose signatures may be left at some names? Only gradual replacement, which was
 * kept up by an outage or cut short by hand, leaves any that long (RFC 6781 4.1.1.1). */
bool zone_leaves_signatures(const struct zone_job *job)
{
    const struct zone_facts_of_keys *facts = &job->lent.state->facts; /* as they were */
    for (size_t i = 0; i < job->lent.keys->list.count; i++) {
        const struct signing_key *key = job->lent.keys->list.keys[i];
        const struct zone_key_fact *fact = zone_facts_find(facts, key->tag, key->algorithm);
        if (fact != NULL && !kasp_key_is_published(key) && zone_fact_is_published(fact) &&
            zone_facts_may_have_signatures(&job->made.state.facts, fact, late_by(job), job->now)) {
            return true;
        }
    }
    return false;
}

/* The campaign's mark and the new version are one commit: a restart in between loses neither. */
static void set_campaign(struct zone_job *job, bool campaign)
{
    job->made.state.campaign = campaign;
    if (campaign) {
        *zone_state_cursor(&job->made.state) = (struct resign_cursor){.started = false};
        zone_facts_begin_campaign(&job->made.state.facts, job->now);
    }
}

/* What is not touched keeps NSEC records with the TTL of before. */
static bool denial_lives_otherwise(const struct zone_job *job, struct zone_edit *edit)
{
    uint32_t before = zone_version_facts(zone_aside_base(job))->negative_ttl;
    uint32_t now = zone_version_facts(zone_edit_draft(edit))->source_negative_ttl;
    char label[ZONE_LABEL_BYTES];
    if (before == now) {
        return false;
    }
    log_write(LOG_DNSSEC, zone_progress_severity(job),
              "zone %s: negative answers live %u seconds, not %u as before: its names get NSEC "
              "records with that TTL in turn",
              zone_label(job->settings, label), now, before);
    return true;
}

/* All names are signed with these keys but those that have changed since. */
static enum zone_sign_extent choose_extent_aside(struct zone_job *job, struct zone_edit *edit,
                                                 const struct sign_request *request)
{
    enum handover handover =
        handover_choose(zone_aside_base(job), zone_edit_draft(edit), request, false);
    if (handover == HANDOVER_WHOLE) {
        return ZONE_SIGN_ALL;
    }
    set_campaign(job, false);
    zone_facts_sign_whole(&job->made.state.facts, job->now);
    if (handover == HANDOVER_CAMPAIGN || denial_lives_otherwise(job, edit)) {
        set_campaign(job, true);
    }
    return ZONE_SIGN_CHANGE;
}

/* Where other keys sign than before they sign what is changed now and what is due, and the engine
 * waits until no other signature is left: nothing is signed for a roll's sake. All the rest is done
 * in slices where that was asked for, or at once where a mixture is not safe. */
static enum zone_sign_extent choose_extent(struct zone_job *job, struct zone_edit *edit,
                                           const struct sign_request *request)
{
    if (job->made.from_aside) {
        return choose_extent_aside(job, edit, request);
    }
    if (zone_leaves_signatures(job)) {
        return ZONE_SIGN_ALL;
    }
    bool sign_all = job->kind == ZONE_JOB_KEYS && job->asked.sign_all;
    switch (
        handover_choose(job->lent.base, zone_edit_draft(edit), request, job->made.state.campaign)) {
    case HANDOVER_NONE:
        if (sign_all || denial_lives_otherwise(job, edit)) {
            set_campaign(job, true);
        }
        return ZONE_SIGN_CHANGE;
    case HANDOVER_CAMPAIGN:
        say_handover(job);
        if (sign_all || job->made.state.campaign) {
            set_campaign(job, true);
        }
        return ZONE_SIGN_CHANGE;
    case HANDOVER_WHOLE:
        break;
    }
    return ZONE_SIGN_ALL;
}

static enum sg_result sign(struct zone_job *job, struct zone_edit *edit,
                           enum zone_sign_extent *extent)
{
    struct sign_policy policy;
    struct sign_keys keys;
    struct sign_request request;
    struct sign_report report;
    uint32_t source_serial = zone_version_facts(zone_edit_draft(edit))->source_serial;
    uint32_t serial = zone_serial_choose(job, source_serial);

    const struct zone_signing signing = zone_signing_of(job);
    zone_sign_request(&signing, serial, &policy, &keys, &request);
    if (!job->settings->inline_signing && serial != source_serial) {
        enum sg_result raised = zone_edit_set_serial(edit, ZONE_SOURCE, serial);
        if (raised != SG_OK) {
            return raised;
        }
    }
    enum sg_result result = SG_CONFLICT;
    if (*extent == ZONE_SIGN_CHANGE) {
        *extent = choose_extent(job, edit, &request);
    }
    if (*extent == ZONE_SIGN_CHANGE) {
        result = sign_change(edit, zone_aside_base(job), &request, job->pool, &report);
    }
    if (result == SG_CONFLICT) {
        say_signing(job);
        *extent = ZONE_SIGN_ALL; /* Its chain is another than the base's, or its keys. */
        set_campaign(job, false);
        zone_facts_sign_whole(&job->made.state.facts, job->now);
        result = sign_zone(edit, &request, job->pool, &report);
    }
    if (result != SG_OK) {
        job->problem = mem_format("it could not be signed: %s", sg_result_text(result));
        return result;
    }
    struct zone_made *made = &job->made;
    made->signatures += report.signatures;
    bool first = *extent == ZONE_SIGN_ALL || made->expires_first == 0;
    if (report.signatures > 0 && (first || report.expires_first < made->expires_first)) {
        made->expires_first = report.expires_first;
        mem_free(made->expires_node);
        made->expires_node = node_text(&report.expires_owner, report.expires_type);
    }
    return SG_OK;
}

/* --- what is committed ---------------------------------------------------------------------- */

static bool append_image(void *argument, struct span bytes)
{
    struct buffer *image = argument;
    buffer_append(image, bytes.bytes, bytes.length);
    return true;
}

struct image_file {
    const struct store_io *io;
    struct store_image *image;
    enum sg_result result;
};

static bool append_image_file(void *argument, struct span bytes)
{
    struct image_file *file = argument;
    file->result = file->io->image_append(file->image, bytes);
    return file->result == SG_OK;
}

static enum sg_result write_image_file(struct zone_job *job, const struct zone_version *version)
{
    struct image_file file = {.io = store_images(job->store), .result = SG_OK};
    enum sg_result result =
        file.io->image_create(file.io->argument, job->store_zone, job->commit_number, &file.image);
    if (result != SG_OK) {
        return result;
    }
    result = zone_image_write(version, append_image_file, &file);
    bool whole = result == SG_OK;
    enum sg_result finished = file.io->image_finish(file.image, whole);
    job->made.image_in_file = whole && finished == SG_OK;
    return file.result != SG_OK ? file.result : whole ? finished : result;
}

static enum sg_result write_image(struct zone_job *job, const struct zone_version *version)
{
    job->made.is_image = true;
    if (job->store == NULL) {
        return SG_OK; /* What is not stored needs none. */
    }
    uint64_t records = zone_version_facts(version)->records;
    enum sg_result result = SG_OK;
    if (records * IMAGE_RECORD_BYTES <= STORE_IMAGE_INLINE_BYTES_MAX) {
        result = zone_image_write(version, append_image, &job->made.image);
        if (result == SG_OK && job->made.image.length <= STORE_IMAGE_INLINE_BYTES_MAX) {
            return SG_OK;
        }
        buffer_clear(&job->made.image);
    }
    if (result == SG_OK) {
        result = write_image_file(job, version);
    }
    if (result != SG_OK) {
        job->made.disk_failed = true;
        job->problem =
            mem_format("its image could not be written to the store: %s", sg_result_text(result));
    }
    return result;
}

enum sg_result zone_write_base(struct zone_job *job)
{
    return job->lent.base == NULL ? SG_OK : write_image(job, job->lent.base);
}

/* What is due first is looked for only when it is another than before: not with every change. */
void zone_learn_expirations(struct zone_job *job, const struct zone_version *version)
{
    struct resign_index *index = job->lent.resign;
    struct zone_made *made = &job->made;
    struct dns_name owner;
    uint16_t covered;
    sg_time first = resign_index_first(index);
    made->expires_first = first == INT64_MAX ? 0 : first;
    if (made->expires_first != job->lent.expires_first) {
        mem_free(made->expires_node);
        made->expires_node = resign_index_first_node(index, version, &owner, &covered)
                                 ? node_text(&owner, covered)
                                 : NULL;
    }
    if (zone_version_facts(version)->names < INDEXED_NAMES_MIN) {
        resign_index_free(index);
        job->lent.resign = NULL;
    }
}

/* The index follows what was signed; a small zone has one only while it is looked at. */
static void note_expirations(struct zone_job *job, enum zone_sign_extent extent)
{
    const struct zone_version *version = job->made.version;
    if (extent != ZONE_SIGN_CHANGE) {
        resign_index_free(job->lent.resign);
        job->lent.resign = NULL;
    }
    if (!zone_is_to_be_signed(job)) {
        job->made.expires_first = 0;
        return;
    }
    if (job->lent.resign != NULL) {
        resign_index_note(job->lent.resign, zone_aside_base(job), version, job->now);
    } else if (zone_version_facts(version)->names >= INDEXED_NAMES_MIN) {
        job->lent.resign = resign_index_new(version, job->now);
    }
    if (job->lent.resign != NULL) {
        zone_learn_expirations(job, version);
    }
}

static enum sg_result make_difference(struct zone_job *job)
{
    struct buffer changeset = BUFFER_EMPTY;
    enum sg_result result = zone_changeset_make(job->lent.base, job->made.version, &changeset);
    if (result == SG_OK) {
        job->made.difference = zone_history_link_new(&job->settings->apex, &changeset);
    }
    buffer_free(&changeset);
    return result;
}

static bool is_large(const struct zone_job *job, size_t bytes)
{
    uint64_t whole = zone_version_facts(job->made.version)->bytes;
    return (bytes >= IMAGE_CHANGE_BYTES_MIN && bytes >= whole / 2) ||
           (bytes >= IMAGE_CHANGE_BYTES_LARGE && bytes >= whole / IMAGE_CHANGE_LARGE_PART);
}

/*
 * Recovery is not to read as much of changesets as of the zone. So where the difference is large
 * its zone's image is committed, which this worker writes while others go on. Where the image does
 * not fit, the difference perhaps does. It stands in the record as well, for secondaries and for
 * `signet journal` after a restart, but not if it is huge: the commits of all zones share
 * transactions, and would wait until all of it is written.
 */
static void prefer_image(struct zone_job *job)
{
    struct zone_made *made = &job->made;
    size_t bytes = zone_history_changeset(made->difference).length;
    if (job->store == NULL || !is_large(job, bytes)) {
        return;
    }
    if (write_image(job, made->version) == SG_OK) {
        made->keeps_difference = bytes < IMAGE_CHANGE_BYTES_LARGE;
        return;
    }
    made->is_image = made->image_in_file = made->disk_failed = false;
    buffer_clear(&made->image);
    mem_free(job->problem);
    job->problem = NULL;
}

/* With serial-update-method keep: the first time that the served serial leaves its source's. */
static void warn_of_raised_serial(const struct zone_job *job)
{
    const struct zone_facts *facts = zone_version_facts(job->made.version);
    const struct zone_facts *before =
        job->lent.base == NULL ? NULL : zone_version_facts(job->lent.base);
    char label[ZONE_LABEL_BYTES];
    bool was_other = before != NULL && before->serial != before->source_serial;
    if (job->settings->serial_update == ZONE_SERIAL_KEEP && facts->signed_here &&
        facts->serial != facts->source_serial && !was_other) {
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: serial %u is served where its source has %u: what is signed anew needs "
                  "a new serial, also with serial-update-method keep; the next edit's has to be "
                  "above what is served then",
                  zone_label(job->settings, label), facts->serial, facts->source_serial);
    }
}

/* Whatever brought it: no cache is taken to know keys of before, and the same keys, by the same
 * policy, sign it as if they were new. */
static void note_if_unsigned(struct zone_job *job)
{
    struct zone_state *state = &job->made.state;
    if (zone_version_facts(job->made.version)->signed_here) {
        return;
    }
    state->keys_fingerprint = 0;
    if (job->settings->policy == NULL && state->facts.committed) {
        zone_facts_forget_keys(&state->facts);
    }
}

/* Takes the edit. The difference is told only where the base is of the same lineage. */
static enum sg_result seal(struct zone_job *job, struct zone_edit *edit,
                           enum zone_sign_extent extent, bool continues)
{
    enum sg_result result = zone_edit_seal(edit, &job->made.version);
    if (result != SG_OK) {
        job->problem = mem_copy_text(result == SG_MALFORMED ? "it has no SOA record at its apex"
                                                            : sg_result_text(result));
        return result;
    }
    note_expirations(job, extent);
    note_if_unsigned(job);
    if (continues && extent == ZONE_SIGN_CHANGE && !job->whole) {
        result = make_difference(job);
        if (result == SG_OK) {
            prefer_image(job);
        }
    } else {
        result = write_image(job, job->made.version);
    }
    if (result != SG_OK) {
        zone_version_unref(job->made.version);
        job->made.version = NULL;
        resign_index_free(job->lent.resign); /* It speaks of what never came to be. */
        job->lent.resign = NULL;
        return result;
    }
    warn_of_raised_serial(job);
    zone_serial_warn_if_ahead(job);
    return SG_OK;
}

enum sg_result zone_sign_and_seal(struct zone_job *job, struct zone_edit *edit,
                                  enum zone_sign_extent extent)
{
    bool continues = zone_edit_continues(edit, job->lent.base);
    if (!zone_is_to_be_signed(job)) {
        return seal(job, edit, continues ? ZONE_SIGN_CHANGE : ZONE_SIGN_ALL, continues);
    }
    if (!continues || !zone_version_facts(job->lent.base)->signed_here) {
        extent = ZONE_SIGN_ALL;
    }
    enum sg_result result = zone_drop_own_keys(job, edit);
    if (result == SG_OK && job->made.from_aside) {
        result = zone_aside_enter(job, &edit);
        extent = ZONE_SIGN_CHANGE;
        continues = false;
    }
    if (result == SG_OK) {
        result = sign(job, edit, &extent);
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    return seal(job, edit, extent, continues);
}

enum sg_result zone_seal(struct zone_job *job, struct zone_edit *edit)
{
    return seal(job, edit, ZONE_SIGN_CHANGE, zone_edit_continues(edit, job->lent.base));
}
