#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "keeper/keeper_parts.h"
#include "zone/image.h"

/*
 * A commit appends a changeset; reading them all back must not take longer than reading the zone.
 * Once they are half as large as the zone, and not few, a worker writes an image of the version
 * that is published. Changes go on meanwhile: the image belongs to the commit that it began with.
 */
enum { CHANGESETS_BYTES_MIN = 256 * 1024, HISTORY_BYTES_MIN = 64 * 1024, SHORTENINGS_PER_AGE = 16 };

struct checkpoint {
    struct job job; /* first member */
    struct managed_zone *zone;
    struct store *store;
    const struct zone_version *version; /* a reference */
    uint64_t store_zone;                /* of its ledger, which is the keeper's alone */
    uint64_t number;
    uint64_t since_bytes; /* what made it due */
    enum sg_result result;
    struct buffer image;
    struct store_request request;
};

struct image_target {
    const struct store_io *io;
    struct store_image *file; /* NULL as long as it is small */
    struct checkpoint *checkpoint;
    enum sg_result result;
};

/* Small images stay in memory and become values of the store; larger ones go to a file. */
static bool append(void *argument, struct span bytes)
{
    struct image_target *target = argument;
    struct checkpoint *checkpoint = target->checkpoint;
    if (target->file == NULL &&
        checkpoint->image.length + bytes.length <= STORE_IMAGE_INLINE_BYTES_MAX) {
        buffer_append(&checkpoint->image, bytes.bytes, bytes.length);
        return true;
    }
    if (target->file == NULL) {
        target->result = target->io->image_create(target->io->argument, checkpoint->store_zone,
                                                  checkpoint->number, &target->file);
        if (target->result == SG_OK && checkpoint->image.length > 0) {
            target->result =
                target->io->image_append(target->file, buffer_span(&checkpoint->image));
        }
        buffer_clear(&checkpoint->image);
    }
    if (target->result == SG_OK) {
        target->result = target->io->image_append(target->file, bytes);
    }
    return target->result == SG_OK;
}

static void write_image(struct job *job)
{
    struct checkpoint *checkpoint = (struct checkpoint *)job;
    struct image_target target = {
        .io = store_images(checkpoint->store), .checkpoint = checkpoint, .result = SG_OK};
    thread_assert(THREAD_WORKER);
    enum sg_result result = zone_image_write(checkpoint->version, append, &target);
    if (target.file != NULL) {
        enum sg_result finished = target.io->image_finish(target.file, result == SG_OK);
        result = result == SG_OK ? finished : result;
    }
    checkpoint->result = target.result != SG_OK ? target.result : result;
}

static void end_checkpoint(struct checkpoint *checkpoint)
{
    struct managed_zone *zone = checkpoint->zone;
    zone->ledger.imaging = false;
    zone->out--;
    zone_version_unref(checkpoint->version);
    buffer_free(&checkpoint->image);
    mem_free(checkpoint->request.problem);
    mem_free(checkpoint);
    keeper_bury(zone);
}

/* --- history -------------------------------------------------------------------------------- */

struct trimming {
    struct store_request request;
    struct managed_zone *zone;
};

static void take_trimmed(struct store_request *request)
{
    struct trimming *trimming = (struct trimming *)request;
    trimming->zone->out--;
    keeper_bury(trimming->zone);
    mem_free(request->problem);
    mem_free(trimming);
}

static uint64_t history_bytes_max(const struct managed_zone *zone)
{
    const struct zone_version *version = zone_record_version(zone);
    uint64_t most = zone->settings->limits.journal_bytes_max;
    uint64_t usual = version == NULL ? 0 : 2 * zone_version_facts(version)->bytes;
    return most != 0 ? most : usual > HISTORY_BYTES_MIN ? usual : HISTORY_BYTES_MIN;
}

/* Beyond it no serial gets an IXFR (answer/ixfr.c): what is longer is not condensed, and is too
 * large as it is. It only becomes longer. */
static uint64_t history_records_max(const struct managed_zone *zone)
{
    const struct zone_version *version = zone_record_version(zone);
    unsigned percent = zone->settings->limits.ixfr_ratio_percent;
    if (percent == 0 || version == NULL) {
        return UINT64_MAX;
    }
    uint64_t told = zone_version_facts(version)->records * percent / 100;
    return told > ZONE_HISTORY_CONDENSED_RECORDS_MAX ? told : ZONE_HISTORY_CONDENSED_RECORDS_MAX;
}

/* What has become too old leaves the store in steps, not with each change. */
static sg_duration shortening_step(const struct managed_zone *zone)
{
    return 1 + zone->settings->limits.journal_age_max / SHORTENINGS_PER_AGE;
}

static void trim_aged(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_history *history = &zone->slot->history;
    sg_duration age = zone->settings->limits.journal_age_max;
    sg_time *wake = &zone->health.history_at;
    *wake = INT64_MAX;
    if (age == 0) {
        zone->ledger.aged = false;
        return;
    }
    sg_time oldest = zone_history_oldest_at(history);
    if (oldest <= keeper->now - age) {
        const struct zone_history_limits limits = {SIZE_MAX, UINT64_MAX, keeper->now - age + 1};
        zone_history_trim(history, &limits);
        zone->ledger.aged = zone->ledger.id != 0;
        oldest = zone_history_oldest_at(history);
    }
    if (oldest != INT64_MAX) {
        *wake = oldest + age;
    }
    sg_time step_at = zone->ledger.shortened_at + shortening_step(zone);
    if (zone->ledger.aged && step_at < *wake) {
        *wake = step_at;
    }
}

void checkpoint_trim_memory(struct keeper *keeper, struct managed_zone *zone)
{
    trim_aged(keeper, zone); /* first: the store is to lose it too */
    const struct zone_history_limits limits = {history_bytes_max(zone), history_records_max(zone),
                                               INT64_MIN};
    zone_history_trim(&zone->slot->history, &limits);
    history_budget_keep(keeper, zone);
}

void checkpoint_forget_history(struct keeper *keeper, struct managed_zone *zone)
{
    const struct zone_history_limits nothing = {0, 0, INT64_MIN};
    char label[ZONE_LABEL_BYTES];
    if (zone->slot->history.links > 0) {
        log_write(LOG_ZONE, SEVERITY_INFO,
                  "zone %s: its history was removed: it begins at serial %u",
                  zone_label(zone->settings, label),
                  zone_version_facts(zone_record_version(zone))->serial);
    }
    zone_history_trim(&zone->slot->history, &nothing);
    history_budget_keep(keeper, zone);
    zone->ledger.aged = false;
}

/* Records that neither recovery nor IXFR wants any more. */
static void trim_store(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_ledger *ledger = &zone->ledger;
    uint64_t oldest = zone_history_oldest_commit(&zone->slot->history);
    struct trimming *trimming = mem_alloc_zero(1, sizeof(*trimming));
    trimming->zone = zone;
    trimming->request = (struct store_request){
        .kind = STORE_ZONE_TRIM,
        .reply = keeper->io.commits,
        .done = take_trimmed,
        .zone = ledger->id,
        .number = oldest < ledger->image_number ? oldest : ledger->image_number,
    };
    zone->out++;
    keeper->requests++;
    store_submit(keeper->io.store, &trimming->request);
}

/* Nothing came of it: it is due again, but not with the very next change. */
static void be_due_again(const struct checkpoint *checkpoint, enum sg_result result)
{
    struct zone_ledger *ledger = &checkpoint->zone->ledger;
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: no image of it could be written to the store: %s",
              zone_label(checkpoint->zone->settings, label), sg_result_text(result));
    uint64_t less = CHANGESETS_BYTES_MIN / 4, since = checkpoint->since_bytes;
    if (checkpoint->number > ledger->image_number) {
        ledger->since_image_bytes += since > less ? since - less : 0; /* Age may want one, too. */
    }
}

/* --- the image is there ---------------------------------------------------------------------- */

static void take_stored(struct store_request *request)
{
    struct checkpoint *checkpoint =
        (struct checkpoint *)((char *)request - offsetof(struct checkpoint, request));
    struct managed_zone *zone = checkpoint->zone;
    bool is_newest = checkpoint->number > zone->ledger.image_number; /* else a commit brought one */
    if (request->result == SG_OK && is_newest) {
        zone->ledger.image_number = checkpoint->number;
        trim_store(zone->keeper, zone);
    } else if (is_newest) {
        be_due_again(checkpoint, request->result);
    }
    end_checkpoint(checkpoint);
}

void checkpoint_take_job(struct keeper *keeper, struct job *job)
{
    struct checkpoint *checkpoint = (struct checkpoint *)job;
    if (checkpoint->result != SG_OK) {
        be_due_again(checkpoint, checkpoint->result);
        end_checkpoint(checkpoint);
        return;
    }
    checkpoint->request = (struct store_request){
        .kind = STORE_ZONE_IMAGE,
        .reply = keeper->io.commits,
        .done = take_stored,
        .zone = checkpoint->store_zone,
        .number = checkpoint->number,
        .image = buffer_span(&checkpoint->image),
    };
    keeper->requests++;
    store_submit(keeper->io.store, &checkpoint->request);
}

static void start_image(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_ledger *ledger = &zone->ledger;
    struct checkpoint *checkpoint = mem_alloc_zero(1, sizeof(*checkpoint));
    checkpoint->job = (struct job){.run = write_image, .reply = keeper->io.mailbox};
    checkpoint->zone = zone;
    checkpoint->store = keeper->io.store;
    checkpoint->version = zone_version_ref(zone_record_version(zone));
    checkpoint->store_zone = ledger->id;
    checkpoint->number = ledger->last;
    checkpoint->since_bytes = ledger->since_image_bytes;
    checkpoint->image = BUFFER_EMPTY;
    ledger->imaging = true;
    ledger->since_image_bytes = 0;
    zone->out++;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, WORK_BULK, &checkpoint->job);
}

static bool is_image_due(const struct managed_zone *zone)
{
    const struct zone_ledger *ledger = &zone->ledger;
    return ledger->since_image_bytes >= CHANGESETS_BYTES_MIN &&
           ledger->since_image_bytes >= zone_version_facts(zone_record_version(zone))->bytes / 2;
}

/* What is behind the image cannot go before there is a newer one; with nothing left to tell, a
 * commit that begins anew is shorter still. */
static void shorten_store(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_ledger *ledger = &zone->ledger;
    uint64_t oldest = zone_history_oldest_commit(&zone->slot->history);
    ledger->aged = false;
    ledger->shortened_at = keeper->now;
    if (oldest == UINT64_MAX) {
        zone->wishes.state = zone->wishes.shorten = true;
        keeper_enqueue(keeper, zone);
    } else if (oldest <= ledger->image_number) {
        trim_store(keeper, zone);
    } else {
        start_image(keeper, zone);
    }
}

static bool is_step_due(const struct keeper *keeper, const struct managed_zone *zone)
{
    sg_duration since = keeper->now - zone->ledger.shortened_at;
    return since >= shortening_step(zone) || since < 0; /* The clock was set back. */
}

void checkpoint_consider(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_ledger *ledger = &zone->ledger;
    /* A version that is not what was committed last belongs to no commit. */
    if (ledger->id == 0 || !ledger->continues || ledger->imaging || keeper->stopping ||
        zone_record_version(zone) == NULL) {
        return;
    }
    if (ledger->untrimmed) {
        ledger->untrimmed = false;
        trim_store(keeper, zone);
    } else if (is_image_due(zone)) {
        start_image(keeper, zone);
    } else if (ledger->aged && is_step_due(keeper, zone)) {
        shorten_store(keeper, zone);
    }
}

void checkpoint_age(struct keeper *keeper, struct managed_zone *zone)
{
    sg_time *wake = &zone->health.history_at;
    checkpoint_trim_memory(keeper, zone);
    checkpoint_consider(keeper, zone);
    if (zone->ledger.aged && *wake <= keeper->now) { /* Not now: an image is being made, say. */
        *wake = keeper->now + shortening_step(zone);
    }
}
