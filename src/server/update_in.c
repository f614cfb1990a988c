#include "server/update_in.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "keeper/managed_zone.h"
#include "server/access.h"
#include "server/arrival.h"
#include "server/late_answer.h"
#include "server/server.h"
#include "server/update_forward.h"
#include "server/update_judges.h"
#include "server/update_policy.h"

/* An update between its net thread and its answer. */
struct update_in {
    struct arrival arrival; /* first member */
    struct keeper_update update;
    struct update_requester requester;
    struct late_answer *answer;
    char *view;
    uint16_t rrclass;
    uint64_t let_in_by;    /* the zone's updates_fingerprint when it was let in */
    struct server *server; /* once the keeper's thread has it */
};

static struct update_in *of_update(struct keeper_update *update)
{
    return (struct update_in *)((char *)update - offsetof(struct update_in, update));
}

static void update_free(struct update_in *in)
{
    buffer_free(&in->update.wire);
    update_questions_free(in->requester.questions);
    mem_free(in->update.client);
    mem_free(in->view);
    mem_free(in);
}

static void done(struct keeper_update *update)
{
    struct update_in *in = of_update(update);
    late_answer_give(in->answer, update->rcode, time_now());
    update_free(in);
}

static void hand_over(void *argument)
{
    struct update_in *in = argument;
    struct managed_zone *zone = NULL;
    size_t found =
        keeper_find(in->server->keeper, &in->update.message.qname, in->rrclass, in->view, &zone);
    if (found != 1) {
        in->update.rcode = DNS_RCODE_NOTAUTH; /* It is no longer configured. */
        done(&in->update);
        return;
    }
    if (managed_zone_settings(zone)->updates_fingerprint != in->let_in_by) {
        in->update.rcode =
            DNS_RCODE_REFUSED; /* A reload has overtaken it: others may update now. */
        done(&in->update);
        return;
    }
    keeper_update(in->server->keeper, zone, &in->update);
}

static void abandon(void *argument)
{
    struct update_in *in = argument;
    late_answer_drop(in->answer);
    update_free(in);
}

static void drop(struct arrival *arrival)
{
    abandon(arrival);
}

/* The daemons of the update-policy first, where it has any for this update. */
static void take(struct arrival *arrival, struct server *server)
{
    struct update_in *in = (struct update_in *)arrival;
    struct update_questions *questions = in->requester.questions;
    in->server = server;
    if (questions == NULL || questions->count == 0) {
        hand_over(in);
        return;
    }
    if (!update_judges_ask(server->judges, questions, hand_over, abandon, in)) {
        log_write(
            LOG_UPDATE, SEVERITY_INFO,
            "%s: update failed: too many wait for what update-policy's daemons say (SERVFAIL)",
            in->update.client);
        in->update.rcode = DNS_RCODE_SERVFAIL;
        done(&in->update);
    }
}

/* Who asks, and what is to be asked about it. False: it would be too much, which is logged. */
static bool learn(const struct request *request, const struct zone_slot *slot,
                  struct update_requester *out_requester)
{
    update_requester_learn(request, out_requester);
    out_requester->questions = update_questions_gather(
        request, slot, front_options(slot)->access.update_policy, out_requester);
    if (out_requester->questions == NULL || !out_requester->questions->too_many) {
        return true;
    }
    request_log(request, LOG_UPDATE, SEVERITY_INFO,
                "update failed: a daemon of update-policy would be asked more than %d questions "
                "(REFUSED)",
                UPDATE_QUESTIONS_MAX);
    update_questions_free(out_requester->questions);
    return false;
}

static size_t send_to_keeper(const struct request *request, const struct zone_slot *slot,
                             uint8_t *out_bytes, size_t bytes_max)
{
    struct update_requester requester;
    if (!learn(request, slot, &requester)) {
        return request_refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_PROHIBITED, out_bytes,
                              bytes_max);
    }
    char prefix[REQUEST_PREFIX_BYTES];
    struct late_answer *answer = request->inbox != NULL ? late_answer_new(request) : NULL;
    if (answer == NULL) {
        update_questions_free(requester.questions);
        return request_refuse(request, DNS_RCODE_SERVFAIL, REQUEST_ERROR_NONE, out_bytes,
                              bytes_max);
    }
    struct update_in *in = mem_alloc_zero(1, sizeof(*in));
    in->arrival.kind = ARRIVAL_UPDATE;
    in->arrival.bytes = request->message->wire.length + update_questions_bytes(requester.questions);
    in->arrival.take = take;
    in->arrival.drop = drop;
    in->answer = answer;
    in->rrclass = slot->rrclass;
    in->view = mem_copy_text(front_zone(slot)->view->name);
    in->let_in_by = front_zone(slot)->updates_fingerprint;
    in->requester = requester;
    in->update.wire = BUFFER_EMPTY;
    buffer_append(&in->update.wire, request->message->wire.bytes, request->message->wire.length);
    in->update.message = *request->message;
    in->update.message.wire = buffer_span(&in->update.wire);
    in->update.client = mem_copy_text(request_prefix(request, prefix));
    in->update.requester = &in->requester;
    in->update.done = done;
    if (!arrival_send(request->inbox, &in->arrival)) {
        in->update.rcode = DNS_RCODE_SERVFAIL;
        done(&in->update);
    }
    return 0;
}

/* An update-policy decides record by record, later; here, whether it has a word for the client. */
static bool may_ask(const struct request *request, const struct zone_slot *slot)
{
    const struct conf_update_policy *policy = front_options(slot)->access.update_policy;
    struct update_requester requester;

    if (policy == NULL) {
        return access_update(request, slot);
    }
    update_requester_learn(request, &requester);
    return update_policy_knows(policy, &requester);
}

/* Is it let in? An update that is not is logged. */
static bool let_in(const struct request *request, const struct zone_slot *slot, const char *zone)
{
    const struct conf_zone *conf = front_zone(slot);
    char rrclass[DNS_TYPE_TEXT_BYTES];
    int severity = SEVERITY_INFO;
    const char *why = "";

    if (conf->type == CONF_ZONE_PRIMARY) {
        if (!access_query_from(request, slot)) {
            why = " due to allow-query"; /* Prerequisites tell what is in the zone. */
            severity = conf_zone_is_dynamic(conf) ? SEVERITY_ERROR : SEVERITY_INFO;
        } else if (may_ask(request, slot)) {
            return true;
        }
    } else if (access_forwarding(request, slot)) {
        return true;
    }
    request_log(request, LOG_UPDATE_SECURITY, severity, "update%s '%s/%s' denied%s",
                conf->type == CONF_ZONE_SECONDARY ? " forwarding" : "", zone,
                dns_class_to_text(slot->rrclass, rrclass), why);
    return false;
}

/* Which zone it is for; NULL: it is refused, by the response of that length. */
static const struct zone_slot *find_zone(const struct request *request, uint8_t *out_bytes,
                                         size_t bytes_max, size_t *out_length)
{
    const struct dns_message *message = request->message;
    char zone[DNS_NAME_TEXT_BYTES];

    if (message->qtype != DNS_TYPE_SOA) {
        request_log(request, LOG_UPDATE, SEVERITY_INFO,
                    "update failed: update zone section contains non-SOA (FORMERR)");
        *out_length =
            request_refuse(request, DNS_RCODE_FORMERR, REQUEST_ERROR_NONE, out_bytes, bytes_max);
        return NULL;
    }
    dns_name_to_text_short(&message->qname, zone);
    const struct zone_slot *slot = zone_table_exact(request->view->table, &message->qname);
    if (slot == NULL) {
        request_log(request, LOG_UPDATE, SEVERITY_INFO,
                    "update failed: %s: not authoritative for update zone (NOTAUTH)", zone);
        *out_length = request_refuse(request, DNS_RCODE_NOTAUTH, REQUEST_ERROR_NOT_AUTHORITATIVE,
                                     out_bytes, bytes_max);
        return NULL;
    }
    if (!let_in(request, slot, zone)) {
        *out_length = request_refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_PROHIBITED,
                                     out_bytes, bytes_max);
        return NULL;
    }
    return slot;
}

size_t update_in_refuse(const struct request *request, uint8_t *out_bytes, size_t bytes_max)
{
    size_t length;

    if (find_zone(request, out_bytes, bytes_max, &length) != NULL) {
        return 0;
    }
    stats_count(request->counters, STATS_UPDATES);
    return length;
}

size_t update_in_answer(const struct request *request, uint8_t *out_bytes, size_t bytes_max)
{
    size_t length;

    stats_count(request->counters, STATS_UPDATES);
    const struct zone_slot *slot = find_zone(request, out_bytes, bytes_max, &length);
    if (slot == NULL) {
        return length;
    }
    return front_zone(slot)->type == CONF_ZONE_SECONDARY
               ? update_forward_answer(request, slot, out_bytes, bytes_max)
               : send_to_keeper(request, slot, out_bytes, bytes_max);
}

bool update_in_is_passed_on(const struct request *request)
{
    const struct dns_message *message = request->message;
    if (message->opcode != DNS_OPCODE_UPDATE || request->view == NULL) {
        return false;
    }
    const struct zone_slot *slot = zone_table_exact(request->view->table, &message->qname);
    return slot != NULL && front_zone(slot)->type == CONF_ZONE_SECONDARY &&
           front_options(slot)->access.allow_update_forwarding != NULL;
}
