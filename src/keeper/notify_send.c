#include "keeper/notify_send.h"

#include "base/mem.h"
#include "keeper/rate.h"

/* Whom a zone tells; in a heap while it is due some time. */
struct notify_target {
    struct heap_node due; /* first member */
    struct notify_zone *zone;
    struct notify_ask *ask; /* out; NULL: none */
    struct remote remote;
    unsigned attempts;
    sg_time sent_at;
    bool startup;
};

struct notify_ask {
    struct notify_ask *next;
    struct notify_ask **back;
    struct notify_target *target; /* NULL: outdated */
};

/* Two lines, so that a change does not wait behind a hundred thousand zones that start. */
struct line {
    struct heap due;
    struct rate rate;
};

struct notify_sender {
    struct line usual, startup;
    struct notify_ask *asks;
    size_t out;
};

struct notify_sender *notify_sender_new(unsigned rate, unsigned startup_rate)
{
    struct notify_sender *sender = mem_alloc_zero(1, sizeof(*sender));

    notify_sender_set_rates(sender, rate, startup_rate);
    return sender;
}

void notify_sender_set_rates(struct notify_sender *sender, unsigned rate, unsigned startup_rate)
{
    sender->usual.rate.per_second = rate;
    sender->startup.rate.per_second = startup_rate;
}

static void ask_free(struct notify_sender *sender, struct notify_ask *ask)
{
    *ask->back = ask->next;
    if (ask->next != NULL) {
        ask->next->back = ask->back;
    }
    sender->out--;
    mem_free(ask);
}

void notify_sender_free(struct notify_sender *sender)
{
    while (sender->asks != NULL) {
        ASSERT(sender->asks->target == NULL);
        ask_free(sender, sender->asks);
    }
    heap_free(&sender->usual.due);
    heap_free(&sender->startup.due);
    mem_free(sender);
}

static struct heap *line_of(struct notify_sender *sender, const struct notify_target *target)
{
    return target->startup ? &sender->startup.due : &sender->usual.due;
}

/* Forget the targets; what is out is answered to nobody. */
static void forget(struct notify_sender *sender, struct notify_zone *zone)
{
    for (size_t i = 0; i < zone->targets_count; i++) {
        struct notify_target *target = &zone->targets[i];
        heap_remove(line_of(sender, target), &target->due);
        if (target->ask != NULL) {
            target->ask->target = NULL;
        }
    }
    mem_free(zone->targets);
    zone->targets = NULL;
    zone->targets_count = 0;
    zone->targets_left = 0;
}

void notify_send_clear(struct notify_sender *sender, struct notify_zone *zone)
{
    forget(sender, zone);
}

/* The key and origin that the list has for this server now. */
static void adopt_remote(struct remote *remote, const struct remote *also, size_t also_count)
{
    remote->key = NULL;
    remote->origin = NULL;
    for (size_t i = 0; i < also_count; i++) {
        if (remote_equal(remote, &also[i])) {
            *remote = also[i];
            return;
        }
    }
}

void notify_send_adopt(struct notify_sender *sender, struct notify_zone *zone,
                       const struct remote *also, size_t also_count)
{
    (void)sender;
    for (size_t i = 0; i < zone->targets_count; i++) {
        adopt_remote(&zone->targets[i].remote, also, also_count);
    }
}

/* Its messages may be due, and wait for their turn. */
static bool is_unsent(const struct notify_zone *zone)
{
    for (size_t i = 0; i < zone->targets_count; i++) {
        if (zone->targets[i].attempts > 0) {
            return false;
        }
    }
    return zone->targets_count > 0;
}

/* When the next set of messages may begin: one of which nothing was sent yet is joined. */
static sg_time set_begins(const struct notify_zone *zone, sg_duration delay, sg_time now)
{
    if (!zone->told || now - zone->began_at >= delay || zone->began_at - now > delay) {
        return now; /* the last case: the clock was set back */
    }
    return zone->began_at > now || is_unsent(zone) ? zone->began_at : zone->began_at + delay;
}

void notify_send_changed(struct notify_sender *sender, struct notify_zone *zone,
                         const struct notify_news *news, const struct notify_targets *targets,
                         sg_time now)
{
    sg_time begins_at = set_begins(zone, news->delay, now);
    forget(sender, zone);
    zone->owner = news->owner;
    zone->serial = news->serial;
    if (targets->count == 0) {
        return;
    }
    zone->began_at = begins_at;
    zone->told = true;
    zone->targets = mem_alloc_zero(targets->count, sizeof(*zone->targets));
    zone->targets_count = targets->count;
    zone->targets_left = targets->count;
    for (size_t i = 0; i < targets->count; i++) {
        struct notify_target *target = &zone->targets[i];
        target->zone = zone;
        target->remote = targets->remotes[i];
        target->startup = news->startup;
        heap_put(line_of(sender, target), &target->due, zone->began_at);
    }
}

static struct notify_target *take_due(struct line *line, sg_time now)
{
    struct heap_node *first = heap_first(&line->due);

    if (first == NULL || first->key > now || !rate_take(&line->rate, now)) {
        return NULL;
    }
    heap_remove(&line->due, first);
    return (struct notify_target *)first;
}

bool notify_send_next(struct notify_sender *sender, sg_time now, struct notify_order *out_order)
{
    struct notify_target *target = take_due(&sender->usual, now);

    if (target == NULL) {
        target = take_due(&sender->startup, now);
    }
    if (target == NULL) {
        return false;
    }
    struct notify_ask *ask = mem_alloc_zero(1, sizeof(*ask));
    ask->target = target;
    ask->next = sender->asks;
    ask->back = &sender->asks;
    if (sender->asks != NULL) {
        sender->asks->back = &ask->next;
    }
    sender->asks = ask;
    sender->out++;
    target->ask = ask;
    target->attempts++;
    target->sent_at = now;
    *out_order = (struct notify_order){
        .ask = ask,
        .owner = target->zone->owner,
        .remote = target->remote,
        .serial = target->zone->serial,
        .attempt = target->attempts,
        .timeout = NOTIFY_TIMEOUT,
    };
    return true;
}

static sg_time line_wake(const struct line *line, sg_time now)
{
    const struct heap_node *first = heap_first(&line->due);

    if (first == NULL) {
        return INT64_MAX;
    }
    if (first->key > now) {
        return first->key;
    }
    return rate_allows(&line->rate, now) ? now : now + 1;
}

sg_time notify_send_wake(const struct notify_sender *sender, sg_time now)
{
    sg_time usual = line_wake(&sender->usual, now);
    sg_time startup = line_wake(&sender->startup, now);
    return usual < startup ? usual : startup;
}

static enum notify_verdict target_done(struct notify_sender *sender, struct notify_zone *zone,
                                       enum notify_verdict verdict)
{
    if (--zone->targets_left == 0) {
        forget(sender, zone);
    }
    return verdict;
}

enum notify_verdict notify_send_answered(struct notify_sender *sender, struct notify_ask *ask,
                                         enum sg_result result, uint16_t rcode, sg_time now)
{
    struct notify_target *target = ask->target;

    ask_free(sender, ask);
    if (target == NULL) {
        return NOTIFY_OUTDATED;
    }
    target->ask = NULL;
    if (result == SG_OK && rcode == DNS_RCODE_NOERROR) {
        return target_done(sender, target->zone, NOTIFY_TOLD);
    }
    /* SERVFAIL may pass; whoever answers otherwise has decided (RFC 1996 3.6 ends with any
     * response). */
    if (result == SG_OK && rcode != DNS_RCODE_SERVFAIL) {
        return target_done(sender, target->zone, NOTIFY_REFUSED);
    }
    if (target->attempts >= NOTIFY_TRIES_MAX) {
        return target_done(sender, target->zone, NOTIFY_GIVEN_UP);
    }
    /* From when it was sent: an answer that comes at once shall not hurry us. */
    sg_time again = target->sent_at + ((sg_time)NOTIFY_TIMEOUT << (target->attempts - 1));
    heap_put(line_of(sender, target), &target->due, again > now ? again : now);
    return NOTIFY_AGAIN;
}

/* What has begun to be told or waits for its second try is meant from now; a zone's next set joins
 * none of another day (set_begins()). */
void notify_send_clock_set_back(struct notify_sender *sender, sg_duration by)
{
    heap_shift(&sender->usual.due, -by);
    heap_shift(&sender->startup.due, -by);
    for (struct notify_ask *ask = sender->asks; ask != NULL; ask = ask->next) {
        if (ask->target != NULL) {
            ask->target->sent_at -= by;
        }
    }
}

size_t notify_send_out(const struct notify_sender *sender)
{
    return sender->out;
}
