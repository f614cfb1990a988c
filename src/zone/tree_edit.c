#include "base/mem.h"
#include "zone/tree.h"

static size_t twigs_bytes(unsigned count)
{
    return count * sizeof(struct tree_cell);
}

static void set_bitmap(struct tree_cell *cell, uint64_t bitmap)
{
    cell->lo = (uint32_t)bitmap;
    cell->hi = (cell->hi & ~(uint32_t)TREE_BITMAP_HIGH) | (uint32_t)(bitmap >> 32);
}

static bool is_fresh(const struct tree_writer *writer, const struct tree_cell *cell)
{
    return writer->all_fresh || (cell->hi & TREE_FRESH) != 0;
}

static uint32_t fresh_mark(const struct tree_writer *writer)
{
    return writer->all_fresh ? 0 : TREE_FRESH;
}

static struct tree_cell *writable_twigs(const struct tree_writer *writer,
                                        const struct tree_cell *cell)
{
    return arena_write(writer->arena, cell->ref);
}

/* Let the branch, which can be written, have twigs that can be written. */
static enum sg_result own_twigs(struct tree_writer *writer, struct tree_cell *cell)
{
    if (is_fresh(writer, cell)) {
        return SG_OK;
    }
    size_t bytes = twigs_bytes(tree_twigs_count(cell));
    arena_ref ref;
    enum sg_result result = arena_alloc(writer->arena, bytes, &ref);
    if (result != SG_OK) {
        return result;
    }
    memcpy(arena_write(writer->arena, ref), tree_twigs(writer->arena->chunks, cell), bytes);
    tree_discard(writer, cell->ref, bytes, false);
    cell->ref = ref;
    cell->hi |= TREE_FRESH;
    return SG_OK;
}

/* Give a branch one more twig. */
static enum sg_result widen(struct tree_writer *writer, struct tree_cell *cell, unsigned symbol,
                            struct tree_cell **out_leaf)
{
    unsigned count = tree_twigs_count(cell);
    unsigned index = tree_twig_index(cell, symbol);
    arena_ref ref;
    enum sg_result result = arena_alloc(writer->arena, twigs_bytes(count + 1), &ref);
    if (result != SG_OK) {
        return result;
    }
    const struct tree_cell *old = tree_twigs(writer->arena->chunks, cell);
    struct tree_cell *twigs = arena_write(writer->arena, ref);
    memcpy(twigs, old, twigs_bytes(index));
    twigs[index] = (struct tree_cell){0};
    memcpy(twigs + index + 1, old + index, twigs_bytes(count - index));
    tree_discard(writer, cell->ref, twigs_bytes(count), is_fresh(writer, cell));

    set_bitmap(cell, tree_bitmap(cell) | UINT64_C(1) << symbol);
    cell->ref = ref;
    cell->hi |= fresh_mark(writer);
    *out_leaf = twigs + index;
    return SG_OK;
}

/* Put a branch above what is here: all keys below have `there` at the offset. */
static enum sg_result split(struct tree_writer *writer, struct tree_cell *cell, unsigned offset,
                            unsigned there, unsigned symbol, struct tree_cell **out_leaf)
{
    arena_ref ref;
    enum sg_result result = arena_alloc(writer->arena, twigs_bytes(2), &ref);
    if (result != SG_OK) {
        return result;
    }
    struct tree_cell *twigs = arena_write(writer->arena, ref);
    unsigned index = symbol > there;
    twigs[index] = (struct tree_cell){0};
    twigs[1 - index] = *cell;

    *cell = (struct tree_cell){
        .hi = TREE_BRANCH | fresh_mark(writer) | (uint32_t)offset << TREE_OFFSET_SHIFT,
        .ref = ref,
    };
    set_bitmap(cell, UINT64_C(1) << there | UINT64_C(1) << symbol);
    *out_leaf = twigs + index;
    return SG_OK;
}

/* Take one twig away; the last but one is lifted into the branch's own cell. */
static enum sg_result narrow(struct tree_writer *writer, struct tree_cell *cell, unsigned symbol)
{
    unsigned count = tree_twigs_count(cell);
    unsigned index = tree_twig_index(cell, symbol);
    const struct tree_cell *old = tree_twigs(writer->arena->chunks, cell);
    if (count == 2) {
        struct tree_cell last = old[1 - index];
        tree_discard(writer, cell->ref, twigs_bytes(count), is_fresh(writer, cell));
        *cell = last;
        return SG_OK;
    }
    arena_ref ref;
    enum sg_result result = arena_alloc(writer->arena, twigs_bytes(count - 1), &ref);
    if (result != SG_OK) {
        return result;
    }
    struct tree_cell *twigs = arena_write(writer->arena, ref);
    memcpy(twigs, old, twigs_bytes(index));
    memcpy(twigs + index, old + index + 1, twigs_bytes(count - index - 1));
    tree_discard(writer, cell->ref, twigs_bytes(count), is_fresh(writer, cell));

    set_bitmap(cell, tree_bitmap(cell) & ~(UINT64_C(1) << symbol));
    cell->ref = ref;
    cell->hi |= fresh_mark(writer);
    return SG_OK;
}

/* Where the key parts from the tree, and a key in the tree that goes on there. */
static unsigned part_from_tree(const struct tree_writer *writer, const struct tree_cell *root,
                               const struct tree_key *key, struct tree_key *out_there)
{
    uint8_t *const *chunks = writer->arena->chunks;
    struct span owner = tree_owner(chunks, tree_nearest(chunks, root, key));
    tree_key_encode(owner.bytes, owner.length, out_there);
    return tree_key_difference(key, out_there);
}

/* Down to the first cell at or beyond the offset; all vectors on the way can be written. */
static enum sg_result own_path(struct tree_writer *writer, struct tree_cell *root,
                               const struct tree_key *key, unsigned offset,
                               struct tree_cell **out_cell)
{
    struct tree_cell *cell = root;
    while (tree_is_branch(cell) && tree_offset(cell) < offset) {
        enum sg_result result = own_twigs(writer, cell);
        if (result != SG_OK) {
            return result;
        }
        unsigned symbol = tree_key_at(key, tree_offset(cell));
        cell = writable_twigs(writer, cell) + tree_twig_index(cell, symbol);
    }
    *out_cell = cell;
    return SG_OK;
}

void tree_discard(struct tree_writer *writer, arena_ref ref, size_t bytes, bool fresh)
{
    /* A guest's memory is not the arena's before the edit is sealed. */
    if (fresh && arena_kind(writer->arena, ref) == ARENA_CHUNK_OWN) {
        arena_free(writer->arena, ref, bytes);
    } else {
        pieces_add(&writer->retired, ref, bytes);
    }
}

enum sg_result tree_put(struct tree_writer *writer, struct tree_cell *root,
                        const struct tree_key *key, struct tree_cell **out_leaf, bool *out_created)
{
    if (tree_is_empty(root)) {
        *root = (struct tree_cell){0};
        *out_leaf = root;
        *out_created = true;
        return SG_OK;
    }
    struct tree_key there;
    unsigned difference = part_from_tree(writer, root, key, &there);
    struct tree_cell *cell;
    enum sg_result result = own_path(writer, root, key, difference, &cell);
    if (result != SG_OK) {
        return result;
    }
    if (difference == TREE_KEYS_EQUAL) {
        *out_leaf = cell;
        *out_created = false;
        return SG_OK;
    }
    *out_created = true;
    unsigned symbol = tree_key_at(key, difference);
    if (tree_is_branch(cell) && tree_offset(cell) == difference) {
        return widen(writer, cell, symbol, out_leaf);
    }
    return split(writer, cell, difference, tree_key_at(&there, difference), symbol, out_leaf);
}

enum sg_result tree_own(struct tree_writer *writer, struct tree_cell *root,
                        const struct tree_key *key, struct tree_cell **out_leaf)
{
    struct tree_key there;
    if (tree_is_empty(root) || part_from_tree(writer, root, key, &there) != TREE_KEYS_EQUAL) {
        return SG_NOT_FOUND;
    }
    return own_path(writer, root, key, TREE_KEYS_EQUAL, out_leaf);
}

enum sg_result tree_remove(struct tree_writer *writer, struct tree_cell *root,
                           const struct tree_key *key, struct tree_cell *out_removed)
{
    if (tree_is_empty(root)) {
        return SG_NOT_FOUND;
    }
    struct tree_key there;
    if (part_from_tree(writer, root, key, &there) != TREE_KEYS_EQUAL) {
        return SG_NOT_FOUND;
    }

    struct tree_cell *parent = NULL;
    struct tree_cell *cell = root;
    while (tree_is_branch(cell)) {
        enum sg_result result = own_twigs(writer, cell);
        if (result != SG_OK) {
            return result;
        }
        unsigned symbol = tree_key_at(key, tree_offset(cell));
        parent = cell;
        cell = writable_twigs(writer, cell) + tree_twig_index(cell, symbol);
    }
    struct tree_cell removed = *cell;
    if (parent == NULL) {
        *root = (struct tree_cell){0};
    } else {
        enum sg_result result = narrow(writer, parent, tree_key_at(key, tree_offset(parent)));
        if (result != SG_OK) {
            return result;
        }
    }
    *out_removed = removed;
    return SG_OK;
}

/* A walk over cells that can be written. */
struct walk {
    unsigned depth;
    struct {
        struct tree_cell *cell, *end;
    } path[TREE_KEY_SYMBOLS_MAX + 1];
};

static struct walk *walk_start(struct tree_cell *root)
{
    struct walk *walk = mem_alloc(sizeof(*walk));
    walk->depth = 1;
    walk->path[0].cell = root;
    walk->path[0].end = root + 1;
    return walk;
}

/* The next cell, a branch before its twigs. NULL at the end. */
static struct tree_cell *walk_next(struct walk *walk)
{
    while (walk->depth > 0 && walk->path[walk->depth - 1].cell == walk->path[walk->depth - 1].end) {
        walk->depth--;
    }
    return walk->depth > 0 ? walk->path[walk->depth - 1].cell++ : NULL;
}

static void walk_into(struct walk *walk, struct arena *arena, const struct tree_cell *branch)
{
    struct tree_cell *twigs = arena_write(arena, branch->ref);
    walk->path[walk->depth].cell = twigs;
    walk->path[walk->depth].end = twigs + tree_twigs_count(branch);
    walk->depth++;
}

enum sg_result tree_own_all(struct tree_writer *writer, struct tree_cell *root,
                            void (*change)(void *argument, struct tree_cell *leaf), void *argument)
{
    if (tree_is_empty(root)) {
        return SG_OK;
    }
    enum sg_result result = SG_OK;
    struct walk *walk = walk_start(root);
    for (struct tree_cell *cell; result == SG_OK && (cell = walk_next(walk)) != NULL;) {
        if (!tree_is_branch(cell)) {
            change(argument, cell);
            continue;
        }
        result = own_twigs(writer, cell);
        if (result == SG_OK) {
            walk_into(walk, writer->arena, cell);
        }
    }
    mem_free(walk);
    return result;
}

void tree_collect_fresh(struct arena *arena, struct tree_cell *root, struct pieces *out_made)
{
    struct walk *walk = walk_start(root);
    for (struct tree_cell *cell; (cell = walk_next(walk)) != NULL;) {
        bool branch = tree_is_branch(cell);
        if ((cell->hi & TREE_FRESH) != 0) {
            size_t bytes = branch ? twigs_bytes(tree_twigs_count(cell))
                                  : block_bytes(tree_source(arena->chunks, cell));
            pieces_add(out_made, cell->ref, bytes);
        }
        if (!branch && (cell->hi & TREE_FRESH_GENERATED) != 0) {
            pieces_add(out_made, cell->lo, block_bytes(tree_generated(arena->chunks, cell)));
        }
        if (branch && (cell->hi & TREE_FRESH) != 0) {
            walk_into(walk, arena, cell);
        }
        cell->hi &= ~(TREE_FRESH | TREE_FRESH_GENERATED); /* of a branch, that one is unused */
    }
    mem_free(walk);
}

void tree_discard_all(struct tree_writer *writer, struct tree_cell *root)
{
    if (tree_is_empty(root)) {
        return;
    }
    uint8_t *const *chunks = writer->arena->chunks;
    struct pieces fresh = {0};
    struct walk *walk = walk_start(root);
    for (struct tree_cell *cell; (cell = walk_next(walk)) != NULL;) {
        if (tree_is_branch(cell)) {
            pieces_add(is_fresh(writer, cell) ? &fresh : &writer->retired, cell->ref,
                       twigs_bytes(tree_twigs_count(cell)));
            walk_into(walk, writer->arena, cell);
            continue;
        }
        tree_discard(writer, cell->ref, block_bytes(tree_source(chunks, cell)),
                     is_fresh(writer, cell));
        if (cell->lo != 0) {
            tree_discard(writer, cell->lo, block_bytes(tree_generated(chunks, cell)),
                         writer->all_fresh || (cell->hi & TREE_FRESH_GENERATED) != 0);
        }
    }
    mem_free(walk);
    /* The vectors were the walk's own way; now they can go. */
    pieces_release(&fresh, writer->arena);
    *root = (struct tree_cell){0};
}
