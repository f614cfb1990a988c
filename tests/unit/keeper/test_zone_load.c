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

int main(void)
{
    return RUN_TABLE(rows, an_edit_whose_serial_did_not_rise_is_taken_with_a_warning);
}
