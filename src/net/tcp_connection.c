#include "net/tcp_connection.h"

#include <stddef.h>

#include "base/mem.h"
#include "net/later.h"

enum {
    WAITING_BYTES_KEPT = 4096, /* what an idle connection may hold on to */
    STREAM_LOOK_MS = 1000,     /* how often a stream is asked whether it is still wanted */
};

/* An answer that is made elsewhere. */
struct tcp_later {
    struct net_later later; /* first member */
    struct letter letter;   /* on its way back */
    struct tcp_post *post;
    struct tcp_connection *connection; /* NULL: it is gone. Thread: TCP alone */
    struct tcp_later *next, **back;    /* of the connection's */
    struct buffer frame;               /* empty: no answer */
};

struct tcp_connection {
    struct tcp_connection *next;
    struct tcp_connection **back; /* what points to us */
    struct tcp_connection *stirred_next;
    struct tcp_host *host;
    uv_tcp_t socket;
    uv_timer_t timer;
    struct net_address client;
    struct net_address local;
    struct buffer waiting; /* input that is not answered yet */
    struct buffer ready;   /* answers that came later and are to be sent */
    struct tcp_later *laters;
    unsigned laters_count;
    struct net_stream *stream;
    uint64_t stream_ends_ms;
    uint64_t wait_ends_ms; /* for whatever the timer waits for */
    size_t unsent_seen;    /* when the timer was set */
    unsigned handles;      /* of libuv, still open */
    bool stirred;
    bool greeted; /* it has sent a whole message */
    bool reading;
    bool writing;
    bool ended;  /* the client sends no more; it may still want its answers */
    bool failed; /* broken, or out of time */
    bool closing;
};

/* Output that the kernel did not take at once. */
struct tcp_write {
    uv_write_t write;
    size_t length;
    uint8_t bytes[];
};

static void stir(struct tcp_connection *connection)
{
    struct tcp_host *host = connection->host;

    if (!connection->stirred) {
        connection->stirred = true;
        connection->stirred_next = NULL;
        *host->stirred_last = connection;
        host->stirred_last = &connection->stirred_next;
    }
}

/* --- what libuv tells ----------------------------------------------------------------------- */

/* Freed in its last turn: until then it may be among the stirred. */
static void on_closed(uv_handle_t *handle)
{
    struct tcp_connection *connection = handle->data;

    connection->handles--;
    stir(connection);
}

static uint64_t limit_ms(const sg_duration *limit)
{
    return (uint64_t)__atomic_load_n(limit, __ATOMIC_RELAXED) * 1000;
}

/* How long until something must have happened. */
static uint64_t wait_ms(const struct tcp_connection *connection)
{
    const struct net_limits *limits = &connection->host->common->limits;

    if (connection->stream != NULL) {
        uint64_t now_ms = uv_now(&connection->host->loop);
        uint64_t left_ms =
            connection->stream_ends_ms > now_ms ? connection->stream_ends_ms - now_ms : 1;
        uint64_t idle_ms = (uint64_t)connection->stream->idle_max * 1000;
        return left_ms < idle_ms ? left_ms : idle_ms;
    }
    return limit_ms(connection->greeted ? &limits->tcp_idle_timeout : &limits->tcp_initial_timeout);
}

static void wait_on(struct tcp_connection *connection)
{
    connection->unsent_seen = uv_stream_get_write_queue_size((uv_stream_t *)&connection->socket);
    connection->wait_ends_ms = uv_now(&connection->host->loop) + wait_ms(connection);
}

/* Nothing whole was sent, nothing was taken, or a stream takes too long. */
static bool is_out_of_time(struct tcp_connection *connection)
{
    size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&connection->socket);
    uint64_t now_ms = uv_now(&connection->host->loop);
    bool in_time = connection->stream == NULL || now_ms < connection->stream_ends_ms;

    if (now_ms < connection->wait_ends_ms) {
        return false;
    }
    if (connection->laters_count > 0 && in_time && unsent == 0) {
        return false; /* It is for us to answer. */
    }
    if (unsent != connection->unsent_seen && in_time) {
        wait_on(connection); /* The client takes something: wait again. */
        return false;
    }
    __atomic_fetch_add(&connection->host->common->timed_out, 1, __ATOMIC_RELAXED);
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    struct tcp_connection *connection = timer->data;
    const struct net_stream *stream = connection->stream;
    bool unwanted = stream != NULL && stream->is_unwanted != NULL && stream->is_unwanted(stream);

    if (unwanted || is_out_of_time(connection)) {
        connection->failed = true;
        stir(connection);
    }
}

static void on_input_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *out_input)
{
    struct tcp_connection *connection = handle->data;

    (void)suggested;
    *out_input = uv_buf_init((char *)connection->host->input, TCP_INPUT_BYTES);
}

static void on_read(uv_stream_t *socket, ssize_t length, const uv_buf_t *input)
{
    struct tcp_connection *connection = socket->data;

    if (length == 0) {
        return;
    }
    if (length > 0) {
        buffer_append(&connection->waiting, input->base, (size_t)length);
    } else if (length == UV_EOF) {
        connection->ended = true;
    } else {
        connection->failed = true;
    }
    if (length < 0 || connection->waiting.length >= TCP_FRAME_BYTES_MAX) {
        uv_read_stop(socket);
        connection->reading = false;
    }
    stir(connection);
}

static void on_written(uv_write_t *write, int status)
{
    struct tcp_connection *connection = write->data;

    mem_free(write); /* the first member of its tcp_write */
    connection->writing = false;
    if (status < 0) {
        connection->failed = true;
    }
    stir(connection);
}

/* --- one step ------------------------------------------------------------------------------- */

static void set_timer(struct tcp_connection *connection)
{
    wait_on(connection);
    uint64_t look_ms = connection->wait_ends_ms - uv_now(&connection->host->loop);
    if (connection->stream != NULL && look_ms > STREAM_LOOK_MS) {
        look_ms = STREAM_LOOK_MS;
    }
    uv_timer_start(&connection->timer, on_timer, look_ms, look_ms);
}

static void stop_stream(struct tcp_connection *connection, bool complete)
{
    struct net_stream *stream = connection->stream;

    if (stream != NULL) {
        connection->stream = NULL;
        stream->close(stream, complete);
    }
}

static void forget_later(struct tcp_later *later)
{
    *later->back = later->next;
    if (later->next != NULL) {
        later->next->back = later->back;
    }
    later->connection->laters_count--;
    later->connection = NULL;
}

static void close_connection(struct tcp_connection *connection)
{
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    while (connection->laters != NULL) {
        forget_later(connection->laters);
    }
    stop_stream(connection, false);
    /* Who does not take what is sent shall not keep the kernel's buffer either. */
    if (!connection->writing || uv_tcp_close_reset(&connection->socket, on_closed) != 0) {
        uv_close((uv_handle_t *)&connection->socket, on_closed);
    }
    uv_close((uv_handle_t *)&connection->timer, on_closed);
}

static void free_connection(struct tcp_connection *connection)
{
    *connection->back = connection->next;
    if (connection->next != NULL) {
        connection->next->back = connection->back;
    }
    __atomic_fetch_sub(&connection->host->common->clients, 1, __ATOMIC_RELAXED);
    buffer_free(&connection->waiting);
    buffer_free(&connection->ready);
    mem_free(connection);
}

/* --- answers that come later ---------------------------------------------------------------- */

static void post_drop(struct tcp_post *post)
{
    if (__atomic_sub_fetch(&post->users, 1, __ATOMIC_ACQ_REL) == 0) {
        mailbox_clear(&post->mailbox);
        mem_free(post);
    }
}

static void later_free(struct tcp_later *later)
{
    post_drop(later->post);
    buffer_free(&later->frame);
    mem_free(later);
}

static void send_later(struct net_later *later, struct span message)
{
    struct tcp_later *way = (struct tcp_later *)later;

    if (message.length > 0 && message.length <= TCP_MESSAGE_BYTES_MAX) {
        buffer_append_u16(&way->frame, (uint16_t)message.length);
        buffer_append(&way->frame, message.bytes, message.length);
    }
    if (!mailbox_send(&way->post->mailbox, &way->letter)) {
        later_free(way); /* The thread has ended, and all its connections. */
    }
}

static struct net_later *begin_later(const struct net_request *request)
{
    struct tcp_connection *connection = request->host;

    if (connection->laters_count >= NET_LATERS_MAX) {
        return NULL;
    }
    struct tcp_later *later = mem_alloc_zero(1, sizeof(*later));
    later->later.send = send_later;
    later->post = connection->host->post;
    __atomic_add_fetch(&later->post->users, 1, __ATOMIC_RELAXED);
    later->connection = connection;
    later->next = connection->laters;
    later->back = &connection->laters;
    if (later->next != NULL) {
        later->next->back = &later->next;
    }
    connection->laters = later;
    connection->laters_count++;
    return &later->later;
}

static struct tcp_later *later_of(struct letter *letter)
{
    return (struct tcp_later *)((char *)letter - offsetof(struct tcp_later, letter));
}

void tcp_host_open_post(struct tcp_host *host, void (*wake)(void *), void *argument)
{
    host->post = mem_alloc_zero(1, sizeof(*host->post));
    host->post->users = 1;
    mailbox_init(&host->post->mailbox, wake, argument);
}

void tcp_host_take_post(struct tcp_host *host)
{
    for (struct letter *letter = mailbox_take_all(&host->post->mailbox), *next; letter != NULL;
         letter = next) {
        struct tcp_later *later = later_of(letter);
        struct tcp_connection *connection = later->connection;
        next = letter->next;
        if (connection != NULL) {
            buffer_append(&connection->ready, later->frame.bytes, later->frame.length);
            forget_later(later);
            stir(connection);
        }
        later_free(later);
    }
}

void tcp_host_close_post(struct tcp_host *host)
{
    mailbox_close(&host->post->mailbox);
    tcp_host_take_post(host);
    post_drop(host->post);
    host->post = NULL;
}

/* Move as much of what is ready into the chunk as one write is to have. */
static size_t take_ready(struct tcp_connection *connection, uint8_t *chunk)
{
    struct buffer *ready = &connection->ready;
    size_t length = ready->length < TCP_CHUNK_BYTES ? ready->length : TCP_CHUNK_BYTES;

    if (length > 0) {
        memcpy(chunk, ready->bytes, length);
        ready->length -= length;
        memmove(ready->bytes, ready->bytes + length, ready->length);
        connection->greeted = true;
    }
    if (ready->length == 0 && ready->capacity > WAITING_BYTES_KEPT) {
        buffer_free(ready);
    }
    return length;
}

/* --- answers that are given at once --------------------------------------------------------- */

/* Is there a whole message in what waits, behind the `used` bytes? */
static bool has_message(const struct buffer *waiting, size_t used)
{
    size_t left = waiting->length - used;
    return left >= 2 && left - 2 >= (size_t)wire_get_u16(waiting->bytes + used);
}

/* Answer the message at `used`, into `frame`. Returns bytes written; a stream may begin instead. */
static size_t answer_message(struct tcp_connection *connection, size_t used, uint8_t *frame)
{
    struct tcp_host *host = connection->host;
    const uint8_t *at = connection->waiting.bytes + used;
    struct net_request request = {
        .wire = {at + 2, wire_get_u16(at)},
        .client = &connection->client,
        .local = &connection->local,
        .tcp = true,
        .later = begin_later,
        .host = connection,
    };

    size_t length = host->service->answer(host->service->argument, host->thread_state, &request,
                                          frame + 2, TCP_MESSAGE_BYTES_MAX, &connection->stream);
    if (connection->stream != NULL) {
        connection->greeted = true;
        connection->stream_ends_ms =
            uv_now(&host->loop) + (uint64_t)connection->stream->time_max * 1000;
        return 0;
    }
    if (length == 0) {
        return 0;
    }
    wire_put_u16(frame, (uint16_t)length);
    connection->greeted = true;
    return 2 + length;
}

/* The stream's next message, into `frame`. Returns bytes written; 0: it is at its end. */
static size_t continue_stream(struct tcp_connection *connection, uint8_t *frame)
{
    size_t length = connection->stream->next(connection->stream, frame + 2);

    if (length == 0 || length == NET_STREAM_BROKEN) {
        stop_stream(connection, length == 0);
        connection->failed = length != 0;
        return 0;
    }
    wire_put_u16(frame, (uint16_t)length);
    return 2 + length;
}

/* Fill the chunk with as many answers as there are, or as it takes. Returns its length. */
static size_t fill_chunk(struct tcp_connection *connection)
{
    struct buffer *waiting = &connection->waiting;
    uint8_t *chunk = connection->host->chunk;
    /* Not into the middle of a stream's messages, but in between. */
    size_t filled = take_ready(connection, chunk);
    size_t used = 0;

    while (filled < TCP_CHUNK_BYTES && !connection->failed) {
        if (connection->stream != NULL) {
            filled += continue_stream(connection, chunk + filled);
        } else if (has_message(waiting, used)) {
            filled += answer_message(connection, used, chunk + filled);
            used += 2 + (size_t)wire_get_u16(waiting->bytes + used);
        } else {
            break;
        }
    }
    if (used > 0) {
        waiting->length -= used;
        memmove(waiting->bytes, waiting->bytes + used, waiting->length);
    }
    if (waiting->length == 0 && waiting->capacity > WAITING_BYTES_KEPT) {
        buffer_free(waiting);
    }
    return filled;
}

/*
 * Send the chunk. What the kernel does not take at once is copied and left to libuv. With `more`
 * to come it all goes by libuv, which calls back in the next turn: others get theirs in between.
 */
static void send_chunk(struct tcp_connection *connection, size_t length, bool more)
{
    uv_stream_t *socket = (uv_stream_t *)&connection->socket;
    uint8_t *chunk = connection->host->chunk;
    uv_buf_t output = uv_buf_init((char *)chunk, (unsigned)length);
    size_t sent = 0;

    if (!more) {
        int taken = uv_try_write(socket, &output, 1);
        if (taken < 0 && taken != UV_EAGAIN) {
            connection->failed = true;
            return;
        }
        sent = taken > 0 ? (size_t)taken : 0;
        if (sent == length) {
            return;
        }
    }
    struct tcp_write *rest = mem_alloc(sizeof(*rest) + length - sent);
    rest->length = length - sent;
    rest->write.data = connection;
    memcpy(rest->bytes, chunk + sent, rest->length);
    output = uv_buf_init((char *)rest->bytes, (unsigned)rest->length);
    if (uv_write(&rest->write, socket, &output, 1, on_written) != 0) {
        mem_free(rest);
        connection->failed = true;
        return;
    }
    connection->writing = true;
}

static void answer_what_waits(struct tcp_connection *connection)
{
    bool streamed = connection->stream != NULL;
    size_t length = fill_chunk(connection);
    bool more = connection->stream != NULL || connection->ready.length > 0 ||
                has_message(&connection->waiting, 0);

    if (length > 0) {
        send_chunk(connection, length, more);
    }
    /* Whoever is idle behind a stream has no longer than others. */
    if (length > 0 || (streamed && connection->stream == NULL)) {
        set_timer(connection);
    }
}

static void step(struct tcp_connection *connection)
{
    uv_stream_t *socket = (uv_stream_t *)&connection->socket;

    if (connection->closing) {
        if (connection->handles == 0) {
            free_connection(connection);
        }
        return;
    }
    if (!connection->writing && !connection->failed) {
        answer_what_waits(connection);
    }
    /* Whole messages are all answered. */
    bool done = connection->ended && !connection->writing && connection->laters_count == 0;
    if (connection->failed || done) {
        close_connection(connection);
        return;
    }
    bool room = connection->waiting.length < TCP_FRAME_BYTES_MAX && !connection->ended;
    if (room && !connection->reading) {
        connection->reading = uv_read_start(socket, on_input_wanted, on_read) == 0;
    }
}

void tcp_host_turn(struct tcp_host *host)
{
    struct tcp_connection *next = host->stirred;

    host->stirred = NULL;
    host->stirred_last = &host->stirred;
    while (next != NULL) {
        struct tcp_connection *connection = next;
        next = connection->stirred_next;
        connection->stirred = false;
        step(connection);
    }
}

void tcp_host_close_connections(struct tcp_host *host)
{
    for (struct tcp_connection *at = host->connections; at != NULL; at = at->next) {
        close_connection(at);
    }
}

/* --- the beginning -------------------------------------------------------------------------- */

/* Count one more client; false when there are enough. */
static bool admit(struct tcp_common *common)
{
    unsigned clients = __atomic_add_fetch(&common->clients, 1, __ATOMIC_RELAXED);
    unsigned high_water = __atomic_load_n(&common->clients_high_water, __ATOMIC_RELAXED);

    __atomic_fetch_add(&common->accepted, 1, __ATOMIC_RELAXED);
    if (clients > __atomic_load_n(&common->limits.tcp_clients, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&common->refused, 1, __ATOMIC_RELAXED);
        return false;
    }
    while (clients > high_water &&
           !__atomic_compare_exchange_n(&common->clients_high_water, &high_water, clients, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return true;
}

static bool learn_addresses(struct tcp_connection *connection)
{
    int client_length = sizeof(connection->client.at);
    int local_length = sizeof(connection->local.at);

    return uv_tcp_getpeername(&connection->socket, &connection->client.at.any, &client_length) ==
               0 &&
           uv_tcp_getsockname(&connection->socket, &connection->local.at.any, &local_length) == 0;
}

void tcp_connection_accept(struct tcp_host *host, uv_stream_t *listener)
{
    struct tcp_connection *connection = mem_alloc_zero(1, sizeof(*connection));

    connection->host = host;
    connection->waiting = BUFFER_EMPTY;
    connection->ready = BUFFER_EMPTY;
    connection->handles = 2;
    connection->next = host->connections;
    connection->back = &host->connections;
    if (host->connections != NULL) {
        host->connections->back = &connection->next;
    }
    host->connections = connection;
    uv_tcp_init(&host->loop, &connection->socket);
    uv_timer_init(&host->loop, &connection->timer);
    connection->socket.data = connection;
    connection->timer.data = connection;

    bool admitted = admit(host->common);
    /* Turned away or not: it must be taken, or the listener would never ask again. */
    if (uv_accept(listener, (uv_stream_t *)&connection->socket) != 0 || !admitted ||
        !learn_addresses(connection)) {
        close_connection(connection);
        return;
    }
    uv_tcp_nodelay(&connection->socket, 1);
    set_timer(connection);
    stir(connection);
}
