#include "base/mailbox.h"

#include <time.h>

#include "base/assert.h"

void mailbox_init(struct mailbox *mailbox, void (*wake)(void *), void *wake_argument)
{
    *mailbox = (struct mailbox){.wake = wake, .wake_argument = wake_argument};
    mailbox->last = &mailbox->first;
    mailbox->urgent_end = &mailbox->first;
    pthread_mutex_init(&mailbox->mutex, NULL);
    /* mailbox_wait_until() counts by the clock that never jumps. */
    pthread_condattr_t by_monotonic;
    pthread_condattr_init(&by_monotonic);
    pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&mailbox->arrived, &by_monotonic);
    pthread_condattr_destroy(&by_monotonic);
}

void mailbox_clear(struct mailbox *mailbox)
{
    ASSERT(mailbox->first == NULL);
    pthread_cond_destroy(&mailbox->arrived);
    pthread_mutex_destroy(&mailbox->mutex);
}

static bool send(struct mailbox *mailbox, struct letter *letter, bool in_front)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool open = !mailbox->closed;
    if (open) {
        bool was_empty = mailbox->first == NULL;
        struct letter **at = in_front ? mailbox->urgent_end : mailbox->last;
        letter->next = *at;
        *at = letter;
        if (at == mailbox->last) {
            mailbox->last = &letter->next;
        }
        if (in_front) {
            mailbox->urgent_end = &letter->next;
            mailbox->urgent++;
        }
        mailbox->waiting++;
        pthread_cond_signal(&mailbox->arrived);
        /* Under the lock: the owner cannot clear the box while a sender still wakes it. */
        if (was_empty && mailbox->wake != NULL) {
            mailbox->wake(mailbox->wake_argument);
        }
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return open;
}

bool mailbox_send(struct mailbox *mailbox, struct letter *letter)
{
    return send(mailbox, letter, false);
}

bool mailbox_send_first(struct mailbox *mailbox, struct letter *letter)
{
    return send(mailbox, letter, true);
}

/* The mutex is held. */
static struct letter *take_first(struct mailbox *mailbox)
{
    struct letter *letter = mailbox->first;
    if (letter != NULL) {
        mailbox->first = letter->next;
        if (mailbox->first == NULL) {
            mailbox->last = &mailbox->first;
        }
        mailbox->urgent -= mailbox->urgent > 0;
        if (mailbox->urgent == 0) {
            mailbox->urgent_end = &mailbox->first;
        }
        mailbox->waiting--;
        letter->next = NULL;
    }
    return letter;
}

struct letter *mailbox_take(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct letter *letter = take_first(mailbox);
    pthread_mutex_unlock(&mailbox->mutex);
    return letter;
}

struct letter *mailbox_take_urgent(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct letter *letter = mailbox->urgent > 0 ? take_first(mailbox) : NULL;
    pthread_mutex_unlock(&mailbox->mutex);
    return letter;
}

struct letter *mailbox_take_all(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct letter *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = mailbox->urgent_end = &mailbox->first;
    mailbox->waiting = mailbox->urgent = 0;
    pthread_mutex_unlock(&mailbox->mutex);
    return first;
}

struct letter *mailbox_wait(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    while (mailbox->first == NULL && !mailbox->closed) {
        pthread_cond_wait(&mailbox->arrived, &mailbox->mutex);
    }
    struct letter *letter = take_first(mailbox);
    pthread_mutex_unlock(&mailbox->mutex);
    return letter;
}

struct letter *mailbox_wait_until(struct mailbox *mailbox, uint64_t until_ns)
{
    enum { NS_PER_SECOND = 1000000000 };
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(until_ns % NS_PER_SECOND)};
    int late = 0;
    pthread_mutex_lock(&mailbox->mutex);
    while (mailbox->first == NULL && !mailbox->closed && late == 0) {
        late = pthread_cond_timedwait(&mailbox->arrived, &mailbox->mutex, &until);
    }
    struct letter *letter = take_first(mailbox);
    pthread_mutex_unlock(&mailbox->mutex);
    return letter;
}

bool mailbox_is_over(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool over = mailbox->closed && mailbox->first == NULL;
    pthread_mutex_unlock(&mailbox->mutex);
    return over;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->closed = true;
    pthread_cond_broadcast(&mailbox->arrived);
    pthread_mutex_unlock(&mailbox->mutex);
}

size_t mailbox_waiting(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    size_t waiting = mailbox->waiting;
    pthread_mutex_unlock(&mailbox->mutex);
    return waiting;
}
