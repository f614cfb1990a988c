#include "keeper/keeper_parts.h"

static struct managed_zone *holder(struct heap_node *node)
{
    return (struct managed_zone *)(void *)((char *)node - offsetof(struct managed_zone, held));
}

static void count(struct keeper *keeper, struct managed_zone *zone)
{
    size_t bytes = zone->slot->history.bytes;
    keeper->history_bytes -= zone->history_counted;
    zone->history_counted = bytes;
    keeper->history_bytes += bytes;
    if (bytes > 0) {
        heap_put(&keeper->holders, &zone->held, -(int64_t)bytes);
    } else {
        heap_remove(&keeper->holders, &zone->held);
    }
}

/*
 * If whoever changes made room a zone that has filled the budget once would keep all others from
 * having any history for good. So whoever holds most gives its oldest: no zone holds more than
 * another that has to give. The change that is about to be told is left to its zone as long as
 * there is anything else, or nobody would get it as a difference.
 */
void history_budget_keep(struct keeper *keeper, struct managed_zone *zone)
{
    uint64_t for_all = keeper->generation->history_bytes_max;
    struct heap_node *most;
    count(keeper, zone);
    while (for_all != 0 && keeper->history_bytes > for_all &&
           (most = heap_first(&keeper->holders)) != NULL) {
        struct managed_zone *giver = holder(most);
        struct zone_history *history = &giver->slot->history;
        if (giver == zone && history->links == 1 && history->bytes <= for_all) {
            heap_remove(&keeper->holders, most);
            continue;
        }
        if (history->links > 0) {
            zone_history_drop_oldest(history);
        }
        count(keeper, giver);
    }
    count(keeper, zone);
}

void history_budget_leave(struct keeper *keeper, struct managed_zone *zone)
{
    keeper->history_bytes -= zone->history_counted;
    zone->history_counted = 0;
    heap_remove(&keeper->holders, &zone->held);
}
