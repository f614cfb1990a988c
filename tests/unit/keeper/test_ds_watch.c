#include <stdio.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/algorithm.h"
#include "keeper/ds_watch.h"
#include "support/table.h"

enum { T0 = 1700000000, RETRY_MIN = 60, RETRY_MAX = 3600 };

/* One question may be out; the test is the world that answers it. */
struct scene {
    struct keeper_asker asker;
    struct ds_watch_of of;
    struct ds_watch_settings settings;
    struct ds_watch *watch;
    sg_time now, wake;
    struct dns_name apex;
    struct signing_key key;
    uint8_t dnskey[68];
    struct remote agents[2], resolver;

    bool out, deaf; /* deaf: nothing can be asked */
    struct keeper_question question;
    uint8_t message[512];
    keeper_hear *hear;
    void *hear_argument;
    unsigned asked, cancelled;

    struct ds_check_fact fact;
    bool keeps; /* what is wanted, after a fact */
    size_t facts;
    bool from_cache; /* what answers is not authoritative */

    struct job *job; /* a proof that is judged */
    unsigned doubts;
    char doubt[512];
};

static void *fake_ask(void *argument, const struct keeper_question *question, keeper_hear *hear,
                      void *hear_argument)
{
    struct scene *scene = argument;
    assert_false(scene->out);
    scene->asked++;
    if (scene->deaf) {
        return NULL;
    }
    scene->out = true;
    scene->question = *question;
    assert_true(question->message.length <= sizeof(scene->message));
    memcpy(scene->message, question->message.bytes, question->message.length);
    scene->question.message.bytes = scene->message;
    scene->hear = hear;
    scene->hear_argument = hear_argument;
    return scene;
}

static void fake_cancel(void *argument, void *asked)
{
    struct scene *scene = argument;
    assert_ptr_equal(asked, scene);
    assert_true(scene->out);
    scene->out = false;
    scene->cancelled++;
}

static void found(void *argument, const struct ds_check_fact *facts, size_t count)
{
    struct scene *scene = argument;
    assert_int_equal(count, 1);
    scene->fact = facts[0];
    scene->facts++;
    if (!scene->keeps) {
        ds_watch_want(scene->watch, NULL, 0);
    }
}

/* As the keeper does: else nobody would know when the next round is due. */
static void stirred(void *argument)
{
    struct scene *scene = argument;
    scene->wake = ds_watch_turn(scene->watch);
}

static void submit(void *argument, struct job *job)
{
    struct scene *scene = argument;
    assert_null(scene->job);
    scene->job = job;
}

static void doubted(void *argument, const char *text)
{
    struct scene *scene = argument;
    scene->doubts++;
    snprintf(scene->doubt, sizeof(scene->doubt), "%s", text);
}

static void begin(struct scene *scene, enum ds_watch_mode mode)
{
    memset(scene, 0, sizeof(*scene));
    scene->now = T0;
    assert_int_equal(dns_name_from_text("child.example.", 14, NULL, &scene->apex), SG_OK);
    for (size_t i = 0; i < 2; i++) {
        scene->agents[i] = (struct remote){
            .address = {192, 0, 2, (uint8_t)(i + 1)}, .address_length = 4, .port = 53};
    }
    scene->resolver = (struct remote){.address = {127, 0, 0, 1}, .address_length = 4, .port = 53};
    scene->asker = (struct keeper_asker){.ask = fake_ask, .cancel = fake_cancel, .argument = scene};
    scene->of = (struct ds_watch_of){
        .apex = &scene->apex,
        .rrclass = DNS_CLASS_IN,
        .asker = &scene->asker,
        .now = &scene->now,
        .found = found,
        .stirred = stirred,
        .doubted = doubted,
        .prover = {submit, scene},
        .argument = scene,
    };
    scene->settings = (struct ds_watch_settings){
        .mode = mode,
        .agents = scene->agents,
        .agents_count = 2,
        .lookup = {&scene->resolver, 1, true, true, 53},
        .bounds = {RETRY_MIN, RETRY_MAX, SG_DAY, SG_DAY},
    };
    scene->watch = ds_watch_new(&scene->of, &scene->settings);
    signing_key_init(&scene->key);
    scene->dnskey[0] = scene->dnskey[1] = 1, scene->dnskey[2] = 3;
    scene->dnskey[3] = DNSSEC_ECDSAP256SHA256;
    scene->key.zone = scene->apex;
    scene->key.algorithm = DNSSEC_ECDSAP256SHA256;
    scene->key.dnskey = (struct span){scene->dnskey, sizeof(scene->dnskey)};
    scene->key.tag = dnskey_tag(scene->key.dnskey);
}

static void turn(struct scene *scene)
{
    scene->wake = ds_watch_turn(scene->watch);
}

static void want(struct scene *scene, enum ds_check_want want)
{
    const struct ds_check_wish wish = {&scene->key, want, scene->now, false, false};
    ds_watch_want(scene->watch, &wish, 1);
    turn(scene);
}

static void end(struct scene *scene)
{
    ds_watch_free(scene->watch);
    assert_false(scene->out);
}

/* --- answers -------------------------------------------------------------------------------- */

static void hear(struct scene *scene, enum sg_result result, struct span message, bool settled)
{
    const struct keeper_heard heard = {.result = result, .message = message, .settled = settled};
    assert_true(scene->out);
    scene->out = false;
    assert_false(scene->hear(scene->hear_argument, &heard));
}

/* The question turned into an answer with one record of the name asked for. */
static void answer(struct scene *scene, uint16_t type, struct span rdata, unsigned section)
{
    struct buffer wire = BUFFER_EMPTY;
    buffer_append(&wire, scene->message, scene->question.message.length);
    /* Without the OPT of the question, which would stand before the answer. */
    if (wire.bytes[11] == 1) {
        wire.bytes[11] = 0;
        wire.length -= 11;
    }
    wire.bytes[2] |= scene->from_cache ? 0x80 : 0x84, wire.bytes[3] |= 0x80; /* QR, AA; RA */
    if (section > 0) {
        wire.bytes[5 + 2 * section] = 1;
        buffer_append_u16(&wire, type == DNS_TYPE_SOA ? 0xC000 + 12 + 6 : 0xC00C);
        buffer_append_u16(&wire, type);
        buffer_append_u16(&wire, DNS_CLASS_IN);
        buffer_append_u32(&wire, 7200);
        buffer_append_u16(&wire, (uint16_t)rdata.length);
        buffer_append(&wire, rdata.bytes, rdata.length);
    }
    hear(scene, SG_OK, buffer_span(&wire), true);
    buffer_free(&wire);
}

static void show_ds(struct scene *scene)
{
    struct buffer rdata = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(&scene->key, 2, &rdata), SG_OK);
    answer(scene, DNS_TYPE_DS, buffer_span(&rdata), 1);
    buffer_free(&rdata);
}

static void show_no_ds(struct scene *scene)
{
    static const uint8_t rdata[22];
    answer(scene, DNS_TYPE_SOA, (struct span){rdata, sizeof(rdata)}, 2);
}

static void expect_question(struct scene *scene, enum keeper_question_kind kind, uint16_t type,
                            const struct remote *remote)
{
    struct dns_message message;
    assert_true(scene->out);
    assert_int_equal(scene->question.kind, kind);
    assert_true(remote_equal(scene->question.remote, remote));
    assert_int_equal(dns_message_parse(scene->question.message, &message), SG_OK);
    assert_int_equal(message.qtype, type);
    assert_int_equal(message.flags, DNS_FLAG_RD);
    assert_int_equal(scene->question.tcp, kind == KEEPER_QUESTION_DS);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void all_agents_show_it(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    turn(&scene);
    assert_true(scene.wake == INT64_MAX && !scene.out); /* nothing is wished */
    want(&scene, DS_CHECK_PUBLISHED);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &scene.agents[0]);
    scene.now += 2;
    show_ds(&scene);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &scene.agents[1]);
    scene.now += 3;
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    assert_int_equal(scene.fact.what, DS_CHECK_PUBLISHED);
    assert_int_equal(scene.fact.tag, scene.key.tag);
    assert_int_equal(scene.fact.at, T0 + 5);
    assert_int_equal(scene.fact.ttl, 7200);
    assert_false(scene.out);
    turn(&scene);
    assert_true(scene.wake == INT64_MAX);
    end(&scene);
}

static void one_agent_is_behind(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    want(&scene, DS_CHECK_WITHDRAWN);
    show_no_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 0);
    assert_in_range(scene.wake, T0 + RETRY_MIN - 6, T0 + RETRY_MIN + 6);
    scene.now = scene.wake;
    turn(&scene);
    show_no_ds(&scene);
    show_no_ds(&scene);
    assert_int_equal(scene.facts, 1);
    assert_int_equal(scene.fact.what, DS_CHECK_WITHDRAWN);
    end(&scene);
}

static void an_unsigned_answer_where_a_key_was_used_counts_nothing(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.settings.agents_count = 1;
    ds_watch_configure(scene.watch, &scene.of, &scene.settings);
    want(&scene, DS_CHECK_WITHDRAWN);
    scene.message[2] |= 0x80, scene.message[3] |= 0x80;
    hear(&scene, SG_OK, scene.question.message, false);
    assert_int_equal(scene.facts, 0);
    end(&scene);
}

static void nobody_can_be_asked(void **state)
{
    struct scene scene;
    (void)state;
    for (int mode = DS_WATCH_NO; mode <= DS_WATCH_YES; mode++) {
        begin(&scene, (enum ds_watch_mode)mode);
        scene.deaf = true;
        want(&scene, DS_CHECK_WITHDRAWN);
        assert_false(scene.out);
        assert_int_equal(scene.facts, 0);
        assert_true(mode == DS_WATCH_NO ? scene.wake == INT64_MAX
                                        : scene.wake > T0 && scene.wake <= T0 + RETRY_MAX);
        end(&scene);
    }
}

static const uint8_t server_name[] = "\2ns\7example";

static void find_the_parent(struct scene *scene)
{
    static const uint8_t address[] = {198, 51, 100, 1};
    expect_question(scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_NS, &scene->resolver);
    answer(scene, DNS_TYPE_NS, (struct span){server_name, sizeof(server_name)}, 1);
    expect_question(scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_A, &scene->resolver);
    answer(scene, DNS_TYPE_A, (struct span){address, sizeof(address)}, 1);
    expect_question(scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_AAAA, &scene->resolver);
    answer(scene, DNS_TYPE_AAAA, (struct span){(const uint8_t *)"0123456789abcdef", 16}, 1);
}

static bool has_no_ipv6;

static bool fake_reaches_ipv6(void *argument)
{
    (void)argument;
    return !has_no_ipv6;
}

static void says_ipv4_alone(void *argument, const char *text)
{
    bool *said = argument;
    *said |= strstr(text, "IPv4 addresses alone") != NULL;
}

static void ipv6_that_comes_and_goes_is_seen_at_the_next_check(void **state)
{
    static const uint8_t address[] = {198, 51, 100, 1};
    struct remote ipv4 = {.address = {198, 51, 100, 1}, .address_length = 4, .port = 53};
    struct scene scene;
    bool said = false;
    (void)state;
    begin(&scene, DS_WATCH_YES);
    scene.asker.reaches_ipv6 = fake_reaches_ipv6;
    has_no_ipv6 = true;
    want(&scene, DS_CHECK_PUBLISHED);
    expect_question(&scene, KEEPER_QUESTION_LOOKUP, DNS_TYPE_NS, &scene.resolver);
    answer(&scene, DNS_TYPE_NS, (struct span){server_name, sizeof(server_name)}, 1);
    answer(&scene, DNS_TYPE_A, (struct span){address, sizeof(address)}, 1);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &ipv4);
    hear(&scene, SG_TIMEOUT, (struct span){NULL, 0}, false);
    turn(&scene);
    ds_watch_describe(scene.watch, says_ipv4_alone, &said);
    assert_true(said);
    has_no_ipv6 = false;
    scene.now = scene.wake;
    turn(&scene);
    find_the_parent(&scene); /* before its TTL has passed */
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    end(&scene);
}

static void the_parents_servers_are_found_and_asked(void **state)
{
    struct scene scene;
    struct remote first = {.address = {198, 51, 100, 1}, .address_length = 4, .port = 53};
    struct remote second = {.address = "0123456789abcdef", .address_length = 16, .port = 53};
    (void)state;
    begin(&scene, DS_WATCH_YES);
    want(&scene, DS_CHECK_PUBLISHED);
    find_the_parent(&scene);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &first);
    show_ds(&scene);
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &second);
    show_no_ds(&scene);
    assert_int_equal(scene.facts, 0);
    turn(&scene);
    scene.now = scene.wake;
    turn(&scene); /* what was found holds for its TTL: no new lookup */
    expect_question(&scene, KEEPER_QUESTION_DS, DNS_TYPE_DS, &first);
    show_ds(&scene);
    show_no_ds(&scene);
    scene.now += 7201;
    turn(&scene);
    find_the_parent(&scene);
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    end(&scene);
}

/* A server that lost the parent and resolves instead tells what it heard once. */
static void a_cache_is_believed_where_it_was_configured_alone(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_YES);
    want(&scene, DS_CHECK_PUBLISHED);
    find_the_parent(&scene);
    show_ds(&scene);
    scene.from_cache = true;
    show_ds(&scene);
    assert_int_equal(scene.facts, 0);
    assert_true(ds_watch_is_waiting(scene.watch));
    end(&scene);
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.from_cache = true;
    want(&scene, DS_CHECK_PUBLISHED);
    turn(&scene);
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    end(&scene);
}

static unsigned problems;

static void count_problem(void *argument, const char *text)
{
    (void)argument;
    problems += strstr(text, "the parent's name servers: no resolver has an answer") != NULL;
}

static void a_lookup_that_fails_is_tried_again(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_YES);
    want(&scene, DS_CHECK_PUBLISHED);
    hear(&scene, SG_TIMEOUT, (struct span){NULL, 0}, false);
    assert_false(scene.out);
    problems = 0;
    ds_watch_describe(scene.watch, count_problem, NULL);
    assert_int_equal(problems, 1);
    turn(&scene);
    assert_int_equal(scene.wake, T0 + RETRY_MIN);
    scene.now = scene.wake;
    turn(&scene);
    find_the_parent(&scene);
    show_ds(&scene);
    show_ds(&scene);
    assert_int_equal(scene.facts, 1);
    problems = 0;
    ds_watch_describe(scene.watch, count_problem, NULL);
    assert_int_equal(problems, 0);
    end(&scene);
}

static void a_new_configuration_takes_the_question_back(void **state)
{
    struct scene scene;
    (void)state;
    for (int mode = DS_WATCH_EXPLICIT; mode <= DS_WATCH_YES; mode++) {
        begin(&scene, (enum ds_watch_mode)mode);
        want(&scene, DS_CHECK_PUBLISHED);
        assert_true(scene.out);
        ds_watch_configure(scene.watch, &scene.of, &scene.settings);
        assert_int_equal(scene.cancelled, 1);
        assert_false(scene.out);
        turn(&scene);
        assert_true(scene.out); /* the first one again, at once */
        end(&scene);
        assert_int_equal(scene.cancelled, 2);
    }
}

/* Ten thousand zones must not run to their parents with every reload. */
static void a_new_configuration_that_says_the_same_asks_nobody_who_has_answered(void **state)
{
    struct scene scene;
    (void)state;
    for (int mode = DS_WATCH_EXPLICIT; mode <= DS_WATCH_YES; mode++) {
        begin(&scene, (enum ds_watch_mode)mode);
        scene.keeps = true;
        want(&scene, DS_CHECK_PUBLISHED);
        if (mode == DS_WATCH_YES) {
            find_the_parent(&scene);
        }
        show_ds(&scene);
        show_ds(&scene);
        assert_int_equal(scene.facts, 1);
        const unsigned asked = scene.asked;
        ds_watch_configure(scene.watch, &scene.of, &scene.settings);
        turn(&scene);
        assert_int_equal(scene.asked, asked);
        assert_true(scene.wake > scene.now && scene.wake < INT64_MAX);
        scene.now = scene.wake;
        turn(&scene);
        assert_true(scene.out);
        end(&scene);
    }
}

/* --- proofs --------------------------------------------------------------------------------- */

static const uint8_t anchor_ds[4 + 32] = {1, 2, DNSSEC_ECDSAP256SHA256, 2};

static void begin_proving(struct scene *scene, struct trust_anchor *anchor,
                          struct trust_anchors *anchors)
{
    begin(scene, DS_WATCH_EXPLICIT);
    *anchor = (struct trust_anchor){.type = DNS_TYPE_DS, .rdata = {anchor_ds, sizeof(anchor_ds)}};
    assert_int_equal(dns_name_from_text("example.", 8, NULL, &anchor->zone), SG_OK);
    *anchors = (struct trust_anchors){anchor, 1};
    scene->settings.anchors = anchors;
    ds_watch_configure(scene->watch, &scene->of, &scene->settings);
}

static void let_judge(struct scene *scene)
{
    struct job *job = scene->job;
    assert_non_null(job);
    scene->job = NULL;
    job->run(job);
    assert_true(ds_proof_is_job(job));
    ds_proof_take_job(job);
}

static void expect_proof_question(struct scene *scene, uint16_t type, const struct remote *remote)
{
    struct dns_message message;
    assert_true(scene->out && scene->question.tcp);
    assert_int_equal(scene->question.kind, KEEPER_QUESTION_DS);
    assert_true(remote_equal(scene->question.remote, remote));
    assert_int_equal(dns_message_parse(scene->question.message, &message), SG_OK);
    assert_int_equal(message.qtype, type);
    assert_true(message.edns.dnssec_ok);
}

static unsigned reasons;

static void count_reason(void *argument, const char *text)
{
    reasons += strstr(text, argument) != NULL;
}

static void what_is_not_signed_counts_nothing_and_is_told_once(void **state)
{
    struct scene scene;
    struct trust_anchor anchor;
    struct trust_anchors anchors;
    (void)state;
    begin_proving(&scene, &anchor, &anchors);
    want(&scene, DS_CHECK_PUBLISHED);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < 2; i++) {
            expect_proof_question(&scene, DNS_TYPE_DS, &scene.agents[i]);
            show_ds(&scene);
            assert_false(scene.out); /* nobody is asked while it is judged */
            assert_true(ds_watch_is_asking(scene.watch));
            let_judge(&scene);
        }
        assert_int_equal(scene.doubts, 2); /* one for each agent */
        assert_true(scene.wake > scene.now && scene.wake <= scene.now + RETRY_MAX);
        scene.now = scene.wake;
        turn(&scene);
    }
    assert_non_null(strstr(scene.doubt, "192.0.2.2#53 is not believed"));
    assert_non_null(strstr(scene.doubt, "the DS of child.example.: the answer is not signed"));
    reasons = 0;
    ds_watch_describe(scene.watch, count_reason, (void *)(uintptr_t) "the answer is not signed");
    assert_int_equal(reasons, 2);
    assert_int_equal(scene.facts, 0);
    assert_true(ds_watch_is_waiting(scene.watch));
    end(&scene);
}

static bool fake_is_bogus(void *argument, const void *access, const struct remote *remote)
{
    (void)argument, (void)access, (void)remote;
    return true;
}

static void an_agent_that_is_bogus_is_told_as_such(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.asker.is_bogus = fake_is_bogus;
    scene.deaf = true;
    want(&scene, DS_CHECK_PUBLISHED);
    reasons = 0;
    ds_watch_describe(scene.watch, count_reason,
                      (void *)(uintptr_t) "a `server` statement says that it is bogus");
    assert_int_equal(reasons, 2);
    end(&scene);
}

/* A DS with the signature of `example.`, whose keys have to be asked for. */
static void show_signed_ds(struct scene *scene)
{
    static const uint8_t signature[] = {0,   DNS_TYPE_DS, DNSSEC_ECDSAP256SHA256,
                                        2,   0,           0,
                                        0,   9,           0,
                                        0,   0,           0,
                                        0,   0,           0,
                                        0,   1,           2,
                                        7,   'e',         'x',
                                        'a', 'm',         'p',
                                        'l', 'e',         0,
                                        1,   2,           3};
    struct buffer wire = BUFFER_EMPTY, ds = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(&scene->key, 2, &ds), SG_OK);
    const struct {
        uint16_t type;
        struct span rdata;
    } records[] = {{DNS_TYPE_DS, buffer_span(&ds)},
                   {DNS_TYPE_RRSIG, {signature, sizeof(signature)}}};
    /* without the OPT */
    buffer_append(&wire, scene->message, scene->question.message.length - 11);
    wire.bytes[2] |= 0x84, wire.bytes[11] = 0, wire.bytes[7] = 2;
    for (size_t i = 0; i < 2; i++) {
        buffer_append_u16(&wire, 0xC00C);
        buffer_append_u16(&wire, records[i].type);
        buffer_append_u16(&wire, DNS_CLASS_IN);
        buffer_append_u32(&wire, 7200);
        buffer_append_u16(&wire, (uint16_t)records[i].rdata.length);
        buffer_append(&wire, records[i].rdata.bytes, records[i].rdata.length);
    }
    hear(scene, SG_OK, buffer_span(&wire), true);
    buffer_free(&wire);
    buffer_free(&ds);
}

static void the_keys_of_who_has_signed_are_asked_of_the_agent(void **state)
{
    struct scene scene;
    struct trust_anchor anchor;
    struct trust_anchors anchors;
    (void)state;
    begin_proving(&scene, &anchor, &anchors);
    want(&scene, DS_CHECK_PUBLISHED);
    show_signed_ds(&scene);
    expect_proof_question(&scene, DNS_TYPE_DNSKEY, &scene.agents[0]);
    hear(&scene, SG_TIMEOUT, (struct span){NULL, 0}, false);
    let_judge(&scene);
    assert_non_null(strstr(scene.doubt, "the DNSKEY of example.: "));
    assert_int_equal(scene.facts, 0);
    expect_proof_question(&scene, DNS_TYPE_DS, &scene.agents[1]);
    end(&scene);
}

static void a_proof_under_way_is_dropped_with_its_configuration(void **state)
{
    struct scene scene;
    struct trust_anchor anchor;
    struct trust_anchors anchors;
    (void)state;
    for (int judged = 0; judged < 2; judged++) {
        begin_proving(&scene, &anchor, &anchors);
        want(&scene, DS_CHECK_PUBLISHED);
        if (judged) {
            show_ds(&scene);
        } else {
            show_signed_ds(&scene);
        }
        ds_watch_configure(scene.watch, &scene.of, &scene.settings);
        assert_false(scene.out);
        turn(&scene);
        expect_proof_question(&scene, DNS_TYPE_DS, &scene.agents[0]);
        if (judged) {
            let_judge(&scene); /* It comes back, and nobody waits for it any more. */
        }
        assert_int_equal(scene.doubts, 0);
        end(&scene);
    }
}

static void a_demand_does_not_wait(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, DS_WATCH_EXPLICIT);
    scene.keeps = true;
    want(&scene, DS_CHECK_PUBLISHED);
    show_no_ds(&scene);
    show_no_ds(&scene);
    turn(&scene);
    assert_false(scene.out);
    ds_watch_demand(scene.watch);
    turn(&scene);
    assert_true(scene.out);
    show_ds(&scene);
    show_ds(&scene);
    assert_false(ds_watch_is_waiting(scene.watch));
    assert_true(ds_watch_warn_at(scene.watch) == INT64_MAX);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_agents_show_it),
        cmocka_unit_test(one_agent_is_behind),
        cmocka_unit_test(an_unsigned_answer_where_a_key_was_used_counts_nothing),
        cmocka_unit_test(nobody_can_be_asked),
        cmocka_unit_test(the_parents_servers_are_found_and_asked),
        cmocka_unit_test(ipv6_that_comes_and_goes_is_seen_at_the_next_check),
        cmocka_unit_test(a_cache_is_believed_where_it_was_configured_alone),
        cmocka_unit_test(a_lookup_that_fails_is_tried_again),
        cmocka_unit_test(a_new_configuration_takes_the_question_back),
        cmocka_unit_test(a_new_configuration_that_says_the_same_asks_nobody_who_has_answered),
        cmocka_unit_test(an_agent_that_is_bogus_is_told_as_such),
        cmocka_unit_test(what_is_not_signed_counts_nothing_and_is_told_once),
        cmocka_unit_test(the_keys_of_who_has_signed_are_asked_of_the_agent),
        cmocka_unit_test(a_proof_under_way_is_dropped_with_its_configuration),
        cmocka_unit_test(a_demand_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
