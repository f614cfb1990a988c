#include "base/mem.h"
#include "dns/rdata.h"
#include "zone/changeset.h"
#include "zone/draft.h"
#include "zone/owner.h"

enum { RRSET_RECORDS_MAX = 65535 };

/*
 * All changes of one name are applied at once: on the way from one RRset to the next the name
 * might own nothing and lose what was generated for it.
 */
struct applying {
    struct zone_edit *edit;
    bool lax;                    /* what does not fit is passed over */
    struct buffer scratch;       /* rdatas of the RRsets in the making; does not move meanwhile */
    struct zone_change *changes; /* of one name */
    size_t count, capacity;
};

/* The RRsets of one layer of the name. */
struct layer {
    struct dns_rrset *rrsets;
    size_t count;
    bool changed;
};

static void add_change(struct applying *applying, const struct zone_change *change)
{
    if (applying->count == applying->capacity) {
        applying->capacity = applying->capacity > 0 ? applying->capacity * 2 : 16;
        applying->changes =
            mem_resize_array(applying->changes, applying->capacity, sizeof(*applying->changes));
    }
    applying->changes[applying->count++] = *change;
}

static bool is_generated(const struct zone_change *change)
{
    /* In the tree of hashes there is one layer. */
    return (change->flags & ZONE_CHANGE_GENERATED) != 0 && (change->flags & ZONE_CHANGE_NSEC3) == 0;
}

static struct dns_rrset *find_rrset(struct layer *layer, const struct dns_rrset *like)
{
    for (size_t i = 0; i < layer->count; i++) {
        if (layer->rrsets[i].type == like->type && layer->rrsets[i].covered == like->covered) {
            return &layer->rrsets[i];
        }
    }
    return NULL;
}

static void keep(struct buffer *scratch, struct span rdata, struct dns_rrset *rrset)
{
    buffer_append(scratch, rdata.bytes - 2, rdata.length + 2);
    rrset->bytes += (uint32_t)rdata.length + 2;
    rrset->count++;
}

/* Copy what is not deleted. False: some of that is not there. */
static bool subtract(struct buffer *scratch, const struct dns_rrset *from,
                     const struct dns_rrset *deleted, struct dns_rrset *out_rest)
{
    unsigned found = 0;
    *out_rest = *from;
    out_rest->packed = scratch->bytes + scratch->length;
    out_rest->bytes = 0;
    out_rest->count = 0;
    struct dns_rdata_cursor gone = dns_rrset_walk(deleted);
    bool more = dns_rdata_next(&gone);
    for (struct dns_rdata_cursor c = dns_rrset_walk(from); dns_rdata_next(&c);) {
        int order = -1;
        while (more && (order = dns_rdata_compare(from->type, c.rdata, gone.rdata)) > 0) {
            more = dns_rdata_next(&gone);
        }
        if (more && order == 0 && memcmp(c.rdata.bytes, gone.rdata.bytes, c.rdata.length) == 0) {
            found++;
        } else {
            keep(scratch, c.rdata, out_rest);
        }
    }
    return found == deleted->count;
}

/* Merge. `out_fits` false: some of what is to be added is there. */
static enum sg_result unite(struct buffer *scratch, const struct dns_rrset *rest,
                            const struct dns_rrset *added, struct dns_rrset *out_sum,
                            bool *out_fits)
{
    struct dns_rrset sum = *added;
    sum.packed = scratch->bytes + scratch->length;
    sum.bytes = 0;
    sum.count = 0;
    if ((unsigned)rest->count + added->count > RRSET_RECORDS_MAX) {
        return SG_LIMIT;
    }
    *out_fits = true;
    struct dns_rdata_cursor a = dns_rrset_walk(rest), b = dns_rrset_walk(added);
    bool more_a = dns_rdata_next(&a), more_b = dns_rdata_next(&b);
    while (more_a || more_b) {
        int order = !more_a ? 1 : !more_b ? -1 : dns_rdata_compare(added->type, a.rdata, b.rdata);
        keep(scratch, order <= 0 ? a.rdata : b.rdata, &sum);
        *out_fits = *out_fits && order != 0;
        more_a = order <= 0 ? dns_rdata_next(&a) : more_a;
        more_b = order >= 0 ? dns_rdata_next(&b) : more_b;
    }
    *out_sum = sum;
    return SG_OK;
}

static enum sg_result change_rrset(struct applying *applying, struct layer *layer,
                                   const struct zone_change *change)
{
    struct dns_rrset *there = find_rrset(layer, &change->added);
    struct dns_rrset rest = {.type = change->added.type, .covered = change->added.covered};
    bool fits = there != NULL ? subtract(&applying->scratch, there, &change->deleted, &rest)
                              : change->deleted.count == 0;
    /* All rdatas have one TTL: it is the deleted ones', and those' that stay is the added ones'. */
    fits = fits && (change->deleted.count == 0 || change->deleted.ttl == there->ttl) &&
           (rest.count == 0 || change->added.ttl == rest.ttl);
    if (!fits && !applying->lax) {
        return SG_CONFLICT;
    }
    if (change->added.count > 0) {
        enum sg_result result = unite(&applying->scratch, &rest, &change->added, &rest, &fits);
        if (result != SG_OK || (!fits && !applying->lax)) {
            return result != SG_OK ? result : SG_CONFLICT;
        }
    }
    layer->changed = true;
    if (rest.count > 0) {
        *(there != NULL ? there : &layer->rrsets[layer->count++]) = rest;
    } else if (there != NULL) {
        *there = layer->rrsets[--layer->count];
    }
    return SG_OK;
}

/* Each RRset of a layer at most once, in order: so what is copied is bounded by what there is. */
static bool is_in_order(const struct applying *applying)
{
    uint32_t last[2] = {0, 0};
    for (size_t i = 0; i < applying->count; i++) {
        const struct dns_rrset *rrset = &applying->changes[i].added;
        uint32_t rank =
            rrset->type == DNS_TYPE_RRSIG ? UINT32_C(0x10000) | rrset->covered : rrset->type;
        uint32_t *before = &last[is_generated(&applying->changes[i])];
        if (rank <= *before) {
            return false;
        }
        *before = rank;
    }
    return true;
}

static size_t layer_load(struct layer *layer, const struct zone_block *block, size_t more)
{
    size_t bytes = 0;
    size_t count = block != NULL ? block_rrsets(block) + block_signatures(block) : 0;
    layer->rrsets = mem_alloc((count + more) * sizeof(*layer->rrsets));
    for (unsigned i = 0; i < count; i++) {
        block_entry(block, i, &layer->rrsets[i]);
        bytes += layer->rrsets[i].bytes;
    }
    layer->count = count;
    layer->changed = false;
    return bytes;
}

static enum sg_result store_layer(struct zone_edit *edit, bool nsec3, struct span owner,
                                  enum zone_layer which, const struct layer *layer)
{
    struct arena *arena = &edit->lineage->arena;
    arena_ref block = 0;
    enum sg_result result = SG_OK;
    if (layer->count > 0) {
        struct span stored = which == ZONE_SOURCE ? owner : (struct span){NULL, 0};
        result = block_pack(arena, stored, layer->rrsets, layer->count, &block);
    }
    if (result != SG_OK) {
        return result;
    }
    result = which == ZONE_SOURCE ? draft_set_source(edit, nsec3, owner, block)
                                  : draft_set_generated(edit, owner, block);
    if (result != SG_OK && block != 0) {
        arena_free(arena, block, block_bytes(arena_at(arena->chunks, block)));
    }
    return result;
}

static enum sg_result store_name(struct zone_edit *edit, bool nsec3, struct span owner,
                                 const struct layer layers[2])
{
    const struct layer *source = &layers[ZONE_SOURCE], *generated = &layers[ZONE_GENERATED];
    enum sg_result result = SG_OK;
    if (source->changed) {
        result = store_layer(edit, nsec3, owner, ZONE_SOURCE, source);
    }
    /* A name that goes takes its generated block along. */
    if (result == SG_OK && generated->changed && source->count > 0) {
        result = store_layer(edit, nsec3, owner, ZONE_GENERATED, generated);
    }
    return result;
}

/* Apply the changes of one name. */
static enum sg_result apply_name(struct applying *applying)
{
    struct zone_edit *edit = applying->edit;
    struct span owner = applying->changes[0].owner;
    bool nsec3 = (applying->changes[0].flags & ZONE_CHANGE_NSEC3) != 0;
    if (owner.length + edit->lineage->apex.length > DNS_NAME_BYTES_MAX || !is_in_order(applying)) {
        return SG_MALFORMED;
    }
    uint8_t *const *chunks = edit->lineage->arena.chunks;
    const struct tree_cell *leaf = tree_find(chunks, draft_tree(edit, nsec3), owner);
    struct layer layers[2];
    size_t bytes = layer_load(&layers[ZONE_SOURCE], leaf != NULL ? tree_source(chunks, leaf) : NULL,
                              applying->count);
    bytes += layer_load(&layers[ZONE_GENERATED], leaf != NULL ? tree_generated(chunks, leaf) : NULL,
                        applying->count);
    for (size_t i = 0; i < applying->count; i++) {
        bytes += applying->changes[i].added.bytes;
    }
    /* An RRset that changes is copied twice: what stays of it, and that with what is added. */
    buffer_clear(&applying->scratch);
    buffer_reserve(&applying->scratch, 2 * bytes);
    enum sg_result result = SG_OK;
    for (size_t i = 0; i < applying->count && result == SG_OK; i++) {
        result = change_rrset(applying, &layers[is_generated(&applying->changes[i])],
                              &applying->changes[i]);
    }
    if (result == SG_OK && layers[ZONE_SOURCE].count == 0 && layers[ZONE_GENERATED].count > 0 &&
        !applying->lax) {
        result = SG_CONFLICT;
    }
    if (result == SG_OK) {
        result = store_name(edit, nsec3, owner, layers);
    }
    mem_free(layers[ZONE_SOURCE].rrsets);
    mem_free(layers[ZONE_GENERATED].rrsets);
    applying->count = 0;
    return result;
}

static bool is_wanted(const struct zone_change *change, bool source_only)
{
    if (!source_only) {
        return (change->flags & ZONE_CHANGE_APPLY) != 0;
    }
    bool soa = change->owner.length == 0 && change->added.type == DNS_TYPE_SOA;
    return (change->flags & (ZONE_CHANGE_APPLY | ZONE_CHANGE_GENERATED)) == ZONE_CHANGE_APPLY &&
           !soa;
}

enum sg_result zone_changeset_apply(struct zone_edit *edit, struct span bytes, bool source_only)
{
    struct applying applying = {.edit = edit, .lax = source_only};
    draft_flush(edit);
    enum sg_result result = edit->failed;
    struct zone_changeset_walk walk = zone_changeset_walk(bytes);
    while (result == SG_OK && zone_changeset_next(&walk)) {
        const struct zone_change *change = &walk.change;
        if (!is_wanted(change, source_only)) {
            continue;
        }
        const struct zone_change *last =
            applying.count > 0 ? &applying.changes[applying.count - 1] : NULL;
        if (last != NULL && (!owner_equal(last->owner, change->owner) ||
                             ((last->flags ^ change->flags) & ZONE_CHANGE_NSEC3) != 0)) {
            result = apply_name(&applying);
        }
        add_change(&applying, change);
    }
    if (result == SG_OK && walk.failed) {
        result = SG_MALFORMED;
    }
    if (result == SG_OK && applying.count > 0) {
        result = apply_name(&applying);
    }
    buffer_free(&applying.scratch);
    mem_free(applying.changes);
    return result;
}
