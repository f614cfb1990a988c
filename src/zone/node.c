#include "zone/node.h"

#include "zone/block.h"

/* What the form of a block decides, read once. */
struct shape {
    const uint8_t *entries;
    const uint8_t *rdata;
    unsigned rrsets;
    unsigned signatures;
    bool wide;
};

static struct shape shape_of(const struct zone_block *block)
{
    const uint8_t *owner = block_owner(block);
    bool wide = block->form == BLOCK_WIDE;
    return (struct shape){
        .entries = (const uint8_t *)block +
                   (wide ? sizeof(struct zone_block_wide) : sizeof(struct zone_block)),
        .rdata = owner + block->owner_length,
        .rrsets = block_rrsets(block),
        .signatures = block_signatures(block),
        .wide = wide,
    };
}

static struct block_entry_wide entry_at(const struct shape *shape, unsigned index)
{
    if (shape->wide) {
        struct block_entry_wide entry;
        memcpy(&entry, shape->entries + index * sizeof(entry), sizeof(entry));
        return entry;
    }
    struct block_entry_compact entry;
    memcpy(&entry, shape->entries + index * sizeof(entry), sizeof(entry));
    return (struct block_entry_wide){entry.ttl, entry.end, entry.type, 0};
}

static uint16_t count_rdatas(const uint8_t *at, const uint8_t *end)
{
    uint16_t count = 0;
    while (at < end) {
        at += 2 + wire_get_u16(at);
        count++;
    }
    return count;
}

static void read_entry(const struct shape *shape, unsigned index, struct dns_rrset *out_rrset)
{
    struct block_entry_wide entry = entry_at(shape, index);
    uint32_t start = index > 0 ? entry_at(shape, index - 1).end : 0;
    bool signature = index >= shape->rrsets;
    const uint8_t *packed = shape->rdata + start;
    *out_rrset = (struct dns_rrset){
        .packed = packed,
        .bytes = entry.end - start,
        .ttl = entry.ttl,
        .type = signature ? DNS_TYPE_RRSIG : entry.type,
        .covered = signature ? entry.type : 0,
        .count = shape->wide ? entry.count : count_rdatas(packed, shape->rdata + entry.end),
    };
}

static bool find_entry(const struct shape *shape, bool signatures, uint16_t type,
                       unsigned *out_index)
{
    unsigned low = signatures ? shape->rrsets : 0;
    unsigned high = signatures ? shape->rrsets + shape->signatures : shape->rrsets;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint16_t there = entry_at(shape, middle).type;
        if (there == type) {
            *out_index = middle;
            return true;
        }
        if (there < type) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static bool read_rrset(const struct zone_block *block, bool signatures, uint16_t type,
                       struct dns_rrset *out_rrset)
{
    if (block == NULL) {
        return false;
    }
    struct shape shape = shape_of(block);
    unsigned index;
    if (!find_entry(&shape, signatures, type, &index)) {
        return false;
    }
    read_entry(&shape, index, out_rrset);
    return true;
}

void block_entry(const struct zone_block *block, unsigned index, struct dns_rrset *out_rrset)
{
    struct shape shape = shape_of(block);
    read_entry(&shape, index, out_rrset);
}

bool block_find(const struct zone_block *block, bool signatures, uint16_t type, unsigned *out_index)
{
    struct shape shape = shape_of(block);
    return find_entry(&shape, signatures, type, out_index);
}

size_t block_bytes(const struct zone_block *block)
{
    struct shape shape = shape_of(block);
    unsigned entries = shape.rrsets + shape.signatures;
    size_t rdata = entries > 0 ? entry_at(&shape, entries - 1).end : 0;
    return (size_t)(shape.rdata - (const uint8_t *)block) + rdata;
}

uint64_t block_records(const struct zone_block *block)
{
    struct shape shape = shape_of(block);
    uint64_t records = 0;
    for (unsigned i = 0; i < shape.rrsets + shape.signatures; i++) {
        struct dns_rrset rrset;
        read_entry(&shape, i, &rrset);
        records += rrset.count;
    }
    return records;
}

uint32_t block_flags(const struct zone_block *block)
{
    struct shape shape = shape_of(block);
    const uint8_t *owner = block_owner(block);
    bool apex = block->owner_length == 0;
    uint32_t flags = apex ? ZONE_NODE_APEX : 0;
    if (!apex && owner[0] == 1 && owner[1] == '*') {
        flags |= ZONE_NODE_WILDCARD;
    }
    for (unsigned i = 0; i < shape.rrsets; i++) {
        switch (entry_at(&shape, i).type) {
        case DNS_TYPE_NS:
            flags |= apex ? 0 : ZONE_NODE_CUT;
            break;
        case DNS_TYPE_CNAME:
            flags |= ZONE_NODE_CNAME;
            break;
        case DNS_TYPE_DNAME:
            flags |= ZONE_NODE_DNAME;
            break;
        case DNS_TYPE_DS:
            flags |= ZONE_NODE_DS;
            break;
        default:
            break;
        }
    }
    return flags;
}

uint32_t block_ttl_max(const struct zone_block *block)
{
    struct shape shape = shape_of(block);
    uint32_t ttl = 0;
    for (unsigned i = 0; i < shape.rrsets + shape.signatures; i++) {
        uint32_t there = entry_at(&shape, i).ttl;
        ttl = there > ttl ? there : ttl;
    }
    return ttl;
}

uint32_t block_opt_outs(const struct zone_block *block)
{
    struct dns_rrset rrset;
    uint32_t opt_outs = 0;
    if (!read_rrset(block, false, DNS_TYPE_NSEC3, &rrset)) {
        return 0;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        /* RFC 5155 3.2: the flags follow the hash algorithm. */
        opt_outs += c.rdata.length > 1 && (c.rdata.bytes[1] & 1) != 0;
    }
    return opt_outs;
}

struct span zone_node_owner(const struct zone_node *node)
{
    return (struct span){block_owner(node->source), node->source->owner_length};
}

bool zone_node_rrset(const struct zone_node *node, enum zone_view view, uint16_t type,
                     struct dns_rrset *out_rrset)
{
    return (view == ZONE_VIEW_SIGNED && read_rrset(node->generated, false, type, out_rrset)) ||
           read_rrset(node->source, false, type, out_rrset);
}

bool zone_node_signatures(const struct zone_node *node, enum zone_view view, uint16_t type,
                          struct dns_rrset *out_rrset)
{
    return (view == ZONE_VIEW_SIGNED && read_rrset(node->generated, true, type, out_rrset)) ||
           read_rrset(node->source, true, type, out_rrset);
}

struct zone_rrset_walk zone_node_walk(const struct zone_node *node, enum zone_view view)
{
    return (struct zone_rrset_walk){
        .blocks = {view == ZONE_VIEW_SIGNED ? node->generated : NULL, node->source},
    };
}

struct zone_rrset_walk zone_node_walk_layer(const struct zone_node *node, enum zone_layer layer)
{
    return (struct zone_rrset_walk){
        .blocks = {layer == ZONE_GENERATED ? node->generated : node->source, NULL},
    };
}

/* The walk's next entry in one block, among types or among signatures. False: no more. */
static bool peek(const struct zone_rrset_walk *walk, unsigned which, uint16_t *out_type)
{
    const struct zone_block *block = walk->blocks[which];
    if (block == NULL) {
        return false;
    }
    struct shape shape = shape_of(block);
    unsigned end = walk->signatures ? shape.rrsets + shape.signatures : shape.rrsets;
    if (walk->next[which] >= end) {
        return false;
    }
    *out_type = entry_at(&shape, walk->next[which]).type;
    return true;
}

bool zone_node_walk_next(struct zone_rrset_walk *walk)
{
    for (;;) {
        uint16_t first = 0;
        uint16_t second = 0;
        bool in_first = peek(walk, 0, &first);
        bool in_second = peek(walk, 1, &second);
        if (in_first || in_second) {
            unsigned from = in_first && (!in_second || first <= second) ? 0 : 1;
            block_entry(walk->blocks[from], walk->next[from], &walk->rrset);
            walk->next[0] += from == 0;
            walk->next[1] += from == 1 || (in_first && in_second && first == second);
            return true;
        }
        if (walk->signatures) {
            return false;
        }
        walk->signatures = true;
    }
}
