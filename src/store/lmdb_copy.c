#include "store/lmdb_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/commit.h"
#include "store/image_file.h"
#include "store/lmdb_result.h"

struct image_key {
    uint64_t zone, commit;
};

struct image_list {
    struct image_key *keys;
    size_t count;
};

/* The images that are files: told by their manifest's length, so that no small one is touched. */
static void list_image(struct image_list *list, struct span key, struct span value)
{
    if (key.length == STORE_LOG_KEY_BYTES && value.length == STORE_MANIFEST_FILE_BYTES) {
        list->keys = mem_resize_array(list->keys, list->count + 1, sizeof(*list->keys));
        list->keys[list->count++] =
            (struct image_key){store_get_u64(key.bytes), store_get_u64(key.bytes + 8)};
    }
}

static enum sg_result list_images(MDB_env *env, MDB_dbi manifests, struct image_list *list)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (code != MDB_SUCCESS) {
        return lmdb_result(code);
    }
    code = mdb_cursor_open(txn, manifests, &cursor);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        while (code == MDB_SUCCESS) {
            list_image(list, (struct span){key.mv_data, key.mv_size},
                       (struct span){value.mv_data, value.mv_size});
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? SG_OK : lmdb_result(code);
}

static enum sg_result copy_tables(MDB_env *env, const char *folder)
{
    char *path = mem_format("%s/data.mdb", folder);
    enum sg_result result = SG_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int code = fd >= 0 ? mdb_env_copyfd2(env, fd, 0) : errno;
    if (code == MDB_SUCCESS && fsync(fd) != 0) {
        code = errno;
    }
    if (code != MDB_SUCCESS) {
        result = lmdb_result(code);
    }
    if (fd >= 0) {
        close(fd);
    }
    mem_free(path);
    return result;
}

static enum sg_result copy_images(const struct image_list *list, const char *images,
                                  const char *to_images)
{
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < list->count && result == SG_OK; i++) {
        result = image_file_copy(images, to_images, list->keys[i].zone, list->keys[i].commit);
        /* A damaged store can still be saved as far as it goes; its zone says what it lacks. */
        result = result == SG_NOT_FOUND ? SG_OK : result;
    }
    return result == SG_OK ? file_sync_folder(to_images) : result;
}

static bool wants_none(void *argument, uint64_t zone, uint64_t commit)
{
    (void)argument, (void)zone, (void)commit;
    return false;
}

static void remove_copy(const char *folder, const char *to_images)
{
    char *tables = mem_format("%s/data.mdb", folder);
    (void)image_file_sweep(to_images, wants_none, NULL);
    rmdir(to_images);
    unlink(tables);
    rmdir(folder);
    mem_free(tables);
}

enum sg_result lmdb_copy_make(MDB_env *env, MDB_dbi manifests, const char *images,
                              const char *folder)
{
    if (mkdir(folder, 0700) != 0) {
        return errno == EEXIST ? SG_EXISTS : errno == ENOENT ? SG_NOT_FOUND : lmdb_result(errno);
    }
    struct image_list list = {0};
    char *to_images = mem_format("%s/images", folder);
    enum sg_result result = mkdir(to_images, 0700) == 0 ? SG_OK : image_file_result(errno);
    if (result == SG_OK) {
        result = copy_tables(env, folder);
    }
    if (result == SG_OK) {
        result = list_images(env, manifests, &list);
    }
    if (result == SG_OK) {
        result = copy_images(&list, images, to_images);
    }
    if (result == SG_OK) {
        result = file_sync_folder(folder);
    }
    if (result != SG_OK) {
        remove_copy(folder, to_images);
    }
    mem_free(list.keys);
    mem_free(to_images);
    return result;
}
