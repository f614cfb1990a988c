/* What orders for keys are answered; what comes of those that are carried out: test_key_planning.c.
 */
#include "keeper/rolling_scene.h"

static void in_manual_mode_a_step_makes_what_is_due(void **state)
{
    struct keeper_scene *scene = *state;
    struct answer answer = {.told = 0};
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(keeper_step(scene->keeper, scene_zone(scene), take_answer, &answer), SG_OK);
    scene_turn(scene);
    assert_int_equal(answer.result, SG_CONFLICT);
    assert_non_null(strstr(answer.text, "not in manual-mode"));
    scene->policy->manual_mode = true;
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    scene_pass(scene, SG_WEEK);
    assert_int_equal(published(scene), 2);
    assert_int_equal(keeper_step(scene->keeper, scene_zone(scene), take_answer, &answer), SG_OK);
    scene_turn(scene);
    assert_int_equal(answer.result, SG_OK);
    assert_int_equal(published(scene), 3);
}

/* `format` has one %u. */
static void assert_says(const struct answer *answer, const char *format, unsigned tag)
{
    char text[300];
    (void)snprintf(text, sizeof(text), format, tag);
    if (strstr(answer->text, text) == NULL) {
        fail_msg("'%s' is not in: %s", text, answer->text);
    }
}

static void an_order_is_refused_with_its_reason(void **state)
{
    struct keeper_scene *scene = *state;
    struct answer answer;
    serve_split(scene);
    struct keeper_key_status zsk = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    answer = note_ds(scene, (struct keeper_key_word){.tag = KEEPER_ANY_KEY, .published = true});
    assert_int_equal(answer.result, SG_NOT_FOUND);
    assert_says(&answer,
                "Error executing checkds command: no matching key found\nno key of the "
                "zone waits for its DS to be published\nkey %u: DNSKEY is known to "
                "all caches by ",
                ksk.tag);
    answer = note_ds(scene, (struct keeper_key_word){.tag = ksk.tag, .published = true});
    assert_int_equal(answer.result, SG_NOT_FOUND);
    assert_says(&answer,
                "\nkey %u does not wait for its DS to be published: the parent is not asked "
                "for it\nkey",
                ksk.tag);
    answer = note_ds(scene, (struct keeper_key_word){.tag = ksk.tag});
    assert_says(&answer, "\nkey %u does not wait for its DS to be withdrawn: there is none\n",
                ksk.tag);
    answer = note_ds(scene, (struct keeper_key_word){.tag = zsk.tag, .published = true});
    assert_int_equal(answer.result, SG_NOT_FOUND);
    assert_says(&answer, "no matching key found\nkey %u is a ZSK, which has no DS", zsk.tag);
    answer = roll(scene, (uint16_t)(ksk.tag == 1 || zsk.tag == 1 ? 2 : 1));
    assert_int_equal(answer.result, SG_NOT_FOUND);
    assert_says(&answer,
                "Error executing rollover command: no matching key found\nthe zone has no "
                "key %u: it has ",
                ksk.tag == 1 || zsk.tag == 1 ? 2 : 1);
    assert_says(&answer, " ZSK %u (ECDSAP256SHA256)", zsk.tag);
    scene_set_clock(scene, 30 * SG_DAY);
    answer = roll(scene, zsk.tag);
    assert_int_equal(answer.result, SG_CONFLICT);
    assert_non_null(strstr(answer.text, "clock is in doubt"));
    assert_int_equal(published(scene), 2);
}

static void a_roll_that_cannot_begin_tells_what_it_waits_for(void **state)
{
    struct keeper_scene *scene = *state;
    struct keeper_key_word published = some_key;
    published.published = true;
    serve_split(scene);
    struct keeper_key_status zsk = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    struct answer answer = roll(scene, zsk.tag);
    assert_int_equal(answer.result, SG_OK);
    assert_says(&answer, "Key %u: Rollover scheduled on ", zsk.tag);
    assert_says(&answer,
                "\nno successor is made yet: that waits for the following\nkey %u: ", zsk.tag);
    assert_non_null(strstr(answer.text, "known to all caches by"));
    live_until(scene, scene->now + 30 * SG_DAY); /* The parent does nothing. */
    answer = roll(scene, zsk.tag);
    assert_says(&answer,
                "waits for the chain of trust\nkey %u: waits for the parent to publish the "
                "DS since ",
                ksk.tag);
    assert_int_equal(note_ds(scene, published).result, SG_OK);
    live_until(scene, scene->now + 2 * SG_DAY);
    answer = roll(scene, the_key(scene, true, KEY_STATE_OMNIPRESENT).tag);
    assert_null(strchr(answer.text, '\n')); /* It has begun. */
    answer = roll(scene, ksk.tag);
    assert_says(&answer,
                "Error executing rollover command: key is not actively signing\nkey %u cannot "
                "be rolled: it is on its way out",
                ksk.tag);
}

static void in_manual_mode_a_roll_waits_for_the_step(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    scene->policy->manual_mode = true;
    struct answer answer = roll(scene, the_key(scene, false, KEY_STATE_OMNIPRESENT).tag);
    assert_int_equal(answer.result, SG_OK);
    assert_non_null(strstr(answer.text, ": waits for the next step by hand"));
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        ROW(in_manual_mode_a_step_makes_what_is_due),
        ROW(an_order_is_refused_with_its_reason),
        ROW(a_roll_that_cannot_begin_tells_what_it_waits_for),
        ROW(in_manual_mode_a_roll_waits_for_the_step),
    };
    return cmocka_run_group_tests_name("key_orders", tests, NULL, NULL);
}
