/* The UDP half of an exchange: a socket of its own, connected, so that the kernel drops what comes
 * from elsewhere and tells of a port that nobody listens on. */
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

static void on_packet(uv_udp_t *socket, ssize_t length, const uv_buf_t *input,
                      const struct sockaddr *from, unsigned flags)
{
    struct peer_exchange *exchange = socket->data;

    if (exchange->stage != PEER_ON_UDP) {
        return;
    }
    if (length < 0) {
        peer_exchange_lose(exchange, peer_exchange_result((int)length));
        return;
    }
    if (from == NULL || (flags & UV_UDP_PARTIAL) != 0) {
        return; /* Nothing to read, or more than any message has. */
    }
    peer_exchange_take(exchange, (struct span){(const uint8_t *)input->base, (size_t)length},
                       false);
}

static enum sg_result connect_socket(struct peer_exchange *exchange)
{
    uv_udp_t *socket = &exchange->udp.socket;
    int status = 0;

    if (exchange->has_source) {
        status = uv_udp_bind(socket, &exchange->source.at.any, 0);
    }
    /* Without a bind the kernel chooses address and port, at random. */
    if (status == 0) {
        status = uv_udp_connect(socket, &exchange->server.at.any);
    }
    if (status == 0) {
        status = uv_udp_recv_start(socket, on_input_wanted, on_packet);
    }
    return status == 0 ? SG_OK : peer_exchange_result(status);
}

enum sg_result peer_udp_open(struct peer_exchange *exchange)
{
    struct span frame;

    enum sg_result result = peer_request_frame(&exchange->request, time_now(), &frame);
    if (result != SG_OK) {
        return result;
    }
    if (uv_udp_init(peer_exchange_loop(exchange), &exchange->udp.socket) != 0) {
        return SG_IO;
    }
    exchange->udp.socket.data = exchange;
    exchange->udp.open = true;
    exchange->holds++;
    result = connect_socket(exchange);
    if (result == SG_OK) {
        result = peer_udp_send(exchange);
    }
    if (result != SG_OK) {
        peer_udp_close(exchange);
    }
    return result;
}

enum sg_result peer_udp_send(struct peer_exchange *exchange)
{
    const struct buffer *frame = &exchange->request.frame;
    uv_buf_t output = uv_buf_init((char *)frame->bytes + 2, (unsigned)frame->length - 2);

    int status = uv_udp_try_send(&exchange->udp.socket, &output, 1, NULL);
    /* A full buffer is a lost packet: the next try is due soon. */
    return status >= 0 || status == UV_EAGAIN ? SG_OK : peer_exchange_result(status);
}

void peer_udp_close(struct peer_exchange *exchange)
{
    if (exchange->udp.open) {
        exchange->udp.open = false;
        uv_close((uv_handle_t *)&exchange->udp.socket, on_closed);
    }
}
