/*
 * zone/table.h - which zone answers for a name
 *
 * A slot is one zone as the front desk sees it: a stable object with one pointer to the current
 * version. A table is an immutable map from apex to slot, made anew when zones come or go; the
 * slots live on in the next one. Net threads read both by epoch.
 */
#pragma once

#include "zone/history.h"
#include "zone/version.h"

struct zone_slot {
    struct dns_name apex; /* lower case */
    uint16_t rrclass;
    uint64_t id;                        /* of (view, class, name), never reused */
    const struct zone_version *version; /* epoch_publish() by keeper/publish.c alone; NULL: not
                                           loaded, SERVFAIL */
    struct zone_history history;        /* what led to the version: changed by the keeper alone */
    const void *options; /* what server/ wants to know of the zone: replaced by epoch */
};

/* Read the current version inside an epoch. */
static inline const struct zone_version *zone_slot_version(const struct zone_slot *slot)
{
    return epoch_read(&slot->version);
}

struct zone_table;
/* Borrows the slots. Duplicates: SG_EXISTS, `out_duplicate` telling the index. */
MUST_USE enum sg_result zone_table_new(struct zone_slot *const *slots, size_t count,
                                       struct zone_table **out_table, size_t *out_duplicate);
void zone_table_free(struct zone_table *table);
/*
 * The slot with the deepest apex at or above `name` (lower case), or NULL. With `above`, the
 * apex must be strictly above the name unless no such zone is here: for DS, which lives in the
 * parent (RFC 4035 3.1.4.1).
 */
struct zone_slot *zone_table_find(const struct zone_table *table, const struct dns_name *name,
                                  bool above);
/* The slot whose apex is exactly `apex`, or NULL. */
struct zone_slot *zone_table_exact(const struct zone_table *table, const struct dns_name *apex);
