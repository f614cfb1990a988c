/*
 * Is a file still as it was when it was read, or written, last?
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "keeper/zone_steps.h"
#include "zone/version.h"

bool zone_stamp(const char *path, struct file_stamp *out_stamp)
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

static bool has_changed(const struct file_stamp *old)
{
    struct file_stamp new;
    return !zone_stamp(old->path, &new) || new.device != old->device || new.inode != old->inode ||
           new.bytes != old->bytes || new.modified_ns != old->modified_ns;
}

bool zone_files_changed(const struct file_stamps *known)
{
    for (size_t i = 0; i < known->count; i++) {
        if (has_changed(&known->files[i])) {
            return true;
        }
    }
    return known->count == 0;
}

const char *zone_file_edited(const struct file_stamps *known)
{
    for (size_t i = 0; i < known->count; i++) {
        struct file_stamp present;
        if (has_changed(&known->files[i]) && zone_stamp(known->files[i].path, &present)) {
            return known->files[i].path;
        }
    }
    return NULL;
}

static const char *missing_file(const struct file_stamps *known)
{
    for (size_t i = 0; i < known->count; i++) {
        struct file_stamp present;
        if (!zone_stamp(known->files[i].path, &present) && errno == ENOENT) {
            return known->files[i].path;
        }
    }
    return NULL;
}

/* Whoever edits the file of a zone that takes updates as that of any other waits for his edit
 * forever, unless he is told how it is done. Of one that is frozen it is expected. */
void zone_say_ignored_file(const struct zone_job *job, const struct zone_state *state)
{
    const struct zone_settings *settings = job->settings;
    char label[ZONE_LABEL_BYTES];
    if (!settings->dynamic || settings->type != ZONE_PRIMARY || state->frozen) {
        return;
    }
    const struct zone_version *version =
        job->made.version != NULL ? job->made.version : job->lent.base;
    uint32_t serial = zone_version_facts(version)->serial;
    const char *edited = zone_file_edited(&state->files);
    const char *missing = missing_file(&state->files);
    zone_label(settings, label);
    if (edited != NULL) {
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: file '%s' was edited while the zone was not frozen, and is not read: "
                  "the zone takes updates, and the store has it whole (serial %u). To edit it: "
                  "keep a copy of your edit, `freeze` writes the file, edit that, `thaw` reads it",
                  label, edited, serial);
    } else if (missing != NULL) {
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: file '%s' is missing, which does no harm: the zone takes updates, and "
                  "the store has it whole (serial %u). `sync` writes the file anew",
                  label, missing, serial);
    }
}
