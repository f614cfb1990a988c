#include "keeper/keying.h"

#include "base/mem.h"
#include "base/thread.h"
#include "base/time.h"
#include "keeper/aside.h"
#include "keeper/keeper_parts.h"
#include "keeper/trust.h"

/*
 * A round keeps a worker for a fraction of a second: what it has not come to by then waits for the
 * next. Keys of RSA take a tenth of a second each, or seconds. Where a key takes longer than that,
 * a round makes those of one zone.
 */
enum { ROUND_ZONES_MAX = 1024, ROUND_NS_MAX = 250 * 1000 * 1000 };

/* Many zones have something due every few seconds, few zones seldom. */
enum { FOLDERS_KEPT_SECONDS = 600 };

struct round_place {
    struct managed_zone *zone;
    struct keeper_generation *generation; /* one use of it */
    struct zone_keys_request request;
    struct zone_clock clock;
    struct zone_facts_of_keys facts, waiting;
    struct zone_facts_twins twins;
    struct zone_keys *keys; /* NULL: it failed */
    bool looked_at;         /* else the round was over before */
};

struct round {
    struct job job; /* first member */
    struct keying_lane *lane;
    struct key_folders *folders;
    uint64_t number;
    uint64_t ns_max;
    size_t count;
    struct round_place places[];
};

struct keying *keying_new(void)
{
    struct keying *keying = mem_alloc_zero(1, sizeof(*keying));
    for (size_t i = 0; i < KEYING_LANES; i++) {
        zone_queue_init(&keying->lanes[i].waiting);
    }
    keying->round = 1;
    keying->round_ns_max = ROUND_NS_MAX;
    return keying;
}

void keying_free(struct keying *keying)
{
    for (size_t i = 0; i < KEYING_LANES; i++) {
        key_folders_free(keying->lanes[i].folders);
    }
    mem_free(keying);
}

uint64_t keying_round(const struct keying *keying)
{
    return keying->round;
}

/* ---- a worker ---- */

static void prepare(struct round *round, struct round_place *place)
{
    struct zone_keys *keys = mem_alloc_zero(1, sizeof(*keys));
    char *problem;
    place->looked_at = true;
    if (zone_keys_prepare(&place->request, round->folders, keys, &problem) != SG_OK) {
        mem_free(problem); /* The zone's own job will see it again, and tell. */
        mem_free(keys);
        return;
    }
    place->keys = keys;
}

static void run_round(struct job *job)
{
    struct round *round = (struct round *)job;
    thread_assert(THREAD_WORKER);
    uint64_t began = time_monotonic_ns();
    key_folders_begin(round->folders, round->number);
    for (size_t i = 0; i < round->count; i++) {
        if (i > 0 && time_monotonic_ns() - began >= round->ns_max) {
            break;
        }
        prepare(round, &round->places[i]);
    }
    enum sg_result result = key_folders_commit(round->folders);
    for (size_t i = 0; i < round->count; i++) {
        struct round_place *place = &round->places[i];
        if (result == SG_OK && place->keys != NULL) {
            zone_keys_log_made(place->request.settings, place->keys);
        } else if (result != SG_OK) {
            zone_keys_free(place->keys); /* Which of them are durable, the zone's job will see. */
            place->keys = NULL;
        }
    }
}

bool keying_is_round(const struct job *job)
{
    return job->run == run_round;
}

/* ---- the keeper ---- */

/* Zones of one name share key files, so that for them our own files do count. */
static bool has_twin(const struct keeper *keeper, const struct managed_zone *zone)
{
    for (const struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL; other = other->chain_next) {
        if (other != zone && dns_name_equal(&other->slot->apex, &zone->slot->apex)) {
            return true;
        }
    }
    return false;
}

static struct keying_lane *lane_of(struct keying *keying, const struct managed_zone *zone)
{
    return &keying->lanes[keeper_is_awaited(zone) ? KEYING_SOON : KEYING_REST];
}

void keying_add(struct keeper *keeper, struct managed_zone *zone)
{
    zone->known.keying = true;
    if (has_twin(keeper, zone)) {
        zone->known.keys_wished = keeper->keying->round;
    }
    zone_queue_add(&lane_of(keeper->keying, zone)->waiting, zone);
}

void keying_hasten(struct keeper *keeper, struct managed_zone *zone)
{
    struct zone_queue *queue = &lane_of(keeper->keying, zone)->waiting;
    if (zone->queue != NULL && zone->queue != queue) {
        zone_queue_leave(zone);
        zone_queue_add(queue, zone);
    }
}

/* What is seen of the keys: a twin that cannot be loaded must not keep those of the other back. */
static const struct zone_version *published_version(const struct keeper *keeper,
                                                    const struct managed_zone *zone)
{
    const struct zone_version *version = zone_record_version(zone);
    for (const struct managed_zone *other = zone_index_chain(&keeper->index, &zone->slot->apex);
         other != NULL && version == NULL; other = other->chain_next) {
        bool is_twin = dns_name_equal(&other->slot->apex, &zone->slot->apex);
        const struct zone_version *its = is_twin ? zone_record_version(other) : NULL;
        version = its != NULL && zone_version_facts(its)->signed_here ? its : NULL;
    }
    return version;
}

static void take_place(const struct keeper *keeper, struct managed_zone *zone,
                       struct round_place *place, sg_time now)
{
    const struct zone_version *served = zone_record_version(zone);
    const struct zone_version *published = published_version(keeper, zone);
    place->zone = zone;
    trust_tell_job(zone, &place->clock);
    place->generation = generation_use(zone->generation);
    zone_facts_take_looks(zone);
    zone_facts_copy(&zone->known.state.facts, &place->facts);
    aside_tell_plan(zone, &place->waiting);
    zone_facts_find_twins(keeper, zone, &place->twins);
    place->request = (struct zone_keys_request){
        .settings = zone->settings,
        .generation = zone->generation,
        .served = served == NULL ? NULL : zone_version_ref(served),
        .published = published == NULL ? NULL : zone_version_ref(published),
        .wished = zone->known.keys_wished,
        .now = now,
        .clock = &place->clock,
        .facts = &place->facts,
        .waiting = &place->waiting,
        .twins = &place->twins,
        .late = zone_record_late(zone, now),
        .quiet = true,
    };
    zone->out++;
}

/* How many zones the next round takes. Those whose keys are ready are to use them first: all at
 * once would push each other out of the memory. But where nothing is at work it is for these zones
 * that the others wait, as twins do. */
static size_t round_size(const struct keeper *keeper, const struct zone_queue *waiting)
{
    size_t room = kept_keys_room(&keeper->kept_keys);
    size_t max = room < ROUND_ZONES_MAX ? room : ROUND_ZONES_MAX;
    size_t count = 0;
    if (max == 0 && keeper->jobs == 0) {
        max = 1;
    }
    for (const struct managed_zone *zone = waiting->first; zone != NULL && count < max;
         zone = zone->queue_next) {
        count++;
    }
    return count;
}

static void start_round(struct keeper *keeper, struct keying_lane *lane, enum work_class class,
                        sg_time now)
{
    struct keying *keying = keeper->keying;
    struct zone_queue *waiting = &lane->waiting;
    size_t count = lane->running ? 0 : round_size(keeper, waiting);
    if (count == 0) {
        return;
    }
    struct round *round = mem_alloc_zero(1, sizeof(*round) + count * sizeof(struct round_place));
    round->job = (struct job){.run = run_round, .reply = keeper->io.mailbox};
    round->lane = lane;
    round->folders = lane->folders != NULL ? lane->folders : key_folders_new();
    round->number = ++keying->round;
    round->ns_max = keying->round_ns_max;
    round->count = count;
    for (size_t i = 0; i < count; i++) {
        struct managed_zone *zone = waiting->first;
        zone_queue_leave(zone);
        take_place(keeper, zone, &round->places[i], now);
    }
    lane->folders = NULL;
    lane->running = true;
    lane->used_at = now;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, class, &round->job);
}

void keying_start(struct keeper *keeper, sg_time now)
{
    struct keying_lane *lanes = keeper->keying->lanes;
    start_round(keeper, &lanes[KEYING_SOON], WORK_SOON, now);
    start_round(keeper, &lanes[KEYING_REST], WORK_BULK, now);
}

static void leave_place(struct keeper *keeper, struct round_place *place)
{
    struct managed_zone *zone = place->zone;
    zone->out--;
    zone_facts_clear(&place->facts);
    zone_facts_clear(&place->waiting);
    zone_facts_twins_clear(&place->twins);
    zone->known.keying = false;
    if (place->looked_at) {
        zone->known.keys_wished = keeper->keying->round;
    }
    /* Prepared before the clock was accepted, or the zone served again, they would not begin anew;
     * and what no job is to use would take up the place of what one waits for. */
    struct zone_clock clock;
    trust_tell_job(zone, &clock);
    bool is_told = place->looked_at && (place->clock.anew || !clock.anew) &&
                   zone->known.revived_at == 0 && !zone->gone && change_is_possible(zone);
    zone->known.keyed = is_told;
    if (place->request.served != NULL) {
        zone_version_unref(place->request.served);
    }
    if (place->request.published != NULL) {
        zone_version_unref(place->request.published);
    }
    if (place->keys != NULL && is_told && zone->generation == place->generation) {
        kept_keys_put(&keeper->kept_keys, zone, place->keys);
    } else {
        zone_keys_free(place->keys);
    }
    generation_drop(place->generation);
    if (zone->gone) {
        keeper_bury(zone);
        return;
    }
    if (change_is_possible(zone)) {
        keeper_enqueue(keeper, zone);
    }
    keeper_set_timer(keeper, zone);
}

void keying_take_job(struct keeper *keeper, struct job *job)
{
    struct round *round = (struct round *)job;
    round->lane->folders = round->folders;
    round->lane->running = false;
    for (size_t i = 0; i < round->count; i++) {
        leave_place(keeper, &round->places[i]);
    }
    mem_free(round);
}

void keying_rest(struct keying *keying, sg_time now)
{
    for (size_t i = 0; i < KEYING_LANES; i++) {
        struct keying_lane *lane = &keying->lanes[i];
        if (!lane->running && now >= lane->used_at + FOLDERS_KEPT_SECONDS) {
            key_folders_free(lane->folders);
            lane->folders = NULL;
        }
    }
}
