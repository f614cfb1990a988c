#include "conf/memory.h"

#include <stdalign.h>

#include "base/mem.h"

enum {
    BLOCK_BYTES_FIRST = 4096,
    BLOCK_BYTES_MAX = 1 << 20,
    NAMES_CAPACITY_FIRST = 64,
};

struct block {
    struct block *next;
    size_t used, capacity;
    alignas(max_align_t) uint8_t bytes[];
};

struct conf_memory {
    struct block *blocks; /* the one in use first */
    struct conf_names interned, remembered;
    size_t bytes;
};

struct conf_name_entry {
    const void *key;
    void *thing; /* NULL: free */
    uint32_t length;
    uint32_t hash;
};

/* Quick rather than keyed: whoever writes the configuration owns the server anyway. */
static uint32_t hash_of(const void *key, size_t length)
{
    const uint8_t *at = key;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ length, word = 0;

    for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, at, length);
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    return (uint32_t)(hash >> 32);
}

struct conf_memory *conf_memory_new(void)
{
    return mem_alloc_zero(1, sizeof(struct conf_memory));
}

void conf_memory_free(struct conf_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    for (struct block *block = memory->blocks; block != NULL;) {
        struct block *next = block->next;
        /* TSIG secrets lie somewhere in here. */
        mem_wipe_free(block, sizeof(*block) + block->used);
        block = next;
    }
    conf_names_free(&memory->interned);
    conf_names_free(&memory->remembered);
    mem_free(memory);
}

static struct block *add_block(struct conf_memory *memory, size_t bytes)
{
    size_t capacity = memory->blocks == NULL ? BLOCK_BYTES_FIRST : memory->blocks->capacity * 2;
    if (capacity > BLOCK_BYTES_MAX) {
        capacity = BLOCK_BYTES_MAX;
    }
    if (capacity < bytes) {
        capacity = bytes;
    }
    struct block *block = mem_alloc(sizeof(*block) + capacity);
    block->used = 0;
    block->capacity = capacity;
    block->next = memory->blocks;
    memory->blocks = block;
    return block;
}

static void *take(struct conf_memory *memory, size_t bytes, size_t alignment)
{
    struct block *block = memory->blocks;
    size_t start = block == NULL ? 0 : (block->used + alignment - 1) & ~(alignment - 1);

    if (block == NULL || start > block->capacity || block->capacity - start < bytes) {
        block = add_block(memory, bytes);
        start = 0;
    }
    block->used = start + bytes;
    memory->bytes += bytes;
    return block->bytes + start;
}

void *conf_memory_take(struct conf_memory *memory, size_t bytes)
{
    return take(memory, bytes, alignof(max_align_t));
}

void *conf_memory_take_zero(struct conf_memory *memory, size_t count, size_t bytes)
{
    ASSERT(bytes > 0 && count <= SIZE_MAX / 2 / bytes);
    void *taken = conf_memory_take(memory, count * bytes);
    memset(taken, 0, count * bytes);
    return taken;
}

const void *conf_memory_copy(struct conf_memory *memory, const void *from, size_t bytes)
{
    void *copy = conf_memory_take(memory, bytes);
    if (bytes > 0) {
        memcpy(copy, from, bytes);
    }
    return copy;
}

const uint8_t *conf_memory_copy_bytes(struct conf_memory *memory, const uint8_t *bytes,
                                      size_t length)
{
    uint8_t *copy = take(memory, length, 1);
    memcpy(copy, bytes, length);
    return copy;
}

const char *conf_memory_text(struct conf_memory *memory, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = take(memory, bytes, 1);
    memcpy(copy, text, bytes);
    return copy;
}

const char *conf_memory_intern(struct conf_memory *memory, const char *text)
{
    size_t bytes = strlen(text) + 1;
    void *known = conf_names_find(&memory->interned, text, bytes);
    if (known == NULL) {
        char *copy = take(memory, bytes, 1);
        memcpy(copy, text, bytes);
        known = copy;
        bool added = conf_names_add(&memory->interned, copy, bytes, known);
        ASSERT(added);
    }
    return known;
}

const void *conf_memory_intern_bytes(struct conf_memory *memory, const void *bytes, size_t length)
{
    void *known = conf_names_find(&memory->interned, bytes, length);
    if (known == NULL) {
        known = conf_memory_take(memory, length);
        memcpy(known, bytes, length);
        bool added = conf_names_add(&memory->interned, known, length, known);
        ASSERT(added);
    }
    return known;
}

void *conf_memory_recall(const struct conf_memory *memory, const void *key, size_t length)
{
    return conf_names_find(&memory->remembered, key, length);
}

void conf_memory_remember(struct conf_memory *memory, const void *key, size_t length, void *thing)
{
    const void *copy = conf_memory_copy(memory, key, length);
    bool added = conf_names_add(&memory->remembered, copy, length, thing);
    ASSERT(added);
}

void conf_memory_seal(struct conf_memory *memory)
{
    conf_names_free(&memory->interned);
    conf_names_free(&memory->remembered);
}

size_t conf_memory_bytes(const struct conf_memory *memory)
{
    return memory->bytes;
}

/* Where the key is, or where it would be. There is always a free entry. */
static struct conf_name_entry *entry_of(const struct conf_names *names, const void *key,
                                        size_t length, uint32_t hash)
{
    size_t mask = names->capacity - 1;

    for (size_t at = hash & mask, probes = 0; probes < names->capacity; probes++) {
        struct conf_name_entry *entry = &names->entries[(at + probes) & mask];
        if (entry->thing == NULL || (entry->hash == hash && entry->length == length &&
                                     memcmp(entry->key, key, length) == 0)) {
            return entry;
        }
    }
    UNREACHABLE();
}

void *conf_names_find(const struct conf_names *names, const void *key, size_t length)
{
    if (names->capacity == 0) {
        return NULL;
    }
    return entry_of(names, key, length, hash_of(key, length))->thing;
}

static void grow(struct conf_names *names)
{
    struct conf_names old = *names;

    names->capacity = old.capacity == 0 ? NAMES_CAPACITY_FIRST : old.capacity * 2;
    names->entries = mem_alloc_zero(names->capacity, sizeof(*names->entries));
    for (size_t i = 0; i < old.capacity; i++) {
        const struct conf_name_entry *entry = &old.entries[i];
        if (entry->thing != NULL) {
            *entry_of(names, entry->key, entry->length, entry->hash) = *entry;
        }
    }
    mem_free(old.entries);
}

bool conf_names_add(struct conf_names *names, const void *key, size_t length, void *thing)
{
    ASSERT(thing != NULL && length <= UINT32_MAX);
    if (names->count >= names->capacity / 4 * 3) {
        grow(names);
    }
    uint32_t hash = hash_of(key, length);
    struct conf_name_entry *entry = entry_of(names, key, length, hash);
    if (entry->thing != NULL) {
        return false;
    }
    *entry = (struct conf_name_entry){key, thing, (uint32_t)length, hash};
    names->count++;
    return true;
}

const void *conf_names_next(const struct conf_names *names, size_t *at)
{
    while (*at < names->capacity) {
        const struct conf_name_entry *entry = &names->entries[(*at)++];
        if (entry->thing != NULL) {
            return entry->key;
        }
    }
    return NULL;
}

void conf_names_free(struct conf_names *names)
{
    mem_free(names->entries);
    *names = CONF_NAMES_EMPTY;
}
