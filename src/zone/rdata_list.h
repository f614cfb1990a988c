/*
 * zone/rdata_list.h - rdatas of an RRset that changes, in canonical order (private to zone/)
 *
 * Kept in runs of some hundred, so that one of 65535 comes or goes without the rest being moved: a
 * batch of changes costs O(log n + run) each, in whatever order they come. Rdatas are `packed`: a
 * length in two bytes, then the rdata; they are borrowed.
 *
 * One that is all zero is empty.
 */
#pragma once

#include "dns/rrset.h"

enum { RDATA_RUN_MAX = 256 };

struct rdata_run;
struct rdata_list {
    struct rdata_run **runs; /* none of them empty */
    uint32_t runs_count, runs_max;
    uint32_t count; /* of rdatas */
};

/* Where an rdata is, or belongs; until the list is changed. */
struct rdata_place {
    uint32_t run, at;
};

/* Into an empty list. */
void rdata_list_fill(struct rdata_list *list, const struct dns_rrset *rrset);
void rdata_list_clear(struct rdata_list *list);

/* True: it is there. */
bool rdata_list_find(const struct rdata_list *list, uint16_t type, struct span rdata,
                     struct rdata_place *out_place);
void rdata_list_insert(struct rdata_list *list, struct rdata_place place, const uint8_t *packed);
/* Returns what was there. */
const uint8_t *rdata_list_remove(struct rdata_list *list, struct rdata_place place);
/* The `index`th; O(runs). */
const uint8_t *rdata_list_at(const struct rdata_list *list, uint32_t index);

/* One after the other: NULL behind the last. Begin with a place of all zero. */
const uint8_t *rdata_list_next(const struct rdata_list *list, struct rdata_place *place);
