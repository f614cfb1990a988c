/*
 * zone/update_work.h - an update while it is worked on (private to zone/)
 */
#pragma once

#include "base/log.h"
#include "zone/owner.h"
#include "zone/patch.h"
#include "zone/update.h"

/* One RR of the prerequisites or the updates. */
struct update_record {
    struct dns_name owner; /* lower case, in the zone */
    uint16_t type;
    uint16_t rrclass;
    uint16_t records_max; /* what the policy allows, 0: no limit */
    uint32_t ttl;
    size_t packed; /* where its length and rdata lie in `bytes` of the list */
};

struct update_list {
    struct update_record *records;
    uint32_t count;
    struct buffer bytes; /* grows while records are read, never after */
};

struct update_work {
    const struct dns_message *message;
    const struct zone_update_options *options;
    const struct dns_name *apex;
    uint16_t rrclass;
    const struct zone_version *base;  /* what clients see; NULL: nothing yet */
    const struct zone_version *draft; /* as it was before this update */
    struct patch *patch;
    struct update_list list; /* of the section that is worked on */
    struct zone_update_outcome outcome;
};

/* Each step returns true if all is well so far, else the outcome tells why not. */
bool update_check_prerequisites(struct update_work *work); /* RFC 2136 3.2 */
bool update_prescan(struct update_work *work);             /* 3.3, 3.4.1: reads `list` */
bool update_change(struct update_work *work);              /* 3.4.2: `list` into `patch` */
bool update_check_result(struct update_work *work);        /* what RFC 2136 leaves to us */

/* Set the outcome; always false. */
bool update_refuse(struct update_work *work, uint16_t rcode, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same about an owner and a type: "www.example/A: ". */
bool update_refuse_record(struct update_work *work, uint16_t rcode,
                          const struct update_record *record, const char *text);
void update_note(const struct update_work *work, int severity, const struct update_record *record,
                 const char *text);

/* Begin with the records of a section, of which the message has `count`. */
void update_list_start(struct update_list *list, unsigned count);
void update_list_clear(struct update_list *list);
/* The next record of the list: owner, type, class, TTL. */
struct update_record *update_read_record(struct update_work *work, const struct dns_record *record);
/* NOTZONE. */
bool update_is_in_zone(struct update_work *work, const struct update_record *record);
/* The rdata of the last record. FORMERR. */
bool update_read_rdata(struct update_work *work, const struct dns_record *record);
static inline const uint8_t *update_packed(const struct update_work *work,
                                           const struct update_record *record)
{
    return work->list.bytes.bytes + record->packed;
}
static inline struct span update_rdata(const struct update_work *work,
                                       const struct update_record *record)
{
    const uint8_t *packed = update_packed(work, record);
    return (struct span){packed + 2, wire_get_u16(packed)};
}

static inline bool update_at_apex(const struct update_work *work,
                                  const struct update_record *record)
{
    return record->owner.length == work->apex->length;
}
/* The name as this update has made it so far. */
struct patch_name *update_name(struct update_work *work, const struct update_record *record);

/*
 * What we publish at the apex and the client cannot take away: what is generated there and was not
 * in the source, whence the DNSKEYs of other signers come. Not the SOA nor the chain.
 */
bool update_ours(const struct update_work *work, uint16_t type, struct dns_rrset *out_generated);
/* Was it in the source when the apex RRset was made? Then it is somebody else's. */
bool update_is_imported(const struct update_work *work, uint16_t type, struct span rdata);
bool update_is_ours(const struct update_work *work, const struct update_record *record);
/* RRs of a type that a client can see, this update's changes included. */
uint32_t update_count(struct update_work *work, const struct update_record *record);
/* RDATA of the SOA that clients see; `work->base` or the draft has one. */
struct span update_seen_soa(struct update_work *work);
static inline bool update_is_key_type(uint16_t type)
{
    return type == DNS_TYPE_DNSKEY || type == DNS_TYPE_CDS || type == DNS_TYPE_CDNSKEY;
}
