/*
 * answer/nsec3_memo.h - NSEC3 hashes of names that are asked for again and again
 *
 * A name error hashes three names, of which two are nearly always the apex and its wildcard. A
 * hash depends on name, salt and iterations alone, so what is remembered is never out of date.
 * Each thread has a memo of its own: a small table, each name with one place.
 */
#pragma once

#include "dns/nsec3_hash.h"

/* As nsec3_hash(), of a name in lower case. */
void nsec3_memo_hash(struct nsec3_hasher *hasher, const struct nsec3_params *params,
                     const uint8_t *wire, size_t length, uint8_t out_hash[NSEC3_HASH_BYTES]);
