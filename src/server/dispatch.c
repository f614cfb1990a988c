#include "server/dispatch.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/access.h"
#include "server/notify_in.h"
#include "server/request.h"
#include "server/sig0_in.h"
#include "server/transfer_out.h"
#include "server/update_in.h"
#include "zone/prefetch.h"

enum { PREFETCH_MIN = 3 }; /* Fewer have nothing to do while they wait. */

struct dispatch {
    struct front *front; /* epoch_publish(); NULL at first */
    bool query_log;      /* relaxed atomic */
    struct inbox *inbox;
    struct transfer_quota transfers;
    struct stats stats;
};

/* What a net thread has for itself; too large for the stack, and warm in the cache. */
struct desk_thread {
    struct dispatch *desk;
    struct nsec3_hasher *hasher;
    struct request request;
    struct tsig_exchange tsig;
    struct tsig_key signer; /* of a SIG(0): a name without a secret */
    struct sig0_allowance allowance;
    struct answer answer;
    /* Messages that are parsed already, of the batch that is being answered. */
    const struct front *front; /* what they were looked up in */
    size_t parsed_count, parsed_next;
    const struct parsed *present; /* the message that is being answered */
    struct parsed {
        struct dns_message message;
        const uint8_t *bytes;
        enum sg_result result;
        bool looked_up;               /* the zone is known, too */
        const struct zone_slot *slot; /* NULL: none of ours */
    } parsed[NET_BATCH_MAX];
};

/* The reply that is being written. */
struct reply {
    uint8_t *bytes;
    size_t bytes_max;
    struct net_stream **stream; /* NULL over UDP */
};

static size_t refuse(const struct request *request, uint16_t rcode, enum request_error error,
                     const struct reply *reply)
{
    return request_refuse(request, rcode, error, reply->bytes, reply->bytes_max);
}

/* --- who asks ------------------------------------------------------------------------------- */

/*
 * Ports of echo, daytime, chargen and time, and none: whatever comes from there is no client, and
 * answering it might go on forever.
 */
static bool is_suspicious_port(uint16_t port)
{
    return port == 0 || port == 7 || port == 13 || port == 19 || port == 37;
}

static bool is_unwanted(const struct request *request)
{
    const struct net_request *net = request->net;
    const struct conf_acl *blackhole = request->front->conf->options.blackhole;

    if (!net->tcp && is_suspicious_port(net_address_port(net->client))) {
        return true;
    }
    return blackhole != NULL && conf_acl_matches(blackhole, net->client, net->local, NULL);
}

static void count_arrival(const struct request *request)
{
    const struct dns_edns *edns = &request->message->edns;

    stats_count(request->counters, request->net->tcp ? STATS_TCP : STATS_UDP);
    if (net_address_is_v6(request->net->client)) {
        stats_count(request->counters, STATS_IPV6);
    }
    if (edns->present) {
        stats_count(request->counters, STATS_EDNS);
    }
    if (edns->dnssec_ok) {
        stats_count(request->counters, STATS_DNSSEC_OK);
    }
}

/* The same number is BADVERS in the header and BADSIG in a TSIG. */
static const char *tsig_error_text(uint16_t error)
{
    return error == DNS_RCODE_BADSIG ? "BADSIG" : dns_rcode_to_text(error);
}

static const struct front_view *choose_view(const struct request *request)
{
    const struct front_client client = {
        .address = request->net->client,
        .local = request->net->local,
        .key = request->key,
        .rrclass = request->message->qclass,
        .recursive = (request->message->flags & DNS_FLAG_RD) != 0,
    };
    return front_view_find(request->front, &client);
}

/* A client of a primary whose keys are not ours (RFC 2136 6). */
static bool is_anothers(struct request *request, const struct tsig_exchange *tsig)
{
    if (tsig->error != DNS_RCODE_BADKEY || request->message->opcode != DNS_OPCODE_UPDATE) {
        return false;
    }
    request->view = choose_view(request);
    return update_in_is_passed_on(request);
}

/* Check the TSIG. NOERROR, FORMERR or NOTAUTH; with NOTAUTH the response's TSIG tells why. */
static uint16_t authenticate(struct desk_thread *thread)
{
    struct request *request = &thread->request;
    const struct conf *conf = request->front->conf;
    char key[DNS_NAME_TEXT_BYTES];

    request->now = time_now();
    enum sg_result result =
        tsig_verify_request(request->message, (const struct tsig_key *const *)conf->keys,
                            conf->keys_count, request->now, &thread->tsig);
    if (result == SG_OK) {
        request->key = thread->tsig.key;
        request->tsig = &thread->tsig;
        stats_count(request->counters, STATS_SIGNED);
        return DNS_RCODE_NOERROR;
    }
    stats_count(request->counters, STATS_TSIG_FAILED);
    if (result == SG_MALFORMED) {
        return DNS_RCODE_FORMERR;
    }
    if (is_anothers(request, &thread->tsig)) {
        tsig_exchange_clear(&thread->tsig);
        return DNS_RCODE_NOERROR;
    }
    request->tsig = &thread->tsig;
    request_log(request, LOG_SECURITY, SEVERITY_ERROR,
                "request has invalid signature: TSIG %s: tsig verify failure (%s)",
                dns_name_to_text_short(&thread->tsig.key_name, key),
                tsig_error_text(thread->tsig.error));
    return DNS_RCODE_NOTAUTH;
}

/*
 * A SIG(0) is worth its price where something is changed, and where a handshake has shown that the
 * client is where it says; elsewhere it is passed over, as any record that nobody asked for.
 */
static bool wants_sig0(const struct request *request)
{
    return request->message->sig0_offset != 0 && request->key == NULL &&
           (request->message->opcode == DNS_OPCODE_UPDATE || request->net->tcp);
}

static size_t refuse_sig0(struct request *request, enum sg_result why, const struct reply *reply)
{
    request->key = NULL;
    request_log(request, LOG_SECURITY, SEVERITY_ERROR, "request has invalid signature: SIG(0): %s",
                sg_result_text(why));
    return refuse(request, why == SG_MALFORMED ? DNS_RCODE_FORMERR : DNS_RCODE_NOTAUTH,
                  REQUEST_ERROR_NONE, reply);
}

/*
 * The same by public key. False: it is refused, by the response of that length. A request that the
 * signer may not make is refused, or goes on as nobody's, before its signature is looked at.
 */
static bool authenticate_sig0(struct desk_thread *thread, const struct reply *reply,
                              size_t *out_length)
{
    struct request *request = &thread->request;
    struct sig0 sig0;

    enum sg_result result = sig0_parse(request->message, &sig0);
    if (result != SG_OK) {
        *out_length = refuse_sig0(request, result, reply);
        return false;
    }
    thread->signer.name = sig0.signer;
    request->key = &thread->signer;
    request->key_is_claimed = true;
    if (request->message->opcode == DNS_OPCODE_UPDATE) {
        *out_length = update_in_refuse(request, reply->bytes, reply->bytes_max);
        if (*out_length > 0) {
            return false;
        }
    } else if (!sig0_in_is_of_use(request)) {
        request->key = NULL;
        request->key_is_claimed = false;
        return true;
    }
    result = sig0_in_verify(request, &sig0, time_now(), &thread->allowance);
    request->key_is_claimed = false;
    if (result != SG_OK) {
        *out_length = refuse_sig0(request, result, reply);
    }
    return result == SG_OK;
}

/* Classes that no zone can have: 0, NONE, ANY (as BIND answers them). */
static bool is_meta_class(uint16_t rrclass)
{
    return rrclass == 0 || rrclass == DNS_CLASS_NONE || rrclass == DNS_CLASS_ANY;
}

/* --- what is asked -------------------------------------------------------------------------- */

static bool may_enter(void *argument, const struct zone_slot *slot)
{
    return access_query(argument, slot);
}

static void count_answer(const struct request *request, const struct answer *answer)
{
    static const enum stats_counter by_kind[] = {
        [ANSWER_POSITIVE] = STATS_POSITIVE,
        [ANSWER_NODATA] = STATS_NODATA,
        [ANSWER_NXDOMAIN] = STATS_NXDOMAIN,
        [ANSWER_REFERRAL] = STATS_REFERRAL,
    };

    if (answer->kind <= ANSWER_REFERRAL) {
        stats_count(request->counters, by_kind[answer->kind]);
    }
}

static void log_denied(const struct request *request)
{
    char name[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    char rrclass[DNS_TYPE_TEXT_BYTES];

    request_log(request, LOG_SECURITY, SEVERITY_INFO,
                "query '%s/%s/%s' denied (allow-query did not match)",
                dns_name_to_text_short(&request->message->qname, name),
                dns_type_to_text(request->message->qtype, type),
                dns_class_to_text(request->message->qclass, rrclass));
}

/* DS lives in the parent (RFC 4035 3.1.4.1). */
static const struct zone_slot *find_slot(const struct zone_table *table,
                                         const struct dns_message *message)
{
    return zone_table_find(table, &message->qname, message->qtype == DNS_TYPE_DS);
}

static size_t answer_from_zone(struct desk_thread *thread, const struct reply *reply)
{
    struct request *request = &thread->request;
    const struct dns_message *message = request->message;
    const struct zone_table *table = request->view->table;
    const struct zone_slot *slot =
        thread->present->looked_up ? thread->present->slot : find_slot(table, message);

    if (slot == NULL) {
        return refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_NOT_AUTHORITATIVE, reply);
    }
    if (!access_query(request, slot)) {
        log_denied(request);
        return refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_PROHIBITED, reply);
    }
    const struct answer_context context = {
        .table = table,
        .slot = slot,
        .minimal = front_options(slot)->access.minimal_responses,
        .minimal_any = request->view->conf->minimal_any,
        .hasher = thread->hasher,
        .may_enter = may_enter,
        .argument = request,
    };
    answer_build(&context, message, &thread->answer);
    count_answer(request, &thread->answer);
    enum request_error error =
        thread->answer.kind == ANSWER_SERVFAIL ? REQUEST_ERROR_NOT_READY : REQUEST_ERROR_NONE;
    return request_answer(request, &thread->answer, error, reply->bytes, reply->bytes_max);
}

static size_t answer_query(struct desk_thread *thread, const struct reply *reply)
{
    struct request *request = &thread->request;
    uint16_t qtype = request->message->qtype;

    stats_count(request->counters, STATS_QUERIES);
    if (request->message->qclass == DNS_CLASS_CH) {
        stats_count(request->counters, STATS_CHAOS);
    }
    if (__atomic_load_n(&thread->desk->query_log, __ATOMIC_RELAXED)) {
        request_log_query(request);
    }
    if (qtype == DNS_TYPE_AXFR || qtype == DNS_TYPE_IXFR) {
        const struct transfer_desk desk = {
            .quota = &thread->desk->transfers,
            .hasher = thread->hasher,
            .answer = &thread->answer,
        };
        return transfer_out_answer(&desk, request, reply->bytes, reply->bytes_max, reply->stream);
    }
    return answer_from_zone(thread, reply);
}

/* --- the order of a request (RFC 1035, 6891, 8945) ------------------------------------------ */

static size_t answer_message(struct desk_thread *thread, enum sg_result parsed,
                             const struct reply *reply)
{
    struct request *request = &thread->request;
    struct dns_message *message = request->message;

    if (message->opcode != DNS_OPCODE_QUERY && message->opcode != DNS_OPCODE_NOTIFY &&
        message->opcode != DNS_OPCODE_UPDATE) {
        message->has_question = false; /* Its sections may mean anything, but for OPT. */
        message->edns.present = parsed == SG_OK && message->edns.present;
        if (message->edns.present && message->edns.version > 0) {
            return refuse(request, DNS_RCODE_BADVERS, REQUEST_ERROR_NONE, reply);
        }
        return refuse(request, DNS_RCODE_NOTIMP, REQUEST_ERROR_NONE, reply);
    }
    if (parsed != SG_OK || !message->has_question) {
        return refuse(request, DNS_RCODE_FORMERR, REQUEST_ERROR_NONE, reply);
    }
    if (message->edns.present && message->edns.version > 0) {
        return refuse(request, DNS_RCODE_BADVERS, REQUEST_ERROR_NONE, reply);
    }
    if (message->tsig_offset != 0) {
        uint16_t rcode = authenticate(thread);
        if (rcode != DNS_RCODE_NOERROR) {
            return refuse(request, rcode, REQUEST_ERROR_NONE, reply);
        }
    }
    if (is_meta_class(message->qclass)) {
        return refuse(request, DNS_RCODE_FORMERR, REQUEST_ERROR_NONE, reply);
    }
    request->view = choose_view(request);
    if (request->view == NULL) {
        return refuse(request, DNS_RCODE_REFUSED, REQUEST_ERROR_NOT_AUTHORITATIVE, reply);
    }
    size_t length;
    if (wants_sig0(request) && !update_in_is_passed_on(request) &&
        !authenticate_sig0(thread, reply, &length)) {
        return length;
    }
    switch (message->opcode) {
    case DNS_OPCODE_NOTIFY:
        return notify_in_answer(request, reply->bytes, reply->bytes_max);
    case DNS_OPCODE_UPDATE:
        return update_in_answer(request, reply->bytes, reply->bytes_max);
    default:
        return answer_query(thread, reply);
    }
}

/* The message's turn in its batch; parsed now where there was none. */
static enum sg_result take_message(struct desk_thread *thread, struct span wire)
{
    struct parsed *parsed = &thread->parsed[0];

    if (thread->parsed_next < thread->parsed_count) {
        parsed = &thread->parsed[thread->parsed_next++];
        ASSERT(parsed->bytes == wire.bytes);
    } else {
        thread->front = epoch_read(&thread->desk->front);
        parsed->result = dns_message_parse(wire, &parsed->message);
        parsed->looked_up = false;
    }
    thread->present = parsed;
    thread->request.front = thread->front;
    thread->request.message = &parsed->message;
    return parsed->result;
}

static size_t dispatch_request(void *argument, void *thread_state, const struct net_request *net,
                               uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream)
{
    struct desk_thread *thread = thread_state;
    struct request *request = &thread->request;
    const struct reply reply = {out_bytes, bytes_max, out_stream};

    (void)argument;
    request->net = net;
    request->view = NULL;
    request->key = NULL;
    request->key_is_claimed = false;
    request->tsig = NULL;
    enum sg_result result = take_message(thread, net->wire);
    if (request->front == NULL) {
        return 0;
    }
    if (result == SG_NO_SPACE || (request->message->flags & DNS_FLAG_QR) != 0 ||
        is_unwanted(request)) {
        stats_count(request->counters, STATS_DROPPED);
        return 0;
    }
    count_arrival(request);
    size_t length = answer_message(thread, result, &reply);
    if (request->tsig != NULL) {
        tsig_exchange_clear(request->tsig);
    }
    return length;
}

/* Look up the zone of a question, where no view has to be chosen first. Its version, or NULL. */
static const struct zone_version *look_up(const struct front *front, struct parsed *parsed)
{
    const struct dns_message *message = &parsed->message;

    parsed->looked_up = parsed->result == SG_OK && message->has_question && front->takes_all &&
                        message->qclass == DNS_CLASS_IN;
    if (!parsed->looked_up) {
        return NULL;
    }
    parsed->slot = find_slot(front->views[0].table, message);
    return parsed->slot != NULL ? zone_slot_version(parsed->slot) : NULL;
}

static void prepare_batch(void *argument, void *thread_state, const struct net_request *requests,
                          size_t count)
{
    const struct dispatch *desk = argument;
    struct desk_thread *thread = thread_state;
    struct zone_prefetch questions[NET_BATCH_MAX];
    size_t questions_count = 0;

    ASSERT(count <= NET_BATCH_MAX);
    thread->front = epoch_read(&desk->front);
    thread->parsed_next = 0;
    thread->parsed_count = thread->front != NULL ? count : 0;
    for (size_t i = 0; i < thread->parsed_count; i++) {
        struct parsed *parsed = &thread->parsed[i];
        parsed->bytes = requests[i].wire.bytes;
        parsed->result = dns_message_parse(requests[i].wire, &parsed->message);
        const struct zone_version *version = look_up(thread->front, parsed);
        if (version != NULL) {
            questions[questions_count++] = (struct zone_prefetch){version, &parsed->message.qname};
        }
    }
    if (questions_count >= PREFETCH_MIN) {
        zone_prefetch(questions, questions_count);
    }
}

static void *thread_open(void *argument, bool tcp)
{
    struct dispatch *desk = argument;
    struct desk_thread *thread = mem_alloc_zero(1, sizeof(*thread));

    (void)tcp;
    thread->desk = desk;
    thread->hasher = nsec3_hasher_new();
    thread->request.counters = stats_take(&desk->stats);
    thread->request.inbox = desk->inbox;
    return thread;
}

static void thread_close(void *argument, void *thread_state)
{
    struct desk_thread *thread = thread_state;

    (void)argument;
    stats_give_back(thread->request.counters);
    nsec3_hasher_free(thread->hasher);
    mem_free(thread);
}

struct dispatch *dispatch_new(struct inbox *inbox)
{
    struct dispatch *desk = mem_alloc_zero(1, sizeof(*desk));
    desk->inbox = inbox;

    stats_init(&desk->stats);
    return desk;
}

void dispatch_free(struct dispatch *desk)
{
    if (desk == NULL) {
        return;
    }
    ASSERT(dispatch_transfers(desk) == 0);
    front_free(desk->front);
    stats_clear(&desk->stats);
    mem_free(desk);
}

struct net_service dispatch_service(struct dispatch *desk)
{
    return (struct net_service){
        .thread_start = thread_open,
        .thread_stop = thread_close,
        .prepare = prepare_batch,
        .answer = dispatch_request,
        .argument = desk,
    };
}

void dispatch_publish(struct dispatch *desk, struct front *front)
{
    struct front *before = desk->front;

    epoch_publish(&desk->front, front);
    if (before != NULL) {
        front_retire(before);
    }
}

void dispatch_set_query_log(struct dispatch *desk, bool on)
{
    __atomic_store_n(&desk->query_log, on, __ATOMIC_RELAXED);
}

bool dispatch_query_log(const struct dispatch *desk)
{
    return __atomic_load_n(&desk->query_log, __ATOMIC_RELAXED);
}

void dispatch_counts(const struct dispatch *desk, struct stats_counts *out_counts)
{
    stats_sum(&desk->stats, out_counts);
}

unsigned dispatch_transfers(const struct dispatch *desk)
{
    return __atomic_load_n(&desk->transfers.running, __ATOMIC_RELAXED);
}
