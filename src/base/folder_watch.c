#include "base/folder_watch.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    EVENTS_BYTES = 16384, /* some hundred events a call */
    READS_MAX = 4096,     /* far beyond what the kernel queues */
};

/* Those that <linux/magic.h> does not have. */
#define MAGIC_ZFS      0x2fc12fc1
#define MAGIC_BCACHEFS 0xca451a4e
#define MAGIC_XFS      0x58465342

struct folder_watch {
    char *path;
    dev_t device; /* the folder that had the path when the watch began */
    ino_t inode;
    int fd;
};

/* A server that exports a folder, or a program behind FUSE, changes it without the kernel's
 * knowing. */
static bool is_local(const char *path)
{
    struct statfs status;
    if (statfs(path, &status) != 0) {
        return false;
    }
    switch ((uint32_t)status.f_type) {
    case EXT4_SUPER_MAGIC: /* and ext2, ext3 */
    case MAGIC_XFS:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case MAGIC_ZFS:
    case MAGIC_BCACHEFS:
        return true;
    default:
        return false;
    }
}

static enum sg_result result_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return SG_NOT_FOUND;
    case EACCES:
        return SG_DENIED;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case ENOSYS:
        return SG_UNSUPPORTED;
    default:
        return SG_IO;
    }
}

enum sg_result folder_watch_new(const char *path, struct folder_watch **out_watch)
{
    static const uint32_t events =
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
    struct stat status;
    if (!is_local(path)) {
        return SG_UNSUPPORTED;
    }
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        return result_of_errno();
    }
    /* Taken before the watch begins: a folder that is replaced in between has another inode. */
    if (stat(path, &status) != 0 || inotify_add_watch(fd, path, events) < 0) {
        enum sg_result result = result_of_errno();
        close(fd);
        return result;
    }
    struct folder_watch *watch = mem_alloc(sizeof(*watch));
    *watch = (struct folder_watch){mem_copy_text(path), status.st_dev, status.st_ino, fd};
    *out_watch = watch;
    return SG_OK;
}

void folder_watch_free(struct folder_watch *watch)
{
    if (watch != NULL) {
        close(watch->fd);
        mem_free(watch->path);
        mem_free(watch);
    }
}

/* False: the kernel has lost some. */
static bool tell_all(const char *events, size_t length, folder_watch_tell *tell, void *argument)
{
    for (size_t at = 0; at < length;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);
        at += sizeof(*event) + event->len;
        if ((event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT)) != 0) {
            return false;
        }
        if (event->len > 0) {
            tell(argument, event->name, (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0);
        }
    }
    return true;
}

enum sg_result folder_watch_take(struct folder_watch *watch, folder_watch_tell *tell,
                                 void *argument)
{
    _Alignas(struct inotify_event) char events[EVENTS_BYTES];
    struct stat status;
    if (stat(watch->path, &status) != 0 || status.st_dev != watch->device ||
        status.st_ino != watch->inode) {
        return SG_LIMIT;
    }
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t length = read(watch->fd, events, sizeof(events));
        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length <= 0) {
            return length < 0 && errno == EAGAIN ? SG_OK : SG_LIMIT;
        }
        if (!tell_all(events, (size_t)length, tell, argument)) {
            return SG_LIMIT;
        }
    }
    return SG_LIMIT; /* Somebody changes it faster than it can be told. */
}
