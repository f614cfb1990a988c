/*
 * zone/neighbour.h - which authoritative name stands before another, and which behind it
 *
 * By source records and cuts alone, not by the NSECs that are there: so it may be asked of a draft
 * whose chain is being mended. Glue and occluded names are passed over at their cut, however many
 * there are. Thread: any that may read the version. O(depth of the tree).
 */
#pragma once

#include "zone/version.h"

/* The last one strictly before `name` (lower case, in the zone). False: nothing is before it. */
bool zone_neighbour_before(const struct zone_version *version, const struct dns_name *name,
                           struct zone_node *out_node);
/* The first one strictly behind `name` and, if that cuts, behind all below it. Behind the last
 * comes the apex. False: the version is empty. */
bool zone_neighbour_after(const struct zone_version *version, const struct dns_name *name,
                          struct zone_node *out_node);

/* The same in the circle of NSEC3 owner names, all parameters alike; a hash that is alone is its
 * own neighbour. False: there is no NSEC3. */
bool zone_neighbour_before_hash(const struct zone_version *version,
                                const uint8_t hash[NSEC3_HASH_BYTES], struct zone_node *out_node);
bool zone_neighbour_after_hash(const struct zone_version *version,
                               const uint8_t hash[NSEC3_HASH_BYTES], struct zone_node *out_node);
