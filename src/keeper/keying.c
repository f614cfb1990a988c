#include "keeper/keying.h"

#include "base/mem.h"
#include "base/thread.h"
#include "keeper/keeper_parts.h"
#include "keeper/trust.h"

/* A round keeps a worker for so many zones at most, a fraction of a second. */
enum { ROUND_ZONES_MAX = 1024 };

struct keying {
    struct zone_queue waiting;
    struct key_folders *folders; /* NULL: nothing was read, or a round has them */
    uint64_t round;              /* of the newest round */
    bool running;
};

struct round_place {
    struct managed_zone *zone;
    struct keeper_generation *generation; /* one use of it */
    struct zone_keys_request request;
    struct zone_clock clock;
    struct zone_facts_of_keys facts;
    struct zone_facts_twins twins;
    struct zone_keys *keys; /* NULL: it failed */
};

struct round {
    struct job job; /* first member */
    struct key_folders *folders;
    uint64_t number;
    size_t count;
    struct round_place places[];
};

struct keying *keying_new(void)
{
    struct keying *keying = mem_alloc_zero(1, sizeof(*keying));
    zone_queue_init(&keying->waiting);
    keying->round = 1;
    return keying;
}

void keying_free(struct keying *keying)
{
    key_folders_free(keying->folders);
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
    key_folders_begin(round->folders, round->number);
    for (size_t i = 0; i < round->count; i++) {
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

void keying_add(struct keeper *keeper, struct managed_zone *zone)
{
    zone->known.keying = true;
    if (has_twin(keeper, zone)) {
        zone->known.keys_wished = keeper->keying->round;
    }
    zone_queue_add(&keeper->keying->waiting, zone);
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
        .twins = &place->twins,
        .late = zone_record_late(zone, now),
        .quiet = true,
    };
    zone->out++;
}

void keying_start(struct keeper *keeper, sg_time now)
{
    struct keying *keying = keeper->keying;
    struct zone_queue *waiting = &keying->waiting;
    size_t count = 0;
    if (keying->running || waiting->first == NULL) {
        return;
    }
    for (const struct managed_zone *zone = waiting->first; zone != NULL && count < ROUND_ZONES_MAX;
         zone = zone->queue_next) {
        count++;
    }
    struct round *round = mem_alloc_zero(1, sizeof(*round) + count * sizeof(struct round_place));
    round->job = (struct job){.run = run_round, .reply = keeper->io.mailbox};
    round->folders = keying->folders != NULL ? keying->folders : key_folders_new();
    round->number = ++keying->round;
    round->count = count;
    for (size_t i = 0; i < count; i++) {
        struct managed_zone *zone = waiting->first;
        zone_queue_leave(zone);
        take_place(keeper, zone, &round->places[i], now);
    }
    keying->folders = NULL;
    keying->running = true;
    keeper->jobs++;
    worker_pool_submit(keeper->io.pool, WORK_SOON, &round->job);
}

static void leave_place(struct keeper *keeper, struct round_place *place)
{
    struct managed_zone *zone = place->zone;
    zone->out--;
    zone_facts_clear(&place->facts);
    zone_facts_twins_clear(&place->twins);
    zone->known.keying = false;
    zone->known.keys_wished = keeper->keying->round;
    /* Prepared before the clock was accepted they would not begin anew. */
    bool is_told = place->clock.anew || !zone->known.trusts_anew;
    zone->known.keyed = is_told;
    if (place->request.served != NULL) {
        zone_version_unref(place->request.served);
    }
    if (place->request.published != NULL) {
        zone_version_unref(place->request.published);
    }
    if (place->keys != NULL && is_told && !zone->gone && zone->generation == place->generation) {
        zone_keys_free(zone->known.keys);
        zone->known.keys = place->keys;
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
    struct keying *keying = keeper->keying;
    keying->folders = round->folders;
    keying->running = false;
    for (size_t i = 0; i < round->count; i++) {
        leave_place(keeper, &round->places[i]);
    }
    mem_free(round);
}

void keying_rest(struct keying *keying)
{
    if (!keying->running) {
        key_folders_free(keying->folders);
        keying->folders = NULL;
    }
}
