/*
 * server/control_zone.h - control commands that name a zone: `zone [class [view]]`
 *
 * Thread: keeper.
 */
#pragma once

#include "server/control_call.h"

void control_zone_reload(struct control_call *call);
void control_zone_status(struct control_call *call);
void control_zone_show(struct control_call *call);
void control_zone_loadkeys(struct control_call *call);
void control_zone_sign(struct control_call *call);

/* The zone that the words from `first` on name. Otherwise the call has been answered: NULL. */
struct managed_zone *control_zone_find(struct control_call *call, size_t first);
/* The same of a zone that is to be worked on: not one that lacks the store. */
struct managed_zone *control_zone_find_at_work(struct control_call *call, size_t first);
/* The same of words that are the last ones: more are an error. */
struct managed_zone *control_zone_find_last(struct control_call *call, size_t first);
/* The call fails as the store cannot give back what it has of the zone: it says what zonestatus
 * says.
 */
void control_zone_fail_by_store(struct control_call *call, const struct managed_zone *zone);
/* The server ends: whoever still waits is told. */
void zone_requests_end(struct server *server);
/* refresh, retransfer: ask a secondary's primaries now; notify: tell its secondaries. */
void control_zone_refresh(struct control_call *call);
void control_zone_retransfer(struct control_call *call);
void control_zone_notify(struct control_call *call);
