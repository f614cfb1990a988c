/*
 * dnssec/resign_index.h - ranges of names, each with its earliest expiration (private to dnssec/)
 *
 * A range begins at a name and ends before the next one's; the first begins before all names. A
 * range's expiration may be earlier than the truth, since a signature may have gone, never later.
 * A change that is noted lowers it. What raises it is a walk over the range: of the base, when
 * resign() visits it, which holds whether the edit is abandoned or not; and of the new version,
 * when a change is noted after resign() signed in that range.
 */
#pragma once

#include "base/heap.h"
#include "dnssec/resign.h"

enum { RESIGN_RANGE_NAMES = 256 };

struct resign_range {
    struct heap_node due; /* first member; its key is the earliest expiration; not in the heap:
                             there is none */
    uint32_t names;       /* of the tree, signed or not: what a visit costs */
    bool nsec3;
    bool stale;     /* in the index's list of ranges to be learned anew */
    uint8_t length; /* of the relative owner name, or hash label, where it begins */
    uint8_t begin[];
};

struct resign_ranges {
    struct resign_range **ranges; /* in canonical order; at least one */
    size_t count, max;
};

struct resign_index {
    struct resign_ranges trees[2]; /* names, hashes */
    uint32_t range_names;          /* about so many at first; twice as many at most */
    struct heap heap;
    struct resign_range **stale;
    size_t stale_count, stale_max;
    size_t range_bytes;
    sg_time now;
};

/* resign_index_new() with other ranges than of RESIGN_RANGE_NAMES. */
struct resign_index *resign_index_new_cut(const struct zone_version *version, sg_time now,
                                          uint32_t range_names);

/* The range that a name belongs to. */
struct resign_range *resign_index_range(const struct resign_index *index, bool nsec3,
                                        struct span owner);
/* The most urgent range; NULL: nothing is signed. */
struct resign_range *resign_index_most_urgent(const struct resign_index *index);
/* INT64_MAX: there is none. */
void resign_index_set(struct resign_index *index, struct resign_range *range, sg_time expiration);
/* Let the next note learn the truth. */
void resign_index_mark(struct resign_index *index, struct resign_range *range);

/* A walk over the names of one range in a version. The ranges do not change meanwhile. */
struct resign_walk {
    struct zone_cursor cursor;      /* .node: the present one */
    const struct resign_range *end; /* NULL: to the end of the tree */
};
void resign_walk_start(struct resign_walk *walk, const struct resign_index *index,
                       const struct resign_range *range, const struct zone_version *version);
bool resign_walk_next(struct resign_walk *walk);
