#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "naive.h"
#include "zone/draft.h"

static const struct arena_sizes small_sizes = {64, 1024, 5000};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void put(struct zone_edit *edit, const char *owner, enum zone_layer layer,
                enum naive_kind kind)
{
    struct dns_name name = name_of(owner);
    struct naive_rrset buffer;
    assert_int_equal(zone_edit_put_rrset(edit, &name, layer, naive_set(kind, 1, &buffer)), SG_OK);
}

static const struct zone_version *seal(struct zone_edit *edit)
{
    const struct zone_version *version = NULL;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    return version;
}

static void drop(const struct zone_version *version)
{
    zone_version_unref(version);
    epoch_barrier();
}

static struct zone_match find(const struct zone_version *version, const char *text)
{
    struct dns_name name = name_of(text);
    struct zone_match match;
    assert_int_equal(zone_version_find(version, &name, &match), SG_OK);
    return match;
}

static void assert_owner(const struct zone_node *node, const char *wire)
{
    assert_non_null(node->source);
    assert_int_equal(zone_node_owner(node).length, strlen(wire));
    assert_memory_equal(zone_node_owner(node).bytes, wire, strlen(wire));
}

static void the_topmost_cut_ends_the_search(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA);
    put(edit, "example.", ZONE_SOURCE, NAIVE_NS);
    put(edit, "sub.example.", ZONE_SOURCE, NAIVE_NS);
    put(edit, "ns.sub.example.", ZONE_SOURCE, NAIVE_A);
    put(edit, "deep.sub.example.", ZONE_SOURCE, NAIVE_NS);
    put(edit, "a.deep.sub.example.", ZONE_SOURCE, NAIVE_A);
    put(edit, "alone.example.", ZONE_SOURCE, NAIVE_NS);
    put(edit, "d.example.", ZONE_SOURCE, NAIVE_DNAME);
    put(edit, "xsub.example.", ZONE_SOURCE, NAIVE_A);
    const struct zone_version *version = seal(edit);

    static const struct {
        const char *name, *cut;
        unsigned labels;
    } below[] = {
        {"ns.sub.example.", "\003sub", 1},        {"a.deep.sub.example.", "\003sub", 1},
        {"b.deep.sub.example.", "\003sub", 1},    {"deep.sub.example.", "\003sub", 1},
        {"no.sub.example.", "\003sub", 1},        {"x.alone.example.", "\005alone", 1},
        {"x.y.z.alone.example.", "\005alone", 1}, {"x.d.example.", "\001d", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(below); i++) {
        struct zone_match match = find(version, below[i].name);
        assert_owner(&match.cut, below[i].cut);
        assert_int_equal(match.cut_labels, below[i].labels);
        assert_null(match.node.source);
    }
    struct zone_match at = find(version, "sub.example.");
    assert_int_equal(at.kind, ZONE_MATCH_NAME);
    assert_owner(&at.node, "\003sub");
    assert_owner(&at.cut, "\003sub");
    assert_null(find(version, "xsub.example.").cut.source);
    assert_null(find(version, "ub.example.").cut.source);
    assert_null(find(version, "bus.example.").cut.source);
    assert_null(find(version, "example.").cut.source);

    struct dns_name glue = name_of("ns.sub.example.");
    struct zone_node node;
    assert_true(zone_version_node(version, &glue, &node));
    assert_owner(&node, "\002ns\003sub");
    drop(version);
}

static void a_dname_at_the_apex_is_a_cut_above_all_other_names(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA);
    put(edit, "example.", ZONE_SOURCE, NAIVE_DNAME);
    put(edit, "www.example.", ZONE_SOURCE, NAIVE_A);
    const struct zone_version *version = seal(edit);
    struct zone_match match = find(version, "www.example.");
    assert_owner(&match.cut, "");
    assert_int_equal(match.cut_labels, 0);
    match = find(version, "a.b.example.");
    assert_owner(&match.cut, "");
    match = find(version, "example.");
    assert_int_equal(match.kind, ZONE_MATCH_NAME);
    assert_owner(&match.cut, "");
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, version);
    assert_true(zone_cursor_next(&cursor));
    assert_false(cursor.below_cut);
    assert_true(zone_cursor_next(&cursor));
    assert_true(cursor.below_cut);
    drop(version);
}

static void empty_non_terminals_and_enclosers_follow_from_the_tree(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA);
    put(edit, "a.b.c.example.", ZONE_SOURCE, NAIVE_A);
    put(edit, "\\255\\000.b.c.example.", ZONE_SOURCE, NAIVE_A);
    const struct zone_version *version = seal(edit);
    static const struct {
        const char *name;
        enum zone_match_kind kind;
        unsigned encloser;
    } cases[] = {
        {"example.", ZONE_MATCH_NAME, 0},
        {"c.example.", ZONE_MATCH_EMPTY, 1},
        {"b.c.example.", ZONE_MATCH_EMPTY, 2},
        {"a.b.c.example.", ZONE_MATCH_NAME, 3},
        {"x.a.b.c.example.", ZONE_MATCH_NONE, 3},
        {"x.b.c.example.", ZONE_MATCH_NONE, 2},
        {"aa.b.c.example.", ZONE_MATCH_NONE, 2},
        {"\\255.b.c.example.", ZONE_MATCH_NONE, 2},
        {"\\255\\000.b.c.example.", ZONE_MATCH_NAME, 3},
        {"\\255\\000\\000.b.c.example.", ZONE_MATCH_NONE, 2},
        {"x.c.example.", ZONE_MATCH_NONE, 1},
        {"bb.c.example.", ZONE_MATCH_NONE, 1},
        {"x.example.", ZONE_MATCH_NONE, 0},
        {"x.y.z.example.", ZONE_MATCH_NONE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone_match match = find(version, cases[i].name);
        assert_int_equal(match.kind, cases[i].kind);
        assert_int_equal(match.encloser_labels, cases[i].encloser);
    }
    drop(version);
}

/* Random zones in which exactly the authoritative names own an NSEC. */
static void the_nsec_that_covers_a_name_is_found_past_glue(void **state)
{
    (void)state;
    struct naive_zone *zone = mem_alloc(sizeof(*zone));
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct random_seeded random = {seed};
        struct dns_name apex = name_of(seed % 2 == 0 ? "." : "a.example.");
        naive_init(zone, &apex);
        struct zone_edit *edit = draft_new(&apex, DNS_CLASS_IN, &small_sizes);
        naive_put(zone, &apex, ZONE_SOURCE, NAIVE_SOA, 1);
        while (zone->count < 300) {
            struct dns_name owner = naive_random_name(&random, &apex);
            naive_put(zone, &owner, ZONE_SOURCE,
                      random_seeded_below(&random, 3) == 0 ? NAIVE_NS : NAIVE_A, 1);
        }
        for (size_t i = 0; i < zone->count; i++) {
            const struct dns_name *owner = &zone->names[i].name;
            for (enum naive_kind kind = NAIVE_SOA; kind <= NAIVE_A; kind++) {
                struct naive_rrset buffer;
                if (zone->names[i].sets[ZONE_SOURCE][kind] != 0) {
                    assert_int_equal(
                        zone_edit_put_rrset(edit, owner, ZONE_SOURCE, naive_set(kind, 1, &buffer)),
                        SG_OK);
                }
            }
        }
        for (size_t i = 0; i < zone->count; i++) {
            const struct dns_name *owner = &zone->names[i].name;
            /* Zones signed elsewhere have theirs in the source. */
            enum zone_layer layer = seed < 3 ? ZONE_SOURCE : ZONE_GENERATED;
            struct naive_rrset buffer;
            if (naive_cut_above(zone, owner) == NULL) {
                naive_put(zone, owner, layer, NAIVE_NSEC, 3);
                assert_int_equal(
                    zone_edit_put_rrset(edit, owner, layer, naive_set(NAIVE_NSEC, 3, &buffer)),
                    SG_OK);
            }
        }
        const struct zone_version *version = seal(edit);
        assert_int_equal(zone_version_facts(version)->denial, ZONE_DENIAL_NSEC);
        for (unsigned i = 0; i < 400; i++) {
            struct dns_name name = naive_random_name(&random, &apex);
            naive_check_nsec(zone, version, &name);
        }
        for (size_t i = 0; i < zone->count; i++) {
            naive_check_nsec(zone, version, &zone->names[i].name);
        }
        drop(version);
    }
    mem_free(zone);
}

static void a_zone_without_nsec_says_so(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA);
    put(edit, "a.example.", ZONE_SOURCE, NAIVE_A);
    const struct zone_version *version = seal(edit);
    struct zone_node node;
    bool exact;
    uint8_t hash[NSEC3_HASH_BYTES] = {0};
    struct dns_name name = name_of("b.example.");
    assert_false(zone_version_nsec(version, &name, &node));
    assert_false(zone_version_nsec3(version, hash, &node, &exact));
    drop(version);
}

/* NSEC3 rdata: algorithm, flags, iterations, salt of one byte, next hash, no types. */
static void add_nsec3(struct zone_edit *edit, const uint8_t hash[NSEC3_HASH_BYTES], uint8_t salt,
                      uint8_t flags)
{
    struct dns_name apex = *zone_version_apex(zone_edit_draft(edit));
    struct dns_name label = {.length = 34, .labels = 1, .wire = {32}};
    base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label.wire + 1);
    struct dns_name owner;
    assert_int_equal(dns_name_join(&label, &apex, &owner), SG_OK);
    uint8_t rdata[27] = {1, flags, 0, 0, 1, salt, 20};
    uint32_t ttl;
    assert_int_equal(
        zone_edit_add_record(edit, &owner, DNS_TYPE_NSEC3, 60, (struct span){rdata, 27}, &ttl),
        SG_OK);
}

static void the_nsec3_of_our_chain_that_covers_a_hash_is_found(void **state)
{
    (void)state;
    enum { CHAIN = 100 };
    struct dns_name apex = name_of("example.");
    struct random_seeded random = {4};
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    put(edit, "example.", ZONE_SOURCE, NAIVE_SOA);
    uint8_t ours[CHAIN][NSEC3_HASH_BYTES];
    for (unsigned i = 0; i < CHAIN; i++) {
        uint8_t other[NSEC3_HASH_BYTES];
        for (unsigned b = 0; b < NSEC3_HASH_BYTES; b++) {
            ours[i][b] = (uint8_t)random_seeded_below(&random, 256);
            other[b] = (uint8_t)random_seeded_below(&random, 256);
        }
        add_nsec3(edit, ours[i], 7, 1);
        add_nsec3(edit, other, 8, 0);
    }
    uint32_t ttl;
    const uint8_t with_flags[] = {1, 1, 0, 0, 1, 8}, without_chain[] = {1, 0, 0, 9, 1, 8},
                  params[] = {1, 0, 0, 0, 1, 7};
    assert_int_equal(zone_edit_add_record(edit, &apex, DNS_TYPE_NSEC3PARAM, 0,
                                          (struct span){with_flags, 6}, &ttl),
                     SG_OK);
    assert_int_equal(zone_edit_add_record(edit, &apex, DNS_TYPE_NSEC3PARAM, 0,
                                          (struct span){without_chain, 6}, &ttl),
                     SG_OK);
    assert_int_equal(zone_version_facts(zone_edit_draft(edit))->denial, ZONE_DENIAL_NONE);
    assert_int_equal(
        zone_edit_add_record(edit, &apex, DNS_TYPE_NSEC3PARAM, 0, (struct span){params, 6}, &ttl),
        SG_OK);
    const struct zone_version *version = seal(edit);
    const struct zone_facts *facts = zone_version_facts(version);
    assert_int_equal(facts->denial, ZONE_DENIAL_NSEC3);
    assert_int_equal(facts->nsec3.salt[0], 7);
    assert_true(facts->opt_out);
    assert_int_equal(facts->records, 4 + 2 * CHAIN);
    assert_int_equal(facts->names, 1);

    for (unsigned i = 0; i < 1000; i++) {
        uint8_t hash[NSEC3_HASH_BYTES];
        for (unsigned b = 0; b < NSEC3_HASH_BYTES; b++) {
            hash[b] = (uint8_t)random_seeded_below(&random, 256);
        }
        if (i < CHAIN) {
            memcpy(hash, ours[i], sizeof(hash));
        }
        const uint8_t *floor = NULL, *last = ours[0];
        for (unsigned j = 0; j < CHAIN; j++) {
            if (memcmp(ours[j], hash, sizeof(hash)) <= 0 &&
                (floor == NULL || memcmp(ours[j], floor, sizeof(hash)) > 0)) {
                floor = ours[j];
            }
            last = memcmp(ours[j], last, sizeof(hash)) > 0 ? ours[j] : last;
        }
        floor = floor != NULL ? floor : last;
        uint8_t label[33] = {32};
        base32hex_encode(floor, NSEC3_HASH_BYTES, (char *)label + 1);
        struct zone_node node;
        bool exact;
        assert_true(zone_version_nsec3(version, hash, &node, &exact));
        assert_int_equal(exact, memcmp(floor, hash, sizeof(hash)) == 0);
        assert_int_equal(zone_node_owner(&node).length, 33);
        assert_memory_equal(zone_node_owner(&node).bytes, label, 33);
    }
    drop(version);
}

static void owners_are_absolute_again(void **state)
{
    (void)state;
    struct dns_name apex = name_of("b.example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_CH);
    put(edit, "b.example.", ZONE_SOURCE, NAIVE_SOA);
    put(edit, "x.y.b.example.", ZONE_SOURCE, NAIVE_A);
    const struct zone_version *version = seal(edit);
    struct zone_match match = find(version, "x.y.b.example.");
    struct dns_name owner, expected = name_of("x.y.b.example.");
    zone_version_owner(version, &match.node, &owner);
    assert_true(dns_name_equal(&owner, &expected));
    assert_int_equal(owner.labels, 4);
    zone_version_owner(version, zone_version_apex_node(version), &owner);
    assert_true(dns_name_equal(&owner, &apex));
    assert_true(dns_name_equal(zone_version_apex(version), &apex));
    assert_int_equal(zone_version_class(version), DNS_CLASS_CH);
    drop(version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_topmost_cut_ends_the_search),
        cmocka_unit_test(a_dname_at_the_apex_is_a_cut_above_all_other_names),
        cmocka_unit_test(empty_non_terminals_and_enclosers_follow_from_the_tree),
        cmocka_unit_test(the_nsec_that_covers_a_name_is_found_past_glue),
        cmocka_unit_test(a_zone_without_nsec_says_so),
        cmocka_unit_test(the_nsec3_of_our_chain_that_covers_a_hash_is_found),
        cmocka_unit_test(owners_are_absolute_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
