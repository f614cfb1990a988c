#include <string.h>

#include "base/mem.h"
#include "kasp/key_world.h"
#include "keeper/zone_facts.h"
#include "keeper/zone_keys.h"
#include "support/table.h"

#define T0 ((sg_time)1767225600)
#define H  KEY_STATE_HIDDEN
#define R  KEY_STATE_RUMOURED
#define O  KEY_STATE_OMNIPRESENT
#define U  KEY_STATE_UNRETENTIVE

static void make_key(struct signing_key *key, enum key_state_value value, sg_time change)
{
    signing_key_init(key);
    key->tag = 4711;
    key->algorithm = 13;
    key->state.present = key->state.ksk = key->state.zsk = true;
    key->state.goal = value == R || value == O ? O : H;
    for (int record = 0; record < KEY_RECORDS; record++) {
        key->state.records[record] = record == KEY_RECORD_DS ? H : value;
        key->state.changes[record] = change;
    }
}

/* As if `value` had been committed and published at `change`. */
static void commit(struct zone_facts_of_keys *facts, enum key_state_value value, sg_time change)
{
    struct signing_key key;
    struct signing_key *keys[] = {&key};
    const struct key_list list = {keys, 1};
    *facts = (struct zone_facts_of_keys){.keys = NULL};
    make_key(&key, value, change);
    zone_facts_take_plan(facts, &list, change);
    (void)zone_facts_published(facts, change);
}

/* ---- plans that wait ---- */

/* All is signed anew beside what is served, again and again: of two keys, one of which has to sign
 * on, it is the same one each time, whatever the plan before has noted of it. */
static void a_plan_that_waits_is_made_again_as_it_was(void **state)
{
    (void)state;
    struct world *world = mem_alloc(sizeof(*world));
    struct kasp_policy *policy = kasp_policy_default();
    struct zone_facts_of_keys facts = {.keys = NULL}, waiting = {.keys = NULL};
    const struct zone_facts_twins nobody = {NULL, 0, false};
    world_begin(world, policy);
    (void)world_retire(world, T0, KASP_ROLE_KSK, "O-OO");
    const struct signing_key *a = world_retire(world, T0, KASP_ROLE_ZSK, "OR--");
    const struct signing_key *b = world_retire(world, T0, KASP_ROLE_ZSK, "OR--");
    zone_facts_take_plan(&facts, &world->list, T0);
    (void)zone_facts_published(&facts, T0);
    for (sg_time now = T0 + 48 * SG_HOUR; now < T0 + 52 * SG_HOUR; now += SG_HOUR) {
        for (size_t i = 0; i < world->list.count; i++) {
            (void)zone_facts_undo_plan(&facts, &waiting, world->live[i]);
            (void)zone_facts_keep_in(&facts, world->live[i]);
            (void)zone_facts_hold(&facts, &nobody, true, now, world->live[i]);
        }
        (void)world_turn(world, now);
        assert_int_equal(a->state.records[KEY_RECORD_ZRRSIG], U);
        assert_int_equal(b->state.records[KEY_RECORD_ZRRSIG], O);
        zone_facts_clear(&waiting);
        zone_facts_copy(&facts, &waiting);
        zone_facts_take_plan(&waiting, &world->list, now);
    }
    zone_facts_clear(&waiting);
    zone_facts_clear(&facts);
    world_end(world);
    kasp_policy_free(policy);
    mem_free(world);
}

/* What somebody wrote into a file meanwhile is his. */
static void an_edit_beside_a_plan_that_waits_counts(void **state)
{
    (void)state;
    struct zone_facts_of_keys facts, waiting;
    struct signing_key key;
    commit(&facts, R, T0);
    commit(&waiting, O, T0 + 100);
    make_key(&key, O, T0 + 100);
    assert_true(zone_facts_undo_plan(&facts, &waiting, &key));
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], R);
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0);
    assert_false(zone_facts_undo_plan(&facts, &waiting, &key));
    make_key(&key, O, T0 + 101); /* as a look in between has planned it again */
    assert_true(zone_facts_undo_plan(&facts, &waiting, &key));
    make_key(&key, O, T0 + 101);
    key.state.records[KEY_RECORD_KRRSIG] = H;
    assert_false(zone_facts_undo_plan(&facts, &waiting, &key));
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], O);
    assert_false(zone_facts_undo_plan(&facts, NULL, &key));
    zone_facts_clear(&waiting);
    zone_facts_clear(&facts);
}

static void what_begins_in_the_second_of_the_commit_is_not_settled_in_it(void **state)
{
    (void)state;
    const struct zone_facts_twins nobody = {NULL, 0, false};
    struct zone_facts_of_keys facts;
    struct signing_key key;
    commit(&facts, R, T0);
    make_key(&key, O, T0);
    assert_false(zone_facts_take_younger(&facts, &key));
    assert_true(zone_facts_hold(&facts, &nobody, true, T0 + 5, &key));
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], R);
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0);
    make_key(&key, O, T0 + 1);
    assert_false(zone_facts_hold(&facts, &nobody, true, T0 + 5, &key));
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], O);
    zone_facts_clear(&facts);
}

/* ---- edits ---- */

static void what_is_committed_as_in_stays_in_for_the_plan(void **state)
{
    (void)state;
    struct zone_facts_of_keys facts;
    struct signing_key key;
    commit(&facts, O, T0 + 10);
    make_key(&key, O, T0 + 10);
    assert_int_equal(zone_facts_keep_in(&facts, &key), 0);
    key.state.records[KEY_RECORD_DNSKEY] = H;
    key.state.records[KEY_RECORD_KRRSIG] = U;
    key.state.changes[KEY_RECORD_DNSKEY] = T0 + 500;
    assert_int_equal(zone_facts_keep_in(&facts, &key),
                     1U << KEY_RECORD_DNSKEY | 1U << KEY_RECORD_KRRSIG);
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], O);
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0 + 10);
    assert_int_equal(key.state.records[KEY_RECORD_KRRSIG], O);
    zone_facts_clear(&facts);
    commit(&facts, U, T0 + 10);
    make_key(&key, H, T0 + 500);
    assert_int_equal(zone_facts_keep_in(&facts, &key), 0);
    zone_facts_clear(&facts);
}

static void only_an_edit_tells_a_key_to_leave(void **state)
{
    (void)state;
    struct zone_facts_of_keys facts;
    struct signing_key key;
    commit(&facts, O, T0 + 10);
    make_key(&key, O, T0 + 10);
    assert_false(zone_facts_told_to_leave(&facts, &key, T0 + 500));
    key.state.goal = H;
    assert_true(zone_facts_told_to_leave(&facts, &key, T0 + 500));
    key.state.has_successor = true; /* A roll of ours, of which the commit failed. */
    assert_false(zone_facts_told_to_leave(&facts, &key, T0 + 500));
    key.state.has_successor = false;
    key.times[KEY_INACTIVE] = T0 + 500; /* The policy was edited. */
    assert_false(zone_facts_told_to_leave(&facts, &key, T0 + 500));
    zone_facts_clear(&facts);
    facts = (struct zone_facts_of_keys){.keys = NULL};
    assert_false(zone_facts_told_to_leave(&facts, &key, T0 + 500));
}

/* ---- a look after something went wrong ---- */

struct row {
    const char *name;
    enum key_state_value file;
    sg_duration file_at;
    enum key_state_value committed;
    sg_duration committed_at;
    enum key_state_value wanted; /* at T0 + 1000 */
    sg_duration wanted_at;
};

static const struct row rows[] = {
    {"all is as it was", O, 0, O, 0, O, 0},
    {"a wait goes on", R, 10, R, 10, R, 10},
    {"what settled in a commit that failed has settled", O, 500, R, 10, O, 500},
    {"a publication that was not committed has not begun", R, 500, H, 10, R, 1000},
    {"nor one that somebody calls everywhere", O, 500, H, 10, R, 1000},
    {"a withdrawal that was not committed has not begun", U, 500, O, 10, U, 1000},
    {"nor one that somebody calls done", H, 500, O, 10, U, 1000},
    {"files of a backup are older: the key came since", H, 5, R, 500, R, 500},
    {"files of a backup are older: the key went since", O, 5, U, 500, U, 500},
    {"the publication came late, and the files do not know", R, 10, R, 12, R, 12},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    static const struct zone_facts_twins nobody = {NULL, 0, false};
    struct zone_facts_of_keys facts;
    struct signing_key key;
    commit(&facts, row->committed, T0 + row->committed_at);
    make_key(&key, row->file, T0 + row->file_at);
    (void)zone_facts_take_younger(&facts, &key);
    (void)zone_facts_hold(&facts, &nobody, true, T0 + 1000, &key);
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], row->wanted);
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0 + row->wanted_at);
    assert_false(zone_facts_hold(&facts, &nobody, true, T0 + 1000, &key));
    zone_facts_clear(&facts);
}

static void a_lost_state_file_is_known_from_the_commit(void **state)
{
    struct zone_facts_of_keys facts;
    struct signing_key key;
    (void)state;
    commit(&facts, O, T0);
    make_key(&key, H, T0 + 500);
    key.state.present = false;
    assert_true(zone_facts_take_younger(&facts, &key));
    assert_int_equal(key.state.records[KEY_RECORD_ZRRSIG], O);
    zone_facts_clear(&facts);
}

/* Of a key whose publication was corrected to later, so that its file is older. */
static void an_edit_of_goal_and_times_is_taken_from_an_older_file(void **state)
{
    struct zone_facts_of_keys facts;
    struct signing_key key;
    (void)state;
    commit(&facts, R, T0 + 70);
    make_key(&key, R, T0);
    key.state.goal = H;
    key.times[KEY_INACTIVE] = T0 + 5000;
    assert_int_equal(zone_facts_overruled_until(&facts, &key), KEY_TIME_UNSET);
    assert_true(zone_facts_take_younger(&facts, &key));
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0 + 70);
    assert_int_equal(key.state.goal, H);
    assert_int_equal(key.times[KEY_INACTIVE], T0 + 5000);
    zone_facts_clear(&facts);
}

/* A backup, or an edit that was dated back: nobody can tell. */
static void states_that_are_overruled_are_told(void **state)
{
    struct zone_facts_of_keys facts;
    struct signing_key key;
    (void)state;
    commit(&facts, R, T0 + 70);
    make_key(&key, O, T0);
    assert_int_equal(zone_facts_overruled_until(&facts, &key), T0 + 70);
    assert_true(zone_facts_take_younger(&facts, &key));
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], R);
    assert_int_equal(zone_facts_overruled_until(&facts, &key), KEY_TIME_UNSET);
    make_key(&key, O, T0 + 70);
    assert_int_equal(zone_facts_overruled_until(&facts, &key), KEY_TIME_UNSET);
    make_key(&key, O, T0);
    key.state.present = false; /* There are none. */
    assert_int_equal(zone_facts_overruled_until(&facts, &key), KEY_TIME_UNSET);
    zone_facts_clear(&facts);
}

static void a_key_goes_no_faster_than_the_slowest_twin(void **state)
{
    struct zone_facts_of_keys facts;
    struct zone_facts_of_keys twin;
    const struct zone_facts_twins twins = {&twin, 1, false};
    struct signing_key key;
    (void)state;
    commit(&facts, R, T0);
    commit(&twin, H, T0);
    make_key(&key, R, T0);
    assert_true(zone_facts_hold(&facts, &twins, true, T0 + 60, &key));
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0 + 60);
    assert_false(zone_facts_has_nothing_of(&facts, &twins, &key));
    zone_facts_clear(&twin);
    commit(&twin, R, T0 + 70);
    make_key(&key, R, T0 + 70);
    assert_false(zone_facts_hold(&facts, &twins, true, T0 + 100, &key));
    zone_facts_clear(&facts);
    zone_facts_clear(&twin);
}

/* ---- several steps at once ---- */

struct signer_row {
    const char *name;
    enum key_state_value committed; /* of the new key; the old one has signed until then */
    enum key_state_value published, signs;
    uint8_t algorithm;
    enum key_state_value old; /* what becomes of it, where its files say that it is gone */
};

static const struct signer_row signer_rows[] = {
    {"nobody knows who signs now: who has signed stays", H, R, R, 13, O},
    {"it is served: the old key may go", R, O, R, 13, H},
    {"it is published, and does not sign: the old key may go", H, R, H, 13, H},
    {"it is of another algorithm", H, R, R, 15, H},
};

static void check_signers(void **state)
{
    const struct signer_row *row = *state;
    struct zone_facts_of_keys facts = {.keys = NULL};
    struct signing_key old;
    struct signing_key new;
    struct signing_key *keys[] = {&old, &new};
    const struct key_list list = {keys, 2};
    bool changed[2] = {false, false};
    make_key(&old, O, T0);
    make_key(&new, row->committed, T0 + 10);
    old.tag = 1;
    old.algorithm = 13;
    new.algorithm = row->algorithm;
    zone_facts_take_plan(&facts, &list, T0 + 10);
    make_key(&old, H, T0 + 500);
    make_key(&new, row->published, T0 + 500);
    old.tag = 1;
    old.algorithm = 13;
    new.algorithm = row->algorithm;
    new.state.records[KEY_RECORD_ZRRSIG] = row->signs;
    zone_facts_keep_signers(&facts, &list, changed);
    assert_int_equal(old.state.records[KEY_RECORD_DNSKEY], row->old);
    assert_int_equal(old.state.records[KEY_RECORD_ZRRSIG], row->old);
    assert_int_equal(old.state.records[KEY_RECORD_KRRSIG], H);
    assert_int_equal(changed[0], row->old == O);
    assert_false(changed[1]);
    zone_facts_clear(&facts);
}

/* ---- publication ---- */

static void a_late_publication_corrects_what_was_planned_then(void **state)
{
    struct zone_facts_of_keys facts = {.keys = NULL};
    struct signing_key old;
    struct signing_key new;
    struct signing_key *keys[] = {&old, &new};
    const struct key_list list = {keys, 2};
    (void)state;
    make_key(&old, O, T0);
    old.tag = 1;
    make_key(&new, R, T0 + 10);
    zone_facts_take_plan(&facts, &list, T0 + 10);
    assert_true(facts.unpublished);
    assert_int_equal(zone_facts_published(&facts, T0 + 70), ZONE_FACTS_LATE);
    assert_int_equal(facts.keys[0].state.changes[KEY_RECORD_DNSKEY], T0);
    assert_int_equal(facts.keys[1].state.changes[KEY_RECORD_DNSKEY], T0 + 70);
    assert_int_equal(facts.keys[1].state.changes[KEY_RECORD_DS], T0 + 10);
    assert_int_equal(zone_facts_published(&facts, T0 + 80), ZONE_FACTS_NO_NEWS);
    /* The look that writes it to the files plans nothing, and is no news again. */
    make_key(&new, R, T0 + 70);
    zone_facts_take_plan(&facts, &list, T0 + 70);
    assert_false(facts.unpublished);
    zone_facts_clear(&facts);
}

static void while_nobody_is_served_nothing_begins(void **state)
{
    static const struct zone_facts_twins nobody = {NULL, 0, false};
    struct zone_facts_of_keys facts = {.keys = NULL};
    struct signing_key key;
    struct signing_key *keys[] = {&key};
    const struct key_list list = {keys, 1};
    (void)state;
    make_key(&key, R, T0);
    zone_facts_take_plan(&facts, &list, T0);
    for (sg_time now = T0 + 100; now < T0 + 1000; now += 100) { /* an expired secondary */
        assert_true(zone_facts_hold(&facts, &nobody, false, now, &key));
        zone_facts_take_plan(&facts, &list, now);
    }
    assert_int_equal(zone_facts_published(&facts, T0 + 2000), ZONE_FACTS_LATE);
    assert_int_equal(facts.keys[0].state.changes[KEY_RECORD_DNSKEY], T0 + 2000);
    zone_facts_clear(&facts);
}

/* ---- signatures ---- */

static void a_whole_signing_ends_the_wait(void **state)
{
    struct zone_facts_of_keys facts;
    struct signing_key key;
    struct signing_key *keys[] = {&key};
    const struct key_list list = {keys, 1};
    struct kasp_key_facts told[1];
    struct kasp_facts for_plan;
    (void)state;
    commit(&facts, U, T0);
    make_key(&key, U, T0);
    zone_facts_begin_campaign(&facts, T0 - 1); /* from before it was withdrawn */
    zone_facts_end_campaign(&facts, T0 + 50);
    (void)zone_facts_published(&facts, T0 + 50);
    zone_facts_for_plan(&facts, &list, told, &for_plan);
    assert_true(told[0].cleared_at == KEY_TIME_UNSET);
    zone_facts_begin_campaign(&facts, T0 + 60);
    zone_facts_end_campaign(&facts, T0 + 90);
    (void)zone_facts_published(&facts, T0 + 95);
    zone_facts_for_plan(&facts, &list, told, &for_plan);
    assert_int_equal(told[0].cleared_at, T0 + 95);
    assert_true(told[0].signed_at == KEY_TIME_UNSET);
    assert_false(zone_facts_may_have_signatures(&facts, &facts.keys[0], 0, T0 + 96));
    zone_facts_clear(&facts);
}

static void a_key_that_goes_in_the_second_of_a_whole_signing_was_not_cleared_by_it(void **state)
{
    struct zone_facts_of_keys facts;
    struct signing_key key;
    struct signing_key *keys[] = {&key};
    const struct key_list list = {keys, 1};
    struct kasp_key_facts told[1];
    struct kasp_facts for_plan;
    (void)state;
    commit(&facts, O, T0);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 100, T0, 0);
    zone_facts_sign_whole(&facts, T0 + 10);
    (void)zone_facts_published(&facts, T0 + 50); /* it took its time */
    make_key(&key, U, T0 + 50);
    zone_facts_take_plan(&facts, &list, T0 + 50);
    (void)zone_facts_published(&facts, T0 + 50);
    zone_facts_for_plan(&facts, &list, told, &for_plan);
    assert_true(told[0].cleared_at == KEY_TIME_UNSET);
    assert_true(zone_facts_may_have_signatures(&facts, &facts.keys[0], 0, T0 + 51));

    zone_facts_begin_campaign(&facts, T0 + 60);
    make_key(&key, O, T0 + 60);
    zone_facts_take_plan(&facts, &list, T0 + 60);
    zone_facts_end_campaign(&facts, T0 + 90);
    assert_int_equal(facts.whole_at, 0);
    zone_facts_clear(&facts);
}

static void signatures_stay_as_long_as_they_really_do(void **state)
{
    struct zone_facts_of_keys facts;
    (void)state;
    commit(&facts, U, T0);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 100, T0, 0);
    assert_true(zone_facts_may_have_signatures(&facts, &facts.keys[0], 0, T0 + 100));
    assert_false(zone_facts_may_have_signatures(&facts, &facts.keys[0], 0, T0 + 101));
    assert_true(zone_facts_may_have_signatures(&facts, &facts.keys[0], 50, T0 + 150));
    zone_facts_clear(&facts);
}

/* The most urgent one may be late by years, where the clock was wrong: it has expired long since.
 */
static void no_signature_stays_longer_than_it_is_valid(void **state)
{
    struct zone_facts_of_keys facts = {.keys = NULL};
    struct kasp_policy *policy = kasp_policy_default();
    const struct zone_high_water *water = &facts.terms[ZONE_TERM_RESIGN];
    (void)state;
    sg_duration ordinary = policy->signatures_validity - policy->signatures_refresh;
    zone_keys_observe(&facts, policy, NULL, 0, T0);
    assert_int_equal(water->longest, ordinary);
    zone_keys_observe(&facts, policy, NULL, SG_HOUR, T0);
    assert_int_equal(water->longest, ordinary + SG_HOUR);
    zone_keys_observe(&facts, policy, NULL, 1000 * SG_DAY, T0);
    assert_int_equal(water->longest, policy->signatures_validity);
    kasp_policy_free(policy);
}

static void a_term_is_remembered_until_no_cache_can_hold_it(void **state)
{
    struct zone_facts_of_keys facts = {.keys = NULL};
    const struct zone_high_water *water = &facts.terms[ZONE_TERM_ZONE_TTL];
    (void)state;
    zone_facts_observe(&facts, ZONE_TERM_ZONE_TTL, 1000, T0, 10);
    zone_facts_observe(&facts, ZONE_TERM_ZONE_TTL, 100, T0 + 50000, 10); /* lowered just now */
    assert_int_equal(water->longest, 1000);
    zone_facts_observe(&facts, ZONE_TERM_ZONE_TTL, 100, T0 + 51010, 10);
    assert_int_equal(water->longest, 1000);
    zone_facts_observe(&facts, ZONE_TERM_ZONE_TTL, 100, T0 + 51011, 10);
    assert_int_equal(water->longest, 100);
}

/* Signatures that were a little late once make a term that is a little longer, and goes first. */
static void a_term_that_is_forgotten_leaves_what_came_after_it(void **state)
{
    struct zone_facts_of_keys facts = {.keys = NULL};
    const struct zone_high_water *water = &facts.terms[ZONE_TERM_RESIGN];
    (void)state;
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 1001, T0, 10);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 1000, T0 + 100, 10);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 100, T0 + 1000, 10); /* another policy */
    assert_int_equal(water->longest, 1001);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 100, T0 + 1112, 10);
    assert_int_equal(water->longest, 1000);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 100, T0 + 2010, 10);
    assert_int_equal(water->longest, 1000);
    zone_facts_observe(&facts, ZONE_TERM_RESIGN, 100, T0 + 2123, 10);
    assert_int_equal(water->longest, 100);
    assert_true(water->is_current);
}

/* ---- the parent ---- */

static void a_sighting_lasts_until_another_one(void **state)
{
    struct zone_facts_of_keys facts;
    struct zone_ds_look look = {4711, 13, KASP_DS_SEEN, T0 + 10, T0 + 20, 3600};
    (void)state;
    commit(&facts, O, T0);
    zone_facts_see(&facts, &look);
    look.last = T0 + 500;
    zone_facts_see(&facts, &look);
    assert_int_equal(facts.keys[0].ds_at, T0 + 10);
    assert_int_equal(facts.keys[0].ds_asked_at, T0 + 500);
    look.first = KEY_TIME_UNSET; /* after a restart */
    look.last = T0 + 510;
    zone_facts_see(&facts, &look);
    assert_int_equal(facts.keys[0].ds_at, T0 + 10);
    look.first = look.last = T0 + 550; /* it was otherwise in between */
    zone_facts_see(&facts, &look);
    assert_int_equal(facts.keys[0].ds_at, T0 + 550);
    look = (struct zone_ds_look){4711, 13, KASP_DS_MISSING, T0 + 600, T0 + 600, 0};
    zone_facts_see(&facts, &look);
    assert_int_equal(facts.keys[0].ds, KASP_DS_MISSING);
    assert_int_equal(facts.keys[0].ds_at, T0 + 600);
    assert_int_equal(facts.terms[ZONE_TERM_DS_TTL].longest, 3600);
    zone_facts_begin_anew(&facts, T0 + 700);
    assert_int_equal(facts.keys[0].ds, KASP_DS_UNKNOWN);
    assert_int_equal(facts.waits_from, T0 + 700);
    zone_facts_clear(&facts);
}

/* ---- bytes ---- */

static void everything_comes_back(void **state)
{
    struct zone_facts_of_keys from;
    struct zone_facts_of_keys to = {.keys = NULL};
    struct buffer bytes = BUFFER_EMPTY;
    (void)state;
    commit(&from, U, T0);
    struct zone_key_fact *fact = &from.keys[0];
    fact->times[KEY_PUBLISH] = T0 - 5;
    fact->times[KEY_SIG_REMOVED] = -17;
    fact->state.has_lifetime = fact->state.has_successor = true;
    fact->state.lifetime = 77;
    fact->state.successor = 99;
    fact->ds = KASP_DS_MISSING;
    fact->ds_asked_at = T0;
    from.waits_from = 3;
    from.whole_begun = 4;
    from.whole_at = 5;
    from.campaign_begun = 6;
    from.unpublished = true;
    from.terms[ZONE_TERM_VALIDITY] = (struct zone_high_water){8, 9, true, 7};
    zone_facts_encode_key(fact, &bytes);
    struct reader reader = reader_of(buffer_span(&bytes));
    assert_true(zone_facts_decode_key(&reader, &to));
    buffer_clear(&bytes);
    zone_facts_encode_rest(&from, &bytes);
    reader = reader_of(buffer_span(&bytes));
    assert_true(zone_facts_decode_rest(&reader, &to));
    assert_true(zone_facts_equal(&from, &to));
    assert_int_equal(to.planned_at, from.planned_at);
    buffer_free(&bytes);
    zone_facts_clear(&from);
    zone_facts_clear(&to);
}

/* It does not tell what was seen since a term was longest: that may have been as long. */
static void a_record_of_an_earlier_release_forgets_nothing_too_early(void **state)
{
    struct zone_facts_of_keys from = {.terms[ZONE_TERM_RESIGN] = {1000, T0, false, 300},
                                      .terms[ZONE_TERM_VALIDITY] = {2000, T0, true, 0}};
    struct zone_facts_of_keys to = {.keys = NULL};
    struct buffer bytes = BUFFER_EMPTY;
    (void)state;
    zone_facts_encode_rest(&from, &bytes);
    struct span old = buffer_span(&bytes);
    old.length -= (size_t)ZONE_TERMS * 8;
    struct reader reader = reader_of(old);
    assert_true(zone_facts_decode_rest(&reader, &to));
    assert_int_equal(to.terms[ZONE_TERM_RESIGN].later, 1000);
    assert_int_equal(to.terms[ZONE_TERM_VALIDITY].later, 0);
    zone_facts_observe(&to, ZONE_TERM_RESIGN, 100, T0 + 1011, 10);
    assert_int_equal(to.terms[ZONE_TERM_RESIGN].longest, 1000);
    zone_facts_observe(&to, ZONE_TERM_RESIGN, 100, T0 + 2022, 10);
    assert_int_equal(to.terms[ZONE_TERM_RESIGN].longest, 100);
    buffer_free(&bytes);
}

static void bytes_that_are_none_are_refused(void **state)
{
    struct zone_facts_of_keys from;
    struct buffer bytes = BUFFER_EMPTY;
    (void)state;
    commit(&from, O, T0);
    zone_facts_encode_key(&from.keys[0], &bytes);
    for (size_t length = 0; length < bytes.length; length++) {
        struct zone_facts_of_keys to = {.keys = NULL};
        struct reader reader = reader_of((struct span){bytes.bytes, length});
        assert_false(zone_facts_decode_key(&reader, &to));
        zone_facts_clear(&to);
    }
    struct zone_facts_of_keys to = {.keys = NULL};
    bytes.bytes[21] = KEY_STATE_NA + 1; /* the goal */
    struct reader reader = reader_of(buffer_span(&bytes));
    assert_false(zone_facts_decode_key(&reader, &to));
    zone_facts_clear(&to);
    zone_facts_clear(&from);
    buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_that_waits_is_made_again_as_it_was),
        cmocka_unit_test(an_edit_beside_a_plan_that_waits_counts),
        cmocka_unit_test(what_begins_in_the_second_of_the_commit_is_not_settled_in_it),
        cmocka_unit_test(what_is_committed_as_in_stays_in_for_the_plan),
        cmocka_unit_test(only_an_edit_tells_a_key_to_leave),
        cmocka_unit_test(a_lost_state_file_is_known_from_the_commit),
        cmocka_unit_test(an_edit_of_goal_and_times_is_taken_from_an_older_file),
        cmocka_unit_test(states_that_are_overruled_are_told),
        cmocka_unit_test(a_key_goes_no_faster_than_the_slowest_twin),
        cmocka_unit_test(a_late_publication_corrects_what_was_planned_then),
        cmocka_unit_test(while_nobody_is_served_nothing_begins),
        cmocka_unit_test(a_whole_signing_ends_the_wait),
        cmocka_unit_test(a_key_that_goes_in_the_second_of_a_whole_signing_was_not_cleared_by_it),
        cmocka_unit_test(signatures_stay_as_long_as_they_really_do),
        cmocka_unit_test(no_signature_stays_longer_than_it_is_valid),
        cmocka_unit_test(a_term_is_remembered_until_no_cache_can_hold_it),
        cmocka_unit_test(a_term_that_is_forgotten_leaves_what_came_after_it),
        cmocka_unit_test(a_sighting_lasts_until_another_one),
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(a_record_of_an_earlier_release_forgets_nothing_too_early),
        cmocka_unit_test(bytes_that_are_none_are_refused),
    };
    return RUN_TABLE(rows, check_row) + RUN_TABLE(signer_rows, check_signers) +
           cmocka_run_group_tests_name("zone_facts", tests, NULL, NULL);
}
