/*
 * base/epoch.h - when may memory that readers might still look at be freed?
 *
 * A door in front of liburcu's QSBR flavour. A reader thread registers once, announces a
 * quiescent state after each batch, and goes offline around every call that may block. Reading
 * costs nothing. A writer replaces a pointer with epoch_publish() and hands the old thing to
 * epoch_retire(), which calls back once every reader has been quiescent.
 *
 *   reader: epoch_join() { epoch_offline() recv epoch_online() read... epoch_quiesce() }
 * epoch_leave()
 */
#pragma once

/* Every thread that dereferences published pointers, once at its begin and its end. */
void epoch_join(void);
void epoch_leave(void);
/* "I hold no published pointer." Between batches. */
void epoch_quiesce(void);
/* Around anything that may block. */
void epoch_offline(void);
void epoch_online(void);

struct epoch_retired {
    struct epoch_retired *next;
    void (*release)(struct epoch_retired *retired);
};

/*
 * Call `release` after a grace period, from the thread that runs epoch_reclaim(). The struct is
 * embedded in what is retired. Thread: any.
 */
void epoch_retire(struct epoch_retired *retired, void (*release)(struct epoch_retired *retired));

/* Release what was retired and whose grace period has passed; never blocks. Thread: keeper. */
void epoch_reclaim(void);
/* Wait for a grace period, then release everything retired so far. At shutdown and in tests. */
void epoch_barrier(void);

#define epoch_publish(pointer_at, value) __atomic_store_n((pointer_at), (value), __ATOMIC_RELEASE)
#define epoch_read(pointer_at)           __atomic_load_n((pointer_at), __ATOMIC_CONSUME)
