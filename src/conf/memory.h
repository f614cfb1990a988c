/*
 * conf/memory.h - memory that is freed all at once, and names that are looked up in it
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct conf_memory;

struct conf_memory *conf_memory_new(void);
void conf_memory_free(struct conf_memory *memory); /* NULL is fine; contents are wiped */

/* Aligned for anything, not cleared. */
MUST_USE void *conf_memory_take(struct conf_memory *memory, size_t bytes);
MUST_USE void *conf_memory_take_zero(struct conf_memory *memory, size_t count, size_t bytes);
const void *conf_memory_copy(struct conf_memory *memory, const void *from, size_t bytes);
/* The same, for bytes that need no alignment. */
const uint8_t *conf_memory_copy_bytes(struct conf_memory *memory, const uint8_t *bytes,
                                      size_t length);
const char *conf_memory_text(struct conf_memory *memory, const char *text);
/* The same text is the same pointer: for strings that thousands of zones repeat. */
const char *conf_memory_intern(struct conf_memory *memory, const char *text);
/* The same bytes are the same pointer; `bytes` is compared whole, so padding must be cleared. */
const void *conf_memory_intern_bytes(struct conf_memory *memory, const void *bytes, size_t length);
/* What was remembered under exactly these bytes, or NULL. For things that are equal by another
 * measure than their bytes. */
void *conf_memory_recall(const struct conf_memory *memory, const void *key, size_t length);
/* `key` must not be remembered yet; it is copied, `thing` belongs to the memory. */
void conf_memory_remember(struct conf_memory *memory, const void *key, size_t length, void *thing);
/* Nothing more will be taken or interned: let go of what only that needs. */
void conf_memory_seal(struct conf_memory *memory);
size_t conf_memory_bytes(const struct conf_memory *memory);

/* A set of byte strings, each with a thing that it names. Keys are borrowed. */
struct conf_names {
    struct conf_name_entry *entries;
    size_t capacity, count;
};
#define CONF_NAMES_EMPTY ((struct conf_names){NULL, 0, 0})
/* The thing, or NULL. */
void *conf_names_find(const struct conf_names *names, const void *key, size_t length);
/* False when the key is there already; nothing is changed then. `thing` is not NULL. */
bool conf_names_add(struct conf_names *names, const void *key, size_t length, void *thing);
/* The keys in any order: begin with `*at` 0; NULL: no more. */
const void *conf_names_next(const struct conf_names *names, size_t *at);
void conf_names_free(struct conf_names *names);
