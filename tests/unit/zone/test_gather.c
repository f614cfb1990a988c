#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "zone/gather.h"

static struct span text(const char *bytes, size_t length)
{
    return (struct span){(const uint8_t *)bytes, length};
}

static const struct span owner = {(const uint8_t *)"\001a", 2};

static void rdatas_are_sorted_and_names_compared_without_case(void **state)
{
    (void)state;
    struct gather gather = {0};
    uint32_t ttl = 0;
    gather_start(&gather, false, owner);
    assert_int_equal(gather_add(&gather, DNS_TYPE_NS, 9, text("\001b", 3), &ttl), SG_OK);
    assert_int_equal(gather_add(&gather, DNS_TYPE_NS, 9, text("\001C", 3), &ttl), SG_OK);
    assert_int_equal(gather_add(&gather, DNS_TYPE_NS, 9, text("\001a", 3), &ttl), SG_OK);
    assert_int_equal(gather_add(&gather, DNS_TYPE_NS, 9, text("\001c", 3), &ttl), SG_EXISTS);
    assert_int_equal(gather_add(&gather, DNS_TYPE_TXT, 9, text("\001b", 2), &ttl), SG_OK);
    assert_int_equal(gather_add(&gather, DNS_TYPE_TXT, 9, text("\001B", 2), &ttl), SG_OK);
    struct arena arena;
    arena_init(&arena, &arena_sizes_default);
    arena_ref ref;
    assert_int_equal(gather_pack(&gather, &arena, &ref), SG_OK);
    const struct zone_block *block = arena_at(arena.chunks, ref);
    struct dns_rrset ns;
    block_entry(block, 0, &ns);
    assert_int_equal(ns.count, 3);
    assert_memory_equal(ns.packed, "\0\003\001a\0\0\003\001b\0\0\003\001C\0", 15);
    assert_int_equal(block_records(block), 5);
    arena_clear(&arena);
    gather_clear(&gather);
}

static void the_smallest_ttl_stands_also_after_a_duplicate(void **state)
{
    (void)state;
    struct gather gather = {0};
    uint32_t ttl = 0;
    gather_start(&gather, false, owner);
    assert_int_equal(gather_add(&gather, DNS_TYPE_A, 300, text("abcd", 4), &ttl), SG_OK);
    assert_int_equal(ttl, 300);
    assert_int_equal(gather_add(&gather, DNS_TYPE_A, 400, text("abce", 4), &ttl), SG_OK);
    assert_int_equal(ttl, 300);
    assert_int_equal(gather_add(&gather, DNS_TYPE_A, 200, text("abce", 4), &ttl), SG_EXISTS);
    assert_int_equal(ttl, 200);
    assert_int_equal(gather_add(&gather, DNS_TYPE_AAAA, 900, text("0123456789abcdef", 16), &ttl),
                     SG_OK);
    assert_int_equal(ttl, 900);
    gather_clear(&gather);
}

static void signatures_go_by_the_type_they_cover(void **state)
{
    (void)state;
    struct gather gather = {0};
    uint32_t ttl = 0;
    char a[40] = "\0\001", mx[40] = "\0\017";
    gather_start(&gather, false, owner);
    assert_int_equal(gather_add(&gather, DNS_TYPE_RRSIG, 300, text(a, 40), &ttl), SG_OK);
    assert_int_equal(gather_add(&gather, DNS_TYPE_RRSIG, 100, text(mx, 40), &ttl), SG_OK);
    assert_int_equal(gather.count, 2);
    assert_int_equal(gather.rrsets[0].ttl, 300);
    assert_int_equal(gather.rrsets[1].covered, DNS_TYPE_MX);
    assert_int_equal(gather_add(&gather, DNS_TYPE_RRSIG, 100, text(mx, 17), &ttl), SG_MALFORMED);
    gather_clear(&gather);
}

static void an_rrset_above_65535_records_is_a_limit(void **state)
{
    (void)state;
    struct gather gather = {0};
    uint32_t ttl = 0;
    gather_start(&gather, false, owner);
    for (uint32_t i = 0; i < 65535; i++) {
        uint8_t rdata[4];
        wire_put_u32(rdata, i * 65521 % 65536); /* in no order */
        assert_int_equal(gather_add(&gather, DNS_TYPE_A, 1, (struct span){rdata, 4}, &ttl), SG_OK);
    }
    assert_int_equal(gather_add(&gather, DNS_TYPE_A, 1, text("zzzz", 4), &ttl), SG_LIMIT);
    struct arena arena;
    arena_init(&arena, &arena_sizes_default);
    arena_ref ref;
    assert_int_equal(gather_pack(&gather, &arena, &ref), SG_OK);
    const struct zone_block *block = arena_at(arena.chunks, ref);
    struct dns_rrset rrset;
    block_entry(block, 0, &rrset);
    assert_int_equal(rrset.count, 65535);
    uint32_t last = 0;
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        assert_true(c.rdata.bytes == rrset.packed + 2 || wire_get_u32(c.rdata.bytes) > last);
        last = wire_get_u32(c.rdata.bytes);
    }
    /* Loaded from its block, it is full as before. */
    gather_start(&gather, false, owner);
    gather_load(&gather, block);
    assert_false(gather.changed);
    assert_int_equal(gather_add(&gather, DNS_TYPE_A, 1, text("zzzz", 4), &ttl), SG_LIMIT);
    arena_clear(&arena);
    gather_clear(&gather);
}

static void a_name_above_16_mib_is_a_limit(void **state)
{
    (void)state;
    struct gather gather = {0};
    uint32_t ttl = 0;
    uint8_t *rdata = mem_alloc_zero(1, 65535);
    gather_start(&gather, false, owner);
    enum sg_result result = SG_OK;
    unsigned added = 0;
    for (; result == SG_OK; added++) {
        wire_put_u16(rdata, (uint16_t)added);
        result = gather_add(&gather, DNS_TYPE_NULL, 1, (struct span){rdata, 65535}, &ttl);
    }
    assert_int_equal(result, SG_LIMIT);
    assert_int_equal(added, 256);
    mem_free(rdata);
    gather_clear(&gather);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rdatas_are_sorted_and_names_compared_without_case),
        cmocka_unit_test(the_smallest_ttl_stands_also_after_a_duplicate),
        cmocka_unit_test(signatures_go_by_the_type_they_cover),
        cmocka_unit_test(an_rrset_above_65535_records_is_a_limit),
        cmocka_unit_test(a_name_above_16_mib_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
