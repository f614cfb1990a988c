#include "zone/block_check.h"

#include "dns/rdata.h"
#include "zone/draft.h"
#include "zone/owner.h"

enum { RRSIG_RDATA_MIN = 18 };

/* The parts of a block, once it is known that they fit its length. */
struct parts {
    const uint8_t *entries;
    const uint8_t *rdata;
    size_t rdata_bytes;
    unsigned rrsets, signatures;
    bool wide;
};

static bool find_parts(const struct zone_block *block, size_t length, struct parts *out_parts)
{
    if (length < sizeof(*block) || block->form > BLOCK_WIDE ||
        (block->form == BLOCK_WIDE && length < sizeof(struct zone_block_wide))) {
        return false;
    }
    bool wide = block->form == BLOCK_WIDE;
    size_t head = wide ? sizeof(struct zone_block_wide) : sizeof(struct zone_block);
    size_t entry = wide ? sizeof(struct block_entry_wide) : sizeof(struct block_entry_compact);
    unsigned rrsets = block_rrsets(block);
    unsigned signatures = block_signatures(block);
    size_t before = head + (rrsets + signatures) * entry + block->owner_length;
    if (rrsets + signatures == 0 || before > length || length - before > BLOCK_BYTES_MAX) {
        return false;
    }
    const uint8_t *at = (const uint8_t *)block;
    *out_parts = (struct parts){at + head, at + before, length - before, rrsets, signatures, wide};
    return true;
}

static struct block_entry_wide entry_at(const struct parts *parts, unsigned index)
{
    struct block_entry_wide wide;
    struct block_entry_compact compact;
    if (parts->wide) {
        memcpy(&wide, parts->entries + index * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&compact, parts->entries + index * sizeof(compact), sizeof(compact));
    return (struct block_entry_wide){compact.ttl, compact.end, compact.type, 0};
}

static bool is_fine(uint16_t type, uint16_t covered, struct span rdata)
{
    return dns_rdata_check(type, rdata) == SG_OK &&
           (type != DNS_TYPE_RRSIG ||
            (rdata.length >= RRSIG_RDATA_MIN && wire_get_u16(rdata.bytes) == covered));
}

/* The rdatas between two places are whole, well formed and in order. */
static bool check_rdatas(uint16_t type, uint16_t covered, struct span packed, unsigned *out_count)
{
    struct reader reader = reader_of(packed);
    struct span last = {NULL, 0};
    unsigned count = 0;
    for (; reader_left(&reader) > 0; count++) {
        struct span rdata = reader_span(&reader, reader_u16(&reader));
        if (reader.failed || !is_fine(type, covered, rdata) ||
            (count > 0 && dns_rdata_compare(type, last, rdata) >= 0)) {
            return false;
        }
        last = rdata;
    }
    *out_count = count;
    return count > 0 && count <= UINT16_MAX;
}

static uint32_t flag_of(uint16_t type, bool apex)
{
    switch (type) {
    case DNS_TYPE_NS:
        return apex ? 0 : ZONE_NODE_CUT;
    case DNS_TYPE_CNAME:
        return ZONE_NODE_CNAME;
    case DNS_TYPE_DNAME:
        return ZONE_NODE_DNAME;
    case DNS_TYPE_DS:
        return ZONE_NODE_DS;
    default:
        return 0;
    }
}

static uint32_t count_opt_outs(struct span packed)
{
    uint32_t opt_outs = 0;
    for (size_t at = 0; at < packed.length; at += 2U + wire_get_u16(packed.bytes + at)) {
        opt_outs += packed.bytes[at + 3] & 1; /* RFC 5155 3.2: behind the hash algorithm */
    }
    return opt_outs;
}

static void add_up(struct block_summary *summary, const struct block_entry_wide *entry,
                   bool signature, bool apex)
{
    uint64_t bit = UINT64_C(1) << entry->type % 64;
    summary->records += entry->count;
    summary->ttl_max = entry->ttl > summary->ttl_max ? entry->ttl : summary->ttl_max;
    if (signature) {
        summary->signatures |= bit;
    } else {
        summary->types |= bit;
        summary->flags |= flag_of(entry->type, apex);
    }
}

static bool check_entries(const struct parts *parts, bool hash, bool apex,
                          struct block_summary *summary)
{
    uint32_t start = 0;
    int last_type = -1;
    for (unsigned i = 0; i < parts->rrsets + parts->signatures; i++) {
        struct block_entry_wide entry = entry_at(parts, i);
        bool signature = i >= parts->rrsets;
        uint16_t type = signature ? DNS_TYPE_RRSIG : entry.type;
        uint16_t covered = signature ? entry.type : 0;
        last_type = i == parts->rrsets ? -1 : last_type;
        if ((int)entry.type <= last_type || entry.end <= start || entry.end > parts->rdata_bytes ||
            (!signature && (type == 0 || type == DNS_TYPE_RRSIG)) ||
            draft_is_nsec3(type, covered) != hash) {
            return false;
        }
        unsigned count;
        struct span packed = {parts->rdata + start, entry.end - start};
        if (!check_rdatas(type, covered, packed, &count) || (parts->wide && count != entry.count)) {
            return false;
        }
        entry.count = (uint16_t)count;
        add_up(summary, &entry, signature, apex);
        summary->opt_outs += type == DNS_TYPE_NSEC3 ? count_opt_outs(packed) : 0;
        last_type = entry.type;
        start = entry.end;
    }
    return start == parts->rdata_bytes;
}

bool block_check(const struct zone_block *block, size_t length, enum block_place place,
                 struct block_summary *out_summary)
{
    struct parts parts;
    if (!find_parts(block, length, &parts)) {
        return false;
    }
    struct span owner = {block_owner(block), block->owner_length};
    bool apex = owner.length == 0;
    struct block_summary summary = {.flags = apex ? ZONE_NODE_APEX : 0};
    if (!check_entries(&parts, place == BLOCK_OF_HASH, apex, &summary) ||
        (place == BLOCK_OF_GENERATED ? !apex : !owner_is_valid(owner))) {
        return false;
    }
    if (!apex && owner.bytes[0] == 1 && owner.bytes[1] == '*') {
        summary.flags |= ZONE_NODE_WILDCARD;
    }
    *out_summary = summary;
    return true;
}
