#include "peer_fixture.h"
#include "support/table.h"

enum { STREAM_MESSAGES = 40 };

static struct tsig_key key_of(const char *name)
{
    struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 32};
    assert_int_equal(dns_name_from_text(name, strlen(name), NULL, &key.name), SG_OK);
    for (unsigned i = 0; i < 32; i++) {
        key.secret[i] = (uint8_t)(i * 7);
    }
    return key;
}

static void answers(struct fake_client *client, struct span message)
{
    respond(client, message, DNS_FLAG_AA, 0);
}

/* --- streams -------------------------------------------------------------------------------- */

static void sends_large_messages(struct fake_client *client, struct span message)
{
    for (unsigned i = 0; i < STREAM_MESSAGES; i++) {
        respond(client, message, DNS_FLAG_AA, 65535);
    }
}

static void messages_of_64_kib_come_whole(void **state)
{
    struct fake fake;
    struct asked asked = {.messages_wanted = STREAM_MESSAGES};
    (void)state;

    fake_start(&fake);
    fake.on_tcp = sends_large_messages;
    ask(&fake, &(struct peer_question){.tcp = true}, &asked);
    run_until(&fake, &asked.done);
    assert_int_equal(asked.bytes, STREAM_MESSAGES * 65535);
    assert_true(asked.tcp && asked.settled);
    fake_stop(&fake);
}

/* Several to a read. */
static void sends_small_messages(struct fake_client *client, struct span message)
{
    for (unsigned i = 0; i < STREAM_MESSAGES; i++) {
        respond(client, message, DNS_FLAG_AA, 200);
    }
}

static void pause_in(void (*on_tcp)(struct fake_client *client, struct span message), size_t length)
{
    struct fake fake;
    struct asked asked = {.messages_wanted = STREAM_MESSAGES, .pause_after = 3};
    struct asked other = {.messages_wanted = 1};

    fake_start(&fake);
    fake.on_tcp = on_tcp;
    fake.on_udp = answers;
    /* Whoever pauses for longer than the idle time is not the one to be timed out. */
    ask(&fake, &(struct peer_question){.tcp = true, .idle_timeout = 1}, &asked);
    while (asked.messages < 3) {
        uv_run(&fake.loop, UV_RUN_ONCE);
    }
    fake.on_udp = NULL;
    const struct peer_question silent = {.udp_only = true, .udp_tries = 1, .udp_timeout = 2};
    ask(&fake, &silent, &other);
    run_until(&fake, &other.done);
    assert_int_equal(asked.messages, 3);
    assert_int_equal(asked.failed, 0);
    peer_resume(asked.exchange);
    assert_int_equal(asked.messages, 3); /* never from inside */
    run_until(&fake, &asked.done);
    assert_int_equal(asked.bytes, STREAM_MESSAGES * length);
    fake_stop(&fake);
}

static void reading_can_pause(void **state)
{
    (void)state;
    pause_in(sends_large_messages, 65535);
    pause_in(sends_small_messages, 200);
}

static void on_more(uv_timer_t *timer)
{
    struct fake_client *client = timer->data;
    uint8_t bytes[512];
    struct span request = {bytes, question_of("example.", DNS_TYPE_SOA, bytes)};
    wire_put_u16(bytes, client->fake->id);
    respond(client, request, 0, 0);
}

static uv_timer_t more;

static void never_ends(struct fake_client *client, struct span message)
{
    client->fake->id = wire_get_u16(message.bytes);
    uv_timer_init(&client->fake->loop, &more);
    more.data = client;
    uv_timer_start(&more, on_more, 0, 100);
}

static void an_endless_stream_ends_in_time(void **state)
{
    struct fake fake;
    struct asked asked = {0};
    (void)state;

    fake_start(&fake);
    fake.on_tcp = never_ends;
    ask(&fake, &(struct peer_question){.tcp = true, .idle_timeout = 1, .total_timeout = 2}, &asked);
    run_until(&fake, &asked.done);
    uv_timer_stop(&more);
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_in_range(asked.messages, 5, 25); /* more than idle_timeout would have let pass */
    fake_stop(&fake);
}

static void on_drip(uv_timer_t *timer)
{
    struct fake_client *client = timer->data;
    static uint8_t frame[2 + 65535] = {0xff, 0xff};
    uv_buf_t output = uv_buf_init((char *)frame + client->fake->step++, 1);
    uv_try_write((uv_stream_t *)&client->socket, &output, 1);
}

static void drips(struct fake_client *client, struct span message)
{
    (void)message;
    uv_timer_init(&client->fake->loop, &more);
    more.data = client;
    uv_timer_start(&more, on_drip, 0, 100);
}

static void a_byte_now_and_then_is_idle(void **state)
{
    struct fake fake;
    struct asked asked = {0};
    (void)state;

    fake_start(&fake);
    fake.on_tcp = drips;
    ask(&fake, &(struct peer_question){.tcp = true, .idle_timeout = 1}, &asked);
    run_until(&fake, &asked.done);
    uv_timer_stop(&more);
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_in_range(fake.step, 3, 100);
    fake_stop(&fake);
}

/* --- broken off, false ---------------------------------------------------------------------- */

static void closes_at_once(struct fake_client *client, struct span message)
{
    (void)message;
    fake_finish(client);
}

static void resets_midway(struct fake_client *client, struct span message)
{
    respond(client, message, 0, 5000);
    respond(client, message, 0, 5000);
    fake_hang_up(client, true);
}

static void closes_midway(struct fake_client *client, struct span message)
{
    respond(client, message, 0, 5000);
    uint8_t half[] = {0x10, 0x00, 1, 2, 3};
    uv_buf_t output = uv_buf_init((char *)half, sizeof(half));
    uv_try_write((uv_stream_t *)&client->socket, &output, 1);
    fake_finish(client);
}

static void second_has_another_id(struct fake_client *client, struct span message)
{
    respond(client, message, 0, 0);
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    bytes[1] ^= 1;
    fake_send(client, bytes, length);
}

static void asks_something_else(struct fake_client *client, struct span message)
{
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    bytes[DNS_HEADER_BYTES + 1] ^= 1;
    fake_send(client, bytes, length);
}

static void sends_an_empty_frame(struct fake_client *client, struct span message)
{
    fake_send(client, message.bytes, 0);
}

static void sends_broken_records(struct fake_client *client, struct span message)
{
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    wire_put_u16(bytes + 6, 1);
    fake_send(client, bytes, length);
}

static void leaves_out_later_questions(struct fake_client *client, struct span message)
{
    uint8_t bytes[512];
    respond(client, message, 0, 0);
    response_to(message, 0, 0, bytes);
    wire_put_u16(bytes + 4, 0);
    fake_send(client, bytes, DNS_HEADER_BYTES);
    fake_finish(client);
}

static const struct ending {
    const char *name;
    void (*on_tcp)(struct fake_client *client, struct span message);
    unsigned messages;
    enum sg_result result;
} endings[] = {
    {"closed at once", closes_at_once, 0, SG_IO},
    {"closed in the middle of a message", closes_midway, 1, SG_IO},
    {"the second with another id", second_has_another_id, 1, SG_MALFORMED},
    {"another question", asks_something_else, 0, SG_MALFORMED},
    {"an empty message", sends_an_empty_frame, 0, SG_MALFORMED},
    {"records that are not there", sends_broken_records, 0, SG_MALFORMED},
    {"no question in later messages is fine", leaves_out_later_questions, 2, SG_IO},
};

static void a_bad_end_is_told(void **state)
{
    const struct ending *row = *state;
    struct fake fake;
    struct asked asked = {0};

    fake_start(&fake);
    fake.on_tcp = row->on_tcp;
    ask(&fake, &(struct peer_question){.tcp = true}, &asked);
    run_until(&fake, &asked.done);
    assert_int_equal(asked.messages, row->messages);
    assert_int_equal(asked.result, row->result);
    assert_false(asked.unsent);
    assert_int_equal(peer_desk_sockets(fake.desk), 0);
    fake_stop(&fake);
}

static void a_reset_midway_is_told(void **state)
{
    struct fake fake;
    struct asked asked = {0};
    (void)state;

    fake_start(&fake);
    fake.on_tcp = resets_midway;
    ask(&fake, &(struct peer_question){.tcp = true}, &asked);
    run_until(&fake, &asked.done);
    assert_int_equal(asked.result, SG_IO);
    assert_in_range(asked.messages, 0, 2); /* a reset may overtake what was sent */
    fake_stop(&fake);
}

static void who_does_not_accept_is_given_up(void **state)
{
    struct fake fake;
    struct net_address full = address_of("127.0.0.1", free_port());
    (void)state;

    fake_start(&fake);
    /* A listener whose queue is full answers no further connection. */
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, &full.at.any, net_address_length(&full)), 0);
    assert_int_equal(listen(listener, 0), 0);
    int first = client_to(&full, SOCK_STREAM);
    int second = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)!connect(second, &full.at.any, net_address_length(&full));
    struct asked asked = ask_and_wait(
        &fake, &(struct peer_question){.server = &full, .tcp = true, .connect_timeout = 1});
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_true(asked.unsent);
    close(first);
    close(second);
    close(listener);
    fake_stop(&fake);
}

/* Whoever sends updates has to know whether somebody may have taken them. */
static void where_no_connection_came_to_be_nothing_was_sent(void **state)
{
    struct fake fake;
    struct net_address nobody = address_of("127.0.0.1", free_port());
    struct net_address nowhere = address_of("255.255.255.255", 53);
    (void)state;

    fake_start(&fake);
    struct asked asked =
        ask_and_wait(&fake, &(struct peer_question){.server = &nobody, .tcp = true});
    assert_int_equal(asked.result, SG_REFUSED);
    assert_true(asked.unsent);
    asked = ask_and_wait(&fake, &(struct peer_question){.server = &nowhere, .tcp = true});
    assert_int_equal(asked.result, SG_IO);
    assert_true(asked.unsent);
    asked = ask_and_wait(&fake, &(struct peer_question){.tcp = true, .idle_timeout = 1});
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_false(asked.unsent);
    /* It was over UDP before. */
    asked = ask_and_wait(&fake, &(struct peer_question){.server = &nobody});
    assert_false(asked.unsent);
    fake_stop(&fake);
}

/* --- TSIG ----------------------------------------------------------------------------------- */

/* What the server does: `signs` says which of its messages carry a TSIG. */
struct signing {
    const char *name;
    const char *pattern; /* 's' signed, '-' not, 'x' changed after it was signed, 'o' by another */
    unsigned messages;   /* that get through */
    enum sg_result result;
    bool settled; /* after the last one */
};

static const struct signing *signing;

static void signs(struct fake_client *client, struct span request)
{
    static uint8_t bytes[65535];
    struct dns_message message;
    struct tsig_key other = key_of("other.");

    assert_int_equal(dns_message_parse(request, &message), SG_OK);
    assert_int_equal(
        tsig_verify_request(&message, &client->fake->key, 1, time_now(), &client->tsig), SG_OK);
    assert_ptr_equal(client->tsig.key, client->fake->key);
    for (const char *at = signing->pattern; *at != '\0'; at++) {
        size_t length = response_to(request, DNS_FLAG_AA, 200, bytes);
        if (*at == '-') {
            if (client->tsig.first_sent && client->tsig.unsigned_count < TSIG_UNSIGNED_MAX) {
                tsig_skip(&client->tsig, bytes, length);
            }
        } else if (*at == 's') {
            length = tsig_sign(&client->tsig, time_now(), bytes, length, sizeof(bytes));
        } else { /* What comes behind it covers what was right before it. */
            struct tsig_exchange foreign = client->tsig;
            foreign.key = *at == 'o' ? &other : foreign.key;
            foreign.key_name = foreign.key->name;
            length = tsig_sign(&foreign, time_now(), bytes, length, sizeof(bytes));
            bytes[100] ^= *at == 'x';
        }
        fake_send(client, bytes, length);
    }
    fake_finish(client);
}

#define DASHES_33 "---------------------------------"
#define DASHES_99 DASHES_33 DASHES_33 DASHES_33

static const struct signing signings[] = {
    {"each message signed", "sss", 3, SG_IO, true},
    {"unsigned ones between", "s--s-s", 6, SG_IO, true},
    {"the last one unsigned is not settled", "s-s-", 4, SG_IO, false},
    {"99 unsigned ones in a row", "s" DASHES_99 "s", 101, SG_IO, true},
    {"100 unsigned ones in a row", "s" DASHES_99 "-s", 100, SG_BAD_SIG, false},
    {"the first one unsigned", "-s", 0, SG_BAD_SIG, false},
    {"changed on the way", "x", 0, SG_BAD_SIG, false},
    {"a later one changed", "ssx", 2, SG_BAD_SIG, true},
    {"another key", "o", 0, SG_BAD_KEY, false},
};

static void a_signed_stream_is_verified(void **state)
{
    struct fake fake;
    struct tsig_key key = key_of("key.");
    struct asked asked = {0};

    signing = *state;
    fake_start(&fake);
    fake.on_tcp = signs;
    fake.key = &key;
    ask(&fake, &(struct peer_question){.tcp = true, .key = &key}, &asked);
    run_until(&fake, &asked.done);
    assert_int_equal(asked.messages, signing->messages);
    assert_int_equal(asked.result, signing->result);
    assert_int_equal(asked.settled, signing->settled);
    fake_stop(&fake);
}

static const struct signing udp_signings[] = {
    {"a signed answer", "s", 1, SG_OK, true},
    {"the right one among false ones", "-xos", 1, SG_OK, true},
    {"only false ones", "xx", 0, SG_BAD_SIG, false},
    {"unsigned", "-", 0, SG_BAD_SIG, false},
    {"another key", "o", 0, SG_BAD_KEY, false},
    {"nothing", "", 0, SG_TIMEOUT, false},
};

static void a_signed_packet_is_verified(void **state)
{
    struct fake fake;
    struct tsig_key key = key_of("key.");

    signing = *state;
    fake_start(&fake);
    fake.on_udp = signs;
    fake.key = &key;
    struct asked asked = ask_and_wait(
        &fake,
        &(struct peer_question){.key = &key, .udp_only = true, .udp_tries = 1, .udp_timeout = 1});
    assert_int_equal(asked.messages, signing->messages);
    assert_int_equal(asked.result, signing->result);
    fake_stop(&fake);
}

static void does_not_know_the_key(struct fake_client *client, struct span request)
{
    static uint8_t bytes[512];
    struct dns_message message;

    assert_int_equal(dns_message_parse(request, &message), SG_OK);
    assert_int_equal(tsig_verify_request(&message, NULL, 0, time_now(), &client->tsig), SG_BAD_KEY);
    size_t length = response_to(request, DNS_RCODE_NOTAUTH, 0, bytes);
    fake_send(client, bytes, tsig_sign(&client->tsig, time_now(), bytes, length, sizeof(bytes)));
}

static void the_peers_own_word_is_told(void **state)
{
    struct fake fake;
    struct tsig_key key = key_of("key.");
    (void)state;

    fake_start(&fake);
    fake.on_udp = does_not_know_the_key;
    fake.on_tcp = does_not_know_the_key;
    struct peer_question question = {.key = &key, .tcp = true};
    assert_int_equal(ask_and_wait(&fake, &question).result, SG_BAD_KEY);
    question = (struct peer_question){.key = &key, .udp_timeout = 1};
    assert_int_equal(ask_and_wait(&fake, &question).result, SG_BAD_KEY);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_64_kib_come_whole),
        cmocka_unit_test(reading_can_pause),
        cmocka_unit_test(an_endless_stream_ends_in_time),
        cmocka_unit_test(a_byte_now_and_then_is_idle),
        cmocka_unit_test(a_reset_midway_is_told),
        cmocka_unit_test(who_does_not_accept_is_given_up),
        cmocka_unit_test(where_no_connection_came_to_be_nothing_was_sent),
        cmocka_unit_test(the_peers_own_word_is_told),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += RUN_TABLE(endings, a_bad_end_is_told);
    failed += RUN_TABLE(signings, a_signed_stream_is_verified);
    return failed + RUN_TABLE(udp_signings, a_signed_packet_is_verified);
}
