/*
 * kasp/key_world.h - a zone's keys without cryptography, and who carries plans out
 *
 * Keys are numbered as they are made. Nothing is freed before the end, so that a number keeps its
 * meaning; a purged key leaves the list.
 */
#pragma once

#include <string.h>

#include "base/mem.h"
#include "kasp/parent.h"
#include "kasp/plan.h"
#include "kasp/rules.h"
#include "support/table.h"

enum { WORLD_KEYS_MAX = 1024, WORLD_RDATA_BYTES = 40 };

struct world_key {
    struct signing_key key;
    uint8_t rdata[WORLD_RDATA_BYTES];
    size_t number;
};

struct world {
    struct world_key *made[WORLD_KEYS_MAX];
    size_t made_count;
    struct signing_key *live[KASP_PLAN_KEYS_MAX];
    struct key_list list;
    struct kasp_key_facts key_facts[KASP_PLAN_KEYS_MAX];
    struct kasp_facts facts;
    const struct kasp_policy *policy;
    unsigned rules;
    bool makes_slowly; /* one key a turn; what is there is served meanwhile */
    struct kasp_plan plan;
};

static inline void world_begin(struct world *world, const struct kasp_policy *policy)
{
    memset(world, 0, sizeof(*world));
    world->policy = policy;
    world->rules = KASP_RULES_ALL;
    world->list.keys = world->live;
}

static inline void world_end(struct world *world)
{
    for (size_t i = 0; i < world->made_count; i++) {
        mem_free(world->made[i]);
    }
}

static inline struct world_key *world_key_of(const struct signing_key *key)
{
    return (struct world_key *)key; /* its first member */
}

static inline bool world_has_tag(const struct world *world, uint16_t tag)
{
    for (size_t i = 0; i < world->list.count; i++) {
        if (world->live[i]->tag == tag) {
            return true;
        }
    }
    return false;
}

/* As the keystore makes one in advance: with its roles alone, a tag in range that is free. */
static inline struct signing_key *world_make_key(struct world *world, const struct kasp_key *wanted,
                                                 sg_time now)
{
    struct world_key *made = mem_alloc_zero(1, sizeof(*made));
    struct signing_key *key = &made->key;
    bool ksk = (wanted->role & KASP_ROLE_KSK) != 0;
    uint16_t revoked;
    key->algorithm = wanted->algorithm;
    key->bits = wanted->bits;
    key->flags = (uint16_t)(KEY_FLAG_ZONE | (ksk ? KEY_FLAG_SEP : 0));
    key->dnskey = (struct span){made->rdata, sizeof(made->rdata)};
    made->rdata[0] = 1;
    made->rdata[2] = 3;
    made->rdata[3] = key->algorithm;
    memcpy(&made->rdata[4], &world->made_count, sizeof(world->made_count));
    for (uint32_t draw = 0;; draw++) {
        memcpy(&made->rdata[16], &draw, sizeof(draw));
        made->rdata[1] = (uint8_t)(key->flags | KEY_FLAG_REVOKE);
        revoked = dnskey_tag(key->dnskey);
        made->rdata[1] = (uint8_t)key->flags;
        key->tag = dnskey_tag(key->dnskey);
        if (key->tag >= wanted->tag_min && key->tag <= wanted->tag_max &&
            revoked >= wanted->tag_min && revoked <= wanted->tag_max &&
            !world_has_tag(world, key->tag) && !world_has_tag(world, revoked)) {
            break;
        }
    }
    for (int time = 0; time < KEY_TIMES; time++) {
        key->times[time] = KEY_TIME_UNSET;
    }
    key->times[KEY_CREATED] = now;
    key->state.present = true;
    key->state.has_roles = true;
    key->state.ksk = ksk;
    key->state.zsk = (wanted->role & KASP_ROLE_ZSK) != 0;
    key->state.goal = KEY_STATE_HIDDEN;
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] = KEY_STATE_NA;
        key->state.changes[record] = KEY_TIME_UNSET;
    }
    assert_true(world->made_count < WORLD_KEYS_MAX && world->list.count < KASP_PLAN_KEYS_MAX);
    made->number = world->made_count;
    world->made[world->made_count++] = made;
    world->key_facts[world->list.count] = (struct kasp_key_facts){
        .ds_at = KEY_TIME_UNSET,
        .ds_asked_at = KEY_TIME_UNSET,
        .signed_at = KEY_TIME_UNSET,
        .cleared_at = KEY_TIME_UNSET,
    };
    world->live[world->list.count++] = key;
    return key;
}

/* A key that was retired, and has had its states, a letter each of HROU-, since then. */
static inline struct signing_key *world_retire(struct world *world, sg_time since, unsigned role,
                                               const char *states)
{
    struct kasp_key wanted = world->policy->keys[0];
    wanted.role = role;
    struct signing_key *key = world_make_key(world, &wanted, since + (sg_time)world->made_count);
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] =
            (enum key_state_value)(strchr("HROU-", states[record]) - "HROU-");
        key->state.changes[record] = since;
    }
    key->times[KEY_PUBLISH] = key->times[KEY_ACTIVATE] = key->times[KEY_INACTIVE] = since;
    return key;
}

static inline void world_remove_purged(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->list.count; i++) {
        if (!world->plan.keys[i].purge) {
            world->key_facts[kept] = world->key_facts[i];
            world->live[kept++] = world->live[i];
        }
    }
    world->list.count = kept;
}

/* The same keys in the other order: the same plan. */
static inline void world_check_order(const struct world *world, sg_time now)
{
    static struct kasp_plan other;
    struct signing_key *reversed[KASP_PLAN_KEYS_MAX];
    struct kasp_key_facts key_facts[KASP_PLAN_KEYS_MAX];
    size_t count = world->list.count;
    struct kasp_facts facts = world->facts;
    for (size_t i = 0; i < count; i++) {
        reversed[i] = world->live[count - 1 - i];
        key_facts[i] = world->key_facts[count - 1 - i];
    }
    const struct key_list list = {reversed, count};
    facts.keys = key_facts;
    assert_int_equal(kasp_plan_by_rules(world->policy, &list, &facts, now, world->rules, &other),
                     SG_OK);
    for (size_t i = 0; i < count; i++) {
        const struct key_state *a = &world->plan.keys[i].state;
        const struct key_state *b = &other.keys[count - 1 - i].state;
        assert_int_equal(a->goal, b->goal);
        assert_memory_equal(a->records, b->records, sizeof(a->records));
        assert_memory_equal(a->changes, b->changes, sizeof(a->changes));
    }
    assert_int_equal(world->plan.makes_count, other.makes_count);
    assert_int_equal(world->plan.wake_at, other.wake_at);
}

/* Plan and carry out, until nothing more is to be done at `now`. Returns when to come again. */
static inline sg_time world_turn(struct world *world, sg_time now)
{
    struct kasp_plan *plan = &world->plan;
    for (int round = 0;; round++) {
        bool changed = false;
        assert_true(round < 20);
        world->facts.keys = world->key_facts;
        assert_int_equal(
            kasp_plan_by_rules(world->policy, &world->list, &world->facts, now, world->rules, plan),
            SG_OK);
        world_check_order(world, now);
        for (size_t i = 0; i < plan->count; i++) {
            changed |= plan->keys[i].changed || plan->keys[i].purge;
            kasp_plan_apply(&plan->keys[i], world->live[i]);
        }
        world_remove_purged(world);
        unsigned makes = plan->makes_count > 1 && world->makes_slowly ? 1 : plan->makes_count;
        for (unsigned m = 0; m < makes; m++) {
            world_make_key(world, &world->policy->keys[plan->makes[m].entry], now);
            changed = true;
        }
        if (makes < plan->makes_count) {
            return now + 1;
        }
        if (!changed) {
            return plan->wake_at;
        }
    }
}

/* A parent that does at once what it is asked for. True if it did something. */
static inline bool world_parent_obeys(struct world *world, sg_time now)
{
    bool acted = false;
    for (size_t i = 0; i < world->list.count; i++) {
        const struct signing_key *key = world->live[i];
        enum key_state_value ds = key->state.records[KEY_RECORD_DS];
        struct kasp_key_facts *facts = &world->key_facts[i];
        if (!key->state.ksk) {
            continue;
        }
        enum kasp_sighting is = kasp_is_in(ds) ? KASP_DS_SEEN : KASP_DS_MISSING;
        acted |= facts->ds != is || facts->ds_asked_at < key->state.changes[KEY_RECORD_DS];
        facts->ds_at = facts->ds != is ? now : facts->ds_at;
        facts->ds = is;
        facts->ds_asked_at = now;
    }
    return acted;
}
