/*
 * dns/rdata_format.h - the table behind dns/rdata.h: which fields make up the rdata of a type
 *
 * Private to dns/. A field is a letter:
 *
 *   1 2 4 6 8  so many bytes        s  a character string, a salt (length byte first)
 *   F          sixteen bytes        H  the same, not empty
 *   n          a name               t  one or more character strings, to the end
 *   q          a name or nothing    b  a type bit map, to the end; B not empty
 *   p          A6 prefix, suffix    *  the rest; + not empty
 *
 * What letters cannot say is in `valid`, which sees rdata whose fields fit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum {
    RDATA_COMPRESS = 1,   /* RFC 1035: its names may be compressed when written */
    RDATA_DECOMPRESS = 2, /* RFC 3597 4: and may come compressed */
    RDATA_LOWER = 4,      /* RFC 4034 6.2 (3), RFC 6840 5.1 */
};

struct rdata_format {
    const char *fields;
    uint8_t names;
    uint8_t flags;
    bool (*valid)(struct span rdata); /* may be NULL */
};

/* Never NULL: opaque for types that are unknown. */
const struct rdata_format *rdata_format_of(uint16_t type);

/* Bytes of the field at the start of `left`, SIZE_MAX if it is broken. */
size_t rdata_field_length(char field, struct span left);
