/*
 * net/service.h - what net asks of the front desk: bytes in, bytes out
 *
 * net/ knows no zone. At start it is given one `struct net_service`; every packet and every TCP
 * message goes through `answer`, in the thread that received it, inside an epoch (base/epoch.h).
 */
#pragma once

#include "base/buffer.h"
#include "base/time.h"
#include "net/address.h"

enum { NET_BATCH_MAX = 64 };

struct net_later;

struct net_request {
    struct span wire;
    const struct net_address *client;
    const struct net_address *local; /* the address that was asked, with port */
    bool tcp;
    /* For net/later.h; NULL where every answer is given at once (tests). */
    struct net_later *(*later)(const struct net_request *request);
    void *host, *packet; /* private to net/ */
};

/* A response of more than one message (a transfer); owned by the connection. */
#define NET_STREAM_BROKEN SIZE_MAX
struct net_stream {
    /* The next message into `out_bytes` (65535); 0: complete; NET_STREAM_BROKEN: there can be no
     * more, and the client learns of it by the connection's end. */
    size_t (*next)(struct net_stream *stream, uint8_t *out_bytes);
    /* The connection is done with it, complete or not. */
    void (*close)(struct net_stream *stream, bool complete);
    /* Asked every second, outside an epoch; NULL: never. True: what it sends is no longer to be
     * kept for the client, and the connection ends, whether the client takes anything or not. */
    bool (*is_unwanted)(const struct net_stream *stream);
    sg_duration time_max; /* for all of it */
    sg_duration idle_max; /* while the client takes nothing */
};

struct net_service {
    /* Per-thread state (hasher, counters), made and freed in that thread. */
    void *(*thread_start)(void *argument, bool tcp);
    void (*thread_stop)(void *argument, void *thread_state);
    /*
     * Requests that arrived together and will be given to `answer` next, in this order, at most
     * NET_BATCH_MAX: a chance to fetch what they need side by side. May be NULL.
     */
    void (*prepare)(void *argument, void *thread_state, const struct net_request *requests,
                    size_t count);
    /*
     * Write a response of at most `bytes_max` into `out_bytes`; returns its length, 0: drop. Over
     * TCP `out_stream` (NULL over UDP) may be set instead, then 0 is returned.
     */
    size_t (*answer)(void *argument, void *thread_state, const struct net_request *request,
                     uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream);
    void *argument;
};
