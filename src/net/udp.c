#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/epoch.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/later.h"

enum {
    BATCH_PACKETS = NET_BATCH_MAX,
    /* Longer requests over UDP do not exist; a longer packet is dropped. */
    REQUEST_BYTES_MAX = 4096,
    /* Not a multiple of 4096: the first lines of all slots must not meet in one cache set. */
    SLOT_BYTES = REQUEST_BYTES_MAX + 192,
    RESPONSE_BYTES_MAX = 4096,
    CONTROL_BYTES = 64,
};

/* One received packet. The kernel fills in `client` and `control`. */
struct arrival {
    struct net_address client;
    struct net_address asked; /* with packet info alone */
    _Alignas(8) uint8_t control[CONTROL_BYTES];
};

/* The socket, which answers that come later keep open. */
struct udp_socket {
    int fd;
    unsigned users; /* atomic */
};

struct udp_later {
    struct net_later later; /* first member */
    struct udp_socket *socket;
    struct net_address client;
    size_t client_length, control_length;
    _Alignas(8) uint8_t control[CONTROL_BYTES];
};

struct net_udp {
    int fd;
    struct udp_socket *socket; /* of `fd` */
    pthread_t thread;
    bool wildcard; /* each packet tells which address was asked */
    struct net_address address;
    const struct net_service *service;
    bool stopping;
    struct net_udp_counts counts;
};

/* What a batch needs; lives on the heap of the thread, prepared once. */
struct batch {
    struct mmsghdr received[BATCH_PACKETS];
    struct mmsghdr replies[BATCH_PACKETS];
    struct iovec received_at[BATCH_PACKETS];
    struct iovec replies_at[BATCH_PACKETS];
    struct arrival arrivals[BATCH_PACKETS];
    struct net_request requests[BATCH_PACKETS]; /* of the packets that are to be answered */
    struct msghdr *origins[BATCH_PACKETS];      /* where each came from */
    uint8_t slots[BATCH_PACKETS][SLOT_BYTES];
    uint8_t slab[BATCH_PACKETS * RESPONSE_BYTES_MAX]; /* replies back to back */
};

static_assert(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= CONTROL_BYTES, "packet info fits");

static void count(uint64_t *counter, uint64_t more)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + more, __ATOMIC_RELAXED);
}

static void socket_drop(struct udp_socket *socket)
{
    if (__atomic_sub_fetch(&socket->users, 1, __ATOMIC_ACQ_REL) == 0) {
        close(socket->fd);
        mem_free(socket);
    }
}

static void send_later(struct net_later *later, struct span message)
{
    struct udp_later *way = (struct udp_later *)later;
    struct iovec bytes = {(void *)(uintptr_t)message.bytes, message.length};
    struct msghdr header = {
        .msg_name = &way->client,
        .msg_namelen = (socklen_t)way->client_length,
        .msg_iov = &bytes,
        .msg_iovlen = 1,
        .msg_control = way->control_length > 0 ? way->control : NULL,
        .msg_controllen = way->control_length,
    };
    if (message.length > 0) {
        /* As with every answer: what the kernel does not take is lost, and asked for again. */
        (void)sendmsg(way->socket->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    socket_drop(way->socket);
    mem_free(way);
}

static struct net_later *begin_later(const struct net_request *request)
{
    struct net_udp *udp = request->host;
    const struct msghdr *origin = request->packet;
    struct udp_later *way = mem_alloc_zero(1, sizeof(*way));

    way->later.send = send_later;
    way->socket = udp->socket;
    __atomic_add_fetch(&udp->socket->users, 1, __ATOMIC_RELAXED);
    way->client = *request->client;
    way->client_length = origin->msg_namelen;
    if (origin->msg_control != NULL) {
        way->control_length = origin->msg_controllen;
        memcpy(way->control, origin->msg_control, origin->msg_controllen);
    }
    return &way->later;
}

static void batch_prepare(struct batch *batch)
{
    for (size_t i = 0; i < BATCH_PACKETS; i++) {
        batch->received_at[i] = (struct iovec){batch->slots[i], REQUEST_BYTES_MAX};
        batch->received[i].msg_hdr = (struct msghdr){
            .msg_name = &batch->arrivals[i].client,
            .msg_iov = &batch->received_at[i],
            .msg_iovlen = 1,
        };
        batch->replies[i].msg_hdr =
            (struct msghdr){.msg_iov = &batch->replies_at[i], .msg_iovlen = 1};
    }
}

/* Set again what the kernel changed in the first `used` messages. */
static void batch_rearm(struct batch *batch, size_t used, bool wildcard)
{
    for (size_t i = 0; i < used; i++) {
        struct msghdr *header = &batch->received[i].msg_hdr;
        header->msg_namelen = sizeof(struct sockaddr_in6);
        header->msg_control = wildcard ? batch->arrivals[i].control : NULL;
        header->msg_controllen = wildcard ? CONTROL_BYTES : 0;
    }
}

/* Each takes the address that was asked out of the packet info, and makes that ready for the reply,
 * so that it leaves from there. Routing decides by which interface, as for any reply. */
static void take_info_v4(struct in_pktinfo *packet, struct net_address *asked)
{
    asked->at.v4.sin_addr = packet->ipi_spec_dst;
    packet->ipi_ifindex = 0;
}

static void take_info_v6(struct in6_pktinfo *packet, struct net_address *asked)
{
    asked->at.v6.sin6_addr = packet->ipi6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&packet->ipi6_addr)) {
        asked->at.v6.sin6_scope_id = packet->ipi6_ifindex; /* There are no routes for these. */
    } else {
        packet->ipi6_ifindex = 0;
    }
}

/* False when the kernel told nothing. */
static bool take_packet_info(struct msghdr *header, struct net_address *asked)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
        if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
            take_info_v4((struct in_pktinfo *)CMSG_DATA(at), asked);
            return true;
        }
        if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
            take_info_v6((struct in6_pktinfo *)CMSG_DATA(at), asked);
            return true;
        }
    }
    return false;
}

/* False: there is nothing to answer. */
static bool take_request(struct net_udp *udp, struct mmsghdr *packet, struct arrival *arrival,
                         struct net_request *out_request)
{
    struct msghdr *header = &packet->msg_hdr;

    if ((header->msg_flags & MSG_TRUNC) != 0 || header->msg_namelen == 0) {
        return false;
    }
    *out_request = (struct net_request){
        .wire = {header->msg_iov->iov_base, packet->msg_len},
        .client = &arrival->client,
        .local = &udp->address,
        .later = begin_later,
        .host = udp,
        .packet = header,
    };
    if (udp->wildcard) {
        arrival->asked = udp->address;
        out_request->local = &arrival->asked;
        return take_packet_info(header, &arrival->asked);
    }
    return true;
}

static size_t take_requests(struct net_udp *udp, struct batch *batch, size_t arrived)
{
    size_t requests = 0;

    for (size_t i = 0; i < arrived; i++) {
        if (take_request(udp, &batch->received[i], &batch->arrivals[i],
                         &batch->requests[requests])) {
            batch->origins[requests++] = &batch->received[i].msg_hdr;
        }
    }
    return requests;
}

/* Answer the packets that arrived; returns how many replies there are. */
static unsigned answer_all(struct net_udp *udp, void *thread_state, struct batch *batch,
                           size_t arrived)
{
    const struct net_service *service = udp->service;
    size_t requests = take_requests(udp, batch, arrived);
    uint8_t *at = batch->slab;
    unsigned replies = 0;

    if (service->prepare != NULL && requests > 0) {
        service->prepare(service->argument, thread_state, batch->requests, requests);
    }
    for (size_t i = 0; i < requests; i++) {
        size_t length = service->answer(service->argument, thread_state, &batch->requests[i], at,
                                        RESPONSE_BYTES_MAX, NULL);
        if (length == 0) {
            continue;
        }
        const struct msghdr *origin = batch->origins[i];
        struct msghdr *reply = &batch->replies[replies].msg_hdr;
        batch->replies_at[replies] = (struct iovec){at, length};
        reply->msg_name = origin->msg_name;
        reply->msg_namelen = origin->msg_namelen;
        reply->msg_control = origin->msg_control;
        reply->msg_controllen = origin->msg_controllen;
        replies++;
        at += length;
    }
    return replies;
}

/*
 * Send all; never waits. A reply that cannot leave (an unreachable client, a firewall) is left
 * out; when the socket's buffer is full, so are all others: clients ask again.
 */
static void send_all(struct net_udp *udp, struct mmsghdr *replies, unsigned left)
{
    /* Each round sends or skips at least one. */
    while (left > 0) {
        int sent = sendmmsg(udp->fd, replies, left, MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent > 0) {
            count(&udp->counts.sent, (uint64_t)sent);
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            count(&udp->counts.send_failed, left);
            return;
        } else {
            count(&udp->counts.send_failed, 1);
            sent = 1;
        }
        replies += sent;
        left -= (unsigned)sent;
    }
}

static void serve(struct net_udp *udp, void *thread_state, struct batch *batch)
{
    size_t used = BATCH_PACKETS;

    while (!__atomic_load_n(&udp->stopping, __ATOMIC_RELAXED)) {
        batch_rearm(batch, used, udp->wildcard);
        /* Being offline is the quiescent state, too: once for a batch. */
        epoch_offline();
        int arrived = recvmmsg(udp->fd, batch->received, BATCH_PACKETS, MSG_WAITFORONE, NULL);
        epoch_online();
        used = arrived > 0 ? (size_t)arrived : 0;
        count(&udp->counts.received, used);
        send_all(udp, batch->replies, answer_all(udp, thread_state, batch, used));
    }
}

static void *run(void *argument)
{
    struct net_udp *udp = argument;
    struct batch *batch = mem_alloc_zero(1, sizeof(*batch));

    thread_name(THREAD_UDP, "udp");
    epoch_join();
    void *thread_state = udp->service->thread_start(udp->service->argument, false);
    batch_prepare(batch);
    serve(udp, thread_state, batch);
    udp->service->thread_stop(udp->service->argument, thread_state);
    epoch_leave();
    mem_free(batch);
    return NULL;
}

enum sg_result net_udp_start(int fd, const struct net_address *address,
                             const struct net_service *service, struct net_udp **out_udp)
{
    struct net_udp *udp = mem_alloc_zero(1, sizeof(*udp));

    udp->fd = fd;
    udp->socket = mem_alloc_zero(1, sizeof(*udp->socket));
    *udp->socket = (struct udp_socket){fd, 1};
    udp->address = *address;
    udp->wildcard = net_address_is_wildcard(address);
    udp->service = service;
    enum sg_result result = thread_start(&udp->thread, run, udp);
    if (result != SG_OK) {
        socket_drop(udp->socket);
        mem_free(udp);
        return result;
    }
    *out_udp = udp;
    return SG_OK;
}

void net_udp_stop(struct net_udp *udp)
{
    __atomic_store_n(&udp->stopping, true, __ATOMIC_RELAXED);
    /* Fails, the socket having no peer, but wakes whoever waits in a receive, now and later. */
    (void)shutdown(udp->fd, SHUT_RD);
}

void net_udp_free(struct net_udp *udp, struct net_udp_counts *out_counts)
{
    ASSERT(udp->stopping);
    pthread_join(udp->thread, NULL);
    net_udp_counts(udp, out_counts);
    socket_drop(udp->socket);
    mem_free(udp);
}

void net_udp_counts(const struct net_udp *udp, struct net_udp_counts *out_counts)
{
    out_counts->received = __atomic_load_n(&udp->counts.received, __ATOMIC_RELAXED);
    out_counts->sent = __atomic_load_n(&udp->counts.sent, __ATOMIC_RELAXED);
    out_counts->send_failed = __atomic_load_n(&udp->counts.send_failed, __ATOMIC_RELAXED);
}
