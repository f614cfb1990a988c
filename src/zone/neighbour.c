#include "zone/neighbour.h"

#include "base/encoding.h"
#include "zone/lineage.h"
#include "zone/owner.h"

/* The topmost delegation or DNAME strictly above. NULL: none. */
static const struct tree_cell *cut_above(const struct zone_version *version, struct span owner)
{
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *cut;
    tree_search(version->chunks, &version->names, &key, owner, &cut);
    return cut;
}

static bool is_cut(const struct zone_version *version, struct span owner)
{
    const struct tree_cell *leaf = tree_find(version->chunks, &version->names, owner);
    return leaf != NULL && (leaf->hi & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0;
}

static void encode_hash(const uint8_t hash[NSEC3_HASH_BYTES], struct tree_key *out_key)
{
    uint8_t label[1 + NSEC3_HASH_TEXT_BYTES];
    label[0] = NSEC3_HASH_TEXT_BYTES;
    base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label + 1);
    tree_key_encode(label, sizeof(label), out_key);
}

bool zone_neighbour_before(const struct zone_version *version, const struct dns_name *name,
                           struct zone_node *out_node)
{
    struct span owner;
    if (!owner_of(name, &version->lineage->apex, &owner)) {
        return false;
    }
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *leaf = tree_floor(version->chunks, &version->names, &key, true);
    if (leaf == NULL) {
        return false;
    }
    const struct tree_cell *cut = cut_above(version, tree_owner(version->chunks, leaf));
    *out_node = tree_node(version->chunks, cut != NULL ? cut : leaf);
    return true;
}

bool zone_neighbour_after(const struct zone_version *version, const struct dns_name *name,
                          struct zone_node *out_node)
{
    struct span owner;
    if (!owner_of(name, &version->lineage->apex, &owner) || tree_is_empty(&version->names)) {
        return false;
    }
    const struct tree_cell *cut = cut_above(version, owner);
    bool past = cut != NULL || is_cut(version, owner);
    if (cut != NULL) {
        owner = tree_owner(version->chunks, cut);
    }
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *leaf = tree_ceiling(version->chunks, &version->names, &key, past);
    if (leaf == NULL) {
        leaf = tree_first(version->chunks, &version->names);
    }
    *out_node = tree_node(version->chunks, leaf);
    return true;
}

bool zone_neighbour_before_hash(const struct zone_version *version,
                                const uint8_t hash[NSEC3_HASH_BYTES], struct zone_node *out_node)
{
    if (tree_is_empty(&version->nsec3)) {
        return false;
    }
    struct tree_key key;
    encode_hash(hash, &key);
    const struct tree_cell *leaf = tree_floor(version->chunks, &version->nsec3, &key, true);
    if (leaf == NULL) {
        leaf = tree_last(version->chunks, &version->nsec3);
    }
    *out_node = tree_node(version->chunks, leaf);
    return true;
}

bool zone_neighbour_after_hash(const struct zone_version *version,
                               const uint8_t hash[NSEC3_HASH_BYTES], struct zone_node *out_node)
{
    if (tree_is_empty(&version->nsec3)) {
        return false;
    }
    struct tree_key key;
    encode_hash(hash, &key);
    const struct tree_cell *leaf = tree_ceiling(version->chunks, &version->nsec3, &key, false);
    if (leaf == NULL) {
        leaf = tree_first(version->chunks, &version->nsec3);
    }
    *out_node = tree_node(version->chunks, leaf);
    return true;
}
