#include "net/peer.h"

#include "base/mem.h"
#include "base/thread.h"
#include "net/peer_exchange.h"

enum {
    UDP_TRIES = 3,
    UDP_SECONDS = 3,
    CONNECT_SECONDS = 10,
    IDLE_SECONDS = 30,
    TOTAL_SECONDS = 60,
};

/* Exchanges that stand in line, oldest first. */
struct queue {
    struct peer_exchange *first;
    struct peer_exchange **last;
};

/* Sockets of one kind: so many at once, others wait. */
struct lane {
    struct queue waiting;
    unsigned open;
    unsigned open_max;
};

struct peer_desk {
    uv_loop_t *loop;
    uv_timer_t soon; /* the next turn of the loop: start what waits, resume what was paused */
    struct peer_exchange *exchanges;
    size_t running;
    struct lane udp, tcp;
    struct queue resumed;
    bool closing;
    bool soon_closed;
    void (*closed)(void *argument);
    void *closed_argument;
    uint8_t input[PEER_INPUT_BYTES];
};

/* --- queues --------------------------------------------------------------------------------- */

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_push(struct queue *queue, struct peer_exchange *exchange)
{
    ASSERT(!exchange->queued);
    exchange->queued = true;
    exchange->holds++;
    exchange->queue_next = NULL;
    *queue->last = exchange;
    queue->last = &exchange->queue_next;
}

/* The first that is still wanted, or NULL. Who left meanwhile stood here until now. */
static struct peer_exchange *queue_pop(struct queue *queue)
{
    while (queue->first != NULL) {
        struct peer_exchange *exchange = queue->first;
        queue->first = exchange->queue_next;
        if (queue->first == NULL) {
            queue->last = &queue->first;
        }
        exchange->queued = false;
        bool wanted = exchange->stage != PEER_CLOSING;
        peer_exchange_release(exchange);
        if (wanted) {
            return exchange;
        }
    }
    return NULL;
}

/* --- the end -------------------------------------------------------------------------------- */

static void desk_free_if_closed(struct peer_desk *desk)
{
    if (!desk->closing || !desk->soon_closed || desk->exchanges != NULL) {
        return;
    }
    void (*closed)(void *) = desk->closed;
    void *argument = desk->closed_argument;
    mem_free(desk);
    if (closed != NULL) {
        closed(argument);
    }
}

void peer_exchange_release(struct peer_exchange *exchange)
{
    struct peer_desk *desk = exchange->desk;

    ASSERT(exchange->holds > 0);
    if (--exchange->holds > 0) {
        return;
    }
    *exchange->back = exchange->next;
    if (exchange->next != NULL) {
        exchange->next->back = exchange->back;
    }
    peer_request_clear(&exchange->request);
    buffer_free(&exchange->tcp.input);
    mem_free(exchange);
    desk_free_if_closed(desk);
}

static void on_timer_closed(uv_handle_t *handle)
{
    peer_exchange_release(handle->data);
}

static void on_soon(uv_timer_t *timer);

static void stir(struct peer_desk *desk)
{
    if (!desk->closing) {
        uv_timer_start(&desk->soon, on_soon, 0, 0);
    }
}

/* Give the socket of the present stage back. */
static void leave_stage(struct peer_exchange *exchange)
{
    struct peer_desk *desk = exchange->desk;

    if (exchange->stage == PEER_ON_UDP) {
        peer_udp_close(exchange);
        desk->udp.open--;
        stir(desk);
    } else if (exchange->stage == PEER_ON_TCP) {
        peer_tcp_close(exchange);
        desk->tcp.open--;
        stir(desk);
    }
    exchange->stage = PEER_WAITS;
}

static void end(struct peer_exchange *exchange)
{
    if (exchange->stage == PEER_CLOSING) {
        return;
    }
    leave_stage(exchange);
    exchange->stage = PEER_CLOSING;
    exchange->desk->running--;
    uv_close((uv_handle_t *)&exchange->timer, on_timer_closed);
}

static void fail(struct peer_exchange *exchange, enum sg_result result)
{
    const struct peer_answer answer = {
        .event = PEER_FAILED,
        .result = result,
        .unsent = !exchange->sent_by_udp && !exchange->tcp.connected,
    };
    peer_callback *callback = exchange->callback;
    void *argument = exchange->argument;

    end(exchange);
    callback(argument, exchange, &answer);
}

/* --- stages --------------------------------------------------------------------------------- */

uv_loop_t *peer_exchange_loop(const struct peer_exchange *exchange)
{
    return exchange->desk->loop;
}

uv_buf_t peer_exchange_input(const struct peer_exchange *exchange)
{
    return uv_buf_init((char *)exchange->desk->input, PEER_INPUT_BYTES);
}

enum sg_result peer_exchange_result(int status)
{
    return status == UV_ECONNREFUSED ? SG_REFUSED : status == UV_ETIMEDOUT ? SG_TIMEOUT : SG_IO;
}

static void queue_for_tcp(struct peer_exchange *exchange)
{
    leave_stage(exchange);
    queue_push(&exchange->desk->tcp.waiting, exchange);
    peer_exchange_wait(exchange, 0);
    stir(exchange->desk);
}

void peer_exchange_lose(struct peer_exchange *exchange, enum sg_result result)
{
    if (exchange->stage == PEER_ON_UDP && !exchange->terms.udp_only) {
        queue_for_tcp(exchange); /* A port that is closed for UDP may be open for TCP. */
        return;
    }
    fail(exchange, result);
}

/* No answer over UDP for one try's time. */
static void udp_silent(struct peer_exchange *exchange)
{
    if (exchange->doubt != SG_OK) {
        fail(exchange, exchange->doubt);
        return;
    }
    if (exchange->terms.udp_tries_left == 0) {
        peer_exchange_lose(exchange, SG_TIMEOUT);
        return;
    }
    exchange->terms.udp_tries_left--;
    enum sg_result result = peer_udp_send(exchange);
    if (result != SG_OK) {
        peer_exchange_lose(exchange, result);
        return;
    }
    peer_exchange_wait(exchange, exchange->terms.udp_ms);
}

static void on_timer(uv_timer_t *timer)
{
    struct peer_exchange *exchange = timer->data;

    if (exchange->stage == PEER_ON_UDP && uv_now(exchange->desk->loop) < exchange->terms.ends_at) {
        udp_silent(exchange);
        return;
    }
    fail(exchange, exchange->doubt != SG_OK ? exchange->doubt : SG_TIMEOUT);
}

void peer_exchange_wait(struct peer_exchange *exchange, uint64_t wait_ms)
{
    uint64_t now = uv_now(exchange->desk->loop);
    uint64_t left = exchange->terms.ends_at > now ? exchange->terms.ends_at - now : 0;

    uv_timer_start(&exchange->timer, on_timer, wait_ms != 0 && wait_ms < left ? wait_ms : left, 0);
}

/* A socket may be opened. The whole exchange is timed from its first one. */
static void start(struct peer_exchange *exchange, bool tcp)
{
    struct peer_desk *desk = exchange->desk;
    struct peer_terms *terms = &exchange->terms;

    uv_update_time(desk->loop);
    if (terms->ends_at == 0) {
        terms->ends_at = uv_now(desk->loop) + terms->total_ms;
    }
    exchange->doubt = SG_OK;
    exchange->stage = tcp ? PEER_ON_TCP : PEER_ON_UDP;
    (tcp ? &desk->tcp : &desk->udp)->open++;
    peer_exchange_wait(exchange, tcp ? terms->connect_ms : terms->udp_ms);
    if (!tcp) {
        exchange->sent_by_udp = true;
        terms->udp_tries_left--;
    }
    enum sg_result result = tcp ? peer_tcp_open(exchange) : peer_udp_open(exchange);
    if (result != SG_OK) {
        peer_exchange_lose(exchange, result);
    }
}

static void start_lane(struct lane *lane, bool tcp)
{
    while (lane->open < lane->open_max) {
        struct peer_exchange *exchange = queue_pop(&lane->waiting);
        if (exchange == NULL) {
            return;
        }
        start(exchange, tcp);
    }
}

static void on_soon(uv_timer_t *timer)
{
    struct peer_desk *desk = timer->data;
    struct peer_exchange *exchange;

    while (!desk->closing && (exchange = queue_pop(&desk->resumed)) != NULL) {
        if (!exchange->tcp.paused) { /* It may have been paused again since. */
            peer_exchange_wait(exchange, exchange->terms.idle_ms);
            peer_tcp_resume(exchange);
        }
    }
    if (!desk->closing) {
        start_lane(&desk->udp, false);
    }
    if (!desk->closing) {
        start_lane(&desk->tcp, true);
    }
}

void peer_exchange_take(struct peer_exchange *exchange, struct span message, bool tcp)
{
    enum sg_result result = peer_request_check(&exchange->request, message, tcp, time_now());

    if (!tcp && result != SG_OK) {
        /* Anybody could have sent it: the right answer may still come (RFC 8945 5.3.1). */
        if (result != SG_NOT_FOUND && result != SG_MALFORMED) {
            exchange->doubt = result;
        }
        return;
    }
    if (result != SG_OK) {
        fail(exchange, result == SG_NOT_FOUND ? SG_MALFORMED : result);
        return;
    }
    bool truncated = (wire_get_u16(message.bytes + 2) & DNS_FLAG_TC) != 0;
    if (!tcp && truncated && !exchange->terms.udp_only) {
        queue_for_tcp(exchange);
        return;
    }
    const struct peer_answer answer = {
        .event = PEER_MESSAGE,
        .message = message,
        .settled = peer_request_is_settled(&exchange->request),
        .tcp = tcp,
    };
    if (tcp) {
        peer_exchange_wait(exchange, exchange->terms.idle_ms);
    }
    bool more = exchange->callback(exchange->argument, exchange, &answer);
    if (!more || !tcp) {
        end(exchange);
    }
}

/* --- what others call ----------------------------------------------------------------------- */

struct peer_desk *peer_desk_new(uv_loop_t *loop)
{
    struct peer_desk *desk = mem_alloc_zero(1, sizeof(*desk));

    desk->loop = loop;
    desk->udp.open_max = PEER_UDP_SOCKETS_MAX;
    desk->tcp.open_max = PEER_TCP_SOCKETS_MAX;
    queue_init(&desk->udp.waiting);
    queue_init(&desk->tcp.waiting);
    queue_init(&desk->resumed);
    uv_timer_init(loop, &desk->soon);
    desk->soon.data = desk;
    return desk;
}

static void on_soon_closed(uv_handle_t *handle)
{
    struct peer_desk *desk = handle->data;

    desk->soon_closed = true;
    desk_free_if_closed(desk);
}

void peer_desk_close(struct peer_desk *desk, void (*closed)(void *argument), void *argument)
{
    thread_assert(THREAD_KEEPER);
    ASSERT(!desk->closing);
    desk->closing = true;
    desk->closed = closed;
    desk->closed_argument = argument;
    uv_close((uv_handle_t *)&desk->soon, on_soon_closed);
    for (struct peer_exchange *at = desk->exchanges; at != NULL; at = at->next) {
        end(at);
    }
    /* All are closing: nothing is handed out. Those that only stood here are still timers. */
    queue_pop(&desk->udp.waiting);
    queue_pop(&desk->tcp.waiting);
    queue_pop(&desk->resumed);
}

size_t peer_desk_running(const struct peer_desk *desk)
{
    return desk->running;
}

size_t peer_desk_sockets(const struct peer_desk *desk)
{
    return (size_t)desk->udp.open + desk->tcp.open;
}

static uint64_t milliseconds(sg_duration seconds, sg_duration unless_given)
{
    return (uint64_t)(seconds > 0 ? seconds : unless_given) * 1000;
}

static struct peer_terms terms_of(const struct peer_question *question)
{
    return (struct peer_terms){
        .udp_only = question->udp_only,
        .udp_tries_left = question->udp_tries != 0 ? question->udp_tries : UDP_TRIES,
        .udp_ms = milliseconds(question->udp_timeout, UDP_SECONDS),
        .connect_ms = milliseconds(question->connect_timeout, CONNECT_SECONDS),
        .idle_ms = milliseconds(question->idle_timeout, IDLE_SECONDS),
        .total_ms = milliseconds(question->total_timeout, TOTAL_SECONDS),
    };
}

enum sg_result peer_ask(struct peer_desk *desk, const struct peer_question *question,
                        peer_callback *callback, void *argument,
                        struct peer_exchange **out_exchange)
{
    struct peer_request request;

    thread_assert(THREAD_KEEPER);
    ASSERT(!(question->tcp && question->udp_only));
    ASSERT(!question->as_it_is || (question->tcp && question->key == NULL));
    if (desk->closing) {
        return SG_CANCELLED;
    }
    enum sg_result result = peer_request_init(question, &request);
    if (result != SG_OK) {
        return result;
    }
    struct peer_exchange *exchange = mem_alloc_zero(1, sizeof(*exchange));
    exchange->desk = desk;
    exchange->callback = callback;
    exchange->argument = argument;
    exchange->server = *question->server;
    exchange->has_source = question->source != NULL;
    if (exchange->has_source) {
        exchange->source = *question->source;
    }
    exchange->request = request;
    exchange->terms = terms_of(question);
    exchange->next = desk->exchanges;
    exchange->back = &desk->exchanges;
    if (desk->exchanges != NULL) {
        desk->exchanges->back = &exchange->next;
    }
    desk->exchanges = exchange;
    desk->running++;
    uv_timer_init(desk->loop, &exchange->timer);
    exchange->timer.data = exchange;
    exchange->holds = 1;
    queue_push(question->tcp ? &desk->tcp.waiting : &desk->udp.waiting, exchange);
    stir(desk);
    *out_exchange = exchange;
    return SG_OK;
}

void peer_cancel(struct peer_exchange *exchange)
{
    thread_assert(THREAD_KEEPER);
    end(exchange);
}

void peer_pause(struct peer_exchange *exchange)
{
    thread_assert(THREAD_KEEPER);
    if (exchange->stage != PEER_ON_TCP || exchange->tcp.paused) {
        return;
    }
    peer_tcp_pause(exchange);
    peer_exchange_wait(exchange, 0); /* Nobody is idle but we. */
}

void peer_resume(struct peer_exchange *exchange)
{
    thread_assert(THREAD_KEEPER);
    if (exchange->stage != PEER_ON_TCP || !exchange->tcp.paused) {
        return;
    }
    exchange->tcp.paused = false;
    if (!exchange->queued) {
        queue_push(&exchange->desk->resumed, exchange);
    }
    stir(exchange->desk);
}
