#include "server/log_roll.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    VERSIONS_MAX = 10000, /* "unlimited" ends somewhere */
    STAMP_DIGITS = 17,    /* to the millisecond, as BIND has it */
    STAMPED_MAX = 100000, /* files looked at */
    STAMPS_TRIED_MAX = 1000,
};

struct stamps {
    char (*digits)[STAMP_DIGITS + 1];
    size_t count;
};

static bool is_there(const char *path, unsigned version)
{
    char *name = mem_format("%s.%u", path, version);
    bool there = access(name, F_OK) == 0;

    mem_free(name);
    return there;
}

void log_roll_numbers(const char *path, unsigned versions)
{
    unsigned kept = 0;

    versions = versions < VERSIONS_MAX ? versions : VERSIONS_MAX;
    while (kept + 1 < versions && is_there(path, kept)) {
        kept++;
    }
    for (unsigned i = kept; i > 0; i--) {
        char *from = mem_format("%s.%u", path, i - 1);
        char *to = mem_format("%s.%u", path, i);
        (void)rename(from, to);
        mem_free(from);
        mem_free(to);
    }
    char *newest = mem_format("%s.0", path);
    (void)rename(path, newest);
    mem_free(newest);
}

static void format_stamp(int64_t at_ms, char out_digits[STAMP_DIGITS + 1])
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm tm;
    char seconds[STAMP_DIGITS];

    localtime_r(&at, &tm);
    if (strftime(seconds, sizeof(seconds), "%Y%m%d%H%M%S", &tm) != STAMP_DIGITS - 3) {
        seconds[0] = '\0';
    }
    snprintf(out_digits, STAMP_DIGITS + 1, "%.14s%03u", seconds, (unsigned)(at_ms % 1000));
}

/* The stamp of a file name "BASE.STAMP", or NULL. */
static const char *stamp_of(const char *name, const char *base)
{
    size_t length = strlen(base);

    if (strncmp(name, base, length) != 0 || name[length] != '.') {
        return NULL;
    }
    const char *digits = name + length + 1;
    return strspn(digits, "0123456789") == STAMP_DIGITS && digits[STAMP_DIGITS] == '\0' ? digits
                                                                                        : NULL;
}

static int compare_stamps(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void stamps_add(struct stamps *stamps, const char *digits)
{
    stamps->digits = mem_resize_array(stamps->digits, stamps->count + 1, sizeof(*stamps->digits));
    memcpy(stamps->digits[stamps->count++], digits, STAMP_DIGITS + 1);
}

/* Those of the files that were moved away before, the oldest first. */
static struct stamps stamps_list(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    char *folder =
        slash == NULL ? mem_copy_text(".") : mem_format("%.*s/", (int)(slash - path), path);
    struct stamps stamps = {NULL, 0};

    DIR *open_folder = opendir(folder);
    for (const struct dirent *entry; open_folder != NULL && stamps.count < STAMPED_MAX &&
                                     (entry = readdir(open_folder)) != NULL;) {
        const char *digits = stamp_of(entry->d_name, base);
        if (digits != NULL) {
            stamps_add(&stamps, digits);
        }
    }
    if (open_folder != NULL) {
        closedir(open_folder);
    }
    if (stamps.count > 0) {
        qsort(stamps.digits, stamps.count, sizeof(*stamps.digits), compare_stamps);
    }
    mem_free(folder);
    return stamps;
}

/*
 * The present, or the first millisecond after the youngest: two rolls within one millisecond must
 * neither write over the other's file nor change their order. A clock that was turned back by
 * more than a second has its way.
 */
static void choose_stamp(const struct stamps *stamps, char out_digits[STAMP_DIGITS + 1])
{
    const char *youngest = stamps->count == 0 ? "" : stamps->digits[stamps->count - 1];
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    int64_t at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    for (int i = 0; i < STAMPS_TRIED_MAX; i++) {
        format_stamp(at_ms + i, out_digits);
        if (strcmp(out_digits, youngest) > 0) {
            return;
        }
    }
    format_stamp(at_ms, out_digits);
}

void log_roll_timestamp(const char *path, unsigned versions)
{
    char digits[STAMP_DIGITS + 1];
    struct stamps stamps = stamps_list(path);

    choose_stamp(&stamps, digits);
    char *newest = mem_format("%s.%s", path, digits);
    if (rename(path, newest) == 0) {
        stamps_add(&stamps, digits);
        qsort(stamps.digits, stamps.count, sizeof(*stamps.digits), compare_stamps);
    }
    for (size_t i = 0; i + versions < stamps.count; i++) {
        char *old = mem_format("%s.%s", path, stamps.digits[i]);
        (void)unlink(old);
        mem_free(old);
    }
    mem_free(stamps.digits);
    mem_free(newest);
}
