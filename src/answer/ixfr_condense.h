/*
 * answer/ixfr_condense.h - what is left of a chain of differences (RFC 1995 5; private to answer/)
 *
 * A record that was added and deleted again, or deleted and added again, is not told. SOAs have
 * their own places in a transfer and are left out.
 */
#pragma once

#include "zone/changeset.h"
#include "zone/history.h"

struct ixfr_record {
    const uint8_t *owner;  /* relative; borrowed from the changesets, as all here */
    const uint8_t *packed; /* one rdata behind its length */
    uint32_t ttl;
    uint16_t type;
    uint8_t owner_length;
    bool was, is; /* in the version before all changesets, in the one behind them */
};

struct ixfr_condensed {
    struct ixfr_record *records; /* in the order of their first change */
    size_t count;
    size_t deleted, added; /* how many of them are told */
};

/* Is the change of what every secondary sees, and not the SOA? */
static inline bool ixfr_is_told(const struct zone_change *change)
{
    return (change->flags & ZONE_CHANGE_PUBLIC) != 0 &&
           !(change->added.type == DNS_TYPE_SOA && change->owner.length == 0);
}

/* The changesets are sound. Frees with ixfr_condensed_clear(). O(records). */
void ixfr_condense(const struct zone_history_link *const *links, size_t count,
                   struct ixfr_condensed *out_condensed);
void ixfr_condensed_clear(struct ixfr_condensed *condensed);
