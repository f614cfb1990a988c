/*
 * What no ordinary day brings. A lost store takes with it what updates brought since the zone's
 * file was written, and every serial: keys, files and secondaries are left.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "dns/serial.h"
#include "keeper/managed_zone.h"
#include "sim/rolls.h"
#include "zone/zonefile.h"

enum { FAR_AHEAD = 1 << 30 }; /* as the keeper has it */
enum {
    UPHEAVAL_PERCENT = 8,
    SILENT_PERCENT = 30,
    BACKUP_DAYS_MAX = 3,     /* so old it has no signature that has expired */
    ANSWER_SECONDS_MAX = 60, /* what is slow in this world has come by then */
    KEY_FILE_BYTES_MAX = 64 * 1024,
};

static const char backup_folder[] = "backup";
static const char saved_keys[] = "saved-keys";

static uint32_t draw(struct world *world, uint32_t bound)
{
    return random_seeded_below(&world->upheaval_random, bound);
}

/* Settled, with power, the true time and a store that works: false if that is not to be had. */
static bool is_calm(struct world *world)
{
    step_heal(world);
    world_settle(world);
    return !fake_disk_is_without_power(world->disk) && world->skew == 0 && !world->times_lie &&
           store_health(world->store) == SG_OK;
}

/* Without a policy, and not fetched yet: its file is a signed one, and no primary's. */
static bool is_between(const struct world *world)
{
    bool is_between = false;
    for (size_t i = 0; i < world->zones_count; i++) {
        const struct sim_zone *zone = &world->zones[i];
        is_between |= zone->primary != NULL && zone->is_changing;
    }
    return is_between;
}

static bool has_rolls(const struct world *world)
{
    bool has = false;
    for (size_t i = 0; i < world->zones_count; i++) {
        has |= world->zones[i].rolls != NULL;
    }
    return has;
}

/* --- files ---------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to, const char *name)
{
    char *source = mem_format("%s/%s", from, name), *target = mem_format("%s/%s", to, name);
    struct buffer bytes = BUFFER_EMPTY;
    enum sg_result result = file_read(source, KEY_FILE_BYTES_MAX, &bytes);
    ASSERT(result == SG_OK);
    result = file_write_unsynced(target, 0600, buffer_span(&bytes));
    ASSERT(result == SG_OK);
    buffer_free(&bytes);
    mem_free(source);
    mem_free(target);
}

static void copy_keys(const char *from, const char *to)
{
    DIR *folder = opendir(from);
    ASSERT(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == 'K') {
            copy_file(from, to, entry->d_name);
        }
    }
    closedir(folder);
}

/* The zone as its file has it, which may be older than what was acknowledged. */
static void read_zone_file(struct sim_zone *zone, struct records *out_source)
{
    const struct zonefile_options options = {.path = zone->file, .strip_generated = true};
    struct zone_edit *edit = zone_edit_new(&zone->apex, DNS_CLASS_IN);
    struct zonefile_report *report = mem_alloc_zero(1, sizeof(*report));
    const struct zone_version *version;
    struct records whole = {0};
    if (zonefile_load(edit, &options, report) != SG_OK || zone_edit_seal(edit, &version) != SG_OK) {
        world_fail(zone->world, "%s: its file cannot be read", zone->name);
    }
    watch_take(zone, version, &whole);
    records_unsigned(&whole, out_source);
    zone->file_serial = zone_version_facts(version)->serial;
    records_clear(&whole);
    zone_version_unref(version);
    zonefile_report_clear(report);
    mem_free(report);
}

/* --- what is left of a zone ----------------------------------------------------------------- */

/* Takes `state`; `file`, unless it is NULL, is still to be loaded. */
static void begin_model(struct sim_zone *zone, struct records *state, struct records *file)
{
    model_clear(&zone->model);
    zone->model = (struct model){.state = *state};
    if (file != NULL) {
        struct model_wish *wish = mem_alloc_zero(1, sizeof(*wish));
        *wish = (struct model_wish){.id = ++zone->world->next_id,
                                    .is_whole = true,
                                    .outlives_a_crash = true,
                                    .whole = *file};
        model_add(&zone->model, wish);
    }
}

/* Its serial may be any, where it is no file's or primary's; its secondary has another. */
static void fall_behind(struct sim_zone *zone)
{
    zone->seen.any = false;
    zone->standing.was_silent = false;
    bool is_ours = zone->primary == NULL ? zone->kind != SIM_FILE : sim_zone_is_signed(zone);
    zone->standing.is_behind = zone->standing.begins_anew =
        is_ours && zone->observer.zone.count > 0;
    zone->keys_rest = false;
}

/* --- the store is lost ---------------------------------------------------------------------- */

static void lose_store(struct world *world)
{
    world_crash(world);
    world_say(world, "--- the store is lost");
    world->tally.losses++;
    world->is_inexact |= has_rolls(world); /* Which TTL the keys had before is lost with it. */
    fake_disk_free(world->disk);
    world->disk = fake_disk_new();
    for (size_t i = 0; i < world->zones_count; i++) {
        struct sim_zone *zone = &world->zones[i];
        if (sim_zone_is_dynamic(zone)) {
            struct records source = {0};
            read_zone_file(zone, &source);
            begin_model(zone, &source, NULL);
        }
        fall_behind(zone);
    }
    world->network.secondaries_are_silent = draw(world, 100) < SILENT_PERCENT;
    world_start(world);
    world_pass(world, ANSWER_SECONDS_MAX);
    world->network.secondaries_are_silent = false;
}

/* --- a backup ------------------------------------------------------------------------------- */

static bool copy_store(struct world *world)
{
    struct mailbox box;
    mailbox_init(&box, NULL, NULL);
    struct store_request request = {.kind = STORE_COPY, .reply = &box, .path = backup_folder};
    store_submit(world->store, &request);
    if (mailbox_take(&box) == NULL) {
        world_fail(world, "a backup was not answered");
    }
    mailbox_clear(&box);
    mem_free(request.problem);
    return request.result == SG_OK;
}

static void save(struct world *world)
{
    for (size_t i = 0; i < world->zones_count; i++) {
        if (world->zones[i].model.first != NULL && sim_zone_is_dynamic(&world->zones[i])) {
            return; /* what will become of it is open */
        }
    }
    if (!copy_store(world)) {
        world_fail(world, "a store that works cannot be copied");
    }
    fake_disk_free(world->backup);
    world->backup = fake_disk_take_copied(world->disk, backup_folder);
    (void)!mkdir(saved_keys, 0700);
    copy_keys("keys", saved_keys);
    world_say(world, "--- a backup");
    world->tally.backups++;
    world->backup_at = world->now;
    for (size_t i = 0; i < world->zones_count; i++) {
        struct sim_zone *zone = &world->zones[i];
        zone->standing.is_saved = zone->seen.any;
        records_clear(&zone->standing.saved);
        records_unsigned(&zone->seen.zone, &zone->standing.saved);
    }
}

/* What the backup has of a zone; a zone that it has not begins anew with its file. */
static void restore_zone(struct sim_zone *zone)
{
    struct records state = {0}, file = {0};
    if (zone->primary == NULL && sim_zone_is_dynamic(zone)) {
        if (zone->standing.is_saved) {
            records_copy(&zone->standing.saved, &state);
        } else {
            read_zone_file(zone, &state);
        }
        begin_model(zone, &state, NULL);
    } else if (zone->primary == NULL) {
        model_newest(&zone->model, &file);
        records_copy(zone->standing.is_saved ? &zone->standing.saved : &file, &state);
        begin_model(zone, &state, &file);
    }
    zone->is_changing = zone->policies[0] != NULL; /* it may be signed as it was wanted then */
    fall_behind(zone);
}

static void restore(struct world *world)
{
    bool store_too = draw(world, 100) < 75, keys_too = !store_too || draw(world, 100) < 60;
    world_crash(world);
    world_say(world, "--- restored:%s%s", store_too ? " the store" : "", keys_too ? " keys" : "");
    world->tally.restores++;
    world->is_inexact = true;
    for (size_t i = 0; i < world->zones_count; i++) {
        world->zones[i].keys_rest = false;
        if (store_too) {
            restore_zone(&world->zones[i]);
        }
    }
    if (keys_too) {
        copy_keys(saved_keys, "keys");
    }
    if (store_too) {
        fake_disk_free(world->disk);
        world->disk = world->backup;
        world->backup = NULL;
    }
    world_start(world);
    if (store_too) {
        keeper_note_restored(world->keeper, world->tally.restores);
    }
    world_pass(world, ANSWER_SECONDS_MAX);
    upheaval_raise_serials(world); /* man/signet-restore.8 */
}

/* --- another configuration ------------------------------------------------------------------ */

/* Without a policy it has its primary's serial, which an operator raises first. */
static void lose_policy(struct sim_zone *zone)
{
    primary_edit_above(zone, zone->seen.serial);
    sim_zone_set_policy(zone, NULL);
}

static void change_policy(struct sim_zone *zone)
{
    bool may_lose_it = zone->primary != NULL && zone->caches == NULL; /* no parent points to it */
    if (may_lose_it && zone->policy != NULL && draw(zone->world, 2) == 0) {
        lose_policy(zone);
    } else {
        sim_zone_set_policy(zone, zone->policies[zone->policy == zone->policies[0]]);
    }
}

static void reconfigure(struct world *world)
{
    struct sim_zone *zone = &world->zones[draw(world, (uint32_t)world->zones_count)];
    if (zone->primary != NULL) {
        zone->primaries = draw(world, SIM_PRIMARIES);
    }
    if (zone->policies[0] != NULL && zone->rolls == NULL && draw(world, 100) < 60) {
        change_policy(zone);
    }
    world->tally.configurations++;
    world_say(world, "%s: configured anew: primaries %u, %s", zone->name, zone->primaries,
              zone->policy == NULL  ? "not signed"
              : zone->policy->nsec3 ? "NSEC3"
                                    : "NSEC");
    world_configure(world);
    if (draw(world, 2) == 0) {
        world_settle(world);
    }
}

/* There is a backup that is not too old, and no key has rolled since. */
static bool may_restore(const struct world *world)
{
    return world->backup != NULL && world->now < world->backup_at + BACKUP_DAYS_MAX * SG_DAY &&
           !has_rolls(world) && !is_between(world);
}

/* --- now and then --------------------------------------------------------------------------- */

void upheave(struct world *world)
{
    if (draw(world, 100) >= UPHEAVAL_PERCENT) {
        return;
    }
    switch (draw(world, 8)) {
    case 0:
        if (!(world->clock_is_steady && has_rolls(world)) && is_calm(world) && !is_between(world)) {
            lose_store(world);
        }
        break;
    case 1:
    case 2:
    case 3:
        if (!is_calm(world)) {
            break;
        }
        if (may_restore(world)) {
            restore(world);
        } else {
            save(world);
        }
        break;
    case 4:
    case 5:
        clock_step(world);
        break;
    default:
        if (is_calm(world)) {
            reconfigure(world);
        }
        break;
    }
}

/* --- serials -------------------------------------------------------------------------------- */

static bool is_above(const struct sim_zone *zone)
{
    const struct zone_version *version = zone->settings->slot->version;
    return version != NULL &&
           serial_compare(zone_version_facts(version)->serial, zone->observer.serial) > 0;
}

void upheaval_hear(struct sim_zone *zone)
{
    struct standing *standing = &zone->standing;
    uint32_t told = zone->observer.serial;
    bool is_passed = zone->seen.any && serial_compare(zone->seen.serial, told) > 0;
    standing->is_heard = true;
    standing->begins_anew |= standing->was_silent; /* Had it ours from us, or from before? */
    standing->above = is_passed ? zone->seen.serial : told;
}

void upheaval_check(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct standing *standing = &zone->standing;
    if (!standing->is_behind || !standing->is_heard || fake_disk_is_without_power(world->disk) ||
        world->is_lame || store_health(world->store) != SG_OK) {
        return;
    }
    if (is_above(zone)) {
        standing->is_behind = false;
        return;
    }
    /* One that was silent may have got that very serial from us: it gets the next change. */
    bool is_equal = zone->seen.any && zone->seen.serial == zone->observer.serial;
    /* One that is so far ahead is not believed, and an operator is asked. */
    bool is_far = zone->seen.any && zone->observer.serial - zone->seen.serial > FAR_AHEAD;
    if (zone->settings->slot->version != NULL && sim_zone_is_signed(zone) && !is_far &&
        !(is_equal && standing->was_silent)) {
        world_fail(world, "%s: its secondary has told of serial %u, and ours is %u", zone->name,
                   zone->observer.serial, zone->seen.serial);
    }
}

/*
 * The secondary was silent when the zone's first version was published, or the store is an older
 * one: nobody but the operator knows of its serial.
 */
void upheaval_raise_serials(struct world *world)
{
    for (size_t i = 0; i < world->zones_count; i++) {
        struct sim_zone *zone = &world->zones[i];
        if (zone->standing.is_behind && !is_above(zone) &&
            !fake_disk_is_without_power(world->disk)) {
            enum sg_result result = keeper_raise_serial(world->keeper, zone->managed,
                                                        serial_next(zone->observer.serial));
            world_say(world, "%s: an operator raises the serial above %u: %s", zone->name,
                      zone->observer.serial, sg_result_text(result));
        }
        /* Who was not heard is passed in silence, and does not know. */
        if (zone->standing.is_behind && zone->standing.is_heard && is_above(zone)) {
            zone->standing.is_behind = false;
        }
    }
    world_settle(world);
}
