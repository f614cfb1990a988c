#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/draft.h"

enum { NAMES = 3000 };

static struct dns_name host(const struct dns_name *apex, unsigned index)
{
    char text[32];
    struct dns_name name;
    snprintf(text, sizeof(text), "h%u", index);
    assert_int_equal(dns_name_from_text(text, strlen(text), apex, &name), SG_OK);
    return name;
}

static struct zone_edit *edit_with_hosts(struct dns_name *apex)
{
    assert_int_equal(dns_name_from_text("example.", 8, NULL, apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(apex, DNS_CLASS_IN);
    struct naive_rrset buffer;
    assert_int_equal(zone_edit_put_rrset(edit, apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &buffer)),
                     SG_OK);
    for (unsigned i = 0; i < NAMES; i++) {
        struct dns_name name = host(apex, i);
        assert_int_equal(
            zone_edit_put_rrset(edit, &name, ZONE_SOURCE, naive_set(NAIVE_A, 1, &buffer)), SG_OK);
    }
    return edit;
}

/* Sign every host with a block of its own; some are replaced in the same edit. */
static void sign(struct zone_edit *edit, const struct dns_name *apex, unsigned variant)
{
    for (unsigned lane = 0; lane < 2; lane++) {
        struct zone_pile *pile = zone_pile_new();
        zone_block_ref *refs = mem_alloc(NAMES * sizeof(*refs));
        zone_block_ref base;
        for (unsigned i = lane; i < NAMES; i += 1 + lane) {
            struct naive_rrset buffer;
            assert_int_equal(zone_pile_add(pile, (struct span){NULL, 0},
                                           naive_set(NAIVE_SIG_A, variant + lane, &buffer), 1,
                                           &refs[i]),
                             SG_OK);
        }
        assert_int_equal(zone_edit_adopt(edit, pile, &base), SG_OK);
        for (unsigned i = lane; i < NAMES; i += 1 + lane) {
            struct dns_name name = host(apex, i);
            assert_int_equal(zone_edit_place(edit, &name, base + refs[i]), SG_OK);
        }
        mem_free(refs);
    }
}

static void check_signed(const struct zone_version *version, const struct dns_name *apex,
                         unsigned variant)
{
    for (unsigned i = 0; i < NAMES; i++) {
        struct dns_name name = host(apex, i);
        struct zone_node node;
        struct dns_rrset found;
        struct naive_rrset buffer;
        assert_true(zone_version_node(version, &name, &node));
        const struct dns_rrset *set = naive_set(NAIVE_SIG_A, variant + (i % 2), &buffer);
        assert_true(zone_node_signatures(&node, ZONE_VIEW_SIGNED, DNS_TYPE_A, &found));
        assert_int_equal(found.bytes, set->bytes);
        assert_memory_equal(found.packed, set->packed, set->bytes);
    }
}

static void placed_blocks_last_and_memory_does_not_grow_with_re_signing(void **state)
{
    (void)state;
    struct dns_name apex;
    struct zone_edit *edit = edit_with_hosts(&apex);
    sign(edit, &apex, 10);
    const struct zone_version *version = NULL;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    check_signed(version, &apex, 10);
    uint64_t settled = 0;
    for (unsigned round = 1; round < 12; round++) {
        edit = zone_edit_open(version);
        sign(edit, &apex, 10 + round);
        if (round % 3 == 0) {
            zone_edit_abandon(edit);
            edit = zone_edit_open(version);
            sign(edit, &apex, 10 + round);
        }
        const struct zone_version *next = NULL;
        assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
        check_signed(version, &apex, 10 + round - 1);
        check_signed(next, &apex, 10 + round);
        zone_version_unref(version);
        epoch_barrier();
        version = next;
        arena_check(&version->lineage->arena);
        settled = round == 4 ? version->lineage->arena.bytes : settled;
    }
    assert_true(version->lineage->arena.bytes <= settled * 5 / 4);
    zone_version_unref(version);
    epoch_barrier();
}

static void a_pile_that_is_not_adopted_is_freed(void **state)
{
    (void)state;
    struct zone_pile *pile = zone_pile_new();
    struct naive_rrset buffer;
    zone_block_ref ref = 0;
    assert_int_equal(
        zone_pile_add(pile, (struct span){NULL, 0}, naive_set(NAIVE_A, 1, &buffer), 1, &ref),
        SG_OK);
    assert_int_not_equal(ref, 0);
    zone_pile_free(pile);
    zone_pile_free(NULL);
}

static void an_empty_pile_may_be_adopted(void **state)
{
    (void)state;
    struct dns_name apex;
    struct zone_edit *edit = edit_with_hosts(&apex);
    zone_block_ref base;
    assert_int_equal(zone_edit_adopt(edit, zone_pile_new(), &base), SG_OK);
    struct dns_name name = host(&apex, 1);
    assert_int_equal(zone_edit_place(edit, &name, 0), SG_OK);
    zone_edit_abandon(edit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placed_blocks_last_and_memory_does_not_grow_with_re_signing),
        cmocka_unit_test(a_pile_that_is_not_adopted_is_freed),
        cmocka_unit_test(an_empty_pile_may_be_adopted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
