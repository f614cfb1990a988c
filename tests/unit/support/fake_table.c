#include "support/fake_table.h"

#include <string.h>

#include "base/mem.h"

static int compare(struct span a, struct span b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.bytes, b.bytes, shorter);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

size_t fake_table_find(const struct fake_table *table, struct span key)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(buffer_span(&table->entries[middle].key), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool fake_table_has(const struct fake_table *table, size_t at, struct span key)
{
    return at < table->count && compare(buffer_span(&table->entries[at].key), key) == 0;
}

void fake_buffer_set(struct buffer *buffer, struct span bytes)
{
    buffer_clear(buffer);
    buffer_append(buffer, bytes.bytes, bytes.length);
}

void fake_entry_free(struct fake_entry *entry)
{
    buffer_free(&entry->key);
    buffer_free(&entry->value);
}

void fake_table_put(struct fake_table *table, struct span key, struct span value)
{
    size_t at = fake_table_find(table, key);
    if (!fake_table_has(table, at, key)) {
        if (table->count == table->capacity) {
            table->capacity = table->capacity * 2 + 16;
            table->entries =
                mem_resize_array(table->entries, table->capacity, sizeof(*table->entries));
        }
        memmove(&table->entries[at + 1], &table->entries[at],
                (table->count - at) * sizeof(*table->entries));
        table->entries[at] = (struct fake_entry){BUFFER_EMPTY, BUFFER_EMPTY};
        table->count++;
        fake_buffer_set(&table->entries[at].key, key);
    }
    fake_buffer_set(&table->entries[at].value, value);
}

void fake_table_remove(struct fake_table *table, struct span key)
{
    size_t at = fake_table_find(table, key);
    if (fake_table_has(table, at, key)) {
        fake_entry_free(&table->entries[at]);
        table->count--;
        memmove(&table->entries[at], &table->entries[at + 1],
                (table->count - at) * sizeof(*table->entries));
    }
}
