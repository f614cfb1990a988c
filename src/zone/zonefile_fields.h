/*
 * zone/zonefile_fields.h - the fields that rdata is made of, text to wire. Private to zonefile.
 */
#pragma once

#include "zone/zonefile_rdata.h"

enum zonefile_field {
    FIELD_END = 0,
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_PERIOD, /* seconds, or BIND's 1w2d3h4m5s */
    FIELD_TIME,   /* 14 digits, or seconds since 1970 (RFC 4034 3.2) */
    FIELD_TYPE,   /* a mnemonic, or TYPEnnn */
    FIELD_NAME,
    FIELD_IPV4,
    FIELD_IPV6,
    FIELD_STRING,      /* a character-string */
    FIELD_TAG,         /* of CAA: letters and digits, with a length */
    FIELD_LONG_STRING, /* without a length */
    FIELD_SALT,        /* "-" or hexadecimal, with a length */
    FIELD_HASH,        /* base32hex, with a length */
    /* The rest of the line: */
    FIELD_STRINGS, /* one character-string or more */
    FIELD_BASE64,  /* one word or more */
    FIELD_HEX,     /* one word or more */
    FIELD_BITMAP,  /* types, or none */
};

/*
 * Read `fields`, a row ended by FIELD_END, and the end of the line. False: `rdata->odd` is set, or
 * `rdata->problem` tells what is wrong.
 */
bool zonefile_fields_read(struct zonefile_rdata *rdata, const uint8_t *fields);
/* Say what is wrong with the present token. Always false. */
bool zonefile_refuse(struct zonefile_rdata *rdata, const char *problem);
