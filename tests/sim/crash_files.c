#include "sim/crash_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/file.h"
#include "base/mem.h"

#define FOLDER "keys"

enum { NAMES_MAX = 64, CONTENTS_MAX = 4096, CHANGES_MAX = 256, NAME_BYTES = 128, PATH_BYTES = 512 };
enum { FILE_BYTES_MAX = 65536, PARTS = 7 };

/* What the disk has of a file, whatever its name is now. */
struct contents {
    struct buffer synced;
};

struct names {
    struct {
        char name[NAME_BYTES];
        size_t contents;
    } at[NAMES_MAX];
    size_t count;
};

/* Of a name, since the folder was synced. `to` empty: it is removed. */
struct change {
    char from[NAME_BYTES], to[NAME_BYTES];
    size_t contents;
};

static struct {
    struct fake_disk *disk;
    enum crash_kind kind;
    uint64_t at, count;
    bool is_dead;
    bool has_unsynced; /* contents; or names that were never meant to last */
    uint8_t kinds[CRASH_OPERATIONS_MAX];
    char last[PATH_BYTES + 40];
    struct contents contents[CONTENTS_MAX];
    size_t contents_count;
    struct names durable, present;
    struct change changes[CHANGES_MAX];
    size_t changes_count;
} files;

/* --- names ---------------------------------------------------------------------------------- */

static size_t find(const struct names *names, const char *name)
{
    size_t at = 0;
    while (at < names->count && strcmp(names->at[at].name, name) != 0) {
        at++;
    }
    return at;
}

static void drop(struct names *names, const char *name)
{
    size_t at = find(names, name);
    if (at < names->count) {
        names->at[at] = names->at[--names->count];
    }
}

static void add(struct names *names, const char *name, size_t contents)
{
    drop(names, name);
    ASSERT(names->count < NAMES_MAX);
    snprintf(names->at[names->count].name, NAME_BYTES, "%s", name);
    names->at[names->count++].contents = contents;
}

/* Of the file that has this name; a new one has nothing yet that is durable. */
static size_t contents_of(const char *name)
{
    size_t at = find(&files.present, name);
    if (at == files.present.count) {
        ASSERT(files.contents_count < CONTENTS_MAX);
        add(&files.present, name, files.contents_count++);
        at = files.present.count - 1;
    }
    return files.present.at[at].contents;
}

static void change(const char *from, const char *to)
{
    ASSERT(files.changes_count < CHANGES_MAX);
    struct change *change = &files.changes[files.changes_count++];
    snprintf(change->from, NAME_BYTES, "%s", from);
    snprintf(change->to, NAME_BYTES, "%s", to);
    change->contents = contents_of(from);
    drop(&files.present, from);
    if (*to != 0) {
        add(&files.present, to, change->contents);
    }
}

/* The first of the changes that no sync has made durable are so now. */
static void make_durable(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &files.changes[i];
        drop(&files.durable, change->from);
        if (change->to[0] != 0) {
            add(&files.durable, change->to, change->contents);
        }
    }
    files.changes_count = 0;
    files.has_unsynced = false;
}

static void sync_contents(const char *name)
{
    char path[PATH_BYTES];
    struct buffer *synced = &files.contents[contents_of(name)].synced;
    snprintf(path, sizeof(path), FOLDER "/%s", name);
    buffer_free(synced);
    enum sg_result result = file_read(path, FILE_BYTES_MAX, synced);
    ASSERT(result == SG_OK);
}

/* --- death ---------------------------------------------------------------------------------- */

/*
 * What a transaction of the store has written is nothing before its commit: a death at any of these
 * writes is the one at the commit. Where all is synced it does not matter how one dies.
 */
static uint8_t tell_kinds(bool lasts)
{
    uint8_t told = 1 << CRASH_LOST | 1 << CRASH_DONE;
    if (files.changes_count > 1) {
        told |= 1 << CRASH_PART;
    }
    if (files.changes_count > 0 || files.has_unsynced) {
        told |= 1 << CRASH_KILL;
    }
    return lasts ? told : 0;
}

enum fate { FATE_LIVES, FATE_DIES_AFTER, FATE_DEAD };

static enum fate count_operation(const char *what, const char *path, bool lasts)
{
    if (files.is_dead) {
        return FATE_DEAD;
    }
    ASSERT(files.count < CRASH_OPERATIONS_MAX);
    files.kinds[files.count] = tell_kinds(lasts);
    if (++files.count != files.at) {
        return FATE_LIVES;
    }
    snprintf(files.last, sizeof(files.last), "%s %s", what, path);
    files.is_dead = files.kind != CRASH_DONE;
    return files.is_dead ? FATE_DEAD : FATE_DIES_AFTER;
}

static bool may_go_on(enum fate fate)
{
    if (fate == FATE_DEAD) {
        fake_disk_cut_power(files.disk);
        errno = EIO;
    }
    return fate != FATE_DEAD;
}

static int end_operation(enum fate fate, int result)
{
    if (fate == FATE_DIES_AFTER) {
        files.is_dead = true;
        fake_disk_cut_power(files.disk);
    }
    return result;
}

/* A write of the store. Its commit is durable or is not; all else without a commit is nothing. */
static void see_store(void *argument, bool lasts)
{
    const struct fake_disk_fault fault = {.at = 1,
                                          .result = SG_IO,
                                          .goes_on = true,
                                          .loses_power = true,
                                          .counts = files.kind == CRASH_DONE};
    if (count_operation("write of the", "store", lasts) != FATE_LIVES) {
        files.is_dead = true;
        fake_disk_set_fault(argument, &fault);
    }
}

/* --- system calls --------------------------------------------------------------------------- */

ssize_t __real_write(int fd, const void *bytes, size_t length);
int __real_fsync(int fd);
int __real_syncfs(int fd);
int __real_unlink(const char *path);
int __real_rename(const char *from, const char *to);
int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);
int __wrap_unlink(const char *path);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);

/* Which file of the folder it is; "" for the folder itself; NULL: another one. */
static const char *name_in_folder(const char *path)
{
    static const char folder[] = FOLDER;
    size_t length = strlen(folder);
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    if (strcmp(last, folder) == 0) {
        return "";
    }
    if (slash == NULL || (size_t)(slash - path) < length ||
        strncmp(slash - length, folder, length) != 0) {
        return NULL;
    }
    return last;
}

static const char *name_of_fd(int fd, char out_path[PATH_BYTES])
{
    char link[40];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = files.disk == NULL ? -1 : readlink(link, out_path, PATH_BYTES - 1);
    if (length < 0) {
        return NULL;
    }
    out_path[length] = 0;
    return name_in_folder(out_path);
}

/* Another folder's files are as the page cache has them; but nobody who is dead writes. */
static enum fate fate_of(const char *what, const char *name)
{
    if (files.disk == NULL || (name == NULL && !files.is_dead)) {
        return FATE_LIVES;
    }
    return count_operation(what, name, true);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    char path[PATH_BYTES];
    const char *name = name_of_fd(fd, path);
    enum fate fate = fate_of("write of", name);
    if (!may_go_on(fate)) {
        return -1;
    }
    ssize_t put = __real_write(fd, bytes, length);
    files.has_unsynced |= name != NULL;
    (void)end_operation(fate, 0);
    return put;
}

int __wrap_fsync(int fd)
{
    char path[PATH_BYTES];
    const char *name = name_of_fd(fd, path);
    enum fate fate = fate_of("sync of", name);
    if (!may_go_on(fate)) {
        return -1;
    }
    int result = __real_fsync(fd);
    if (name != NULL && *name != 0) {
        sync_contents(name);
    } else if (name != NULL) {
        make_durable(files.changes_count);
    }
    return end_operation(fate, result);
}

int __wrap_syncfs(int fd)
{
    char path[PATH_BYTES];
    const char *name = name_of_fd(fd, path);
    enum fate fate = fate_of("sync of all,", name);
    if (!may_go_on(fate)) {
        return -1;
    }
    int result = __real_syncfs(fd);
    for (size_t i = 0; name != NULL && i < files.present.count; i++) {
        sync_contents(files.present.at[i].name);
    }
    if (name != NULL) {
        make_durable(files.changes_count);
    }
    return end_operation(fate, result);
}

int __wrap_unlink(const char *path)
{
    const char *name = name_in_folder(path);
    enum fate fate = fate_of("removal of", name);
    if (!may_go_on(fate)) {
        return -1;
    }
    int result = __real_unlink(path);
    if (files.disk != NULL && name != NULL && result == 0) {
        change(name, "");
    }
    return end_operation(fate, result);
}

static void note_rename(const char *from, const char *to, int result)
{
    if (files.disk != NULL && from != NULL && to != NULL && result == 0) {
        change(from, to);
    }
}

int __wrap_rename(const char *from, const char *to)
{
    enum fate fate = fate_of("naming of", name_in_folder(to));
    if (!may_go_on(fate)) {
        return -1;
    }
    int result = __real_rename(from, to);
    note_rename(name_in_folder(from), name_in_folder(to), result);
    return end_operation(fate, result);
}

int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    enum fate fate = fate_of("naming of", name_in_folder(to));
    if (!may_go_on(fate)) {
        return -1;
    }
    int result = __real_renameat2(from_fd, from, to_fd, to, flags);
    note_rename(name_in_folder(from), name_in_folder(to), result);
    return end_operation(fate, result);
}

/* --- the machine is there again --------------------------------------------------------------- */

static void write_back(const char *name, struct span contents)
{
    char path[PATH_BYTES];
    size_t length = strlen(name);
    bool is_private = length > 8 && strcmp(name + length - 8, ".private") == 0;
    snprintf(path, sizeof(path), FOLDER "/%s", name);
    (void)__real_unlink(path);
    enum sg_result result =
        file_write_bare(path, O_CREAT | O_EXCL, is_private ? 0600 : 0644, contents);
    ASSERT(result == SG_OK);
}

/* `leftovers`: what never had a name but its first one is there, too. */
static void lose_unsynced(bool leftovers)
{
    char path[PATH_BYTES];
    DIR *folder = opendir(FOLDER);
    ASSERT(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        bool is_known = find(&files.durable, entry->d_name) < files.durable.count;
        if (entry->d_name[0] != '.' && !is_known && !leftovers) {
            snprintf(path, sizeof(path), FOLDER "/%s", entry->d_name);
            (void)__real_unlink(path);
        }
    }
    closedir(folder);
    for (size_t i = 0; i < files.durable.count; i++) {
        const struct contents *contents = &files.contents[files.durable.at[i].contents];
        write_back(files.durable.at[i].name, buffer_span(&contents->synced));
    }
}

/* What a journal that has the first of the new names has of the files that still wait for theirs:
 * they were made, and synced, before any was named. */
static void keep_staged(void)
{
    for (size_t i = 0; i < files.present.count; i++) {
        if (strstr(files.present.at[i].name, ".new") != NULL) {
            add(&files.durable, files.present.at[i].name, files.present.at[i].contents);
        }
    }
    for (size_t i = 0; i < files.changes_count; i++) {
        if (files.changes[i].to[0] != 0) {
            add(&files.durable, files.changes[i].from, files.changes[i].contents);
        }
    }
}

void crash_files_arm(struct fake_disk *disk, enum crash_kind kind, uint64_t at)
{
    files.disk = disk;
    files.kind = kind;
    files.at = at;
    files.count = 0;
    fake_disk_watch(disk, see_store, disk);
}

uint64_t crash_files_count(void)
{
    return files.count;
}

uint8_t crash_files_kinds(uint64_t at)
{
    ASSERT(at > 0 && at <= CRASH_OPERATIONS_MAX);
    return files.kinds[at - 1];
}

const char *crash_files_last(void)
{
    return files.last;
}

void crash_files_recover(void)
{
    size_t kept = files.kind == CRASH_LOST   ? 0
                  : files.kind == CRASH_PART ? files.at % PARTS * files.changes_count / PARTS
                                             : files.changes_count;
    struct fake_disk *disk = files.disk;
    files.is_dead = false;
    files.disk = NULL; /* what is written here is not counted */
    if (files.kind != CRASH_KILL) {
        if (kept > 0) {
            keep_staged();
        }
        make_durable(kept);
        lose_unsynced(files.kind == CRASH_DONE);
        files.present = files.durable;
    }
    files.disk = disk;
    files.at = 0;
}
