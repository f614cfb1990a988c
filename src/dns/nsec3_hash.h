/*
 * dns/nsec3_hash.h - the hash of RFC 5155 5, SHA-1 with salt and iterations
 *
 * A hasher holds a prefetched digest context, so that a hash costs no allocation and no algorithm
 * fetch. One hasher per thread.
 */
#pragma once

#include "dns/name.h"

enum { NSEC3_HASH_BYTES = 20, NSEC3_HASH_TEXT_BYTES = 32, NSEC3_SALT_BYTES_MAX = 255 };

struct nsec3_params {
    uint8_t algorithm; /* 1: SHA-1 */
    uint8_t flags;     /* 1: opt-out, in NSEC3 records only */
    uint16_t iterations;
    uint8_t salt_length;
    uint8_t salt[NSEC3_SALT_BYTES_MAX];
};

struct nsec3_hasher;
struct nsec3_hasher *nsec3_hasher_new(void);
void nsec3_hasher_free(struct nsec3_hasher *hasher);
/* `wire` is an absolute owner name; it is lowered here. */
void nsec3_hash(struct nsec3_hasher *hasher, const struct nsec3_params *params, const uint8_t *wire,
                size_t length, uint8_t out_hash[NSEC3_HASH_BYTES]);
/* NSEC3PARAM or NSEC3 rdata's leading fields. SG_MALFORMED, or SG_UNSUPPORTED for another hash. */
MUST_USE enum sg_result nsec3_params_from_rdata(struct span rdata, struct nsec3_params *out_params);
