/* Many secondaries share rates and a quota; what one does: test_refresh.c. */
#include "keeper/refresh_scene.h"

enum { MANY = 50 };

static void questions_keep_to_their_rate(void **state)
{
    struct scene scene;
    struct refresh *zones[MANY];
    struct refresh_order order;
    (void)state;

    scene_init(&scene, 1);
    scene.shared.startup_soa = (struct rate){.per_second = 20};
    for (int i = 0; i < MANY; i++) {
        zones[i] = refresh_new(&scene.shared, &scene.settings, NULL, T0);
    }
    int total = 0;
    for (int second = 0; second < 3; second++) {
        int asked = 0;
        for (int i = 0; i < MANY; i++) {
            asked += refresh_wake(zones[i]) <= T0 + second &&
                     refresh_turn(zones[i], T0 + second, &order) == REFRESH_ASK;
        }
        assert_in_range(asked, 1, 20);
        total += asked;
    }
    assert_int_equal(total, MANY);
    for (int i = 0; i < MANY; i++) {
        refresh_free(zones[i]);
    }
    scene_clear(&scene);
}

/* Those that stand in line get their turns by the new time. */
static void a_line_goes_on_when_the_clock_is_set_back(void **state)
{
    struct scene scene;
    struct refresh *others[5];
    struct refresh_order order;
    int asked = 0;
    (void)state;

    scene_init(&scene, 1);
    scene.shared.soa.per_second = scene.shared.startup_soa.per_second = 1;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = refresh_new(&scene.shared, &scene.settings, NULL, scene.now);
    }
    scene.now -= 3600;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        refresh_clock_set_back(others[i], scene.now);
    }
    for (sg_time end = scene.now + (sg_time)ARRAY_LEN(others); scene.now < end; scene.now++) {
        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
            asked += refresh_turn(others[i], scene.now, &order) == REFRESH_ASK;
        }
    }
    assert_int_equal(asked, ARRAY_LEN(others));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        refresh_free(others[i]);
    }
    scene_clear(&scene);
}

static void transfers_keep_to_their_quota(void **state)
{
    struct scene scene;
    struct refresh *zones[MANY];
    struct refresh_order order;
    const struct refresh_reply reply = {.authoritative = true, .has_soa = true, .serial = 1};
    struct dns_soa soa = soa_of(1);
    int done = 0;
    int running = 0;
    (void)state;

    scene_init(&scene, 1);
    for (intptr_t i = 0; i < MANY; i++) {
        zones[i] = refresh_new(&scene.shared, &scene.settings, &zones[i], T0);
        assert_int_equal(refresh_turn(zones[i], T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zones[i], &reply, T0), REFRESH_NEWER);
        running += refresh_turn(zones[i], T0, &order) == REFRESH_TRANSFER;
    }
    assert_int_equal(running, 2); /* transfers-per-ns */
    struct refresh **next = &zones[0];
    for (int i = 0; i < MANY; i++) {
        const struct refresh_transfer transfer = {.serial = 1};
        assert_int_equal(refresh_transferred(*next, &transfer, T0), REFRESH_APPLY);
        assert_int_equal(refresh_applied(*next, SG_OK, &soa, T0), REFRESH_CURRENT);
        done++;
        struct refresh **waited = transfer_quota_next(scene.shared.quota);
        if (waited != NULL) {
            assert_int_equal(refresh_wake(*waited), INT64_MIN);
            assert_int_equal(refresh_turn(*waited, T0, &order), REFRESH_TRANSFER);
            assert_int_equal(transfer_quota_running(scene.shared.quota), 2);
        }
        next = i == 0 ? &zones[1] : next + 1;
    }
    assert_int_equal(done, MANY);
    for (int i = 0; i < MANY; i++) {
        refresh_free(zones[i]);
    }
    scene_clear(&scene);
}

static void zones_that_came_together_part(void **state)
{
    struct scene scene;
    int different = 0;
    (void)state;

    scene_init(&scene, 1);
    sg_time last = 0;
    for (int i = 0; i < MANY; i++) {
        struct dns_soa soa = soa_of(1);
        struct refresh_order order;
        const struct refresh_reply reply = {.authoritative = true, .has_soa = true, .serial = 1};
        struct refresh *zone = refresh_new(&scene.shared, &scene.settings, NULL, T0);
        refresh_restore(zone, NULL, &soa, T0);
        assert_int_equal(refresh_turn(zone, T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zone, &reply, T0), REFRESH_CURRENT);
        different += refresh_timers(zone)->refresh_at != last;
        last = refresh_timers(zone)->refresh_at;
        refresh_free(zone);
    }
    assert_in_range(different, MANY - 5, MANY);
    scene_clear(&scene);
}

static void a_flood_of_notifies_takes_one_turn_at_the_rate(void **state)
{
    struct scene scene;
    struct refresh_order order;
    struct dns_soa soa = soa_of(1);
    const struct remote from = {.address = {192, 0, 2, 2}, .address_length = 4, .port = 53};
    (void)state;

    scene_init(&scene, 2);
    scene.shared.soa = (struct rate){.per_second = 1};
    struct refresh *other = refresh_new(&scene.shared, &scene.settings, NULL, T0);
    struct refresh *told = refresh_new(&scene.shared, &scene.settings, NULL, T0);
    struct refresh *zones[] = {other, told};
    for (int i = 0; i < 2; i++) {
        const struct refresh_reply reply = {.authoritative = true, .has_soa = true, .serial = 1};
        refresh_restore(zones[i], NULL, &soa, T0);
        assert_int_equal(refresh_turn(zones[i], T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zones[i], &reply, T0), REFRESH_EQUAL);
        assert_int_equal(refresh_turn(zones[i], T0, &order), REFRESH_ASK);
        assert_int_equal(refresh_replied(zones[i], &reply, T0), REFRESH_CURRENT);
    }
    assert_int_equal(refresh_notified(other, NULL, NULL, T0 + 1), REFRESH_NOTICE_CHECKS);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(refresh_notified(told, &from, NULL, T0 + 1), REFRESH_NOTICE_CHECKS);
        refresh_demand(other, false, T0 + 1);
    }
    assert_int_equal(refresh_turn(other, T0 + 1, &order), REFRESH_ASK);
    assert_int_equal(refresh_turn(told, T0 + 1, &order), REFRESH_NOTHING);
    assert_int_equal(refresh_turn(told, T0 + 2, &order), REFRESH_ASK);
    assert_ptr_equal(order.primary, &scene.settings.primaries[1]);
    refresh_free(other);
    refresh_free(told);
    scene_clear(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_keep_to_their_rate),
        cmocka_unit_test(a_line_goes_on_when_the_clock_is_set_back),
        cmocka_unit_test(transfers_keep_to_their_quota),
        cmocka_unit_test(zones_that_came_together_part),
        cmocka_unit_test(a_flood_of_notifies_takes_one_turn_at_the_rate),
    };
    return cmocka_run_group_tests_name("refresh_many", tests, NULL, NULL);
}
