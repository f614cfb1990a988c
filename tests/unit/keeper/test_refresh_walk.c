/* In which way a primary is asked once more; what a whole walk comes to: test_refresh.c. */
#include "keeper/refresh_walk.h"
#include "support/table.h"

static const struct refresh_primary primaries[] = {
    {.remote = {.address = {192, 0, 2, 1}, .address_length = 4, .port = 53},
     .request_ixfr = true,
     .edns = true},
    {.remote = {.address = {192, 0, 2, 2}, .address_length = 4, .port = 53}, .tcp_only = true},
};
static const struct refresh_settings settings = {
    .primaries = primaries, .primaries_count = 2, .try_tcp = true};

static void each_is_asked_as_its_settings_say(void **state)
{
    struct refresh_walk walk = {.first = 1, .no_ixfr = true, .has_expire = true};
    (void)state;
    refresh_walk_meet(&walk, &settings);
    assert_ptr_equal(refresh_walk_present(&walk, &settings), &primaries[1]);
    assert_true(walk.tcp && walk.no_edns && !walk.no_ixfr && !walk.has_expire);
    assert_false(refresh_walk_has_ixfr(&walk, &settings));
    walk.tried = 1;
    refresh_walk_meet(&walk, &settings);
    assert_ptr_equal(refresh_walk_present(&walk, &settings), &primaries[0]);
    assert_true(!walk.tcp && !walk.no_edns && refresh_walk_has_ixfr(&walk, &settings));
    walk.whole = true;
    assert_false(refresh_walk_has_ixfr(&walk, &settings));
}

static void another_way_is_tried_once(void **state)
{
    const struct refresh_reply silence = {.result = SG_TIMEOUT};
    const struct refresh_reply formerr = {.result = SG_OK, .rcode = DNS_RCODE_FORMERR};
    const struct refresh_reply refused = {.result = SG_OK, .rcode = DNS_RCODE_REFUSED};
    struct refresh_walk walk = {.first = 0};
    (void)state;
    refresh_walk_meet(&walk, &settings);
    assert_false(refresh_walk_another_way(&walk, &settings, &refused));
    assert_true(refresh_walk_another_way(&walk, &settings, &silence) && walk.tcp);
    assert_false(refresh_walk_another_way(&walk, &settings, &silence));
    assert_true(refresh_walk_another_way(&walk, &settings, &formerr) && walk.no_edns);
    assert_false(refresh_walk_another_way(&walk, &settings, &formerr));
}

static void axfr_is_tried_where_it_may_do_better(void **state)
{
    static const enum sg_result hopeless[] = {SG_TIMEOUT, SG_REFUSED,  SG_BAD_KEY,
                                              SG_BAD_SIG, SG_BAD_TIME, SG_CANCELLED};
    struct refresh_walk walk = {.first = 0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hopeless); i++) {
        assert_false(refresh_walk_axfr_instead(&walk, &settings, hopeless[i]));
    }
    assert_true(refresh_walk_axfr_instead(&walk, &settings, SG_MALFORMED) && walk.no_ixfr);
    assert_false(refresh_walk_axfr_instead(&walk, &settings, SG_MALFORMED));
}

static void who_is_no_primary_has_the_first_place(void **state)
{
    struct remote other = primaries[1].remote;
    (void)state;
    assert_int_equal(refresh_walk_place_of(&settings, &other), 1);
    other.address[3] = 9;
    assert_int_equal(refresh_walk_place_of(&settings, &other), 0);
    assert_int_equal(refresh_walk_place_of(&settings, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_asked_as_its_settings_say),
        cmocka_unit_test(another_way_is_tried_once),
        cmocka_unit_test(axfr_is_tried_where_it_may_do_better),
        cmocka_unit_test(who_is_no_primary_has_the_first_place),
    };
    return cmocka_run_group_tests_name("refresh_walk", tests, NULL, NULL);
}
