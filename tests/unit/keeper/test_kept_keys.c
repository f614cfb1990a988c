#include "base/mem.h"
#include "keeper/kept_keys.h"
#include "keeper/zone_record.h"
#include "support/table.h"

enum { ZONES = 4 };

static struct zone_keys *new_keys(void)
{
    return mem_alloc_zero(1, sizeof(struct zone_keys));
}

static void those_that_were_not_used_for_the_longest_time_go_first(void **state)
{
    struct managed_zone *zones = mem_alloc_zero(ZONES, sizeof(*zones));
    struct kept_keys kept;
    (void)state;
    kept_keys_init(&kept);
    kept.max = 2;
    kept_keys_put(&kept, &zones[0], new_keys());
    kept_keys_put(&kept, &zones[1], new_keys());
    struct zone_keys *lent = kept_keys_take(&kept, &zones[0]); /* a job is out and comes back */
    assert_null(zones[0].known.keys);
    assert_int_equal(kept.count, 1);
    kept_keys_put(&kept, &zones[0], lent);
    assert_ptr_equal(zones[0].known.keys, lent);
    kept_keys_put(&kept, &zones[2], new_keys());
    assert_int_equal(kept.count, 2);
    assert_null(zones[1].known.keys);
    assert_ptr_equal(zones[0].known.keys, lent);
    kept_keys_put(&kept, &zones[2], new_keys()); /* others in their place */
    assert_int_equal(kept.count, 2);
    kept_keys_put(&kept, &zones[2], NULL);
    assert_null(zones[2].known.keys);
    kept_keys_drop(&kept, &zones[2]);
    kept_keys_put(&kept, &zones[3], new_keys());
    assert_non_null(zones[0].known.keys);
    for (unsigned i = 0; i < ZONES; i++) {
        kept_keys_drop(&kept, &zones[i]);
    }
    assert_int_equal(kept.count, 0);
    assert_null(kept_keys_take(&kept, &zones[0]));
    mem_free(zones);
}

/* Keys that wait for their job are not used yet: without them the zone is to wait for its turn
 * again, as its job would read the whole folder. */
static void a_zone_that_loses_fresh_keys_waits_for_them_again(void **state)
{
    struct managed_zone *zones = mem_alloc_zero(ZONES, sizeof(*zones));
    struct kept_keys kept;
    (void)state;
    kept_keys_init(&kept);
    kept.max = 2;
    assert_int_equal(kept_keys_room(&kept), 1);
    for (unsigned i = 0; i < 3; i++) {
        struct zone_keys *keys = new_keys();
        keys->fresh = true;
        zones[i].known.keyed = true;
        kept_keys_put(&kept, &zones[i], keys);
    }
    assert_int_equal(kept.fresh, 2);
    assert_int_equal(kept_keys_room(&kept), 0);
    assert_null(zones[0].known.keys);
    assert_false(zones[0].known.keyed);
    assert_true(zones[1].known.keyed);
    kept_keys_are_stale(&kept, &zones[1]);
    kept_keys_are_stale(&kept, &zones[1]);
    assert_int_equal(kept.fresh, 1);
    struct zone_keys *lent = kept_keys_take(&kept, &zones[2]);
    assert_int_equal(kept.fresh, 0);
    lent->fresh = false;
    kept_keys_put(&kept, &zones[2], lent);
    assert_int_equal(kept_keys_room(&kept), 1);
    kept_keys_put(&kept, &zones[3], new_keys());
    assert_null(zones[1].known.keys);
    assert_true(zones[1].known.keyed); /* They were no more than those of its last look. */
    for (unsigned i = 0; i < ZONES; i++) {
        kept_keys_drop(&kept, &zones[i]);
    }
    mem_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_were_not_used_for_the_longest_time_go_first),
        cmocka_unit_test(a_zone_that_loses_fresh_keys_waits_for_them_again),
    };
    return cmocka_run_group_tests_name("kept_keys", tests, NULL, NULL);
}
