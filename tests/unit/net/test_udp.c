#include "fixture.h"
#include "net/listen.h"
#include "net/udp.h"

struct server {
    struct toy toy;
    struct net_service service;
    struct net_udp *udp;
    struct net_address address;
};

static void server_start(struct server *server, const char *text)
{
    int fd;

    memset(server, 0, sizeof(*server));
    server->service = toy_service(&server->toy);
    server->address = address_of(text, free_port());
    assert_int_equal(net_listen_udp(&server->address, &fd), SG_OK);
    assert_int_equal(net_udp_start(fd, &server->address, &server->service, &server->udp), SG_OK);
}

static struct net_udp_counts server_stop(struct server *server)
{
    struct net_udp_counts counts;

    net_udp_stop(server->udp);
    net_udp_free(server->udp, &counts);
    assert_int_equal(server->toy.threads, 0);
    return counts;
}

static void assert_reply(int fd, const char *text)
{
    char reply[5000];
    ssize_t length = recv(fd, reply, sizeof(reply), 0);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(reply, text, strlen(text));
}

static void a_packet_is_answered(void **state)
{
    struct server server;

    (void)state;
    server_start(&server, "127.0.0.1");
    int fd = client_to(&server.address, SOCK_DGRAM);
    send_all_of(fd, "echo", 4);
    assert_reply(fd, "echo");
    close(fd);
    struct net_udp_counts counts = server_stop(&server);
    assert_true(counts.received >= 1);
    assert_int_equal(counts.sent, 1);
    assert_int_equal(counts.send_failed, 0);
}

static void many_packets_of_many_clients_are_answered_each_to_its_own(void **state)
{
    enum { CLIENTS = 50, ROUNDS = 8 };
    struct server server;
    int fds[CLIENTS];
    char text[64];

    (void)state;
    server_start(&server, "127.0.0.1");
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_to(&server.address, SOCK_DGRAM);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            snprintf(text, sizeof(text), "e client %d round %d", i, round);
            send_all_of(fds[i], text, strlen(text));
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            snprintf(text, sizeof(text), "e client %d round %d", i, round);
            assert_reply(fds[i], text);
        }
        close(fds[i]);
    }
    struct net_udp_counts counts = server_stop(&server);
    assert_int_equal(counts.sent, CLIENTS * ROUNDS);
}

static void what_the_service_drops_gets_no_reply(void **state)
{
    struct server server;

    (void)state;
    server_start(&server, "127.0.0.1");
    int fd = client_to(&server.address, SOCK_DGRAM);
    send_all_of(fd, "d", 1);
    send_all_of(fd, "echo", 4);
    assert_reply(fd, "echo"); /* and nothing before it */
    close(fd);
    assert_int_equal(server_stop(&server).sent, 1);
}

static void a_packet_longer_than_a_slot_is_dropped(void **state)
{
    struct server server;
    char packet[5000];

    (void)state;
    memset(packet, 'e', sizeof(packet));
    server_start(&server, "127.0.0.1");
    int fd = client_to(&server.address, SOCK_DGRAM);
    send_all_of(fd, packet, sizeof(packet));
    send_all_of(fd, "echo", 4);
    assert_reply(fd, "echo");
    close(fd);
    server_stop(&server);
    assert_int_equal(server.toy.answered, 1);
}

/* What `prepare` was told, by the one thread of the test below. */
static struct {
    struct net_request requests[NET_BATCH_MAX];
    size_t count, next, batches;
} told;

static void tell(void *argument, void *thread_state, const struct net_request *requests,
                 size_t count)
{
    assert_ptr_equal(argument, thread_state);
    assert_in_range(count, 1, NET_BATCH_MAX);
    assert_int_equal(told.next, told.count);
    memcpy(told.requests, requests, count * sizeof(*requests));
    told.count = count;
    told.next = 0;
    told.batches++;
}

static size_t answer_in_order(void *argument, void *thread_state, const struct net_request *request,
                              uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream)
{
    assert_true(told.next < told.count);
    assert_ptr_equal(request->wire.bytes, told.requests[told.next].wire.bytes);
    assert_int_equal(request->wire.length, told.requests[told.next].wire.length);
    told.next++;
    return toy_answer(argument, thread_state, request, out_bytes, bytes_max, out_stream);
}

static void the_service_is_told_of_a_batch_before_its_packets(void **state)
{
    enum { PACKETS = 200 }; /* fewer than any receive buffer takes */
    struct server server;
    int fd;

    (void)state;
    memset(&server, 0, sizeof(server));
    server.service = toy_service(&server.toy);
    server.service.prepare = tell;
    server.service.answer = answer_in_order;
    server.address = address_of("127.0.0.1", free_port());
    assert_int_equal(net_listen_udp(&server.address, &fd), SG_OK);
    int client = client_to(&server.address, SOCK_DGRAM);
    for (int i = 0; i < PACKETS; i++) {
        send_all_of(client, i % 3 == 0 ? "d" : "echo", i % 3 == 0 ? 1 : 4);
    }
    /* All wait before the thread begins: its batches are full. */
    assert_int_equal(net_udp_start(fd, &server.address, &server.service, &server.udp), SG_OK);
    for (int i = 0; i < PACKETS - (PACKETS + 2) / 3; i++) {
        assert_reply(client, "echo");
    }
    close(client);
    server_stop(&server);
    assert_int_equal(server.toy.answered, PACKETS);
    assert_int_equal(told.batches, (PACKETS + NET_BATCH_MAX - 1) / NET_BATCH_MAX);
}

static void full_replies_do_not_run_into_each_other(void **state)
{
    enum { PACKETS = 100 };
    struct server server;
    char reply[5000];

    (void)state;
    server_start(&server, "127.0.0.1");
    int fd = client_to(&server.address, SOCK_DGRAM);
    int room = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    for (int i = 0; i < PACKETS; i += 2) {
        send_all_of(fd, "b", 1);
        send_all_of(fd, "echo", 4);
        ssize_t length = recv(fd, reply, sizeof(reply), 0);
        assert_true(length > 512);
        for (ssize_t at = 0; at < length; at++) {
            assert_int_equal(reply[at], 'b');
        }
        assert_reply(fd, "echo");
    }
    close(fd);
    server_stop(&server);
}

/* A connected client takes replies from the address that it asked alone. */
static void a_wildcard_socket_replies_from_the_address_that_was_asked(void **state)
{
    static const char *const asked[] = {"127.0.0.1", "127.0.0.2", "127.9.9.9"};
    struct server server;
    char expected[NET_ADDRESS_TEXT_BYTES];

    (void)state;
    server_start(&server, "0.0.0.0");
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct net_address address = address_of(asked[i], net_address_port(&server.address));
        int fd = client_to(&address, SOCK_DGRAM);
        send_all_of(fd, "l", 1);
        net_address_to_text(&address, expected);
        char reply[NET_ADDRESS_TEXT_BYTES];
        ssize_t length = recv(fd, reply, sizeof(reply), 0);
        assert_int_equal(length, strlen(expected) + 1);
        assert_string_equal(reply, expected);
        close(fd);
    }
    server_stop(&server);
}

static void the_same_for_ipv6(void **state)
{
    struct server server;
    char expected[NET_ADDRESS_TEXT_BYTES];
    char reply[NET_ADDRESS_TEXT_BYTES];

    (void)state;
    server_start(&server, "::");
    struct net_address address = address_of("::1", net_address_port(&server.address));
    int fd = client_to(&address, SOCK_DGRAM);
    send_all_of(fd, "l", 1);
    ssize_t length = recv(fd, reply, sizeof(reply), 0);
    net_address_to_text(&address, expected);
    assert_int_equal(length, strlen(expected) + 1);
    assert_string_equal(reply, expected);
    close(fd);
    server_stop(&server);
}

static void an_idle_thread_ends_when_it_is_asked(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct server server;
        server_start(&server, i % 2 == 0 ? "127.0.0.1" : "::1");
        server_stop(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_answered),
        cmocka_unit_test(many_packets_of_many_clients_are_answered_each_to_its_own),
        cmocka_unit_test(what_the_service_drops_gets_no_reply),
        cmocka_unit_test(a_packet_longer_than_a_slot_is_dropped),
        cmocka_unit_test(the_service_is_told_of_a_batch_before_its_packets),
        cmocka_unit_test(full_replies_do_not_run_into_each_other),
        cmocka_unit_test(a_wildcard_socket_replies_from_the_address_that_was_asked),
        cmocka_unit_test(the_same_for_ipv6),
        cmocka_unit_test(an_idle_thread_ends_when_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
