/*
 * server/status.h - what `rndc status`, `zonestatus`, `showzone` and `stats` print
 *
 * The words and their order are BIND's, since scripts read them. The last line has no newline.
 * Thread: keeper.
 */
#pragma once

#include "keeper/managed_zone.h"
#include "server/server.h"

/* What `clock` prints. */
void status_of_clock(const struct server *server, struct buffer *out_text);
void status_of_server(const struct server *server, struct buffer *out_text);
void status_of_zone(const struct server *server, const struct managed_zone *zone,
                    struct buffer *out_text);
/* The zone's statement, on one line. */
void status_statement_of_zone(const struct server *server, const struct managed_zone *zone,
                              struct buffer *out_text);
/* The counters, as the statistics file has them; ends with a newline. */
void status_statistics(const struct server *server, struct buffer *out_text);
