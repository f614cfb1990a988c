#include "store/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/image_file.h"

/* For the message to the next one alone: on a full disk it may stay empty. */
static void write_owner(int fd, const char *path)
{
    char owner[32];
    int length = snprintf(owner, sizeof(owner), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, owner, (size_t)length, 0) != length) {
        log_write(LOG_GENERAL, SEVERITY_DEBUG, "lock file '%s' not written", path);
    }
}

static long read_owner(int fd)
{
    char owner[32] = {0};
    return pread(fd, owner, sizeof(owner) - 1, 0) > 0 ? strtol(owner, NULL, 10) : 0;
}

enum sg_result store_lock_take(const char *folder, int *out_fd, char **out_problem)
{
    char *path = mem_format("%s/signetd.lock", folder);
    enum sg_result result = SG_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EROFS) {
        fd = open(path, O_RDONLY | O_CLOEXEC); /* that is enough for a lock */
    }
    if (fd < 0) {
        result = errno == EACCES || errno == EPERM ? SG_DENIED : image_file_result(errno);
        *out_problem =
            mem_format("cannot open '%s': %s%s", path, strerror(errno),
                       errno == EACCES
                           ? "; the server's user must own it (chown) and may write it (chmod u+rw)"
                           : "");
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        result = SG_EXISTS;
        *out_problem = mem_format("another server is running: process %ld holds the lock '%s'",
                                  read_owner(fd), path);
        close(fd);
        fd = -1;
    } else {
        write_owner(fd, path);
    }
    mem_free(path);
    *out_fd = fd;
    return result;
}
