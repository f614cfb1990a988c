#include <netinet/in.h>

#include "fixture.h"
#include "net/listen.h"

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static void sockets_of_one_address_share_it(void **state)
{
    struct net_address address = address_of("127.0.0.1", free_port());
    int fds[4];

    (void)state;
    assert_int_equal(net_listen_udp(&address, &fds[0]), SG_OK);
    assert_int_equal(net_listen_udp(&address, &fds[1]), SG_OK);
    assert_int_equal(net_listen_tcp(&address, 16, &fds[2]), SG_OK);
    assert_int_equal(net_listen_tcp(&address, 16, &fds[3]), SG_OK);
    for (int i = 0; i < 4; i++) {
        close(fds[i]);
    }
}

static void a_probe_finds_another_server_that_would_share(void **state)
{
    struct net_address address = address_of("127.0.0.1", free_port());
    int fd;

    (void)state;
    assert_int_equal(net_listen_probe(&address), SG_OK);
    assert_int_equal(net_listen_udp(&address, &fd), SG_OK);
    errno = 0;
    assert_int_equal(net_listen_probe(&address), SG_IO);
    assert_int_equal(errno, EADDRINUSE);
    close(fd);
    assert_int_equal(net_listen_tcp(&address, 16, &fd), SG_OK);
    assert_int_equal(net_listen_probe(&address), SG_IO);
    assert_int_equal(errno, EADDRINUSE);
    close(fd);
    assert_int_equal(net_listen_probe(&address), SG_OK);
}

static void only_a_wildcard_socket_asks_for_packet_info(void **state)
{
    uint16_t port = free_port();
    struct net_address any = address_of("0.0.0.0", port);
    struct net_address one = address_of("127.0.0.1", port);
    int fd;

    (void)state;
    assert_int_equal(net_listen_udp(&one, &fd), SG_OK);
    assert_int_equal(option(fd, IPPROTO_IP, IP_PKTINFO), 0);
    close(fd);
    assert_int_equal(net_listen_udp(&any, &fd), SG_OK);
    assert_int_equal(option(fd, IPPROTO_IP, IP_PKTINFO), 1);
    assert_int_equal(option(fd, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
    assert_true(option(fd, SOL_SOCKET, SO_RCVBUF) >= 200 * 1024);
    close(fd);
}

static void the_families_do_not_overlap(void **state)
{
    uint16_t port = free_port();
    struct net_address v4 = address_of("0.0.0.0", port);
    struct net_address v6 = address_of("::", port);
    int fds[4];

    (void)state;
    assert_int_equal(net_listen_udp(&v6, &fds[0]), SG_OK);
    assert_int_equal(net_listen_tcp(&v6, 16, &fds[1]), SG_OK);
    assert_int_equal(option(fds[0], IPPROTO_IPV6, IPV6_V6ONLY), 1);
    assert_int_equal(option(fds[0], IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
    assert_int_equal(net_listen_probe(&v4), SG_OK);
    assert_int_equal(net_listen_udp(&v4, &fds[2]), SG_OK);
    assert_int_equal(net_listen_tcp(&v4, 16, &fds[3]), SG_OK);
    for (int i = 0; i < 4; i++) {
        close(fds[i]);
    }
}

static void an_address_of_another_host_cannot_be_had(void **state)
{
    struct net_address address = address_of("192.0.2.1", free_port());
    int fd = -1;

    (void)state;
    assert_int_equal(net_listen_udp(&address, &fd), SG_IO);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(net_listen_tcp(&address, 16, &fd), SG_IO);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_of_one_address_share_it),
        cmocka_unit_test(a_probe_finds_another_server_that_would_share),
        cmocka_unit_test(only_a_wildcard_socket_asks_for_packet_info),
        cmocka_unit_test(the_families_do_not_overlap),
        cmocka_unit_test(an_address_of_another_host_cannot_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
