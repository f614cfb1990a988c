#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "keeper/zone_label.h"
#include "keeper/zone_steps.h"

enum { LARGE_FILE_BYTES = 4 << 20, LARGE_ZONE_NAMES = 100000 };

/*
 * Stamps of what was read. A file that changed between its reading and this look keeps a stamp
 * that fits nothing, so that the next reload reads it again.
 */
static void stamp_files(struct zone_job *job, const struct zonefile_report *report,
                        int64_t started_ns)
{
    struct file_stamps *stamps = &job->made.state.files;
    file_stamps_clear(stamps);
    stamps->files = mem_alloc_zero(report->files_count, sizeof(*stamps->files));
    for (size_t i = 0; i < report->files_count; i++) {
        struct file_stamp *new = &stamps->files[stamps->count++];
        if (!zone_stamp(report->files[i], new) || new->modified_ns >= started_ns) {
            new->modified_ns = 0;
        }
        new->path = mem_copy_text(report->files[i]);
    }
}

static void log_report(const struct zone_job *job, const struct zonefile_report *report)
{
    char label[ZONE_LABEL_BYTES];
    zone_label(job->settings, label);
    for (size_t i = 0; i < report->problems_count; i++) {
        const struct zonefile_problem *problem = &report->problems[i];
        int severity = problem->severity == ZONEFILE_ERROR ? SEVERITY_ERROR : SEVERITY_WARNING;
        if (problem->file != NULL && problem->line > 0) {
            log_write(LOG_ZONE, severity, "zone %s: %s:%u: %s", label, problem->file, problem->line,
                      problem->text);
        } else {
            log_write(LOG_ZONE, severity, "zone %s: %s%s%s", label,
                      problem->file != NULL ? problem->file : "", problem->file != NULL ? ": " : "",
                      problem->text);
        }
    }
    size_t unnamed = report->errors + report->warnings - report->problems_count;
    if (unnamed > 0) {
        log_write(LOG_ZONE, SEVERITY_WARNING, "zone %s: and %zu more problems", label, unnamed);
    }
}

/* A name without a folder does not tell where a file was missed. */
static char *describe_missed(const char *file, enum sg_result result)
{
    char here[PATH_MAX];
    bool tells = result == SG_NOT_FOUND && file[0] != '/' && getcwd(here, sizeof(here)) != NULL;
    return mem_format("file '%s' was not taken: %s%s%s%s", file, sg_result_text(result),
                      tells ? " in '" : "", tells ? here : "", tells ? "'" : "");
}

/* The first error, since that is what people mend first; the log has them all. */
static char *describe_failure(const struct zone_settings *settings,
                              const struct zonefile_report *report, enum sg_result result)
{
    const struct zonefile_problem *first = NULL;
    for (size_t i = 0; i < report->problems_count && first == NULL; i++) {
        first = report->problems[i].severity == ZONEFILE_ERROR ? &report->problems[i] : NULL;
    }
    if (first == NULL || (first->line == 0 && result == SG_NOT_FOUND)) {
        return describe_missed(settings->file, result);
    }
    struct buffer text = BUFFER_EMPTY;
    buffer_format(&text, "file '%s' was not taken: ", settings->file);
    if (first->file != NULL && first->line > 0) {
        buffer_format(&text, "%s:%u: ", first->file, first->line);
    }
    buffer_append_text(&text, first->text);
    if (report->errors > 1) {
        buffer_format(&text, " (and %zu more errors, named in the log)", report->errors - 1);
    }
    char *problem = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return problem;
}

/*
 * A zone that takes its time is spoken of before it is done, or its operator sees nothing happen.
 * For the others one line at the end says it all.
 */
int zone_progress_severity(const struct zone_job *job)
{
    struct file_stamp file = {.bytes = 0};
    bool large =
        job->lent.base != NULL && zone_version_facts(job->lent.base)->names >= LARGE_ZONE_NAMES;
    if (job->kind == ZONE_JOB_LOAD && zone_stamp(job->settings->file, &file)) {
        large |= file.bytes >= LARGE_FILE_BYTES;
    }
    return large ? SEVERITY_INFO : SEVERITY_DEBUG;
}

static void say_loading(const struct zone_job *job)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_ZONE, zone_progress_severity(job), "zone %s: loading from '%s'",
              zone_label(job->settings, label), job->settings->file);
}

enum sg_result zone_read_file(struct zone_job *job, struct zone_edit *edit)
{
    const struct zone_settings *settings = job->settings;
    struct zonefile_report *report = mem_alloc_zero(1, sizeof(*report));
    struct zonefile_options options = {
        .path = settings->file,
        .strip_generated = settings->policy != NULL,
        .private_type = settings->limits.private_type,
        .ttl_max =
            settings->policy != NULL ? settings->policy->max_zone_ttl : settings->max_zone_ttl,
    };
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    say_loading(job);

    enum sg_result result = zonefile_load(edit, &options, report);
    if (result == SG_OK) {
        const struct zone_version *draft = zone_edit_draft(edit);
        struct zone_check_options checks = *settings->checks;
        if (settings->policy != NULL || settings->type == ZONE_SECONDARY) {
            checks.cds = CHECK_WARN; /* Its keys may be ours; or it is as its primary has it. */
        }
        result = zone_check(draft, &checks, report);
        if (result != SG_OK) { /* Warnings alone are not worth reading a large file twice. */
            zonefile_locate(zone_version_apex(draft), zone_version_class(draft), &options, report);
        }
    }
    log_report(job, report);
    if (result == SG_OK || report->files_count > 0) {
        stamp_files(job, report, (int64_t)at.tv_sec * 1000000000 + at.tv_nsec);
    }
    if (result != SG_OK) {
        job->problem = describe_failure(settings, report, result);
    }
    zonefile_report_clear(report);
    mem_free(report);
    return result;
}
