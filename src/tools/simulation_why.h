/*
 * tools/simulation_why.h - why the engine does what it does, in an operator's words and with the
 * terms of RFC 7583
 */
#pragma once

#include "tools/simulation.h"

/* "10d3h5m"; "0s". The caller frees. */
char *simulation_duration(sg_duration duration);

/* A record of `key`, which is still as it was, moves as `planned` says. The caller frees. */
char *simulation_why_moved(const struct simulation *simulation, const struct simulation_key *key,
                           const struct kasp_key_plan *planned, enum key_record record,
                           sg_time now);
/* The caller frees. */
char *simulation_why_made(const struct simulation *simulation, const struct kasp_make *make,
                          const struct signing_key *predecessor);
