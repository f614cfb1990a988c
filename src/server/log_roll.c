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

static void format_stamp(char out_digits[STAMP_DIGITS + 1])
{
    struct timespec now;
    struct tm tm;
    char seconds[STAMP_DIGITS];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    if (strftime(seconds, sizeof(seconds), "%Y%m%d%H%M%S", &tm) != STAMP_DIGITS - 3) {
        seconds[0] = '\0';
    }
    snprintf(out_digits, STAMP_DIGITS + 1, "%.14s%03u", seconds,
             (unsigned)(now.tv_nsec / 1000000) % 1000);
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

static void remove_oldest(const char *path, const struct stamps *stamps, unsigned versions)
{
    qsort(stamps->digits, stamps->count, sizeof(*stamps->digits), compare_stamps);
    for (size_t i = 0; i + versions < stamps->count; i++) {
        char *old = mem_format("%s.%s", path, stamps->digits[i]);
        (void)unlink(old);
        mem_free(old);
    }
}

static void keep_youngest(const char *path, unsigned versions)
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
            stamps.digits =
                mem_resize_array(stamps.digits, stamps.count + 1, sizeof(*stamps.digits));
            memcpy(stamps.digits[stamps.count++], digits, STAMP_DIGITS + 1);
        }
    }
    if (open_folder != NULL) {
        closedir(open_folder);
    }
    if (stamps.count > versions) {
        remove_oldest(path, &stamps, versions);
    }
    mem_free(stamps.digits);
    mem_free(folder);
}

void log_roll_timestamp(const char *path, unsigned versions)
{
    char digits[STAMP_DIGITS + 1];

    format_stamp(digits);
    char *newest = mem_format("%s.%s", path, digits);
    (void)rename(path, newest);
    mem_free(newest);
    keep_youngest(path, versions);
}
