/*
 * keeper/zone_job.h - the worker's side of a change: PREPARE, SIGN, SEAL
 *
 * A job owns what it was given and what it makes; the keeper gets all of it back with the reply
 * and alone decides what becomes of it. Reading, checking, key files, updates and signing happen
 * here. What a job has sealed is not published yet: COMMIT comes first (change.c).
 */
#pragma once

#include "keeper/keeper.h"
#include "keeper/zone_keys.h"
#include "keeper/zone_state.h"
#include "store/store.h"
#include "zone/transfer.h"

enum zone_job_kind {
    ZONE_JOB_RECOVER,  /* build the version that was committed last */
    ZONE_JOB_LOAD,     /* read the file */
    ZONE_JOB_KEYS,     /* look at the keys; sign what changed with them, or `sign_all` */
    ZONE_JOB_UPDATE,   /* dynamic updates, all that wait */
    ZONE_JOB_TRANSFER, /* what a primary has sent */
    ZONE_JOB_RESIGN,   /* signatures that are due, or the next slice of a campaign */
    ZONE_JOB_RAISE,    /* a higher serial, nothing else */
    ZONE_JOB_STATE,    /* no change of the zone, only of what is known of it */
    ZONE_JOB_DUMP,     /* write the file of a zone that changes by itself */
    ZONE_JOB_LOOK,     /* say so if the file of such a zone was edited in vain */
};

/* What is to be done. The job's. */
struct zone_asked {
    bool force;                     /* LOAD: even if no file changed */
    bool keys_wished;               /* LOAD: the keys are to be looked at even if it is unchanged */
    bool give_up;                   /* LOAD: for the file, what the store has lost is given up */
    bool thaw;                      /* LOAD: the file was edited while the zone was frozen */
    bool freeze;                    /* DUMP: take no more updates from then on */
    bool clean;                     /* DUMP, STATE: nothing before this commit is kept, */
    bool shorten;                   /* which nobody asked for: all of it is too old */
    bool unasked;                   /* DUMP: nobody waits for it */
    bool sign_all;                  /* KEYS: begin a campaign over all signatures */
    struct keeper_update *updates;  /* UPDATE: answered by the keeper, whatever came of it */
    struct zone_transfer *transfer; /* TRANSFER */
    struct store_zone *stored;      /* RECOVER */
    struct zone_key_order *orders;  /* KEYS: told by the keeper, whatever came of it */
    uint32_t serial_above;          /* RAISE: the signed serial must be greater */
};

/* The zone's, which does not touch it while the job is out. */
struct zone_lent {
    const struct zone_version *base; /* a reference; NULL: nothing was committed yet */
    const struct zone_state *state;
    struct zone_keys *keys;            /* moved; NULL: not in memory */
    struct resign_index *resign;       /* moved; NULL: none, or the zone is small */
    struct zone_facts_twins twins;     /* moved */
    struct zone_facts_of_keys waiting; /* moved; as zone_keys_request has it */
    struct zone_aside *aside;          /* moved; signed whole beside it; NULL: there is none */
    uint64_t signature_ns;             /* what one took in the last slice; 0: not known */
    sg_time expires_first;
};

/* How it is to see the clock (keeper/trust.h). */
struct zone_clock {
    bool doubted;  /* the states of keys rest */
    bool unserved; /* they do for that alone: the zone has expired, or is signed anew before it is
                      served, and nobody sees what is done */
    bool lasts;    /* and do so after a restart */
    bool anew;     /* it is believed again: waits begin anew, and all is signed and asked anew */
    sg_time rests_until; /* doubted: by itself; INT64_MAX: by somebody's word */
};

/* RECOVER: a difference that leads on, and its commit. */
struct zone_past {
    struct zone_history_link *link;
    struct zone_history_commit commit;
};

/* What came of it. */
struct zone_made {
    const struct zone_version *version;   /* a reference; NULL: there is no new one */
    struct zone_history_link *difference; /* from the base to the version; NULL: there is none to
                                             tell, or the state alone changed */
    struct buffer image;                  /* a small one; empty with `image_in_file` */
    bool is_image, image_in_file;         /* an image is committed, not the difference alone */
    bool keeps_difference;                /* with an image: the difference stands in the record */
    bool unchanged;                       /* SG_OK, but there is nothing to commit */
    bool signed_anew; /* RECOVER: another signer had the zone; with an image, to be committed */
    bool serial_is_reused; /* the base's was served before, with other contents: no difference leads
                              on from it */
    struct zone_state state; /* after the change; whole */
    sg_time key_event_at;    /* INT64_MAX: none */
    bool keys_looked_at;     /* `key_event_at` and `missing` are news */
    char *missing;           /* as of struct zone_keys */
    sg_time expires_first;   /* 0: no signature of ours */
    char *expires_node;      /* which signature that is: `owner/type`; NULL: not news */
    uint32_t file_serial;    /* LOAD: what the file has; 0: it was not read */
    bool file_written;       /* DUMP, LOAD: `state.files` is true, whatever comes of it */
    bool disk_failed;        /* why it failed: a write, which is soon to be tried again, */
    bool keys_failed;        /* or the look at the keys, which may succeed with what there is now */
    bool more;               /* RESIGN: another slice is due */
    uint64_t signature_ns;   /* RESIGN: what one took; 0: none was made */
    bool from_aside;         /* the version is one of lent.aside's lineage */
    bool aside_useless;      /* what was signed aside, if anything was, is not what is wanted */
    struct zone_keys *aside_keys; /* NULL, or all is to be signed with them, aside */
    uint64_t signatures;
    uint64_t took_ns;
    struct zone_past *history; /* RECOVER: what leads to the version, oldest first */
    size_t history_count;
};

struct zone_job {
    struct job job; /* first member */
    struct managed_zone *zone;
    const struct zone_settings *settings;
    struct keeper_generation *generation; /* one use of it */
    struct worker_pool *pool;
    struct store *store;                /* NULL: this zone is not stored */
    uint64_t store_zone, commit_number; /* for an image file */
    bool whole; /* the base is not what was committed last: commit an image */
    enum zone_job_kind kind;
    sg_time now;
    uint64_t aside_names_min; /* a zone of so many is not signed whole by its own job */
    struct zone_clock clock;
    struct zone_asked asked;
    struct zone_lent lent;
    enum sg_result result;
    char *problem; /* why not, for people; NULL with SG_OK */
    struct zone_made made;
    struct store_request commit; /* the COMMIT of what was made */
    struct buffer state_bytes;
};

/* The look at the keys failed, and they rest as they were committed (keeper/zone_keys.h). */
static inline bool zone_job_keys_rest(const struct zone_job *job)
{
    return job->lent.keys != NULL && job->lent.keys->problem != NULL;
}

void zone_job_run(struct job *job); /* Thread: worker */
/* With all that nobody has taken out of it. */
void zone_job_free(struct zone_job *job);
