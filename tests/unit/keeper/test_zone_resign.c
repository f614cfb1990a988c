#include "dnssec/rrsig.h"
#include "keeper/keeper_scene.h"

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
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

/* How many signatures the next slice makes. */
static uint64_t next_slice(struct keeper_scene *scene)
{
    const struct zone_job *job = NULL;
    for (int turns = 0; job == NULL || job->kind != ZONE_JOB_RESIGN; turns++) {
        assert_true(turns < 20);
        scene_turn_once(scene);
        job = scene_zone(scene)->job;
    }
    return job->made.signatures;
}

/* All of the zone is due after an outage; what a signature takes was seen in the last slice. */
static void a_slice_is_as_large_as_its_time_allows(void **state)
{
    struct keeper_scene *scene = *state;
    serve_many_signed(scene);
    scene->now += 30 * SG_DAY;
    scene_zone(scene)->known.signature_ns = 2500000; /* an RSA key of 3072 bits */
    assert_in_range(next_slice(scene), 100, 108);
    scene_turn_once(scene);
    assert_true(scene_zone(scene)->known.slices_follow);
    assert_in_range(scene_zone(scene)->known.signature_ns, 1, 2499999); /* ours are faster */
    scene_turn(scene);
    assert_false(scene_zone(scene)->known.slices_follow);
    assert_true(scene_zone(scene)->health.resign_at > scene->now);
}

/* Each of them costs a change, however slow the key. */
static void no_slice_is_tiny(void **state)
{
    struct keeper_scene *scene = *state;
    serve_many_signed(scene);
    scene->now += 30 * SG_DAY;
    scene_zone(scene)->known.signature_ns = 1000000000;
    assert_in_range(next_slice(scene), 50, 58);
    scene_turn(scene);
}

/* ---- a long power cut ---- */

enum {
    WEEKS_SECONDS = 15 * SG_DAY, /* of ordinary life before it */
    REFRESH_SECONDS = 5 * SG_DAY,
    CUT_SECONDS = REFRESH_SECONDS + 8 * SG_HOUR, /* what was due first has expired since */
    TURN_SECONDS = 300,                          /* a change takes two or three of them */
    CUT_TURNS_MAX = 2000,
    UPDATE_TURNS_MAX = 5, /* a slice and the update's own change */
};

/* How many names have a signature that expires before that. */
static unsigned count_before(struct keeper_scene *scene, sg_time before)
{
    unsigned count = 0;
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, scene_zone(scene)->slot->version);
    while (zone_cursor_next(&cursor)) {
        count += rrsig_first_expiration(&cursor.node, false, scene->now) < before;
    }
    return count;
}

/* Updates without a pause, one after the other; how many were answered. */
struct updates {
    int rcode;
    unsigned sent, turns;
};

static void update_on(struct keeper_scene *scene, struct updates *updates)
{
    char label[16];
    if (updates->sent > 0 && updates->rcode == -1) {
        assert_true(++updates->turns < UPDATE_TURNS_MAX);
        return;
    }
    assert_true(updates->sent == 0 || updates->rcode == DNS_RCODE_NOERROR);
    snprintf(label, sizeof(label), "u%u", updates->sent++);
    updates->turns = 0;
    scene_update(scene, label, &updates->rcode);
}

/* A key that is so slow that the catching up takes hours. */
static void be_slow(struct keeper_scene *scene)
{
    scene_zone(scene)->known.signature_ns = 2500000;
}

static void age(struct keeper_scene *scene)
{
    scene->plan[0].dynamic = true;
    serve_many_signed(scene);
    for (sg_time end = scene->now + WEEKS_SECONDS; scene->now < end;) {
        scene_pass(scene, 2 * SG_HOUR);
    }
    assert_int_equal(count_before(scene, scene->now + REFRESH_SECONDS), 0);
    scene_stop(scene);
    scene->now += CUT_SECONDS;
    scene_start(scene);
    scene_configure_only(scene);
    for (unsigned turns = 0; scene_zone(scene)->slot->version == NULL; turns++) {
        assert_true(turns < 10);
        be_slow(scene);
        scene_turn_once(scene);
    }
}

/* Names of which nothing has to be made anew within the hours that all the rest takes. */
static unsigned count_unhurried(struct keeper_scene *scene, sg_time start)
{
    return count_before(scene, start + REFRESH_SECONDS) - count_before(scene, start + 2 * SG_DAY);
}

/* What has expired is made anew at once, and before any of what has days left. Then nothing more
 * expires that is served, though the rest takes hours in which much would; and an update waits for
 * one slice at most. */
static void after_a_power_cut_the_most_urgent_come_first(void **state)
{
    struct keeper_scene *scene = *state;
    struct updates updates = {.sent = 0};
    age(scene);
    const sg_time start = scene->now;
    unsigned expired = count_before(scene, start);
    unsigned unhurried = count_unhurried(scene, start);
    unsigned turns = 0, turns_expired = 0;
    unsigned meanwhile = count_before(scene, start + 4 * SG_HOUR) - expired;
    assert_true(expired > 50 && meanwhile > 10 && unhurried > MANY_NAMES / 4);

    while (count_before(scene, start + REFRESH_SECONDS) > 0) {
        be_slow(scene);
        update_on(scene, &updates);
        scene_turn_once(scene);
        unsigned now = count_before(scene, scene->now);
        assert_true(turns_expired == turns || now == 0); /* once is enough */
        turns_expired += now > 0;
        /* Beside an update's name its neighbour is signed, and the apex. */
        assert_true(now == 0 || count_unhurried(scene, start) + 2 >= unhurried);
        scene->now += TURN_SECONDS;
        assert_true(turns++ < CUT_TURNS_MAX);
    }
    assert_true(scene->now - start > 4 * SG_HOUR && turns_expired < turns / 4);
    assert_true(updates.sent > turns / UPDATE_TURNS_MAX);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_slice_is_as_large_as_its_time_allows),
        WITH_SCENE(no_slice_is_tiny),
        WITH_SCENE(after_a_power_cut_the_most_urgent_come_first),
    };
    return cmocka_run_group_tests_name("zone_resign", tests, NULL, NULL);
}
