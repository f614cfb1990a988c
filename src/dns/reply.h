/*
 * dns/reply.h - what we want to know of the replies to our requests
 *
 * The message was parsed with dns_message_parse(); its bytes come from outside. Thread: any.
 */
#pragma once

#include "dns/message.h"
#include "dns/rrtype.h"

/* The numbers of an SOA (RFC 1035 3.3.13). */
struct dns_soa {
    uint32_t serial, refresh, retry, expire, minimum;
};

/* Of an SOA's rdata, uncompressed. SG_MALFORMED. */
MUST_USE enum sg_result dns_soa_parse(struct span rdata, struct dns_soa *out_soa);

/*
 * The SOA of the question's name in the answer section, or with a NOTIFY its hint. SG_NOT_FOUND:
 * none, or more than one; SG_MALFORMED.
 */
MUST_USE enum sg_result dns_reply_soa(const struct dns_message *message, struct dns_soa *out_soa);
/* The EXPIRE option's seconds (RFC 7314 3.2). SG_NOT_FOUND. */
MUST_USE enum sg_result dns_reply_expire(const struct dns_message *message, uint32_t *out_seconds);
/* The rcode with the upper bits that are in the OPT (RFC 6891 6.1.3). */
uint16_t dns_reply_rcode(const struct dns_message *message);
