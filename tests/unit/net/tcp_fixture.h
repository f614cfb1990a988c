/* One TCP thread with the toy service. */
#pragma once

#include "fixture.h"
#include "net/listen.h"
#include "net/tcp.h"

struct server {
    struct toy toy;
    struct net_service service;
    struct tcp_common common;
    struct net_tcp *tcp;
    struct net_address address;
};

static inline void server_start(struct server *server, unsigned clients_max, sg_duration timeout)
{
    int fd;

    memset(server, 0, sizeof(*server));
    server->service = toy_service(&server->toy);
    server->common.limits = (struct net_limits){clients_max, timeout, timeout};
    server->address = address_of("127.0.0.1", free_port());
    assert_int_equal(net_listen_tcp(&server->address, 128, &fd), SG_OK);
    assert_int_equal(net_tcp_start(&server->service, &server->common, &server->tcp), SG_OK);
    net_tcp_listen(server->tcp, fd, &server->address, 128);
}

static inline void server_stop(struct server *server)
{
    net_tcp_stop(server->tcp);
    net_tcp_free(server->tcp);
    assert_int_equal(server->toy.threads, 0);
    assert_int_equal(server->common.clients, 0);
    assert_int_equal(server->toy.streams_opened,
                     server->toy.streams_completed + server->toy.streams_cut);
}
