#include "store/fixture.h"
#include "store/transaction.h"

static struct fake_disk *disk;
static struct store_io io;

static int set_up(void **state)
{
    (void)state;
    disk = fake_disk_new();
    io = fake_disk_io(disk);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    io.close(io.argument);
    fake_disk_free(disk);
    return 0;
}

static enum sg_result put(struct store_transaction *transaction, const char *key)
{
    return store_transaction_put(transaction, STORE_CONFIG, span_of_text(key), span_of_text("v"));
}

static bool has(const char *key)
{
    struct span value;
    return io.get(io.argument, STORE_CONFIG, span_of_text(key), &value) == SG_OK;
}

static void nothing_written_is_no_transaction(void **state)
{
    (void)state;
    struct store_transaction transaction = {.io = &io, .number = 1};
    assert_int_equal(store_transaction_commit(&transaction), SG_OK);
    assert_false(transaction.wrote);
    assert_int_equal(fake_disk_writes(disk), 0);
}

static void each_transaction_leaves_its_number(void **state)
{
    (void)state;
    uint64_t last = 99;
    assert_int_equal(store_transaction_last(&io, &last), SG_OK);
    assert_int_equal(last, 0);
    struct store_transaction transaction = {.io = &io, .number = 5};
    assert_int_equal(put(&transaction, "a"), SG_OK);
    assert_int_equal(put(&transaction, "b"), SG_OK);
    assert_int_equal(store_transaction_commit(&transaction), SG_OK);
    assert_true(transaction.wrote);
    assert_int_equal(fake_disk_commits(disk), 1);
    assert_int_equal(store_transaction_last(&io, &last), SG_OK);
    assert_int_equal(last, 5);
    struct store_transaction next = {.io = &io, .number = 6};
    assert_int_equal(store_transaction_try(&next), SG_OK);
    assert_int_equal(store_transaction_last(&io, &last), SG_OK);
    assert_int_equal(last, 6);
}

static void the_first_failure_stays(void **state)
{
    (void)state;
    struct fake_disk_fault fault = {.at = 2, .result = SG_NO_SPACE};
    fake_disk_set_fault(disk, &fault);
    struct store_transaction transaction = {.io = &io, .number = 1};
    assert_int_equal(put(&transaction, "a"), SG_OK);
    assert_int_equal(put(&transaction, "b"), SG_NO_SPACE);
    assert_int_equal(put(&transaction, "c"), SG_NO_SPACE);
    assert_int_equal(store_transaction_remove(&transaction, STORE_CONFIG, span_of_text("a")),
                     SG_NO_SPACE);
    assert_int_equal(store_transaction_commit(&transaction), SG_NO_SPACE);
    store_transaction_abort(&transaction);
    assert_false(transaction.wrote);
    assert_false(has("a"));
    assert_int_equal(fake_disk_writes(disk), 2);
}

static void an_abort_takes_all_back(void **state)
{
    (void)state;
    struct store_transaction transaction = {.io = &io, .number = 1};
    assert_int_equal(put(&transaction, "a"), SG_OK);
    assert_true(has("a"));
    store_transaction_abort(&transaction);
    assert_false(has("a"));
}

static void a_transaction_may_be_born_failed(void **state)
{
    (void)state;
    struct store_transaction transaction = {.io = &io, .failed = SG_IO};
    assert_int_equal(put(&transaction, "a"), SG_IO);
    assert_int_equal(store_transaction_commit(&transaction), SG_IO);
    assert_int_equal(fake_disk_writes(disk), 0);
}

static void a_number_of_another_length_is_malformed(void **state)
{
    (void)state;
    uint64_t value;
    struct store_transaction transaction = {.io = &io};
    assert_int_equal(
        store_transaction_put(&transaction, STORE_META, span_of_text("x"), span_of_text("short")),
        SG_OK);
    assert_int_equal(store_meta_get(&io, "x", &value), SG_MALFORMED);
    assert_int_equal(store_meta_get(&io, "y", &value), SG_NOT_FOUND);
    store_transaction_abort(&transaction);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_written_is_no_transaction), TEST(each_transaction_leaves_its_number),
        TEST(the_first_failure_stays),           TEST(an_abort_takes_all_back),
        TEST(a_transaction_may_be_born_failed),  TEST(a_number_of_another_length_is_malformed),
    };
    return cmocka_run_group_tests_name("transaction", tests, NULL, NULL);
}
