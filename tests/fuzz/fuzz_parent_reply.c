/*
 * Any bytes as the answer of a parental agent or of a resolver: what is read of it is in it, and
 * "present" and "absent" come only with what they need.
 */
#include <stdint.h>

#include "base/assert.h"
#include "dns/ds_reply.h"
#include "dns/lookup_reply.h"
#include "dns/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_ds(const struct dns_message *message)
{
    struct ds_reply reply;
    ds_reply_read(message, &reply);
    ASSERT((reply.count > 0) == (reply.kind == DS_REPLY_PRESENT));
    ASSERT(reply.count <= DS_REPLY_RECORDS_MAX && reply.count <= message->counts[1]);
    if (reply.kind == DS_REPLY_PRESENT || reply.kind == DS_REPLY_ABSENT) {
        ASSERT(dns_reply_rcode(message) == 0 && message->counts[1] + message->counts[2] > 0);
        ASSERT((message->flags & (DNS_FLAG_AA | DNS_FLAG_RA)) != 0);
    }
    for (size_t i = 0; i < reply.count; i++) {
        struct span digest = reply.records[i].digest;
        ASSERT(digest.length > 0 &&
               digest.bytes + digest.length <= message->wire.bytes + message->wire.length);
    }
}

static void check_lookup(const struct dns_message *message)
{
    struct lookup_reply reply;
    lookup_reply_read(message, &reply);
    ASSERT((reply.count > 0) == (reply.kind == LOOKUP_FOUND));
    ASSERT(reply.count <= LOOKUP_RECORDS_MAX && reply.count <= message->counts[1]);
    for (size_t i = 0; i < reply.count; i++) {
        ASSERT(reply.records[i].rdata_offset + reply.records[i].rdata_length <=
               message->wire.length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct dns_message message;
    if (dns_message_parse((struct span){bytes, length}, &message) == SG_OK) {
        check_ds(&message);
        check_lookup(&message);
    }
    return 0;
}
