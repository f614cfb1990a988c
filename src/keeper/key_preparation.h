/*
 * keeper/key_preparation.h - one look at a zone's keys, as its steps share it (private to keeper/)
 *
 *   key_search.c    keys in their folders; what is lost; a new one
 *   key_archive.c   keys that are gone, where there are many
 *   key_planning.c  files and facts brought together, orders, the plan, and what it asks for
 *   key_rest.c      in place of both, where one of them failed: the keys in use as they were
 *   zone_keys.c     what the keys do in the zone then
 *
 * Thread: worker, all functions. Where a result is not SG_OK, `problem` tells why.
 */
#pragma once

#include "keeper/zone_job.h"
#include "keeper/zone_keys.h"

struct preparation {
    const struct zone_settings *settings;
    const struct keeper_generation *generation;
    const struct kasp_policy *policy;
    const struct zone_version *served;    /* NULL: nothing is */
    const struct zone_version *published; /* the same, or a twin's */
    sg_time now;
    const struct zone_clock *clock;
    uint64_t wished;
    bool quiet;
    struct key_folders *folders;
    const char *paths[KASP_KEYS_MAX + 1]; /* of the zone's key folders, each once */
    size_t paths_count;
    struct key_list *list;
    uint64_t *made; /* the keys that are new */
    const struct zone_facts_twins *twins;
    const struct zone_facts_of_keys *waiting; /* as in the request */
    struct zone_facts_of_keys *facts;         /* before the plan, then after it */
    struct zone_key_order *orders;
    bool changed[ZONE_KEYS_MAX];  /* the key's files are to be written again */
    unsigned kept[ZONE_KEYS_MAX]; /* records that files have out, kept in: a bit each */
    struct kasp_plan plan;
    sg_time retry_at;        /* a successor could not be made; 0: none was missed */
    char **missing;          /* why; NULL: the same */
    struct buffer *moves;    /* lines for the log, once all is durable */
    struct buffer *events;   /* the same, in the words of BIND */
    struct buffer reports;   /* lines: what is wrong with key files */
    struct buffer overruled; /* lines: states in files that do not count */
    char *problem;
};

/* --- key_search.c --------------------------------------------------------------------------- */

/* The key-directory and each key-store of the policy, every folder once. */
void key_search_choose_paths(struct preparation *p);
MUST_USE enum sg_result key_search_read(struct preparation *p);
/* Every key that we publish still has its files: a folder may be gone, or another by mistake. */
MUST_USE enum sg_result key_search_check_served(struct preparation *p);
/* Those that have not, in the folders that were searched. Returns how many. `whole`: one without
 * its private half counts as well; it may be one that signs no more, and is then not missed. */
size_t key_search_lost(const struct preparation *p, bool whole,
                       struct keeper_lost_key out_lost[KEEPER_LOST_KEYS_MAX]);
/* A key with its roles alone, last in the list. Never where one may have been lost. */
MUST_USE enum sg_result key_search_make(struct preparation *p, const struct kasp_key *wanted);
/* What was found wrong with files goes to the log, unless somebody will try again. */
void key_search_log_reports(struct preparation *p);
bool key_search_rrset_has(const struct dns_rrset *rrset, struct span rdata);

/* --- key_archive.c -------------------------------------------------------------------------- */

/* Keys that are long gone are taken out of the list where they are many; their files stay. */
void key_archive_leave_out(struct preparation *p);

/* --- key_planning.c ------------------------------------------------------------------------- */

/* The keys' states from now on; those that are done with are removed. Returns when to look again in
 * `out_wake`. What changed is staged. */
MUST_USE enum sg_result key_planning_run(struct preparation *p, sg_time *out_wake);

/* --- key_rest.c ----------------------------------------------------------------------------- */

/*
 * The keys of a zone that is signed here, with the states that were committed, by the files of
 * those in use alone: nothing is planned, made or written. Where one that is published is not
 * there: not SG_OK, and `problem` or nothing; the plan tells of the others then.
 */
MUST_USE enum sg_result key_rest_run(struct preparation *p, sg_time *out_wake);
