/* Each wait with the default policy, as BIND's key manager has it, and what makes it longer. */
#include "kasp/key_world.h"
#include "kasp/timing.h"

#define T0 ((sg_time)1767225600)

enum other { ALONE, OTHER_LEAVES, OTHER_SIGNS, OTHER_CAME_ALONG };

struct timing_case {
    const char *name;
    sg_duration wait; /* INT64_MAX: unknown */
    enum key_record record;
    enum key_state_value target;
    enum other other;
    bool linked;
    bool observed; /* all TTLs two days, Dsgn 20 days */
    bool whole;    /* the zone was signed anew a day later */
    bool leapt;    /* the clock leapt a day later */
};

/* clang-format off */
#define O KEY_STATE_OMNIPRESENT
#define H KEY_STATE_HIDDEN
static const struct timing_case cases[] = {
    {"a DNSKEY arrives after TTL, propagation and safety", 7500, KEY_RECORD_DNSKEY, O, ALONE, 0, 0, 0, 0},
    {"a DNSKEY leaves without the safety", 3900, KEY_RECORD_DNSKEY, H, ALONE, 0, 0, 0, 0},
    {"a KRRSIG is of the DNSKEY RRset", 7500, KEY_RECORD_KRRSIG, O, ALONE, 0, 0, 0, 0},
    {"an observed TTL counts", 2 * 86400 + 300, KEY_RECORD_DNSKEY, H, ALONE, 0, 1, 0, 0},
    {"the first signatures arrive at once", 86700, KEY_RECORD_ZRRSIG, O, ALONE, 0, 0, 0, 0},
    {"two first keys arrive together", 86700, KEY_RECORD_ZRRSIG, O, OTHER_CAME_ALONG, 0, 0, 0, 0},
    {"the last signatures leave at once", 86700, KEY_RECORD_ZRRSIG, H, ALONE, 0, 0, 0, 0},
    {"a roll takes Dsgn", 867900, KEY_RECORD_ZRRSIG, O, OTHER_LEAVES, 1, 0, 0, 0},
    {"so it does without a link", 867900, KEY_RECORD_ZRRSIG, O, OTHER_LEAVES, 0, 0, 0, 0},
    {"and for the one that leaves", 867900, KEY_RECORD_ZRRSIG, H, OTHER_SIGNS, 0, 0, 0, 0},
    {"a zone that was signed anew needs no Dsgn", 86400 + 86700, KEY_RECORD_ZRRSIG, O, OTHER_LEAVES, 1, 0, 1, 0},
    {"an observed Dsgn counts", 22 * 86400 + 3900, KEY_RECORD_ZRRSIG, H, OTHER_SIGNS, 0, 1, 0, 0},
    {"a DS arrives by the parent's terms", 90000, KEY_RECORD_DS, O, ALONE, 0, 0, 0, 0},
    {"a DS that follows another takes the safety", 93600, KEY_RECORD_DS, O, ALONE, 1, 0, 0, 0},
    {"an observed DS TTL counts", 2 * 86400 + 3600, KEY_RECORD_DS, H, ALONE, 0, 1, 0, 0},
    {"a leap of the clock begins every wait anew", 86400 + 7500, KEY_RECORD_DNSKEY, O, ALONE, 0, 0, 0, 1},
    {"also that of a DS", 86400 + 90000, KEY_RECORD_DS, H, ALONE, 0, 0, 0, 1},
};
#undef O
#undef H
/* clang-format on */

static void set_state(struct signing_key *key, enum key_state_value value, sg_time since)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] = value;
        key->state.changes[record] = since;
    }
    key->times[KEY_DS_PUBLISH] = key->times[KEY_DS_REMOVED] = since;
}

static void set_other(struct world *world, enum other other)
{
    static const enum key_state_value values[] = {KEY_STATE_HIDDEN, KEY_STATE_UNRETENTIVE,
                                                  KEY_STATE_OMNIPRESENT, KEY_STATE_RUMOURED};
    struct signing_key *key = world_make_key(world, &world->policy->keys[0], T0);
    set_state(key, values[other], T0);
}

static void settles_on_time(void **state)
{
    const struct timing_case *t = *state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    world_begin(world, policy);
    struct signing_key *key = world_make_key(world, &policy->keys[0], T0);
    bool comes = t->target == KEY_STATE_OMNIPRESENT;
    set_state(key, comes ? KEY_STATE_RUMOURED : KEY_STATE_UNRETENTIVE, T0);
    key->state.has_successor = t->linked;
    set_other(world, t->other);
    world->facts.keys = world->key_facts;
    if (t->observed) {
        world->facts.observed =
            (struct kasp_terms){2 * SG_DAY, 2 * SG_DAY, 2 * SG_DAY, 20 * SG_DAY};
    }
    world->key_facts[0].signed_at = t->whole ? T0 + SG_DAY : KEY_TIME_UNSET;
    world->facts.waits_from = t->leapt ? T0 + SG_DAY : 0;
    for (size_t i = 0; i < 2; i++) {
        world->plan.keys[i] = (struct kasp_key_plan){.key = world->live[i]};
        world->plan.keys[i].state = world->live[i]->state;
        memcpy(world->plan.keys[i].times, world->live[i]->times, sizeof(world->live[i]->times));
    }
    world->plan.count = 2;
    const struct kasp_case c = {policy,         &world->facts, T0 + 2 * SG_DAY,
                                KASP_RULES_ALL, &world->plan,  {0}};
    const struct kasp_move move = {0, t->record, t->target};
    assert_int_equal(kasp_settled_at(&c, &move) - T0, t->wait);
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

int main(void)
{
    return RUN_TABLE(cases, settles_on_time);
}
