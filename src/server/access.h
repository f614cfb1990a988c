/*
 * server/access.h - may this client do that? Lists of the zone, with their defaults
 *
 * Pure: nothing is logged here. Thread: any, inside an epoch.
 */
#pragma once

#include "server/request.h"

/* allow-query; without it: any. For updates, too. */
bool access_query_from(const struct request *request, const struct zone_slot *slot);
/* allow-query and allow-query-on. */
bool access_query(const struct request *request, const struct zone_slot *slot);
/* allow-transfer, its port and transport; without it: none. */
bool access_transfer(const struct request *request, const struct zone_slot *slot);
/* provide-ixfr of the client's `server` statement, else of the view: differences, too? */
bool access_ixfr(const struct request *request);
/* allow-notify; without it: the zone's primaries. */
bool access_notify(const struct request *request, const struct zone_slot *slot);
/* allow-update; without it: none. An update-policy looks at the records, too: not here. */
bool access_update(const struct request *request, const struct zone_slot *slot);
/* allow-update-forwarding; without it: none. */
bool access_forwarding(const struct request *request, const struct zone_slot *slot);
