/*
 * server/zone_edit.h - addzone, modzone, delzone: one zone's statement is changed at run time
 *
 *   command -> queue -> [worker: signet.conf is read with it] -> durable in the store -> taken over
 *           -> addzone: loaded, or taken back -> answered
 *
 * server/reload.c takes them one after the other and between the reloads, so that each is read on
 * top of what the one before has made. Nothing is acknowledged before it is durable.
 * Thread: keeper, except where said.
 */
#pragma once

#include "server/amendments.h"
#include "server/control_call.h"

enum zone_edit_kind { ZONE_EDIT_ADD, ZONE_EDIT_MODIFY, ZONE_EDIT_DELETE };

struct zone_edit {
    struct zone_edit *next; /* in the queue */
    struct server *server;
    struct control_request *request;
    enum zone_edit_kind kind;
    bool clean;        /* delzone: its file and its history too */
    bool stored;       /* the store has its statement, or shall have it */
    char *failure;     /* what is answered when it is done: addzone that is taken back */
    char *view, *name; /* as in struct amendment */
    char *written;     /* the name as the command has it */
    char *text;        /* the statement; NULL with DELETE */
    bool wiping;       /* DELETE with `clean`: the store has not forgotten the zone yet */
    bool taken;        /* and all else is done: it is answered then */
    enum sg_result wiped;
    char *file; /* DELETE with `clean`: what is removed; NULL: nothing */
    struct dns_name apex;
    uint16_t rrclass;
    struct buffer key;
    struct store_request put;
    void (*durable)(struct zone_edit *edit, enum sg_result result);
    void *argument; /* for `durable` */
};

void control_addzone(struct control_call *call);
void control_modzone(struct control_call *call);
void control_delzone(struct control_call *call);

/*
 * Does it still fit? What was queued before it may have changed `before` since it was asked for.
 * SG_EXISTS: a zone that is to be added was; SG_NOT_FOUND: one that is to be changed was deleted.
 * Thread: worker.
 */
MUST_USE enum sg_result zone_edit_fits(const struct zone_edit *edit,
                                       const struct amendments *before);
/* The list with this edit. Thread: worker. */
struct amendments *zone_edit_apply(const struct zone_edit *edit, const struct amendments *before);
/*
 * May a new zone be added? `conf` was read with it. SG_EXISTS: the configuration has a statement of
 * that name, served or not. SG_NOT_FOUND: its file is not there. `out_problem`, the caller's, says
 * what to do. Thread: worker.
 */
MUST_USE enum sg_result zone_edit_check(const struct zone_edit *edit, const struct conf *conf,
                                        char **out_problem);
/* Put it into the store, then call `durable`, at once or later, with what came of it. */
void zone_edit_store(struct zone_edit *edit,
                     void (*durable)(struct zone_edit *edit, enum sg_result result),
                     void *argument);
/* What it wants of the present zone. Before the new configuration is taken. */
void zone_edit_prepare(struct zone_edit *edit);
/* It is in use: answer, now or when the zone is loaded. Takes the edit. */
void zone_edit_taken(struct zone_edit *edit);
/* It is not. Takes the edit. */
void zone_edit_failed(struct zone_edit *edit, uint32_t code, const char *text);
