/*
 * base/worker_pool.h - threads for work that takes long or may block: reading, signing
 *
 * A job owns what it was given and gives it back through its `reply` mailbox; it sees nothing
 * else. Jobs of class WORK_SOON overtake jobs of class WORK_BULK. Workers run at nice +10, so
 * that answering queries wins. A pool with no threads runs each job inside worker_pool_submit().
 */
#pragma once

#include <stddef.h>

#include "base/mailbox.h"
#include "base/result.h"

enum work_class {
    WORK_SOON, /* an update or a refresh that is due */
    WORK_BULK, /* loading, first signing */
};

struct worker_pool;

struct job {
    struct letter letter;         /* first member: a reply arrives as this letter */
    void (*run)(struct job *job); /* in a worker */
    struct mailbox *reply;        /* where the job goes when it has run; NULL: run frees it */
};

/* `threads` workers. The pool is the caller's, to be freed with worker_pool_free(). */
MUST_USE enum sg_result worker_pool_new(size_t threads, struct worker_pool **out_pool);
/* Lets running jobs end, drops none: jobs that wait are run first. */
void worker_pool_free(struct worker_pool *pool);
size_t worker_pool_threads(const struct worker_pool *pool);

void worker_pool_submit(struct worker_pool *pool, enum work_class work_class, struct job *job);

/*
 * Run step(argument, 0 .. count-1), each once, on the calling worker and on any that are idle;
 * returns when all are done. For a job that can be cut in independent pieces, e.g. ranges of
 * names to sign. `pool` may be NULL: then the caller does all of it. Between pieces of long work
 * WORK_SOON jobs are run, on the same worker, one after each piece: so that they never wait for the
 * end of a job that shares its work.
 */
void worker_pool_share(struct worker_pool *pool, size_t count,
                       void (*step)(void *argument, size_t index), void *argument);
