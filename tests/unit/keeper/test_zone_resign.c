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

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_slice_is_as_large_as_its_time_allows),
        WITH_SCENE(no_slice_is_tiny),
    };
    return cmocka_run_group_tests_name("zone_resign", tests, NULL, NULL);
}
