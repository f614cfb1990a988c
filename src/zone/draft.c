#include "zone/draft.h"

#include "base/mem.h"

enum count_change { COUNT_IN, COUNT_OUT };

static void count_leaf(struct zone_edit *edit, bool nsec3, const struct tree_cell *leaf,
                       enum count_change change)
{
    struct zone_counts leaf_counts = version_count_leaf(edit->lineage->arena.chunks, leaf, nsec3);
    struct zone_counts *counts = &edit->draft->counts;
    if (change == COUNT_IN) {
        counts->names += leaf_counts.names;
        counts->records += leaf_counts.records;
        counts->nsec3_records += leaf_counts.nsec3_records;
        counts->generated += leaf_counts.generated;
        counts->wildcards += leaf_counts.wildcards;
        counts->cuts_and_dnames += leaf_counts.cuts_and_dnames;
        counts->opt_outs += leaf_counts.opt_outs;
    } else {
        counts->names -= leaf_counts.names;
        counts->records -= leaf_counts.records;
        counts->nsec3_records -= leaf_counts.nsec3_records;
        counts->generated -= leaf_counts.generated;
        counts->wildcards -= leaf_counts.wildcards;
        counts->cuts_and_dnames -= leaf_counts.cuts_and_dnames;
        counts->opt_outs -= leaf_counts.opt_outs;
    }
}

static uint32_t fresh_mark(const struct zone_edit *edit, uint32_t mark)
{
    return edit->writer.all_fresh ? 0 : mark;
}

static void discard_source(struct zone_edit *edit, const struct tree_cell *leaf)
{
    if (leaf->ref != 0) {
        size_t bytes = block_bytes(tree_source(edit->lineage->arena.chunks, leaf));
        tree_discard(&edit->writer, leaf->ref, bytes,
                     edit->writer.all_fresh || (leaf->hi & TREE_FRESH) != 0);
    }
}

static void discard_generated(struct zone_edit *edit, const struct tree_cell *leaf)
{
    if (leaf->lo != 0) {
        size_t bytes = block_bytes(tree_generated(edit->lineage->arena.chunks, leaf));
        tree_discard(&edit->writer, leaf->lo, bytes,
                     edit->writer.all_fresh || (leaf->hi & TREE_FRESH_GENERATED) != 0);
    }
}

static enum sg_result take_out(struct zone_edit *edit, bool nsec3, const struct tree_key *key)
{
    struct tree_cell removed;
    enum sg_result result = tree_remove(&edit->writer, draft_tree(edit, nsec3), key, &removed);
    if (result != SG_OK) {
        return result == SG_NOT_FOUND ? SG_OK : result;
    }
    count_leaf(edit, nsec3, &removed, COUNT_OUT);
    discard_source(edit, &removed);
    discard_generated(edit, &removed);
    return SG_OK;
}

static void note_ttl(struct zone_edit *edit, const struct zone_block *block)
{
    uint32_t ttl = block_ttl_max(block);
    uint32_t *ttl_max = &edit->draft->facts.ttl_max;
    *ttl_max = ttl > *ttl_max ? ttl : *ttl_max;
}

struct zone_edit *draft_new(const struct dns_name *apex, uint16_t rrclass,
                            const struct arena_sizes *sizes)
{
    struct zone_edit *edit = mem_alloc_zero(1, sizeof(*edit));
    edit->lineage = lineage_new(apex, rrclass, sizes);
    edit->draft = lineage_draft(edit->lineage, NULL);
    edit->writer.arena = &edit->lineage->arena;
    edit->writer.all_fresh = true;
    return edit;
}

void draft_flush(struct zone_edit *edit)
{
    struct gather *gather = &edit->gather;
    bool changed = gather->open && gather->changed;
    gather_end(gather);
    if (!changed || edit->failed != SG_OK) {
        return;
    }
    struct arena *arena = &edit->lineage->arena;
    arena_ref block;
    edit->failed = gather_pack(gather, arena, &block);
    if (edit->failed == SG_OK) {
        struct span owner = {gather->owner, gather->owner_length};
        edit->failed = draft_set_source(edit, gather->nsec3, owner, block);
    }
}

enum sg_result draft_set_source(struct zone_edit *edit, bool nsec3, struct span owner,
                                arena_ref source)
{
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    if (source == 0) {
        return take_out(edit, nsec3, &key);
    }
    struct tree_cell *leaf;
    bool created;
    enum sg_result result = tree_put(&edit->writer, draft_tree(edit, nsec3), &key, &leaf, &created);
    if (result != SG_OK) {
        return result;
    }
    if (!created) {
        count_leaf(edit, nsec3, leaf, COUNT_OUT);
        discard_source(edit, leaf);
    }
    const struct zone_block *block = arena_at(edit->lineage->arena.chunks, source);
    leaf->ref = source;
    leaf->hi =
        block_flags(block) | fresh_mark(edit, TREE_FRESH) | (leaf->hi & TREE_FRESH_GENERATED);
    count_leaf(edit, nsec3, leaf, COUNT_IN);
    note_ttl(edit, block);
    return SG_OK;
}

enum sg_result draft_set_generated(struct zone_edit *edit, struct span owner, arena_ref generated)
{
    uint8_t *const *chunks = edit->lineage->arena.chunks;
    if (tree_find(chunks, &edit->draft->names, owner) == NULL) {
        return SG_NOT_FOUND;
    }
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    struct tree_cell *leaf;
    bool created;
    enum sg_result result = tree_put(&edit->writer, &edit->draft->names, &key, &leaf, &created);
    if (result != SG_OK) {
        return result;
    }
    ASSERT(!created);
    count_leaf(edit, false, leaf, COUNT_OUT);
    discard_generated(edit, leaf);
    leaf->lo = generated;
    leaf->hi = (leaf->hi & ~TREE_FRESH_GENERATED) |
               (generated != 0 ? fresh_mark(edit, TREE_FRESH_GENERATED) : 0);
    count_leaf(edit, false, leaf, COUNT_IN);
    return SG_OK;
}
