/*
 * A front desk with small zones, without sockets: packets in, responses and log lines out.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/dispatch.h"
#include "support/table.h"
#include "zone/zonefile.h"

enum { DESK_ZONES_MAX = 16, DESK_LOG_BYTES = 1 << 16 };

/* Every zone whose file is not called "none..." holds this. */
#define DESK_ZONE                                                                                  \
    "$TTL 300\n@ SOA ns hostmaster 5 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\n"                \
    "www A 192.0.2.2\nalias CNAME www.closed.\n"

#define DESK_KEY "key k { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0c2VjcmV0\"; };\n"

struct desk {
    struct conf *conf;
    struct zone_slot slots[DESK_ZONES_MAX];
    size_t slots_count;
    struct dispatch *dispatch;
    struct net_service service;
    void *thread;
    struct net_address client, local;
    bool tcp;
    uint8_t reply[DNS_MESSAGE_BYTES_MAX];
    size_t length;
    struct net_stream *stream;
    struct buffer log;
};

static inline void desk_log(void *argument, enum log_category category, int severity,
                            const char *line)
{
    struct desk *desk = argument;
    buffer_format(&desk->log, "%s %s: %s\n", log_category_text(category),
                  log_severity_text(severity), line);
}

static inline bool desk_logged(struct desk *desk, const char *text)
{
    return strstr(buffer_text(&desk->log), text) != NULL;
}

static inline struct dns_name desk_name(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static inline const struct zone_version *desk_version(const struct dns_name *apex, const char *text)
{
    struct zone_edit *edit = zone_edit_new(apex, DNS_CLASS_IN);
    const struct zonefile_options options = {.path = "desk"};
    struct zonefile_report report = {0};
    const struct zone_version *version;

    assert_int_equal(zonefile_load_text(edit, &options, span_of_text(text), &report), SG_OK);
    zonefile_report_clear(&report);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static inline struct conf *desk_conf(const char *text)
{
    struct conf_report report = {0};
    struct conf *conf = NULL;

    enum sg_result result = conf_load_text("desk", span_of_text(text), &conf, &report);
    for (size_t i = 0; i < report.count && result != SG_OK; i++) {
        print_message("%u: %s\n", report.problems[i].line, report.problems[i].text);
    }
    assert_int_equal(result, SG_OK);
    conf_report_clear(&report);
    return conf;
}

/* The desk's slots for all zones of the conf, and the front over them. */
static inline struct front *desk_front(struct desk *desk, const struct conf *conf)
{
    struct zone_slot *lists[DESK_ZONES_MAX];
    struct front_zones zones[DESK_ZONES_MAX];
    struct front *front;
    size_t next = 0;

    for (size_t v = 0; v < conf->views_count; v++) {
        const struct conf_view *view = conf->views[v];
        zones[v] = (struct front_zones){lists + next, view->zones_count};
        for (size_t i = 0; i < view->zones_count; i++) {
            struct zone_slot *slot = &desk->slots[next];
            assert_true(next < DESK_ZONES_MAX);
            conf_zone_apex(view->zones[i], &slot->apex);
            slot->rrclass = DNS_CLASS_IN;
            slot->options = view->zones[i];
            if (slot->version == NULL && strncmp(view->zones[i]->file, "none", 4) != 0) {
                slot->version = desk_version(&slot->apex, DESK_ZONE);
            }
            lists[next++] = slot;
        }
    }
    desk->slots_count = next;
    assert_int_equal(front_new(conf, zones, &front), SG_OK);
    return front;
}

static inline struct desk *desk_open(const char *conf_text)
{
    struct desk *desk = mem_alloc_zero(1, sizeof(*desk));

    desk->log = BUFFER_EMPTY;
    log_set_sink(desk_log, desk);
    desk->conf = desk_conf(conf_text);
    desk->dispatch = dispatch_new(NULL);
    dispatch_publish(desk->dispatch, desk_front(desk, desk->conf));
    desk->service = dispatch_service(desk->dispatch);
    desk->thread = desk->service.thread_start(desk->service.argument, false);
    assert_int_equal(net_address_from_text("127.0.0.1", 5300, &desk->client), SG_OK);
    assert_int_equal(net_address_from_text("127.0.0.1", 53, &desk->local), SG_OK);
    return desk;
}

static inline void desk_close(struct desk *desk)
{
    desk->service.thread_stop(desk->service.argument, desk->thread);
    dispatch_free(desk->dispatch);
    for (size_t i = 0; i < desk->slots_count; i++) {
        if (desk->slots[i].version != NULL) {
            zone_version_unref(desk->slots[i].version);
        }
    }
    epoch_barrier();
    conf_free(desk->conf);
    log_set_sink(NULL, NULL);
    buffer_free(&desk->log);
    mem_free(desk);
}

static inline uint64_t desk_count(const struct desk *desk, enum stats_counter counter)
{
    struct stats_counts counts;
    dispatch_counts(desk->dispatch, &counts);
    return counts.counters[counter];
}

/* The reply is in desk->reply; its length, 0: none, or a stream. */
static inline size_t desk_ask(struct desk *desk, const uint8_t *wire, size_t length)
{
    const struct net_request request = {
        .wire = {wire, length}, .client = &desk->client, .local = &desk->local, .tcp = desk->tcp};

    desk->stream = NULL;
    desk->length = desk->service.answer(desk->service.argument, desk->thread, &request, desk->reply,
                                        desk->tcp ? 65535 : 4096, desk->tcp ? &desk->stream : NULL);
    return desk->length;
}

static inline unsigned desk_flags(const struct desk *desk)
{
    return wire_get_u16(desk->reply + 2);
}

static inline unsigned desk_rcode(const struct desk *desk)
{
    return desk_flags(desk) & 0xF;
}

/* A packet to be built: a header, a question, and more. */
struct packet {
    uint8_t bytes[1024];
    size_t length;
};

static inline struct packet packet_of(const char *name, uint16_t type, uint16_t flags)
{
    struct packet packet = {.length = DNS_HEADER_BYTES};
    struct dns_name qname = desk_name(name);

    wire_put_u16(packet.bytes, 0x1234);
    wire_put_u16(packet.bytes + 2, flags);
    wire_put_u16(packet.bytes + 4, 1);
    memcpy(packet.bytes + packet.length, qname.wire, qname.length);
    packet.length += qname.length;
    wire_put_u16(packet.bytes + packet.length, type);
    wire_put_u16(packet.bytes + packet.length + 2, DNS_CLASS_IN);
    packet.length += 4;
    return packet;
}

static inline void packet_add_opt(struct packet *packet, uint8_t version, bool nsid)
{
    const uint8_t opt[] = {0, 0, 41, 4, 0xD0, 0, version, 0, 0, 0, nsid ? 4 : 0, 0, 3, 0, 0};
    size_t bytes = nsid ? sizeof(opt) : sizeof(opt) - 4;

    memcpy(packet->bytes + packet->length, opt, bytes);
    packet->length += bytes;
    wire_put_u16(packet->bytes + 10, (uint16_t)(wire_get_u16(packet->bytes + 10) + 1));
}

static inline size_t desk_ask_packet(struct desk *desk, const struct packet *packet)
{
    return desk_ask(desk, packet->bytes, packet->length);
}

static inline size_t desk_ask_name(struct desk *desk, const char *name, uint16_t type)
{
    struct packet packet = packet_of(name, type, DNS_FLAG_RD);
    return desk_ask_packet(desk, &packet);
}

/* Sign with a key named `name`; `secret` is 18 bytes. */
static inline struct tsig_key desk_key(const char *name, const char *secret)
{
    struct tsig_key key = {.name = desk_name(name), .algorithm = TSIG_HMAC_SHA256};
    key.secret_length = (uint16_t)strlen(secret);
    memcpy(key.secret, secret, key.secret_length);
    return key;
}

static inline struct tsig_exchange packet_sign(struct packet *packet, const struct tsig_key *key,
                                               sg_time now)
{
    struct tsig_exchange exchange;
    packet->length = tsig_sign_request(key, now, packet->bytes, packet->length,
                                       sizeof(packet->bytes), &exchange);
    assert_true(packet->length > 0);
    return exchange;
}
