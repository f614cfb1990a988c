#include "fixture.h"
#include "server/arrival.h"

static struct arrival *take_first(struct inbox *inbox)
{
    struct arrival *arrival = (struct arrival *)mailbox_take(&inbox->mailbox);
    arrival_leaves(inbox, arrival);
    return arrival;
}

static void the_inbox_is_bounded(void **state)
{
    struct inbox inbox = {.bytes = 0};
    struct arrival *arrivals = mem_alloc_zero(ARRIVAL_UPDATES_MAX + 1, sizeof(*arrivals));
    (void)state;
    mailbox_init(&inbox.mailbox, NULL, NULL);
    for (size_t i = 0; i < ARRIVAL_UPDATES_MAX; i++) {
        assert_true(arrival_send(&inbox, &arrivals[i]));
    }
    assert_false(arrival_send(&inbox, &arrivals[ARRIVAL_UPDATES_MAX]));
    assert_ptr_equal(take_first(&inbox), &arrivals[0]);
    assert_true(arrival_send(&inbox, &arrivals[ARRIVAL_UPDATES_MAX]));
    assert_non_null(mailbox_take_all(&inbox.mailbox));
    mailbox_close(&inbox.mailbox);
    assert_false(arrival_send(&inbox, &arrivals[0]));
    mailbox_clear(&inbox.mailbox);
    mem_free(arrivals);
}

/* Their senders' addresses can be forged: updates are heard all the same. */
static void a_flood_of_notifies_leaves_room_for_updates(void **state)
{
    struct inbox inbox = {.bytes = 0};
    struct arrival *arrivals = mem_alloc_zero(ARRIVAL_NOTIFIES_MAX + 1, sizeof(*arrivals));
    struct arrival update = {.kind = ARRIVAL_UPDATE};
    (void)state;
    mailbox_init(&inbox.mailbox, NULL, NULL);
    for (size_t i = 0; i <= ARRIVAL_NOTIFIES_MAX; i++) {
        arrivals[i].kind = ARRIVAL_NOTIFY;
        assert_int_equal(arrival_send(&inbox, &arrivals[i]), i < ARRIVAL_NOTIFIES_MAX);
    }
    assert_true(arrival_send(&inbox, &update));
    (void)take_first(&inbox);
    assert_true(arrival_send(&inbox, &arrivals[ARRIVAL_NOTIFIES_MAX]));
    assert_non_null(mailbox_take_all(&inbox.mailbox));
    mailbox_clear(&inbox.mailbox);
    mem_free(arrivals);
}

static void large_updates_do_not_fill_the_memory(void **state)
{
    struct inbox inbox = {.bytes = 0};
    enum { COUNT = ARRIVAL_BYTES_MAX / 65535 };
    struct arrival arrivals[COUNT + 1] = {0};
    (void)state;
    mailbox_init(&inbox.mailbox, NULL, NULL);
    for (size_t i = 0; i <= COUNT; i++) {
        arrivals[i].bytes = 65535;
        assert_int_equal(arrival_send(&inbox, &arrivals[i]), i < COUNT);
    }
    (void)take_first(&inbox);
    assert_true(arrival_send(&inbox, &arrivals[COUNT]));
    assert_non_null(mailbox_take_all(&inbox.mailbox));
    mailbox_clear(&inbox.mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inbox_is_bounded),
        cmocka_unit_test(a_flood_of_notifies_leaves_room_for_updates),
        cmocka_unit_test(large_updates_do_not_fill_the_memory),
    };
    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
