#include "peer_fixture.h"
#include "support/table.h"

static void answers(struct fake_client *client, struct span message)
{
    respond(client, message, DNS_FLAG_AA, 0);
}

static void ids_and_ports_differ(void **state)
{
    enum { TIMES = 32 };
    struct fake fake;
    uint16_t ports[TIMES];
    uint16_t ids[TIMES];
    unsigned same = 0;
    (void)state;

    fake_start(&fake);
    fake.on_udp = answers;
    for (unsigned i = 0; i < TIMES; i++) {
        ask_and_wait(&fake, &(struct peer_question){0});
        ports[i] = net_address_port(&fake.udp_client);
        ids[i] = fake.id;
        same += i > 0 && (ports[i] == ports[i - 1] || ids[i] == ids[i - 1]);
    }
    assert_true(same < 4); /* at random: one in 28,000 each */
    fake_stop(&fake);
}

static void a_source_address_is_used(void **state)
{
    struct fake fake;
    struct net_address source = address_of("127.0.0.7", 0);
    (void)state;

    fake_start(&fake);
    fake.on_udp = answers;
    struct asked asked = ask_and_wait(&fake, &(struct peer_question){.source = &source});
    assert_int_equal(asked.messages, 1);
    assert_true(net_address_same_host(&fake.udp_client, &source));
    source = address_of("192.0.2.1", 0); /* not ours */
    asked = ask_and_wait(&fake, &(struct peer_question){.source = &source});
    assert_int_equal(asked.failed, 1);
    assert_int_equal(asked.result, SG_IO);
    fake_stop(&fake);
}

/* How a forged or broken packet differs from the answer. */
static void changed(struct fake_client *client, struct span message, size_t at)
{
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    bytes[at] ^= 1;
    fake_send(client, bytes, length);
}

static void forges_id(struct fake_client *client, struct span message)
{
    changed(client, message, 1);
}

static void forges_question(struct fake_client *client, struct span message)
{
    changed(client, message, DNS_HEADER_BYTES + 2);
}

static void forges_type(struct fake_client *client, struct span message)
{
    changed(client, message, DNS_HEADER_BYTES + 10);
}

static void forges_class(struct fake_client *client, struct span message)
{
    changed(client, message, DNS_HEADER_BYTES + 12);
}

static void forges_opcode(struct fake_client *client, struct span message)
{
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    bytes[2] |= DNS_OPCODE_NOTIFY << 3;
    fake_send(client, bytes, length);
}

static void echoes(struct fake_client *client, struct span message)
{
    fake_send(client, message.bytes, message.length);
}

static void leaves_out_the_question(struct fake_client *client, struct span message)
{
    uint8_t bytes[512];
    response_to(message, 0, 0, bytes);
    wire_put_u16(bytes + 4, 0);
    fake_send(client, bytes, DNS_HEADER_BYTES);
}

static void stammers(struct fake_client *client, struct span message)
{
    fake_send(client, message.bytes, 5);
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    wire_put_u16(bytes + 6, 7); /* records that are not there */
    fake_send(client, bytes, length);
}

static void answers_from_elsewhere(struct fake_client *client, struct span message)
{
    uint8_t bytes[512];
    size_t length = response_to(message, 0, 0, bytes);
    uv_buf_t output = uv_buf_init((char *)bytes, (unsigned)length);
    uv_udp_try_send(&client->fake->stranger, &output, 1, (struct sockaddr *)&client->from);
}

static const struct forgery {
    const char *name;
    void (*on_udp)(struct fake_client *client, struct span message);
} forgeries[] = {
    {"another id", forges_id},
    {"another name", forges_question},
    {"another type", forges_type},
    {"another class", forges_class},
    {"another opcode", forges_opcode},
    {"no response", echoes},
    {"no question", leaves_out_the_question},
    {"broken", stammers},
    {"another address", answers_from_elsewhere},
};

static void what_is_no_answer_is_passed_over(void **state)
{
    const struct forgery *row = *state;
    struct fake fake;
    const struct peer_question question = {.udp_tries = 1, .udp_timeout = 1, .udp_only = true};

    fake_start(&fake);
    fake.on_udp = row->on_udp;
    struct asked asked = ask_and_wait(&fake, &question);
    assert_int_equal(asked.messages, 0);
    assert_int_equal(asked.result, SG_TIMEOUT);
    fake_stop(&fake);
}

static void forges_then_answers(struct fake_client *client, struct span message)
{
    forges_id(client, message);
    forges_question(client, message);
    stammers(client, message);
    answers_from_elsewhere(client, message);
    respond(client, message, DNS_RCODE_NXDOMAIN, 0);
}

static void the_right_answer_is_heard_among_false_ones(void **state)
{
    struct fake fake;
    (void)state;

    fake_start(&fake);
    fake.on_udp = forges_then_answers;
    struct asked asked = ask_and_wait(&fake, &(struct peer_question){.udp_only = true});
    assert_int_equal(asked.messages, 1);
    assert_int_equal(asked.rcode, DNS_RCODE_NXDOMAIN);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_ports_differ),
        cmocka_unit_test(a_source_address_is_used),
        cmocka_unit_test(the_right_answer_is_heard_among_false_ones),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(forgeries, what_is_no_answer_is_passed_over);
}
