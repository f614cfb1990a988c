#include "server/transfer_out.h"

#include <stddef.h>
#include <stdio.h>

#include "answer/ixfr.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "server/access.h"

enum {
    SOA_NUMBERS_BYTES = 20, /* serial, refresh, retry, expire, minimum */
    IDLE_SECONDS_DEFAULT = 3600,
    TIME_SECONDS_DEFAULT = 7200,
    /* What fits a datagram is small; the rest is not worth a look. */
    DATAGRAM_LINKS_MAX = 32,
    DATAGRAM_CHANGESETS_BYTES_MAX = 65536,
};

struct transfer {
    struct net_stream stream;
    struct ixfr *ixfr; /* differences, or */
    struct axfr *axfr; /* the whole zone; the other is NULL */
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

static struct axfr_totals totals_of(const struct transfer *transfer)
{
    return transfer->ixfr != NULL ? ixfr_totals(transfer->ixfr) : axfr_totals(transfer->axfr);
}

/* Whoever asks for it again gets the present version. */
static bool is_unwanted(const struct net_stream *stream)
{
    const struct transfer *transfer =
        (const struct transfer *)((const char *)stream - offsetof(struct transfer, stream));

    return transfer->axfr != NULL && axfr_is_unwanted(transfer->axfr);
}

static size_t next_message(struct net_stream *stream, uint8_t *out_bytes)
{
    struct transfer *transfer = transfer_of(stream);
    struct tsig_exchange *tsig = transfer->is_signed ? &transfer->tsig : NULL;
    sg_time now = transfer->is_signed ? time_now() : 0;

    if (is_unwanted(stream)) {
        return NET_STREAM_BROKEN;
    }
    size_t length = transfer->ixfr != NULL ? ixfr_next(transfer->ixfr, tsig, now, out_bytes)
                                           : axfr_next(transfer->axfr, tsig, now, out_bytes);
    return length == 0 && totals_of(transfer).broken ? NET_STREAM_BROKEN : length;
}

static void log_end(const struct transfer *transfer, bool complete)
{
    struct axfr_totals totals = totals_of(transfer);
    uint64_t ms = (time_monotonic_ns() - transfer->started_ns) / 1000000;
    uint64_t bytes_per_second = totals.bytes * 1000 / (ms > 0 ? ms : 1);

    if (!complete) {
        log_write(LOG_XFER_OUT, SEVERITY_ERROR, "%s aborted after %llu messages, %llu bytes%s",
                  transfer->name, (unsigned long long)totals.messages,
                  (unsigned long long)totals.bytes,
                  is_unwanted(&transfer->stream)
                      ? ": it is too slow, too much of the zone has changed meanwhile"
                      : "");
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
    ixfr_free(transfer->ixfr);
    axfr_free(transfer->axfr);
    if (transfer->is_signed) {
        tsig_exchange_clear(&transfer->tsig);
    }
    mem_wipe(&transfer->key, sizeof(transfer->key));
    mem_free(transfer->name);
    mem_free(transfer);
}

/* What is asked for, and of which version it is answered. */
struct wanted {
    const struct zone_slot *slot;
    const struct zone_version *version;
    bool incremental;
    uint32_t serial; /* what the client has, with `incremental` */
};

/* "client ...: transfer of 'example/IN': IXFR" */
static char *transfer_name(const struct request *request, const struct wanted *wanted,
                           const char *kind)
{
    char prefix[REQUEST_PREFIX_BYTES];
    char zone[DNS_NAME_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];

    dns_name_to_text_short(&wanted->slot->apex, zone);
    return mem_format("%s: transfer of '%s/%s': %s", request_prefix(request, prefix), zone,
                      dns_class_to_text(wanted->slot->rrclass, rrclass), kind);
}

static void log_start(const struct transfer *transfer, const struct request *request,
                      const struct wanted *wanted)
{
    char key[DNS_NAME_TEXT_BYTES];
    char from[32] = "";

    if (transfer->ixfr != NULL) {
        snprintf(from, sizeof(from), "%u -> ", wanted->serial);
    }
    log_write(LOG_XFER_OUT, SEVERITY_INFO, "%s started%s%s (serial %s%u)", transfer->name,
              request->key != NULL ? ": TSIG " : "",
              request->key != NULL ? dns_name_to_text_short(&request->key->name, key) : "", from,
              transfer->serial);
}

/* `ixfr`, which is taken, or, if it is NULL, the whole zone. */
static struct net_stream *open_transfer(const struct transfer_desk *desk,
                                        const struct request *request, const struct wanted *wanted,
                                        struct ixfr *ixfr)
{
    const struct conf_zone_limits *limits = &front_options(wanted->slot)->limits;
    struct transfer *transfer = mem_alloc_zero(1, sizeof(*transfer));

    transfer->stream = (struct net_stream){
        .next = next_message,
        .close = close_transfer,
        .is_unwanted = is_unwanted,
        .time_max = limits->transfer_time_out_max > 0 ? limits->transfer_time_out_max
                                                      : TIME_SECONDS_DEFAULT,
        .idle_max = limits->transfer_idle_out_max > 0 ? limits->transfer_idle_out_max
                                                      : IDLE_SECONDS_DEFAULT,
    };
    transfer->ixfr = ixfr;
    transfer->axfr = ixfr == NULL ? axfr_new(wanted->version, request->message) : NULL;
    transfer->quota = desk->quota;
    transfer->serial = zone_version_facts(wanted->version)->serial;
    transfer->started_ns = time_monotonic_ns();
    if (request->tsig != NULL) {
        transfer->is_signed = true;
        transfer->key = *request->key;
        transfer->tsig = *request->tsig;
        transfer->tsig.key = &transfer->key;
    }
    transfer->name = transfer_name(request, wanted,
                                   ixfr != NULL          ? "IXFR"
                                   : wanted->incremental ? "AXFR-style IXFR"
                                                         : "AXFR");
    log_start(transfer, request, wanted);
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

static bool fits_no_datagram(const struct zone_history_link *const *links, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += zone_history_changeset(links[i]).length;
    }
    return bytes > DATAGRAM_CHANGESETS_BYTES_MAX;
}

/* What changed since the client's serial; NULL: it is not told. */
static struct ixfr *find_differences(const struct request *request, const struct wanted *wanted)
{
    bool tcp = request->net->tcp;
    size_t links_max = tcp ? ZONE_HISTORY_LINKS_MAX : DATAGRAM_LINKS_MAX;
    unsigned ratio_percent = front_options(wanted->slot)->limits.ixfr_ratio_percent;
    uint32_t ours = zone_version_facts(wanted->version)->serial;
    struct ixfr *ixfr = NULL;

    if (!access_ixfr(request)) {
        return NULL;
    }
    const struct zone_history_link **links =
        mem_alloc(links_max * sizeof(const struct zone_history_link *));
    size_t count =
        zone_history_collect(&wanted->slot->history, wanted->serial, ours, links, links_max);
    if (!tcp && fits_no_datagram(links, count)) {
        for (size_t i = 0; i < count; i++) {
            zone_history_unref(links[i]);
        }
        count = 0;
    }
    if (count > 0 &&
        ixfr_new(wanted->version, links, count, ratio_percent, request->message, &ixfr) != SG_OK) {
        ixfr = NULL;
    }
    mem_free(links);
    return ixfr;
}

/* Differences in one datagram; 0: there are none, or they do not fit. */
static size_t answer_with_differences(const struct request *request, const struct wanted *wanted,
                                      uint8_t *out_bytes, size_t bytes_max)
{
    struct ixfr *ixfr = find_differences(request, wanted);

    if (ixfr == NULL) {
        return 0;
    }
    size_t length = ixfr_single(ixfr, request->tsig, request->now, out_bytes,
                                request_bytes_max(request, bytes_max));
    if (length > 0) {
        char *name = transfer_name(request, wanted, "IXFR");
        log_write(LOG_XFER_OUT, SEVERITY_INFO,
                  "%s ended: 1 messages, %llu records, %zu bytes, UDP (serial %u -> %u)", name,
                  (unsigned long long)ixfr_totals(ixfr).records, length, wanted->serial,
                  zone_version_facts(wanted->version)->serial);
        mem_free(name);
        stats_count(request->counters, STATS_TRANSFERS);
    }
    ixfr_free(ixfr);
    return length;
}

static size_t refuse(const struct request *request, uint16_t rcode, uint8_t *out_bytes,
                     size_t bytes_max)
{
    stats_count(request->counters, STATS_TRANSFERS_REFUSED);
    return request_refuse(request, rcode, REQUEST_ERROR_NONE, out_bytes, bytes_max);
}

/* Which rcode refuses the transfer; NOERROR: none, and the version is `out_version`. */
static uint16_t judge(const struct request *request, const struct zone_slot *slot,
                      const struct zone_version **out_version)
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
    *out_version = zone_slot_version(slot);
    return *out_version == NULL ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR;
}

/* A stream, if there is room for one more. */
static size_t answer_with_stream(const struct transfer_desk *desk, struct request *request,
                                 const struct wanted *wanted, uint8_t *out_bytes, size_t bytes_max,
                                 struct net_stream **out_stream)
{
    if (!quota_take(desk->quota, request->front->conf->options.rates.transfers_out)) {
        request_log(request, LOG_XFER_OUT, SEVERITY_WARNING,
                    "zone transfer request denied: quota reached");
        return refuse(request, DNS_RCODE_SERVFAIL, out_bytes, bytes_max);
    }
    stats_count(request->counters, STATS_TRANSFERS);
    struct ixfr *ixfr = wanted->incremental ? find_differences(request, wanted) : NULL;
    *out_stream = open_transfer(desk, request, wanted, ixfr);
    return 0;
}

size_t transfer_out_answer(const struct transfer_desk *desk, struct request *request,
                           uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream)
{
    const struct dns_message *message = request->message;
    const struct zone_slot *slot = zone_table_exact(request->view->table, &message->qname);
    struct wanted wanted = {.slot = slot, .incremental = message->qtype == DNS_TYPE_IXFR};
    uint16_t rcode = judge(request, slot, &wanted.version);

    if (rcode != DNS_RCODE_NOERROR) {
        return refuse(request, rcode, out_bytes, bytes_max);
    }
    if (!wanted.incremental) {
        return answer_with_stream(desk, request, &wanted, out_bytes, bytes_max, out_stream);
    }
    if (read_serial(message, &wanted.serial) != SG_OK) {
        request_log(request, LOG_XFER_OUT, SEVERITY_INFO,
                    "bad zone transfer request: IXFR request missing SOA (FORMERR)");
        return refuse(request, DNS_RCODE_FORMERR, out_bytes, bytes_max);
    }
    if (serial_compare(wanted.serial, zone_version_facts(wanted.version)->serial) >= 0) {
        return answer_with_soa(desk, request, slot, out_bytes, bytes_max);
    }
    if (!request->net->tcp) {
        size_t length = answer_with_differences(request, &wanted, out_bytes, bytes_max);
        return length > 0 ? length : answer_with_soa(desk, request, slot, out_bytes, bytes_max);
    }
    return answer_with_stream(desk, request, &wanted, out_bytes, bytes_max, out_stream);
}
