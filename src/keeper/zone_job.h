/*
 * keeper/zone_job.h - the worker's side of a zone's life: PREPARE, SIGN, SEAL
 *
 * A job owns what it was given and what it makes; the keeper gets all of it back with the reply
 * and alone decides what becomes of it. Reading, checking, key files and signing happen here.
 */
#pragma once

#include "keeper/keeper.h"

enum zone_job_kind {
    ZONE_JOB_LOAD, /* read the file: a new version from nothing */
    ZONE_JOB_KEYS, /* look at the keys; sign `base` anew if they changed, or `sign_all` */
};

/* A file as it was when it was read, to tell whether it changed since. */
struct file_stamp {
    char *path;
    uint64_t device, inode, bytes;
    int64_t modified_ns;
};
struct file_stamps {
    struct file_stamp *files;
    size_t count;
};
void file_stamps_clear(struct file_stamps *stamps);

struct zone_job {
    struct job job; /* first member */
    struct managed_zone *zone;
    const struct zone_settings *settings;
    struct keeper_generation *generation; /* one use of it */
    struct worker_pool *pool;
    enum zone_job_kind kind;
    sg_time now;
    bool force;       /* LOAD: even if no file changed */
    bool keys_wished; /* with a load: its keys are to be looked at even if it is unchanged */
    bool sign_all;    /* KEYS: even if no key changed */

    /* Borrowed from the managed zone, which does not change while its job is out. */
    const struct file_stamps *known_files;
    const struct zone_version *base; /* a reference; NULL: nothing was published yet */
    uint64_t known_keys;             /* fingerprint; 0: none */

    /* What came of it. */
    enum sg_result result;
    char *problem;                      /* why not, for people; NULL with SG_OK */
    bool unchanged;                     /* SG_OK, but there is no new version */
    const struct zone_version *version; /* a reference; NULL unless there is a new one */
    struct file_stamps files;           /* LOAD: what was read */
    bool files_known;
    uint64_t keys_fingerprint;
    sg_time key_event_at;  /* INT64_MAX: none */
    sg_time expires_first; /* 0: no signature of ours */
    char *expires_node;    /* which signature: `owner/type`; NULL: none */
    uint64_t signatures;
    uint64_t took_ns;
};

void zone_job_run(struct job *job); /* Thread: worker */
void zone_job_free(struct zone_job *job);
