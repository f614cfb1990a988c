/* Commits of which the disk does not say whether they count. */
#include "store/store_scene.h"

static void a_commit_in_doubt_that_counts_is_acknowledged(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    set_fault(
        (struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true});
    assert_int_equal(commit(store, a, 1), SG_OK);
    assert_int_equal(store_health(store), SG_OK);
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_zone(store, "a", 1, 2);
}

static void a_commit_in_doubt_that_does_not_count_has_failed(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    set_fault((struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT});
    assert_int_equal(commit(store, a, 2), SG_IO);
    assert_int_equal(store_health(store), SG_OK); /* the next transaction went well at once */
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_zone(store, "a", 1, 2);
}

/* Submit a commit that stays in doubt, unanswered. */
static void leave_in_doubt(uint64_t zone, struct store_request *request, struct mailbox *box)
{
    static struct commit_text text;
    *request = commit_request(zone, 2, &text);
    request->reply = box;
    set_fault(
        (struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true});
    fake_disk_refuse_reopen(disk);
    store_submit(store, request);
    assert_null(mailbox_take(box));
    assert_int_equal(commit(store, zone, 2), SG_IO); /* others are refused meanwhile */
    assert_null(mailbox_take(box));
}

static void doubt_lasts_until_somebody_can_look(void **state)
{
    (void)state;
    struct mailbox box;
    struct store_request request;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    leave_in_doubt(a, &request, &box);
    fake_disk_heal(disk);
    assert_int_equal(commit(store, a, 3), SG_OK);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_OK);
    assert_zone(store, "a", 1, 3);
    mailbox_clear(&box);
}

/* Seen in the system's memory is not on the disk: only the next sync makes it so. */
static void what_is_seen_is_not_acknowledged_before_a_sync_went_well(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    struct store_request request = commit_request(a, 1, &text);
    request.reply = &box;
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true, .goes_on = true});
    store_submit(store, &request);
    assert_null(mailbox_take(&box));
    fake_disk_heal(disk);
    assert_zone(store, "a", 1, 1);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_OK);
    mailbox_clear(&box);
}

static enum sg_result (*get_below)(void *argument, enum store_table table, struct span key,
                                   struct span *out_value);
static enum sg_result (*reopen_below)(void *argument);
static bool is_blind;

static enum sg_result reopen_blind(void *argument)
{
    is_blind = true;
    return reopen_below(argument);
}

static enum sg_result get_if_not_blind(void *argument, enum store_table table, struct span key,
                                       struct span *out_value)
{
    return is_blind ? SG_IO : get_below(argument, table, key, out_value);
}

static void doubt_lasts_as_long_as_the_last_number_cannot_be_read(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    struct store_io io = fake_disk_io(disk);
    get_below = io.get;
    reopen_below = io.reopen;
    io.get = get_if_not_blind;
    io.reopen = reopen_blind;
    mailbox_init(&box, NULL, NULL);
    store = store_on(io, false, &watch);
    uint64_t a = zone_id(store, "a");
    struct store_request request = commit_request(a, 1, &text);
    request.reply = &box;
    set_fault((struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT});
    store_submit(store, &request);
    is_blind = false;
    assert_null(mailbox_take(&box)); /* It is not on the disk. */
    assert_int_equal(store_health(store), SG_IO);
    reopen_below(io.argument);
    store_free(store);
    store = NULL;
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    mem_free(request.problem);
    mailbox_clear(&box);
}

static void the_end_leaves_doubt_to_the_next_start(void **state)
{
    (void)state;
    struct mailbox box;
    struct store_request request;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    leave_in_doubt(a, &request, &box);
    store_free(store);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    note_problem(&request);
    fake_disk_heal(disk);
    start(false);
    assert_zone(store, "a", 1, 2);
    mailbox_clear(&box);
}

/* What only seemed to have failed is answered so when the next transaction has taken its place. */
static void a_commit_that_haunts_has_failed_once_another_went_well(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    struct store_request request = commit_request(a, 1, &text);
    request.reply = &box;
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .goes_on = true, .haunts = true});
    store_submit(store, &request);
    assert_null(mailbox_take(&box));
    fake_disk_heal(disk);
    assert_int_equal(commit(store, a, 1), SG_OK);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    note_problem(&request);
    store_free(store);
    fake_disk_crash(disk);
    start(false);
    assert_zone(store, "a", 1, 1);
    mailbox_clear(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_in_doubt_that_counts_is_acknowledged),
        TEST(a_commit_in_doubt_that_does_not_count_has_failed),
        TEST(doubt_lasts_until_somebody_can_look),
        TEST(what_is_seen_is_not_acknowledged_before_a_sync_went_well),
        TEST(doubt_lasts_as_long_as_the_last_number_cannot_be_read),
        TEST(the_end_leaves_doubt_to_the_next_start),
        TEST(a_commit_that_haunts_has_failed_once_another_went_well),
    };
    return cmocka_run_group_tests_name("store_doubt", tests, NULL, NULL);
}
