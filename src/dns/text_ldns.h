/*
 * dns/text_ldns.h - presentation format of the types that text_format.h has not: LOC, APL, HIP,
 * SVCB, HTTPS
 *
 * Private to dns/. ldns wraps numbers that are too large, takes unknown words for type 0 and so
 * on, so what comes out is to be checked by the caller.
 */
#pragma once

#include "base/buffer.h"

bool text_ldns_knows(uint16_t type);
/* `text` holds words apart by spaces, names absolute. Appends. */
MUST_USE enum sg_result text_ldns_read(uint16_t type, const char *text, struct buffer *out_rdata);
/* Appends. The rdata is well formed. SG_MALFORMED when ldns does not understand it. */
MUST_USE enum sg_result text_ldns_write(uint16_t type, struct span rdata, struct buffer *out_text);
