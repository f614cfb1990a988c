#include "keeper/keeper_scene.h"
#include "keeper/overtake.h"

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

/* RFC 1034 4.3.5: what has expired is served no more, over a restart neither. */
static void what_has_expired_stays_so_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    assert_null(scene_status(scene).problem);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(strstr(scene_status(scene).problem, "it has expired"));
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(scene_zone(scene)->known.expired);
    assert_non_null(strstr(scene_status(scene).problem, "it has expired"));
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 5);
}

static void what_expired_while_the_server_was_down_is_not_served(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene->now += SCENE_EXPIRE + 1;
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    for (int i = 0; i < 5; i++) {
        scene_turn_once(scene);
        assert_int_equal(scene_serial(scene), 0);
    }
    assert_non_null(scene_zone(scene)->known.expired);
}

/* The same where recovery is followed by keys, signatures and a file that is to be written. */
static void what_expired_is_not_served_for_one_turn_where_it_is_signed(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_be_secondary(scene);
    scene->plan[0].file = scene->file;
    (void)unlink(scene->file);
    scene_configure(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_true(scene_status(scene).secure);
    scene->now += SCENE_EXPIRE + 1;
    scene_stop(scene);
    scene_start(scene);
    scene_configure_only(scene);
    for (int i = 0; i < 30; i++) {
        scene_turn_once(scene);
        assert_int_equal(scene_serial(scene), 0);
    }
    assert_non_null(scene_zone(scene)->known.expired);
}

static void the_same_zone_fetched_anew_is_served_again(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    struct scene_question *asked = scene_asked(scene, KEEPER_QUESTION_SOA);
    if (asked != NULL) {
        scene_hear(asked, SG_TIMEOUT, (struct span){NULL, 0});
        scene_turn(scene);
    }
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 5);
}

static void be_signed(struct keeper_scene *scene)
{
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
}

/* Signing goes on in secret: the zone may come back. */
static void signing_does_not_revive_what_has_expired(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 5);
    assert_true(scene_status(scene).secure);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    scene_pass(scene, 10 * SG_DAY);
    assert_int_equal(scene_serial(scene), 0);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 0);
}

static bool is_published(struct keeper_scene *scene, uint16_t type)
{
    struct dns_rrset rrset;
    const struct zone_version *version = zone_record_version(scene_zone(scene));
    return zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, type, &rrset);
}

/* What nobody sees nobody learns: a key that becomes known only after the zone came back is not
 * taken to be known already, and no other leaves for it. */
static void keys_rest_while_nothing_is_served(struct keeper_scene *scene, bool restarted)
{
    be_signed(scene);
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    scene_pass(scene, 3 * SG_DAY);
    assert_false(is_published(scene, DNS_TYPE_CDS));
    if (restarted) {
        scene_restart(scene);
        scene_pass(scene, 100 * SG_DAY); /* The clock is right all the time. */
    }
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    sg_time came_back = scene->now;
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_pass(scene, 3600);
    assert_false(is_published(scene, DNS_TYPE_CDS));
    assert_int_equal(scene_zone(scene)->known.revived_at, 0);
    assert_true(scene_zone(scene)->known.state.facts.waits_from >= came_back);
    scene_restart(scene);
    assert_true(scene_zone(scene)->known.state.facts.waits_from >= came_back);
}

static void keys_rest_while_a_secondary_has_expired(void **state)
{
    keys_rest_while_nothing_is_served(*state, false);
}

static void keys_rest_while_a_secondary_has_expired_over_a_restart(void **state)
{
    keys_rest_while_nothing_is_served(*state, true);
}

/* It was down for longer than signatures last, is heard, and cannot make new ones yet. */
static void come_back_with_old_signatures(struct keeper_scene *scene)
{
    be_signed(scene);
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    scene->now += 60 * SG_DAY;
    scene_stop(scene);
    scene_break_disk(scene);
    scene_start(scene);
    scene_configure(scene);
    assert_non_null(scene_zone(scene)->known.expired);
    assert_true(scene_status(scene).expires_first <= scene->now);
    if (scene_asked(scene, KEEPER_QUESTION_SOA) == NULL) {
        assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
        scene_pass(scene, 1);
    }
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
}

static void heal(struct keeper_scene *scene)
{
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene_pass(scene, 61);
    scene_pass(scene, 301);
}

static void what_comes_back_is_signed_before_it_is_served(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    heal(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_status(scene).expires_first > scene->now);
}

/* What a primary sends is signed where it differs alone: the rest is as old as before. */
static void what_comes_anew_is_signed_whole_before_it_is_served(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    scene_turn(scene);
    assert_true(scene_status(scene).expires_first <= scene->now);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_pass(scene, 1);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    for (int i = 0; i < 30; i++) {
        scene_turn_once(scene);
        assert_true(scene_serial(scene) == 0 || scene_status(scene).expires_first > scene->now);
    }
    assert_true(scene_serial(scene) >= 6);
    assert_null(scene_zone(scene)->known.expired);
    assert_false(scene_zone(scene)->known.heard);
}

/* Cut off between what is committed first and the last of its signatures, it is heard once more. */
static void what_is_not_signed_yet_is_not_served_over_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    fake_disk_heal(scene->disk);
    store_health(scene->store);
    struct managed_zone *zone = scene_zone(scene);
    uint64_t last = zone->ledger.last;
    zone->wishes = (struct zone_wishes){.state = true};
    zone->health.resign_at = INT64_MAX;
    keeper_enqueue(scene->keeper, zone);
    for (int i = 0; i < 30 && zone->ledger.last == last; i++) {
        scene_turn_once(scene);
    }
    assert_int_equal(zone->ledger.last, last + 1);
    assert_true(zone->known.heard);
    assert_true(scene_status(scene).expires_first <= scene->now);
    scene_stop(scene);
    scene_break_disk(scene);
    scene_start(scene);
    scene_configure_only(scene);
    for (int i = 0; i < 30; i++) {
        scene_turn_once(scene);
        assert_int_equal(scene_serial(scene), 0);
    }
    sg_time came_back = scene->now;
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 0);
    heal(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_restart(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_true(scene_zone(scene)->known.state.facts.waits_from >= came_back);
}

static void what_expires_once_more_before_it_is_signed_is_not_served(void **state)
{
    struct keeper_scene *scene = *state;
    come_back_with_old_signatures(scene);
    scene_pass(scene, SCENE_EXPIRE + 1);
    heal(scene);
    assert_int_equal(scene_serial(scene), 0);
}

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

static size_t links_from(struct keeper_scene *scene, uint32_t serial)
{
    const struct zone_history_link *links[8];
    size_t count = zone_history_collect(&scene_zone(scene)->slot->history, serial,
                                        scene_serial(scene), links, ARRAY_LEN(links));
    for (size_t i = 0; i < count; i++) {
        zone_history_unref(links[i]);
    }
    return count;
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
    be_signed(scene);
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
    be_signed(scene);
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
    be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 101);
    assert_int_equal(links_from(scene, 100), 0);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 101);
    assert_int_equal(links_from(scene, 100), 0);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(links_from(scene, 101), 1);
}

/* What came from the primary meanwhile takes its turn first, and its serial is that very one. */
static void nor_where_another_change_comes_first(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_turn(scene);
    scene_answer_soa(scene, 105);
    scene_turn(scene);
    scene_answer_transfer(scene, 105);
    hear_serial(scene, 105);
    assert_int_equal(scene_serial(scene), 106);
    assert_int_equal(links_from(scene, 105), 0);
}

static void an_earlier_serial_of_a_secondary_changes_nothing(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 110), SG_OK);
    scene_turn(scene);
    assert_int_equal(links_from(scene, 100), 1);
    hear_serial(scene, 90); /* not of these: it fetches all by itself */
    assert_int_equal(scene_serial(scene), 110);
    assert_int_equal(links_from(scene, 100), 1);
}

/* The answer comes when that serial is passed already. */
static void what_has_passed_it_is_told_whole(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 110), SG_OK);
    scene_turn(scene);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 111);
    assert_int_equal(links_from(scene, 100) + links_from(scene, 110), 0);
}

/* It is asked again until it answers: then it would take no change any more, and nobody knew. */
static void one_that_is_silent_at_first_is_overtaken_when_it_answers(void **state)
{
    struct keeper_scene *scene = *state;
    struct buffer message = BUFFER_EMPTY;
    be_signed(scene);
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
    be_signed(scene);
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
    assert_int_equal(links_from(scene, 100), 0);
    scene_restart(scene);
    assert_int_equal(links_from(scene, 100), 0);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 105), SG_OK);
    scene_turn(scene);
    assert_int_equal(links_from(scene, 103), 1);
}

/* The same, however quick the restart: no serial is raised for the sake of one that is ours. */
static void one_that_got_ours_before_a_restart_gets_the_next_change_whole(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_non_null(serial_question(scene));
    scene_restart(scene);
    hear_serial(scene, 100);
    assert_int_equal(scene_serial(scene), 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(links_from(scene, 100), 0);
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
    be_signed(scene);
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
    be_signed(scene);
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
    assert_int_equal(links_from(scene, 100), 0);
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
    be_signed(scene);
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
    be_signed(scene);
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
    assert_int_equal(links_from(scene, 151), 1);
}

static void nor_is_a_doubt_that_the_next_change_ends(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
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
    assert_int_equal(links_from(scene, 100), 0);
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
    assert_int_equal(links_from(scene, 7), 1);
    restore(scene);
    assert_int_equal(scene_status(scene).unheard, 0);
    assert_int_equal(links_from(scene, 7), 0);
    assert_false(keeper_has_overtaken(scene->keeper));
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_int_equal(links_from(scene, 8), 0);
    scene_pass(scene, 7 * SG_DAY);
    assert_true(keeper_has_overtaken(scene->keeper));
    assert_int_equal(scene_update_now(scene, "three"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_update_now(scene, "four"), DNS_RCODE_NOERROR);
    assert_int_equal(links_from(scene, 10), 1);
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
    be_signed(scene);
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
    be_signed(scene);
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

/* Whole, whatever serial we have. */
static void take_from_primary(struct keeper_scene *scene, uint32_t serial)
{
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    scene_answer_transfer(scene, serial);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* Whoever has the zone from here stays at the higher one, and takes up our count from there. */
static void what_has_gone_back_is_told_whole_until_all_that_was_served_is_passed(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 90);
    take_from_primary(scene, 99);
    take_from_primary(scene, 100);
    assert_int_equal(links_from(scene, 99), 1);
    take_from_primary(scene, 98);
    for (uint32_t serial = 99; serial <= 101; serial++) {
        take_from_primary(scene, serial);
        assert_int_equal(links_from(scene, serial - 1), 0);
        assert_int_equal(links_from(scene, 90), 0);
        scene_restart(scene);
        assert_int_equal(links_from(scene, serial - 1), 0);
        assert_int_equal(links_from(scene, 90), 0);
    }
    take_from_primary(scene, 102);
    assert_int_equal(links_from(scene, 101), 1);
    scene_restart(scene);
    assert_int_equal(links_from(scene, 101), 1);
}

static void what_has_lost_its_policy_is_told_whole_as_long(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 100);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 103), SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 103);
    scene->plan[0].policy = NULL;
    scene_differ(scene);
    scene_configure(scene);
    take_from_primary(scene, 100);
    for (uint32_t serial = 101; serial <= 104; serial++) {
        take_from_primary(scene, serial);
        assert_int_equal(links_from(scene, serial - 1), 0);
    }
    take_from_primary(scene, 105);
    assert_int_equal(links_from(scene, 104), 1);
}

/* A date that has become a small number is not come up to by counting; but if it becomes a date
 * again, those that were served are near. */
static void a_serial_that_is_reset_is_counted_on_from(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 2026010105);
    take_from_primary(scene, 1);
    take_from_primary(scene, 2);
    assert_int_equal(links_from(scene, 1), 0);
    take_from_primary(scene, 3);
    assert_int_equal(links_from(scene, 2), 1);
    take_from_primary(scene, 2026010104);
    assert_int_equal(links_from(scene, 2), 2);
    for (uint32_t serial = 2026010105; serial <= 2026010106; serial++) {
        take_from_primary(scene, serial);
        assert_int_equal(links_from(scene, serial - 1), 0);
    }
}

/* It is its primary's, which knows nothing of what others have. */
static void the_serial_of_an_unsigned_secondary_is_left_alone(void **state)
{
    struct keeper_scene *scene = *state;
    tell_a_server(scene);
    scene_fetch(scene, 100);
    assert_null(serial_question(scene));
}

static void keys_are_not_looked_at_before_there_is_a_zone(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
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

static void lose_policy(struct keeper_scene *scene)
{
    scene->plan[0].policy = NULL;
    scene->plan[0].inline_signing = false;
    scene_differ(scene);
    scene_configure(scene);
}

/* Nobody knows whether its primaries sign it: what they have made was left out, but their DNSKEY.
 */
static void a_zone_whose_policy_goes_is_served_signed_until_it_came_anew(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 5);
    lose_policy(scene);
    assert_true(scene_status(scene).secure);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    assert_non_null(question);
    scene_hear(question, SG_IO, (struct span){NULL, 0}); /* The primary is not there. */
    scene_turn(scene);
    scene_restart(scene);
    assert_true(scene_status(scene).secure);
    if (scene_asked(scene, KEEPER_QUESTION_TRANSFER) == NULL) {
        scene_pass(scene, SCENE_RETRY);
    }
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 5);
    assert_false(scene_zone(scene)->slot->version == NULL);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 5); /* Once is enough. */
    scene_turn(scene);
    assert_null(scene_asked(scene, KEEPER_QUESTION_TRANSFER));
}

/* Its keys had something to do then; they are no business of this zone any more. */
static void a_zone_without_its_policy_rests_while_its_primary_is_away(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 5);
    sg_time event = scene_status(scene).key_event_at;
    assert_true(event > scene->now);
    lose_policy(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    assert_non_null(question);
    scene_hear(question, SG_IO, (struct span){NULL, 0});
    scene_turn(scene);
    scene_pass(scene, event - scene->now); /* scene_turn() sees a loop */
    assert_true(scene_status(scene).secure);
}

/* Tried until it succeeds: the serial alone would never have it fetched. */
static void a_source_that_did_not_come_is_fetched_at_the_retry(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 5);
    lose_policy(scene);
    for (int i = 0; i < 3; i++) {
        struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
        assert_non_null(question);
        scene_hear(question, SG_IO, (struct span){NULL, 0});
        scene_turn(scene);
        scene_pass(scene, SCENE_RETRY);
    }
    assert_true(scene_status(scene).secure);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
}

/* It has begun with what a signer made, or without: that is of no use any more. */
static void a_transfer_that_other_settings_asked_for_begins_anew(void **state)
{
    struct keeper_scene *scene = *state;
    scene_be_secondary(scene);
    scene_configure(scene);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    assert_non_null(question);
    be_signed(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_false(question->out);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    question = scene_asked(scene, KEEPER_QUESTION_TRANSFER);
    lose_policy(scene);
    assert_false(question->out);
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    scene_answer_transfer(scene, 5);
    scene_configure(scene); /* the same settings: it goes on */
    assert_int_equal(scene_serial(scene), 5);
}

/* Whole, but its job has not begun. */
static void a_transfer_that_waits_for_its_job_does_not_outlive_the_policy(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    lose_policy(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_status(scene).facts->source_serial, 5);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 6);
}

/* Serial 5 was served twice: signed here, and then as its primary has it. */
static void serve_another_zone_under_the_same_serial(struct keeper_scene *scene)
{
    be_signed(scene);
    scene_fetch(scene, 5);
    lose_policy(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 5);
}

static void fetch_newer(struct keeper_scene *scene, uint32_t serial)
{
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
    scene_turn(scene);
    scene_answer_soa(scene, serial);
    scene_turn(scene);
    scene_answer_transfer(scene, serial);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), serial);
}

/* Whoever has the first one would make of it, by a difference, what nobody has ever served. */
static void no_difference_leads_from_a_serial_that_had_two_contents(void **state)
{
    struct keeper_scene *scene = *state;
    serve_another_zone_under_the_same_serial(scene);
    fetch_newer(scene, 6);
    assert_int_equal(links_from(scene, 5), 0);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 6);
    assert_int_equal(links_from(scene, 5), 0);
    fetch_newer(scene, 7);
    assert_int_equal(links_from(scene, 6), 1);
    assert_int_equal(links_from(scene, 5), 0);
}

static void nor_where_the_server_was_restarted_before_it_rose(void **state)
{
    struct keeper_scene *scene = *state;
    serve_another_zone_under_the_same_serial(scene);
    scene_restart(scene);
    assert_int_equal(scene_serial(scene), 5);
    fetch_newer(scene, 6);
    assert_int_equal(links_from(scene, 5), 0);
    scene_restart(scene);
    assert_int_equal(links_from(scene, 5), 0);
    fetch_newer(scene, 7);
    assert_int_equal(links_from(scene, 6), 1);
}

/* Else no serial of the primary's would ever be newer again. */
static void the_source_keeps_its_serial_when_the_policy_goes(void **state)
{
    struct keeper_scene *scene = *state;
    be_signed(scene);
    scene_fetch(scene, 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
        scene_turn(scene);
    }
    assert_int_equal(scene_serial(scene), 8);
    lose_policy(scene);
    scene_answer_transfer(scene, 5);
    scene_turn(scene);
    assert_false(scene_status(scene).secure);
    assert_int_equal(scene_serial(scene), 5);
    scene_pass(scene, SCENE_REFRESH);
    scene_answer_soa(scene, 6);
    scene_turn(scene);
    scene_answer_transfer(scene, 6);
    scene_turn(scene);
    assert_int_equal(scene_serial(scene), 6);
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

static void a_primary_that_expired_as_a_secondary_is_served(void **state)
{
    struct keeper_scene *scene = *state;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    scene_write_file(scene, 3, false);
    scene->plan[0].type = ZONE_PRIMARY;
    scene->plan[0].dynamic = true;
    scene->plan[0].refresh = NULL;
    scene->plan[0].file = scene->file;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 5);
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
        WITH_SCENE(what_has_expired_stays_so_over_a_restart),
        WITH_SCENE(what_expired_while_the_server_was_down_is_not_served),
        WITH_SCENE(what_expired_is_not_served_for_one_turn_where_it_is_signed),
        WITH_SCENE(the_same_zone_fetched_anew_is_served_again),
        WITH_SCENE(signing_does_not_revive_what_has_expired),
        WITH_SCENE(keys_rest_while_a_secondary_has_expired),
        WITH_SCENE(what_comes_back_is_signed_before_it_is_served),
        WITH_SCENE(what_comes_anew_is_signed_whole_before_it_is_served),
        WITH_SCENE(what_is_not_signed_yet_is_not_served_over_a_restart),
        WITH_SCENE(what_expires_once_more_before_it_is_signed_is_not_served),
        WITH_SCENE(keys_rest_while_a_secondary_has_expired_over_a_restart),
        WITH_SCENE(a_signed_secondary_overtakes_what_its_own_secondaries_have),
        WITH_SCENE(a_serial_that_is_far_away_is_not_overtaken),
        WITH_SCENE(no_difference_leads_from_a_serial_that_a_secondary_had_before),
        WITH_SCENE(nor_where_another_change_comes_first),
        WITH_SCENE(an_earlier_serial_of_a_secondary_changes_nothing),
        WITH_SCENE(what_has_passed_it_is_told_whole),
        WITH_SCENE(one_that_is_silent_at_first_is_overtaken_when_it_answers),
        WITH_SCENE(what_has_gone_back_is_told_whole_until_all_that_was_served_is_passed),
        WITH_SCENE(what_has_lost_its_policy_is_told_whole_as_long),
        WITH_SCENE(a_serial_that_is_reset_is_counted_on_from),
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
        WITH_SCENE(keys_are_not_looked_at_before_there_is_a_zone),
        WITH_SCENE(a_zone_whose_policy_goes_is_served_signed_until_it_came_anew),
        WITH_SCENE(a_zone_without_its_policy_rests_while_its_primary_is_away),
        WITH_SCENE(a_source_that_did_not_come_is_fetched_at_the_retry),
        WITH_SCENE(a_transfer_that_other_settings_asked_for_begins_anew),
        WITH_SCENE(a_transfer_that_waits_for_its_job_does_not_outlive_the_policy),
        WITH_SCENE(no_difference_leads_from_a_serial_that_had_two_contents),
        WITH_SCENE(nor_where_the_server_was_restarted_before_it_rose),
        WITH_SCENE(the_source_keeps_its_serial_when_the_policy_goes),
        WITH_SCENE(other_primaries_while_a_transfer_waits_are_no_trouble),
        WITH_SCENE(a_transfer_that_is_not_committed_is_fetched_again),
        WITH_SCENE(a_primary_that_expired_as_a_secondary_is_served),
        WITH_SCENE(a_primary_that_becomes_a_secondary_asks),
        WITH_SCENE(a_configuration_before_the_recovery_does_not_lose_the_times),
        WITH_SCENE(a_notify_asks_at_once),
        WITH_SCENE(a_clock_that_is_set_back_puts_nothing_off),
        WITH_SCENE(a_zone_that_goes_leaves_its_place_to_the_next),
        WITH_SCENE(questions_that_are_out_end_with_the_server),
    };
    return cmocka_run_group_tests_name("secondary", tests, NULL, NULL);
}
