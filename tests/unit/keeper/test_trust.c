#include "keeper/keeper_scene.h"

/* The default policy's key asks for its DS a day and five minutes after it was published. */
enum { INTRODUCTION = 86700 };

static void serve_signed(struct keeper_scene *scene)
{
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

static bool asks_for_ds(struct keeper_scene *scene)
{
    return scene_serves(scene, "example.test.", DNS_TYPE_CDS);
}

/* The keys go on, and what they wait for is counted from here. */
static void expect_new_waits(struct keeper_scene *scene)
{
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    assert_false(asks_for_ds(scene));
    scene_pass(scene, INTRODUCTION - 10);
    assert_false(asks_for_ds(scene));
    scene_pass(scene, 20);
    assert_true(asks_for_ds(scene));
    assert_null(scene_status(scene).problem);
}

static void keys_move_on_while_time_passes(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    expect_new_waits(scene);
}

static void a_jump_ahead_moves_no_key_but_makes_signatures_anew(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_AHEAD);
    scene_pass(scene, 10);
    assert_true(scene_status(scene).expires_first > scene->now);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), false), SG_OK);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_pass(scene, 2 * INTRODUCTION);
    assert_false(asks_for_ds(scene));
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    expect_new_waits(scene);
}

static void a_jump_ahead_that_is_taken_back_is_no_reason_to_ask(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 3000 * SG_DAY);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    assert_true(scene_status(scene).expires_first > T0 + 3000 * SG_DAY);
    scene_set_clock(scene, -3000 * SG_DAY);
    assert_true(scene_status(scene).expires_first < T0 + 100 * SG_DAY); /* all made anew */
    expect_new_waits(scene);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

/* What was signed while it was ahead is not valid yet, by which way ever it comes back. */
static void a_jump_ahead_that_is_taken_back_too_far_is_mended_too(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 3000 * SG_DAY);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_set_clock(scene, -3000 * SG_DAY - 400);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    scene_set_clock(scene, 400);
    scene_turn(scene);
    assert_true(scene_status(scene).expires_first < T0 + 100 * SG_DAY); /* all made anew */
    expect_new_waits(scene);
}

static void a_jump_back_moves_no_key_until_its_time_has_come_again(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_pass(scene, SG_HOUR);
    scene_set_clock(scene, -10 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_pass(scene, 9 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_false(asks_for_ds(scene));
    scene_pass(scene, SG_DAY + 1);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    scene_pass(scene, INTRODUCTION);
    assert_true(asks_for_ds(scene));
}

static void a_start_behind_the_last_commit_moves_no_key_until_then(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 20 * SG_DAY;
    sg_time begun = scene->now;
    serve_signed(scene);
    scene_stop(scene);
    scene->now -= 10 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(scene_status(scene).clock_at, begun);
    /* What is committed meanwhile is no excuse. */
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(scene_status(scene).key_event_at, begun);
    scene_pass(scene, 10 * SG_DAY + 1);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    scene_pass(scene, INTRODUCTION);
    assert_true(asks_for_ds(scene));
}

static void a_start_far_ahead_of_the_last_commit_waits_for_a_word(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_stop(scene);
    scene->now += 91 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_UNLIKELY);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_UNLIKELY);
    scene_pass(scene, INTRODUCTION);
    assert_false(asks_for_ds(scene));
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    scene_restart(scene);
    expect_new_waits(scene);
    assert_int_equal(keeper_accept_clock(scene->keeper), 0);
}

static void a_server_that_was_away_for_weeks_is_no_reason_to_ask(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_stop(scene);
    scene->now += 80 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

/* The new process cannot know when the clock was set. */
static void a_jump_outlives_a_restart(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 2 * SG_DAY);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_UNLIKELY);
    scene_pass(scene, INTRODUCTION);
    assert_false(asks_for_ds(scene));
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    expect_new_waits(scene);
}

static void a_new_zone_is_signed_by_a_doubtful_clock_and_its_waits_are_not(void **state)
{
    struct keeper_scene *scene = *state;
    scene_stop(scene);
    scene->now = 100 * SG_DAY; /* in 1970 */
    scene_start(scene);
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_int_equal(scene_status(scene).clock, CLOCK_EARLY);
    scene_set_clock(scene, T0);
    expect_new_waits(scene);
}

static void a_zone_without_a_policy_has_no_doubts(void **state)
{
    struct keeper_scene *scene = *state;
    scene_serve_dynamic(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    assert_int_equal(keeper_accept_clock(scene->keeper), 0);
}

/* Accepted while a round has the keys, prepared before. */
static void what_was_prepared_before_the_word_is_prepared_once_more(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    for (int turns = 0; turns < 4; turns++) {
        assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
        for (int i = 0; i < turns; i++) {
            scene_turn_once(scene);
        }
        assert_int_equal(keeper_accept_clock(scene->keeper), turns == 0);
        scene_turn(scene);
        assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
        assert_false(asks_for_ds(scene));
    }
    expect_new_waits(scene);
}

/* --- signatures of a clock that was ahead ----------------------------------------------------- */

enum { MANY_NAMES = 2100 /* of so many the expirations are kept in an index */ };

static void serve_many_signed(struct keeper_scene *scene)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_append_text(&text, "$TTL 60\n@ SOA ns1 host 7 3600 600 86400 60\n@ NS ns1\n"
                              "ns1 A 192.0.2.1\n");
    for (int i = 0; i < MANY_NAMES; i++) {
        buffer_format(&text, "n%d A 192.0.2.1\n", i);
    }
    assert_int_equal(file_write(scene->file, 0644, buffer_span(&text)), SG_OK);
    buffer_free(&text);
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].dynamic = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

/* Signatures that a validator with this clock does not take. */
static unsigned count_not_valid(struct keeper_scene *scene)
{
    enum { EXPIRATION_AT = 8, INCEPTION_AT = 12 };
    unsigned count = 0;
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, scene_zone(scene)->slot->version);
    while (zone_cursor_next(&cursor)) {
        struct zone_rrset_walk walk = zone_node_walk_layer(&cursor.node, ZONE_GENERATED);
        while (zone_node_walk_next(&walk)) {
            struct dns_rdata_cursor rdatas = dns_rrset_walk(&walk.rrset);
            while (walk.rrset.type == DNS_TYPE_RRSIG && dns_rdata_next(&rdatas)) {
                const uint8_t *rdata = rdatas.rdata.bytes;
                count += wire_get_u32(rdata + INCEPTION_AT) > scene->now ||
                         wire_get_u32(rdata + EXPIRATION_AT) < scene->now;
            }
        }
    }
    return count;
}

/* The server has seen no other time, and nobody says a word. */
static void what_a_clock_that_was_ahead_at_the_start_has_signed_is_signed_anew(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 60 * SG_DAY;
    serve_signed(scene);
    scene_set_clock(scene, -60 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(count_not_valid(scene), 0);
    assert_true(scene_status(scene).expires_first < T0 + 20 * SG_DAY);
}

static void so_is_a_large_zone(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 365 * SG_DAY;
    serve_many_signed(scene);
    scene_set_clock(scene, -365 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(count_not_valid(scene), 0);
    assert_true(scene_status(scene).expires_first < T0 + 20 * SG_DAY);
    assert_true(scene_zone(scene)->health.resign_at > scene->now);
}

static void so_is_what_a_restart_finds(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 60 * SG_DAY;
    serve_signed(scene);
    scene_stop(scene);
    scene->now -= 60 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    assert_int_equal(count_not_valid(scene), 0);
}

/* What the job knows of expirations it knows by the time of before. */
static void a_clock_that_is_set_back_while_a_change_is_under_way_counts(void **state)
{
    struct keeper_scene *scene = *state;
    int rcode;
    scene->now += 60 * SG_DAY;
    serve_signed(scene);
    scene_update(scene, "new", &rcode);
    for (int turns = 0; scene_zone(scene)->job == NULL; turns++) {
        assert_true(turns < 10);
        scene_turn_once(scene);
    }
    scene_set_clock(scene, -60 * SG_DAY);
    assert_int_equal(rcode, DNS_RCODE_NOERROR);
    assert_int_equal(count_not_valid(scene), 0);
}

/* Steps that are each smaller than what signatures are dated back add up. */
static void many_small_steps_back_are_a_large_one(void **state)
{
    struct keeper_scene *scene = *state;
    serve_signed(scene);
    for (int i = 0; i < 12; i++) {
        scene_set_clock(scene, -4 * SG_MINUTE);
    }
    uint32_t serial = scene_serial(scene);
    assert_int_equal(serial, 7);
    for (int i = 0; i < 12; i++) {
        scene_set_clock(scene, -4 * SG_MINUTE);
    }
    assert_int_equal(count_not_valid(scene), 0);
    assert_true(scene_serial(scene) > serial);
}

/* Where they cannot be made anew that is said, and is in the zone's status. */
static void what_is_not_signed_anew_is_as_good_as_expired(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 60 * SG_DAY;
    serve_signed(scene);
    scene_break_disk(scene);
    scene_set_clock(scene, -60 * SG_DAY);
    assert_true(count_not_valid(scene) > 0);
    assert_int_equal(scene_status(scene).expires_first, scene->now);
    assert_true(scene_status(scene).overdue_at < scene->now);
    assert_in_range(scene_zone(scene)->health.warn_at, scene->now, scene->now + SG_MINUTE);
    fake_disk_heal(scene->disk);
    scene_pass(scene, SG_HOUR);
    assert_int_equal(count_not_valid(scene), 0);
    assert_true(scene_status(scene).overdue_at > scene->now);
}

/* The newest change of the states of its first key, as committed. */
static sg_time newest_change(struct keeper_scene *scene)
{
    const struct zone_facts_of_keys *facts = &scene_zone(scene)->known.state.facts;
    sg_time newest = 0;
    assert_int_equal(facts->count, 1);
    for (int record = 0; record < KEY_RECORDS; record++) {
        sg_time change = facts->keys[0].state.changes[record];
        newest = change > newest ? change : newest;
    }
    return newest;
}

/* Keys of a secondary that has expired rest: what was said meanwhile waits until it is back. */
static void a_word_is_not_lost_on_a_zone_that_has_expired(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->now += 60 * SG_DAY;
    scene_fetch(scene, 5);
    scene_set_clock(scene, -60 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    scene_pass(scene, SCENE_EXPIRE + 1);
    assert_int_equal(scene_serial(scene), 0);
    assert_int_equal(keeper_accept_clock(scene->keeper), 1);
    scene_turn(scene);
    scene_pass(scene, SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_ACCEPTED);
    assert_true(newest_change(scene) > scene->now);
    sg_time came_back = scene->now;
    if (scene_asked(scene, KEEPER_QUESTION_SOA) == NULL) {
        assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), false), SG_OK);
        scene_pass(scene, 1);
    }
    scene_answer_soa(scene, 5);
    scene_turn(scene);
    assert_true(scene_serial(scene) >= 5);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
    assert_in_range(newest_change(scene), came_back, scene->now);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

/* As another signer leaves the key of the zone. */
static void have_key_withdrawn(struct keeper_scene *scene)
{
    char when[TIME_TEXT_BYTES];
    time_to_digits(scene->now, when);
    char *command = mem_format("sed -i -e 's/^DNSKEYState:.*/DNSKEYState: unretentive/' "
                               "-e 's/^ZRRSIGState:.*/ZRRSIGState: hidden/' "
                               "-e 's/^DNSKEYChange:.*/DNSKEYChange: %s/' %s/K*.state",
                               when, scene->folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
}

/* And another, which has times and no state. */
static void have_another_signer(struct keeper_scene *scene)
{
    struct signing_key metadata, *key;
    have_key_withdrawn(scene);
    signing_key_init(&metadata);
    metadata.times[KEY_CREATED] = metadata.times[KEY_PUBLISH] = metadata.times[KEY_ACTIVATE] =
        scene->now;
    const struct key_request request = {.folder = scene->folder,
                                        .zone = &scene->plan[0].apex,
                                        .algorithm = DNSSEC_ECDSAP256SHA256,
                                        .flags = 257,
                                        .metadata = &metadata};
    assert_int_equal(keystore_generate(&request, &key), SG_OK);
    signing_key_free(key);
}

/* That it has expired is no reason to read the times of keys by a false clock. */
static void a_zone_that_expired_is_not_signed_anew_by_times_of_a_false_clock(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_fetch(scene, 5);
    scene_pass(scene, SCENE_EXPIRE + 1);
    scene_stop(scene);
    scene->now += SG_HOUR;
    have_another_signer(scene);
    scene_start(scene);
    scene->zones = 0;
    scene_configure(scene);
    scene_set_clock(scene, 40 * SG_DAY);
    scene->zones = 1;
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 0);
    assert_non_null(strstr(scene_status(scene).problem, "the clock is in doubt"));
}

/* Or the waits of its keys would count from a time that has passed long ago. */
static void what_another_signer_had_is_signed_anew_by_a_clock_that_is_behind(void **state)
{
    struct keeper_scene *scene = *state;
    scene->now += 60 * SG_DAY;
    serve_signed(scene);
    scene_stop(scene);
    scene->now += SG_HOUR;
    have_key_withdrawn(scene);
    scene->now -= 30 * SG_DAY;
    scene_start(scene);
    scene_configure(scene);
    assert_true(scene_serial(scene) > 7);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    scene_restart(scene);
    assert_int_equal(scene_status(scene).clock, CLOCK_BEHIND);
    scene_pass(scene, 31 * SG_DAY);
    assert_int_equal(scene_status(scene).clock, CLOCK_TRUSTED);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(keys_move_on_while_time_passes),
        WITH_SCENE(a_jump_ahead_moves_no_key_but_makes_signatures_anew),
        WITH_SCENE(a_jump_ahead_that_is_taken_back_is_no_reason_to_ask),
        WITH_SCENE(a_jump_ahead_that_is_taken_back_too_far_is_mended_too),
        WITH_SCENE(a_jump_back_moves_no_key_until_its_time_has_come_again),
        WITH_SCENE(a_start_behind_the_last_commit_moves_no_key_until_then),
        WITH_SCENE(a_start_far_ahead_of_the_last_commit_waits_for_a_word),
        WITH_SCENE(a_server_that_was_away_for_weeks_is_no_reason_to_ask),
        WITH_SCENE(a_jump_outlives_a_restart),
        WITH_SCENE(a_new_zone_is_signed_by_a_doubtful_clock_and_its_waits_are_not),
        WITH_SCENE(a_zone_without_a_policy_has_no_doubts),
        WITH_SCENE(what_was_prepared_before_the_word_is_prepared_once_more),
        WITH_SCENE(what_a_clock_that_was_ahead_at_the_start_has_signed_is_signed_anew),
        WITH_SCENE(so_is_a_large_zone),
        WITH_SCENE(so_is_what_a_restart_finds),
        WITH_SCENE(a_clock_that_is_set_back_while_a_change_is_under_way_counts),
        WITH_SCENE(many_small_steps_back_are_a_large_one),
        WITH_SCENE(what_is_not_signed_anew_is_as_good_as_expired),
        WITH_SCENE(a_word_is_not_lost_on_a_zone_that_has_expired),
        WITH_SCENE(a_zone_that_expired_is_not_signed_anew_by_times_of_a_false_clock),
        WITH_SCENE(what_another_signer_had_is_signed_anew_by_a_clock_that_is_behind),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
