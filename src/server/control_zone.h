/*
 * server/control_zone.h - control commands that name a zone: `zone [class [view]]`
 *
 * A zone's reload is answered when it has ended, since the client wants to know how; where that
 * takes longer than a client waits, "queued" is answered. Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_zone_reload(struct control_call *call);
void control_zone_status(struct control_call *call);
void control_zone_show(struct control_call *call);
void control_zone_loadkeys(struct control_call *call);
void control_zone_sign(struct control_call *call);

/* Each second: answer those that have waited long enough. */
void zone_requests_tick(struct server *server);
/* The server ends: whoever still waits is told. */
void zone_requests_end(struct server *server);
