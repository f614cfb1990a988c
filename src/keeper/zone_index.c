#include "keeper/zone_index.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"
#include "keeper/zone_record.h"

enum { CHAINS_FIRST = 64 };

void zone_index_init(struct zone_index *index)
{
    *index = (struct zone_index){.chains = NULL};
    random_bytes(index->key, sizeof(index->key));
}

void zone_index_clear(struct zone_index *index)
{
    mem_free(index->chains);
    index->chains = NULL;
    index->chains_count = 0;
    index->zones = 0;
}

static struct managed_zone **chain_of(const struct zone_index *index, const struct dns_name *apex)
{
    uint64_t hash = siphash(index->key, apex->wire, apex->length);
    return &index->chains[hash & (index->chains_count - 1)];
}

static void push(struct zone_index *index, struct managed_zone *zone)
{
    struct managed_zone **chain = chain_of(index, &zone->slot->apex);
    zone->chain_next = *chain;
    *chain = zone;
}

static void grow(struct zone_index *index)
{
    struct managed_zone **old = index->chains;
    size_t old_count = index->chains_count;
    index->chains_count = old_count == 0 ? CHAINS_FIRST : old_count * 2;
    index->chains = mem_alloc_zero(index->chains_count, sizeof(struct managed_zone *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct managed_zone *zone = old[i], *next; zone != NULL; zone = next) {
            next = zone->chain_next;
            push(index, zone);
        }
    }
    mem_free(old);
}

void zone_index_add(struct zone_index *index, struct managed_zone *zone)
{
    if (index->zones >= index->chains_count) {
        grow(index);
    }
    push(index, zone);
    index->zones++;
}

void zone_index_remove(struct zone_index *index, struct managed_zone *zone)
{
    for (struct managed_zone **at = chain_of(index, &zone->slot->apex); *at != NULL;
         at = &(*at)->chain_next) {
        if (*at == zone) {
            *at = zone->chain_next;
            index->zones--;
            return;
        }
    }
    UNREACHABLE();
}

struct managed_zone *zone_index_chain(const struct zone_index *index, const struct dns_name *apex)
{
    return index->chains_count == 0 ? NULL : *chain_of(index, apex);
}

struct managed_zone *zone_index_find(const struct zone_index *index, const struct dns_name *apex,
                                     uint16_t rrclass, const char *view)
{
    for (struct managed_zone *zone = zone_index_chain(index, apex); zone != NULL;
         zone = zone->chain_next) {
        if (dns_name_equal(&zone->slot->apex, apex) && zone->slot->rrclass == rrclass &&
            strcmp(zone->settings->view, view) == 0) {
            return zone;
        }
    }
    return NULL;
}
