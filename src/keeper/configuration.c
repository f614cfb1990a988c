#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "keeper/notifying.h"
#include "keeper/secondary.h"
#include "keeper/zone_facts.h"
#include "keeper/zone_parent.h"

static bool find_duplicate(const struct keeper_generation *generation, size_t *out_duplicate)
{
    struct zone_index seen;
    zone_index_init(&seen);
    struct managed_zone *records = mem_alloc_zero(generation->zones_count, sizeof(*records));
    struct zone_slot *slots = mem_alloc_zero(generation->zones_count, sizeof(*slots));
    bool found = false;
    for (size_t i = 0; i < generation->zones_count && !found; i++) {
        const struct zone_settings *settings = &generation->zones[i];
        found = zone_index_find(&seen, &settings->apex, settings->rrclass, settings->view) != NULL;
        slots[i].apex = settings->apex;
        slots[i].rrclass = settings->rrclass;
        records[i].slot = &slots[i];
        records[i].settings = settings;
        zone_index_add(&seen, &records[i]);
        *out_duplicate = i;
    }
    zone_index_clear(&seen);
    mem_free(records);
    mem_free(slots);
    return found;
}

/* The zone goes on under its new settings; loaded again where they say something else. */
static void adopt_zone(struct keeper *keeper, struct managed_zone *zone,
                       const struct zone_settings *settings, struct keeper_generation *generation)
{
    bool same = zone->settings->fingerprint == settings->fingerprint;
    bool same_updates = zone->settings->updates_fingerprint == settings->updates_fingerprint;
    struct keeper_generation *old = zone->generation;
    zone->settings = settings;
    zone->generation = generation_use(generation);
    epoch_publish(&zone->slot->options, settings->access);
    if (!zone->ledger.opening || zone->secondary != NULL) {
        secondary_begin(keeper, zone); /* The old settings are still there. */
    }
    zone_parent_adopt(keeper, zone);
    notifying_adopt(keeper, zone);
    checkpoint_trim_memory(keeper, zone);
    if (zone->job == NULL) {
        keeper_set_timer(keeper, zone);
    }
    generation_drop(old);
    if (!settings->dynamic || settings->type != ZONE_PRIMARY || !same_updates) {
        change_refuse_updates(keeper, zone,
                              DNS_RCODE_REFUSED); /* They were let in by the old settings. */
    }
    if (!same) {
        if (zone->known.keying) {
            keeper_unqueue(zone); /* It waited for keys of the old policy, and may have none now. */
        }
        aside_cancel(keeper, zone);
        zone->known.keyed = false; /* What a round has brought was for the old policy. */
        kept_keys_are_stale(&keeper->kept_keys, zone);
        keeper_try_again(keeper, zone);
        keeper_wish_load(keeper, zone, true);
    }
}

static void forget_zone(struct keeper *keeper, struct managed_zone *zone)
{
    keeper_unqueue(zone);
    zone_parent_end(zone);
    heap_remove(&keeper->timers, &zone->timer);
    zone_index_remove(&keeper->index, zone);
    zone_facts_end_wait_of_twins(keeper, zone);
    zone_index_add(&keeper->leaving, zone);
    keeper->untried -= !zone->tried;
    zone->tried = true;
    zone->queue_next = keeper->removed;
    keeper->removed = zone;
}

enum sg_result keeper_configure(struct keeper *keeper, struct keeper_generation *generation,
                                sg_time now, size_t *out_duplicate)
{
    thread_assert(THREAD_KEEPER);
    if (find_duplicate(generation, out_duplicate)) {
        return SG_EXISTS;
    }
    keeper_note_time(keeper, now);
    struct managed_zone **before = keeper->zones;
    size_t before_count = keeper->zones_count;
    keeper->zones = mem_alloc_zero(generation->zones_count, sizeof(*keeper->zones));
    keeper->zones_count = generation->zones_count;
    keeper->failed = keeper->kept = 0;
    generation_use(generation);
    notify_sender_set_rates(keeper->notify, generation->rates.notify,
                            generation->rates.startup_notify);
    transfer_quota_set(keeper->refresh.quota, generation->rates.transfers_in,
                       generation->rates.transfers_per_server);
    keeper->refresh.soa.per_second = generation->rates.serial_query;
    keeper->refresh.startup_soa.per_second = generation->rates.serial_query;

    for (size_t i = 0; i < generation->zones_count; i++) {
        struct zone_settings *settings = &generation->zones[i];
        struct managed_zone *zone =
            zone_index_find(&keeper->index, &settings->apex, settings->rrclass, settings->view);
        if (zone != NULL) {
            adopt_zone(keeper, zone, settings, generation);
        } else {
            zone = zone_record_new(keeper->next_id++, settings, generation);
            zone->keeper = keeper;
            zone_index_add(&keeper->index, zone);
            keeper->untried++;
            opening_start(keeper, zone);
        }
        settings->slot = zone->slot;
        keeper->zones[i] = zone;
    }
    for (size_t i = 0; i < before_count; i++) {
        if (before[i]->generation != generation) {
            forget_zone(keeper, before[i]);
        }
    }
    mem_free(before);
    /* Queries go on under the old front until the next one is published. */
    if (keeper->fronted == NULL) {
        keeper->fronted = keeper->generation;
    } else {
        generation_drop(keeper->generation);
    }
    keeper->generation = generation;
    keeper->announced = false;
    return SG_OK;
}

void keeper_front_published(struct keeper *keeper)
{
    struct managed_zone *zone = keeper->removed;
    keeper->removed = NULL;
    generation_drop(keeper->fronted);
    keeper->fronted = NULL;
    while (zone != NULL) {
        struct managed_zone *next = zone->queue_next;
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_INFO, "zone %s: no longer configured",
                  zone_label(zone->settings, label));
        zone->gone = true;
        aside_cancel(zone->keeper, zone);
        secondary_end(zone); /* Its place is another's. */
        keeper_bury(zone);
        zone = next;
    }
    secondary_fetch_next(keeper);
}
