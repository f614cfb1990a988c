/*
 * net/tcp.h - one thread that serves TCP on a libuv loop, with listening sockets of its own
 */
#pragma once

#include "net/tcp_connection.h"

struct net_tcp;

/* `service` and `common` are borrowed until net_tcp_free(). SG_IO: no thread, or no loop. */
MUST_USE enum sg_result net_tcp_start(const struct net_service *service, struct tcp_common *common,
                                      struct net_tcp **out_tcp);
/* Accept on `fd`, which listens at `address`, from now on; takes it. */
void net_tcp_listen(struct net_tcp *tcp, int fd, const struct net_address *address, int backlog);
/* Accept no more at `address`; connections go on. Waits until the socket is closed. */
void net_tcp_unlisten(struct net_tcp *tcp, const struct net_address *address);
/* Ask the thread to close everything and end: stop several at once, then free each. */
void net_tcp_stop(struct net_tcp *tcp);
/* Wait for the thread. */
void net_tcp_free(struct net_tcp *tcp);
