/*
 * keeper/zone_state.h - what the keeper wants to know again after a restart, as bytes
 *
 * The `state` of a commit record: written whole with every commit, so that zone data and what is
 * known of it never part. A list of tagged fields: a reader skips tags that it does not know, so
 * that an older program reads what a newer one wrote. Bytes from the disk: checked
 * (fuzz_zone_state).
 */
#pragma once

#include "base/buffer.h"
#include "base/time.h"
#include "dnssec/resign.h"
#include "keeper/zone_facts.h"

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
void file_stamps_copy(const struct file_stamps *from, struct file_stamps *out_copy);

enum { ZONE_STATE_FILES_MAX = 100000, ZONE_STATE_TIMERS_BYTES_MAX = 65536 };

struct zone_state {
    struct file_stamps files;  /* that the source was read from last */
    sg_time loaded_at;         /* 0: never */
    sg_time refused_at;        /* since when the file was not taken; 0: it was */
    uint64_t keys_fingerprint; /* of policy and keys that signed; 0: not signed */
    bool frozen;
    bool campaign; /* everything is being signed anew; `cursor` tells how far it is */
    struct resign_cursor *cursor; /* NULL: at the beginning, or there is none */
    sg_time clock_at;             /* of the last commit whose clock was not in doubt; 0: none */
    bool clock_doubted;           /* the clock has been in doubt since, until it is accepted */
    bool ahead_of_file;           /* updates have changed it since its file was read or written */
    bool was_static; /* it needed no store, but for its serial that must not be lowered */
    bool ambiguous;  /* its serial was served with other contents before */
    sg_time
        unheard_since;    /* since when its secondaries are asked what they have; 0: they are not */
    bool unheard_doubted; /* with that: no difference is told until they have answered */
    uint32_t went_back;   /* the highest serial served before a lower one followed; 0: none, or ours
                              is above it again */
    uint64_t restore;     /* what of its secondaries is known, is so since that restore; 0: none */
    struct buffer timers; /* of a secondary (keeper/refresh.h) */
    struct buffer told;   /* to the parent (keeper/ds_tell.h) */
    struct zone_facts_of_keys facts;
};

void zone_state_clear(struct zone_state *state);
/* Where the campaign stands, to be moved on. */
struct resign_cursor *zone_state_cursor(struct zone_state *state);
void zone_state_encode(const struct zone_state *state, struct buffer *out_bytes);
/* SG_MALFORMED. */
MUST_USE enum sg_result zone_state_decode(struct span bytes, struct zone_state *out_state);
