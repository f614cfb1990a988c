/*
 * zone/update_wishes.h - what an update will ask of the update-policy, told in advance
 *
 * For whoever has to ask others first. The changes are those that zone_update_apply() will ask
 * about, with one reservation: a deletion of all types asks for each that is there, and which are
 * there may have changed by then.
 */
#pragma once

#include "zone/update.h"
#include "zone/version.h"

typedef void zone_update_hear_wish(void *argument, const struct zone_update_wish *wish);

/*
 * `version` is what the zone has now; NULL: nothing. A record that is malformed or out of the zone
 * is the end, as such an update will be refused. `rdata` is not told. Cost: O(message).
 * Thread: any that holds the version.
 */
void zone_update_wishes(const struct zone_version *version, const struct dns_name *apex,
                        const struct dns_message *message, zone_update_hear_wish *hear,
                        void *argument);
