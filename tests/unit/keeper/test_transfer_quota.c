#include <stdlib.h>

#include "base/random.h"
#include "keeper/transfer_quota.h"
#include "support/table.h"

static struct remote server_of(unsigned number)
{
    return (struct remote){
        .address = {192, 0, 2, (uint8_t)number}, .address_length = 4, .port = 53};
}

static void each_server_has_its_share(void **state)
{
    struct transfer_quota *quota = transfer_quota_new(3, 2);
    struct transfer_place places[6] = {{0}};
    struct remote a = server_of(1);
    struct remote b = server_of(2);
    (void)state;

    assert_true(transfer_quota_take(quota, &places[0], &places[0], &a, 0));
    assert_true(transfer_quota_take(quota, &places[1], &places[1], &a, 0));
    assert_false(transfer_quota_take(quota, &places[2], &places[2], &a, 0)); /* transfers-per-ns */
    assert_true(transfer_quota_take(quota, &places[3], &places[3], &b, 0));
    assert_false(transfer_quota_take(quota, &places[4], &places[4], &b, 0)); /* transfers-in */
    assert_null(transfer_quota_next(quota));
    transfer_quota_give(quota, &places[0]);
    assert_ptr_equal(transfer_quota_next(quota), &places[2]);
    assert_null(transfer_quota_next(quota));
    transfer_quota_give(quota, &places[3]);
    assert_ptr_equal(transfer_quota_next(quota), &places[4]);
    a.port = 5353; /* another port is the same server */
    assert_false(transfer_quota_take(quota, &places[5], &places[5], &a, 0));
    assert_int_equal(transfer_quota_running(quota), 3);
    assert_int_equal(transfer_quota_waiting(quota), 1);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        transfer_quota_give(quota, &places[i]); /* running, waiting or neither */
    }
    assert_int_equal(transfer_quota_running(quota) + transfer_quota_waiting(quota), 0);
    transfer_quota_free(quota);
}

static void servers_take_turns(void **state)
{
    struct transfer_quota *quota = transfer_quota_new(1, 1);
    struct transfer_place places[8] = {{0}};
    struct remote servers[] = {server_of(1), server_of(2)};
    size_t order[] = {1, 5, 2, 6, 3, 7, 4}; /* 1 ... 4 wait at the first, 5 ... 7 at the second */
    (void)state;

    assert_true(transfer_quota_take(quota, &places[0], &places[0], &servers[0], 0));
    for (size_t i = 1; i < 8; i++) {
        assert_false(transfer_quota_take(quota, &places[i], &places[i], &servers[i > 4], 0));
    }
    struct transfer_place *running = &places[0];
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        transfer_quota_give(quota, running);
        running = transfer_quota_next(quota);
        assert_ptr_equal(running, &places[order[i]]);
    }
    transfer_quota_give(quota, running);
    assert_null(transfer_quota_next(quota));
    transfer_quota_free(quota);
}

static void limits_may_change(void **state)
{
    struct transfer_quota *quota = transfer_quota_new(1, 1);
    struct transfer_place places[3] = {{0}};
    struct remote a = server_of(1);
    (void)state;

    assert_true(transfer_quota_take(quota, &places[0], &places[0], &a, 0));
    assert_false(transfer_quota_take(quota, &places[1], &places[1], &a, 0));
    assert_false(transfer_quota_take(quota, &places[2], &places[2], &a, 0));
    transfer_quota_set(quota, 2, 2);
    assert_ptr_equal(transfer_quota_next(quota), &places[1]);
    transfer_quota_set(quota, 0, 0); /* nobody means none at all: one */
    transfer_quota_give(quota, &places[0]);
    assert_null(transfer_quota_next(quota));
    transfer_quota_give(quota, &places[1]);
    assert_ptr_equal(transfer_quota_next(quota), &places[2]);
    transfer_quota_give(quota, &places[2]);
    transfer_quota_free(quota);
}

static void whatever_happens_the_bounds_hold(void **state)
{
    enum { ZONES = 200, SERVERS = 7, STEPS = 20000, IN = 9, PER = 2 };
    struct transfer_quota *quota = transfer_quota_new(IN, PER);
    struct transfer_place *places = calloc(ZONES, sizeof(*places));
    struct remote servers[SERVERS];
    struct random_seeded random = {0x7a11};
    unsigned on[ZONES] = {0};
    (void)state;

    for (unsigned i = 0; i < SERVERS; i++) {
        servers[i] = server_of(i);
    }
    for (int step = 0; step < STEPS; step++) {
        unsigned at = random_seeded_below(&random, ZONES);
        if (places[at].lane != NULL) {
            transfer_quota_give(quota, &places[at]);
        } else {
            on[at] = random_seeded_below(&random, SERVERS);
            transfer_quota_take(quota, &places[at], &places[at], &servers[on[at]], 0);
        }
        while (transfer_quota_next(quota) != NULL) {
        }
        unsigned running[SERVERS] = {0};
        unsigned waiting[SERVERS] = {0};
        unsigned all = 0;
        for (unsigned i = 0; i < ZONES; i++) {
            running[on[i]] += places[i].running;
            waiting[on[i]] += places[i].lane != NULL && !places[i].running;
            all += places[i].running;
        }
        assert_in_range(all, 0, IN);
        assert_int_equal(all, transfer_quota_running(quota));
        for (unsigned i = 0; i < SERVERS; i++) {
            assert_in_range(running[i], 0, PER);
            /* Nobody waits where there is room. */
            assert_true(waiting[i] == 0 || running[i] == PER || all == IN);
        }
    }
    for (unsigned i = 0; i < ZONES; i++) {
        transfer_quota_give(quota, &places[i]);
    }
    transfer_quota_free(quota);
    free(places);
}

static void a_server_may_have_a_limit_of_its_own(void **state)
{
    struct transfer_quota *quota = transfer_quota_new(10, 2);
    struct transfer_place places[6] = {{0}};
    const struct remote a = server_of(1), b = server_of(2);
    (void)state;

    for (int i = 0; i < 3; i++) {
        assert_true(transfer_quota_take(quota, &places[i], &places[i], &a, 3));
    }
    assert_false(transfer_quota_take(quota, &places[3], &places[3], &a, 3));
    assert_true(transfer_quota_take(quota, &places[4], &places[4], &b, 1));
    assert_false(transfer_quota_take(quota, &places[5], &places[5], &b, 1));
    transfer_quota_give(quota, &places[4]);
    assert_ptr_equal(transfer_quota_next(quota), &places[5]);
    assert_null(transfer_quota_next(quota));
    transfer_quota_give(quota, &places[0]);
    assert_ptr_equal(transfer_quota_next(quota), &places[3]);
    for (int i = 0; i < 6; i++) {
        transfer_quota_give(quota, &places[i]);
    }
    transfer_quota_free(quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_has_its_share),
        cmocka_unit_test(servers_take_turns),
        cmocka_unit_test(limits_may_change),
        cmocka_unit_test(a_server_may_have_a_limit_of_its_own),
        cmocka_unit_test(whatever_happens_the_bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
