#include "peer_fixture.h"

/* --- UDP ------------------------------------------------------------------------------------ */

static void answers(struct fake_client *client, struct span message)
{
    respond(client, message, DNS_FLAG_AA, 0);
}

static void refuses(struct fake_client *client, struct span message)
{
    respond(client, message, DNS_RCODE_REFUSED, 0);
}

static void one_question_one_answer(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake);
    fake.on_udp = answers;
    struct asked asked = ask_and_wait(&fake, &(struct peer_question){0});
    assert_int_equal(asked.messages, 1);
    assert_false(asked.tcp);
    assert_true(asked.settled);
    assert_int_equal(asked.rcode, DNS_RCODE_NOERROR);
    assert_int_equal(fake.udp_received, 1);
    assert_int_equal(peer_desk_sockets(fake.desk), 0);
    fake.on_udp = refuses; /* An rcode is an answer like others. */
    asked = ask_and_wait(&fake, &(struct peer_question){0});
    assert_int_equal(asked.rcode, DNS_RCODE_REFUSED);
    fake_stop(&fake);
}

static void silence_is_met_with_tries_then_tcp_then_failure(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake);
    struct peer_question question = {
        .udp_tries = 2, .udp_timeout = 1, .idle_timeout = 1, .udp_only = true};
    struct asked asked = ask_and_wait(&fake, &question);
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_int_equal(fake.udp_received, 2);
    assert_int_equal(fake.tcp_accepted, 0);

    question.udp_only = false;
    question.udp_tries = 1;
    asked = ask_and_wait(&fake, &question);
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_int_equal(fake.udp_received, 3);
    assert_int_equal(fake.tcp_accepted, 1);

    fake.on_tcp = answers;
    asked = ask_and_wait(&fake, &question);
    assert_int_equal(asked.messages, 1);
    assert_true(asked.tcp);
    fake_stop(&fake);
}

static void the_whole_exchange_has_its_time(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake);
    uint64_t began = time_monotonic_ns();
    struct asked asked =
        ask_and_wait(&fake, &(struct peer_question){.udp_timeout = 60, .total_timeout = 1});
    assert_int_equal(asked.result, SG_TIMEOUT);
    assert_true(time_monotonic_ns() - began < 20000000000u);
    fake_stop(&fake);
}

static void truncates(struct fake_client *client, struct span message)
{
    respond(client, message, DNS_FLAG_TC, 0);
}

static void truncation_leads_to_tcp(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake);
    fake.on_udp = truncates;
    fake.on_tcp = answers;
    struct asked asked = ask_and_wait(&fake, &(struct peer_question){0});
    assert_true(asked.tcp);
    assert_int_equal(asked.flags & DNS_FLAG_TC, 0);
    assert_int_equal(fake.udp_received, 1);
    assert_int_equal(fake.tcp_accepted, 1);

    asked = ask_and_wait(&fake, &(struct peer_question){.udp_only = true});
    assert_false(asked.tcp);
    assert_true(asked.flags & DNS_FLAG_TC);
    fake_stop(&fake);
}

static void a_closed_port_is_told_at_once(void **state)
{
    struct fake fake;
    struct net_address nobody = address_of("127.0.0.1", free_port());
    (void)state;

    fake_start(&fake);
    uint64_t began = time_monotonic_ns();
    struct peer_question question = {.server = &nobody, .udp_only = true};
    assert_int_equal(ask_and_wait(&fake, &question).result, SG_REFUSED);
    question.udp_only = false;
    assert_int_equal(ask_and_wait(&fake, &question).result, SG_REFUSED);
    question.tcp = true;
    assert_int_equal(ask_and_wait(&fake, &question).result, SG_REFUSED);
    assert_true(time_monotonic_ns() - began < 3000000000u); /* less than one try's time */
    fake_stop(&fake);
}

static void what_is_no_question_is_not_asked(void **state)
{
    struct fake fake;
    struct asked asked = {0};
    static uint8_t bytes[65535];
    (void)state;

    fake_start(&fake);
    size_t length = question_of("example.", DNS_TYPE_SOA, bytes);
    struct peer_question question = {.server = &fake.address, .message = {bytes, 11}};
    assert_int_equal(peer_ask(fake.desk, &question, on_answer, &asked, &asked.exchange),
                     SG_MALFORMED);
    question.message.length = length;
    wire_put_u16(bytes + 2, DNS_FLAG_QR);
    assert_int_equal(peer_ask(fake.desk, &question, on_answer, &asked, &asked.exchange),
                     SG_MALFORMED);
    wire_put_u16(bytes + 2, 0);
    question.message.length = sizeof(bytes);
    assert_int_equal(peer_ask(fake.desk, &question, on_answer, &asked, &asked.exchange), SG_LIMIT);
    assert_int_equal(peer_desk_running(fake.desk), 0);
    fake_stop(&fake);
}

/* --- many ----------------------------------------------------------------------------------- */

static void thousands_at_once_share_few_sockets(void **state)
{
    enum { MANY = 4000 };
    struct fake fake;
    struct asked *asked = calloc(MANY, sizeof(*asked));
    (void)state;

    fake_start(&fake);
    fake.on_udp = answers;
    fake.on_tcp = answers;
    for (unsigned i = 0; i < MANY; i++) {
        asked[i].messages_wanted = 1;
        ask(&fake, &(struct peer_question){.tcp = i % 4 == 0}, &asked[i]);
    }
    assert_int_equal(peer_desk_running(fake.desk), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        run_until(&fake, &asked[i].done);
        assert_int_equal(asked[i].messages, 1);
        assert_int_equal(asked[i].tcp, i % 4 == 0);
    }
    assert_int_equal(peer_desk_running(fake.desk), 0);
    assert_in_range(fake.sockets_high_water, 2, PEER_UDP_SOCKETS_MAX + PEER_TCP_SOCKETS_MAX);
    fake_stop(&fake);
    free(asked);
}

static void what_is_cancelled_is_heard_of_no_more(void **state)
{
    enum { MANY = 600 };
    struct fake fake;
    struct asked *asked = calloc(MANY, sizeof(*asked));
    struct asked last = {.messages_wanted = 1};
    (void)state;

    fake_start(&fake);
    for (unsigned i = 0; i < MANY; i++) { /* more than there are sockets: some only wait */
        ask(&fake, &(struct peer_question){.tcp = i % 2 == 0}, &asked[i]);
    }
    uv_run(&fake.loop, UV_RUN_NOWAIT);
    uv_run(&fake.loop, UV_RUN_NOWAIT);
    for (unsigned i = 0; i < MANY; i++) {
        peer_cancel(asked[i].exchange);
    }
    assert_int_equal(peer_desk_running(fake.desk), 0);
    fake.on_udp = answers;
    ask(&fake, &(struct peer_question){0}, &last);
    run_until(&fake, &last.done);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(asked[i].messages + asked[i].failed, 0);
    }
    fake_stop(&fake);
    free(asked);
}

static void a_desk_closes_over_what_runs(void **state)
{
    enum { MANY = 700 };
    struct fake fake;
    struct asked *asked = calloc(MANY, sizeof(*asked));
    struct asked late = {0};
    uint8_t bytes[512];
    (void)state;

    fake_start(&fake);
    for (unsigned i = 0; i < MANY; i++) {
        ask(&fake, &(struct peer_question){.tcp = i % 2 == 0}, &asked[i]);
    }
    uv_run(&fake.loop, UV_RUN_NOWAIT);
    uv_run(&fake.loop, UV_RUN_NOWAIT);
    peer_desk_close(fake.desk, fake_desk_closed, &fake);
    struct peer_question question = {
        .server = &fake.address, .message = {bytes, question_of("example.", DNS_TYPE_SOA, bytes)}};
    assert_int_equal(peer_ask(fake.desk, &question, on_answer, &late, &late.exchange),
                     SG_CANCELLED);
    while (!fake.closed) {
        uv_run(&fake.loop, UV_RUN_ONCE);
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(asked[i].messages + asked[i].failed, 0);
    }
    fake.closed = false;
    fake.desk = peer_desk_new(&fake.loop); /* for fake_stop() */
    fake_stop(&fake);
    free(asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_question_one_answer),
        cmocka_unit_test(silence_is_met_with_tries_then_tcp_then_failure),
        cmocka_unit_test(the_whole_exchange_has_its_time),
        cmocka_unit_test(truncation_leads_to_tcp),
        cmocka_unit_test(a_closed_port_is_told_at_once),
        cmocka_unit_test(what_is_no_question_is_not_asked),
        cmocka_unit_test(thousands_at_once_share_few_sockets),
        cmocka_unit_test(what_is_cancelled_is_heard_of_no_more),
        cmocka_unit_test(a_desk_closes_over_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
