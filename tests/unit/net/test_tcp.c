#include "tcp_fixture.h"

static void a_stop_closes_clients_and_streams(void **state)
{
    static const uint8_t request[] = {0, 3, 's', 0xC8, 0};
    struct server server;
    uint8_t *message = malloc(65535);

    (void)state;
    server_start(&server, 10, 30);
    int idle = client_to(&server.address, SOCK_STREAM);
    int stream = client_to(&server.address, SOCK_STREAM);
    send_message(idle, "e");
    assert_echo(idle, "e");
    send_all_of(stream, request, sizeof(request));
    assert_int_equal(receive_message(stream, message), STREAM_MESSAGE_BYTES);
    server_stop(&server);
    assert_closed(idle);
    assert_int_equal(server.toy.streams_cut, 1);
    close(idle);
    close(stream);
    free(message);
}

static void an_address_can_be_given_up_while_clients_stay(void **state)
{
    struct server server;

    (void)state;
    server_start(&server, 10, 30);
    int fd = client_to(&server.address, SOCK_STREAM);
    send_message(fd, "e");
    assert_echo(fd, "e");
    net_tcp_unlisten(server.tcp, &server.address);
    assert_int_equal(net_listen_probe(&server.address), SG_OK);
    send_message(fd, "e after");
    assert_echo(fd, "e after");
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, &server.address.at.any, net_address_length(&server.address)),
                     -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(late);
    close(fd);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_closes_clients_and_streams),
        cmocka_unit_test(an_address_can_be_given_up_while_clients_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
