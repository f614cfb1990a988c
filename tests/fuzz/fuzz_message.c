/*
 * Any bytes as a message: the parser, each record with its rdata, TSIG as server and as client.
 */
#include <stdint.h>

#include "dns/message.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "dns/tsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { NOW = 1700000000 };

static struct tsig_key test_key(void)
{
    struct tsig_key key = {.algorithm = TSIG_HMAC_SHA256, .secret_length = 32};
    ASSERT(dns_name_from_text("key.example.", 12, NULL, &key.name) == SG_OK);
    for (unsigned i = 0; i < 32; i++) {
        key.secret[i] = (uint8_t)(i + 1); /* as in tests/unit/dns/make_tsig_vectors.py */
    }
    return key;
}

static void check_message(const struct dns_message *message)
{
    ASSERT(message->wire.length <= DNS_MESSAGE_BYTES_MAX);
    ASSERT(message->tsig_offset < message->wire.length);
    if (message->has_question) {
        struct span qname = {message->qname.wire, message->qname.length};
        ASSERT(dns_name_wire_check(qname) == message->qname.length);
        ASSERT(dns_name_wire_labels(message->qname.wire) == message->qname.labels);
        ASSERT(message->question_end <= message->wire.length);
    }
}

static void walk_records(const struct dns_message *message)
{
    unsigned records = 0u + message->counts[1] + message->counts[2] + message->counts[3];
    size_t offset = message->section_offsets[0];
    for (unsigned i = 0; i < records; i++) {
        struct dns_record record;
        ASSERT(dns_record_parse(message->wire, offset, &record) == SG_OK);
        struct buffer rdata = BUFFER_EMPTY;
        if (dns_rdata_from_message(message->wire, record.rdata_offset, record.rdata_length,
                                   record.type, &rdata) == SG_OK) {
            buffer_reserve(&rdata, 1);
            ASSERT(dns_rdata_check(record.type, buffer_span(&rdata)) == SG_OK);
            struct buffer text = BUFFER_EMPTY;
            dns_record_to_text(record.owner.wire, record.ttl, record.type, buffer_span(&rdata),
                               &text);
            buffer_free(&text);
        }
        buffer_free(&rdata);
        offset = record.after;
    }
}

static void verify(const struct dns_message *message)
{
    struct tsig_key key = test_key();
    const struct tsig_key *keys[] = {&key};
    struct tsig_exchange exchange;
    uint8_t reply[DNS_HEADER_BYTES + TSIG_RR_BYTES_MAX] = {0};

    enum sg_result result = tsig_verify_request(message, keys, 1, NOW, &exchange);
    ASSERT((exchange.key == NULL && exchange.error == 0) == (tsig_reserve(&exchange) == 0));
    ASSERT(result != SG_OK || exchange.error == 0);
    ASSERT(tsig_sign(&exchange, NOW, reply, DNS_HEADER_BYTES, sizeof(reply)) ==
           DNS_HEADER_BYTES + tsig_reserve(&exchange));
    tsig_exchange_clear(&exchange);

    uint8_t request[DNS_HEADER_BYTES + TSIG_RR_BYTES_MAX] = {0x12, 0x34};
    ASSERT(tsig_sign_request(&key, NOW, request, DNS_HEADER_BYTES, sizeof(request), &exchange) > 0);
    result = tsig_verify_response(&exchange, message, NOW);
    ASSERT(result != SG_OK); /* Nobody but us knows the MAC of that request. */
    tsig_exchange_clear(&exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct dns_message message;
    enum sg_result result = dns_message_parse((struct span){bytes, length}, &message);
    if (result == SG_NO_SPACE) {
        return 0;
    }
    check_message(&message);
    if (result == SG_OK) {
        walk_records(&message);
        verify(&message);
    }
    for (size_t offset = 0; offset < length && offset < 64; offset++) {
        struct dns_record record;
        if (dns_record_parse(message.wire, offset, &record) == SG_OK) {
            ASSERT(record.after <= length && record.after > offset);
        }
    }
    return 0;
}
