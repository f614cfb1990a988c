#include <stdlib.h>
#include <time.h>

#include "base/epoch.h"
#include "base/thread.h"
#include "support/table.h"

enum { ROUNDS = 2000, ALIVE = 0x600d, DEAD = 0xdead };

struct thing {
    struct epoch_retired retired;
    int mark;
};

static struct thing *shared;
static int released;
static int stop;
static int bad;

static void release(struct epoch_retired *retired)
{
    struct thing *thing = (struct thing *)retired;
    thing->mark = DEAD;
    released++;
    free(thing);
}

static void *read_on(void *argument)
{
    (void)argument;
    epoch_join();
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        const struct thing *thing = epoch_read(&shared);
        bad += thing->mark != ALIVE;
        epoch_quiesce();
    }
    epoch_leave();
    return NULL;
}

static struct thing *thing_new(void)
{
    struct thing *thing = calloc(1, sizeof(*thing));
    thing->mark = ALIVE;
    return thing;
}

static void nothing_is_released_while_a_reader_may_see_it(void **state)
{
    (void)state;
    pthread_t reader;
    shared = thing_new();
    assert_int_equal(thread_start(&reader, read_on, NULL), SG_OK);
    for (int i = 0; i < ROUNDS; i++) {
        struct thing *old = shared;
        epoch_publish(&shared, thing_new());
        epoch_retire(&old->retired, release);
        epoch_reclaim();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(reader, NULL);
    epoch_barrier();
    assert_int_equal(bad, 0);
    assert_int_equal(released, ROUNDS);
    free(shared);
}

static void an_offline_reader_holds_nothing_up(void **state)
{
    (void)state;
    epoch_join();
    epoch_offline();
    released = 0;
    epoch_retire(&thing_new()->retired, release);
    epoch_barrier();
    assert_int_equal(released, 1);
    epoch_online();
    epoch_leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_released_while_a_reader_may_see_it),
        cmocka_unit_test(an_offline_reader_holds_nothing_up),
    };
    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
