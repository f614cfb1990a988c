#include "base/random.h"
#include "store/fixture.h"
#include "store/zone_log.h"

static struct fake_disk *disk;
static struct store *store;
static struct watch watch;

static int set_up(void **state)
{
    (void)state;
    disk = fake_disk_new();
    store = store_on(fake_disk_io(disk), false, &watch);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(store);
    fake_disk_free(disk);
    return 0;
}

static void reopen(void)
{
    store_free(store);
    store = store_on(fake_disk_io(disk), false, &watch);
}

static void a_new_zone_has_an_id_and_nothing_else(void **state)
{
    (void)state;
    struct store_zone *zone = open_zone(store, "default IN a.", SG_OK);
    assert_int_equal(zone->zone, 1);
    assert_int_equal(zone->last, 0);
    assert_int_equal(zone->records_count, 0);
    assert_false(zone->has_image);
    store_zone_free(zone);
    assert_int_equal(zone_id(store, "default IN b."), 2);
    assert_int_equal(zone_id(store, "default IN a."), 1);
}

static void ids_are_stable_and_never_given_twice(void **state)
{
    (void)state;
    assert_int_equal(zone_id(store, "a"), 1);
    assert_int_equal(zone_id(store, "b"), 2);
    struct store_request forget = {
        .kind = STORE_ZONE_FORGET, .zone = 2, .identity = span_of_text("b")};
    assert_int_equal(ask(store, &forget), SG_OK);
    reopen();
    assert_int_equal(zone_id(store, "a"), 1);
    assert_int_equal(zone_id(store, "b"), 3);
}

static void commits_come_back_in_order(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    for (uint64_t number = 1; number <= 20; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
        assert_int_equal(commit(store, b, number), SG_OK);
    }
    assert_int_equal(commit(store, b, 21), SG_OK);
    reopen();
    assert_zone(store, "a", 1, 20);
    assert_zone(store, "b", 1, 21);
}

static void a_number_that_is_not_the_next_is_a_conflict(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 2), SG_CONFLICT);
    assert_int_equal(commit(store, a, 0), SG_CONFLICT);
    assert_int_equal(commit(store, a, 1), SG_OK);
    assert_int_equal(commit(store, a, 1), SG_CONFLICT);
    assert_int_equal(commit(store, a, 3), SG_CONFLICT);
    assert_int_equal(commit_image(store, a, 2, "image", STORE_COMMIT_BREAKS), SG_OK);
    assert_int_equal(commit(store, a, 1), SG_CONFLICT);
    assert_zone(store, "a", 2, 2);
}

static void an_image_takes_the_place_of_the_one_before(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit_image(store, a, 1, "first", 0), SG_OK);
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_int_equal(commit_image(store, a, 3, "second", 0), SG_OK);
    assert_int_equal(commit(store, a, 4), SG_OK);
    assert_int_equal(fake_disk_count(disk, STORE_IMAGES), 1);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_true(zone->has_image);
    assert_int_equal(zone->image_number, 3);
    assert_int_equal(zone->image.length, 6);
    assert_memory_equal(zone->image.bytes, "second", 6);
    assert_records(zone, 1, 4); /* history for IXFR stays until it is trimmed */
    store_zone_free(zone);
}

static void a_break_makes_history_useless(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    assert_int_equal(commit(store, b, 1), SG_OK);
    for (uint64_t number = 1; number <= 4; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
    }
    assert_int_equal(commit_image(store, a, 5, "image", STORE_COMMIT_BREAKS), SG_OK);
    assert_zone(store, "a", 5, 5);
    assert_zone(store, "b", 1, 1);
}

static void trimming_stops_at_the_image(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a");
    for (uint64_t number = 1; number <= 4; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
    }
    assert_int_equal(trim(store, a, 3), SG_OK);
    assert_zone(store, "a", 1, 4); /* without an image every record is needed */
    assert_int_equal(commit_image(store, a, 5, "image", 0), SG_OK);
    assert_int_equal(commit(store, a, 6), SG_OK);
    assert_int_equal(trim(store, a, 3), SG_OK);
    assert_zone(store, "a", 3, 6);
    assert_int_equal(trim(store, a, 100), SG_OK);
    assert_zone(store, "a", 5, 6);
    assert_int_equal(trim(store, 77, 100), SG_OK);
}

static void an_image_file_must_be_there(void **state)
{
    (void)state;
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_NOT_FOUND);
    write_image(io, a, 1, "a large image");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_true(zone->has_image);
    assert_int_equal(zone->image.length, 0);
    store_zone_free(zone);
    write_image(io, a, 2, "a larger one");
    assert_true(has_image(io, a, 1));
    assert_int_equal(commit_image(store, a, 2, "", 0), SG_OK);
    assert_false(has_image(io, a, 1));
    assert_true(has_image(io, a, 2));
    assert_int_equal(commit_image(store, a, 3, "small again", 0), SG_OK);
    assert_int_equal(fake_disk_images(disk), 0);
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a");
    char *large = mem_alloc(STORE_IMAGE_INLINE_BYTES_MAX + 2);
    memset(large, 'x', STORE_IMAGE_INLINE_BYTES_MAX + 1);
    large[STORE_IMAGE_INLINE_BYTES_MAX + 1] = 0;
    assert_int_equal(commit_image(store, a, 1, large, 0), SG_LIMIT);
    assert_int_equal(commit_image(store, a, 1, large + 1, 0), SG_OK);
    large[STORE_KEY_BYTES_MAX + 1] = 0;
    assert_null(open_zone(store, large, SG_LIMIT));
    assert_null(open_zone(store, "", SG_LIMIT));
    struct store_zone *longest = open_zone(store, large + 1, SG_OK);
    store_zone_free(longest);
    mem_free(large);
}

static void nothing_of_a_forgotten_zone_stays(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    assert_int_equal(commit(store, a, 1), SG_OK);
    write_image(store_images(store), a, 2, "large");
    assert_int_equal(commit_image(store, a, 2, "", 0), SG_OK);
    assert_int_equal(commit(store, b, 1), SG_OK);
    struct store_request forget = {
        .kind = STORE_ZONE_FORGET, .zone = b, .identity = span_of_text("a")};
    assert_int_equal(ask(store, &forget), SG_CONFLICT);
    forget.zone = a;
    assert_int_equal(ask(store, &forget), SG_OK);
    assert_int_equal(ask(store, &forget), SG_OK);
    assert_int_equal(fake_disk_count(disk, STORE_ZONES), 1);
    assert_int_equal(fake_disk_count(disk, STORE_COMMITS), 1);
    assert_int_equal(fake_disk_count(disk, STORE_IMAGES), 0);
    assert_int_equal(fake_disk_images(disk), 0);
    assert_zone(store, "b", 1, 1);
}

/* Whoever could not open the zone knows no id. */
static void a_zone_is_forgotten_by_its_identity_alone(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    write_image(store_images(store), a, 1, "large");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    assert_int_equal(commit(store, b, 1), SG_OK);
    struct store_request forget = {.kind = STORE_ZONE_FORGET, .identity = span_of_text("a")};
    assert_int_equal(ask(store, &forget), SG_OK);
    assert_int_equal(ask(store, &forget), SG_OK);
    assert_int_equal(fake_disk_count(disk, STORE_ZONES), 1);
    assert_int_equal(fake_disk_count(disk, STORE_COMMITS), 1);
    assert_int_equal(fake_disk_images(disk), 0);
    assert_zone(store, "b", 1, 1);
}

static void damage_to_what_is_needed_stops_the_zone(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b");
    for (uint64_t number = 1; number <= 3; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
    }
    assert_int_equal(commit(store, b, 1), SG_OK);
    fake_disk_damage(disk, STORE_COMMITS, 1, 50);
    struct store_request open = {.kind = STORE_ZONE_OPEN, .identity = span_of_text("a")};
    assert_int_equal(ask(store, &open), SG_MALFORMED);
    assert_int_equal(open.opened->zone, a); /* for whoever builds it anew, behind its numbers */
    assert_int_equal(open.opened->last, 3);
    assert_int_equal(open.opened->serial, 2003);
    assert_int_equal(open.opened->state.length, strlen("state 3"));
    assert_memory_equal(open.opened->state.bytes, "state 3", strlen("state 3"));
    store_zone_free(open.opened);
    assert_string_equal(problem_seen, "record of commit 2: malformed");
    assert_zone(store, "b", 1, 1); /* and no other */
    assert_int_equal(store_health(store), SG_OK);
}

static void looking_for_a_zone_makes_none(void **state)
{
    (void)state;
    struct store_request open = {
        .kind = STORE_ZONE_OPEN, .identity = span_of_text("a"), .only_known = true};
    assert_int_equal(ask(store, &open), SG_NOT_FOUND);
    assert_null(open.opened);
    assert_int_equal(zone_id(store, "b"), 1); /* the first that was given */
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    assert_int_equal(ask(store, &open), SG_OK);
    assert_int_equal(open.opened->zone, a);
    assert_int_equal(open.opened->last, 1);
    store_zone_free(open.opened);
}

static void damage_to_an_image_stops_the_zone(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit_image(store, a, 1, "image", 0), SG_OK);
    fake_disk_damage(disk, STORE_IMAGES, 0, 22);
    assert_null(open_zone(store, "a", SG_MALFORMED));
}

static void damage_to_history_costs_history(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a");
    for (uint64_t number = 1; number <= 4; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
    }
    assert_int_equal(commit_image(store, a, 5, "image", 0), SG_OK);
    assert_int_equal(commit(store, a, 6), SG_OK);
    fake_disk_damage(disk, STORE_COMMITS, 1, 50);
    assert_zone(store, "a", 3, 6);
    fake_disk_damage(disk, STORE_COMMITS, 3, 50);
    assert_zone(store, "a", 5, 6);
    fake_disk_damage(disk, STORE_COMMITS, 4, 50); /* the state at the image is needed */
    assert_null(open_zone(store, "a", SG_MALFORMED));
}

/* Remove a record behind the store's back. */
static void lose(uint64_t zone, uint64_t number)
{
    const struct store_io *io = store_images(store);
    uint8_t key[STORE_LOG_KEY_BYTES];
    store_put_u64(key, zone);
    store_put_u64(key + 8, number);
    assert_int_equal(io->begin(io->argument), SG_OK);
    assert_int_equal(io->remove(io->argument, STORE_COMMITS, (struct span){key, sizeof(key)}),
                     SG_OK);
    assert_int_equal(io->commit(io->argument), SG_OK);
}

static void a_gap_is_damage(void **state)
{
    (void)state;
    uint64_t a = zone_id(store, "a"), b = zone_id(store, "b"), c = zone_id(store, "c");
    for (uint64_t number = 1; number <= 3; number++) {
        assert_int_equal(commit(store, a, number), SG_OK);
        assert_int_equal(commit(store, b, number), SG_OK);
    }
    assert_int_equal(commit_image(store, c, 1, "image", 0), SG_OK);
    lose(a, 2);
    lose(b, 1);
    lose(c, 1);
    assert_null(open_zone(store, "a", SG_MALFORMED));
    assert_null(open_zone(store, "b", SG_MALFORMED));
    assert_null(open_zone(store, "c", SG_MALFORMED));
}

static void tables_of_a_later_release_are_left_alone(void **state)
{
    (void)state;
    struct store_transaction transaction = {.io = store_images(store), .number = 100};
    assert_int_equal(store_meta_put(&transaction, "format", 2), SG_OK);
    assert_int_equal(store_transaction_commit(&transaction), SG_OK);
    store_free(store);
    struct store_io io = fake_disk_io(disk);
    assert_int_equal(store_new(&io, false, watch_state, &watch, &store), SG_UNSUPPORTED);
    struct fake_disk *other = fake_disk_new();
    store = store_on(fake_disk_io(other), false, &watch);
    store_free(store);
    fake_disk_free(other);
    store = NULL;
}

/* What one zone should be: numbers first ... last, and where its image is. */
struct model {
    uint64_t first, last, image;
};

static void step(struct random_seeded *random, uint64_t zone, struct model *model)
{
    uint64_t next = model->last + 1;
    unsigned what = random_seeded_below(random, 10);
    if (what == 0) {
        uint64_t below = random_seeded_below(random, (uint32_t)model->last + 3);
        assert_int_equal(trim(store, zone, below), SG_OK);
        uint64_t end = below < model->image ? below : model->image;
        model->first = end > model->first ? end : model->first;
        return;
    }
    if (what <= 2) {
        unsigned flags = what == 1 ? STORE_COMMIT_BREAKS : 0;
        assert_int_equal(commit_image(store, zone, next, "image", flags), SG_OK);
        model->image = next;
        model->first = flags != 0 ? next : model->first;
    } else {
        assert_int_equal(commit(store, zone, next), SG_OK);
    }
    model->last = next;
}

static void random_steps_agree_with_a_model(void **state)
{
    (void)state;
    enum { ZONES = 5, STEPS = 3000 };
    struct random_seeded random = {20260802};
    struct model models[ZONES] = {{0}};
    for (int i = 0; i < ZONES; i++) {
        char identity[2] = {(char)('a' + i), 0};
        assert_int_equal(zone_id(store, identity), i + 1);
        models[i].first = 1;
    }
    for (int i = 0; i < STEPS; i++) {
        unsigned at = random_seeded_below(&random, ZONES);
        char identity[2] = {(char)('a' + at), 0};
        step(&random, at + 1, &models[at]);
        if (random_seeded_below(&random, 100) == 0) {
            reopen();
        }
        struct store_zone *zone = open_zone(store, identity, SG_OK);
        assert_int_equal(zone->has_image, models[at].image != 0);
        assert_int_equal(zone->image_number, models[at].image);
        if (models[at].last > 0) {
            assert_records(zone, models[at].first, models[at].last);
        }
        store_zone_free(zone);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_zone_has_an_id_and_nothing_else),
        TEST(ids_are_stable_and_never_given_twice),
        TEST(commits_come_back_in_order),
        TEST(a_number_that_is_not_the_next_is_a_conflict),
        TEST(an_image_takes_the_place_of_the_one_before),
        TEST(a_break_makes_history_useless),
        TEST(trimming_stops_at_the_image),
        TEST(an_image_file_must_be_there),
        TEST(what_is_too_large_is_refused),
        TEST(nothing_of_a_forgotten_zone_stays),
        TEST(a_zone_is_forgotten_by_its_identity_alone),
        TEST(damage_to_what_is_needed_stops_the_zone),
        TEST(looking_for_a_zone_makes_none),
        TEST(damage_to_an_image_stops_the_zone),
        TEST(damage_to_history_costs_history),
        TEST(a_gap_is_damage),
        TEST(tables_of_a_later_release_are_left_alone),
        TEST(random_steps_agree_with_a_model),
    };
    return cmocka_run_group_tests_name("zone_log", tests, NULL, NULL);
}
