/*
 * net/net.h - all sockets and threads that serve: open, start, change at a reload, stop
 *
 *   net_new() -> net_bind() -> [drop privileges] -> net_start() -> ... net_bind() ... -> net_stop()
 *   -> net_free()
 *
 * Each address is served by `udp_threads` threads of its own, each blocked in a receive on its
 * own socket, and by the common TCP threads, each with its own listening socket on a libuv loop.
 * The kernel spreads clients over the sockets of an address (SO_REUSEPORT).
 *
 * Thread: keeper (main), all functions.
 */
#pragma once

#include "net/service.h"

enum { NET_THREADS_MAX = 1024, NET_ADDRESSES_MAX = 4096 };

struct net_settings {
    unsigned udp_threads;      /* on each address; at least 1 */
    unsigned tcp_threads;      /* in all; at least 1 */
    unsigned tcp_listen_queue; /* 0: the default, 128 */
};

/* What a reload may change while clients are connected. */
struct net_limits {
    unsigned tcp_clients;            /* tcp-clients: more connections are closed at once */
    sg_duration tcp_initial_timeout; /* until the first whole message */
    sg_duration tcp_idle_timeout;    /* between messages, and for an answer that nobody takes */
};

struct net_counts {
    uint64_t udp_received;
    uint64_t udp_sent;
    uint64_t udp_send_failed; /* the socket's buffer was full, or the address unreachable */
    uint64_t tcp_accepted;
    uint64_t tcp_refused; /* over the limit of clients */
    uint64_t tcp_timed_out;
    unsigned tcp_clients;            /* now */
    unsigned tcp_clients_high_water; /* since the start */
};

struct net;

/* Copies settings and service; opens and starts nothing. */
struct net *net_new(const struct net_service *service, const struct net_settings *settings,
                    const struct net_limits *limits);
void net_set_limits(struct net *net, const struct net_limits *limits);

/*
 * Serve exactly these addresses, ports included: sockets of addresses that stay are kept with all
 * their connections, others are closed, new ones are opened. The wildcard address serves all of
 * its family, and answers from the address that was asked. Duplicates are served once. Before
 * net_start() it only opens, so that privileged ports can be had before privileges are dropped;
 * afterwards new addresses are served at once. What cannot be bound is logged and left out.
 * Returns how many addresses are served.
 */
size_t net_bind(struct net *net, const struct net_address *addresses, size_t count);
/* The addresses served, in no particular order; borrowed until the next net_bind(). */
size_t net_bound(const struct net *net, const struct net_address **out_addresses);

/* Begin to read. SG_IO when the system has no more threads; then call net_stop(). */
MUST_USE enum sg_result net_start(struct net *net);
/* End all threads, close all sockets and connections. Returns when the last thread is gone. */
void net_stop(struct net *net);
void net_free(struct net *net); /* stopped */

void net_counts(const struct net *net, struct net_counts *out_counts);
