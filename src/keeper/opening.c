#include "base/log.h"
#include "base/mem.h"
#include "keeper/keeper_parts.h"
#include "store/identity.h"

/* A full disk has no room for a new zone; whatever else it is, looking costs little. */
enum { RETRY_SECONDS = 10 };

/* The question to the store; it owns the identity that it asks with. */
struct opening {
    struct store_request request;
    struct managed_zone *zone;
    struct buffer identity;
};

/* A zone is (view, class, name), whatever the order of the configuration. */
static void write_identity(const struct zone_settings *settings, struct buffer *out_identity)
{
    store_identity(settings->view, settings->rrclass, &settings->apex, out_identity);
}

/* An image is due as if there had been no restart: a start must not read more and more. */
static uint64_t bytes_since_image(const struct store_zone *opened)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < opened->records_count; i++) {
        bytes += opened->records_first + i > opened->image_number ? opened->records[i].length : 0;
    }
    return bytes;
}

static void take_opened(struct store_request *request)
{
    struct opening *opening = (struct opening *)request;
    struct managed_zone *zone = opening->zone;
    struct keeper *keeper = zone->keeper;
    struct zone_ledger *ledger = &zone->ledger;
    zone->out--;
    ledger->opening = false;
    if (zone->gone) {
        store_zone_free(request->opened);
        keeper_bury(zone);
    } else if (request->result != SG_OK) {
        mem_free(zone->health.problem);
        zone->health.problem = mem_format(
            "the store cannot be read: %s",
            request->problem != NULL ? request->problem : sg_result_text(request->result));
        char label[ZONE_LABEL_BYTES];
        log_write(LOG_ZONE, SEVERITY_ERROR, "zone %s: not loaded due to errors: %s",
                  zone_label(zone->settings, label), zone->health.problem);
        zone->health.retry_at = keeper->now + RETRY_SECONDS;
        zone_tell_waiters(&zone->waiters, RELOAD_FAILED, zone->health.problem);
        keeper_set_timer(keeper, zone);
        keeper_zone_was_tried(keeper, zone);
    } else {
        ledger->id = request->opened->zone;
        ledger->last = request->opened->last;
        ledger->image_number = request->opened->image_number;
        ledger->since_image_bytes = bytes_since_image(request->opened);
        if (ledger->last > 0) {
            ledger->stored = request->opened;
            keeper_enqueue(keeper, zone);
        } else {
            store_zone_free(request->opened);
            keeper_wish_load(keeper, zone, true);
        }
    }
    mem_free(request->problem);
    buffer_free(&opening->identity);
    mem_free(opening);
}

static void take_wiped(struct store_request *request)
{
    struct opening *opening = (struct opening *)request;
    if (request->result != SG_OK) {
        log_write(LOG_ZONE, SEVERITY_WARNING, "the store keeps a zone that was deleted: %s",
                  sg_result_text(request->result));
    }
    mem_free(request->problem);
    buffer_free(&opening->identity);
    mem_free(opening);
}

void opening_wipe(struct keeper *keeper, struct managed_zone *zone)
{
    const struct zone_settings *settings = zone->settings;
    if (zone->ledger.id == 0 || keeper->stopping ||
        zone_index_find(&keeper->index, &settings->apex, settings->rrclass, settings->view) !=
            NULL) {
        return;
    }
    struct opening *opening = mem_alloc_zero(1, sizeof(*opening));
    opening->identity = BUFFER_EMPTY;
    write_identity(settings, &opening->identity);
    opening->request = (struct store_request){
        .kind = STORE_ZONE_FORGET,
        .reply = keeper->io.commits,
        .done = take_wiped,
        .zone = zone->ledger.id,
        .identity = buffer_span(&opening->identity),
    };
    keeper->requests++;
    store_submit(keeper->io.store, &opening->request);
}

bool opening_is_due(const struct managed_zone *zone)
{
    return zone->keeper->io.store != NULL && zone_is_stored(zone->settings) &&
           (zone->ledger.id == 0 || zone_is_lost(zone)) && !zone->ledger.opening;
}

void opening_start(struct keeper *keeper, struct managed_zone *zone)
{
    if (keeper->io.store == NULL || !zone_is_stored(zone->settings)) {
        keeper_wish_load(keeper, zone, true);
        return;
    }
    struct opening *opening = mem_alloc_zero(1, sizeof(*opening));
    opening->zone = zone;
    opening->identity = BUFFER_EMPTY;
    write_identity(zone->settings, &opening->identity);
    opening->request = (struct store_request){
        .kind = STORE_ZONE_OPEN,
        .reply = keeper->io.commits,
        .done = take_opened,
        .identity = buffer_span(&opening->identity),
    };
    zone->ledger.opening = true;
    zone->out++;
    keeper->requests++;
    store_submit(keeper->io.store, &opening->request);
}
