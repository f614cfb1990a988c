#include "keeper/keeper_scene.h"
#include "keeper/parent_telling.h"
#include "keeper/zone_parent.h"
#include "support/heard_log.h"

/* QUIET: nothing else becomes of the zone meanwhile. */
enum { RETRY_MIN = 60, RETRY_MAX = 3600, QUIET = 3000 };

static const char *const submit[] = {"/bin/submit", "now", NULL};
static const char *const retract[] = {"/bin/retract", NULL};
static struct remote servers[2];
static struct ds_watch_settings watch;
static struct parent_telling_settings settings;
static struct signing_key keys[2];
static uint8_t dnskeys[2][68];

static void make_key(size_t i)
{
    dnskeys[i][0] = dnskeys[i][1] = 1, dnskeys[i][2] = 3;
    dnskeys[i][3] = DNSSEC_ECDSAP256SHA256;
    dnskeys[i][9] = (uint8_t)i;
    signing_key_init(&keys[i]);
    assert_int_equal(dns_name_from_text("example.test.", 13, NULL, &keys[i].zone), SG_OK);
    keys[i].algorithm = DNSSEC_ECDSAP256SHA256;
    keys[i].dnskey = (struct span){dnskeys[i], sizeof(dnskeys[i])};
    keys[i].tag = dnskey_tag(keys[i].dnskey);
}

/* A signed zone; nobody is asked for its DS. */
static struct keeper_scene *begin(void **state)
{
    struct keeper_scene *scene = *state;
    make_key(0);
    make_key(1);
    for (size_t i = 0; i < 2; i++) {
        servers[i] = (struct remote){
            .address = {192, 0, 2, (uint8_t)(i + 1)}, .address_length = 4, .port = 53};
    }
    watch = (struct ds_watch_settings){.mode = DS_WATCH_NO,
                                       .bounds = {RETRY_MIN, RETRY_MAX, SG_WEEK, SG_DAY}};
    settings = (struct parent_telling_settings){
        .bounds = {.retry_min = RETRY_MIN, .retry_max = RETRY_MAX}};
    scene->plan[0].policy = scene->policy;
    scene->plan[0].inline_signing = true;
    scene->plan[0].parent = &watch;
    scene->plan[0].telling = &settings;
    scene_write_file(scene, 1, false);
    return scene;
}

static void start(struct keeper_scene *scene)
{
    scene_configure(scene);
    assert_true(scene_status(scene).secure);
}

/* The first key goes, the second comes. */
static void want_roll(struct keeper_scene *scene, bool has_come)
{
    const struct ds_check_wish wishes[] = {
        {&keys[0], DS_CHECK_WITHDRAWN, T0, false, false},
        {&keys[1], DS_CHECK_PUBLISHED, T0, has_come, false},
    };
    zone_parent_want(scene->keeper, scene_zone(scene), wishes, 2);
    scene_turn(scene);
}

/* --- commands ------------------------------------------------------------------------------- */

static void a_command_gets_the_dnskey(void **state)
{
    struct keeper_scene *scene = begin(state);
    settings.submit = submit;
    settings.retract = retract;
    start(scene);
    want_roll(scene, false);
    assert_string_equal(scene->program.words, "/bin/submit now");
    assert_non_null(strstr(scene->program.environment, "SIGNET_ZONE=example.test"));
    assert_non_null(strstr(scene->program.environment, "SIGNET_ACTION=submit"));
    assert_ptr_equal(strstr(scene->program.input, "example.test. 3600 IN DNSKEY 257 3 13 "),
                     scene->program.input);
    assert_ptr_equal(strchr(scene->program.input, '\n'),
                     scene->program.input + strlen(scene->program.input) - 1);
    heard_log_begin();
    scene_end_program(scene, 0, "thank you\n\x1b[31mred");
    assert_true(
        heard_log_has("dnssec info: zone example.test/IN/inside: ds-submit-command for key "));
    assert_true(heard_log_has("says: thank you"));
    assert_true(heard_log_has("dnssec notice: zone example.test/IN/inside: ds-submit-command"));
    heard_log_end();
    scene_pass(scene, QUIET);
    assert_int_equal(scene->program.runs, 1); /* what is to go waits for what is to come */
    want_roll(scene, true);
    assert_string_equal(scene->program.words, "/bin/retract");
    assert_non_null(strstr(scene->program.environment, "SIGNET_ACTION=retract"));
    scene_end_program(scene, 0, "");
    scene_pass(scene, QUIET);
    assert_int_equal(scene->program.runs, 2);
}

static void or_it_gets_ds_records(void **state)
{
    struct keeper_scene *scene = begin(state);
    settings.submit = submit;
    settings.ds_records = true;
    start(scene);
    want_roll(scene, false);
    assert_non_null(strstr(scene->program.input, "example.test. 86400 IN DS "));
    scene_end_program(scene, 0, "");
    want_roll(scene, true);
    scene_pass(scene, QUIET); /* no command for what goes */
    assert_int_equal(scene->program.runs, 1);
    /* One that is given while it is still wanted is run. */
    struct parent_telling_settings next = settings;
    next.retract = retract;
    scene->plan[0].telling = &next;
    scene_configure(scene);
    assert_int_equal(scene->program.runs, 2);
    assert_string_equal(scene->program.words, "/bin/retract");
    scene->plan[0].telling = NULL;
    scene_configure(scene);
}

static void a_command_that_fails_is_run_again(void **state)
{
    struct keeper_scene *scene = begin(state);
    settings.submit = submit;
    start(scene);
    heard_log_begin();
    scene->program.full = true;
    want_roll(scene, false);
    assert_int_equal(scene->program.runs, 0);
    scene->program.full = false;
    scene_pass(scene, 5);
    assert_int_equal(scene->program.runs, 1);
    assert_false(heard_log_has("tried again")); /* It was not the parent's fault. */
    scene_end_program(scene, 3, "");
    assert_true(heard_log_has("ended with status 3; it is tried again"));
    scene_pass(scene, RETRY_MIN - 1);
    assert_int_equal(scene->program.runs, 1);
    scene_pass(scene, 1);
    assert_int_equal(scene->program.runs, 2);
    scene_end_program(scene, 0, "");
    scene_pass(scene, QUIET);
    assert_int_equal(scene->program.runs, 2);
    heard_log_end();
}

static void a_restart_runs_again_what_has_not_succeeded_alone(void **state)
{
    struct keeper_scene *scene = begin(state);
    settings.submit = submit;
    start(scene);
    want_roll(scene, false);
    scene_restart(scene); /* It is killed. */
    assert_false(scene->program.out);
    want_roll(scene, false);
    assert_int_equal(scene->program.runs, 2);
    scene_end_program(scene, 0, "");
    scene_turn(scene);
    scene_restart(scene);
    want_roll(scene, false);
    scene_pass(scene, QUIET);
    assert_int_equal(scene->program.runs, 2);
}

static void a_new_configuration_kills_the_command_and_runs_its_own(void **state)
{
    struct keeper_scene *scene = begin(state);
    struct parent_telling_settings next;
    settings.submit = submit;
    start(scene);
    want_roll(scene, false);
    next = settings;
    next.submit = retract;
    scene->plan[0].telling = &next;
    scene_configure(scene);
    assert_int_equal(scene->program.runs, 2);
    assert_string_equal(scene->program.words, "/bin/retract");
    scene->plan[0].telling = NULL;
    scene_configure(scene);
    assert_false(scene->program.out);
    scene_pass(scene, QUIET);
    assert_int_equal(scene->program.runs, 2);
}

/* --- updates -------------------------------------------------------------------------------- */

static struct scene_question *expect_push(struct keeper_scene *scene, size_t server,
                                          unsigned opcode, struct dns_message *out_message)
{
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_PUSH);
    assert_non_null(question);
    assert_true(remote_equal(&question->remote, &servers[server]));
    assert_int_equal(dns_message_parse(buffer_span(&question->message), out_message), SG_OK);
    assert_int_equal(out_message->opcode, opcode);
    return question;
}

static void answer_soa(struct keeper_scene *scene, size_t server)
{
    struct dns_message message;
    struct buffer reply = BUFFER_EMPTY;
    struct scene_question *question = expect_push(scene, server, 0, &message);
    assert_int_equal(message.qtype, DNS_TYPE_SOA);
    assert_int_equal(message.qname.length, 6); /* test. */
    scene_reply(question, 1, &reply);
    scene_append_soa(&reply, 1);
    scene_hear(question, SG_OK, buffer_span(&reply));
    buffer_free(&reply);
    scene_turn(scene);
}

static void answer_update(struct keeper_scene *scene, size_t server, uint8_t rcode)
{
    struct dns_message message;
    struct buffer reply = BUFFER_EMPTY;
    struct scene_question *question = expect_push(scene, server, 5, &message);
    assert_int_equal(message.qname.length, 6);
    /* One comes, one goes with each digest: never none in between. */
    assert_int_equal(message.counts[2], 1 + 3);
    scene_reply(question, 0, &reply);
    reply.bytes[3] = rcode;
    scene_hear(question, SG_OK, buffer_span(&reply));
    buffer_free(&reply);
    scene_turn(scene);
}

static struct keeper_scene *begin_push(void **state)
{
    struct keeper_scene *scene = begin(state);
    settings.push = servers;
    settings.push_count = 2;
    start(scene);
    want_roll(scene, false);
    return scene;
}

static void every_primary_of_the_parent_gets_the_update(void **state)
{
    struct keeper_scene *scene = begin_push(state);
    heard_log_begin();
    answer_soa(scene, 0);
    answer_update(scene, 0, 0);
    answer_soa(scene, 1);
    assert_false(heard_log_has("have the DS"));
    answer_update(scene, 1, 0);
    assert_true(heard_log_has("dnssec notice: zone example.test/IN/inside: ds-push: the parent's "
                              "primaries have the DS"));
    heard_log_end();
    size_t asked = scene->questions_count;
    scene_pass(scene, QUIET);
    assert_int_equal(scene->questions_count, asked);
}

static void an_update_that_is_refused_is_sent_again(void **state)
{
    struct keeper_scene *scene = begin_push(state);
    heard_log_begin();
    answer_soa(scene, 0);
    answer_update(scene, 0, 5);
    assert_true(heard_log_has("ds-push to 192.0.2.1#53: the update was answered REFUSED; it is "
                              "tried again"));
    scene_pass(scene, RETRY_MIN);
    answer_soa(scene, 0);
    answer_update(scene, 0, 0);
    struct dns_message message;
    struct scene_question *question = expect_push(scene, 1, 0, &message);
    scene_hear(question, SG_TIMEOUT, (struct span){NULL, 0});
    assert_true(
        heard_log_has("ds-push to 192.0.2.2#53: asked for the parent's SOA: no answer in time: "));
    scene_pass(scene, 2 * RETRY_MIN);
    (void)expect_push(scene, 0, 0, &message); /* both again: it makes no difference */
    heard_log_end();
}

/* A reply that no key covers, of a server that was asked by one, is nothing. */
static void an_unsigned_answer_counts_nothing(void **state)
{
    struct keeper_scene *scene = begin_push(state);
    struct dns_message message;
    answer_soa(scene, 0);
    struct scene_question *question = expect_push(scene, 0, 5, &message);
    const struct keeper_heard heard = {.result = SG_OK, .message = buffer_span(&question->message)};
    heard_log_begin();
    question->out = false;
    assert_false(question->hear(question->argument, &heard));
    assert_true(heard_log_has("the update failed"));
    heard_log_end();
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(a_command_gets_the_dnskey),
        SCENE_TEST(or_it_gets_ds_records),
        SCENE_TEST(a_command_that_fails_is_run_again),
        SCENE_TEST(a_restart_runs_again_what_has_not_succeeded_alone),
        SCENE_TEST(a_new_configuration_kills_the_command_and_runs_its_own),
        SCENE_TEST(every_primary_of_the_parent_gets_the_update),
        SCENE_TEST(an_update_that_is_refused_is_sent_again),
        SCENE_TEST(an_unsigned_answer_counts_nothing),
    };
    return cmocka_run_group_tests_name("parent_telling", tests, NULL, NULL);
}
