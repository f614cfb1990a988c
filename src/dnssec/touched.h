/*
 * dnssec/touched.h - the names that a change touches
 *
 * Those whose own records changed, and when a delegation or a DNAME comes or goes all below it,
 * which become glue and occluded, or authoritative again. Owner names are relative to the apex.
 * Private to dnssec/.
 */
#pragma once

#include "zone/diff.h"

struct touched_name {
    uint32_t owner; /* where in `owners`: one byte of length, then the relative name */
    uint32_t above; /* touched_add_ancestors(): index of its parent name; the apex's is its own */
    bool changed;   /* false: only an ancestor or a neighbour of one that did */
};

struct touched {
    struct buffer owners;
    struct touched_name *names;
    size_t count, max;
};
#define TOUCHED_EMPTY ((struct touched){BUFFER_EMPTY, NULL, 0, 0})

/* Compare `draft` with `base`, of one lineage. The apex is always among the names, which come in
 * canonical order, each once. SG_LIMIT: too many. */
MUST_USE enum sg_result touched_collect(struct touched *touched, const struct zone_version *base,
                                        const struct zone_version *draft);
MUST_USE enum sg_result touched_add(struct touched *touched, struct span owner, bool changed);
/* Put names that were added where they belong, each once. */
void touched_sort(struct touched *touched);
/* Add all names above those that are there; sorted before and after. */
MUST_USE enum sg_result touched_add_ancestors(struct touched *touched);
void touched_free(struct touched *touched);

struct span touched_owner(const struct touched *touched, const struct touched_name *name);

/* Canonical order (RFC 4034 6.1) of relative owner names, lower case. */
int relative_compare(struct span a, struct span b);
bool relative_is_at_or_below(struct span name, struct span ancestor);
/* Make it absolute. Both come from one zone, so that it is not too long. */
void relative_join(struct span relative, const struct dns_name *apex, struct dns_name *out_name);
/* Does the name own records of this version that are neither glue nor occluded? */
bool touched_is_authoritative(const struct zone_version *version, const struct dns_name *name,
                              struct zone_node *out_node);
