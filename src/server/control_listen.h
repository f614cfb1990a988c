/*
 * server/control_listen.h - where the control channel listens, and with which keys
 *
 * No `controls` statement: 127.0.0.1 and, if possible, ::1, port 953. No `keys`: rndc.key beside
 * the configuration, else in the store directory. Thread: keeper.
 */
#pragma once

#include "server/server.h"

/*
 * See that there is an rndc.key where the configuration relies on one: made with mode 0600,
 * owned by the user that the server becomes. While we are still root. A failure is logged.
 */
void control_listen_prepare_key(const struct server *server, const struct conf *conf);

/*
 * Listen as `conf` says, from now on. SG_IO when an address that the configuration names cannot
 * be bound: logged, and `out_problem` (the caller frees) says which.
 */
MUST_USE enum sg_result control_listen_take(struct server *server, const struct conf *conf,
                                            char **out_problem);
