#include "zone/tree.h"

#include <assert.h>

#include "zone/owner.h"
#include "zone/version.h"

static_assert(TREE_SYMBOLS == 48, "a bitmap has 48 bits");
static_assert((unsigned)TREE_KEY_SYMBOLS_MAX <= TREE_OFFSET_MASK, "an offset has 10 bits");
static_assert((unsigned)TREE_KEY_SYMBOLS_MAX < ZONE_TREE_DEPTH_MAX,
              "a cursor has the deepest path");

const struct tree_cell *tree_first(uint8_t *const *chunks, const struct tree_cell *cell)
{
    while (tree_is_branch(cell)) {
        cell = tree_twigs(chunks, cell);
    }
    return cell;
}

static bool is_cut_above(uint8_t *const *chunks, const struct tree_cell *leaf, struct span owner)
{
    return !tree_is_branch(leaf) && (leaf->hi & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0 &&
           owner_is_below(owner, tree_owner(chunks, leaf));
}

const struct tree_cell *tree_nearest(uint8_t *const *chunks, const struct tree_cell *root,
                                     const struct tree_key *key)
{
    const struct tree_cell *cell = root;
    while (tree_is_branch(cell)) {
        unsigned symbol = tree_key_at(key, tree_offset(cell));
        if (!tree_has_twig(cell, symbol)) {
            return tree_first(chunks, cell);
        }
        cell = tree_twigs(chunks, cell) + tree_twig_index(cell, symbol);
    }
    return cell;
}

const struct tree_cell *tree_find(uint8_t *const *chunks, const struct tree_cell *root,
                                  struct span owner)
{
    if (tree_is_empty(root)) {
        return NULL;
    }
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *leaf = tree_nearest(chunks, root, &key);
    return owner_equal(tree_owner(chunks, leaf), owner) ? leaf : NULL;
}

const struct tree_cell *tree_search(uint8_t *const *chunks, const struct tree_cell *root,
                                    const struct tree_key *key, struct span owner,
                                    const struct tree_cell **out_cut)
{
    const struct tree_cell *cell = root;
    *out_cut = NULL;
    while (tree_is_branch(cell)) {
        unsigned offset = tree_offset(cell);
        unsigned symbol = tree_key_at(key, offset);
        const struct tree_cell *twigs = tree_twigs(chunks, cell);
        /*
         * Where names below a name part, the name itself is the twig of symbol 0. Elsewhere that
         * twig is a name or names whose label ends here, while the key's goes on.
         */
        if (tree_has_twig(cell, TREE_SYMBOL_END) && symbol != TREE_SYMBOL_END &&
            is_cut_above(chunks, twigs, owner)) {
            *out_cut = twigs;
            return NULL;
        }
        if (!tree_has_twig(cell, symbol)) {
            cell = tree_first(chunks, cell);
            break;
        }
        cell = twigs + tree_twig_index(cell, symbol);
    }
    if (is_cut_above(chunks, cell, owner)) {
        *out_cut = cell;
        return NULL;
    }
    return cell;
}

const struct tree_cell *tree_last(uint8_t *const *chunks, const struct tree_cell *cell)
{
    while (tree_is_branch(cell)) {
        cell = tree_twigs(chunks, cell) + tree_twigs_count(cell) - 1;
    }
    return cell;
}

const struct tree_cell *tree_floor(uint8_t *const *chunks, const struct tree_cell *root,
                                   const struct tree_key *key, bool strictly)
{
    if (tree_is_empty(root)) {
        return NULL;
    }
    const struct tree_cell *nearest = tree_nearest(chunks, root, key);
    struct span owner = tree_owner(chunks, nearest);
    struct tree_key there;
    tree_key_encode(owner.bytes, owner.length, &there);
    unsigned difference = tree_key_difference(key, &there);
    if (difference == TREE_KEYS_EQUAL && !strictly) {
        return nearest;
    }

    /* Down to where the key parts from the tree; `smaller` is the last subtree left of the way. */
    const struct tree_cell *cell = root;
    const struct tree_cell *smaller = NULL;
    while (tree_is_branch(cell) && tree_offset(cell) < difference) {
        unsigned index = tree_twig_index(cell, tree_key_at(key, tree_offset(cell)));
        const struct tree_cell *twigs = tree_twigs(chunks, cell);
        smaller = index > 0 ? twigs + index - 1 : smaller;
        cell = twigs + index;
    }
    if (difference != TREE_KEYS_EQUAL) {
        unsigned symbol = tree_key_at(key, difference);
        if (tree_is_branch(cell) && tree_offset(cell) == difference) {
            unsigned index = tree_twig_index(cell, symbol);
            smaller = index > 0 ? tree_twigs(chunks, cell) + index - 1 : smaller;
        } else if (symbol > tree_key_at(&there, difference)) {
            smaller = cell;
        }
    }
    return smaller != NULL ? tree_last(chunks, smaller) : NULL;
}

const struct tree_cell *tree_ceiling(uint8_t *const *chunks, const struct tree_cell *root,
                                     const struct tree_key *key, bool past)
{
    if (tree_is_empty(root)) {
        return NULL;
    }
    struct span owner = tree_owner(chunks, tree_nearest(chunks, root, key));
    struct tree_key there;
    tree_key_encode(owner.bytes, owner.length, &there);
    unsigned difference = tree_key_difference(key, &there);
    /* All that lies below the name has the whole key in front. */
    bool has_prefix = past && difference >= key->length;
    unsigned end = has_prefix ? key->length : difference;

    /* `larger` is the first subtree right of the way. */
    const struct tree_cell *cell = root;
    const struct tree_cell *larger = NULL;
    while (tree_is_branch(cell) && tree_offset(cell) < end) {
        unsigned index = tree_twig_index(cell, tree_key_at(key, tree_offset(cell)));
        const struct tree_cell *twigs = tree_twigs(chunks, cell);
        larger = index + 1 < tree_twigs_count(cell) ? twigs + index + 1 : larger;
        cell = twigs + index;
    }
    if (!has_prefix && difference != TREE_KEYS_EQUAL) {
        unsigned symbol = tree_key_at(key, difference);
        if (tree_is_branch(cell) && tree_offset(cell) == difference) {
            unsigned index = tree_twig_index(cell, symbol);
            larger = index < tree_twigs_count(cell) ? tree_twigs(chunks, cell) + index : larger;
        } else if (symbol < tree_key_at(&there, difference)) {
            larger = cell;
        }
    }
    return larger != NULL ? tree_first(chunks, larger) : NULL;
}
