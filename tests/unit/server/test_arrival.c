#include "fixture.h"
#include "server/arrival.h"

static void the_inbox_is_bounded(void **state)
{
    struct mailbox inbox;
    struct arrival *arrivals = mem_alloc_zero(ARRIVALS_MAX + 1, sizeof(*arrivals));
    (void)state;
    mailbox_init(&inbox, NULL, NULL);
    for (size_t i = 0; i < ARRIVALS_MAX; i++) {
        assert_true(arrival_send(&inbox, &arrivals[i]));
    }
    assert_false(arrival_send(&inbox, &arrivals[ARRIVALS_MAX]));
    assert_ptr_equal(mailbox_take(&inbox), &arrivals[0].letter);
    assert_true(arrival_send(&inbox, &arrivals[ARRIVALS_MAX]));
    assert_non_null(mailbox_take_all(&inbox));
    mailbox_close(&inbox);
    assert_false(arrival_send(&inbox, &arrivals[0]));
    mailbox_clear(&inbox);
    mem_free(arrivals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_inbox_is_bounded)};
    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
