#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "dns/rrtype.h"
#include "zone/rdata_list.h"

enum { RDATAS = 3000, STEPS = 60000, PACKED_BYTES = 6 };

static uint8_t packed[RDATAS][PACKED_BYTES];
static bool there[RDATAS];

static struct span rdata_of(uint32_t i)
{
    return (struct span){packed[i] + 2, PACKED_BYTES - 2};
}

static void make_rdatas(void)
{
    for (uint32_t i = 0; i < RDATAS; i++) {
        wire_put_u16(packed[i], PACKED_BYTES - 2);
        wire_put_u32(packed[i] + 2, i);
        there[i] = false;
    }
}

static void check(const struct rdata_list *list)
{
    struct rdata_place place = {0, 0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < RDATAS; i++) {
        if (there[i]) {
            assert_ptr_equal(rdata_list_next(list, &place), packed[i]);
            assert_ptr_equal(rdata_list_at(list, count), packed[i]);
            count++;
        }
    }
    assert_null(rdata_list_next(list, &place));
    assert_int_equal(list->count, count);
    /* A list that has shrunk holds no more runs than it needs, each of them with something in it.
     */
    assert_true(list->runs_count <= count);
}

static void change(struct rdata_list *list, uint32_t i, bool wanted)
{
    struct rdata_place place;
    assert_int_equal(rdata_list_find(list, DNS_TYPE_A, rdata_of(i), &place), there[i]);
    if (wanted && !there[i]) {
        rdata_list_insert(list, place, packed[i]);
    } else if (!wanted && there[i]) {
        assert_ptr_equal(rdata_list_remove(list, place), packed[i]);
    }
    there[i] = wanted;
}

static void it_holds_what_a_sorted_array_would(void **state)
{
    struct random_seeded random = {11};
    struct rdata_list list = {.count = 0};
    (void)state;
    make_rdatas();
    check(&list);
    for (uint32_t step = 0; step < STEPS; step++) {
        /* It grows, it shrinks, it grows. */
        uint32_t of_ten = step % 20000 < 10000 ? 8 : 2;
        change(&list, random_seeded_below(&random, RDATAS),
               random_seeded_below(&random, 10) < of_ten);
        if (step % 1000 == 0) {
            check(&list);
        }
    }
    check(&list);
    rdata_list_clear(&list);
}

static void it_comes_and_goes_in_order(void **state)
{
    struct rdata_list list = {.count = 0};
    (void)state;
    make_rdatas();
    for (unsigned backwards = 0; backwards < 4; backwards++) {
        for (uint32_t i = 0; i < RDATAS; i++) {
            change(&list, (backwards & 1) != 0 ? RDATAS - 1 - i : i, true);
        }
        check(&list);
        for (uint32_t i = 0; i < RDATAS; i++) {
            change(&list, (backwards & 2) != 0 ? RDATAS - 1 - i : i, false);
        }
        check(&list);
        assert_int_equal(list.runs_count, 0);
    }
    rdata_list_clear(&list);
}

static void an_rrset_fills_it(void **state)
{
    struct rdata_list list = {.count = 0};
    const struct dns_rrset rrset = {packed[0], sizeof(packed), 60, DNS_TYPE_A, 0, RDATAS};
    (void)state;
    make_rdatas();
    memset(there, 1, sizeof(there));
    rdata_list_fill(&list, &rrset);
    check(&list);
    rdata_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_a_sorted_array_would),
        cmocka_unit_test(it_comes_and_goes_in_order),
        cmocka_unit_test(an_rrset_fills_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
