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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once_and_before_the_share_returns),
        cmocka_unit_test(jobs_that_wait_are_run_before_the_pool_ends),
        cmocka_unit_test(without_a_pool_the_caller_does_it_all),
    };
    return cmocka_run_group_tests_name("worker_pool", tests, NULL, NULL);
}
