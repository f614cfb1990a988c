#include "zone/draft.h"

#include "base/mem.h"

enum count_change { COUNT_IN, COUNT_OUT };

static void add_counts(struct zone_counts *counts, const struct zone_counts *more)
{
    counts->names += more->names;
    counts->records += more->records;
    counts->nsec3_records += more->nsec3_records;
    counts->generated += more->generated;
    counts->wildcards += more->wildcards;
    counts->cuts_and_dnames += more->cuts_and_dnames;
    counts->opt_outs += more->opt_outs;
}

static void subtract_counts(struct zone_counts *counts, const struct zone_counts *fewer)
{
    counts->names -= fewer->names;
    counts->records -= fewer->records;
    counts->nsec3_records -= fewer->nsec3_records;
    counts->generated -= fewer->generated;
    counts->wildcards -= fewer->wildcards;
    counts->cuts_and_dnames -= fewer->cuts_and_dnames;
    counts->opt_outs -= fewer->opt_outs;
}

static void count_leaf(struct zone_edit *edit, bool nsec3, const struct tree_cell *leaf,
                       enum count_change change)
{
    struct zone_counts leaf_counts = version_count_leaf(edit->lineage->arena.chunks, leaf, nsec3);
    if (change == COUNT_IN) {
        add_counts(&edit->draft->counts, &leaf_counts);
    } else {
        subtract_counts(&edit->draft->counts, &leaf_counts);
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

static enum sg_result put_in_bulk(struct zone_edit *edit, struct span owner, arena_ref block)
{
    bool nsec3 = edit->gather.nsec3;
    uint32_t hash = edit->gather.hash;
    struct bulk *bulk = &edit->bulk[nsec3];
    struct arena *arena = &edit->lineage->arena;
    uint32_t entry = bulk_find(bulk, arena->chunks, owner, hash);
    uint32_t flags = block_flags(arena_at(arena->chunks, block));
    struct tree_cell leaf = {.hi = flags, .ref = block};
    if (entry != BULK_NONE) {
        struct tree_cell old = {.hi = bulk_flags(bulk, entry), .ref = bulk->entries[entry].block};
        count_leaf(edit, nsec3, &old, COUNT_OUT);
        discard_source(edit, &old);
        bulk_replace(bulk, entry, block, flags);
    } else {
        enum sg_result result = bulk_add(bulk, owner, hash, block, flags);
        if (result != SG_OK) {
            return result;
        }
    }
    count_leaf(edit, nsec3, &leaf, COUNT_IN);
    note_ttl(edit, arena_at(arena->chunks, block));
    return SG_OK;
}

/* The present owner's records are complete, as far as we know. */
static void end_owner(struct zone_edit *edit)
{
    struct gather *gather = &edit->gather;
    bool changed = gather->open && gather->changed;
    gather_end(gather);
    if (!changed || edit->failed != SG_OK) {
        return;
    }
    arena_ref block;
    edit->failed = gather_pack(gather, &edit->lineage->arena, &block);
    if (edit->failed == SG_OK) {
        struct span owner = {gather->owner, gather->owner_length};
        edit->failed = edit->bulk != NULL ? put_in_bulk(edit, owner, block)
                                          : draft_set_source(edit, gather->nsec3, owner, block);
    }
}

struct zone_edit *draft_new(const struct dns_name *apex, uint16_t rrclass,
                            const struct arena_sizes *sizes)
{
    struct zone_edit *edit = mem_alloc_zero(1, sizeof(*edit));
    edit->lineage = lineage_new(apex, rrclass, sizes);
    edit->draft = lineage_draft(edit->lineage, NULL);
    edit->writer.arena = &edit->lineage->arena;
    edit->writer.all_fresh = true;
    edit->bulk = mem_alloc_zero(2, sizeof(*edit->bulk));
    return edit;
}

void draft_gather(struct zone_edit *edit, bool nsec3, struct span owner)
{
    struct bulk *bulk = edit->bulk != NULL ? &edit->bulk[nsec3] : NULL;
    uint32_t hash = bulk != NULL ? bulk_hash(bulk, owner) : 0;
    if (bulk != NULL) {
        bulk_prefetch(bulk, hash); /* It comes while the last owner is packed. */
    }
    end_owner(edit);
    gather_start(&edit->gather, nsec3, owner);
    edit->gather.hash = hash;
    uint8_t *const *chunks = edit->lineage->arena.chunks;
    if (bulk != NULL) {
        uint32_t entry = bulk_find(bulk, chunks, owner, hash);
        if (entry != BULK_NONE) {
            gather_load(&edit->gather, arena_at(chunks, bulk->entries[entry].block));
        }
        return;
    }
    const struct tree_cell *leaf = tree_find(chunks, draft_tree(edit, nsec3), owner);
    if (leaf != NULL) {
        gather_load(&edit->gather, tree_source(chunks, leaf));
    }
}

void draft_flush(struct zone_edit *edit)
{
    end_owner(edit);
    if (edit->bulk == NULL) {
        return;
    }
    struct bulk *bulk = edit->bulk;
    edit->bulk = NULL;
    for (unsigned nsec3 = 0; nsec3 < 2; nsec3++) {
        enum sg_result result =
            bulk_build(&bulk[nsec3], &edit->lineage->arena, draft_tree(edit, nsec3 != 0));
        edit->failed = edit->failed != SG_OK ? edit->failed : result;
    }
    mem_free(bulk);
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
    struct tree_key key;
    tree_key_encode(owner.bytes, owner.length, &key);
    struct tree_cell *leaf;
    enum sg_result result = tree_own(&edit->writer, &edit->draft->names, &key, &leaf);
    if (result != SG_OK) {
        return result;
    }
    count_leaf(edit, false, leaf, COUNT_OUT);
    discard_generated(edit, leaf);
    leaf->lo = generated;
    leaf->hi = (leaf->hi & ~TREE_FRESH_GENERATED) |
               (generated != 0 ? fresh_mark(edit, TREE_FRESH_GENERATED) : 0);
    count_leaf(edit, false, leaf, COUNT_IN);
    return SG_OK;
}

enum sg_result draft_append(struct zone_edit *edit, bool nsec3, const struct draft_name *name)
{
    enum sg_result result =
        bulk_append(&edit->bulk[nsec3], edit->lineage->arena.chunks, &name->leaf);
    if (result == SG_OK) {
        add_counts(&edit->draft->counts, &name->counts);
        uint32_t *ttl_max = &edit->draft->facts.ttl_max;
        *ttl_max = name->ttl_max > *ttl_max ? name->ttl_max : *ttl_max;
    }
    return result;
}
