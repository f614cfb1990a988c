#include "keeper/keeper_scene.h"
#include "support/heard_log.h"

#define RISES  "did not rise"
#define RAISED "it becomes"

/* A file of serial 10 that is edited: what its new serial brings the operator. */
static const struct row {
    const char *name;
    bool is_signed, is_edited;
    unsigned serial;
    const char *warning; /* NULL: none */
    uint32_t served;     /* 0: whatever a signer makes of it */
} rows[] = {
    {"unsigned, a serial that rose", false, true, 11, NULL, 11},
    {"unsigned, the same", false, true, 10, RISES, 10},
    {"unsigned, a lower one", false, true, 5, RISES, 5},
    {"unsigned, half the circle away", false, true, 2147483658u, RISES, 2147483658u},
    {"unsigned, touched", false, false, 10, NULL, 10},
    {"signed, a serial that rose", true, true, 100, NULL, 100},
    {"signed, the same", true, true, 10, RISES, 0},
    {"signed, a lower one", true, true, 5, RISES, 0},
    {"signed, touched", true, false, 10, NULL, 0},
};

static void an_edit_whose_serial_did_not_rise_is_taken_with_a_warning(void **state)
{
    const struct row *row = *state;
    void *made = NULL;
    assert_int_equal(scene_begin(&made), 0);
    struct keeper_scene *scene = made;
    if (row->is_signed) {
        scene->plan[0].policy = scene->policy;
        scene->plan[0].inline_signing = true;
    }
    scene_write_file(scene, 10, false);
    scene_configure(scene);
    uint32_t before = scene_serial(scene);
    scene_write_file(scene, row->serial, row->is_edited);
    heard_log_begin();
    int outcome = -1;
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(scene_serves(scene, "www.example.test.", DNS_TYPE_A), row->is_edited);
    assert_int_equal(heard_log_has(RISES), row->warning != NULL);
    assert_false(heard_log_has(RAISED));
    heard_log_end();
    if (row->served != 0) {
        assert_int_equal(scene_serial(scene), row->served);
    } else {
        assert_int_equal(scene_serial(scene), before + row->is_edited);
    }
    assert_int_equal(scene_end(&made), 0);
}

static void reload(struct keeper_scene *scene)
{
    int outcome = -1;
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, scene_note, &outcome),
                     SG_OK);
    scene_turn(scene);
}

static void keep(struct keeper_scene *scene)
{
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].serial_update = ZONE_SERIAL_KEEP;
}

/* What is signed anew gets a serial in any case, said once; an edit has to bring one above it. */
static void a_kept_serial_is_that_of_the_file_or_the_file_is_refused(void **state)
{
    struct keeper_scene *scene = *state;
    keep(scene);
    scene_write_file(scene, 10, false);
    scene_configure(scene);
    assert_int_equal(scene_serial(scene), 10);
    scene_write_file(scene, 20, true);
    reload(scene);
    assert_int_equal(scene_serial(scene), 20);
    for (unsigned serial = 5; serial <= 20; serial += 15) {
        scene_write_file(scene, serial, false);
        reload(scene);
        assert_int_equal(scene_serial(scene), 20);
        assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
        assert_non_null(strstr(scene_status(scene).problem, "raise it to 21 or more"));
    }
    sg_time expires = scene_status(scene).expires_first;
    heard_log_begin();
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    assert_true(scene_serial(scene) > 20);
    assert_true(heard_log_has("is served where its source has 20"));
    heard_log_end();
    scene->now = expires - scene->policy->signatures_refresh + 1;
    scene_turn(scene);
    uint32_t served = scene_serial(scene);
    assert_true(scene_status(scene).expires_first > scene->now);
    scene_write_file(scene, served, false);
    reload(scene);
    assert_true(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
    scene_write_file(scene, served + 1, false);
    reload(scene);
    assert_null(scene_status(scene).problem);
    assert_int_equal(scene_serial(scene), served + 1);
    assert_false(scene_serves(scene, "www.example.test.", DNS_TYPE_A));
}

/* What updates bring has the serial that is served, also after signatures have raised that. */
static void an_update_of_a_kept_serial_sets_both(void **state)
{
    struct keeper_scene *scene = *state;
    keep(scene);
    scene_serve_dynamic(scene);
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_serial(scene), 8);
    assert_int_equal(scene_status(scene).facts->source_serial, 8);
    assert_int_equal(keeper_loadkeys(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    uint32_t served = scene_serial(scene);
    assert_true(served > 8);
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_serial(scene), served + 1);
    assert_int_equal(scene_status(scene).facts->source_serial, served + 1);
}

/* Nobody at the primary knows of our signatures: what it sends is never left out. */
static void a_transfer_is_taken_whatever_its_serial(void **state)
{
    struct keeper_scene *scene = *state;
    keep(scene);
    scene_fetch(scene, 10);
    assert_int_equal(scene_serial(scene), 10);
    assert_int_equal(keeper_raise_serial(scene->keeper, scene_zone(scene), 100), SG_OK);
    scene_turn(scene);
    assert_int_equal(keeper_refresh(scene->keeper, scene_zone(scene), true), SG_OK);
    scene_turn(scene);
    scene_answer_transfer(scene, 11);
    scene_turn(scene);
    assert_int_equal(scene_status(scene).facts->source_serial, 11);
    assert_int_equal(scene_serial(scene), 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_kept_serial_is_that_of_the_file_or_the_file_is_refused,
                                        scene_begin, scene_end),
        cmocka_unit_test_setup_teardown(an_update_of_a_kept_serial_sets_both, scene_begin,
                                        scene_end),
        cmocka_unit_test_setup_teardown(a_transfer_is_taken_whatever_its_serial, scene_begin,
                                        scene_end),
    };
    if (cmocka_run_group_tests(tests, NULL, NULL) != 0) {
        return 1;
    }
    return RUN_TABLE(rows, an_edit_whose_serial_did_not_rise_is_taken_with_a_warning);
}
