#include "keeper/secondary_scene.h"

/* Monitoring has nothing else to go by: the zone answers SERVFAIL. */
static void a_zone_that_never_came_says_so(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_secondary(scene);
    scene_configure(scene);
    assert_non_null(strstr(scene_status(scene).problem, "nothing has come from its primaries"));
}

/* A file of years ago, copied here today, and no store that knows more: its primaries are asked at
 * once, and it is served for no longer than its SOA allows from then. */
static void a_file_without_a_store_is_checked_at_once_and_expires(void **state)
{
    struct keeper_scene *scene = *state;
    const char *file = scene->plan[0].file;
    scene_write_file(scene, 7, false);
    scene_be_secondary(scene);
    scene->plan[0].file = file;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 7);
    assert_non_null(scene_asked(scene, KEEPER_QUESTION_SOA));
    assert_int_equal(scene_status(scene).expire_at, scene->now + SG_DAY);
    scene_hear(scene_asked(scene, KEEPER_QUESTION_SOA), SG_TIMEOUT, (struct span){NULL, 0});
    for (int part = 0; part < 4; part++) {
        assert_int_equal(scene_serial(scene), 7);
        struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_SOA);
        if (question != NULL) {
            scene_hear(question, SG_TIMEOUT, (struct span){NULL, 0});
        }
        scene_pass(scene, 6 * SG_HOUR);
    }
    assert_int_equal(scene_serial(scene), 0);
}

/* Nobody looks for "not supported" in somebody else's access list. */
static void what_a_primary_answers_is_told(void **state)
{
    struct keeper_scene *scene = *state;
    struct buffer message = BUFFER_EMPTY;
    scene_be_secondary(scene);
    scene_configure(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_SOA);
    assert_non_null(question);
    scene_reply(question, 0, &message);
    message.bytes[3] |= DNS_RCODE_REFUSED;
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
    const char *failure = scene_status(scene).refresh_failure;
    assert_non_null(failure);
    assert_ptr_equal(strstr(failure, "REFUSED by "), failure);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_null(scene_status(scene).refresh_failure);
}

static void a_zone_is_fetched_served_and_kept(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    size_t asked = scene->questions_count;
    scene_pass(scene, SCENE_REFRESH);
    assert_int_equal(scene->questions_count, asked + 1);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 6);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 6);
    assert_int_equal(scene->questions_count, 0); /* It is not due. */
}

/* Whole each time, so not with every change; and what was not written yet is after a restart. */
static void what_came_is_written_to_its_file_now_and_then(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_secondary(scene);
    scene->plan[0].file = scene->file;
    (void)unlink(scene->file);
    scene_configure(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_int_not_equal(access(scene->file, F_OK), 0);
    scene_pass(scene, 6);
    assert_int_equal(access(scene->file, F_OK), 0);
    assert_int_equal(unlink(scene->file), 0);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    scene_pass(scene, 200);
    assert_int_not_equal(access(scene->file, F_OK), 0);
    scene_pass(scene, 100);
    assert_int_equal(access(scene->file, F_OK), 0);
}

static void keys_are_not_looked_at_before_there_is_a_zone(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    scene_be_secondary(scene);
    scene_configure(scene);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_true(scene_status(scene).secure);
}

/* The transfer that waits for its job is of primaries that are no more. */
static void other_primaries_while_a_transfer_waits_are_no_trouble(void **state)
{
    struct keeper_scene *scene = *state;
    struct refresh_primary other = scene->primary;
    struct refresh_settings settings = scene->refresh;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    other.remote.address[3] = 99;
    settings.primaries = &other;
    scene->plan[0].refresh = &settings;
    scene_configure(scene); /* the content is the same: nothing else is wished */
    assert_int_equal(scene_serial(scene), 5);
    scene_answer_soa(scene, 7);
    scene_turn(scene);
    scene_answer_transfer(scene, 7);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 7);
}

static void a_transfer_that_is_not_committed_is_fetched_again(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_break_disk(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
    scene_pass(scene, 11);
    scene_pass(scene, 11);
    fake_disk_heal(scene->disk);
    scene_pass(scene, SCENE_RETRY);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    if (scene_serial(scene) == 5) { /* The store has just learnt that it works again. */
        scene_pass(scene, SCENE_RETRY);
        scene_answer_soa(scene, 6);
        scene_turn(scene);
        scene_answer_transfer(scene, 6);
        scene_turn(scene);
    }
    assert_int_equal(scene_serial(scene), 6);
    assert_null(scene_status(scene).problem);
}

static void a_primary_that_becomes_a_secondary_asks(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 3, false);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 3);
    scene_differ(scene);
    scene_fetch(scene, 5);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 5);
}

/* Whatever comes between the store's answer and the recovery: the times are the stored ones. */
static void a_configuration_before_the_recovery_does_not_lose_the_times(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    for (int turns = 0; turns < 4; turns++) {
        scene_stop(scene);
        scene_start(scene);
        scene_configure_only(scene);
        for (int i = 0; i < turns; i++) {
            scene_turn_once(scene);
        }
        scene_configure(scene);
        assert_int_equal(scene_serial(scene), 5);
        assert_null(scene_asked(scene, KEEPER_QUESTION_SOA)); /* It is not due. */
    }
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
}

static void a_notify_asks_at_once(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    const struct dns_soa old = {.serial = 5}, new = {.serial = 6};
    size_t asked = scene->questions_count;
    keeper_notified(scene->keeper, scene_zone(scene), &scene->primary.remote, &old);
    scene_turn(scene);
    assert_int_equal(scene->questions_count, asked);
    keeper_notified(scene->keeper, scene_zone(scene), &scene->primary.remote, &new);
    scene_pass(scene, 1);
    assert_int_equal(scene->questions_count, asked + 1);
}

/* By the clock of a machine that came up wrong, a month ahead: the timers are of that month. */
static void a_clock_that_is_set_back_puts_nothing_off(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_set_clock(scene, -30 * SG_DAY);
    size_t asked = scene->questions_count;
    const struct dns_soa new = {.serial = 6};
    keeper_notified(scene->keeper, scene_zone(scene), &scene->primary.remote, &new);
    scene_turn(scene);
    assert_int_equal(scene->questions_count, asked + 1); /* serial-query-rate of another day */
    scene_answer_soa(scene, 5);
    scene_set_clock(scene, -SG_DAY);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 5);
    scene_set_clock(scene, -SG_DAY);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
}

/* The only place is held by a zone that goes. */
static void a_zone_that_goes_leaves_its_place_to_the_next(void **state)
{
    struct keeper_scene *scene = *state;
    scene->zones = 2;
    scene->transfers_in = 1;
    scene_be_secondary(scene);
    scene->plan[1].type = ZONE_SECONDARY;
    scene->plan[1].file = NULL;
    scene->plan[1].refresh = &scene->refresh;
    scene_configure(scene);
    struct scene_question first = scene->questions[0], second = scene->questions[1];
    assert_int_equal(scene->questions_count, 2);
    struct buffer message = BUFFER_EMPTY;
    scene_reply(&first, 1, &message);
    scene_append_soa(&message, 5);
    scene_hear(&scene->questions[0], SG_OK, buffer_span(&message));
    buffer_clear(&message);
    scene_reply(&second, 1, &message);
    scene_append_soa(&message, 5);
    scene_hear(&scene->questions[1], SG_OK, buffer_span(&message));
    buffer_free(&message);
    scene_turn(scene);
    assert_int_equal(scene->questions_count, 3);
    assert_true(scene->questions[2].kind == KEEPER_QUESTION_TRANSFER && scene->questions[2].out);
    scene->plan[0] = scene->plan[1]; /* the first one is gone */
    scene->zones = 1;
    scene_configure_only(scene);
    assert_false(scene->questions[2].out);
    scene_turn(scene);
    assert_int_equal(scene->questions_count, 4);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
}

/* --- what the store has cannot be read ------------------------------------------------------- */

/* Once, as too many files were open; its primaries have not answered yet. */
static void lose_for_once(struct keeper_scene *scene)
{
    scene_fetch(scene, 5);
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    scene_lack_image(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(scene_asked(scene, KEEPER_QUESTION_SOA));
}

static void what_could_not_be_read_once_is_served_without_its_primaries(void **state)
{
    struct keeper_scene *scene = *state;
    lose_for_once(scene);
    scene_pass(scene, 301);
    assert_int_equal(scene_serial(scene), 5);
    assert_null(scene_status(scene).problem);
}

static void a_transfer_that_comes_first_takes_its_place(void **state)
{
    struct keeper_scene *scene = *state;
    lose_for_once(scene);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 6);
    assert_null(scene_status(scene).problem);
    assert_false(scene_zone(scene)->ledger.lost);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 6);
}

/* What is damaged for good is asked for in vain. */
static void a_transfer_that_comes_while_the_store_is_asked_is_taken(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_stop(scene);
    fake_disk_damage(scene->disk, STORE_IMAGES, 0, 200);
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene->now += 301;
    scene_turn_once(scene);
    assert_true(scene_zone(scene)->ledger.opening);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 6);
}

/* The settings that its primaries are asked by go with the old configuration. */
static void a_new_configuration_counts_while_the_store_is_asked(void **state)
{
    struct keeper_scene *scene = *state;
    lose_for_once(scene);
    scene->now += 301;
    scene_turn_once(scene);
    assert_true(scene_zone(scene)->ledger.opening);
    struct refresh_primary other = scene->primary;
    struct refresh_settings settings = scene->refresh;
    other.remote.address[3] = 9;
    settings.primaries = &other;
    scene->plan[0].refresh = &settings;
    scene_configure_only(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_SOA);
    assert_non_null(question);
    assert_int_equal(question->remote.address[3], 9);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
    scene->plan[0].refresh = &scene->refresh;
    scene_configure(scene);
}

static void questions_that_are_out_end_with_the_server(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_secondary(scene);
    scene_configure(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_SOA);
    assert_non_null(question);
    keeper_stop(scene->keeper);
    assert_false(question->out);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(what_a_primary_answers_is_told),
        WITH_SCENE(what_could_not_be_read_once_is_served_without_its_primaries),
        WITH_SCENE(a_transfer_that_comes_first_takes_its_place),
        WITH_SCENE(a_transfer_that_comes_while_the_store_is_asked_is_taken),
        WITH_SCENE(a_new_configuration_counts_while_the_store_is_asked),
        WITH_SCENE(what_came_is_written_to_its_file_now_and_then),
        WITH_SCENE(a_zone_is_fetched_served_and_kept),
        WITH_SCENE(a_zone_that_never_came_says_so),
        WITH_SCENE(a_file_without_a_store_is_checked_at_once_and_expires),
        WITH_SCENE(keys_are_not_looked_at_before_there_is_a_zone),
        WITH_SCENE(other_primaries_while_a_transfer_waits_are_no_trouble),
        WITH_SCENE(a_transfer_that_is_not_committed_is_fetched_again),
        WITH_SCENE(a_primary_that_becomes_a_secondary_asks),
        WITH_SCENE(a_configuration_before_the_recovery_does_not_lose_the_times),
        WITH_SCENE(a_notify_asks_at_once),
        WITH_SCENE(a_clock_that_is_set_back_puts_nothing_off),
        WITH_SCENE(a_zone_that_goes_leaves_its_place_to_the_next),
        WITH_SCENE(questions_that_are_out_end_with_the_server),
    };
    return cmocka_run_group_tests_name("secondary", tests, NULL, NULL);
}
