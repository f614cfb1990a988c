#include "server/update_in.h"

#include "dns/rrtype.h"
#include "server/access.h"

size_t update_in_answer(const struct request *request, uint8_t *out_bytes, size_t bytes_max)
{
    const struct dns_message *message = request->message;
    char zone[DNS_NAME_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];

    stats_count(request->counters, STATS_UPDATES);
    if (message->qtype != DNS_TYPE_SOA) {
        request_log(request, LOG_UPDATE, SEVERITY_INFO,
                    "update failed: update zone section contains non-SOA (FORMERR)");
        return request_refuse(request, DNS_RCODE_FORMERR, REQUEST_ERROR_NONE, out_bytes, bytes_max);
    }
    dns_name_to_text_short(&message->qname, zone);
    const struct zone_slot *slot = zone_table_exact(request->view->table, &message->qname);
    if (slot == NULL) {
        request_log(request, LOG_UPDATE, SEVERITY_INFO,
                    "update failed: %s: not authoritative for update zone (NOTAUTH)", zone);
        return request_refuse(request, DNS_RCODE_NOTAUTH, REQUEST_ERROR_NOT_AUTHORITATIVE,
                              out_bytes, bytes_max);
    }
    dns_class_to_text(slot->rrclass, rrclass);
    bool policy = front_options(slot)->access.update_policy != NULL;
    if (!policy && !access_update(request, slot)) {
        request_log(request, LOG_UPDATE_SECURITY, SEVERITY_INFO, "update '%s/%s' denied", zone,
                    rrclass);
    } else {
        request_log(request, LOG_UPDATE, SEVERITY_ERROR,
                    "update '%s/%s' refused: this version of Signet takes no dynamic updates", zone,
                    rrclass);
    }
    return request_refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_PROHIBITED, out_bytes,
                          bytes_max);
}
