#include "tools/simulation.h"

#include <string.h>

#include "base/mem.h"
#include "tools/invented_key.h"
#include "tools/simulation_why.h"

/* Far more than the engine and the parent need to come to rest at one instant. */
enum { ROUNDS_MAX = 1000 };
/* With that many keys there is room for all that a plan may want made. */
enum { LIVE_ROOMY = KASP_PLAN_KEYS_MAX - KASP_KEYS_MAX };

/* The world at an instant. */
struct world {
    struct simulation *simulation;
    const struct simulation_request *request;
    sg_time now;
    size_t live[KASP_PLAN_KEYS_MAX]; /* keys of the simulation that are still there */
    size_t live_count;
    bool overfull; /* one more than those is there */
    sg_time step_at;
    bool stepping;
    bool deletes;
    bool stuck; /* no tag was free */
    struct kasp_plan plan;
};

/* ---- events ---- */

/* Takes `why`. */
static struct simulation_event *tell(struct world *world, enum simulation_act act, size_t key,
                                     char *why)
{
    struct simulation *simulation = world->simulation;
    if (simulation->events_count % 256 == 0) {
        simulation->events = mem_resize_array(simulation->events, simulation->events_count + 256,
                                              sizeof(*simulation->events));
    }
    struct simulation_event *event = &simulation->events[simulation->events_count++];
    *event = (struct simulation_event){.at = world->now, .act = act, .key = key, .why = why};
    return event;
}

/* ---- keys ---- */

/* Of a key that was there before, as far as its states and times tell. */
static struct kasp_key_facts facts_of(const struct signing_key *key, sg_time now)
{
    struct kasp_key_facts facts = {
        .ds = KASP_DS_MISSING,
        .ds_at = KEY_TIME_UNSET,
        .ds_asked_at = now,
        .signed_at = KEY_TIME_UNSET,
        .cleared_at = KEY_TIME_UNSET,
    };
    sg_time seen = key->times[KEY_DS_PUBLISH];
    sg_time gone = key->times[KEY_DS_REMOVED];
    switch (key->state.records[KEY_RECORD_DS]) {
    case KEY_STATE_RUMOURED:
        facts.ds = seen != KEY_TIME_UNSET && seen <= now ? KASP_DS_SEEN : KASP_DS_MISSING;
        facts.ds_at = facts.ds == KASP_DS_SEEN ? seen : KEY_TIME_UNSET;
        break;
    case KEY_STATE_OMNIPRESENT:
        facts.ds = KASP_DS_SEEN;
        break;
    case KEY_STATE_UNRETENTIVE:
        facts.ds = gone != KEY_TIME_UNSET && gone <= now ? KASP_DS_MISSING : KASP_DS_SEEN;
        facts.ds_at = facts.ds == KASP_DS_MISSING ? gone : KEY_TIME_UNSET;
        break;
    default:
        /* Nobody has looked for the DS of a key that was there for all to see. */
        if (kasp_key_is_published(key) && gone == KEY_TIME_UNSET) {
            facts.ds = KASP_DS_UNKNOWN;
        }
        break;
    }
    return facts;
}

/* Takes the key. */
static void add_key(struct world *world, struct signing_key *key, bool invented)
{
    struct simulation *simulation = world->simulation;
    size_t index = simulation->keys_count++;
    simulation->keys =
        mem_resize_array(simulation->keys, simulation->keys_count, sizeof(*simulation->keys));
    simulation->keys[index] = (struct simulation_key){
        .key = key,
        .before = key->state,
        .facts = facts_of(key, world->now),
        .came = world->now,
        .purged = KEY_TIME_UNSET,
        .invented = invented,
    };
    if (world->live_count == KASP_PLAN_KEYS_MAX) {
        world->overfull = true;
        return;
    }
    world->live[world->live_count++] = index;
}

static struct simulation_key *live_key(const struct world *world, size_t at)
{
    return &world->simulation->keys[world->live[at]];
}

static enum sg_result invent(const struct world *world, const struct kasp_key *entry, bool all,
                             struct signing_key **out_key)
{
    const struct simulation *simulation = world->simulation;
    uint16_t *tags = mem_alloc_zero(2 * simulation->keys_count + 1, sizeof(*tags));
    struct key_tag_set taken = {.tags = tags, .tag_min = entry->tag_min, .tag_max = entry->tag_max};
    for (size_t i = 0; i < simulation->keys_count; i++) {
        if (all || simulation->keys[i].purged == KEY_TIME_UNSET) {
            tags[taken.count++] = simulation->keys[i].key->tag;
        }
    }
    enum sg_result result =
        invented_key_new(world->request->apex, entry, &taken, world->now, out_key);
    mem_free(tags);
    return result;
}

static void make_key(struct world *world, const struct kasp_make *make)
{
    const struct kasp_key *entry = &world->request->policy->keys[make->entry];
    const struct signing_key *predecessor =
        make->predecessor == SIZE_MAX ? NULL : live_key(world, make->predecessor)->key;
    struct signing_key *key;
    /* A tag that no key has ever had tells more, as long as there are any. */
    if (invent(world, entry, true, &key) != SG_OK && invent(world, entry, false, &key) != SG_OK) {
        world->stuck = true;
        return;
    }
    char *why = simulation_why_made(world->simulation, make, predecessor);
    tell(world, SIMULATION_MADE, world->simulation->keys_count, why);
    add_key(world, key, true);
}

/* ---- the engine ---- */

/* The end of a use that was to end before is late. */
static void note_lateness(const struct world *world, struct simulation_key *key,
                          const struct kasp_key_plan *planned)
{
    sg_time end = planned->times[KEY_INACTIVE];
    if (key->ended || !planned->state.has_successor || end == KEY_TIME_UNSET) {
        return;
    }
    key->ended = true;
    key->late = world->now > end ? world->now - end : 0;
}

static void take_plan_of(struct world *world, size_t at)
{
    struct simulation_key *key = live_key(world, at);
    const struct kasp_key_plan *planned = &world->plan.keys[at];
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value from = key->key->state.records[record];
        enum key_state_value to = planned->state.records[record];
        bool begins = from == KEY_STATE_NA && to == KEY_STATE_HIDDEN;
        if (from == to || begins) {
            continue;
        }
        char *why = simulation_why_moved(world->simulation, key, planned, (enum key_record)record,
                                         world->now);
        struct simulation_event *event = tell(world, SIMULATION_MOVED, world->live[at], why);
        event->record = (enum key_record)record;
        event->from = from == KEY_STATE_NA ? KEY_STATE_HIDDEN : from;
        event->to = to;
        if (to == KEY_STATE_UNRETENTIVE &&
            (record == KEY_RECORD_DS || record == KEY_RECORD_ZRRSIG)) {
            note_lateness(world, key, planned);
        }
    }
    kasp_plan_apply(planned, key->key);
    key->wait = planned->wait;
}

/* Forget what is purged. */
static void remove_purged(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->live_count; i++) {
        struct simulation_key *key = live_key(world, i);
        if (world->plan.keys[i].purge) {
            tell(world, SIMULATION_PURGED, world->live[i],
                 mem_copy_text("it was nowhere for purge-keys"));
            key->purged = world->now;
        } else {
            world->live[kept++] = world->live[i];
        }
    }
    world->live_count = kept;
}

/* Keys that are gone are left out where they are many, as the keeper does (key_archive.c): the
 * first that came where they are never purged, else the last. */
static bool leave_out_one(struct world *world)
{
    bool never_purged = world->request->policy->purge_keys == 0;
    for (size_t n = 0; n < world->live_count; n++) {
        size_t at = never_purged ? n : world->live_count - 1 - n;
        if (kasp_key_is_gone(live_key(world, at)->key, world->now)) {
            world->live_count--;
            memmove(&world->live[at], &world->live[at + 1],
                    (world->live_count - at) * sizeof(world->live[0]));
            return true;
        }
    }
    return false;
}

static void leave_out_gone(struct world *world)
{
    while (world->live_count > LIVE_ROOMY && leave_out_one(world)) {
    }
}

static void note_delete(struct world *world)
{
    if (world->deletes == world->plan.publishes_delete) {
        return;
    }
    world->deletes = world->plan.publishes_delete;
    tell(world, world->deletes ? SIMULATION_DELETE_BEGUN : SIMULATION_DELETE_ENDED, SIZE_MAX,
         mem_copy_text(world->deletes ? "no key wants a DS any more: CDS and CDNSKEY say that "
                                        "there shall be none (RFC 8078 4)"
                                      : "no key signs them any more, or a DS is wanted again"));
}

/* Plan and carry out once. True if anything changed. */
static bool plan_once(struct world *world)
{
    struct signing_key *keys[KASP_PLAN_KEYS_MAX];
    struct kasp_key_facts key_facts[KASP_PLAN_KEYS_MAX];
    struct key_list list = {keys, world->live_count};
    struct kasp_plan *plan = &world->plan;
    bool changed = false;
    for (size_t i = 0; i < world->live_count; i++) {
        keys[i] = live_key(world, i)->key;
        key_facts[i] = live_key(world, i)->facts;
        key_facts[i].ds_asked_at = world->now;
    }
    const struct kasp_facts facts = {
        .keys = key_facts,
        .files_missing = world->request->files_missing,
        .step = world->stepping,
    };
    enum sg_result result = kasp_plan(world->request->policy, &list, &facts, world->now, plan);
    ASSERT(result == SG_OK); /* There are never more keys than it takes. */
    for (size_t i = 0; i < plan->count; i++) {
        changed |= plan->keys[i].changed || plan->keys[i].purge;
        take_plan_of(world, i);
    }
    for (unsigned m = 0; m < plan->makes_count && !world->stuck && !world->overfull; m++) {
        make_key(world, &plan->makes[m]);
        changed = true;
    }
    /* Makes name their predecessors by their place, so keys go after them. */
    if (!world->overfull) {
        remove_purged(world);
        leave_out_gone(world);
    }
    note_delete(world);
    return changed;
}

/* ---- the parent ---- */

static bool asks_for_ds(const struct signing_key *key)
{
    enum key_state_value ds = key->state.records[KEY_RECORD_DS];
    return ds == KEY_STATE_RUMOURED || ds == KEY_STATE_OMNIPRESENT;
}

/* When the parent does what the key's CDS asks for; INT64_MAX: it does already, or never will. */
static sg_time parent_acts_at(const struct world *world, const struct simulation_key *key)
{
    sg_duration delay = world->request->parent_delay;
    enum kasp_sighting asked = asks_for_ds(key->key) ? KASP_DS_SEEN : KASP_DS_MISSING;
    bool unasked = key->facts.ds == KASP_DS_UNKNOWN &&
                   key->key->state.records[KEY_RECORD_DS] == KEY_STATE_HIDDEN;
    if (!key->key->state.ksk || key->facts.ds == asked || unasked || delay == SIMULATION_NEVER) {
        return INT64_MAX;
    }
    sg_time asked_since = key->key->state.changes[KEY_RECORD_DS];
    sg_time from = world->request->from;
    return (asked_since > from ? asked_since : from) + delay;
}

/* True if it did something. */
static bool parent_acts(struct world *world)
{
    bool acted = false;
    for (size_t i = 0; i < world->live_count; i++) {
        struct simulation_key *key = live_key(world, i);
        if (parent_acts_at(world, key) > world->now) {
            continue;
        }
        bool has = asks_for_ds(key->key);
        key->facts.ds = has ? KASP_DS_SEEN : KASP_DS_MISSING;
        key->facts.ds_at = world->now;
        tell(world, has ? SIMULATION_DS_SEEN : SIMULATION_DS_GONE, world->live[i],
             mem_copy_text("as CDS and CDNSKEY ask it to (RFC 7344)"));
        acted = true;
    }
    return acted;
}

/* ---- time ---- */

static void see_step(struct world *world)
{
    world->stepping = world->step_at <= world->now;
    if (world->stepping) {
        tell(world, SIMULATION_STEPPED, SIZE_MAX,
             mem_copy_text("the operator lets all that is due begin (manual-mode)"));
        world->step_at = INT64_MAX;
    }
}

/* All that happens at this instant. */
static void turn(struct world *world)
{
    see_step(world);
    bool changed = true;
    for (int round = 0; changed && round < ROUNDS_MAX; round++) {
        changed = plan_once(world);
        if (world->stuck || world->overfull) {
            return;
        }
        changed |= parent_acts(world);
    }
    world->stepping = false;
    world->simulation->manual = world->plan.manual;
    if (!world->plan.manual) {
        world->step_at = INT64_MAX;
    } else if (world->step_at == INT64_MAX && world->request->step_delay != SIMULATION_NEVER) {
        /* Never at once again: a step that changed nothing would be without end. */
        sg_duration delay = world->request->step_delay;
        world->step_at = world->now + (delay > 0 ? delay : 1);
    }
}

static sg_time next_instant(const struct world *world)
{
    sg_time next = world->plan.wake_at;
    for (size_t i = 0; i < world->live_count; i++) {
        sg_time acts = parent_acts_at(world, live_key(world, i));
        next = acts < next ? acts : next;
    }
    return world->step_at < next ? world->step_at : next;
}

/* What is to be known of the time until `next`. */
static void measure(const struct world *world, sg_time next)
{
    struct simulation *simulation = world->simulation;
    size_t published = 0;
    bool rolling = false;
    for (size_t i = 0; i < world->live_count; i++) {
        const struct signing_key *key = live_key(world, i)->key;
        enum key_state_value dnskey = key->state.records[KEY_RECORD_DNSKEY];
        bool is_in = dnskey == KEY_STATE_RUMOURED || dnskey == KEY_STATE_OMNIPRESENT;
        published += is_in;
        rolling |= is_in && key->state.goal == KEY_STATE_HIDDEN;
    }
    if (published > simulation->published_max) {
        simulation->published_max = published;
        simulation->published_most = world->now;
    }
    simulation->rolling += rolling ? next - world->now : 0;
}

static void pass_time(struct world *world)
{
    struct simulation *simulation = world->simulation;
    const struct simulation_request *request = world->request;
    for (int turns = 0; turns < SIMULATION_TURNS_MAX; turns++) {
        turn(world);
        if (world->stuck || world->overfull) {
            simulation->end = world->stuck ? SIMULATION_NO_TAG : SIMULATION_KEYS_FULL;
            simulation->ended_at = world->now;
            return;
        }
        sg_time next = next_instant(world);
        if (next >= request->until) {
            measure(world, request->until);
            simulation->ended_at = request->until;
            return;
        }
        if (simulation->events_count >= SIMULATION_EVENTS_MAX) {
            break;
        }
        measure(world, next);
        world->now = next;
    }
    simulation->end = simulation->events_count >= SIMULATION_EVENTS_MAX ? SIMULATION_EVENTS_FULL
                                                                        : SIMULATION_TURNS_FULL;
    simulation->ended_at = world->now;
}

void simulation_run(const struct simulation_request *request, struct key_list *list,
                    struct simulation *out_simulation)
{
    struct world *world = mem_alloc(sizeof(*world));
    *out_simulation = (struct simulation){.request = *request, .end = SIMULATION_ENDED};
    memset(world, 0, sizeof(*world));
    world->simulation = out_simulation;
    world->request = &out_simulation->request;
    world->now = request->from;
    world->step_at = INT64_MAX;
    for (size_t i = 0; i < list->count; i++) {
        if (list->count > LIVE_ROOMY && kasp_key_is_gone(list->keys[i], request->from)) {
            signing_key_free(list->keys[i]);
        } else {
            add_key(world, list->keys[i], false);
        }
    }
    mem_free(list->keys);
    *list = (struct key_list){NULL, 0};
    if (world->overfull) {
        out_simulation->end = SIMULATION_KEYS_FULL;
        out_simulation->ended_at = request->from;
    } else {
        pass_time(world);
    }
    mem_free(world);
}

void simulation_clear(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->keys_count; i++) {
        signing_key_free(simulation->keys[i].key);
    }
    for (size_t i = 0; i < simulation->events_count; i++) {
        mem_free(simulation->events[i].why);
    }
    mem_free(simulation->keys);
    mem_free(simulation->events);
    *simulation = (struct simulation){.keys_count = 0};
}

const char *simulation_role(const struct simulation_key *key)
{
    const struct key_state *state = &key->key->state;
    return state->ksk ? state->zsk ? "csk" : "ksk" : "zsk";
}
