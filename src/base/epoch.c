#include "base/epoch.h"

#include <stddef.h>
#include <urcu/urcu-qsbr.h>

#include "base/mem.h"

/*
 * Retired things wait in a lock-free stack until epoch_reclaim() takes them as one batch. liburcu
 * tells, from its own thread, when the batch's grace period has passed; that thread only moves it
 * to a second stack, so that releasing happens in the keeper's thread alone.
 */
struct batch {
    struct rcu_head head;
    struct batch *next;
    struct epoch_retired *retired;
};

static struct epoch_retired *retired_now;
static struct batch *batches_ready;

/*
 * liburcu orders readers before releases with barriers that ThreadSanitizer cannot see; in its
 * builds one marker says the same in its language.
 */
#if defined(__SANITIZE_THREAD__)
#define SANITIZES_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZES_THREADS 1
#endif
#endif

#ifdef SANITIZES_THREADS
void __tsan_acquire(void *address);
void __tsan_release(void *address);
static char reading_marker;
#define READING_ENDS()      __tsan_release(&reading_marker)
#define READING_HAS_ENDED() __tsan_acquire(&reading_marker)
#else
#define READING_ENDS()      ((void)0)
#define READING_HAS_ENDED() ((void)0)
#endif

void epoch_join(void)
{
    urcu_qsbr_register_thread();
}

void epoch_leave(void)
{
    READING_ENDS();
    urcu_qsbr_unregister_thread();
}

void epoch_quiesce(void)
{
    READING_ENDS();
    urcu_qsbr_quiescent_state();
}

void epoch_offline(void)
{
    READING_ENDS();
    urcu_qsbr_thread_offline();
}

void epoch_online(void)
{
    urcu_qsbr_thread_online();
}

void epoch_retire(struct epoch_retired *retired, void (*release)(struct epoch_retired *retired))
{
    retired->release = release;
    struct epoch_retired *first = __atomic_load_n(&retired_now, __ATOMIC_RELAXED);
    do {
        retired->next = first;
    } while (!__atomic_compare_exchange_n(&retired_now, &first, retired, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

static void batch_is_ready(struct rcu_head *head)
{
    struct batch *batch = caa_container_of(head, struct batch, head);
    struct batch *first = __atomic_load_n(&batches_ready, __ATOMIC_RELAXED);
    do {
        batch->next = first;
    } while (!__atomic_compare_exchange_n(&batches_ready, &first, batch, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

static void release_ready(void)
{
    struct batch *batch = __atomic_exchange_n(&batches_ready, NULL, __ATOMIC_ACQUIRE);
    while (batch != NULL) {
        struct batch *next_batch = batch->next;
        struct epoch_retired *retired = batch->retired;
        READING_HAS_ENDED();
        mem_free(batch);
        while (retired != NULL) {
            struct epoch_retired *next = retired->next;
            retired->release(retired);
            retired = next;
        }
        batch = next_batch;
    }
}

static bool start_batch(void)
{
    struct epoch_retired *retired = __atomic_exchange_n(&retired_now, NULL, __ATOMIC_ACQUIRE);
    if (retired == NULL) {
        return false;
    }
    struct batch *batch = mem_alloc_zero(1, sizeof(*batch));
    batch->retired = retired;
    urcu_qsbr_call_rcu(&batch->head, batch_is_ready);
    return true;
}

void epoch_reclaim(void)
{
    release_ready();
    start_batch();
}

void epoch_barrier(void)
{
    do {
        start_batch();
        urcu_qsbr_barrier();
        release_ready();
        /* Releasing may retire more. */
    } while (__atomic_load_n(&retired_now, __ATOMIC_RELAXED) != NULL);
}
