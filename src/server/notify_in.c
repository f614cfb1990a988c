#include "server/notify_in.h"

#include "base/mem.h"
#include "dns/reply.h"
#include "dns/rrtype.h"
#include "server/access.h"
#include "server/arrival.h"
#include "server/server.h"
#include "server/zone_peers.h"

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

/* A NOTIFY on its way to the keeper. */
struct notify_in {
    struct arrival arrival; /* first member */
    struct dns_name apex;
    char *view;
    uint16_t rrclass;
    struct remote from;
    bool has_hint;
    struct dns_soa hint;
};

static void drop(struct arrival *arrival)
{
    struct notify_in *in = (struct notify_in *)arrival;
    mem_free(in->view);
    mem_free(in);
}

static void take(struct arrival *arrival, struct server *server)
{
    struct notify_in *in = (struct notify_in *)arrival;
    struct managed_zone *zone = NULL;
    if (keeper_find(server->keeper, &in->apex, in->rrclass, in->view, &zone) == 1) {
        keeper_notified(server->keeper, zone, &in->from, in->has_hint ? &in->hint : NULL);
    }
    drop(arrival);
}

static void send_to_keeper(const struct request *request, const struct zone_slot *slot)
{
    if (request->inbox == NULL) {
        return;
    }
    struct notify_in *in = mem_alloc_zero(1, sizeof(*in));
    in->arrival.kind = ARRIVAL_NOTIFY;
    in->arrival.take = take;
    in->arrival.drop = drop;
    in->apex = slot->apex;
    in->rrclass = slot->rrclass;
    in->view = mem_copy_text(front_zone(slot)->view->name);
    remote_of_address(request->net->client, &in->from);
    in->has_hint = dns_reply_soa(request->message, &in->hint) == SG_OK;
    if (!arrival_send(request->inbox, &in->arrival)) {
        drop(&in->arrival); /* It will ask by itself (RFC 1996 4.1). */
    }
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
    if (secondary) {
        send_to_keeper(request, slot);
    }
    return acknowledge(request, out_bytes, bytes_max);
}
