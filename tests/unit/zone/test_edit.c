#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive.h"
#include "zone/draft.h"

/*
 * Random edits of many versions against the naive zone: each version that is kept must go on
 * showing what it showed when it was sealed, whatever later edits free and reuse.
 */
enum { ROUNDS = 40, STEPS = 60, KEPT = 4, QUESTIONS = 12 };

struct scene {
    struct random_seeded random;
    struct naive_zone now;
    struct zone_edit *edit;
    struct {
        const struct zone_version *version;
        struct naive_zone zone;
    } kept[KEPT];
};

static const struct arena_sizes small_sizes = {64, 1024, 4096};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &name), SG_OK);
    return name;
}

static void put(struct scene *scene, const struct dns_name *owner, enum zone_layer layer,
                enum naive_kind kind, unsigned variant)
{
    struct naive_rrset buffer;
    enum sg_result expected = naive_put(&scene->now, owner, layer, kind, variant);
    enum sg_result result =
        zone_edit_put_rrset(scene->edit, owner, layer, naive_set(kind, variant, &buffer));
    assert_int_equal(result, expected);
}

/* Place a generated block, made in a pile, as the signer does. */
static void place(struct scene *scene, const struct dns_name *owner)
{
    struct naive_name *name = naive_find(&scene->now, owner);
    struct naive_rrset buffers[NAIVE_KINDS];
    struct dns_rrset sets[NAIVE_KINDS];
    uint8_t variants[NAIVE_KINDS] = {0};
    size_t count = 0;
    for (unsigned kind = NAIVE_NSEC; kind < NAIVE_KINDS; kind++) {
        variants[kind] = (uint8_t)random_seeded_below(&scene->random, 200);
        if (variants[kind] != 0) {
            sets[count++] = *naive_set((enum naive_kind)kind, variants[kind], &buffers[kind]);
        }
    }
    if (count == 0) {
        return;
    }
    struct zone_pile *pile = zone_pile_new();
    zone_block_ref block, base;
    assert_int_equal(zone_pile_add(pile, (struct span){NULL, 0}, sets, count, &block), SG_OK);
    assert_int_equal(zone_edit_adopt(scene->edit, pile, &base), SG_OK);
    enum sg_result result = zone_edit_place(scene->edit, owner, base + block);
    assert_int_equal(result, name != NULL ? SG_OK : SG_NOT_FOUND);
    if (name != NULL) {
        memcpy(name->sets[ZONE_GENERATED], variants, sizeof(variants));
    }
}

static void change_something(struct scene *scene)
{
    struct random_seeded *random = &scene->random;
    struct dns_name owner = naive_random_name(random, &scene->now.apex);
    if (scene->now.count > 0 && random_seeded_below(random, 2) == 0) {
        owner = scene->now.names[random_seeded_below(random, (uint32_t)scene->now.count)].name;
    }
    bool apex = dns_name_equal(&owner, &scene->now.apex);
    enum naive_kind kind = (enum naive_kind)(1 + random_seeded_below(random, NAIVE_KINDS - 1));
    unsigned variant = random_seeded_below(random, 256);
    variant = random_seeded_below(random, 3) == 0 ? 0 : variant;
    switch (random_seeded_below(random, 8)) {
    case 0:
        place(scene, &owner);
        break;
    case 1: /* take the whole name away */
        for (unsigned i = 1; !apex && i < NAIVE_KINDS; i++) {
            put(scene, &owner, ZONE_SOURCE, (enum naive_kind)i, 0);
        }
        break;
    case 2:
        put(scene, &owner, ZONE_GENERATED, kind, variant);
        break;
    default:
        if (scene->now.count < NAIVE_NAMES_MAX - 1) {
            put(scene, &owner, ZONE_SOURCE, kind, variant);
        }
        break;
    }
}

static void check(struct scene *scene, struct naive_zone *zone, const struct zone_version *version)
{
    naive_check_content(zone, version);
    for (unsigned i = 0; i < QUESTIONS; i++) {
        struct dns_name name = naive_random_name(&scene->random, &zone->apex);
        naive_check_find(zone, version, &name);
        naive_check_seek(zone, version, &name);
    }
}

static void drop_kept(struct scene *scene, unsigned index)
{
    zone_version_unref(scene->kept[index].version);
    scene->kept[index].version = NULL;
    if (random_seeded_below(&scene->random, 2) == 0) {
        epoch_reclaim();
    } else {
        epoch_barrier();
    }
}

/* Many changes, then seal or abandon; `base` NULL begins the zone. */
static const struct zone_version *one_edit(struct scene *scene, const struct zone_version *base)
{
    struct naive_zone *before = mem_copy(&scene->now, sizeof(scene->now));
    scene->edit = base != NULL ? zone_edit_open(base)
                               : draft_new(&scene->now.apex, DNS_CLASS_IN, &small_sizes);
    if (base == NULL) {
        put(scene, &scene->now.apex, ZONE_SOURCE, NAIVE_SOA, 1);
    }
    unsigned steps = random_seeded_below(&scene->random, STEPS);
    for (unsigned i = 0; i < steps; i++) {
        change_something(scene);
        if (random_seeded_below(&scene->random, 16) == 0) {
            naive_check_content(&scene->now, zone_edit_draft(scene->edit));
        }
    }
    const struct zone_version *version = NULL;
    if (base != NULL && random_seeded_below(&scene->random, 4) == 0) {
        zone_edit_abandon(scene->edit);
        scene->now = *before;
    } else {
        assert_int_equal(zone_edit_seal(scene->edit, &version), SG_OK);
    }
    mem_free(before);
    return version;
}

static void run(const char *apex_text, uint64_t seed)
{
    struct scene *scene = mem_alloc_zero(1, sizeof(*scene));
    scene->random.state = seed;
    struct dns_name apex = name_of(apex_text);
    naive_init(&scene->now, &apex);
    const struct zone_version *newest = one_edit(scene, NULL);
    for (unsigned round = 0; round < ROUNDS; round++) {
        check(scene, &scene->now, newest);
        struct naive_zone *before = mem_copy(&scene->now, sizeof(scene->now));
        const struct zone_version *next = one_edit(scene, newest);
        if (next != NULL && random_seeded_below(&scene->random, 5) == 0) {
            /* Its commit failed: the next edit begins at the same base. */
            zone_version_unref(next);
            scene->now = *before;
        } else if (next != NULL) {
            unsigned index = random_seeded_below(&scene->random, KEPT);
            if (scene->kept[index].version != NULL) {
                drop_kept(scene, index);
            }
            scene->kept[index].version = newest;
            scene->kept[index].zone = *before;
            newest = next;
        }
        mem_free(before);
        arena_check(&newest->lineage->arena);
        for (unsigned i = 0; i < KEPT; i++) {
            if (scene->kept[i].version != NULL) {
                check(scene, &scene->kept[i].zone, scene->kept[i].version);
            }
        }
    }
    for (unsigned i = 0; i < KEPT; i++) {
        zone_version_unref(scene->kept[i].version);
    }
    zone_version_unref(newest);
    epoch_barrier();
    mem_free(scene);
}

static void versions_never_change_whatever_later_edits_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        run("example.", seed);
        run(".", seed + 100);
        run("\\000x.\\255\\..", seed + 200);
    }
}

/* One RR, and where it stands in the naive zone. */
struct record {
    struct dns_name owner;
    enum naive_kind kind;
    unsigned variant, index;
};

enum { RECORDS_MAX = 6000, LOADED_NAMES = 520 };

/* Every record of a random zone, in a random order. */
static size_t random_records(struct naive_zone *zone, struct random_seeded *random,
                             struct record *records)
{
    size_t count = 0;
    naive_put(zone, &zone->apex, ZONE_SOURCE, NAIVE_SOA, 1);
    while (zone->count < LOADED_NAMES) {
        struct dns_name owner = naive_random_name(random, &zone->apex);
        enum naive_kind kind = (enum naive_kind)(1 + random_seeded_below(random, NAIVE_KINDS - 1));
        naive_put(zone, &owner, ZONE_SOURCE, kind, 1 + random_seeded_below(random, 200));
    }
    for (size_t i = 0; i < zone->count; i++) {
        for (unsigned kind = 0; kind < NAIVE_KINDS; kind++) {
            unsigned variant = zone->names[i].sets[ZONE_SOURCE][kind];
            for (unsigned index = 0; variant > 0 && index < naive_count(kind, variant); index++) {
                assert_true(count < RECORDS_MAX);
                records[count++] = (struct record){zone->names[i].name, kind, variant, index};
            }
        }
    }
    for (size_t i = count; i > 1; i--) {
        size_t other = random_seeded_below(random, (uint32_t)i);
        struct record swap = records[i - 1];
        records[i - 1] = records[other];
        records[other] = swap;
    }
    return count;
}

static enum sg_result add(struct zone_edit *edit, const struct record *record, uint32_t more_ttl)
{
    uint8_t rdata[600];
    size_t length = naive_rdata(record->kind, record->variant, record->index, rdata);
    uint32_t ttl = naive_ttl(record->variant) + more_ttl;
    uint32_t stands = 0;
    enum sg_result result = zone_edit_add_record(edit, &record->owner, naive_type(record->kind),
                                                 ttl, (struct span){rdata, length}, &stands);
    if (more_ttl == 0) {
        assert_int_equal(stands, ttl);
    }
    return result;
}

static void records_in_any_order_make_the_same_zone(void **state)
{
    (void)state;
    struct naive_zone *zone = mem_alloc(sizeof(*zone));
    struct record *records = mem_alloc(RECORDS_MAX * sizeof(*records));
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct random_seeded random = {seed};
        struct dns_name apex = name_of("example.");
        naive_init(zone, &apex);
        size_t count = random_records(zone, &random, records);
        struct zone_edit *edit = draft_new(&apex, DNS_CLASS_IN, &small_sizes);
        for (size_t i = 0; i < count; i++) {
            /* Higher TTLs come first and must not stay. */
            enum sg_result result = add(edit, &records[i], 1000);
            assert_true(result == SG_OK);
            assert_int_equal(add(edit, &records[i], 0), SG_EXISTS);
            if (seed == 2 && i == count / 2) {
                zone_edit_draft(edit); /* ends bulk loading */
            }
        }
        const struct zone_version *version;
        assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
        naive_check_content(zone, version);
        zone_version_check(version);
        for (unsigned i = 0; i < 200; i++) {
            struct dns_name name = naive_random_name(&random, &apex);
            naive_check_find(zone, version, &name);
        }
        zone_version_unref(version);
        epoch_barrier();
    }
    mem_free(zone);
    mem_free(records);
}

static struct zone_edit *edit_with_soa(const char *apex_text, const struct arena_sizes *sizes)
{
    struct dns_name apex = name_of(apex_text);
    struct zone_edit *edit = draft_new(&apex, DNS_CLASS_IN, sizes);
    struct naive_rrset buffer;
    assert_int_equal(
        zone_edit_put_rrset(edit, &apex, ZONE_SOURCE, naive_set(NAIVE_SOA, 1, &buffer)), SG_OK);
    return edit;
}

static void a_name_outside_the_zone_is_refused(void **state)
{
    (void)state;
    struct zone_edit *edit = edit_with_soa("b.example.", &arena_sizes_default);
    const char *const outside[] = {"example.", "c.example.", ".", "xb.example.", "b.example.com."};
    for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
        struct dns_name name = name_of(outside[i]);
        struct naive_rrset buffer;
        const uint8_t rdata[4] = {0};
        uint32_t ttl;
        assert_int_equal(
            zone_edit_add_record(edit, &name, DNS_TYPE_A, 1, (struct span){rdata, 4}, &ttl),
            SG_OUT_OF_ZONE);
        assert_int_equal(
            zone_edit_put_rrset(edit, &name, ZONE_SOURCE, naive_set(NAIVE_A, 1, &buffer)),
            SG_OUT_OF_ZONE);
        assert_int_equal(zone_edit_place(edit, &name, 0), SG_OUT_OF_ZONE);
        struct zone_match match;
        assert_int_equal(zone_version_find(zone_edit_draft(edit), &name, &match), SG_OUT_OF_ZONE);
    }
    zone_edit_abandon(edit);
}

static void a_zone_without_soa_cannot_be_sealed(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.");
    struct zone_edit *edit = zone_edit_new(&apex, DNS_CLASS_IN);
    const struct zone_version *version = NULL;
    assert_int_equal(zone_edit_seal(edit, &version), SG_MALFORMED);
    assert_null(version);

    edit = edit_with_soa("example.", &arena_sizes_default);
    struct record second = {apex, NAIVE_SOA, 2, 0};
    assert_int_equal(add(edit, &second, 1), SG_OK);
    assert_int_equal(zone_edit_seal(edit, &version), SG_MALFORMED);
    assert_null(version);
}

static void a_full_arena_is_a_limit_and_no_crash(void **state)
{
    (void)state;
    for (uint32_t chunks = 2; chunks < 12; chunks++) {
        struct arena_sizes sizes = {64, 256, chunks};
        struct dns_name apex = name_of("example.");
        struct random_seeded random = {chunks};
        struct zone_edit *edit = draft_new(&apex, DNS_CLASS_IN, &sizes);
        enum sg_result result = SG_OK;
        for (unsigned i = 0; result == SG_OK || result == SG_EXISTS; i++) {
            assert_true(i < 10000);
            struct record record = {naive_random_name(&random, &apex), NAIVE_A, i % 200 + 1, 0};
            result = add(edit, &record, 1000);
            if (chunks % 2 == 0) {
                zone_edit_draft(edit); /* the tree grows name by name */
            }
        }
        assert_int_equal(result, SG_LIMIT);
        const struct zone_version *version;
        assert_int_equal(zone_edit_seal(edit, &version), SG_LIMIT);
    }
}

static void a_failed_update_leaves_no_trace(void **state)
{
    (void)state;
    struct arena_sizes sizes = {64, 256, 40};
    struct dns_name apex = name_of("example.");
    struct random_seeded random = {5};
    struct naive_zone *zone = mem_alloc(sizeof(*zone));
    naive_init(zone, &apex);
    struct zone_edit *edit = edit_with_soa("example.", &sizes);
    naive_put(zone, &apex, ZONE_SOURCE, NAIVE_SOA, 1);
    const struct zone_version *version;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    for (unsigned round = 0; round < 50; round++) {
        edit = zone_edit_open(version);
        struct naive_rrset buffer;
        enum sg_result result = SG_OK;
        for (unsigned i = 0; result == SG_OK; i++) {
            assert_true(i < 10000);
            struct dns_name owner = naive_random_name(&random, &apex);
            result = zone_edit_put_rrset(edit, &owner, ZONE_SOURCE,
                                         naive_set(NAIVE_TXT, 1 + i % 100, &buffer));
        }
        assert_int_equal(result, SG_LIMIT);
        zone_edit_abandon(edit);
        arena_check(&version->lineage->arena);
        naive_check_content(zone, version);
    }
    zone_version_unref(version);
    epoch_barrier();
    mem_free(zone);
}

static void the_serial_is_set_in_one_layer_only(void **state)
{
    (void)state;
    struct zone_edit *edit = edit_with_soa("example.", &arena_sizes_default);
    assert_int_equal(zone_edit_set_serial(edit, ZONE_GENERATED, 4000000000), SG_OK);
    const struct zone_facts *facts = zone_version_facts(zone_edit_draft(edit));
    assert_int_equal(facts->serial, 4000000000);
    assert_int_equal(facts->source_serial, 1);
    assert_int_equal(zone_edit_set_serial(edit, ZONE_SOURCE, 7), SG_OK);
    const struct zone_version *version;
    assert_int_equal(zone_edit_seal(edit, &version), SG_OK);
    facts = zone_version_facts(version);
    assert_int_equal(facts->serial, 4000000000);
    assert_int_equal(facts->source_serial, 7);
    assert_int_equal(facts->negative_ttl, 60);
    zone_version_unref(version);
    epoch_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_in_any_order_make_the_same_zone),
        cmocka_unit_test(a_name_outside_the_zone_is_refused),
        cmocka_unit_test(a_zone_without_soa_cannot_be_sealed),
        cmocka_unit_test(a_full_arena_is_a_limit_and_no_crash),
        cmocka_unit_test(a_failed_update_leaves_no_trace),
        cmocka_unit_test(the_serial_is_set_in_one_layer_only),
        cmocka_unit_test(versions_never_change_whatever_later_edits_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
