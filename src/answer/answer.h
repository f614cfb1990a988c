/*
 * answer/answer.h - a question and a zone's current version in, a response out; pure, the hot path
 *
 * First collect which RRsets go in which section (answer_build), then encode them
 * (answer_render). Collected RRsets are borrowed from the versions; nothing is allocated,
 * nothing blocks. Sources: RFC 1034 4.3.2, 2308, 4035 3.1, 4592, 5155 7.2, 6604, 6672, 6840, 8482.
 */
#pragma once

#include "dns/message.h"
#include "dns/tsig.h"
#include "zone/table.h"

enum {
    ANSWER_CHAIN_MAX = 16,   /* CNAMEs and DNAMEs followed */
    ANSWER_RRSETS_MAX = 128, /* in all sections; additional records beyond it are left out */
};

enum answer_section {
    ANSWER_SECTION_ANSWER,
    ANSWER_SECTION_AUTHORITY,
    ANSWER_SECTION_ADDITIONAL,
    ANSWER_SECTIONS
};

/* What the answer turned out to be; for rate limiting, statistics and tests. */
enum answer_kind {
    ANSWER_POSITIVE,
    ANSWER_NODATA,
    ANSWER_NXDOMAIN,
    ANSWER_REFERRAL,
    ANSWER_REFUSED,
    ANSWER_SERVFAIL,
    ANSWER_ERROR
};

/* How minimal-responses was set (BIND's values). */
enum answer_minimal {
    ANSWER_MINIMAL_NO,
    ANSWER_MINIMAL_YES,
    ANSWER_MINIMAL_NO_AUTH,
    ANSWER_MINIMAL_NO_AUTH_RECURSIVE
};

/* How an owner name is known, hence how it is written. Private to answer/. */
enum answer_owner_kind {
    ANSWER_OWNER_QUESTION, /* the question's name: a pointer to offset 12 */
    ANSWER_OWNER_RELATIVE, /* labels relative to the apex of the item's version */
    ANSWER_OWNER_ABSOLUTE, /* labels of a whole name, its root label left out */
};

struct answer_owner {
    const uint8_t *labels; /* borrowed from the version, or from `names`; not with QUESTION */
    uint8_t length;
    uint8_t kind;
};

struct answer_item {
    struct dns_rrset rrset;
    struct dns_rrset signatures; /* .packed NULL: none, or not asked for */
    struct answer_owner owner;
    uint8_t section;
    bool required; /* glue without which TC must be set */
    const struct zone_version *version;
};

struct answer {
    enum answer_kind kind;
    uint16_t rcode; /* extended, up to 12 bits */
    bool authoritative;
    uint16_t count;
    struct answer_item items[ANSWER_RRSETS_MAX];
    /* Where the CNAMEs and DNAMEs of the chain led, lower case. Never cleared as a whole: large. */
    uint16_t names_used;
    struct dns_name names[ANSWER_CHAIN_MAX];
    /* Packed rdata of the CNAMEs that DNAMEs made. */
    uint16_t synthesized_used;
    uint8_t synthesized[ANSWER_CHAIN_MAX][2 + DNS_NAME_BYTES_MAX];
};

struct answer_context {
    const struct zone_table *table; /* of the client's view: for chains that leave the zone */
    const struct zone_slot *slot;   /* the zone found for the question; not NULL */
    enum answer_minimal minimal;
    bool minimal_any;            /* ANY gets one RRset (RFC 8482 4.1) instead of all */
    struct nsec3_hasher *hasher; /* the thread's own */
    /* May a CNAME chain go on into that zone? (its allow-query). NULL: yes. */
    bool (*may_enter)(void *argument, const struct zone_slot *slot);
    void *argument;
};

/* Collect the answer to `question` (opcode QUERY, one question, IN or the zone's class). */
void answer_build(const struct answer_context *context, const struct dns_message *question,
                  struct answer *out_answer);

/* What goes into the response besides its sections. */
struct answer_envelope {
    size_t bytes_max;           /* datagram limit, or 65535 over TCP */
    uint16_t edns_payload;      /* what our OPT says, e.g. 1232 */
    struct span nsid;           /* sent where the client asked; empty: none */
    bool recursion_available;   /* always false today */
    struct span extra_options;  /* further EDNS options, already encoded (EDE, keepalive, cookie) */
    struct tsig_exchange *tsig; /* NULL: unsigned */
    sg_time now;                /* for TSIG */
};

/*
 * Encode into `out_bytes` (at least bytes_max). The question is echoed byte for byte. Sets TC
 * where answer, authority or required glue do not fit, dropping whole RRsets from the end;
 * additional data is dropped silently. `answer` NULL: header, question and OPT with `rcode` only.
 * Returns the length.
 */
size_t answer_render(const struct dns_message *question, const struct answer *answer,
                     uint16_t rcode, const struct answer_envelope *envelope, uint8_t *out_bytes);
