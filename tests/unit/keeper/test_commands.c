#include <sys/stat.h>

#include "keeper/keeper_scene.h"
#include "support/heard_log.h"

static enum sg_result freeze(struct keeper_scene *scene, int *out_outcome)
{
    *out_outcome = -1;
    return keeper_freeze(scene->keeper, scene_zone(scene), scene_note, out_outcome);
}

static enum sg_result thaw(struct keeper_scene *scene, int *out_outcome)
{
    *out_outcome = -1;
    return keeper_thaw(scene->keeper, scene_zone(scene), scene_note, out_outcome);
}

static void a_frozen_zone_has_its_updates_in_the_file_and_takes_none(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome, before, after;
    scene_serve_dynamic(scene);
    scene_update(scene, "before", &before);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_update(scene, "after", &after);
    assert_int_equal(after, DNS_RCODE_REFUSED);
    scene_turn(scene);
    assert_int_equal(before, DNS_RCODE_NOERROR);
    assert_int_not_equal(outcome, -1);
    assert_int_equal(freeze(scene, &outcome), SG_EXISTS);
    char *command = mem_format("grep -q before %s", scene->file);
    assert_int_equal(system(command), 0);
    mem_free(command);
}

static void a_thaw_takes_what_was_edited_over_a_restart_too(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    scene_restart(scene);
    assert_true(scene_status(scene).frozen);
    assert_int_equal(scene_update_now(scene, "no"), DNS_RCODE_REFUSED);
    scene_write_file(scene, 7, true); /* The operator did not think of the serial. */
    assert_int_equal(thaw(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_STARTED);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_serial(scene), 9);
    assert_int_equal(scene_update_now(scene, "again"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_false(scene_status(scene).frozen);
    assert_int_equal(scene_serial(scene), 10);
}

static void a_thaw_of_a_broken_file_leaves_the_zone_frozen(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome;
    scene_serve_dynamic(scene);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    assert_int_equal(thaw(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_FAILED);
    assert_true(scene_status(scene).frozen);
    assert_int_equal(scene_serial(scene), 7);
}

/* `sync` of all zones, from a timer, meets one whose file is being edited. */
static void a_sync_leaves_the_file_of_a_frozen_zone_as_it_was_edited(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome, sync = -1, thawed;
    scene_serve_dynamic(scene);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    scene_write_file(scene, 9, true);
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &sync), SG_OK);
    scene_turn(scene);
    assert_int_equal(sync, RELOAD_UP_TO_DATE);
    assert_int_equal(thaw(scene, &thawed), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
}

/* It was written, and then the disk of the store was full. */
static void a_file_that_the_server_wrote_is_nobodys_edit(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_break_disk(scene);
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_FAILED);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_UP_TO_DATE);
    char *edited = mem_format("%s.edited", scene->file);
    assert_int_not_equal(access(edited, F_OK), 0);
    mem_free(edited);
}

static size_t links_of(struct keeper_scene *scene)
{
    return scene_zone(scene)->slot->history.links;
}

static void serve_with_history(struct keeper_scene *scene)
{
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_int_equal(links_of(scene), 2);
}

static int sync_clean(struct keeper_scene *scene)
{
    int outcome = -1;
    assert_int_equal(keeper_sync_clean(scene->keeper, scene_zone(scene), scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    return outcome;
}

static void a_clean_sync_leaves_the_zone_and_nothing_before_it(void **state)
{
    struct keeper_scene *scene = *state;
    serve_with_history(scene);
    assert_int_equal(sync_clean(scene), RELOAD_UP_TO_DATE);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
    assert_int_equal(fake_disk_count(scene->disk, STORE_IMAGES), 1);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "two.example.test.", DNS_TYPE_A));
    assert_int_equal(scene_update_now(scene, "three"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 1);
    assert_int_equal(scene_serial(scene), 10);
}

static void a_plain_sync_keeps_what_came_before(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    serve_with_history(scene);
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_UP_TO_DATE);
    assert_int_equal(links_of(scene), 2);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 2);
}

static void a_clean_sync_whose_file_cannot_be_written_keeps_all(void **state)
{
    struct keeper_scene *scene = *state;
    serve_with_history(scene);
    size_t commits = fake_disk_count(scene->disk, STORE_COMMITS);
    assert_int_equal(unlink(scene->file), 0);
    assert_int_equal(mkdir(scene->file, 0700), 0);
    assert_int_equal(sync_clean(scene), RELOAD_FAILED);
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), commits);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(scene_serial(scene), 9);
}

static void a_clean_sync_that_the_store_refuses_keeps_all(void **state)
{
    struct keeper_scene *scene = *state;
    serve_with_history(scene);
    size_t commits = fake_disk_count(scene->disk, STORE_COMMITS);
    scene_break_disk(scene);
    assert_int_equal(sync_clean(scene), RELOAD_FAILED);
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), commits);
    fake_disk_heal(scene->disk);
    scene_restart(scene);
    assert_int_equal(links_of(scene), 2);
    assert_int_equal(scene_serial(scene), 9);
    assert_true(scene_serves(scene, "two.example.test.", DNS_TYPE_A));
}

/* Its file is what is edited: it has no more to say. */
static void a_clean_sync_of_a_frozen_zone_leaves_its_file(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome;
    serve_with_history(scene);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    scene_write_file(scene, 12, true);
    assert_int_equal(sync_clean(scene), RELOAD_UP_TO_DATE);
    assert_int_equal(links_of(scene), 0);
    assert_true(scene_status(scene).frozen);
    assert_int_equal(thaw(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 12);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
}

/* Signed here and read from its file: nothing is written but the commit. */
static void the_greater_of_two_raises_counts(void **state)
{
    struct keeper_scene *scene = *state;
    int update;
    scene_serve_dynamic(scene);
    scene_update(scene, "new", &update); /* Both have to wait for it. */
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 200), SG_OK);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_in_range(scene_serial(scene), 200, 201);
}

static void a_clean_sync_of_a_static_zone_ends_its_history_too(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    scene_write_file(scene, 8, true);
    keeper_wish_load(scene->keeper, scene_zone(scene), true);
    scene_turn(scene);
    assert_int_equal(links_of(scene), 1);
    uint32_t serial = scene_serial(scene);
    assert_int_equal(sync_clean(scene), RELOAD_UP_TO_DATE);
    assert_int_equal(links_of(scene), 0);
    assert_int_equal(fake_disk_count(scene->disk, STORE_COMMITS), 1);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), serial);
    assert_int_equal(links_of(scene), 0);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
}

/* Who awaits it must be able to tell this from a zone that could not be loaded. */
static void a_zone_that_is_awaited_and_removed_is_gone(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_write_file(scene, 7, false);
    scene_configure_only(scene);
    keeper_await(scene->keeper, scene_zone(scene), scene_note, &outcome);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(outcome, RELOAD_GONE);
}

/* Whoever asked for the one is not told of the end of the other. */
static void a_sync_and_a_reload_are_answered_each_for_itself(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome, reload = -1, sync = -1;
    scene_serve_dynamic(scene);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, scene_note, &reload),
                     SG_OK);
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &sync), SG_OK);
    scene_turn(scene);
    assert_int_equal(reload, RELOAD_FAILED);
    assert_int_not_equal(sync, RELOAD_FAILED);
    assert_int_not_equal(sync, -1);
}

static void a_freeze_during_a_thaw_comes_after_it(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome, thawed;
    scene_serve_dynamic(scene);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(thaw(scene, &thawed), SG_OK);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_not_equal(thawed, -1);
    assert_int_not_equal(outcome, -1);
    assert_true(scene_status(scene).frozen);
}

static void a_dynamic_zone_is_not_reloaded_unless_it_is_frozen(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL),
                     SG_CONFLICT);
}

/* There is nothing yet that its file could undo. */
static void a_reload_of_all_loads_a_dynamic_zone_whose_file_was_broken(void **state)
{
    struct keeper_scene *scene = *state;
    assert_int_equal(file_write(scene->file, 0644, span_of_text("broken")), SG_OK);
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_write_file(scene, 7, false);
    keeper_reload_all(scene->keeper);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
}

/* A secondary's file is older than what has come: nothing is read, and somebody is told so. */
static void a_reload_of_a_secondary_is_answered(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    scene_fetch(scene, 5);
    scene->plan[0].file = scene->file;
    scene_write_file(scene, 3, true);
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_UP_TO_DATE);
    assert_int_equal(scene_serial(scene), 5);
}

static void an_edit_that_no_thaw_reads_is_told_at_the_restart(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome;
    heard_log_begin();
    scene_serve_dynamic(scene);
    scene_restart(scene);
    assert_false(heard_log_has("zoneload warning: "));
    scene_write_file(scene, 7, true);
    scene_restart(scene);
    assert_true(heard_log_has("/zone' was edited while the zone was not frozen, and is not read: "
                              "the zone takes updates, and the store has it whole (serial 7)"));
    assert_false(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    buffer_clear(&heard_log_text);
    assert_int_equal(unlink(scene->file), 0);
    scene_restart(scene);
    assert_true(heard_log_has("/zone' is missing, which does no harm"));
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    buffer_clear(&heard_log_text);
    scene_write_file(scene, 8, true); /* as it should be done */
    scene_restart(scene);
    assert_false(heard_log_has("zoneload warning: "));
    heard_log_end();
}

static void an_edit_that_is_written_over_keeps_a_name(void **state)
{
    struct keeper_scene *scene = *state;
    int outcome = -1;
    char *kept = mem_format("%s.edited", scene->file);
    char *command = mem_format("grep -q www %s && ! grep -q www %s", kept, scene->file);
    heard_log_begin();
    scene_serve_dynamic(scene);
    assert_int_equal(keeper_sync(scene->keeper, scene_zone(scene), scene_note, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_not_equal(access(kept, F_OK), 0);
    scene_write_file(scene, 9, true);
    assert_int_equal(freeze(scene, &outcome), SG_OK);
    scene_turn(scene);
    assert_int_equal(outcome, RELOAD_UP_TO_DATE);
    assert_int_equal(system(command), 0);
    assert_true(heard_log_has("it is written over, the edit is kept as '"));
    heard_log_end();
    mem_free(command);
    mem_free(kept);
}

/* Its file was edited and not read; it takes no updates any more, and the file that has what they
 * brought is written, but the store is full. */
static void fail_to_become_static(struct keeper_scene *scene)
{
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene_write_file(scene, 9, true);
    scene->plan[0].dynamic = false;
    scene_differ(scene);
    scene_break_disk(scene);
    scene_configure(scene);
    assert_non_null(scene_status(scene).problem);
    fake_disk_heal(scene->disk);
}

static void expect_kept_edit(struct keeper_scene *scene)
{
    char *command = mem_format("grep -q www %s.edited && grep -q one %s && ! grep -q www %s",
                               scene->file, scene->file, scene->file);
    assert_null(scene_status(scene).problem);
    assert_true(scene_serves(scene, "one.example.test.", DNS_TYPE_A));
    assert_int_equal(system(command), 0);
    mem_free(command);
}

static void a_second_try_leaves_the_edit_that_the_first_has_kept(void **state)
{
    struct keeper_scene *scene = *state;
    fail_to_become_static(scene);
    scene_pass(scene, 601);
    expect_kept_edit(scene);
}

/* The file that was written has all that updates brought: it is not written again over what its
 * operator makes of it. */
static void a_second_try_takes_a_correction(void **state)
{
    struct keeper_scene *scene = *state;
    fail_to_become_static(scene);
    scene_write_file(scene, 1000, true);
    scene_pass(scene, 601);
    assert_null(scene_status(scene).problem);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
}

static void so_does_one_after_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    fail_to_become_static(scene);
    scene_restart(scene);
    expect_kept_edit(scene);
}

static void so_does_one_after_the_zone_has_changed(void **state)
{
    struct keeper_scene *scene = *state;
    fail_to_become_static(scene);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    scene_pass(scene, 601);
    expect_kept_edit(scene);
}

static void a_zone_that_goes_answers_all_who_wait(void **state)
{
    struct keeper_scene *scene = *state;
    int freezing, update;
    scene_serve_dynamic(scene);
    scene_update(scene, "new", &update);
    assert_int_equal(freeze(scene, &freezing), SG_OK);
    scene->zones = 0;
    scene_configure(scene);
    assert_int_equal(freezing, RELOAD_FAILED);
    assert_int_equal(update, DNS_RCODE_SERVFAIL);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_frozen_zone_has_its_updates_in_the_file_and_takes_none),
        WITH_SCENE(a_thaw_takes_what_was_edited_over_a_restart_too),
        WITH_SCENE(a_thaw_of_a_broken_file_leaves_the_zone_frozen),
        WITH_SCENE(a_sync_leaves_the_file_of_a_frozen_zone_as_it_was_edited),
        WITH_SCENE(a_file_that_the_server_wrote_is_nobodys_edit),
        WITH_SCENE(a_clean_sync_leaves_the_zone_and_nothing_before_it),
        WITH_SCENE(a_plain_sync_keeps_what_came_before),
        WITH_SCENE(a_clean_sync_whose_file_cannot_be_written_keeps_all),
        WITH_SCENE(a_clean_sync_that_the_store_refuses_keeps_all),
        WITH_SCENE(a_clean_sync_of_a_frozen_zone_leaves_its_file),
        WITH_SCENE(the_greater_of_two_raises_counts),
        WITH_SCENE(a_clean_sync_of_a_static_zone_ends_its_history_too),
        WITH_SCENE(a_zone_that_is_awaited_and_removed_is_gone),
        WITH_SCENE(a_sync_and_a_reload_are_answered_each_for_itself),
        WITH_SCENE(a_freeze_during_a_thaw_comes_after_it),
        WITH_SCENE(a_dynamic_zone_is_not_reloaded_unless_it_is_frozen),
        WITH_SCENE(a_reload_of_all_loads_a_dynamic_zone_whose_file_was_broken),
        WITH_SCENE(a_reload_of_a_secondary_is_answered),
        WITH_SCENE(an_edit_that_no_thaw_reads_is_told_at_the_restart),
        WITH_SCENE(an_edit_that_is_written_over_keeps_a_name),
        WITH_SCENE(a_second_try_leaves_the_edit_that_the_first_has_kept),
        WITH_SCENE(a_second_try_takes_a_correction),
        WITH_SCENE(so_does_one_after_a_restart),
        WITH_SCENE(so_does_one_after_the_zone_has_changed),
        WITH_SCENE(a_zone_that_goes_answers_all_who_wait),
    };
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
