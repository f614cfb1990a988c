/*
 * zone/diff.h - the names in which two versions of a zone differ
 *
 * Two versions of one lineage share what did not change: a vector of twigs or a block with the
 * same ref is the same, and is passed over without a look below. So the walk costs O(change),
 * whatever the zone's size. Versions of different lineages (a file that was read again) are merged
 * name by name in canonical order: O(zone) reading, nothing copied.
 */
#pragma once

#include "zone/version.h"

struct zone_diff;

/* One name. `.source` NULL: it is not in that version. Borrowed from the versions. */
struct zone_difference {
    struct span owner; /* relative to the apex, without the root label */
    struct zone_node old, new;
};

/*
 * Walk the names (or with `nsec3` the hashes) whose source or generated block is not the same in
 * both, in canonical order. `old` NULL: nothing was there, every name of `new` is told. `new` may
 * be a draft (zone_edit_draft()), as long as that does not change. Borrows both. Blocks that are
 * not the same may still hold the same records: the caller compares RRsets.
 */
struct zone_diff *zone_diff_new(const struct zone_version *old, const struct zone_version *new,
                                bool nsec3);
bool zone_diff_next(struct zone_diff *diff, struct zone_difference *out_difference);
void zone_diff_free(struct zone_diff *diff);

/* Do two RRsets hold the same rdatas and TTL? NULL `packed` is an RRset that is not there. */
bool zone_diff_same_rrset(const struct dns_rrset *a, const struct dns_rrset *b);

/*
 * Bring the source layer of `edit` to what `wanted` (of another lineage) has in its unsigned view:
 * what is the same is not touched, so that it keeps its signatures. `except_soa_serial`: two SOAs
 * that differ in the serial alone are the same. Returns how many RRsets were changed. SG_LIMIT.
 */
struct zone_edit;
MUST_USE enum sg_result zone_diff_transform(struct zone_edit *edit,
                                            const struct zone_version *wanted,
                                            bool except_soa_serial, uint64_t *out_changed);
