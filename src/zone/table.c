#include "zone/table.h"

#include "base/mem.h"
#include "base/random.h"
#include "zone/hash.h"

/*
 * An open hash of apexes. A name is hashed from its root label on; after each label the hash so
 * far is that of an ancestor, so one pass over the name prepares the question for all of them.
 * They are then asked for from the deepest on, but only at depths where there are apexes at all:
 * a server of second-level zones looks once, whatever the number of labels in the question.
 *
 * An entry holds a piece of the hash, so that a slot is touched only when it is very likely the
 * one. The seed is random: whoever may name zones here shall not choose which of them collide.
 */
struct entry {
    uint32_t tag;
    uint32_t slot; /* index + 1; 0: free */
};

struct zone_table {
    struct entry *entries;
    uint32_t mask;
    uint64_t seed;
    uint64_t depths[2]; /* bit n: there is an apex of n labels */
    unsigned deepest;   /* the highest such n */
    struct zone_slot **slots;
};

enum { SLOTS_MAX = 1 << 28 };

/* Where the labels of a name begin, and the hash of the ancestor that begins at each. */
struct hashed_name {
    uint8_t starts[DNS_LABELS_MAX + 1];
    uint64_t hashes[DNS_LABELS_MAX + 1]; /* [n]: of the ancestor with n labels */
    unsigned labels;                     /* of the deepest ancestor that was hashed */
};

/* Only as far down as there are apexes: what lies deeper is nobody's. */
static void hash_name(const struct zone_table *table, const struct dns_name *name,
                      struct hashed_name *out_hashed)
{
    const uint8_t *at = name->wire;
    for (unsigned i = 0; i < name->labels; i++) {
        out_hashed->starts[i] = (uint8_t)(at - name->wire);
        at += 1 + *at;
    }
    out_hashed->starts[name->labels] = (uint8_t)(at - name->wire);
    uint64_t hash = table->seed;
    out_hashed->hashes[0] = hash;
    out_hashed->labels = name->labels < table->deepest ? name->labels : table->deepest;
    for (unsigned labels = 1; labels <= out_hashed->labels; labels++) {
        const uint8_t *label = name->wire + out_hashed->starts[name->labels - labels];
        hash = hash_bytes(hash, label, 1U + *label);
        out_hashed->hashes[labels] = hash;
    }
}

static bool has_depth(const struct zone_table *table, unsigned labels)
{
    return (table->depths[labels / 64] >> labels % 64 & 1) != 0;
}

/* The entry of the apex with these wire bytes, or the free one where it would be. */
static struct entry *find_entry(const struct zone_table *table, uint64_t hash, const uint8_t *wire,
                                size_t length)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash & table->mask;; i = (i + 1) & table->mask) {
        struct entry *entry = &table->entries[i];
        if (entry->slot == 0) {
            return entry; /* At most half of the entries are taken, so there is one. */
        }
        if (entry->tag != tag) {
            continue;
        }
        const struct dns_name *apex = &table->slots[entry->slot - 1]->apex;
        if (apex->length == length && memcmp(apex->wire, wire, length) == 0) {
            return entry;
        }
    }
}

static struct zone_slot *find_ancestor(const struct zone_table *table, const struct dns_name *name,
                                       const struct hashed_name *hashed, unsigned labels)
{
    unsigned start = hashed->starts[name->labels - labels];
    const struct entry *entry =
        find_entry(table, hashed->hashes[labels], name->wire + start, (size_t)name->length - start);
    return entry->slot != 0 ? table->slots[entry->slot - 1] : NULL;
}

enum sg_result zone_table_new(struct zone_slot *const *slots, size_t count,
                              struct zone_table **out_table, size_t *out_duplicate)
{
    if (count > SLOTS_MAX) {
        return SG_LIMIT;
    }
    struct zone_table *table = mem_alloc_zero(1, sizeof(*table));
    uint32_t size = 2;
    while (size < count * 2) {
        size *= 2;
    }
    random_bytes(&table->seed, sizeof(table->seed));
    table->mask = size - 1;
    table->entries = mem_alloc_zero(size, sizeof(*table->entries));
    table->slots = mem_alloc_zero(count, sizeof(struct zone_slot *));
    for (size_t i = 0; i < count; i++) {
        const struct dns_name *apex = &slots[i]->apex;
        table->deepest = apex->labels > table->deepest ? apex->labels : table->deepest;
        struct hashed_name hashed;
        hash_name(table, apex, &hashed);
        uint64_t hash = hashed.hashes[apex->labels];
        struct entry *entry = find_entry(table, hash, apex->wire, apex->length);
        if (entry->slot != 0) {
            zone_table_free(table);
            *out_duplicate = i;
            return SG_EXISTS;
        }
        *entry = (struct entry){(uint32_t)(hash >> 32), (uint32_t)i + 1};
        table->slots[i] = slots[i];
        table->depths[apex->labels / 64] |= UINT64_C(1) << apex->labels % 64;
    }
    *out_table = table;
    return SG_OK;
}

void zone_table_free(struct zone_table *table)
{
    if (table != NULL) {
        mem_free(table->entries);
        mem_free(table->slots);
        mem_free(table);
    }
}

struct zone_slot *zone_table_find(const struct zone_table *table, const struct dns_name *name,
                                  bool above)
{
    struct hashed_name hashed;
    hash_name(table, name, &hashed);
    struct zone_slot *at_name = NULL;
    for (unsigned labels = hashed.labels + 1U; labels-- > 0;) {
        struct zone_slot *slot =
            has_depth(table, labels) ? find_ancestor(table, name, &hashed, labels) : NULL;
        if (slot == NULL) {
            continue;
        }
        if (!above || labels < name->labels) {
            return slot;
        }
        at_name = slot;
    }
    return at_name;
}

struct zone_slot *zone_table_exact(const struct zone_table *table, const struct dns_name *apex)
{
    if (!has_depth(table, apex->labels)) {
        return NULL;
    }
    struct hashed_name hashed;
    hash_name(table, apex, &hashed);
    return find_ancestor(table, apex, &hashed, apex->labels);
}
