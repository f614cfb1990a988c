/*
 * server/store_opening.h - the store is opened at the start, or later
 *
 * A store-directory that cannot be made or opened is no reason to be silent about zones that need
 * none: the server starts without it, the keeper refuses the zones that do (keeper_miss_store()),
 * and an errand tries again, 1 s to 60 s apart and whenever a configuration was taken. Only a
 * store that another process holds ends the start: two servers on one store are a slip.
 *
 *   start -> open ---------------------------------------------------------> server->store
 *         -> missing -> [worker: open, read what addzone has added] -> taken between two reloads
 *
 * Thread: keeper.
 */
#pragma once

#include "server/server.h"

struct store_opening;

/* Sets `server->store` and `server->amendments`, or neither. SG_EXISTS: another server has it;
 * logged. Before threads. */
MUST_USE enum sg_result store_opening_start(struct server *server, const struct conf *conf);
void store_opening_free(struct store_opening *opening); /* NULL is fine */

/* Tell the keeper, which is new, of a store that is missing or was restored. */
void store_opening_tell(struct server *server);
/* Each second: try again, when it is time; end the mark of a restored store. */
void store_opening_tick(struct server *server);
/* A configuration was taken, and may name another folder: try again now. */
void store_opening_hurry(struct server *server);

/* Why there is no store, in a sentence that says what to do. NULL: there is one. */
const char *store_opening_problem(const struct server *server);
