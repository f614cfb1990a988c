#include <pthread.h>

#include "base/mailbox.h"
#include "net/later.h"
#include "net/udp.h"
#include "tcp_fixture.h"

/*
 * A service that answers nothing itself: each request goes to another thread, which sends it back
 * as it came. `h` is held until the test lets go; `n` gets no answer.
 */
struct parcel {
    struct letter letter; /* first member */
    struct net_later *later;
    struct buffer wire;
};

struct desk {
    struct mailbox inbox;
    struct mailbox held;
    pthread_t thread;
    unsigned refused, held_count;
    struct net_service service;
    struct toy toy;
};

static void parcel_send(struct parcel *parcel)
{
    bool silent = parcel->wire.bytes[0] == 'n';
    net_later_send(parcel->later, silent ? (struct span){NULL, 0} : buffer_span(&parcel->wire));
    buffer_free(&parcel->wire);
    mem_free(parcel);
}

static void *answer_others(void *argument)
{
    struct desk *desk = argument;
    struct letter *letter;
    while ((letter = mailbox_wait(&desk->inbox)) != NULL) {
        struct parcel *parcel = (struct parcel *)letter;
        if (parcel->wire.bytes[0] == 'h') {
            (void)mailbox_send(&desk->held, letter);
            __atomic_fetch_add(&desk->held_count, 1, __ATOMIC_RELEASE);
        } else {
            parcel_send(parcel);
        }
    }
    return NULL;
}

static size_t answer(void *argument, void *thread_state, const struct net_request *request,
                     uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream)
{
    struct desk *desk = (struct desk *)((char *)argument - offsetof(struct desk, toy));
    (void)bytes_max, (void)out_stream, (void)thread_state;
    if (request->wire.length == 0 || request->wire.bytes[0] == 'e') {
        memcpy(out_bytes, request->wire.bytes, request->wire.length);
        return request->wire.length;
    }
    struct net_later *later = net_later_begin(request);
    if (later == NULL) {
        __atomic_fetch_add(&desk->refused, 1, __ATOMIC_RELAXED);
        out_bytes[0] = 'r';
        return 1;
    }
    struct parcel *parcel = mem_alloc_zero(1, sizeof(*parcel));
    parcel->later = later;
    parcel->wire = BUFFER_EMPTY;
    buffer_append(&parcel->wire, request->wire.bytes, request->wire.length);
    assert_true(mailbox_send(&desk->inbox, &parcel->letter));
    return 0;
}

static void desk_open(struct desk *desk)
{
    memset(desk, 0, sizeof(*desk));
    mailbox_init(&desk->inbox, NULL, NULL);
    mailbox_init(&desk->held, NULL, NULL);
    desk->service = toy_service(&desk->toy);
    desk->service.answer = answer;
    assert_int_equal(pthread_create(&desk->thread, NULL, answer_others, desk), 0);
}

static void wait_for_held(struct desk *desk, unsigned count)
{
    for (int i = 0; i < DEADLINE_MS; i++) {
        if (__atomic_load_n(&desk->held_count, __ATOMIC_ACQUIRE) >= count) {
            return;
        }
        usleep(1000);
    }
    fail_msg("nothing came to be held");
}

static void let_go(struct desk *desk)
{
    for (struct letter *letter = mailbox_take_all(&desk->held), *next; letter != NULL;
         letter = next) {
        next = letter->next;
        parcel_send((struct parcel *)letter);
    }
}

static void desk_close(struct desk *desk)
{
    mailbox_close(&desk->inbox);
    pthread_join(desk->thread, NULL);
    let_go(desk);
    mailbox_clear(&desk->inbox);
    mailbox_clear(&desk->held);
}

/* --- UDP ------------------------------------------------------------------------------------ */

static struct net_udp *udp_open(struct desk *desk, const char *text,
                                struct net_address *out_address)
{
    struct net_udp *udp;
    int fd;
    *out_address = address_of(text, free_port());
    assert_int_equal(net_listen_udp(out_address, &fd), SG_OK);
    assert_int_equal(net_udp_start(fd, out_address, &desk->service, &udp), SG_OK);
    return udp;
}

static void udp_close(struct net_udp *udp)
{
    struct net_udp_counts counts;
    net_udp_stop(udp);
    net_udp_free(udp, &counts);
}

static void assert_packet(int fd, const char *text)
{
    char reply[500];
    ssize_t length = recv(fd, reply, sizeof(reply), 0);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(reply, text, strlen(text));
}

static void a_packet_is_answered_from_another_thread(void **state)
{
    static const char *const listens[] = {"127.0.0.1", "0.0.0.0"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct desk desk;
        struct net_address address;
        desk_open(&desk);
        struct net_udp *udp = udp_open(&desk, listens[i], &address);
        /* From the address that was asked, also where the socket has them all. */
        struct net_address asked =
            address_of(i == 0 ? "127.0.0.1" : "127.0.0.9", net_address_port(&address));
        int fd = client_to(&asked, SOCK_DGRAM);
        for (int round = 0; round < 100; round++) {
            send_all_of(fd, "later", 5);
            assert_packet(fd, "later");
        }
        send_all_of(fd, "none", 4);
        send_all_of(fd, "end", 3);
        assert_packet(fd, "end");
        close(fd);
        udp_close(udp);
        desk_close(&desk);
    }
}

/* The socket stays until the last answer is given, whatever has its number since. */
static void a_packet_is_answered_after_its_thread_has_ended(void **state)
{
    struct desk desk;
    struct net_address address;
    (void)state;
    desk_open(&desk);
    struct net_udp *udp = udp_open(&desk, "127.0.0.1", &address);
    int fd = client_to(&address, SOCK_DGRAM);
    send_all_of(fd, "held", 4);
    wait_for_held(&desk, 1);
    udp_close(udp);
    let_go(&desk);
    assert_packet(fd, "held");
    close(fd);
    desk_close(&desk);
}

/* --- TCP ------------------------------------------------------------------------------------ */

static void tcp_open(struct desk *desk, struct server *server, sg_duration timeout)
{
    int fd;
    memset(server, 0, sizeof(*server));
    server->common.limits = (struct net_limits){10, timeout, timeout};
    server->address = address_of("127.0.0.1", free_port());
    assert_int_equal(net_listen_tcp(&server->address, 128, &fd), SG_OK);
    assert_int_equal(net_tcp_start(&desk->service, &server->common, &server->tcp), SG_OK);
    net_tcp_listen(server->tcp, fd, &server->address, 128);
}

static void tcp_close(struct server *server)
{
    net_tcp_stop(server->tcp);
    net_tcp_free(server->tcp);
}

static void many_pipelined_are_all_answered(void **state)
{
    enum { MANY = 600 };
    struct desk desk;
    struct server server;
    bool seen[MANY] = {false};
    (void)state;
    desk_open(&desk);
    tcp_open(&desk, &server, 30);
    int fd = client_to(&server.address, SOCK_STREAM);
    for (unsigned i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof(text), "l%05u", i);
        send_message(fd, text);
    }
    shutdown(fd, SHUT_WR); /* It wants its answers all the same. */
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t frame[8];
        receive_all_of(fd, frame, sizeof(frame));
        assert_int_equal(wire_get_u16(frame), 6);
        char digits[6] = {0};
        memcpy(digits, frame + 3, 5);
        unsigned number = (unsigned)strtoul(digits, NULL, 10);
        assert_true(number < MANY && !seen[number]);
        seen[number] = true;
    }
    assert_closed(fd);
    close(fd);
    tcp_close(&server);
    desk_close(&desk);
}

static void a_connection_that_has_gone_is_no_trouble(void **state)
{
    struct desk desk;
    struct server server;
    (void)state;
    desk_open(&desk);
    tcp_open(&desk, &server, 30);
    int fd = client_to(&server.address, SOCK_STREAM);
    for (int i = 0; i < 20; i++) {
        send_message(fd, "held");
    }
    wait_for_held(&desk, 20);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    fd = client_to(&server.address, SOCK_STREAM);
    send_message(fd, "e");
    assert_echo(fd, "e");
    let_go(&desk);
    send_message(fd, "later");
    assert_echo(fd, "later");
    close(fd);
    tcp_close(&server);
    desk_close(&desk);
}

static void a_server_that_has_ended_is_no_trouble(void **state)
{
    struct desk desk;
    struct server server;
    (void)state;
    desk_open(&desk);
    tcp_open(&desk, &server, 30);
    int fd = client_to(&server.address, SOCK_STREAM);
    send_message(fd, "held");
    wait_for_held(&desk, 1);
    tcp_close(&server);
    let_go(&desk);
    close(fd);
    desk_close(&desk);
}

/* While others are answered: some letters come in as the thread ends. */
static void a_server_ends_while_answers_come(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        struct desk desk;
        struct server server;
        desk_open(&desk);
        tcp_open(&desk, &server, 30);
        int fd = client_to(&server.address, SOCK_STREAM);
        for (int i = 0; i < 50; i++) {
            send_message(fd, "later");
        }
        assert_echo(fd, "later");
        tcp_close(&server);
        close(fd);
        desk_close(&desk);
    }
}

static void a_connection_waits_for_us_longer_than_for_the_client(void **state)
{
    struct desk desk;
    struct server server;
    (void)state;
    desk_open(&desk);
    tcp_open(&desk, &server, 1);
    int fd = client_to(&server.address, SOCK_STREAM);
    send_message(fd, "held");
    wait_for_held(&desk, 1);
    int other = client_to(&server.address, SOCK_STREAM);
    assert_closed(other); /* a client's time is over; ours is not */
    close(other);
    let_go(&desk);
    assert_echo(fd, "held");
    assert_closed(fd); /* idle, like any other */
    close(fd);
    tcp_close(&server);
    desk_close(&desk);
}

static void too_many_of_one_connection_are_answered_at_once(void **state)
{
    struct desk desk;
    struct server server;
    (void)state;
    desk_open(&desk);
    tcp_open(&desk, &server, 30);
    int fd = client_to(&server.address, SOCK_STREAM);
    for (int i = 0; i <= NET_LATERS_MAX; i++) {
        send_message(fd, "h");
    }
    assert_echo(fd, "r");
    wait_for_held(&desk, NET_LATERS_MAX);
    let_go(&desk);
    for (int i = 0; i < NET_LATERS_MAX; i++) {
        assert_echo(fd, "h");
    }
    close(fd);
    tcp_close(&server);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_answered_from_another_thread),
        cmocka_unit_test(a_packet_is_answered_after_its_thread_has_ended),
        cmocka_unit_test(many_pipelined_are_all_answered),
        cmocka_unit_test(a_connection_that_has_gone_is_no_trouble),
        cmocka_unit_test(a_server_that_has_ended_is_no_trouble),
        cmocka_unit_test(a_server_ends_while_answers_come),
        cmocka_unit_test(a_connection_waits_for_us_longer_than_for_the_client),
        cmocka_unit_test(too_many_of_one_connection_are_answered_at_once),
    };
    return cmocka_run_group_tests_name("later", tests, NULL, NULL);
}
