/*
 * dns/nsec_bitmap.h - type bit maps of NSEC and NSEC3 (RFC 4034 4.1.2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum { NSEC_BITMAP_BYTES_MAX = 256 * 34 };

/* From `count` types in ascending order, appended to `writer`. */
void nsec_bitmap_write(struct writer *writer, const uint16_t *types, size_t count);
bool nsec_bitmap_has(struct span bitmap, uint16_t type);
/* Well formed: windows ascending, lengths 1 to 32, no trailing zero byte. For bytes from outside.
 */
bool nsec_bitmap_check(struct span bitmap);
