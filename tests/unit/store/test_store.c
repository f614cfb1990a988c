#include "base/thread.h"
#include "store/store_scene.h"

/* ---- group commit ---- */

static struct mailbox gate, arrivals;
static struct letter arrival;
static enum sg_result (*commit_below)(void *argument);

/* Says that it has come, and waits for a letter. */
static enum sg_result gated_commit(void *argument)
{
    mailbox_send(&arrivals, &arrival);
    assert_non_null(mailbox_wait(&gate));
    return commit_below(argument);
}

static void start_gated_on(struct store_io io)
{
    static struct letter for_new_tables;
    commit_below = io.commit;
    io.commit = gated_commit;
    mailbox_init(&gate, NULL, NULL);
    mailbox_init(&arrivals, NULL, NULL);
    mailbox_send(&gate, &for_new_tables);
    store = store_on(io, true, &watch);
    assert_ptr_equal(mailbox_wait(&arrivals), &arrival);
}

static void start_gated(void)
{
    start_gated_on(fake_disk_io(disk));
}

static void stop_gated(void)
{
    store_free(store);
    store = NULL;
    mailbox_take_all(&arrivals);
    mailbox_take_all(&gate);
    mailbox_clear(&arrivals);
    mailbox_clear(&gate);
}

static void what_waits_is_one_transaction(void **state)
{
    (void)state;
    enum { WAITING = 64 };
    struct letter opens[2];
    struct mailbox box;
    struct store_request requests[1 + WAITING];
    struct commit_text texts[1 + WAITING];
    mailbox_init(&box, NULL, NULL);
    start_gated();
    uint64_t before = fake_disk_commits(disk);
    for (uint64_t i = 0; i <= WAITING; i++) {
        requests[i] = commit_request(i + 1, 1, &texts[i]);
        requests[i].reply = &box;
        store_submit(store, &requests[i]);
        if (i == 0) {
            assert_ptr_equal(mailbox_wait(&arrivals), &arrival); /* it is alone in its commit */
        }
    }
    mailbox_send(&gate, &opens[0]);
    mailbox_send(&gate, &opens[1]);
    for (int i = 0; i <= WAITING; i++) {
        struct store_request *request = (struct store_request *)mailbox_wait(&box);
        assert_ptr_equal(request, &requests[i]);
        assert_int_equal(request->result, SG_OK);
    }
    assert_int_equal(fake_disk_commits(disk) - before, 2);
    assert_int_equal(fake_disk_count(disk, STORE_COMMITS), 1 + WAITING);
    stop_gated();
    mailbox_clear(&box);
}

static void what_waits_at_the_end_is_still_committed(void **state)
{
    (void)state;
    struct letter opens[2];
    struct mailbox box;
    struct store_request requests[3];
    struct commit_text texts[3];
    mailbox_init(&box, NULL, NULL);
    start_gated();
    for (uint64_t i = 0; i < 3; i++) {
        requests[i] = commit_request(1, i + 1, &texts[i]);
        requests[i].reply = &box;
        store_submit(store, &requests[i]);
    }
    mailbox_send(&gate, &opens[0]);
    mailbox_send(&gate, &opens[1]);
    stop_gated();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(((struct store_request *)mailbox_take(&box))->result, SG_OK);
    }
    assert_int_equal(fake_disk_count(disk, STORE_COMMITS), 3);
    mailbox_clear(&box);
}

static enum sg_result (*put_below)(void *argument, enum store_table table, struct span key,
                                   struct span value);
static void (*abort_below)(void *argument);

/* A disk with room for all but images. */
static enum sg_result put_without_images(void *argument, enum store_table table, struct span key,
                                         struct span value)
{
    if (table == STORE_IMAGES) {
        abort_below(argument);
        return SG_NO_SPACE;
    }
    return put_below(argument, table, key, value);
}

/* An image is the largest of what is written, and nobody waits for it. */
static void an_image_that_does_not_fit_harms_no_commit(void **state)
{
    (void)state;
    enum { ZONES = 3 };
    struct letter opens[ZONES];
    struct mailbox box;
    struct store_request commits[ZONES];
    struct commit_text texts[ZONES];
    struct store_request image = {.kind = STORE_ZONE_IMAGE, .zone = 1, .number = 1};
    image.image = span_of_text("image");
    mailbox_init(&box, NULL, NULL);
    struct store_io io = fake_disk_io(disk);
    put_below = io.put;
    abort_below = io.abort;
    io.put = put_without_images;
    start_gated_on(io);
    for (uint64_t i = 0; i < ZONES; i++) {
        commits[i] = commit_request(i + 1, 1, &texts[i]);
        commits[i].reply = &box;
        store_submit(store, &commits[i]);
        if (i == 0) {
            assert_ptr_equal(mailbox_wait(&arrivals), &arrival);
        } else if (i == 1) {
            image.reply = &box;
            store_submit(store, &image);
        }
    }
    for (size_t i = 0; i < ZONES; i++) {
        mailbox_send(&gate, &opens[i]);
    }
    for (size_t i = 0; i <= ZONES; i++) {
        struct store_request *request = (struct store_request *)mailbox_wait(&box);
        assert_int_equal(request->result, request == &image ? SG_NO_SPACE : SG_OK);
        mem_free(request->problem);
    }
    assert_int_equal(watch.changes, 0);
    assert_int_equal(fake_disk_count(disk, STORE_COMMITS), ZONES);
    stop_gated();
    mailbox_clear(&box);
}

enum { SENDERS = 4, COMMITS_EACH = 200 };

static void *send_commits(void *argument)
{
    uint64_t zone = *(const uint64_t *)argument;
    for (uint64_t number = 1; number <= COMMITS_EACH; number++) {
        assert_int_equal(commit(store, zone, number), SG_OK);
    }
    return NULL;
}

static void many_senders_lose_nothing(void **state)
{
    (void)state;
    pthread_t threads[SENDERS];
    uint64_t zones[SENDERS];
    start(true);
    for (int i = 0; i < SENDERS; i++) {
        char identity[2] = {(char)('a' + i), 0};
        zones[i] = zone_id(store, identity);
    }
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(thread_start(&threads[i], send_commits, &zones[i]), SG_OK);
    }
    for (int i = 0; i < SENDERS; i++) {
        char identity[2] = {(char)('a' + i), 0};
        pthread_join(threads[i], NULL);
        assert_zone(store, identity, 1, COMMITS_EACH);
    }
    assert_int_equal(watch.changes, 0);
}

static void reading_is_no_transaction(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    uint64_t before = fake_disk_writes(disk);
    assert_zone(store, "a", 1, 1);
    assert_int_equal(trim(store, a, 1), SG_OK);
    assert_int_equal(fake_disk_writes(disk), before);
}

/* ---- faults ---- */

static void a_failed_write_or_sync_loses_nothing_else(void **state)
{
    (void)state;
    static const enum sg_result results[] = {SG_NO_SPACE, SG_IO};
    start(false);
    uint64_t a = zone_id(store, "a"), last = 0;
    for (uint64_t at = 1; at <= WRITES_OF_A_COMMIT; at++) {
        for (size_t i = 0; i < ARRAY_LEN(results); i++) {
            int changes = watch.changes;
            assert_int_equal(commit(store, a, ++last), SG_OK);
            set_fault((struct fake_disk_fault){.at = at, .result = results[i]});
            assert_int_equal(commit(store, a, last + 1), results[i]);
            assert_int_equal(store_health(store), results[i]);
            assert_int_equal(watch.changes, changes + 1);
            assert_int_equal(watch.last, results[i]);
            assert_zone(store, "a", 1, last);
            assert_int_equal(commit(store, a, ++last), SG_OK); /* the disk works again */
            assert_int_equal(store_health(store), SG_OK);
            assert_int_equal(watch.last, SG_OK);
        }
    }
    assert_zone(store, "a", 1, last);
}

static void on_a_full_disk_reading_goes_on(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    set_fault((struct fake_disk_fault){.at = 1, .result = SG_NO_SPACE, .goes_on = true});
    struct commit_text text;
    struct store_request request = commit_request(a, 2, &text);
    assert_int_equal(ask(store, &request), SG_NO_SPACE);
    assert_string_equal(problem_seen, "the store cannot be written: no space left");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(commit(store, a, 2), SG_NO_SPACE);
        assert_zone(store, "a", 1, 1);
        assert_null(open_zone(store, "new", SG_NO_SPACE));
        assert_int_equal(trim(store, a, 1), SG_NO_SPACE);
    }
    assert_int_equal(watch.changes, 1);
    fake_disk_heal(disk);
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_int_equal(watch.changes, 2);
    assert_zone(store, "a", 1, 2);
}

static void an_environment_that_grows_is_no_fault(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    for (uint64_t at = 1; at <= WRITES_OF_A_COMMIT; at++) {
        set_fault((struct fake_disk_fault){.at = at, .result = SG_LIMIT});
        assert_int_equal(commit(store, a, at), SG_OK);
    }
    assert_int_equal(watch.changes, 0);
    assert_zone(store, "a", 1, WRITES_OF_A_COMMIT);
}

static int scans_until_damage;
static enum sg_result (*scan_below)(void *argument, enum store_table table, struct span from,
                                    bool (*see)(void *, struct span, struct span), void *see_it);

static enum sg_result damaged_scan(void *argument, enum store_table table, struct span from,
                                   bool (*see)(void *, struct span, struct span), void *see_it)
{
    if (scans_until_damage > 0 && --scans_until_damage == 0) {
        return SG_MALFORMED;
    }
    return scan_below(argument, table, from, see, see_it);
}

static void a_request_that_fails_half_way_leaves_nothing(void **state)
{
    (void)state;
    struct store_io io = fake_disk_io(disk);
    scan_below = io.scan;
    io.scan = damaged_scan;
    store = store_on(io, false, &watch);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    struct store_request forget = {
        .kind = STORE_ZONE_FORGET, .zone = a, .identity = span_of_text("a")};
    scans_until_damage = 3; /* after the identity and a record are gone */
    assert_int_equal(ask(store, &forget), SG_MALFORMED);
    assert_zone(store, "a", 1, 1);
    assert_int_equal(watch.changes, 0);
    assert_int_equal(ask(store, &forget), SG_OK);
    assert_int_equal(fake_disk_count(disk, STORE_COMMITS), 0);
}

static struct mailbox states;
static struct letter state_letters[2];

static void send_state(void *argument, enum sg_result result)
{
    (void)argument;
    mailbox_send(&states, &state_letters[result == SG_OK]);
}

static void the_thread_finds_by_itself_that_the_disk_is_back(void **state)
{
    (void)state;
    struct store_io io = fake_disk_io(disk);
    mailbox_init(&states, NULL, NULL);
    assert_int_equal(store_new(&io, true, send_state, NULL, &store), SG_OK);
    uint64_t a = zone_id(store, "a");
    set_fault((struct fake_disk_fault){.at = 1, .result = SG_NO_SPACE});
    assert_int_equal(commit(store, a, 1), SG_NO_SPACE);
    assert_ptr_equal(mailbox_wait(&states), &state_letters[0]);
    assert_int_equal(commit(store, a, 1), SG_NO_SPACE); /* at once: the disk is not asked */
    assert_ptr_equal(mailbox_wait(&states), &state_letters[1]);
    assert_int_equal(store_health(store), SG_OK);
    assert_int_equal(commit(store, a, 1), SG_OK);
    mailbox_clear(&states);
}

/* ---- power loss ---- */

/* What a run of commits, images and trims had acknowledged when the power went. */
struct run {
    uint64_t acknowledged;
    uint64_t image;
    bool image_in_flight;
};

static void run_until_dark(struct run *run)
{
    enum { STEPS = 12 };
    struct store_zone *zone = NULL;
    struct store_request open = {.kind = STORE_ZONE_OPEN, .identity = span_of_text("a")};
    if (ask(store, &open) != SG_OK) {
        return;
    }
    zone = open.opened;
    uint64_t id = zone->zone;
    store_zone_free(zone);
    for (uint64_t number = 1; number <= STEPS; number++) {
        bool with_image = number % 3 == 0;
        run->image_in_flight = with_image;
        enum sg_result result =
            with_image ? commit_image(store, id, number, "image", 0) : commit(store, id, number);
        if (result != SG_OK) {
            return;
        }
        run->acknowledged = number;
        run->image = with_image ? number : run->image;
        if (number % 5 == 0 && trim(store, id, number - 2) != SG_OK) {
            run->image_in_flight = false;
            return;
        }
    }
}

static void check_after_the_dark(const struct run *run, bool counts)
{
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_true(zone->last == run->acknowledged || (counts && zone->last == run->acknowledged + 1));
    if (zone->last > 0) {
        assert_records(zone, zone->records_first, zone->last);
    }
    bool has_newer = run->image_in_flight && zone->last > run->acknowledged;
    assert_int_equal(zone->image_number, has_newer ? zone->last : run->image);
    assert_true(zone->records_first <= (zone->has_image ? zone->image_number : 1));
    store_zone_free(zone);
}

static void power_loss_at_any_write_loses_nothing_acknowledged(void **state)
{
    (void)state;
    bool is_over = false;
    int cut = 0;
    for (uint64_t at = 1; !is_over; at++) {
        for (int counts = 0; counts < 2; counts++) {
            struct run run = {0};
            start(false);
            set_fault(
                (struct fake_disk_fault){.at = at, .loses_power = true, .counts = counts != 0});
            run_until_dark(&run);
            is_over = store_health(store) == SG_OK; /* the power outlasted the run */
            cut += !is_over;
            store_free(store);
            fake_disk_crash(disk);
            start(false);
            check_after_the_dark(&run, counts != 0);
            store_free(store);
            fake_disk_free(disk);
            disk = fake_disk_new();
            store = NULL;
        }
    }
    assert_true(cut > 80);
}

/* ---- the rest ---- */

static bool append_config(void *argument, struct span key, struct span value)
{
    struct buffer *text = argument;
    buffer_format(text, "%.*s=%.*s;", (int)key.length, (const char *)key.bytes, (int)value.length,
                  (const char *)value.bytes);
    return true;
}

static enum sg_result put_config(const char *key, const char *value)
{
    struct store_request request = {
        .kind = STORE_CONFIG_PUT, .identity = span_of_text(key), .value = span_of_text(value)};
    return ask(store, &request);
}

static void statements_are_kept_until_they_are_removed(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;
    start(false);
    assert_int_equal(put_config("b.", "zone b"), SG_OK);
    assert_int_equal(put_config("a.", "zone a"), SG_OK);
    assert_int_equal(put_config("c.", "zone c"), SG_OK);
    assert_int_equal(put_config("b.", "zone b again"), SG_OK);
    assert_int_equal(put_config("c.", ""), SG_OK);
    assert_int_equal(put_config("", "x"), SG_LIMIT);
    assert_int_equal(store_config_walk(store_images(store), append_config, &text), SG_OK);
    assert_string_equal(buffer_text(&text), "a.=zone a;b.=zone b again;");
    buffer_free(&text);
}

static void a_copy_is_what_was_committed(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    struct store_request request = {.kind = STORE_COPY, .path = "backup"};
    assert_int_equal(ask(store, &request), SG_OK);
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_int_equal(ask(store, &request), SG_EXISTS);
    assert_string_equal(problem_seen, "backup: already exists");
    struct store *original = store;
    store = store_on(fake_disk_io(fake_disk_copied(disk, "backup")), false, &watch);
    assert_zone(store, "a", 1, 1);
    store_free(store);
    store = original;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_one_transaction),
        TEST(what_waits_at_the_end_is_still_committed),
        TEST(an_image_that_does_not_fit_harms_no_commit),
        TEST(many_senders_lose_nothing),
        TEST(reading_is_no_transaction),
        TEST(a_failed_write_or_sync_loses_nothing_else),
        TEST(on_a_full_disk_reading_goes_on),
        TEST(an_environment_that_grows_is_no_fault),
        TEST(a_request_that_fails_half_way_leaves_nothing),
        TEST(the_thread_finds_by_itself_that_the_disk_is_back),
        TEST(power_loss_at_any_write_loses_nothing_acknowledged),
        TEST(statements_are_kept_until_they_are_removed),
        TEST(a_copy_is_what_was_committed),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
