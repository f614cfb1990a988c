/*
 * keeper/key_orders.h - what operators order of a zone's keys (private to keeper/; keeper.h has
 * what they call)
 *
 * An order is carried out by the zone's next look at its keys, between what the files say and the
 * plan, and answered when that look's commit is durable. Where the look fails the order fails,
 * even if the zone is signed on.
 */
#pragma once

#include "keeper/keeper.h"

enum key_order_kind {
    KEY_ORDER_LOOK, /* no more than that; whoever ordered it hears what is in the way */
    KEY_ORDER_DS,
    KEY_ORDER_ROLL,
    KEY_ORDER_STEP,
    KEY_ORDER_CLEAR,
    KEY_ORDER_STATUS,
};

struct zone_key_order {
    struct zone_key_order *next;
    enum key_order_kind kind;
    struct keeper_key_word word;
    keys_order_done *done;
    keys_status_done *status_done;
    void *argument;
    enum sg_result result; /* by the worker */
    char *text;            /* owned; NULL: nothing to say; of a status: folders, in lines */
    bool tells_waits;      /* what the keys that it could mean wait for is told as well */
    struct keeper_keys_status *status;
};

struct preparation;

/* Before the plan, to the keys as their files have them. Thread: worker. */
void key_orders_apply(struct preparation *p);
bool key_orders_have(const struct zone_key_order *orders, enum key_order_kind kind);
/* After the plan: who asked for the status gets it, a step without effect is told so, and so is
 * what a key waits for that does not do as ordered. */
void key_orders_report(struct preparation *p);
/* After the plan: which of the keys of whose progress records tell (a bit each) are told of still:
 * those that are done are forgotten where it was ordered. */
uint64_t key_orders_clear(struct preparation *p, uint64_t told);
/* In place of both: the keys rest, and nothing but their status can be told. */
void key_orders_refuse(struct preparation *p, const char *why);
/* They cannot even rest: where that is for keys that are lost, their status names them all the
 * same. */
void key_orders_tell_lost(const struct preparation *p);

/* Take those of that kind out of the list. Thread: keeper. */
struct zone_key_order *key_orders_take(struct zone_key_order **orders, enum key_order_kind kind);
/* Tell all of them; `problem` (NULL: the look succeeded) is why it did not. Thread: keeper. */
void key_orders_tell(struct zone_key_order *orders, const char *problem);
