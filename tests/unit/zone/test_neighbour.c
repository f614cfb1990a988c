#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "naive.h"
#include "zone/neighbour.h"

enum { ROUNDS = 60, NAMES = 80, QUESTIONS = 300 };

static void check_owner(const struct zone_version *version, const struct zone_node *node,
                        const struct dns_name *expected)
{
    struct dns_name owner;
    zone_version_owner(version, node, &owner);
    assert_true(dns_name_equal(&owner, expected));
}

static void check(const struct naive_zone *zone, const struct zone_version *version,
                  const struct dns_name *name)
{
    const struct dns_name *before = NULL, *after = NULL;
    for (size_t i = 0; i < zone->count; i++) {
        const struct dns_name *there = &zone->names[i].name;
        if (naive_cut_above(zone, there) != NULL) {
            continue;
        }
        int order = dns_name_compare(there, name);
        before = order < 0 ? there : before;
        after = order > 0 && after == NULL ? there : after;
    }
    struct zone_node node;
    assert_int_equal(zone_neighbour_before(version, name, &node), before != NULL);
    if (before != NULL) {
        check_owner(version, &node, before);
    }
    assert_true(zone_neighbour_after(version, name, &node));
    check_owner(version, &node, after != NULL ? after : &zone->apex);
}

static void neighbours_are_those_of_a_sorted_list(void **state)
{
    (void)state;
    struct random_seeded random = {20261201};
    static struct naive_zone zone;
    struct dns_name apex;
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &apex), SG_OK);
    for (int round = 0; round < ROUNDS; round++) {
        struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
        struct naive_rrset buffer;
        const struct zone_version *version;
        naive_init(&zone, &apex);
        for (int i = 0; i < NAMES; i++) {
            static const enum naive_kind kinds[] = {NAIVE_A, NAIVE_TXT, NAIVE_A, NAIVE_NS,
                                                    NAIVE_DNAME};
            struct dns_name owner = i == 0 ? apex : naive_random_name(&random, &apex);
            enum naive_kind kind = i == 0 ? NAIVE_SOA : kinds[random_seeded_below(&random, 5)];
            if (i > 0 && dns_name_equal(&owner, &apex)) {
                continue;
            }
            (void)naive_put(&zone, &owner, ZONE_SOURCE, kind, 1);
            assert_int_equal(
                zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, naive_set(kind, 1, &buffer)), SG_OK);
        }
        assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
        for (size_t i = 0; i < zone.count; i++) {
            check(&zone, version, &zone.names[i].name);
        }
        for (int i = 0; i < QUESTIONS; i++) {
            struct dns_name name = naive_random_name(&random, &apex);
            check(&zone, version, &name);
        }
        zone_version_unref(version);
        epoch_barrier();
    }
}

static void check_hash(const struct zone_node *node, const uint8_t *expected)
{
    char text[NSEC3_HASH_TEXT_BYTES];
    struct span owner = zone_node_owner(node);
    base32hex_encode(expected, NSEC3_HASH_BYTES, text);
    assert_int_equal(owner.length, 1 + NSEC3_HASH_TEXT_BYTES);
    assert_memory_equal(owner.bytes + 1, text, NSEC3_HASH_TEXT_BYTES);
}

static void add_hash(struct zone_edit *edit, const struct dns_name *apex, const uint8_t *hash)
{
    static const uint8_t packed[] = {0, 5, 1, 0, 0, 0, 0};
    const struct dns_rrset rrset = {packed, sizeof(packed), 60, DNS_TYPE_NSEC3, 0, 1};
    struct dns_name label = {.length = 2 + NSEC3_HASH_TEXT_BYTES, .labels = 1}, owner;
    label.wire[0] = NSEC3_HASH_TEXT_BYTES;
    base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label.wire + 1);
    assert_int_equal(dns_name_join(&label, apex, &owner), SG_OK);
    assert_int_equal(zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, &rrset), SG_OK);
}

static void hashes_stand_in_a_circle(void **state)
{
    (void)state;
    struct dns_name apex;
    struct naive_rrset buffer;
    const struct zone_version *version;
    struct zone_node node;
    uint8_t hashes[3][NSEC3_HASH_BYTES] = {{0x10}, {0x80}, {0xf0}};
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    assert_int_equal(
        zone_edit_put_rrset(edit, &apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &buffer)), SG_OK);
    assert_false(zone_neighbour_before_hash(zone_edit_draft(edit), hashes[0], &node));
    assert_false(zone_neighbour_after_hash(zone_edit_draft(edit), hashes[0], &node));
    add_hash(edit, &apex, hashes[1]);
    for (int i = 0; i < 3; i++) {
        assert_true(zone_neighbour_before_hash(zone_edit_draft(edit), hashes[i], &node));
        check_hash(&node, hashes[1]);
        assert_true(zone_neighbour_after_hash(zone_edit_draft(edit), hashes[i], &node));
        check_hash(&node, hashes[1]);
    }
    add_hash(edit, &apex, hashes[0]);
    add_hash(edit, &apex, hashes[2]);
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(zone_neighbour_before_hash(version, hashes[i], &node));
        check_hash(&node, hashes[(i + 2) % 3]);
        assert_true(zone_neighbour_after_hash(version, hashes[i], &node));
        check_hash(&node, hashes[(i + 1) % 3]);
    }
    zone_version_unref(version);
    epoch_barrier();
}

static void a_walk_of_hashes_begins_anywhere(void **state)
{
    (void)state;
    struct dns_name apex;
    struct naive_rrset buffer;
    const struct zone_version *version;
    struct random_seeded random = {20261202};
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    assert_int_equal(
        zone_edit_put_rrset(edit, &apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &buffer)), SG_OK);
    for (int i = 0; i < 100; i++) {
        uint8_t hash[NSEC3_HASH_BYTES] = {(uint8_t)random_seeded_below(&random, 256),
                                          (uint8_t)random_seeded_below(&random, 4)};
        add_hash(edit, &apex, hash);
    }
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    static struct zone_cursor cursor, all;
    for (unsigned begin = 0; begin < 256; begin++) {
        uint8_t hash[NSEC3_HASH_BYTES] = {(uint8_t)begin, 2};
        uint8_t label[1 + NSEC3_HASH_TEXT_BYTES] = {NSEC3_HASH_TEXT_BYTES};
        base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label + 1);
        zone_cursor_seek_nsec3(&cursor, version, (struct span){label, sizeof(label)});
        zone_cursor_start_nsec3(&all, version);
        while (zone_cursor_next(&all)) {
            struct span owner = zone_node_owner(&all.node);
            if (memcmp(owner.bytes, label, sizeof(label)) >= 0) {
                assert_true(zone_cursor_next(&cursor));
                assert_ptr_equal(cursor.node.source, all.node.source);
            }
        }
        assert_false(zone_cursor_next(&cursor));
    }
    zone_version_unref(version);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_those_of_a_sorted_list),
        cmocka_unit_test(hashes_stand_in_a_circle),
        cmocka_unit_test(a_walk_of_hashes_begins_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
