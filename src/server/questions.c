#include "server/questions.h"

#include "base/mem.h"
#include "server/server.h"
#include "server/system_resolvers.h"
#include "server/zone_peers.h"

/* One question that is out. */
struct question {
    struct server *server;
    keeper_hear *hear;
    void *argument;
    struct peer_exchange *exchange;
};

static bool hear(void *argument, struct peer_exchange *exchange, const struct peer_answer *answer)
{
    struct question *question = argument;
    const struct keeper_heard heard = {
        .result = answer->event == PEER_MESSAGE ? SG_OK : answer->result,
        .message = answer->message,
        .settled = answer->settled,
        .unsent = answer->unsent,
    };
    (void)exchange;
    keeper_note_time(question->server->keeper, time_now());
    uv_async_send(&question->server->loop.woken); /* It may have given the keeper work. */
    bool more = question->hear(question->argument, &heard) && answer->event == PEER_MESSAGE;
    if (!more) {
        mem_free(question);
    }
    return more;
}

/* NULL: it makes no difference where the question comes from. */
static const struct conf_source *source_of_zone(const struct conf_zone *zone,
                                                enum keeper_question_kind kind)
{
    switch (kind) {
    case KEEPER_QUESTION_SOA:
    case KEEPER_QUESTION_TRANSFER:
    case KEEPER_QUESTION_FORWARD:
        return &zone->options->transfer_in.source;
    case KEEPER_QUESTION_NOTIFY:
    case KEEPER_QUESTION_SERIAL:
        return &zone->options->notify.source;
    case KEEPER_QUESTION_DS:
    case KEEPER_QUESTION_PUSH:
        return &zone->options->parent.source;
    case KEEPER_QUESTION_LOOKUP:
        return NULL;
    }
    UNREACHABLE();
}

static const struct conf_source *source_of_peer(const struct conf_peer *peer,
                                                enum keeper_question_kind kind)
{
    switch (kind) {
    case KEEPER_QUESTION_SOA:
    case KEEPER_QUESTION_TRANSFER:
    case KEEPER_QUESTION_FORWARD:
        return &peer->transfer_source;
    case KEEPER_QUESTION_NOTIFY:
    case KEEPER_QUESTION_SERIAL:
        return &peer->notify_source;
    case KEEPER_QUESTION_DS: /* a `server` statement has no source for it */
    case KEEPER_QUESTION_PUSH:
    case KEEPER_QUESTION_LOOKUP:
        return NULL;
    }
    UNREACHABLE();
}

static const struct net_address *address_of(const struct conf_source *source, bool v6)
{
    if (source == NULL) {
        return NULL;
    }
    return v6 ? (source->has_v6 ? &source->v6 : NULL) : (source->has_v4 ? &source->v4 : NULL);
}

/* What the list's own entry says, then a `server` statement, then the zone; NULL: the kernel
 * chooses. */
static const struct net_address *choose_source(const struct keeper_question *question,
                                               const struct net_address *server)
{
    const struct conf_zone *zone = question->access;
    const struct conf_remote *entry = question->remote->origin;
    const struct conf_peer *peer = conf_peer_find(zone->view, server);
    const struct net_address *source = NULL;
    bool v6 = net_address_is_v6(server);
    if (entry != NULL && entry->has_source && net_address_is_v6(&entry->source) == v6) {
        return &entry->source;
    }
    if (peer != NULL) {
        source = address_of(source_of_peer(peer, question->kind), v6);
    }
    return source != NULL ? source : address_of(source_of_zone(zone, question->kind), v6);
}

/* `server { bogus yes; }`: nobody speaks to it, whatever list it is in. */
static bool is_bogus(void *argument, const void *access, const struct remote *remote)
{
    const struct conf_zone *zone = access;
    struct net_address address;
    (void)argument;
    remote_address(remote, &address);
    const struct conf_peer *peer = conf_peer_find(zone->view, &address);
    return peer != NULL && peer->bogus;
}

void *questions_ask(struct server *server, const struct keeper_question *asked,
                    keeper_hear *hear_it, void *hear_argument)
{
    bool as_it_is = asked->kind == KEEPER_QUESTION_FORWARD;
    struct net_address address;
    remote_address(asked->remote, &address);
    if (is_bogus(server, asked->access, asked->remote)) {
        return NULL;
    }
    struct question *question = mem_alloc_zero(1, sizeof(*question));
    question->server = server;
    question->hear = hear_it;
    question->argument = hear_argument;
    const struct peer_question wire = {
        .server = &address,
        .source = choose_source(asked, &address),
        .key = as_it_is ? NULL : asked->remote->key,
        .as_it_is = as_it_is,
        .message = asked->message,
        .tcp = asked->tcp,
        .udp_only = !asked->tcp,
        .udp_tries = asked->udp_tries,
        .udp_timeout = asked->timeout,
        .connect_timeout = asked->timeout,
        .idle_timeout = asked->idle_timeout,
        .total_timeout = asked->total_timeout,
    };
    if (peer_ask(server->peers, &wire, hear, question, &question->exchange) != SG_OK) {
        mem_free(question);
        return NULL;
    }
    return question;
}

void questions_cancel(void *asked)
{
    struct question *question = asked;
    peer_cancel(question->exchange);
    mem_free(question);
}

static void *ask(void *argument, const struct keeper_question *asked, keeper_hear *hear_it,
                 void *hear_argument)
{
    return questions_ask(argument, asked, hear_it, hear_argument);
}

static void cancel(void *argument, void *asked)
{
    (void)argument;
    questions_cancel(asked);
}

static bool is_ours(void *argument, const struct remote *remote)
{
    const struct server *server = argument;
    const struct net_address *bound;
    size_t count = net_bound(server->net, &bound);
    struct net_address address;
    remote_address(remote, &address);
    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&bound[i], &address)) {
            return true;
        }
    }
    return false;
}

static bool reaches_ipv6(void *argument)
{
    (void)argument;
    return system_has_ipv6_route();
}

struct keeper_asker questions_open(struct server *server)
{
    server->peers = peer_desk_new(&server->loop.uv);
    return (struct keeper_asker){
        .ask = ask,
        .cancel = cancel,
        .is_ours = is_ours,
        .is_bogus = is_bogus,
        .reaches_ipv6 = reaches_ipv6,
        .argument = server,
    };
}

static void closed(void *argument)
{
    struct server *server = argument;
    server->peers = NULL;
}

void questions_close(struct server *server)
{
    if (server->peers != NULL) {
        peer_desk_close(server->peers, closed, server);
    }
}
