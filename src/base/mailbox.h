/*
 * base/mailbox.h - the only way work passes between threads
 *
 * A bounded-by-its-callers queue of letters from any thread to one owner. The letter is embedded
 * in what is sent and belongs to the receiver from then on. `wake` is called (in the sender's
 * thread) when a letter arrives in an empty box: it may only signal, e.g. uv_async_send().
 * A box without `wake` is waited for with mailbox_wait(). The only mutex in Signet lives here.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct letter {
    struct letter *next;
};

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    struct letter *first;
    struct letter **last;
    size_t waiting;
    size_t urgent;              /* of those, how many were sent first; they are in front */
    struct letter **urgent_end; /* where the next of them goes */
    bool closed;
    void (*wake)(void *wake_argument);
    void *wake_argument;
};

void mailbox_init(struct mailbox *mailbox, void (*wake)(void *), void *wake_argument);
void mailbox_clear(struct mailbox *mailbox); /* must be empty */

/* Thread: any. False when the box is closed: the letter is still the caller's. */
bool mailbox_send(struct mailbox *mailbox, struct letter *letter);
/* The same, in front of all that wait but those that were sent so before. */
bool mailbox_send_first(struct mailbox *mailbox, struct letter *letter);
/* The oldest letter, or NULL. Thread: the owner. */
struct letter *mailbox_take(struct mailbox *mailbox);
/* The oldest that was sent first, or NULL. */
struct letter *mailbox_take_urgent(struct mailbox *mailbox);
/* All letters, oldest first, linked by `next`; or NULL. Thread: the owner. */
struct letter *mailbox_take_all(struct mailbox *mailbox);
/* Wait for a letter; NULL once the box is closed and empty. Several threads may wait. */
struct letter *mailbox_wait(struct mailbox *mailbox);
/* The same, but NULL also once time_monotonic_ns() has reached `until_ns`. */
struct letter *mailbox_wait_until(struct mailbox *mailbox, uint64_t until_ns);
/* No letter is there and none can come. */
bool mailbox_is_over(struct mailbox *mailbox);
void mailbox_close(struct mailbox *mailbox);
size_t mailbox_waiting(struct mailbox *mailbox);
