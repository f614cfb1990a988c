/*
 * server/daemon.h - what makes a process a daemon: background, user, pid-file, word to systemd
 *
 *   main: daemon_chroot -> daemon_detach -> [read the configuration, bind] -> daemon_become
 *         -> daemon_pid_file_take -> ... -> daemon_running ... -> daemon_pid_file_drop
 *
 * The parent of daemon_detach() exits with 0 only after daemon_running() in the child, so that
 * whoever started the server knows that it answers. Thread: main, before others start, except
 * where said.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/result.h"

struct daemon_user {
    uid_t uid;
    gid_t gid;
    char name[64]; /* for the supplementary groups */
};

/* A name or a number. SG_NOT_FOUND. */
MUST_USE enum sg_result daemon_user_find(const char *name, struct daemon_user *out_user);

/* The folder becomes "/", also for every path of the configuration. SG_IO: errno tells. */
MUST_USE enum sg_result daemon_chroot(const char *folder);

/*
 * Go into the background: returns in a child with a session of its own. The parent waits for
 * daemon_running(), hands SIGINT and SIGTERM on to the child, and never returns. SG_IO: errno.
 */
MUST_USE enum sg_result daemon_detach(void);
/*
 * The server answers. Ends the parent's wait and leaves the terminal, and tells systemd. May be
 * called again (after a reload): only the first time counts.
 */
void daemon_running(void);
/* Thread: keeper. What systemd shows in between: sd_notify(3). */
void daemon_reloading(void);
void daemon_reloaded(void);
void daemon_stopping(void);

/*
 * Become `user` for good: groups, group, user. Of root's capabilities nothing is kept but
 * CAP_NET_BIND_SERVICE, for addresses that a reload adds. SG_DENIED when the kernel refuses.
 */
MUST_USE enum sg_result daemon_become(const struct daemon_user *user);

/* No core file may ever show a private key. */
void daemon_forbid_core(void);

/*
 * Make the folder of a path if it is missing, and give it to `user` (NULL: to nobody else).
 * Existing folders are left as they are. SG_DENIED, SG_IO: errno tells.
 */
MUST_USE enum sg_result daemon_own_folder(const char *folder, const struct daemon_user *user);
MUST_USE enum sg_result daemon_own_folder_of(const char *path, const struct daemon_user *user);

/*
 * Write our process id into `path` and hold a lock on it until daemon_pid_file_drop(): a file
 * without a lock is stale and is overwritten. SG_EXISTS: the process `out_owner` (0: not known)
 * holds it. SG_CONFLICT: something other than a file is there. SG_DENIED, SG_IO: errno tells.
 */
struct daemon_pid_file {
    char *path; /* NULL: none */
    int fd;
};
MUST_USE enum sg_result daemon_pid_file_take(const char *path, struct daemon_pid_file *out_file,
                                             pid_t *out_owner);
/* Remove the file. Thread: keeper. */
void daemon_pid_file_drop(struct daemon_pid_file *file);
