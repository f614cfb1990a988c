#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "keeper/zone_steps.h"
#include "zone/zonefile.h"

enum { FILE_MODE = 0644 };

/* The file is ours now, as we wrote it: it is not to be read again for that. */
static void stamp_file(struct zone_job *job)
{
    struct file_stamps *stamps = &job->made.state.files;
    struct file_stamp stamp;

    file_stamps_clear(stamps);
    if (!zone_stamp(job->settings->file, &stamp)) {
        return;
    }
    stamp.path = mem_copy_text(job->settings->file);
    stamps->files = mem_alloc_zero(1, sizeof(*stamps->files));
    stamps->count = 1;
    stamps->files[0] = stamp;
}

static bool has_text(const char *path, struct span text)
{
    struct buffer contents = BUFFER_EMPTY;
    bool is_same = file_read(path, text.length, &contents) == SG_OK &&
                   contents.length == text.length &&
                   memcmp(contents.bytes, text.bytes, text.length) == 0;
    buffer_free(&contents);
    return is_same;
}

/* Somebody's edit that no thaw has read is not thrown away: it keeps a name. What is to be written
 * is there already where no commit followed when it was written before, and is nobody's edit: it
 * must not take the place of one that was kept then. */
static void keep_edit(const struct zone_job *job, struct span text)
{
    const char *edited = zone_file_edited(&job->lent.state->files);
    char label[ZONE_LABEL_BYTES];

    if (edited == NULL || strcmp(edited, job->settings->file) != 0) {
        return; /* What it includes is not written. */
    }
    if (has_text(edited, text)) {
        return;
    }
    char *kept = mem_format("%s.edited", edited);
    (void)unlink(kept);
    bool is_kept = link(edited, kept) == 0;
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: '%s' was edited while the zone was not frozen: it is written over%s%s%s",
              zone_label(job->settings, label), edited, is_kept ? ", the edit is kept as '" : "",
              is_kept ? kept : "", is_kept ? "'" : "");
    mem_free(kept);
}

/* With inline-signing the file is the operator's, unsigned; without, it is the zone as served. But
 * where nobody makes our signatures anew any more they are not written: they would be served from
 * that file until they have expired, and longer. */
static enum zone_view view_of(const struct zone_job *job)
{
    const struct zone_settings *settings = job->settings;
    bool is_unsigned = settings->policy == NULL ? zone_version_facts(job->lent.base)->signed_here
                                                : settings->inline_signing;
    return is_unsigned ? ZONE_VIEW_UNSIGNED : ZONE_VIEW_SIGNED;
}

/* Replace `path`, the zone's file or another, by the version as its operator edits it. */
static enum sg_result write_zone(struct zone_job *job, const char *path)
{
    struct buffer text = BUFFER_EMPTY;
    zonefile_write_readable(job->lent.base, view_of(job), &text);
    if (strcmp(path, job->settings->file) == 0) {
        keep_edit(job, buffer_span(&text));
    }
    /* Of what the store has as well, and nobody waits for, many are written: none waits for a disk.
     */
    enum sg_result result = (job->asked.unasked ? file_write_unsynced
                                                : file_write)(path, FILE_MODE, buffer_span(&text));
    int failed = errno;
    buffer_free(&text);
    if (result != SG_OK) {
        job->problem = mem_format("'%s' could not be written: %s", path, strerror(failed));
    }
    return result;
}

enum sg_result zone_dump(struct zone_job *job)
{
    const struct zone_settings *settings = job->settings;
    char label[ZONE_LABEL_BYTES];

    if (settings->file == NULL) {
        job->problem = mem_copy_text("it has no file to be written to");
        return SG_UNSUPPORTED;
    }
    if (job->lent.state->frozen && !job->asked.freeze) {
        /* The file has it all, and perhaps an operator's edits. */
        job->made.unchanged = !job->asked.clean;
        return SG_OK;
    }
    enum sg_result result = write_zone(job, settings->file);
    if (result != SG_OK) {
        return result;
    }
    stamp_file(job);
    job->made.state.frozen |= job->asked.freeze;
    job->made.state.ahead_of_file = false;
    job->made.state.refused_at = 0; /* what was refused is not in the file any more */
    job->made.file_written = true;
    log_write(LOG_ZONE, job->asked.unasked ? SEVERITY_DEBUG : SEVERITY_INFO,
              "zone %s: written to '%s'", zone_label(settings, label), settings->file);
    return SG_OK;
}

/* Is it another file than the one that the zone was read from, or written to, so far? */
static bool has_other_file(const struct zone_job *job)
{
    const struct file_stamps *known = &job->lent.state->files;
    return known->count > 0 && strcmp(known->files[0].path, job->settings->file) != 0;
}

enum sg_result zone_save_updates(struct zone_job *job)
{
    const struct zone_settings *settings = job->settings;
    bool other = has_other_file(job);
    char label[ZONE_LABEL_BYTES];

    if (!job->lent.state->ahead_of_file || settings->dynamic || settings->type != ZONE_PRIMARY ||
        job->lent.base == NULL) {
        return SG_OK;
    }
    char *path = mem_format("%s%s", settings->file, other ? ".updates" : "");
    enum sg_result result = write_zone(job, path);
    if (result == SG_OK && !other) {
        stamp_file(job);
        job->made.file_written = true;
        job->made.state.ahead_of_file = false;
    }
    if (result == SG_OK) {
        log_write(
            LOG_ZONE, SEVERITY_WARNING,
            "zone %s: it takes no updates any more, and its file lacks what they have brought: "
            "all of it was written to '%s'%s",
            zone_label(settings, label), path,
            other ? ", and is served no more, since it has another file now" : "");
    } else {
        char *why = job->problem;
        job->problem = mem_format("it takes no updates any more, and its file lacks what they have "
                                  "brought: %s",
                                  why);
        mem_free(why);
    }
    mem_free(path);
    return result;
}
