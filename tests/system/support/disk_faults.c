/*
 * support/disk_faults.c - the disk of a server under test fails, or the server dies, at the n-th
 * write; LD_PRELOAD. Counts what changes regular files (not those that are open as 0 to 2, which
 * are the log). support/disk_faults.py builds it and shares a file with it that says when.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { NONE, FAIL_EIO, FAIL_ENOSPC, WRITE_HALF, DIE_BEFORE, DIE_AFTER, FAIL_EROFS };

/* As support/disk_faults.py packs it. */
struct faults {
    _Atomic uint64_t calls; /* so far */
    _Atomic uint64_t first; /* number of the first call that fails */
    _Atomic uint64_t count; /* that many do */
    _Atomic uint64_t how;
    _Atomic uint64_t fired; /* that many have */
};

static struct faults *faults;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DISK_FAULTS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) {
        abort(); /* a test that tests nothing */
    }
    faults = shared;
    close(fd);
}

static enum how count_call(void)
{
    if (faults == NULL) {
        return NONE;
    }
    uint64_t number = atomic_fetch_add(&faults->calls, 1) + 1;
    uint64_t first = atomic_load(&faults->first);
    if (first == 0 || number < first || number - first >= atomic_load(&faults->count)) {
        return NONE;
    }
    atomic_fetch_add(&faults->fired, 1);
    enum how how = (enum how)atomic_load(&faults->how);
    if (how == DIE_BEFORE) {
        raise(SIGKILL);
    }
    return how;
}

static enum how count_file(int fd)
{
    struct stat status;
    if (fd <= STDERR_FILENO || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return NONE;
    }
    return count_call();
}

static void end(enum how how)
{
    if (how == DIE_AFTER) {
        raise(SIGKILL);
    }
}

static bool fails(enum how how)
{
    if (how == FAIL_ENOSPC || how == FAIL_EIO || how == FAIL_EROFS) {
        errno = how == FAIL_ENOSPC ? ENOSPC : how == FAIL_EIO ? EIO : EROFS;
        return true;
    }
    return false;
}

/* The kernel has made the file system read-only (errors=remount-ro): what is open can no longer be
 * written, and nothing can be opened for it. Not counted. */
static bool is_read_only(void)
{
    return faults != NULL && atomic_load(&faults->how) == FAIL_EROFS &&
           atomic_load(&faults->first) != 0 &&
           atomic_load(&faults->calls) + 1 >= atomic_load(&faults->first);
}

#define REAL(name)                                                                                 \
    static __typeof__(&name) real_##name;                                                          \
    real_##name = real_##name != NULL ? real_##name : (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* Opens of devices and for reading are as ever. */
#define WRAP_OPEN(name, parameters, path, arguments)                                               \
    int name parameters                                                                            \
    {                                                                                              \
        REAL(name);                                                                                \
        mode_t mode = 0;                                                                           \
        if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {                                              \
            va_list more;                                                                          \
            va_start(more, flags);                                                                 \
            mode = va_arg(more, mode_t);                                                           \
            va_end(more);                                                                          \
        }                                                                                          \
        if ((flags & (O_ACCMODE | O_CREAT)) != O_RDONLY && is_read_only() &&                       \
            strncmp(path, "/dev/", 5) != 0) {                                                      \
            errno = EROFS;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        return real_##name arguments;                                                              \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), path, (path, flags, mode))
WRAP_OPEN(open64, (const char *path, int flags, ...), path, (path, flags, mode))
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), path, (folder, path, flags, mode))
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), path,
          (folder, path, flags, mode))

ssize_t write(int fd, const void *bytes, size_t length)
{
    REAL(write);
    enum how how = count_file(fd);
    if (fails(how)) {
        return -1;
    }
    ssize_t put = real_write(fd, bytes, how == WRITE_HALF && length > 1 ? length / 2 : length);
    end(how);
    return put;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    REAL(pwrite);
    enum how how = count_file(fd);
    if (fails(how)) {
        return -1;
    }
    ssize_t put = real_pwrite(fd, bytes, how == WRITE_HALF && length > 1 ? length / 2 : length, at);
    end(how);
    return put;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    enum how how = count_file(fd);
    if (fails(how)) {
        return -1;
    }
    ssize_t put =
        how == WRITE_HALF ? real_writev(fd, parts, (count + 1) / 2) : real_writev(fd, parts, count);
    end(how);
    return put;
}

/* What returns 0 or -1. `counted` is how the call counts. */
#define WRAP(counted, name, parameters, arguments)                                                 \
    int name parameters                                                                            \
    {                                                                                              \
        REAL(name);                                                                                \
        enum how how = counted;                                                                    \
        if (fails(how == WRITE_HALF ? FAIL_EIO : how)) {                                           \
            return -1;                                                                             \
        }                                                                                          \
        int result = real_##name arguments;                                                        \
        end(how);                                                                                  \
        return result;                                                                             \
    }

WRAP(count_file(fd), fsync, (int fd), (fd))
WRAP(count_file(fd), fdatasync, (int fd), (fd))
WRAP(count_file(fd), ftruncate, (int fd, off_t length), (fd, length))
WRAP(count_call(), syncfs, (int fd), (fd))
WRAP(count_call(), msync, (void *address, size_t length, int flags), (address, length, flags))
WRAP(count_call(), rename, (const char *from, const char *to), (from, to))
WRAP(count_call(), renameat, (int from_folder, const char *from, int to_folder, const char *to),
     (from_folder, from, to_folder, to))
WRAP(count_call(), renameat2,
     (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
     (from_folder, from, to_folder, to, flags))
WRAP(count_call(), linkat,
     (int from_folder, const char *from, int to_folder, const char *to, int flags),
     (from_folder, from, to_folder, to, flags))
