/* Updates that wait for their zone's next change: which are let in, and a fair share for each zone.
 */
#include "keeper/keeper_parts.h"

enum { UPDATES_WAITING_MAX = 4096 /* for one zone */ };

void change_refuse_updates(struct keeper *keeper, struct managed_zone *zone, uint16_t rcode)
{
    struct zone_updates *updates = &zone->updates;
    struct keeper_update *waiting = updates->first;
    *updates = (struct zone_updates){.last = &updates->first, .at_work = updates->at_work};
    keeper->updates -= zone_answer_updates(waiting, rcode);
}

/*
 * `update-quota` is what one zone may have, waiting and at work, while it is alone. All together
 * may have twice as many, and none more than half of what the others leave: so that a zone whose
 * change takes long never keeps the updates of another out, which is served in no time.
 */
static bool has_place(const struct keeper *keeper, const struct managed_zone *zone)
{
    const struct zone_updates *updates = &zone->updates;
    size_t quota = keeper->generation->rates.updates;
    if (quota == 0) {
        return updates->count < UPDATES_WAITING_MAX;
    }
    return updates->count < UPDATES_WAITING_MAX &&
           updates->count + updates->at_work + keeper->updates < 2 * quota;
}

/* Why an update would not last; NULL: it would. */
static const char *store_trouble(const struct keeper *keeper, const struct managed_zone *zone)
{
    if (zone->ledger.lost) {
        return "what the store has of the zone cannot be read, and the update would take its "
               "place: `zonestatus` says what to do";
    }
    bool works = !opening_is_wanted(keeper, zone) &&
                 (keeper->io.store == NULL || store_health(keeper->io.store) == SG_OK);
    return works ? NULL : "the store cannot be written, so that it would not last";
}

void keeper_update(struct keeper *keeper, struct managed_zone *zone, struct keeper_update *update)
{
    const struct zone_settings *settings = zone->settings;
    update->next = NULL;
    update->rcode = DNS_RCODE_NOERROR;
    if (!settings->dynamic || zone_is_frozen(zone)) {
        zone_say_refused(zone, update,
                         settings->dynamic ? "the zone is frozen, `thaw` lets updates in again"
                                           : "the zone takes none any more");
        zone_answer_updates(update, DNS_RCODE_REFUSED);
        return;
    }
    const char *trouble = keeper->stopping ? NULL : store_trouble(keeper, zone);
    if (zone->gone || keeper->stopping || zone->slot->version == NULL || trouble != NULL ||
        !has_place(keeper, zone)) {
        zone_say_refused(zone, update, trouble);
        zone_answer_updates(update, DNS_RCODE_SERVFAIL);
        return;
    }
    *zone->updates.last = update;
    zone->updates.last = &update->next;
    zone->updates.count++;
    keeper->updates++;
    keeper_enqueue(keeper, zone);
}
