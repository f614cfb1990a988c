/*
 * server/arrival.h - what a net thread hands to the keeper's thread
 *
 * A letter in the server's inbox: the keeper's thread calls `take`, which owns it from then on.
 * When the server ends, `drop` is called instead. The inbox is bounded: what comes faster than the
 * keeper takes it must not fill the memory.
 */
#pragma once

#include "base/mailbox.h"

struct server;

enum { ARRIVALS_MAX = 16384 };

struct arrival {
    struct letter letter; /* first member */
    void (*take)(struct arrival *arrival, struct server *server);
    void (*drop)(struct arrival *arrival);
};

/* False: it is full, or the server ends; the arrival is still the caller's. Thread: any. */
static inline bool arrival_send(struct mailbox *inbox, struct arrival *arrival)
{
    return mailbox_waiting(inbox) < ARRIVALS_MAX && mailbox_send(inbox, &arrival->letter);
}
