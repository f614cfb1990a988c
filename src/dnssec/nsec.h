/*
 * dnssec/nsec.h - rdata of NSEC and NSEC3 (RFC 4034 4.1, RFC 5155 3.2)
 *
 * Private to dnssec/.
 */
#pragma once

#include "dns/nsec3_hash.h"

/* Types in ascending order, each once. Both append rdata without its length. */
void nsec_rdata_write(const struct dns_name *next_owner, const uint16_t *types, size_t count,
                      struct buffer *out_rdata);
void nsec3_rdata_write(const struct nsec3_params *params, const uint8_t next_hash[NSEC3_HASH_BYTES],
                       const uint16_t *types, size_t count, struct buffer *out_rdata);
/* NSEC3PARAM has no flags (RFC 5155 4.1.2). */
void nsec3param_rdata_write(const struct nsec3_params *params, struct buffer *out_rdata);
