/*
 * net/peer_exchange.h - one exchange with a peer, as its two transports see it; for peer*.c
 *
 *   waits for a socket -> UDP, up to `udp_tries` times -> [waits] -> TCP -> closing -> freed
 *
 * peer.c decides, peer_udp.c and peer_tcp.c carry. An exchange is freed when nothing holds it any
 * more: libuv's handles, whose closing takes a turn of the loop, and a queue that it stands in.
 */
#pragma once

#include "net/peer_request.h"

enum { PEER_INPUT_BYTES = 65536 };

enum peer_stage { PEER_WAITS, PEER_ON_UDP, PEER_ON_TCP, PEER_CLOSING };

/* How long and how often; milliseconds of the loop's clock. */
struct peer_terms {
    bool udp_only;
    unsigned udp_tries_left;
    uint64_t udp_ms, connect_ms, idle_ms, total_ms;
    uint64_t ends_at; /* 0: it has not begun */
};

struct peer_udp {
    uv_udp_t socket;
    bool open;
};

struct peer_tcp {
    uv_tcp_t socket;
    uv_connect_t connect;
    uv_write_t write;
    struct buffer input; /* not delivered yet */
    bool open;
    bool connected;
    bool paused;
};

struct peer_exchange {
    struct peer_desk *desk;
    struct peer_exchange *next;
    struct peer_exchange **back; /* what points to us */
    struct peer_exchange *queue_next;
    bool queued;
    unsigned holds; /* handles that are open, and the queue */
    enum peer_stage stage;
    bool sent_by_udp;     /* also if TCP has followed */
    enum sg_result doubt; /* what an answer that may be forged said; SG_OK: none */
    peer_callback *callback;
    void *argument;
    struct net_address server, source;
    bool has_source;
    struct peer_request request;
    struct peer_terms terms;
    uv_timer_t timer;
    struct peer_udp udp;
    struct peer_tcp tcp;
};

/* --- peer.c, for the transports ------------------------------------------------------------- */

uv_loop_t *peer_exchange_loop(const struct peer_exchange *exchange);
/* Bytes to read into, lent until the read's callback returns. */
uv_buf_t peer_exchange_input(const struct peer_exchange *exchange);
/* The end of the present wait; never beyond that of the whole exchange. 0: only that. */
void peer_exchange_wait(struct peer_exchange *exchange, uint64_t wait_ms);
/* A message came. Afterwards the exchange may be closing. */
void peer_exchange_take(struct peer_exchange *exchange, struct span message, bool tcp);
/* The transport is at its end: SG_REFUSED, SG_TIMEOUT, SG_IO. */
void peer_exchange_lose(struct peer_exchange *exchange, enum sg_result result);
/* A handle has closed. */
void peer_exchange_release(struct peer_exchange *exchange);
/* UV_ECONNREFUSED and its like. */
enum sg_result peer_exchange_result(int status);

/* --- peer_udp.c ----------------------------------------------------------------------------- */

/* Open a socket of our own and send. On failure nothing is open. */
MUST_USE enum sg_result peer_udp_open(struct peer_exchange *exchange);
MUST_USE enum sg_result peer_udp_send(struct peer_exchange *exchange);
void peer_udp_close(struct peer_exchange *exchange); /* fine if it is not open */

/* --- peer_tcp.c ----------------------------------------------------------------------------- */

MUST_USE enum sg_result peer_tcp_open(struct peer_exchange *exchange);
void peer_tcp_pause(struct peer_exchange *exchange);
/* Deliver what waits, then read on. */
void peer_tcp_resume(struct peer_exchange *exchange);
void peer_tcp_close(struct peer_exchange *exchange); /* fine if it is not open */
