/*
 * server/arrival.h - what a net thread hands to the keeper's thread
 *
 * A letter in the server's inbox: the keeper's thread calls `take`, which owns it from then on.
 * When the server ends, `drop` is called instead. The inbox is bounded, in letters and in bytes:
 * what comes faster than the keeper takes it must not fill the memory. NOTIFY, which anybody can
 * send in a primary's name, has a bound of its own: it leaves no update without its place.
 */
#pragma once

#include "base/mailbox.h"

struct server;

enum arrival_kind { ARRIVAL_UPDATE, ARRIVAL_NOTIFY, ARRIVAL_KINDS };
enum {
    ARRIVAL_UPDATES_MAX = 16384,
    ARRIVAL_NOTIFIES_MAX = 1024,
    ARRIVAL_BYTES_MAX = 64 << 20,
};

struct arrival {
    struct letter letter; /* first member */
    enum arrival_kind kind;
    size_t bytes; /* of the message that it keeps */
    void (*take)(struct arrival *arrival, struct server *server);
    void (*drop)(struct arrival *arrival);
};

struct inbox {
    struct mailbox mailbox;
    size_t waiting[ARRIVAL_KINDS]; /* atomic, as is `bytes` */
    size_t bytes;
};

/* One that leaves the inbox, before `take` or `drop`. Thread: keeper. */
static inline void arrival_leaves(struct inbox *inbox, const struct arrival *arrival)
{
    __atomic_sub_fetch(&inbox->waiting[arrival->kind], 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&inbox->bytes, arrival->bytes, __ATOMIC_RELAXED);
}

/* False: it is full, or the server ends; the arrival is still the caller's. Thread: any. */
static inline bool arrival_send(struct inbox *inbox, struct arrival *arrival)
{
    static const size_t waiting_max[ARRIVAL_KINDS] = {
        [ARRIVAL_UPDATE] = ARRIVAL_UPDATES_MAX,
        [ARRIVAL_NOTIFY] = ARRIVAL_NOTIFIES_MAX,
    };
    size_t waiting = __atomic_add_fetch(&inbox->waiting[arrival->kind], 1, __ATOMIC_RELAXED);
    size_t bytes = __atomic_add_fetch(&inbox->bytes, arrival->bytes, __ATOMIC_RELAXED);

    if (waiting > waiting_max[arrival->kind] || bytes > ARRIVAL_BYTES_MAX ||
        !mailbox_send(&inbox->mailbox, &arrival->letter)) {
        arrival_leaves(inbox, arrival);
        return false;
    }
    return true;
}
