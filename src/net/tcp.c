#include "net/tcp.h"

#include <unistd.h>

#include "base/epoch.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/thread.h"

enum order_kind { ORDER_LISTEN, ORDER_UNLISTEN, ORDER_STOP };

/* What the keeper wants of the thread. */
struct order {
    struct letter letter;
    struct mailbox *reply; /* where the order goes when it is done; NULL: freed */
    enum order_kind kind;
    int fd;
    int backlog;
    struct net_address address;
};

struct listener {
    struct listener *next;
    struct tcp_host *host;
    uv_tcp_t socket;
    struct net_address address;
};

struct net_tcp {
    pthread_t thread;
    struct mailbox orders;
    uv_async_t arrived;
    uv_async_t posted; /* an answer that was made in another thread */
    uv_prepare_t before_waiting;
    struct listener *listeners;
    struct tcp_host host;
};

static void wake(void *argument)
{
    uv_async_send(argument);
}

static void on_client(uv_stream_t *socket, int status)
{
    struct listener *listener = socket->data;

    if (status == 0) {
        tcp_connection_accept(listener->host, socket);
    }
}

static void on_listener_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static void open_listener(struct net_tcp *tcp, const struct order *order)
{
    struct listener *listener = mem_alloc_zero(1, sizeof(*listener));

    listener->host = &tcp->host;
    listener->address = order->address;
    uv_tcp_init(&tcp->host.loop, &listener->socket);
    listener->socket.data = listener;
    int failed = uv_tcp_open(&listener->socket, order->fd);
    if (failed != 0) {
        close(order->fd);
    } else {
        failed = uv_listen((uv_stream_t *)&listener->socket, order->backlog, on_client);
    }
    if (failed != 0) {
        char text[NET_ADDRESS_TEXT_BYTES];
        log_write(LOG_NETWORK, SEVERITY_ERROR, "could not listen on TCP socket %s: %s",
                  net_address_to_text(&order->address, text), uv_strerror(failed));
        uv_close((uv_handle_t *)&listener->socket, on_listener_closed);
        return;
    }
    listener->next = tcp->listeners;
    tcp->listeners = listener;
}

/* NULL: all of them. */
static void close_listeners(struct net_tcp *tcp, const struct net_address *address)
{
    struct listener **at = &tcp->listeners;

    while (*at != NULL) {
        struct listener *listener = *at;
        if (address != NULL && !net_address_equal(&listener->address, address)) {
            at = &listener->next;
            continue;
        }
        *at = listener->next;
        uv_close((uv_handle_t *)&listener->socket, on_listener_closed);
    }
}

static void close_all(struct net_tcp *tcp)
{
    close_listeners(tcp, NULL);
    epoch_online();
    tcp_host_close_connections(&tcp->host);
    epoch_offline();
    uv_close((uv_handle_t *)&tcp->before_waiting, NULL);
    uv_close((uv_handle_t *)&tcp->arrived, NULL);
    tcp_host_close_post(&tcp->host);
    uv_close((uv_handle_t *)&tcp->posted, NULL);
}

static void on_post(uv_async_t *posted)
{
    struct net_tcp *tcp = posted->data;

    if (tcp->host.post != NULL) {
        tcp_host_take_post(&tcp->host);
    }
}

static void on_orders(uv_async_t *arrived)
{
    struct net_tcp *tcp = arrived->data;
    struct letter *next = mailbox_take_all(&tcp->orders);

    while (next != NULL) {
        struct order *order = (struct order *)next; /* the letter is its first member */
        next = next->next;
        switch (order->kind) {
        case ORDER_LISTEN:
            open_listener(tcp, order);
            break;
        case ORDER_UNLISTEN:
            close_listeners(tcp, &order->address);
            break;
        case ORDER_STOP:
            close_all(tcp);
            break;
        }
        if (order->reply != NULL) {
            (void)mailbox_send(order->reply, &order->letter);
        } else {
            mem_free(order);
        }
    }
}

/* The only place where the thread looks at what is published. */
static void before_waiting(uv_prepare_t *handle)
{
    struct net_tcp *tcp = handle->data;

    if (tcp->host.stirred != NULL) {
        epoch_online();
        tcp_host_turn(&tcp->host);
        epoch_offline();
    }
}

static void *run(void *argument)
{
    struct net_tcp *tcp = argument;
    const struct net_service *service = tcp->host.service;

    thread_name(THREAD_TCP, "tcp");
    epoch_join();
    tcp->host.thread_state = service->thread_start(service->argument, true);
    epoch_offline();
    uv_run(&tcp->host.loop, UV_RUN_DEFAULT);
    tcp_host_turn(&tcp->host); /* Connections that closed last are freed. */
    service->thread_stop(service->argument, tcp->host.thread_state);
    epoch_leave();
    return NULL;
}

static void give_order(struct net_tcp *tcp, struct order content)
{
    struct order *order = mem_copy(&content, sizeof(content));
    bool open = mailbox_send(&tcp->orders, &order->letter);
    ASSERT(open);
}

/* The loop and its standing handles. False: the system has no more descriptors. */
static bool open_loop(struct net_tcp *tcp)
{
    uv_loop_t *loop = &tcp->host.loop;

    if (uv_loop_init(loop) != 0) {
        return false;
    }
    if (uv_async_init(loop, &tcp->arrived, on_orders) != 0) {
        uv_loop_close(loop);
        return false;
    }
    if (uv_async_init(loop, &tcp->posted, on_post) != 0) {
        uv_close((uv_handle_t *)&tcp->arrived, NULL);
        uv_run(loop, UV_RUN_DEFAULT);
        uv_loop_close(loop);
        return false;
    }
    tcp->posted.data = tcp;
    tcp_host_open_post(&tcp->host, wake, &tcp->posted);
    uv_prepare_init(loop, &tcp->before_waiting);
    uv_prepare_start(&tcp->before_waiting, before_waiting);
    tcp->arrived.data = tcp;
    tcp->before_waiting.data = tcp;
    return true;
}

static void close_loop(struct net_tcp *tcp)
{
    int failed = uv_loop_close(&tcp->host.loop);
    ASSERT(failed == 0); /* Every handle has been closed. */
}

enum sg_result net_tcp_start(const struct net_service *service, struct tcp_common *common,
                             struct net_tcp **out_tcp)
{
    struct net_tcp *tcp = mem_alloc_zero(1, sizeof(*tcp));

    tcp->host.service = service;
    tcp->host.common = common;
    tcp->host.stirred_last = &tcp->host.stirred;
    if (!open_loop(tcp)) {
        mem_free(tcp);
        return SG_IO;
    }
    mailbox_init(&tcp->orders, wake, &tcp->arrived);
    enum sg_result result = thread_start(&tcp->thread, run, tcp);
    if (result != SG_OK) {
        uv_close((uv_handle_t *)&tcp->before_waiting, NULL);
        uv_close((uv_handle_t *)&tcp->arrived, NULL);
        tcp_host_close_post(&tcp->host);
        uv_close((uv_handle_t *)&tcp->posted, NULL);
        uv_run(&tcp->host.loop, UV_RUN_DEFAULT);
        close_loop(tcp);
        mailbox_clear(&tcp->orders);
        mem_free(tcp);
        return result;
    }
    *out_tcp = tcp;
    return SG_OK;
}

void net_tcp_listen(struct net_tcp *tcp, int fd, const struct net_address *address, int backlog)
{
    give_order(tcp, (struct order){
                        .kind = ORDER_LISTEN, .fd = fd, .address = *address, .backlog = backlog});
}

void net_tcp_unlisten(struct net_tcp *tcp, const struct net_address *address)
{
    struct mailbox reply;

    mailbox_init(&reply, NULL, NULL);
    give_order(tcp, (struct order){.reply = &reply, .kind = ORDER_UNLISTEN, .address = *address});
    mem_free(mailbox_wait(&reply)); /* the order itself */
    mailbox_clear(&reply);
}

void net_tcp_stop(struct net_tcp *tcp)
{
    give_order(tcp, (struct order){.kind = ORDER_STOP});
}

void net_tcp_free(struct net_tcp *tcp)
{
    pthread_join(tcp->thread, NULL);
    close_loop(tcp);
    mailbox_clear(&tcp->orders);
    mem_free(tcp);
}
