#include "base/log.h"
#include "base/mem.h"
#include "keeper/zone_record.h"
#include "keeper/zone_steps.h"
#include "zone/changeset.h"
#include "zone/image.h"

struct image_bytes {
    struct span left;
};

static size_t read_bytes(void *argument, uint8_t *out_bytes, size_t bytes_max)
{
    struct image_bytes *from = argument;
    size_t length = from->left.length < bytes_max ? from->left.length : bytes_max;
    if (length > 0) {
        memcpy(out_bytes, from->left.bytes, length);
        from->left.bytes += length;
        from->left.length -= length;
    }
    return length;
}

struct image_reader {
    const struct store_io *io;
    struct store_image *image;
};

static size_t read_file(void *argument, uint8_t *out_bytes, size_t bytes_max)
{
    struct image_reader *reader = argument;
    return reader->io->image_read(reader->image, out_bytes, bytes_max);
}

static enum sg_result read_image(struct zone_job *job, struct zone_edit **out_edit)
{
    const struct store_zone *stored = job->asked.stored;
    const struct dns_name *apex = &job->settings->apex;
    if (stored->image.length > 0) {
        struct image_bytes from = {buffer_span(&stored->image)};
        return zone_image_read(apex, job->settings->rrclass, read_bytes, &from, out_edit);
    }
    struct image_reader reader = {.io = store_images(job->store)};
    enum sg_result result = reader.io->image_open(reader.io->argument, stored->zone,
                                                  stored->image_number, &reader.image);
    if (result != SG_OK) {
        return result;
    }
    result = zone_image_read(apex, job->settings->rrclass, read_file, &reader, out_edit);
    reader.io->image_close(reader.image);
    return result;
}

/* For IXFR; no difference leads over a commit that breaks the chain, and what is before it may end
 * at a serial that was given once more since. */
static void keep_history(struct zone_job *job, const struct store_commit_record *record)
{
    struct zone_made *made = &job->made;
    if (record->changeset.length > 0 && (record->flags & STORE_COMMIT_BREAKS) == 0) {
        struct buffer changeset = BUFFER_EMPTY;
        buffer_append(&changeset, record->changeset.bytes, record->changeset.length);
        made->history[made->history_count++] = (struct zone_past){
            .link = zone_history_link_new(&job->settings->apex, &changeset),
            .commit = {.number = record->number, .at = record->at},
        };
        return;
    }
    while (record->flags != 0 && made->history_count > 0) {
        zone_history_unref(made->history[--made->history_count].link);
    }
}

/* Behind the image each changeset in turn; all of them are for IXFR. */
static enum sg_result take_records(struct zone_job *job, struct zone_edit *edit)
{
    const struct store_zone *stored = job->asked.stored;
    struct zone_made *made = &job->made;
    made->history = mem_alloc_zero(stored->records_count, sizeof(*made->history));
    for (size_t i = 0; i < stored->records_count; i++) {
        struct store_commit_record record;
        enum sg_result result = store_commit_decode(buffer_span(&stored->records[i]), &record);
        if (result == SG_OK && record.number != stored->records_first + i) {
            result = SG_MALFORMED;
        }
        if (result == SG_OK && record.number > stored->image_number &&
            record.changeset.length > 0) {
            result = zone_changeset_apply(edit, record.changeset, false);
        }
        if (result != SG_OK) {
            return result;
        }
        keep_history(job, &record);
    }
    return SG_OK;
}

static enum sg_result rebuild(struct zone_job *job)
{
    const struct store_zone *stored = job->asked.stored;
    struct zone_edit *edit;
    if (!stored->has_image) {
        return SG_MALFORMED;
    }
    enum sg_result result = read_image(job, &edit);
    if (result != SG_OK) {
        return result;
    }
    result = take_records(job, edit);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    result = zone_edit_seal(edit, &job->made.version);
    if (result == SG_OK && zone_version_facts(job->made.version)->serial != stored->serial) {
        result = SG_MALFORMED; /* What was read is not what was committed. */
    }
    return result;
}

enum { FAR_AHEAD_DAYS = 90 };

/* A zone that is signed here is committed whenever its signatures are made anew: no commit for far
 * longer means a server that was away for long, or a false clock. */
static void judge_clock(const struct zone_job *job, struct zone_state *state)
{
    const struct kasp_policy *policy = job->settings->policy;
    if (state->clock_at == 0) {
        state->clock_at = job->asked.stored->committed_at; /* of an earlier release */
    }
    if (policy != NULL && zone_version_facts(job->made.version)->signed_here) {
        sg_duration most = FAR_AHEAD_DAYS * SG_DAY;
        most = most > 2 * policy->signatures_validity ? most : 2 * policy->signatures_validity;
        state->clock_doubted |= job->now - state->clock_at > most;
    }
}

/* It counts also where the zone itself cannot be read: has its file all that the store has? */
static enum sg_result take_state(struct zone_job *job)
{
    struct zone_state state;
    enum sg_result result = zone_state_decode(buffer_span(&job->asked.stored->state), &state);
    if (result == SG_OK) {
        zone_state_clear(&job->made.state);
        job->made.state = state;
    }
    return result;
}

/* Its file is served, as its store came late: the source that was recovered follows with a serial
 * that neither had. Signatures that it had are those of a zone that is not served, and its keys are
 * in nothing that is: caches may have learned meanwhile that the zone is unsigned, whether it has a
 * policy again or not. */
static enum sg_result follow_served(struct zone_job *job)
{
    const struct zone_version *stored = job->made.version;
    const struct zone_facts *facts = zone_version_facts(stored);
    uint32_t above = zone_greater_floor(zone_version_facts(job->lent.base)->serial, facts->serial);
    uint32_t serial = zone_serial_raise(job->settings->serial_update, above, job->now);
    struct zone_edit *edit = zone_edit_open(stored);
    zone_edit_clear_generated(edit);
    zone_edit_clear_nsec3(edit);
    job->made.version = NULL;
    job->made.state.ambiguous = false;
    zone_warn_of_ds(job, &job->made.state.facts);
    if (job->made.state.facts.committed) {
        zone_facts_forget_keys(&job->made.state.facts);
    }
    enum sg_result result = zone_edit_set_serial(edit, ZONE_SOURCE, serial);
    if (result == SG_OK) {
        result = zone_seal(job, edit);
    } else {
        zone_edit_abandon(edit);
    }
    zone_version_unref(stored);
    return result;
}

enum sg_result zone_recover(struct zone_job *job)
{
    enum sg_result result = take_state(job);
    if (result == SG_OK) {
        result = rebuild(job);
    }
    if (result != SG_OK) {
        if (job->made.version != NULL) {
            zone_version_unref(job->made.version);
            job->made.version = NULL;
        }
        job->problem =
            mem_format("what the store has of it cannot be read: %s%s", sg_result_text(result),
                       zone_words_of_loss(job->settings, job->made.state.ahead_of_file));
        return result;
    }
    zone_say_ignored_file(job, &job->made.state);
    judge_clock(job, &job->made.state);
    if (job->lent.base != NULL) {
        return follow_served(job);
    }
    if (zone_was_signed_by_another(job)) {
        return zone_sign_recovered(job);
    }
    if (zone_version_facts(job->made.version)->signed_here) {
        job->lent.resign = resign_index_new(job->made.version, job->now);
        zone_learn_expirations(job, job->made.version);
    }
    return SG_OK;
}
