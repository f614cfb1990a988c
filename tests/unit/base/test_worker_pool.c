#include <unistd.h>

#include "base/worker_pool.h"
#include "support/table.h"

enum { PIECES = 5000, JOBS = 300 };

struct counted {
    struct job job;
    struct worker_pool *pool;
    unsigned char done[PIECES];
    size_t shares;
};

static void do_piece(void *argument, size_t index)
{
    struct counted *counted = argument;
    __atomic_add_fetch(&counted->done[index], 1, __ATOMIC_RELAXED);
}

static void share(struct job *job)
{
    struct counted *counted = (struct counted *)job;
    worker_pool_share(counted->pool, PIECES, do_piece, counted);
    counted->shares++;
}

static void every_piece_is_done_once_and_before_the_share_returns(void **state)
{
    (void)state;
    struct worker_pool *pool;
    struct mailbox replies;
    mailbox_init(&replies, NULL, NULL);
    assert_int_equal(worker_pool_new(3, &pool), SG_OK);
    static struct counted counted[4];
    for (int i = 0; i < 4; i++) {
        counted[i].job = (struct job){.run = share, .reply = &replies};
        counted[i].pool = pool;
        worker_pool_submit(pool, WORK_BULK, &counted[i].job);
    }
    for (int i = 0; i < 4; i++) {
        struct counted *back = (struct counted *)mailbox_wait(&replies);
        assert_int_equal(back->shares, 1);
        for (int piece = 0; piece < PIECES; piece++) {
            assert_int_equal(back->done[piece], 1);
        }
    }
    worker_pool_free(pool);
    mailbox_clear(&replies);
}

static size_t jobs_run;

static void count(struct job *job)
{
    (void)job;
    __atomic_add_fetch(&jobs_run, 1, __ATOMIC_RELAXED);
}

static void jobs_that_wait_are_run_before_the_pool_ends(void **state)
{
    (void)state;
    struct worker_pool *pool;
    static struct job jobs[JOBS];
    assert_int_equal(worker_pool_new(2, &pool), SG_OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.run = count};
        worker_pool_submit(pool, i % 2 == 0 ? WORK_SOON : WORK_BULK, &jobs[i]);
    }
    worker_pool_free(pool);
    assert_int_equal(jobs_run, JOBS);
}

static void without_a_pool_the_caller_does_it_all(void **state)
{
    (void)state;
    static struct counted counted;
    worker_pool_share(NULL, PIECES, do_piece, &counted);
    for (int piece = 0; piece < PIECES; piece++) {
        assert_int_equal(counted.done[piece], 1);
    }
}

/* ---- urgent jobs between the pieces of long work ---- */

enum { LONG_PIECES = 40, URGENT_FIRST = 3 };

struct urgent {
    struct job job;
    bool done; /* atomic */
};

struct long_work {
    struct job job;
    struct worker_pool *pool;
    struct urgent urgent[2];
    size_t pieces_before; /* done when the first urgent job was */
    bool between_pieces;  /* an urgent job ran while no piece did, in a pool of one */
    bool in_piece;
};

static struct long_work *at_work;

static void be_urgent(struct job *job)
{
    struct urgent *urgent = (struct urgent *)job;
    at_work->between_pieces = !at_work->in_piece;
    __atomic_store_n(&urgent->done, true, __ATOMIC_RELEASE);
}

/* With one worker: two urgent jobs come while it is at its fourth piece. */
static void do_long_piece(void *argument, size_t index)
{
    struct long_work *work = argument;
    work->in_piece = true;
    if (index == URGENT_FIRST) {
        for (size_t i = 0; i < 2; i++) {
            work->urgent[i].job = (struct job){.run = be_urgent};
            worker_pool_submit(work->pool, WORK_SOON, &work->urgent[i].job);
        }
    }
    if (work->pieces_before == 0 && work->urgent[0].done) {
        work->pieces_before = index;
    }
    work->in_piece = false;
}

static void share_long_work(struct job *job)
{
    struct long_work *work = (struct long_work *)job;
    worker_pool_share(work->pool, LONG_PIECES, do_long_piece, work);
}

static void urgent_jobs_run_between_the_pieces_of_the_only_worker(void **state)
{
    (void)state;
    struct long_work work = {.job = {.run = share_long_work}};
    struct mailbox replies;
    mailbox_init(&replies, NULL, NULL);
    at_work = &work;
    work.job.reply = &replies;
    assert_int_equal(worker_pool_new(1, &work.pool), SG_OK);
    worker_pool_submit(work.pool, WORK_BULK, &work.job);
    assert_ptr_equal(mailbox_wait(&replies), &work.job.letter);
    assert_true(work.urgent[0].done && work.urgent[1].done);
    assert_true(work.between_pieces);
    assert_true(work.pieces_before > URGENT_FIRST && work.pieces_before < LONG_PIECES / 2);
    worker_pool_free(work.pool);
    mailbox_clear(&replies);
}

/* Long jobs on every worker; each piece has an urgent job come, which shares work as well. */
struct crowd {
    struct job job;
    struct worker_pool *pool;
    struct counted urgent[LONG_PIECES];
    unsigned char done[LONG_PIECES];
};

static void let_one_come(void *argument, size_t index)
{
    struct crowd *crowd = argument;
    struct counted *urgent = &crowd->urgent[index];
    crowd->done[index]++;
    urgent->job = (struct job){.run = share};
    urgent->pool = crowd->pool;
    worker_pool_submit(crowd->pool, WORK_SOON, &urgent->job);
}

static void share_in_a_crowd(struct job *job)
{
    struct crowd *crowd = (struct crowd *)job;
    worker_pool_share(crowd->pool, LONG_PIECES, let_one_come, crowd);
}

static void urgent_jobs_that_share_work_come_in_between_as_well(void **state)
{
    enum { WORKERS = 3, CROWDS = 4 };
    (void)state;
    static struct crowd crowds[CROWDS];
    struct worker_pool *pool;
    struct mailbox replies;
    mailbox_init(&replies, NULL, NULL);
    assert_int_equal(worker_pool_new(WORKERS, &pool), SG_OK);
    for (size_t i = 0; i < CROWDS; i++) {
        crowds[i].job = (struct job){.run = share_in_a_crowd, .reply = &replies};
        crowds[i].pool = pool;
        worker_pool_submit(pool, WORK_BULK, &crowds[i].job);
    }
    for (size_t i = 0; i < CROWDS; i++) {
        assert_non_null(mailbox_wait(&replies));
    }
    worker_pool_free(pool); /* runs what waits */
    for (size_t i = 0; i < CROWDS; i++) {
        for (size_t piece = 0; piece < LONG_PIECES; piece++) {
            assert_int_equal(crowds[i].done[piece], 1);
            assert_int_equal(crowds[i].urgent[piece].shares, 1);
            for (size_t at = 0; at < PIECES; at++) {
                assert_int_equal(crowds[i].urgent[piece].done[at], 1);
            }
        }
    }
    mailbox_clear(&replies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once_and_before_the_share_returns),
        cmocka_unit_test(jobs_that_wait_are_run_before_the_pool_ends),
        cmocka_unit_test(urgent_jobs_run_between_the_pieces_of_the_only_worker),
        cmocka_unit_test(urgent_jobs_that_share_work_come_in_between_as_well),
        cmocka_unit_test(without_a_pool_the_caller_does_it_all),
    };
    return cmocka_run_group_tests_name("worker_pool", tests, NULL, NULL);
}
