/* A watch of a DS, and the world that answers what it asks. */
#pragma once

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

static inline void *fake_ask(void *argument, const struct keeper_question *question,
                             keeper_hear *hear, void *hear_argument)
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

static inline void fake_cancel(void *argument, void *asked)
{
    struct scene *scene = argument;
    assert_ptr_equal(asked, scene);
    assert_true(scene->out);
    scene->out = false;
    scene->cancelled++;
}

static inline void found(void *argument, const struct ds_check_fact *facts, size_t count)
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
static inline void stirred(void *argument)
{
    struct scene *scene = argument;
    scene->wake = ds_watch_turn(scene->watch);
}

static inline void submit(void *argument, struct job *job)
{
    struct scene *scene = argument;
    assert_null(scene->job);
    scene->job = job;
}

static inline void doubted(void *argument, const char *text)
{
    struct scene *scene = argument;
    scene->doubts++;
    snprintf(scene->doubt, sizeof(scene->doubt), "%s", text);
}

static inline void begin(struct scene *scene, enum ds_watch_mode mode)
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

static inline void turn(struct scene *scene)
{
    scene->wake = ds_watch_turn(scene->watch);
}

static inline void want(struct scene *scene, enum ds_check_want want)
{
    const struct ds_check_wish wish = {&scene->key, want, scene->now, false, false};
    ds_watch_want(scene->watch, &wish, 1);
    turn(scene);
}

static inline void end(struct scene *scene)
{
    ds_watch_free(scene->watch);
    assert_false(scene->out);
}

/* --- answers -------------------------------------------------------------------------------- */

static inline void hear(struct scene *scene, enum sg_result result, struct span message,
                        bool settled)
{
    const struct keeper_heard heard = {.result = result, .message = message, .settled = settled};
    assert_true(scene->out);
    scene->out = false;
    assert_false(scene->hear(scene->hear_argument, &heard));
}

/* The question turned into an answer with one record of the name asked for. */
static inline void answer(struct scene *scene, uint16_t type, struct span rdata, unsigned section)
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

static inline void show_ds(struct scene *scene)
{
    struct buffer rdata = BUFFER_EMPTY;
    assert_int_equal(signing_key_ds(&scene->key, 2, &rdata), SG_OK);
    answer(scene, DNS_TYPE_DS, buffer_span(&rdata), 1);
    buffer_free(&rdata);
}

static inline void show_no_ds(struct scene *scene)
{
    static const uint8_t rdata[22];
    answer(scene, DNS_TYPE_SOA, (struct span){rdata, sizeof(rdata)}, 2);
}

static inline void expect_question(struct scene *scene, enum keeper_question_kind kind,
                                   uint16_t type, const struct remote *remote)
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

/* What was told of an agent. */
static unsigned reasons;

static inline void count_reason(void *argument, const char *text)
{
    reasons += strstr(text, argument) != NULL;
}
