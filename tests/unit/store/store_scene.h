/* A store on a disk that fails when the test says so. */
#pragma once

#include "store/fixture.h"

static struct fake_disk *disk;
static struct store *store;
static struct watch watch;

static inline int set_up(void **state)
{
    (void)state;
    disk = fake_disk_new();
    store = NULL;
    watch = (struct watch){SG_OK, 0};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    store_free(store);
    fake_disk_free(disk);
    return 0;
}

static inline void start(bool threads)
{
    store = store_on(fake_disk_io(disk), threads, &watch);
}

static inline void set_fault(struct fake_disk_fault fault)
{
    fake_disk_set_fault(disk, &fault);
}

/* A commit is three writes: the record, the transaction's number, and the commit itself. */
enum { WRITES_OF_A_COMMIT = 3 };

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
