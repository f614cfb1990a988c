#include "tcp_fixture.h"

enum { CLIENTS_MAX = 10 };

/* A server, and a client that is connected to it. */
static int serve_one_client(struct server *server, sg_duration timeout)
{
    server_start(server, CLIENTS_MAX, timeout);
    return client_to(&server->address, SOCK_STREAM);
}

static void server_leave(struct server *server, int fd)
{
    close(fd);
    server_stop(server);
}

static void a_message_is_answered_and_the_connection_stays(void **state)
{
    struct server server;

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_message(fd, "e one");
    assert_echo(fd, "e one");
    send_message(fd, "e two");
    assert_echo(fd, "e two");
    server_leave(&server, fd);
    assert_int_equal(server.common.accepted, 1);
}

static void messages_in_one_segment_are_answered_in_order(void **state)
{
    enum { MESSAGES = 500 };
    struct server server;
    uint8_t segment[MESSAGES * 20];
    size_t length = 0;
    char text[32];

    (void)state;
    int fd = serve_one_client(&server, 30);
    for (int i = 0; i < MESSAGES; i++) {
        int bytes = snprintf(text, sizeof(text), "e %d", i);
        wire_put_u16(segment + length, (uint16_t)bytes);
        memcpy(segment + length + 2, text, (size_t)bytes);
        length += 2 + (size_t)bytes;
    }
    send_all_of(fd, segment, length);
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof(text), "e %d", i);
        assert_echo(fd, text);
    }
    server_leave(&server, fd);
}

static void a_message_that_comes_byte_by_byte_is_answered(void **state)
{
    static const uint8_t frame[] = {0, 6, 'e', ' ', 'd', 'r', 'i', 'p'};
    struct server server;

    (void)state;
    int fd = serve_one_client(&server, 30);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(frame); i++) {
            send_all_of(fd, frame + i, 1);
        }
        assert_echo(fd, "e drip");
    }
    server_leave(&server, fd);
}

static void the_longest_message_is_answered(void **state)
{
    struct server server;
    uint8_t *frame = malloc(2 + 65535);
    uint8_t *reply = malloc(65535);

    (void)state;
    int fd = serve_one_client(&server, 30);
    wire_put_u16(frame, 65535);
    memset(frame + 2, 'e', 65535);
    for (int round = 0; round < 3; round++) {
        send_all_of(fd, frame, 2 + 65535);
        assert_int_equal(receive_message(fd, reply), 65535);
        assert_memory_equal(frame + 2, reply, 65535);
    }
    free(frame);
    free(reply);
    server_leave(&server, fd);
}

static void a_client_that_ends_its_side_gets_its_answers(void **state)
{
    struct server server;

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_message(fd, "e first");
    send_message(fd, "e last");
    send_all_of(fd, "\0\77half", 6); /* a message that never becomes whole */
    shutdown(fd, SHUT_WR);
    assert_echo(fd, "e first");
    assert_echo(fd, "e last");
    assert_closed(fd);
    server_leave(&server, fd);
}

static void what_the_service_drops_gets_no_reply(void **state)
{
    struct server server;

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_all_of(fd, "\0\0", 2);
    send_message(fd, "d");
    send_message(fd, "e");
    assert_echo(fd, "e");
    server_leave(&server, fd);
}

static void a_stream_is_whole_and_the_next_message_follows_it(void **state)
{
    enum { MESSAGES = 2000 };
    static const uint8_t request[] = {0, 3, 's', MESSAGES >> 8, MESSAGES & 0xFF, 0, 1, 'e'};
    struct server server;
    uint8_t *message = malloc(65535);

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_all_of(fd, request, sizeof(request));
    shutdown(fd, SHUT_WR);
    for (unsigned left = MESSAGES; left > 0; left--) {
        assert_int_equal(receive_message(fd, message), STREAM_MESSAGE_BYTES);
        assert_int_equal(message[0], left & 0xFF);
        assert_int_equal(message[STREAM_MESSAGE_BYTES - 1], left & 0xFF);
    }
    assert_echo(fd, "e");
    assert_closed(fd);
    free(message);
    server_leave(&server, fd);
    assert_int_equal(server.toy.streams_completed, 1);
}

static void an_empty_stream_says_nothing(void **state)
{
    static const uint8_t request[] = {0, 3, 's', 0, 0, 0, 1, 'e'};
    struct server server;

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_all_of(fd, request, sizeof(request));
    assert_echo(fd, "e");
    server_leave(&server, fd);
    assert_int_equal(server.toy.streams_completed, 1);
}

static void a_broken_stream_ends_the_connection(void **state)
{
    static const uint8_t request[] = {0, 3, 'S', 0, 2, 0, 1, 'e'};
    struct server server;
    uint8_t *message = malloc(65535);

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_all_of(fd, request, sizeof(request));
    assert_int_equal(receive_message(fd, message), STREAM_MESSAGE_BYTES);
    assert_int_equal(receive_message(fd, message), STREAM_MESSAGE_BYTES);
    assert_closed(fd);
    free(message);
    server_leave(&server, fd);
    assert_int_equal(server.toy.streams_cut, 1);
}

/* Eight messages fill a chunk, so that the stream's end is found when there is nothing to send. */
static void who_is_idle_behind_a_stream_is_cut_as_others_are(void **state)
{
    static const uint8_t request[] = {0, 3, 'p', 0, 8};
    struct server server;
    uint8_t *message = malloc(65535);

    (void)state;
    int fd = serve_one_client(&server, 1);
    send_all_of(fd, request, sizeof(request));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(receive_message(fd, message), STREAM_MESSAGE_BYTES);
    }
    assert_closed(fd);
    free(message);
    server_leave(&server, fd);
    assert_int_equal(server.common.timed_out, 1);
}

/* It has asked for 800 MB and reads none of it. */
static void a_slow_reader_does_not_hold_up_others_and_is_cut(void **state)
{
    static const uint8_t request[] = {0, 3, 's', 0xC8, 0};
    struct server server;

    (void)state;
    server_start(&server, CLIENTS_MAX, 30);
    int slow = client_to(&server.address, SOCK_STREAM);
    int other = client_to(&server.address, SOCK_STREAM);
    send_all_of(slow, request, sizeof(request));
    for (int i = 0; i < 100; i++) {
        send_message(other, "e meanwhile");
        assert_echo(other, "e meanwhile");
    }
    /* The toy's streams may stall for a second. */
    struct pollfd poll_slow = {.fd = slow};
    assert_int_equal(poll(&poll_slow, 1, DEADLINE_MS), 1);
    send_message(other, "e still here");
    assert_echo(other, "e still here");
    close(slow);
    close(other);
    server_stop(&server);
    assert_int_equal(server.toy.streams_cut, 1);
    assert_int_equal(server.common.timed_out, 1);
}

/* It reads nothing either, and could do so for an hour. */
static void a_stream_that_nobody_wants_any_more_ends(void **state)
{
    static const uint8_t request[] = {0, 3, 'u', 0xC8, 0};
    struct server server;

    (void)state;
    int fd = serve_one_client(&server, 30);
    send_all_of(fd, request, sizeof(request));
    struct pollfd cut = {.fd = fd};
    assert_int_equal(poll(&cut, 1, DEADLINE_MS), 1);
    server_leave(&server, fd);
    assert_int_equal(server.toy.streams_cut, 1);
    assert_int_equal(server.common.timed_out, 0);
}

static void input_is_not_taken_while_answers_are_not(void **state)
{
    struct server server;
    uint8_t request[] = {0, 1, 'b'};
    uint8_t *message = malloc(65535);
    unsigned asked = 0;

    (void)state;
    int fd = serve_one_client(&server, 30);
    /* Until neither side takes any more: each question is answered with 64 KiB. */
    for (ssize_t sent = 3; sent == 3; asked++) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        if (poll(&writable, 1, 500) == 0 || asked > 4000000) {
            break;
        }
        sent = send(fd, request, sizeof(request), MSG_DONTWAIT);
        assert_true(sent == 3 || sent == -1);
    }
    unsigned answered = __atomic_load_n(&server.toy.answered, __ATOMIC_SEQ_CST);
    assert_true(answered < asked);
    assert_true(answered < 5000);
    assert_int_equal(receive_message(fd, message), 65535);
    free(message);
    server_leave(&server, fd);
}

static void clients_above_the_limit_are_turned_away(void **state)
{
    struct server server;

    (void)state;
    server_start(&server, 2, 30);
    int first = client_to(&server.address, SOCK_STREAM);
    int second = client_to(&server.address, SOCK_STREAM);
    send_message(first, "e");
    assert_echo(first, "e");
    send_message(second, "e");
    assert_echo(second, "e");
    int third = client_to(&server.address, SOCK_STREAM);
    assert_closed(third);
    close(third);
    close(first);
    /* Its place is free again, as soon as the server has seen it go. */
    for (int tries = 0;; tries++) {
        char byte = 0;
        assert_true(tries < 1000);
        third = client_to(&server.address, SOCK_STREAM);
        (void)send(third, "\0\1e", 3, MSG_NOSIGNAL);
        ssize_t got = recv(third, &byte, 1, 0);
        close(third);
        if (got == 1) {
            break;
        }
    }
    close(second);
    server_stop(&server);
    assert_true(server.common.refused >= 1);
    assert_true(server.common.clients_high_water == 2);
}

static void who_says_nothing_whole_is_timed_out(void **state)
{
    struct server server;

    (void)state;
    server_start(&server, CLIENTS_MAX, 1);
    int silent = client_to(&server.address, SOCK_STREAM);
    int half = client_to(&server.address, SOCK_STREAM);
    int idle = client_to(&server.address, SOCK_STREAM);
    send_all_of(half, "\0", 1);
    send_message(idle, "e");
    assert_echo(idle, "e");
    assert_closed(silent);
    assert_closed(half);
    assert_closed(idle);
    close(silent);
    close(half);
    close(idle);
    server_stop(&server);
    assert_int_equal(server.common.timed_out, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_answered_and_the_connection_stays),
        cmocka_unit_test(messages_in_one_segment_are_answered_in_order),
        cmocka_unit_test(a_message_that_comes_byte_by_byte_is_answered),
        cmocka_unit_test(the_longest_message_is_answered),
        cmocka_unit_test(a_client_that_ends_its_side_gets_its_answers),
        cmocka_unit_test(what_the_service_drops_gets_no_reply),
        cmocka_unit_test(a_stream_is_whole_and_the_next_message_follows_it),
        cmocka_unit_test(an_empty_stream_says_nothing),
        cmocka_unit_test(a_broken_stream_ends_the_connection),
        cmocka_unit_test(who_is_idle_behind_a_stream_is_cut_as_others_are),
        cmocka_unit_test(a_slow_reader_does_not_hold_up_others_and_is_cut),
        cmocka_unit_test(a_stream_that_nobody_wants_any_more_ends),
        cmocka_unit_test(input_is_not_taken_while_answers_are_not),
        cmocka_unit_test(clients_above_the_limit_are_turned_away),
        cmocka_unit_test(who_says_nothing_whole_is_timed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
