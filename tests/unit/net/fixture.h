/* A service that does no DNS, and clients with deadlines. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/net.h"

enum { DEADLINE_MS = 10000, STREAM_MESSAGE_BYTES = 16384 };

/*
 * What the first byte of a request asks for:
 *   'e' echo   'd' no reply   'b' as many bytes as may be   'l' the address that was asked
 *   's' a stream of as many messages as the next two bytes say
 *   'S' the same, broken at its end   'p' the same, patient with who takes nothing
 *   'u' the same as 'p', but soon nobody wants it any more
 */
struct toy {
    unsigned threads, answered, streams_opened, streams_completed, streams_cut;
};

struct toy_stream {
    struct net_stream stream;
    struct toy *toy;
    unsigned left;
    bool breaks;
};

static inline size_t toy_next(struct net_stream *stream, uint8_t *out_bytes)
{
    struct toy_stream *toy = (struct toy_stream *)stream;
    if (toy->left == 0) {
        return toy->breaks ? NET_STREAM_BROKEN : 0;
    }
    memset(out_bytes, (int)(toy->left & 0xFF), STREAM_MESSAGE_BYTES);
    toy->left--;
    return STREAM_MESSAGE_BYTES;
}

static inline void toy_close(struct net_stream *stream, bool complete)
{
    struct toy_stream *toy = (struct toy_stream *)stream;
    __atomic_fetch_add(complete ? &toy->toy->streams_completed : &toy->toy->streams_cut, 1,
                       __ATOMIC_SEQ_CST);
    mem_free(toy);
}

static inline bool toy_is_unwanted(const struct net_stream *stream)
{
    (void)stream;
    return true;
}

static inline struct net_stream *toy_open(struct toy *toy, unsigned messages, bool breaks)
{
    struct toy_stream *stream = mem_alloc_zero(1, sizeof(*stream));
    stream->stream =
        (struct net_stream){.next = toy_next, .close = toy_close, .time_max = 3600, .idle_max = 1};
    stream->toy = toy;
    stream->left = messages;
    stream->breaks = breaks;
    __atomic_fetch_add(&toy->streams_opened, 1, __ATOMIC_SEQ_CST);
    return &stream->stream;
}

static inline void *toy_thread_start(void *argument, bool tcp)
{
    struct toy *toy = argument;
    (void)tcp;
    __atomic_fetch_add(&toy->threads, 1, __ATOMIC_SEQ_CST);
    return toy;
}

static inline void toy_thread_stop(void *argument, void *thread_state)
{
    struct toy *toy = argument;
    assert_ptr_equal(argument, thread_state);
    __atomic_fetch_sub(&toy->threads, 1, __ATOMIC_SEQ_CST);
}

static inline size_t toy_answer(void *argument, void *thread_state,
                                const struct net_request *request, uint8_t *out_bytes,
                                size_t bytes_max, struct net_stream **out_stream)
{
    struct toy *toy = argument;
    char text[NET_ADDRESS_TEXT_BYTES];

    (void)thread_state;
    __atomic_fetch_add(&toy->answered, 1, __ATOMIC_SEQ_CST);
    switch (request->wire.length > 0 ? request->wire.bytes[0] : 'd') {
    case 'e':
        memcpy(out_bytes, request->wire.bytes, request->wire.length);
        return request->wire.length;
    case 'b':
        memset(out_bytes, 'b', bytes_max);
        return bytes_max;
    case 'l':
        net_address_to_text(request->local, text);
        memcpy(out_bytes, text, strlen(text) + 1);
        return strlen(text) + 1;
    case 's':
    case 'S':
    case 'p':
    case 'u':
        *out_stream =
            toy_open(toy, wire_get_u16(request->wire.bytes + 1), request->wire.bytes[0] == 'S');
        if (request->wire.bytes[0] == 'p' || request->wire.bytes[0] == 'u') {
            (*out_stream)->idle_max = 3600;
        }
        if (request->wire.bytes[0] == 'u') {
            (*out_stream)->is_unwanted = toy_is_unwanted;
        }
        return 0;
    default:
        return 0;
    }
}

static inline struct net_service toy_service(struct toy *toy)
{
    return (struct net_service){.thread_start = toy_thread_start,
                                .thread_stop = toy_thread_stop,
                                .answer = toy_answer,
                                .argument = toy};
}

static inline struct net_address address_of(const char *text, uint16_t port)
{
    struct net_address address;
    assert_int_equal(net_address_from_text(text, port, &address), SG_OK);
    return address;
}

/* A port that is free for UDP and TCP on all addresses of 127.0.0.0/8 and ::1. */
static inline uint16_t free_port(void)
{
    for (int tries = 0; tries < 100; tries++) {
        struct sockaddr_in6 at = {.sin6_family = AF_INET6};
        socklen_t length = sizeof(at);
        int udp = socket(AF_INET6, SOCK_DGRAM, 0);
        int tcp = socket(AF_INET6, SOCK_STREAM, 0);
        int failed = bind(udp, (struct sockaddr *)&at, length);
        failed |= getsockname(udp, (struct sockaddr *)&at, &length);
        failed |= bind(tcp, (struct sockaddr *)&at, length);
        close(udp);
        close(tcp);
        if (failed == 0) {
            return ntohs(at.sin6_port);
        }
    }
    fail_msg("no free port");
    return 0;
}

static inline int client_to(const struct net_address *address, int type)
{
    struct timeval deadline = {DEADLINE_MS / 1000, 0};
    int fd = socket(address->at.any.sa_family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline));
    assert_int_equal(connect(fd, &address->at.any, net_address_length(address)), 0);
    return fd;
}

static inline void send_all_of(int fd, const void *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t more = send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        assert_true(more > 0);
        sent += (size_t)more;
    }
}

/* Exactly `length` bytes. */
static inline void receive_all_of(int fd, void *out_bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t more = recv(fd, (char *)out_bytes + got, length - got, 0);
        assert_true(more > 0);
        got += (size_t)more;
    }
}

/* Nothing more comes: the peer closes within the deadline. */
static inline void assert_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
}

static inline void send_message(int fd, const char *text)
{
    uint8_t frame[2 + 512];
    size_t length = strlen(text);
    assert_true(length <= 512);
    wire_put_u16(frame, (uint16_t)length);
    memcpy(frame + 2, text, length);
    send_all_of(fd, frame, 2 + length);
}

/* The next message's length; its bytes are in `out_bytes` of 65535. */
static inline size_t receive_message(int fd, uint8_t *out_bytes)
{
    uint8_t length[2];
    receive_all_of(fd, length, 2);
    receive_all_of(fd, out_bytes, wire_get_u16(length));
    return wire_get_u16(length);
}

static inline void assert_echo(int fd, const char *text)
{
    uint8_t *message = malloc(65535);
    size_t length = receive_message(fd, message);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(message, text, length);
    free(message);
}
