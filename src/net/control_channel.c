#include "net/control_channel.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"

enum {
    BACKLOG = 16,
    READ_BYTES = 4096,
    SEEN_BUCKETS = 1024,
    SEEN_WAYS = 8, /* messages remembered in a bucket; the oldest gives way */
    FRAME_BYTES_MIN = 8,
};

/* What a listener owns lives until its last connection is gone. */
struct listener {
    struct listener *next;
    struct control_channel *channel;
    uv_tcp_t socket;
    struct control_listen settings; /* its keys are our copies */
    size_t uses;                    /* the socket's, and one for each connection */
    bool closing;
};

struct connection {
    struct connection *next;
    struct listener *listener;
    uv_tcp_t socket;
    uv_timer_t timer;
    struct net_address client;
    struct buffer frame;
    uint8_t read_bytes[READ_BYTES];
    uint32_t nonce;
    bool greeted; /* it has shown a key and been told the nonce */
    bool closing;
    unsigned handles;                /* of libuv, still open */
    struct control_request *request; /* the one that is being answered, or NULL */
};

struct control_request {
    struct connection *connection; /* NULL: it has gone */
    struct tsig_key key;           /* a copy: a reload may replace the listener's */
    bool read_only;
    uint32_t serial;
    uint32_t nonce;
    struct buffer from;
    struct buffer to;
    struct buffer command;
};

struct reply_write {
    uv_write_t write;
    struct connection *connection;
    struct buffer frame;
};

struct seen {
    uint64_t digest;
    sg_time at;
};

struct control_channel {
    uv_loop_t *loop;
    control_run *run;
    void *argument;
    struct listener *listeners;
    struct connection *connections; /* newest first */
    size_t connections_count;
    uint8_t seen_key[16];
    struct seen seen[SEEN_BUCKETS][SEEN_WAYS];
    bool closing;
};

static void channel_free_if_unused(struct control_channel *channel)
{
    if (channel->closing && channel->listeners == NULL && channel->connections == NULL) {
        mem_free(channel);
    }
}

static void keys_free(struct control_listen *settings)
{
    for (size_t i = 0; i < settings->keys_count; i++) {
        mem_wipe_free((void *)(uintptr_t)settings->keys[i], sizeof(struct tsig_key));
    }
    mem_free((void *)(uintptr_t)settings->keys);
    settings->keys = NULL;
    settings->keys_count = 0;
}

/* `settings` with keys of its own. */
static struct control_listen settings_copy(const struct control_listen *settings)
{
    struct control_listen copy = *settings;
    struct tsig_key **keys = mem_alloc_zero(settings->keys_count + 1, sizeof(struct tsig_key *));

    for (size_t i = 0; i < settings->keys_count; i++) {
        keys[i] = mem_copy(settings->keys[i], sizeof(*keys[i]));
    }
    copy.keys = (const struct tsig_key *const *)keys;
    return copy;
}

static void listener_unuse(struct listener *listener)
{
    struct control_channel *channel = listener->channel;

    ASSERT(listener->uses > 0);
    if (--listener->uses > 0) {
        return;
    }
    for (struct listener **at = &channel->listeners; *at != NULL; at = &(*at)->next) {
        if (*at == listener) {
            *at = listener->next;
            break;
        }
    }
    keys_free(&listener->settings);
    mem_free(listener);
    channel_free_if_unused(channel);
}

static void listener_closed(uv_handle_t *handle)
{
    listener_unuse(handle->data);
}

static void listener_close(struct listener *listener)
{
    if (!listener->closing) {
        listener->closing = true;
        uv_close((uv_handle_t *)&listener->socket, listener_closed);
    }
}

static void connection_handle_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct listener *listener = connection->listener;
    struct control_channel *channel = listener->channel;

    if (--connection->handles > 0) {
        return;
    }
    for (struct connection **at = &channel->connections; *at != NULL; at = &(*at)->next) {
        if (*at == connection) {
            *at = connection->next;
            break;
        }
    }
    buffer_wipe(&connection->frame);
    mem_free(connection);
    listener_unuse(listener);
}

static void connection_close(struct connection *connection)
{
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    connection->listener->channel->connections_count--;
    if (connection->request != NULL) {
        connection->request->connection = NULL;
        connection->request = NULL;
    }
    uv_close((uv_handle_t *)&connection->socket, connection_handle_closed);
    uv_close((uv_handle_t *)&connection->timer, connection_handle_closed);
}

static void connection_refuse(struct connection *connection, const char *why)
{
    char client[NET_ADDRESS_TEXT_BYTES];

    log_write(LOG_GENERAL, SEVERITY_ERROR, "invalid command from %s: %s",
              net_address_to_text(&connection->client, client), why);
    connection_close(connection);
}

static void connection_timed_out(uv_timer_t *timer)
{
    connection_close(timer->data);
}

/* Remember the message; true when it had been seen within the window. */
static bool seen_before(struct control_channel *channel, const struct control_message *message,
                        sg_time now)
{
    struct buffer identity = BUFFER_EMPTY;

    buffer_append_u32(&identity, (uint32_t)message->from.length);
    buffer_append(&identity, message->from.bytes, message->from.length);
    buffer_append_u32(&identity, (uint32_t)message->to.length);
    buffer_append(&identity, message->to.bytes, message->to.length);
    buffer_append_u32(&identity, message->serial);
    buffer_append_u32(&identity, (uint32_t)message->made_at);
    uint64_t digest = siphash(channel->seen_key, identity.bytes, identity.length);
    buffer_free(&identity);

    struct seen *bucket = channel->seen[digest % SEEN_BUCKETS];
    struct seen *oldest = &bucket[0];
    for (size_t i = 0; i < SEEN_WAYS; i++) {
        if (bucket[i].digest == digest && now - bucket[i].at < CONTROL_REPLAY_WINDOW &&
            bucket[i].at != 0) {
            return true;
        }
        if (bucket[i].at < oldest->at) {
            oldest = &bucket[i];
        }
    }
    *oldest = (struct seen){digest, now};
    return false;
}

/* Why the request may not be run, or NULL; the order is BIND's. */
static const char *request_fault(struct connection *connection,
                                 const struct control_message *message, sg_time now)
{
    struct control_channel *channel = connection->listener->channel;
    sg_duration skew = now > message->made_at ? now - message->made_at : message->made_at - now;

    if (skew > CONTROL_CLOCK_SKEW_MAX) {
        return "clock skew";
    }
    if (message->expires_at < now) {
        return "expired";
    }
    if (seen_before(channel, message, now)) {
        return "duplicate";
    }
    if (connection->greeted && message->nonce != connection->nonce) {
        return "bad auth";
    }
    if (memchr(message->command.bytes, '\0', message->command.length) != NULL) {
        return "syntax error";
    }
    return NULL;
}

static struct control_request *request_new(struct connection *connection,
                                           const struct control_message *message,
                                           const struct tsig_key *key)
{
    struct control_request *request = mem_alloc_zero(1, sizeof(*request));

    request->connection = connection;
    request->key = *key;
    request->read_only = connection->listener->settings.read_only;
    request->serial = message->serial;
    request->nonce = connection->nonce;
    buffer_append(&request->from, message->from.bytes, message->from.length);
    buffer_append(&request->to, message->to.bytes, message->to.length);
    buffer_append(&request->command, message->command.bytes, message->command.length);
    return request;
}

static void request_free(struct control_request *request)
{
    buffer_free(&request->from);
    buffer_free(&request->to);
    buffer_wipe(&request->command);
    mem_wipe_free(request, sizeof(*request));
}

/* One whole frame has arrived, and nothing is read until it has been answered. */
static void connection_take_frame(struct connection *connection)
{
    const struct control_listen *settings = &connection->listener->settings;
    struct control_channel *channel = connection->listener->channel;
    struct span frame = {connection->frame.bytes + 4, connection->frame.length - 4};
    const struct tsig_key *key = NULL;
    struct control_message message;
    struct span body;

    enum sg_result result =
        control_message_verify(frame, settings->keys, settings->keys_count, &key, &body);
    if (result == SG_OK) {
        result = control_message_decode(body, &message);
    }
    if (result != SG_OK) {
        /* One text for all of it: whoever has no key learns nothing from the log either. */
        connection_refuse(connection, "bad auth");
        return;
    }
    const char *fault = request_fault(connection, &message, time_now());
    if (fault != NULL) {
        connection_refuse(connection, fault);
        return;
    }
    uv_timer_stop(&connection->timer);
    struct control_request *request = request_new(connection, &message, key);
    connection->request = request;
    buffer_clear(&connection->frame);
    if (!connection->greeted) {
        /* It only hands out the nonce, whatever it asks: it may be a recording. */
        connection->greeted = true;
        control_request_reply(request, 0, NULL, NULL);
        return;
    }
    channel->run(channel->argument, request, buffer_text(&request->command));
}

static void connection_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *out_buffer)
{
    struct connection *connection = handle->data;
    struct buffer *frame = &connection->frame;
    size_t room = 4;

    (void)wanted;
    /* Never past the end of a frame, so that what follows stays in the socket until its turn. */
    if (frame->length >= 4) {
        room = 4 + (size_t)wire_get_u32(frame->bytes);
    }
    room -= frame->length;
    out_buffer->base = (char *)connection->read_bytes;
    out_buffer->len = room < READ_BYTES ? room : READ_BYTES;
}

static void connection_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;
    struct buffer *frame = &connection->frame;

    if (length < 0) {
        connection_close(connection);
        return;
    }
    buffer_append(frame, bytes->base, (size_t)length);
    if (frame->length < 4) {
        return;
    }
    uint32_t frame_bytes = wire_get_u32(frame->bytes);
    if (frame_bytes < FRAME_BYTES_MIN || frame_bytes > CONTROL_REQUEST_BYTES_MAX) {
        connection_refuse(connection, "frame of impossible length");
        return;
    }
    if (frame->length == 4 + (size_t)frame_bytes) {
        uv_read_stop(stream);
        connection_take_frame(connection);
    }
}

static void connection_await(struct connection *connection)
{
    uint64_t wait_ms = connection->greeted ? CONTROL_IDLE_MS_MAX : CONTROL_GREETING_MS_MAX;

    if (connection->listener->closing) {
        connection_close(connection);
        return;
    }
    uv_timer_start(&connection->timer, connection_timed_out, wait_ms, 0);
    if (uv_read_start((uv_stream_t *)&connection->socket, connection_alloc, connection_read) != 0) {
        connection_close(connection);
    }
}

static void reply_written(uv_write_t *write, int status)
{
    struct reply_write *reply = write->data;

    if (status == 0 && !reply->connection->closing) {
        connection_await(reply->connection);
    } else {
        connection_close(reply->connection);
    }
    buffer_wipe(&reply->frame);
    mem_free(reply);
}

/* Make room for one more: the oldest connection that has not shown a key goes. */
static bool connections_make_room(struct control_channel *channel)
{
    struct connection *oldest = NULL;

    if (channel->connections_count < CONTROL_CONNECTIONS_MAX) {
        return true;
    }
    for (struct connection *at = channel->connections; at != NULL; at = at->next) {
        if (!at->greeted && !at->closing) {
            oldest = at;
        }
    }
    if (oldest == NULL) {
        return false;
    }
    connection_close(oldest);
    return true;
}

static bool connection_is_welcome(struct connection *connection)
{
    const struct control_listen *settings = &connection->listener->settings;
    struct net_address local = settings->address;
    int length = (int)sizeof(connection->client.at);
    char client[NET_ADDRESS_TEXT_BYTES];

    if (uv_tcp_getpeername(&connection->socket, &connection->client.at.any, &length) != 0) {
        return false;
    }
    length = (int)sizeof(local.at);
    (void)uv_tcp_getsockname(&connection->socket, &local.at.any, &length);
    if (settings->allowed(settings->argument, &connection->client, &local)) {
        return true;
    }
    log_write(LOG_GENERAL, SEVERITY_WARNING, "rejected command channel message from %s",
              net_address_to_text(&connection->client, client));
    return false;
}

static void listener_accept(uv_stream_t *server, int status)
{
    struct listener *listener = server->data;
    struct control_channel *channel = listener->channel;

    if (status != 0) {
        return;
    }
    bool room = connections_make_room(channel);
    struct connection *connection = mem_alloc_zero(1, sizeof(*connection));
    connection->listener = listener;
    listener->uses++;
    connection->next = channel->connections;
    channel->connections = connection;
    channel->connections_count++;
    connection->handles = 2;
    (void)uv_tcp_init(channel->loop, &connection->socket); /* Without a socket it cannot fail. */
    (void)uv_timer_init(channel->loop, &connection->timer);
    connection->socket.data = connection;
    connection->timer.data = connection;
    while (connection->nonce == 0) {
        connection->nonce = random_u32();
    }
    if (uv_accept(server, (uv_stream_t *)&connection->socket) != 0 || !room ||
        !connection_is_welcome(connection)) {
        connection_close(connection);
        return;
    }
    connection_await(connection);
}

static int listener_open(struct control_channel *channel, const struct control_listen *settings)
{
    struct listener *listener = mem_alloc_zero(1, sizeof(*listener));
    char text[NET_ADDRESS_TEXT_BYTES];

    listener->channel = channel;
    listener->settings = settings_copy(settings);
    listener->uses = 1;
    listener->next = channel->listeners;
    channel->listeners = listener;
    (void)uv_tcp_init(channel->loop, &listener->socket);
    listener->socket.data = listener;
    int error = uv_tcp_bind(&listener->socket, &settings->address.at.any,
                            net_address_is_v6(&settings->address) ? UV_TCP_IPV6ONLY : 0);
    if (error == 0) {
        error = uv_listen((uv_stream_t *)&listener->socket, BACKLOG, listener_accept);
    }
    if (error != 0) {
        listener_close(listener);
        return error;
    }
    log_write(LOG_GENERAL, SEVERITY_NOTICE, "command channel listening on %s",
              net_address_to_text(&settings->address, text));
    return 0;
}

static const struct control_listen *wanted(const struct listener *listener,
                                           const struct control_listen *listens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&listener->settings.address, &listens[i].address)) {
            return &listens[i];
        }
    }
    return NULL;
}

static void connections_close_idle(struct control_channel *channel, const struct listener *listener)
{
    for (struct connection *at = channel->connections; at != NULL; at = at->next) {
        if (at->listener == listener && at->request == NULL) {
            connection_close(at);
        }
    }
}

struct control_channel *control_channel_new(uv_loop_t *loop, control_run *run, void *argument)
{
    struct control_channel *channel = mem_alloc_zero(1, sizeof(*channel));

    channel->loop = loop;
    channel->run = run;
    channel->argument = argument;
    random_bytes(channel->seen_key, sizeof(channel->seen_key));
    return channel;
}

void control_channel_listen(struct control_channel *channel, const struct control_listen *listens,
                            size_t count, int *out_errors)
{
    bool kept[CONTROL_LISTENERS_MAX] = {false};

    ASSERT(count <= CONTROL_LISTENERS_MAX);
    for (struct listener *at = channel->listeners; at != NULL; at = at->next) {
        const struct control_listen *settings = at->closing ? NULL : wanted(at, listens, count);
        if (settings == NULL) {
            listener_close(at);
            connections_close_idle(channel, at);
            continue;
        }
        struct control_listen copy = settings_copy(settings);
        keys_free(&at->settings);
        at->settings = copy;
        kept[settings - listens] = true;
    }
    for (size_t i = 0; i < count; i++) {
        out_errors[i] = kept[i] ? 0 : listener_open(channel, &listens[i]);
    }
}

void control_channel_close(struct control_channel *channel)
{
    channel->closing = true;
    for (struct listener *at = channel->listeners; at != NULL; at = at->next) {
        listener_close(at);
    }
    for (struct connection *at = channel->connections; at != NULL; at = at->next) {
        connection_close(at);
    }
    channel_free_if_unused(channel);
}

bool control_request_is_read_only(const struct control_request *request)
{
    return request->read_only;
}

void control_request_reply(struct control_request *request, uint32_t result, const char *error,
                           const char *text)
{
    struct connection *connection = request->connection;
    sg_time now = time_now();

    if (connection == NULL) {
        request_free(request);
        return;
    }
    struct control_message message = {
        .serial = request->serial,
        .made_at = now,
        .expires_at = now + CONTROL_LIFETIME,
        .is_reply = true,
        .nonce = request->nonce,
        .from = buffer_span(&request->to),
        .to = buffer_span(&request->from),
        .command = buffer_span(&request->command),
        .result = result,
        .error = span_of_text(error == NULL ? "" : error),
        .text = span_of_text(text == NULL ? "" : text),
    };
    if (message.text.length > CONTROL_TEXT_BYTES_MAX) {
        message.text.length = CONTROL_TEXT_BYTES_MAX; /* rndc would refuse the whole frame. */
    }
    struct reply_write *reply = mem_alloc_zero(1, sizeof(*reply));
    reply->write.data = reply;
    reply->connection = connection;
    control_message_encode(&message, &request->key, &reply->frame);
    connection->request = NULL;
    request_free(request);

    uv_buf_t bytes = {.base = (char *)reply->frame.bytes, .len = reply->frame.length};
    /* A client that does not read its reply is cut off like one that does not ask. */
    uv_timer_start(&connection->timer, connection_timed_out, CONTROL_IDLE_MS_MAX, 0);
    if (uv_write(&reply->write, (uv_stream_t *)&connection->socket, &bytes, 1, reply_written) !=
        0) {
        connection_close(connection);
        buffer_wipe(&reply->frame);
        mem_free(reply);
    }
}
