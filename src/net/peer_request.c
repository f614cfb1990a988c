#include "net/peer_request.h"

#include "base/mem.h"
#include "base/random.h"
#include "dns/rrtype.h"

enum { FRAME_HEADER_BYTES = 2 };

enum sg_result peer_request_init(const struct peer_question *question,
                                 struct peer_request *out_request)
{
    struct dns_message asked;

    if (question->message.length > DNS_MESSAGE_BYTES_MAX - TSIG_RR_BYTES_MAX) {
        return SG_LIMIT;
    }
    if (dns_message_parse(question->message, &asked) != SG_OK ||
        (asked.tsig_offset != 0 && !question->as_it_is) || (asked.flags & DNS_FLAG_QR) != 0 ||
        !asked.has_question) {
        return SG_MALFORMED;
    }
    struct buffer plain = BUFFER_EMPTY;
    buffer_append(&plain, question->message.bytes, question->message.length);
    if (!question->as_it_is) {
        random_bytes(plain.bytes, sizeof(uint16_t));
    }
    asked.wire = buffer_span(&plain);
    asked.id = wire_get_u16(plain.bytes);
    *out_request = (struct peer_request){.asked = asked, .plain = plain};
    if (question->key != NULL) {
        out_request->key = mem_copy(question->key, sizeof(*question->key));
    }
    return SG_OK;
}

void peer_request_clear(struct peer_request *request)
{
    buffer_free(&request->plain);
    buffer_free(&request->frame);
    tsig_exchange_clear(&request->tsig);
    if (request->key != NULL) {
        mem_wipe_free(request->key, sizeof(*request->key));
        request->key = NULL;
    }
}

enum sg_result peer_request_frame(struct peer_request *request, sg_time now, struct span *out_frame)
{
    struct buffer *frame = &request->frame;
    size_t length = request->plain.length;
    size_t bytes_max = length + (request->key != NULL ? TSIG_RR_BYTES_MAX : 0);

    buffer_clear(frame);
    buffer_reserve(frame, FRAME_HEADER_BYTES + bytes_max);
    memcpy(frame->bytes + FRAME_HEADER_BYTES, request->plain.bytes, length);
    if (request->key != NULL) {
        tsig_exchange_clear(&request->tsig);
        length = tsig_sign_request(request->key, now, frame->bytes + FRAME_HEADER_BYTES, length,
                                   bytes_max, &request->tsig);
        if (length == 0) {
            return SG_CRYPTO;
        }
    }
    wire_put_u16(frame->bytes, (uint16_t)length);
    frame->length = FRAME_HEADER_BYTES + length;
    *out_frame = buffer_span(frame);
    return SG_OK;
}

/*
 * A response without a question is one only where that is usual: later messages of a transfer
 * (RFC 5936 2.2), an UPDATE's (RFC 2136 3.8), and errors of servers that could not read it.
 */
static bool fits_question(const struct dns_message *asked, const struct dns_message *message,
                          bool tcp)
{
    if (!message->has_question) {
        return tcp || message->opcode == DNS_OPCODE_UPDATE || message->rcode != DNS_RCODE_NOERROR;
    }
    return message->qtype == asked->qtype && message->qclass == asked->qclass &&
           dns_name_equal(&message->qname, &asked->qname);
}

enum sg_result peer_request_check(struct peer_request *request, struct span wire, bool tcp,
                                  sg_time now)
{
    const struct dns_message *asked = &request->asked;
    struct dns_message message;

    enum sg_result result = dns_message_parse(wire, &message);
    if (result == SG_NO_SPACE) {
        return SG_MALFORMED;
    }
    if (message.id != asked->id || (message.flags & DNS_FLAG_QR) == 0 ||
        message.opcode != asked->opcode) {
        return SG_NOT_FOUND;
    }
    if (result != SG_OK) {
        return result;
    }
    if (!fits_question(asked, &message, tcp)) {
        return SG_NOT_FOUND;
    }
    if (request->key == NULL) {
        return SG_OK;
    }
    return tsig_verify_response(&request->tsig, &message, now);
}

bool peer_request_is_settled(const struct peer_request *request)
{
    return request->key == NULL || tsig_is_settled(&request->tsig);
}
