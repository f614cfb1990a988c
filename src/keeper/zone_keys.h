/*
 * keeper/zone_keys.h - bring a zone's keys in line with its policy: read, adopt, plan, make
 *
 * A worker's job: blocks on the disk. Missing keys are made; broken or unreadable key files never
 * lead to new keys: the zone is left as it is and the log says what to do. Nor do the files of a
 * key that is being served and is not there any more: caches and the parent count on it.
 *
 * Where a look fails, whatever the reason, a zone that is signed goes on with the keys that it has
 * and the states that were committed, as long as the files of those that sign can be read
 * (key_rest.c): signatures must not expire for what is wrong beside them.
 */
#pragma once

#include "kasp/apex.h"
#include "keeper/ds_check.h"
#include "keeper/keeper.h"
#include "keeper/key_folders.h"
#include "keeper/zone_facts.h"

enum { ZONE_KEYS_MAX = 64 };

struct zone_keys {
    struct key_list list;
    struct sign_key *sign; /* those that sign now */
    size_t sign_count;
    struct kasp_apex apex;
    sg_time wake_at;      /* when states change next; INT64_MAX: never */
    uint64_t fingerprint; /* of the policy and who is published and signs what: the same, nothing to
                             sign anew */
    struct zone_facts_of_keys facts; /* as they are to be committed with these keys */
    struct ds_check_wish *wishes;    /* what the parent is to show; of keys in the list */
    size_t wishes_count;
    bool nsec3;    /* as the policy wants it and the keys allow it */
    uint8_t *salt; /* owned: of a new NSEC3 chain, as long as the policy says; NULL: to be drawn */
    struct buffer moves;  /* what states changed, in lines; told once */
    struct buffer events; /* the same in the words of BIND (key_tell.h) */
    char *missing; /* why no successor of a key that is to roll could be made; NULL: none is */
    uint64_t made; /* new ones: a bit each, by their place in the list */
    char *problem; /* owned: why the look failed, and the keys rest; NULL: it did not */
    bool fresh;    /* prepared for the job that comes next, which has not seen them yet */
};

struct zone_clock;
struct zone_key_order;

/* Whose keys are to be looked at, and when. */
struct zone_keys_request {
    const struct zone_settings *settings;
    const struct keeper_generation *generation;
    const struct zone_version *served;    /* what the public sees now; NULL: nothing */
    const struct zone_version *published; /* the same; a twin's where that is nothing */
    uint64_t wished;                      /* the round (key_folders.h) */
    sg_time now;
    const struct zone_clock *clock;           /* borrowed */
    const struct zone_facts_of_keys *facts;   /* borrowed */
    const struct zone_facts_of_keys *waiting; /* borrowed; a plan that is not published yet, as the
                                                 zone is signed aside by it; NULL: none */
    const struct zone_facts_twins *twins;     /* borrowed; NULL: nobody shares the files */
    sg_duration late;                         /* by how much the most urgent signature is overdue */
    struct zone_key_order *orders;            /* borrowed; carried out with it */
    bool quiet;       /* problems of key files are not logged: somebody will try again */
    bool keeps_files; /* they are not written, unless a key was made: the look after the commit does
                         it, and until then they tell what they told */
};

/* `problem` (the caller frees) tells why, when the result is not SG_OK: nothing can be signed. What
 * was made or changed is staged in `folders`, not durable. */
MUST_USE enum sg_result zone_keys_prepare(const struct zone_keys_request *request,
                                          struct key_folders *folders, struct zone_keys *out_keys,
                                          char **problem);
/* The same for one zone alone, and durable but for `keeps_files`. */
MUST_USE enum sg_result zone_keys_prepare_alone(const struct zone_keys_request *request,
                                                struct zone_keys *out_keys, char **problem);
/* What caches may hold of `version` (NULL: nothing) and its signatures, at `now`. */
void zone_keys_observe(struct zone_facts_of_keys *facts, const struct kasp_policy *policy,
                       const struct zone_version *version, sg_duration late, sg_time now);
/* Log the keys that were made, and what states changed; the files are durable. */
void zone_keys_log_made(const struct zone_settings *settings, struct zone_keys *keys);
void zone_keys_clear(struct zone_keys *keys);
/* For those on the heap. NULL is fine. */
void zone_keys_free(struct zone_keys *keys);
