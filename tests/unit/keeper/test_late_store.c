/* Zones that are static now are served from their files while there is no store. Then it comes, and
 * has updates that were acknowledged. */
#include "keeper/rolling_scene.h"
#include "support/heard_log.h"

/* What is served is its file; what updates have brought is still in the store. */
static void serve_file_of_updated(struct keeper_scene *scene, bool is_damaged)
{
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_stop(scene);
    scene->plan[0].dynamic = false;
    scene_differ(scene);
    if (is_damaged) {
        fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    }
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

/* As above, of a zone that is dynamic again when its store comes, which cannot be read. */
static void lose_updates_of_dynamic(struct keeper_scene *scene)
{
    serve_file_of_updated(scene, true);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    scene_take_store(scene);
    scene_turn(scene);
}

static bool file_has_update(const struct keeper_scene *scene)
{
    struct buffer text = BUFFER_EMPTY;
    assert_int_equal(file_read(scene->file, 10000, &text), SG_OK);
    bool has = strstr(buffer_text(&text), "\nnew ") != NULL;
    buffer_free(&text);
    return has;
}

static void expect_updates_over_restarts(struct keeper_scene *scene, uint32_t above)
{
    uint32_t served = scene_serial(scene);
    assert_true(served > above);
    for (int i = 0; i < 2; i++) {
        assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
        assert_null(scene_status(scene).problem);
        assert_int_equal(scene_serial(scene), served);
        scene_restart(scene);
    }
}

static void a_store_that_comes_late_brings_updates_of_a_zone_made_static(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, false);
    scene_take_store(scene);
    scene_turn(scene);
    assert_true(file_has_update(scene));
    expect_updates_over_restarts(scene, 8);
}

/* Its file, edited meanwhile, is above all that the store knows of: that is kept, and not served.
 */
static void a_store_that_comes_late_brings_updates_below_the_serial_of_a_file(void **state)
{
    struct keeper_scene *scene = *state;
    struct buffer text = BUFFER_EMPTY;
    serve_file_of_updated(scene, false);
    scene_write_file(scene, 20, true);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 20);
    scene_take_store(scene);
    uint32_t least = 20;
    for (int i = 0; i < 20; i++) {
        scene_turn_once(scene);
        least = scene_serial(scene) < least ? scene_serial(scene) : least;
    }
    scene_turn(scene);
    assert_int_equal(least, 20);
    assert_true(file_has_update(scene));
    char *edit = mem_format("%s.edited", scene->file);
    assert_int_equal(file_read(edit, 10000, &text), SG_OK);
    assert_non_null(strstr(buffer_text(&text), " 20 "));
    mem_free(edit);
    buffer_free(&text);
    expect_updates_over_restarts(scene, 20);
}

/* The commit of what was recovered fails: the store is asked again. */
static void a_store_that_comes_late_and_full_keeps_updates_of_a_zone_made_static(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, false);
    scene_take_store(scene);
    scene_break_disk(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_non_null(scene_status(scene).problem);
    fake_disk_heal(scene->disk);
    scene_pass(scene, 301);
    expect_updates_over_restarts(scene, 8);
}

static void a_zone_made_dynamic_again_before_its_store_came_has_its_updates(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, false);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    assert_true(scene_serves(scene, "newer.example.test.", DNS_TYPE_A));
    expect_updates_over_restarts(scene, 8);
}

static void a_zone_made_signed_before_its_store_came_has_its_updates(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_take_store(scene);
    scene_turn(scene);
    assert_true(scene_status(scene).secure);
    assert_true(file_has_update(scene));
    expect_updates_over_restarts(scene, 8);
}

/* Signatures of a policy that was taken away with the updates are not served anew. */
static void a_late_store_brings_updates_of_a_zone_that_was_signed(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    uint32_t signed_serial = scene_serial(scene);
    scene_stop(scene);
    scene->plan[0].dynamic = scene->plan[0].inline_signing = false;
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    scene_take_store(scene);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_true(file_has_update(scene));
    expect_updates_over_restarts(scene, signed_serial);
}

static void set_policy(struct keeper_scene *scene, struct kasp_policy *policy)
{
    scene->plan[0].policy = policy;
    scene->plan[0].inline_signing = policy != NULL;
    scene_differ(scene);
}

/* As who takes them away while there is a store does. */
static void who_takes_the_policy_from_a_zone_with_a_ds_hears_of_it_late(void **state)
{
    struct keeper_scene *scene = *state;
    set_policy(scene, scene->policy);
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    live_until(scene, scene->now + SG_DAY + SG_HOUR);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    scene_stop(scene);
    scene->plan[0].dynamic = false;
    set_policy(scene, NULL);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    heard_log_begin();
    scene_take_store(scene);
    scene_turn(scene);
    assert_true(file_has_update(scene));
    assert_int_equal(heard_log_count("dnssec error: zone example.test/IN/inside: its dnssec-policy "
                                     "was taken away while the parent has, or may have, a DS"),
                     1);
    heard_log_end();
}

/* While there was no store caches have learned that the zone is unsigned, also of a zone that has
 * its policy again when the store comes. */
static void keys_begin_anew_after_an_unsigned_spell_without_a_store(void **state)
{
    struct keeper_scene *scene = *state;
    set_policy(scene, scene->policy);
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    live_until(scene, scene->now + 3 * SG_HOUR);
    struct keeper_key_status key = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], KEY_STATE_OMNIPRESENT);
    assert_int_equal(key.state.records[KEY_RECORD_ZRRSIG], KEY_STATE_RUMOURED);
    scene_stop(scene);
    scene->plan[0].dynamic = false;
    set_policy(scene, NULL);
    scene->storeless = true;
    scene_start(scene);
    scene_configure(scene);
    live_until(scene, scene->now + 30 * SG_DAY);
    assert_int_equal(scene_serial(scene), 7);
    set_policy(scene, scene->policy);
    scene_configure(scene);
    scene_take_store(scene);
    scene_turn(scene);
    assert_true(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    key = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(key.state.records[KEY_RECORD_DNSKEY], KEY_STATE_RUMOURED);
    assert_int_equal(key.state.changes[KEY_RECORD_DNSKEY], scene->now);
    assert_int_equal(key.state.records[KEY_RECORD_ZRRSIG], KEY_STATE_RUMOURED);
    assert_int_equal(key.state.changes[KEY_RECORD_ZRRSIG], scene->now);
    assert_int_equal(key.state.records[KEY_RECORD_DS], KEY_STATE_HIDDEN);
}

/* It is served from its file on, and nothing is committed over what may be readable again. */
static void expect_served_and_lost_updates_kept(struct keeper_scene *scene)
{
    assert_int_equal(scene_serial(scene), 7);
    assert_non_null(strstr(scene_status(scene).problem, "`reload -force` takes the file"));
    uint64_t commits = fake_disk_commits(scene->disk);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 50), SG_OK);
    keeper_reload_all(scene->keeper);
    assert_int_equal(keeper_sync_clean(scene->keeper, scene_zone(scene), scene_note, NULL), SG_IO);
    scene_turn(scene);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(fake_disk_commits(scene->disk), commits);
}

static void a_damaged_store_that_comes_late_keeps_updates_of_a_zone_made_static(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, true);
    scene_take_store(scene);
    scene_turn(scene);
    expect_served_and_lost_updates_kept(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    scene_pass(scene, 301);
    assert_true(file_has_update(scene));
    expect_updates_over_restarts(scene, 49);
}

/* As above, but it is found by the worker that builds the zone. */
static void an_image_that_a_late_store_cannot_read_keeps_updates(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    serve_file_of_updated(scene, false);
    scene_take_store(scene);
    scene_lack_image(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_non_null(strstr(scene_status(scene).problem, "`reload -force` takes the file"));
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    expect_updates_over_restarts(scene, 8);
}

static void a_word_gives_up_the_updates_of_a_late_store(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    serve_file_of_updated(scene, true);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_not_equal(outcome, -1);
    assert_int_equal(scene_serial(scene), 9);
    assert_null(scene_status(scene).problem);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_false(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
}

static void a_zone_made_dynamic_again_takes_no_updates_over_a_damaged_late_store(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_non_null(strstr(scene_status(scene).problem, "`reload -force` takes the file"));
    heard_log_begin();
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    assert_true(heard_log_has("update refused: what the store has of the zone cannot be read"));
    heard_log_end();
    assert_int_equal(keeper_freeze(scene->keeper, scene_zone(scene), scene_note, NULL), SG_IO);
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, NULL), SG_IO);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    scene_pass(scene, 301);
    expect_updates_over_restarts(scene, 8);
}

/* It would wait for a look at the keys, which there is none of before the store can be read. */
static void nothing_is_ordered_of_keys_over_a_damaged_late_store(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, true);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_differ(scene);
    scene_configure(scene);
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(keeper_keys_status(scene->keeper, scene_zone(scene), NULL, NULL), SG_IO);
    assert_int_equal(keeper_step(scene->keeper, scene_zone(scene), NULL, NULL), SG_IO);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    scene_pass(scene, 301);
    assert_true(scene_status(scene).secure);
    expect_updates_over_restarts(scene, 8);
}

static void a_word_gives_up_the_updates_of_a_zone_made_dynamic_again(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 10);
}

/* It was accepted while the store was asked: it fails with that, and does not come true later. */
static void a_freeze_that_fails_with_a_late_store_does_not_come_true(struct keeper_scene *scene,
                                                                     bool is_damaged)
{
    int outcome = -1;
    serve_file_of_updated(scene, is_damaged);
    scene->plan[0].dynamic = true;
    scene_differ(scene);
    scene_configure(scene);
    scene_take_store(scene);
    assert_int_equal(keeper_freeze(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_OK);
    if (is_damaged) {
        scene_turn(scene);
        fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    } else {
        scene_lack_image(scene);
        scene_turn(scene);
    }
    assert_int_equal(outcome, RELOAD_FAILED);
    assert_non_null(strstr(scene_status(scene).problem, "`reload -force` takes the file"));
    scene_pass(scene, 301);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    expect_updates_over_restarts(scene, 8);
}

static void a_freeze_does_not_come_true_over_a_damaged_late_store(void **state)
{
    a_freeze_that_fails_with_a_late_store_does_not_come_true(*state, true);
}

static void a_freeze_does_not_come_true_over_an_image_that_cannot_be_read(void **state)
{
    a_freeze_that_fails_with_a_late_store_does_not_come_true(*state, false);
}

static void note_order(void *argument, enum sg_result result, const char *text)
{
    assert_non_null(strstr(text, "`reload -force` takes the file"));
    *(enum sg_result *)argument = result;
}

static void an_order_for_keys_fails_with_a_late_store(struct keeper_scene *scene, bool is_damaged)
{
    enum sg_result told = SG_OK;
    serve_file_of_updated(scene, is_damaged);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_differ(scene);
    scene_configure(scene);
    scene_take_store(scene);
    assert_int_equal(keeper_step(scene->keeper, scene_zone(scene), note_order, &told), SG_OK);
    if (!is_damaged) {
        scene_lack_image(scene);
    }
    scene_turn(scene);
    assert_int_equal(told, SG_CONFLICT);
}

static void an_order_for_keys_fails_where_a_late_store_is_damaged(void **state)
{
    an_order_for_keys_fails_with_a_late_store(*state, true);
}

static void an_order_for_keys_fails_where_an_image_cannot_be_read(void **state)
{
    an_order_for_keys_fails_with_a_late_store(*state, false);
}

/* Its store is damaged, and its file, which an operator has edited, has an error. */
static void fail_to_give_up(struct keeper_scene *scene)
{
    int outcome = -1;
    uint64_t commits = fake_disk_commits(scene->disk);
    assert_int_equal(file_write(scene->file, 0644, span_of_text("@ SOA\n")), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_FAILED);
    assert_non_null(strstr(scene_status(scene).problem, "was not taken"));
    assert_int_equal(scene_serial(scene), 7);
    assert_int_equal(fake_disk_commits(scene->disk), commits);
}

static void a_file_that_is_not_taken_gives_up_nothing(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, true);
    scene_take_store(scene);
    scene_turn(scene);
    fail_to_give_up(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    scene_pass(scene, 301);
    assert_true(file_has_update(scene));
    expect_updates_over_restarts(scene, 8);
}

static void a_mended_file_is_above_what_it_gives_up(void **state)
{
    struct keeper_scene *scene = *state;
    serve_file_of_updated(scene, true);
    scene_take_store(scene);
    scene_turn(scene);
    fail_to_give_up(scene);
    scene_write_file(scene, 8, true);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

static void what_comes_while_a_file_is_tried_is_not_done_over_what_is_lost(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode = -1, outcome = -1;
    lose_updates_of_dynamic(scene);
    assert_int_equal(file_write(scene->file, 0644, span_of_text("@ SOA\n")), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_update(scene, "before", &rcode);
    scene_turn_once(scene);
    assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_update(scene, "meanwhile", &rcode);
    scene_turn(scene);
    assert_int_equal(rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(outcome, RELOAD_FAILED);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    scene_pass(scene, 301);
    assert_int_equal(scene_update_now(scene, "newer"), DNS_RCODE_NOERROR);
    expect_updates_over_restarts(scene, 8);
}

/* The word is not to be said twice. */
static void updates_are_given_up_as_soon_as_a_full_store_has_room(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    scene_write_file(scene, 8, true);
    scene_break_disk(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
    fake_disk_heal(scene->disk);
    assert_int_equal(scene_update_now(scene, "lost"), DNS_RCODE_SERVFAIL);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    assert_null(scene_status(scene).problem);
}

/* As above, but the word is said once more: it holds for what was lost, not for what follows. */
static void what_comes_after_updates_were_given_up_is_not_lost(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    scene_break_disk(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    fake_disk_heal(scene->disk);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 10);
    expect_updates_over_restarts(scene, 9);
}

static void update_after(void *argument, enum reload_outcome outcome, const char *text)
{
    static int rcode;
    (void)text;
    assert_int_equal(outcome, RELOAD_STARTED);
    scene_update(argument, "new", &rcode);
}

static void a_word_that_is_said_twice_does_not_undo_what_follows_the_first(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    scene_write_file(scene, 8, true);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, update_after, scene),
                     SG_OK);
    scene_turn_once(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 10);
    expect_updates_over_restarts(scene, 9);
}

/* As the file is what is served already, it has the serial above with that commit, and not later.
 */
static void a_file_that_is_served_already_is_above_what_it_gives_up(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, update_after, scene),
                     SG_OK);
    while (scene_serial(scene) == 7) {
        scene_turn_once(scene);
    }
    assert_int_equal(scene_serial(scene), 9);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 10);
    expect_updates_over_restarts(scene, 9);
}

/* The store was full, but can be read before it has room. */
static void updates_that_can_be_read_again_are_not_given_up(void **state)
{
    struct keeper_scene *scene = *state;
    lose_updates_of_dynamic(scene);
    scene_break_disk(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    fake_disk_heal(scene->disk);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200); /* whole again */
    scene_differ(scene);
    scene_configure(scene);
    scene_pass(scene, 301);
    expect_updates_over_restarts(scene, 7);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_store_that_comes_late_brings_updates_of_a_zone_made_static),
        WITH_SCENE(a_store_that_comes_late_brings_updates_below_the_serial_of_a_file),
        WITH_SCENE(a_store_that_comes_late_and_full_keeps_updates_of_a_zone_made_static),
        WITH_SCENE(a_zone_made_dynamic_again_before_its_store_came_has_its_updates),
        WITH_SCENE(a_zone_made_signed_before_its_store_came_has_its_updates),
        WITH_SCENE(a_late_store_brings_updates_of_a_zone_that_was_signed),
        WITH_SCENE(who_takes_the_policy_from_a_zone_with_a_ds_hears_of_it_late),
        WITH_SCENE(keys_begin_anew_after_an_unsigned_spell_without_a_store),
        WITH_SCENE(a_damaged_store_that_comes_late_keeps_updates_of_a_zone_made_static),
        WITH_SCENE(an_image_that_a_late_store_cannot_read_keeps_updates),
        WITH_SCENE(a_word_gives_up_the_updates_of_a_late_store),
        WITH_SCENE(a_zone_made_dynamic_again_takes_no_updates_over_a_damaged_late_store),
        WITH_SCENE(nothing_is_ordered_of_keys_over_a_damaged_late_store),
        WITH_SCENE(a_word_gives_up_the_updates_of_a_zone_made_dynamic_again),
        WITH_SCENE(a_freeze_does_not_come_true_over_a_damaged_late_store),
        WITH_SCENE(a_freeze_does_not_come_true_over_an_image_that_cannot_be_read),
        WITH_SCENE(an_order_for_keys_fails_where_a_late_store_is_damaged),
        WITH_SCENE(an_order_for_keys_fails_where_an_image_cannot_be_read),
        WITH_SCENE(a_file_that_is_not_taken_gives_up_nothing),
        WITH_SCENE(a_mended_file_is_above_what_it_gives_up),
        WITH_SCENE(what_comes_while_a_file_is_tried_is_not_done_over_what_is_lost),
        WITH_SCENE(updates_are_given_up_as_soon_as_a_full_store_has_room),
        WITH_SCENE(what_comes_after_updates_were_given_up_is_not_lost),
        WITH_SCENE(a_word_that_is_said_twice_does_not_undo_what_follows_the_first),
        WITH_SCENE(a_file_that_is_served_already_is_above_what_it_gives_up),
        WITH_SCENE(updates_that_can_be_read_again_are_not_given_up),
    };
    return cmocka_run_group_tests_name("late store", tests, NULL, NULL);
}
