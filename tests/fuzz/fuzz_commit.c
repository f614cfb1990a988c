/*
 * What the disk shows as a commit record or a manifest. The first byte chooses which, and whether
 * the checksum is made right before, so that what lies behind it is reached too. What is accepted
 * is encoded to the same bytes again.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "store/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { CHECKED_FROM = 16 };
static const uint8_t checksum_key[16] = "signet's commit";

static void make_right(uint8_t *bytes, size_t length)
{
    if (length >= CHECKED_FROM) {
        store_put_u64(bytes + 8,
                      siphash(checksum_key, bytes + CHECKED_FROM, length - CHECKED_FROM));
    }
}

static bool are_same(struct span a, const struct buffer *b)
{
    return a.length == b->length && memcmp(a.bytes, b->bytes, a.length) == 0;
}

static void try_record(struct span bytes)
{
    struct store_commit_record record;
    struct buffer again = BUFFER_EMPTY;
    if (store_commit_decode(bytes, &record) == SG_OK) {
        store_commit_encode(&record, &again);
        ASSERT(are_same(bytes, &again));
    }
    buffer_free(&again);
}

static void try_manifest(struct span bytes)
{
    struct span image;
    struct buffer again = BUFFER_EMPTY;
    if (store_manifest_decode(bytes, &image) == SG_OK) {
        store_manifest_encode(image, &again);
        ASSERT(are_same(bytes, &again));
    }
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0) {
        return 0;
    }
    struct span input = {mem_copy(bytes + 1, length - 1), length - 1};
    if ((bytes[0] & 2) != 0) {
        make_right((uint8_t *)input.bytes, input.length);
    }
    if ((bytes[0] & 1) != 0) {
        try_manifest(input);
    } else {
        try_record(input);
    }
    mem_free((void *)input.bytes);
    return 0;
}
