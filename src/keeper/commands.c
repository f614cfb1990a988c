#include <string.h>

#include "base/mem.h"
#include "keeper/keeper_parts.h"

size_t keeper_find(struct keeper *keeper, const struct dns_name *apex, uint16_t rrclass,
                   const char *view, struct managed_zone **out_zone)
{
    size_t found = 0;
    for (struct managed_zone *zone = zone_index_chain(&keeper->index, apex); zone != NULL;
         zone = zone->chain_next) {
        if (dns_name_equal(&zone->slot->apex, apex) &&
            (rrclass == 0 || zone->slot->rrclass == rrclass) &&
            (view == NULL || strcmp(zone->settings->view, view) == 0)) {
            found++;
            *out_zone = zone;
        }
    }
    return found;
}

size_t keeper_zones(const struct keeper *keeper)
{
    return keeper->zones_count;
}

struct managed_zone *keeper_zone(struct keeper *keeper, size_t index)
{
    return index < keeper->zones_count ? keeper->zones[index] : NULL;
}

enum sg_result keeper_reload(struct keeper *keeper, struct managed_zone *zone, bool force,
                             reload_done *done, void *argument)
{
    if (zone->settings->file == NULL) {
        return SG_UNSUPPORTED;
    }
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    if (done != NULL) {
        struct reload_waiter *waiter = mem_alloc_zero(1, sizeof(*waiter));
        *waiter = (struct reload_waiter){zone->waiters, done, argument};
        zone->waiters = waiter;
    }
    keeper_wish_load(keeper, zone, force);
    return SG_OK;
}

void keeper_reload_all(struct keeper *keeper)
{
    keeper->failed = 0;
    keeper->announced = false;
    for (size_t i = 0; i < keeper->zones_count; i++) {
        if (keeper->zones[i]->settings->file != NULL) {
            keeper_try_again(keeper, keeper->zones[i]);
            keeper_wish_load(keeper, keeper->zones[i], false);
        }
    }
}

enum sg_result keeper_loadkeys(struct keeper *keeper, struct managed_zone *zone, bool sign_all)
{
    if (zone->settings->policy == NULL) {
        return SG_UNSUPPORTED;
    }
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    keeper_wish_keys(keeper, zone, sign_all);
    return SG_OK;
}
