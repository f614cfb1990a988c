/*
 * dns/lookup_reply.h - the reply of a resolver to a plain lookup (RFC 1034 3.6.2, 2308)
 *
 * The message was parsed with dns_message_parse() and answers the question that was put; its bytes
 * come from outside. Aliases are followed within the answer section, as the resolver has put them
 * there; a name server's name should have none (RFC 2181 10.3), but some do. Thread: any.
 */
#pragma once

#include "dns/message.h"

enum { LOOKUP_RECORDS_MAX = 64, LOOKUP_ALIASES_MAX = 8 };

enum lookup_reply_kind {
    LOOKUP_FOUND,
    LOOKUP_NODATA,    /* the name has no such records; `soa_owner` is the zone that says so */
    LOOKUP_NXDOMAIN,  /* there is no such name */
    LOOKUP_TRUNCATED, /* ask over TCP */
    LOOKUP_FAILED,    /* another rcode, no answer to this question, more records than fit */
};

struct lookup_reply {
    enum lookup_reply_kind kind;
    bool aliased; /* it is of another name, to which an alias led */
    uint32_t ttl; /* the smallest on the way; of NODATA the SOA record's */
    size_t count;
    struct {
        size_t rdata_offset; /* into the message */
        uint16_t rdata_length;
    } records[LOOKUP_RECORDS_MAX];
    struct dns_name soa_owner; /* lower case */
};

void lookup_reply_read(const struct dns_message *message, struct lookup_reply *out_reply);
