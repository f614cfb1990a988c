#include "zone/lineage.h"
#include "zone/owner.h"

/*
 * The path holds, for each level, the vector of twigs, the next twig to visit and how many there
 * are. `cut.length` counts the root label that the cut's relative owner does not have, so that
 * the apex can be one, with a length of 1.
 */

static void push(struct zone_cursor *cursor, const struct tree_cell *twigs, unsigned index,
                 unsigned count)
{
    ASSERT(cursor->depth < ZONE_TREE_DEPTH_MAX);
    cursor->path[cursor->depth].twigs = twigs;
    cursor->path[cursor->depth].index = (uint16_t)index;
    cursor->path[cursor->depth].count = (uint16_t)count;
    cursor->depth++;
}

static void start(struct zone_cursor *cursor, const struct zone_version *version, bool nsec3)
{
    const struct tree_cell *root = nsec3 ? &version->nsec3 : &version->names;
    cursor->node = (struct zone_node){0};
    cursor->below_cut = false;
    cursor->version = version;
    cursor->nsec3 = nsec3;
    cursor->depth = 0;
    cursor->cut.length = 0;
    push(cursor, root, 0, tree_is_empty(root) ? 0 : 1);
}

static void set_cut(struct zone_cursor *cursor, struct span owner)
{
    cursor->cut.length = (uint8_t)(owner.length + 1);
    if (owner.length > 0) {
        memcpy(cursor->cut.wire, owner.bytes, owner.length);
    }
}

static void note_cut(struct zone_cursor *cursor)
{
    /* Most names are neither cuts nor near one: their owner need not be looked at. */
    if (cursor->cut.length == 0 && (cursor->node.flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) == 0) {
        cursor->below_cut = false;
        return;
    }
    struct span owner = zone_node_owner(&cursor->node);
    if (cursor->cut.length > 0) {
        struct span cut = {cursor->cut.wire, cursor->cut.length - 1U};
        cursor->below_cut = owner_is_below(owner, cut);
        if (cursor->below_cut) {
            return;
        }
        cursor->cut.length = 0;
    }
    if ((cursor->node.flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0) {
        set_cut(cursor, owner);
    }
}

/* Let the walk go on at the first leaf at or after the key. The tree is not empty. */
static void seek(struct zone_cursor *cursor, const struct tree_key *key)
{
    uint8_t *const *chunks = cursor->version->chunks;
    const struct tree_cell *cell = cursor->path[0].twigs;
    struct span owner = tree_owner(chunks, tree_nearest(chunks, cell, key));
    struct tree_key there;
    tree_key_encode(owner.bytes, owner.length, &there);
    unsigned difference = tree_key_difference(key, &there);

    while (tree_is_branch(cell) && tree_offset(cell) < difference) {
        unsigned index = tree_twig_index(cell, tree_key_at(key, tree_offset(cell)));
        cursor->path[cursor->depth - 1].index++; /* what is right of the way comes later */
        push(cursor, tree_twigs(chunks, cell), index, tree_twigs_count(cell));
        cell = tree_twigs(chunks, cell) + index;
    }
    if (difference == TREE_KEYS_EQUAL) {
        return;
    }
    unsigned symbol = tree_key_at(key, difference);
    if (tree_is_branch(cell) && tree_offset(cell) == difference) {
        cursor->path[cursor->depth - 1].index++;
        push(cursor, tree_twigs(chunks, cell), tree_twig_index(cell, symbol),
             tree_twigs_count(cell));
    } else if (symbol > tree_key_at(&there, difference)) {
        cursor->path[cursor->depth - 1].index++; /* all of it is before the key */
    }
}

void zone_cursor_start(struct zone_cursor *cursor, const struct zone_version *version)
{
    start(cursor, version, false);
}

void zone_cursor_start_nsec3(struct zone_cursor *cursor, const struct zone_version *version)
{
    start(cursor, version, true);
}

void zone_cursor_seek(struct zone_cursor *cursor, const struct zone_version *version,
                      const struct dns_name *name)
{
    start(cursor, version, false);
    struct span owner;
    if (tree_is_empty(&version->names) || !owner_of(name, &version->lineage->apex, &owner)) {
        return;
    }
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *cut;
    tree_search(version->chunks, &version->names, &key, owner, &cut);
    if (cut != NULL) {
        set_cut(cursor, tree_owner(version->chunks, cut));
    }
    seek(cursor, &key);
}

void zone_cursor_seek_nsec3(struct zone_cursor *cursor, const struct zone_version *version,
                            struct span label)
{
    start(cursor, version, true);
    if (!tree_is_empty(&version->nsec3)) {
        struct tree_key key;
        tree_key_encode(label.bytes, label.length, &key);
        seek(cursor, &key);
    }
}

bool zone_cursor_next(struct zone_cursor *cursor)
{
    uint8_t *const *chunks = cursor->version->chunks;
    while (cursor->depth > 0) {
        unsigned top = cursor->depth - 1U;
        if (cursor->path[top].index == cursor->path[top].count) {
            cursor->depth--;
            continue;
        }
        const struct tree_cell *twigs = cursor->path[top].twigs;
        const struct tree_cell *cell = twigs + cursor->path[top].index++;
        if (tree_is_branch(cell)) {
            push(cursor, tree_twigs(chunks, cell), 0, tree_twigs_count(cell));
            continue;
        }
        cursor->node = tree_node(chunks, cell);
        if (!cursor->nsec3) {
            note_cut(cursor);
        }
        return true;
    }
    return false;
}
