#include "net/net.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/listen.h"
#include "net/tcp.h"
#include "net/udp.h"

enum { LISTEN_QUEUE_DEFAULT = 128, NO_SOCKET = -1 };

/* One address that is served. Before the start it has sockets, afterwards threads have them. */
struct place {
    int *udp_sockets; /* udp_threads of them */
    int *tcp_sockets; /* tcp_threads of them */
    struct net_udp **udps;
    unsigned udps_count;
};

struct net {
    struct net_service service;
    struct net_settings settings;
    struct tcp_common tcp_common;
    bool started;
    struct net_address *addresses; /* as many as places, in the same order */
    struct place **places;
    size_t places_count;
    struct net_tcp **tcps;
    unsigned tcps_count;
    struct net_udp_counts past; /* of UDP threads that ended */
};

struct net *net_new(const struct net_service *service, const struct net_settings *settings,
                    const struct net_limits *limits)
{
    struct net *net = mem_alloc_zero(1, sizeof(*net));

    net->service = *service;
    net->settings = *settings;
    if (net->settings.tcp_listen_queue == 0) {
        net->settings.tcp_listen_queue = LISTEN_QUEUE_DEFAULT;
    }
    ASSERT(settings->udp_threads > 0 && settings->udp_threads <= NET_THREADS_MAX);
    ASSERT(settings->tcp_threads > 0 && settings->tcp_threads <= NET_THREADS_MAX);
    net_set_limits(net, limits);
    return net;
}

static void set_duration(sg_duration *to, sg_duration seconds)
{
    __atomic_store_n(to, seconds > 0 ? seconds : 1, __ATOMIC_RELAXED);
}

void net_set_limits(struct net *net, const struct net_limits *limits)
{
    struct net_limits *to = &net->tcp_common.limits;

    __atomic_store_n(&to->tcp_clients, limits->tcp_clients, __ATOMIC_RELAXED);
    set_duration(&to->tcp_initial_timeout, limits->tcp_initial_timeout);
    set_duration(&to->tcp_idle_timeout, limits->tcp_idle_timeout);
}

/* --- one address ---------------------------------------------------------------------------- */

static int *no_sockets(unsigned count)
{
    int *sockets = mem_alloc_zero(count, sizeof(*sockets));
    for (unsigned i = 0; i < count; i++) {
        sockets[i] = NO_SOCKET;
    }
    return sockets;
}

static void close_sockets(int *sockets, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (sockets[i] != NO_SOCKET) {
            close(sockets[i]);
        }
    }
    mem_free(sockets);
}

/* Ask its threads to end. */
static void place_stop(struct place *place)
{
    for (unsigned i = 0; i < place->udps_count; i++) {
        net_udp_stop(place->udps[i]);
    }
}

/* Its threads have been stopped; wait for them, and close what was never given to one. */
static void place_free(struct net *net, struct place *place)
{
    for (unsigned i = 0; i < place->udps_count; i++) {
        struct net_udp_counts counts;
        net_udp_free(place->udps[i], &counts);
        net->past.received += counts.received;
        net->past.sent += counts.sent;
        net->past.send_failed += counts.send_failed;
    }
    mem_free(place->udps);
    close_sockets(place->udp_sockets, net->settings.udp_threads);
    close_sockets(place->tcp_sockets, net->settings.tcp_threads);
    mem_free(place);
}

static enum sg_result open_sockets(const struct net *net, const struct net_address *address,
                                   struct place *place, const char **out_kind)
{
    enum sg_result result = SG_OK;

    *out_kind = "UDP";
    for (unsigned i = 0; i < net->settings.udp_threads && result == SG_OK; i++) {
        result = net_listen_udp(address, &place->udp_sockets[i]);
    }
    if (result != SG_OK) {
        return result;
    }
    *out_kind = "TCP";
    for (unsigned i = 0; i < net->settings.tcp_threads && result == SG_OK; i++) {
        result =
            net_listen_tcp(address, (int)net->settings.tcp_listen_queue, &place->tcp_sockets[i]);
    }
    return result;
}

/* Is part of what `address` would serve served already? Then a probe would find ourselves. */
static bool overlaps(const struct net *net, const struct net_address *address)
{
    for (size_t i = 0; i < net->places_count; i++) {
        const struct net_address *other = &net->addresses[i];
        if (net_address_is_v6(other) == net_address_is_v6(address) &&
            net_address_port(other) == net_address_port(address) &&
            (net_address_is_wildcard(other) || net_address_is_wildcard(address))) {
            return true;
        }
    }
    return false;
}

/* A place with all its sockets; NULL, and why is logged, when it cannot be had. */
static struct place *place_open(struct net *net, const struct net_address *address)
{
    char text[NET_ADDRESS_TEXT_BYTES];
    const char *kind = "UDP or TCP";
    struct place *place = mem_alloc_zero(1, sizeof(*place));

    place->udp_sockets = no_sockets(net->settings.udp_threads);
    place->tcp_sockets = no_sockets(net->settings.tcp_threads);
    place->udps = mem_alloc_zero(net->settings.udp_threads, sizeof(struct net_udp *));
    net_address_to_text(address, text);
    enum sg_result result = overlaps(net, address) ? SG_OK : net_listen_probe(address);
    if (result == SG_OK) {
        result = open_sockets(net, address, place, &kind);
    }
    if (result != SG_OK) {
        char reason[128];
        log_write(LOG_NETWORK, SEVERITY_ERROR, "could not listen on %s socket %s: %s", kind, text,
                  strerror_r(errno, reason, sizeof(reason)));
        place_free(net, place);
        return NULL;
    }
    log_write(LOG_NETWORK, SEVERITY_INFO, "listening on %s %s",
              net_address_is_v6(address) ? "IPv6" : "IPv4", text);
    return place;
}

/* Give the sockets to threads. */
static enum sg_result place_start(struct net *net, struct place *place,
                                  const struct net_address *address)
{
    for (unsigned i = 0; i < net->settings.udp_threads; i++) {
        int fd = place->udp_sockets[i];
        place->udp_sockets[i] = NO_SOCKET;
        enum sg_result result =
            net_udp_start(fd, address, &net->service, &place->udps[place->udps_count]);
        if (result != SG_OK) {
            return result;
        }
        place->udps_count++;
    }
    for (unsigned i = 0; i < net->tcps_count; i++) {
        net_tcp_listen(net->tcps[i], place->tcp_sockets[i], address,
                       (int)net->settings.tcp_listen_queue);
        place->tcp_sockets[i] = NO_SOCKET;
    }
    return SG_OK;
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool contains(const struct net_address *addresses, size_t count,
                     const struct net_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&addresses[i], address)) {
            return true;
        }
    }
    return false;
}

/* Close what is not wanted any more. Others may be opened only then: they may overlap. */
static void close_others(struct net *net, const struct net_address *wanted, size_t count)
{
    size_t kept = 0;
    size_t gone = 0;
    struct place **closing = mem_alloc_zero(net->places_count + 1, sizeof(struct place *));

    for (size_t i = 0; i < net->places_count; i++) {
        if (contains(wanted, count, &net->addresses[i])) {
            net->addresses[kept] = net->addresses[i];
            net->places[kept++] = net->places[i];
            continue;
        }
        char text[NET_ADDRESS_TEXT_BYTES];
        log_write(LOG_NETWORK, SEVERITY_INFO, "no longer listening on %s",
                  net_address_to_text(&net->addresses[i], text));
        for (unsigned tcp = 0; tcp < net->tcps_count; tcp++) {
            net_tcp_unlisten(net->tcps[tcp], &net->addresses[i]);
        }
        place_stop(net->places[i]);
        closing[gone++] = net->places[i];
    }
    for (size_t i = 0; i < gone; i++) {
        place_free(net, closing[i]);
    }
    net->places_count = kept;
    mem_free(closing);
}

size_t net_bind(struct net *net, const struct net_address *addresses, size_t count)
{
    thread_assert(THREAD_KEEPER);
    if (count > NET_ADDRESSES_MAX) {
        log_write(LOG_NETWORK, SEVERITY_ERROR, "only the first %d of %zu addresses are served",
                  NET_ADDRESSES_MAX, count);
        count = NET_ADDRESSES_MAX;
    }
    close_others(net, addresses, count);
    size_t places_max = net->places_count + count;
    net->addresses = mem_resize_array(net->addresses, places_max + 1, sizeof(*net->addresses));
    net->places = mem_resize_array(net->places, places_max + 1, sizeof(struct place *));
    for (size_t i = 0; i < count; i++) {
        if (contains(net->addresses, net->places_count, &addresses[i])) {
            continue;
        }
        struct place *place = place_open(net, &addresses[i]);
        if (place == NULL) {
            continue;
        }
        if (net->started && place_start(net, place, &addresses[i]) != SG_OK) {
            log_write(LOG_NETWORK, SEVERITY_ERROR, "no thread to be had for another address");
            place_stop(place);
            place_free(net, place);
            continue;
        }
        net->addresses[net->places_count] = addresses[i];
        net->places[net->places_count++] = place;
    }
    return net->places_count;
}

size_t net_bound(const struct net *net, const struct net_address **out_addresses)
{
    *out_addresses = net->addresses;
    return net->places_count;
}

enum sg_result net_start(struct net *net)
{
    thread_assert(THREAD_KEEPER);
    ASSERT(!net->started);
    net->started = true;
    net->tcps = mem_alloc_zero(net->settings.tcp_threads, sizeof(struct net_tcp *));
    for (unsigned i = 0; i < net->settings.tcp_threads; i++) {
        enum sg_result result = net_tcp_start(&net->service, &net->tcp_common, &net->tcps[i]);
        if (result != SG_OK) {
            return result;
        }
        net->tcps_count++;
    }
    for (size_t i = 0; i < net->places_count; i++) {
        enum sg_result result = place_start(net, net->places[i], &net->addresses[i]);
        if (result != SG_OK) {
            return result;
        }
    }
    return SG_OK;
}

void net_stop(struct net *net)
{
    thread_assert(THREAD_KEEPER);
    for (size_t i = 0; i < net->places_count; i++) {
        place_stop(net->places[i]);
    }
    for (unsigned i = 0; i < net->tcps_count; i++) {
        net_tcp_stop(net->tcps[i]);
    }
    for (size_t i = 0; i < net->places_count; i++) {
        place_free(net, net->places[i]);
    }
    for (unsigned i = 0; i < net->tcps_count; i++) {
        net_tcp_free(net->tcps[i]);
    }
    net->places_count = 0;
    net->tcps_count = 0;
}

void net_free(struct net *net)
{
    if (net == NULL) {
        return;
    }
    net_stop(net); /* What was opened but never started. */
    mem_free(net->tcps);
    mem_free(net->places);
    mem_free(net->addresses);
    mem_free(net);
}

void net_counts(const struct net *net, struct net_counts *out_counts)
{
    const struct tcp_common *tcp = &net->tcp_common;
    struct net_udp_counts udp = net->past;

    for (size_t i = 0; i < net->places_count; i++) {
        for (unsigned k = 0; k < net->places[i]->udps_count; k++) {
            struct net_udp_counts counts;
            net_udp_counts(net->places[i]->udps[k], &counts);
            udp.received += counts.received;
            udp.sent += counts.sent;
            udp.send_failed += counts.send_failed;
        }
    }
    *out_counts = (struct net_counts){
        .udp_received = udp.received,
        .udp_sent = udp.sent,
        .udp_send_failed = udp.send_failed,
        .tcp_accepted = __atomic_load_n(&tcp->accepted, __ATOMIC_RELAXED),
        .tcp_refused = __atomic_load_n(&tcp->refused, __ATOMIC_RELAXED),
        .tcp_timed_out = __atomic_load_n(&tcp->timed_out, __ATOMIC_RELAXED),
        .tcp_clients = __atomic_load_n(&tcp->clients, __ATOMIC_RELAXED),
        .tcp_clients_high_water = __atomic_load_n(&tcp->clients_high_water, __ATOMIC_RELAXED),
    };
}
