/*
 * answer/compress.h - name compression (RFC 1035 4.1.4) by a small table of suffixes
 *
 * Each suffix that stands uncompressed in the message is remembered by the hash of its labels,
 * taken from the root leftwards, so that a name finds its longest known suffix in one pass. A
 * match is proved label by label against the message: a label is the same if its bytes are and
 * what follows it in the message is the suffix found before.
 */
#pragma once

#include "base/buffer.h"

enum {
    COMPRESS_OFFSET_MAX = 0x3FFF, /* what a pointer can reach */
    COMPRESS_SLOTS = 128,         /* of an ordinary response */
};

struct compress_slot {
    uint16_t tag;
    uint16_t offset; /* 0: free */
};

struct compress {
    uint8_t *message;
    struct compress_slot *slots;
    uint32_t mask;
    uint32_t room; /* suffixes that may still be remembered */
};

/* A suffix and where it stands; {0} is the root. */
struct compress_suffix {
    uint64_t hash;
    uint16_t offset;
};

/* `slots` are cleared here; their count is a power of two. */
void compress_start(struct compress *compress, uint8_t *message, struct compress_slot *slots,
                    uint32_t count);
/* Remember the uncompressed name at message[offset], and all its suffixes. */
void compress_learn(struct compress *compress, size_t offset);
/* The suffix that `labels` (no root label) make above `known`, which the caller knows to stand at
 * message[offset]. */
struct compress_suffix compress_suffix_at(const struct compress_suffix *known, struct span labels,
                                          size_t offset);

enum compress_case {
    COMPRESS_CASE_IGNORED, /* owner names: the client's case may shine through */
    COMPRESS_CASE_KEPT,    /* names in rdata stay as they were written */
};

/*
 * Write the name made of `labels` (no root label) in front of `known` at `at`. Returns what is
 * behind it, or NULL if it would run past `end`.
 */
uint8_t *compress_write(struct compress *compress, struct span labels,
                        const struct compress_suffix *known, enum compress_case letters,
                        uint8_t *at, const uint8_t *end);
