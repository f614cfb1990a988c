#include "base/thread.h"
#include "store/fixture.h"

static struct fake_disk *disk;
static struct store *store;
static struct watch watch;

static int set_up(void **state)
{
    (void)state;
    disk = fake_disk_new();
    store = NULL;
    watch = (struct watch){SG_OK, 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(store);
    fake_disk_free(disk);
    return 0;
}

static void start(bool threads)
{
    store = store_on(fake_disk_io(disk), threads, &watch);
}

static void set_fault(struct fake_disk_fault fault)
{
    fake_disk_set_fault(disk, &fault);
}

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

/* A commit is three writes: the record, the transaction's number, and the commit itself. */
enum { WRITES_OF_A_COMMIT = 3 };

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

static void a_commit_in_doubt_that_counts_is_acknowledged(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    set_fault(
        (struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true});
    assert_int_equal(commit(store, a, 1), SG_OK);
    assert_int_equal(store_health(store), SG_OK);
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_zone(store, "a", 1, 2);
}

static void a_commit_in_doubt_that_does_not_count_has_failed(void **state)
{
    (void)state;
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    set_fault((struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT});
    assert_int_equal(commit(store, a, 2), SG_IO);
    assert_int_equal(store_health(store), SG_OK); /* the next transaction went well at once */
    assert_int_equal(commit(store, a, 2), SG_OK);
    assert_zone(store, "a", 1, 2);
}

/* Submit a commit that stays in doubt, unanswered. */
static void leave_in_doubt(uint64_t zone, struct store_request *request, struct mailbox *box)
{
    static struct commit_text text;
    *request = commit_request(zone, 2, &text);
    request->reply = box;
    set_fault(
        (struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true});
    fake_disk_refuse_reopen(disk);
    store_submit(store, request);
    assert_null(mailbox_take(box));
    assert_int_equal(commit(store, zone, 2), SG_IO); /* others are refused meanwhile */
    assert_null(mailbox_take(box));
}

static void doubt_lasts_until_somebody_can_look(void **state)
{
    (void)state;
    struct mailbox box;
    struct store_request request;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    leave_in_doubt(a, &request, &box);
    fake_disk_heal(disk);
    assert_int_equal(commit(store, a, 3), SG_OK);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_OK);
    assert_zone(store, "a", 1, 3);
    mailbox_clear(&box);
}

/* Seen in the system's memory is not on the disk: only the next sync makes it so. */
static void what_is_seen_is_not_acknowledged_before_a_sync_went_well(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    struct store_request request = commit_request(a, 1, &text);
    request.reply = &box;
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .counts = true, .goes_on = true});
    store_submit(store, &request);
    assert_null(mailbox_take(&box));
    fake_disk_heal(disk);
    assert_zone(store, "a", 1, 1);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_OK);
    mailbox_clear(&box);
}

static enum sg_result (*get_below)(void *argument, enum store_table table, struct span key,
                                   struct span *out_value);
static enum sg_result (*reopen_below)(void *argument);
static bool is_blind;

static enum sg_result reopen_blind(void *argument)
{
    is_blind = true;
    return reopen_below(argument);
}

static enum sg_result get_if_not_blind(void *argument, enum store_table table, struct span key,
                                       struct span *out_value)
{
    return is_blind ? SG_IO : get_below(argument, table, key, out_value);
}

static void doubt_lasts_as_long_as_the_last_number_cannot_be_read(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    struct store_io io = fake_disk_io(disk);
    get_below = io.get;
    reopen_below = io.reopen;
    io.get = get_if_not_blind;
    io.reopen = reopen_blind;
    mailbox_init(&box, NULL, NULL);
    store = store_on(io, false, &watch);
    uint64_t a = zone_id(store, "a");
    struct store_request request = commit_request(a, 1, &text);
    request.reply = &box;
    set_fault((struct fake_disk_fault){.at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT});
    store_submit(store, &request);
    is_blind = false;
    assert_null(mailbox_take(&box)); /* It is not on the disk. */
    assert_int_equal(store_health(store), SG_IO);
    reopen_below(io.argument);
    store_free(store);
    store = NULL;
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    mem_free(request.problem);
    mailbox_clear(&box);
}

static void the_end_leaves_doubt_to_the_next_start(void **state)
{
    (void)state;
    struct mailbox box;
    struct store_request request;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    assert_int_equal(commit(store, a, 1), SG_OK);
    leave_in_doubt(a, &request, &box);
    store_free(store);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    note_problem(&request);
    fake_disk_heal(disk);
    start(false);
    assert_zone(store, "a", 1, 2);
    mailbox_clear(&box);
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

/* Else the room that is missing would be taken by what nobody names. Who tries again writes anew.
 */
static void the_image_of_a_failed_commit_goes_and_the_one_before_stays(void **state)
{
    (void)state;
    start(false);
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a");
    write_image(io, a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    for (uint64_t at = 1; at <= 4; at++) {
        write_image(io, a, 2, "two");
        set_fault((struct fake_disk_fault){.at = at, .result = SG_IO});
        assert_int_equal(commit_image(store, a, 2, "", 0), SG_IO);
        assert_true(has_image(io, a, 1));
        assert_false(has_image(io, a, 2));
    }
    write_image(io, a, 2, "two");
    assert_int_equal(commit_image(store, a, 2, "", 0), SG_OK);
    assert_true(has_image(io, a, 2));
    assert_false(has_image(io, a, 1));
}

static void assert_image(const struct store_io *io, uint64_t zone, uint64_t number,
                         const char *text)
{
    char bytes[16] = "";
    struct store_image *image;
    assert_int_equal(io->image_open(io->argument, zone, number, &image), SG_OK);
    size_t length = io->image_read(image, (uint8_t *)bytes, sizeof(bytes) - 1);
    io->image_close(image);
    assert_int_equal(length, strlen(text));
    assert_string_equal(bytes, text);
}

/* The disk has the meta page that could not be written, but the system's memory the one before: all
 * looks as if the commit had failed, until the power is lost. Whoever was told that it failed
 * writes another image under the name of the first. */
static void a_commit_that_a_crash_brings_back_has_its_own_image(void **state)
{
    (void)state;
    enum { WRITES_OF_AN_IMAGE = 5 };
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    write_image(store_images(store), a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    write_image(store_images(store), a, 2, "two");
    struct store_request request = commit_request(a, 2, &text);
    request.record.flags = STORE_COMMIT_IMAGE;
    request.reply = &box;
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_AN_IMAGE, .result = SG_IN_DOUBT, .goes_on = true, .haunts = true});
    store_submit(store, &request);
    assert_int_equal(commit(store, a, 2), SG_IO); /* the store looks once more, in vain */
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
        fake_disk_heal(disk);
        write_image(store_images(store), a, 2, "other");
    }
    store_free(store);
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
    }
    fake_disk_crash(disk);
    start(false);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_int_equal(zone->image_number, 2); /* so it is back */
    store_zone_free(zone);
    assert_image(store_images(store), a, 2, "two");
    mailbox_clear(&box);
}

/* The same of an image that was made while commits went on: it is not removed too soon. */
static void an_image_that_a_crash_brings_back_is_there(void **state)
{
    (void)state;
    enum { WRITES_OF_AN_IMAGE = 4 };
    struct mailbox box;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    write_image(store_images(store), a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    assert_int_equal(commit(store, a, 2), SG_OK);
    write_image(store_images(store), a, 2, "two");
    struct store_request request = {
        .kind = STORE_ZONE_IMAGE, .zone = a, .number = 2, .reply = &box};
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_AN_IMAGE, .result = SG_IN_DOUBT, .goes_on = true, .haunts = true});
    store_submit(store, &request);
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
    }
    store_free(store);
    if (mailbox_take(&box) != NULL) {
        note_problem(&request);
    }
    fake_disk_crash(disk);
    start(false);
    struct store_zone *zone = open_zone(store, "a", SG_OK);
    assert_int_equal(zone->image_number, 2);
    store_zone_free(zone);
    assert_image(store_images(store), a, 2, "two");
    mailbox_clear(&box);
}

/* What only seemed to have failed is answered so when the next transaction has taken its place. */
static void a_commit_that_haunts_has_failed_once_another_went_well(void **state)
{
    (void)state;
    struct mailbox box;
    struct commit_text text;
    mailbox_init(&box, NULL, NULL);
    start(false);
    uint64_t a = zone_id(store, "a");
    struct store_request request = commit_request(a, 1, &text);
    request.reply = &box;
    set_fault((struct fake_disk_fault){
        .at = WRITES_OF_A_COMMIT, .result = SG_IN_DOUBT, .goes_on = true, .haunts = true});
    store_submit(store, &request);
    assert_null(mailbox_take(&box));
    fake_disk_heal(disk);
    assert_int_equal(commit(store, a, 1), SG_OK);
    assert_ptr_equal(mailbox_take(&box), &request.letter);
    assert_int_equal(request.result, SG_IO);
    note_problem(&request);
    store_free(store);
    fake_disk_crash(disk);
    start(false);
    assert_zone(store, "a", 1, 1);
    mailbox_clear(&box);
}

/* Nothing else would remove it before the next start. */
static void an_image_that_is_refused_leaves_no_file(void **state)
{
    (void)state;
    start(false);
    const struct store_io *io = store_images(store);
    uint64_t a = zone_id(store, "a");
    write_image(io, a, 1, "one");
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_OK);
    write_image(io, a, 3, "three"); /* not the next number */
    assert_int_equal(commit_image(store, a, 3, "", 0), SG_CONFLICT);
    assert_false(has_image(io, a, 3));
    write_image(io, a, 1, "one again"); /* its name is in use */
    assert_int_equal(commit_image(store, a, 1, "", 0), SG_CONFLICT);
    assert_true(has_image(io, a, 1));
    assert_int_equal(commit(store, a, 2), SG_OK);
    write_image(io, a, 2, "two");
    struct store_request request = {.kind = STORE_ZONE_IMAGE, .zone = a, .number = 2};
    set_fault((struct fake_disk_fault){.at = 1, .result = SG_IO});
    assert_int_equal(ask(store, &request), SG_IO);
    assert_false(has_image(io, a, 2));
    assert_true(has_image(io, a, 1));
    fake_disk_heal(disk);
    write_image(io, a, 2, "two");
    assert_int_equal(ask(store, &request), SG_OK);
    assert_true(has_image(io, a, 2));
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

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
        TEST(an_image_that_is_refused_leaves_no_file),
        TEST(a_commit_in_doubt_that_counts_is_acknowledged),
        TEST(a_commit_in_doubt_that_does_not_count_has_failed),
        TEST(doubt_lasts_until_somebody_can_look),
        TEST(what_is_seen_is_not_acknowledged_before_a_sync_went_well),
        TEST(doubt_lasts_as_long_as_the_last_number_cannot_be_read),
        TEST(the_end_leaves_doubt_to_the_next_start),
        TEST(an_environment_that_grows_is_no_fault),
        TEST(the_image_of_a_failed_commit_goes_and_the_one_before_stays),
        TEST(a_commit_that_a_crash_brings_back_has_its_own_image),
        TEST(an_image_that_a_crash_brings_back_is_there),
        TEST(a_commit_that_haunts_has_failed_once_another_went_well),
        TEST(a_request_that_fails_half_way_leaves_nothing),
        TEST(the_thread_finds_by_itself_that_the_disk_is_back),
        TEST(power_loss_at_any_write_loses_nothing_acknowledged),
        TEST(statements_are_kept_until_they_are_removed),
        TEST(a_copy_is_what_was_committed),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
