/* Everything heals, and all that was asked for has to come true. */
#include "keeper/managed_zone.h"
#include "sim/rolls.h"

static void make_peace(struct world *world)
{
    step_heal(world);
    if (world->skew != 0 || world->times_lie) {
        world->skew = 0;
        world->skews++;
        world_crash(world);
        world_start(world);
        clock_accept(world);
    }
    world->network.dead = false;
    world->network.loss_percent = 0;
    for (size_t i = 0; i < world->zones_count; i++) {
        struct sim_zone *zone = &world->zones[i];
        if (zone->primary != NULL) {
            zone->primary->lies = false;
            zone->primary->shown = zone->primary->count - 1;
        }
    }
}

static void check_peace(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct zone_status status;
    managed_zone_status(zone->managed, &status);
    if (status.facts == NULL) {
        world_fail(world, "%s: is not served in peace: %s", zone->name,
                   status.problem != NULL ? status.problem : "");
    }
    if (status.problem != NULL) {
        world_fail(world, "%s: has a problem in peace: %s", zone->name, status.problem);
    }
    if (zone->model.first != NULL) {
        world_fail(world, "%s: wish %u was never answered", zone->name, zone->model.first->id);
    }
    if (zone->primary != NULL &&
        zone->seen.source_serial != zone->primary->serials[zone->primary->count - 1]) {
        world_fail(world, "%s: is not what its primary has: %u", zone->name,
                   zone->seen.source_serial);
    }
    /* What was new while messages got lost may have been given up; what is new just now is told
     * after the delay. */
    if (world->now - zone->seen.at > SG_MINUTE &&
        zone->seen.versions > zone->seen.versions_before_peace &&
        (!zone->observer.was_told || zone->observer.told != zone->seen.serial)) {
        world_fail(world, "%s: its secondary was told %u, and not %u", zone->name,
                   zone->observer.told, zone->seen.serial);
    }
    if (zone->standing.is_behind) {
        world_fail(world, "%s: its serial %u is not above its secondary's %u", zone->name,
                   zone->seen.serial, zone->observer.serial);
    }
    if (zone->is_changing) {
        world_fail(world, "%s: is not as its policy wants it", zone->name);
    }
    if (sim_zone_is_signed(zone) && !rolls_is_unsigned(zone) &&
        zone->denial_served != zone->denial) {
        world_fail(world, "%s: has denial=%d, and the policy wants %d", zone->name,
                   zone->denial_served, zone->denial);
    }
    size_t keys = zone->keys_made;
    if (zone->policy != NULL && zone->rolls == NULL && sim_zone_count_keys(zone) != keys) {
        world_fail(world, "%s: has %zu keys, and the policy wants %zu", zone->name,
                   sim_zone_count_keys(zone), keys);
    }
}

void step_peace(struct world *world)
{
    world_say(world, "--- peace");
    make_peace(world);
    rolls_calm(world);
    world_pass(world, SG_DAY);
    upheaval_raise_serials(world);
    for (size_t i = 0; i < world->zones_count; i++) {
        world->zones[i].seen.versions_before_peace = world->zones[i].seen.versions;
        step_in_peace(world, &world->zones[i]);
    }
    world_pass(world, SG_DAY);
    for (size_t i = 0; i < world->zones_count; i++) {
        check_peace(&world->zones[i]);
        watch_observe(&world->zones[i]);
    }
    rolls_come_to_rest(world);
}
