/*
 * answer/record.h - one RR on the wire, behind its owner name
 */
#pragma once

#include "answer/compress.h"
#include "dns/rrset.h"

enum { RECORD_FIXED_BYTES = 8 }; /* type, class, TTL; packed rdata brings its length itself */

/* What all RRs of an RRset have in common. */
struct record_form {
    uint16_t type;
    bool compressible; /* its rdata has names that may be compressed (RFC 3597 4) */
    uint8_t fixed[RECORD_FIXED_BYTES];
};

struct record_form record_form_of(const struct dns_rrset *rrset, uint16_t rrclass);
/*
 * Write all but the owner name at `at`. `rdata` lies behind its length, as RRsets are packed.
 * `compress` is looked at for compressible types only. Returns what is behind the RR, or NULL if
 * it would run past `end`.
 */
uint8_t *record_write(const struct record_form *form, struct span rdata, struct compress *compress,
                      uint8_t *at, const uint8_t *end);
