#include "zone/edit.h"

#include "base/mem.h"
#include "zone/draft.h"
#include "zone/owner.h"
#include "zone/pile.h"

enum { RRSETS_ON_STACK_MAX = 32 };

#ifdef SIGNET_CHECKS
enum { CHECK_NAMES_MAX = 10000 }; /* larger zones are not walked after each seal */
#endif

/* Where the arena's memory and trees stand now. */
static struct zone_version *refresh_draft(struct zone_edit *edit)
{
    edit->draft->chunks = edit->lineage->arena.chunks;
    return edit->draft;
}

static void free_edit(struct zone_edit *edit)
{
    struct zone_lineage *lineage = edit->lineage;
    const struct zone_version *base = edit->base;
    gather_clear(&edit->gather);
    if (edit->bulk != NULL) {
        bulk_clear(&edit->bulk[0]);
        bulk_clear(&edit->bulk[1]);
        mem_free(edit->bulk);
    }
    pieces_clear(&edit->writer.retired);
    mem_free(edit);
    zone_version_unref(base);
    lineage_unref(lineage);
}

/* The tables that the arena has outgrown are known to `base` and older versions. */
static void retire_tables(struct zone_edit *edit)
{
    struct arena_old_table *tables = arena_take_old_tables(&edit->lineage->arena);
    if (edit->base == NULL) {
        arena_free_old_tables(tables);
        return;
    }
    struct zone_version *base = (struct zone_version *)(uintptr_t)edit->base;
    struct arena_old_table **end = &base->retired_tables;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = tables;
}

/* Everything that the edit allocated, but for what it retired already. */
static void free_made(struct zone_edit *edit)
{
    struct arena *arena = &edit->lineage->arena;
    struct pieces made = {0};
    tree_collect_fresh(arena, &edit->draft->names, &made);
    tree_collect_fresh(arena, &edit->draft->nsec3, &made);
    for (uint32_t i = 0; i < made.count; i++) {
        if (arena_kind(arena, made.pieces[i].ref) == ARENA_CHUNK_OWN) {
            arena_free(arena, made.pieces[i].ref, made.pieces[i].bytes);
        }
    }
    pieces_clear(&made);
    arena_drop_guests(arena);
}

/* The block as `place` may use it: out of memory that leaves with the edit. */
static enum sg_result settle(struct zone_edit *edit, arena_ref block, arena_ref *out_block)
{
    struct arena *arena = &edit->lineage->arena;
    if (block == 0 || arena_kind(arena, block) != ARENA_CHUNK_BRIEF) {
        *out_block = block;
        return SG_OK;
    }
    size_t bytes = block_bytes(arena_at(arena->chunks, block));
    arena_ref copy;
    enum sg_result result = arena_alloc(arena, bytes, &copy);
    if (result != SG_OK) {
        return result;
    }
    memcpy(arena_write(arena, copy), arena_at(arena->chunks, block), bytes);
    *out_block = copy;
    return SG_OK;
}

/* Undo settle(). */
static void unsettle(struct zone_edit *edit, arena_ref block, arena_ref settled)
{
    struct arena *arena = &edit->lineage->arena;
    if (settled != block) {
        arena_free(arena, settled, block_bytes(arena_at(arena->chunks, settled)));
    }
}

static bool has_rrset(const struct zone_node *node, enum zone_layer layer,
                      const struct dns_rrset *rrset)
{
    const struct zone_block *block = layer == ZONE_SOURCE ? node->source : node->generated;
    bool signatures = rrset->type == DNS_TYPE_RRSIG;
    unsigned index;
    return block != NULL &&
           block_find(block, signatures, signatures ? rrset->covered : rrset->type, &index);
}

/* `node`'s layer with one RRset replaced, packed; 0: nothing is left. */
static enum sg_result repack(struct zone_edit *edit, const struct zone_node *node,
                             enum zone_layer layer, struct span owner,
                             const struct dns_rrset *rrset, arena_ref *out_block)
{
    const struct zone_block *old = layer == ZONE_SOURCE ? node->source : node->generated;
    size_t room = old != NULL ? block_rrsets(old) + block_signatures(old) + 1 : 1;
    struct dns_rrset on_stack[RRSETS_ON_STACK_MAX];
    struct dns_rrset *rrsets =
        room <= RRSETS_ON_STACK_MAX ? on_stack : mem_alloc(room * sizeof(*rrsets));
    size_t count = 0;
    struct zone_rrset_walk walk = zone_node_walk_layer(node, layer);
    while (zone_node_walk_next(&walk)) {
        if (walk.rrset.type != rrset->type || walk.rrset.covered != rrset->covered) {
            rrsets[count++] = walk.rrset;
        }
    }
    if (rrset->count > 0) {
        rrsets[count++] = *rrset;
    }
    enum sg_result result = SG_OK;
    arena_ref block = 0;
    if (count > 0) {
        result = block_pack(&edit->lineage->arena, owner, rrsets, count, &block);
    }
    if (result == SG_OK) {
        *out_block = block;
    }
    if (rrsets != on_stack) {
        mem_free(rrsets);
    }
    return result;
}

static void forget_generated(void *argument, struct tree_cell *leaf)
{
    struct zone_edit *edit = argument;
    if (leaf->lo == 0) {
        return;
    }
    uint8_t *const *chunks = edit->lineage->arena.chunks;
    struct zone_counts *counts = &edit->draft->counts;
    counts->records -= version_count_leaf(chunks, leaf, false).records;
    counts->generated--;
    tree_discard(&edit->writer, leaf->lo, block_bytes(tree_generated(chunks, leaf)),
                 edit->writer.all_fresh || (leaf->hi & TREE_FRESH_GENERATED) != 0);
    leaf->lo = 0;
    leaf->hi &= ~TREE_FRESH_GENERATED;
    counts->records += version_count_leaf(chunks, leaf, false).records;
}

struct zone_edit *zone_edit_new(const struct dns_name *apex, uint16_t rrclass)
{
    return draft_new(apex, rrclass, &arena_sizes_default);
}

struct zone_edit *zone_edit_open(const struct zone_version *base)
{
    struct zone_edit *edit = mem_alloc_zero(1, sizeof(*edit));
    edit->lineage = base->lineage;
    edit->base = zone_version_ref(base);
    lineage_begin_edit(edit->lineage, base);
    edit->draft = lineage_draft(edit->lineage, base);
    edit->writer.arena = &edit->lineage->arena;
    return edit;
}

void zone_edit_abandon(struct zone_edit *edit)
{
    if (edit == NULL) {
        return;
    }
    if (edit->base != NULL) {
        free_made(edit);
        retire_tables(edit);
    }
    mem_free(edit->draft);
    free_edit(edit);
}

bool zone_edit_continues(const struct zone_edit *edit, const struct zone_version *base)
{
    return base != NULL && edit->base == base;
}

const struct zone_version *zone_edit_draft(struct zone_edit *edit)
{
    draft_flush(edit);
    struct zone_version *draft = refresh_draft(edit);
    /* A draft may still lack its SOA; then it has no serial either. */
    if (version_learn_facts(draft) != SG_OK) {
        draft->facts.serial = 0;
        draft->facts.source_serial = 0;
    }
    return draft;
}

enum sg_result zone_edit_add_record(struct zone_edit *edit, const struct dns_name *owner,
                                    uint16_t type, uint32_t ttl, struct span rdata,
                                    uint32_t *out_ttl)
{
    struct span relative;
    if (!owner_of(owner, &edit->lineage->apex, &relative)) {
        return SG_OUT_OF_ZONE;
    }
    uint16_t covered = type == DNS_TYPE_RRSIG && rdata.length > 2 ? wire_get_u16(rdata.bytes) : 0;
    bool nsec3 = draft_is_nsec3(type, covered);
    if (!gather_is_for(&edit->gather, nsec3, relative)) {
        draft_gather(edit, nsec3, relative);
    }
    return edit->failed != SG_OK ? edit->failed
                                 : gather_add(&edit->gather, type, ttl, rdata, out_ttl);
}

enum sg_result zone_edit_put_rrset(struct zone_edit *edit, const struct dns_name *owner,
                                   enum zone_layer layer, const struct dns_rrset *rrset)
{
    struct span relative;
    if (!owner_of(owner, &edit->lineage->apex, &relative)) {
        return SG_OUT_OF_ZONE;
    }
    draft_flush(edit);
    if (edit->failed != SG_OK) {
        return edit->failed;
    }
    bool nsec3 = draft_is_nsec3(rrset->type, rrset->covered);
    layer = nsec3 ? ZONE_SOURCE : layer;
    uint8_t *const *chunks = edit->lineage->arena.chunks;
    const struct tree_cell *leaf = tree_find(chunks, draft_tree(edit, nsec3), relative);
    struct zone_node node = {0};
    if (leaf != NULL) {
        node = tree_node(chunks, leaf);
    }
    if (rrset->count == 0 && !has_rrset(&node, layer, rrset)) {
        return SG_OK;
    }
    if (layer == ZONE_GENERATED && leaf == NULL) {
        return SG_NOT_FOUND;
    }
    arena_ref block;
    struct span stored = layer == ZONE_SOURCE ? relative : (struct span){NULL, 0};
    enum sg_result result = repack(edit, &node, layer, stored, rrset, &block);
    if (result != SG_OK) {
        return result;
    }
    result = layer == ZONE_SOURCE ? draft_set_source(edit, nsec3, relative, block)
                                  : draft_set_generated(edit, relative, block);
    if (result != SG_OK && block != 0) {
        unsettle(edit, 0, block);
    }
    return result;
}

enum sg_result zone_edit_adopt(struct zone_edit *edit, struct zone_pile *pile,
                               zone_block_ref *out_base)
{
    enum sg_result result = arena_adopt(&edit->lineage->arena, &pile->arena, out_base);
    zone_pile_free(pile);
    return result;
}

enum sg_result zone_edit_place(struct zone_edit *edit, const struct dns_name *owner,
                               zone_block_ref block)
{
    struct span relative;
    if (!owner_of(owner, &edit->lineage->apex, &relative)) {
        return SG_OUT_OF_ZONE;
    }
    draft_flush(edit);
    arena_ref settled;
    enum sg_result result = settle(edit, block, &settled);
    if (result != SG_OK) {
        return result;
    }
    result = draft_set_generated(edit, relative, settled);
    if (result != SG_OK) {
        unsettle(edit, block, settled);
    }
    return result;
}

enum sg_result zone_edit_place_nsec3(struct zone_edit *edit, zone_block_ref block)
{
    draft_flush(edit);
    arena_ref settled;
    enum sg_result result = settle(edit, block, &settled);
    if (result != SG_OK) {
        return result;
    }
    const struct zone_block *placed = arena_at(edit->lineage->arena.chunks, settled);
    struct span owner = {block_owner(placed), placed->owner_length};
    result = draft_set_source(edit, true, owner, settled);
    if (result != SG_OK) {
        unsettle(edit, block, settled);
    }
    return result;
}

enum sg_result zone_edit_remove_nsec3(struct zone_edit *edit, const struct dns_name *owner)
{
    struct span relative;
    if (!owner_of(owner, &edit->lineage->apex, &relative)) {
        return SG_OUT_OF_ZONE;
    }
    draft_flush(edit);
    if (tree_find(edit->lineage->arena.chunks, &edit->draft->nsec3, relative) == NULL) {
        return SG_NOT_FOUND;
    }
    return draft_set_source(edit, true, relative, 0);
}

void zone_edit_clear_nsec3(struct zone_edit *edit)
{
    draft_flush(edit);
    tree_discard_all(&edit->writer, &edit->draft->nsec3);
    edit->draft->counts.nsec3_records = 0;
    edit->draft->counts.opt_outs = 0;
}

void zone_edit_clear_generated(struct zone_edit *edit)
{
    draft_flush(edit);
    enum sg_result result =
        tree_own_all(&edit->writer, &edit->draft->names, forget_generated, edit);
    edit->failed = edit->failed != SG_OK ? edit->failed : result;
}

enum sg_result zone_edit_set_serial(struct zone_edit *edit, enum zone_layer layer, uint32_t serial)
{
    enum { SERIAL_FROM_END = 20 }; /* RFC 1035 3.3.13: five numbers end the rdata */

    draft_flush(edit);
    uint8_t *const *chunks = edit->lineage->arena.chunks;
    const struct tree_cell *leaf = tree_find(chunks, &edit->draft->names, (struct span){NULL, 0});
    if (leaf == NULL) {
        return SG_NOT_FOUND;
    }
    struct zone_node apex = tree_node(chunks, leaf);
    struct dns_rrset soa;
    enum zone_view view = layer == ZONE_SOURCE ? ZONE_VIEW_UNSIGNED : ZONE_VIEW_SIGNED;
    if (!zone_node_rrset(&apex, view, DNS_TYPE_SOA, &soa) || soa.bytes < SERIAL_FROM_END + 2) {
        return SG_NOT_FOUND;
    }
    uint8_t *packed = mem_copy(soa.packed, soa.bytes);
    wire_put_u32(packed + soa.bytes - SERIAL_FROM_END, serial);
    soa.packed = packed;
    enum sg_result result = zone_edit_put_rrset(edit, &edit->lineage->apex, layer, &soa);
    mem_free(packed);
    return result;
}

enum sg_result zone_edit_seal(struct zone_edit *edit, const struct zone_version **out_version)
{
    draft_flush(edit);
    struct zone_version *draft = refresh_draft(edit);
    enum sg_result result = edit->failed != SG_OK ? edit->failed : version_learn_facts(draft);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        return result;
    }
    struct arena *arena = &edit->lineage->arena;
    arena_keep_guests(arena);
    if (edit->base != NULL) {
        struct zone_version *base = (struct zone_version *)(uintptr_t)edit->base;
        lineage_retire(base, &edit->writer.retired);
        tree_collect_fresh(arena, &draft->names, &draft->made);
        tree_collect_fresh(arena, &draft->nsec3, &draft->made);
    } else {
        pieces_release(&edit->writer.retired, arena);
        arena_rest(arena); /* Most zones stay as they were loaded. */
    }
    retire_tables(edit);
    draft->facts.bytes = lineage_bytes(edit->lineage); /* without the guests that have left */
    lineage_append(edit->lineage, draft);
    free_edit(edit);
#ifdef SIGNET_CHECKS
    if (draft->facts.names <= CHECK_NAMES_MAX) {
        zone_version_check(draft);
    }
#endif
    *out_version = draft;
    return SG_OK;
}
