/*
 * zone/update.h - one dynamic update upon a draft (RFC 2136 3, RFC 3007)
 *
 * Prerequisites are looked up and changes made in the draft, one update after the other, so that
 * all updates that wait share one version; an update that is refused leaves the draft as it was
 * before it. Whoever calls has checked TSIG and allow-update; the update-policy comes in as a
 * function, asked record by record.
 *
 * What the signer makes is not the client's (reference: bind-kasp 9.5): RRSIG and NSEC, NSEC3
 * REFUSED; the private type ignored; deletions of our DNSKEY, CDS, CDNSKEY ignored with a word.
 */
#pragma once

#include "dns/message.h"
#include "zone/edit.h"

/* One RR-level question to the update-policy: `type` ANY: all types at the name are deleted. */
struct zone_update_wish {
    const struct dns_name *owner; /* lower case */
    uint16_t type;
    const struct dns_rrset *rrset; /* what stands there at present; count 0: nothing */
    struct span rdata;             /* of an RR that is added or deleted; else NULL */
    bool adds;
};

struct zone_update_options {
    bool is_signed;              /* signed here: the rows of bind-kasp 9.5 hold */
    uint32_t max_zone_ttl;       /* larger TTLs are lowered, with a word; 0: no limit */
    uint16_t private_type;       /* sig-signing-type; 0: none */
    uint32_t records_per_type_max, types_per_name_max; /* 0: unlimited */
    bool (*may)(void *argument, const struct zone_update_wish *wish); /* NULL: everything */
    /* What is done otherwise than asked, e.g. "attempt to delete in use DNSKEY ignored". */
    void (*note)(void *argument, int severity, const char *text); /* may be NULL */
    void *argument;
};

struct zone_update_outcome {
    uint16_t rcode;     /* NOERROR, FORMERR, NOTZONE, NXRRSET, YXDOMAIN, REFUSED ... */
    uint64_t changes;   /* RRsets that are not as they were; 0: nothing to do */
    bool soa_set;       /* the client set a greater SOA serial: no bump of ours is needed */
    char reason[200];   /* for the log: which prerequisite, which record */
};

/*
 * `message` was parsed with dns_message_parse() and its zone section names the edit's zone. The
 * prescan (RFC 2136 3.4.1) comes before any change. SG_LIMIT: the draft has no room and is to be
 * abandoned. Everything else is an outcome.
 */
MUST_USE enum sg_result zone_update_apply(struct zone_edit *edit, const struct dns_message *message,
                                          const struct zone_update_options *options,
                                          struct zone_update_outcome *out_outcome);
