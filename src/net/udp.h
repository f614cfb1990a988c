/*
 * net/udp.h - one thread that serves one UDP socket in batches
 *
 * The thread blocks in recvmmsg() on its only socket, answers the batch into one slab, and sends
 * all replies with one sendmmsg(): two system calls for a batch, none for a query. libuv's UDP
 * cannot do this (no packet info, a request object for each reply).
 */
#pragma once

#include "net/service.h"

struct net_udp;

struct net_udp_counts {
    uint64_t received, sent, send_failed;
};

/*
 * Serve `fd`, bound to `address`; takes it, even on failure. `service` is borrowed until
 * net_udp_stop(). SG_IO when there is no thread to be had.
 */
MUST_USE enum sg_result net_udp_start(int fd, const struct net_address *address,
                                      const struct net_service *service, struct net_udp **out_udp);
/* Ask the thread to end: stop several at once, then free each. */
void net_udp_stop(struct net_udp *udp);
/* Wait for the thread, close the socket. `out_counts` gets its last counts. */
void net_udp_free(struct net_udp *udp, struct net_udp_counts *out_counts);

/* Thread: any. */
void net_udp_counts(const struct net_udp *udp, struct net_udp_counts *out_counts);
