/*
 * base/mem.h - allocation that never fails
 *
 * Out of memory aborts with a message; sizes that come from outside are bounded before they come
 * here. Each allocation is freed with mem_free(). Thread: any.
 */
#pragma once

#include <stddef.h>

#include "base/assert.h"

MUST_USE void *mem_alloc(size_t bytes);                    /* not cleared */
MUST_USE void *mem_alloc_zero(size_t count, size_t bytes); /* cleared; aborts on overflow */
MUST_USE void *mem_resize(void *old, size_t bytes);
MUST_USE void *mem_resize_array(void *old, size_t count, size_t bytes); /* aborts on overflow */
MUST_USE char *mem_copy_text(const char *text);
MUST_USE void *mem_copy(const void *from, size_t bytes);
MUST_USE char *mem_format(const char *format, ...) PRINTF_LIKE(1, 2);
void mem_free(void *memory); /* NULL is fine */
/* Overwrite with zeros in a way that the compiler keeps, then free. For secrets. */
void mem_wipe_free(void *memory, size_t bytes);
void mem_wipe(void *memory, size_t bytes);
/* The process is about to end: what is freed from now on need not go back to the system piece by
 * piece. */
void mem_end(void);
