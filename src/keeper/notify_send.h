/*
 * keeper/notify_send.h - who has been told of a change, and who is still to be (RFC 1996)
 *
 *   changed -> [notify-delay since the last set] -> order -> answered: done
 *                                                     ^          | silence, SERVFAIL
 *                                                     |__________v  15 s, 30, 60, 120 later
 *
 * The first change is told at once, changes within notify-delay after that are told together when
 * it is over. A newer serial makes every target begin anew. After five tries a target is given up:
 * it will ask by itself (refresh). All zones share two rates: startup-notify-rate for what is told
 * because the server has started, notify-rate for the rest.
 *
 * Pure: no clock, no socket. The keeper asks for orders, carries them out and tells what came of
 * them. Memory: a word or two a zone, and a target's while it is being told. Thread: keeper.
 */
#pragma once

#include "base/heap.h"
#include "base/time.h"
#include "keeper/notify_targets.h"

enum { NOTIFY_TRIES_MAX = 5, NOTIFY_TIMEOUT = 15 };

struct notify_sender; /* all zones */
struct notify_target;
struct notify_ask; /* an order that is out */

/* A zone's; embedded in what the keeper remembers of it. Begin with all zero. */
struct notify_zone {
    void *owner;
    struct notify_target *targets; /* not all of them told yet */
    size_t targets_count, targets_left;
    sg_time began_at; /* the last set of messages; may lie ahead */
    bool told;        /* there was one */
    uint32_t serial;
    /* The keeper's, of name servers that it cannot tell (notifying.c). */
    size_t unknown;
    uint32_t unknown_mark; /* of which the log has told */
};

struct notify_sender *notify_sender_new(unsigned rate, unsigned startup_rate);
void notify_sender_free(struct notify_sender *sender); /* the zones have been cleared */
void notify_sender_set_rates(struct notify_sender *sender, unsigned rate, unsigned startup_rate);

struct notify_news {
    void *owner; /* comes back in orders */
    uint32_t serial;
    sg_duration delay; /* notify-delay */
    bool startup;
};
/* Tell `targets` (copied). None: the zone has nobody to tell any more. */
void notify_send_changed(struct notify_sender *sender, struct notify_zone *zone,
                         const struct notify_news *news, const struct notify_targets *targets,
                         sg_time now);
/* A new configuration: keys and origins of those that are still to be told come from its
 * `also` from now on; none for whoever is not among them. */
void notify_send_adopt(struct notify_sender *sender, struct notify_zone *zone,
                       const struct remote *also, size_t also_count);
/* Tell nobody any more, e.g. since the zone goes. */
void notify_send_clear(struct notify_sender *sender, struct notify_zone *zone);

struct notify_order {
    struct notify_ask *ask; /* to be given back with notify_send_answered(), once */
    void *owner;
    struct remote remote;
    uint32_t serial;
    unsigned attempt;    /* from 1 */
    sg_duration timeout; /* how long to wait for the answer, with one packet */
};
/* What is to be sent now; false: nothing more at present. */
bool notify_send_next(struct notify_sender *sender, sg_time now, struct notify_order *out_order);
/* When to ask again; INT64_MAX: when something has changed. */
sg_time notify_send_wake(const struct notify_sender *sender, sg_time now);

enum notify_verdict {
    NOTIFY_TOLD,     /* NOERROR */
    NOTIFY_REFUSED,  /* another rcode: it has heard, and does not want to */
    NOTIFY_AGAIN,    /* will be tried again */
    NOTIFY_GIVEN_UP, /* no more tries */
    NOTIFY_OUTDATED, /* nobody waits for it: a newer serial, or a zone that went */
};
/* What came of an order: SG_OK and the answer's rcode, or why there was none. */
enum notify_verdict notify_send_answered(struct notify_sender *sender, struct notify_ask *ask,
                                         enum sg_result result, uint16_t rcode, sg_time now);
/* The clock was set back by so much: what is due soon stays due soon. */
void notify_send_clock_set_back(struct notify_sender *sender, sg_duration by);
/* How many orders are out. */
size_t notify_send_out(const struct notify_sender *sender);
