/*
 * dns/text.h - presentation format of rdata (RFC 1035 5.1, RFC 3597 5)
 *
 * A table says how the text of a type goes. ldns is not used, but judges it in the tests: it wraps
 * numbers that are too large, takes unknown words for type 0 and pads odd hexadecimal. What comes
 * from text is always checked as wire format. A6, NXT, ATMA and SINK have the \# form only.
 * For the odd record of a zone file, for tools, dumps and logs; common types in zone files go by
 * zone/zonefile's own parser, which must agree with this one. Thread: any (no state).
 */
#pragma once

#include "dns/name.h"

/*
 * Rdata text of `type` (one logical line, comments and parentheses already removed), relative
 * names completed by `origin`, appended as wire format. SG_MALFORMED, then `out_error` (may be
 * NULL) points at a constant that says what is wrong.
 */
MUST_USE enum sg_result dns_rdata_from_text(uint16_t type, const char *text, size_t length,
                                            const struct dns_name *origin, struct buffer *out_rdata,
                                            const char **out_error);
/* Appends. The \# form for rdata that does not fit its type, and for types whose
 * mnemonic other tools may not know. */
void dns_rdata_to_text(uint16_t type, struct span rdata, struct buffer *out_text);
/* "owner TTL IN TYPE rdata", appended without a newline. */
void dns_record_to_text(const uint8_t *owner_wire, uint32_t ttl, uint16_t type, struct span rdata,
                        struct buffer *out_text);
