#include "base/mem.h"
#include "dns/message.h"
#include "sim/rolls.h"

/* --- questions under way -------------------------------------------------------------------- */

/* Something that will arrive at the keeper. */
struct event {
    sg_time at;
    enum sg_result result; /* SG_OK: a message */
    struct buffer message;
    bool settled;
};

enum { EVENTS_MAX = PRIMARY_MESSAGES_MAX + 2, DELAY_SECONDS_MAX = 20 };

struct sim_question {
    struct sim_question *next;
    uint64_t number;
    keeper_hear *hear;
    void *argument;
    struct sim_zone *teller; /* its secondary tells its serial; NULL: nobody does */
    struct event events[EVENTS_MAX];
    size_t count, delivered;
};

static void add_event(struct sim_question *question, sg_time at, enum sg_result result,
                      struct buffer *message)
{
    ASSERT(question->count < EVENTS_MAX);
    struct event *event = &question->events[question->count++];
    *event = (struct event){.at = at, .result = result, .settled = true};
    if (message != NULL) {
        event->message = *message;
        *message = BUFFER_EMPTY;
    }
}

static void free_question(struct sim_question *question)
{
    for (size_t i = 0; i < question->count; i++) {
        buffer_free(&question->events[i].message);
    }
    mem_free(question);
}

static bool is_lost(struct world *world)
{
    return world->network.dead || world_chance(world, world->network.loss_percent);
}

static sg_duration delay(struct world *world)
{
    return world_chance(world, 70) ? 0 : world_draw(world, DELAY_SECONDS_MAX);
}

/* --- what comes back ------------------------------------------------------------------------ */

static void answer_query(struct world *world, struct sim_zone *zone,
                         const struct keeper_question *asked, struct sim_question *question)
{
    struct primary_answer answer = {.count = 0};
    struct dns_message request;
    sg_time at = world->now;
    if (dns_message_parse(asked->message, &request) != SG_OK) {
        world_fail(world, "a request of the keeper does not parse");
    }
    bool is_there = asked->remote->address[3] != SIM_DEAD_PRIMARY;
    if (is_lost(world) || !is_there) {
        add_event(question, at + asked->timeout * (asked->tcp ? 1 : asked->udp_tries), SG_TIMEOUT,
                  NULL);
        return;
    }
    primary_answer(zone, &request, &answer);
    for (size_t i = 0; i < answer.count; i++) {
        at += delay(world);
        if (asked->tcp && i > 0 && is_lost(world)) { /* the connection breaks */
            add_event(question, at, SG_IO, NULL);
            break;
        }
        add_event(question, at, SG_OK, &answer.messages[i]);
        question->events[question->count - 1].settled = answer.settled;
    }
    if (answer.ends_badly || question->count == 0) {
        add_event(question, at + asked->idle_timeout, SG_TIMEOUT, NULL);
    }
    for (size_t i = 0; i < answer.count; i++) {
        buffer_free(&answer.messages[i]);
    }
}

/* Which serial has the secondary? It refuses as long as it has none. */
static void answer_as_secondary(struct world *world, struct sim_zone *zone,
                                const struct keeper_question *asked, struct sim_question *question)
{
    uint8_t bytes[1024];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    struct dns_message request;
    struct buffer reply = BUFFER_EMPTY;
    const struct observer *observer = &zone->observer;
    bool knows = observer->zone.count > 0;
    if (dns_message_parse(asked->message, &request) != SG_OK) {
        world_fail(world, "a question of the keeper to a secondary does not parse");
    }
    writer_bytes(&writer, asked->message.bytes, request.question_end);
    memset(bytes + 6, 0, 6);
    wire_put_u16(bytes + 2, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA |
                                       (knows ? DNS_RCODE_NOERROR : DNS_RCODE_REFUSED)));
    if (knows) {
        struct record soa;
        sim_zone_soa(zone, observer->serial, &soa);
        record_write(&writer, &soa);
        wire_put_u16(bytes + 6, 1);
    }
    buffer_append(&reply, bytes, writer_length(&writer));
    if (is_lost(world) || world->network.secondaries_are_silent) {
        zone->standing.was_silent = true;
        buffer_free(&reply);
        add_event(question, world->now + asked->timeout * asked->udp_tries, SG_TIMEOUT, NULL);
        return;
    }
    add_event(question, world->now + delay(world), SG_OK, &reply);
    question->teller = knows ? zone : NULL;
}

static void answer_as_agent(struct world *world, struct sim_zone *zone,
                            const struct keeper_question *asked, struct sim_question *question)
{
    struct buffer reply = BUFFER_EMPTY;
    if (is_lost(world) || !parent_answer(zone, asked, &reply)) {
        add_event(question, world->now + asked->timeout, SG_TIMEOUT, NULL);
        return;
    }
    add_event(question, world->now + delay(world), SG_OK, &reply);
}

static void answer_notify(struct world *world, struct sim_zone *zone,
                          const struct keeper_question *asked, struct sim_question *question)
{
    struct dns_message request;
    struct dns_soa soa;
    struct buffer reply = BUFFER_EMPTY;
    if (dns_message_parse(asked->message, &request) != SG_OK ||
        dns_reply_soa(&request, &soa) != SG_OK) {
        world_fail(world, "a NOTIFY of the keeper does not parse");
    }
    if (is_lost(world)) {
        add_event(question, world->now + asked->timeout, SG_TIMEOUT, NULL);
        return;
    }
    zone->observer.told = soa.serial;
    zone->observer.was_told = true;
    watch_observe(zone);
    buffer_append(&reply, asked->message.bytes, request.question_end);
    wire_put_u16(reply.bytes + 2, (uint16_t)(request.flags | DNS_FLAG_QR));
    memset(reply.bytes + 6, 0, 6);
    if (is_lost(world)) {
        buffer_free(&reply);
        add_event(question, world->now + asked->timeout, SG_TIMEOUT, NULL);
        return;
    }
    add_event(question, world->now + delay(world), SG_OK, &reply);
}

/* --- the keeper's door ---------------------------------------------------------------------- */

static struct sim_zone *zone_of(struct world *world, const struct keeper_question *asked)
{
    for (size_t i = 0; i < world->zones_count; i++) {
        if (&world->zones[i] == asked->access) {
            return &world->zones[i];
        }
    }
    world_fail(world, "a question about no zone of ours");
}

static void *ask(void *argument, const struct keeper_question *asked, keeper_hear *hear,
                 void *hear_argument)
{
    struct world *world = argument;
    struct sim_zone *zone = zone_of(world, asked);
    if (world_chance(world, 2)) { /* no socket is to be had */
        zone->standing.was_silent |= asked->kind == KEEPER_QUESTION_SERIAL;
        return NULL;
    }
    struct sim_question *question = mem_alloc_zero(1, sizeof(*question));
    question->number = ++world->network.sequence;
    question->hear = hear;
    question->argument = hear_argument;
    if (asked->kind == KEEPER_QUESTION_SERIAL) {
        answer_as_secondary(world, zone, asked, question);
    } else if (asked->kind == KEEPER_QUESTION_NOTIFY) {
        answer_notify(world, zone, asked, question);
    } else if (asked->kind == KEEPER_QUESTION_DS) {
        answer_as_agent(world, zone, asked, question);
    } else {
        answer_query(world, zone, asked, question);
    }
    question->next = world->network.first;
    world->network.first = question;
    return question;
}

static void forget(struct world *world, struct sim_question *question)
{
    struct sim_question **at = &world->network.first;
    while (*at != question) {
        ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = question->next;
    free_question(question);
}

static void cancel(void *argument, void *asked)
{
    forget(argument, asked);
}

static bool is_ours(void *argument, const struct remote *remote)
{
    (void)argument;
    (void)remote;
    return false;
}

struct keeper_asker network_asker(struct world *world)
{
    return (struct keeper_asker){
        .ask = ask, .cancel = cancel, .is_ours = is_ours, .argument = world};
}

/* --- deliveries ----------------------------------------------------------------------------- */

/* Whichever is first; of those of one second any may be. */
static struct sim_question *earliest(const struct world *world)
{
    struct sim_question *first = NULL;
    for (struct sim_question *q = world->network.first; q != NULL; q = q->next) {
        if (first == NULL || q->events[q->delivered].at < first->events[first->delivered].at) {
            first = q;
        }
    }
    return first;
}

sg_time network_wake(const struct world *world)
{
    const struct sim_question *first = earliest(world);
    return first == NULL ? INT64_MAX : first->events[first->delivered].at;
}

static void deliver(struct world *world, struct sim_question *question)
{
    keeper_note_time(world->keeper, world_clock(world));
    struct event *event = &question->events[question->delivered++];
    const struct keeper_heard heard = {
        .result = event->result,
        .message = buffer_span(&event->message),
        .settled = event->settled,
    };
    keeper_hear *hear = question->hear;
    void *argument = question->argument;
    struct buffer message = event->message; /* the callback may cancel nothing but others */
    event->message = BUFFER_EMPTY;
    bool is_last = question->delivered == question->count;
    bool was_message = heard.result == SG_OK;
    if (is_last && was_message) { /* more is wanted, and nothing comes: the peer closes */
        add_event(question, world->now + 1, SG_IO, NULL);
    }
    uint64_t number = question->number;
    if (question->teller != NULL) {
        upheaval_hear(question->teller);
    }
    bool more = hear(argument, &heard);
    buffer_free(&message);
    for (struct sim_question *q = world->network.first; q != NULL; q = q->next) {
        if (q->number == number && !(more && was_message)) {
            forget(world, q);
            break;
        }
    }
}

void network_turn(struct world *world)
{
    for (struct sim_question *q; (q = earliest(world)) != NULL;) {
        if (q->events[q->delivered].at > world->now) {
            return;
        }
        deliver(world, q);
    }
}

void network_clear(struct world *world)
{
    while (world->network.first != NULL) {
        forget(world, world->network.first);
    }
}
