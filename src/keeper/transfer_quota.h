/*
 * keeper/transfer_quota.h - how many transfers may come in at once: in all, and from one server
 *
 * transfers-in, and transfers-per-ns or the `transfers` of one server. Whoever finds no room stands
 * in its server's line; servers take turns, so that one with a thousand zones does not hold up the
 * others. Thread: keeper.
 */
#pragma once

#include "keeper/remote.h"

struct transfer_quota;
struct transfer_lane; /* one server, while anybody transfers from it or waits to */

/* A zone's place; embedded. Begin with all zero. */
struct transfer_place {
    void *owner;
    struct transfer_lane *lane; /* NULL: neither runs nor waits */
    struct transfer_place *next;
    unsigned server_max; /* as transfer_quota_take() was told */
    bool running;
};

struct transfer_quota *transfer_quota_new(unsigned transfers_in, unsigned transfers_per_server);
void transfer_quota_free(struct transfer_quota *quota); /* nobody has a place any more */
/* Those that run beyond a lower limit go on. */
void transfer_quota_set(struct transfer_quota *quota, unsigned transfers_in,
                        unsigned transfers_per_server);

/*
 * May a transfer from `server` begin? True: `place` runs until transfer_quota_give(). False: it
 * waits, and is handed out by transfer_quota_next() in its turn. `server_max`: how many from it at
 * once; 0: as many as from any.
 */
bool transfer_quota_take(struct transfer_quota *quota, struct transfer_place *place, void *owner,
                         const struct remote *server, unsigned server_max);
/* It runs no more, or need not wait; fine if it did neither. Then see transfer_quota_next(). */
void transfer_quota_give(struct transfer_quota *quota, struct transfer_place *place);
/* The owner of the next place whose turn has come, which runs from now on; NULL: none. */
void *transfer_quota_next(struct transfer_quota *quota);

size_t transfer_quota_running(const struct transfer_quota *quota);
size_t transfer_quota_waiting(const struct transfer_quota *quota);
