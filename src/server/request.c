#include "server/request.h"

#include <stdarg.h>
#include <stdio.h>

#include "dns/rrtype.h"

enum {
    DATAGRAM_BYTES_MIN = 512, /* RFC 1035 4.2.1, RFC 6891 6.2.3 */
    ERROR_OPTION_BYTES = 6,
    LINE_BYTES = 4096,
};

static void count_outcome(const struct request *request, uint16_t rcode, const uint8_t *response)
{
    static const enum stats_counter by_rcode[] = {
        [DNS_RCODE_FORMERR] = STATS_FORMERR, [DNS_RCODE_SERVFAIL] = STATS_SERVFAIL,
        [DNS_RCODE_NOTIMP] = STATS_NOTIMP,   [DNS_RCODE_REFUSED] = STATS_REFUSED,
        [DNS_RCODE_NOTAUTH] = STATS_NOTAUTH,
    };

    if (rcode == DNS_RCODE_BADVERS) {
        stats_count(request->counters, STATS_BADVERS);
    } else if (rcode < ARRAY_LEN(by_rcode) && by_rcode[rcode] != 0) {
        stats_count(request->counters, by_rcode[rcode]);
    }
    if ((wire_get_u16(response + 2) & DNS_FLAG_TC) != 0) {
        stats_count(request->counters, STATS_TRUNCATED);
    }
}

static size_t respond(const struct request *request, const struct answer *answer, uint16_t rcode,
                      enum request_error error, uint8_t *out_bytes, size_t bytes_max)
{
    const struct front *front = request->front;
    uint8_t option[ERROR_OPTION_BYTES];
    struct answer_envelope envelope = {
        .bytes_max = request_bytes_max(request, bytes_max),
        .edns_payload = front->conf->options.edns_payload,
        .nsid = {(const uint8_t *)front->server_id.bytes, front->server_id.length},
        .tsig = request->tsig,
        .now = request->now,
    };

    if (error != REQUEST_ERROR_NONE) {
        wire_put_u16(option, EDNS_OPTION_EDE);
        wire_put_u16(option + 2, 2);
        wire_put_u16(option + 4, (uint16_t)error);
        envelope.extra_options = (struct span){option, sizeof(option)};
    }
    size_t length = answer_render(request->message, answer, rcode, &envelope, out_bytes);
    count_outcome(request, rcode, out_bytes);
    return length;
}

/* What a `server` statement says of the client counts before the option. */
static size_t udp_bytes_max(const struct request *request)
{
    const struct conf_peer *peer =
        request->view == NULL ? NULL : conf_peer_find(request->view->conf, request->net->client);
    return peer != NULL && peer->max_udp_size > 0 ? peer->max_udp_size
                                                  : request->front->conf->options.max_udp_size;
}

size_t request_bytes_max(const struct request *request, size_t bytes_max)
{
    const struct dns_edns *edns = &request->message->edns;
    size_t limit = DATAGRAM_BYTES_MIN;

    if (request->net->tcp) {
        return bytes_max;
    }
    if (edns->present && edns->payload > limit) {
        size_t ours = udp_bytes_max(request);
        limit = edns->payload < ours ? edns->payload : ours;
    }
    if (limit < DATAGRAM_BYTES_MIN) {
        limit = DATAGRAM_BYTES_MIN;
    }
    return limit < bytes_max ? limit : bytes_max;
}

size_t request_answer(const struct request *request, const struct answer *answer,
                      enum request_error error, uint8_t *out_bytes, size_t bytes_max)
{
    return respond(request, answer, answer->rcode, error, out_bytes, bytes_max);
}

size_t request_refuse(const struct request *request, uint16_t rcode, enum request_error error,
                      uint8_t *out_bytes, size_t bytes_max)
{
    return respond(request, NULL, rcode, error, out_bytes, bytes_max);
}

const char *request_prefix(const struct request *request, char out_text[REQUEST_PREFIX_BYTES])
{
    char address[NET_ADDRESS_TEXT_BYTES];
    char name[DNS_NAME_TEXT_BYTES];
    size_t used;

    /* BIND shows a pointer there, so that lines of one request can be told from others'. */
    used = (size_t)snprintf(out_text, REQUEST_PREFIX_BYTES, "client @0x%x %s",
                            (unsigned)request->message->id,
                            net_address_to_text(request->net->client, address));
    if (request->key != NULL) {
        dns_name_to_text_short(&request->key->name, name);
        used += (size_t)snprintf(out_text + used, REQUEST_PREFIX_BYTES - used, "/%skey %.500s",
                                 request->key_is_claimed ? "claimed " : "", name);
    }
    if (request->message->has_question) {
        dns_name_to_text_short(&request->message->qname, name);
        used += (size_t)snprintf(out_text + used, REQUEST_PREFIX_BYTES - used, " (%s)", name);
    }
    if (request->view != NULL && request->front->shows_view) {
        snprintf(out_text + used, REQUEST_PREFIX_BYTES - used, ": view %.200s",
                 request->view->conf->name);
    }
    return out_text;
}

void request_log(const struct request *request, enum log_category category, int severity,
                 const char *format, ...)
{
    char prefix[REQUEST_PREFIX_BYTES];
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    log_write(category, severity, "%s: %s", request_prefix(request, prefix), line);
}

void request_log_query(const struct request *request)
{
    const struct dns_message *message = request->message;
    char name[DNS_NAME_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    char local[NET_ADDRESS_TEXT_BYTES];
    char edns[16] = "";

    if (message->edns.present) {
        snprintf(edns, sizeof(edns), "E(%u)", (unsigned)message->edns.version);
    }
    request_log(request, LOG_QUERIES, SEVERITY_INFO, "query: %s %s %s %s%s%s%s%s%s (%s)",
                dns_name_to_text_short(&message->qname, name),
                dns_class_to_text(message->qclass, rrclass), dns_type_to_text(message->qtype, type),
                (message->flags & DNS_FLAG_RD) != 0 ? "+" : "-", request->key != NULL ? "S" : "",
                edns, request->net->tcp ? "T" : "", message->edns.dnssec_ok ? "D" : "",
                (message->flags & DNS_FLAG_CD) != 0 ? "C" : "",
                net_address_host_text(request->net->local, local));
}
