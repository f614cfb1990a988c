#include "keeper/keeper_scene.h"
#include "support/heard_log.h"

/* The key is the configuration's: it goes with it. */
static struct tsig_key *new_key(const char *name)
{
    struct tsig_key *key = mem_alloc_zero(1, sizeof(*key));
    assert_int_equal(dns_name_from_text(name, strlen(name), NULL, &key->name), SG_OK);
    return key;
}

static void tell(struct keeper_scene *scene, struct remote *remote, struct tsig_key *key)
{
    *remote = (struct remote){
        .address = {192, 0, 2, 53}, .address_length = 4, .port = 53, .key = key, .origin = key};
    scene->notify =
        (struct zone_notify_settings){.mode = NOTIFY_EXPLICIT, .also = remote, .also_count = 1};
    scene->plan[0].notify = &scene->notify;
}

static void answer(struct keeper_scene *scene)
{
    struct buffer message = BUFFER_EMPTY;
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    assert_non_null(question);
    scene_reply(question, 0, &message);
    scene_hear(question, SG_OK, buffer_span(&message));
    buffer_free(&message);
}

static void a_change_is_told_with_its_soa(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote remote;
    struct dns_message message;
    struct dns_soa soa;
    tell(scene, &remote, NULL);
    scene_serve_dynamic(scene);
    answer(scene);
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    assert_non_null(question);
    assert_int_equal(dns_message_parse(buffer_span(&question->message), &message), SG_OK);
    assert_int_equal(dns_reply_soa(&message, &soa), SG_OK);
    assert_int_equal(soa.serial, 8);
    answer(scene);
    size_t asked = scene->questions_count;
    scene_pass(scene, SG_HOUR);
    assert_int_equal(scene->questions_count, asked);
}

/* What is said once more after a reload is signed with the key as it is then. */
static void a_second_try_takes_the_key_of_the_new_configuration(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote first, second;
    struct tsig_key *old = new_key("old."), *new = new_key("new.");
    tell(scene, &first, old);
    scene_serve_dynamic(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    assert_ptr_equal(question->remote.key, old);
    scene_hear(question, SG_TIMEOUT, (struct span){NULL, 0});
    tell(scene, &second, new);
    scene_configure(scene);
    mem_free(old);
    memset(&first, 0xff, sizeof(first));
    scene_pass(scene, NOTIFY_TIMEOUT);
    question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    assert_non_null(question);
    assert_ptr_equal(question->remote.key, new);
    assert_ptr_equal(question->remote.origin, new);
    answer(scene);
    mem_free(new);
}

static void a_second_try_to_whom_nobody_names_any_more_has_no_key(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote remote;
    struct tsig_key *old = new_key("old.");
    tell(scene, &remote, old);
    scene_serve_dynamic(scene);
    scene_hear(scene_asked(scene, KEEPER_QUESTION_NOTIFY), SG_TIMEOUT, (struct span){NULL, 0});
    scene->plan[0].notify = NULL;
    scene_configure(scene);
    mem_free(old);
    scene_pass(scene, NOTIFY_TIMEOUT);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    assert_non_null(question);
    assert_null(question->remote.key);
}

static void an_answer_to_a_zone_that_went_is_heard_by_nobody(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote remote;
    tell(scene, &remote, NULL);
    scene_serve_dynamic(scene);
    size_t asked = scene->questions_count;
    scene->zones = 0;
    scene_configure(scene);
    answer(scene);
    scene_pass(scene, SG_HOUR);
    assert_int_equal(scene->questions_count, asked);
}

static void a_server_that_is_silent_or_refuses_is_named(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote remote;
    tell(scene, &remote, NULL);
    scene_serve_dynamic(scene);
    heard_log_begin();
    for (int tries = 0; tries < NOTIFY_TRIES_MAX; tries++) {
        assert_false(heard_log_has("notify"));
        scene_hear(scene_asked(scene, KEEPER_QUESTION_NOTIFY), SG_TIMEOUT, (struct span){NULL, 0});
        scene_pass(scene, SG_HOUR);
    }
    assert_true(heard_log_has(
        "notify notice: zone example.test/IN/inside: notify to 192.0.2.53#53 failed after "
        "5 tries: "));
    assert_int_equal(scene_update_now(scene, "new"), DNS_RCODE_NOERROR);
    struct buffer message = BUFFER_EMPTY;
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    scene_reply(question, 0, &message);
    message.bytes[3] |= DNS_RCODE_REFUSED;
    scene_hear(question, SG_OK, buffer_span(&message));
    assert_true(heard_log_has(
        "zone example.test/IN/inside: notify to 192.0.2.53#53: it answered REFUSED\n"));
    buffer_free(&message);
    heard_log_end();
}

/* Its name lies in somebody else's zone. It would wait for its refresh, and nobody knew why. */
static void a_name_server_whose_address_nobody_knows_is_told_of(void **state)
{
    static const struct remote listed[2] = {
        {.address = {192, 0, 2, 53}, .address_length = 4, .port = 53},
        {.address = {192, 0, 2, 54}, .address_length = 4, .port = 53},
    };
    static const char warning[] =
        "notify warning: zone example.test/IN/inside: name server a.provider.test and 1 more "
        "cannot be notified: ";
    struct keeper_scene *scene = *state;
    assert_int_equal(file_write(scene->file, 0644,
                                span_of_text("$TTL 60\n@ SOA ns1 host 7 3600 600 86400 60\n@ NS "
                                             "ns1\n@ NS a.provider.test.\n@ NS b.provider.test.\n"
                                             "ns1 A 192.0.2.1\n")),
                     SG_OK);
    scene->notify = (struct zone_notify_settings){.mode = NOTIFY_YES};
    scene->plan[0].notify = &scene->notify;
    scene->plan[0].dynamic = true;
    heard_log_begin();
    scene_configure(scene);
    assert_false(heard_log_has("cannot be notified"));
    assert_int_equal(scene_update_now(scene, "one"), DNS_RCODE_NOERROR);
    assert_true(heard_log_has(warning));
    assert_int_equal(scene_status(scene).unnotified, 2);
    buffer_clear(&heard_log_text);
    assert_int_equal(scene_update_now(scene, "two"), DNS_RCODE_NOERROR);
    assert_false(heard_log_has("cannot be notified"));
    scene->notify.also = listed;
    scene->notify.also_count = 1;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_update_now(scene, "three"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_status(scene).unnotified, 2);
    scene->notify.also_count = 2;
    scene_differ(scene);
    scene_configure(scene);
    assert_int_equal(scene_update_now(scene, "four"), DNS_RCODE_NOERROR);
    assert_int_equal(scene_status(scene).unnotified, 0);
    assert_false(heard_log_has("cannot be notified"));
    heard_log_end();
}

static void what_is_out_ends_with_the_server(void **state)
{
    struct keeper_scene *scene = *state;
    struct remote remote;
    tell(scene, &remote, NULL);
    scene_serve_dynamic(scene);
    struct scene_question *question = scene_asked(scene, KEEPER_QUESTION_NOTIFY);
    assert_non_null(question);
    keeper_stop(scene->keeper);
    assert_false(question->out);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(a_change_is_told_with_its_soa),
        WITH_SCENE(a_second_try_takes_the_key_of_the_new_configuration),
        WITH_SCENE(a_second_try_to_whom_nobody_names_any_more_has_no_key),
        WITH_SCENE(an_answer_to_a_zone_that_went_is_heard_by_nobody),
        WITH_SCENE(a_server_that_is_silent_or_refuses_is_named),
        WITH_SCENE(a_name_server_whose_address_nobody_knows_is_told_of),
        WITH_SCENE(what_is_out_ends_with_the_server),
    };
    return cmocka_run_group_tests_name("notifying", tests, NULL, NULL);
}
