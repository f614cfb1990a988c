/*
 * dns/rrset.h - a borrowed RRset, as zone data holds it
 *
 * `packed` is `count` times { rdlength, 2 bytes big-endian; rdata }, in canonical order (RFC 4034
 * 6.3), without duplicates. That is the tail of each RR on the wire, so rendering copies it.
 * The RRSIGs that cover a type are an rrset of type RRSIG whose `covered` is that type.
 */
#pragma once

#include "base/buffer.h"

struct dns_rrset {
    const uint8_t *packed; /* NULL: no such RRset */
    uint32_t bytes;        /* of `packed` */
    uint32_t ttl;
    uint16_t type;
    uint16_t covered; /* 0 unless type is RRSIG */
    uint16_t count;
};

/* Walk the rdatas: `for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);)`
 */
struct dns_rdata_cursor {
    struct span rdata; /* the present one */
    const uint8_t *next;
    unsigned left;
};

static inline struct dns_rdata_cursor dns_rrset_walk(const struct dns_rrset *rrset)
{
    return (struct dns_rdata_cursor){{NULL, 0}, rrset->packed, rrset->count};
}

static inline bool dns_rdata_next(struct dns_rdata_cursor *cursor)
{
    if (cursor->left == 0) {
        return false;
    }
    cursor->left--;
    cursor->rdata = (struct span){cursor->next + 2, wire_get_u16(cursor->next)};
    cursor->next += 2 + cursor->rdata.length;
    return true;
}

/* The first rdata. The rrset is not empty. */
static inline struct span dns_rrset_first(const struct dns_rrset *rrset)
{
    return (struct span){rrset->packed + 2, wire_get_u16(rrset->packed)};
}
