/*
 * store/store_io.h - the disk as the store sees it: tables, one transaction, images
 *
 * A struct of functions, so that tests/sim can put a disk behind it that loses everything not yet
 * committed, fills up or fails at the n-th write. store_lmdb.c is the real one. Only the store's
 * thread calls it, image files apart (any worker, its own handle).
 *
 * Keys sort as bytes; they have 1 to STORE_KEY_BYTES_MAX of them. What get() and scan() show is
 * borrowed until the next call, and `see` calls nothing here. A failed put, remove or commit leaves
 * the last committed state; the transaction is over then. They fail with SG_NO_SPACE (the disk is
 * full), SG_IO, or SG_LIMIT: the environment had to grow, has grown, and the same transaction may
 * be done again at once.
 */
#pragma once

#include "base/buffer.h"

enum store_table {
    STORE_META,    /* format version, next zone id, number of the last transaction */
    STORE_ZONES,   /* zone identity -> zone id */
    STORE_COMMITS, /* zone id, commit number (big-endian) -> commit record */
    STORE_IMAGES,  /* zone id, commit number -> manifest, with small images inside */
    STORE_CONFIG,  /* zones added at run time: view, class, name -> statement */
    STORE_TABLES
};
enum { STORE_KEY_BYTES_MAX = 511 }; /* LMDB's */

struct store_image; /* a file that is being written or read */

struct store_io {
    void *argument;
    MUST_USE enum sg_result (*begin)(void *argument); /* a write transaction */
    MUST_USE enum sg_result (*put)(void *argument, enum store_table table, struct span key,
                                   struct span value);
    /* SG_OK also when there was nothing. */
    MUST_USE enum sg_result (*remove)(void *argument, enum store_table table, struct span key);
    /* Durable when it returns SG_OK. SG_IN_DOUBT: nobody knows; call reopen(), then look. */
    MUST_USE enum sg_result (*commit)(void *argument);
    void (*abort)(void *argument);
    /* Outside or inside a transaction. SG_NOT_FOUND, SG_MALFORMED (a damaged environment), SG_IO.
     */
    MUST_USE enum sg_result (*get)(void *argument, enum store_table table, struct span key,
                                   struct span *out_value);
    /* Keys at or after `from` (empty: all) in order, until `see` returns false. */
    MUST_USE enum sg_result (*scan)(void *argument, enum store_table table, struct span from,
                                    bool (*see)(void *see_argument, struct span key,
                                                struct span value),
                                    void *see_argument);
    /* There is nothing to do for now: memory that only makes it quicker is given back. */
    void (*rest)(void *argument);
    /* Close and open again. On failure everything fails with SG_IO until it is called again. */
    MUST_USE enum sg_result (*reopen)(void *argument);
    /* What failed last, where and why, for the log. NULL: the disk has nothing to add. */
    const char *(*trouble)(void *argument);
    /* A consistent copy of the tables and images into `folder`, which must not exist (SG_EXISTS),
     * in one that does (SG_NOT_FOUND), while the store is in use; no transaction is open. On
     * failure nothing is left. */
    MUST_USE enum sg_result (*copy)(void *argument, const char *folder);
    /* Image files, beside the tables. Thread: a worker, one handle each. */
    MUST_USE enum sg_result (*image_create)(void *argument, uint64_t zone, uint64_t commit,
                                            struct store_image **out_image);
    MUST_USE enum sg_result (*image_append)(struct store_image *image, struct span bytes);
    /* Synced and under its name, or nothing is left. Frees the handle. */
    MUST_USE enum sg_result (*image_finish)(struct store_image *image, bool keep);
    MUST_USE enum sg_result (*image_open)(void *argument, uint64_t zone, uint64_t commit,
                                          struct store_image **out_image);
    /* How many bytes, 0 at the end, SIZE_MAX when reading failed. */
    size_t (*image_read)(struct store_image *image, uint8_t *out_bytes, size_t bytes_max);
    void (*image_close)(struct store_image *image);
    /* Fine when there is none. Who is reading it may go on. */
    void (*image_remove)(void *argument, uint64_t zone, uint64_t commit);
    void (*close)(void *argument);
};

/*
 * The LMDB environment in `folder`, made if it is missing (mode 0700), locked against a second
 * process (SG_EXISTS). Call it after daemonizing: the lock is the process's. Image files that no
 * commit names are removed. SG_DENIED, SG_NO_SPACE, SG_MALFORMED (not an environment, or damaged),
 * SG_UNSUPPORTED (of a later release), SG_IO; `out_problem` (the caller frees) is set then and
 * tells why not, in operators' words.
 */
MUST_USE enum sg_result store_lmdb_open(const char *folder, struct store_io *out_io,
                                        char **out_problem);
