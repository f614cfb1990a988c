/*
 * zone/prefetch.h - let the memory that many searches will need come in side by side
 *
 * In a large zone a search waits for memory at nearly every step down the tree, and the next step
 * is not known before. But questions come in batches: all of a batch go down together, a step each
 * in turn, so that each waits while the others' memory is already on its way.
 */
#pragma once

#include "zone/version.h"

enum { ZONE_PREFETCH_MAX = 64 };

struct zone_prefetch {
    const struct zone_version *version;
    const struct dns_name *name; /* lower case */
};

/*
 * A hint, before zone_version_find() of each: at most ZONE_PREFETCH_MAX. Names outside of their
 * zone are left out. Thread: any, inside an epoch. Never blocks, never allocates.
 */
void zone_prefetch(const struct zone_prefetch *questions, size_t count);
