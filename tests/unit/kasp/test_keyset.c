#include "base/mem.h"
#include "kasp/keyset.h"
#include "support/table.h"

#define T0 ((sg_time)1767225600) /* 2026-01-01T00:00:00Z; any instant will do. */

static uint8_t public_key[68] = {1, 1, 3, 13};

static struct signing_key key_of_nothing(uint16_t flags)
{
    struct signing_key key = {.algorithm = 13, .flags = flags, .bits = 256, .tag = 4711};
    public_key[1] = (uint8_t)flags;
    key.dnskey = (struct span){public_key, sizeof(public_key)};
    for (int i = 0; i < KEY_TIMES; i++) {
        key.times[i] = KEY_TIME_UNSET;
    }
    key.state.goal = KEY_STATE_NA;
    for (int i = 0; i < KEY_RECORDS; i++) {
        key.state.records[i] = KEY_STATE_NA;
        key.state.changes[i] = KEY_TIME_UNSET;
    }
    return key;
}

/* Made by a clock that showed 2099, or 1970: what it waits for is counted from now on. */
static void after_a_false_clock_waits_begin_anew(void **state)
{
    (void)state;
    static const sg_duration errors[] = {70 * 365 * SG_DAY, -50 * 365 * SG_DAY};
    struct kasp_policy *policy = kasp_policy_default();
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct signing_key key = key_of_nothing(257);
        key.state.ksk = true;
        key.state.records[KEY_RECORD_DNSKEY] = KEY_STATE_RUMOURED;
        key.state.records[KEY_RECORD_ZRRSIG] = KEY_STATE_OMNIPRESENT;
        key.state.records[KEY_RECORD_DS] = KEY_STATE_HIDDEN;
        key.state.changes[KEY_RECORD_DNSKEY] = T0 + errors[i];
        key.state.changes[KEY_RECORD_ZRRSIG] = T0 + errors[i];
        assert_true(kasp_key_restart(&key, policy, T0));
        assert_false(kasp_key_restart(&key, policy, T0));
        assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], T0);
        assert_int_equal(key.state.changes[KEY_RECORD_ZRRSIG], errors[i] > 0 ? T0 : T0 + errors[i]);
        assert_int_equal(key.times[KEY_SYNC_PUBLISH], T0 + 86700);
    }
    kasp_policy_free(policy);
}

/* The table for keys without a .state file. */
/* clang-format off */
static const struct adopt_case {
    const char *name;
    uint16_t flags;
    bool alone;
    sg_duration publish, activate, sync, inactive, delete; /* before now; -1: not set */
    enum key_state_value goal, dnskey, zrrsig, krrsig, ds;
} adoptions[] = {
#define H KEY_STATE_HIDDEN
#define R KEY_STATE_RUMOURED
#define O KEY_STATE_OMNIPRESENT
#define U KEY_STATE_UNRETENTIVE
#define N KEY_STATE_NA
    {"made for later: all hidden",        257, false, -1, -1, -1, -1, -1,                      H, H, N, H, H},
    {"fresh key-signing key",             257, false, 60, 60, -1, -1, -1,                      O, R, N, R, H},
    {"old key-signing key with DS",       257, false, SG_WEEK, SG_WEEK, SG_WEEK, -1, -1,       O, O, N, O, O},
    {"alone: it signs everything",        257, true,  SG_WEEK, SG_WEEK, -1, -1, -1,            O, O, O, O, H},
    {"old zone-signing key",              256, false, SG_WEEK, SG_WEEK, -1, -1, -1,            O, O, O, N, N},
    {"active, and to be published never", 256, false, -1, 60, -1, -1, -1,                      O, R, R, N, N},
    {"zone-signing key, just inactive",   256, false, SG_WEEK, SG_WEEK, -1, 60, -1,            H, O, U, N, N},
    {"zone-signing key, just deleted",    256, false, SG_WEEK, SG_WEEK, -1, SG_WEEK, 60,       H, U, H, N, N},
    {"deleted long ago",                  256, false, SG_WEEK, SG_WEEK, -1, SG_WEEK, SG_WEEK,  H, H, H, N, N},
};
/* clang-format on */

static sg_time ago(sg_duration before)
{
    return before < 0 ? KEY_TIME_UNSET : T0 - before;
}

static void keys_without_states_get_them_from_their_times(void **state)
{
    const struct adopt_case *c = *state;
    struct kasp_policy *policy = kasp_policy_default();
    struct signing_key key = key_of_nothing(c->flags);
    key.times[KEY_PUBLISH] = ago(c->publish);
    key.times[KEY_ACTIVATE] = ago(c->activate);
    key.times[KEY_SYNC_PUBLISH] = ago(c->sync);
    key.times[KEY_INACTIVE] = ago(c->inactive);
    key.times[KEY_DELETE] = ago(c->delete);

    assert_true(kasp_key_adopt(&key, policy, c->alone, T0));
    assert_int_equal(key.state.goal, c->goal);
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], c->dnskey);
    assert_int_equal(key.state.records[KEY_RECORD_ZRRSIG], c->zrrsig);
    assert_int_equal(key.state.records[KEY_RECORD_KRRSIG], c->krrsig);
    assert_int_equal(key.state.records[KEY_RECORD_DS], c->ds);
    assert_false(kasp_key_adopt(&key, policy, c->alone, T0));
    kasp_policy_free(policy);
}

/* Beside a key-signing key that has been in use for a week. */
static const struct beside_case {
    const char *name;
    uint8_t algorithm;
    uint16_t flags;
    sg_duration active, deleted;
    bool alone;
} beside[] = {
    {"a zone-signing key", 13, 256, SG_WEEK, -1, false},
    {"one of another algorithm", 8, 256, SG_WEEK, -1, true},
    {"one that is deleted", 13, 256, 4 * SG_WEEK, 2 * SG_WEEK, true},
    {"one that was made for later", 13, 256, -1, -1, true},
    {"another key that signs everything", 13, 257, SG_WEEK, -1, true},
    {"a key of the same kind that is deleted", 13, 257, 4 * SG_WEEK, 2 * SG_WEEK, true},
};

static void files_of_keys_out_of_use_do_not_count(void **state)
{
    const struct beside_case *c = *state;
    struct kasp_policy *policy = kasp_policy_default();
    struct signing_key key = key_of_nothing(257);
    struct signing_key other = key_of_nothing(c->flags);
    struct signing_key *keys[] = {&other, &key};
    const struct key_list list = {keys, ARRAY_LEN(keys)};
    key.times[KEY_PUBLISH] = key.times[KEY_ACTIVATE] = T0 - SG_WEEK;
    other.algorithm = c->algorithm;
    other.times[KEY_ACTIVATE] = ago(c->active);
    other.times[KEY_DELETE] = ago(c->deleted);
    assert_int_equal(kasp_key_is_alone(&list, 1, policy, T0), c->alone);
    /* Once states tell, they count, and roles with them. */
    (void)kasp_key_adopt(&other, policy, false, T0);
    assert_int_equal(kasp_key_is_alone(&list, 1, policy, T0), c->alone);
    kasp_policy_free(policy);
}

static void only_a_key_of_size_role_and_tag_range_fits(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct signing_key key = key_of_nothing(257);
    struct kasp_key wanted = policy->keys[0];
    kasp_key_adopt(&key, policy, true, T0);

    assert_true(kasp_key_matches(&wanted, &key));
    wanted.role = KASP_ROLE_KSK;
    assert_false(kasp_key_matches(&wanted, &key));
    wanted = policy->keys[0];
    wanted.bits = 384;
    assert_false(kasp_key_matches(&wanted, &key));
    wanted = policy->keys[0];
    wanted.tag_max = 4710;
    assert_false(kasp_key_matches(&wanted, &key));
    kasp_policy_free(policy);
}

static void a_revoked_key_has_no_ds_and_no_place_in_the_policy(void **state)
{
    (void)state;
    struct kasp_policy *policy = kasp_policy_default();
    struct signing_key key = key_of_nothing(257 | KEY_FLAG_REVOKE);
    key.times[KEY_PUBLISH] = key.times[KEY_ACTIVATE] = T0 - SG_WEEK;
    kasp_key_adopt(&key, policy, true, T0);

    assert_true(kasp_key_is_over(&key, T0));
    assert_false(kasp_key_matches(&policy->keys[0], &key));
    assert_int_equal(key.state.records[KEY_RECORD_DS], KEY_STATE_HIDDEN);
    assert_true(kasp_key_signs_keys(&key)); /* A revocation counts when the key itself signs it. */
    key.state.records[KEY_RECORD_DS] = KEY_STATE_OMNIPRESENT;
    assert_false(kasp_key_wants_ds(&key));
    kasp_policy_free(policy);
}

static void a_key_is_over_by_its_times(void **state)
{
    (void)state;
    struct signing_key key = key_of_nothing(257);
    assert_false(kasp_key_is_over(&key, T0));
    key.times[KEY_INACTIVE] = key.times[KEY_DELETE] = T0 + 1;
    assert_false(kasp_key_is_over(&key, T0));
    key.times[KEY_DELETE] = T0;
    assert_true(kasp_key_is_over(&key, T0));
    key.times[KEY_DELETE] = KEY_TIME_UNSET;
    assert_true(kasp_key_is_over(&key, T0 + 1));
}

/* Two zone-signing keys, of what has become of each; where a DS is told, the second is its key. */
/* clang-format off */
static const struct signer_case {
    const char *name;
    uint8_t algorithms[2];
    enum key_state_value goals[2], dnskeys[2], before[2], after[2]; /* the last two: ZRRSIG */
    enum key_state_value ds;
} signers[] = {
    {"published alone",        {13, 13}, {O, H}, {O, H}, {H, H}, {R, H}, H},
    {"just published",         {13, 13}, {O, H}, {R, H}, {H, H}, {R, H}, H},
    {"another one signs",      {13, 13}, {O, O}, {O, O}, {H, O}, {H, O}, H},
    {"it signs elsewhere",     {13, 14}, {O, O}, {O, O}, {H, O}, {R, O}, H},
    {"the other one is going", {13, 13}, {O, H}, {O, O}, {H, U}, {R, U}, H},
    {"one of two is enough",   {13, 13}, {O, O}, {O, O}, {H, H}, {R, H}, H},
    {"not in the zone",        {13, 13}, {O, O}, {H, H}, {H, H}, {H, H}, H},
    {"on its way out",         {13, 13}, {H, H}, {O, O}, {H, H}, {H, H}, H},
    {"new below a DS",         {13, 13}, {O, O}, {R, O}, {H, H}, {H, H}, O},
    {"known below a DS",       {13, 13}, {O, O}, {O, O}, {H, H}, {R, H}, U},
};
/* clang-format on */

static void a_published_key_signs_where_no_other_does(void **state)
{
    const struct signer_case *c = *state;
    struct signing_key pair[2];
    struct signing_key *keys[] = {&pair[0], &pair[1]};
    struct key_list list = {keys, 2};
    bool changed[2] = {false, false};
    for (int i = 0; i < 2; i++) {
        pair[i] = key_of_nothing(256);
        pair[i].algorithm = c->algorithms[i];
        pair[i].state.zsk = true;
        pair[i].state.goal = c->goals[i];
        pair[i].state.records[KEY_RECORD_DNSKEY] = c->dnskeys[i];
        pair[i].state.records[KEY_RECORD_ZRRSIG] = c->before[i];
        pair[i].times[KEY_ACTIVATE] = i == 0 ? KEY_TIME_UNSET : T0 + 1;
    }
    if (c->ds != KEY_STATE_HIDDEN) {
        pair[1].state.zsk = false;
        pair[1].state.records[KEY_RECORD_DS] = c->ds;
    }
    kasp_keys_appoint_signers(&list, T0, changed);
    for (int i = 0; i < 2; i++) {
        bool appointed = c->before[i] != c->after[i];
        assert_int_equal(pair[i].state.records[KEY_RECORD_ZRRSIG], c->after[i]);
        assert_int_equal(changed[i], appointed);
        assert_int_equal(pair[i].times[KEY_ACTIVATE], appointed ? T0
                                                      : i == 0  ? KEY_TIME_UNSET
                                                                : T0 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_false_clock_waits_begin_anew),
        cmocka_unit_test(a_revoked_key_has_no_ds_and_no_place_in_the_policy),
        cmocka_unit_test(a_key_is_over_by_its_times),
        cmocka_unit_test(only_a_key_of_size_role_and_tag_range_fits),
    };
    return RUN_TABLE(adoptions, keys_without_states_get_them_from_their_times) +
           RUN_TABLE(beside, files_of_keys_out_of_use_do_not_count) +
           RUN_TABLE(signers, a_published_key_signs_where_no_other_does) +
           cmocka_run_group_tests_name("keyset", tests, NULL, NULL);
}
