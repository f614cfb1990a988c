/* A large change is committed with an image file of its own, and history leads over it. */
#include "keeper/keeper_scene.h"

enum { LARGE_NAMES = 8, HUGE_NAMES = 220, LARGE_STRINGS = 160, LARGE_STRING_BYTES = 250 };

static size_t links_of(struct keeper_scene *scene)
{
    return scene_zone(scene)->slot->history.links;
}

/* A file of 40 kB a name; before, the zone had a few names. */
static void grow_file(struct keeper_scene *scene, int names)
{
    struct buffer text = BUFFER_EMPTY;
    char string[LARGE_STRING_BYTES + 1];
    memset(string, 'x', LARGE_STRING_BYTES);
    string[LARGE_STRING_BYTES] = '\0';
    buffer_append_text(&text, "$TTL 60\n@ SOA ns1 host 8 3600 600 86400 60\n@ NS ns1\n"
                              "ns1 A 192.0.2.1\n");
    for (int i = 0; i < names; i++) {
        buffer_format(&text, "large%d TXT", i);
        for (int j = 0; j < LARGE_STRINGS; j++) {
            buffer_append_text(&text, " ");
            buffer_append_text(&text, string);
        }
        buffer_append_text(&text, "\n");
    }
    assert_int_equal(file_write(scene->file, 0644, buffer_span(&text)), SG_OK);
    buffer_free(&text);
}

static void serve_signed(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

static void reload(struct keeper_scene *scene)
{
    keeper_wish_load(scene->keeper, scene_zone(scene), true);
    scene_turn(scene);
}

/* The difference is in the record as well. */
static void a_large_change_is_committed_with_an_image_file(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    grow_file(scene, LARGE_NAMES);
    reload(scene);
    uint32_t serial = scene_serial(scene);
    assert_true(scene_serves(scene, "large0.example.test.", DNS_TYPE_TXT));
    assert_int_equal(fake_disk_images(scene->disk), 1);
    assert_int_equal(scene_zone(scene)->ledger.image_number, scene_zone(scene)->ledger.last);
    assert_int_equal(links_of(scene), 1);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
    assert_true(scene_serves(scene, "large7.example.test.", DNS_TYPE_TXT));
    assert_int_equal(links_of(scene), 1);
}

/* What was told before it and what comes after it are one chain, also after a restart. */
static void history_leads_over_a_large_change(void **state)
{
    struct keeper_scene *scene = *state;
    const struct zone_history_link *links[8];
    serve_signed(scene);
    uint32_t first = scene_serial(scene);
    scene_write_file(scene, 8, true);
    reload(scene);
    grow_file(scene, LARGE_NAMES);
    reload(scene);
    uint32_t above = scene_serial(scene) + 5;
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), above), SG_OK);
    scene_turn(scene);
    assert_int_equal(links_of(scene), 3);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 3);
    size_t count = zone_history_collect(&scene_zone(scene)->slot->history, first,
                                        scene_serial(scene), links, ARRAY_LEN(links));
    assert_int_equal(count, 3);
    while (count > 0) {
        zone_history_unref(links[--count]);
    }
}

/* Each of them has its image, and no other one comes that would have the store trimmed. */
static void large_changes_alone_do_not_fill_the_store(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].limits.journal_bytes_max = 500000; /* one of them */
    serve_signed(scene);
    for (unsigned i = 0; i < 6; i++) {
        scene_write_file(scene, 100 + i, false);
        reload(scene);
        grow_file(scene, LARGE_NAMES);
        reload(scene);
        assert_in_range(links_of(scene), 1, 2);
        assert_in_range(fake_disk_count(scene->disk, STORE_COMMITS), 1, 2);
    }
    scene_restart(scene);
    assert_true(scene_serves(scene, "large7.example.test.", DNS_TYPE_TXT));
}

/* Those of other zones, which share transactions, do not wait for its megabytes. */
static void a_huge_change_is_committed_as_an_image_file_alone(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    grow_file(scene, HUGE_NAMES);
    reload(scene);
    uint32_t serial = scene_serial(scene);
    assert_true(scene_serves(scene, "large0.example.test.", DNS_TYPE_TXT));
    assert_int_equal(fake_disk_images(scene->disk), 1);
    assert_in_range(fake_disk_largest(scene->disk), 1, 64 * 1024);
    assert_int_equal(scene_zone(scene)->ledger.image_number, scene_zone(scene)->ledger.last);
    /* Secondaries get the difference. */
    assert_int_equal(scene_zone(scene)->slot->history.links, 1);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
    assert_true(scene_serves(scene, "large7.example.test.", DNS_TYPE_TXT));
    assert_int_equal(scene_zone(scene)->slot->history.links, 0);
}

static enum sg_result (*create_below)(void *argument, uint64_t zone, uint64_t commit,
                                      struct store_image **out_image);
static int creations_to_fail;

static enum sg_result create_or_fail(void *argument, uint64_t zone, uint64_t commit,
                                     struct store_image **out_image)
{
    if (creations_to_fail > 0) {
        creations_to_fail--;
        return SG_NO_SPACE;
    }
    return create_below(argument, zone, commit, out_image);
}

static void a_large_change_whose_image_does_not_fit_is_committed_as_it_is(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    grow_file(scene, LARGE_NAMES);
    struct store_io *io = (struct store_io *)(uintptr_t)store_images(scene->store);
    create_below = io->image_create;
    io->image_create = create_or_fail;
    creations_to_fail = 1;
    reload(scene);
    assert_int_equal(creations_to_fail, 0);
    uint32_t serial = scene_serial(scene);
    assert_true(scene_serves(scene, "large0.example.test.", DNS_TYPE_TXT));
    assert_null(scene_status(scene).problem);
    assert_in_range(fake_disk_largest(scene->disk), 256 * 1024, 1024 * 1024);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
    assert_true(scene_serves(scene, "large7.example.test.", DNS_TYPE_TXT));
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_large_change_is_committed_with_an_image_file),
        WITH_SCENE(history_leads_over_a_large_change),
        WITH_SCENE(large_changes_alone_do_not_fill_the_store),
        WITH_SCENE(a_huge_change_is_committed_as_an_image_file_alone),
        WITH_SCENE(a_large_change_whose_image_does_not_fit_is_committed_as_it_is),
    };
    return cmocka_run_group_tests_name("large_change", tests, NULL, NULL);
}
