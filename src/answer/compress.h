/*
 * answer/compress.h - name compression (RFC 1035 4.1.4) by a small table of suffixes
 *
 * Each suffix that stands uncompressed in the message is remembered by the hash of its labels, so
 * that a name finds its longest known suffix in one pass from the right. A match is proved against
 * the message: a label is the same if its bytes are, and if what follows it there is the suffix
 * found before.
 *
 * Nearly all names of an answer lie below one apex. Its place is told once, and their hashes begin
 * there; the hashes of all others begin at the root.
 */
#pragma once

#include "base/buffer.h"

enum {
    COMPRESS_OFFSET_MAX = 0x3FFF, /* what a pointer can reach */
    COMPRESS_SLOTS = 64,          /* of an ordinary response */
};

struct compress_slot {
    uint16_t tag;
    uint16_t offset; /* 0: free */
};

struct compress {
    uint8_t *message;
    struct compress_slot *slots;
    uint32_t mask;
    uint32_t room;           /* suffixes that may still be remembered */
    uint16_t apex_offset;    /* 0: none, or the root */
    uint16_t apex_length;    /* without the root label */
    bool ancestors_to_learn; /* of the apex; only names outside of it ask for them */
};

enum compress_case {
    COMPRESS_CASE_IGNORED, /* owner names: the client's case may shine through */
    COMPRESS_CASE_KEPT,    /* names in rdata stay as they were written */
};

/* `slots` are cleared here; their count is a power of two. */
void compress_start(struct compress *compress, uint8_t *message, struct compress_slot *slots,
                    uint32_t count);
/* The apex, `length` bytes without the root label, stands uncompressed at message[offset]. */
void compress_set_apex(struct compress *compress, size_t offset, size_t length);
/* Remember the uncompressed name at message[offset], the apex or below it, and its suffixes. */
void compress_learn(struct compress *compress, size_t offset);

/*
 * Write a name at `at`, given by its labels without the root label. Returns what is behind it, or
 * NULL if it would run past `end`; the message is not to be written on then.
 */
uint8_t *compress_write(struct compress *compress, struct span labels, enum compress_case letters,
                        uint8_t *at, const uint8_t *end);
/* The same for an owner name, given by its labels relative to the apex, which was set. */
uint8_t *compress_write_relative(struct compress *compress, struct span labels, uint8_t *at,
                                 const uint8_t *end);
