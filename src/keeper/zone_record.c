#include "keeper/zone_record.h"

#include "base/mem.h"
#include "keeper/keeper_parts.h"
#include "keeper/key_orders.h"
#include "keeper/overtake.h"
#include "keeper/publish.h"
#include "keeper/secondary.h"
#include "keeper/zone_parent.h"

void zone_tell_waiters(struct reload_waiter **waiters, enum reload_outcome outcome,
                       const char *text)
{
    struct reload_waiter *waiter = *waiters;
    *waiters = NULL;
    while (waiter != NULL) {
        struct reload_waiter *next = waiter->next;
        waiter->done(waiter->argument, outcome, text);
        mem_free(waiter);
        waiter = next;
    }
}

size_t zone_answer_updates(struct keeper_update *updates, uint16_t rcode)
{
    size_t count = 0;
    while (updates != NULL) {
        struct keeper_update *next = updates->next;
        if (rcode != DNS_RCODE_NOERROR) {
            updates->rcode = rcode;
        }
        updates->done(updates);
        updates = next;
        count++;
    }
    return count;
}

bool zone_is_frozen(const struct managed_zone *zone)
{
    return zone->known.state.frozen || zone->wishes.freeze ||
           (zone->job != NULL && zone->job->asked.freeze);
}

bool zone_changes_by_itself(const struct managed_zone *zone)
{
    return zone->settings->dynamic || zone->settings->type == ZONE_SECONDARY;
}

bool zone_is_stored(const struct zone_settings *settings)
{
    return settings->policy != NULL || settings->dynamic || settings->type == ZONE_SECONDARY;
}

struct retired_slot {
    struct epoch_retired retired;
    struct zone_slot *slot;
};

/* The version goes no earlier than the slot: a request that found one there looks again. */
static void release_slot(struct epoch_retired *retired)
{
    struct retired_slot *gone = (struct retired_slot *)retired;
    publish(gone->slot, NULL);
    mem_free(gone->slot);
    mem_free(gone);
}

void zone_record_free(struct managed_zone *zone)
{
    zone_tell_waiters(&zone->job_waiters, RELOAD_FAILED, "the zone is no longer configured");
    zone_tell_waiters(&zone->waiters, RELOAD_FAILED, "the zone is no longer configured");
    zone_tell_waiters(&zone->dump_waiters, RELOAD_FAILED, "the zone is no longer configured");
    zone_tell_waiters(&zone->first_waiters, RELOAD_GONE, "the zone is no longer configured");
    struct retired_slot *gone = mem_alloc_zero(1, sizeof(*gone));
    gone->slot = zone->slot;
    epoch_retire(&gone->retired, release_slot);
    size_t dropped = zone_answer_updates(zone->updates.first, DNS_RCODE_SERVFAIL);
    if (zone->keeper != NULL) {
        zone->keeper->updates -= dropped;
        history_budget_leave(zone->keeper, zone);
    }
    secondary_end(zone);
    zone_parent_end(zone);
    if (zone->keeper != NULL) {
        overtake_forget(zone->keeper, zone);
        kept_keys_drop(&zone->keeper->kept_keys, zone);
    }
    if (zone->keeper != NULL && zone->keeper->notify != NULL) {
        notify_send_clear(zone->keeper->notify, &zone->notify);
    }
    if (zone->known.expired != NULL) {
        zone_version_unref(zone->known.expired);
    }
    zone_history_clear(&zone->slot->history);
    generation_drop(zone->generation);
    zone_state_clear(&zone->known.state);
    mem_free(zone->known.ds_looks.looks);
    key_orders_tell(zone->known.orders, "the zone is no longer configured");
    resign_index_free(zone->known.resign);
    zone_aside_free(zone->known.aside);
    store_zone_free(zone->ledger.stored);
    mem_free(zone->health.problem);
    mem_free(zone->health.rest_problem);
    mem_free(zone->health.resign_node);
    mem_free(zone);
}

struct managed_zone *zone_record_new(uint64_t id, const struct zone_settings *settings,
                                     struct keeper_generation *generation)
{
    struct managed_zone *zone = mem_alloc_zero(1, sizeof(*zone));
    zone->slot = mem_alloc_zero(1, sizeof(*zone->slot));
    zone->slot->apex = settings->apex;
    zone->slot->rrclass = settings->rrclass;
    zone->slot->id = id;
    zone->slot->options = settings->access;
    zone->settings = settings;
    zone->generation = generation_use(generation);
    zone->updates.last = &zone->updates.first;
    zone->known.state.timers = zone->known.state.told = BUFFER_EMPTY;
    zone->health = (struct zone_health){.key_event_at = INT64_MAX,
                                        .loadkeys_at = INT64_MAX,
                                        .resign_at = INT64_MAX,
                                        .retry_at = INT64_MAX,
                                        .overdue_at = INT64_MAX,
                                        .file_at = INT64_MAX,
                                        .history_at = INT64_MAX,
                                        .warn_at = INT64_MAX};
    return zone;
}
