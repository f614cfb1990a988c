#include "fixture.h"
#include "net/listen.h"

struct server {
    struct toy toy;
    struct net *net;
};

static void server_new(struct server *server, unsigned udp_threads, unsigned tcp_threads)
{
    const struct net_settings settings = {udp_threads, tcp_threads, 0};
    const struct net_limits limits = {100, 30, 30};

    memset(server, 0, sizeof(*server));
    struct net_service service = toy_service(&server->toy);
    server->net = net_new(&service, &settings, &limits);
}

static void server_free(struct server *server)
{
    net_stop(server->net);
    assert_int_equal(server->toy.threads, 0);
    net_free(server->net);
}

static void assert_served(const struct net_address *address)
{
    char reply[16];
    int udp = client_to(address, SOCK_DGRAM);
    send_all_of(udp, "echo", 4);
    assert_int_equal(recv(udp, reply, sizeof(reply), 0), 4);
    close(udp);
    int tcp = client_to(address, SOCK_STREAM);
    send_message(tcp, "echo");
    assert_echo(tcp, "echo");
    close(tcp);
}

static void assert_free(const struct net_address *address)
{
    int fd = socket(address->at.any.sa_family, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, &address->at.any, net_address_length(address)), 0);
    close(fd);
    fd = socket(address->at.any.sa_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, &address->at.any, net_address_length(address)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
}

static void every_address_is_served_by_udp_and_tcp(void **state)
{
    struct server server;
    uint16_t port = free_port();
    const struct net_address addresses[] = {address_of("127.0.0.1", port),
                                            address_of("127.0.0.2", port), address_of("::1", port),
                                            address_of("127.0.0.1", port)};
    const struct net_address *bound;

    (void)state;
    server_new(&server, 2, 2);
    assert_int_equal(net_bind(server.net, addresses, 4), 3);
    assert_int_equal(net_bound(server.net, &bound), 3);
    assert_int_equal(net_start(server.net), SG_OK);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 3; i++) {
            assert_served(&addresses[i]);
        }
    }
    struct net_counts counts;
    net_counts(server.net, &counts);
    assert_int_equal(counts.udp_received, 24);
    assert_int_equal(counts.tcp_accepted, 24);
    assert_int_equal(counts.tcp_refused, 0);
    server_free(&server);
}

static void a_reload_keeps_what_stays_opens_what_is_new_and_closes_the_rest(void **state)
{
    struct server server;
    uint16_t port = free_port();
    const struct net_address before[] = {address_of("127.0.0.1", port),
                                         address_of("127.0.0.2", port)};
    const struct net_address after[] = {address_of("127.0.0.3", port),
                                        address_of("127.0.0.1", port)};
    struct net_counts counts;

    (void)state;
    server_new(&server, 2, 1);
    assert_int_equal(net_bind(server.net, before, 2), 2);
    assert_int_equal(net_start(server.net), SG_OK);
    int stays = client_to(&before[0], SOCK_STREAM);
    int goes = client_to(&before[1], SOCK_STREAM);
    send_message(goes, "e");
    assert_echo(goes, "e");
    assert_served(&before[1]);
    assert_int_equal(net_bind(server.net, after, 2), 2);
    assert_served(&after[0]);
    assert_served(&after[1]);
    assert_free(&before[1]);
    send_message(stays, "e");
    assert_echo(stays, "e");
    send_message(goes, "e"); /* A connection outlives its listener. */
    assert_echo(goes, "e");
    net_counts(server.net, &counts);
    assert_in_range(counts.udp_received, 3, 5); /* of ended threads, too, and their wakes */
    close(stays);
    close(goes);
    server_free(&server);
}

static void a_wildcard_can_give_way_to_addresses_and_back(void **state)
{
    struct server server;
    uint16_t port = free_port();
    const struct net_address any = address_of("0.0.0.0", port);
    const struct net_address one = address_of("127.0.0.1", port);

    (void)state;
    server_new(&server, 1, 2);
    assert_int_equal(net_bind(server.net, &any, 1), 1);
    assert_int_equal(net_start(server.net), SG_OK);
    for (int i = 0; i < 3; i++) {
        assert_served(&one);
        assert_int_equal(net_bind(server.net, &one, 1), 1);
        assert_served(&one);
        assert_int_equal(net_bind(server.net, &any, 1), 1);
    }
    server_free(&server);
}

static void an_address_that_is_taken_is_left_out(void **state)
{
    struct server server;
    uint16_t port = free_port();
    const struct net_address addresses[] = {address_of("127.0.0.1", port),
                                            address_of("127.0.0.2", port)};
    int other;

    (void)state;
    assert_int_equal(net_listen_udp(&addresses[0], &other), SG_OK); /* It would share. */
    server_new(&server, 1, 1);
    assert_int_equal(net_bind(server.net, addresses, 2), 1);
    assert_int_equal(net_start(server.net), SG_OK);
    assert_served(&addresses[1]);
    close(other);
    assert_int_equal(net_bind(server.net, addresses, 2), 2);
    assert_served(&addresses[0]);
    server_free(&server);
}

static void what_never_started_can_be_freed(void **state)
{
    struct server server;
    const struct net_address address = address_of("127.0.0.1", free_port());

    (void)state;
    server_new(&server, 3, 3);
    assert_int_equal(net_bind(server.net, &address, 1), 1);
    net_free(server.net);
    assert_free(&address);
    net_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_address_is_served_by_udp_and_tcp),
        cmocka_unit_test(a_reload_keeps_what_stays_opens_what_is_new_and_closes_the_rest),
        cmocka_unit_test(a_wildcard_can_give_way_to_addresses_and_back),
        cmocka_unit_test(an_address_that_is_taken_is_left_out),
        cmocka_unit_test(what_never_started_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
