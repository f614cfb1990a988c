/*
 * zone/zonefile_rdata.h - rdata text to wire format. Private to zonefile.
 *
 * Common types are a row of fields each (zonefile_fields.h). What a field does not know well, such
 * as a mnemonic in a numeric field, is *odd*: then the whole rdata goes through ldns, which
 * decides.
 */
#pragma once

#include "dns/name.h"
#include "dns/rdata.h"
#include "zone/zonefile_scan.h"

enum { ZONEFILE_PROBLEM_BYTES = 200, ZONEFILE_BITMAP_WINDOWS = 256 };

/* One rdata being read. Large: there is one for each load. */
struct zonefile_rdata {
    struct scan *scan;
    const struct dns_name *origin; /* completes relative names */
    struct writer out;             /* into `bytes` */
    struct scan_token token;       /* the field that is being read */
    bool odd;                      /* ldns is to decide */
    struct buffer slow;            /* what ldns made, and the text it was given */
    struct buffer slow_text;
    char problem[ZONEFILE_PROBLEM_BYTES];
    uint8_t bitmap[ZONEFILE_BITMAP_WINDOWS][32]; /* clear between rdatas */
    uint8_t bytes[DNS_RDATA_BYTES_MAX];
};

struct zonefile_rdata *zonefile_rdata_new(void);
void zonefile_rdata_free(struct zonefile_rdata *rdata);

/*
 * Read the rdata of `type` up to the end of the logical line. SG_OK with `out_wire` borrowed until
 * the next call, or SG_MALFORMED with `rdata->problem`; meaningless if the scan is starved.
 */
MUST_USE enum sg_result zonefile_rdata_read(struct zonefile_rdata *rdata, struct scan *scan,
                                            const struct dns_name *origin, uint16_t type,
                                            struct span *out_wire);

/* The row of fields of a type (enum zonefile_field), ended by FIELD_END; empty for types that only
 * ldns knows. */
const uint8_t *zonefile_type_fields(uint16_t type);
