#include "zone/pile.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dns/name.h"
#include "zone/block.h"

enum { SORT_ON_STACK_MAX = 32 };

/* The order of entries in a block: types first, then signatures by type covered. */
static uint32_t rank_of(const struct dns_rrset *rrset)
{
    return rrset->type == DNS_TYPE_RRSIG ? UINT32_C(0x10000) | rrset->covered : rrset->type;
}

static int compare_ranks(const void *a, const void *b)
{
    uint32_t rank_a = rank_of(*(const struct dns_rrset *const *)a);
    uint32_t rank_b = rank_of(*(const struct dns_rrset *const *)b);
    return rank_a < rank_b ? -1 : rank_a > rank_b;
}

/* What there is to pack, in the order in which it will stand. */
struct packing {
    const struct dns_rrset **sorted;
    const struct dns_rrset *on_stack[SORT_ON_STACK_MAX];
    size_t count;
    size_t signatures;
    size_t rdata_bytes;
    bool wide;
};

/* A block is 16 MiB at most, so sums of its parts cannot overflow. */
static enum sg_result packing_start(struct packing *packing, struct span owner,
                                    const struct dns_rrset *rrsets, size_t count)
{
    *packing = (struct packing){.count = count};
    for (size_t i = 0; i < count; i++) {
        ASSERT(rrsets[i].count > 0);
        packing->rdata_bytes += rrsets[i].bytes;
        packing->signatures += rrsets[i].type == DNS_TYPE_RRSIG;
    }
    size_t types = count - packing->signatures;
    if (owner.length > DNS_NAME_BYTES_MAX - 1 || packing->rdata_bytes > BLOCK_BYTES_MAX ||
        types > UINT16_MAX || packing->signatures > UINT16_MAX) {
        return SG_LIMIT;
    }
    packing->wide = packing->rdata_bytes > BLOCK_COMPACT_RDATA_BYTES_MAX ||
                    types > BLOCK_COMPACT_RRSETS_MAX ||
                    packing->signatures > BLOCK_COMPACT_RRSETS_MAX;
    packing->sorted = count <= SORT_ON_STACK_MAX
                          ? packing->on_stack
                          : mem_alloc(count * sizeof(const struct dns_rrset *));
    bool in_order = true;
    for (size_t i = 0; i < count; i++) {
        packing->sorted[i] = &rrsets[i];
        in_order = in_order && (i == 0 || rank_of(&rrsets[i - 1]) < rank_of(&rrsets[i]));
    }
    if (!in_order) {
        qsort(packing->sorted, count, sizeof(const struct dns_rrset *), compare_ranks);
    }
    return SG_OK;
}

static void packing_end(struct packing *packing)
{
    if (packing->sorted != packing->on_stack) {
        mem_free(packing->sorted);
    }
}

static size_t packing_bytes(const struct packing *packing, struct span owner)
{
    size_t head = packing->wide ? sizeof(struct zone_block_wide) : sizeof(struct zone_block);
    size_t entry =
        packing->wide ? sizeof(struct block_entry_wide) : sizeof(struct block_entry_compact);
    return head + packing->count * entry + owner.length + packing->rdata_bytes;
}

static uint8_t *write_head(const struct packing *packing, struct span owner, uint8_t *at)
{
    size_t types = packing->count - packing->signatures;
    if (packing->wide) {
        struct zone_block_wide head = {
            .head = {.form = BLOCK_WIDE, .owner_length = (uint8_t)owner.length},
            .rrsets = (uint16_t)types,
            .signatures = (uint16_t)packing->signatures,
        };
        memcpy(at, &head, sizeof(head));
        return at + sizeof(head);
    }
    struct zone_block head = {
        .owner_length = (uint8_t)owner.length,
        .rrsets = (uint8_t)types,
        .signatures = (uint8_t)packing->signatures,
    };
    memcpy(at, &head, sizeof(head));
    return at + sizeof(head);
}

static uint8_t *write_entry(const struct packing *packing, const struct dns_rrset *rrset,
                            uint32_t end, uint8_t *at)
{
    uint16_t type = rrset->type == DNS_TYPE_RRSIG ? rrset->covered : rrset->type;
    if (packing->wide) {
        struct block_entry_wide entry = {rrset->ttl, end, type, rrset->count};
        memcpy(at, &entry, sizeof(entry));
        return at + sizeof(entry);
    }
    struct block_entry_compact entry = {rrset->ttl, type, (uint16_t)end};
    memcpy(at, &entry, sizeof(entry));
    return at + sizeof(entry);
}

enum sg_result block_pack(struct arena *arena, struct span owner, const struct dns_rrset *rrsets,
                          size_t count, arena_ref *out_ref)
{
    struct packing packing;
    enum sg_result result = packing_start(&packing, owner, rrsets, count);
    if (result != SG_OK) {
        return result;
    }
    arena_ref ref;
    result = arena_alloc(arena, packing_bytes(&packing, owner), &ref);
    if (result != SG_OK) {
        goto out;
    }
    uint8_t *at = write_head(&packing, owner, arena_write(arena, ref));
    uint32_t end = 0;
    for (size_t i = 0; i < count; i++) {
        end += packing.sorted[i]->bytes;
        at = write_entry(&packing, packing.sorted[i], end, at);
    }
    if (owner.length > 0) {
        memcpy(at, owner.bytes, owner.length);
        at += owner.length;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(at, packing.sorted[i]->packed, packing.sorted[i]->bytes);
        at += packing.sorted[i]->bytes;
    }
    *out_ref = ref;

out:
    packing_end(&packing);
    return result;
}

struct zone_pile *zone_pile_new(void)
{
    struct zone_pile *pile = mem_alloc(sizeof(*pile));
    arena_init(&pile->arena, &arena_sizes_default);
    return pile;
}

void zone_pile_free(struct zone_pile *pile)
{
    if (pile != NULL) {
        arena_clear(&pile->arena);
        mem_free(pile);
    }
}

enum sg_result zone_pile_add(struct zone_pile *pile, struct span owner,
                             const struct dns_rrset *rrsets, size_t count, zone_block_ref *out_ref)
{
    return block_pack(&pile->arena, owner, rrsets, count, out_ref);
}
