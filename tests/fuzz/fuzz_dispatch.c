/*
 * Any bytes, over UDP and TCP, into a front desk with a small signed zone: what comes back must be
 * a response to them, and parse; a transfer must end.
 *
 * The first byte chooses: bit 0 TCP, bit 1 sign the packet with a key that the desk knows, so
 * that what lies behind TSIG is reached, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/dispatch.h"
#include "zone/zonefile.h"

enum { RESPONSE_BYTES_MAX = 4096, MESSAGES_MAX = 100, SIGNED_BYTES_MAX = 4096 };

static const char configuration[] =
    "key k { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0c2VjcmV0\"; };\n"
    "options { server-id \"fuzz\"; allow-transfer { any; }; transfers-out 1000; };\n"
    "view one { match-clients { key k; }; match-destinations { any; };\n"
    "  zone example { type primary; file \"one\"; allow-update { key k; }; }; };\n"
    "view two { zone example { type primary; file \"two\"; };\n"
    "  zone sub.example { type secondary; file \"three\"; primaries { 127.0.0.1; }; }; };\n";

static const char zone_text[] =
    "$TTL 300\n@ SOA ns host 5 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\nns AAAA 2001:db8::1\n"
    "*.w TXT \"wild\"\na CNAME b\nb CNAME c.w\nd DNAME w\nsub NS ns.sub\nsub DS 1 13 2 "
    "0000000000000000000000000000000000000000000000000000000000000000\nns.sub A 192.0.2.3\n"
    "mx MX 10 mail\nmail A 192.0.2.4\nsrv SRV 0 0 53 mail\n"
    "@ NSEC a.example. NS SOA RRSIG NSEC\n"
    "@ RRSIG SOA 13 1 300 20360101000000 20260101000000 1 example. AAAA\n"
    "a NSEC example. CNAME RRSIG NSEC\n";

static struct dispatch *desk;
static struct net_service service;
static void *threads[2];
static struct zone_slot slots[3];

static void quiet(void *argument, enum log_category category, int severity, const char *line)
{
    (void)argument;
    (void)category;
    (void)severity;
    (void)line;
}

static const struct zone_version *make_version(const struct dns_name *apex)
{
    const struct zonefile_options options = {.path = "fuzz"};
    struct zonefile_report report = {0};
    struct zone_edit *edit = zone_edit_new(apex, DNS_CLASS_IN);
    const struct zone_version *version;

    if (zonefile_load_text(edit, &options, span_of_text(zone_text), &report) != SG_OK ||
        zone_edit_seal(edit, &version) != SG_OK) {
        abort();
    }
    zonefile_report_clear(&report);
    return version;
}

static void open_desk(void)
{
    struct conf_report report = {0};
    struct zone_slot *lists[] = {&slots[0], &slots[1], &slots[2]};
    const struct front_zones zones[] = {{lists, 1}, {lists + 1, 2}};
    struct conf *conf;
    struct front *front;
    size_t next = 0;

    log_set_sink(quiet, NULL);
    if (conf_load_text("fuzz", span_of_text(configuration), &conf, &report) != SG_OK) {
        abort();
    }
    conf_report_clear(&report);
    for (size_t v = 0; v < conf->views_count; v++) {
        for (size_t i = 0; i < conf->views[v]->zones_count; i++, next++) {
            conf_zone_apex(conf->views[v]->zones[i], &slots[next].apex);
            slots[next].rrclass = DNS_CLASS_IN;
            slots[next].options = conf->views[v]->zones[i];
        }
    }
    slots[0].version = make_version(&slots[0].apex);
    slots[1].version = make_version(&slots[1].apex);
    if (front_new(conf, zones, &front) != SG_OK) {
        abort();
    }
    desk = dispatch_new(NULL);
    dispatch_publish(desk, front);
    dispatch_set_query_log(desk, true);
    service = dispatch_service(desk);
    threads[0] = service.thread_start(service.argument, false);
    threads[1] = service.thread_start(service.argument, true);
}

static void check_response(const uint8_t *bytes, size_t length, struct span request)
{
    struct dns_message response;

    ASSERT(length >= DNS_HEADER_BYTES);
    ASSERT(memcmp(bytes, request.bytes, 2) == 0);
    ASSERT((bytes[2] & 0x80) != 0);
    enum sg_result result = dns_message_parse((struct span){bytes, length}, &response);
    /* One that echoes no question, or a section that we do not read, is FORMERR for a query. */
    ASSERT(result == SG_OK || !response.has_question);
}

static void drain(struct net_stream *stream, uint8_t *room, struct span request)
{
    size_t length;
    unsigned messages = 0;

    while ((length = stream->next(stream, room)) > 0) {
        check_response(room, length, request);
        messages++;
        ASSERT(messages < MESSAGES_MAX);
    }
    stream->close(stream, true);
}

/* The packet with a good TSIG behind it, where that is possible. */
static struct span sign(struct span packet, uint8_t *room)
{
    struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 18};
    struct tsig_exchange exchange;

    if (packet.length < DNS_HEADER_BYTES || packet.length > SIGNED_BYTES_MAX / 2) {
        return packet;
    }
    memcpy(key.secret, "secretsecretsecret", 18);
    if (dns_name_from_text("k", 1, NULL, &key.name) != SG_OK) {
        abort();
    }
    memcpy(room, packet.bytes, packet.length);
    size_t length =
        tsig_sign_request(&key, time_now(), room, packet.length, SIGNED_BYTES_MAX, &exchange);
    tsig_exchange_clear(&exchange);
    return length > 0 ? (struct span){room, length} : packet;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static uint8_t response[DNS_MESSAGE_BYTES_MAX];
    static uint8_t room[SIGNED_BYTES_MAX];
    struct net_address client;
    struct net_address local;
    struct net_stream *stream = NULL;

    if (desk == NULL) {
        open_desk();
    }
    if (length == 0 || length > DNS_MESSAGE_BYTES_MAX ||
        net_address_from_text("127.0.0.1", 5300, &client) != SG_OK ||
        net_address_from_text("::1", 53, &local) != SG_OK) {
        return 0;
    }
    bool tcp = (bytes[0] & 1) != 0;
    /* A copy of its own size, so that reading past the end is seen. */
    uint8_t *copy = mem_alloc(length > 1 ? length - 1 : 1);
    memcpy(copy, bytes + 1, length - 1);
    struct span wire = {copy, length - 1};
    if ((bytes[0] & 2) != 0) {
        wire = sign(wire, room);
    }
    const struct net_request request = {
        .wire = wire, .client = &client, .local = &local, .tcp = tcp};
    size_t got = service.answer(service.argument, threads[tcp], &request, response,
                                tcp ? sizeof(response) : RESPONSE_BYTES_MAX, tcp ? &stream : NULL);
    if (stream != NULL) {
        drain(stream, response, wire);
    } else if (got > 0) {
        check_response(response, got, wire);
    }
    mem_free(copy);
    return 0;
}
