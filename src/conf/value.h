/*
 * conf/value.h - words to values, as named.conf writes them
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

/* yes true 1, no false 0; case ignored. */
bool conf_value_boolean(const char *text, bool *out_value);
/* Decimal digits alone. */
bool conf_value_integer(const char *text, uint32_t *out_value);
/* Digits and k, m or g, powers of 1024. */
bool conf_value_size(const char *text, uint64_t *out_bytes);
/* "25%" */
bool conf_value_percent(const char *text, uint32_t *out_percent);
/*
 * Seconds: ISO 8601 (P1Y2M3DT4H5M6S with months of 31 days and years of 365, or P2W) or a TTL
 * (3600, 1w2d3h4m5s). At most 2^32 - 1.
 */
bool conf_value_duration(const char *text, uint32_t *out_seconds);

struct conf_prefix {
    bool ipv6;
    uint8_t length;
    uint8_t bytes[16]; /* all zero behind the prefix */
};
/*
 * "192.0.2.1", "10/8", "2001:db8::/32". NULL when it is one; else what is wrong, in words.
 * `out_looks_like` tells whether it was meant as one at all, or is a name.
 */
const char *conf_value_prefix(const char *text, struct conf_prefix *out_prefix,
                              bool *out_looks_like);
