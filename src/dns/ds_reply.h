/*
 * dns/ds_reply.h - what a server says of a zone's DS RRset (RFC 4034 5, 4035 3.1.4.1)
 *
 * The message was parsed with dns_message_parse() and is the reply to a DS question; its bytes come
 * from outside. Whoever asks means to act on the answer for good (a key is retired when its DS has
 * gone), so "there is none" is believed only if the parent's side says so: RFC 4035 3.1.4.1 lets a
 * server of the child alone answer a DS question with NODATA and the child's own SOA. Thread: any.
 */
#pragma once

#include "dns/message.h"

enum { DS_REPLY_RECORDS_MAX = 64 };

enum ds_reply_kind {
    DS_REPLY_PRESENT,  /* there are DS records */
    DS_REPLY_ABSENT,   /* the parent has none */
    DS_REPLY_REFUSED,  /* any rcode but NOERROR, NXDOMAIN too */
    DS_REPLY_LAME,     /* neither AA nor RA: it does not know the zone, and cannot find out */
    DS_REPLY_CACHED,   /* a resolver's word, where the parent's own was asked for: set by the caller
                        */
    DS_REPLY_CHILD,    /* from the zone itself, which knows nothing of its DS */
    DS_REPLY_UNPROVEN, /* no DS, and no SOA of the parent that would say whose word it is */
    DS_REPLY_BOGUS,    /* its signatures do not prove it; set by the caller, with `problem` */
    DS_REPLY_MALFORMED, /* truncated, another question, a broken record, more than 64 */
};

struct ds_record {
    uint16_t tag;
    uint8_t algorithm;
    uint8_t digest_type;
    struct span digest; /* borrowed from the message */
};

struct ds_reply {
    enum ds_reply_kind kind;
    uint16_t rcode;
    bool authoritative;  /* AA; else it is from a resolver's cache */
    uint32_t ttl;        /* the largest of the DS records; 0 without any */
    const char *problem; /* of DS_REPLY_BOGUS: why; borrowed from whoever has set it */
    size_t count;
    struct ds_record records[DS_REPLY_RECORDS_MAX];
};

void ds_reply_read(const struct dns_message *message, struct ds_reply *out_reply);
/* A few words for log and status, such as "has no DS". Never NULL. */
const char *ds_reply_kind_text(enum ds_reply_kind kind);
