#include "zone/patch.h"

#include "base/mem.h"
#include "base/random.h"
#include "dns/rdata.h"
#include "zone/draft.h"
#include "zone/hash.h"
#include "zone/owner.h"

enum {
    RRSET_RECORDS_MAX = 65535,
    RRSETS_ON_STACK_MAX = 32,
    SLOTS_MIN = 16,
    SLOT_FREE = 0, /* slots hold an index into `names` plus 1 */
};

struct patch_name {
    struct patch_rrset *rrsets;
    uint32_t count, capacity;
    uint32_t bytes; /* of the rdatas of all RRsets, packed */
    bool nsec3;
    bool touched;
    uint8_t owner_length;
    uint8_t owner[];
};

struct patch {
    struct zone_edit *edit;
    struct patch_name **names;
    uint32_t count, capacity;
    uint32_t *slots; /* a power of two, at most half full */
    uint32_t slots_count;
    uint64_t seed;
};

static struct span unpack(const uint8_t *packed)
{
    return (struct span){packed + 2, wire_get_u16(packed)};
}

static uint16_t covered_by(uint16_t type, struct span rdata)
{
    return type == DNS_TYPE_RRSIG && rdata.length >= 2 ? wire_get_u16(rdata.bytes) : 0;
}

/* ---- names ---- */

static uint32_t first_slot(const struct patch *patch, bool nsec3, struct span owner)
{
    uint64_t hash = hash_bytes(patch->seed + nsec3, owner.bytes, owner.length);
    return (uint32_t)hash & (patch->slots_count - 1);
}

static void grow_slots(struct patch *patch)
{
    patch->slots_count = patch->slots_count > 0 ? patch->slots_count * 2 : SLOTS_MIN;
    mem_free(patch->slots);
    patch->slots = mem_alloc_zero(patch->slots_count, sizeof(*patch->slots));
    for (uint32_t i = 0; i < patch->count; i++) {
        uint32_t slot =
            first_slot(patch, patch->names[i]->nsec3, patch_name_owner(patch->names[i]));
        while (patch->slots[slot] != SLOT_FREE) {
            slot = (slot + 1) & (patch->slots_count - 1);
        }
        patch->slots[slot] = i + 1;
    }
}

static struct patch_rrset *append_rrset(struct patch_name *name, uint16_t type, uint16_t covered)
{
    if (name->count == name->capacity) {
        name->capacity = name->capacity > 0 ? name->capacity * 2 : 4;
        name->rrsets = mem_resize_array(name->rrsets, name->capacity, sizeof(*name->rrsets));
    }
    struct patch_rrset *rrset = &name->rrsets[name->count++];
    *rrset = (struct patch_rrset){
        .before = {.type = type, .covered = covered}, .type = type, .covered = covered};
    return rrset;
}

/* What the draft has at that name. */
static struct patch_name *load_name(struct patch *patch, bool nsec3, struct span owner)
{
    struct patch_name *name = mem_alloc_zero(1, sizeof(*name) + owner.length);
    name->nsec3 = nsec3;
    name->owner_length = (uint8_t)owner.length;
    if (owner.length > 0) {
        memcpy(name->owner, owner.bytes, owner.length);
    }
    uint8_t *const *chunks = patch->edit->lineage->arena.chunks;
    const struct tree_cell *leaf = tree_find(chunks, draft_tree(patch->edit, nsec3), owner);
    if (leaf == NULL) {
        return name;
    }
    struct zone_node node = tree_node(chunks, leaf);
    struct zone_rrset_walk walk = zone_node_walk_layer(&node, ZONE_SOURCE);
    while (zone_node_walk_next(&walk)) {
        struct patch_rrset *rrset = append_rrset(name, walk.rrset.type, walk.rrset.covered);
        rrset->before = walk.rrset;
        rrset->count = walk.rrset.count;
        rrset->ttl = walk.rrset.ttl;
        name->bytes += walk.rrset.bytes;
    }
    return name;
}

struct patch_name *patch_find_name(struct patch *patch, bool nsec3, struct span owner)
{
    if (patch->count >= patch->slots_count / 2) {
        grow_slots(patch);
    }
    uint32_t slot = first_slot(patch, nsec3, owner);
    for (; patch->slots[slot] != SLOT_FREE; slot = (slot + 1) & (patch->slots_count - 1)) {
        struct patch_name *name = patch->names[patch->slots[slot] - 1];
        if (name->nsec3 == nsec3 && owner_equal(patch_name_owner(name), owner)) {
            return name;
        }
    }
    if (patch->count == patch->capacity) {
        patch->capacity = patch->capacity > 0 ? patch->capacity * 2 : 4;
        patch->names = mem_resize_array(patch->names, patch->capacity, sizeof(*patch->names));
    }
    struct patch_name *name = load_name(patch, nsec3, owner);
    patch->names[patch->count++] = name;
    patch->slots[slot] = patch->count;
    return name;
}

struct patch_name *patch_at(const struct patch *patch, unsigned index)
{
    return index < patch->count ? patch->names[index] : NULL;
}

struct span patch_name_owner(const struct patch_name *name)
{
    return (struct span){name->owner, name->owner_length};
}

unsigned patch_name_rrsets(const struct patch_name *name)
{
    unsigned rrsets = 0;
    for (uint32_t i = 0; i < name->count; i++) {
        rrsets += name->rrsets[i].count > 0;
    }
    return rrsets;
}

const struct patch_rrset *patch_name_at(const struct patch_name *name, unsigned index)
{
    return index < name->count ? &name->rrsets[index] : NULL;
}

/* ---- RRsets ---- */

static struct patch_rrset *find_rrset(const struct patch_name *name, uint16_t type,
                                      uint16_t covered)
{
    for (uint32_t i = 0; i < name->count; i++) {
        if (name->rrsets[i].type == type && name->rrsets[i].covered == covered) {
            return &name->rrsets[i];
        }
    }
    return NULL;
}

const struct patch_rrset *patch_name_rrset(const struct patch_name *name, uint16_t type,
                                           uint16_t covered)
{
    const struct patch_rrset *rrset = find_rrset(name, type, covered);
    return rrset != NULL && rrset->count > 0 ? rrset : NULL;
}

/* Its rdatas one by one, so that any may be found, added and removed. */
static void touch(struct patch_name *name, struct patch_rrset *rrset)
{
    name->touched = true;
    if (!rrset->touched) {
        rrset->touched = true;
        rdata_list_fill(&rrset->rdatas, &rrset->before);
    }
}

struct span patch_rrset_rdata(const struct patch_rrset *rrset, uint32_t index)
{
    ASSERT(index < rrset->count);
    if (rrset->touched) {
        return unpack(rdata_list_at(&rrset->rdatas, index));
    }
    struct dns_rdata_cursor cursor = dns_rrset_walk(&rrset->before);
    while (dns_rdata_next(&cursor) && index > 0) {
        index--;
    }
    return cursor.rdata;
}

bool patch_rrset_has(const struct patch_rrset *rrset, struct span rdata)
{
    struct rdata_place place;
    if (rrset->touched) {
        return rdata_list_find(&rrset->rdatas, rrset->type, rdata, &place);
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset->before); dns_rdata_next(&c);) {
        if (dns_rdata_compare(rrset->type, rdata, c.rdata) == 0) {
            return true;
        }
    }
    return false;
}

bool patch_rrset_is_changed(const struct patch_rrset *rrset)
{
    const struct dns_rrset *before = &rrset->before;
    if (!rrset->touched || (rrset->count == 0 && before->count == 0)) {
        return false;
    }
    if (rrset->count != before->count || rrset->ttl != before->ttl) {
        return true;
    }
    struct rdata_place place = {0, 0};
    for (struct dns_rdata_cursor c = dns_rrset_walk(before); dns_rdata_next(&c);) {
        struct span rdata = unpack(rdata_list_next(&rrset->rdatas, &place));
        if (rdata.bytes != c.rdata.bytes && dns_rdata_compare(rrset->type, rdata, c.rdata) != 0) {
            return true;
        }
    }
    return false;
}

bool patch_name_is_changed(const struct patch_name *name, uint16_t type)
{
    const struct patch_rrset *rrset = find_rrset(name, type, 0);
    return rrset != NULL && patch_rrset_is_changed(rrset);
}

enum sg_result patch_add(struct patch_name *name, uint16_t type, uint32_t ttl,
                         const uint8_t *packed)
{
    struct span rdata = unpack(packed);
    uint16_t covered = covered_by(type, rdata);
    struct patch_rrset *rrset = find_rrset(name, type, covered);
    struct rdata_place place = {0, 0};
    if (rrset != NULL) {
        touch(name, rrset);
        if (rdata_list_find(&rrset->rdatas, type, rdata, &place)) {
            rrset->ttl = ttl;
            return SG_EXISTS;
        }
    }
    if (name->bytes + rdata.length + 2 > BLOCK_BYTES_MAX ||
        (rrset != NULL && rrset->count == RRSET_RECORDS_MAX)) {
        return SG_LIMIT;
    }
    if (rrset == NULL) {
        rrset = append_rrset(name, type, covered);
        touch(name, rrset);
    }
    rdata_list_insert(&rrset->rdatas, place, packed);
    rrset->count++;
    rrset->ttl = ttl;
    name->bytes += (uint32_t)rdata.length + 2;
    return SG_OK;
}

enum sg_result patch_remove(struct patch_name *name, uint16_t type, struct span rdata)
{
    struct patch_rrset *rrset = find_rrset(name, type, covered_by(type, rdata));
    struct rdata_place place;
    if (rrset == NULL) {
        return SG_NOT_FOUND;
    }
    touch(name, rrset);
    if (!rdata_list_find(&rrset->rdatas, type, rdata, &place)) {
        return SG_NOT_FOUND;
    }
    name->bytes -= wire_get_u16(rdata_list_remove(&rrset->rdatas, place)) + 2u;
    rrset->count--;
    return SG_OK;
}

void patch_clear(struct patch_name *name, uint16_t type, uint16_t covered)
{
    struct patch_rrset *rrset = find_rrset(name, type, covered);
    if (rrset == NULL) {
        return;
    }
    touch(name, rrset);
    struct rdata_place place = {0, 0};
    for (const uint8_t *packed; (packed = rdata_list_next(&rrset->rdatas, &place)) != NULL;) {
        name->bytes -= wire_get_u16(packed) + 2u;
    }
    rdata_list_clear(&rrset->rdatas);
    rrset->count = 0;
}

/* ---- into the draft ---- */

/* The RRset as a block takes it; `bytes` has room for it. */
static struct dns_rrset pack_rrset(const struct patch_rrset *rrset, struct buffer *bytes)
{
    if (!rrset->touched) {
        return rrset->before;
    }
    size_t begin = bytes->length;
    struct rdata_place place = {0, 0};
    for (const uint8_t *packed; (packed = rdata_list_next(&rrset->rdatas, &place)) != NULL;) {
        struct span rdata = unpack(packed);
        buffer_append(bytes, rdata.bytes - 2, rdata.length + 2);
    }
    return (struct dns_rrset){
        .packed = bytes->bytes + begin,
        .bytes = (uint32_t)(bytes->length - begin),
        .ttl = rrset->ttl,
        .type = rrset->type,
        .covered = rrset->covered,
        .count = (uint16_t)rrset->count,
    };
}

static enum sg_result pack_name(struct zone_edit *edit, const struct patch_name *name,
                                struct buffer *bytes, arena_ref *out_block)
{
    struct dns_rrset on_stack[RRSETS_ON_STACK_MAX];
    struct dns_rrset *rrsets =
        name->count <= RRSETS_ON_STACK_MAX ? on_stack : mem_alloc(name->count * sizeof(*rrsets));
    buffer_clear(bytes);
    buffer_reserve(bytes, name->bytes + 1); /* so that it does not move */
    size_t count = 0;
    for (uint32_t i = 0; i < name->count; i++) {
        if (name->rrsets[i].count > 0) {
            rrsets[count++] = pack_rrset(&name->rrsets[i], bytes);
        }
    }
    enum sg_result result = SG_OK;
    arena_ref block = 0;
    if (count > 0) {
        result = block_pack(&edit->lineage->arena, patch_name_owner(name), rrsets, count, &block);
    }
    if (result == SG_OK) {
        *out_block = block;
    }
    if (rrsets != on_stack) {
        mem_free(rrsets);
    }
    return result;
}

static uint64_t count_changes(const struct patch_name *name)
{
    uint64_t changes = 0;
    for (uint32_t i = 0; name->touched && i < name->count; i++) {
        changes += patch_rrset_is_changed(&name->rrsets[i]);
    }
    return changes;
}

static enum sg_result write_name(struct zone_edit *edit, const struct patch_name *name,
                                 struct buffer *bytes)
{
    arena_ref block;
    enum sg_result result = pack_name(edit, name, bytes, &block);
    if (result != SG_OK) {
        return result;
    }
    return draft_set_source(edit, name->nsec3, patch_name_owner(name), block);
}

enum sg_result patch_write(struct patch *patch, uint64_t *out_changes)
{
    struct buffer bytes = BUFFER_EMPTY;
    enum sg_result result = SG_OK;
    uint64_t changes = 0;
    for (uint32_t i = 0; result == SG_OK && i < patch->count; i++) {
        uint64_t here = count_changes(patch->names[i]);
        changes += here;
        if (here > 0) {
            result = write_name(patch->edit, patch->names[i], &bytes);
        }
    }
    buffer_free(&bytes);
    if (result == SG_OK) {
        *out_changes = changes;
    }
    return result;
}

struct patch *patch_new(struct zone_edit *edit)
{
    struct patch *patch = mem_alloc_zero(1, sizeof(*patch));
    draft_flush(edit);
    patch->edit = edit;
    patch->seed = random_u32();
    return patch;
}

void patch_free(struct patch *patch)
{
    if (patch == NULL) {
        return;
    }
    for (uint32_t i = 0; i < patch->count; i++) {
        struct patch_name *name = patch->names[i];
        for (uint32_t j = 0; j < name->count; j++) {
            rdata_list_clear(&name->rrsets[j].rdatas);
        }
        mem_free(name->rrsets);
        mem_free(name);
    }
    mem_free(patch->names);
    mem_free(patch->slots);
    mem_free(patch);
}
