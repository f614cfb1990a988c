#include "store/image_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    NAME_LENGTH = 16 + 1 + 16,
    COPY_BYTES = 1 << 16,
    FLUSH_BYTES = 8 << 20, /* see image_file_append() */
};
static const char partial_suffix[] = ".partial";

struct store_image {
    int fd;
    int folder_fd;
    char name[NAME_LENGTH + sizeof(partial_suffix)]; /* with the suffix while it is written */
    uint64_t written, flushed;
    enum sg_result failed;
};

enum sg_result image_file_result(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? SG_NO_SPACE : SG_IO;
}

static void name_image(char out_name[NAME_LENGTH + 1], uint64_t zone, uint64_t commit)
{
    snprintf(out_name, NAME_LENGTH + 1, "%016" PRIx64 "-%016" PRIx64, zone, commit);
}

static int open_folder(const char *folder)
{
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void image_free(struct store_image *image)
{
    int saved = errno;
    if (image->fd >= 0) {
        close(image->fd);
    }
    if (image->folder_fd >= 0) {
        close(image->folder_fd);
    }
    mem_free(image);
    errno = saved;
}

static enum sg_result image_new(const char *folder, uint64_t zone, uint64_t commit, bool writing,
                                struct store_image **out_image)
{
    struct store_image *image = mem_alloc_zero(1, sizeof(*image));
    name_image(image->name, zone, commit);
    image->fd = -1;
    image->folder_fd = open_folder(folder);
    if (writing) {
        strcat(image->name, partial_suffix);
    }
    if (image->folder_fd >= 0) {
        int flags = writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
        image->fd = openat(image->folder_fd, image->name, flags | O_CLOEXEC, 0600);
    }
    if (image->fd < 0) {
        enum sg_result result = errno == ENOENT ? SG_NOT_FOUND : image_file_result(errno);
        image_free(image);
        return result;
    }
    *out_image = image;
    return SG_OK;
}

enum sg_result image_file_create(const char *folder, uint64_t zone, uint64_t commit,
                                 struct store_image **out_image)
{
    enum sg_result result = image_new(folder, zone, commit, true, out_image);
    return result == SG_NOT_FOUND ? SG_IO : result; /* there it is the folder that is missing */
}

enum sg_result image_file_append(struct store_image *image, struct span bytes)
{
    while (bytes.length > 0 && image->failed == SG_OK) {
        ssize_t put = write(image->fd, bytes.bytes, bytes.length);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            image->failed = image_file_result(errno);
            break;
        }
        bytes.bytes += put;
        bytes.length -= (size_t)put;
        image->written += (uint64_t)put;
    }
    /* Begin to write what was gathered: were all left to the sync at the end, commits of other
     * zones, which share the file system's journal, would wait for it. */
    if (image->failed == SG_OK && image->written - image->flushed >= FLUSH_BYTES) {
        sync_file_range(image->fd, (off_t)image->flushed, (off_t)(image->written - image->flushed),
                        SYNC_FILE_RANGE_WRITE);
        image->flushed = image->written;
    }
    return image->failed;
}

static enum sg_result keep_image(struct store_image *image)
{
    char name[NAME_LENGTH + 1];
    memcpy(name, image->name, NAME_LENGTH);
    name[NAME_LENGTH] = 0;
    if (fsync(image->fd) != 0 ||
        renameat(image->folder_fd, image->name, image->folder_fd, name) != 0) {
        return image_file_result(errno);
    }
    if (fsync(image->folder_fd) != 0) {
        enum sg_result result = image_file_result(errno);
        unlinkat(image->folder_fd, name, 0);
        return result;
    }
    return SG_OK;
}

enum sg_result image_file_finish(struct store_image *image, bool keep)
{
    enum sg_result result = image->failed;
    if (keep && result == SG_OK) {
        result = keep_image(image);
    }
    if (!keep || result != SG_OK) {
        unlinkat(image->folder_fd, image->name, 0);
    }
    image_free(image);
    return keep ? result : SG_OK;
}

enum sg_result image_file_open(const char *folder, uint64_t zone, uint64_t commit,
                               struct store_image **out_image)
{
    return image_new(folder, zone, commit, false, out_image);
}

size_t image_file_read(struct store_image *image, uint8_t *out_bytes, size_t bytes_max)
{
    for (;;) {
        ssize_t got = read(image->fd, out_bytes, bytes_max);
        if (got >= 0) {
            return (size_t)got;
        }
        if (errno != EINTR) {
            return SIZE_MAX;
        }
    }
}

void image_file_close(struct store_image *image)
{
    if (image != NULL) {
        image_free(image);
    }
}

void image_file_remove(const char *folder, uint64_t zone, uint64_t commit)
{
    char name[NAME_LENGTH + 1];
    name_image(name, zone, commit);
    int folder_fd = open_folder(folder);
    if (folder_fd >= 0) {
        unlinkat(folder_fd, name, 0); /* what is left behind is swept when the store opens */
        close(folder_fd);
    }
}

static enum sg_result copy_bytes(struct store_image *from, struct store_image *to)
{
    uint8_t *bytes = mem_alloc(COPY_BYTES);
    enum sg_result result = SG_OK;
    size_t got = 1;
    while (result == SG_OK && got > 0) {
        got = image_file_read(from, bytes, COPY_BYTES);
        result = got == SIZE_MAX ? SG_IO : image_file_append(to, (struct span){bytes, got});
    }
    mem_free(bytes);
    return result;
}

enum sg_result image_file_copy(const char *folder, const char *to_folder, uint64_t zone,
                               uint64_t commit)
{
    struct store_image *from = NULL;
    struct store_image *to = NULL;
    enum sg_result result = image_file_open(folder, zone, commit, &from);
    if (result != SG_OK) {
        return result;
    }
    result = image_file_create(to_folder, zone, commit, &to);
    if (result != SG_OK) {
        goto out;
    }
    /* The image never changes, so a second name is as good as a copy. */
    if (linkat(from->folder_fd, from->name, to->folder_fd, from->name, 0) == 0) {
        result = image_file_finish(to, false);
        goto out;
    }
    result = copy_bytes(from, to);
    enum sg_result finished = image_file_finish(to, result == SG_OK);
    result = result == SG_OK ? finished : result;

out:
    image_file_close(from);
    return result;
}

/* False for what is no image's name. */
static bool parse_name(const char *name, uint64_t *out_zone, uint64_t *out_commit)
{
    char again[NAME_LENGTH + 1];
    if (strlen(name) != NAME_LENGTH ||
        sscanf(name, "%16" SCNx64 "-%16" SCNx64, out_zone, out_commit) != 2) {
        return false;
    }
    name_image(again, *out_zone, *out_commit);
    return strcmp(again, name) == 0;
}

static bool is_partial(const char *name)
{
    return strlen(name) == NAME_LENGTH + sizeof(partial_suffix) - 1 &&
           strcmp(name + NAME_LENGTH, partial_suffix) == 0;
}

size_t image_file_sweep(const char *folder,
                        bool (*is_wanted)(void *argument, uint64_t zone, uint64_t commit),
                        void *argument)
{
    size_t removed = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        uint64_t zone, commit;
        bool is_ours = parse_name(entry->d_name, &zone, &commit);
        if (is_partial(entry->d_name) || (is_ours && !is_wanted(argument, zone, commit))) {
            removed += unlinkat(dirfd(directory), entry->d_name, 0) == 0;
        }
    }
    closedir(directory);
    return removed;
}
