/*
 * Any bytes as the reply of a peer: what is read of it is in it.
 */
#include <stdint.h>

#include "dns/reply.h"
#include "net/peer_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { NOW = 1700000000 };

static void check_as_answer(struct span wire)
{
    static const uint8_t question[] = "\0\0\0\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\1";
    const struct peer_question asked = {.message = {question, sizeof(question) - 1}};
    struct peer_request request;

    ASSERT(peer_request_init(&asked, &request) == SG_OK);
    for (int tcp = 0; tcp < 2; tcp++) {
        /* Under whatever id it has: ours was drawn at random. */
        request.asked.id = wire.length >= 2 ? wire_get_u16(wire.bytes) : 0;
        if (peer_request_check(&request, wire, tcp != 0, NOW) == SG_OK) {
            ASSERT(wire.length >= DNS_HEADER_BYTES && (wire.bytes[2] & 0x80) != 0);
        }
    }
    peer_request_clear(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct span wire = {bytes, length};
    struct dns_message message;
    struct dns_soa soa;
    uint32_t seconds;

    check_as_answer(wire);
    (void)!dns_soa_parse(wire, &soa);
    if (dns_message_parse(wire, &message) != SG_OK) {
        return 0;
    }
    if (dns_reply_soa(&message, &soa) == SG_OK) {
        ASSERT(message.counts[1] > 0);
    }
    if (dns_reply_expire(&message, &seconds) == SG_OK) {
        ASSERT(message.edns.present);
    }
    ASSERT((dns_reply_rcode(&message) & 0xf) == message.rcode);
    return 0;
}
