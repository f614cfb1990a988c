/* An agent that is asked for proofs, by a watch; what its answers prove: dns/test_trust_chain.c. */
#include "keeper/ds_watch_scene.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_signed_counts_nothing_and_is_told_once),
        cmocka_unit_test(the_keys_of_who_has_signed_are_asked_of_the_agent),
        cmocka_unit_test(a_proof_under_way_is_dropped_with_its_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
