/*
 * zone/image.h - a whole version as bytes, both layers and the hashes: what a restart reads
 *
 * A stream of pieces of at most a few MiB, each with its length and a checksum; names in canonical
 * order, so that reading builds the trees at once, without parsing text and without a signature.
 * The format is private; a header with a version number and a checksum over it tells an image of
 * another release (SG_UNSUPPORTED: the zone is then built from its file). The bytes come from the
 * disk: checked, never trusted (fuzz_image).
 */
#pragma once

#include "base/buffer.h"
#include "zone/edit.h"

/* Hand over the next bytes; false: stop, the writing failed. */
typedef bool zone_image_sink(void *argument, struct span bytes);
/* SG_CANCELLED when the sink failed. Thread: worker, holding the version. */
MUST_USE enum sg_result zone_image_write(const struct zone_version *version, zone_image_sink *sink,
                                         void *argument);

/* The next bytes into `out_bytes`: how many, at most `bytes_max`; 0: the end. SIZE_MAX: failed. */
typedef size_t zone_image_source(void *argument, uint8_t *out_bytes, size_t bytes_max);
/*
 * Build a draft of the zone; seal it next. SG_MALFORMED (checksum, order, contents), SG_IO,
 * SG_UNSUPPORTED, SG_CONFLICT (another apex or class), SG_LIMIT.
 */
MUST_USE enum sg_result zone_image_read(const struct dns_name *apex, uint16_t rrclass,
                                        zone_image_source *source, void *argument,
                                        struct zone_edit **out_edit);
