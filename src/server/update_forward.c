#include "server/update_forward.h"

#include "base/mem.h"
#include "dns/reply.h"
#include "dns/rrtype.h"
#include "keeper/managed_zone.h"
#include "keeper/refresh.h"
#include "keeper/remote_text.h"
#include "server/arrival.h"
#include "server/late_answer.h"
#include "server/questions.h"
#include "server/server.h"

enum { CONNECT_SECONDS = 10, TOTAL_SECONDS = 30 };

struct update_forward {
    struct arrival arrival; /* first member */
    struct server *server;  /* once the keeper's thread has it */
    struct update_forward *next;
    struct update_forward **back; /* what points to it in the server's list; NULL: nothing */
    struct late_answer *answer;
    struct buffer wire;
    struct dns_name apex;
    char *view, *client;
    uint16_t rrclass;
    size_t tried; /* so many primaries */
    void *asked;  /* the question that is out; NULL: none */
    char from[REMOTE_TEXT_BYTES];
};

static void forward_free(struct update_forward *forward)
{
    if (forward->back != NULL) {
        *forward->back = forward->next;
        if (forward->next != NULL) {
            forward->next->back = forward->back;
        }
        forward->server->update_forwards_count--;
    }
    buffer_free(&forward->wire);
    mem_free(forward->view);
    mem_free(forward->client);
    mem_free(forward);
}

static void drop(struct arrival *arrival)
{
    struct update_forward *forward = (struct update_forward *)arrival;
    late_answer_drop(forward->answer);
    forward_free(forward);
}

static void give_up(struct update_forward *forward, const char *why)
{
    char zone[DNS_NAME_TEXT_BYTES];
    log_write(LOG_UPDATE, SEVERITY_WARNING, "%s: forwarding update for zone '%s' failed: %s",
              forward->client, dns_name_to_text_short(&forward->apex, zone), why);
    late_answer_give(forward->answer, DNS_RCODE_SERVFAIL, time_now());
    forward_free(forward);
}

/* --- the primaries in turn -------------------------------------------------------------------- */

/* Says it nothing about the update, so that another primary may do better? */
static bool is_of_no_use(const struct dns_message *response)
{
    uint16_t rcode = dns_reply_rcode(response);
    bool not_there = rcode == DNS_RCODE_NOTAUTH && response->tsig_offset == 0;
    return rcode == DNS_RCODE_SERVFAIL || rcode == DNS_RCODE_NOTIMP || not_there;
}

/* The next one; NULL: there is none, or the zone is a secondary no more. A reload may have changed
 * them meanwhile. */
static const struct remote *next_primary(const struct update_forward *forward,
                                         const void **out_access)
{
    struct managed_zone *zone = NULL;
    size_t found = keeper_find(forward->server->keeper, &forward->apex, forward->rrclass,
                               forward->view, &zone);
    const struct zone_settings *settings = found == 1 ? managed_zone_settings(zone) : NULL;
    const struct refresh_settings *refresh = settings == NULL ? NULL : settings->refresh;
    if (refresh == NULL || forward->tried >= refresh->primaries_count) {
        return NULL;
    }
    *out_access = settings->access;
    return &refresh->primaries[forward->tried].remote;
}

static void ask_next(struct update_forward *forward);

/* Another primary is asked only where this one cannot have taken the update. */
static bool hear(void *argument, const struct keeper_heard *heard)
{
    struct update_forward *forward = argument;
    struct dns_message response;
    forward->asked = NULL;
    if (heard->unsent) {
        log_write(LOG_UPDATE, SEVERITY_DEBUG, "%s: forwarded update: %s: %s", forward->client,
                  forward->from, sg_result_text(heard->result));
        ask_next(forward);
        return false;
    }
    if (heard->result != SG_OK || dns_message_parse(heard->message, &response) != SG_OK) {
        char *why = mem_format("%s: %s", forward->from,
                               heard->result != SG_OK ? sg_result_text(heard->result)
                                                      : "a malformed response");
        give_up(forward, why);
        mem_free(why);
        return false;
    }
    const void *access;
    if (is_of_no_use(&response) && next_primary(forward, &access) != NULL) {
        ask_next(forward);
        return false;
    }
    log_write(LOG_UPDATE, SEVERITY_DEBUG, "%s: forwarded update: %s answers %s", forward->client,
              forward->from, dns_rcode_to_text(dns_reply_rcode(&response)));
    late_answer_pass(forward->answer, heard->message);
    forward_free(forward);
    return false;
}

static void ask_next(struct update_forward *forward)
{
    const void *access = NULL;
    const struct remote *primary = next_primary(forward, &access);
    if (primary == NULL) {
        give_up(forward, forward->tried == 0 ? "it has no primaries" : "no primary took it");
        return;
    }
    forward->tried++;
    remote_text(primary, forward->from);
    const struct keeper_question question = {
        .kind = KEEPER_QUESTION_FORWARD,
        .remote = primary,
        .access = access,
        .message = buffer_span(&forward->wire),
        .tcp = true,
        .timeout = CONNECT_SECONDS,
        .idle_timeout = TOTAL_SECONDS,
        .total_timeout = TOTAL_SECONDS,
    };
    forward->asked = questions_ask(forward->server, &question, hear, forward);
    if (forward->asked == NULL) { /* a bogus one, or there is no socket: each is tried once */
        ask_next(forward);
    }
}

/* --- in and out ------------------------------------------------------------------------------- */

static void take(struct arrival *arrival, struct server *server)
{
    struct update_forward *forward = (struct update_forward *)arrival;
    forward->server = server;
    forward->next = server->update_forwards;
    forward->back = &server->update_forwards;
    if (forward->next != NULL) {
        forward->next->back = &forward->next;
    }
    server->update_forwards = forward;
    if (++server->update_forwards_count > UPDATE_FORWARDS_MAX) {
        give_up(forward, "too many are under way");
        return;
    }
    ask_next(forward);
}

size_t update_forward_answer(const struct request *request, const struct zone_slot *slot,
                             uint8_t *out_bytes, size_t bytes_max)
{
    char prefix[REQUEST_PREFIX_BYTES];
    struct late_answer *answer = request->inbox != NULL ? late_answer_new(request) : NULL;
    if (answer == NULL) {
        return request_refuse(request, DNS_RCODE_SERVFAIL, REQUEST_ERROR_NONE, out_bytes,
                              bytes_max);
    }
    struct update_forward *forward = mem_alloc_zero(1, sizeof(*forward));
    forward->arrival.kind = ARRIVAL_UPDATE;
    forward->arrival.bytes = request->message->wire.length;
    forward->arrival.take = take;
    forward->arrival.drop = drop;
    forward->answer = answer;
    forward->apex = slot->apex;
    forward->rrclass = slot->rrclass;
    forward->view = mem_copy_text(front_zone(slot)->view->name);
    forward->client = mem_copy_text(request_prefix(request, prefix));
    forward->wire = BUFFER_EMPTY;
    buffer_append(&forward->wire, request->message->wire.bytes, request->message->wire.length);
    if (!arrival_send(request->inbox, &forward->arrival)) {
        give_up(forward, "too many updates wait");
    }
    return 0;
}

void update_forwards_end(struct server *server)
{
    while (server->update_forwards != NULL) {
        struct update_forward *forward = server->update_forwards;
        if (forward->asked != NULL) {
            questions_cancel(forward->asked);
        }
        drop(&forward->arrival);
    }
}
