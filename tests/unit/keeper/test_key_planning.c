/* Keys roll in the real keeper, beside a disk that fails and folders that a backup brought back. */
#include <signal.h>
#include <sys/resource.h>

#include "base/log.h"
#include "dns/serial.h"
#include "keeper/keeper_scene.h"
#include "keeper/zone_facts.h"

/* What an order was answered, and a status. */
struct answer {
    unsigned told;
    enum sg_result result;
    char text[1024];
    struct keeper_keys_status status;
};

static void take_answer(void *argument, enum sg_result result, const char *text)
{
    struct answer *answer = argument;
    answer->told++;
    answer->result = result;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static void take_status(void *argument, const struct keeper_keys_status *status, const char *text)
{
    struct answer *answer = argument;
    answer->told++;
    answer->result = status == NULL ? SG_CONFLICT : SG_OK;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", text);
    if (status != NULL) {
        answer->status = *status;
    }
}

static void look(struct keeper_scene *scene, struct answer *answer)
{
    answer->told = 0;
    assert_int_equal(keeper_keys_status(scene->keeper, scene_zone(scene), take_status, answer),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(answer->told, 1);
}

/* The keys of a role with this goal: how many, and the first of them. */
static size_t count_keys(struct answer *answer, bool ksk, enum key_state_value goal,
                         const struct keeper_key_status **out_key)
{
    size_t count = 0;
    for (size_t i = 0; i < answer->status.count; i++) {
        const struct keeper_key_status *key = &answer->status.keys[i];
        if (key->state.ksk == ksk && key->state.goal == goal && count++ == 0) {
            *out_key = key;
        }
    }
    return count;
}

static struct keeper_key_status the_key(struct keeper_scene *scene, bool ksk,
                                        enum key_state_value goal)
{
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    const struct keeper_key_status *key = NULL;
    look(scene, answer);
    assert_int_equal(count_keys(answer, ksk, goal, &key), 1);
    struct keeper_key_status copy = *key;
    mem_free(answer);
    return copy;
}

static const struct keeper_key_word some_key = {.tag = KEEPER_ANY_KEY};

static struct answer note_ds(struct keeper_scene *scene, struct keeper_key_word word)
{
    struct answer answer = {.told = 0};
    assert_int_equal(keeper_note_ds(scene->keeper, scene_zone(scene), &word, take_answer, &answer),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(answer.told, 1);
    return answer;
}

static struct answer roll(struct keeper_scene *scene, uint16_t tag)
{
    struct answer answer = {.told = 0};
    const struct keeper_key_word word = {.tag = tag};
    assert_int_equal(keeper_rollover(scene->keeper, scene_zone(scene), &word, take_answer, &answer),
                     SG_OK);
    scene_turn(scene);
    assert_int_equal(answer.told, 1);
    return answer;
}

static void serve_split(struct keeper_scene *scene)
{
    struct kasp_policy *policy = scene->policy;
    policy->keys[0].role = KASP_ROLE_KSK;
    policy->keys[1] = policy->keys[0];
    policy->keys[1].role = KASP_ROLE_ZSK;
    policy->keys_count = 2;
    scene_write_file(scene, 7, false);
    scene->plan[0].policy = policy;
    scene->plan[0].inline_signing = true;
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

/* Waking whenever there is something to be done: nothing is late. */
static void live_until(struct keeper_scene *scene, sg_time end)
{
    while (scene->now < end) {
        sg_time wake = keeper_turn(scene->keeper, scene->now);
        scene_pass(scene, (wake < end ? wake : end) - scene->now);
    }
}

/* Signed, and its DS is in place. */
static void be_settled(struct keeper_scene *scene)
{
    struct keeper_key_word published = some_key;
    published.published = true;
    live_until(scene, scene->now + 86700);
    assert_true(scene_serves(scene, "example.test.", DNS_TYPE_CDS));
    assert_int_equal(note_ds(scene, published).result, SG_OK);
    live_until(scene, scene->now + scene->policy->parent_ds_ttl +
                          scene->policy->parent_propagation_delay + scene->policy->retire_safety);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    assert_int_equal(ksk.state.records[KEY_RECORD_DS], KEY_STATE_OMNIPRESENT);
}

static size_t published(struct keeper_scene *scene)
{
    struct dns_rrset rrset;
    const struct zone_node *apex = zone_version_apex_node(scene_zone(scene)->slot->version);
    return zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &rrset) ? rrset.count : 0;
}

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

static void run(const char *format, const char *folder)
{
    char *command = mem_format(format, folder, folder);
    assert_int_equal(system(command), 0);
    mem_free(command);
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

/* ---- a look that fails ---- */

/* Signed on by the keys in use, for weeks, which do nothing else meanwhile. */
static void live_for_weeks(struct keeper_scene *scene)
{
    for (int i = 0; i < 3 * 7 * 4; i++) {
        scene_pass(scene, 6 * SG_HOUR);
    }
}

static void rest_for_weeks(struct keeper_scene *scene, const char *problem)
{
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    live_for_weeks(scene);
    assert_int_equal(published(scene), 2);
    assert_true(scene_status(scene).expires_first > scene->now + SG_DAY);
    assert_non_null(scene_status(scene).problem);
    assert_non_null(strstr(scene_status(scene).problem, problem));
    look(scene, answer);
    assert_int_equal(answer->result, SG_OK);
    assert_int_equal(answer->status.count, 2);
    for (size_t i = 0; i < answer->status.count; i++) {
        assert_int_equal(answer->status.keys[i].wait.reason, KASP_WAIT_FILES);
    }
    mem_free(answer);
}

static void write_zone_file(struct keeper_scene *scene, uint32_t serial)
{
    uint32_t before = scene_serial(scene);
    scene_write_file(scene, serial, false);
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), true, NULL, NULL), SG_OK);
    scene_turn(scene);
    assert_true(scene_serial(scene) > before);
}

static void a_broken_file_of_another_key_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    run("echo half a copy > %s/Kexample.test.+008+00007.private; true %s", scene->folder);
    rest_for_weeks(scene, "+008+00007");
    write_zone_file(scene, 8);
    struct answer answer = roll(scene, old.tag);
    assert_int_equal(answer.result, SG_CONFLICT);
    assert_non_null(strstr(answer.text, "+008+00007"));
    scene_restart(scene);
    rest_for_weeks(scene, "+008+00007");
    run("rm %s/Kexample.test.+008+00007.private; true %s", scene->folder);
    live_until(scene, scene->now + SG_HOUR);
    assert_null(scene_status(scene).problem);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    assert_int_equal(published(scene), 3);
}

/* Half of the keys are to be in a folder of their own, which has its name in another way. */
static char *share_folder(struct keeper_scene *scene, const char *format)
{
    char *folder = mem_format(format, scene->folder);
    scene->policy->keys[1].key_store = folder;
    scene_differ(scene);
    scene_configure(scene);
    return folder;
}

static void a_folder_with_two_names_is_one(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    uint16_t ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT).tag;
    char *folder = share_folder(scene, "%s/.");
    live_until(scene, scene->now + SG_DAY);
    assert_null(scene_status(scene).problem);
    assert_int_equal(published(scene), 2);
    assert_int_equal(the_key(scene, true, KEY_STATE_OMNIPRESENT).tag, ksk);
    scene->policy->keys[1].key_store = NULL;
    mem_free(folder);
}

/* Copied, not moved, to a key-store. */
static void a_key_that_has_its_files_twice_rests(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status ksk = the_key(scene, true, KEY_STATE_OMNIPRESENT);
    run("mkdir %s/copies && cd %s && cp K* copies/", scene->folder);
    char *folder = share_folder(scene, "%s/copies");
    rest_for_weeks(scene, "remove those that are not to count");
    assert_int_equal(the_key(scene, true, KEY_STATE_OMNIPRESENT).tag, ksk.tag);
    run("rm %s/copies/K*; true %s", scene->folder);
    live_until(scene, scene->now + SG_HOUR);
    assert_null(scene_status(scene).problem);
    scene->policy->keys[1].key_store = NULL;
    mem_free(folder);
}

/* The policy wants a key that cannot be made, in place of none. */
static void what_is_left_of_a_lost_key_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    serve_split(scene);
    be_settled(scene);
    run("echo lost > %s/Kexample.test.+013+04711.state; true %s", scene->folder);
    scene->policy->keys[2] = scene->policy->keys[1];
    scene->policy->keys[2].algorithm = DNSSEC_ED25519;
    scene->policy->keys_count = 3;
    scene_restart(scene);
    rest_for_weeks(scene, "+013+04711");
    scene->policy->keys_count = 2;
}

static void let_files_be_written(bool may)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = may ? limit.rlim_max : 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A transition is due, and its states cannot be written. */
static void a_full_folder_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    (void)signal(SIGXFSZ, SIG_IGN);
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status old = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    assert_int_equal(roll(scene, old.tag).result, SG_OK);
    assert_int_equal(published(scene), 3);
    let_files_be_written(false);
    live_for_weeks(scene);
    let_files_be_written(true);
    assert_int_equal(published(scene), 3);
    assert_true(scene_status(scene).expires_first > scene->now + SG_DAY);
    assert_non_null(scene_status(scene).problem);
    assert_non_null(strstr(scene_status(scene).problem, "cannot be written"));
    live_until(scene, scene->now + SG_HOUR);
    assert_null(scene_status(scene).problem);
    assert_true(the_key(scene, false, KEY_STATE_OMNIPRESENT).signs_zone);
    assert_false(the_key(scene, false, KEY_STATE_HIDDEN).signs_zone);
}

/* Its states are in the commit. */
static void a_broken_state_of_a_key_in_use_stops_no_signature(void **state)
{
    struct keeper_scene *scene = *state;
    char *command;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status zsk = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    command = mem_format("echo broken > %s/Kexample.test.+013+%05u.state", scene->folder, zsk.tag);
    assert_int_equal(system(command), 0);
    rest_for_weeks(scene, ".state");
    mem_free(command);
}

/* That is no rest: nobody could make its signatures anew. */
static void without_the_private_half_of_a_signing_key_it_is_a_failure(void **state)
{
    struct keeper_scene *scene = *state;
    struct answer answer = {.told = 0};
    char *command;
    serve_split(scene);
    be_settled(scene);
    struct keeper_key_status zsk = the_key(scene, false, KEY_STATE_OMNIPRESENT);
    command = mem_format("rm %s/Kexample.test.+013+%05u.private", scene->folder, zsk.tag);
    assert_int_equal(system(command), 0);
    mem_free(command);
    look(scene, &answer);
    assert_int_equal(answer.result, SG_OK); /* its status tells which one */
    assert_int_equal(answer.status.lost_count, 1);
    assert_int_equal(answer.status.lost[0].tag, zsk.tag);
    char *key = mem_format("key %u", zsk.tag);
    assert_non_null(strstr(scene_status(scene).problem, key));
    assert_non_null(strstr(scene_status(scene).problem, "put them back"));
    mem_free(key);
    sg_time since = scene_status(scene).problem_since;
    assert_int_equal(keeper_reload(scene->keeper, scene_zone(scene), false, NULL, NULL), SG_OK);
    scene_pass(scene, 60);
    assert_non_null(scene_status(scene).problem); /* The zone's file was not what was wrong. */
    scene_pass(scene, 600);
    assert_int_equal(scene_status(scene).problem_since, since);
    assert_int_equal(published(scene), 2);
}

/* ---- orders that cannot be carried out ---- */

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
        ROW(in_manual_mode_a_step_makes_what_is_due),
        ROW(files_go_when_the_key_is_done_with),
        ROW(keys_that_are_gone_and_never_purged_keep_none_from_rolling),
        ROW(without_a_successor_the_zone_is_signed_on),
        ROW(a_broken_file_of_another_key_stops_no_signature),
        ROW(a_folder_with_two_names_is_one),
        ROW(a_key_that_has_its_files_twice_rests),
        ROW(what_is_left_of_a_lost_key_stops_no_signature),
        ROW(a_full_folder_stops_no_signature),
        ROW(a_broken_state_of_a_key_in_use_stops_no_signature),
        ROW(without_the_private_half_of_a_signing_key_it_is_a_failure),
        ROW(an_order_is_refused_with_its_reason),
        ROW(a_roll_that_cannot_begin_tells_what_it_waits_for),
        ROW(in_manual_mode_a_roll_waits_for_the_step),
        ROW(a_sighting_of_all_agents_moves_the_ds),
    };
    return cmocka_run_group_tests_name("key_planning", tests, NULL, NULL);
}
