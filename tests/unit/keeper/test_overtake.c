#include "keeper/overtake.h"
#include "keeper/secondary_scene.h"

static void tell_a_server(struct keeper_scene *scene)
{
    static const struct remote below = {
        .address = {192, 0, 2, 53}, .address_length = 4, .port = 53};
    scene->notify =
        (struct zone_notify_settings){.mode = NOTIFY_EXPLICIT, .also = &below, .also_count = 1};
    scene->plan[0].notify = &scene->notify;
}

/* The SOA question to the server that is told; NULL: it was not asked. */
static struct scene_question *serial_question(struct keeper_scene *scene)
{
    return scene_asked(scene, KEEPER_QUESTION_SERIAL);
}

static void hear_serial(struct keeper_scene *scene, uint32_t serial)
{
    struct scene_question *question = serial_question(scene);
    struct buffer message = BUFFER_EMPTY;
    assert_non_null(question);
    scene_reply(question, 1, &message);
    scene_append_soa(&message, serial);
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
    scene_turn(scene);
}

/* A store that was lost: those that have the zone from here know a later serial. */
static void a_signed_secondary_overtakes_what_its_own_secondaries_have(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 150);
    assert_int_equal(scene_serial(scene), 151);
    assert_int_equal(scene_status(scene).facts->source_serial, 100);
}

/* It would take most of the serials that are left, or go round the circle to before ours. */
static void a_serial_that_is_far_away_is_not_overtaken(void **state)
{
    static const uint32_t far[] = {INT32_MAX, INT32_MAX - 1, 0x40000001};
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    for (size_t i = 0; i < ARRAY_LEN(far); i++) {
        hear_serial(scene, 100 + far[i]);
        assert_int_equal(scene_serial(scene), 100);
        overtake_start(scene->keeper, scene_zone(scene), true);
        scene_turn(scene);
    }
    hear_serial(scene, 100 + 0x40000000);
    assert_int_equal(scene_serial(scene), 101 + 0x40000000);
}

/* The store was lost: what it has under that serial has other signatures, and a difference from
 * there would make of it what nobody has signed. */
static void no_difference_leads_from_a_serial_that_a_secondary_had_before(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 101);
    assert_int_equal(scene_links_from(scene, 100), 0);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 101);
    assert_int_equal(scene_links_from(scene, 100), 0);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_links_from(scene, 101), 1);
}

/* What came from the primary meanwhile takes its turn first, and its serial is that very one. */
static void nor_where_another_change_comes_first(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_turn(scene);
    scene_answer_soa(scene, 105);
    scene_turn(scene);
    scene_answer_transfer(scene, 105);
    hear_serial(scene, 105);
    assert_int_equal(scene_serial(scene), 106);
    assert_int_equal(scene_links_from(scene, 105), 0);
}

static void an_earlier_serial_of_a_secondary_changes_nothing(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 110), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_links_from(scene, 100), 1);
    hear_serial(scene, 90); /* not of these: it fetches all by itself */
    assert_int_equal(scene_serial(scene), 110);
    assert_int_equal(scene_links_from(scene, 100), 1);
}

/* The answer comes when that serial is passed already. */
static void what_has_passed_it_is_told_whole(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 110), SG_OK);
    scene_turn(scene);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 111);
    assert_int_equal(scene_links_from(scene, 100) + scene_links_from(scene, 110), 0);
}

/* It is asked again until it answers: then it would take no change any more, and nobody knew. */
static void one_that_is_silent_at_first_is_overtaken_when_it_answers(void **state)
{
    struct keeper_scene *scene = *state;
    struct buffer message = BUFFER_EMPTY;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    for (unsigned tries = 0; tries < 3; tries++) {
        struct scene_question *question = serial_question(scene);
        assert_non_null(question);
        assert_int_equal(scene_status(scene).unheard, 1);
        scene_hear(question, SG_TIMEOUT, (struct span){NULL, 0});
        scene_turn(scene);
        assert_null(serial_question(scene));
        scene_pass(scene, 15 << tries);
    }
    scene_set_clock(scene, -SG_DAY);
    struct scene_question *question = serial_question(scene);
    assert_non_null(question);
    scene_reply(question, 1, &message);
    scene_append_soa(&message, 150);
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 151);
    assert_int_equal(scene_status(scene).unheard, 0);
}

/* It may have got ours meanwhile, or have had that serial before. */
static void one_that_has_ours_after_its_silence_gets_the_next_change_whole(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    struct scene_question *question = serial_question(scene);
    assert_non_null(question);
    scene_hear(question, SG_TIMEOUT, (struct span){NULL, 0});
    scene_turn(scene);
    scene_pass(scene, 15);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 103);
    assert_int_equal(scene_links_from(scene, 100), 0);
    scene_restart(scene);
    assert_int_equal(scene_links_from(scene, 100), 0);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 105), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_links_from(scene, 103), 1);
}

/* The same, however quick the restart: no serial is raised for the sake of one that is ours. */
static void one_that_got_ours_before_a_restart_gets_the_next_change_whole(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_non_null(serial_question(scene));
    scene_restart(scene);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_links_from(scene, 100), 0);
}

static void restart_from_a_whole_disk(struct keeper_scene *scene)
{
    scene_stop(scene);
    fake_disk_heal(scene->disk);
    scene_start(scene);
    scene_configure(scene);
}

/* A new zone, or a lost store's: killed before it has risen it would ask nobody any more. */
static void what_is_heard_and_not_overtaken_yet_is_asked_again_after_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    scene_break_disk(scene);
    hear_serial(scene, 150);
    assert_int_equal(scene_serial(scene), 100);
    restart_from_a_whole_disk(scene);
    assert_int_equal(scene_serial(scene), 100);
    hear_serial(scene, 150);
    assert_int_equal(scene_serial(scene), 151);
    scene_restart(scene);
    assert_null(serial_question(scene));
}

/* A week after the first question, whatever restarts there were. */
static void one_that_stays_silent_over_a_restart_is_given_up(void **state)
{
    struct keeper_scene *scene = *state;
    tell_a_server(scene);
    scene_serve_dynamic(scene);
    scene_hear(serial_question(scene), SG_TIMEOUT, (struct span){NULL, 0});
    scene_stop(scene);
    scene->now += 7 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    scene_hear(serial_question(scene), SG_TIMEOUT, (struct span){NULL, 0});
    scene_turn(scene);
    assert_int_equal(scene_status(scene).unheard, 0);
    scene_restart(scene);
    assert_null(serial_question(scene));
}

/* Under its serial it may have what the lost store had. */
static void a_doubt_that_the_next_change_ends_outlives_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    scene_hear(serial_question(scene), SG_TIMEOUT, (struct span){NULL, 0});
    scene_pass(scene, 15);
    hear_serial(scene, 100);
    scene->now += 60;
    scene_restart(scene);
    assert_non_null(serial_question(scene));
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_links_from(scene, 100), 0);
}

/* As if the store had come back from a backup that was made just now. */
static void restore(struct keeper_scene *scene)
{
    scene_stop(scene);
    scene_start(scene);
    keeper_note_restored(scene->keeper, 4711);
    scene_configure(scene);
}

/* Else a restart would serve a serial that is not above theirs, and ask nobody. */
static void what_is_to_be_overtaken_is_not_done_before_it_is_durable(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 90);
    restore(scene);
    assert_false(keeper_has_overtaken(scene->keeper));
    scene_break_disk(scene);
    hear_serial(scene, 150);
    assert_int_equal(scene_serial(scene), 100);
    assert_false(keeper_has_overtaken(scene->keeper));
    fake_disk_heal(scene->disk);
    scene_pass(scene, 10);
    assert_int_equal(scene_serial(scene), 151);
    assert_true(keeper_has_overtaken(scene->keeper));
}

/* Another zone keeps the store's mark: this one knows what it has heard since. */
static void a_restart_does_not_forget_what_was_heard_since_a_restore(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 90);
    restore(scene);
    hear_serial(scene, 150);
    assert_int_equal(scene_serial(scene), 151);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 160), SG_OK);
    scene_turn(scene);
    restore(scene);
    assert_null(serial_question(scene));
    assert_int_equal(scene_serial(scene), 160);
    assert_int_equal(scene_links_from(scene, 151), 1);
}

static void nor_is_a_doubt_that_the_next_change_ends(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 90);
    restore(scene);
    scene_hear(serial_question(scene), SG_TIMEOUT, (struct span){NULL, 0});
    scene_pass(scene, 15);
    hear_serial(scene, 100);
    assert_false(keeper_has_overtaken(scene->keeper));
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_links_from(scene, 100), 0);
    assert_true(keeper_has_overtaken(scene->keeper));
}

/* Signed once, and restored: its floor has to be in the store until who is asked has answered. */
static void a_static_zone_whose_secondaries_are_asked_keeps_its_record(void **state)
{
    struct keeper_scene *scene = *state;
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    tell_a_server(scene);
    scene_configure(scene);
    scene_write_file(scene, 500, true);
    scene_stop(scene);
    scene->plan[0].dynamic = false;
    scene->plan[0].policy = NULL;
    scene->plan[0].inline_signing = false;
    scene_start(scene);
    keeper_note_restored(scene->keeper, 4711);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 500);
    assert_int_equal(scene_status(scene).unheard, 1);
    hear_serial(scene, 600);
    assert_int_equal(scene_status(scene).unheard, 0);
    assert_int_equal(scene_serial(scene), 601);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 601);
}

/* No NOTIFY goes to them, so nobody knows where they are; but they may fetch it. */
static void secondaries_that_are_not_known_get_a_restored_zone_whole_for_a_week(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_links_from(scene, 7), 1);
    restore(scene);
    assert_int_equal(scene_status(scene).unheard, 0);
    assert_int_equal(scene_links_from(scene, 7), 0);
    assert_false(keeper_has_overtaken(scene->keeper));
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_links_from(scene, 8), 0);
    scene_pass(scene, 7 * SG_DAY);
    assert_true(keeper_has_overtaken(scene->keeper));
    assert_int_equal(scene_update_now(scene, "three"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_update_now(scene, "four"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_links_from(scene, 10), 1);
}

static bool is_192_0_2_66(void *argument, const void *access, const struct remote *remote)
{
    (void)argument, (void)access;
    return remote->address[3] == 66;
}

/* `server { bogus yes; }`: nobody asks it, but what it asks is answered. */
static void a_secondary_that_is_bogus_gets_a_restored_zone_whole_for_a_week(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote remotes[] = {
        {.address = {192, 0, 2, 53}, .address_length = 4, .port = 53},
        {.address = {192, 0, 2, 66}, .address_length = 4, .port = 53},
    };
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    scene->notify = (struct zone_notify_settings){
        .mode = NOTIFY_EXPLICIT, .also = remotes, .also_count = ARRAY_LEN(remotes)};
    scene->plan[0].notify = &scene->notify;
    scene_stop(scene);
    scene_start(scene);
    scene->keeper->io.asker.is_bogus = is_192_0_2_66;
    keeper_note_restored(scene->keeper, 4711);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).unheard, 1);
    hear_serial(scene, 8);
    assert_int_equal(scene_status(scene).unheard, 0);
    assert_false(keeper_has_overtaken(scene->keeper));
    scene_pass(scene, 7 * SG_DAY);
    assert_true(keeper_has_overtaken(scene->keeper));
}

/* Who has the zone from one that has expired is asked when it is served again. */
static void a_restored_zone_that_has_expired_asks_when_it_comes_back(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 90);
    scene->now += SCENE_EXPIRE + 1;
    restore(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_null(serial_question(scene));
    assert_false(keeper_has_overtaken(scene->keeper));
    scene_hear(scene_asked(scene, KEEPER_QUESTION_SOA), SG_TIMEOUT, (struct span){NULL, 0});
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 100);
    scene_turn(scene);
    uint32_t serial = scene_serial(scene);
    assert_int_not_equal(serial, 0);
    hear_serial(scene, serial + 50);
    assert_int_equal(scene_serial(scene), serial + 51);
    assert_true(keeper_has_overtaken(scene->keeper));
}

/* Nobody can ask for a zone that could not be read. */
static void nor_is_a_zone_that_could_not_be_opened(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 90);
    scene_stop(scene);
    scene->storeless = true;
    scene_start(scene);
    keeper_note_restored(scene->keeper, 4711);
    scene_configure(scene);
    assert_false(keeper_has_overtaken(scene->keeper));
    scene_take_store(scene);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 100);
    hear_serial(scene, 90);
    assert_true(keeper_has_overtaken(scene->keeper));
}

/* It is its primary's, which knows nothing of what others have. */
static void the_serial_of_an_unsigned_secondary_is_left_alone(void **state)
{
    struct keeper_scene *scene = *state;
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_null(serial_question(scene));
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_signed_secondary_overtakes_what_its_own_secondaries_have),
        WITH_SCENE(a_serial_that_is_far_away_is_not_overtaken),
        WITH_SCENE(no_difference_leads_from_a_serial_that_a_secondary_had_before),
        WITH_SCENE(nor_where_another_change_comes_first),
        WITH_SCENE(an_earlier_serial_of_a_secondary_changes_nothing),
        WITH_SCENE(what_has_passed_it_is_told_whole),
        WITH_SCENE(one_that_is_silent_at_first_is_overtaken_when_it_answers),
        WITH_SCENE(what_is_heard_and_not_overtaken_yet_is_asked_again_after_a_restart),
        WITH_SCENE(one_that_stays_silent_over_a_restart_is_given_up),
        WITH_SCENE(a_doubt_that_the_next_change_ends_outlives_a_restart),
        WITH_SCENE(what_is_to_be_overtaken_is_not_done_before_it_is_durable),
        WITH_SCENE(a_restart_does_not_forget_what_was_heard_since_a_restore),
        WITH_SCENE(nor_is_a_doubt_that_the_next_change_ends),
        WITH_SCENE(a_static_zone_whose_secondaries_are_asked_keeps_its_record),
        WITH_SCENE(secondaries_that_are_not_known_get_a_restored_zone_whole_for_a_week),
        WITH_SCENE(a_secondary_that_is_bogus_gets_a_restored_zone_whole_for_a_week),
        WITH_SCENE(a_restored_zone_that_has_expired_asks_when_it_comes_back),
        WITH_SCENE(nor_is_a_zone_that_could_not_be_opened),
        WITH_SCENE(one_that_has_ours_after_its_silence_gets_the_next_change_whole),
        WITH_SCENE(one_that_got_ours_before_a_restart_gets_the_next_change_whole),
        WITH_SCENE(the_serial_of_an_unsigned_secondary_is_left_alone),
    };
    return cmocka_run_group_tests_name("overtake", tests, NULL, NULL);
}
