#include "change_scene.h"
#include "dnssec/resign_index.h"
#include "dnssec/rrsig.h"
#include "signing_bench.h"

enum { RANGE = 4, NAMES = 100 };

static uint32_t draw(void *from, uint32_t bound)
{
    return random_seeded_below(from, bound);
}

/* Put or take away names n<from> ... and sign; it becomes the scene's version and is noted. */
static void change(struct change_scene *scene, struct resign_index *index, unsigned from,
                   unsigned to, uint16_t count)
{
    const struct zone_version *next;
    struct zone_edit *edit = zone_edit_open(scene->version);
    for (unsigned i = from; i < to; i++) {
        char text[32];
        struct dns_name owner;
        snprintf(text, sizeof(text), "n%03u.example.", i);
        assert_int_equal(dns_name_from_text(text, strlen(text), NULL, &owner), SG_OK);
        change_put(edit, &owner, DNS_TYPE_TXT, (struct span){(const uint8_t *)"\1x", 2}, 60, count);
    }
    scene->request.serial++;
    scene->request.now += SG_HOUR;
    assert_int_equal(sign_change(edit, scene->version, &scene->request, NULL, &scene->report),
                     SG_OK);
    assert_int_equal(zone_edit_seal(edit, &next), SG_OK);
    resign_index_note(index, scene->version, next, scene->request.now);
    zone_version_unref(scene->version);
    scene->version = next;
}

/* Ranges follow each other, hold all names, and none is late; nor large. */
static void check(const struct resign_index *index, const struct zone_version *version, bool nsec3,
                  sg_time now)
{
    const struct resign_ranges *tree = &index->trees[nsec3];
    struct zone_cursor all;
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(&all, version);
    for (size_t i = 0; i < tree->count; i++) {
        const struct resign_range *range = tree->ranges[i];
        struct resign_walk walk;
        sg_time first = INT64_MAX;
        uint32_t here = 0;
        resign_walk_start(&walk, index, range, version);
        while (resign_walk_next(&walk)) {
            assert_true(zone_cursor_next(&all));
            assert_ptr_equal(walk.cursor.node.source, all.node.source);
            assert_ptr_equal(resign_index_range(index, nsec3, zone_node_owner(&all.node)), range);
            sg_time there = rrsig_first_expiration(&walk.cursor.node, nsec3, now);
            first = there < first ? there : first;
            here++;
        }
        assert_int_equal(range->names, here);
        assert_true(here <= 2 * RANGE && (here > 0 || i == 0));
        assert_true(first == INT64_MAX || (range->due.place > 0 && range->due.key <= first));
    }
    assert_false(zone_cursor_next(&all));
}

static void ranges_part_when_they_grow_and_go_when_they_are_empty(void **state)
{
    (void)state;
    for (enum change_denial denial = CHANGE_NSEC; denial < CHANGE_DENIALS; denial++) {
        struct random_seeded random = {20261215 + denial};
        struct change_scene scene;
        change_init(&scene, denial, draw, &random);
        change_begin(&scene, 0);
        struct resign_index *index = resign_index_new_cut(scene.version, scene.request.now, RANGE);
        assert_int_equal(index->trees[0].count, 1);
        change(&scene, index, 0, NAMES, 1);
        assert_in_range(index->trees[0].count, NAMES / RANGE / 2, NAMES / RANGE);
        size_t most = resign_index_bytes(index);
        for (int round = 0; round < 40; round++) {
            unsigned from = random_seeded_below(&random, NAMES);
            unsigned to = from + random_seeded_below(&random, NAMES - from + 1);
            change(&scene, index, from, to, (uint16_t)random_seeded_below(&random, 2));
            check(index, scene.version, false, scene.request.now);
            check(index, scene.version, true, scene.request.now);
        }
        change(&scene, index, 0, NAMES, 0);
        check(index, scene.version, false, scene.request.now);
        assert_int_equal(index->trees[0].count, 1);
        assert_in_range(resign_index_bytes(index), 1, most * 2);
        resign_index_free(index);
        change_clear(&scene);
    }
}

/* The index tells whose signature it is that expires first, as a walk over all would. */
static void check_first_node(const struct resign_index *index, const struct zone_version *version,
                             sg_time now)
{
    struct dns_name owner;
    struct zone_node node;
    uint16_t type, there;
    assert_true(resign_index_first_node(index, version, &owner, &type));
    assert_true(zone_version_node(version, &owner, &node));
    assert_int_equal(rrsig_first_expiring(&node, false, now, &there), resign_index_first(index));
    assert_int_equal(type, there);
}

static void what_expires_first_has_a_name_and_a_type(void **state)
{
    (void)state;
    struct random_seeded random = {20261128};
    struct change_scene scene;
    change_init(&scene, CHANGE_NSEC, draw, &random);
    change_begin(&scene, 0);
    struct resign_index *index = resign_index_new_cut(scene.version, scene.request.now, RANGE);
    check_first_node(index, scene.version, scene.request.now);
    change(&scene, index, 0, NAMES, 1);
    struct resign_index *anew = resign_index_new_cut(scene.version, scene.request.now, RANGE);
    check_first_node(anew, scene.version, scene.request.now);
    resign_index_free(anew);
    resign_index_free(index);
    change_clear(&scene);
}

static void a_zone_without_signatures_has_nothing_due(void **state)
{
    (void)state;
    struct change_scene scene;
    change_init(&scene, CHANGE_NSEC, draw, NULL);
    struct zone_edit *edit = zone_edit_new(&scene.apex, DNS_CLASS_IN);
    change_put_soa(edit, &scene.apex, 1, 60);
    assert_int_equal(zone_edit_seal(edit, &scene.version), SG_OK);
    struct resign_index *index = resign_index_new(scene.version, scene.request.now);
    struct dns_name owner;
    uint16_t type;
    assert_int_equal(resign_index_first(index), INT64_MAX);
    assert_false(resign_index_first_node(index, scene.version, &owner, &type));
    resign_index_free(index);
    resign_index_free(NULL);
    change_clear(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_part_when_they_grow_and_go_when_they_are_empty),
        cmocka_unit_test(what_expires_first_has_a_name_and_a_type),
        cmocka_unit_test(a_zone_without_signatures_has_nothing_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
