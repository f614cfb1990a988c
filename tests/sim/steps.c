#include "base/mem.h"
#include "dns/serial.h"
#include "keeper/managed_zone.h"
#include "sim/rolls.h"

enum { BURST_MAX = 6, EDITS_MAX = 6, FAULT_WRITES = 40 };

static struct sim_zone *draw_zone(struct world *world)
{
    return &world->zones[world_draw(world, (uint32_t)world->zones_count)];
}

/* What a command said at once. */
static void note(struct sim_zone *zone, const char *what, enum sg_result result)
{
    world_say(zone->world, "%s: %s: %s", zone->name, what, sg_result_text(result));
}

/* --- updates -------------------------------------------------------------------------------- */

/* An update at work. */
struct asking {
    struct keeper_update update; /* first member */
    struct sim_zone *zone;
    unsigned id;
};

static const uint16_t any_class[] = {
    [MODEL_ADD] = DNS_CLASS_IN,
    [MODEL_REMOVE] = DNS_CLASS_NONE,
    [MODEL_REMOVE_RRSET] = DNS_CLASS_ANY,
    [MODEL_REMOVE_NAME] = DNS_CLASS_ANY,
};

/* RFC 2136 2.5. */
static void write_change(const struct sim_zone *zone, struct writer *writer,
                         const struct model_change *change)
{
    const struct record *record = &change->record;
    bool whole = change->kind == MODEL_ADD || change->kind == MODEL_REMOVE;
    writer_bytes(writer, record->owner.wire, record->owner.length);
    writer_u16(writer, change->kind == MODEL_REMOVE_NAME ? DNS_TYPE_ANY : record->type);
    writer_u16(writer, any_class[change->kind]);
    writer_u32(writer, change->kind == MODEL_ADD ? sim_zone_asked_ttl(zone, record) : 0);
    writer_u16(writer, whole ? record->length : 0);
    writer_bytes(writer, record->rdata, whole ? record->length : 0);
}

static void write_update(const struct sim_zone *zone, const struct model_wish *wish,
                         struct buffer *out_wire)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    bool asks = wish->prerequisite != MODEL_ALWAYS;
    writer_u16(&writer, (uint16_t)wish->id);
    writer_u16(&writer, DNS_OPCODE_UPDATE << 11);
    writer_u16(&writer, 1);
    writer_u16(&writer, asks);
    writer_u16(&writer, (uint16_t)wish->changes_count);
    writer_u16(&writer, 0);
    writer_bytes(&writer, zone->apex.wire, zone->apex.length);
    writer_u16(&writer, DNS_TYPE_SOA);
    writer_u16(&writer, DNS_CLASS_IN);
    if (asks) { /* RFC 2136 2.4.4, 2.4.5 */
        writer_bytes(&writer, wish->about.wire, wish->about.length);
        writer_u16(&writer, DNS_TYPE_ANY);
        writer_u16(&writer, wish->prerequisite == MODEL_IN_USE ? DNS_CLASS_ANY : DNS_CLASS_NONE);
        writer_u32(&writer, 0);
        writer_u16(&writer, 0);
    }
    for (size_t i = 0; i < wish->changes_count; i++) {
        write_change(zone, &writer, &wish->changes[i]);
    }
    ASSERT(!writer.failed);
    buffer_append(out_wire, bytes, writer_length(&writer));
}

static void check_answer(struct asking *asking)
{
    struct sim_zone *zone = asking->zone;
    struct world *world = zone->world;
    uint16_t rcode = asking->update.rcode;
    world_say(world, "%s: update %u is answered %u", zone->name, asking->id, rcode);
    if (rcode == DNS_RCODE_SERVFAIL || rcode == DNS_RCODE_REFUSED) {
        world->tally.refused++;
        if (!model_refuse(&zone->model, asking->id)) {
            world_fail(world, "%s: S1: update %u was refused and is there", zone->name, asking->id);
        }
        return;
    }
    if (zone->model.first == NULL || zone->model.first->id != asking->id) {
        world_fail(world, "%s: update %u is answered before an earlier one", zone->name,
                   asking->id);
    }
    uint16_t wanted = model_rcode(&zone->model);
    if (rcode != wanted) {
        world_fail(world, "%s: update %u is answered %u instead of %u", zone->name, asking->id,
                   rcode, wanted);
    }
    world->tally.acknowledged++;
    watch_zone(zone); /* visible, then answered */
    if (!model_acknowledge(&zone->model, asking->id)) {
        world_fail(world, "%s: S1: update %u was acknowledged and is not there", zone->name,
                   asking->id);
    }
}

static void hear_answer(struct keeper_update *update)
{
    struct asking *asking = (struct asking *)update;
    struct world *world = asking->zone->world;
    if (!world->is_down && !fake_disk_is_without_power(world->disk)) {
        check_answer(asking);
    }
    buffer_free(&update->wire);
    mem_free(update->client);
    mem_free(asking);
}

void step_update(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct model_wish *wish = mem_alloc_zero(1, sizeof(*wish));
    struct asking *asking = mem_alloc_zero(1, sizeof(*asking));
    sim_zone_draw_wish(zone, wish);
    wish->id = asking->id = ++world->next_id;
    if (world_chance(world, 25)) {
        struct model_wish other = {.changes_count = 0};
        sim_zone_draw_wish(zone, &other);
        wish->prerequisite = world_chance(world, 50) ? MODEL_IN_USE : MODEL_NOT_IN_USE;
        wish->about = other.changes[0].record.owner;
    }
    asking->zone = zone;
    asking->update.done = hear_answer;
    asking->update.client = mem_format("client %u", wish->id);
    write_update(zone, wish, &asking->update.wire);
    enum sg_result result =
        dns_message_parse(buffer_span(&asking->update.wire), &asking->update.message);
    ASSERT(result == SG_OK);
    world->tally.updates++;
    world_say(world, "%s: update %u", zone->name, wish->id);
    model_add(&zone->model, wish);
    keeper_update(world->keeper, zone->managed, &asking->update);
}

static void step_updates(struct world *world, struct sim_zone *zone)
{
    for (uint32_t left = 1 + world_draw(world, BURST_MAX); left > 0; left--) {
        step_update(zone);
        if (world_chance(world, 20)) {
            (void)world_turn(world);
        }
    }
}

/* --- files ---------------------------------------------------------------------------------- */

struct reloading {
    struct sim_zone *zone;
    unsigned id; /* of the wish; 0: nothing is to change */
    bool is_broken;
    unsigned writes; /* of the file, when it was asked for */
};

static void hear_reload(void *argument, enum reload_outcome outcome, const char *text)
{
    struct reloading *reloading = argument;
    struct sim_zone *zone = reloading->zone;
    struct world *world = zone->world;
    if (world->is_down || fake_disk_is_without_power(world->disk)) {
        mem_free(reloading);
        return;
    }
    world_say(world, "%s: reload ended: %d %s", zone->name, outcome, text);
    /* While a commit is in doubt the zone waits, and its file may be whole before it is read. */
    if (reloading->is_broken && outcome != RELOAD_FAILED &&
        reloading->writes == zone->file_writes) {
        world_fail(world, "%s: a broken file was loaded", zone->name);
    }
    watch_zone(zone);
    if (outcome != RELOAD_FAILED && reloading->id != 0 &&
        !model_acknowledge(&zone->model, reloading->id)) {
        world_fail(world, "%s: S1: the file was loaded and is not what is served", zone->name);
    }
    mem_free(reloading);
}

static unsigned wish_file(struct sim_zone *zone, bool outlives_a_crash)
{
    struct world *world = zone->world;
    struct model_wish *wish = mem_alloc_zero(1, sizeof(*wish));
    model_newest(&zone->model, &wish->whole);
    sim_zone_edit(zone, &wish->whole, world_draw(world, EDITS_MAX));
    wish->id = ++world->next_id;
    wish->is_whole = true;
    wish->outlives_a_crash = outlives_a_crash;
    /* Some operators forget the serial; a zone that is served as it is goes by it alone. */
    bool is_served = rolls_is_unsigned(zone);
    bool forgets = zone->kind == SIM_SIGNED_FILE && world_chance(world, 30) && !is_served;
    uint32_t least = is_served && serial_compare(zone->seen.serial, zone->file_serial) > 0
                         ? zone->seen.serial
                         : zone->file_serial;
    uint32_t serial = least + (forgets ? 0 : 1 + world_draw(world, 50));
    sim_zone_write_file(zone, &wish->whole, serial);
    world_say(world, "%s: the file has serial %u and %zu records", zone->name, serial,
              wish->whole.count);
    unsigned id = wish->id;
    model_add(&zone->model, wish);
    return id;
}

static void reload(struct sim_zone *zone, unsigned id, bool is_broken)
{
    struct reloading *reloading = mem_alloc_zero(1, sizeof(*reloading));
    *reloading = (struct reloading){zone, id, is_broken, zone->file_writes};
    zone->world->tally.reloads++;
    if (keeper_reload(zone->world->keeper, zone->managed, world_chance(zone->world, 20),
                      hear_reload, reloading) != SG_OK) {
        mem_free(reloading);
    }
}

static void step_file(struct world *world, struct sim_zone *zone)
{
    if (world_chance(world, 15)) {
        sim_zone_break_file(zone);
        world_say(world, "%s: the file is broken", zone->name);
        reload(zone, 0, true);
        world_settle(world);
    }
    if (fake_disk_is_without_power(world->disk)) {
        world_crash(world);
        world_start(world);
    }
    reload(zone, wish_file(zone, true), false);
    if (world_chance(world, 60)) {
        world_settle(world);
    }
}

/* --- freeze, thaw, sync --------------------------------------------------------------------- */

static bool is_frozen(const struct sim_zone *zone)
{
    struct zone_status status;
    managed_zone_status(zone->managed, &status);
    return status.frozen;
}

static void hear_nothing(void *argument, enum reload_outcome outcome, const char *text)
{
    struct sim_zone *zone = argument;
    world_say(zone->world, "%s: freeze, thaw or sync ended: %d %s", zone->name, outcome, text);
}

static void thaw(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct reloading *reloading = mem_alloc_zero(1, sizeof(*reloading));
    zone->file_serial = zone->seen.source_serial;
    *reloading = (struct reloading){.zone = zone, .id = wish_file(zone, false)};
    if (keeper_thaw(world->keeper, zone->managed, hear_reload, reloading) != SG_OK) {
        world_fail(world, "%s: a frozen zone cannot be thawed", zone->name);
    }
    world_settle(world);
}

static void step_freeze(struct world *world, struct sim_zone *zone)
{
    world_settle(world);
    if (fake_disk_is_without_power(world->disk) || zone->model.first != NULL) {
        return;
    }
    if (world_chance(world, 30)) {
        bool clean = world_chance(world, 50);
        zone->standing.begins_anew |= clean;
        note(zone, clean ? "sync -clean" : "sync",
             (clean ? keeper_sync_clean : keeper_sync)(world->keeper, zone->managed, hear_nothing,
                                                       zone));
        return;
    }
    if (!is_frozen(zone)) {
        note(zone, "freeze", keeper_freeze(world->keeper, zone->managed, hear_nothing, zone));
        world_settle(world);
    }
    if (world_chance(world, 50) && !fake_disk_is_without_power(world->disk)) {
        step_update(zone);
    }
    world_settle(world);
    if (!fake_disk_is_without_power(world->disk) && is_frozen(zone) && world_chance(world, 80)) {
        thaw(zone);
    }
}

/* --- peers ---------------------------------------------------------------------------------- */

static void step_primary(struct world *world, struct sim_zone *zone)
{
    static const struct remote primary = {
        .address = {192, 0, 2, 1}, .address_length = 4, .port = 53};
    if (world_chance(world, 80)) {
        primary_edit(zone, 1 + world_draw(world, EDITS_MAX));
    }
    zone->primary->lies = world_chance(world, 25);
    if (world_chance(world, 60)) {
        keeper_notified(world->keeper, zone->managed, &primary, NULL);
    }
    if (world_chance(world, 10) && zone->primary->shown + 1 == zone->primary->count) {
        note(zone, "refresh",
             keeper_refresh(world->keeper, zone->managed, world_chance(world, 50)));
    }
}

static void step_network(struct world *world)
{
    world->network.dead = world_chance(world, 15);
    world->network.loss_percent = world_chance(world, 50) ? world_draw(world, 60) : 0;
    world_say(world, "the network loses %u %%%s", world->network.loss_percent,
              world->network.dead ? " and is dead" : "");
}

/* --- commands ------------------------------------------------------------------------------- */

static void hear_order(void *argument, enum sg_result result, const char *text)
{
    struct world *world = argument;
    world_say(world, "the order: %s: %s", sg_result_text(result), text);
}

static void step_roll(struct world *world, struct sim_zone *zone)
{
    struct keeper_key_word word = {.tag = KEEPER_ANY_KEY};
    uint16_t tag;
    if (!sim_zone_draw_key(zone, &tag)) {
        return;
    }
    word.tag = tag;
    note(zone, "rollover", keeper_rollover(world->keeper, zone->managed, &word, hear_order, world));
}

static void step_keys(struct world *world, struct sim_zone *zone)
{
    if (zone->policy != NULL && world_chance(world, 70)) {
        if (zone->parent != NULL) {
            parent_operator(zone);
        }
    } else if (zone->policy != NULL) {
        step_roll(world, zone);
    }
}

static void step_command(struct world *world, struct sim_zone *zone)
{
    switch (world_draw(world, 4)) {
    case 0:
        note(zone, "loadkeys", keeper_loadkeys(world->keeper, zone->managed, true));
        break;
    case 1:
        if (sim_zone_is_signed(zone)) {
            note(zone, "raise_serial",
                 keeper_raise_serial(world->keeper, zone->managed,
                                     zone->seen.serial + 1 + world_draw(world, 1000)));
        }
        break;
    case 2:
        note(zone, "notify", keeper_notify(world->keeper, zone->managed));
        break;
    default:
        if (random_seeded_below(&world->denial_random, 3) != 0) {
            (void)sim_zone_change_denial(zone);
        }
        world_say(world, "configured anew");
        world_configure(world);
        break;
    }
}

/* --- trouble -------------------------------------------------------------------------------- */

void step_heal(struct world *world)
{
    fake_disk_heal(world->disk);
    world->lame_until = world->is_lame ? world->now : world->lame_until;
    world->is_lame = false;
}

static void step_fault(struct world *world)
{
    static const enum sg_result results[] = {SG_IO, SG_NO_SPACE, SG_LIMIT, SG_IN_DOUBT};
    struct fake_disk_fault fault = {
        .at = 1 + world_draw(world, FAULT_WRITES),
        .result = results[world_draw(world, ARRAY_LEN(results))],
        .goes_on = world_chance(world, 40),
        .loses_power = world_chance(world, 40),
        .counts = world_chance(world, 50),
    };
    if (fault.result == SG_LIMIT) {
        fault.goes_on = false; /* an environment that has grown is large enough */
    }
    if (fault.result == SG_IN_DOUBT) {
        fault.haunts = world_chance(world, 40);
    }
    world->tally.faults++;
    world_say(world, "the disk: %s at write %llu%s%s%s", sg_result_text(fault.result),
              (unsigned long long)fault.at, fault.goes_on ? ", and on" : "",
              fault.haunts ? ", and haunts" : "", fault.loses_power ? ", power lost" : "");
    fake_disk_set_fault(world->disk, &fault);
    if (fault.goes_on && !world->is_lame) {
        world->lame_since = world->now;
    }
    world->lame_until = world->is_lame ? world->now : world->lame_until;
    world->is_lame = fault.goes_on;
}

static void restart(struct world *world)
{
    world_crash(world);
    bool is_right_again = clock_restart(world);
    if (world_chance(world, 30)) {
        world->now += world_draw(world, (uint32_t)SG_DAY);
    }
    world_start(world);
    if (is_right_again) {
        clock_accept(world);
    } else if (world_chance(world, 80)) {
        world_settle(world);
    }
}

/* --- time ----------------------------------------------------------------------------------- */

static sg_duration draw_time(struct world *world)
{
    switch (world_draw(world, 8)) {
    case 0:
        return 0;
    case 1:
    case 2:
        return 1 + world_draw(world, 10);
    case 3:
    case 4:
        return world_draw(world, (uint32_t)SG_HOUR);
    case 5:
        return world_draw(world, (uint32_t)SG_DAY);
    default:
        /* A disk that fails for days, or a network, may cost the zone its signatures. */
        return world->is_lame ? (sg_duration)world_draw(world, (uint32_t)SG_HOUR)
                              : (sg_duration)world_draw(world, 8 * (uint32_t)SG_DAY);
    }
}

static void do_zone_step(struct world *world, struct sim_zone *zone)
{
    switch (zone->kind) {
    case SIM_DYNAMIC:
    case SIM_SIGNED_DYNAMIC:
        if (world_chance(world, 85)) {
            step_updates(world, zone);
        } else {
            step_freeze(world, zone);
        }
        break;
    case SIM_FILE:
    case SIM_SIGNED_FILE:
        step_file(world, zone);
        break;
    default:
        step_primary(world, zone);
        break;
    }
}

void step(struct world *world)
{
    uint32_t dice = world_draw(world, 100);
    if (dice < 60) {
        do_zone_step(world, draw_zone(world));
    } else if (dice < 70) {
        step_command(world, draw_zone(world));
    } else if (dice < 78) {
        step_network(world);
    } else if (dice < 88) {
        step_fault(world);
    } else if (dice < 94) {
        restart(world);
    } else {
        step_heal(world);
    }
    if (world_chance(world, 40)) {
        step_keys(world, draw_zone(world));
    }
    rolls_step(world);
    if (world_chance(world, 70)) {
        world_pass(world, draw_time(world));
    }
    if (fake_disk_is_without_power(world->disk)) {
        restart(world);
    }
    upheave(world);
    if (fake_disk_is_without_power(world->disk)) {
        restart(world);
    }
    for (size_t i = 0; i < world->zones_count; i++) {
        clock_check_keys(&world->zones[i]);
        upheaval_check(&world->zones[i]);
    }
}

/* Whatever was refused meanwhile works now. */
void step_in_peace(struct world *world, struct sim_zone *zone)
{
    if (sim_zone_is_dynamic(zone)) {
        if (is_frozen(zone)) {
            thaw(zone);
        }
        size_t refused = world->tally.refused;
        step_update(zone);
        world_settle(world);
        if (world->tally.refused != refused) {
            world_fail(world, "%s: an update is refused in peace", zone->name);
        }
    } else if (zone->primary == NULL) {
        reload(zone, wish_file(zone, true), false);
        world_settle(world);
    } else {
        primary_edit(zone, 2);
        zone->primary->shown = zone->primary->count - 1;
    }
}
