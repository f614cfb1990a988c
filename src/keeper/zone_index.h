/*
 * keeper/zone_index.h - managed zones by (name, class, view)
 *
 * Zones of one name stand in one chain, whatever their class and view: they share key files.
 */
#pragma once

#include "keeper/managed_zone.h"

struct zone_index {
    struct managed_zone **chains;
    size_t chains_count; /* a power of two, or 0 */
    size_t zones;
    uint8_t key[16];
};

void zone_index_init(struct zone_index *index);
void zone_index_clear(struct zone_index *index); /* the zones are the caller's */
void zone_index_add(struct zone_index *index, struct managed_zone *zone);
void zone_index_remove(struct zone_index *index, struct managed_zone *zone);
/* The chain in which zones of that name stand, among others; walk it by `chain_next`. */
struct managed_zone *zone_index_chain(const struct zone_index *index, const struct dns_name *apex);
struct managed_zone *zone_index_find(const struct zone_index *index, const struct dns_name *apex,
                                     uint16_t rrclass, const char *view);
