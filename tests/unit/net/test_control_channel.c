#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/control_channel.h"

enum { DEADLINE_MS = 10000, REPLY_BYTES_MAX = 8192, CLOSED = -1, SILENT = -2 };

static const struct tsig_key key = {
    .algorithm = TSIG_HMAC_SHA256, .secret_length = 6, .secret = "secret"};
static const struct tsig_key other_key = {
    .algorithm = TSIG_HMAC_SHA256, .secret_length = 6, .secret = "other!"};
static const struct tsig_key *const keys[] = {&key};
static const struct tsig_key *const other_keys[] = {&other_key};

/* A channel on a loop that turns only while a test waits for something. */
struct world {
    uv_loop_t loop;
    struct control_channel *channel;
    struct net_address address;
    bool allows;
    bool keeps; /* the request instead of answering it */
    struct control_request *kept;
    unsigned runs;
    char command[64];
    char log[256]; /* the last line */
};

static void remember_line(void *argument, enum log_category category, int severity,
                          const char *line)
{
    struct world *world = argument;

    (void)category;
    (void)severity;
    snprintf(world->log, sizeof(world->log), "%s", line);
}

static void run(void *argument, struct control_request *request, const char *command)
{
    struct world *world = argument;

    world->runs++;
    snprintf(world->command, sizeof(world->command), "%s", command);
    if (world->keeps) {
        world->kept = request;
    } else if (control_request_is_read_only(request)) {
        control_request_reply(request, 6, "permission denied", NULL);
    } else {
        control_request_reply(request, 0, NULL, "done");
    }
}

static bool allowed(void *argument, const struct net_address *client,
                    const struct net_address *local)
{
    const struct world *world = argument;

    assert_false(net_address_is_v6(client));
    assert_int_equal(net_address_port(local), net_address_port(&world->address));
    return world->allows;
}

static struct control_listen listening(struct world *world)
{
    return (struct control_listen){
        .address = world->address,
        .keys = keys,
        .keys_count = 1,
        .allowed = allowed,
        .argument = world,
    };
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int set_up(void **state)
{
    struct world *world = mem_alloc_zero(1, sizeof(*world));
    int error = -1;

    world->allows = true;
    log_set_sink(remember_line, world);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(net_address_from_text("127.0.0.1", free_port(), &world->address), SG_OK);
    world->channel = control_channel_new(&world->loop, run, world);
    struct control_listen listen = listening(world);
    control_channel_listen(world->channel, &listen, 1, &error);
    assert_int_equal(error, 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    if (world->channel != NULL) {
        control_channel_close(world->channel);
    }
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    log_set_sink(NULL, NULL);
    mem_free(world);
    return 0;
}

static int connected(struct world *world)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, &world->address.at.any, net_address_length(&world->address)), 0);
    return fd;
}

/* Let the channel work until the client can read, or `turns` turns have passed (0: a deadline). */
static bool turn_until_readable(struct world *world, int fd, int turns)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    for (int i = 0; i < (turns > 0 ? turns : DEADLINE_MS); i++) {
        uv_run(&world->loop, UV_RUN_NOWAIT);
        if (poll(&wanted, 1, 1) > 0) {
            return true;
        }
    }
    return false;
}

/* The isc result of the reply, CLOSED or SILENT; the reply's nonce and serial. */
static int await(struct world *world, int fd, struct control_message *out_reply)
{
    static uint8_t bytes[REPLY_BYTES_MAX];
    size_t got = 0;
    const struct tsig_key *found = NULL;
    struct span body;

    for (size_t wanted = 4; got < wanted;) {
        if (!turn_until_readable(world, fd, 0)) {
            return SILENT;
        }
        ssize_t more = recv(fd, bytes + got, wanted - got, 0);
        if (more <= 0) {
            return CLOSED;
        }
        got += (size_t)more;
        wanted = got < 4 ? 4 : 4 + wire_get_u32(bytes);
        assert_true(wanted <= sizeof(bytes));
    }
    struct span frame = {bytes + 4, got - 4};
    assert_int_equal(control_message_verify(frame, keys, 1, &found, &body), SG_OK);
    assert_int_equal(control_message_decode(body, out_reply), SG_OK);
    assert_true(out_reply->is_reply);
    return (int)out_reply->result;
}

static struct control_message request(uint32_t serial, uint32_t nonce, const char *command)
{
    sg_time now = time_now();

    return (struct control_message){
        .serial = serial,
        .made_at = now,
        .expires_at = now + CONTROL_LIFETIME,
        .nonce = nonce,
        .command = span_of_text(command),
    };
}

static void send_message(int fd, const struct control_message *message, const struct tsig_key *with)
{
    struct buffer frame = BUFFER_EMPTY;

    control_message_encode(message, with, &frame);
    assert_int_equal(send(fd, frame.bytes, frame.length, MSG_NOSIGNAL), frame.length);
    buffer_free(&frame);
}

/* A connection that knows its nonce. */
static int greeted(struct world *world, uint32_t serial, uint32_t *out_nonce)
{
    struct control_message message = request(serial, 0, "null");
    struct control_message reply;
    int fd = connected(world);

    send_message(fd, &message, &key);
    assert_int_equal(await(world, fd, &reply), 0);
    assert_int_not_equal(reply.nonce, 0);
    *out_nonce = reply.nonce;
    return fd;
}

static void the_first_request_is_not_run_whatever_it_asks(void **state)
{
    struct world *world = *state;
    struct control_message message = request(1, 0, "stop");
    struct control_message reply;
    int fd = connected(world);

    send_message(fd, &message, &key);
    assert_int_equal(await(world, fd, &reply), 0);
    assert_int_equal(reply.serial, 1);
    assert_int_equal(world->runs, 0);
    close(fd);
}

static void with_the_nonce_commands_are_run_one_after_the_other(void **state)
{
    struct world *world = *state;
    struct control_message reply;
    uint32_t nonce = 0;
    int fd = greeted(world, 1, &nonce);

    for (uint32_t i = 1; i <= 3; i++) {
        struct control_message message = request(1 + i, nonce, "status now");
        send_message(fd, &message, &key);
        assert_int_equal(await(world, fd, &reply), 0);
        assert_int_equal(reply.serial, 1 + i);
        assert_int_equal(reply.nonce, nonce);
        assert_int_equal(reply.text.length, 4);
        assert_int_equal(world->runs, i);
    }
    assert_string_equal(world->command, "status now");
    close(fd);
}

static void without_or_with_a_wrong_nonce_the_connection_ends(void **state)
{
    struct world *world = *state;
    struct control_message reply;

    for (uint32_t i = 0; i < 2; i++) {
        uint32_t nonce = 0;
        int fd = greeted(world, 10 * i, &nonce);
        struct control_message message = request(10 * i + 1, i == 0 ? 0 : nonce + 1, "stop");
        send_message(fd, &message, &key);
        assert_int_equal(await(world, fd, &reply), CLOSED);
        assert_non_null(strstr(world->log, "bad auth"));
        close(fd);
    }
    assert_int_equal(world->runs, 0);
}

static void a_message_that_was_seen_is_a_duplicate(void **state)
{
    struct world *world = *state;
    struct control_message message = request(77, 0, "null");
    struct control_message reply;

    int first = connected(world);
    send_message(first, &message, &key);
    assert_int_equal(await(world, first, &reply), 0);
    int second = connected(world);
    send_message(second, &message, &key);
    assert_int_equal(await(world, second, &reply), CLOSED);
    assert_non_null(strstr(world->log, ": duplicate"));
    close(first);
    close(second);
}

static void clocks_may_differ_by_five_minutes(void **state)
{
    static const struct {
        sg_duration made, expires;
        int result;
        const char *why;
    } cases[] = {
        {-290, 10, 0, ""},
        {290, 350, 0, ""},
        {-310, 10, CLOSED, ": clock skew"},
        {310, 400, CLOSED, ": clock skew"},
        {-100, -10, CLOSED, ": expired"},
    };
    struct world *world = *state;
    struct control_message reply;

    for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct control_message message = request(100 + i, 0, "null");
        int fd = connected(world);
        message.expires_at = message.made_at + cases[i].expires;
        message.made_at += cases[i].made;
        send_message(fd, &message, &key);
        assert_int_equal(await(world, fd, &reply), cases[i].result);
        assert_non_null(strstr(world->log, cases[i].why));
        close(fd);
    }
}

static void a_stranger_gets_no_answer(void **state)
{
    struct world *world = *state;
    struct control_message message = request(1, 0, "null");
    struct control_message reply;
    int fd = connected(world);

    send_message(fd, &message, &other_key);
    assert_int_equal(await(world, fd, &reply), CLOSED);
    assert_non_null(strstr(world->log, "bad auth"));
    close(fd);

    world->allows = false;
    fd = connected(world);
    assert_int_equal(await(world, fd, &reply), CLOSED);
    assert_non_null(strstr(world->log, "rejected command channel message from 127.0.0.1#"));
    close(fd);
}

static void frames_of_impossible_length_end_the_connection(void **state)
{
    static const uint32_t lengths[] = {0, 7, CONTROL_REQUEST_BYTES_MAX + 1, UINT32_MAX};
    struct world *world = *state;
    struct control_message reply;

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        uint8_t header[4];
        int fd = connected(world);
        wire_put_u32(header, lengths[i]);
        assert_int_equal(send(fd, header, 4, 0), 4);
        assert_int_equal(await(world, fd, &reply), CLOSED);
        close(fd);
    }
}

static void a_frame_may_come_byte_by_byte(void **state)
{
    struct world *world = *state;
    struct control_message message = request(5, 0, "null");
    struct control_message reply;
    struct buffer frame = BUFFER_EMPTY;
    int fd = connected(world);

    control_message_encode(&message, &key, &frame);
    for (size_t i = 0; i < frame.length; i++) {
        assert_int_equal(send(fd, frame.bytes + i, 1, 0), 1);
        assert_false(turn_until_readable(world, fd, 1) && i + 1 < frame.length);
    }
    assert_int_equal(await(world, fd, &reply), 0);
    buffer_free(&frame);
    close(fd);
}

static void requests_that_come_together_wait_for_each_other(void **state)
{
    struct world *world = *state;
    struct control_message reply;
    uint32_t nonce = 0;
    int fd = greeted(world, 1, &nonce);
    struct control_message first = request(2, nonce, "first");
    struct control_message second = request(3, nonce, "second");

    world->keeps = true;
    send_message(fd, &first, &key);
    send_message(fd, &second, &key);
    assert_false(turn_until_readable(world, fd, 20));
    assert_int_equal(world->runs, 1);
    assert_string_equal(world->command, "first");
    world->keeps = false;
    control_request_reply(world->kept, 0, NULL, "late");
    assert_int_equal(await(world, fd, &reply), 0);
    assert_int_equal(reply.serial, 2);
    assert_int_equal(await(world, fd, &reply), 0);
    assert_int_equal(reply.serial, 3);
    close(fd);
}

static void a_reply_may_come_after_the_client_and_the_channel_have_gone(void **state)
{
    struct world *world = *state;
    uint32_t nonce = 0;
    int fd = greeted(world, 1, &nonce);
    struct control_message message = request(2, nonce, "reload");

    world->keeps = true;
    send_message(fd, &message, &key);
    assert_false(turn_until_readable(world, fd, 20));
    close(fd);
    control_channel_close(world->channel);
    world->channel = NULL;
    uv_run(&world->loop, UV_RUN_DEFAULT);
    control_request_reply(world->kept, 0, NULL, "into nothing");
}

static void who_shows_no_key_gives_way_when_all_places_are_taken(void **state)
{
    struct world *world = *state;
    int idle[CONTROL_CONNECTIONS_MAX];
    struct control_message reply;
    uint32_t nonce = 0;

    for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
        idle[i] = connected(world);
        uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    int fd = greeted(world, 1, &nonce);
    assert_int_equal(await(world, idle[0], &reply), CLOSED);
    assert_false(turn_until_readable(world, idle[1], 5));
    close(fd);
    for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
        close(idle[i]);
    }
}

static void a_reload_changes_the_keys_and_keeps_the_socket(void **state)
{
    struct world *world = *state;
    struct control_message reply;
    uint32_t nonce = 0;
    int error = -1;
    int fd = greeted(world, 1, &nonce);

    /* The command that reloads is answered with the key that it came with. */
    struct control_message message = request(2, nonce, "reload");
    world->keeps = true;
    send_message(fd, &message, &key);
    assert_false(turn_until_readable(world, fd, 20));
    struct control_listen listen = listening(world);
    listen.keys = other_keys;
    listen.read_only = true;
    control_channel_listen(world->channel, &listen, 1, &error);
    assert_int_equal(error, 0);
    control_request_reply(world->kept, 0, NULL, NULL);
    assert_int_equal(await(world, fd, &reply), 0);

    message = request(3, nonce, "status");
    send_message(fd, &message, &key);
    assert_int_equal(await(world, fd, &reply), CLOSED);
    close(fd);
}

static void a_listener_that_is_gone_answers_its_last_command(void **state)
{
    struct world *world = *state;
    struct control_message reply;
    uint32_t nonce = 0;
    int fd = greeted(world, 1, &nonce);
    struct control_message message = request(2, nonce, "reconfig");

    world->keeps = true;
    send_message(fd, &message, &key);
    assert_false(turn_until_readable(world, fd, 20));
    control_channel_listen(world->channel, NULL, 0, NULL);
    control_request_reply(world->kept, 25, "failure", "why");
    assert_int_equal(await(world, fd, &reply), 25);
    assert_int_equal(reply.error.length, 7);
    assert_int_equal(await(world, fd, &reply), CLOSED);
    close(fd);
}

static void an_address_that_is_taken_is_told(void **state)
{
    struct world *world = *state;
    int error = 0;

    struct control_channel *second = control_channel_new(&world->loop, run, world);
    struct control_listen listen = listening(world);
    control_channel_listen(second, &listen, 1, &error);
    assert_int_equal(error, UV_EADDRINUSE);
    control_channel_close(second);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(the_first_request_is_not_run_whatever_it_asks),
        WITH_WORLD(with_the_nonce_commands_are_run_one_after_the_other),
        WITH_WORLD(without_or_with_a_wrong_nonce_the_connection_ends),
        WITH_WORLD(a_message_that_was_seen_is_a_duplicate),
        WITH_WORLD(clocks_may_differ_by_five_minutes),
        WITH_WORLD(a_stranger_gets_no_answer),
        WITH_WORLD(frames_of_impossible_length_end_the_connection),
        WITH_WORLD(a_frame_may_come_byte_by_byte),
        WITH_WORLD(requests_that_come_together_wait_for_each_other),
        WITH_WORLD(a_reply_may_come_after_the_client_and_the_channel_have_gone),
        WITH_WORLD(who_shows_no_key_gives_way_when_all_places_are_taken),
        WITH_WORLD(a_reload_changes_the_keys_and_keeps_the_socket),
        WITH_WORLD(a_listener_that_is_gone_answers_its_last_command),
        WITH_WORLD(an_address_that_is_taken_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
