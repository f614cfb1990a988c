/* The TCP half of an exchange: connect, write one request, read messages. */
#include "net/peer_exchange.h"

static void on_closed(uv_handle_t *handle)
{
    peer_exchange_release(handle->data);
}

static void on_input_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *out_input)
{
    (void)suggested;
    *out_input = peer_exchange_input(handle->data);
}

static bool has_message(const struct buffer *input, size_t used)
{
    size_t left = input->length - used;
    return left >= 2 && left - 2 >= (size_t)wire_get_u16(input->bytes + used);
}

/* Hand over whole messages until somebody has enough. */
static void deliver(struct peer_exchange *exchange)
{
    struct buffer *input = &exchange->tcp.input;
    size_t used = 0;

    while (exchange->stage == PEER_ON_TCP && !exchange->tcp.paused && has_message(input, used)) {
        struct span message = {input->bytes + used + 2, wire_get_u16(input->bytes + used)};
        used += 2 + message.length;
        peer_exchange_take(exchange, message, true);
    }
    if (used > 0) {
        input->length -= used;
        memmove(input->bytes, input->bytes + used, input->length);
    }
}

static void on_read(uv_stream_t *socket, ssize_t length, const uv_buf_t *input)
{
    struct peer_exchange *exchange = socket->data;

    if (length == 0 || exchange->stage != PEER_ON_TCP) {
        return;
    }
    if (length < 0) {
        /* Closed or reset before we had enough: what came is not the whole. */
        peer_exchange_lose(exchange, SG_IO);
        return;
    }
    buffer_append(&exchange->tcp.input, input->base, (size_t)length);
    deliver(exchange);
}

static void on_written(uv_write_t *write, int status)
{
    struct peer_exchange *exchange = write->data;

    if (status < 0 && exchange->stage == PEER_ON_TCP) {
        peer_exchange_lose(exchange, peer_exchange_result(status));
    }
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct peer_exchange *exchange = connect->data;
    uv_stream_t *socket = (uv_stream_t *)&exchange->tcp.socket;
    const struct buffer *frame = &exchange->request.frame;
    uv_buf_t output = uv_buf_init((char *)frame->bytes, (unsigned)frame->length);

    if (exchange->stage != PEER_ON_TCP) {
        return;
    }
    if (status == 0) {
        exchange->tcp.connected = true;
        exchange->tcp.write.data = exchange;
        status = uv_write(&exchange->tcp.write, socket, &output, 1, on_written);
    }
    if (status == 0 && !exchange->tcp.paused) {
        status = uv_read_start(socket, on_input_wanted, on_read);
    }
    if (status != 0) {
        peer_exchange_lose(exchange, peer_exchange_result(status));
        return;
    }
    peer_exchange_wait(exchange, exchange->terms.idle_ms);
}

enum sg_result peer_tcp_open(struct peer_exchange *exchange)
{
    struct peer_tcp *tcp = &exchange->tcp;
    struct span frame;

    enum sg_result result = peer_request_frame(&exchange->request, time_now(), &frame);
    if (result != SG_OK) {
        return result;
    }
    if (uv_tcp_init(peer_exchange_loop(exchange), &tcp->socket) != 0) {
        return SG_IO;
    }
    tcp->socket.data = exchange;
    tcp->connect.data = exchange;
    tcp->open = true;
    exchange->holds++;
    int status = 0;
    if (exchange->has_source) {
        status = uv_tcp_bind(&tcp->socket, &exchange->source.at.any, 0);
    }
    if (status == 0) {
        status =
            uv_tcp_connect(&tcp->connect, &tcp->socket, &exchange->server.at.any, on_connected);
    }
    if (status != 0) {
        peer_tcp_close(exchange);
        return peer_exchange_result(status);
    }
    return SG_OK;
}

void peer_tcp_pause(struct peer_exchange *exchange)
{
    exchange->tcp.paused = true;
    if (exchange->tcp.connected) {
        uv_read_stop((uv_stream_t *)&exchange->tcp.socket);
    }
}

void peer_tcp_resume(struct peer_exchange *exchange)
{
    deliver(exchange);
    if (exchange->stage != PEER_ON_TCP || exchange->tcp.paused || !exchange->tcp.connected) {
        return;
    }
    int status = uv_read_start((uv_stream_t *)&exchange->tcp.socket, on_input_wanted, on_read);
    if (status != 0 && status != UV_EALREADY) {
        peer_exchange_lose(exchange, SG_IO);
    }
}

void peer_tcp_close(struct peer_exchange *exchange)
{
    struct peer_tcp *tcp = &exchange->tcp;

    if (!tcp->open) {
        return;
    }
    tcp->open = false;
    tcp->connected = false;
    uv_close((uv_handle_t *)&tcp->socket, on_closed);
}
