#include "fixture.h"
#include "server/request.h"

/* A zone whose answer is 1,500 bytes and more. */
static char *big_zone(void)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_append_text(&text, "$TTL 300\n@ SOA ns host 5 3600 600 86400 300\n@ NS ns\n");
    for (int i = 0; i < 120; i++) {
        buffer_format(&text, "big A 192.0.2.%d\n", i);
    }
    (void)buffer_text(&text);
    return (char *)text.bytes;
}

static size_t ask_big(const char *statements, uint16_t payload, bool tcp, bool *out_truncated)
{
    char *conf = mem_format("%s zone big { type primary; file \"none\"; };", statements);
    char *text = big_zone();
    struct desk *desk = desk_open(conf);
    struct packet packet = packet_of("big.big", DNS_TYPE_A, 0);

    desk->slots[0].version = desk_version(&desk->slots[0].apex, text);
    if (payload > 0) {
        packet_add_opt(&packet, 0, false);
        wire_put_u16(packet.bytes + packet.length - 8, payload);
    }
    desk->tcp = tcp;
    size_t length = desk_ask_packet(desk, &packet);
    *out_truncated = (desk_flags(desk) & DNS_FLAG_TC) != 0;
    assert_int_equal(desk_count(desk, STATS_TRUNCATED), *out_truncated);
    desk_close(desk);
    mem_free(text);
    mem_free(conf);
    return length;
}

/* clang-format off */
static const struct row {
    const char *name, *statements;
    uint16_t payload; /* 0: no EDNS */
    bool tcp, truncated;
    size_t bytes_max;
} rows[] = {
    {"without EDNS 512 bytes",                       "",                                            0,    false, true,  512},
    {"a payload below 512 counts as 512",            "",                                            100,  false, true,  512},
    {"the client's payload is a limit",              "options { max-udp-size 4096; edns-udp-size 4096; };", 1000, false, true,  1000},
    {"ours is one, too",                             "",                                            4096, false, true,  1232},
    {"what both can take goes",                      "options { max-udp-size 4096; edns-udp-size 4096; };", 4096, false, false, 4096},
    {"a server statement counts first",              "server 127.0.0.1 { max-udp-size 4096; };",     4096, false, false, 4096},
    {"of another server none does",                  "server 127.0.0.2 { max-udp-size 4096; };",     4096, false, true,  1232},
    {"over TCP there is no other limit",             "",                                            0,    true,  false, 65535},
};
/* clang-format on */

static void the_response_fits(void **state)
{
    const struct row *row = *state;
    bool truncated;

    size_t length = ask_big(row->statements, row->payload, row->tcp, &truncated);
    assert_int_equal(truncated, row->truncated);
    assert_true(length <= row->bytes_max);
    assert_true(truncated || length > 1500);
}

static void a_prefix_names_client_key_question_and_view(void **state)
{
    struct desk *desk =
        desk_open(DESK_KEY "view inside { zone example { type primary; file \"x\"; }; };");
    struct packet packet = packet_of("a\\.b.Example", DNS_TYPE_A, 0);
    char text[REQUEST_PREFIX_BYTES];

    (void)state;
    dispatch_set_query_log(desk->dispatch, true);
    desk_ask_packet(desk, &packet);
    assert_true(desk_logged(desk, "client @0x1234 127.0.0.1#5300 (a\\.b.example): view inside: "
                                  "query: a\\.b.example IN A - (127.0.0.1)"));
    const struct net_request net = {.client = &desk->client, .local = &desk->local};
    const struct front front = {.shows_view = false};
    struct dns_message message = {.id = 1};
    const struct request request = {
        .net = &net, .front = &front, .key = desk->conf->keys[0], .message = &message};
    assert_string_equal(request_prefix(&request, text), "client @0x1 127.0.0.1#5300/key k");
    desk_close(desk);
}

static void the_query_line_has_binds_flags(void **state)
{
    struct desk *desk = desk_open(DESK_KEY "zone example { type primary; file \"x\"; };");
    const struct tsig_key key = desk_key("k", "secretsecretsecret");
    struct packet packet = packet_of("www.example", DNS_TYPE_A, DNS_FLAG_RD | DNS_FLAG_CD);

    (void)state;
    packet_add_opt(&packet, 0, false);
    packet.bytes[packet.length - 4] = 0x80; /* DO */
    struct tsig_exchange exchange = packet_sign(&packet, &key, time_now());
    desk->tcp = true;
    dispatch_set_query_log(desk->dispatch, true);
    desk_ask_packet(desk, &packet);
    assert_true(desk_logged(desk, "/key k (www.example): query: www.example IN A "
                                  "+SE(0)TDC (127.0.0.1)"));
    tsig_exchange_clear(&exchange);
    desk_close(desk);
}

static void the_longest_names_fit_a_line(void **state)
{
    struct desk *desk = desk_open("zone . { type primary; file \"x\"; allow-query { none; }; };");
    struct packet packet = packet_of(".", DNS_TYPE_A, 0);
    size_t at = DNS_HEADER_BYTES;

    (void)state;
    for (int label = 0; label < 4; label++) {
        uint8_t length = label < 3 ? 63 : 61;
        packet.bytes[at] = length;
        memset(packet.bytes + at + 1, 0xFF, length);
        at += 1u + length;
    }
    memcpy(packet.bytes + at, "\0\0\1\0\1", 5);
    packet.length = at + 5;
    desk_ask_packet(desk, &packet);
    assert_int_equal(desk_rcode(desk), DNS_RCODE_REFUSED);
    assert_true(desk_logged(desk, "/A/IN' denied (allow-query did not match)\n"));
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_names_client_key_question_and_view),
        cmocka_unit_test(the_query_line_has_binds_flags),
        cmocka_unit_test(the_longest_names_fit_a_line),
    };
    int failed = RUN_TABLE(rows, the_response_fits);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
