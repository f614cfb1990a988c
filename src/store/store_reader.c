#include "store/store_reader.h"

#include <errno.h>
#include <lmdb.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/lmdb_damage.h"
#include "store/lmdb_result.h"
#include "store/store_io.h"

enum { TRIES_MAX = 10 };

struct store_reader {
    MDB_env *env;
    MDB_dbi zones, commits;
};

static enum sg_result result_of(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return SG_OK;
    case MDB_NOTFOUND:
    case ENOENT:
        return SG_NOT_FOUND;
    case EACCES:
    case EPERM:
        return SG_DENIED;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case LMDB_LOST:
    case LMDB_CUT:
        return SG_MALFORMED;
    default:
        return SG_IO;
    }
}

/* The server may have made the map larger since we looked at its size. */
static int begin(struct store_reader *reader, MDB_txn **out_txn)
{
    int code = MDB_MAP_RESIZED;
    for (int i = 0; i < TRIES_MAX && code == MDB_MAP_RESIZED; i++) {
        code = mdb_txn_begin(reader->env, NULL, MDB_RDONLY, out_txn);
        if (code == MDB_MAP_RESIZED) {
            int resized = mdb_env_set_mapsize(reader->env, 0);
            code = resized == MDB_SUCCESS ? code : resized;
        }
    }
    return code;
}

static int open_tables(struct store_reader *reader)
{
    MDB_txn *txn;
    int code = begin(reader, &txn);
    if (code != MDB_SUCCESS) {
        return code;
    }
    code = lmdb_damage_cut(txn);
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "zones", 0, &reader->zones);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "commits", 0, &reader->commits);
    }
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn); /* or the handles of the tables are gone */
}

enum sg_result store_reader_open(const char *folder, struct store_reader **out_reader,
                                 char **out_problem)
{
    struct store_reader *reader = mem_alloc_zero(1, sizeof(*reader));
    char *path = mem_format("%s/data.mdb", folder);

    /* LMDB would make its lock file before it finds that there is nothing to lock. */
    int code = lmdb_damage_lost(folder);
    if (code == MDB_SUCCESS) {
        code = access(path, R_OK) == 0 ? mdb_env_create(&reader->env) : errno;
    }
    if (code == MDB_SUCCESS) {
        code = mdb_env_set_maxdbs(reader->env, STORE_TABLES);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_env_open(reader->env, folder, MDB_RDONLY, 0600);
    }
    if (code == MDB_SUCCESS) {
        code = open_tables(reader);
    }
    mem_free(path);
    if (code != MDB_SUCCESS) {
        bool missing = code == ENOENT || code == ENOTDIR;
        *out_problem = mem_format(
            missing ? "there is no store in '%s' (%s): store-directory names another "
                      "folder, or no server has opened it yet"
                    : "the store '%s' cannot be read: %s%s",
            folder, lmdb_text(code), result_of(code) == SG_MALFORMED ? lmdb_advice(code) : "");
        store_reader_close(reader);
        return result_of(code);
    }
    *out_reader = reader;
    return SG_OK;
}

void store_reader_close(struct store_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->env != NULL) {
        mdb_env_close(reader->env);
    }
    mem_free(reader);
}

enum sg_result store_reader_find(struct store_reader *reader, struct span identity,
                                 uint64_t *out_zone)
{
    MDB_txn *txn;
    MDB_val key = {.mv_size = identity.length, .mv_data = (void *)(uintptr_t)identity.bytes};
    MDB_val value;
    int code = begin(reader, &txn);
    if (code != MDB_SUCCESS) {
        return result_of(code);
    }
    code = mdb_get(txn, reader->zones, &key, &value);
    if (code == MDB_SUCCESS && value.mv_size != sizeof(*out_zone)) {
        code = MDB_CORRUPTED;
    }
    if (code == MDB_SUCCESS) {
        *out_zone = store_get_u64(value.mv_data);
    }
    mdb_txn_abort(txn);
    return result_of(code);
}

/* The record at or after `key`, if it is of the same zone. */
static int copy_next(struct store_reader *reader, uint8_t key[STORE_LOG_KEY_BYTES],
                     struct buffer *out_bytes)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val found = {.mv_size = STORE_LOG_KEY_BYTES, .mv_data = key};
    MDB_val value;
    int code = begin(reader, &txn);
    if (code != MDB_SUCCESS) {
        return code;
    }
    code = mdb_cursor_open(txn, reader->commits, &cursor);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
        if (code == MDB_SUCCESS && (found.mv_size != STORE_LOG_KEY_BYTES ||
                                    memcmp(found.mv_data, key, sizeof(uint64_t)) != 0)) {
            code = MDB_NOTFOUND;
        }
        if (code == MDB_SUCCESS) {
            memcpy(key, found.mv_data, STORE_LOG_KEY_BYTES);
            buffer_append(out_bytes, value.mv_data, value.mv_size);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return code;
}

enum sg_result store_reader_commit(struct store_reader *reader, uint64_t zone, uint64_t number,
                                   struct buffer *out_bytes, struct store_commit_record *out_record)
{
    uint8_t key[STORE_LOG_KEY_BYTES];

    store_put_u64(key, zone);
    store_put_u64(key + sizeof(zone), number);
    buffer_clear(out_bytes);
    int code = copy_next(reader, key, out_bytes);
    if (code != MDB_SUCCESS) {
        return result_of(code);
    }
    out_record->number = store_get_u64(key + sizeof(zone));
    return store_commit_decode(buffer_span(out_bytes), out_record);
}
