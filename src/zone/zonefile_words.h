/*
 * zone/zonefile_words.h - one word of a master file to its value. Private to zonefile.
 *
 * The text lies in a window, or has SCAN_SLACK_BYTES behind it that may be read.
 */
#pragma once

#include "dns/name.h"
#include "zone/zonefile_scan.h"

/* One more than a hexadecimal digit's value, so that 0 is no digit. */
extern const uint8_t zonefile_hex[256];

/* A decimal number of digits alone. SG_MALFORMED, or SG_LIMIT above `value_max`. */
MUST_USE enum sg_result zonefile_number(const struct scan_token *token, uint32_t value_max,
                                        uint32_t *out_value);
/* "1w2d3h4m5s" or plain seconds. SG_MALFORMED, or SG_LIMIT above 32 bits. */
MUST_USE enum sg_result zonefile_period(const struct scan_token *token, uint32_t *out_seconds);
/*
 * The name that a word stands for, completed by `origin`, its case kept. NULL, or what is wrong.
 * `out_name` is scratch when it fails.
 */
const char *zonefile_name(const struct scan_token *token, const struct dns_name *origin,
                          struct dns_name *out_name);
/* The same in lower case; `origin_lower` is already. */
const char *zonefile_owner_name(const struct scan_token *token, const struct dns_name *origin_lower,
                                struct dns_name *out_name);
/* As zonefile_name(), its wire format appended. */
const char *zonefile_name_write(const struct scan_token *token, const struct dns_name *origin,
                                struct writer *out);
/* SG_MALFORMED for what is no type. */
MUST_USE enum sg_result zonefile_type(const struct scan_token *token, uint16_t *out_type);
/* Dotted quad, and RFC 4291 2.2; as strict as inet_pton(). */
bool zonefile_ipv4(const uint8_t *text, size_t length, uint8_t out_address[4]);
bool zonefile_ipv6(const uint8_t *text, size_t length, uint8_t out_address[16]);
