/*
 * zone/check.h - is a loaded zone fit to be served? (what named-checkzone looks at)
 *
 * Errors, the zone is not taken: no SOA or several, no NS at the apex, CNAME and other data,
 * several CNAMEs or DNAMEs, a TTL above max-zone-ttl, an in-zone name server without address, CDS
 * that no DNSKEY goes with.
 * Warnings: MX or SRV to a CNAME, missing glue below a cut, occluded data, DS without NS, wildcard
 * NS, ... Severity follows named-checkzone's defaults (check-names, check-mx, check-integrity ...
 * as options).
 */
#pragma once

#include "zone/zonefile.h"

enum check_mode { CHECK_IGNORE, CHECK_WARN, CHECK_FAIL };

struct zone_check_options {
    enum check_mode names;       /* check-names: hostnames of A, AAAA, MX owners; default fail */
    enum check_mode ns;          /* NS is an address; default warn */
    enum check_mode mx;          /* check-mx: MX is an address; default warn */
    enum check_mode mx_cname;    /* default warn */
    enum check_mode srv_cname;   /* default warn */
    enum check_mode dup_records; /* RRs equal but for case; default warn */
    enum check_mode wildcard;    /* check-wildcard: non-terminal wildcards; default warn */
    enum check_mode sibling;     /* sibling glue; default warn */
    enum check_mode cds;         /* CDS and CDNSKEY go with the DNSKEY (cds_fit.h); default fail */
    bool integrity;              /* check-integrity: glue and targets; default true */
    bool spf;                    /* TXT beside SPF; default warn */
};
extern const struct zone_check_options zone_check_defaults;

/* Adds to `report`. SG_MALFORMED when it added an error. O(zone). */
MUST_USE enum sg_result zone_check(const struct zone_version *draft,
                                   const struct zone_check_options *options,
                                   struct zonefile_report *report);
