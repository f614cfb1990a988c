#include "sim/world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "keeper/keeper_parts.h"
#include "sim/rolls.h"

enum { TURNS_MAX = 3000, LINE_BYTES = 1200 };

/* --- chance and words ----------------------------------------------------------------------- */

/* What the code under test draws: the kernel's door is not linked (base/random.h). */
static struct random_seeded bytes_source;

void random_bytes(void *out_bytes, size_t length)
{
    uint8_t *at = out_bytes;
    for (size_t i = 0; i < length; i++) {
        at[i] = (uint8_t)random_seeded_u64(&bytes_source);
    }
}

uint32_t world_draw(struct world *world, uint32_t bound)
{
    return random_seeded_below(&world->random, bound);
}

bool world_chance(struct world *world, unsigned percent)
{
    return world_draw(world, 100) < percent;
}

static void say(struct world *world, const char *what, const char *format, va_list arguments)
{
    char line[LINE_BYTES];
    vsnprintf(line, sizeof(line), format, arguments);
    fprintf(world->trace, "%10lld %s%s\n", (long long)(world->now - SIM_EPOCH), what, line);
}

void world_say(struct world *world, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(world, "", format, arguments);
    va_end(arguments);
}

void world_fail(struct world *world, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(world, "FAILED: ", format, arguments);
    va_end(arguments);
    fflush(world->trace);
    _exit(1); /* what is still allocated is no leak */
}

/* How long something took is not the seed's business: such lines are left out of the trace. */
static void take_line(void *argument, enum log_category category, int severity, const char *line)
{
    struct world *world = argument;
    if (strstr(line, " ms") == NULL && strstr(line, " ms=") == NULL) {
        fprintf(world->trace, "%10lld   %s: %s: %s\n", (long long)(world->now - SIM_EPOCH),
                log_category_text(category), log_severity_text(severity), line);
    }
}

/* --- configuration -------------------------------------------------------------------------- */

static const char *no_folder(const struct keeper_generation *generation, const char *name)
{
    (void)generation;
    (void)name;
    return NULL;
}

static void release(struct keeper_generation *generation)
{
    mem_free(generation->zones);
    mem_free(generation);
}

void world_configure(struct world *world)
{
    struct keeper_generation *generation = mem_alloc_zero(1, sizeof(*generation));
    size_t duplicate;
    generation->zones = mem_alloc_zero(world->zones_count, sizeof(*generation->zones));
    generation->zones_count = world->zones_count;
    generation->key_store_folder = no_folder;
    generation->release = release;
    for (size_t i = 0; i < world->zones_count; i++) {
        sim_zone_settings(&world->zones[i], &generation->zones[i]);
    }
    enum sg_result result =
        keeper_configure(world->keeper, generation, world_clock(world), &duplicate);
    ASSERT(result == SG_OK);
    keeper_front_published(world->keeper);
    for (size_t i = 0; i < world->zones_count; i++) {
        world->zones[i].managed = keeper_zone(world->keeper, i);
    }
}

/* --- life ----------------------------------------------------------------------------------- */

static void hear_store(void *argument, enum sg_result result)
{
    world_say(argument, "store: %s", sg_result_text(result));
}

sg_time world_clock(const struct world *world)
{
    return world->now + world->skew;
}

static sg_time uptime(void *argument)
{
    const struct world *world = argument;
    return world->now;
}

void world_start(struct world *world)
{
    struct store_io disk = fake_disk_io(world->disk);
    mailbox_init(&world->mailbox, NULL, NULL);
    mailbox_init(&world->commits, NULL, NULL);
    enum sg_result result = store_new(&disk, false, hear_store, world, &world->store);
    ASSERT(result == SG_OK);
    const struct keeper_io io = {
        .untimed = true,
        .pool = world->pool,
        .mailbox = &world->mailbox,
        .store = world->store,
        .commits = &world->commits,
        .asker = network_asker(world),
        .uptime = uptime,
        .argument = world,
    };
    world->is_down = false;
    world->keeper = keeper_new(&io);
    if (world->signs_aside) {
        world->keeper->asides.names_min = 0;
    }
    world_configure(world);
}

static void stop(struct world *world)
{
    world->is_down = true;
    keeper_stop(world->keeper);
    /* What workers have done may ask for the store once more. */
    (void)keeper_turn(world->keeper, world_clock(world));
    store_free(world->store); /* what it holds in doubt is answered */
    for (int turns = 0; !keeper_is_idle(world->keeper); turns++) {
        ASSERT(turns < TURNS_MAX);
        (void)keeper_turn(world->keeper, world_clock(world));
    }
    keeper_free(world->keeper);
    network_clear(world);
    epoch_barrier();
    mailbox_clear(&world->mailbox);
    mailbox_clear(&world->commits);
    world->keeper = NULL;
    world->store = NULL;
    for (size_t i = 0; i < world->zones_count; i++) {
        world->zones[i].managed = NULL;
    }
}

/* From here on nothing is written any more: what is durable is durable. */
static void cut_power(struct world *world)
{
    const struct fake_disk_fault out = {
        .at = 1, .result = SG_IO, .goes_on = true, .loses_power = true};
    if (!fake_disk_is_without_power(world->disk)) {
        fake_disk_set_fault(world->disk, &out);
    }
}

void world_crash(struct world *world)
{
    world_say(world, "--- crash");
    world->tally.crashes++;
    cut_power(world);
    stop(world);
    fake_disk_crash(world->disk);
    world->is_lame = false;
    for (size_t i = 0; i < world->zones_count; i++) {
        world->zones[i].seen.restarted = true;
        world->zones[i].standing.is_heard = false;
        world->zones[i].standing.was_silent = true; /* It may get ours before it is asked again. */
        world->zones[i].standing.above = 0;
    }
}

/* All are one primary, but the dead one. */
static void set_primaries(struct world *world)
{
#define PRIMARY(number)                                                                            \
    {                                                                                              \
        .remote = {.address = {192, 0, 2, (number)}, .address_length = 4, .port = 53},             \
        .request_ixfr = (number) != 2, .edns = true,                                               \
    }
    static const struct refresh_primary lists[SIM_PRIMARIES][2] = {
        {PRIMARY(1)},
        {PRIMARY(2)},
        {PRIMARY(SIM_DEAD_PRIMARY), PRIMARY(1)},
        {PRIMARY(2), PRIMARY(1)},
    };
#undef PRIMARY
    for (size_t i = 0; i < SIM_PRIMARIES; i++) {
        world->refresh[i] = (struct refresh_settings){
            .primaries = lists[i],
            .primaries_count = lists[i][1].edns ? 2 : 1,
            .bounds = {.refresh_min = 300,
                       .refresh_max = SG_WEEK,
                       .retry_min = 60,
                       .retry_max = SG_DAY},
        };
    }
}

void world_prepare(struct world *world, uint64_t seed, FILE *trace)
{
    memset(world, 0, sizeof(*world));
    set_primaries(world);
    world->seed = seed;
    world->random.state = seed * 0x9e3779b97f4a7c15u + 1;
    bytes_source.state = seed ^ 0x5157u;
    world->clock_random.state = seed ^ 0xc10cu;
    world->upheaval_random.state = seed ^ 0x09e4u;
    world->rolls_random.state = seed ^ 0x4011u;
    world->clock_is_steady = rolls_chance(world, 50);
    rolls_seed_openssl();
    world->denial_random.state = seed ^ 0xde21u;
    world->ttls_random.state = seed ^ 0x771fu;
    world->signs_aside = random_seeded_below(&world->denial_random, 4) != 0;
    world->now = SIM_EPOCH;
    world->trace = trace;
    log_set_sink(take_line, world);
    log_set_threshold(SEVERITY_INFO);
    world->disk = fake_disk_new();
    world->valid = valid_cache_new();
    enum sg_result result = worker_pool_new(0, &world->pool);
    ASSERT(result == SG_OK);
}

void world_new(struct world *world, uint64_t seed, FILE *trace)
{
    world_prepare(world, seed, trace);
    world->zones_count = 1 + world_draw(world, SIM_ZONES_MAX);
    for (unsigned i = 0; i < world->zones_count; i++) {
        sim_zone_new(world, i, &world->zones[i]);
    }
    world_start(world);
}

void world_free(struct world *world)
{
    stop(world);
    for (size_t i = 0; i < world->zones_count; i++) {
        sim_zone_free(&world->zones[i]);
    }
    valid_cache_free(world->valid);
    worker_pool_free(world->pool);
    fake_disk_free(world->disk);
    fake_disk_free(world->backup);
    epoch_barrier();
    log_set_sink(NULL, NULL);
}

/* --- turns ---------------------------------------------------------------------------------- */

/* A store without a thread tries again with each request: this stands for its clock. */
static void poke_store(struct world *world)
{
    static const uint8_t key[] = "poke";
    struct mailbox box;
    if (store_health(world->store) == SG_OK) {
        return;
    }
    mailbox_init(&box, NULL, NULL);
    struct store_request request = {
        .kind = STORE_CONFIG_PUT, .reply = &box, .identity = {key, sizeof(key)}};
    store_submit(world->store, &request);
    if (mailbox_take(&box) == NULL) {
        world_fail(world, "the store has not answered a request that it did not hold");
    }
    mem_free(request.problem);
    mailbox_clear(&box);
}

sg_time world_turn(struct world *world)
{
    world->tally.turns++;
    parent_turn(world);
    network_turn(world);
    poke_store(world);
    sg_time wake = keeper_turn(world->keeper, world_clock(world));
    wake = wake == INT64_MAX ? wake : wake - world->skew;
    if (fake_disk_is_without_power(world->disk)) {
        return INT64_MAX; /* nobody sees what is not durable */
    }
    for (size_t i = 0; i < world->zones_count; i++) {
        watch_zone(&world->zones[i]);
    }
    return wake;
}

static bool is_at_work(struct world *world)
{
    return mailbox_waiting(&world->mailbox) > 0 || mailbox_waiting(&world->commits) > 0;
}

void world_settle(struct world *world)
{
    sg_time wake;
    int turns = 0;
    do {
        if (++turns > TURNS_MAX) {
            world_fail(world, "the keeper finds no rest");
        }
        wake = world_turn(world);
        if (fake_disk_is_without_power(world->disk)) {
            return;
        }
    } while (is_at_work(world) || wake <= world->now || network_wake(world) <= world->now);
}

void world_pass(struct world *world, sg_duration time)
{
    sg_time end = world->now + time;
    for (int turns = 0;; turns++) {
        world_settle(world);
        if (fake_disk_is_without_power(world->disk)) {
            return;
        }
        /* A disk that fails is looked at every ten seconds; nothing else is as often. */
        if (turns > TURNS_MAX + time / (world->is_lame ? 2 : SG_MINUTE)) {
            world_fail(world, "%d wakes within %lld s", turns, (long long)time);
        }
        sg_time wake = world_turn(world);
        sg_time arrival = network_wake(world);
        sg_time parent = parent_wake(world);
        wake = arrival < wake ? arrival : wake;
        wake = parent < wake ? parent : wake;
        if (wake > end) {
            break;
        }
        world->now = wake > world->now ? wake : world->now;
    }
    world->now = end;
    world_settle(world);
}
