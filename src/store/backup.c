#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/image_file.h"
#include "store/store_lock.h"

enum { MANIFEST_BYTES_MAX = 16 << 20, COPY_BYTES = 1 << 16, FOLDER_MODE = 0700 };

static const char manifest_title[] = "signet backup 1";

static enum sg_result fail(const char *path, char **out_problem)
{
    int error = errno;
    *out_problem = mem_format("'%s': %s", path, strerror(error));
    return error == EACCES || error == EPERM ? SG_DENIED : image_file_result(error);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* --- files ---------------------------------------------------------------------------------- */

static enum sg_result sync_folder(const char *folder, char **out_problem)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum sg_result result = fd >= 0 && fsync(fd) == 0 ? SG_OK : fail(folder, out_problem);
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

static bool write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote < 0) {
            return false;
        }
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return true;
}

static bool copy_bytes(int from, int to)
{
    uint8_t bytes[COPY_BYTES];
    for (;;) {
        ssize_t got = read(from, bytes, sizeof(bytes));
        if (got <= 0) {
            return got == 0;
        }
        if (!write_all(to, bytes, (size_t)got)) {
            return false;
        }
    }
}

/* Synced and whole under its name, or not there. What has that name is replaced. */
static enum sg_result copy_file(const char *from, const char *to, char **out_problem)
{
    struct stat status;
    char *partial = mem_format("%s.partial", to);
    int target = -1;
    enum sg_result result = SG_OK;
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0 || fstat(source, &status) != 0) {
        result = fail(from, out_problem);
        goto out;
    }
    mode_t mode = status.st_mode & (ends_with(from, ".private") ? 0600u : 0777u);
    (void)unlink(partial);
    target = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (target < 0 || (geteuid() == 0 && fchown(target, status.st_uid, status.st_gid) != 0) ||
        fchmod(target, mode) != 0 || !copy_bytes(source, target) || fsync(target) != 0 ||
        rename(partial, to) != 0) {
        result = fail(to, out_problem);
        (void)unlink(partial);
    }

out:
    if (target >= 0) {
        close(target);
    }
    if (source >= 0) {
        close(source);
    }
    mem_free(partial);
    return result;
}

static bool same_contents(const char *a, const char *b)
{
    struct buffer of_a = BUFFER_EMPTY;
    struct buffer of_b = BUFFER_EMPTY;
    bool same = file_read(a, MANIFEST_BYTES_MAX, &of_a) == SG_OK &&
                file_read(b, MANIFEST_BYTES_MAX, &of_b) == SG_OK && of_a.length == of_b.length &&
                (of_a.length == 0 || memcmp(of_a.bytes, of_b.bytes, of_a.length) == 0);
    buffer_wipe(&of_a);
    buffer_wipe(&of_b);
    return same;
}

static bool is_key_file(const char *name)
{
    return name[0] == 'K' &&
           (ends_with(name, ".key") || ends_with(name, ".private") || ends_with(name, ".state"));
}

static bool is_image(const char *name)
{
    return name[0] != '.' && !ends_with(name, ".partial");
}

/* Do something with each file of a folder. A folder that is not there has none. */
typedef enum sg_result per_file(void *argument, const char *path, const char *name,
                                char **out_problem);
static enum sg_result each_file(const char *folder, bool (*is_wanted)(const char *name),
                                per_file *see, void *argument, char **out_problem)
{
    enum sg_result result = SG_OK;
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        return errno == ENOENT ? SG_OK : fail(folder, out_problem);
    }
    for (const struct dirent *entry;
         result == SG_OK && (errno = 0, entry = readdir(stream)) != NULL;) {
        if (is_wanted(entry->d_name)) {
            char *path = mem_format("%s/%s", folder, entry->d_name);
            result = see(argument, path, entry->d_name, out_problem);
            mem_free(path);
        }
    }
    if (result == SG_OK && errno != 0) { /* readdir(3): not the end of the folder */
        result = fail(folder, out_problem);
    }
    closedir(stream);
    return result;
}

static enum sg_result copy_into(void *argument, const char *path, const char *name,
                                char **out_problem)
{
    char *to = mem_format("%s/%s", (const char *)argument, name);
    enum sg_result result = copy_file(path, to, out_problem);
    mem_free(to);
    return result;
}

/* --- backup --------------------------------------------------------------------------------- */

/* The same folder by two names is one. */
static bool is_written(const struct buffer *manifest, const char *folder)
{
    char *line = mem_format(" %s\n", folder);
    bool found = strstr(buffer_text((struct buffer *)(uintptr_t)manifest), line) != NULL;
    mem_free(line);
    return found;
}

static enum sg_result copy_keys(const char *backup, const char *folder, struct buffer *manifest,
                                char **out_problem)
{
    char absolute[PATH_MAX];
    if (realpath(folder, absolute) == NULL) {
        return errno == ENOENT ? SG_OK : fail(folder, out_problem);
    }
    if (strchr(absolute, '\n') != NULL || is_written(manifest, absolute)) {
        return SG_OK;
    }
    unsigned number = 0;
    for (size_t i = 0; i < manifest->length; i++) {
        number += manifest->bytes[i] == '\n';
    }
    char *to = mem_format("%s/keys/%u", backup, number);
    enum sg_result result = file_make_folder(to, FOLDER_MODE);
    if (result != SG_OK) {
        result = fail(to, out_problem);
    } else {
        result = each_file(folder, is_key_file, copy_into, to, out_problem);
    }
    if (result == SG_OK) {
        result = sync_folder(to, out_problem);
        buffer_format(manifest, "keys/%u %s\n", number, absolute);
    }
    mem_free(to);
    return result;
}

static enum sg_result remove_one(void *argument, const char *path, const char *name,
                                 char **out_problem)
{
    (void)argument, (void)name, (void)out_problem;
    (void)unlink(path);
    return SG_OK;
}

static void remove_folder(const char *folder, bool (*is_ours)(const char *name))
{
    char *problem = NULL;
    (void)each_file(folder, is_ours, remove_one, NULL, &problem);
    (void)rmdir(folder); /* What others have put there stays, and the folder with it. */
    mem_free(problem);
}

/* A backup that is not whole is of no use, and would be in the way of the next. */
static void remove_backup(const char *backup, size_t key_folders_max)
{
    char *keys = mem_format("%s/keys", backup);
    char *images = mem_format("%s/images", backup);
    char *tables = mem_format("%s/data.mdb", backup);
    char *manifest = mem_format("%s/MANIFEST", backup);
    for (size_t i = 1; i <= key_folders_max; i++) {
        char *folder = mem_format("%s/%zu", keys, i);
        remove_folder(folder, is_key_file);
        mem_free(folder);
    }
    (void)rmdir(keys);
    remove_folder(images, is_image);
    (void)unlink(manifest);
    (void)unlink(tables);
    (void)rmdir(backup);
    mem_free(manifest);
    mem_free(tables);
    mem_free(images);
    mem_free(keys);
}

enum sg_result backup_finish(const char *backup, const char *const *folders, size_t count,
                             sg_time now, char **out_problem)
{
    char when[TIME_HUMAN_BYTES];
    struct buffer manifest = BUFFER_EMPTY;
    char *path = mem_format("%s/MANIFEST", backup);
    enum sg_result result = SG_OK;

    time_to_http(now, when);
    buffer_format(&manifest, "%s, %s\n", manifest_title, when);
    for (size_t i = 0; i < count && result == SG_OK; i++) {
        result = copy_keys(backup, folders[i], &manifest, out_problem);
    }
    if (result == SG_OK) {
        result = file_write(path, 0600, buffer_span(&manifest));
        if (result != SG_OK) {
            result = fail(path, out_problem);
        }
    }
    if (result != SG_OK) {
        remove_backup(backup, count);
    }
    buffer_free(&manifest);
    mem_free(path);
    return result;
}

/* --- restore -------------------------------------------------------------------------------- */

struct restoring {
    const struct backup_restore *request;
    uid_t uid; /* of the folders that are made, and of the lock; for root only */
    gid_t gid;
    const char *folder; /* of the keys that are being looked at */
    size_t keys;
    void (*see)(void *argument, const char *folder, size_t keys); /* with count_key() */
    void *argument;
};

/* The server's user, who shall write there again: that of the store that was, or is in the backup.
 */
static enum sg_result find_owner(struct restoring *restoring, char **out_problem)
{
    struct stat status;
    char *tables = mem_format("%s/data.mdb", restoring->request->backup);
    enum sg_result result = SG_OK;
    if (stat(restoring->request->store, &status) == 0 || stat(tables, &status) == 0) {
        restoring->uid = status.st_uid;
        restoring->gid = status.st_gid;
    } else {
        result = fail(tables, out_problem);
    }
    mem_free(tables);
    return result;
}

/* Make a folder and what leads to it; what is new gets the owner. */
static enum sg_result make_folder(const struct restoring *restoring, const char *folder,
                                  char **out_problem)
{
    struct stat status;
    char *path = mem_copy_text(folder);
    enum sg_result result = SG_OK;
    for (char *end = path; end != NULL && result == SG_OK;) {
        end = strchr(end + 1, '/');
        if (end != NULL) {
            *end = '\0';
        }
        if (mkdir(path, FOLDER_MODE) != 0
                ? errno != EEXIST
                : geteuid() == 0 && chown(path, restoring->uid, restoring->gid) != 0) {
            result = fail(path, out_problem);
        }
        if (end != NULL) {
            *end = '/';
        }
    }
    if (result == SG_OK && (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))) {
        errno = ENOTDIR;
        result = fail(folder, out_problem);
    }
    mem_free(path);
    return result;
}

static enum sg_result in_the_way(const struct restoring *restoring, const char *path,
                                 char **out_problem)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        return errno == ENOENT ? SG_OK : fail(path, out_problem);
    }
    if (restoring->request->set_aside == NULL) {
        *out_problem =
            mem_format("'%s' is there already and differs: nothing was changed; -f renames it "
                       "instead",
                       path);
        return SG_EXISTS;
    }
    return SG_OK;
}

static enum sg_result check_key(void *argument, const char *path, const char *name,
                                char **out_problem)
{
    const struct restoring *restoring = argument;
    char *to = mem_format("%s/%s", restoring->folder, name);
    enum sg_result result =
        same_contents(path, to) ? SG_OK : in_the_way(restoring, to, out_problem);
    mem_free(to);
    return result;
}

/* Takes the text. */
static void tell(const struct restoring *restoring, char *text)
{
    if (restoring->request->tell != NULL) {
        restoring->request->tell(restoring->request->argument, text);
    }
    mem_free(text);
}

static enum sg_result set_aside(const struct restoring *restoring, const char *path,
                                char **out_problem)
{
    char *aside = mem_format("%s%s", path, restoring->request->set_aside);
    enum sg_result result = SG_OK;
    if (rename(path, aside) == 0) {
        tell(restoring, mem_format("'%s' was in the way and is '%s' now", path, aside));
    } else if (errno != ENOENT) {
        result = fail(path, out_problem);
    }
    mem_free(aside);
    return result;
}

static enum sg_result restore_key(void *argument, const char *path, const char *name,
                                  char **out_problem)
{
    struct restoring *restoring = argument;
    char *to = mem_format("%s/%s", restoring->folder, name);
    enum sg_result result = SG_OK;
    restoring->keys += ends_with(name, ".key");
    if (!same_contents(path, to)) {
        if (restoring->request->set_aside != NULL) {
            result = set_aside(restoring, to, out_problem);
        }
        if (result == SG_OK) {
            result = copy_file(path, to, out_problem);
        }
    }
    mem_free(to);
    return result;
}

static enum sg_result count_key(void *argument, const char *path, const char *name,
                                char **out_problem)
{
    struct restoring *restoring = argument;
    (void)path, (void)out_problem;
    restoring->keys += ends_with(name, ".key");
    return SG_OK;
}

/* Each "keys/N FOLDER" of the manifest. */
static enum sg_result each_key(struct restoring *restoring, const struct buffer *manifest,
                               per_file *see, char **out_problem)
{
    char *text = mem_copy_text(buffer_text((struct buffer *)(uintptr_t)manifest));
    enum sg_result result = SG_OK;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && result == SG_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        char *folder = strchr(line, ' ');
        if (strncmp(line, "keys/", 5) != 0 || folder == NULL || strstr(line, "..") == line + 5) {
            continue;
        }
        *folder++ = '\0';
        char *from = mem_format("%s/%s", restoring->request->backup, line);
        restoring->folder = folder;
        bool writes = see == restore_key;
        size_t before = restoring->keys;
        if (writes) {
            result = make_folder(restoring, folder, out_problem);
        }
        if (result == SG_OK) {
            result = each_file(from, is_key_file, see, restoring, out_problem);
        }
        if (result == SG_OK && writes) {
            result = sync_folder(folder, out_problem);
        }
        if (result == SG_OK && writes) {
            tell(restoring, mem_format("%zu keys are in '%s'", restoring->keys - before, folder));
        }
        if (result == SG_OK && see == count_key) {
            restoring->see(restoring->argument, folder, restoring->keys - before);
        }
        mem_free(from);
    }
    mem_free(text);
    return result;
}

static enum sg_result read_manifest(const char *backup, struct buffer *out_manifest,
                                    char **out_problem)
{
    char *path = mem_format("%s/MANIFEST", backup);
    char *tables = mem_format("%s/data.mdb", backup);
    enum sg_result result = file_read(path, MANIFEST_BYTES_MAX, out_manifest);
    if (result == SG_OK &&
        (access(tables, R_OK) != 0 ||
         strncmp(buffer_text(out_manifest), manifest_title, strlen(manifest_title)) != 0)) {
        result = SG_NOT_FOUND;
    }
    if (result != SG_OK) {
        *out_problem =
            mem_format("'%s' is not a whole backup: '%s': %s; name a folder that `signet "
                       "backup` has made",
                       backup, access(path, R_OK) != 0 ? path : tables, sg_result_text(result));
    }
    mem_free(tables);
    mem_free(path);
    return result;
}

enum sg_result backup_key_folders(const char *backup,
                                  void (*see)(void *argument, const char *folder, size_t keys),
                                  void *argument, char **out_problem)
{
    const struct backup_restore request = {.backup = backup};
    struct restoring restoring = {.request = &request, .see = see, .argument = argument};
    struct buffer manifest = BUFFER_EMPTY;
    enum sg_result result = read_manifest(backup, &manifest, out_problem);
    if (result == SG_OK) {
        result = each_key(&restoring, &manifest, count_key, out_problem);
    }
    buffer_free(&manifest);
    return result;
}

/* A server on that store holds this lock; we hold it so that none begins meanwhile. */
static enum sg_result lock(const struct restoring *restoring, int *out_fd, char **out_problem)
{
    const char *store = restoring->request->store;
    enum sg_result result = store_lock_take(store, out_fd, out_problem);
    if (result == SG_EXISTS) {
        mem_free(*out_problem);
        *out_problem = mem_format("a server is running on '%s': stop it first", store);
        result = SG_CONFLICT;
    } else if (result == SG_OK && geteuid() == 0 &&
               fchown(*out_fd, restoring->uid, restoring->gid) != 0) {
        result = fail(store, out_problem);
    }
    return result;
}

/* Before the tables: a store that comes back is never without it. */
static enum sg_result mark_restored(const char *store, char **out_problem)
{
    char *mark = mem_format("%s/" BACKUP_RESTORED_MARK, store);
    enum sg_result result = file_write(mark, 0644, (struct span){NULL, 0});
    if (result != SG_OK) {
        *out_problem = mem_format("'%s': %s", mark, sg_result_text(result));
    }
    mem_free(mark);
    return result;
}

static enum sg_result restore_store(struct restoring *restoring, char **out_problem)
{
    const struct backup_restore *request = restoring->request;
    char *images = mem_format("%s/images", request->store);
    char *from_images = mem_format("%s/images", request->backup);
    char *tables = mem_format("%s/data.mdb", request->store);
    char *from_tables = mem_format("%s/data.mdb", request->backup);
    char *locks = mem_format("%s/lock.mdb", request->store);
    enum sg_result result = SG_OK;
    if (request->set_aside != NULL) {
        result = set_aside(restoring, tables, out_problem);
        result = result == SG_OK ? set_aside(restoring, images, out_problem) : result;
    }
    if (result == SG_OK) {
        result = make_folder(restoring, images, out_problem);
    }
    if (result == SG_OK) {
        result = each_file(from_images, is_image, copy_into, images, out_problem);
    }
    if (result == SG_OK) {
        result = sync_folder(images, out_problem);
    }
    if (result == SG_OK) {
        result = mark_restored(request->store, out_problem);
    }
    if (result == SG_OK) {
        (void)unlink(locks); /* of the store that was */
        result = copy_file(from_tables, tables, out_problem);
    }
    if (result == SG_OK) {
        result = sync_folder(request->store, out_problem);
    }
    mem_free(locks);
    mem_free(from_tables);
    mem_free(tables);
    mem_free(from_images);
    mem_free(images);
    return result;
}

static enum sg_result check_store(const struct restoring *restoring, char **out_problem)
{
    char *tables = mem_format("%s/data.mdb", restoring->request->store);
    enum sg_result result = in_the_way(restoring, tables, out_problem);
    mem_free(tables);
    return result;
}

enum sg_result backup_restore(const struct backup_restore *request, size_t *out_keys,
                              char **out_problem)
{
    struct restoring restoring = {.request = request};
    struct buffer manifest = BUFFER_EMPTY;
    int lock_fd = -1;
    enum sg_result result = read_manifest(request->backup, &manifest, out_problem);
    if (result == SG_OK) {
        result = find_owner(&restoring, out_problem);
    }
    if (result == SG_OK) {
        result = make_folder(&restoring, request->store, out_problem);
    }
    if (result == SG_OK) {
        result = lock(&restoring, &lock_fd, out_problem);
    }
    if (result == SG_OK) {
        result = check_store(&restoring, out_problem);
    }
    if (result == SG_OK) {
        result = each_key(&restoring, &manifest, check_key, out_problem);
    }
    if (result == SG_OK) {
        result = each_key(&restoring, &manifest, restore_key, out_problem);
    }
    if (result == SG_OK) {
        result = restore_store(&restoring, out_problem);
    }
    if (result == SG_OK) {
        *out_keys = restoring.keys;
    }
    if (lock_fd >= 0) {
        close(lock_fd);
    }
    buffer_free(&manifest);
    return result;
}
