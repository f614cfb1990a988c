#include "fixture.h"
#include "zone/changeset.h"

#define CONF                                                                                       \
    DESK_KEY                                                                                       \
    "options { transfers-out 2; };\n"                                                              \
    "zone example { type primary; file \"x\"; allow-transfer { 127.0.0.1; key k; }; };\n"          \
    "zone broken { type primary; file \"none\"; allow-transfer { any; }; };\n"

enum { ZONE_RECORDS = 6 }; /* DESK_ZONE's, the SOA twice */

static struct packet ixfr_of(const char *zone, uint32_t serial)
{
    struct packet packet = packet_of(zone, DNS_TYPE_IXFR, 0);
    uint8_t *at = packet.bytes + packet.length;

    wire_put_u16(packet.bytes + 8, 1);
    memcpy(at, "\300\14\0\6\0\1\0\0\0\0\0\26\0\0", 14);
    wire_put_u32(at + 14, serial);
    memset(at + 18, 0, 16);
    packet.length += 34;
    return packet;
}

/* All messages of the stream; returns the number of records. */
static unsigned take_stream(struct desk *desk)
{
    unsigned records = 0;

    for (size_t length; (length = desk->stream->next(desk->stream, desk->reply)) > 0;) {
        assert_true(length > DNS_HEADER_BYTES);
        assert_int_equal(desk_rcode(desk), 0);
        assert_true((desk_flags(desk) & DNS_FLAG_AA) != 0);
        records += wire_get_u16(desk->reply + 6);
        desk->length = length;
    }
    desk->stream->close(desk->stream, true);
    desk->stream = NULL;
    return records;
}

static void put_text(struct zone_edit *edit, const struct dns_name *apex, unsigned texts)
{
    struct buffer packed = BUFFER_EMPTY;
    for (unsigned i = 0; i < texts; i++) {
        buffer_append_u16(&packed, 5);
        buffer_append_u8(&packed, 4);
        buffer_append_u32(&packed, i);
    }
    const struct dns_rrset rrset = {packed.bytes,   (uint32_t)packed.length, 300, DNS_TYPE_TXT, 0,
                                    (uint16_t)texts};
    assert_int_equal(zone_edit_put_rrset(edit, apex, ZONE_SOURCE, &rrset), SG_OK);
    buffer_free(&packed);
}

/* The next version of "example", as the keeper publishes it. */
static void publish(struct desk *desk, uint32_t serial, unsigned texts)
{
    struct zone_slot *slot = &desk->slots[0];
    const struct zone_version *old = slot->version, *new;
    struct zone_edit *edit = zone_edit_open(old);
    struct buffer changeset = BUFFER_EMPTY;
    put_text(edit, &slot->apex, texts);
    assert_int_equal(zone_edit_set_serial(edit, ZONE_SOURCE, serial), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &new), SG_OK);
    assert_int_equal(zone_changeset_make(old, new, &changeset), SG_OK);
    zone_history_add(&slot->history, zone_history_link_new(&slot->apex, &changeset), false,
                     &(const struct zone_history_commit){0});
    epoch_publish(&slot->version, new);
    zone_version_unref(old);
}

static void close_desk(struct desk *desk)
{
    zone_history_clear(&desk->slots[0].history);
    desk_close(desk);
}

static void axfr_is_the_whole_zone(void **state)
{
    struct desk *desk = desk_open(CONF);

    (void)state;
    desk->tcp = true;
    assert_int_equal(desk_ask_name(desk, "example", DNS_TYPE_AXFR), 0);
    assert_non_null(desk->stream);
    assert_int_equal(dispatch_transfers(desk->dispatch), 1);
    assert_int_equal(take_stream(desk), ZONE_RECORDS);
    assert_int_equal(dispatch_transfers(desk->dispatch), 0);
    assert_int_equal(desk_count(desk, STATS_TRANSFERS), 1);
    assert_true(desk_logged(desk, "xfer-out info: client @0x1234 127.0.0.1#5300 (example): "
                                  "transfer of 'example/IN': AXFR started (serial 5)\n"));
    assert_true(desk_logged(desk, "transfer of 'example/IN': AXFR ended: 1 messages, 6 records, "));
    assert_true(desk_logged(desk, "bytes/sec) (serial 5)\n"));
    desk_close(desk);
}

static void ixfr_from_an_older_serial_is_the_whole_zone(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct packet packet = ixfr_of("example", 4);

    (void)state;
    desk->tcp = true;
    assert_int_equal(desk_ask_packet(desk, &packet), 0);
    assert_int_equal(take_stream(desk), ZONE_RECORDS);
    assert_true(desk_logged(desk, "'example/IN': AXFR-style IXFR started (serial 5)\n"));
    desk_close(desk);
}

/* clang-format off */
static const struct soa_case {
    const char *name;
    uint32_t serial;
    bool tcp;
} soa_cases[] = {
    {"a client that is current gets the SOA alone",  5,           true},
    {"so does one that is ahead",                    6,           true},
    {"RFC 1982 says who is ahead",                   0x7FFFFFFF,  true},
    {"over UDP all get the SOA alone",               4,           false},
};
/* clang-format on */

static void ixfr_gets_the_soa(void **state)
{
    const struct soa_case *c = *state;
    struct desk *desk = desk_open(CONF);
    struct packet packet = ixfr_of("example", c->serial);

    desk->tcp = c->tcp;
    assert_true(desk_ask_packet(desk, &packet) > 0);
    assert_null(desk->stream);
    assert_memory_equal(desk->reply + 4, "\0\1\0\1\0\0\0\0", 8);
    size_t question = DNS_HEADER_BYTES + 9 + 4;
    assert_int_equal(wire_get_u16(desk->reply + question - 4), DNS_TYPE_IXFR);
    assert_int_equal(wire_get_u16(desk->reply + question + 2), DNS_TYPE_SOA);
    assert_int_equal(wire_get_u32(desk->reply + desk->length - 20), 5);
    assert_int_equal(desk_count(desk, STATS_TRANSFERS), 0);
    desk_close(desk);
}

static void ixfr_gets_what_changed(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct packet packet = ixfr_of("example", 5);

    (void)state;
    desk->tcp = true;
    publish(desk, 6, 1);
    publish(desk, 7, 3);
    assert_int_equal(desk_ask_packet(desk, &packet), 0);
    assert_non_null(desk->stream);
    publish(desk, 8, 5); /* It was asked before: serial 7 it is. */
    assert_int_equal(take_stream(desk), 4 + 3);
    assert_true(desk_logged(desk, "xfer-out info: client @0x1234 127.0.0.1#5300 (example): "
                                  "transfer of 'example/IN': IXFR started (serial 5 -> 7)\n"));
    assert_true(desk_logged(desk, "'example/IN': IXFR ended: 1 messages, 7 records, "));
    assert_int_equal(desk_count(desk, STATS_TRANSFERS), 1);
    assert_int_equal(dispatch_transfers(desk->dispatch), 0);

    packet = ixfr_of("example", 7);
    assert_int_equal(desk_ask_packet(desk, &packet), 0);
    assert_int_equal(take_stream(desk), 4 + 2);
    packet = ixfr_of("example", 4); /* before all that is remembered */
    assert_int_equal(desk_ask_packet(desk, &packet), 0);
    assert_int_equal(take_stream(desk), ZONE_RECORDS + 5);
    assert_true(desk_logged(desk, "'example/IN': AXFR-style IXFR started (serial 8)\n"));
    close_desk(desk);
}

#define ZONE_PLAIN "zone example { type primary; file \"x\"; allow-transfer { any; }; };\n"

/* clang-format off */
static const struct provide_case {
    const char *name;
    const char *conf;
    unsigned texts;
    bool whole;
} provide_cases[] = {
    {"differences are the default",         ZONE_PLAIN, 1, false},
    {"provide-ixfr no gives the whole zone", "options { provide-ixfr no; };" ZONE_PLAIN, 1, true},
    {"a server statement says no",
     "server 127.0.0.0/24 { provide-ixfr no; };" ZONE_PLAIN, 1, true},
    {"a server statement says yes",
     "options { provide-ixfr no; }; server 127.0.0.1 { provide-ixfr yes; };" ZONE_PLAIN, 1, false},
    {"the longest prefix counts",
     "server 127/8 { provide-ixfr no; }; server 127.0.0.0/25 { provide-ixfr yes; };" ZONE_PLAIN, 1,
     false},
    {"of one with no word the view's",
     "options { provide-ixfr no; }; server 127.0.0.1 { request-ixfr yes; };" ZONE_PLAIN, 1, true},
    {"another's does not count",
     "server 127.0.0.2 { provide-ixfr no; };" ZONE_PLAIN, 1, false},
    {"within max-ixfr-ratio",
     "options { max-ixfr-ratio 200%; };" ZONE_PLAIN, 1, false},
    {"beyond it",
     "options { max-ixfr-ratio 20%; };" ZONE_PLAIN, 10, true},
    {"unlimited",
     "options { max-ixfr-ratio unlimited; };" ZONE_PLAIN, 500, false},
};
/* clang-format on */

static void ixfr_is_provided_as_configured(void **state)
{
    const struct provide_case *c = *state;
    struct desk *desk = desk_open(c->conf);
    struct packet packet = ixfr_of("example", 5);

    desk->tcp = true;
    publish(desk, 6, c->texts);
    assert_int_equal(desk_ask_packet(desk, &packet), 0);
    assert_int_equal(take_stream(desk), c->whole ? ZONE_RECORDS + c->texts : 4 + c->texts);
    close_desk(desk);
}

static void over_udp_differences_come_in_one_message(void **state)
{
    struct desk *desk = desk_open(CONF);
    const struct tsig_key key = desk_key("k", "secretsecretsecret");
    struct packet packet = ixfr_of("example", 5);
    struct dns_message response;
    sg_time now = time_now();

    (void)state;
    publish(desk, 6, 2);
    assert_true(desk_ask_packet(desk, &packet) > 0);
    assert_int_equal(wire_get_u16(desk->reply + 6), 4 + 2);
    assert_true(desk_logged(desk, "'example/IN': IXFR ended: 1 messages, 6 records, "));
    assert_true(desk_logged(desk, "bytes, UDP (serial 5 -> 6)\n"));

    struct tsig_exchange exchange = packet_sign(&packet, &key, now);
    assert_int_equal(net_address_from_text("192.0.2.1", 5300, &desk->client), SG_OK);
    assert_true(desk_ask_packet(desk, &packet) > 0);
    assert_int_equal(dns_message_parse((struct span){desk->reply, desk->length}, &response), SG_OK);
    assert_int_equal(response.counts[1], 4 + 2);
    assert_int_equal(tsig_verify_response(&exchange, &response, now), SG_OK);
    assert_true(tsig_is_settled(&exchange));
    tsig_exchange_clear(&exchange);
    close_desk(desk);
}

/* 512 bytes without EDNS; then the client comes again over TCP. */
static void over_udp_more_than_a_datagram_is_the_soa(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct packet packet = ixfr_of("example", 5);

    (void)state;
    publish(desk, 6, 60);
    assert_true(desk_ask_packet(desk, &packet) > 0);
    assert_memory_equal(desk->reply + 4, "\0\1\0\1\0\0\0\0", 8);
    assert_int_equal(desk_flags(desk) & DNS_FLAG_TC, 0);
    assert_int_equal(wire_get_u32(desk->reply + desk->length - 20), 6);
    packet_add_opt(&packet, 0, false); /* 1232 bytes */
    assert_true(desk_ask_packet(desk, &packet) > 512);
    assert_true(desk->length <= 1232);
    assert_int_equal(wire_get_u16(desk->reply + 6), 4 + 60);
    close_desk(desk);
}

static void a_client_outside_the_list_is_refused(void **state)
{
    struct desk *desk = desk_open(CONF);

    (void)state;
    desk->tcp = true;
    assert_int_equal(net_address_from_text("127.0.0.2", 5300, &desk->client), SG_OK);
    desk_ask_name(desk, "example", DNS_TYPE_AXFR);
    assert_null(desk->stream);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    assert_true(desk_logged(desk, "security error: client @0x1234 127.0.0.2#5300 (example): "
                                  "zone transfer 'example/AXFR/IN' denied\n"));
    assert_int_equal(desk_count(desk, STATS_TRANSFERS_REFUSED), 1);
    desk_close(desk);
}

static void a_zone_that_is_not_loaded_is_servfail(void **state)
{
    struct desk *desk = desk_open(CONF);

    (void)state;
    desk->tcp = true;
    desk_ask_name(desk, "broken", DNS_TYPE_AXFR);
    assert_null(desk->stream);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_SERVFAIL);
    desk_close(desk);
}

/* So much has changed that what is kept for the oldest is more than the zone is worth. */
static void a_transfer_that_holds_too_old_a_version_is_cut(void **state)
{
    enum { TRANSFERS = 10, VERSIONS_MAX = 5000, TEXTS = 2000 };
    struct desk *desk =
        desk_open("zone example { type primary; file \"x\"; allow-transfer { any; }; };\n");
    struct net_stream *streams[TRANSFERS];
    unsigned serial = 100;

    (void)state;
    desk->tcp = true;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        desk_ask_name(desk, "example", DNS_TYPE_AXFR);
        streams[i] = desk->stream;
        assert_non_null(streams[i]);
        publish(desk, serial++, 1 + i);
        assert_true(streams[i]->next(streams[i], desk->reply) > 0);
    }
    for (unsigned i = 0; i < VERSIONS_MAX && !streams[0]->is_unwanted(streams[0]); i++) {
        publish(desk, serial++, TEXTS - i % 2);
    }
    assert_true(streams[0]->is_unwanted(streams[0]));
    assert_true(streams[0]->next(streams[0], desk->reply) == NET_STREAM_BROKEN);
    assert_false(streams[1]->is_unwanted(streams[1]));
    assert_int_equal(streams[1]->next(streams[1], desk->reply), 0);
    streams[0]->close(streams[0], false);
    assert_true(desk_logged(desk, "bytes: it is too slow, too much of "
                                  "the zone has changed meanwhile\n"));
    for (unsigned i = 1; i < TRANSFERS; i++) {
        streams[i]->close(streams[i], true);
    }
    desk->stream = NULL;
    close_desk(desk);
}

static void no_more_run_than_transfers_out(void **state)
{
    struct desk *desk = desk_open(CONF);
    struct net_stream *running[2];

    (void)state;
    desk->tcp = true;
    for (int i = 0; i < 2; i++) {
        desk_ask_name(desk, "example", DNS_TYPE_AXFR);
        running[i] = desk->stream;
        assert_non_null(running[i]);
    }
    desk_ask_name(desk, "example", DNS_TYPE_AXFR);
    assert_null(desk->stream);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_SERVFAIL);
    assert_true(desk_logged(desk, "quota reached\n"));
    running[0]->close(running[0], false);
    assert_true(desk_logged(desk, "AXFR aborted after 0 messages, 0 bytes\n"));
    desk_ask_name(desk, "example", DNS_TYPE_AXFR);
    assert_non_null(desk->stream);
    desk->stream->close(desk->stream, false);
    running[1]->close(running[1], false);
    desk_close(desk);
}

/* The configuration with its keys goes while the transfer runs (ASan would tell). */
static void a_signed_transfer_outlives_its_configuration(void **state)
{
    struct desk *desk = desk_open(CONF);
    const struct tsig_key key = desk_key("k", "secretsecretsecret");
    struct packet packet = packet_of("example", DNS_TYPE_AXFR, 0);
    sg_time now = time_now();
    struct tsig_exchange exchange = packet_sign(&packet, &key, now);
    struct conf *conf = desk_conf("zone other { type primary; file \"none\"; };");
    const struct zone_version *version = desk->slots[0].version;
    struct dns_message response;

    (void)state;
    desk->tcp = true;
    assert_int_equal(net_address_from_text("192.0.2.1", 5300, &desk->client), SG_OK);
    assert_int_equal(desk_ask_packet(desk, &packet), 0);
    assert_non_null(desk->stream);
    desk->slots[0].version = NULL;
    dispatch_publish(desk->dispatch, desk_front(desk, conf));
    epoch_barrier();
    zone_version_unref(version);
    conf_free(desk->conf);
    desk->conf = conf;
    epoch_barrier();
    assert_int_equal(take_stream(desk), ZONE_RECORDS);
    assert_int_equal(dns_message_parse((struct span){desk->reply, desk->length}, &response), SG_OK);
    assert_int_equal(tsig_verify_response(&exchange, &response, now), SG_OK);
    assert_true(desk_logged(desk, "/key k (example): transfer of 'example/IN': AXFR started: "
                                  "TSIG k (serial 5)\n"));
    tsig_exchange_clear(&exchange);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axfr_is_the_whole_zone),
        cmocka_unit_test(ixfr_from_an_older_serial_is_the_whole_zone),
        cmocka_unit_test(ixfr_gets_what_changed),
        cmocka_unit_test(over_udp_differences_come_in_one_message),
        cmocka_unit_test(over_udp_more_than_a_datagram_is_the_soa),
        cmocka_unit_test(a_client_outside_the_list_is_refused),
        cmocka_unit_test(a_zone_that_is_not_loaded_is_servfail),
        cmocka_unit_test(a_transfer_that_holds_too_old_a_version_is_cut),
        cmocka_unit_test(no_more_run_than_transfers_out),
        cmocka_unit_test(a_signed_transfer_outlives_its_configuration),
    };
    int failed = RUN_TABLE(soa_cases, ixfr_gets_the_soa) +
                 RUN_TABLE(provide_cases, ixfr_is_provided_as_configured);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
