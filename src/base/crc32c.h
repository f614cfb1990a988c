/*
 * base/crc32c.h - CRC-32C (Castagnoli; RFC 3720 B.4): has memory or a disk changed these bytes?
 *
 * By the processor's instruction where it has one (x86 with SSE 4.2), else by tables. No defence
 * against people: base/siphash.h is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Of `length` bytes behind those that gave `before`; 0 begins. Thread: any. */
uint32_t crc32c(uint32_t before, const void *bytes, size_t length);
/* The same, without the instruction. */
uint32_t crc32c_by_tables(uint32_t before, const void *bytes, size_t length);
