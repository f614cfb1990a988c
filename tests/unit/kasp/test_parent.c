/* One key, one sighting, and what becomes of its DS. */
#include "kasp/key_world.h"
#include "kasp/parent.h"

#define T0    ((sg_time)1767225600)
#define UNSET KEY_TIME_UNSET

enum { CHANGE = 1000, NOW = 5000 };

struct parent_case {
    const char *name;
    enum key_state_value ds, goal;
    sg_time noted; /* DSPublish or DSRemoved; all instants are after T0 */
    enum kasp_sighting sighting;
    sg_time at, asked_at;
    enum key_state_value ds_after;
    sg_time noted_after;
};

/* clang-format off */
#define H KEY_STATE_HIDDEN
#define R KEY_STATE_RUMOURED
#define O KEY_STATE_OMNIPRESENT
#define U KEY_STATE_UNRETENTIVE
static const struct parent_case cases[] = {
    {"seen", R, O, UNSET, KASP_DS_SEEN, 2000, 4000, R, 2000},
    {"withdrawn", U, H, UNSET, KASP_DS_MISSING, 2000, 4000, U, 2000},
    {"not yet", R, O, UNSET, KASP_DS_MISSING, 2000, 4000, R, UNSET},
    {"nobody has looked", R, O, UNSET, KASP_DS_UNKNOWN, UNSET, UNSET, R, UNSET},
    {"a look before the change does not count", R, O, UNSET, KASP_DS_SEEN, 500, 900, R, UNSET},
    {"one across the change counts from its end", R, O, UNSET, KASP_DS_SEEN, 500, 4000, R, 4000},
    {"the first look of all counts from itself", U, H, UNSET, KASP_DS_MISSING, UNSET, 4000, U, 4000},
    {"what was noted stays", R, O, 2000, KASP_DS_SEEN, 1500, 4000, R, 2000},
    {"it turned back", R, O, 2000, KASP_DS_MISSING, 4000, 4000, R, UNSET},
    {"it turned back and forth between looks", R, O, 2000, KASP_DS_SEEN, 3000, 4000, R, 4000},
    {"an omnipresent DS that is gone", O, O, 900, KASP_DS_MISSING, 4000, 4000, R, UNSET},
    {"an omnipresent DS that was gone", O, O, 900, KASP_DS_SEEN, 4000, 4000, R, UNSET},
    {"an omnipresent DS that is there", O, O, 900, KASP_DS_SEEN, 800, 4000, O, 900},
    {"a DS that came back while its key leaves", H, H, 900, KASP_DS_SEEN, 4000, 4000, U, UNSET},
    {"a DS that is not asked for yet", H, O, UNSET, KASP_DS_SEEN, 4000, 4000, H, UNSET},
};
#undef H
#undef R
#undef O
#undef U
/* clang-format on */

static sg_time after_t0(sg_time offset)
{
    return offset == UNSET ? UNSET : T0 + offset;
}

static void is_seen(void **state)
{
    const struct parent_case *t = *state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    world_begin(world, policy);
    struct signing_key *key = world_make_key(world, &policy->keys[0], T0);
    bool comes = t->ds == KEY_STATE_RUMOURED || t->ds == KEY_STATE_OMNIPRESENT;
    enum key_time time = comes ? KEY_DS_PUBLISH : KEY_DS_REMOVED;
    world->plan.count = 1;
    struct kasp_key_plan *planned = &world->plan.keys[0];
    *planned = (struct kasp_key_plan){.key = key, .state = key->state};
    memcpy(planned->times, key->times, sizeof(key->times));
    planned->state.goal = t->goal;
    planned->state.records[KEY_RECORD_DNSKEY] = KEY_STATE_OMNIPRESENT;
    planned->state.records[KEY_RECORD_DS] = t->ds;
    planned->state.changes[KEY_RECORD_DS] = T0 + CHANGE;
    planned->times[time] = after_t0(t->noted);
    world->key_facts[0].ds = t->sighting;
    world->key_facts[0].ds_at = after_t0(t->at);
    world->key_facts[0].ds_asked_at = after_t0(t->asked_at);
    world->facts.keys = world->key_facts;
    struct kasp_case c = {policy, &world->facts, T0 + NOW, KASP_RULES_ALL, &world->plan, {0}};
    kasp_see_parent(&c);
    assert_int_equal(planned->state.records[KEY_RECORD_DS], t->ds_after);
    assert_int_equal(planned->times[time], after_t0(t->noted_after));
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

static void an_operators_word_counts_where_it_is_asked_for(void **state)
{
    (void)state;
    struct signing_key key = {.state = {.ksk = true}};
    key.state.records[KEY_RECORD_DS] = KEY_STATE_HIDDEN;
    assert_int_equal(kasp_note_ds(&key, KASP_DS_SEEN, T0), SG_CONFLICT);
    key.state.records[KEY_RECORD_DS] = KEY_STATE_RUMOURED;
    key.state.changes[KEY_RECORD_DS] = T0 + CHANGE;
    assert_int_equal(kasp_note_ds(&key, KASP_DS_MISSING, T0), SG_CONFLICT);
    assert_int_equal(kasp_note_ds(&key, KASP_DS_SEEN, T0), SG_OK);
    assert_int_equal(key.times[KEY_DS_PUBLISH], T0 + CHANGE); /* not before it was asked for */
    key.state.ksk = false;
    assert_int_equal(kasp_note_ds(&key, KASP_DS_SEEN, T0), SG_CONFLICT);
}

static void only_a_key_in_use_is_told_to_roll(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct signing_key key = {.state = {.goal = KEY_STATE_OMNIPRESENT}};
    assert_int_equal(kasp_roll_key(policy, &key, T0), SG_CONFLICT);
    key.state.records[KEY_RECORD_DNSKEY] = KEY_STATE_OMNIPRESENT;
    assert_int_equal(kasp_roll_key(policy, &key, T0), SG_OK);
    assert_int_equal(key.times[KEY_INACTIVE], T0 + 7500);
    assert_int_equal(key.times[KEY_DELETE], T0 + 7500 + policy->retire_safety);
    key.state.goal = KEY_STATE_HIDDEN;
    assert_int_equal(kasp_roll_key(policy, &key, T0), SG_CONFLICT);
    kasp_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operators_word_counts_where_it_is_asked_for),
        cmocka_unit_test(only_a_key_in_use_is_told_to_roll),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(cases, is_seen);
}
