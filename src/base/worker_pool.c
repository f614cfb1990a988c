#include "base/worker_pool.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

enum {
    WORKER_NICE = 10,
    PIECES_AT_ONCE = 8, /* whoever has done so many is long work, and others come in between */
    JOBS_DEEP_MAX = 2,  /* a job, and one that came in between two of its pieces */
};

/*
 * One mailbox for all workers: bulk jobs queue behind, urgent ones in front. A job that can be
 * shared offers itself by posting one `helper` per idle-able worker; a helper that comes too late
 * finds nothing left to do. The share lives until its last helper has looked, so it is counted.
 *
 * Urgent jobs come in between two pieces of long work: a helper goes back into line, and the job
 * itself runs one of them, on its own stack, after each of its pieces. So there is always a worker
 * for them, even if there is only one, and long work goes on as well. Between two pieces a job must
 * hold nothing that belongs to the thread.
 */
struct worker_pool {
    struct mailbox jobs;
    size_t threads;
    pthread_t *running;
};

struct share {
    void (*step)(void *argument, size_t index);
    void *argument;
    size_t count;
    size_t next;             /* atomic: the first piece that nobody has taken */
    size_t done;             /* atomic: pieces that are finished */
    size_t holders;          /* atomic */
    struct mailbox finished; /* gets one letter when the last piece is done */
    struct letter finished_letter;
};

struct helper {
    struct job job;
    struct share *share;
    struct worker_pool *pool;
};

static _Thread_local unsigned jobs_deep; /* under way in this thread, one upon another */

static void run_job(struct job *job)
{
    struct mailbox *reply = job->reply; /* run() may free a job without reply */
    jobs_deep++;
    job->run(job);
    jobs_deep--;
    if (reply != NULL) {
        bool taken = mailbox_send(reply, &job->letter);
        ASSERT(taken); /* whoever waits for replies closes its box last */
    }
}

static void *work(void *argument)
{
    struct worker_pool *pool = argument;
    thread_name(THREAD_WORKER, "worker");
    /* For this thread alone, on Linux; answering queries wins against signing. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), WORKER_NICE);
    for (struct letter *letter; (letter = mailbox_wait(&pool->jobs)) != NULL;) {
        run_job((struct job *)letter);
    }
    return NULL;
}

enum sg_result worker_pool_new(size_t threads, struct worker_pool **out_pool)
{
    struct worker_pool *pool = mem_alloc_zero(1, sizeof(*pool));
    mailbox_init(&pool->jobs, NULL, NULL);
    pool->running = mem_alloc_zero(threads, sizeof(*pool->running));
    for (size_t i = 0; i < threads; i++) {
        if (thread_start(&pool->running[i], work, pool) != SG_OK) {
            worker_pool_free(pool);
            return SG_IO;
        }
        pool->threads++;
    }
    *out_pool = pool;
    return SG_OK;
}

void worker_pool_free(struct worker_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    mailbox_close(&pool->jobs);
    for (size_t i = 0; i < pool->threads; i++) {
        pthread_join(pool->running[i], NULL);
    }
    mailbox_clear(&pool->jobs);
    mem_free(pool->running);
    mem_free(pool);
}

size_t worker_pool_threads(const struct worker_pool *pool)
{
    return pool->threads;
}

void worker_pool_submit(struct worker_pool *pool, enum work_class work_class, struct job *job)
{
    if (pool->threads == 0) {
        enum thread_role before = thread_act_as(THREAD_WORKER);
        run_job(job);
        (void)thread_act_as(before);
        return;
    }
    bool taken = work_class == WORK_SOON ? mailbox_send_first(&pool->jobs, &job->letter)
                                         : mailbox_send(&pool->jobs, &job->letter);
    ASSERT(taken); /* nobody submits to a pool that is being freed */
}

static void share_drop(struct share *share)
{
    if (__atomic_sub_fetch(&share->holders, 1, __ATOMIC_ACQ_REL) == 0) {
        mailbox_clear(&share->finished);
        mem_free(share);
    }
}

/* True when this call finished one piece; false when none is left to take. */
static bool share_step(struct share *share)
{
    size_t index = __atomic_fetch_add(&share->next, 1, __ATOMIC_RELAXED);
    if (index >= share->count) {
        return false;
    }
    share->step(share->argument, index);
    if (__atomic_add_fetch(&share->done, 1, __ATOMIC_ACQ_REL) == share->count) {
        mailbox_send(&share->finished, &share->finished_letter);
    }
    return true;
}

static void help(struct job *job)
{
    struct helper *helper = (struct helper *)job;
    struct share *share = helper->share;
    struct worker_pool *pool = helper->pool;

    while (share_step(share)) {
        /* Urgent jobs were put in front: step aside, behind them, and come back. */
        if (mailbox_waiting(&pool->jobs) > 0 && mailbox_send(&pool->jobs, &helper->job.letter)) {
            return;
        }
    }
    share_drop(share);
    mem_free(helper);
}

/* The caller of worker_pool_share() has done so many pieces of it. */
static void let_urgent_in(struct worker_pool *pool, size_t pieces)
{
    if (pieces < PIECES_AT_ONCE || jobs_deep == 0 || jobs_deep >= JOBS_DEEP_MAX) {
        return;
    }
    struct letter *letter = mailbox_take_urgent(&pool->jobs);
    if (letter != NULL) {
        run_job((struct job *)letter);
    }
}

static void do_alone(struct worker_pool *pool, size_t count,
                     void (*step)(void *argument, size_t index), void *argument)
{
    for (size_t i = 0; i < count; i++) {
        step(argument, i);
        if (pool != NULL) {
            let_urgent_in(pool, i + 1);
        }
    }
}

void worker_pool_share(struct worker_pool *pool, size_t count,
                       void (*step)(void *argument, size_t index), void *argument)
{
    size_t helpers = pool == NULL || pool->threads == 0 ? 0 : pool->threads - 1;
    if (count < 2 || helpers == 0) {
        do_alone(pool, count, step, argument);
        return;
    }
    helpers = helpers < count - 1 ? helpers : count - 1;
    struct share *share = mem_alloc_zero(1, sizeof(*share));
    share->step = step;
    share->argument = argument;
    share->count = count;
    share->holders = helpers + 1;
    mailbox_init(&share->finished, NULL, NULL);
    for (size_t i = 0; i < helpers; i++) {
        struct helper *helper = mem_alloc_zero(1, sizeof(*helper));
        helper->job = (struct job){.run = help};
        helper->share = share;
        helper->pool = pool;
        if (!mailbox_send(&pool->jobs, &helper->job.letter)) {
            mem_free(helper); /* the pool is closing: do it alone */
            share_drop(share);
        }
    }
    for (size_t pieces = 1; share_step(share); pieces++) {
        let_urgent_in(pool, pieces);
    }
    struct letter *last = mailbox_wait(&share->finished);
    ASSERT(last == &share->finished_letter);
    share_drop(share);
}
