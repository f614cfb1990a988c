/*
 * dns/ds_update.h - a dynamic update that brings DS records of a zone into its parent, and takes
 * others out (RFC 2136)
 *
 *   ds_update_begin(), then ds_update_add() and ds_update_remove() in any order
 *
 * No TSIG, the id is 0. Thread: any (a value of the caller's).
 */
#pragma once

#include "base/buffer.h"
#include "dns/name.h"

struct ds_update {
    struct buffer wire; /* the caller frees */
    const struct dns_name *child;
    uint16_t rrclass;
};

/* `parent` is the zone to be changed, `child` the owner of the records; borrowed. */
void ds_update_begin(struct ds_update *update, const struct dns_name *parent,
                     const struct dns_name *child, uint16_t rrclass);
/* SG_LIMIT: the message is full. */
MUST_USE enum sg_result ds_update_add(struct ds_update *update, uint32_t ttl, struct span rdata);
MUST_USE enum sg_result ds_update_remove(struct ds_update *update, struct span rdata);
