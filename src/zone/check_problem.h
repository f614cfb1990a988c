/*
 * zone/check_problem.h - a check under way, and how it says what it found. Private to check.
 */
#pragma once

#include "zone/check.h"

struct zone_check {
    const struct zone_version *draft;
    const struct zone_check_options *options;
    struct zonefile_report *report;
    const struct dns_name *apex;
    bool apex_is_reverse; /* below in-addr.arpa or ip6.arpa: PTR names hosts */
    bool apex_is_hostname;
    /* the name at hand: */
    const struct zone_node *node;
    bool below_cut;
    bool under_dname; /* what is below the cut at hand is below a DNAME */
};

/* The owner's text without the final dot. */
const char *check_owner_text(const struct zone_check *check, char out_text[DNS_NAME_TEXT_BYTES]);
/*
 * What follows reports nothing, a warning or an error, as `mode` says. Each problem is one of the
 * name at hand and of its records of `type`, 0: of all.
 */
/* Of one record, which has `rdata`. */
void check_record_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                          struct span rdata, const char *text);
/* The owner's text, followed by `what`. */
void check_owner_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                         const char *what);
/* The same of records that do not go together: an error. */
void check_conflict(const struct zone_check *check, enum zonefile_which which, uint16_t type,
                    const char *what);
/* "OWNER/TYPE 'TARGET' what", the owner left out for name servers of the apex. The target stands in
 * a record with `rdata`. */
void check_target_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                          struct span rdata, const struct dns_name *target, const char *what);

static inline bool check_is_at_apex(const struct zone_check *check)
{
    return (check->node->flags & ZONE_NODE_APEX) != 0;
}
