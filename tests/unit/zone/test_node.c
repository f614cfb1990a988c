#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/block.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, &arena_sizes_default);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static const struct zone_block *pack(const char *owner, const struct dns_rrset *rrsets,
                                     size_t count)
{
    struct dns_name name = dns_name_root;
    assert_int_equal(dns_name_from_text(owner, strlen(owner), NULL, &name), SG_OK);
    arena_ref ref;
    assert_int_equal(
        block_pack(&arena, (struct span){name.wire, name.length - 1U}, rrsets, count, &ref), SG_OK);
    return arena_at(arena.chunks, ref);
}

static void a_block_shows_what_was_packed_in_ascending_type(void **state)
{
    (void)state;
    static const enum naive_kind kinds[] = {NAIVE_SIG_TXT, NAIVE_TXT, NAIVE_A, NAIVE_SIG_A,
                                            NAIVE_NS};
    static const uint16_t order[] = {DNS_TYPE_A, DNS_TYPE_NS, DNS_TYPE_TXT};
    struct naive_rrset buffers[5];
    struct dns_rrset rrsets[5];
    for (unsigned i = 0; i < 5; i++) {
        rrsets[i] = *naive_set(kinds[i], 10 + i, &buffers[i]);
    }
    struct zone_node node = {.source = pack("www.sub.", rrsets, 5)};
    assert_memory_equal(zone_node_owner(&node).bytes, "\003www\003sub", 8);
    assert_int_equal(zone_node_owner(&node).length, 8);

    struct zone_rrset_walk walk = zone_node_walk(&node, ZONE_VIEW_SIGNED);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(zone_node_walk_next(&walk));
        assert_int_equal(walk.rrset.type, order[i]);
        assert_int_equal(walk.rrset.covered, 0);
    }
    assert_true(zone_node_walk_next(&walk));
    assert_int_equal(walk.rrset.covered, DNS_TYPE_A);
    assert_true(zone_node_walk_next(&walk));
    assert_int_equal(walk.rrset.covered, DNS_TYPE_TXT);
    assert_false(zone_node_walk_next(&walk));

    for (unsigned i = 0; i < 5; i++) {
        struct dns_rrset found;
        bool signature = rrsets[i].type == DNS_TYPE_RRSIG;
        assert_true(signature
                        ? zone_node_signatures(&node, ZONE_VIEW_UNSIGNED, rrsets[i].covered, &found)
                        : zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, rrsets[i].type, &found));
        assert_int_equal(found.ttl, rrsets[i].ttl);
        assert_int_equal(found.count, rrsets[i].count);
        assert_int_equal(found.bytes, rrsets[i].bytes);
        assert_memory_equal(found.packed, rrsets[i].packed, found.bytes);
    }
    struct dns_rrset none = {.ttl = 77};
    assert_false(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_AAAA, &none));
    assert_false(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_RRSIG, &none));
    assert_false(zone_node_signatures(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NS, &none));
    assert_int_equal(none.ttl, 77);
}

static void the_signed_view_takes_generated_records_first(void **state)
{
    (void)state;
    struct naive_rrset buffers[4];
    struct dns_rrset source[] = {*naive_set(NAIVE_SOA, 1, &buffers[0]),
                                 *naive_set(NAIVE_TXT, 2, &buffers[1])};
    struct dns_rrset generated[] = {*naive_set(NAIVE_SOA, 9, &buffers[2]),
                                    *naive_set(NAIVE_NSEC, 3, &buffers[3])};
    struct zone_node node = {.source = pack(".", source, 2), .generated = pack(".", generated, 2)};
    struct dns_rrset found;
    assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_SOA, &found));
    assert_int_equal(found.ttl, naive_ttl(9));
    assert_true(zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, &found));
    assert_int_equal(found.ttl, naive_ttl(1));
    assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_TXT, &found));
    assert_false(zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, DNS_TYPE_NSEC, &found));

    static const uint16_t signed_types[] = {DNS_TYPE_SOA, DNS_TYPE_TXT, DNS_TYPE_NSEC};
    struct zone_rrset_walk walk = zone_node_walk(&node, ZONE_VIEW_SIGNED);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(zone_node_walk_next(&walk));
        assert_int_equal(walk.rrset.type, signed_types[i]);
        assert_int_equal(walk.rrset.ttl, naive_ttl(i == 0 ? 9 : i == 1 ? 2 : 3));
    }
    assert_false(zone_node_walk_next(&walk));
    walk = zone_node_walk(&node, ZONE_VIEW_UNSIGNED);
    assert_true(zone_node_walk_next(&walk) && zone_node_walk_next(&walk));
    assert_false(zone_node_walk_next(&walk));
}

static void flags_tell_what_a_name_owns(void **state)
{
    (void)state;
    static const struct {
        const char *owner;
        enum naive_kind kind;
        uint32_t flags;
    } cases[] = {
        {".", NAIVE_NS, ZONE_NODE_APEX},
        {"a.", NAIVE_NS, ZONE_NODE_CUT},
        {".", NAIVE_DNAME, ZONE_NODE_APEX | ZONE_NODE_DNAME},
        {"a.", NAIVE_DNAME, ZONE_NODE_DNAME},
        {"a.", NAIVE_CNAME, ZONE_NODE_CNAME},
        {"a.", NAIVE_DS, ZONE_NODE_DS},
        {"a.", NAIVE_A, 0},
        {"*.a.", NAIVE_A, ZONE_NODE_WILDCARD},
        {"x.*.a.", NAIVE_A, 0},
        {"*x.a.", NAIVE_A, 0},
        {"a.", NAIVE_SIG_A, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct naive_rrset buffer;
        const struct zone_block *block =
            pack(cases[i].owner, naive_set(cases[i].kind, 5, &buffer), 1);
        assert_int_equal(block_flags(block), cases[i].flags);
        assert_int_equal(block_ttl_max(block), naive_ttl(5));
    }
}

static void many_types_and_much_rdata_take_the_wide_form(void **state)
{
    (void)state;
    enum { TYPES = 60000, BIG = 65535 };
    uint8_t *big = mem_alloc_zero(1, BIG + 2);
    wire_put_u16(big, BIG);
    struct dns_rrset *rrsets = mem_alloc_zero(TYPES, sizeof(*rrsets));
    for (unsigned i = 0; i < TYPES; i++) {
        rrsets[i] = (struct dns_rrset){.packed = (const uint8_t *)"\0\1x\0\1y",
                                       .bytes = 6,
                                       .count = 2,
                                       .ttl = i,
                                       .type = (uint16_t)(TYPES - i)};
    }
    rrsets[5].packed = big;
    rrsets[5].bytes = BIG + 2;
    rrsets[5].count = 1;
    struct zone_node node = {.source = pack("wide.", rrsets, TYPES)};
    assert_int_equal(node.source->form, BLOCK_WIDE);
    assert_memory_equal(zone_node_owner(&node).bytes, "\004wide", 5);
    assert_int_equal(block_records(node.source), 2 * TYPES - 1);
    for (unsigned i = 0; i < TYPES; i += 7) {
        struct dns_rrset found;
        assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, (uint16_t)(TYPES - i), &found));
        assert_int_equal(found.ttl, i);
        assert_int_equal(found.count, 2);
        assert_memory_equal(found.packed, "\0\1x\0\1y", 6);
    }
    struct dns_rrset found;
    assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, TYPES - 5, &found));
    assert_int_equal(found.bytes, BIG + 2);
    mem_free(rrsets);
    mem_free(big);
}

static void the_compact_form_goes_to_its_limits(void **state)
{
    (void)state;
    uint8_t *packed = mem_alloc_zero(1, 70000);
    for (uint32_t bytes = 65533; bytes <= 65537; bytes++) {
        wire_put_u16(packed, 65000);
        wire_put_u16(packed + 65002, (uint16_t)(bytes - 65004));
        struct dns_rrset rrset = {
            .packed = packed, .bytes = bytes, .count = 2, .type = DNS_TYPE_NULL};
        struct zone_node node = {.source = pack("a.", &rrset, 1)};
        assert_int_equal(node.source->form, bytes > 65535 ? BLOCK_WIDE : 0);
        struct dns_rrset found;
        assert_true(zone_node_rrset(&node, ZONE_VIEW_SIGNED, DNS_TYPE_NULL, &found));
        assert_int_equal(found.bytes, bytes);
        assert_int_equal(found.count, 2);
    }
    for (unsigned types = 254; types <= 257; types++) {
        struct dns_rrset rrsets[257];
        for (unsigned i = 0; i < types; i++) {
            rrsets[i] = (struct dns_rrset){.packed = (const uint8_t *)"\0\0",
                                           .bytes = 2,
                                           .count = 1,
                                           .type = (uint16_t)(i + 1000)};
        }
        struct zone_node node = {.source = pack("a.", rrsets, types)};
        assert_int_equal(node.source->form, types > 255 ? BLOCK_WIDE : 0);
        assert_int_equal(block_records(node.source), types);
    }
    mem_free(packed);
}

static void a_name_above_16_mib_is_a_limit(void **state)
{
    (void)state;
    enum { RRSET = 65537, RRSETS = 260 };
    uint8_t *packed = mem_alloc_zero(1, RRSET);
    wire_put_u16(packed, RRSET - 2);
    struct dns_rrset rrsets[RRSETS];
    for (unsigned i = 0; i < RRSETS; i++) {
        rrsets[i] = (struct dns_rrset){
            .packed = packed, .bytes = RRSET, .count = 1, .type = (uint16_t)(i + 1)};
    }
    arena_ref ref = 0;
    assert_int_equal(block_pack(&arena, (struct span){NULL, 0}, rrsets, RRSETS, &ref), SG_LIMIT);
    assert_int_equal(ref, 0);
    assert_int_equal(block_pack(&arena, (struct span){NULL, 0}, rrsets, 250, &ref), SG_OK);
    assert_true(block_bytes(arena_at(arena.chunks, ref)) > 250 * RRSET);
    mem_free(packed);
}

static void a_one_address_name_is_small(void **state)
{
    (void)state;
    struct naive_rrset buffer;
    const struct zone_block *block = pack("www.", naive_set(NAIVE_A, 4, &buffer), 1);
    assert_int_equal(block_bytes(block), 4 + 8 + 4 + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_shows_what_was_packed_in_ascending_type),
        cmocka_unit_test(the_signed_view_takes_generated_records_first),
        cmocka_unit_test(flags_tell_what_a_name_owns),
        cmocka_unit_test(many_types_and_much_rdata_take_the_wide_form),
        cmocka_unit_test(the_compact_form_goes_to_its_limits),
        cmocka_unit_test(a_name_above_16_mib_is_a_limit),
        cmocka_unit_test(a_one_address_name_is_small),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
