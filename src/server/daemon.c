#include "server/daemon.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/time.h"

enum { PID_FILE_MODE = 0644, FOLDER_MODE = 0755 };

/* One process, one parent that waits: the write end of its pipe, or -1. */
static int parent_fd = -1;
static bool detached;
static bool said_running;

/* For the parent alone, between fork and exit. */
static pid_t child_pid;

static void hand_on_signal(int number)
{
    (void)kill(child_pid, number); /* async-signal-safe */
}

/* The parent's whole remaining life. */
_Noreturn static void parent_wait(int status_fd)
{
    struct sigaction action = {.sa_handler = hand_on_signal};
    char byte = 0;
    ssize_t got;
    int status = 0;

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    do {
        got = read(status_fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1) {
        _exit(EXIT_SUCCESS);
    }
    /* The pipe was closed without a word: the child has ended, or is about to. */
    while (waitpid(child_pid, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static void leave_terminal(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd < 0) {
        return; /* In a chroot without /dev: what is open stays open. */
    }
    (void)dup2(null_fd, STDIN_FILENO);
    (void)dup2(null_fd, STDOUT_FILENO);
    (void)dup2(null_fd, STDERR_FILENO);
    if (null_fd > STDERR_FILENO) {
        close(null_fd);
    }
}

static enum sg_result lock_pid_file(int fd, pid_t *out_owner)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &lock) == 0) {
        return SG_OK;
    }
    if (errno != EACCES && errno != EAGAIN) {
        return SG_IO;
    }
    *out_owner = 0;
    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
        *out_owner = lock.l_pid;
    }
    return SG_EXISTS;
}

enum sg_result daemon_user_find(const char *name, struct daemon_user *out_user)
{
    char *end = NULL;
    const struct passwd *entry = getpwnam(name);

    if (entry == NULL) {
        unsigned long number = strtoul(name, &end, 10);
        if (end == name || *end != '\0' || number > UINT32_MAX) {
            return SG_NOT_FOUND;
        }
        entry = getpwuid((uid_t)number);
    }
    if (entry == NULL || strlen(entry->pw_name) >= sizeof(out_user->name)) {
        return SG_NOT_FOUND;
    }
    out_user->uid = entry->pw_uid;
    out_user->gid = entry->pw_gid;
    memcpy(out_user->name, entry->pw_name, strlen(entry->pw_name) + 1);
    return SG_OK;
}

enum sg_result daemon_chroot(const char *folder)
{
    tzset(); /* Local time in the log needs /etc/localtime. */
    return chroot(folder) == 0 && chdir("/") == 0 ? SG_OK : SG_IO;
}

enum sg_result daemon_detach(void)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return SG_IO;
    }
    fflush(NULL);
    child_pid = fork();
    if (child_pid < 0) {
        close(fds[0]);
        close(fds[1]);
        return SG_IO;
    }
    if (child_pid > 0) {
        close(fds[1]);
        parent_wait(fds[0]);
    }
    close(fds[0]);
    parent_fd = fds[1];
    detached = true;
    return setsid() < 0 ? SG_IO : SG_OK;
}

void daemon_running(void)
{
    if (said_running) {
        return;
    }
    said_running = true;
    (void)sd_notifyf(0, "READY=1\nMAINPID=%lu", (unsigned long)getpid());
    if (!detached) {
        return;
    }
    leave_terminal();
    ssize_t written = write(parent_fd, "", 1);
    (void)written; /* A parent that was killed waits for nothing. */
    close(parent_fd);
    parent_fd = -1;
}

void daemon_reloading(void)
{
    unsigned long long now_us = time_monotonic_ns() / 1000;

    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", now_us);
}

void daemon_reloaded(void)
{
    (void)sd_notify(0, "READY=1");
}

void daemon_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

enum sg_result daemon_become(const struct daemon_user *user)
{
    capng_flags_t flags = CAPNG_INIT_SUPP_GRP;

    if (geteuid() != 0) {
        /* Nothing to give up; asking for oneself is no error, for another it is. */
        return geteuid() == user->uid ? SG_OK : SG_DENIED;
    }
    if (capng_get_caps_process() != 0) {
        return SG_DENIED;
    }
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0) {
        flags |= CAPNG_CLEAR_BOUNDING;
    }
    bool may_bind = capng_have_capability(CAPNG_PERMITTED, CAP_NET_BIND_SERVICE) != 0;
    capng_clear(CAPNG_SELECT_CAPS);
    if (may_bind) {
        (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_BIND_SERVICE);
    }
    if (capng_change_id((int)user->uid, (int)user->gid, flags) != 0) {
        return SG_DENIED;
    }
    /* A way back to root would be a hole that nobody notices. */
    return user->uid == 0 || setuid(0) != 0 ? SG_OK : SG_DENIED;
}

void daemon_forbid_core(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    /* Where core_pattern is a pipe the limit is not looked at. LeakSanitizer has to trace us. */
#if !defined(__SANITIZE_ADDRESS__)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

enum sg_result daemon_own_folder(const char *folder, const struct daemon_user *user)
{
    struct stat status;

    if (stat(folder, &status) == 0) {
        return S_ISDIR(status.st_mode) ? SG_OK : SG_CONFLICT;
    }
    enum sg_result result = file_make_folder(folder, FOLDER_MODE);
    if (result == SG_OK && user != NULL && geteuid() == 0 &&
        chown(folder, user->uid, user->gid) != 0) {
        result = SG_IO;
    }
    return result;
}

enum sg_result daemon_own_folder_of(const char *path, const struct daemon_user *user)
{
    char *folder = mem_copy_text(path);
    char *slash = strrchr(folder, '/');
    enum sg_result result = SG_OK;

    if (slash != NULL && slash != folder) {
        *slash = '\0';
        result = daemon_own_folder(folder, user);
    }
    mem_free(folder);
    return result;
}

enum sg_result daemon_pid_file_take(const char *path, struct daemon_pid_file *out_file,
                                    pid_t *out_owner)
{
    struct stat status;
    char text[32];

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return SG_CONFLICT;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PID_FILE_MODE);
    if (fd < 0) {
        return errno == EACCES || errno == EPERM ? SG_DENIED : SG_IO;
    }
    enum sg_result result = lock_pid_file(fd, out_owner);
    if (result != SG_OK) {
        goto out;
    }
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)length) != length) {
        result = SG_IO;
        goto out;
    }
    out_file->path = mem_copy_text(path);
    out_file->fd = fd;
    fd = -1;

out:
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return result;
}

void daemon_pid_file_drop(struct daemon_pid_file *file)
{
    if (file->path == NULL) {
        return;
    }
    /* Removed before it is unlocked: nobody may find it and take it for a stale one. */
    (void)unlink(file->path);
    close(file->fd);
    mem_free(file->path);
    *file = (struct daemon_pid_file){NULL, -1};
}
