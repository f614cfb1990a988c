/* Keys roll in the real keeper, beside a disk that fails and folders that a backup brought back. */
#include "base/log.h"
#include "dns/serial.h"
#include "keeper/rolling_scene.h"
#include "keeper/zone_facts.h"

/* RFC 7583 3.2.1 with the default policy: Ipub, and Iret with Dsgn. */
static void a_zsk_rolls_to_the_second(void **state)
{
    struct keeper_scene *scene = *state;
    const struct kasp_policy *policy = scene->policy;
    scene->policy->keys[1].lifetime = 0;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    sg_time begun = scene->now;
    assert_int_equal(published(scene), 3);
    struct keeper_key_status new = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(new.state.predecessor, old.tag);
    live_until(scene, begun + 7500 - 1);
    assert_false(the_key(scene, false, KEY_STATE_OMNIPRESENT).signs_zone);
    scene_pass(scene, 1);
    assert_true(the_key(scene, false, KEY_STATE_OMNIPRESENT).signs_zone);
    assert_false(the_key(scene, false, KEY_STATE_HIDDEN).signs_zone);
    sg_duration retire = policy->max_zone_ttl + policy->zone_propagation_delay +
                         policy->retire_safety + policy->signatures_validity -
                         policy->signatures_refresh;
    live_until(scene, begun + 7500 + retire - 1);
    assert_int_equal(published(scene), 3);
    scene_pass(scene, 1);
    assert_int_equal(published(scene), 2);
}

/* What was planned while nothing can be committed has not begun, however long that lasts. */
static void a_step_that_is_not_committed_has_not_begun(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    scene_break_disk(scene);
    assert_int_not_equal(roll(scene, old.tag).result, SG_OK); /* It was not made durable. */
    for (int i = 0; i < 40; i++) {
        scene_pass(scene, SG_HOUR);
        assert_int_equal(published(scene), 2);
    }
    fake_disk_heal(scene->disk);
    for (int i = 0; i < 10; i++) {
        scene_pass(scene, 61);
    }
    assert_int_equal(published(scene), 3);
    sg_time published_at = scene->now;
    struct keeper_key_status new = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_false(new.signs_zone);
    assert_in_range(new.state.changes[KEY_RECORD_DNSKEY], published_at - 610, published_at);
    scene_pass(scene, 7500);
    assert_true(the_key(scene, false, KEY_STATE_OMNIPRESENT).signs_zone);
}

static void hide_private_half(struct keeper_scene *scene, bool hide)
{
    char *command = mem_format("cd %s && %s", scene->folder,
                               hide ? "for f in *.private; do mv $f $f.away; done"
                                    : "for f in *.away; do mv $f ${f%.away}; done");
    assert_int_equal(system(command), 0);
    mem_free(command);
}

/* dnssec-loadkeys-interval: what others do in the key folder is seen though no key is due. */
static void the_keys_are_looked_at_every_hour(void **state)
{
    struct keeper_scene *scene = *state;
    scene->plan[0].loadkeys_interval_minutes = 60;
    scene->policy->signatures_validity = SCENE_LONG_VALIDITY;
    serve_split(scene);
    be_settled(scene);
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    look(scene, answer);
    assert_true(answer->status.wake_at > scene->now + SG_DAY);
    mem_free(answer);
    uint32_t serial = scene_serial(scene);
    for (int i = 0; i < 5; i++) {
        scene_pass(scene, SG_HOUR);
    }
    assert_int_equal(scene_serial(scene), serial); /* A look alone changes nothing. */
    hide_private_half(scene, true);
    scene_pass(scene, SG_HOUR - 1);
    assert_null(scene_status(scene).problem);
    scene_pass(scene, 1);
    assert_non_null(scene_status(scene).problem);
    hide_private_half(scene, false);
    scene_pass(scene, SG_HOUR);
    assert_null(scene_status(scene).problem);
    scene_pass(scene, SG_HOUR);
    hide_private_half(scene, true);
    scene_pass(scene, SG_HOUR);
    assert_non_null(scene_status(scene).problem); /* The interval goes on after a failure. */
}

/* In the middle of a roll the files come back as they were before it. */
static void key_files_of_a_backup_are_older_than_the_commit(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    run("mkdir %s/backup && cd %s && cp K* backup/", scene->folder);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    scene_pass(scene, 7500);
    struct keeper_key_status new = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_true(new.signs_zone);
    run("cp %s/backup/K* %s/", scene->folder); /* The new key's files are still there. */
    uint32_t serial = scene_serial(scene);
    struct keeper_key_status now = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(now.tag, new.tag);
    assert_true(now.signs_zone);
    assert_int_equal(now.state.changes[KEY_RECORD_ZRRSIG], new.state.changes[KEY_RECORD_ZRRSIG]);
    assert_false(the_key(scene, false, KEY_STATE_HIDDEN).signs_zone);
    assert_int_equal(scene_serial(scene), serial);
}

/* CDS say that there shall be no DS; signed until all caches have forgotten it; then no more. */
static void going_insecure_takes_its_time(void **state)
{
    struct keeper_scene *scene = *state;
    struct kasp_policy *secure = scene->policy;
    struct kasp_policy *insecure = kasp_policy_insecure();
    struct keeper_key_word withdrawn = some_key;
    serve_split(scene);
    be_settled(scene);
    scene->plan[0].policy = insecure;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(published(scene), 2);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_HIDDEN);
    assert_int_equal(ksk.state.records[KEY_RECORD_DS], KEY_STATE_UNRETENTIVE);
    assert_int_equal(ksk.wait.reason, KASP_WAIT_PARENT);
    scene_pass(scene, SG_WEEK);
    assert_int_equal(published(scene), 2);
    assert_int_equal(note_ds(scene, withdrawn).result, SG_OK);
    scene_pass(scene, 25 * SG_HOUR - 1);
    assert_true(scene_status(scene).secure);
    scene_pass(scene, 1 + SG_HOUR);
    for (int i = 0; i < 60; i++) {
        scene_pass(scene, SG_HOUR * 6);
    }
    assert_false(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_DNSKEY));
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    /* Its file, whose serial is older than what was signed, is read again. */
    uint32_t served = scene_serial(scene);
    scene_differ(scene);
    scene_configure(scene);
    assert_false(scene_status(scene).secure);
    assert_true(serial_compare(scene_serial(scene), served) >= 0);
    scene->plan[0].policy = secure;
    scene_differ(scene);
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
    assert_false(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    be_settled(scene);
    scene->plan[0].policy = NULL; /* before `insecure` goes */
    kasp_policy_free(insecure);
}

static void files_go_when_the_key_is_done_with(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    scene->policy->purge_keys = SG_DAY;
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    for (int i = 0; i < 20 * 4; i++) {
        scene_pass(scene, 6 * SG_HOUR);
    }
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    look(scene, answer);
    assert_int_equal(answer->status.count, 2);
    mem_free(answer);
    char *path = mem_format("%s/Kexample.test.+013+%05u.private", scene->folder, old.tag);
    assert_int_not_equal(access(path, F_OK), 0);
    mem_free(path);
}

static size_t count_key_files(struct keeper_scene *scene)
{
    char *pattern = mem_format("ls %s/K*.private | wc -l", scene->folder);
    FILE *pipe = popen(pattern, "r");
    unsigned count = 0;
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%u", &count), 1);
    assert_int_equal(pclose(pipe), 0);
    mem_free(pattern);
    return count;
}

/* purge-keys 0, over more rolls than a zone may have keys. */
static void keys_that_are_gone_and_never_purged_keep_none_from_rolling(void **state)
{
    struct keeper_scene *scene = *state;
    scene->policy->purge_keys = 0;
    scene->policy->keys[0].lifetime = KASP_LIFETIME_UNLIMITED;
    serve_split(scene);
    be_settled(scene);
    scene->policy->keys[1].lifetime = 30 * SG_DAY;
    scene_differ(scene);
    scene_configure(scene);
    for (int month = 0; month < 80; month++) {
        live_until(scene, scene->now + 30 * SG_DAY);
        assert_null(scene_status(scene).problem);
    }
    assert_in_range(count_key_files(scene), 80, 83);
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    look(scene, answer);
    assert_in_range(answer->status.count, 20, 33);
    mem_free(answer);
    scene_restart(scene);
    assert_null(scene_status(scene).problem);
    live_until(scene, scene->now + 60 * SG_DAY);
    assert_in_range(count_key_files(scene), 81, 86);
}

static unsigned missing_told;

static void count_missing(void *argument, enum log_category category, int severity,
                          const char *line)
{
    (void)argument, (void)category, (void)severity;
    missing_told += strstr(line, "has no successor: ") != NULL;
}

/* What is left of a lost key keeps a successor from being made, and nothing else. It is tried every
 * hour and told once a day. */
static void without_a_successor_the_zone_is_signed_on(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    run("echo lost > %s/Kexample.test.+013+04711.state; true %s", scene->folder);
    missing_told = 0;
    log_set_sink(count_missing, NULL);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    assert_int_equal(missing_told, 1);
    live_until(scene, scene->now + 30 * SG_DAY);
    assert_int_equal(published(scene), 2);
    assert_in_range(missing_told, 30, 31);
    log_set_sink(NULL, NULL);
    assert_null(scene_status(scene).problem);
    assert_true(scene_status(scene).expires_first > scene->now + SG_DAY);
    struct keeper_key_status now = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(now.tag, old.tag);
    assert_int_equal(now.wait.reason, KASP_WAIT_FILES);
    run("rm %s/Kexample.test.+013+04711.state; true %s", scene->folder);
    live_until(scene, scene->now + 2 * SG_HOUR);
    assert_int_equal(published(scene), 3);
}

static void a_sighting_of_all_agents_moves_the_ds(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    scene_pass(scene, 86700);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(ksk.asks, KASP_DS_SEEN);
    const struct zone_ds_look seen = {ksk.tag,    ksk.algorithm, KASP_DS_SEEN,
                                      scene->now, scene->now,    7 * SG_DAY};
    zone_facts_note_ds(scene->keeper, scene_zone(scene), &seen, 1);
    scene_turn(scene);
    /* The DS lives longer than the policy says, and that counts, also after a restart. */
    scene_pass(scene, 3 * SG_DAY);
    scene_restart(scene);
    ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(ksk.state.records[KEY_RECORD_DS], KEY_STATE_RUMOURED);
    assert_int_equal(ksk.ds, KASP_DS_SEEN);
    scene_pass(scene, 4 * SG_DAY + SG_HOUR);
    ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(ksk.state.records[KEY_RECORD_DS], KEY_STATE_OMNIPRESENT);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        ROW(a_zsk_rolls_to_the_second),
        ROW(a_step_that_is_not_committed_has_not_begun),
        ROW(the_keys_are_looked_at_every_hour),
        ROW(key_files_of_a_backup_are_older_than_the_commit),
        ROW(going_insecure_takes_its_time),
        ROW(files_go_when_the_key_is_done_with),
        ROW(keys_that_are_gone_and_never_purged_keep_none_from_rolling),
        ROW(without_a_successor_the_zone_is_signed_on),
        ROW(a_sighting_of_all_agents_moves_the_ds),
    };
    return cmocka_run_group_tests_name("key_planning", tests, NULL, NULL);
}
