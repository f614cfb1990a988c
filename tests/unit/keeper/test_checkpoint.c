/* Images take the place of many changesets; what history is kept, and for how long. */
#include "keeper/keeper_scene.h"

/* As if so much had been committed since the last image that one is due. */
static void let_one_be_due(struct keeper_scene *scene)
{
    scene_zone(scene)->ledger.since_image_bytes = 1 << 20;
}

static void an_image_takes_the_place_of_many_changesets(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    for (int i = 0; i < 5; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
    assert_int_equal(scene_zone(scene)->ledger.image_number, 1);
    let_one_be_due(scene);
    assert_int_equal(scene_update_now(scene, "last"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_zone(scene)->ledger.image_number, 7);
    assert_int_equal(fake_disk_count(scene->disk, STORE_IMAGES), 1);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 13);
    assert_true(scene_serves(scene, "new0.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "last.example.test.", DNS_TYPE_A));
}

static void changes_go_on_while_it_is_made(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene_serve_dynamic(scene);
    let_one_be_due(scene);
    scene_update(scene, "one", &rcode);
    while (!scene_zone(scene)->ledger.imaging) {
        scene_turn_once(scene);
    }
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "two.example.test.", DNS_TYPE_A));
}

static void one_that_cannot_be_written_costs_nothing(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene_serve_dynamic(scene);
    let_one_be_due(scene);
    scene_update(scene, "one", &rcode);
    while (!scene_zone(scene)->ledger.imaging) {
        scene_turn_once(scene);
    }
    scene_break_disk(scene);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    assert_false(scene_zone(scene)->ledger.imaging);
    assert_int_equal(scene_zone(scene)->ledger.image_number, 1);
    assert_in_range(scene_zone(scene)->ledger.since_image_bytes, 1 << 19, (1 << 20) + 1000);
    fake_disk_heal(scene->disk);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
}

static void a_version_that_is_not_committed_gets_none(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    let_one_be_due(scene);
    scene_zone(scene)->ledger.continues = false;
    checkpoint_consider(scene->keeper, scene_zone(scene));
    assert_false(scene_zone(scene)->ledger.imaging);
}

static void a_zone_that_goes_meanwhile_waits_for_it(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene_serve_dynamic(scene);
    let_one_be_due(scene);
    scene_update(scene, "one", &rcode);
    while (!scene_zone(scene)->ledger.imaging) {
        scene_turn_once(scene);
    }
    scene->zones = 0;
    scene_configure(scene);
    scene->zones = 1;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 8);
}

/* It is signed on unseen, perhaps for months. */
static void one_that_has_expired_gets_its_images_too(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    let_one_be_due(scene);
    scene_pass(scene, 13 * SG_DAY);
    assert_true(scene_zone(scene)->ledger.image_number > 1);
    assert_int_equal(fake_disk_count(scene->disk, STORE_IMAGES), 1);
    assert_in_range(scene_zone(scene)->ledger.since_image_bytes, 0, 1 << 19);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(scene_zone(scene)->known.expired);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_true(scene_serial(scene) > 5);
}

/* A server that is started often must not read more and more. */
static void what_was_recovered_counts(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    assert_true(scene_zone(scene)->ledger.since_image_bytes > 0);
    scene_restart(scene);
    assert_true(scene_zone(scene)->ledger.since_image_bytes > 0);
}

/* Not every commit is a link: some change keys or timers alone. */
static void what_secondaries_may_ask_for_is_kept_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
    for (int i = 0; i < 4; i++) {
        scene_zone(scene)->wishes.state = true;
        keeper_enqueue(scene->keeper, scene_zone(scene));
        scene_turn(scene);
    }
    let_one_be_due(scene);
    assert_int_equal(scene_update_now(scene, "last"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_zone(scene)->ledger.image_number, 9);
    assert_int_equal(scene_zone(scene)->slot->history.links, 4);
    scene_restart(scene);
    assert_int_equal(scene_zone(scene)->slot->history.links, 4);
    assert_int_equal(zone_history_oldest_commit(&scene_zone(scene)->slot->history), 2);
}

static void what_nobody_may_ask_for_any_more_is_not_kept(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
    scene_zone(scene)->generation->history_bytes_max = 1;
    let_one_be_due(scene);
    assert_int_equal(scene_update_now(scene, "last"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_zone(scene)->slot->history.links, 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
}

static void history_in_memory_is_bounded_over_all_zones(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    scene_zone(scene)->generation->history_bytes_max = 1;
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
    assert_int_equal(scene_zone(scene)->slot->history.links, 0);
    assert_int_equal(scene->keeper->history_bytes, 0);
}

/* ---- what a zone's own settings say ---- */

static size_t links_of(struct keeper_scene *scene)
{
    return scene_zone(scene)->slot->history.links;
}

static void add_names(struct keeper_scene *scene, char first, char last)
{
    for (char label[2] = {first, '\0'}; label[0] <= last; label[0]++) {
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
}

static void history_is_as_large_as_its_zone_may_have_it(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    add_names(scene, 'a', 'd');
    assert_int_equal(links_of(scene), 4);
    size_t allowed = scene_zone(scene)->slot->history.bytes / 2 + 1;
    scene->plan[0].limits.journal_bytes_max = allowed;
    scene_configure(scene);
    assert_int_equal(links_of(scene), 2);
    add_names(scene, 'e', 'g');
    assert_int_equal(links_of(scene), 2);
    assert_in_range(scene_zone(scene)->slot->history.bytes, 1, allowed);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 2);
    let_one_be_due(scene);
    add_names(scene, 'h', 'h');
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 2); /* 8 and the image's, 9 */
    scene_restart(scene);
    assert_int_equal(links_of(scene), 2);
}

static void serve_dynamic_for_a_day(struct keeper_scene *scene)
{
    scene->plan[0].limits.journal_age_max = SG_DAY;
    scene_serve_dynamic(scene);
}

static void a_difference_that_is_too_old_goes_from_memory_and_store(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_pass(scene, SG_DAY / 2);
    add_names(scene, 'd', 'e');
    scene_pass(scene, SG_DAY / 2 - 1);
    assert_int_equal(links_of(scene), 5);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 6);
    scene_pass(scene, 1);
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(zone_history_oldest_commit(&scene_zone(scene)->slot->history), 5);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 2);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(scene_serial(scene), 12);
    scene_pass(scene, SG_DAY / 2);
    assert_int_equal(links_of(scene), 0);
    /* An image with its record, which tells of no change. */
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
    assert_int_equal(fake_disk_count(scene->disk, STORE_IMAGES), 1);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(scene_serial(scene), 12);
    assert_true(scene_serves(scene, "a.example.test.", DNS_TYPE_A));
    add_names(scene, 'f', 'f');
    assert_int_equal(links_of(scene), 1);
}

static void what_has_become_too_old_while_it_was_down_goes_at_the_start(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_stop(scene);
    scene->now += 2 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
    assert_int_equal(scene_serial(scene), 10);
    assert_true(scene_serves(scene, "c.example.test.", DNS_TYPE_A));
}

static void an_age_that_is_set_later_counts_at_once(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    add_names(scene, 'a', 'c');
    scene_pass(scene, 2 * SG_DAY);
    assert_int_equal(links_of(scene), 3);
    scene->plan[0].limits.journal_age_max = SG_DAY;
    scene_configure(scene);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
}

/* The store is not asked to forget with each change of a zone that always changes. */
static void what_becomes_too_old_leaves_the_store_in_steps(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    unsigned images = 0;
    uint64_t image = scene_zone(scene)->ledger.image_number;
    for (int i = 0; i < 200; i++) {
        char label[8];
        snprintf(label, sizeof(label), "n%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
        scene_pass(scene, SG_DAY / 50);
        images += scene_zone(scene)->ledger.image_number != image;
        image = scene_zone(scene)->ledger.image_number;
        assert_in_range(links_of(scene), 0, 50);
        assert_in_range(fake_disk_count(scene->disk, STORE_COMMITS), 1, 56);
    }
    assert_int_equal(links_of(scene), 49);
    assert_in_range(images, 2, 5);
}

static void a_disk_that_fails_loses_no_commit_to_an_age(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_break_disk(scene);
    scene_pass(scene, SG_DAY);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 4);
    fake_disk_heal(scene->disk);
    scene_pass(scene, SG_HOUR);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
    assert_null(scene_status(scene).problem);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 10);
    assert_true(scene_serves(scene, "c.example.test.", DNS_TYPE_A));
}

/* What becomes due in the same second is done first: it is told, and stays to be. */
static void a_change_that_comes_before_the_store_forgets_is_told(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_pass(scene, SG_DAY - 1);
    struct managed_zone *zone = scene_zone(scene);
    zone->later.serial_above = scene_serial(scene) + 5;
    zone->health.retry_at = scene->now + 1;
    keeper_set_timer(scene->keeper, zone);
    scene_pass(scene, 1);
    assert_true(scene_serial(scene) > 15);
    assert_int_equal(links_of(scene), 1);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 1);
    scene_pass(scene, SG_DAY);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
}

/* Nor does it forget, when the disk works again, what came before it was tried again. */
static void what_failed_to_be_shortened_is_not_forgotten_later_in_any_case(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_break_disk(scene);
    scene_pass(scene, SG_DAY);
    assert_true(scene_zone(scene)->later.shorten);
    assert_false(scene_zone(scene)->later.clean);
}

/* Else it would be tried again with each turn, as fast as the processor can. */
static void an_image_that_age_asks_for_and_that_fails_is_not_due_at_once(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_pass(scene, SG_DAY / 2);
    add_names(scene, 'd', 'e');
    uint64_t before = scene_zone(scene)->ledger.since_image_bytes;
    scene_break_disk(scene);
    scene_pass(scene, SG_DAY / 2);
    assert_in_range(scene_zone(scene)->ledger.since_image_bytes, 0, before);
    fake_disk_heal(scene->disk);
    scene_pass(scene, SG_DAY);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
}

/* A zone that is not as it was committed is written no image: its age is looked at in steps. */
static void what_cannot_be_shortened_now_keeps_nobody_busy(void **state)
{
    struct keeper_scene *scene = *state;
    serve_dynamic_for_a_day(scene);
    add_names(scene, 'a', 'c');
    scene_zone(scene)->ledger.continues = false;
    scene_pass(scene, 2 * SG_DAY);
    assert_true(scene_zone(scene)->ledger.aged);
    assert_true(keeper_turn(scene->keeper, scene->now) > scene->now + SG_HOUR / 2);
    scene_zone(scene)->ledger.continues = true;
    scene_pass(scene, SG_DAY);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
}

enum { RATIO_NAMES = 40000 };

static void load_names(struct keeper_scene *scene, unsigned serial, int count)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_format(
        &text, "$TTL 60\n@ SOA ns1 host %u 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n", serial);
    for (int i = 0; i < count; i++) {
        buffer_format(&text, "n%d A 192.0.2.9\n", i);
    }
    assert_int_equal(file_write(scene->file, 0644, buffer_span(&text)), SG_OK);
    buffer_free(&text);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* A chain that is too long to be condensed, and larger than the ratio, is sent to nobody. */
static void what_the_ratio_makes_useless_is_not_kept(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].limits.journal_bytes_max = UINT64_MAX;
    load_names(scene, 1, 0);
    load_names(scene, 2, RATIO_NAMES);
    load_names(scene, 3, 0);
    assert_int_equal(links_of(scene), 2);
    scene->plan[0].limits.ixfr_ratio_percent = 100;
    scene_configure(scene);
    assert_int_equal(links_of(scene), 1);
    load_names(scene, 4, 1);
    assert_int_equal(links_of(scene), 2);
    assert_in_range(scene_zone(scene)->slot->history.records, 1, 65536);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(an_image_takes_the_place_of_many_changesets),
        WITH_SCENE(changes_go_on_while_it_is_made),
        WITH_SCENE(one_that_cannot_be_written_costs_nothing),
        WITH_SCENE(a_version_that_is_not_committed_gets_none),
        WITH_SCENE(a_zone_that_goes_meanwhile_waits_for_it),
        WITH_SCENE(one_that_has_expired_gets_its_images_too),
        WITH_SCENE(what_was_recovered_counts),
        WITH_SCENE(what_secondaries_may_ask_for_is_kept_over_a_restart),
        WITH_SCENE(what_nobody_may_ask_for_any_more_is_not_kept),
        WITH_SCENE(history_in_memory_is_bounded_over_all_zones),
        WITH_SCENE(history_is_as_large_as_its_zone_may_have_it),
        WITH_SCENE(a_difference_that_is_too_old_goes_from_memory_and_store),
        WITH_SCENE(what_has_become_too_old_while_it_was_down_goes_at_the_start),
        WITH_SCENE(an_age_that_is_set_later_counts_at_once),
        WITH_SCENE(what_becomes_too_old_leaves_the_store_in_steps),
        WITH_SCENE(a_disk_that_fails_loses_no_commit_to_an_age),
        WITH_SCENE(a_change_that_comes_before_the_store_forgets_is_told),
        WITH_SCENE(what_failed_to_be_shortened_is_not_forgotten_later_in_any_case),
        WITH_SCENE(an_image_that_age_asks_for_and_that_fails_is_not_due_at_once),
        WITH_SCENE(what_cannot_be_shortened_now_keeps_nobody_busy),
        WITH_SCENE(what_the_ratio_makes_useless_is_not_kept),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
