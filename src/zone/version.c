#include "zone/version.h"

#include "base/encoding.h"
#include "zone/lineage.h"
#include "zone/owner.h"

enum {
    /* From a name without NSEC to its cut, or past it, is one step; in a sound chain, two do. */
    NSEC_STEPS_MAX = 16,
    /* Two chains are interleaved at random while one replaces the other: 2^-64 to be unlucky. */
    NSEC3_STEPS_MAX = 64,
};

/* The labels that two relative owners have in common at their ends. */
static unsigned common_labels(struct span a, struct span b)
{
    uint8_t starts_a[DNS_LABELS_MAX], starts_b[DNS_LABELS_MAX];
    unsigned labels_a = 0, labels_b = 0;
    for (size_t at = 0; at < a.length; at += 1U + a.bytes[at]) {
        starts_a[labels_a++] = (uint8_t)at;
    }
    for (size_t at = 0; at < b.length; at += 1U + b.bytes[at]) {
        starts_b[labels_b++] = (uint8_t)at;
    }
    unsigned common = 0;
    while (common < labels_a && common < labels_b) {
        const uint8_t *label_a = a.bytes + starts_a[labels_a - common - 1];
        const uint8_t *label_b = b.bytes + starts_b[labels_b - common - 1];
        if (*label_a != *label_b || memcmp(label_a, label_b, 1U + *label_a) != 0) {
            break;
        }
        common++;
    }
    return common;
}

const struct zone_facts *zone_version_facts(const struct zone_version *version)
{
    return &version->facts;
}

const struct dns_name *zone_version_apex(const struct zone_version *version)
{
    return &version->lineage->apex;
}

uint16_t zone_version_class(const struct zone_version *version)
{
    return version->lineage->rrclass;
}

const struct zone_node *zone_version_apex_node(const struct zone_version *version)
{
    return &version->apex_node;
}

enum sg_result zone_version_find(const struct zone_version *version, const struct dns_name *name,
                                 struct zone_match *out_match)
{
    struct span owner;
    if (!owner_of(name, &version->lineage->apex, &owner)) {
        return SG_OUT_OF_ZONE;
    }
    *out_match = (struct zone_match){.kind = ZONE_MATCH_NONE};
    if (tree_is_empty(&version->names)) {
        return SG_OK; /* a draft */
    }
    uint8_t *const *chunks = version->chunks;
    unsigned labels = (unsigned)name->labels - version->lineage->apex.labels;
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *cut;
    const struct tree_cell *leaf = tree_search(chunks, &version->names, &key, owner, &cut);
    if (cut != NULL) {
        out_match->cut = tree_node(chunks, cut);
        out_match->cut_labels = (uint8_t)owner_labels(tree_owner(chunks, cut));
        return SG_OK;
    }
    struct span there = tree_owner(chunks, leaf);
    if (owner_equal(owner, there)) {
        out_match->kind = ZONE_MATCH_NAME;
        out_match->node = tree_node(chunks, leaf);
        out_match->encloser_labels = (uint8_t)labels;
        if ((leaf->hi & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0) {
            out_match->cut = out_match->node;
            out_match->cut_labels = (uint8_t)labels;
        }
        return SG_OK;
    }
    unsigned common = common_labels(owner, there);
    out_match->kind = common == labels ? ZONE_MATCH_EMPTY : ZONE_MATCH_NONE;
    out_match->encloser_labels = (uint8_t)common;
    return SG_OK;
}

bool zone_version_node(const struct zone_version *version, const struct dns_name *name,
                       struct zone_node *out_node)
{
    struct span owner;
    if (!owner_of(name, &version->lineage->apex, &owner)) {
        return false;
    }
    const struct tree_cell *leaf = tree_find(version->chunks, &version->names, owner);
    if (leaf == NULL) {
        return false;
    }
    *out_node = tree_node(version->chunks, leaf);
    return true;
}

static bool owns_nsec(const struct zone_node *node)
{
    struct dns_rrset nsec;
    return zone_node_rrset(node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &nsec);
}

bool zone_version_nsec(const struct zone_version *version, const struct dns_name *name,
                       struct zone_node *out_node)
{
    struct span owner;
    if (!owner_of(name, &version->lineage->apex, &owner)) {
        return false;
    }
    uint8_t *const *chunks = version->chunks;
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    const struct tree_cell *leaf = tree_floor(chunks, &version->names, &key, false);
    for (unsigned step = 0; leaf != NULL && step < NSEC_STEPS_MAX; step++) {
        struct zone_node node = tree_node(chunks, leaf);
        if (owns_nsec(&node)) {
            *out_node = node;
            return true;
        }
        /* Glue, or occluded: what covers it is its topmost cut, however much lies between. */
        owner = zone_node_owner(&node);
        tree_key_encode(owner.bytes, owner.length, &key);
        const struct tree_cell *cut;
        tree_search(chunks, &version->names, &key, owner, &cut);
        leaf = cut != NULL ? cut : tree_floor(chunks, &version->names, &key, true);
    }
    return false;
}

bool zone_version_nsec3(const struct zone_version *version, const uint8_t hash[NSEC3_HASH_BYTES],
                        struct zone_node *out_node, bool *out_exact)
{
    if (version->facts.denial != ZONE_DENIAL_NSEC3 || tree_is_empty(&version->nsec3)) {
        return false;
    }
    uint8_t label[1 + NSEC3_HASH_TEXT_BYTES];
    label[0] = NSEC3_HASH_TEXT_BYTES;
    base32hex_encode(hash, NSEC3_HASH_BYTES, (char *)label + 1);

    uint8_t *const *chunks = version->chunks;
    struct tree_key key;
    tree_key_encode(label, sizeof(label), &key);
    const struct tree_cell *leaf = tree_floor(chunks, &version->nsec3, &key, false);
    for (unsigned step = 0; step < NSEC3_STEPS_MAX; step++) {
        /* Before the first comes the last (RFC 5155 3.1.7). */
        leaf = leaf != NULL ? leaf : tree_last(chunks, &version->nsec3);
        struct zone_node node = tree_node(chunks, leaf);
        struct span owner = zone_node_owner(&node);
        if (version_nsec3_fits(&node, &version->facts.nsec3)) {
            *out_node = node;
            *out_exact = owner_equal(owner, (struct span){label, sizeof(label)});
            return true;
        }
        tree_key_encode(owner.bytes, owner.length, &key);
        leaf = tree_floor(chunks, &version->nsec3, &key, true);
    }
    return false;
}

void zone_version_owner(const struct zone_version *version, const struct zone_node *node,
                        struct dns_name *out_owner)
{
    const struct dns_name *apex = &version->lineage->apex;
    struct span owner = zone_node_owner(node);
    ASSERT(owner.length + apex->length <= DNS_NAME_BYTES_MAX);
    if (owner.length > 0) {
        memcpy(out_owner->wire, owner.bytes, owner.length);
    }
    memcpy(out_owner->wire + owner.length, apex->wire, apex->length);
    out_owner->length = (uint8_t)(owner.length + apex->length);
    out_owner->labels = (uint8_t)(owner_labels(owner) + apex->labels);
}
