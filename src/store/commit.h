/*
 * store/commit.h - one commit record as bytes: what a zone was, and how it became what it is
 *
 *   header: magic, format, checksum of all that follows; number, time, flags, serials
 *   state:  opaque to the store: the keeper's (key states, timers, stamps, campaign)
 *   changeset (zone/changeset.h): empty where only the state changed
 *
 * and the manifest of an image: which commit it shows is its key; whether the image is a file or,
 * as a small one, stands in the manifest itself is its value. Integers are big-endian.
 *
 * Bytes from the disk: checked (fuzz_commit).
 */
#pragma once

#include "base/buffer.h"
#include "base/time.h"

enum store_commit_flag {
    STORE_COMMIT_IMAGE = 1,  /* an image of the version stands beside: no changeset is needed */
    STORE_COMMIT_BREAKS = 2, /* no IXFR leads over this commit */
    STORE_COMMIT_FLAGS = STORE_COMMIT_IMAGE | STORE_COMMIT_BREAKS,
};

struct store_commit_record {
    uint64_t number; /* per zone, from 1, without gaps */
    sg_time at;
    uint32_t serial, source_serial;
    unsigned flags;
    struct span state;
    struct span changeset;
};

/* A record that is longer is refused before it is encoded: what is as large wants an image. */
#define STORE_COMMIT_BYTES_MAX ((size_t)1 << 31)
enum {
    STORE_COMMIT_HEADER_BYTES = 48,
    STORE_MANIFEST_FILE_BYTES = 20, /* of a manifest whose image is a file; others are longer */
    STORE_LOG_KEY_BYTES = 16,       /* of a record or a manifest: zone id, commit number */
};

/* Append the record. */
void store_commit_encode(const struct store_commit_record *record, struct buffer *out_bytes);
/* Borrows the bytes. SG_MALFORMED, SG_UNSUPPORTED (a later format). */
MUST_USE enum sg_result store_commit_decode(struct span bytes,
                                            struct store_commit_record *out_record);

/* `image` NULL bytes: it is a file. Append. */
void store_manifest_encode(struct span image, struct buffer *out_bytes);
/* Borrows the bytes; `out_image` has NULL bytes where the image is a file. SG_MALFORMED,
 * SG_UNSUPPORTED. */
MUST_USE enum sg_result store_manifest_decode(struct span bytes, struct span *out_image);

/* 64 bits as they stand in keys and records. */
static inline void store_put_u64(uint8_t *at, uint64_t value)
{
    wire_put_u32(at, (uint32_t)(value >> 32));
    wire_put_u32(at + 4, (uint32_t)value);
}

static inline uint64_t store_get_u64(const uint8_t *at)
{
    return (uint64_t)wire_get_u32(at) << 32 | wire_get_u32(at + 4);
}
