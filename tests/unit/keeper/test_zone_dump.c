#include "base/file.h"
#include "keeper/keeper_scene.h"

static bool file_has(const struct keeper_scene *scene, const char *text)
{
    struct buffer contents = BUFFER_EMPTY;
    assert_int_equal(file_read(scene->file, 1 << 20, &contents), SG_OK);
    bool has = strstr(buffer_text(&contents), text) != NULL;
    buffer_free(&contents);
    return has;
}

/* Its updates are written to the file that is read then: its signatures would be served from there,
 * and nobody makes them anew. */
static void a_zone_made_static_and_unsigned_at_once_is_unsigned(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    scene->plan[0].policy = NULL;
    scene->plan[0].inline_signing = scene->plan[0].dynamic = false;
    scene_differ(scene);
    scene_configure(scene);
    assert_true(scene_serves(scene, "new.example.test.", DNS_TYPE_A));
    assert_true(file_has(scene, "new"));
    assert_false(file_has(scene, "RRSIG"));
    assert_false(file_has(scene, "DNSKEY"));
    assert_false(scene_status(scene).secure);
    assert_int_equal(zone_version_facts(scene_zone(scene)->slot->version)->denial,
                     ZONE_DENIAL_NONE);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_zone_made_static_and_unsigned_at_once_is_unsigned),
    };
    return cmocka_run_group_tests_name("zone_dump", tests, NULL, NULL);
}
