/*
 * Bytes as an image of example., its checksums put right first, so that what stands behind them is
 * met. Whatever is read must be a zone that keeps its invariants, and the same again when it is
 * written and read once more.
 */
#include <stdint.h>

#include "../unit/zone/random_edits.h"
#include "base/crc32c.h"
#include "epoch_stub.h"
#include "zone/image.h"

enum { HEADER_BYTES = 280, PIECE_HEAD_BYTES = 16, PIECES_MAX = 64 };

static const struct arena_sizes sizes = {64, 512, 5000};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void put_checksum(uint8_t *at, size_t length, uint32_t crc)
{
    crc = crc32c(crc, at, length);
    memcpy(at + length, &crc, sizeof(crc));
}

static void mend_checksums(uint8_t *image, size_t length)
{
    if (length < HEADER_BYTES) {
        return;
    }
    put_checksum(image, HEADER_BYTES - 4, 0);
    size_t at = HEADER_BYTES;
    for (int i = 0; i < PIECES_MAX && length - at >= PIECE_HEAD_BYTES; i++) {
        uint32_t content;
        memcpy(&content, image + at + 4, sizeof(content));
        if (content > length - at - PIECE_HEAD_BYTES) {
            return;
        }
        uint32_t crc = crc32c(crc32c(0, image + at, PIECE_HEAD_BYTES - 4),
                              image + at + PIECE_HEAD_BYTES, content);
        memcpy(image + at + PIECE_HEAD_BYTES - 4, &crc, sizeof(crc));
        at += PIECE_HEAD_BYTES + content;
    }
}

static size_t take_from(void *argument, uint8_t *out_bytes, size_t bytes_max)
{
    struct reader *reader = argument;
    size_t count = reader_left(reader) < bytes_max ? reader_left(reader) : bytes_max;
    struct span span = reader_span(reader, count);
    if (count > 0) {
        memcpy(out_bytes, span.bytes, count);
    }
    return count;
}

static bool append_to(void *argument, struct span bytes)
{
    buffer_append(argument, bytes.bytes, bytes.length);
    return true;
}

static const struct zone_version *read_image(const struct dns_name *apex, struct span image)
{
    const struct zone_version *version;
    struct reader reader = reader_of(image);
    struct zone_edit *edit = draft_new(apex, DNS_CLASS_IN, &sizes);
    if (image_read_draft(edit, take_from, &reader) != SG_OK) {
        zone_edit_abandon(edit);
        return NULL;
    }
    return zone_edit_seal(edit, &version) == SG_OK ? version : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct dns_name apex;
    ASSERT(dns_name_from_text("example.", 8, NULL, &apex) == SG_OK);
    uint8_t *image = mem_copy(bytes, length);
    mend_checksums(image, length);
    const struct zone_version *version = read_image(&apex, (struct span){image, length});
    if (version != NULL) {
        struct buffer again = BUFFER_EMPTY;
        zone_version_check(version);
        ASSERT(zone_image_write(version, append_to, &again) == SG_OK);
        const struct zone_version *copy = read_image(&apex, buffer_span(&again));
        ASSERT(copy != NULL);
        edits_check_same(version, copy, false);
        zone_version_unref(copy);
        zone_version_unref(version);
        buffer_free(&again);
    }
    mem_free(image);
    epoch_barrier();
    return 0;
}
