/* A desk and a fake name server on the same loop; each test says what the server does. */
#pragma once

#include "dns/rrtype.h"
#include "fixture.h"
#include "net/peer.h"

enum { ANSWERS_MAX = 64 };

struct fake;

/* A TCP client of the fake, or (without socket) the UDP packet that it answers. */
struct fake_client {
    uv_tcp_t socket;
    struct fake *fake;
    struct buffer input;
    struct sockaddr_storage from;
    bool tcp;
    struct tsig_exchange tsig;
};

struct fake {
    uv_loop_t loop;
    struct peer_desk *desk;
    uv_udp_t udp, stranger; /* the stranger has another port */
    uv_tcp_t tcp;
    uv_timer_t deadline;
    struct net_address address;
    struct net_address udp_client; /* of the last packet */
    void (*on_udp)(struct fake_client *client, struct span message);
    void (*on_tcp)(struct fake_client *client, struct span message);
    unsigned udp_received, tcp_accepted, sockets_high_water;
    uint16_t id; /* of the last packet */
    const struct tsig_key *key;
    unsigned step; /* of what the test does */
    bool closed;
};

/* What came of one question. */
struct asked {
    struct peer_exchange *exchange;
    unsigned messages, messages_wanted; /* 0: until it fails */
    size_t bytes;
    unsigned failed;
    enum sg_result result;
    bool settled, tcp, unsent;
    uint16_t rcode, flags;
    unsigned pause_after; /* messages; 0: never */
    bool done;
};

struct fake_write {
    uv_write_t write;
    uint8_t frame[];
};

static inline void fake_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static inline void fake_send(struct fake_client *client, const void *bytes, size_t length)
{
    struct fake *fake = client->fake;
    uv_buf_t output = uv_buf_init((char *)bytes, (unsigned)length);

    if (!client->tcp) {
        uv_udp_try_send(&fake->udp, &output, 1, (const struct sockaddr *)&client->from);
        return;
    }
    struct fake_write *write = malloc(sizeof(*write) + 2 + length);
    wire_put_u16(write->frame, (uint16_t)length);
    memcpy(write->frame + 2, bytes, length);
    output = uv_buf_init((char *)write->frame, (unsigned)length + 2);
    assert_int_equal(
        uv_write(&write->write, (uv_stream_t *)&client->socket, &output, 1, fake_written), 0);
}

static inline void fake_closed(uv_handle_t *handle)
{
    struct fake_client *client = handle->data;
    buffer_free(&client->input);
    tsig_exchange_clear(&client->tsig);
    free(client);
}

static inline void fake_shut(uv_shutdown_t *shutdown, int status)
{
    struct fake_client *client = shutdown->data;
    (void)status;
    free(shutdown);
    if (!uv_is_closing((uv_handle_t *)&client->socket)) {
        uv_close((uv_handle_t *)&client->socket, fake_closed);
    }
}

/* Close behind what was sent. */
static inline void fake_finish(struct fake_client *client)
{
    uv_shutdown_t *shutdown = malloc(sizeof(*shutdown));
    shutdown->data = client;
    if (!client->tcp || uv_shutdown(shutdown, (uv_stream_t *)&client->socket, fake_shut) != 0) {
        free(shutdown);
    }
}

static inline void fake_hang_up(struct fake_client *client, bool reset)
{
    if (uv_is_closing((uv_handle_t *)&client->socket)) {
        return;
    }
    if (!reset || uv_tcp_close_reset(&client->socket, fake_closed) != 0) {
        uv_close((uv_handle_t *)&client->socket, fake_closed);
    }
}

static inline void fake_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char room[65536];
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(room, sizeof(room));
}

static inline void fake_read(uv_stream_t *socket, ssize_t length, const uv_buf_t *input)
{
    struct fake_client *client = socket->data;
    if (length < 0) {
        fake_hang_up(client, false);
        return;
    }
    buffer_append(&client->input, input->base, (size_t)length);
    if (client->input.length < 2 || client->input.length - 2 < wire_get_u16(client->input.bytes)) {
        return;
    }
    struct span message = {client->input.bytes + 2, wire_get_u16(client->input.bytes)};
    if (client->fake->on_tcp != NULL) {
        client->fake->on_tcp(client, message);
    }
    buffer_clear(&client->input);
}

static inline void fake_accept(uv_stream_t *listener, int status)
{
    struct fake *fake = listener->data;
    struct fake_client *client = calloc(1, sizeof(*client));
    int size = 8 << 20;

    assert_int_equal(status, 0);
    client->fake = fake;
    client->tcp = true;
    uv_tcp_init(&fake->loop, &client->socket);
    client->socket.data = client;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&client->socket), 0);
    uv_send_buffer_size((uv_handle_t *)&client->socket, &size);
    uv_read_start((uv_stream_t *)&client->socket, fake_alloc, fake_read);
    fake->tcp_accepted++;
}

static inline void fake_packet(uv_udp_t *socket, ssize_t length, const uv_buf_t *input,
                               const struct sockaddr *from, unsigned flags)
{
    struct fake *fake = socket->data;
    struct fake_client client = {.fake = fake};

    (void)flags;
    if (length <= 0 || from == NULL) {
        return;
    }
    fake->udp_received++;
    fake->id = wire_get_u16((const uint8_t *)input->base);
    memcpy(&client.from, from, sizeof(struct sockaddr_in));
    memcpy(&fake->udp_client.at, from, sizeof(struct sockaddr_in));
    if (fake->on_udp != NULL) {
        struct buffer copy = BUFFER_EMPTY;
        buffer_append(&copy, input->base, (size_t)length);
        fake->on_udp(&client, buffer_span(&copy));
        buffer_free(&copy);
    }
    tsig_exchange_clear(&client.tsig);
}

static inline void fake_too_late(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened in time");
}

static inline void fake_start(struct fake *fake)
{
    struct net_address any = address_of("127.0.0.1", 0);

    memset(fake, 0, sizeof(*fake));
    fake->address = address_of("127.0.0.1", free_port());
    uv_loop_init(&fake->loop);
    fake->desk = peer_desk_new(&fake->loop);
    uv_udp_init(&fake->loop, &fake->udp);
    uv_udp_init(&fake->loop, &fake->stranger);
    uv_tcp_init(&fake->loop, &fake->tcp);
    fake->udp.data = fake->tcp.data = fake;
    assert_int_equal(uv_udp_bind(&fake->udp, &fake->address.at.any, 0), 0);
    assert_int_equal(uv_udp_bind(&fake->stranger, &any.at.any, 0), 0);
    assert_int_equal(uv_tcp_bind(&fake->tcp, &fake->address.at.any, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&fake->tcp, 512, fake_accept), 0);
    uv_udp_recv_start(&fake->udp, fake_alloc, fake_packet);
    uv_timer_init(&fake->loop, &fake->deadline);
    uv_timer_start(&fake->deadline, fake_too_late, 60000, 0);
}

static inline void fake_desk_closed(void *argument)
{
    struct fake *fake = argument;
    fake->closed = true;
}

static inline void fake_close_handle(uv_handle_t *handle, void *argument)
{
    struct fake *fake = argument;
    if (!uv_is_closing(handle)) {
        bool client = handle->type == UV_TCP && handle != (uv_handle_t *)&fake->tcp;
        uv_close(handle, client ? fake_closed : NULL);
    }
}

static inline void fake_stop(struct fake *fake)
{
    peer_desk_close(fake->desk, fake_desk_closed, fake);
    while (!fake->closed) {
        uv_run(&fake->loop, UV_RUN_ONCE);
    }
    uv_walk(&fake->loop, fake_close_handle, fake);
    uv_run(&fake->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fake->loop), 0);
}

/* --- asking ------------------------------------------------------------------------------- */

static inline bool on_answer(void *argument, struct peer_exchange *exchange,
                             const struct peer_answer *answer)
{
    struct asked *asked = argument;

    assert_ptr_equal(exchange, asked->exchange);
    assert_false(asked->done);
    if (answer->event == PEER_FAILED) {
        asked->failed++;
        asked->result = answer->result;
        asked->unsent = answer->unsent;
        asked->done = true;
        return false;
    }
    asked->messages++;
    asked->bytes += answer->message.length;
    asked->settled = answer->settled;
    asked->tcp = answer->tcp;
    asked->flags = wire_get_u16(answer->message.bytes + 2);
    asked->rcode = asked->flags & 0xf;
    if (asked->pause_after != 0 && asked->messages == asked->pause_after) {
        peer_pause(exchange);
    }
    asked->done = asked->messages == asked->messages_wanted;
    return !asked->done;
}

static inline size_t question_of(const char *name, uint16_t type, uint8_t out_bytes[512])
{
    struct dns_name apex;
    struct writer writer = writer_of(out_bytes, 512);

    assert_int_equal(dns_name_from_text(name, strlen(name), NULL, &apex), SG_OK);
    for (int i = 0; i < 6; i++) {
        writer_u16(&writer, i == 2 ? 1 : 0);
    }
    writer_bytes(&writer, apex.wire, apex.length);
    writer_u16(&writer, type);
    writer_u16(&writer, DNS_CLASS_IN);
    return writer_length(&writer);
}

static inline void ask(struct fake *fake, const struct peer_question *terms, struct asked *asked)
{
    uint8_t bytes[512];
    struct peer_question question = *terms;

    if (question.message.bytes == NULL) {
        question.message = (struct span){bytes, question_of("example.", DNS_TYPE_SOA, bytes)};
    }
    if (question.server == NULL) {
        question.server = &fake->address;
    }
    assert_int_equal(peer_ask(fake->desk, &question, on_answer, asked, &asked->exchange), SG_OK);
}

static inline void run_until(struct fake *fake, const bool *done)
{
    while (!*done) {
        uv_run(&fake->loop, UV_RUN_ONCE);
        size_t sockets = peer_desk_sockets(fake->desk);
        if (sockets > fake->sockets_high_water) {
            fake->sockets_high_water = (unsigned)sockets;
        }
    }
}

/* Ask one question, wait for its end. */
static inline struct asked ask_and_wait(struct fake *fake, const struct peer_question *terms)
{
    struct asked asked = {.messages_wanted = 1};
    ask(fake, terms, &asked);
    run_until(fake, &asked.done);
    assert_int_equal(peer_desk_running(fake->desk), 0);
    return asked;
}

/* --- answering ----------------------------------------------------------------------------- */

/* The request as a response of `length` bytes: a record of an unknown type fills it. 0: as is. */
static inline size_t response_to(struct span request, uint16_t flags, size_t length,
                                 uint8_t *out_bytes)
{
    struct dns_message message;
    enum { RECORD_BYTES = 12 };

    assert_int_equal(dns_message_parse(request, &message), SG_OK);
    size_t end = message.question_end;
    memcpy(out_bytes, request.bytes, end);
    wire_put_u16(out_bytes + 2, (uint16_t)((message.flags & 0x7800) | DNS_FLAG_QR | flags));
    memset(out_bytes + 6, 0, 6);
    if (length > end + RECORD_BYTES) {
        size_t rdata = length - end - RECORD_BYTES;
        wire_put_u16(out_bytes + 6, 1);
        wire_put_u16(out_bytes + end, 0xC00C);
        wire_put_u16(out_bytes + end + 2, 65280);
        wire_put_u16(out_bytes + end + 4, DNS_CLASS_IN);
        wire_put_u32(out_bytes + end + 6, 1);
        wire_put_u16(out_bytes + end + 10, (uint16_t)rdata);
        memset(out_bytes + end + RECORD_BYTES, 'x', rdata);
        return length;
    }
    return end;
}

static inline void respond(struct fake_client *client, struct span request, uint16_t flags,
                           size_t length)
{
    static uint8_t bytes[65535];
    fake_send(client, bytes, response_to(request, flags, length, bytes));
}
