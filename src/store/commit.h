/*
 * store/commit.h - one commit record as bytes: what a zone was, and how it became what it is
 *
 *   header: magic, format, checksum of all that follows; time; serials; flags
 *   state:  opaque to the store: the keeper's (key states, timers, stamps, campaign)
 *   changeset (zone/changeset.h): empty where only the state changed
 *
 * Bytes from the disk: checked (fuzz_commit).
 */
#pragma once

#include "base/buffer.h"
#include "base/time.h"

enum store_commit_flag {
    STORE_COMMIT_IMAGE = 1,  /* an image of the version stands beside: no changeset is needed */
    STORE_COMMIT_BREAKS = 2, /* no IXFR leads over this commit */
};

struct store_commit_record {
    uint64_t number; /* per zone, from 1, without gaps */
    sg_time at;
    uint32_t serial, source_serial;
    unsigned flags;
    struct span state;
    struct span changeset;
};
void store_commit_encode(const struct store_commit_record *record, struct buffer *out_bytes);
/* Borrows the bytes. SG_MALFORMED, SG_UNSUPPORTED (a later format). */
MUST_USE enum sg_result store_commit_decode(struct span bytes, struct store_commit_record *out_record);
