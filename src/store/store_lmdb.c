/*
 * The environment is used plainly: MDB_NOTLS, because a reader and the writer are the same thread's
 * and each is ended by hand. Not MDB_NOSYNC nor MDB_NOMETASYNC (an acknowledged commit must
 * survive), not MDB_WRITEMAP (a full disk would be a SIGBUS instead of an error, and a stray write
 * would reach the disk), not MDB_NOMEMINIT (unused bytes of our memory would reach the disk).
 */
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "store/commit.h"
#include "store/image_file.h"
#include "store/lmdb_copy.h"
#include "store/lmdb_damage.h"
#include "store/lmdb_result.h"
#include "store/store_io.h"
#include "store/store_lock.h"

#define MAP_BYTES_FIRST ((size_t)64 << 20)

static const char *const table_names[STORE_TABLES] = {
    [STORE_META] = "meta",     [STORE_ZONES] = "zones",   [STORE_COMMITS] = "commits",
    [STORE_IMAGES] = "images", [STORE_CONFIG] = "config",
};

enum { TROUBLE_BYTES = 512 };

struct lmdb {
    char *folder;
    char *images; /* the folder of image files */
    int lock_fd;
    MDB_env *env;   /* NULL: reopen() failed, nothing works */
    bool read_only; /* as the file system is: it was when it was opened */
    MDB_dbi tables[STORE_TABLES];
    MDB_txn *writer;
    MDB_txn *reader; /* what get() and scan() outside a transaction look at, until begin() */
    void *map;       /* where the environment is mapped; NULL: not known */
    size_t map_bytes;
    char trouble[TROUBLE_BYTES]; /* what failed last */
};

/* Of a write: whatever else it is, writing did not work. */
static enum sg_result fail(struct lmdb *lmdb, const char *what, int code)
{
    enum sg_result result = lmdb_result(code);
    if (result == SG_LIMIT) {
        return result;
    }
    (void)snprintf(lmdb->trouble, sizeof(lmdb->trouble), "%s in '%s': %s", what, lmdb->folder,
                   lmdb_text(code));
    return result == SG_NO_SPACE ? SG_NO_SPACE : SG_IO;
}

static void end_reader(struct lmdb *lmdb)
{
    if (lmdb->reader != NULL) {
        mdb_txn_abort(lmdb->reader);
        lmdb->reader = NULL;
    }
}

static void end_writer(struct lmdb *lmdb)
{
    if (lmdb->writer != NULL) {
        mdb_txn_abort(lmdb->writer);
        lmdb->writer = NULL;
    }
}

/* LMDB does not tell where its map is; the system does. */
static void find_map(struct lmdb *lmdb)
{
    mdb_filehandle_t fd;
    bool open = mdb_env_get_fd(lmdb->env, &fd) == MDB_SUCCESS;
    lmdb->map = open ? file_find_map(fd, lmdb->map_bytes) : NULL;
}

/* No transaction may be open: the map moves. */
static int grow_map(struct lmdb *lmdb)
{
    int dead_readers; /* of tools that were killed: nothing they saw could be used again */
    end_reader(lmdb);
    (void)mdb_reader_check(lmdb->env, &dead_readers);
    int code = mdb_env_set_mapsize(lmdb->env, lmdb->map_bytes * 2);
    if (code == MDB_SUCCESS) {
        lmdb->map_bytes *= 2;
        find_map(lmdb);
        log_write(LOG_GENERAL, SEVERITY_DEBUG, "store %s: map grown to %zu MiB", lmdb->folder,
                  lmdb->map_bytes >> 20);
    }
    return code;
}

/* Half of the map is kept free at the start of a transaction, so that it seldom fills within. */
static int make_room(struct lmdb *lmdb)
{
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(lmdb->env, &info);
    if (code == MDB_SUCCESS) {
        code = mdb_env_stat(lmdb->env, &stat);
    }
    while (code == MDB_SUCCESS && (info.me_last_pgno + 1) * stat.ms_psize > lmdb->map_bytes / 2) {
        code = grow_map(lmdb);
    }
    return code;
}

static enum sg_result lmdb_begin(void *argument)
{
    struct lmdb *lmdb = argument;
    ASSERT(lmdb->writer == NULL);
    end_reader(lmdb);
    if (lmdb->env == NULL) {
        return SG_IO;
    }
    int code = lmdb->read_only ? EROFS : make_room(lmdb);
    if (code == MDB_SUCCESS) {
        code = mdb_txn_begin(lmdb->env, NULL, 0, &lmdb->writer);
    }
    if (code != MDB_SUCCESS) {
        lmdb->writer = NULL;
        return fail(lmdb, "beginning a transaction", code);
    }
    return SG_OK;
}

/* The transaction is over; a full map is made larger for the next one. */
static enum sg_result fail_transaction(struct lmdb *lmdb, const char *what, int code)
{
    end_writer(lmdb);
    if (code == MDB_MAP_FULL) {
        int grown = grow_map(lmdb);
        return grown == MDB_SUCCESS ? SG_LIMIT : fail(lmdb, "growing the map", grown);
    }
    return fail(lmdb, what, code);
}

static MDB_val value_of(struct span span)
{
    return (MDB_val){.mv_size = span.length, .mv_data = (void *)span.bytes};
}

static struct span span_of(MDB_val value)
{
    return (struct span){value.mv_data, value.mv_size};
}

/* LMDB says EIO of a short write, which is how a disk fills up. The system says it through errno,
 * which is cleared before. */
static int true_code(int code)
{
    return code == EIO && errno != EIO ? ENOSPC : code;
}

static enum sg_result lmdb_put(void *argument, enum store_table table, struct span key,
                               struct span value)
{
    struct lmdb *lmdb = argument;
    ASSERT(lmdb->writer != NULL && key.length > 0 && key.length <= STORE_KEY_BYTES_MAX);
    MDB_val where = value_of(key);
    MDB_val what = value_of(value);
    errno = 0;
    int code = true_code(mdb_put(lmdb->writer, lmdb->tables[table], &where, &what, 0));
    return code == MDB_SUCCESS ? SG_OK : fail_transaction(lmdb, "writing", code);
}

static enum sg_result lmdb_remove(void *argument, enum store_table table, struct span key)
{
    struct lmdb *lmdb = argument;
    ASSERT(lmdb->writer != NULL && key.length > 0 && key.length <= STORE_KEY_BYTES_MAX);
    MDB_val where = value_of(key);
    errno = 0;
    int code = true_code(mdb_del(lmdb->writer, lmdb->tables[table], &where, NULL));
    return code == MDB_SUCCESS || code == MDB_NOTFOUND ? SG_OK
                                                       : fail_transaction(lmdb, "removing", code);
}

/* LMDB refuses everything after a meta page whose writing failed: it may be on the disk or not.
 * Where the probe fails otherwise nobody knows, and to look once more costs little. */
static bool is_meta_in_doubt(struct lmdb *lmdb)
{
    MDB_txn *probe;
    int code = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &probe);
    if (code == MDB_SUCCESS) {
        mdb_txn_abort(probe);
    }
    return code != MDB_SUCCESS;
}

static enum sg_result lmdb_commit(void *argument)
{
    struct lmdb *lmdb = argument;
    ASSERT(lmdb->writer != NULL);
    errno = 0;
    int code = true_code(mdb_txn_commit(lmdb->writer));
    lmdb->writer = NULL; /* freed, whatever came of it */
    if (code == MDB_SUCCESS) {
        lmdb->trouble[0] = '\0';
        return SG_OK;
    }
    if (is_meta_in_doubt(lmdb)) {
        (void)fail(lmdb, "writing the meta page", code);
        return SG_IN_DOUBT;
    }
    return fail_transaction(lmdb, "commit", code);
}

static void lmdb_abort(void *argument)
{
    end_writer(argument);
}

static int begin_looking(struct lmdb *lmdb, MDB_txn **out_txn)
{
    int code = MDB_SUCCESS;
    if (lmdb->env == NULL) {
        return EIO;
    }
    if (lmdb->writer == NULL && lmdb->reader == NULL) {
        code = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &lmdb->reader);
    }
    if (code != MDB_SUCCESS) {
        lmdb->reader = NULL;
        return code;
    }
    *out_txn = lmdb->writer != NULL ? lmdb->writer : lmdb->reader;
    return MDB_SUCCESS;
}

static enum sg_result lmdb_get(void *argument, enum store_table table, struct span key,
                               struct span *out_value)
{
    struct lmdb *lmdb = argument;
    MDB_txn *txn;
    MDB_val value;
    MDB_val where = value_of(key);
    int code = begin_looking(lmdb, &txn);
    if (code == MDB_SUCCESS) {
        code = mdb_get(txn, lmdb->tables[table], &where, &value);
    }
    if (code == MDB_SUCCESS) {
        *out_value = span_of(value);
    }
    return lmdb_result(code);
}

static enum sg_result lmdb_scan(void *argument, enum store_table table, struct span from,
                                bool (*see)(void *see_argument, struct span key, struct span value),
                                void *see_argument)
{
    struct lmdb *lmdb = argument;
    MDB_txn *txn;
    MDB_cursor *cursor = NULL;
    int code = begin_looking(lmdb, &txn);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_open(txn, lmdb->tables[table], &cursor);
    }
    if (code != MDB_SUCCESS) {
        return lmdb_result(code);
    }
    MDB_val key = value_of(from);
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, from.length > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (code == MDB_SUCCESS && see(see_argument, span_of(key), span_of(value))) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? SG_OK : lmdb_result(code);
}

/*
 * The map is the file's pages in the page cache, which the kernel keeps or drops as it needs. Once
 * touched they count as our memory, though, 64 KiB at a time: with many zones that is the whole
 * store, of which little is looked at again before the next start.
 */
static void lmdb_rest(void *argument)
{
    struct lmdb *lmdb = argument;
    ASSERT(lmdb->writer == NULL);
    end_reader(lmdb);
    if (lmdb->map != NULL) {
        (void)madvise(lmdb->map, lmdb->map_bytes, MADV_DONTNEED);
    }
}

/* First without writing, which an old environment on a full disk must not need. */
static int open_tables(struct lmdb *lmdb, bool make)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(lmdb->env, NULL, make ? 0 : MDB_RDONLY, &txn);
    if (code != MDB_SUCCESS) {
        return code;
    }
    code = make ? MDB_SUCCESS : lmdb_damage_cut(txn);
    for (int i = 0; i < STORE_TABLES && code == MDB_SUCCESS; i++) {
        code = mdb_dbi_open(txn, table_names[i], make ? MDB_CREATE : 0, &lmdb->tables[i]);
    }
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static void close_env(struct lmdb *lmdb)
{
    end_writer(lmdb);
    end_reader(lmdb);
    if (lmdb->env != NULL) {
        mdb_env_close(lmdb->env);
        lmdb->env = NULL;
        lmdb->map = NULL;
    }
}

static int open_env_as(struct lmdb *lmdb, bool read_only)
{
    MDB_envinfo info;
    int dead_readers;
    int code = mdb_env_create(&lmdb->env);
    if (code != MDB_SUCCESS) {
        lmdb->env = NULL;
        return code;
    }
    code = mdb_env_set_maxdbs(lmdb->env, STORE_TABLES);
    if (code == MDB_SUCCESS) {
        code = mdb_env_set_mapsize(lmdb->env, lmdb->map_bytes);
    }
    if (code == MDB_SUCCESS) {
        unsigned flags = MDB_NOTLS | (read_only ? MDB_RDONLY : 0u);
        code = mdb_env_open(lmdb->env, lmdb->folder, flags, 0600);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_env_info(lmdb->env, &info);
    }
    if (code == MDB_SUCCESS) {
        lmdb->map_bytes = info.me_mapsize; /* never smaller than what is in it */
        code = mdb_reader_check(lmdb->env, &dead_readers);
    }
    if (code == MDB_SUCCESS) {
        code = open_tables(lmdb, false);
        code = code == MDB_NOTFOUND && !read_only ? open_tables(lmdb, true) : code;
    }
    if (code == MDB_SUCCESS) {
        find_map(lmdb);
    } else {
        close_env(lmdb);
    }
    lmdb->read_only = read_only;
    return code;
}

/* On a file system that cannot be written to, all can be read; reopen() sees whether it still is.
 */
static int open_env(struct lmdb *lmdb)
{
    int code = lmdb_damage_lost(lmdb->folder);
    if (code == MDB_SUCCESS) {
        code = open_env_as(lmdb, false);
    }
    return code == EROFS ? open_env_as(lmdb, true) : code;
}

static enum sg_result lmdb_reopen(void *argument)
{
    struct lmdb *lmdb = argument;
    close_env(lmdb);
    int code = open_env(lmdb);
    return code == MDB_SUCCESS ? SG_OK : fail(lmdb, "opening again", code);
}

static enum sg_result lmdb_copy(void *argument, const char *folder)
{
    struct lmdb *lmdb = argument;
    ASSERT(lmdb->writer == NULL); /* LMDB copies under the writer's lock */
    if (lmdb->env == NULL) {
        return SG_IO;
    }
    end_reader(lmdb);
    return lmdb_copy_make(lmdb->env, lmdb->tables[STORE_IMAGES], lmdb->images, folder);
}

static enum sg_result lmdb_image_create(void *argument, uint64_t zone, uint64_t commit,
                                        struct store_image **out_image)
{
    const struct lmdb *lmdb = argument;
    return image_file_create(lmdb->images, zone, commit, out_image);
}

static enum sg_result lmdb_image_open(void *argument, uint64_t zone, uint64_t commit,
                                      struct store_image **out_image)
{
    const struct lmdb *lmdb = argument;
    return image_file_open(lmdb->images, zone, commit, out_image);
}

static void lmdb_image_remove(void *argument, uint64_t zone, uint64_t commit)
{
    const struct lmdb *lmdb = argument;
    image_file_remove(lmdb->images, zone, commit);
}

static const char *lmdb_trouble(void *argument)
{
    const struct lmdb *lmdb = argument;
    return lmdb->trouble[0] == '\0' ? lmdb->folder : lmdb->trouble;
}

static void lmdb_close(void *argument)
{
    struct lmdb *lmdb = argument;
    close_env(lmdb);
    if (lmdb->lock_fd >= 0) {
        close(lmdb->lock_fd); /* unlocks */
    }
    mem_free(lmdb->images);
    mem_free(lmdb->folder);
    mem_free(lmdb);
}

/* Kept in doubt: a manifest that cannot be read may mean this file. */
static bool is_named_by_manifest(void *argument, uint64_t zone, uint64_t commit)
{
    uint8_t key[STORE_LOG_KEY_BYTES];
    struct span manifest;
    struct span image;
    store_put_u64(key, zone);
    store_put_u64(key + 8, commit);
    enum sg_result result =
        lmdb_get(argument, STORE_IMAGES, (struct span){key, sizeof(key)}, &manifest);
    if (result != SG_OK) {
        return result != SG_NOT_FOUND;
    }
    return store_manifest_decode(manifest, &image) != SG_OK || image.bytes == NULL;
}

static void sweep_images(struct lmdb *lmdb)
{
    size_t removed = image_file_sweep(lmdb->images, is_named_by_manifest, lmdb);
    if (removed > 0) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "store %s: removed %zu unfinished images",
                  lmdb->folder, removed);
    }
}

static enum sg_result make_folder(const char *path, char **out_problem)
{
    enum sg_result result = file_make_folder(path, 0700);
    if (result != SG_OK) {
        *out_problem =
            mem_format("cannot make '%s': %s%s", path, mdb_strerror(errno), lmdb_advice(errno));
    }
    return result == SG_NOT_FOUND ? SG_IO : result;
}

/* Of a new store nothing else makes the names of its files durable: LMDB syncs what is in them. */
static enum sg_result sync_names(const struct lmdb *lmdb, char **out_problem)
{
    enum sg_result result = file_sync_folder(lmdb->folder);
    if (result != SG_OK) {
        *out_problem = mem_format("cannot sync '%s': %s", lmdb->folder, mdb_strerror(errno));
    }
    return result;
}

static enum sg_result open_tables_of(struct lmdb *lmdb, char **out_problem)
{
    int code = open_env(lmdb);
    if (code != MDB_SUCCESS) {
        *out_problem = mem_format("cannot open the store %s: %s%s", lmdb->folder, lmdb_text(code),
                                  lmdb_advice(code));
        enum sg_result result = lmdb_result(code);
        return result == SG_NOT_FOUND || result == SG_LIMIT ? SG_IO : result;
    }
    return sync_names(lmdb, out_problem);
}

static enum sg_result open_store(struct lmdb *lmdb, char **out_problem)
{
    enum sg_result result = make_folder(lmdb->folder, out_problem);
    if (result == SG_OK) {
        result = store_lock_take(lmdb->folder, &lmdb->lock_fd, out_problem);
    }
    if (result == SG_OK) {
        result = open_tables_of(lmdb, out_problem);
    }
    if (result == SG_OK) {
        result = make_folder(lmdb->images, out_problem); /* last: see lmdb_damage_lost() */
    }
    if (result == SG_OK) {
        result = sync_names(lmdb, out_problem);
    }
    if (result == SG_OK) {
        sweep_images(lmdb);
    }
    return result;
}

enum sg_result store_lmdb_open(const char *folder, struct store_io *out_io, char **out_problem)
{
    struct lmdb *lmdb = mem_alloc_zero(1, sizeof(*lmdb));
    lmdb->folder = mem_copy_text(folder);
    lmdb->images = mem_format("%s/images", folder);
    lmdb->lock_fd = -1;
    lmdb->map_bytes = MAP_BYTES_FIRST;
    enum sg_result result = open_store(lmdb, out_problem);
    if (result != SG_OK) {
        lmdb_close(lmdb);
        return result;
    }
    *out_io = (struct store_io){
        .argument = lmdb,
        .begin = lmdb_begin,
        .put = lmdb_put,
        .remove = lmdb_remove,
        .commit = lmdb_commit,
        .abort = lmdb_abort,
        .get = lmdb_get,
        .scan = lmdb_scan,
        .rest = lmdb_rest,
        .reopen = lmdb_reopen,
        .trouble = lmdb_trouble,
        .copy = lmdb_copy,
        .image_create = lmdb_image_create,
        .image_append = image_file_append,
        .image_finish = image_file_finish,
        .image_open = lmdb_image_open,
        .image_read = image_file_read,
        .image_close = image_file_close,
        .image_remove = lmdb_image_remove,
        .close = lmdb_close,
    };
    return SG_OK;
}
