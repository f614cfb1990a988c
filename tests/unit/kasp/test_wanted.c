/* Which keys come, go, follow, return and are purged; the moves are test_plan's. */
#include "kasp/key_world.h"

#define T0 ((sg_time)1767225600)

struct stage {
    struct world world;
    struct kasp_policy *policy;
};

static void set_keys(struct kasp_policy *policy, const char *roles, uint32_t lifetime)
{
    policy->keys_count = 0;
    policy->insecure = *roles == 0;
    for (; *roles != 0; roles++) {
        policy->keys[policy->keys_count++] = (struct kasp_key){
            .role = *roles == 'c'   ? KASP_ROLE_CSK
                    : *roles == 'k' ? KASP_ROLE_KSK
                                    : KASP_ROLE_ZSK,
            .lifetime = lifetime,
            .algorithm = 13,
            .bits = 256,
            .tag_max = UINT16_MAX,
        };
    }
}

static void run(struct stage *stage, sg_time from, sg_time until)
{
    for (sg_time now = from; now < until;) {
        sg_time wake = world_turn(&stage->world, now);
        now = world_parent_obeys(&stage->world, now) ? now : wake;
    }
}

static struct stage *stage_open(const char *roles, uint32_t lifetime)
{
    struct stage *stage = mem_alloc(sizeof(*stage));
    stage->policy = kasp_policy_default();
    set_keys(stage->policy, roles, lifetime);
    world_begin(&stage->world, stage->policy);
    return stage;
}

/* The keys are settled, and it is 20 days after T0. */
static struct stage *stage_open_settled(const char *roles, uint32_t lifetime)
{
    struct stage *stage = stage_open(roles, lifetime);
    run(stage, T0, T0 + 20 * SG_DAY);
    return stage;
}

static void stage_close(struct stage *stage)
{
    world_end(&stage->world);
    kasp_policy_free(stage->policy);
    mem_free(stage);
}

#define NOW (T0 + 20 * SG_DAY)

static struct signing_key *key_of(struct stage *stage, size_t number)
{
    return &stage->world.made[number]->key;
}

static enum kasp_reason reason_of(const struct stage *stage, size_t index)
{
    return stage->world.plan.keys[index].wait.reason;
}

static void a_key_made_in_advance_is_taken_before_one_is_made(void **state)
{
    (void)state;
    struct stage *stage = stage_open("c", 0);
    const struct signing_key *stock =
        world_make_key(&stage->world, &stage->policy->keys[0], T0 - SG_DAY);
    (void)world_turn(&stage->world, T0);
    assert_int_equal(stage->world.made_count, 1);
    assert_true(kasp_key_is_published(stock));
    assert_int_equal(stock->times[KEY_CREATED], T0 - SG_DAY);
    assert_int_equal(stock->times[KEY_PUBLISH], T0);
    assert_int_equal(stock->times[KEY_SYNC_PUBLISH], T0 + 86700);
    stage_close(stage);
}

static void a_plan_that_was_carried_out_is_empty(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("kz", 0);
    struct kasp_plan *plan = &stage->world.plan;
    assert_int_equal(kasp_plan(stage->policy, &stage->world.list, &stage->world.facts, NOW, plan),
                     SG_OK);
    assert_int_equal(plan->makes_count, 0);
    assert_int_equal(plan->wake_at, INT64_MAX);
    for (size_t i = 0; i < plan->count; i++) {
        assert_false(plan->keys[i].changed || plan->keys[i].purge);
        assert_int_equal(plan->keys[i].wait.reason, KASP_WAIT_NONE);
    }
    stage_close(stage);
}

static void a_successor_has_links_and_times(void **state)
{
    (void)state;
    struct stage *stage = stage_open("kz", (uint32_t)(90 * SG_DAY));
    sg_time end = T0 + 90 * SG_DAY;
    run(stage, T0, end - 7500 + 1);
    const struct signing_key *old = key_of(stage, 1);
    const struct signing_key *new = key_of(stage, 3);
    assert_int_equal(stage->world.made_count, 4);
    assert_int_equal(old->times[KEY_INACTIVE], end);
    assert_int_equal(old->times[KEY_DELETE], end + 867900);
    assert_true(old->state.has_successor && old->state.successor == new->tag);
    assert_true(new->state.has_predecessor &&new->state.predecessor == old->tag);
    assert_int_equal(new->times[KEY_PUBLISH], end - 7500);
    assert_int_equal(new->times[KEY_ACTIVATE], end);
    assert_int_equal(new->times[KEY_INACTIVE], end + 90 * SG_DAY);
    assert_int_equal(old->state.goal, KEY_STATE_HIDDEN);
    stage_close(stage);
}

static void no_roll_starts_before_the_ds_is_in_place(void **state)
{
    (void)state;
    struct stage *stage = stage_open("kz", (uint32_t)(60 * SG_DAY));
    sg_time wake = T0;
    for (sg_time now = T0; now < T0 + 70 * SG_DAY; now = wake) {
        wake = world_turn(&stage->world, now);
        wake = wake > now + SG_DAY ? now + SG_DAY : wake;
    }
    assert_int_equal(stage->world.made_count, 2);
    assert_int_equal(reason_of(stage, 1), KASP_WAIT_CHAIN);
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_PARENT);
    assert_int_equal(stage->world.plan.keys[0].asks, KASP_DS_SEEN);
    run(stage, T0 + 70 * SG_DAY, T0 + 73 * SG_DAY);
    assert_int_equal(stage->world.made_count, 4);
    stage_close(stage);
}

static void an_edited_lifetime_is_the_keys_at_once(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    stage->policy->keys[0].lifetime = (uint32_t)(50 * SG_DAY);
    assert_int_equal(world_turn(&stage->world, NOW), T0 + 50 * SG_DAY - 7500);
    assert_int_equal(key_of(stage, 0)->times[KEY_INACTIVE], T0 + 50 * SG_DAY);
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_ROLL);
    stage->policy->keys[0].lifetime = KASP_LIFETIME_UNLIMITED;
    assert_int_equal(world_turn(&stage->world, NOW + 1), INT64_MAX);
    assert_int_equal(key_of(stage, 0)->times[KEY_INACTIVE], KEY_TIME_UNSET);
    stage_close(stage);
}

static void an_edit_that_is_taken_back_brings_the_key_back(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    set_keys(stage->policy, "kz", 0);
    run(stage, NOW, NOW + SG_DAY);
    assert_int_equal(key_of(stage, 0)->state.goal, KEY_STATE_HIDDEN);
    assert_int_equal(stage->world.made_count, 3);
    set_keys(stage->policy, "c", 0);
    run(stage, NOW + SG_DAY, NOW + 100 * SG_DAY);
    assert_int_equal(stage->world.made_count, 3);
    for (int record = 0; record < KEY_RECORDS; record++) {
        assert_int_equal(key_of(stage, 0)->state.records[record], KEY_STATE_OMNIPRESENT);
    }
    assert_int_equal(key_of(stage, 1)->state.records[KEY_RECORD_DNSKEY], KEY_STATE_HIDDEN);
    stage_close(stage);
}

static void a_zone_that_comes_back_from_insecure_keeps_its_key(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    set_keys(stage->policy, "", 0);
    (void)world_turn(&stage->world, NOW);
    assert_true(stage->world.plan.publishes_delete);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_UNRETENTIVE);
    assert_int_equal(stage->world.plan.keys[0].asks, KASP_DS_MISSING);
    set_keys(stage->policy, "c", 0);
    (void)world_turn(&stage->world, NOW + SG_HOUR);
    assert_false(stage->world.plan.publishes_delete);
    assert_int_equal(stage->world.made_count, 1);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_RUMOURED);
    assert_int_equal(key_of(stage, 0)->times[KEY_DS_PUBLISH], KEY_TIME_UNSET);
    stage_close(stage);
}

/* On its first day nothing of it was asked of the parent: who knows what is there? */
static void a_key_of_the_first_day_leaves_when_the_parent_is_known_to_have_no_ds(void **state)
{
    (void)state;
    struct stage *stage = stage_open("c", 0);
    struct signing_key *key = NULL;
    (void)world_turn(&stage->world, T0);
    set_keys(stage->policy, "", 0);
    (void)world_turn(&stage->world, T0 + SG_DAY);
    key = key_of(stage, 0);
    assert_int_equal(key->state.goal, KEY_STATE_HIDDEN);
    assert_int_equal(key->state.records[KEY_RECORD_DS], KEY_STATE_UNRETENTIVE);
    assert_true(kasp_key_is_published(key) && kasp_key_signs_zone(key));
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_NO_DS);
    assert_int_equal(stage->world.plan.keys[0].asks, KASP_DS_MISSING);
    /* It stays as long as nobody says anything. */
    assert_int_equal(world_turn(&stage->world, T0 + 400 * SG_DAY), INT64_MAX);
    assert_true(kasp_key_is_published(key));
    assert_int_equal(kasp_note_ds(key, KASP_DS_MISSING, T0 + 400 * SG_DAY), SG_OK);
    assert_int_equal(world_turn(&stage->world, T0 + 400 * SG_DAY), T0 + 400 * SG_DAY + 90000);
    assert_true(kasp_key_is_published(key));
    (void)world_turn(&stage->world, T0 + 400 * SG_DAY + 90000);
    assert_false(kasp_key_is_published(key) || kasp_key_signs_zone(key));
    assert_int_equal(key->state.records[KEY_RECORD_DS], KEY_STATE_HIDDEN);
    stage_close(stage);
}

/* One that is wanted again has its first DS asked for when the zone is signed everywhere. */
static void a_key_of_the_first_day_that_comes_back_has_its_ds_in_time(void **state)
{
    (void)state;
    struct stage *stage = stage_open("c", 0);
    (void)world_turn(&stage->world, T0);
    set_keys(stage->policy, "", 0);
    (void)world_turn(&stage->world, T0 + 7500);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_UNRETENTIVE);
    set_keys(stage->policy, "c", 0);
    (void)world_turn(&stage->world, T0 + 8000);
    assert_int_equal(stage->world.made_count, 1);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_UNRETENTIVE);
    (void)world_turn(&stage->world, T0 + 86700);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_RUMOURED);
    stage_close(stage);
}

/* No DS leads to it (RFC 5011), whoever has submitted one. */
static void a_revoked_key_waits_for_no_parent(void **state)
{
    (void)state;
    struct stage *stage = stage_open("c", 0);
    (void)world_turn(&stage->world, T0);
    key_of(stage, 0)->flags |= KEY_FLAG_REVOKE;
    set_keys(stage->policy, "", 0);
    (void)world_turn(&stage->world, T0 + SG_DAY);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_HIDDEN);
    assert_false(kasp_key_is_published(key_of(stage, 0)));
    stage_close(stage);
}

static void a_key_outside_the_tag_range_is_replaced(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    uint16_t tag = key_of(stage, 0)->tag;
    stage->policy->keys[0].tag_min = tag < 30000 ? 30001 : 0;
    stage->policy->keys[0].tag_max = tag < 30000 ? UINT16_MAX : 29999;
    (void)world_turn(&stage->world, NOW);
    assert_int_equal(stage->world.made_count, 2);
    assert_int_equal(key_of(stage, 0)->state.goal, KEY_STATE_HIDDEN);
    assert_true(kasp_key_matches(&stage->policy->keys[0], key_of(stage, 1)));
    stage_close(stage);
}

static void by_hand_nothing_begins_without_a_step(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    stage->policy->manual_mode = true;
    assert_int_equal(kasp_roll_key(stage->policy, key_of(stage, 0), NOW), SG_OK);
    (void)world_turn(&stage->world, NOW);
    assert_int_equal(stage->world.made_count, 1);
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_MANUAL);
    assert_true(stage->world.plan.manual);
    stage->world.facts.step = true;
    (void)world_turn(&stage->world, NOW);
    stage->world.facts.step = false;
    assert_int_equal(stage->world.made_count, 2);
    assert_int_equal(key_of(stage, 1)->state.records[KEY_RECORD_DNSKEY], KEY_STATE_RUMOURED);
    /* Time passes, but the swap waits. */
    run(stage, NOW, NOW + SG_DAY);
    assert_int_equal(key_of(stage, 1)->state.records[KEY_RECORD_DNSKEY], KEY_STATE_OMNIPRESENT);
    assert_int_equal(key_of(stage, 1)->state.records[KEY_RECORD_DS], KEY_STATE_HIDDEN);
    assert_int_equal(reason_of(stage, 1), KASP_WAIT_MANUAL);
    stage_close(stage);
}

/* There is nothing that could break, and no zone yet to order a step for. */
static void by_hand_the_first_keys_begin_by_themselves(void **state)
{
    (void)state;
    struct stage *stage = stage_open("kz", 0);
    stage->policy->manual_mode = true;
    stage->world.makes_slowly = true;
    (void)world_turn(&stage->world, T0);
    (void)world_turn(&stage->world, T0 + 1);
    assert_int_equal(stage->world.made_count, 2);
    assert_true(kasp_key_signs_keys(key_of(stage, 0)) && kasp_key_signs_zone(key_of(stage, 1)));
    /* From then on all that begins waits for a step: first the DS. */
    (void)world_turn(&stage->world, T0 + SG_WEEK);
    assert_int_equal(key_of(stage, 0)->state.records[KEY_RECORD_DS], KEY_STATE_HIDDEN);
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_MANUAL);
    assert_true(stage->world.plan.manual);
    stage_close(stage);
}

static void no_key_is_made_or_leaves_while_files_are_missing(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    stage->world.facts.files_missing = true;
    set_keys(stage->policy, "kz", 0);
    (void)world_turn(&stage->world, NOW);
    assert_int_equal(stage->world.made_count, 1);
    assert_int_equal(key_of(stage, 0)->state.goal, KEY_STATE_OMNIPRESENT);
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_FILES);
    stage_close(stage);
}

static void with_a_suspect_clock_nothing_moves(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("c", 0);
    set_keys(stage->policy, "kz", 0);
    stage->world.facts.clock_suspect = true;
    (void)world_turn(&stage->world, NOW + 1000 * SG_DAY);
    stage->world.facts.clock_suspect = false;
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_CLOCK);
    (void)world_turn(&stage->world, T0 + SG_HOUR); /* before the last change */
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_CLOCK);
    assert_true(stage->world.plan.wake_at > T0 + SG_HOUR);
    assert_int_equal(stage->world.made_count, 1);
    stage_close(stage);
}

/* The last look came before; the parent may have brought the DS since. */
static void a_clock_that_ran_back_makes_no_old_look_new(void **state)
{
    (void)state;
    struct stage *stage = stage_open("c", 0);
    struct kasp_key_facts *facts = &stage->world.key_facts[0];
    const struct signing_key *key;
    for (sg_time now = T0; now <= T0 + 86700;) {
        now = world_turn(&stage->world, now);
    }
    key = key_of(stage, 0);
    assert_int_equal(key->state.records[KEY_RECORD_DS], KEY_STATE_RUMOURED);
    facts->ds = KASP_DS_MISSING;
    facts->ds_at = facts->ds_asked_at = T0 + 90000;
    sg_time wake = world_turn(&stage->world, T0 + 89000);
    assert_int_equal(reason_of(stage, 0), KASP_WAIT_CLOCK);
    set_keys(stage->policy, "", 0);
    stage->policy->insecure = true;
    (void)world_turn(&stage->world, wake);
    assert_int_equal(key->state.records[KEY_RECORD_DS], KEY_STATE_UNRETENTIVE);
    (void)world_turn(&stage->world, wake + 1);
    assert_int_equal(key->times[KEY_DS_REMOVED], KEY_TIME_UNSET);
    stage_close(stage);
}

static void a_key_that_is_gone_is_purged_in_time(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("kz", 0);
    assert_int_equal(kasp_roll_key(stage->policy, key_of(stage, 1), NOW), SG_OK);
    sg_time gone = NOW + 879300;
    run(stage, NOW, gone + 1);
    assert_int_equal(reason_of(stage, 1), KASP_WAIT_PURGE);
    assert_int_equal(stage->world.plan.wake_at, gone + 90 * SG_DAY);
    assert_int_equal(stage->world.list.count, 3);
    (void)world_turn(&stage->world, gone + 90 * SG_DAY);
    assert_int_equal(stage->world.list.count, 2);
    stage_close(stage);
}

static void without_a_purge_delay_files_stay(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("kz", 0);
    stage->policy->purge_keys = 0;
    assert_int_equal(kasp_roll_key(stage->policy, key_of(stage, 1), NOW), SG_OK);
    run(stage, NOW, NOW + 1000 * SG_DAY);
    assert_int_equal(stage->world.list.count, 3);
    stage_close(stage);
}

static void a_changed_ttl_is_written_and_the_longer_one_waited_for(void **state)
{
    (void)state;
    struct stage *stage = stage_open_settled("kz", 0);
    stage->policy->dnskey_ttl = (uint32_t)SG_MINUTE;
    stage->world.facts.observed.dnskey_ttl = SG_HOUR;
    (void)world_turn(&stage->world, NOW);
    assert_int_equal(key_of(stage, 0)->ttl, SG_MINUTE);
    assert_int_equal(kasp_roll_key(stage->policy, key_of(stage, 1), NOW - SG_DAY), SG_OK);
    assert_int_equal(world_turn(&stage->world, NOW), NOW + 7500);
    stage_close(stage);
}

static void more_keys_than_can_be_planned_are_refused(void **state)
{
    (void)state;
    struct stage *stage = stage_open("c", 0);
    struct signing_key *keys[KASP_PLAN_KEYS_MAX + 1] = {NULL};
    const struct key_list list = {keys, KASP_PLAN_KEYS_MAX + 1};
    assert_int_equal(kasp_plan(stage->policy, &list, &stage->world.facts, T0, &stage->world.plan),
                     SG_LIMIT);
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_made_in_advance_is_taken_before_one_is_made),
        cmocka_unit_test(a_plan_that_was_carried_out_is_empty),
        cmocka_unit_test(a_successor_has_links_and_times),
        cmocka_unit_test(no_roll_starts_before_the_ds_is_in_place),
        cmocka_unit_test(an_edited_lifetime_is_the_keys_at_once),
        cmocka_unit_test(an_edit_that_is_taken_back_brings_the_key_back),
        cmocka_unit_test(a_zone_that_comes_back_from_insecure_keeps_its_key),
        cmocka_unit_test(a_key_of_the_first_day_leaves_when_the_parent_is_known_to_have_no_ds),
        cmocka_unit_test(a_key_of_the_first_day_that_comes_back_has_its_ds_in_time),
        cmocka_unit_test(a_revoked_key_waits_for_no_parent),
        cmocka_unit_test(a_key_outside_the_tag_range_is_replaced),
        cmocka_unit_test(by_hand_nothing_begins_without_a_step),
        cmocka_unit_test(by_hand_the_first_keys_begin_by_themselves),
        cmocka_unit_test(no_key_is_made_or_leaves_while_files_are_missing),
        cmocka_unit_test(with_a_suspect_clock_nothing_moves),
        cmocka_unit_test(a_clock_that_ran_back_makes_no_old_look_new),
        cmocka_unit_test(a_key_that_is_gone_is_purged_in_time),
        cmocka_unit_test(without_a_purge_delay_files_stay),
        cmocka_unit_test(a_changed_ttl_is_written_and_the_longer_one_waited_for),
        cmocka_unit_test(more_keys_than_can_be_planned_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
