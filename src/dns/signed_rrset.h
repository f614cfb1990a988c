/*
 * dns/signed_rrset.h - an RRset of a message with its signatures, and is one of them good?
 *
 * For answers of others that are to be proven (trust_chain.h). What signed_rrset_read() takes is
 * well formed; whether a signature is good, ldns says (RFC 4035 5.3). An RRset may come with many
 * signatures and keys of the same tag, so as to keep us busy: the number of those that are tried is
 * bounded (SIGNED_RRSET_TRIES_MAX for an RRset). Signatures of wildcards are none: no DNSKEY, DS,
 * NSEC or NSEC3 that is asked for comes from one. Thread: any; a good signature costs 0.1 ms.
 */
#pragma once

#include "base/time.h"
#include "dns/message.h"

enum {
    SIGNED_RRSET_RECORDS_MAX = 64,
    SIGNED_RRSET_SIGNATURES_MAX = 8, /* others are not looked at */
    SIGNED_RRSET_TRIES_MAX = 8,
};

/* A record, as it stands in the message. */
struct signed_record {
    size_t offset;     /* of its owner */
    struct span rdata; /* well formed, names in it are not compressed */
};

struct signed_rrset {
    struct span wire; /* the message; borrowed */
    struct dns_name owner;
    uint16_t type;
    size_t count; /* 0: there is none */
    struct signed_record records[SIGNED_RRSET_RECORDS_MAX];
    size_t signatures_count;
    struct signed_record signatures[SIGNED_RRSET_SIGNATURES_MAX];
};

enum signed_section { SIGNED_ANSWER = 0, SIGNED_AUTHORITY = 1 };

/* What `owner` has of `type` there. SG_MALFORMED; SG_LIMIT: more records than fit. */
MUST_USE enum sg_result signed_rrset_read(const struct dns_message *message,
                                          enum signed_section section, const struct dns_name *owner,
                                          uint16_t type, struct signed_rrset *out_rrset);
/* Who has made this RRSIG, if it is one of either type. False: it is of others, or malformed. */
bool signature_signer(struct span rdata, uint16_t type, uint16_t other_type,
                      struct dns_name *out_signer);
/* Who says to have signed it: the signer of its first signature. False: it is not signed. */
bool signed_rrset_signer(const struct signed_rrset *rrset, struct dns_name *out_signer);

/* Bit n: the n-th record of a DNSKEY RRset. */
typedef uint64_t dnskey_choice;
/* Those that may sign zone data (RFC 4034 2.1.1, RFC 5011 2.1), in an algorithm that we trust. */
dnskey_choice signed_rrset_zone_keys(const struct signed_rrset *keys);

/*
 * Has one of the chosen keys signed it, and is that valid at `now`? NULL: yes, and `out_ttl` is the
 * TTL that was signed. Else why not, in operators' words. `keys` may be `rrset` itself.
 */
const char *signed_rrset_verify(const struct signed_rrset *rrset, const struct signed_rrset *keys,
                                dnskey_choice choice, sg_time now, uint32_t *out_ttl);
