#include <string.h>

#include "base/mem.h"
#include "dns/serial.h"
#include "keeper/notifying.h"
#include "keeper/secondary.h"
#include "keeper/zone_parent.h"

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

void keeper_count_refreshes(const struct keeper *keeper, struct refresh_counts *out_counts)
{
    *out_counts = (struct refresh_counts){
        .transferring = transfer_quota_running(keeper->refresh.quota),
        .queued = transfer_quota_waiting(keeper->refresh.quota),
    };
    for (size_t i = 0; i < keeper->zones_count; i++) {
        secondary_count(keeper->zones[i], out_counts);
    }
}

static void wait_in(struct reload_waiter **list, reload_done *done, void *argument)
{
    struct reload_waiter *waiter = mem_alloc_zero(1, sizeof(*waiter));
    *waiter = (struct reload_waiter){*list, done, argument};
    *list = waiter;
}

static void add_waiter(struct reload_waiter **list, reload_done *done, void *argument)
{
    if (done != NULL) {
        wait_in(list, done, argument);
    }
}

void keeper_await(struct keeper *keeper, struct managed_zone *zone, reload_done *done,
                  void *argument)
{
    wait_in(&zone->first_waiters, done, argument);
    if (zone->tried) {
        keeper_try_again(keeper, zone);
        keeper_zone_was_tried(keeper, zone);
    }
}

void keeper_wipe(struct keeper *keeper, struct managed_zone *zone, wipe_done *done, void *argument)
{
    (void)keeper;
    ASSERT(zone->wiped == NULL); /* It is deleted once. */
    zone->wiped = done;
    zone->wiped_argument = argument;
}

bool keeper_keep(struct keeper *keeper, struct managed_zone *zone)
{
    bool was_wiped = zone->wiped != NULL;
    (void)keeper;
    zone->wiped = NULL;
    return was_wiped;
}

static bool thaw_is_under_way(const struct managed_zone *zone)
{
    return zone->wishes.thaw || (zone->job != NULL && zone->job->asked.thaw);
}

/* Frozen for certain until its next job has ended: the file has all that updates brought. */
static bool file_may_be_read(const struct managed_zone *zone)
{
    return zone->known.state.frozen && !thaw_is_under_way(zone);
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
    if (keeper_lacks_store(keeper, zone) != NULL) {
        return SG_IO;
    }
    bool gives_up = force && zone->ledger.lost;
    if (zone->settings->dynamic && zone->slot->version != NULL && !gives_up) {
        if (!file_may_be_read(zone)) {
            return SG_CONFLICT;
        }
        zone->wishes.frozen = true;
    }
    zone->wishes.give_up |= gives_up; /* It is lost until then: the file may be of no use. */
    add_waiter(&zone->waiters, done, argument);
    keeper_wish_load(keeper, zone, force);
    return SG_OK;
}

/* Can the zone be written to, or read from, its file on demand? */
static enum sg_result check_dynamic(const struct keeper *keeper, const struct managed_zone *zone)
{
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    if (!zone->settings->dynamic || zone->settings->file == NULL ||
        zone->settings->type != ZONE_PRIMARY) {
        return SG_UNSUPPORTED;
    }
    if (keeper_lacks_store(keeper, zone) != NULL || zone->ledger.lost) {
        return SG_IO;
    }
    return zone->slot->version == NULL ? SG_NOT_FOUND : SG_OK;
}

enum sg_result keeper_freeze(struct keeper *keeper, struct managed_zone *zone, reload_done *done,
                             void *argument)
{
    enum sg_result result = check_dynamic(keeper, zone);
    if (result == SG_OK && zone_is_frozen(zone) &&
        (zone->wishes.freeze || !thaw_is_under_way(zone))) {
        result = SG_EXISTS;
    }
    if (result != SG_OK) {
        return result;
    }
    add_waiter(&zone->dump_waiters, done, argument);
    zone->wishes.dump = zone->wishes.freeze = true;
    keeper_enqueue(keeper, zone);
    return SG_OK;
}

enum sg_result keeper_thaw(struct keeper *keeper, struct managed_zone *zone, reload_done *done,
                           void *argument)
{
    enum sg_result result = check_dynamic(keeper, zone);
    if (result == SG_OK && !file_may_be_read(zone)) {
        result = SG_EXISTS; /* Read twice, the file would undo the updates in between. */
    }
    if (result != SG_OK) {
        return result;
    }
    add_waiter(&zone->waiters, done, argument);
    zone->wishes.thaw = true;
    keeper_wish_load(keeper, zone, true);
    return SG_OK;
}

enum sg_result keeper_sync(struct keeper *keeper, struct managed_zone *zone, reload_done *done,
                           void *argument)
{
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    if (keeper_lacks_store(keeper, zone) != NULL || zone->ledger.lost) {
        return SG_IO;
    }
    bool changes_by_itself = zone->settings->dynamic || zone->settings->type == ZONE_SECONDARY;
    if (!changes_by_itself || zone->settings->file == NULL || zone->slot->version == NULL) {
        return SG_UNSUPPORTED;
    }
    add_waiter(&zone->dump_waiters, done, argument);
    zone->wishes.dump = true;
    keeper_enqueue(keeper, zone);
    return SG_OK;
}

enum sg_result keeper_sync_clean(struct keeper *keeper, struct managed_zone *zone,
                                 reload_done *done, void *argument)
{
    enum sg_result result = keeper_sync(keeper, zone, done, argument);
    if (result == SG_UNSUPPORTED && zone_record_version(zone) != NULL) {
        add_waiter(&zone->dump_waiters, done, argument);
        zone->wishes.state = true; /* There is nothing to write but a commit. */
        keeper_enqueue(keeper, zone);
        result = SG_OK;
    }
    zone->wishes.clean |= result == SG_OK;
    return result;
}

enum sg_result keeper_refresh(struct keeper *keeper, struct managed_zone *zone, bool whole)
{
    if (keeper->stopping || zone->gone) {
        return SG_CANCELLED;
    }
    if (zone->secondary == NULL) {
        return SG_UNSUPPORTED;
    }
    secondary_demand(keeper, zone, whole);
    return SG_OK;
}

enum sg_result keeper_notify(struct keeper *keeper, struct managed_zone *zone)
{
    if (keeper->stopping || zone->gone || zone->slot->version == NULL) {
        return SG_CANCELLED;
    }
    notifying_changed(keeper, zone, false);
    return SG_OK;
}

enum sg_result keeper_raise_serial(struct keeper *keeper, struct managed_zone *zone,
                                   uint32_t serial)
{
    const struct zone_version *version = zone->slot->version;
    if (keeper->stopping || zone->gone || version == NULL) {
        return SG_CANCELLED;
    }
    if (serial_compare(serial, zone_version_facts(version)->serial) <= 0) {
        return SG_CONFLICT;
    }
    uint32_t *above = &zone->wishes.serial_above;
    *above = zone_greater_floor(*above, serial - 1 == 0 ? UINT32_MAX : serial - 1);
    keeper_enqueue(keeper, zone);
    return SG_OK;
}

void keeper_reload_all(struct keeper *keeper)
{
    keeper->failed = keeper->kept = 0;
    keeper->announced = false;
    for (size_t i = 0; i < keeper->zones_count; i++) {
        struct managed_zone *zone = keeper->zones[i];
        const struct zone_settings *settings = zone->settings;
        bool is_read =
            !settings->dynamic || file_may_be_read(zone) || zone_record_version(zone) == NULL;
        if (settings->file != NULL && is_read && settings->type == ZONE_PRIMARY) {
            zone->wishes.frozen = settings->dynamic && file_may_be_read(zone);
            keeper_try_again(keeper, zone);
            keeper_wish_load(keeper, zone, false);
        } else if (settings->file != NULL && settings->type == ZONE_PRIMARY) {
            zone->wishes.look = true; /* Who has edited that file waits for his edit. */
            keeper_enqueue(keeper, zone);
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
    zone->wishes.load |= zone->later.load; /* An edit that waits for its keys. */
    zone->wishes.force |= zone->later.force;
    zone->wishes.give_up |= zone->later.give_up;
    zone->later.load = zone->later.force = zone->later.give_up = false;
    keeper_wish_keys(keeper, zone, sign_all);
    zone_parent_demand(keeper, zone);
    return SG_OK;
}
