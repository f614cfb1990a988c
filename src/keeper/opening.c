#include "base/log.h"
#include "base/mem.h"
#include "dns/serial.h"
#include "keeper/secondary.h"
#include "store/identity.h"

/* A full disk has no room for a new zone; whatever else it is, looking costs little. */
enum { RETRY_SECONDS = 10 };

/* The question to the store; it owns the identity that it asks with. */
struct opening {
    struct store_request request;
    struct managed_zone *zone; /* OPEN */
    wipe_done *wiped;          /* FORGET: who is told, or NULL */
    void *wiped_argument;
    struct buffer identity;
};

/* A zone is (view, class, name), whatever the order of the configuration. */
static void write_identity(const struct zone_settings *settings, struct buffer *out_identity)
{
    store_identity(settings->view, settings->rrclass, &settings->apex, out_identity);
}

bool opening_is_wanted(const struct keeper *keeper, const struct managed_zone *zone)
{
    bool is_durable = keeper->io.store != NULL || keeper->store_missing != NULL;
    bool is_of_interest = zone_is_stored(zone->settings) || zone->ledger.unasked;
    return is_durable && zone->ledger.id == 0 && is_of_interest;
}

const char *keeper_lacks_store(const struct keeper *keeper, const struct managed_zone *zone)
{
    return zone_is_stored(zone->settings) ? keeper->store_missing : NULL;
}

/* It is served already, and the store knows serials of it that secondaries may have: a zone whose
 * store came late, and which was static until now or is so still. */
static void stay_above(struct managed_zone *zone, const struct store_zone *stored)
{
    const struct zone_facts *facts = zone_version_facts(zone_record_version(zone));
    bool is_its_primaries =
        zone->settings->type == ZONE_SECONDARY && zone->settings->policy == NULL;
    if (stored->last > 0 && !is_its_primaries &&
        serial_compare(stored->serial, facts->serial) >= 0) {
        uint32_t *above = &zone->wishes.serial_above;
        *above = zone_greater_floor(*above, stored->serial);
    }
}

/* What follows goes on behind the numbers of what is damaged for good. */
static void follow_remnant(struct managed_zone *zone, const struct store_zone *remnant)
{
    struct zone_ledger *ledger = &zone->ledger;
    ledger->id = remnant->zone;
    ledger->last = remnant->last;
    ledger->continues = ledger->lost = false;
}

/* Does the last state that can be read say that the file lacks what updates have brought? */
static bool is_ahead_of_file(const struct store_zone *stored)
{
    struct zone_state state;
    if (zone_state_decode(buffer_span(&stored->state), &state) != SG_OK) {
        return false;
    }
    bool is_ahead = state.ahead_of_file;
    zone_state_clear(&state);
    return is_ahead;
}

/* Would it be lost if what is served, or the file, took its place? A zone whose store came late,
 * and that was static until then, is served from its file, which may lack what updates brought. */
static bool is_to_be_kept(const struct managed_zone *zone, const struct store_zone *stored)
{
    const struct zone_state *served = &zone->known.state;
    bool is_of_file =
        zone->settings->type == ZONE_PRIMARY && served->was_static && !served->ahead_of_file;
    return zone_record_version(zone) == NULL || (is_of_file && is_ahead_of_file(stored));
}

static void take_remnant(struct managed_zone *zone, const struct store_zone *remnant, bool is_ahead)
{
    follow_remnant(zone, remnant);
    if (is_to_be_kept(zone, remnant)) {
        change_recover_otherwise(zone->keeper, zone, remnant->serial, is_ahead);
        if (zone->secondary == NULL) {
            secondary_begin(zone->keeper, zone);
        }
    } else {
        stay_above(zone, remnant);
        zone->wishes.keys = true; /* What is served goes on. */
        zone->known.keys_wished = keying_round(zone->keeper->keying);
        keeper_enqueue(zone->keeper, zone);
    }
}

/* Nothing can be done to the zone. Takes the problem. */
static void take_problem(struct managed_zone *zone, char *problem)
{
    struct zone_health *health = &zone->health;
    char label[ZONE_LABEL_BYTES];
    char served[ZONE_SERVED_BYTES];
    health->problem_since = health->problem == NULL ? zone->keeper->now : health->problem_since;
    mem_free(health->problem);
    health->problem = problem;
    health->failed = ZONE_JOB_RECOVER;
    health->by_store = false;
    zone_served_text(zone, served);
    log_write(LOG_ZONE, SEVERITY_ERROR, "zone %s: %s: %s", zone_label(zone->settings, label),
              served, health->problem);
    change_refuse_orders(zone);
}

/* What is served goes on, and is committed whole with the next change. */
static void opened_late(struct managed_zone *zone)
{
    zone->wishes.load = true; /* It has new settings, or it would not be opened now. */
    zone->wishes.force = true;
    keeper_enqueue(zone->keeper, zone);
}

/* Served with a serial above all that the store knows of, a static zone needs it no more. */
static void opened_static(struct managed_zone *zone, const struct store_zone *stored)
{
    stay_above(zone, stored);
    if (zone->wishes.serial_above == 0) {
        opening_forget_static(zone->keeper, zone);
    }
}

/* A static zone whose record cannot be read but for the serial that was served: its file is all
 * else that it needs. The floor stays in the store until the file is above it. */
static void opened_damaged_static(struct managed_zone *zone, const struct store_zone *remnant)
{
    char label[ZONE_LABEL_BYTES];
    log_write(LOG_ZONE, SEVERITY_WARNING,
              "zone %s: what the store has of it cannot be read: its file is served, with a serial "
              "above %u",
              zone_label(zone->settings, label), remnant->serial);
    follow_remnant(zone, remnant);
    if (zone_record_version(zone) == NULL) {
        zone->ledger.lost_serial = remnant->serial;
        keeper_wish_load(zone->keeper, zone, true);
    } else {
        opened_static(zone, remnant);
        opened_late(zone);
    }
}

static void opening_failed(struct managed_zone *zone, const struct store_request *request)
{
    struct keeper *keeper = zone->keeper;
    const char *why = request->problem != NULL ? request->problem : sg_result_text(request->result);
    bool is_damaged = request->result == SG_MALFORMED && request->opened != NULL;
    bool is_ahead = is_damaged && is_ahead_of_file(request->opened);
    bool is_lost = is_damaged && is_to_be_kept(zone, request->opened);
    take_problem(zone, mem_format("the store cannot be read: %s%s", why,
                                  is_lost ? zone_words_of_loss(zone->settings, is_ahead) : ""));
    zone->health.retry_at = keeper->now + RETRY_SECONDS;
    if (is_damaged) {
        take_remnant(zone, request->opened, is_ahead);
    }
    if (change_is_wished(zone)) {
        keeper_enqueue(keeper, zone); /* A transfer has come meanwhile. */
    }
    keeper_set_timer(keeper, zone);
    keeper_zone_was_tried(keeper, zone);
}

/* A static zone that the store does not know, or nothing of which can be read. What is served
 * already stays as it is. */
static void opened_unknown(struct managed_zone *zone, const struct store_request *request)
{
    char label[ZONE_LABEL_BYTES];
    if (request->opened != NULL) {
        if (is_to_be_kept(zone, request->opened) && is_ahead_of_file(request->opened)) {
            opening_failed(zone, request); /* It took updates until now, and its file lacks them. */
        } else {
            opened_damaged_static(zone, request->opened);
        }
        return;
    }
    if (request->result != SG_NOT_FOUND) {
        log_write(LOG_ZONE, SEVERITY_WARNING,
                  "zone %s: what the store has of it cannot be read, and which serial was served "
                  "is not known: its file is served",
                  zone_label(zone->settings, label));
    }
    zone->ledger.lost = false;
    zone->ledger.lost_serial = 0;
    if (zone_record_version(zone) == NULL || zone->wishes.load) {
        keeper_wish_load(zone->keeper, zone, true);
    } else if (change_is_wished(zone)) {
        keeper_enqueue(zone->keeper, zone);
    }
}

static void opened(struct managed_zone *zone, struct store_zone *stored)
{
    struct zone_ledger *ledger = &zone->ledger;
    ledger->id = stored->zone;
    ledger->last = stored->last;
    ledger->image_number = stored->image_number;
    ledger->continues = ledger->lost = false;
    zone->wishes.give_up = zone->later.give_up = false; /* It is all there again. */
    ledger->since_image_bytes = 0;
    for (size_t i = 0; i < stored->records_count; i++) {
        bool behind = stored->records_first + i > stored->image_number;
        ledger->since_image_bytes += behind ? stored->records[i].length : 0;
    }
    if (stored->last > 0 && is_to_be_kept(zone, stored)) {
        ledger->stored = stored;
        keeper_enqueue(zone->keeper, zone);
    } else if (zone_record_version(zone) != NULL) {
        if (zone_is_stored(zone->settings)) {
            stay_above(zone, stored);
        } else {
            opened_static(zone, stored);
        }
        store_zone_free(stored);
        opened_late(zone);
    } else {
        store_zone_free(stored);
        keeper_wish_load(zone->keeper, zone, true);
    }
}

static void take_opened(struct store_request *request)
{
    struct opening *opening = (struct opening *)request;
    struct managed_zone *zone = opening->zone;
    zone->out--;
    zone->ledger.opening = false;
    if (zone->gone) {
        zone->ledger.id = request->result == SG_OK ? request->opened->zone : 0; /* to be wiped */
        store_zone_free(request->opened);
        keeper_bury(zone);
    } else if (request->result != SG_OK && opening->request.only_known &&
               !zone_is_stored(zone->settings)) {
        opened_unknown(zone, request);
        store_zone_free(request->opened);
    } else if (request->result == SG_NOT_FOUND) {
        opening_start(zone->keeper, zone); /* It is to be stored since it was asked for. */
    } else if (request->result != SG_OK) {
        opening_failed(zone, request);
        store_zone_free(request->opened);
    } else {
        opened(zone, request->opened);
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
    if (opening->wiped != NULL) {
        opening->wiped(opening->wiped_argument, request->result);
    }
    mem_free(request->problem);
    buffer_free(&opening->identity);
    mem_free(opening);
}

/* A raise that follows has to be stored, and who is still asked is counted there: it goes with a
 * later start. */
static bool needs_ledger(const struct managed_zone *zone)
{
    return zone->ledger.unheard > 0 || zone->ledger.overtaken != 0 ||
           zone->wishes.serial_above != 0 || zone->later.serial_above != 0;
}

void opening_forget_static(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->ledger.id != 0 && zone->out == 0 && !zone->gone && !zone_is_stored(zone->settings) &&
        !needs_ledger(zone)) {
        opening_wipe(keeper, zone);
        zone->ledger = (struct zone_ledger){.id = 0};
    }
}

void opening_wipe(struct keeper *keeper, struct managed_zone *zone)
{
    const struct zone_settings *settings = zone->settings;
    if (keeper->io.store == NULL || keeper->stopping) {
        if (zone->wiped != NULL) {
            bool is_durable = keeper->io.store != NULL || keeper->store_missing != NULL;
            zone->wiped(zone->wiped_argument, is_durable ? SG_CANCELLED : SG_OK);
        }
        return;
    }
    struct opening *opening = mem_alloc_zero(1, sizeof(*opening));
    opening->wiped = zone->wiped;
    opening->wiped_argument = zone->wiped_argument;
    opening->identity = BUFFER_EMPTY;
    write_identity(settings, &opening->identity);
    opening->request = (struct store_request){
        .kind = STORE_ZONE_FORGET,
        .reply = keeper->io.commits,
        .done = take_wiped,
        .zone = zone->ledger.id, /* 0: it could not be opened, but may be there */
        .identity = buffer_span(&opening->identity),
    };
    keeper->requests++;
    store_submit(keeper->io.store, &opening->request);
}

/* --- without a store ------------------------------------------------------------------------- */

void keeper_miss_store(struct keeper *keeper, const char *why)
{
    ASSERT(keeper->io.store == NULL);
    mem_free(keeper->store_missing);
    keeper->store_missing = mem_format("the store is not open: %s", why);
}

void keeper_take_store(struct keeper *keeper, struct store *store)
{
    mem_free(keeper->store_missing);
    keeper->store_missing = NULL;
    keeper->io.store = store;
    keeper->failed = keeper->kept = 0;
    keeper->announced = false;
    for (size_t i = 0; i < keeper->zones_count && !keeper->stopping; i++) {
        struct managed_zone *zone = keeper->zones[i];
        if (opening_is_wanted(keeper, zone)) {
            keeper_try_again(keeper, zone);
        } else {
            bool has_problem = zone->tried && zone->health.problem != NULL;
            bool is_kept = zone->slot->version != NULL;
            keeper->failed += has_problem && !is_kept;
            keeper->kept += has_problem && is_kept;
        }
        zone->ledger.unasked = zone->job != NULL; /* when that is back */
        opening_start(keeper, zone);
    }
}

/* What was wished is wished again with the opening. */
static void refuse_without_store(struct keeper *keeper, struct managed_zone *zone)
{
    keeper_unqueue(zone); /* What it waited for was wished of a zone that needs no store. */
    take_problem(zone, mem_copy_text(keeper->store_missing));
    keeper_set_timer(keeper, zone);
    keeper_zone_was_tried(keeper, zone);
}

/* --------------------------------------------------------------------------------------------- */

void opening_start(struct keeper *keeper, struct managed_zone *zone)
{
    if (zone->ledger.opening || zone->job != NULL) {
        return;
    }
    if (keeper_lacks_store(keeper, zone) != NULL) {
        refuse_without_store(keeper, zone);
        return;
    }
    if (keeper->io.store == NULL) {
        zone->ledger.lost = false;
        keeper_wish_load(keeper, zone, true);
        return;
    }
    const struct zone_settings *settings = zone->settings;
    if (zone_index_find(&keeper->leaving, &settings->apex, settings->rrclass, settings->view) !=
        NULL) {
        /* What is at work for it writes under the same number of the store. */
        zone->ledger.opening = zone->ledger.awaits_burial = true;
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
        .only_known = !zone_is_stored(settings),
        .identity = buffer_span(&opening->identity),
    };
    zone->ledger.unasked = false;
    zone->ledger.opening = true;
    zone->out++;
    keeper->requests++;
    store_submit(keeper->io.store, &opening->request);
}

void opening_of_successor(struct keeper *keeper, const struct managed_zone *buried)
{
    const struct zone_settings *settings = buried->settings;
    struct managed_zone *zone =
        zone_index_find(&keeper->index, &settings->apex, settings->rrclass, settings->view);
    if (zone != NULL && zone->ledger.awaits_burial && !keeper->stopping) {
        zone->ledger.opening = zone->ledger.awaits_burial = false;
        opening_start(keeper, zone);
    }
}
