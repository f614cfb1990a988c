#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_edits.h"
#include "support/table.h"
#include "zone/block_check.h"

/* A block as block_pack() makes it, in memory of exactly its size. */
static struct zone_block *pack(const char *owner, const struct dns_rrset *rrsets, size_t count,
                               size_t *out_length)
{
    struct arena arena;
    arena_ref ref;
    struct dns_name name;
    arena_init(&arena, &arena_sizes_default);
    assert_int_equal(dns_name_from_text(owner, strlen(owner), NULL, &name), SG_OK);
    struct span relative = {name.wire, name.length - 1U};
    assert_int_equal(block_pack(&arena, relative, rrsets, count, &ref), SG_OK);
    *out_length = block_bytes(arena_at(arena.chunks, ref));
    struct zone_block *block = mem_copy(arena_at(arena.chunks, ref), *out_length);
    arena_clear(&arena);
    return block;
}

static void what_is_packed_passes_and_adds_up(void **state)
{
    (void)state;
    struct random_seeded random = {1};
    for (unsigned round = 0; round < 500; round++) {
        struct edits_rrset buffers[6];
        struct dns_rrset rrsets[6];
        size_t count = 0, length;
        for (unsigned i = 0; i < 6; i++) {
            static const uint16_t types[3] = {DNS_TYPE_A, DNS_TYPE_NS, DNS_TYPE_DS};
            unsigned set = random_seeded_below(&random, 256);
            if (set != 0) {
                rrsets[count++] =
                    *edits_set(i < 3 ? types[i] : DNS_TYPE_RRSIG, i < 3 ? 0 : types[i - 3], set,
                               random_seeded_below(&random, 1000), &buffers[i]);
            }
        }
        if (count == 0) {
            continue;
        }
        struct zone_block *block = pack(round % 2 == 0 ? "*.a." : ".", rrsets, count, &length);
        struct block_summary summary;
        assert_true(block_check(block, length, BLOCK_OF_SOURCE, &summary));
        assert_int_equal(summary.records, block_records(block));
        assert_int_equal(summary.flags, block_flags(block));
        assert_int_equal(summary.ttl_max, block_ttl_max(block));
        assert_int_equal(summary.opt_outs, 0);
        assert_int_equal(block_check(block, length, BLOCK_OF_GENERATED, &summary), round % 2 == 1);
        assert_false(block_check(block, length, BLOCK_OF_HASH, &summary));
        mem_free(block);
    }
}

static void hashes_have_their_own_place(void **state)
{
    (void)state;
    struct edits_rrset nsec3, signatures;
    size_t length;
    const struct dns_rrset rrsets[] = {
        *edits_set(DNS_TYPE_NSEC3, 0, 0xff, 300, &nsec3),
        *edits_set(DNS_TYPE_RRSIG, DNS_TYPE_NSEC3, 1, 300, &signatures),
    };
    for (size_t first = 0; first < 2; first++) {
        struct zone_block *block = pack("hash.", rrsets + first, 2 - first, &length);
        struct block_summary summary;
        assert_true(block_check(block, length, BLOCK_OF_HASH, &summary));
        assert_int_equal(summary.records, first == 0 ? 9 : 1);
        assert_int_equal(summary.opt_outs, block_opt_outs(block));
        assert_int_equal(summary.opt_outs, first == 0 ? 4 : 0);
        assert_false(block_check(block, length, BLOCK_OF_SOURCE, &summary));
        mem_free(block);
    }
}

static void wide_blocks_pass_too(void **state)
{
    enum { TEXTS = 400, TEXT_BYTES = 200 };
    (void)state;
    static uint8_t packed[TEXTS * (TEXT_BYTES + 3)];
    uint8_t *at = packed;
    for (unsigned i = 0; i < TEXTS; i++, at += TEXT_BYTES + 3) {
        wire_put_u16(at, TEXT_BYTES + 1);
        at[2] = TEXT_BYTES;
        wire_put_u32(at + 3, i);
    }
    const struct dns_rrset rrset = {packed, sizeof(packed), 60, DNS_TYPE_TXT, 0, TEXTS};
    struct block_summary summary;
    size_t length;
    struct zone_block *block = pack("a.", &rrset, 1, &length);
    assert_int_equal(block->form, BLOCK_WIDE);
    assert_true(block_check(block, length, BLOCK_OF_SOURCE, &summary));
    assert_int_equal(summary.records, TEXTS);
    struct block_entry_wide *entry = (void *)((uint8_t *)block + sizeof(struct zone_block_wide));
    entry->count--; /* what is told is not what there is */
    assert_false(block_check(block, length, BLOCK_OF_SOURCE, &summary));
    entry->count++;
    for (size_t cut = 0; cut < length; cut += 1 + cut / 3) {
        struct zone_block *part = mem_copy(block, cut);
        assert_false(block_check(part, cut, BLOCK_OF_SOURCE, &summary));
        mem_free(part);
    }
    mem_free(block);
}

/* A compact block of two A and an NS at "ab.": 4 bytes of head, two entries of 8, 3 of owner, 12 of
 * addresses, 8 of a name. */
enum { HEAD = 4, NS = 12, OWNER = 20, RDATA = 23, RDATA_NS = 35 };

/* clang-format off */
static const struct flaw {
    const char *name;
    unsigned at;
    uint8_t byte;
} flaws[] = {
    {"a form that is none",           0,             2},
    {"a wide one that is compact",    0,             1},
    {"an owner that is longer",       1,             4},
    {"an owner that is shorter",      1,             2},
    {"more RRsets",                   2,             3},
    {"fewer RRsets",                  2,             1},
    {"none",                          2,             0},
    {"signatures that are none",      3,             1},
    {"the same type again",           NS + 4,        1},
    {"a type before the last",        HEAD + 4,      3},
    {"type 0",                        HEAD + 4,      0},
    {"an RRSIG among types",          NS + 4,        46},
    {"an NSEC3 among names",          NS + 4,        50},
    {"rdata that ends later",         NS + 6,        21},
    {"rdata that ends earlier",       NS + 6,        19},
    {"rdata that begins at its end",  HEAD + 6,      18},
    {"no rdata",                      HEAD + 6,      0},
    {"a label that is too long",      OWNER,         3},
    {"a label of no bytes",           OWNER,         0},
    {"an upper-case letter",          OWNER + 1,     'A'},
    {"a length beyond the rdata",     RDATA + 1,     5},
    {"a length short of it",          RDATA + 1,     3},
    {"rdata that is not of its type", RDATA_NS + 2,  0x40},
    {"rdata in the wrong order",      RDATA + 5,     9},
    {"the same rdata again",          RDATA + 5,     2},
};
/* clang-format on */

static struct zone_block *make(size_t *out_length)
{
    static const uint8_t addresses[] = {0, 4, 0, 0, 0, 1, 0, 4, 0, 0, 0, 2};
    static const uint8_t servers[] = {0, 6, 4, 'n', 's', '1', '2', 0};
    const struct dns_rrset rrsets[] = {
        {addresses, sizeof(addresses), 300, DNS_TYPE_A, 0, 2},
        {servers, sizeof(servers), 300, DNS_TYPE_NS, 0, 1},
    };
    return pack("ab.", rrsets, 2, out_length);
}

static void is_found(void **state)
{
    const struct flaw *flaw = *state;
    struct block_summary summary = {.records = 77};
    size_t length;
    struct zone_block *block = make(&length);
    assert_true(block_check(block, length, BLOCK_OF_SOURCE, &summary));
    assert_int_equal(summary.records, 3);
    uint8_t *byte = (uint8_t *)block + flaw->at;
    assert_int_not_equal(*byte, flaw->byte);
    *byte = flaw->byte;
    assert_false(block_check(block, length, BLOCK_OF_SOURCE, &summary));
    assert_int_equal(summary.records, 3);
    mem_free(block);
}

static void no_bytes_beyond_the_length_are_looked_at(void **state)
{
    (void)state;
    struct block_summary summary;
    size_t length;
    struct zone_block *block = make(&length);
    for (size_t cut = 0; cut < length; cut++) { /* ASan would tell */
        struct zone_block *part = mem_copy(block, cut);
        assert_false(block_check(part, cut, BLOCK_OF_SOURCE, &summary));
        mem_free(part);
    }
    mem_free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_passes_and_adds_up),
        cmocka_unit_test(hashes_have_their_own_place),
        cmocka_unit_test(wide_blocks_pass_too),
        cmocka_unit_test(no_bytes_beyond_the_length_are_looked_at),
    };
    int failed = RUN_TABLE(flaws, is_found);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
