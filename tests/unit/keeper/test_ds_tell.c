#include "base/mem.h"
#include "keeper/ds_tell.h"
#include "support/table.h"

enum { T0 = 1700000000, RETRY_MIN = 60, RETRY_MAX = 3600 };
static const struct ds_tell_bounds bounds = {.retry_min = RETRY_MIN, .retry_max = RETRY_MAX};
static const uint8_t digests[] = {2, 4};

static struct signing_key keys[2];
static uint8_t dnskeys[2][68];
static sg_time now;
static bool corrected;

static struct ds_tell *begin(void)
{
    now = T0;
    for (size_t i = 0; i < 2; i++) {
        memset(dnskeys[i], (int)i + 1, sizeof(dnskeys[i]));
        dnskeys[i][0] = dnskeys[i][1] = 1, dnskeys[i][2] = 3, dnskeys[i][3] = 13;
        signing_key_init(&keys[i]);
        assert_int_equal(dns_name_from_text("a.", 2, NULL, &keys[i].zone), SG_OK);
        keys[i].algorithm = 13;
        keys[i].dnskey = (struct span){dnskeys[i], sizeof(dnskeys[i])};
        keys[i].tag = dnskey_tag(keys[i].dnskey);
    }
    return ds_tell_new(&bounds);
}

/* A key comes, the other goes; `since` is of both. */
static void want_roll(struct ds_tell *tell, sg_time since)
{
    const struct ds_check_wish wishes[] = {
        {&keys[0], DS_CHECK_WITHDRAWN, since, false, false},
        {&keys[1], DS_CHECK_PUBLISHED, since, false, false},
    };
    corrected = ds_tell_set_wishes(tell, wishes, 2, digests, 2, now);
}

/* Which of the keys are being told: bits. */
static unsigned telling(const struct ds_tell *tell, enum ds_tell_way way)
{
    size_t count;
    unsigned bits = 0;
    const struct ds_tell_item *items = ds_tell_items(tell, &count);
    for (size_t i = 0; i < count; i++) {
        /* What goes, goes with every digest that somebody may have put there. */
        assert_int_equal(items[i].ds_count, items[i].want == DS_CHECK_WITHDRAWN ? 3 : 2);
        assert_int_equal(items[i].dnskey.length, sizeof(dnskeys[0]));
        for (unsigned key = 0; key < 2; key++) {
            bits |= items[i].telling[way] && items[i].tag == keys[key].tag ? 1U << key : 0;
        }
    }
    return bits;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void a_command_submits_first_and_withdraws_when_nothing_is_to_come(void **state)
{
    struct ds_tell *tell = begin();
    (void)state;
    want_roll(tell, T0);
    assert_int_equal(ds_tell_wake(tell, DS_TELL_COMMAND, false), T0);
    assert_true(ds_tell_turn(tell, DS_TELL_COMMAND, false, now));
    assert_int_equal(telling(tell, DS_TELL_COMMAND), 2);
    assert_false(ds_tell_turn(tell, DS_TELL_COMMAND, false, now));
    assert_true(ds_tell_ended(tell, DS_TELL_COMMAND, true, now));
    assert_false(ds_tell_turn(tell, DS_TELL_COMMAND, false, now + SG_DAY));
    assert_true(ds_tell_wake(tell, DS_TELL_COMMAND, false) == INT64_MAX);
    assert_true(ds_tell_turn(tell, DS_TELL_COMMAND, true, now));
    assert_int_equal(telling(tell, DS_TELL_COMMAND), 1);
    assert_true(ds_tell_ended(tell, DS_TELL_COMMAND, true, now));
    assert_false(ds_tell_turn(tell, DS_TELL_COMMAND, true, now + SG_DAY));
    want_roll(tell, T0); /* the same: known */
    assert_false(ds_tell_turn(tell, DS_TELL_COMMAND, true, now));
    ds_tell_free(tell);
}

static void an_update_has_both_in_one(void **state)
{
    struct ds_tell *tell = begin();
    (void)state;
    want_roll(tell, T0);
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
    assert_int_equal(telling(tell, DS_TELL_PUSH), 3);
    assert_true(ds_tell_turn(tell, DS_TELL_COMMAND, false, now)); /* the ways do not meet */
    assert_true(ds_tell_ended(tell, DS_TELL_PUSH, true, now));
    assert_false(ds_tell_turn(tell, DS_TELL_PUSH, true, now));
    assert_int_equal(telling(tell, DS_TELL_COMMAND), 2);
    ds_tell_free(tell);
}

static void what_fails_is_told_again_after_a_wait_that_grows(void **state)
{
    struct ds_tell *tell = begin();
    sg_duration wait = RETRY_MIN;
    (void)state;
    want_roll(tell, T0);
    for (int i = 0; i < 9; i++) {
        assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
        assert_false(ds_tell_ended(tell, DS_TELL_PUSH, false, now));
        assert_int_equal(ds_tell_wake(tell, DS_TELL_PUSH, false), now + wait);
        assert_false(ds_tell_turn(tell, DS_TELL_PUSH, false, now + wait - 1));
        now += wait;
        wait = 2 * wait < RETRY_MAX ? 2 * wait : RETRY_MAX;
    }
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
    ds_tell_postpone(tell, DS_TELL_PUSH, now + 5);
    assert_int_equal(telling(tell, DS_TELL_PUSH), 0);
    assert_int_equal(ds_tell_wake(tell, DS_TELL_PUSH, false), now + 5);
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now + 5));
    assert_false(ds_tell_ended(tell, DS_TELL_PUSH, false, now + 5));
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now - SG_DAY)); /* the clock was set back */
    ds_tell_free(tell);
}

static void a_restart_repeats_what_failed_alone(void **state)
{
    struct ds_tell *tell = begin();
    struct buffer bytes = BUFFER_EMPTY;
    (void)state;
    want_roll(tell, T0);
    assert_true(ds_tell_turn(tell, DS_TELL_COMMAND, false, now));
    assert_true(ds_tell_ended(tell, DS_TELL_COMMAND, true, now));
    ds_tell_encode(tell, &bytes);
    ds_tell_free(tell);
    for (size_t cut = 0; cut <= bytes.length; cut++) {
        tell = begin();
        ds_tell_restore(tell, (struct span){bytes.bytes, cut});
        want_roll(tell, T0);
        assert_int_equal(ds_tell_turn(tell, DS_TELL_COMMAND, false, now), cut < bytes.length);
        assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
        ds_tell_free(tell);
    }
    tell = begin();
    ds_tell_restore(tell, buffer_span(&bytes));
    want_roll(tell, T0 + 1); /* wanted anew since */
    assert_true(ds_tell_turn(tell, DS_TELL_COMMAND, false, now));
    assert_int_equal(telling(tell, DS_TELL_COMMAND), 2);
    ds_tell_free(tell);
    buffer_free(&bytes);
}

static void a_wish_that_is_corrected_is_the_same(void **state)
{
    struct ds_tell *tell = begin();
    struct buffer bytes = BUFFER_EMPTY;
    (void)state;
    want_roll(tell, T0);
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
    want_roll(tell, T0 + 3); /* while it is being told */
    assert_false(corrected);
    assert_true(ds_tell_ended(tell, DS_TELL_PUSH, true, now));
    want_roll(tell, T0 + 7);
    assert_true(corrected);
    assert_false(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
    ds_tell_encode(tell, &bytes);
    ds_tell_free(tell);
    tell = begin();
    ds_tell_restore(tell, buffer_span(&bytes));
    want_roll(tell, T0 + 7);
    assert_false(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
    (void)ds_tell_set_wishes(tell, NULL, 0, digests, 2, now); /* it was done, */
    want_roll(tell, T0 + 9);                                  /* and undone */
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, false, now));
    ds_tell_free(tell);
    buffer_free(&bytes);
}

static void bytes_that_are_none_of_ours_are_nothing(void **state)
{
    uint8_t bytes[13 * 100];
    struct ds_tell *tell = begin();
    (void)state;
    for (int fill = 0; fill < 256; fill++) {
        memset(bytes, fill, sizeof(bytes));
        ds_tell_restore(tell, (struct span){bytes, sizeof(bytes)});
    }
    want_roll(tell, T0);
    assert_true(ds_tell_turn(tell, DS_TELL_COMMAND, false, now));
    ds_tell_free(tell);
}

static void what_was_noted_is_not_told(void **state)
{
    struct ds_tell *tell = begin();
    const struct ds_check_wish wish = {&keys[0], DS_CHECK_PUBLISHED, T0, true, false};
    (void)state;
    (void)ds_tell_set_wishes(tell, &wish, 1, digests, 2, now);
    assert_false(ds_tell_turn(tell, DS_TELL_PUSH, true, now));
    want_roll(tell, T0);
    assert_true(ds_tell_turn(tell, DS_TELL_PUSH, true, now));
    (void)ds_tell_set_wishes(tell, NULL, 0, digests, 2, now); /* while it is being told */
    assert_false(ds_tell_ended(tell, DS_TELL_PUSH, true, now));
    ds_tell_free(tell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_submits_first_and_withdraws_when_nothing_is_to_come),
        cmocka_unit_test(an_update_has_both_in_one),
        cmocka_unit_test(what_fails_is_told_again_after_a_wait_that_grows),
        cmocka_unit_test(a_restart_repeats_what_failed_alone),
        cmocka_unit_test(a_wish_that_is_corrected_is_the_same),
        cmocka_unit_test(bytes_that_are_none_of_ours_are_nothing),
        cmocka_unit_test(what_was_noted_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
