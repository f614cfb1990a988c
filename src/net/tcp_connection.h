/*
 * net/tcp_connection.h - one TCP client: messages in, answers and streams out
 *
 * Callbacks of libuv only note what happened; each connection to which something happened then
 * takes one step, before the thread waits again (tcp_host_turn). So all looking at published
 * data is in one place, inside an epoch, and every client gets its turn.
 *
 *   step: whole messages -> answers, the stream's messages -> one chunk -> one write
 *
 * While a write is under way nothing more is answered; the kernel's buffer keeps the client busy.
 * Bounds: unread input, unsent output, time to the first message, between messages, for output
 * that nobody takes, and for a whole stream. Messages are answered in order (RFC 7766 7 would
 * allow others).
 *
 * Thread: the TCP thread that accepted it.
 */
#pragma once

#include <uv.h>

#include "base/mailbox.h"
#include "net/net.h"

enum {
    TCP_MESSAGE_BYTES_MAX = 65535,
    TCP_FRAME_BYTES_MAX = 2 + TCP_MESSAGE_BYTES_MAX,
    TCP_INPUT_BYTES = 65536,     /* one read */
    TCP_CHUNK_BYTES = 128 << 10, /* one write is at least this where there is more */
};

/* What all TCP threads have in common; read and written with relaxed atomics. */
struct tcp_common {
    struct net_limits limits;
    unsigned clients, clients_high_water;
    uint64_t accepted, refused, timed_out;
};

struct tcp_connection;

/* Where answers come in that were made later, in other threads: it outlives the thread. */
struct tcp_post {
    struct mailbox mailbox; /* of tcp_later */
    unsigned users;         /* the thread, and every answer that is to come; atomic */
};

/* What a thread lends to its connections. */
struct tcp_host {
    uv_loop_t loop;
    const struct net_service *service;
    void *thread_state;
    struct tcp_common *common;
    struct tcp_post *post;
    struct tcp_connection *connections;
    struct tcp_connection *stirred; /* to which something happened */
    struct tcp_connection **stirred_last;
    uint8_t input[TCP_INPUT_BYTES];
    uint8_t chunk[TCP_CHUNK_BYTES + TCP_FRAME_BYTES_MAX];
};

/* A client waits at `listener`: take it, or turn it away. */
void tcp_connection_accept(struct tcp_host *host, uv_stream_t *listener);
/* One step for each connection to which something happened. Inside an epoch. */
void tcp_host_turn(struct tcp_host *host);
/* At the end of the thread. */
void tcp_host_close_connections(struct tcp_host *host);

/* `wake` is called when an answer has come in. */
void tcp_host_open_post(struct tcp_host *host, void (*wake)(void *), void *argument);
/* Give answers that came in to their connections. */
void tcp_host_take_post(struct tcp_host *host);
/* Take no more: whoever still has an answer keeps it. */
void tcp_host_close_post(struct tcp_host *host);
