/*
 * zone/update.h - one dynamic update upon a draft (RFC 2136 3, RFC 3007)
 *
 * Prerequisites are looked up and changes made in the draft, one update after the other, so that
 * all updates that wait share one version; an update that is refused leaves the draft as it was
 * before it. Whoever calls has checked TSIG and allow-update; the update-policy comes in as a
 * function, asked record by record.
 *
 * What the signer makes is not the client's: RRSIG, NSEC, NSEC3, SIG, NXT are REFUSED; NSEC3PARAM
 * and the private type ignored, for the policy decides on them; DNSKEY, CDS, CDNSKEY of others may
 * come and go beside ours (RFC 8901). Ours stay, and to add one is REFUSED: when it is published,
 * and for how long, is the policy's to say. What no zone may hold, or what would keep the zone's
 * file from being loaded, does not get in: CNAME and other data, a DS without NS, a last NS that
 * goes, a name server without address.
 *
 * A prerequisite sees what the client can see: the source layer, at the apex what we publish there,
 * and RRSIG, NSEC and NSEC3 as they are served, before the updates of this version. After other
 * changes of the same version, whose serial nobody has seen yet, a SOA prerequisite that names a
 * serial does not hold.
 */
#pragma once

#include "dns/message.h"
#include "zone/check.h"
#include "zone/edit.h"

/* One RR-level question to the update-policy. A deletion of all types asks for each that is there.
 */
struct zone_update_wish {
    const struct dns_name *owner; /* lower case */
    uint16_t type;
    bool adds;
    struct span rdata; /* of an RR that is added or deleted; else NULL */
};

struct zone_update_options {
    bool is_signed;              /* signed here: the rows of bind-kasp 9.5 hold */
    bool serial_pending;         /* the draft has changes already, from before this update */
    enum check_mode check_names; /* of the owners of addresses and MX */
    uint32_t max_zone_ttl;       /* larger TTLs are lowered, with a word; 0: no limit */
    uint16_t private_type;       /* sig-signing-type; 0: none */
    uint32_t records_per_type_max, types_per_name_max; /* 0: unlimited */
    /* NULL: everything. `out_records_max`: of that type at that name, 0: no limit; more are
     * ignored. */
    bool (*may)(void *argument, const struct zone_update_wish *wish, uint16_t *out_records_max);
    /* Is a DNSKEY, CDS or CDNSKEY of the apex one of a key of ours, published or not? Or does it
     * ask for no DS? NULL: there are no such. */
    bool (*is_own)(void *argument, uint16_t type, struct span rdata);
    /* What is done otherwise than asked, e.g. "attempt to delete in use DNSKEY ignored". */
    void (*note)(void *argument, int severity, const char *text); /* may be NULL */
    void *argument;
};

enum { ZONE_UPDATE_REASON_BYTES = 1400 };

struct zone_update_outcome {
    uint16_t rcode;   /* NOERROR, FORMERR, NOTZONE, NXRRSET, YXDOMAIN, REFUSED ... */
    uint64_t changes; /* RRsets that are not as they were; 0: nothing to do */
    bool soa_set;     /* the client set a greater SOA serial: no bump of ours is needed */
    char reason[ZONE_UPDATE_REASON_BYTES]; /* for the log: which prerequisite, which record */
};

/*
 * `message` was parsed with dns_message_parse() and its zone section names the edit's zone. The
 * prescan (RFC 2136 3.4.1) comes before any change. SG_LIMIT: the draft has no room and is to be
 * abandoned. Everything else is an outcome. Cost: O(message, and the RRsets it touches).
 */
MUST_USE enum sg_result zone_update_apply(struct zone_edit *edit, const struct dns_message *message,
                                          const struct zone_update_options *options,
                                          struct zone_update_outcome *out_outcome);
