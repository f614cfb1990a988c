/* A table of the disk in memory: entries in the order of their keys. */
#pragma once

#include "base/buffer.h"

struct fake_entry {
    struct buffer key, value;
};

struct fake_table {
    struct fake_entry *entries; /* sorted by key */
    size_t count, capacity;
};

/* Where the first key at or after `key` stands. */
size_t fake_table_find(const struct fake_table *table, struct span key);
/* Is `key` what stands there? */
bool fake_table_has(const struct fake_table *table, size_t at, struct span key);
void fake_table_put(struct fake_table *table, struct span key, struct span value);
void fake_table_remove(struct fake_table *table, struct span key);
void fake_entry_free(struct fake_entry *entry);
void fake_buffer_set(struct buffer *buffer, struct span bytes);
