#include "keeper/managed_zone.h"
#include "sim/rolls.h"
#include "sim/world.h"

/* Steps up to 5 minutes are followed without a doubt; signatures begin an hour back. */
enum { SMALL_STEP_MAX = 5 * SG_MINUTE, SMALL_SKEW_MAX = 20 * SG_MINUTE };

/* --- wrong ---------------------------------------------------------------------------------- */

/* The battery is empty, a year was mistyped. Secondaries expire by it, so that only worlds without
 * them see decades. */
static void set_wrong(struct world *world)
{
    struct random_seeded *random = &world->clock_random;
    bool expires = false;
    for (size_t i = 0; i < world->zones_count; i++) {
        expires |= world->zones[i].primary != NULL;
    }
    switch (random_seeded_below(random, 3)) {
    case 0:
        world->skew = -(sg_duration)random_seeded_below(random, 90 * (uint32_t)SG_DAY);
        break;
    case 1:
        world->skew = (sg_duration)random_seeded_below(random, 3 * (uint32_t)SG_DAY);
        break;
    default:
        world->skew = expires ? (sg_duration)SG_DAY : 20 * 365 * SG_DAY;
    }
    world->times_lie = true;
    world_say(world, "the clock is wrong by %lld s", (long long)world->skew);
}

/* --- right again ---------------------------------------------------------------------------- */

/* All that was signed meanwhile is signed anew. */
static void believe(struct world *world)
{
    world_settle(world);
    world_pass(world, 1000); /* What had failed is tried again. */
    world->times_lie = false;
    for (size_t i = 0; i < world->zones_count; i++) {
        watch_times(&world->zones[i]);
    }
}

void clock_accept(struct world *world)
{
    step_heal(world);
    world_settle(world);
    world_say(world, "%zu zones rest, and the clock is accepted",
              keeper_accept_clock(world->keeper));
    believe(world);
}

bool clock_restart(struct world *world)
{
    bool was_wrong = world->skew != 0;
    if (world->clock_is_steady) {
        return false;
    }
    if (was_wrong && random_seeded_below(&world->clock_random, 100) < 50) {
        world->skew = 0;
        world_say(world, "the clock is right");
    } else if (!was_wrong && random_seeded_below(&world->clock_random, 100) < 40) {
        set_wrong(world);
    }
    world->skews += was_wrong != (world->skew != 0);
    return was_wrong && world->skew == 0;
}

static bool is_trusted(struct world *world)
{
    sg_duration jump;
    struct zone_status status;
    bool trusted = keeper_clock(world->keeper, &jump) == CLOCK_TRUSTED;
    for (size_t i = 0; i < world->zones_count; i++) {
        managed_zone_status(world->zones[i].managed, &status);
        trusted &= status.clock == CLOCK_TRUSTED;
    }
    return trusted;
}

/* --- while it runs -------------------------------------------------------------------------- */

/* As NTP does it. The true times of signatures stay as good as they were. */
static void step_a_little(struct world *world)
{
    uint32_t seconds = random_seeded_below(&world->clock_random, 2 * SMALL_STEP_MAX + 1);
    sg_duration skew = world->skew + (sg_duration)seconds - SMALL_STEP_MAX;
    if (skew > SMALL_SKEW_MAX || skew < -SMALL_SKEW_MAX) {
        return;
    }
    world->skew = skew;
    world->is_inexact = true;
    world->skews++;
    world_say(world, "the clock is stepped, and is wrong by %lld s", (long long)skew);
}

void clock_step(struct world *world)
{
    if (world->clock_is_steady) {
        return;
    }
    if (!world->times_lie && random_seeded_below(&world->clock_random, 100) < 60) {
        step_a_little(world);
        return;
    }
    world->skews++;
    if (!world->times_lie) {
        set_wrong(world);
        return;
    }
    world->skew = 0;
    world_say(world, "the clock is set right");
    if (random_seeded_below(&world->clock_random, 2) == 0) {
        clock_accept(world);
        return;
    }
    /* Nobody says a word: what has seen it go wrong believes it by itself. */
    step_heal(world);
    world_pass(world, 1000);
    if (is_trusted(world)) {
        believe(world);
    }
}

/* --- what holds ----------------------------------------------------------------------------- */

void clock_check_keys(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct zone_status status;
    if (!sim_zone_is_signed(zone) || fake_disk_is_without_power(world->disk)) {
        return;
    }
    managed_zone_status(zone->managed, &status);
    /* Where a policy is new its keys may be, too; and what is unsigned has none that could rest. */
    bool rests = status.clock != CLOCK_TRUSTED && status.facts != NULL && !zone->is_changing &&
                 !rolls_is_unsigned(zone);
    uint64_t states = sim_zone_keys_states(zone);
    if (rests && zone->keys_rest && zone->keys_skews == world->skews &&
        zone->keys_states != states) {
        world_fail(world, "%s: a key has moved on while the clock was in doubt", zone->name);
    }
    world->tally.rests += rests;
    zone->keys_rest = rests;
    zone->keys_states = states;
    zone->keys_skews = world->skews;
}
