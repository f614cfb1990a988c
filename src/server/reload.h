/*
 * server/reload.h - read the configuration again and go on with it, or stay with the old one
 *
 *   asked -> a worker reads and checks -> good: take over all of it, then answer
 *                                      -> bad: log every problem, answer "failed"
 *
 * Whoever asks while one is under way is answered by the next. Between them, one at a time, come
 * the edits of addzone and its like (server/zone_edit.h). Thread: keeper.
 */
#pragma once

#include "server/server.h"
#include "server/zone_edit.h"

enum reload_kind {
    RELOAD_CONFIGURATION, /* rndc reconfig: the configuration and zones new in it */
    RELOAD_CONFIGURATION_AND_ZONES,
};

struct reload *reload_new(void);
void reload_free(struct reload *reload);
/* The server ends: who waits is told so. While the control channel is open. */
void reload_end(struct reload *reload);

/* Let the edit have its turn; it is answered by zone_edit_taken() or zone_edit_failed(). */
void reload_edit(struct server *server, struct zone_edit *edit);
/* `request` (NULL: a signal asked) is answered when it is done. */
void reload_request(struct server *server, enum reload_kind kind, struct control_request *request);
bool reload_is_busy(const struct reload *reload);

/* Say in the log what is wrong with a configuration. */
void reload_log_report(const struct conf_report *report);
/* "permission denied": why conf_load() failed, in the words of isc results. */
uint32_t reload_result_code(enum sg_result result);
