#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/draft.h"
#include "zone/patch.h"

/*
 * Random changes RR by RR through patches, some freed and some written, against a table of which
 * rdata of which RRset is there.
 */
enum { NAMES = 40, TYPES = 3, RDATAS = 12, ROUNDS = 400, STEPS = 60 };

static const uint16_t types[TYPES] = {DNS_TYPE_A, DNS_TYPE_TXT, DNS_TYPE_RRSIG};
static const struct arena_sizes small_sizes = {64, 1024, 4096};

struct table {
    uint32_t ttl[NAMES][TYPES];
    uint16_t rdatas[NAMES][TYPES]; /* bits */
};

struct scene {
    struct random_seeded random;
    struct table now;
    uint8_t packed[TYPES][RDATAS][32];
};

static struct span owner_at(unsigned index, uint8_t owner[8])
{
    owner[0] = 2;
    owner[1] = (uint8_t)('a' + index % 7);
    owner[2] = (uint8_t)('a' + index / 7);
    return (struct span){owner, 3};
}

/* Rdata that ends with its number. RRSIGs cover A. */
static void make_rdatas(struct scene *scene)
{
    for (unsigned t = 0; t < TYPES; t++) {
        for (unsigned r = 0; r < RDATAS; r++) {
            uint8_t *packed = scene->packed[t][r];
            size_t length = t == 0 ? 4 : t == 1 ? 3 : 20;
            memset(packed, 0, sizeof(scene->packed[t][r]));
            wire_put_u16(packed, (uint16_t)length);
            packed[2] = t == 1 ? 2 : 0;
            packed[3] = t == 2 ? DNS_TYPE_A : 0;
            packed[1 + length] = (uint8_t)r;
        }
    }
}

static struct span rdata_of(const uint8_t *packed)
{
    return (struct span){packed + 2, wire_get_u16(packed)};
}

static void check_name(const struct scene *scene, const struct patch_name *name, unsigned n)
{
    unsigned rrsets = 0;
    for (unsigned t = 0; t < TYPES; t++) {
        uint16_t covered = types[t] == DNS_TYPE_RRSIG ? DNS_TYPE_A : 0;
        const struct patch_rrset *rrset = patch_name_rrset(name, types[t], covered);
        uint16_t bits = scene->now.rdatas[n][t];
        assert_int_equal(rrset != NULL, bits != 0);
        rrsets += bits != 0;
        for (unsigned r = 0; rrset != NULL && r < RDATAS; r++) {
            assert_int_equal(patch_rrset_has(rrset, rdata_of(scene->packed[t][r])), bits >> r & 1);
        }
        if (rrset != NULL) {
            assert_int_equal(rrset->ttl, scene->now.ttl[n][t]);
            assert_int_equal(rrset->count, __builtin_popcount(bits));
            for (uint32_t i = 1; i < rrset->count; i++) {
                struct span one = patch_rrset_rdata(rrset, i - 1);
                struct span next = patch_rrset_rdata(rrset, i);
                assert_true(one.bytes[one.length - 1] < next.bytes[next.length - 1]);
            }
        }
    }
    assert_int_equal(patch_name_rrsets(name), rrsets);
}

static void change_something(struct scene *scene, struct patch *patch)
{
    struct random_seeded *random = &scene->random;
    uint8_t owner[8];
    unsigned n = random_seeded_below(random, NAMES), t = random_seeded_below(random, TYPES);
    unsigned r = random_seeded_below(random, RDATAS);
    uint16_t covered = types[t] == DNS_TYPE_RRSIG ? DNS_TYPE_A : 0;
    struct patch_name *name = patch_find_name(patch, false, owner_at(n, owner));
    uint16_t *bits = &scene->now.rdatas[n][t];
    uint32_t ttl = 60 * (1 + random_seeded_below(random, 2));
    bool there = (*bits >> r & 1) != 0;
    switch (random_seeded_below(random, 5)) {
    case 0:
        patch_clear(name, types[t], covered);
        *bits = 0;
        break;
    case 1:
    case 2:
        assert_int_equal(patch_remove(name, types[t], rdata_of(scene->packed[t][r])),
                         there ? SG_OK : SG_NOT_FOUND);
        *bits &= (uint16_t) ~(1u << r);
        break;
    default:
        assert_int_equal(patch_add(name, types[t], ttl, scene->packed[t][r]),
                         there ? SG_EXISTS : SG_OK);
        *bits |= (uint16_t)(1u << r);
        scene->now.ttl[n][t] = ttl;
        break;
    }
    check_name(scene, name, n);
}

static uint64_t count_differences(const struct table *a, const struct table *b)
{
    uint64_t differences = 0;
    for (unsigned n = 0; n < NAMES; n++) {
        for (unsigned t = 0; t < TYPES; t++) {
            bool none = a->rdatas[n][t] == 0 && b->rdatas[n][t] == 0;
            differences +=
                !none && (a->rdatas[n][t] != b->rdatas[n][t] || a->ttl[n][t] != b->ttl[n][t]);
        }
    }
    return differences;
}

static void check_draft(const struct scene *scene, struct zone_edit *edit)
{
    struct patch *patch = patch_new(edit);
    uint8_t owner[8];
    for (unsigned n = 0; n < NAMES; n++) {
        check_name(scene, patch_find_name(patch, false, owner_at(n, owner)), n);
        assert_ptr_equal(patch_at(patch, n), patch_find_name(patch, false, owner_at(n, owner)));
    }
    assert_null(patch_at(patch, NAMES));
    patch_free(patch);
}

static void random_patches_do_all_or_nothing(void **state)
{
    (void)state;
    struct scene scene = {.random = {7}};
    struct dns_name apex;
    const struct zone_version *version;
    struct naive_rrset soa;
    make_rdatas(&scene);
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    struct zone_edit *edit = draft_new(&apex, DNS_CLASS_IN, &small_sizes);
    assert_int_equal(zone_edit_put_rrset(edit, &apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &soa)),
                     SG_OK);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct table before = scene.now;
        struct patch *patch = patch_new(edit);
        for (unsigned step = random_seeded_below(&scene.random, STEPS); step > 0; step--) {
            change_something(&scene, patch);
        }
        if (random_seeded_below(&scene.random, 3) == 0) {
            scene.now = before;
        } else {
            uint64_t changes;
            assert_int_equal(patch_write(patch, &changes), SG_OK);
            assert_int_equal(changes, count_differences(&before, &scene.now));
        }
        patch_free(patch);
        check_draft(&scene, edit);
        if (random_seeded_below(&scene.random, 4) == 0) {
            assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
            edit = zone_edit_open(version);
            zone_version_unref(version);
            epoch_reclaim();
        }
    }
    zone_edit_abandon(edit);
    epoch_barrier();
}

/* A name that keeps one RRset keeps what was generated for it. */
static void what_was_generated_stays_while_the_name_does(void **state)
{
    (void)state;
    struct dns_name apex, owner;
    struct naive_rrset rrset;
    struct zone_node node;
    uint64_t changes;
    static const uint8_t address[] = {0, 4, 192, 0, 2, 1};
    struct span relative = {(const uint8_t *)"\1a", 2};
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    assert_int_equal(dns_name_from_text("a.e.", 4, NULL, &owner), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    assert_int_equal(
        zone_edit_put_rrset(edit, &owner, ZONE_SOURCE, naive_set(NAIVE_TXT, 3, &rrset)), SG_OK);
    assert_int_equal(
        zone_edit_put_rrset(edit, &owner, ZONE_GENERATED, naive_set(NAIVE_SIG_TXT, 3, &rrset)),
        SG_OK);
    struct patch *patch = patch_new(edit);
    struct patch_name *name = patch_find_name(patch, false, relative);
    patch_clear(name, DNS_TYPE_TXT, 0);
    assert_int_equal(patch_add(name, DNS_TYPE_A, 60, address), SG_OK);
    assert_int_equal(patch_write(patch, &changes), SG_OK);
    assert_int_equal(changes, 2);
    patch_free(patch);
    assert_true(zone_version_node(zone_edit_draft(edit), &owner, &node));
    assert_non_null(node.generated);

    patch = patch_new(edit);
    patch_clear(patch_find_name(patch, false, relative), DNS_TYPE_A, 0);
    assert_int_equal(patch_write(patch, &changes), SG_OK);
    patch_free(patch);
    assert_false(zone_version_node(zone_edit_draft(edit), &owner, &node));
    zone_edit_abandon(edit);
}

static void a_name_does_not_grow_without_bounds(void **state)
{
    (void)state;
    enum { BIG = 60000, FIT = 16 * 1024 * 1024 / (BIG + 2) };
    struct dns_name apex;
    assert_int_equal(dns_name_from_text("e.", 2, NULL, &apex), SG_OK);
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    struct patch *patch = patch_new(edit);
    struct patch_name *name = patch_find_name(patch, false, (struct span){NULL, 0});
    uint8_t *big = mem_alloc_zero(FIT + 1, BIG + 2);
    uint64_t changes;
    for (unsigned i = 0; i <= FIT; i++) {
        uint8_t *packed = big + (size_t)i * (BIG + 2);
        wire_put_u16(packed, BIG);
        wire_put_u16(packed + 2, (uint16_t)i);
        assert_int_equal(patch_add(name, 65280, 60, packed), i < FIT ? SG_OK : SG_LIMIT);
    }
    assert_int_equal(patch_write(patch, &changes), SG_OK);
    patch_free(patch);
    mem_free(big);
    zone_edit_abandon(edit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_patches_do_all_or_nothing),
        cmocka_unit_test(what_was_generated_stays_while_the_name_does),
        cmocka_unit_test(a_name_does_not_grow_without_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
