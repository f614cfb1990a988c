#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/bulk.h"
#include "zone/draft.h"

enum { NAMES = 30000 };

/* A name of the given style; the same index may give the same name again. */
static struct dns_name name_of(unsigned style, struct random_seeded *random, unsigned index)
{
    char text[256];
    struct dns_name name = {0};
    switch (style) {
    case 0: /* hosts in no order */
        snprintf(text, sizeof(text), "h%x", random_seeded_below(random, 1U << 20));
        break;
    case 1: /* in order */
        snprintf(text, sizeof(text), "h%08x", index);
        break;
    case 2: /* one long common part, as in reverse zones */
        snprintf(text, sizeof(text), "%x.%x.%x.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2", index % 16,
                 index / 16 % 16, random_seeded_below(random, 1U << 14));
        break;
    default:
        return naive_random_name(random, &dns_name_root);
    }
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static const struct tree_cell *same_shape(uint8_t *const *chunks, const struct tree_cell *a,
                                          const struct tree_cell *b)
{
    assert_int_equal(tree_is_branch(a), tree_is_branch(b));
    assert_int_equal(a->hi, b->hi);
    if (!tree_is_branch(a)) {
        assert_int_equal(a->ref, b->ref);
        return a;
    }
    assert_int_equal(a->lo, b->lo);
    for (unsigned i = 0; i < tree_twigs_count(a); i++) {
        same_shape(chunks, tree_twigs(chunks, a) + i, tree_twigs(chunks, b) + i);
    }
    return a;
}

static void a_tree_built_at_once_is_the_tree_built_name_by_name(void **state)
{
    (void)state;
    for (unsigned style = 0; style < 4; style++) {
        struct random_seeded random = {style};
        struct arena arena;
        arena_init(&arena, &arena_sizes_default);
        struct bulk bulk = {0};
        struct tree_writer writer = {.arena = &arena, .all_fresh = true};
        struct tree_cell one_by_one = {0}, at_once = {0};
        unsigned again = 0;
        for (unsigned i = 0; i < NAMES; i++) {
            struct dns_name name = name_of(style, &random, i);
            struct span owner = {name.wire, name.length - 1U};
            struct tree_key key;
            tree_key_encode(owner.bytes, owner.length, &key);
            struct tree_cell *leaf;
            bool created;
            assert_int_equal(tree_put(&writer, &one_by_one, &key, &leaf, &created), SG_OK);
            uint32_t hash = bulk_hash(&bulk, owner);
            uint32_t entry = bulk_find(&bulk, arena.chunks, owner, hash);
            assert_int_equal(entry == BULK_NONE, created);
            if (!created) {
                again++;
                assert_int_equal(bulk.entries[entry].block, leaf->ref);
                assert_int_equal(bulk_flags(&bulk, entry), leaf->hi);
                continue;
            }
            struct naive_rrset buffer;
            arena_ref block;
            assert_int_equal(
                block_pack(&arena, owner, naive_set(NAIVE_NS, 1 + i % 9, &buffer), 1, &block),
                SG_OK);
            leaf->ref = block;
            leaf->hi = block_flags(arena_at(arena.chunks, block));
            assert_int_equal(bulk_add(&bulk, owner, hash, block, leaf->hi), SG_OK);
        }
        assert_true(style == 1 ? again == 0 : again > 0);
        assert_int_equal(bulk_build(&bulk, &arena, &at_once), SG_OK);
        assert_int_equal(bulk.count, 0);
        same_shape(arena.chunks, &at_once, &one_by_one);
        arena_clear(&arena);
    }
}

static int compare_names(const void *a, const void *b)
{
    return dns_name_compare(a, b);
}

static arena_ref block_of(struct arena *arena, const struct dns_name *name)
{
    struct naive_rrset buffer;
    arena_ref block;
    struct span owner = {name->wire, name->length - 1U};
    assert_int_equal(block_pack(arena, owner, naive_set(NAIVE_A, 1, &buffer), 1, &block), SG_OK);
    return block;
}

/* Names in order need no sorting, and bring their generated blocks. */
static void a_tree_of_names_in_order_is_the_same(void **state)
{
    (void)state;
    struct dns_name *names = mem_alloc(NAMES * sizeof(*names));
    for (unsigned style = 0; style < 4; style++) {
        struct random_seeded random = {style + 10};
        struct arena arena;
        struct bulk added = {0}, appended = {0};
        struct tree_cell roots[2];
        arena_init(&arena, &arena_sizes_default);
        for (unsigned i = 0; i < NAMES; i++) {
            names[i] = name_of(style, &random, i);
        }
        qsort(names, NAMES, sizeof(*names), compare_names);
        for (unsigned i = 0; i < NAMES; i++) {
            struct tree_cell leaf = {.lo = i + 1, .hi = i % 64, .ref = block_of(&arena, &names[i])};
            bool again = i > 0 && dns_name_equal(&names[i - 1], &names[i]);
            bool earlier = i > 10 && i % 50 == 0;
            if (earlier) {
                struct tree_cell wrong = {.ref = block_of(&arena, &names[i - 10])};
                assert_int_equal(bulk_append(&appended, arena.chunks, &wrong), SG_MALFORMED);
            }
            assert_int_equal(bulk_append(&appended, arena.chunks, &leaf),
                             again ? SG_MALFORMED : SG_OK);
            if (!again) {
                struct span owner = {names[i].wire, names[i].length - 1U};
                uint32_t hash = bulk_hash(&added, owner);
                assert_int_equal(bulk_add(&added, owner, hash, leaf.ref, leaf.hi), SG_OK);
            }
        }
        assert_int_equal(bulk_build(&added, &arena, &roots[0]), SG_OK);
        assert_int_equal(bulk_build(&appended, &arena, &roots[1]), SG_OK);
        same_shape(arena.chunks, &roots[0], &roots[1]);
        for (unsigned i = 0; i < NAMES; i += 97) {
            struct span owner = {names[i].wire, names[i].length - 1U};
            const struct tree_cell *leaf = tree_find(arena.chunks, &roots[1], owner);
            assert_non_null(leaf);
            assert_true(dns_name_equal(&names[leaf->lo - 1], &names[i]));
        }
        arena_clear(&arena);
    }
    mem_free(names);
}

static void none_and_one_make_a_tree(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, &arena_sizes_default);
    struct bulk bulk = {0};
    struct tree_cell root = {1, 1, 1};
    assert_int_equal(bulk_build(&bulk, &arena, &root), SG_OK);
    assert_true(tree_is_empty(&root));

    struct naive_rrset buffer;
    arena_ref block;
    struct span apex = {NULL, 0};
    assert_int_equal(block_pack(&arena, apex, naive_set(NAIVE_SOA, 1, &buffer), 1, &block), SG_OK);
    assert_int_equal(bulk_add(&bulk, apex, bulk_hash(&bulk, apex), block, 1), SG_OK);
    bulk_replace(&bulk, bulk_find(&bulk, arena.chunks, apex, bulk_hash(&bulk, apex)), block, 3);
    assert_int_equal(bulk_build(&bulk, &arena, &root), SG_OK);
    assert_int_equal(root.ref, block);
    assert_int_equal(root.hi, 3);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_built_at_once_is_the_tree_built_name_by_name),
        cmocka_unit_test(a_tree_of_names_in_order_is_the_same),
        cmocka_unit_test(none_and_one_make_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
