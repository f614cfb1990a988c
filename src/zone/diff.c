#include "zone/diff.h"

#include "base/mem.h"
#include "zone/draft.h"
#include "zone/owner.h"

/*
 * Each side is a list of subtrees in order, the next one on top of a stack of twigs. Tops that are
 * the same are passed over together; else the branch that parts its names earlier gives way to its
 * twigs, until both tops are leaves. Below a vector that was copied, all twigs but those that were
 * touched meet their equals, so the walk goes where the edit went.
 */
struct side {
    uint8_t *const *chunks;
    unsigned depth;
    struct {
        const struct tree_cell *next, *end;
    } path[ZONE_TREE_DEPTH_MAX];
};

struct zone_diff {
    struct side old, new;
    bool kin; /* of one lineage: the same ref is the same memory */
};

static void push(struct side *side, const struct tree_cell *cells, unsigned count)
{
    ASSERT(side->depth < ZONE_TREE_DEPTH_MAX);
    side->path[side->depth].next = cells;
    side->path[side->depth].end = cells + count;
    side->depth++;
}

static void start(struct side *side, const struct zone_version *version, bool nsec3)
{
    if (version != NULL) {
        const struct tree_cell *root = nsec3 ? &version->nsec3 : &version->names;
        side->chunks = version->chunks;
        push(side, root, tree_is_empty(root) ? 0 : 1);
    }
}

static const struct tree_cell *top(struct side *side)
{
    while (side->depth > 0 && side->path[side->depth - 1].next == side->path[side->depth - 1].end) {
        side->depth--;
    }
    return side->depth > 0 ? side->path[side->depth - 1].next : NULL;
}

static void drop(struct side *side)
{
    side->path[side->depth - 1].next++;
}

/* Let the branch on top give way to its twigs. */
static void open_branch(struct side *side)
{
    const struct tree_cell *branch = side->path[side->depth - 1].next;
    drop(side);
    push(side, tree_twigs(side->chunks, branch), tree_twigs_count(branch));
}

/* Marks of what is fresh do not count. */
static bool is_same_cell(const struct tree_cell *a, const struct tree_cell *b)
{
    return a->ref == b->ref && tree_is_branch(a) == tree_is_branch(b) &&
           (tree_is_branch(a) || a->lo == b->lo);
}

static bool is_same_block(const struct zone_block *a, const struct zone_block *b)
{
    if (a == b || a == NULL || b == NULL) {
        return a == b;
    }
    size_t bytes = block_bytes(a);
    return block_bytes(b) == bytes && memcmp(a, b, bytes) == 0;
}

static int compare_owners(struct span a, struct span b)
{
    if (owner_equal(a, b)) {
        return 0;
    }
    struct tree_key keys[2];
    tree_key_encode(a.bytes, a.length, &keys[0]);
    tree_key_encode(b.bytes, b.length, &keys[1]);
    unsigned at = tree_key_difference(&keys[0], &keys[1]);
    return (int)tree_key_at(&keys[0], at) - (int)tree_key_at(&keys[1], at);
}

/* Is `a` the branch to open, not `b`? `b` NULL: that side is at its end. */
static bool parts_first(const struct tree_cell *a, const struct tree_cell *b)
{
    return a != NULL && tree_is_branch(a) &&
           (b == NULL || !tree_is_branch(b) || tree_offset(a) <= tree_offset(b));
}

/* Go on until both tops are leaves, or one side is at its end and the other's is a leaf. */
static bool settle(struct zone_diff *diff, const struct tree_cell **out_old,
                   const struct tree_cell **out_new)
{
    for (;;) {
        const struct tree_cell *old = top(&diff->old);
        const struct tree_cell *new = top(&diff->new);
        if (diff->kin && old != NULL && new != NULL &&is_same_cell(old, new)) {
            drop(&diff->old);
            drop(&diff->new);
        } else if (parts_first(old, new)) {
            open_branch(&diff->old);
        } else if (parts_first(new, old)) {
            open_branch(&diff->new);
        } else {
            *out_old = old;
            *out_new = new;
            return old != NULL || new != NULL;
        }
    }
}

struct zone_diff *zone_diff_new(const struct zone_version *old, const struct zone_version *new,
                                bool nsec3)
{
    struct zone_diff *diff = mem_alloc(sizeof(*diff)); /* Not cleared: large. */
    diff->old.depth = 0;
    diff->new.depth = 0;
    diff->kin = old != NULL && old->lineage == new->lineage;
    start(&diff->old, old, nsec3);
    start(&diff->new, new, nsec3);
    return diff;
}

bool zone_diff_next(struct zone_diff *diff, struct zone_difference *out_difference)
{
    const struct tree_cell *old, *new;
    while (settle(diff, &old, &new)) {
        struct zone_difference difference = {{NULL, 0}, {0}, {0}};
        int order = old == NULL   ? 1
                    : new == NULL ? -1
                                  : compare_owners(tree_owner(diff->old.chunks, old),
                                                   tree_owner(diff->new.chunks, new));
        if (order <= 0) {
            difference.old = tree_node(diff->old.chunks, old);
            difference.owner = zone_node_owner(&difference.old);
            drop(&diff->old);
        }
        if (order >= 0) {
            difference.new = tree_node(diff->new.chunks, new);
            difference.owner = zone_node_owner(&difference.new);
            drop(&diff->new);
        }
        if (!is_same_block(difference.old.source, difference.new.source) ||
            !is_same_block(difference.old.generated, difference.new.generated)) {
            *out_difference = difference;
            return true;
        }
    }
    return false;
}

void zone_diff_free(struct zone_diff *diff)
{
    mem_free(diff);
}

bool zone_diff_same_rrset(const struct dns_rrset *a, const struct dns_rrset *b)
{
    if (a->packed == NULL || b->packed == NULL) {
        return a->packed == b->packed;
    }
    return a->ttl == b->ttl && a->count == b->count && a->bytes == b->bytes &&
           memcmp(a->packed, b->packed, a->bytes) == 0;
}

/* --- to bring an edit to what another lineage has ------------------------------------------- */

/* A name whose source block is to be another's. */
struct step {
    const struct zone_block *wanted; /* NULL: the name goes */
    uint32_t owner_at;               /* in `owners` */
    uint8_t owner_length;
};

/* The draft must not change while it is walked, so all steps are listed first. */
struct steps {
    struct step *steps;
    size_t count, capacity;
    struct buffer owners;
    uint64_t changed; /* RRsets */
};

static void add_step(struct steps *steps, const struct zone_difference *difference)
{
    if (steps->count == steps->capacity) {
        steps->capacity = steps->capacity > 0 ? steps->capacity * 2 : 16;
        steps->steps = mem_resize_array(steps->steps, steps->capacity, sizeof(*steps->steps));
    }
    steps->steps[steps->count++] = (struct step){
        difference->new.source, (uint32_t)steps->owners.length, (uint8_t)difference->owner.length};
    buffer_append(&steps->owners, difference->owner.bytes, difference->owner.length);
}

static bool find_source(const struct zone_node *node, uint16_t type, uint16_t covered,
                        struct dns_rrset *out_rrset)
{
    bool signatures = type == DNS_TYPE_RRSIG;
    unsigned index;
    if (node->source == NULL ||
        !block_find(node->source, signatures, signatures ? covered : type, &index)) {
        return false;
    }
    block_entry(node->source, index, out_rrset);
    return true;
}

static struct zone_rrset_walk walk_source(const struct zone_node *node)
{
    return zone_node_walk_layer(node, ZONE_SOURCE);
}

/* RRsets of `new` that `old` does not have like this, and those of `old` that `new` has not. */
static uint64_t count_changed(const struct zone_node *old, const struct zone_node *new)
{
    uint64_t changed = 0;
    struct dns_rrset there;
    for (struct zone_rrset_walk walk = walk_source(new); zone_node_walk_next(&walk);) {
        changed += !find_source(old, walk.rrset.type, walk.rrset.covered, &there) ||
                   !zone_diff_same_rrset(&walk.rrset, &there);
    }
    for (struct zone_rrset_walk walk = walk_source(old); zone_node_walk_next(&walk);) {
        changed += !find_source(new, walk.rrset.type, walk.rrset.covered, &there);
    }
    return changed;
}

/* Both have one RR, and it is the same but for the serial (RFC 1035 3.3.13). */
static bool is_same_soa(const struct dns_rrset *a, const struct dns_rrset *b)
{
    enum { NUMBERS_BYTES = 20, SERIAL_BYTES = 4 };
    if (a->ttl != b->ttl || a->bytes != b->bytes || a->bytes < NUMBERS_BYTES) {
        return false;
    }
    size_t before = a->bytes - NUMBERS_BYTES;
    size_t after = before + SERIAL_BYTES;
    return memcmp(a->packed, b->packed, before) == 0 &&
           memcmp(a->packed + after, b->packed + after, a->bytes - after) == 0;
}

/* The apex, RRset by RRset, so that a SOA that counts as the same stays. */
static enum sg_result transform_apex(struct zone_edit *edit, const struct zone_version *wanted,
                                     uint64_t *changed)
{
    const struct dns_name *apex = zone_version_apex(wanted);
    struct zone_node old = {0}, new = {0};
    if (!zone_version_node(zone_edit_draft(edit), apex, &old) ||
        !zone_version_node(wanted, apex, &new)) {
        return SG_OK; /* As for any other name. */
    }
    size_t room = block_rrsets(old.source) + block_signatures(old.source) +
                  block_rrsets(new.source) + block_signatures(new.source);
    struct dns_rrset *rrsets = mem_alloc(room * sizeof(*rrsets));
    size_t count = 0;
    struct dns_rrset there;
    for (struct zone_rrset_walk walk = walk_source(&new); zone_node_walk_next(&walk);) {
        bool found = find_source(&old, walk.rrset.type, walk.rrset.covered, &there);
        if (found && (zone_diff_same_rrset(&walk.rrset, &there) ||
                      (there.type == DNS_TYPE_SOA && is_same_soa(&walk.rrset, &there)))) {
            continue;
        }
        rrsets[count++] = walk.rrset;
    }
    for (struct zone_rrset_walk walk = walk_source(&old); zone_node_walk_next(&walk);) {
        if (!find_source(&new, walk.rrset.type, walk.rrset.covered, &there)) {
            rrsets[count++] =
                (struct dns_rrset){.type = walk.rrset.type, .covered = walk.rrset.covered};
        }
    }
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < count && result == SG_OK; i++) {
        result = zone_edit_put_rrset(edit, apex, ZONE_SOURCE, &rrsets[i]);
    }
    *changed += count;
    mem_free(rrsets);
    return result;
}

static void list_steps(const struct zone_version *draft, const struct zone_version *wanted,
                       bool nsec3, bool without_apex, struct steps *steps)
{
    struct zone_diff *diff = zone_diff_new(draft, wanted, nsec3);
    struct zone_difference difference;
    while (zone_diff_next(diff, &difference)) {
        if (is_same_block(difference.old.source, difference.new.source) ||
            (without_apex && difference.owner.length == 0)) {
            continue;
        }
        add_step(steps, &difference);
        steps->changed += count_changed(&difference.old, &difference.new);
    }
    zone_diff_free(diff);
}

static enum sg_result take_step(struct zone_edit *edit, bool nsec3, const struct steps *steps,
                                const struct step *step)
{
    struct span owner = {steps->owners.bytes + step->owner_at, step->owner_length};
    owner.bytes = owner.length > 0 ? owner.bytes : NULL;
    if (step->wanted == NULL) {
        return draft_set_source(edit, nsec3, owner, 0);
    }
    struct arena *arena = &edit->lineage->arena;
    size_t bytes = block_bytes(step->wanted);
    arena_ref block;
    enum sg_result result = arena_alloc(arena, bytes, &block);
    if (result != SG_OK) {
        return result;
    }
    memcpy(arena_write(arena, block), step->wanted, bytes);
    result = draft_set_source(edit, nsec3, owner, block);
    if (result != SG_OK) {
        arena_free(arena, block, bytes);
    }
    return result;
}

static enum sg_result transform_tree(struct zone_edit *edit, const struct zone_version *wanted,
                                     bool nsec3, bool without_apex, uint64_t *changed)
{
    struct steps steps = {0};
    enum sg_result result = SG_OK;
    list_steps(zone_edit_draft(edit), wanted, nsec3, without_apex, &steps);
    for (size_t i = 0; i < steps.count && result == SG_OK; i++) {
        result = take_step(edit, nsec3, &steps, &steps.steps[i]);
    }
    *changed += steps.changed;
    buffer_free(&steps.owners);
    mem_free(steps.steps);
    return result;
}

enum sg_result zone_diff_transform(struct zone_edit *edit, const struct zone_version *wanted,
                                   bool except_soa_serial, uint64_t *out_changed)
{
    uint64_t changed = 0;
    enum sg_result result = except_soa_serial ? transform_apex(edit, wanted, &changed) : SG_OK;
    if (result == SG_OK) {
        struct zone_node apex;
        bool apex_done = except_soa_serial &&
                         zone_version_node(zone_edit_draft(edit), zone_version_apex(wanted), &apex);
        result = transform_tree(edit, wanted, false, apex_done, &changed);
    }
    /* Where we sign, the hashes are what we made of the source. */
    if (result == SG_OK && !zone_version_facts(zone_edit_draft(edit))->signed_here) {
        result = transform_tree(edit, wanted, true, false, &changed);
    }
    if (result == SG_OK) {
        *out_changed = changed;
    }
    return result;
}
