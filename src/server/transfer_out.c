#include "server/transfer_out.h"

#include <stddef.h>

#include "answer/axfr.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "server/access.h"

enum {
    SOA_NUMBERS_BYTES = 20, /* serial, refresh, retry, expire, minimum */
    IDLE_SECONDS_DEFAULT = 3600,
    TIME_SECONDS_DEFAULT = 7200,
};

struct transfer {
    struct net_stream stream;
    struct axfr *axfr;
    struct transfer_quota *quota;
    bool is_signed;
    struct tsig_key key; /* a copy: a reload may take the configuration's */
    struct tsig_exchange tsig;
    char *name; /* "client ...: transfer of 'example/IN': AXFR" */
    uint32_t serial;
    uint64_t started_ns;
};

/* --- the stream ----------------------------------------------------------------------------- */

static struct transfer *transfer_of(struct net_stream *stream)
{
    return (struct transfer *)((char *)stream - offsetof(struct transfer, stream));
}

static size_t next_message(struct net_stream *stream, uint8_t *out_bytes)
{
    struct transfer *transfer = transfer_of(stream);

    size_t length = transfer->is_signed
                        ? axfr_next(transfer->axfr, &transfer->tsig, time_now(), out_bytes)
                        : axfr_next(transfer->axfr, NULL, 0, out_bytes);
    return length == 0 && axfr_totals(transfer->axfr).broken ? NET_STREAM_BROKEN : length;
}

static void log_end(const struct transfer *transfer, bool complete)
{
    struct axfr_totals totals = axfr_totals(transfer->axfr);
    uint64_t ms = (time_monotonic_ns() - transfer->started_ns) / 1000000;
    uint64_t bytes_per_second = totals.bytes * 1000 / (ms > 0 ? ms : 1);

    if (!complete) {
        log_write(LOG_XFER_OUT, SEVERITY_ERROR, "%s aborted after %llu messages, %llu bytes",
                  transfer->name, (unsigned long long)totals.messages,
                  (unsigned long long)totals.bytes);
        return;
    }
    log_write(LOG_XFER_OUT, SEVERITY_INFO,
              "%s ended: %llu messages, %llu records, %llu bytes, "
              "%llu.%03llu secs (%llu bytes/sec) (serial %u)",
              transfer->name, (unsigned long long)totals.messages,
              (unsigned long long)totals.records, (unsigned long long)totals.bytes,
              (unsigned long long)ms / 1000, (unsigned long long)ms % 1000,
              (unsigned long long)bytes_per_second, transfer->serial);
}

static void close_transfer(struct net_stream *stream, bool complete)
{
    struct transfer *transfer = transfer_of(stream);

    log_end(transfer, complete);
    __atomic_fetch_sub(&transfer->quota->running, 1, __ATOMIC_RELAXED);
    axfr_free(transfer->axfr);
    if (transfer->is_signed) {
        tsig_exchange_clear(&transfer->tsig);
    }
    mem_wipe(&transfer->key, sizeof(transfer->key));
    mem_free(transfer->name);
    mem_free(transfer);
}

/* `kind`: "AXFR" or, for an IXFR that gets the whole zone, "AXFR-style IXFR". */
static struct net_stream *open_transfer(const struct transfer_desk *desk,
                                        const struct request *request, const struct zone_slot *slot,
                                        const char *kind)
{
    const struct zone_version *version = zone_slot_version(slot);
    const struct conf_zone_limits *limits = &front_options(slot)->limits;
    struct transfer *transfer = mem_alloc_zero(1, sizeof(*transfer));
    char prefix[REQUEST_PREFIX_BYTES];
    char zone[DNS_NAME_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];
    char key[DNS_NAME_TEXT_BYTES];

    transfer->stream = (struct net_stream){
        .next = next_message,
        .close = close_transfer,
        .time_max = limits->transfer_time_out_max > 0 ? limits->transfer_time_out_max
                                                      : TIME_SECONDS_DEFAULT,
        .idle_max = limits->transfer_idle_out_max > 0 ? limits->transfer_idle_out_max
                                                      : IDLE_SECONDS_DEFAULT,
    };
    transfer->axfr = axfr_new(version, request->message);
    transfer->quota = desk->quota;
    transfer->serial = zone_version_facts(version)->serial;
    transfer->started_ns = time_monotonic_ns();
    if (request->tsig != NULL) {
        transfer->is_signed = true;
        transfer->key = *request->key;
        transfer->tsig = *request->tsig;
        transfer->tsig.key = &transfer->key;
    }
    dns_name_to_text_short(&slot->apex, zone);
    transfer->name = mem_format("%s: transfer of '%s/%s': %s", request_prefix(request, prefix),
                                zone, dns_class_to_text(slot->rrclass, rrclass), kind);
    log_write(LOG_XFER_OUT, SEVERITY_INFO, "%s started%s%s (serial %u)", transfer->name,
              request->key != NULL ? ": TSIG " : "",
              request->key != NULL ? dns_name_to_text_short(&request->key->name, key) : "",
              transfer->serial);
    return &transfer->stream;
}

static bool quota_take(struct transfer_quota *quota, unsigned limit)
{
    if (__atomic_add_fetch(&quota->running, 1, __ATOMIC_RELAXED) <= limit) {
        return true;
    }
    __atomic_fetch_sub(&quota->running, 1, __ATOMIC_RELAXED);
    return false;
}

/* --- the question --------------------------------------------------------------------------- */

/* The serial of the SOA in the authority section of an IXFR question (RFC 1995 3). */
static enum sg_result read_serial(const struct dns_message *message, uint32_t *out_serial)
{
    struct dns_record soa;

    if (message->counts[2] == 0) {
        return SG_MALFORMED;
    }
    enum sg_result result = dns_record_parse(message->wire, message->section_offsets[1], &soa);
    if (result != SG_OK) {
        return result;
    }
    if (soa.type != DNS_TYPE_SOA || soa.rdata_length < SOA_NUMBERS_BYTES ||
        !dns_name_equal(&soa.owner, &message->qname)) {
        return SG_MALFORMED;
    }
    size_t numbers = soa.rdata_offset + soa.rdata_length - SOA_NUMBERS_BYTES;
    *out_serial = wire_get_u32(message->wire.bytes + numbers);
    return SG_OK;
}

/* Our SOA alone: the client is current, or must come again over TCP (RFC 1995 2 and 4). */
static size_t answer_with_soa(const struct transfer_desk *desk, struct request *request,
                              const struct zone_slot *slot, uint8_t *out_bytes, size_t bytes_max)
{
    const struct answer_context context = {
        .slot = slot,
        .minimal = ANSWER_MINIMAL_YES,
        .hasher = desk->hasher,
    };

    request->message->qtype = DNS_TYPE_SOA; /* The response echoes the packet's own question. */
    request->message->edns.dnssec_ok = false;
    answer_build(&context, request->message, desk->answer);
    return request_answer(request, desk->answer, REQUEST_ERROR_NONE, out_bytes, bytes_max);
}

static size_t refuse(const struct request *request, uint16_t rcode, uint8_t *out_bytes,
                     size_t bytes_max)
{
    stats_count(request->counters, STATS_TRANSFERS_REFUSED);
    return request_refuse(request, rcode, REQUEST_ERROR_NONE, out_bytes, bytes_max);
}

/* Which rcode refuses the transfer; NOERROR: none. */
static uint16_t judge(const struct request *request, const struct zone_slot *slot)
{
    const struct dns_message *message = request->message;
    const char *kind = message->qtype == DNS_TYPE_AXFR ? "AXFR" : "IXFR";
    char zone[DNS_NAME_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];

    dns_name_to_text_short(&message->qname, zone);
    dns_class_to_text(message->qclass, rrclass);
    if (slot == NULL) {
        request_log(request, LOG_XFER_OUT, SEVERITY_INFO,
                    "bad zone transfer request: '%s/%s': non-authoritative zone (NOTAUTH)", zone,
                    rrclass);
        return DNS_RCODE_NOTAUTH;
    }
    if (!access_transfer(request, slot)) {
        request_log(request, LOG_SECURITY, SEVERITY_ERROR, "zone transfer '%s/%s/%s' denied", zone,
                    kind, rrclass);
        return DNS_RCODE_REFUSED;
    }
    if (message->qtype == DNS_TYPE_AXFR && !request->net->tcp) {
        request_log(request, LOG_XFER_OUT, SEVERITY_INFO,
                    "bad zone transfer request: attempted AXFR over UDP (FORMERR)");
        return DNS_RCODE_FORMERR;
    }
    return zone_slot_version(slot) == NULL ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR;
}

size_t transfer_out_answer(const struct transfer_desk *desk, struct request *request,
                           uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream)
{
    const struct dns_message *message = request->message;
    const struct zone_slot *slot = zone_table_exact(request->view->table, &message->qname);
    bool incremental = message->qtype == DNS_TYPE_IXFR;
    uint16_t rcode = judge(request, slot);
    uint32_t serial;

    if (rcode != DNS_RCODE_NOERROR) {
        return refuse(request, rcode, out_bytes, bytes_max);
    }
    if (incremental) {
        if (read_serial(message, &serial) != SG_OK) {
            request_log(request, LOG_XFER_OUT, SEVERITY_INFO,
                        "bad zone transfer request: IXFR request missing SOA (FORMERR)");
            return refuse(request, DNS_RCODE_FORMERR, out_bytes, bytes_max);
        }
        uint32_t ours = zone_version_facts(zone_slot_version(slot))->serial;
        if (!request->net->tcp || serial_compare(serial, ours) >= 0) {
            return answer_with_soa(desk, request, slot, out_bytes, bytes_max);
        }
    }
    if (!quota_take(desk->quota, request->front->conf->options.rates.transfers_out)) {
        request_log(request, LOG_XFER_OUT, SEVERITY_WARNING,
                    "zone transfer request denied: quota "
                    "reached");
        return refuse(request, DNS_RCODE_SERVFAIL, out_bytes, bytes_max);
    }
    stats_count(request->counters, STATS_TRANSFERS);
    *out_stream = open_transfer(desk, request, slot, incremental ? "AXFR-style IXFR" : "AXFR");
    return 0;
}
