#include "keeper/clock_guard.h"
#include "support/table.h"

#define T0 (CLOCK_EARLIEST + 1000 * SG_DAY)

enum { UPTIME = 5000 };

static struct clock_guard begun(void)
{
    struct clock_guard guard = {.begun = false};
    clock_guard_look(&guard, T0, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
    return guard;
}

static void time_that_passes_is_no_jump(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    clock_guard_look(&guard, T0 + 400 * SG_DAY, UPTIME + 400 * SG_DAY);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
}

static void small_steps_are_followed(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    for (int i = 1; i <= 10; i++) {
        clock_guard_look(&guard, T0 + i * 250, UPTIME);
        assert_int_equal(guard.doubt, CLOCK_TRUSTED);
    }
    clock_guard_look(&guard, T0, UPTIME); /* all of them back at once */
    assert_int_equal(guard.doubt, CLOCK_BEHIND);
    assert_int_equal(guard.jump, 2500);
}

static void a_jump_ahead_lasts_until_it_is_taken_back(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    clock_guard_look(&guard, T0 + 301, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_AHEAD);
    assert_int_equal(guard.jump, 301);
    clock_guard_look(&guard, T0 + 301 + 10 * SG_DAY, UPTIME + 10 * SG_DAY);
    assert_int_equal(guard.doubt, CLOCK_AHEAD);
    clock_guard_look(&guard, T0 - 20 + 10 * SG_DAY, UPTIME + 10 * SG_DAY);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
}

static void a_jump_ahead_lasts_until_it_is_accepted(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    clock_guard_look(&guard, T0 + SG_DAY, UPTIME);
    clock_guard_accept(&guard, T0 + SG_DAY, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
    clock_guard_look(&guard, T0 + SG_DAY + 10, UPTIME + 10);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
}

static void a_jump_back_ends_when_what_was_seen_is_over(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    clock_guard_look(&guard, T0 - SG_DAY, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_BEHIND);
    clock_guard_look(&guard, T0, UPTIME + SG_DAY);
    assert_int_equal(guard.doubt, CLOCK_BEHIND);
    clock_guard_look(&guard, T0 + 1, UPTIME + SG_DAY + 1);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
    clock_guard_look(&guard, T0 + 2, UPTIME + SG_DAY + 2);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
}

static void one_that_goes_from_behind_to_ahead_is_ahead(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    clock_guard_look(&guard, T0 - 1000, UPTIME);
    clock_guard_look(&guard, T0 - 200, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
    clock_guard_look(&guard, T0 + SG_DAY, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_AHEAD);
}

/* Two false steps are not a right clock. */
static void one_that_leaps_from_behind_to_ahead_is_ahead(void **state)
{
    (void)state;
    struct clock_guard guard = begun();
    clock_guard_look(&guard, T0 - 1000, UPTIME);
    clock_guard_look(&guard, T0 + 700 * SG_DAY, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_AHEAD);
    clock_guard_look(&guard, T0, UPTIME);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
}

static void a_machine_that_begins_in_1970_is_in_doubt_until_its_clock_is_set(void **state)
{
    (void)state;
    struct clock_guard guard = {.begun = false};
    clock_guard_look(&guard, 30, 30);
    assert_int_equal(guard.doubt, CLOCK_EARLY);
    clock_guard_look(&guard, 5000, 5000);
    assert_int_equal(guard.doubt, CLOCK_EARLY);
    clock_guard_look(&guard, T0, 5001);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
    clock_guard_look(&guard, T0 + 1, 5002);
    assert_int_equal(guard.doubt, CLOCK_TRUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_that_passes_is_no_jump),
        cmocka_unit_test(small_steps_are_followed),
        cmocka_unit_test(a_jump_ahead_lasts_until_it_is_taken_back),
        cmocka_unit_test(a_jump_ahead_lasts_until_it_is_accepted),
        cmocka_unit_test(a_jump_back_ends_when_what_was_seen_is_over),
        cmocka_unit_test(one_that_goes_from_behind_to_ahead_is_ahead),
        cmocka_unit_test(one_that_leaps_from_behind_to_ahead_is_ahead),
        cmocka_unit_test(a_machine_that_begins_in_1970_is_in_doubt_until_its_clock_is_set),
    };
    return cmocka_run_group_tests_name("clock_guard", tests, NULL, NULL);
}
