#include "zone/prefetch.h"

#include "zone/lineage.h"
#include "zone/owner.h"

enum {
    CACHE_LINE_BYTES = 64,
    /* Header, entries, owner and the first rdatas; a signature is a line and a half. */
    BLOCK_LINES = 4,
};

/* A search on its way down. */
struct descent {
    uint8_t *const *chunks;
    const struct tree_cell *cell;
    struct tree_key key;
};

static void fetch_block(const struct zone_block *block)
{
    const uint8_t *at = (const uint8_t *)block;

    for (size_t line = 0; line < BLOCK_LINES; line++) {
        __builtin_prefetch(at + line * CACHE_LINE_BYTES);
    }
}

static void fetch_leaf(uint8_t *const *chunks, const struct tree_cell *leaf)
{
    fetch_block(tree_source(chunks, leaf));
    if (leaf->lo != 0) {
        fetch_block(tree_generated(chunks, leaf));
    }
}

/* To the twig that tree_nearest() would take. */
static void step_down(struct descent *descent)
{
    const struct tree_cell *cell = descent->cell;
    unsigned symbol = tree_key_at(&descent->key, tree_offset(cell));
    unsigned index = tree_has_twig(cell, symbol) ? tree_twig_index(cell, symbol) : 0;

    descent->cell = tree_twigs(descent->chunks, cell) + index;
    __builtin_prefetch(descent->cell);
}

/* Returns how many have a tree to go down. */
static size_t begin(const struct zone_prefetch *questions, size_t count,
                    struct descent out_descents[ZONE_PREFETCH_MAX])
{
    size_t begun = 0;

    for (size_t i = 0; i < count; i++) {
        const struct zone_version *version = questions[i].version;
        struct descent *descent = &out_descents[begun];
        struct span owner;
        if (!owner_of(questions[i].name, &version->lineage->apex, &owner) ||
            tree_is_empty(&version->names)) {
            continue;
        }
        tree_key_encode(owner.bytes, owner.length, &descent->key);
        descent->chunks = version->chunks;
        descent->cell = &version->names;
        begun++;
    }
    return begun;
}

/* One step for each; those that are at their leaf are done. Returns how many are left. */
static size_t step_all(struct descent **under_way, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        struct descent *descent = under_way[i];
        if (tree_is_branch(descent->cell)) {
            step_down(descent);
            under_way[left++] = descent;
        } else {
            fetch_leaf(descent->chunks, descent->cell);
        }
    }
    return left;
}

void zone_prefetch(const struct zone_prefetch *questions, size_t count)
{
    struct descent descents[ZONE_PREFETCH_MAX]; /* Not cleared: large. */
    struct descent *under_way[ZONE_PREFETCH_MAX];

    ASSERT(count <= ZONE_PREFETCH_MAX);
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(questions[i].version);
    }
    size_t left = begin(questions, count, descents);
    for (size_t i = 0; i < left; i++) {
        under_way[i] = &descents[i];
    }
    while (left > 0) { /* at most as often as the deepest tree has steps */
        left = step_all(under_way, left);
    }
}
