/*
 * server/zone_requests.h - commands that are answered when the keeper has done what they asked
 *
 * The client wants to know how it ended; where that takes longer than a client waits, a word that
 * the work goes on is answered. One request may wait for several zones. Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

struct zone_request;

/* What is answered, by how it ended. Texts may be NULL. */
struct zone_request_words {
    const char *done, *up_to_date;
    const char *goes_on;       /* after half a minute */
    bool goes_on_is_a_failure; /* the client must not go on as if it had been done */
    /* How the client is told of a failure; NULL: CONTROL_FAILURE. */
    enum control_result (*code_of)(enum sg_result result);
};

/* `words` is borrowed for good. */
struct zone_request *zone_request_new(struct server *server,
                                      const struct zone_request_words *words);
/* A reload_done, for the keeper: one of the zones has ended. */
void zone_request_ended(void *request, enum reload_outcome outcome, const char *text);
/* A keys_order_done, for the keeper: with `text` for the answer, also where it was done. */
void zone_request_carried_out(void *request, enum sg_result result, const char *text);
/* The keeper took one more: zone_request_ended() will be called, in a later turn. */
void zone_request_expect(struct zone_request *request);
/* All that is waited for is known. Answered at once where that is nothing. Takes `answered`. */
void zone_request_seal(struct zone_request *request, struct control_request *answered);
/* Nothing is waited for, and the call answers itself. */
void zone_request_drop(struct zone_request *request);

/* Each second: answer those that have waited long enough. */
void zone_requests_tick(struct server *server);
/* The server ends: whoever still waits is told. */
void zone_requests_end(struct server *server);
