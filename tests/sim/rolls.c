#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD is the only door that needs no provider */
#include "sim/rolls.h"

#include <openssl/rand.h>

#include "base/mem.h"
#include "dnssec/keystore.h"
#include "kasp/keyset.h"

enum { POLICIES_MAX = 60, REST_DAYS_MAX = 60 };

struct sim_rolls {
    struct kasp_policy *policies[POLICIES_MAX]; /* all that the zone ever had: jobs may hold them */
    size_t count;
    bool was_insecure; /* some policy was */
    bool is_unsigned;  /* what was published last is */
    unsigned unsigned_times;
};

/* --- chance --------------------------------------------------------------------------------- */

uint32_t rolls_draw(struct world *world, uint32_t bound)
{
    return random_seeded_below(&world->rolls_random, bound);
}

bool rolls_chance(struct world *world, unsigned percent)
{
    return rolls_draw(world, 100) < percent;
}

sg_duration rolls_between(struct world *world, sg_duration least, sg_duration most)
{
    return least + (sg_duration)rolls_draw(world, (uint32_t)(most - least) + 1);
}

static int give_bytes(unsigned char *out_bytes, int count)
{
    random_bytes(out_bytes, (size_t)count);
    return 1;
}

static int is_seeded(void)
{
    return 1;
}

void rolls_seed_openssl(void)
{
    static const RAND_METHOD method = {
        .bytes = give_bytes, .pseudorand = give_bytes, .status = is_seeded};
    int set = RAND_set_rand_method(&method);
    ASSERT(set == 1);
}

/* --- policies ------------------------------------------------------------------------------- */

static uint32_t draw_life(struct world *world, sg_duration least)
{
    return rolls_chance(world, 30)
               ? KASP_LIFETIME_UNLIMITED
               : (uint32_t)rolls_between(world, least + 2 * SG_DAY, least + 12 * SG_DAY);
}

static void add_key(struct kasp_policy *policy, enum kasp_role role, uint8_t algorithm,
                    uint32_t lifetime)
{
    policy->keys[policy->keys_count++] = (struct kasp_key){.role = role,
                                                           .lifetime = lifetime,
                                                           .algorithm = algorithm,
                                                           .bits = 256,
                                                           .tag_max = UINT16_MAX};
}

static void draw_keys(struct world *world, struct kasp_policy *policy)
{
    uint8_t algorithm = rolls_chance(world, 50) ? DNSSEC_ED25519 : DNSSEC_ECDSAP256SHA256;
    sg_duration least = policy->signatures_validity - policy->signatures_refresh;
    policy->keys_count = 0;
    if (rolls_chance(world, 40)) {
        add_key(policy, KASP_ROLE_CSK, algorithm, draw_life(world, least));
    } else {
        add_key(policy, KASP_ROLE_KSK, algorithm, draw_life(world, 0));
        add_key(policy, KASP_ROLE_ZSK, algorithm, draw_life(world, least));
    }
}

/* What a policy may say otherwise than the one before. */
static void draw_policy(struct world *world, struct kasp_policy *policy)
{
    static const uint32_t ttls[] = {60, 300, (uint32_t)SG_HOUR, (uint32_t)SG_DAY};
    policy->dnskey_ttl = ttls[rolls_draw(world, ARRAY_LEN(ttls))];
    policy->publish_safety = rolls_draw(world, 2) * SG_MINUTE;
    policy->retire_safety = rolls_draw(world, 2) * SG_MINUTE;
    policy->purge_keys = rolls_between(world, 1, 5 * SG_DAY);
    policy->signatures_refresh =
        policy->signatures_validity - rolls_between(world, SG_DAY, 4 * SG_DAY);
    /* Each second of it would be a version. */
    policy->signatures_jitter = rolls_chance(world, 80) ? 0 : policy->signatures_jitter;
    draw_keys(world, policy);
}

static void take(struct sim_zone *zone, struct kasp_policy *policy)
{
    struct sim_rolls *rolls = zone->rolls;
    ASSERT(rolls->count < POLICIES_MAX);
    rolls->policies[rolls->count++] = policy;
    rolls->was_insecure |= policy->insecure;
    sim_zone_take_policy(zone, policy);
}

struct kasp_policy *rolls_copy_policy(const struct kasp_policy *from)
{
    struct kasp_policy *policy = kasp_policy_default();
    char *name = policy->name;
    *policy = *from; /* no key of the simulator has a key-store */
    policy->name = name;
    return policy;
}

void rolls_begin(struct sim_zone *zone)
{
    static const sg_duration delays[] = {5 * SG_MINUTE, 0, SG_HOUR, 6 * SG_HOUR};
    struct world *world = zone->world;
    if (rolls_chance(world, 33)) {
        struct kasp_policy *policy = rolls_copy_policy(zone->policy);
        zone->rolls = mem_alloc_zero(1, sizeof(*zone->rolls));
        policy->zone_propagation_delay = delays[rolls_draw(world, ARRAY_LEN(delays))];
        policy->parent_propagation_delay = delays[rolls_draw(world, ARRAY_LEN(delays))];
        policy->parent_ds_ttl = 10 * SG_MINUTE * rolls_between(world, 1, 100);
        policy->max_zone_ttl = zone->max_ttl;
        draw_policy(world, policy);
        take(zone, policy);
    }
    parent_begin(zone);
    caches_begin(zone);
}

void rolls_begin_with(struct sim_zone *zone, struct kasp_policy *policy)
{
    zone->rolls = mem_alloc_zero(1, sizeof(*zone->rolls));
    take(zone, policy);
    parent_begin(zone);
    parent_calm(zone);
    caches_begin(zone);
}

void rolls_take(struct sim_zone *zone, struct kasp_policy *policy)
{
    take(zone, policy);
}

void rolls_end(struct sim_zone *zone)
{
    parent_end(zone);
    caches_free(zone);
    if (zone->rolls == NULL) {
        return;
    }
    for (size_t i = 0; i < zone->rolls->count; i++) {
        kasp_policy_free(zone->rolls->policies[i]);
    }
    mem_free(zone->rolls);
}

static void edit(struct sim_zone *zone)
{
    struct world *world = zone->world;
    struct sim_rolls *rolls = zone->rolls;
    const struct kasp_policy *before = zone->policy;
    struct kasp_policy *policy;
    if (rolls->count > 1 && rolls_chance(world, 30)) { /* the last edit is undone */
        policy = rolls_copy_policy(rolls->policies[rolls->count - 2]);
    } else {
        policy = rolls_copy_policy(before);
        /* A secondary that is served as it is has its primary's serials, which are lower. */
        policy->insecure =
            zone->kind != SIM_BUMP && rolls_chance(world, before->insecure ? 20 : 25);
        draw_policy(world, policy);
        policy->keys_count = policy->insecure ? 0 : policy->keys_count;
    }
    take(zone, policy);
    world_say(world, "%s: policy: %s, algorithm %u, %u keys, lives %u %u", zone->name,
              policy->insecure ? "insecure" : "signed", policy->keys[0].algorithm,
              policy->keys_count, policy->keys[0].lifetime, policy->keys[1].lifetime);
}

uint64_t rolls_edits(const struct sim_zone *zone)
{
    return zone->rolls == NULL ? 0 : zone->rolls->count;
}

void rolls_step(struct world *world)
{
    struct sim_zone *zone = &world->zones[rolls_draw(world, (uint32_t)world->zones_count)];
    bool happens = rolls_chance(world, 12);
    if (happens && zone->rolls != NULL && zone->rolls->count + 1 < POLICIES_MAX) {
        edit(zone);
        world_configure(world);
    }
    caches_check_states(zone);
}

enum { RRSIG_INCEPTION_AT = 12 };

/* When the signature over the SOA begins, which every version has anew; 0: it is not signed. */
static uint32_t newest_inception(const struct records *records, const struct dns_name *apex)
{
    size_t at = records_find(records, apex, DNS_TYPE_RRSIG);
    for (; at < records->count && records->at[at].type == DNS_TYPE_RRSIG; at++) {
        if (wire_get_u16(records->at[at].rdata) == DNS_TYPE_SOA) {
            return wire_get_u32(records->at[at].rdata + RRSIG_INCEPTION_AT);
        }
    }
    return 0;
}

sg_time rolls_signed_at(const struct sim_zone *zone, const struct records *records)
{
    uint32_t inception = newest_inception(records, &zone->apex);
    return inception == 0 || zone->policy == NULL
               ? zone->world->now
               : (sg_time)inception + zone->policy->signatures_inception_offset;
}

/* How many signatures, and (a bit each) by which algorithms; but for those that begin at `but`. */
static size_t count_signatures(const struct records *records, uint32_t but,
                               uint32_t *out_algorithms)
{
    size_t count = 0;
    *out_algorithms = 0;
    for (size_t i = 0; i < records->count; i++) {
        if (records->at[i].type == DNS_TYPE_RRSIG) {
            count += but == 0 || wire_get_u32(records->at[i].rdata + RRSIG_INCEPTION_AT) != but;
            *out_algorithms |= 1U << (records->at[i].rdata[2] & 31);
        }
    }
    return count;
}

bool rolls_signs_anew(const struct sim_zone *zone, const struct records *published)
{
    struct records both = {0};
    uint32_t before, after, algorithms, but = 0;
    /* Signed twice in a second, it has the same signatures (Ed25519) where nothing has changed:
     * what tells of work beside what is served may be as young as that work. */
    if (zone->seen.at == zone->world->now) {
        but = newest_inception(&zone->seen.zone, &zone->apex);
    }
    size_t apart = count_signatures(&zone->seen.zone, but, &before);
    size_t now = count_signatures(published, but, &after);
    apart += now;
    records_copy(&zone->seen.zone, &both);
    for (size_t i = 0; i < published->count; i++) {
        (void)records_add(&both, &published->at[i]);
    }
    size_t together = count_signatures(&both, but, &algorithms);
    records_clear(&both);
    /* Where more than half of them are other ones the difference is larger than the zone. */
    size_t changed = 2 * together - apart;
    return together == apart || before != after || 5 * changed > 6 * now;
}

bool rolls_is_unsigned(const struct sim_zone *zone)
{
    return zone->rolls != NULL && (zone->rolls->is_unsigned || zone->policy->insecure);
}

bool rolls_may_be_unsigned(struct sim_zone *zone, const struct records *published)
{
    struct sim_rolls *rolls = zone->rolls;
    if (rolls == NULL || records_have(published, &zone->apex, DNS_TYPE_DNSKEY)) {
        if (rolls != NULL) {
            rolls->is_unsigned = false;
        }
        return false;
    }
    if (!rolls->is_unsigned && !zone->policy->insecure) {
        world_fail(zone->world, "%s: is not signed any more, and nobody wants that", zone->name);
    }
    rolls->unsigned_times += !rolls->is_unsigned;
    rolls->is_unsigned = true;
    return true;
}

/* --- rest ----------------------------------------------------------------------------------- */

void rolls_calm(struct world *world)
{
    for (size_t i = 0; i < world->zones_count; i++) {
        struct sim_zone *zone = &world->zones[i];
        if (zone->parent != NULL) {
            parent_calm(zone);
        }
        if (zone->rolls == NULL) {
            continue;
        }
        struct kasp_policy *policy = rolls_copy_policy(zone->policy);
        for (unsigned k = 0; k < policy->keys_count; k++) {
            policy->keys[k].lifetime = KASP_LIFETIME_UNLIMITED;
        }
        take(zone, policy);
    }
    world_configure(world);
}

static bool is_at_rest(const struct key_state *state)
{
    enum key_state_value rest =
        state->goal == KEY_STATE_OMNIPRESENT ? KEY_STATE_OMNIPRESENT : KEY_STATE_HIDDEN;
    for (int record = 0; record < KEY_RECORDS; record++) {
        if (state->records[record] != KEY_STATE_NA && state->records[record] != rest) {
            return false;
        }
    }
    return true;
}

static void say_keys(struct sim_zone *zone, const struct key_list *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct key_state *state = &keys->keys[i]->state;
        world_say(zone->world, "  key %u/%u%s%s goal %c %c%c%c%c", keys->keys[i]->algorithm,
                  keys->keys[i]->tag, state->ksk ? " ksk" : "", state->zsk ? " zsk" : "",
                  "HROU-"[state->goal], "HROU-"[state->records[0]], "HROU-"[state->records[1]],
                  "HROU-"[state->records[2]], "HROU-"[state->records[3]]);
    }
}

static bool rests(struct sim_zone *zone, bool say)
{
    struct key_list list;
    enum sg_result result = keystore_list("keys", &zone->apex, NULL, NULL, &list);
    ASSERT(result == SG_OK);
    size_t stay = 0;
    bool at_rest = true;
    for (size_t i = 0; i < list.count; i++) {
        stay += list.keys[i]->state.goal == KEY_STATE_OMNIPRESENT;
        at_rest &= is_at_rest(&list.keys[i]->state);
    }
    at_rest &= parent_shows(zone, &list);
    at_rest &= zone->rolls == NULL || stay == zone->policy->keys_count;
    at_rest &= zone->rolls == NULL || zone->rolls->is_unsigned == zone->policy->insecure;
    if (say) {
        say_keys(zone, &list);
    }
    key_list_clear(&list);
    return at_rest;
}

static struct sim_zone *find_restless(struct world *world)
{
    for (size_t i = 0; i < world->zones_count; i++) {
        if (world->zones[i].parent != NULL && !rests(&world->zones[i], false)) {
            return &world->zones[i];
        }
    }
    return NULL;
}

void rolls_come_to_rest(struct world *world)
{
    struct sim_zone *restless = find_restless(world);
    for (unsigned day = 0; restless != NULL; day++) {
        if (day == REST_DAYS_MAX) {
            (void)rests(restless, true);
            world_fail(world, "%s: S6: its keys do not come to rest", restless->name);
        }
        world_pass(world, SG_DAY);
        for (size_t i = 0; i < world->zones_count; i++) {
            caches_check_states(&world->zones[i]);
        }
        restless = find_restless(world);
    }
    for (size_t i = 0; i < world->zones_count; i++) {
        if (world->zones[i].rolls != NULL) {
            const struct sim_rolls *rolls = world->zones[i].rolls;
            world_say(world, "%s: at rest: %zu policies, %u times unsigned", world->zones[i].name,
                      rolls->count, rolls->unsigned_times);
        }
    }
}
