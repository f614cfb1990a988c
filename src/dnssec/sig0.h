/*
 * dnssec/sig0.h - requests that are signed with a public key (SIG(0), RFC 2931)
 *
 * A SIG RR that covers no type ends the message; what it signs is its own rdata and the message
 * before it was added. Its signer's KEY records are the caller's to find, in a zone of its own.
 * Only requests: responses are not signed. Algorithms 8, 10, 13, 14, 15 and 16.
 *
 * Verifying costs up to half a millisecond and anybody may ask for it: whoever calls bounds how
 * often. Thread: any (no state).
 */
#pragma once

#include "base/time.h"
#include "dns/message.h"
#include "dns/rrset.h"

enum {
    SIG0_KEYS_MAX = 16,         /* KEY records looked at */
    SIG0_VERIFICATIONS_MAX = 2, /* of those that have the tag and the algorithm */
};

struct sig0 {
    struct dns_name signer; /* lower case */
    uint8_t algorithm;
    uint16_t key_tag;
    uint32_t expiration, inception; /* seconds modulo 2^32 */
    struct span rdata;              /* without the signature; borrowed from the message */
    struct span signature;
};

/* The SIG(0) of a parsed message that has one (`sig0_offset`). SG_NOT_FOUND: it has none;
 * SG_MALFORMED. */
MUST_USE enum sg_result sig0_parse(const struct dns_message *message, struct sig0 *out_sig0);
/* Might sig0_verify() say SG_OK? What it finds without looking at the signature: the same results,
 * and SG_OK where that is to be looked at. Cheap. */
MUST_USE enum sg_result sig0_check(const struct sig0 *sig0, const struct dns_rrset *keys,
                                   sg_time now);
/*
 * Is it by one of these KEYs, and is its time now? SG_BAD_KEY: no KEY has its tag and algorithm
 * and may authenticate; SG_UNSUPPORTED: the algorithm; SG_BAD_TIME; SG_BAD_SIG.
 */
MUST_USE enum sg_result sig0_verify(const struct dns_message *message, const struct sig0 *sig0,
                                    const struct dns_rrset *keys, sg_time now);
