/*
 * dnssec/rrsig.h - RRSIGs that are there: by whom, until when (RFC 4034 3.1)
 *
 * RRSIGs tell times modulo 2^32: meant is the instant nearest to `now` (3.1.5).
 */
#pragma once

#include "dnssec/key.h"
#include "zone/node.h"

/* Of rdata that may come from anywhere: one that is too short is by nobody. */
bool rrsig_is_by(struct span rdata, const struct signing_key *key);
/* Of rdata that is by somebody. */
sg_time rrsig_inception(struct span rdata, sg_time now);
/* INT64_MAX: it is too short. */
sg_time rrsig_expiration(struct span rdata, sg_time now);

/* Put `count` packed rdatas, `bytes` in all, into canonical order. */
void rrsig_sort(uint8_t *packed, size_t bytes, uint16_t count);

/* The earliest expiration of what we made for a node: its generated block or, in the tree of hashes
 * (`nsec3`), its source block. INT64_MAX: nothing is signed. What begins after `now`, since a clock
 * that was ahead has made it, expires at `now`: validators take it no more than what is too old. */
sg_time rrsig_first_expiration(const struct zone_node *node, bool nsec3, sg_time now);
/* The same, and of which type the RRset under that signature is. */
sg_time rrsig_first_expiring(const struct zone_node *node, bool nsec3, sg_time now,
                             uint16_t *out_type);
/* How many of its signatures expire before that, in the same sense. */
uint64_t rrsig_count_before(const struct zone_node *node, bool nsec3, sg_time now, sg_time before);
