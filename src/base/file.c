#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_BYTES = 4096 }; /* at least, where the size is not known */

static enum sg_result result_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return SG_NOT_FOUND;
    case EACCES:
    case EPERM:
        return SG_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SG_NO_SPACE;
    default:
        return SG_IO;
    }
}

static enum sg_result read_all(int fd, size_t bytes_max, struct buffer *out)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return SG_IO;
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return SG_IO;
    }
    if (status.st_size > 0 && (uint64_t)status.st_size > bytes_max) {
        return SG_LIMIT;
    }
    size_t size = S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
    for (size_t more = size > 0 ? size + 1 : READ_BYTES;; more = READ_BYTES) {
        buffer_reserve(out, more);
        size_t room = out->capacity - out->length - 1;
        ssize_t got = read(fd, out->bytes + out->length, room);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return SG_IO;
        }
        if (got == 0) {
            return SG_OK;
        }
        out->length += (size_t)got;
        if (out->length > bytes_max) {
            return SG_LIMIT;
        }
        /* All of it, and nothing behind it. A file that has grown since fstat fills the room, one
         * that has shrunk stays below its size, and pipes and /proc have none: these go on. */
        if (size > 0 && out->length >= size && (size_t)got < room) {
            return SG_OK;
        }
    }
}

enum sg_result file_read(const char *path, size_t bytes_max, struct buffer *out_contents)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return result_of_errno();
    }
    struct buffer contents = BUFFER_EMPTY;
    enum sg_result result = read_all(fd, bytes_max, &contents);
    int saved = errno;
    close(fd);
    if (result != SG_OK) {
        buffer_wipe(&contents); /* it may be a key file */
        errno = saved;
        return result;
    }
    *out_contents = contents;
    return SG_OK;
}

static bool write_all(int fd, struct span contents)
{
    while (contents.length > 0) {
        ssize_t put = write(fd, contents.bytes, contents.length);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        contents.bytes += put;
        contents.length -= (size_t)put;
    }
    return true;
}

enum sg_result file_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return result_of_errno();
    }
    /* EINVAL: the file system knows no sync of folders. */
    enum sg_result result = fsync(fd) == 0 || errno == EINVAL ? SG_OK : result_of_errno();
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

static enum sg_result sync_folder_of(const char *path)
{
    char *folder = mem_copy_text(path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        strcpy(folder, ".");
    } else {
        slash[slash == folder ? 1 : 0] = 0;
    }
    enum sg_result result = file_sync_folder(folder);
    mem_free(folder);
    return result;
}

static enum sg_result replace(const char *path, mode_t mode, struct span contents, bool synced)
{
    char *temporary = mem_format("%s.XXXXXX", path);
    enum sg_result result = SG_OK;
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 until the contents are right */
    if (fd < 0) {
        result = result_of_errno();
        goto out;
    }
    if (!write_all(fd, contents) || fchmod(fd, mode) != 0 || (synced && fsync(fd) != 0)) {
        result = result_of_errno();
    }
    int failed = errno;
    if (close(fd) != 0 && result == SG_OK) {
        result = result_of_errno();
        failed = errno;
    }
    errno = failed;
    if (result == SG_OK && rename(temporary, path) != 0) {
        result = result_of_errno();
    }
    if (result != SG_OK) {
        int saved = errno;
        unlink(temporary);
        errno = saved;
        goto out;
    }
    if (synced) {
        result = sync_folder_of(path);
    }

out:
    mem_free(temporary);
    return result;
}

enum sg_result file_write(const char *path, mode_t mode, struct span contents)
{
    return replace(path, mode, contents, true);
}

enum sg_result file_write_unsynced(const char *path, mode_t mode, struct span contents)
{
    return replace(path, mode, contents, false);
}

enum sg_result file_write_bare(const char *path, int flags, mode_t mode, struct span contents)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0) {
        return result_of_errno();
    }
    bool written = write_all(fd, contents) && fchmod(fd, mode) == 0;
    int failed = errno;
    if (close(fd) != 0 && written) {
        written = false;
        failed = errno;
    }
    if (!written && (flags & O_EXCL) != 0) {
        unlink(path);
    }
    errno = failed;
    return written ? SG_OK : result_of_errno();
}

bool file_is_same(const char *path, const char *other)
{
    struct stat status, others;
    return stat(path, &status) == 0 && stat(other, &others) == 0 &&
           status.st_dev == others.st_dev && status.st_ino == others.st_ino;
}

void *file_find_map(int fd, size_t bytes)
{
    struct stat file;
    unsigned long start, end, inode;
    void *map = NULL;
    FILE *maps = fstat(fd, &file) == 0 ? fopen("/proc/self/maps", "re") : NULL;
    if (maps == NULL) {
        return NULL;
    }
    /* 7f2c00000000-7f2c04000000 r--s 00000000 fd:01 1311 /var/lib/signet/data.mdb */
    while (fscanf(maps, "%lx-%lx %*s %*s %*s %lu%*[^\n]", &start, &end, &inode) == 3) {
        if (inode == file.st_ino && end - start == bytes) {
            map = (void *)start;
        }
    }
    fclose(maps);
    return map;
}

/* Its name is durable too, unless the folder that has it may not be read. */
static enum sg_result make_one_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) != 0) {
        return errno == EEXIST ? SG_OK : result_of_errno();
    }
    enum sg_result result = sync_folder_of(path);
    return result == SG_DENIED ? SG_OK : result;
}

enum sg_result file_make_folder(const char *path, mode_t mode)
{
    char *partial = mem_copy_text(path);
    enum sg_result result = SG_OK;
    for (char *at = partial + 1; *partial != 0 && result == SG_OK; at++) {
        bool whole = *at == 0;
        if (!whole && *at != '/') {
            continue;
        }
        *at = 0;
        result = make_one_folder(partial, mode);
        if (whole) {
            break;
        }
        *at = '/';
    }
    struct stat status;
    if (result == SG_OK && (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))) {
        errno = ENOTDIR;
        result = SG_IO;
    }
    mem_free(partial);
    return result;
}
