/*
 * base/encoding.h - base64, base32hex and hexadecimal (RFC 4648)
 */
#pragma once

#include "base/buffer.h"

void base64_encode(struct span bytes, struct buffer *out_text); /* appends, padded */
/* Appends. White space is skipped. SG_MALFORMED for anything else that is not base64. */
MUST_USE enum sg_result base64_decode(struct span text, struct buffer *out_bytes);

/* Lower-case base32hex without padding, as in NSEC3 owner names: 20 bytes give 32 characters. */
size_t base32hex_encode(const uint8_t *bytes, size_t length, char *out_text);
MUST_USE enum sg_result base32hex_decode(struct span text, struct buffer *out_bytes);

void hex_encode(struct span bytes, struct buffer *out_text); /* appends, upper case */
MUST_USE enum sg_result hex_decode(struct span text, struct buffer *out_bytes); /* skips spaces */
