#include "keeper/refresh_timers.h"
#include "support/table.h"

enum { T0 = 1700000000 };

static const struct refresh_bounds bounds = {300, 2419200, 300, 1209600};

static const struct term {
    const char *name;
    struct dns_soa soa;
    sg_duration refresh, retry, expire;
} terms[] = {
    {"as the SOA says", {1, 3600, 600, 86400, 60}, 3600, 600, 86400},
    {"zeros", {1, 0, 0, 0, 0}, 300, 300, 600},
    {"as large as can be",
     {1, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0},
     2419200,
     1209600,
     REFRESH_EXPIRE_MAX},
    {"an expiry that one lost packet would reach", {1, 3600, 600, 3600, 60}, 3600, 600, 4200},
};

static void terms_are_within_bounds(void **state)
{
    const struct term *row = *state;
    assert_int_equal(refresh_interval(&row->soa, &bounds), row->refresh);
    assert_int_equal(refresh_retry(&row->soa, &bounds), row->retry);
    assert_int_equal(refresh_expiry(&row->soa, &bounds), row->expire);
}

static void tries_for_a_new_zone_become_less_often(void **state)
{
    static const sg_duration waits[] = {5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800};
    (void)state;

    for (unsigned i = 0; i < ARRAY_LEN(waits); i++) {
        assert_int_equal(refresh_bootstrap(i), waits[i]);
    }
    assert_int_equal(refresh_bootstrap(UINT32_MAX), REFRESH_BOOTSTRAP_MAX);
}

static void jitter_takes_up_to_a_quarter(void **state)
{
    struct random_seeded random = {7};
    sg_duration least = 1000;
    sg_duration most = 0;
    (void)state;

    for (int i = 0; i < 10000; i++) {
        sg_duration wait = refresh_jitter(1000, &random);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_int_equal(least, 750);
    assert_int_equal(most, 1000);
    assert_int_equal(refresh_jitter(3, &random), 3);
    assert_int_equal(refresh_jitter(0, &random), 0);
}

static void timers_come_back_as_they_were(void **state)
{
    static const struct refresh_timers all[] = {
        {0, T0, INT64_MAX, false},
        {T0, T0 + 3600, T0 + 86400, true},
        {T0, INT64_MAX, (sg_time)5000000000, false},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct buffer bytes = BUFFER_EMPTY;
        struct refresh_timers back;
        refresh_timers_encode(&all[i], &bytes);
        assert_int_equal(bytes.length, REFRESH_TIMERS_BYTES);
        assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_OK);
        assert_int_equal(back.checked_at, all[i].checked_at);
        assert_int_equal(back.refresh_at, all[i].refresh_at);
        assert_int_equal(back.expire_at, all[i].expire_at);
        assert_int_equal(back.expired, all[i].expired);
        buffer_free(&bytes);
    }
}

static void broken_timers_are_told(void **state)
{
    const struct refresh_timers timers = {T0, T0 + 3600, T0 + 86400, false};
    struct buffer bytes = BUFFER_EMPTY;
    struct refresh_timers back;
    (void)state;

    refresh_timers_encode(&timers, &bytes);
    for (size_t length = 0; length < bytes.length; length++) {
        assert_int_equal(refresh_timers_decode((struct span){bytes.bytes, length}, &back),
                         SG_MALFORMED);
    }
    bytes.bytes[1] = 2; /* a flag that does not exist */
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_MALFORMED);
    bytes.bytes[1] = 1;
    bytes.bytes[2] = 0x80; /* before all time */
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_MALFORMED);
    bytes.bytes[2] = 0;
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_OK);
    bytes.bytes[0] = 2;
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_UNSUPPORTED);
    bytes.bytes[0] = 0;
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_MALFORMED);
    bytes.bytes[0] = 1;
    buffer_append_u8(&bytes, 0);
    assert_int_equal(refresh_timers_decode(buffer_span(&bytes), &back), SG_MALFORMED);
    buffer_free(&bytes);
}

static void no_time_lies_too_far_ahead(void **state)
{
    const struct dns_soa soa = {1, 3600, 600, 86400, 60};
    struct refresh_timers timers = {T0 + 50, T0 + 3601, T0 + 86401, false};
    (void)state;

    refresh_timers_clamp(&timers, &soa, &bounds, T0);
    assert_int_equal(timers.checked_at, T0);
    assert_int_equal(timers.refresh_at, T0 + 3600);
    assert_int_equal(timers.expire_at, T0 + 86400);
    timers = (struct refresh_timers){T0 - 50, T0 - 20, T0 + 10, false};
    refresh_timers_clamp(&timers, &soa, &bounds, T0);
    assert_int_equal(timers.refresh_at, T0 - 20);
    assert_int_equal(timers.expire_at, T0 + 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_for_a_new_zone_become_less_often),
        cmocka_unit_test(jitter_takes_up_to_a_quarter),
        cmocka_unit_test(timers_come_back_as_they_were),
        cmocka_unit_test(broken_timers_are_told),
        cmocka_unit_test(no_time_lies_too_far_ahead),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + RUN_TABLE(terms, terms_are_within_bounds);
}
