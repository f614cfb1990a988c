/*
 * server/configure.h - make the process follow a configuration, at the start and at a reload
 *
 * Two steps: configure_prepare() may fail and then nothing has changed; configure_take() goes
 * through. Thread: keeper.
 */
#pragma once

#include "server/server.h"

/*
 * The working directory and the log, one after the other: at the start the log is opened as the
 * user that we become. What is wrong is logged; `out_problem` (the caller frees) has it too.
 */
MUST_USE enum sg_result configure_directory(const struct conf *conf, char **out_problem);
MUST_USE enum sg_result configure_log(struct server *server, const struct conf *conf,
                                      char **out_problem);
/* Both, or neither: for a reload. */
MUST_USE enum sg_result configure_prepare(struct server *server, const struct conf *conf,
                                          char **out_problem);

/*
 * Zones, front, sockets' limits, control channel, query log. Takes the generation. SG_IO when a
 * control address could not be bound: logged, and all else is in use.
 */
MUST_USE enum sg_result configure_take(struct server *server, struct generation *generation,
                                       char **out_problem);

struct net_limits configure_net_limits(const struct conf *conf);
