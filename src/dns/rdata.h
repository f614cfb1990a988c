/*
 * dns/rdata.h - what rdata of each type looks like on the wire
 *
 * One table of formats (fields of fixed size, names, character strings, the rest) serves all of:
 * checking, decompression, compression, canonical form. Unknown types are opaque (RFC 3597).
 * Rdata is kept uncompressed, the case of its names as it came.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "dns/name.h"

enum { DNS_RDATA_BYTES_MAX = 65535 };

/* Where the names are: a type has at most 2 (SOA, MINFO, RP, PX) and what comes before is fixed,
 * except NAPTR (strings before its name). */
struct dns_rdata_names {
    uint8_t count;     /* 0, 1 or 2 */
    bool compressible; /* RFC 3597 4: only the types of RFC 1035 */
    bool lower;        /* RFC 4034 6.2 (3), as corrected by RFC 6840 5.1: lower-case to sign */
};

struct dns_rdata_names dns_rdata_names(uint16_t type);
/*
 * Offset of the first name in well-formed rdata of a type that has names; the second name, where
 * there is one, follows the first directly.
 */
size_t dns_rdata_name_offset(uint16_t type, struct span rdata);

/* Well formed for its type? The bytes come from outside. SG_OK or SG_MALFORMED. */
MUST_USE enum sg_result dns_rdata_check(uint16_t type, struct span rdata);

/*
 * Rdata of `length` bytes at message[offset], decompressed and checked, appended to `out_rdata`.
 */
MUST_USE enum sg_result dns_rdata_from_message(struct span message, size_t offset, size_t length,
                                               uint16_t type, struct buffer *out_rdata);

/* Canonical form (RFC 4034 6.2): copy with names lowered where the type asks for it. In place if
 * `out` == rdata.bytes. `out` has rdata.length bytes. */
void dns_rdata_canonical(uint16_t type, struct span rdata, uint8_t *out);
/* Canonical order of two rdatas of one RRset (RFC 4034 6.3), each taken in canonical form. */
int dns_rdata_compare(uint16_t type, struct span a, struct span b);
