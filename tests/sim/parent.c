#include "base/mem.h"
#include "dnssec/keystore.h"
#include "sim/rolls.h"

#define NEVER INT64_MAX

enum {
    /* No round of questions lasts as long: between one agent's turning back and another's
     * following there is always a round in which one of them shows the old DS. */
    ROUND_SECONDS_MAX = 600,
};

enum manner { SWAPS, ADDS_FIRST, REMOVES_FIRST, MANNERS };

/* A name server of the parent, which is a parental agent. */
struct agent {
    struct records shown, before;
    sg_time syncs_at;      /* it has what the parent has then */
    sg_time turns_back_at; /* a backup is played in */
    sg_time silent_until;
    bool was_asked; /* since it shows what it shows */
};

struct sim_parent {
    struct remote remotes[PARENT_AGENTS_MAX];
    struct agent agents[PARENT_AGENTS_MAX];
    size_t count;
    struct records master;
    enum manner manner;
    sg_time acts_at;     /* it looks at the CDS, and does what they say */
    sg_time operator_at; /* somebody looks whether it has */
    sg_duration delay, lag;
    size_t versions; /* of the zone, that it knows of */
    uint32_t ttl;    /* of the DS */
    bool wavers;
    bool had_delete;
    unsigned changes, words, turned_back;
    struct ds_watch_settings watch;
};

void parent_begin(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct sim_parent *parent = mem_alloc_zero(1, sizeof(*parent));
    zone->parent = parent;
    parent->count = 1 + rolls_draw(world, PARENT_AGENTS_MAX);
    for (size_t i = 0; i < parent->count; i++) {
        parent->remotes[i] = (struct remote){
            .address = {192, 0, 2, (uint8_t)(50 + i)}, .address_length = 4, .port = 53};
        parent->agents[i].syncs_at = parent->agents[i].turns_back_at = NEVER;
    }
    bool is_asked = rolls_chance(world, 75);
    parent->watch = (struct ds_watch_settings){
        .mode = is_asked ? DS_WATCH_EXPLICIT : DS_WATCH_NO,
        .agents = parent->remotes,
        .agents_count = parent->count,
        .bounds = {.retry_min = 5 * SG_MINUTE,
                   .retry_max = SG_HOUR,
                   .warn_every = SG_DAY,
                   .watch_max = SG_DAY},
    };
    parent->acts_at = parent->operator_at = NEVER;
    parent->manner = (enum manner)rolls_draw(world, MANNERS);
    parent->delay = rolls_between(world, 0, rolls_chance(world, 50) ? SG_HOUR : 4 * SG_DAY);
    parent->lag = rolls_between(world, 0, rolls_chance(world, 50) ? SG_HOUR : 2 * SG_DAY);
    parent->wavers = rolls_chance(world, 50);
    parent->ttl = (uint32_t)zone->policy->parent_ds_ttl;
    if (is_asked && rolls_chance(world, 30)) { /* the policy understates it, and agents tell */
        parent->ttl *= 1 + rolls_draw(world, 4);
    }
}

void parent_end(struct sim_zone *zone)
{
    struct sim_parent *parent = zone->parent;
    if (parent == NULL) {
        return;
    }
    records_clear(&parent->master);
    for (size_t i = 0; i < parent->count; i++) {
        records_clear(&parent->agents[i].shown);
        records_clear(&parent->agents[i].before);
    }
    mem_free(parent);
}

const struct ds_watch_settings *parent_settings(const struct sim_zone *zone)
{
    return zone->parent == NULL ? NULL : &zone->parent->watch;
}

/* --- what the zone asks for ----------------------------------------------------------------- */

static bool is_delete(const struct record *cds)
{
    static const uint8_t nothing[] = {0, 0, 0, 0, 0}; /* RFC 8078 4 */
    return cds->length == sizeof(nothing) && memcmp(cds->rdata, nothing, sizeof(nothing)) == 0;
}

/* The DS that its CDS stand for. False: they ask for nothing. */
static bool read_wanted(const struct sim_zone *zone, struct records *out_ds)
{
    const struct records *records = &zone->seen.zone;
    size_t at = records_find(records, &zone->apex, DNS_TYPE_CDS);
    bool some = false;
    records_clear(out_ds);
    for (; at < records->count && records->at[at].type == DNS_TYPE_CDS; at++) {
        struct record ds = records->at[at];
        some = true;
        zone->parent->had_delete |= is_delete(&ds);
        if (!is_delete(&ds)) {
            ds.type = DNS_TYPE_DS;
            ds.ttl = zone->parent->ttl;
            (void)records_add(out_ds, &ds);
        }
    }
    return some;
}

static void add_all(const struct records *from, struct records *to)
{
    for (size_t i = 0; i < from->count; i++) {
        (void)records_add(to, &from->at[i]);
    }
}

static bool has_record(const struct records *records, const struct record *record)
{
    for (size_t i = 0; i < records->count; i++) {
        if (records->at[i].length == record->length &&
            memcmp(records->at[i].rdata, record->rdata, record->length) == 0) {
            return true;
        }
    }
    return false;
}

static void keep_common(struct records *records, const struct records *other)
{
    size_t kept = 0;
    for (size_t i = 0; i < records->count; i++) {
        if (has_record(other, &records->at[i])) {
            records->at[kept++] = records->at[i];
        }
    }
    records->count = kept;
}

static void act(struct sim_zone *zone)
{
    struct sim_parent *parent = zone->parent;
    struct records wanted = {0}, next = {0};
    parent->acts_at = NEVER;
    if (!read_wanted(zone, &wanted) || records_same(&wanted, &parent->master)) {
        records_clear(&wanted);
        return;
    }
    records_copy(&parent->master, &next);
    if (parent->manner == ADDS_FIRST) {
        add_all(&wanted, &next);
    } else if (parent->manner == REMOVES_FIRST) {
        keep_common(&next, &wanted);
    }
    if (parent->manner == SWAPS || records_same(&next, &parent->master)) {
        records_copy(&wanted, &next);
    }
    records_copy(&next, &parent->master);
    parent->changes++;
    world_say(zone->world, "%s: the parent has %zu DS, and %zu are wanted", zone->name, next.count,
              wanted.count);
    for (size_t i = 0; i < parent->count; i++) {
        struct agent *agent = &parent->agents[i];
        sg_time at = zone->world->now + rolls_between(zone->world, 0, parent->lag);
        agent->syncs_at = at < agent->syncs_at ? at : agent->syncs_at;
    }
    records_clear(&next);
    records_clear(&wanted);
}

/* --- agents --------------------------------------------------------------------------------- */

static void show(struct sim_zone *zone)
{
    struct sim_parent *parent = zone->parent;
    const struct records *shown[PARENT_AGENTS_MAX];
    for (size_t i = 0; i < parent->count; i++) {
        shown[i] = &parent->agents[i].shown;
    }
    caches_see_ds(zone, shown, parent->count, parent->ttl);
}

static void sync_agent(struct sim_zone *zone, struct agent *agent)
{
    struct sim_parent *parent = zone->parent;
    agent->syncs_at = NEVER;
    if (records_same(&agent->shown, &parent->master)) {
        return;
    }
    records_copy(&agent->shown, &agent->before);
    records_copy(&parent->master, &agent->shown);
    agent->was_asked = false;
    if (parent->wavers && rolls_chance(zone->world, 50)) {
        agent->turns_back_at = zone->world->now + rolls_between(zone->world, 0, 2 * SG_HOUR);
    }
    show(zone);
}

/*
 * All agents showed the new DS never at once, as far as anybody who asked them can know: then the
 * old one may come back. Later no keeper could know in time.
 */
static bool may_turn_back(const struct sim_parent *parent, const struct agent *agent)
{
    bool some_is_late = !agent->was_asked;
    for (size_t i = 0; i < parent->count; i++) {
        const struct agent *other = &parent->agents[i];
        some_is_late |= other != agent && records_same(&other->shown, &agent->before);
    }
    return some_is_late && !records_same(&agent->shown, &agent->before);
}

static void turn_back(struct sim_zone *zone, struct agent *agent)
{
    struct sim_parent *parent = zone->parent;
    sg_time now = zone->world->now;
    agent->turns_back_at = NEVER;
    if (!may_turn_back(parent, agent)) {
        return;
    }
    world_say(zone->world, "%s: agent %zu of the parent turns back", zone->name,
              (size_t)(agent - parent->agents));
    parent->turned_back++;
    records_copy(&agent->before, &agent->shown);
    agent->was_asked = false;
    for (size_t i = 0; i < parent->count; i++) {
        struct agent *other = &parent->agents[i];
        if (other->syncs_at < now + ROUND_SECONDS_MAX) {
            other->syncs_at = now + ROUND_SECONDS_MAX;
        }
    }
    agent->syncs_at = now + ROUND_SECONDS_MAX + rolls_between(zone->world, 0, SG_DAY);
    show(zone);
}

static void turn_agent(struct sim_zone *zone, struct agent *agent)
{
    if (agent->turns_back_at <= zone->world->now) {
        turn_back(zone, agent);
    }
    if (agent->syncs_at <= zone->world->now) {
        sync_agent(zone, agent);
    }
}

/* --- the operator --------------------------------------------------------------------------- */

static bool has_ds_of(const struct records *records, const struct signing_key *key)
{
    for (size_t i = 0; i < records->count; i++) {
        const uint8_t *rdata = records->at[i].rdata;
        if (wire_get_u16(rdata) == key->tag && rdata[2] == key->algorithm) {
            return true;
        }
    }
    return false;
}

/* How many of the agents, and of what they will show, have the key's DS? All: 1, none: -1. */
static int presence(const struct sim_parent *parent, const struct signing_key *key)
{
    size_t in = has_ds_of(&parent->master, key);
    for (size_t i = 0; i < parent->count; i++) {
        in += has_ds_of(&parent->agents[i].shown, key);
    }
    return in == 0 ? -1 : in == parent->count + 1;
}

static void hear_word(void *argument, enum sg_result result, const char *text)
{
    struct sim_zone *zone = argument;
    world_say(zone->world, "%s: checkds: %s: %s", zone->name, sg_result_text(result), text);
}

static void say_of_key(struct sim_zone *zone, const struct signing_key *key)
{
    enum key_state_value ds = key->state.records[KEY_RECORD_DS];
    int is = presence(zone->parent, key);
    if (!(ds == KEY_STATE_RUMOURED && is == 1) && !(ds == KEY_STATE_UNRETENTIVE && is == -1)) {
        return;
    }
    const struct keeper_key_word word = {
        .tag = key->tag, .algorithm = key->algorithm, .published = is == 1};
    zone->parent->words++;
    (void)!keeper_note_ds(zone->world->keeper, zone->managed, &word, hear_word, zone);
}

void parent_operator(struct sim_zone *zone)
{
    struct key_list list;
    enum sg_result result = keystore_list("keys", &zone->apex, NULL, NULL, &list);
    ASSERT(result == SG_OK);
    for (size_t i = 0; i < zone->parent->count; i++) {
        zone->parent->agents[i].was_asked = true;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (list.keys[i]->state.ksk) {
            say_of_key(zone, list.keys[i]);
        }
    }
    key_list_clear(&list);
}

/* --- turns ---------------------------------------------------------------------------------- */

/* When is somebody to look at the zone, now that something has changed? */
static void plan(struct sim_zone *zone)
{
    struct sim_parent *parent = zone->parent;
    struct records wanted = {0};
    if (parent->acts_at == NEVER && read_wanted(zone, &wanted) &&
        !records_same(&wanted, &parent->master)) {
        parent->acts_at = zone->world->now + rolls_between(zone->world, 0, parent->delay);
    }
    if (parent->operator_at == NEVER && parent->watch.mode == DS_WATCH_NO) {
        parent->operator_at = zone->world->now + rolls_between(zone->world, SG_MINUTE, SG_DAY);
    }
    records_clear(&wanted);
}

static void turn(struct sim_zone *zone)
{
    struct sim_parent *parent = zone->parent;
    sg_time now = zone->world->now;
    bool is_due = zone->seen.versions != parent->versions || parent_wake(zone->world) <= now;
    if (!zone->seen.any || !is_due) {
        return;
    }
    parent->versions = zone->seen.versions;
    if (parent->acts_at <= now) {
        act(zone);
    }
    for (size_t i = 0; i < parent->count; i++) {
        turn_agent(zone, &parent->agents[i]);
    }
    if (parent->operator_at <= now) {
        parent->operator_at = NEVER;
        parent_operator(zone);
    }
    plan(zone);
}

void parent_turn(struct world *world)
{
    for (size_t i = 0; i < world->zones_count; i++) {
        if (world->zones[i].parent != NULL) {
            turn(&world->zones[i]);
        }
    }
}

static sg_time earlier(sg_time a, sg_time b)
{
    return a < b ? a : b;
}

sg_time parent_wake(const struct world *world)
{
    sg_time wake = NEVER;
    for (size_t i = 0; i < world->zones_count; i++) {
        const struct sim_parent *parent = world->zones[i].parent;
        if (parent == NULL || !world->zones[i].seen.any) {
            continue;
        }
        wake = earlier(wake, earlier(parent->acts_at, parent->operator_at));
        for (size_t k = 0; k < parent->count; k++) {
            const struct agent *agent = &parent->agents[k];
            wake = earlier(wake, earlier(agent->syncs_at, agent->turns_back_at));
        }
    }
    return wake;
}

void parent_calm(struct sim_zone *zone)
{
    struct sim_parent *parent = zone->parent;
    parent->wavers = false;
    parent->delay = parent->lag = SG_HOUR;
    for (size_t i = 0; i < parent->count; i++) {
        parent->agents[i].turns_back_at = NEVER;
        parent->agents[i].silent_until = 0;
    }
}

bool parent_shows(const struct sim_zone *zone, const struct key_list *keys)
{
    const struct sim_parent *parent = zone->parent;
    bool fits = true;
    for (size_t i = 0; i < keys->count; i++) {
        const struct signing_key *key = keys->keys[i];
        bool wants = key->state.records[KEY_RECORD_DS] == KEY_STATE_OMNIPRESENT;
        fits &= presence(parent, key) == (wants ? 1 : -1);
    }
    return fits;
}

/* --- answers -------------------------------------------------------------------------------- */

/* The SOA of the parent; of the zone itself if that is who answers. */
static void write_soa(const struct sim_zone *zone, bool of_child, struct writer *writer)
{
    struct record soa;
    sim_zone_soa(zone, 1, &soa);
    if (!of_child) {
        enum sg_result result = dns_name_from_text("sim.", 4, NULL, &soa.owner);
        ASSERT(result == SG_OK);
    }
    record_write(writer, &soa);
}

bool parent_answer(struct sim_zone *zone, const struct keeper_question *asked,
                   struct buffer *out_reply)
{
    struct world *world = zone->world;
    struct sim_parent *parent = zone->parent;
    size_t which = asked->remote->address[3] - 50U;
    struct dns_message request;
    static uint8_t bytes[4096];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    if (which >= parent->count || dns_message_parse(asked->message, &request) != SG_OK) {
        world_fail(world, "%s: a question for its DS is not what it should be", zone->name);
    }
    struct agent *agent = &parent->agents[which];
    if (agent->silent_until == 0 && parent->wavers && rolls_chance(world, 3)) {
        agent->silent_until = world->now + rolls_between(world, 0, 4 * SG_DAY);
    }
    if (agent->silent_until > world->now) {
        return false;
    }
    agent->silent_until = 0;
    agent->was_asked = true;
    unsigned lie = parent->wavers ? rolls_draw(world, 40) : 2;
    uint16_t rcode = lie == 0 ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR;
    writer_bytes(&writer, asked->message.bytes, request.question_end);
    memset(bytes + 6, 0, 6);
    wire_put_u16(bytes + 2, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | rcode));
    if (lie == 1 || agent->shown.count == 0) {
        write_soa(zone, lie == 1, &writer);
        wire_put_u16(bytes + 8, 1);
    } else if (lie > 1) {
        for (size_t i = 0; i < agent->shown.count; i++) {
            record_write(&writer, &agent->shown.at[i]);
        }
        wire_put_u16(bytes + 6, (uint16_t)agent->shown.count);
    }
    buffer_append(out_reply, bytes, writer_length(&writer));
    return true;
}
