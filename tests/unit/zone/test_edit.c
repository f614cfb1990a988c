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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_never_change_whatever_later_edits_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
