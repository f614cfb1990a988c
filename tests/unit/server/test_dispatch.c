#include "fixture.h"

#define CONF                                                                                       \
    DESK_KEY                                                                                       \
    "options { recursion no; allow-transfer { any; }; server-id \"me\"; version \"Signet\"; };\n"  \
    "zone example { type primary; file \"example\"; };\n"                                          \
    "zone broken { type primary; file \"none\"; };\n"                                              \
    "zone closed { type primary; file \"closed\"; allow-query { none; };"                          \
    " allow-transfer { none; }; allow-update { none; }; };\n"                                      \
    "zone keyed { type primary; file \"keyed\"; allow-query { key k; }; };\n"

#define NAME_EXAMPLE "\7example\0"
#define WWW          "\3www\7example\0"
#define IN_A         "\0\1\0\1"
#define HEADER(flags_high, flags_low, qd, an, ns, ar)                                              \
    "\x12\x34" flags_high flags_low "\0" qd "\0" an "\0" ns "\0" ar
#define OPT         "\0\0\51\4\320\0\0\0\0\0\0"
#define OPT_VERSION "\0\0\51\4\320\0\1\0\0\0\0"
#define BYTES(text) text, sizeof(text) - 1

enum { NO_REPLY = -1, RD = DNS_FLAG_RD, AA = DNS_FLAG_AA };

/*
 * What a message meets. Outcomes are BIND 9.18's to the same packets, but: CD is not echoed (RFC
 * 4035 3.1.6), class 77 is refused, and an OPT that was understood is answered.
 */
/* clang-format off */
static const struct row {
    const char *name;
    const char *wire; size_t length;
    int rcode;
    int flags;
    const char *counts;
} rows[] = {
    {"eleven bytes are dropped",                 BYTES("\x12\x34\1\0\0\1\0\0\0\0\0"), NO_REPLY, 0, ""},
    {"a response is dropped",                    BYTES(HEADER("\201", "\0", "\1", "\0", "\0", "\0") WWW IN_A), NO_REPLY, 0, ""},
    {"a header alone is FORMERR",                BYTES(HEADER("\1", "\0", "\0", "\0", "\0", "\0")), 1, RD, "\0\0\0\0"},
    {"a query is answered",                      BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW IN_A), 0, AA | RD, "\1\1\0\0"},
    {"RD is echoed; AD, CD and Z are clear",     BYTES(HEADER("\1", "\160", "\1", "\0", "\0", "\0") WWW IN_A), 0, AA | RD, "\1\1\0\0"},
    {"without RD none is set",                   BYTES(HEADER("\0", "\0", "\1", "\0", "\0", "\0") WWW IN_A), 0, AA, "\1\1\1\1"},
    {"opcode STATUS is NOTIMP, header alone",    BYTES(HEADER("\20", "\0", "\1", "\0", "\0", "\0") WWW IN_A), 4, 0, "\0\0\0\0"},
    {"opcode IQUERY is NOTIMP",                  BYTES(HEADER("\10", "\0", "\1", "\0", "\0", "\0") WWW IN_A), 4, 0, "\0\0\0\0"},
    {"opcode DSO is NOTIMP",                     BYTES(HEADER("\60", "\0", "\0", "\0", "\0", "\0")), 4, 0, "\0\0\0\0"},
    {"opcode 15 is NOTIMP",                      BYTES(HEADER("\170", "\0", "\1", "\0", "\0", "\0") WWW IN_A), 4, 0, "\0\0\0\0"},
    {"NOTIMP answers EDNS with EDNS",            BYTES(HEADER("\20", "\0", "\1", "\0", "\0", "\1") WWW IN_A OPT), 4, 0, "\0\0\0\1"},
    {"EDNS 1 is BADVERS with any opcode",        BYTES(HEADER("\20", "\0", "\1", "\0", "\0", "\1") WWW IN_A OPT_VERSION), 0, 0, "\0\0\0\1"},
    {"an unknown opcode's body is its own",      BYTES(HEADER("\60", "\0", "\0", "\7", "\0", "\1") "\1\2\3"), 4, 0, "\0\0\0\0"},
    {"no question is FORMERR",                   BYTES(HEADER("\1", "\0", "\0", "\0", "\0", "\0")), 1, RD, "\0\0\0\0"},
    {"no question but EDNS: FORMERR with EDNS",  BYTES(HEADER("\1", "\0", "\0", "\0", "\0", "\1") OPT), 1, RD, "\0\0\0\1"},
    {"two questions are FORMERR",                BYTES(HEADER("\1", "\0", "\2", "\0", "\0", "\0") WWW IN_A WWW IN_A), 1, RD, NULL},
    {"half a question is FORMERR",               BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1"), 1, RD, "\0\0\0\0"},
    {"a pointer in the question is FORMERR",     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\300\14" IN_A), 1, RD, "\0\0\0\0"},
    {"two OPTs are FORMERR",                     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\2") WWW IN_A OPT OPT), 1, RD, NULL},
    {"EDNS 1 is BADVERS, told by EDNS 0",        BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\1") WWW IN_A OPT_VERSION), 0, RD, "\1\0\0\1"},
    {"EDNS is answered with EDNS",               BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\1") WWW IN_A OPT), 0, AA | RD, "\1\1\0\1"},
    {"no zone is REFUSED",                       BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\3www\5other\0" IN_A), 5, RD, "\1\0\0\0"},
    {"a zone that did not load is SERVFAIL",     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\6broken\0" IN_A), 2, RD, "\1\0\0\0"},
    {"allow-query none is REFUSED",              BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\6closed\0" IN_A), 5, RD, "\1\0\0\0"},
    {"allow-query with a key refuses without",   BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\5keyed\0" IN_A), 5, RD, "\1\0\0\0"},
    {"class ANY is FORMERR",                     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\377"), 1, RD, "\1\0\0\0"},
    {"class NONE is FORMERR",                    BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\376"), 1, RD, "\1\0\0\0"},
    {"class 0 is FORMERR",                       BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\0"), 1, RD, "\1\0\0\0"},
    {"class HS is REFUSED",                      BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\4"), 5, RD, "\1\0\0\0"},
    {"class CH has no www",                      BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\3"), 5, RD, "\1\0\0\0"},
    {"class 77 is REFUSED",                      BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\115"), 5, RD, "\1\0\0\0"},
    {"type OPT is FORMERR",                      BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\51\0\1"), 1, RD, "\1\0\0\0"},
    {"type TSIG is FORMERR",                     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\372\0\1"), 1, RD, "\1\0\0\0"},
    {"type TKEY is FORMERR",                     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\371\0\1"), 1, RD, "\1\0\0\0"},
    {"type MAILB is NOTIMP",                     BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\375\0\1"), 4, RD, "\1\0\0\0"},
    {"type 0 is NODATA",                         BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\0\0\1"), 0, AA | RD, "\1\0\1\0"},
    {"a chain stops at a zone that is closed",   BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\5alias" NAME_EXAMPLE IN_A), 0, AA | RD, "\1\1\0\0"},
    {"AXFR over UDP is FORMERR",                 BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") NAME_EXAMPLE "\0\374\0\1"), 1, RD, "\1\0\0\0"},
    {"AXFR of what is no apex is NOTAUTH",       BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") WWW "\0\374\0\1"), 9, RD, "\1\0\0\0"},
    {"AXFR of a closed zone is REFUSED",         BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") "\6closed\0" "\0\374\0\1"), 5, RD, "\1\0\0\0"},
    {"IXFR without SOA is FORMERR",              BYTES(HEADER("\1", "\0", "\1", "\0", "\0", "\0") NAME_EXAMPLE "\0\373\0\1"), 1, RD, "\1\0\0\0"},
    {"NOTIFY for a primary is NOERROR",          BYTES(HEADER("\44", "\0", "\1", "\0", "\0", "\0") NAME_EXAMPLE "\0\6\0\1"), 0, AA, "\1\0\0\0"},
    {"NOTIFY for another zone is NOTAUTH",       BYTES(HEADER("\44", "\0", "\1", "\0", "\0", "\0") "\5other\0" "\0\6\0\1"), 9, 0, "\1\0\0\0"},
    {"NOTIFY below the apex is NOTAUTH",         BYTES(HEADER("\44", "\0", "\1", "\0", "\0", "\0") WWW "\0\6\0\1"), 9, 0, "\1\0\0\0"},
    {"NOTIFY of an A is FORMERR",                BYTES(HEADER("\44", "\0", "\1", "\0", "\0", "\0") NAME_EXAMPLE IN_A), 1, 0, "\1\0\0\0"},
    {"NOTIFY without a zone is FORMERR",         BYTES(HEADER("\44", "\0", "\0", "\0", "\0", "\0")), 1, 0, "\0\0\0\0"},
    {"UPDATE without a list is REFUSED",         BYTES(HEADER("\50", "\0", "\1", "\0", "\0", "\0") NAME_EXAMPLE "\0\6\0\1"), 5, 0, "\1\0\0\0"},
    {"UPDATE of another zone is NOTAUTH",        BYTES(HEADER("\50", "\0", "\1", "\0", "\0", "\0") "\5other\0" "\0\6\0\1"), 9, 0, "\1\0\0\0"},
    {"UPDATE below the apex is NOTAUTH",         BYTES(HEADER("\50", "\0", "\1", "\0", "\0", "\0") WWW "\0\6\0\1"), 9, 0, "\1\0\0\0"},
    {"UPDATE of type A is FORMERR",              BYTES(HEADER("\50", "\0", "\1", "\0", "\0", "\0") NAME_EXAMPLE IN_A), 1, 0, "\1\0\0\0"},
};
/* clang-format on */

static void meets_its_outcome(void **state)
{
    const struct row *row = *state;
    struct desk *desk = desk_open(CONF);

    desk_ask(desk, (const uint8_t *)row->wire, row->length);
    if (row->rcode == NO_REPLY) {
        assert_int_equal(desk->length, 0);
        assert_int_equal(desk_count(desk, STATS_DROPPED), 1);
        desk_close(desk);
        return;
    }
    assert_true(desk->length >= DNS_HEADER_BYTES);
    assert_memory_equal(desk->reply, row->wire, 2);
    assert_int_equal(desk_rcode(desk), row->rcode);
    unsigned opcode = wire_get_u16((const uint8_t *)row->wire + 2) & 0x7800u;
    assert_int_equal(desk_flags(desk) & ~0xFu, DNS_FLAG_QR | (unsigned)row->flags | opcode);
    for (size_t i = 0; row->counts != NULL && i < 4; i++) {
        assert_int_equal(wire_get_u16(desk->reply + 4 + 2 * i), row->counts[i]);
    }
    desk_close(desk);
}

static void a_batch_is_answered_as_its_messages_would_be_alone(void **state)
{
    struct desk *batch = desk_open(CONF);
    struct desk *alone = desk_open(CONF);
    struct net_request requests[NET_BATCH_MAX];

    (void)state;
    for (size_t count = 1; count <= ARRAY_LEN(rows); count += 11) {
        for (size_t i = 0; i < count; i++) {
            requests[i] = (struct net_request){
                .wire = {(const uint8_t *)rows[i].wire, rows[i].length},
                .client = &batch->client,
                .local = &batch->local,
            };
        }
        batch->service.prepare(batch->service.argument, batch->thread, requests, count);
        for (size_t i = 0; i < count; i++) {
            desk_ask(batch, requests[i].wire.bytes, requests[i].wire.length);
            desk_ask(alone, requests[i].wire.bytes, requests[i].wire.length);
            assert_int_equal(batch->length, alone->length);
            assert_memory_equal(batch->reply, alone->reply, alone->length);
        }
    }
    desk_close(batch);
    desk_close(alone);
}

static void bad_version_is_told_in_the_opt(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct packet packet = packet_of("www.example", DNS_TYPE_A, 0);

    (void)state;
    packet_add_opt(&packet, 1, false);
    desk_ask_packet(desk, &packet);
    const uint8_t *opt = desk->reply + desk->length - 11;
    assert_memory_equal(opt, "\0\0\51\4\320\1\0\0\0\0\0", 11); /* extended rcode 1, version 0 */
    assert_int_equal(desk_count(desk, STATS_BADVERS), 1);
    desk_close(desk);
}

static void nsid_is_told_to_who_asks(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct packet packet = packet_of("www.example", DNS_TYPE_A, 0);

    (void)state;
    packet_add_opt(&packet, 0, true);
    desk_ask_packet(desk, &packet);
    assert_memory_equal(desk->reply + desk->length - 6, "\0\3\0\2me", 6);
    desk_close(desk);
}

static void an_extended_error_says_why(void **state)
{
    static const struct {
        const char *name;
        uint8_t code;
    } cases[] = {{"other", 20}, {"closed", 18}, {"broken", 14}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct desk *desk = desk_open(CONF);
        struct packet packet = packet_of(cases[i].name, DNS_TYPE_A, 0);
        packet_add_opt(&packet, 0, false);
        desk_ask_packet(desk, &packet);
        assert_memory_equal(desk->reply + desk->length - 6, "\0\17\0\2\0", 5);
        assert_int_equal(desk->reply[desk->length - 1], cases[i].code);
        desk_close(desk);
    }
}

static void a_verified_key_opens_the_zone_and_signs_the_response(void **state)
{
    struct desk *desk = desk_open(CONF);
    const struct tsig_key key = desk_key("k", "secretsecretsecret");
    struct packet packet = packet_of("www.keyed", DNS_TYPE_A, 0);
    sg_time now = time_now();
    struct tsig_exchange exchange = packet_sign(&packet, &key, now);
    struct dns_message response;

    (void)state;
    desk_ask_packet(desk, &packet);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_NOERROR);
    assert_int_equal(dns_message_parse((struct span){desk->reply, desk->length}, &response), SG_OK);
    assert_int_equal(tsig_verify_response(&exchange, &response, now), SG_OK);
    assert_int_equal(desk_count(desk, STATS_SIGNED), 1);
    tsig_exchange_clear(&exchange);
    desk_close(desk);
}

static void a_bad_tsig_is_notauth_and_tells_why(void **state)
{
    static const struct {
        const char *key, *secret;
        sg_time skew;
        uint16_t error;
        const char *log;
    } cases[] = {
        {"k", "secretsecretsecreT", 0, DNS_RCODE_BADSIG, "TSIG k: tsig verify failure (BADSIG)"},
        {"nokey", "secretsecretsecret", 0, DNS_RCODE_BADKEY, "(BADKEY)"},
        {"k", "secretsecretsecret", -1000, DNS_RCODE_BADTIME, "(BADTIME)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct desk *desk = desk_open(CONF);
        const struct tsig_key key = desk_key(cases[i].key, cases[i].secret);
        struct packet packet = packet_of("www.example", DNS_TYPE_A, 0);
        struct tsig_exchange exchange = packet_sign(&packet, &key, time_now() + cases[i].skew);
        struct dns_message response;
        struct dns_record tsig;

        desk_ask_packet(desk, &packet);
        assert_int_equal(desk_rcode(desk), DNS_RCODE_NOTAUTH);
        assert_int_equal(wire_get_u16(desk->reply + 6), 0);
        assert_int_equal(dns_message_parse((struct span){desk->reply, desk->length}, &response),
                         SG_OK);
        assert_int_not_equal(response.tsig_offset, 0);
        assert_int_equal(dns_record_parse(response.wire, response.tsig_offset, &tsig), SG_OK);
        /* ... MAC, original id, error, other length, other data */
        const uint8_t *end = desk->reply + tsig.rdata_offset + tsig.rdata_length;
        size_t other = cases[i].error == DNS_RCODE_BADTIME ? 6 : 0;
        assert_int_equal(wire_get_u16(end - other - 4), cases[i].error);
        assert_true(desk_logged(desk, cases[i].log));
        assert_int_equal(desk_count(desk, STATS_TSIG_FAILED), 1);
        tsig_exchange_clear(&exchange);
        desk_close(desk);
    }
}

static void packets_from_echo_and_chargen_are_dropped(void **state)
{
    static const uint16_t ports[] = {0, 7, 13, 19, 37};
    struct desk *desk = desk_open(CONF);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        net_address_set_port(&desk->client, ports[i]);
        assert_int_equal(desk_ask_name(desk, "www.example", DNS_TYPE_A), 0);
    }
    net_address_set_port(&desk->client, 8);
    assert_true(desk_ask_name(desk, "www.example", DNS_TYPE_A) > 0);
    assert_int_equal(desk_count(desk, STATS_DROPPED), ARRAY_LEN(ports));
    desk_close(desk);
}

static void a_blackholed_client_hears_nothing(void **state)
{
    struct desk *desk = desk_open("options { blackhole { 127.0.0.2; }; };"
                                  "zone example { type primary; file \"example\"; };");

    (void)state;
    assert_true(desk_ask_name(desk, "www.example", DNS_TYPE_A) > 0);
    assert_int_equal(net_address_from_text("127.0.0.2", 5300, &desk->client), SG_OK);
    assert_int_equal(desk_ask_name(desk, "www.example", DNS_TYPE_A), 0);
    desk_close(desk);
}

static void nothing_is_answered_before_a_front_is_published(void **state)
{
    struct dispatch *dispatch = dispatch_new(NULL);
    struct net_service service = dispatch_service(dispatch);
    void *thread = service.thread_start(service.argument, false);
    struct packet packet = packet_of("www.example", DNS_TYPE_A, 0);
    struct net_address address;
    uint8_t reply[4096];

    (void)state;
    assert_int_equal(net_address_from_text("127.0.0.1", 5300, &address), SG_OK);
    const struct net_request request = {
        .wire = {packet.bytes, packet.length}, .client = &address, .local = &address};
    assert_int_equal(service.answer(service.argument, thread, &request, reply, sizeof(reply), NULL),
                     0);
    service.thread_stop(service.argument, thread);
    dispatch_free(dispatch);
}

static void a_new_front_is_seen_by_the_next_query(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct conf *conf = desk_conf("zone example { type primary; file \"example\";"
                                  " allow-query { none; }; };");

    (void)state;
    desk_ask_name(desk, "www.example", DNS_TYPE_A);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_NOERROR);
    size_t slots = desk->slots_count;
    dispatch_publish(desk->dispatch, desk_front(desk, conf));
    epoch_barrier();
    desk_ask_name(desk, "www.example", DNS_TYPE_A);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    desk_ask_name(desk, "broken", DNS_TYPE_A);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    conf_free(desk->conf);
    desk->conf = conf;
    desk->slots_count = slots;
    desk_close(desk);
}

static void queries_are_logged_when_asked_for(void **state)
{
    struct desk *desk = desk_open(CONF);

    (void)state;
    desk_ask_name(desk, "www.example", DNS_TYPE_A);
    assert_int_equal(desk->log.length, 0);
    assert_false(dispatch_query_log(desk->dispatch));
    dispatch_set_query_log(desk->dispatch, true);
    assert_true(dispatch_query_log(desk->dispatch));
    desk_ask_name(desk, "www.example", DNS_TYPE_A);
    assert_true(desk_logged(desk, "queries info: client @0x1234 127.0.0.1#5300 (www.example): "
                                  "query: www.example IN A + (127.0.0.1)\n"));
    desk_close(desk);
}

static void outcomes_are_counted(void **state)
{
    static const struct {
        const char *name;
        enum stats_counter counter;
    } cases[] = {
        {"www.example", STATS_POSITIVE}, {"nsx.example", STATS_NXDOMAIN}, {"example", STATS_NODATA},
        {"other", STATS_REFUSED},        {"broken", STATS_SERVFAIL},
    };
    struct desk *desk = desk_open(CONF);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        desk_ask_name(desk, cases[i].name, DNS_TYPE_A);
        assert_int_equal(desk_count(desk, cases[i].counter), 1);
    }
    assert_int_equal(desk_count(desk, STATS_QUERIES), ARRAY_LEN(cases));
    assert_int_equal(desk_count(desk, STATS_UDP), ARRAY_LEN(cases));
    assert_int_equal(desk_count(desk, STATS_TCP), 0);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_answered_as_its_messages_would_be_alone),
        cmocka_unit_test(bad_version_is_told_in_the_opt),
        cmocka_unit_test(nsid_is_told_to_who_asks),
        cmocka_unit_test(an_extended_error_says_why),
        cmocka_unit_test(a_verified_key_opens_the_zone_and_signs_the_response),
        cmocka_unit_test(a_bad_tsig_is_notauth_and_tells_why),
        cmocka_unit_test(packets_from_echo_and_chargen_are_dropped),
        cmocka_unit_test(a_blackholed_client_hears_nothing),
        cmocka_unit_test(nothing_is_answered_before_a_front_is_published),
        cmocka_unit_test(a_new_front_is_seen_by_the_next_query),
        cmocka_unit_test(queries_are_logged_when_asked_for),
        cmocka_unit_test(outcomes_are_counted),
    };
    int failed = RUN_TABLE(rows, meets_its_outcome);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
