#include "keeper/zone_job.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/thread.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "keeper/zone_keys.h"
#include "keeper/zone_label.h"
#include "zone/edit.h"

enum { LARGE_FILE_BYTES = 4 << 20, LARGE_ZONE_NAMES = 100000 };

void file_stamps_clear(struct file_stamps *stamps)
{
    for (size_t i = 0; i < stamps->count; i++) {
        mem_free(stamps->files[i].path);
    }
    mem_free(stamps->files);
    *stamps = (struct file_stamps){NULL, 0};
}

static bool stamp(const char *path, struct file_stamp *out_stamp)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return false;
    }
    *out_stamp = (struct file_stamp){
        .device = (uint64_t)status.st_dev,
        .inode = (uint64_t)status.st_ino,
        .bytes = (uint64_t)status.st_size,
        .modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
    };
    return true;
}

static bool files_changed(const struct file_stamps *known)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct file_stamp *old = &known->files[i];
        struct file_stamp new;
        if (!stamp(old->path, &new) || new.device != old->device || new.inode != old->inode ||
            new.bytes != old->bytes || new.modified_ns != old->modified_ns) {
            return true;
        }
    }
    return known->count == 0;
}

/*
 * Stamps of what was read. A file that changed between its reading and this look keeps a stamp
 * that fits nothing, so that the next reload reads it again.
 */
static void stamp_files(struct zone_job *job, const struct zonefile_report *report,
                        int64_t started_ns)
{
    job->files.files = mem_alloc_zero(report->files_count, sizeof(*job->files.files));
    for (size_t i = 0; i < report->files_count; i++) {
        struct file_stamp *new = &job->files.files[job->files.count++];
        if (!stamp(report->files[i], new) || new->modified_ns >= started_ns) {
            new->modified_ns = 0;
        }
        new->path = mem_copy_text(report->files[i]);
    }
    job->files_known = true;
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

/* The first error, since that is what people mend first; the log has them all. */
static char *describe_failure(const struct zone_settings *settings,
                              const struct zonefile_report *report, enum sg_result result)
{
    const struct zonefile_problem *first = NULL;
    for (size_t i = 0; i < report->problems_count && first == NULL; i++) {
        first = report->problems[i].severity == ZONEFILE_ERROR ? &report->problems[i] : NULL;
    }
    if (first == NULL) {
        return mem_format("file '%s' was not taken: %s", settings->file, sg_result_text(result));
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
static int progress_severity(const struct zone_job *job)
{
    struct file_stamp file = {.bytes = 0};
    bool large = job->base != NULL && zone_version_facts(job->base)->names >= LARGE_ZONE_NAMES;
    if (job->kind == ZONE_JOB_LOAD && stamp(job->settings->file, &file)) {
        large |= file.bytes >= LARGE_FILE_BYTES;
    }
    return large ? SEVERITY_INFO : SEVERITY_DEBUG;
}

static void say_loading(const struct zone_job *job)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_ZONE, progress_severity(job), "zone %s: loading from '%s'",
              zone_label(job->settings, label), job->settings->file);
}

static void say_signing(const struct zone_job *job)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_DNSSEC, progress_severity(job), "zone %s: %s", zone_label(job->settings, label),
              job->kind == ZONE_JOB_LOAD ? "read, now signing" : "signing anew");
}

static enum sg_result read_file(struct zone_job *job, struct zone_edit *edit)
{
    const struct zone_settings *settings = job->settings;
    struct zonefile_report *report = mem_alloc_zero(1, sizeof(*report));
    struct zonefile_options options = {
        .path = settings->file,
        .strip_generated = settings->policy != NULL,
        .ttl_max =
            settings->policy != NULL ? settings->policy->max_zone_ttl : settings->max_zone_ttl,
    };
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    say_loading(job);

    enum sg_result result = zonefile_load(edit, &options, report);
    if (result == SG_OK) {
        result = zone_check(zone_edit_draft(edit), settings->checks, report);
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

static uint32_t date_serial(sg_time now)
{
    char digits[TIME_TEXT_BYTES];
    time_to_digits(now, digits);
    uint32_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value * 10 + (uint32_t)(digits[i] - '0');
    }
    return value * 100;
}

/* The serial after `current`, which secondaries may have: always greater (RFC 1982). */
static uint32_t raise_serial(enum zone_serial_update method, uint32_t current, sg_time now)
{
    uint32_t wanted = method == ZONE_SERIAL_UNIXTIME ? (uint32_t)now
                      : method == ZONE_SERIAL_DATE   ? date_serial(now)
                                                     : current;
    return wanted != 0 && serial_compare(wanted, current) > 0 ? wanted : serial_next(current);
}

/* The file's own serial where it may be taken, else one above the last that was published. */
static uint32_t choose_serial(const struct zone_job *job, uint32_t source_serial)
{
    enum zone_serial_update method = job->settings->serial_update;
    if (job->base == NULL) {
        /* What was published before a restart is not known; time is above it, a count is not. */
        bool by_time = method == ZONE_SERIAL_UNIXTIME || method == ZONE_SERIAL_DATE;
        uint32_t timed = by_time ? raise_serial(method, source_serial, job->now) : source_serial;
        return timed == serial_next(source_serial) ? source_serial : timed;
    }
    const struct zone_facts *facts = zone_version_facts(job->base);
    if (job->kind == ZONE_JOB_LOAD && serial_compare(source_serial, facts->serial) > 0) {
        return source_serial;
    }
    if (job->kind == ZONE_JOB_LOAD && !job->force && source_serial == facts->source_serial) {
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: the file changed but its serial %u did not rise; it is taken all "
                  "the same",
                  zone_label(job->settings, label), source_serial);
    }
    return raise_serial(method, facts->serial, job->now);
}

static void choose_denial(const struct zone_job *job, struct sign_policy *policy)
{
    const struct kasp_policy *kasp = job->settings->policy;
    policy->nsec3 = kasp->nsec3;
    if (!kasp->nsec3) {
        return;
    }
    const struct zone_facts *facts = job->base == NULL ? NULL : zone_version_facts(job->base);
    /* A salt of the right length is kept: a new one costs every signature of the chain. */
    if (facts != NULL && facts->denial == ZONE_DENIAL_NSEC3 &&
        facts->nsec3.salt_length == kasp->nsec3_salt_length && facts->nsec3.iterations == 0) {
        policy->nsec3_params = facts->nsec3;
    } else {
        policy->nsec3_params =
            (struct nsec3_params){.algorithm = 1, .salt_length = kasp->nsec3_salt_length};
        random_bytes(policy->nsec3_params.salt, kasp->nsec3_salt_length);
    }
    policy->nsec3_params.flags = kasp->nsec3_opt_out ? 1 : 0;
}

/*
 * However the jitter falls, signatures live half the time until they are to be made anew: what is
 * due as soon as it is made would be made without end.
 */
static sg_duration bounded_jitter(const struct kasp_policy *kasp)
{
    sg_duration most = (kasp->signatures_validity - kasp->signatures_refresh) / 2;
    return kasp->signatures_jitter < most ? kasp->signatures_jitter : most;
}

/* `owner/type` of what has to be signed again first, in BIND's form: no dot at the end. */
static char *node_text(const struct sign_report *report)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    dns_name_to_text_short(&report->expires_owner, owner);
    return mem_format("%s/%s", owner, dns_type_to_text(report->expires_type, type));
}

static enum sg_result sign(struct zone_job *job, struct zone_edit *edit,
                           const struct zone_keys *keys)
{
    const struct kasp_policy *kasp = job->settings->policy;
    struct sign_policy policy = {
        .inception_offset = kasp->signatures_inception_offset,
        .validity = kasp->signatures_validity,
        .validity_dnskey = kasp->signatures_validity_dnskey,
        .jitter = bounded_jitter(kasp),
    };
    choose_denial(job, &policy);
    const struct sign_keys sign_keys = {keys->sign, keys->sign_count};
    const struct sign_request request = {
        .apex = keys->apex.rrsets,
        .apex_count = keys->apex.count,
        .keys = &sign_keys,
        .policy = &policy,
        .serial = choose_serial(job, zone_version_facts(zone_edit_draft(edit))->source_serial),
        .now = job->now,
    };
    struct sign_report report;
    say_signing(job);

    enum sg_result result = sign_zone(edit, &request, job->pool, &report);
    if (result != SG_OK) {
        job->problem = mem_format("it could not be signed: %s", sg_result_text(result));
        return result;
    }
    job->signatures = report.signatures;
    job->expires_first = report.expires_first;
    job->expires_node = node_text(&report);
    return SG_OK;
}

/* Takes the edit in every case. */
static enum sg_result sign_and_seal(struct zone_job *job, struct zone_edit *edit,
                                    const struct zone_keys *keys)
{
    enum sg_result result = keys == NULL ? SG_OK : sign(job, edit, keys);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    result = zone_edit_seal(edit, &job->version);
    if (result != SG_OK) {
        job->problem = mem_copy_text("it has no SOA record at its apex");
    }
    return result;
}

static enum sg_result load(struct zone_job *job)
{
    if (job->settings->file == NULL) {
        job->problem =
            mem_copy_text("it has no file to be read from, and zones are not transferred "
                          "in yet");
        return SG_UNSUPPORTED;
    }
    if (!job->force && !files_changed(job->known_files)) {
        job->unchanged = true;
        return SG_OK;
    }
    struct zone_edit *edit = zone_edit_new(&job->settings->apex, job->settings->rrclass);
    enum sg_result result = read_file(job, edit);
    if (result == SG_OK && job->settings->policy == NULL) {
        return sign_and_seal(job, edit, NULL);
    }
    struct zone_keys keys;
    if (result == SG_OK) {
        result = zone_keys_prepare(job->settings, job->generation, job->base, job->now, &keys,
                                   &job->problem);
    }
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    job->keys_fingerprint = keys.fingerprint;
    job->key_event_at = keys.wake_at;
    result = sign_and_seal(job, edit, keys.sign_count > 0 ? &keys : NULL);
    zone_keys_clear(&keys);
    return result;
}

static enum sg_result look_at_keys(struct zone_job *job)
{
    struct zone_keys keys;
    enum sg_result result = zone_keys_prepare(job->settings, job->generation, job->base, job->now,
                                              &keys, &job->problem);
    if (result != SG_OK) {
        return result;
    }
    job->keys_fingerprint = keys.fingerprint;
    job->key_event_at = keys.wake_at;
    if (keys.sign_count == 0 || (!job->sign_all && keys.fingerprint == job->known_keys)) {
        job->unchanged = true;
    } else {
        result = sign_and_seal(job, zone_edit_open(job->base), &keys);
    }
    zone_keys_clear(&keys);
    return result;
}

void zone_job_run(struct job *job)
{
    struct zone_job *work = (struct zone_job *)job;
    thread_assert(THREAD_WORKER);
    uint64_t started = time_monotonic_ns();
    work->result = work->kind == ZONE_JOB_LOAD ? load(work) : look_at_keys(work);
    work->took_ns = time_monotonic_ns() - started;
}

void zone_job_free(struct zone_job *job)
{
    if (job->base != NULL) {
        zone_version_unref(job->base);
    }
    if (job->version != NULL) {
        zone_version_unref(job->version);
    }
    file_stamps_clear(&job->files);
    mem_free(job->problem);
    mem_free(job->expires_node);
    mem_free(job);
}
