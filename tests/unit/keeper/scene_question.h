/* What the keeper has asked of the fake network, and the messages that it is answered with. */
#pragma once

#include "dns/message.h"
#include "dns/rrtype.h"
#include "keeper/asking.h"
#include "support/table.h"

struct scene_question {
    bool out;
    enum keeper_question_kind kind;
    keeper_hear *hear;
    void *argument;
    struct remote remote;
    struct buffer message;
};

static inline void scene_cancel(void *argument, void *asked)
{
    struct scene_question *question = asked;
    (void)argument;
    assert_true(question->out);
    question->out = false;
}

static inline void scene_hear(struct scene_question *question, enum sg_result result,
                              struct span message)
{
    const struct keeper_heard heard = {.result = result, .message = message, .settled = true};
    question->out = false;
    assert_false(question->hear(question->argument, &heard));
}

/* The question's header and question section, as a response with `answers` records. */
static inline void scene_reply(const struct scene_question *question, uint16_t answers,
                               struct buffer *out_message)
{
    struct dns_message message;
    assert_int_equal(dns_message_parse(buffer_span(&question->message), &message), SG_OK);
    buffer_append_u16(out_message, message.id);
    buffer_append_u16(out_message, (uint16_t)(DNS_FLAG_QR | DNS_FLAG_AA | (message.opcode << 11)));
    buffer_append_u16(out_message, 1);
    buffer_append_u16(out_message, answers);
    buffer_append_u16(out_message, 0);
    buffer_append_u16(out_message, 0);
    buffer_append(out_message, question->message.bytes + DNS_HEADER_BYTES,
                  message.question_end - (size_t)DNS_HEADER_BYTES);
}

/* A record at the apex (a pointer to the question's name). */
static inline void scene_append_record(struct buffer *message, uint16_t type, struct span rdata)
{
    buffer_append_u16(message, 0xc00c);
    buffer_append_u16(message, type);
    buffer_append_u16(message, 1);
    buffer_append_u32(message, 60);
    buffer_append_u16(message, (uint16_t)rdata.length);
    buffer_append(message, rdata.bytes, rdata.length);
}

enum { SCENE_REFRESH = 3600, SCENE_RETRY = 600, SCENE_EXPIRE = 86400 };

static inline void scene_append_soa(struct buffer *message, uint32_t serial)
{
    struct buffer rdata = BUFFER_EMPTY;
    buffer_append_u16(&rdata, 0); /* two root names */
    buffer_append_u32(&rdata, serial);
    buffer_append_u32(&rdata, SCENE_REFRESH);
    buffer_append_u32(&rdata, SCENE_RETRY);
    buffer_append_u32(&rdata, SCENE_EXPIRE);
    buffer_append_u32(&rdata, 60);
    scene_append_record(message, DNS_TYPE_SOA, buffer_span(&rdata));
    buffer_free(&rdata);
}
