#include "keeper/keeper_scene.h"

static void an_update_outlives_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_serial(scene), 8);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

/* Its file does not have what updates brought: the store is asked again, the file is not taken. */
static void a_record_that_cannot_be_read_is_no_reason_to_forget_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_COMMITS, 1, 40);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(scene_status(scene).problem);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 0);
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    fake_disk_damage(scene->disk, STORE_COMMITS, 1, 40); /* whole again */
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

static void an_image_that_cannot_be_read_is_no_reason_to_forget_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_pass(scene, 301);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), false), SG_UNSUPPORTED);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void who_reloads_a_zone_that_the_store_can_read_again_is_told(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_int_equal(scene_serial(scene), 8);
}

/* An operator who gives up what the store has says so: the file counts, and secondaries see it. */
static void a_reload_by_hand_takes_the_file_of_a_zone_whose_record_is_lost(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "new%d", i);
        assert_int_equal(scene_update_now(scene, label), DNS_RCODE_NOERROR);
    }
    assert_int_equal(scene_serial(scene), 10);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    int outcome = -1;
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_int_equal(scene_serial(scene), 11);
    assert_int_equal(scene_update_now(scene, "again"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 12);
    assert_true(scene_serves(scene, "again.example.test.", DNS_TYPE_A));
}

/* It takes no updates any more, and its file lacks what they brought. The server is not running. */
static void be_static_and_ahead(struct keeper_scene *scene, bool is_signed)
{
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene->plan[0].dynamic = false;
    scene->plan[0].policy = is_signed ? scene->policy : NULL;
    scene->plan[0].inline_signing = is_signed;
    scene_differ(scene);
}

static void expect_lost_updates_kept(struct keeper_scene *scene)
{
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(strstr(scene_status(scene).problem, "`reload -force` takes the file"));
}

static void expect_updates_back(struct keeper_scene *scene)
{
    scene_pass(scene, 301);
    assert_true(scene_serial(scene) >= 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

static void a_zone_made_static_keeps_its_updates_where_its_record_is_damaged(void **state)
{
    struct keeper_scene *scene = *state;
    be_static_and_ahead(scene, false);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    expect_lost_updates_kept(scene);
    scene_pass(scene, 301);
    expect_lost_updates_kept(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    expect_updates_back(scene);
}

static void a_zone_made_static_and_signed_keeps_its_updates_so_too(void **state)
{
    struct keeper_scene *scene = *state;
    be_static_and_ahead(scene, true);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    expect_lost_updates_kept(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    expect_updates_back(scene);
}

/* An image file could not be opened for once: too many were open. */
static void a_zone_made_static_keeps_its_updates_where_its_image_is_not_read_once(void **state)
{
    struct keeper_scene *scene = *state;
    be_static_and_ahead(scene, true);
    scene_start(scene);
    scene_configure_only(scene);
    scene_lack_image(scene);
    scene_turn(scene);
    expect_lost_updates_kept(scene);
    expect_updates_back(scene);
}

static void a_word_gives_up_the_updates_of_a_zone_made_static(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    be_static_and_ahead(scene, false);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_int_equal(scene_serial(scene), 9);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

/* A commit that was answered as failed and has come to be all the same: the numbers part. */
static void a_store_that_has_more_than_it_told_is_asked_anew(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_zone(scene)->ledger.last--;
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_SERVFAIL);
    scene_pass(scene, 11);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_update_now(scene, "three"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "one.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "three.example.test.", DNS_TYPE_A));
}

static void a_zone_that_becomes_dynamic_is_stored_from_then_on(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
}

static void a_zone_that_becomes_dynamic_can_be_frozen_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(keeper_freeze(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_UP_TO_DATE);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).frozen);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_REFUSED);
}

/* Until the store has given it a place nothing that it acknowledged would last. */
static void updates_wait_for_the_store_of_a_zone_that_becomes_dynamic(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure_only(scene);
    scene_update(scene, "new", &rcode);
    scene_turn(scene);
    if (rcode == DNS_RCODE_NOERROR) {
        scene_restart(scene);
        assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    } else {
        assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    }
}

static void a_zone_that_gets_a_policy_is_stored_from_then_on(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 8);
    sg_time expires = scene_status(scene).expires_first;
    scene->now += 100;
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_int_equal(scene_status(scene).expires_first, expires); /* nothing signed anew */
}

/* It was stored once, then not, and is again: what is served goes on, not what was then. */
static void what_the_store_has_from_long_ago_does_not_come_back(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "old"), DNS_RCODE_NOERROR);
    scene->plan[0].dynamic = false;
    scene_differ(scene);
    scene_stop(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_true(scene_serves(scene, "old.example.test.", DNS_TYPE_A));
    scene_write_file(scene, 20, true); /* without it */
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 20);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 20);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 21);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    assert_false(scene_serves(scene, "old.example.test.", DNS_TYPE_A));
}

static void a_new_configuration_while_it_is_opened_does_not_undo_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    scene_differ(scene);
    scene_configure_only(scene);
    scene_turn_once(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void a_reload_while_it_is_recovered_does_not_undo_updates(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    scene_turn_once(scene);
    if (keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome) == SG_OK) {
        keeper_reload_all(scene->keeper);
        scene_turn(scene);
        assert_int_not_equal(outcome, -1);
    }
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void note_wipe(void *argument, enum sg_result result)
{
    *(int *)argument = (int)result;
}

static void what_is_to_be_forgotten_is_told_when_that_is_durable(void **state)
{
    struct keeper_scene *scene = *state;
    int wiped = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "old"), DNS_RCODE_NOERROR);
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    assert_true(keeper_keep(scene->keeper, scene_zone(scene)));
    assert_false(keeper_keep(scene->keeper, scene_zone(scene)));
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    uint64_t commits = fake_disk_commits(scene->disk);
    scene_configure_only(scene);
    assert_int_equal(wiped, -1);
    scene_turn(scene);
    assert_int_equal(wiped, SG_OK);
    assert_true(fake_disk_commits(scene->disk) > commits);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 0);
    scene->zones = 1;
}

static void what_cannot_be_forgotten_is_told_too(void **state)
{
    struct keeper_scene *scene = *state;
    int wiped = -1;
    scene_serve_dynamic(scene);
    scene_break_disk(scene);
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(wiped, SG_NO_SPACE);
    scene->zones = 1;
}

/* The store parts with its numbers: until it is asked anew the zone has no number of its own. */
static void what_is_to_be_forgotten_needs_not_be_open(void **state)
{
    struct keeper_scene *scene = *state;
    int wiped = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_zone(scene)->ledger.last--;
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_SERVFAIL);
    scene_zone(scene)->ledger.id = 0;
    assert_int_equal(fake_disk_count(scene->disk, STORE_ZONES), 1);
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(wiped, SG_OK);
    assert_int_equal(fake_disk_count(scene->disk, STORE_ZONES), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 0);
    scene->zones = 1;
}

/* Both have one number in the store: what the first one's worker still writes would be taken for
 * the second one's. */
static void a_zone_that_comes_back_waits_for_the_end_of_what_it_was(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode, wiped = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "old"), DNS_RCODE_NOERROR);
    scene_update(scene, "older", &rcode);
    scene_turn_once(scene); /* a job is out */
    keeper_wipe(scene->keeper, scene_zone(scene), note_wipe, &wiped);
    scene->zones = 0;
    scene_configure_only(scene);
    scene->zones = 1;
    scene_configure_only(scene);
    assert_true(scene_zone(scene)->ledger.awaits_burial);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(wiped, SG_OK);
    assert_int_equal(scene_serial(scene), 7); /* the file's */
    assert_false(scene_serves(scene, "old.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void a_zone_that_goes_while_it_is_opened_is_forgotten(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene->plan[0].dynamic = true;
    scene_configure_only(scene);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(keeper_zones(scene->keeper), 0);
}

/* --- serials of zones that need no store any more --------------------------------------------- */

static void be_static(struct keeper_scene *scene)
{
    scene->plan[0].dynamic = false;
    scene->plan[0].policy = NULL;
    scene->plan[0].inline_signing = false;
    scene_differ(scene);
}

/* Signed, with a serial far above its file's 7. */
static uint32_t serve_raised(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    return 100;
}

/* Its file, edited, is not above what was served; later it is, and then it counts again. */
static void expect_floor(struct keeper_scene *scene)
{
    uint32_t served = scene_serial(scene);
    assert_true(served > 100);
    assert_false(scene_status(scene).secure);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), served);
    scene_write_file(scene, 8, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), served + 1);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), served + 1);
    assert_null(scene_status(scene).problem);
    scene_stop(scene);
    scene_write_file(scene, 9, false);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), served + 2);
    assert_false(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    scene_write_file(scene, 500, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 500);
    scene_write_file(scene, 300, true); /* As ever with a static zone: whoever edits it decides. */
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 300);
}

static void a_policy_that_is_taken_away_lowers_no_serial(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    be_static(scene);
    scene_configure(scene);
    expect_floor(scene);
}

static void a_policy_that_is_taken_away_while_it_is_down_lowers_no_serial(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    scene_start(scene);
    scene_configure(scene);
    expect_floor(scene);
}

static void a_zone_that_takes_no_updates_any_more_keeps_them_in_its_file(void **state)
{
    struct keeper_scene *scene = *state;
    struct buffer text = BUFFER_EMPTY;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    be_static(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_int_equal(file_read(scene->file, 10000, &text), SG_OK);
    assert_non_null(strstr(buffer_text(&text), "\nnew "));
    buffer_free(&text);
    for (int i = 0; i < 2; i++) {
        scene_restart(scene);
        assert_int_equal(scene_serial(scene), 8);
        assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    }
}

static void a_static_zone_whose_store_comes_late_lowers_no_serial_for_long(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 101);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 101);
}

/* And stays so with every edit of its file, over restarts, until that is above it. */
static void a_static_zone_with_a_damaged_record_is_served_with_a_serial_above_it(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 101);
    assert_null(scene_status(scene).problem);
    expect_floor(scene);
}

/* Its store comes late and is damaged. */
static void a_static_zone_that_is_served_rises_above_a_damaged_record(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 101);
    expect_floor(scene);
}

/* A job is out when the store comes. */
static void a_static_zone_at_work_asks_its_store_afterwards(void **state)
{
    struct keeper_scene *scene = *state;
    (void)serve_raised(scene);
    scene_stop(scene);
    be_static(scene);
    scene->storeless = true;
    scene_start(scene);
    scene_configure_only(scene);
    scene_turn_once(scene);
    assert_non_null(scene_zone(scene)->job);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 101);
    expect_floor(scene);
}

/* Served from its file without a store, it was made dynamic, or signed, before that came. */
static void a_zone_that_is_to_be_stored_meanwhile_lowers_no_serial_for_long(void **state)
{
    struct keeper_scene *scene = *state;
    for (int i = 0; i < 4; i++) {
        bool is_signed = i % 2 == 1, is_damaged = i >= 2;
        (void)serve_raised(scene);
        scene_stop(scene);
        be_static(scene);
        if (is_damaged) {
            fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
        }
        scene->storeless = true;
        scene_start(scene);
        scene_configure(scene);
        assert_int_equal(scene_serial(scene), 7);
        scene->plan[0].dynamic = !is_signed;
        scene->plan[0].policy = is_signed ? scene->policy : NULL;
        scene->plan[0].inline_signing = is_signed;
        scene_differ(scene);
        scene_configure(scene);
        assert_int_equal(scene_serial(scene), 7);
        scene_take_store(scene);
        scene_turn(scene);
        assert_true(scene_serial(scene) > 100);
        assert_int_equal(scene_status(scene).secure, is_signed);
        uint32_t served = scene_serial(scene);
        scene_restart(scene);
        assert_int_equal(scene_serial(scene), served);
        /* The next one begins with an empty disk. */
        be_static(scene);
        scene_stop(scene);
        fake_disk_free(scene->disk);
        scene->disk = fake_disk_new();
        scene_start(scene);
    }
}

/* A zone that was never stored gets no place in the store. */
static void a_static_zone_is_not_known_to_the_store(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    assert_int_equal(scene_zone(scene)->ledger.id, 0);
    scene_write_file(scene, 5, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
}

/* --- without a store ------------------------------------------------------------------------- */

static void a_static_zone_needs_no_store(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_null(scene_status(scene).problem);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* Loaded from its file it would be without what updates have brought, and take more of them. */
static void a_dynamic_zone_is_not_loaded_before_its_store_is_there(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene->storeless = true;
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_string_equal(scene_status(scene).problem, "there is no store: not mounted");
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    keeper_miss_store(scene->keeper, "not readable");
    assert_string_equal(scene_status(scene).problem, "there is no store: not readable");
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_IO);
    assert_int_equal(keeper_freeze(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_IO);
    keeper_reload_all(scene->keeper);
    scene_pass(scene, 10000);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_take_store(scene);
    scene_turn(scene);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_serial(scene), 8);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
}

static void a_signed_zone_waits_for_its_store_as_well(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_true(scene_status(scene).secure);
    sg_time expires = scene_status(scene).expires_first;
    scene->now += 100;
    scene_restart(scene);
    assert_int_equal(scene_status(scene).expires_first, expires);
}

/* What is fetched could not be kept, nor its times. */
static void a_secondary_asks_nobody_before_its_store_is_there(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 9);
    scene->storeless = true;
    scene_restart(scene);
    assert_int_equal(scene->questions_count, 0);
    scene_differ(scene);
    scene_configure(scene);
    scene_pass(scene, 10000);
    assert_int_equal(scene->questions_count, 0);
    assert_int_equal(scene_serial(scene), 0);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_non_null(scene_asked(scene, KEEPER_QUESTION_SOA));
}

/* A configuration that wants a zone stored which is served: it goes on as it is. */
static void a_served_zone_that_becomes_dynamic_without_a_store_takes_no_updates(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene_configure(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    scene_take_store(scene);
    scene_turn(scene);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

/* What it was in line for was the job of a zone that needs no store. */
static void a_zone_in_line_that_comes_to_need_a_store_is_not_loaded(void **state)
{
    struct keeper_scene *scene = *state;
    scene->storeless = true;
    scene_stop(scene);
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene_configure_only(scene);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_string_equal(scene_status(scene).problem, "there is no store: not mounted");
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(an_update_outlives_a_restart),
        WITH_SCENE(a_record_that_cannot_be_read_is_no_reason_to_forget_updates),
        WITH_SCENE(an_image_that_cannot_be_read_is_no_reason_to_forget_updates),
        WITH_SCENE(who_reloads_a_zone_that_the_store_can_read_again_is_told),
        WITH_SCENE(a_reload_by_hand_takes_the_file_of_a_zone_whose_record_is_lost),
        WITH_SCENE(a_zone_made_static_keeps_its_updates_where_its_record_is_damaged),
        WITH_SCENE(a_zone_made_static_and_signed_keeps_its_updates_so_too),
        WITH_SCENE(a_zone_made_static_keeps_its_updates_where_its_image_is_not_read_once),
        WITH_SCENE(a_word_gives_up_the_updates_of_a_zone_made_static),
        WITH_SCENE(a_store_that_has_more_than_it_told_is_asked_anew),
        WITH_SCENE(a_zone_that_becomes_dynamic_is_stored_from_then_on),
        WITH_SCENE(a_zone_that_becomes_dynamic_can_be_frozen_over_a_restart),
        WITH_SCENE(updates_wait_for_the_store_of_a_zone_that_becomes_dynamic),
        WITH_SCENE(a_zone_that_gets_a_policy_is_stored_from_then_on),
        WITH_SCENE(what_the_store_has_from_long_ago_does_not_come_back),
        WITH_SCENE(a_new_configuration_while_it_is_opened_does_not_undo_updates),
        WITH_SCENE(a_reload_while_it_is_recovered_does_not_undo_updates),
        WITH_SCENE(what_is_to_be_forgotten_is_told_when_that_is_durable),
        WITH_SCENE(what_cannot_be_forgotten_is_told_too),
        WITH_SCENE(what_is_to_be_forgotten_needs_not_be_open),
        WITH_SCENE(a_zone_that_comes_back_waits_for_the_end_of_what_it_was),
        WITH_SCENE(a_zone_that_goes_while_it_is_opened_is_forgotten),
        WITH_SCENE(a_policy_that_is_taken_away_lowers_no_serial),
        WITH_SCENE(a_policy_that_is_taken_away_while_it_is_down_lowers_no_serial),
        WITH_SCENE(a_zone_that_takes_no_updates_any_more_keeps_them_in_its_file),
        WITH_SCENE(a_static_zone_whose_store_comes_late_lowers_no_serial_for_long),
        WITH_SCENE(a_static_zone_with_a_damaged_record_is_served_with_a_serial_above_it),
        WITH_SCENE(a_static_zone_that_is_served_rises_above_a_damaged_record),
        WITH_SCENE(a_static_zone_at_work_asks_its_store_afterwards),
        WITH_SCENE(a_zone_that_is_to_be_stored_meanwhile_lowers_no_serial_for_long),
        WITH_SCENE(a_static_zone_is_not_known_to_the_store),
        WITH_SCENE(a_static_zone_needs_no_store),
        WITH_SCENE(a_dynamic_zone_is_not_loaded_before_its_store_is_there),
        WITH_SCENE(a_signed_zone_waits_for_its_store_as_well),
        WITH_SCENE(a_secondary_asks_nobody_before_its_store_is_there),
        WITH_SCENE(a_served_zone_that_becomes_dynamic_without_a_store_takes_no_updates),
        WITH_SCENE(a_zone_in_line_that_comes_to_need_a_store_is_not_loaded),
    };
    return cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
