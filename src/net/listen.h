/*
 * net/listen.h - sockets that serve: options, then bind
 *
 * Several sockets may be opened for one address: the kernel spreads clients over them
 * (SO_REUSEPORT). IPv6 sockets take IPv6 alone. Thread: keeper.
 */
#pragma once

#include "net/address.h"

/*
 * Can this address and port be bound at all, by us alone? SO_REUSEPORT would let a second server
 * of the same user share them silently. SG_IO with errno, e.g. EADDRINUSE. Not for an address
 * that overlaps with one that we serve already.
 */
MUST_USE enum sg_result net_listen_probe(const struct net_address *address);

/*
 * A bound UDP socket, in blocking mode. Where `address` is the wildcard, each packet tells the
 * address that was asked (IP_PKTINFO). SG_IO with errno.
 */
MUST_USE enum sg_result net_listen_udp(const struct net_address *address, int *out_fd);
/* A TCP socket, non-blocking, that listens already. SG_IO with errno. */
MUST_USE enum sg_result net_listen_tcp(const struct net_address *address, int backlog, int *out_fd);
