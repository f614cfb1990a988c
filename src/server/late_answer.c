#include "server/late_answer.h"

#include "base/mem.h"

enum { OPT_BYTES = 11, RESPONSE_FLAGS = 0x7900 /* opcode and RD of the request */ };

struct late_answer {
    struct net_later *later;
    uint16_t id, flags;
    struct buffer question; /* as it came, from behind the header */
    bool edns, dnssec_ok;
    uint16_t payload;
    bool is_signed;
    struct tsig_key key; /* a copy: a reload may take the configuration's */
    struct tsig_exchange tsig;
};

struct late_answer *late_answer_new(const struct request *request)
{
    const struct dns_message *message = request->message;
    struct net_later *later = net_later_begin(request->net);
    if (later == NULL) {
        return NULL;
    }
    struct late_answer *answer = mem_alloc_zero(1, sizeof(*answer));
    answer->later = later;
    answer->id = message->id;
    answer->flags = message->flags;
    answer->question = BUFFER_EMPTY;
    buffer_append(&answer->question, message->wire.bytes + DNS_HEADER_BYTES,
                  message->question_end - (size_t)DNS_HEADER_BYTES);
    answer->edns = message->edns.present;
    answer->dnssec_ok = message->edns.dnssec_ok;
    answer->payload = request->front->conf->options.edns_payload;
    if (request->tsig != NULL) {
        answer->is_signed = true;
        answer->tsig = *request->tsig;
        if (request->key != NULL) {
            answer->key = *request->key;
            answer->tsig.key = &answer->key;
        }
    }
    return answer;
}

static void answer_free(struct late_answer *answer)
{
    buffer_free(&answer->question);
    if (answer->is_signed) {
        tsig_exchange_clear(&answer->tsig);
    }
    mem_wipe_free(answer, sizeof(*answer));
}

static void send_response(struct late_answer *answer, uint8_t *bytes, size_t length,
                          size_t bytes_max, sg_time now)
{
    if (answer->is_signed) {
        length = tsig_sign(&answer->tsig, now, bytes, length, bytes_max);
    }
    net_later_send(answer->later, (struct span){bytes, length});
    answer_free(answer);
}

void late_answer_give(struct late_answer *answer, uint16_t rcode, sg_time now)
{
    uint8_t bytes[DNS_HEADER_BYTES + DNS_NAME_BYTES_MAX + 4 + OPT_BYTES + TSIG_RR_BYTES_MAX];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    writer_u16(&writer, answer->id);
    writer_u16(&writer, (uint16_t)(DNS_FLAG_QR | (answer->flags & RESPONSE_FLAGS) | (rcode & 0xf)));
    writer_u16(&writer, 1);
    writer_u16(&writer, 0);
    writer_u16(&writer, 0);
    writer_u16(&writer, answer->edns ? 1 : 0);
    writer_bytes(&writer, answer->question.bytes, answer->question.length);
    if (answer->edns) {
        writer_u8(&writer, 0);
        writer_u16(&writer, DNS_TYPE_OPT);
        writer_u16(&writer, answer->payload);
        writer_u8(&writer, (uint8_t)(rcode >> 4)); /* RFC 6891 6.1.3 */
        writer_u8(&writer, 0);
        writer_u16(&writer, answer->dnssec_ok ? 0x8000 : 0);
        writer_u16(&writer, 0);
    }
    ASSERT(!writer.failed);
    send_response(answer, bytes, writer_length(&writer), sizeof(bytes), now);
}

void late_answer_pass(struct late_answer *answer, struct span response)
{
    if (response.length < DNS_HEADER_BYTES || response.length > DNS_MESSAGE_BYTES_MAX) {
        late_answer_give(answer, DNS_RCODE_SERVFAIL, time_now());
        return;
    }
    uint8_t *bytes = mem_copy(response.bytes, response.length);
    wire_put_u16(bytes, answer->id);
    net_later_send(answer->later, (struct span){bytes, response.length});
    mem_free(bytes);
    answer_free(answer);
}

void late_answer_drop(struct late_answer *answer)
{
    net_later_send(answer->later, (struct span){NULL, 0});
    answer_free(answer);
}
