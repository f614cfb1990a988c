/*
 * tools/key_forecast.h - what the server does with a zone's keys when it looks at them next
 *
 * The engine itself is asked, round by round as the keeper does it (keeper/key_planning.c), with
 * keys that are made up in place of those that would be made. It goes by the key files alone: what
 * a running server knows besides, longer TTLs of before and what it saw at the parent, can put off
 * a roll, but no choice of keys depends on it.
 */
#pragma once

#include "kasp/plan.h"

struct key_forecast_key {
    unsigned entry;      /* of the policy, which it serves then; KASP_KEYS_MAX: none */
    bool served, serves; /* its goal is to be there: before, and then */
    bool over, unused;   /* before: done with by its own times, or made for later */
    bool ds_unknown;     /* before: nobody has told whether the parent has its DS */
    bool is_made;        /* it is not there yet */
    size_t follows;      /* the key that it is to take over from; SIZE_MAX: none */
};
struct key_forecast {
    struct key_forecast_key keys[KASP_PLAN_KEYS_MAX]; /* as the list; those that are made follow */
    size_t count;
    bool makes;
};

/*
 * Looks at `list`, adopts its keys and moves them on; made up ones are appended, all are the
 * list's. `files_missing`: no key can be made. Where the policy is manual it is told what a step
 * does. SG_LIMIT: more keys than the engine takes, or no tag is free.
 */
MUST_USE enum sg_result key_forecast_make(const struct kasp_policy *policy,
                                          const struct dns_name *zone, bool files_missing,
                                          sg_time now, struct key_list *list,
                                          struct key_forecast *out_forecast);
