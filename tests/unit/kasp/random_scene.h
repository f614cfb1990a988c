/*
 * kasp/random_scene.h - a zone, its parent and all caches; dice; policies that are drawn
 */
#pragma once

#include "kasp/key_world.h"
#include "support/caches.h"

#define T0    ((sg_time)1767225600)
#define YEAR  (365 * SG_DAY)
#define NEVER INT64_MAX

enum {
    YEARS = 5,
};

enum parent_manner { PARENT_SWAPS, PARENT_ADDS_FIRST, PARENT_REMOVES_FIRST, PARENT_MANNERS };

struct scene {
    struct world world;
    struct caches caches;
    uint64_t random;
    struct kasp_policy policy, before_edit;
    sg_time now;           /* the real time */
    sg_duration clock_off; /* what the clock is ahead */
    sg_time clock_mends_at;
    sg_time next_event;
    sg_time edit_is_undone_at;

    struct caches_version at_parent, parent_before;
    enum parent_manner manner;
    sg_time parent_acts_at, parent_turns_back_at;
    sg_duration parent_delay;
    bool parent_is_steady; /* for all seeds */
    bool parent_wavers;    /* turns back at times; then it is looked at after each change */
    bool looks_seldom;
    bool tells;                 /* -checkds */
    sg_duration zone_ttl_extra; /* what the policy understates */

    struct key_state last[WORLD_KEYS_MAX];
    bool had_ds;
    size_t key; /* whose problem it is */
    enum key_record record;
    unsigned turns, rolls, words, strangers, takeovers, hasty;
};

static uint64_t draw(struct scene *s, uint64_t below)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return (s->random * UINT64_C(0x2545F4914F6CDD1D) >> 20) % below;
}

static bool chance(struct scene *s, unsigned percent)
{
    return draw(s, 100) < percent;
}

static sg_duration between(struct scene *s, sg_duration least, sg_duration most)
{
    return least + (sg_duration)draw(s, (uint64_t)(most - least + 1));
}

/* ---- policies ---- */

static void add_key(struct kasp_policy *policy, enum kasp_role role, uint8_t algorithm,
                    uint32_t lifetime)
{
    policy->keys[policy->keys_count++] = (struct kasp_key){
        .role = role,
        .lifetime = lifetime,
        .algorithm = algorithm,
        .bits = algorithm == 8 ? 2048 : 256,
        .tag_max = UINT16_MAX,
    };
}

static uint32_t some_lifetime(struct scene *s, sg_duration least)
{
    return chance(s, 40) ? 0 : (uint32_t)(least + between(s, 10 * SG_DAY, 200 * SG_DAY));
}

static void draw_keys(struct scene *s, struct kasp_policy *policy)
{
    static const uint8_t algorithms[] = {8, 13, 15};
    sg_duration roll = policy->signatures_validity + 20 * SG_DAY;
    uint8_t algorithm = algorithms[draw(s, ARRAY_LEN(algorithms))];
    policy->keys_count = 0;
    policy->insecure = chance(s, 12);
    if (policy->insecure) {
        return;
    }
    unsigned rounds = chance(s, 10) ? 2 : 1; /* two algorithms for good */
    for (unsigned i = 0; i < rounds; i++) {
        if (chance(s, 40)) {
            add_key(policy, KASP_ROLE_CSK, algorithm, some_lifetime(s, roll));
        } else {
            add_key(policy, KASP_ROLE_KSK, algorithm, some_lifetime(s, roll));
            add_key(policy, KASP_ROLE_ZSK, algorithm, some_lifetime(s, roll));
        }
        algorithm = algorithm == 8 ? 13 : 8;
    }
    if (chance(s, 10)) {
        policy->keys[0].tag_min = (uint16_t)draw(s, 30000);
        policy->keys[0].tag_max = (uint16_t)(policy->keys[0].tag_min + 30000);
    }
}

/* What belongs to the world (how long a secondary takes) stays; the rest is drawn anew. */
static void draw_policy(struct scene *s, struct kasp_policy *policy)
{
    policy->dnskey_ttl = (uint32_t)between(s, 0, chance(s, 50) ? SG_HOUR : 2 * SG_DAY);
    policy->max_zone_ttl = chance(s, 5) ? 0 : (uint32_t)between(s, 1, 4 * SG_DAY);
    policy->publish_safety = chance(s, 30) ? 0 : between(s, 0, 2 * SG_HOUR);
    policy->retire_safety = chance(s, 30) ? 0 : between(s, 0, 2 * SG_HOUR);
    policy->signatures_validity = between(s, 2 * SG_DAY, 20 * SG_DAY);
    policy->signatures_refresh = policy->signatures_validity * between(s, 10, 89) / 100;
    policy->purge_keys = between(s, 1, 60 * SG_DAY);
    policy->manual_mode = chance(s, 10);
    draw_keys(s, policy);
}

static sg_duration longer(sg_duration a, sg_duration b)
{
    return a > b ? a : b;
}

static sg_duration real_zone_ttl(const struct scene *s)
{
    return (s->policy.max_zone_ttl != 0 ? s->policy.max_zone_ttl : SG_WEEK) + s->zone_ttl_extra;
}

/* The world has what the policy says, and remembers what it said before. */
static void take_policy(struct scene *s)
{
    struct kasp_terms *seen = &s->world.facts.observed;
    seen->dnskey_ttl = longer(seen->dnskey_ttl, s->policy.dnskey_ttl);
    seen->zone_ttl = longer(seen->zone_ttl, real_zone_ttl(s));
    seen->resign =
        longer(seen->resign, s->policy.signatures_validity - s->policy.signatures_refresh);
    s->caches.resign = seen->resign;
}
