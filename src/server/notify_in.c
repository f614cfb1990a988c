#include "server/notify_in.h"

#include "dns/rrtype.h"
#include "server/access.h"

/* RFC 1996 4.7: the response says no more than that the message has arrived. */
static size_t acknowledge(const struct request *request, uint8_t *out_bytes, size_t bytes_max)
{
    struct answer answer;

    answer.kind = ANSWER_NODATA;
    answer.rcode = DNS_RCODE_NOERROR;
    answer.authoritative = true;
    answer.count = 0;
    return request_answer(request, &answer, REQUEST_ERROR_NONE, out_bytes, bytes_max);
}

size_t notify_in_answer(const struct request *request, uint8_t *out_bytes, size_t bytes_max)
{
    const struct dns_message *message = request->message;
    char zone[DNS_NAME_TEXT_BYTES];
    char client[NET_ADDRESS_TEXT_BYTES];

    stats_count(request->counters, STATS_NOTIFIES);
    if (message->qtype != DNS_TYPE_SOA) {
        request_log(request, LOG_NOTIFY, SEVERITY_NOTICE,
                    "notify question section contains no SOA");
        return request_refuse(request, DNS_RCODE_FORMERR, REQUEST_ERROR_NONE, out_bytes, bytes_max);
    }
    dns_name_to_text_short(&message->qname, zone);
    const struct zone_slot *slot = zone_table_exact(request->view->table, &message->qname);
    if (slot == NULL) {
        request_log(request, LOG_NOTIFY, SEVERITY_NOTICE,
                    "received notify for zone '%s': not authoritative", zone);
        return request_refuse(request, DNS_RCODE_NOTAUTH, REQUEST_ERROR_NOT_AUTHORITATIVE,
                              out_bytes, bytes_max);
    }
    bool secondary = front_zone(slot)->type == CONF_ZONE_SECONDARY;
    if (secondary && !access_notify(request, slot)) {
        request_log(request, LOG_NOTIFY, SEVERITY_INFO,
                    "zone %s: refused notify from non-primary: %s", zone,
                    net_address_to_text(request->net->client, client));
        return request_refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_PROHIBITED, out_bytes,
                              bytes_max);
    }
    request_log(request, LOG_NOTIFY, SEVERITY_INFO, "received notify for zone '%s'", zone);
    return acknowledge(request, out_bytes, bytes_max);
}
