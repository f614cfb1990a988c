#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "random_edits.h"
#include "zone/diff.h"

enum { ROUNDS = 60, STEPS = 40, KEPT = 3 };

static const struct arena_sizes small_sizes = {64, 1024, 4096};
static struct edits edits;

static struct zone_edit *begin(const char *apex, uint64_t seed)
{
    edits_init(&edits, apex, seed);
    struct zone_edit *edit = draft_new(&edits.apex, DNS_CLASS_IN, &small_sizes);
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    return edit;
}

static void change(struct zone_edit *edit, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        edits_change_something(&edits, edit);
    }
}

static const struct zone_version *seal(struct zone_edit *edit)
{
    const struct zone_version *version;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static void expect(struct zone_diff *diff, const struct edits_named *old,
                   const struct edits_named *new, const struct zone_version *version)
{
    struct zone_difference difference;
    struct dns_name owner;
    assert_true(zone_diff_next(diff, &difference));
    assert_ptr_equal(difference.old.source, old != NULL ? old->node.source : NULL);
    assert_ptr_equal(difference.new.source, new != NULL ? new->node.source : NULL);
    assert_ptr_equal(difference.old.generated, old != NULL ? old->node.generated : NULL);
    assert_ptr_equal(difference.new.generated, new != NULL ? new->node.generated : NULL);
    zone_version_owner(version, new != NULL ? &difference.new : &difference.old, &owner);
    assert_true(dns_name_equal(&owner, new != NULL ? &new->owner : &old->owner));
    assert_int_equal(difference.owner.length, owner.length - edits.apex.length);
}

/* The names that the plainest merge of two whole walks finds, neither more nor fewer. */
static void check_tree(const struct zone_version *old, const struct zone_version *new, bool nsec3)
{
    struct edits_walk left = {0, NULL};
    if (old != NULL) {
        left = edits_walk(old, nsec3);
    }
    struct edits_walk right = edits_walk(new, nsec3);
    struct zone_diff *diff = zone_diff_new(old, new, nsec3);
    for (size_t i = 0, j = 0; i < left.count || j < right.count;) {
        int order = i == left.count ? 1
                    : j == right.count
                        ? -1
                        : dns_name_compare(&left.names[i].owner, &right.names[j].owner);
        if (order != 0 || !edits_same_node(&left.names[i].node, &right.names[j].node)) {
            expect(diff, order <= 0 ? &left.names[i] : NULL, order >= 0 ? &right.names[j] : NULL,
                   new);
        }
        i += order <= 0;
        j += order >= 0;
    }
    struct zone_difference none;
    assert_false(zone_diff_next(diff, &none));
    zone_diff_free(diff);
    mem_free(left.names);
    mem_free(right.names);
}

static void check(const struct zone_version *old, const struct zone_version *new)
{
    check_tree(old, new, false);
    check_tree(old, new, true);
}

static void run(const char *apex, uint64_t seed)
{
    const struct zone_version *kept[KEPT] = {NULL};
    struct zone_edit *edit = begin(apex, seed);
    change(edit, 300);
    const struct zone_version *newest = seal(edit);
    check(NULL, newest);
    for (unsigned round = 0; round < ROUNDS; round++) {
        edit = zone_edit_open(newest);
        for (unsigned i = 0; i < 3; i++) {
            change(edit, edits_below(&edits, STEPS));
            check(newest, zone_edit_draft(edit));
        }
        const struct zone_version *next = seal(edit);
        for (unsigned i = 0; i < KEPT; i++) {
            if (kept[i] != NULL) {
                check(kept[i], next);
                check(next, kept[i]);
            }
        }
        check(newest, next);
        unsigned index = edits_below(&edits, KEPT);
        zone_version_unref(kept[index]);
        kept[index] = newest;
        newest = next;
    }
    for (unsigned i = 0; i < KEPT; i++) {
        zone_version_unref(kept[i]);
    }
    zone_version_unref(newest);
    epoch_barrier();
}

static void versions_of_one_lineage_differ_as_a_plain_merge_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run("example.", seed);
        run(".", seed + 100);
    }
}

static void versions_of_two_lineages_differ_as_a_plain_merge_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct zone_edit *edit = begin("a.example.", seed);
        change(edit, 200);
        const struct zone_version *old = seal(edit);
        edit = begin("a.example.", seed); /* the same changes again, and others */
        change(edit, 180 + edits_below(&edits, 20));
        change(edit, edits_below(&edits, 50));
        const struct zone_version *new = seal(edit);
        check(old, new);
        check(new, old);
        zone_version_unref(old);
        zone_version_unref(new);
        epoch_barrier();
    }
}

/* A walk that looked at all names would take a thousand times as long. */
static void what_is_shared_is_passed_over(void **state)
{
    enum { NAMES = 20000, DIFFS = 1000 };
    (void)state;
    edits_init(&edits, "example.", 7);
    struct zone_edit *edit = zone_edit_new(&edits.apex, DNS_CLASS_IN);
    struct edits_rrset buffer;
    edits_put_soa(&edits, edit, 1, ZONE_SOURCE);
    for (unsigned i = 0; i < NAMES; i++) {
        char text[64];
        struct dns_name owner;
        snprintf(text, sizeof(text), "n%u.example.", i);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &owner), SG_OK);
        edits_put(edit, &owner, ZONE_SOURCE, edits_set(DNS_TYPE_A, 0, 1, 300, &buffer));
    }
    const struct zone_version *old = seal(edit);
    edit = zone_edit_open(old);
    edits_put_soa(&edits, edit, 2, ZONE_SOURCE);
    const struct zone_version *new = seal(edit);
    for (unsigned i = 0; i < DIFFS; i++) { /* 20 million names, were they all walked */
        struct zone_diff *diff = zone_diff_new(old, new, false);
        struct zone_difference difference;
        assert_true(zone_diff_next(diff, &difference));
        assert_int_equal(difference.owner.length, 0);
        assert_false(zone_diff_next(diff, &difference));
        zone_diff_free(diff);
    }
    zone_version_unref(old);
    zone_version_unref(new);
    epoch_barrier();
}

static void rrsets_are_the_same_with_equal_rdatas_and_ttl(void **state)
{
    struct edits_rrset a, b;
    struct dns_rrset none = {0};
    (void)state;
    edits_set(DNS_TYPE_A, 0, 3, 300, &a);
    assert_true(zone_diff_same_rrset(&a.rrset, edits_set(DNS_TYPE_A, 0, 3, 300, &b)));
    assert_false(zone_diff_same_rrset(&a.rrset, edits_set(DNS_TYPE_A, 0, 3, 301, &b)));
    assert_false(zone_diff_same_rrset(&a.rrset, edits_set(DNS_TYPE_A, 0, 2, 300, &b)));
    assert_false(zone_diff_same_rrset(&a.rrset, edits_set(DNS_TYPE_A, 0, 5, 300, &b)));
    assert_false(zone_diff_same_rrset(&a.rrset, &none));
    assert_true(zone_diff_same_rrset(&none, &none));
}

static const struct zone_version *random_version(uint64_t seed, unsigned steps, bool generated)
{
    struct zone_edit *edit = begin("example.", seed);
    change(edit, steps);
    if (!generated) {
        zone_edit_clear_generated(edit);
    }
    return seal(edit);
}

static void a_transformed_edit_has_the_other_lineages_source(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        bool is_signed = seed % 2 == 0;
        const struct zone_version *wanted = random_version(seed, 220, false);
        const struct zone_version *base = random_version(seed + seed / 10, 200, is_signed);
        struct zone_edit *edit = zone_edit_open(base);
        uint64_t changed, again;
        assert_int_equal(zone_diff_transform(edit, wanted, false, &changed), SG_OK);
        assert_int_equal(zone_diff_transform(edit, wanted, false, &again), SG_OK);
        assert_int_equal(again, 0);
        const struct zone_version *got = seal(edit);
        edits_check_same(wanted, got, is_signed);
        assert_true(changed > 0);
        zone_version_unref(got);

        /* Names that have no other source than before keep what was generated for them. */
        struct edits_walk before = edits_walk(base, false);
        for (size_t i = 0; i < before.count; i++) {
            struct zone_node now;
            if (zone_version_node(wanted, &before.names[i].owner, &now)) {
                assert_true(zone_version_node(got, &before.names[i].owner, &now));
                assert_true(edits_same_layer(&before.names[i].node, &now, ZONE_GENERATED));
            }
        }
        mem_free(before.names);
        zone_version_unref(base);
        zone_version_unref(wanted);
        epoch_barrier();
    }
}

static void a_soa_that_differs_in_the_serial_alone_stays(void **state)
{
    uint64_t changed;
    struct edits_rrset buffer;
    (void)state;
    struct zone_edit *edit = begin("example.", 1);
    edits_put(edit, &edits.apex, ZONE_SOURCE, edits_set(DNS_TYPE_NS, 0, 3, 300, &buffer));
    const struct zone_version *base = seal(edit);
    edit = begin("example.", 1);
    edits_put_soa(&edits, edit, 77, ZONE_SOURCE);
    edits_put(edit, &edits.apex, ZONE_SOURCE, edits_set(DNS_TYPE_NS, 0, 3, 300, &buffer));
    const struct zone_version *wanted = seal(edit);

    edit = zone_edit_open(base);
    assert_int_equal(zone_diff_transform(edit, wanted, true, &changed), SG_OK);
    assert_int_equal(changed, 0);
    assert_int_equal(zone_version_facts(zone_edit_draft(edit))->serial, 1);
    assert_int_equal(zone_diff_transform(edit, wanted, false, &changed), SG_OK);
    assert_int_equal(changed, 1);
    assert_int_equal(zone_version_facts(zone_edit_draft(edit))->serial, 77);

    /* With another number, the serial comes along. */
    edits_set(DNS_TYPE_SOA, 0, 1, 300, &buffer);
    wire_put_u32(buffer.packed + 4, 5);
    buffer.packed[9] = 9;
    edits_put(edit, &edits.apex, ZONE_SOURCE, &buffer.rrset);
    edits_put(edit, &edits.apex, ZONE_SOURCE, edits_set(DNS_TYPE_TXT, 0, 3, 300, &buffer));
    assert_int_equal(zone_diff_transform(edit, wanted, true, &changed), SG_OK);
    assert_int_equal(changed, 2);
    const struct zone_version *got = seal(edit);
    edits_check_same(wanted, got, false);
    zone_version_unref(got);
    zone_version_unref(base);
    zone_version_unref(wanted);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_of_one_lineage_differ_as_a_plain_merge_says),
        cmocka_unit_test(versions_of_two_lineages_differ_as_a_plain_merge_says),
        cmocka_unit_test(what_is_shared_is_passed_over),
        cmocka_unit_test(rrsets_are_the_same_with_equal_rdatas_and_ttl),
        cmocka_unit_test(a_transformed_edit_has_the_other_lineages_source),
        cmocka_unit_test(a_soa_that_differs_in_the_serial_alone_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
