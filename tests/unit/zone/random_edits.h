/*
 * Random changes to both layers and the tree of hashes of a zone, and the plainest ways to ask
 * whether two versions are alike and where they are not: by walking all of both.
 *
 * An RRset is a set of eight rdatas out of a type's list and one of three TTLs, so that changes
 * overlap: some rdatas go, some stay, sometimes only the TTL moves. Any type may be in either
 * layer, so that the layers mix at every name as they do at the apex of a signed zone.
 */
#pragma once

#include "base/mem.h"
#include "naive.h"
#include "zone/draft.h"

enum {
    EDITS_RDATAS = 8,
    EDITS_HASHES = 32,
    EDITS_NAMES_MAX = 4000,
    EDITS_TYPES = 11,
};

static const uint16_t edits_types[EDITS_TYPES] = {
    DNS_TYPE_A,   DNS_TYPE_TXT,    DNS_TYPE_NS,  DNS_TYPE_DS,      DNS_TYPE_CNAME, DNS_TYPE_MX,
    DNS_TYPE_CDS, DNS_TYPE_DNSKEY, DNS_TYPE_SOA, DNS_TYPE_CDNSKEY, DNS_TYPE_NSEC,
};

struct edits_rrset {
    uint8_t packed[EDITS_RDATAS * 64];
    struct dns_rrset rrset;
};

/* Rdata number `index` of a type; numbers ascend in canonical order. */
static inline size_t edits_rdata(uint16_t type, uint16_t covered, unsigned index, uint8_t *out)
{
    memset(out, 0, 64);
    switch (type) {
    case DNS_TYPE_A:
        out[3] = (uint8_t)index;
        return 4;
    case DNS_TYPE_TXT:
        out[0] = (uint8_t)(1 + index * 4);
        return 1U + out[0];
    case DNS_TYPE_NS:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_MX: {
        size_t at = type == DNS_TYPE_MX ? 2 : 0;
        out[at] = 2;
        out[at + 1] = 'N'; /* upper case stays, and counts as lower */
        out[at + 2] = (uint8_t)('a' + index);
        return at + 4;
    }
    case DNS_TYPE_DS:
    case DNS_TYPE_CDS:
        out[1] = (uint8_t)index;
        out[3] = 2;
        return 36;
    case DNS_TYPE_DNSKEY:
    case DNS_TYPE_CDNSKEY:
        out[0] = 1;
        out[2] = 3;
        out[3] = 13;
        out[4] = (uint8_t)index;
        return 40;
    case DNS_TYPE_SOA:
        wire_put_u32(out + 2, index + 1);
        out[21] = 60;
        return 22;
    case DNS_TYPE_NSEC:
        out[1] = 0;
        out[2] = 1;
        out[3] = (uint8_t)(index + 1);
        return 4;
    case DNS_TYPE_NSEC3:
        out[0] = 1;
        out[1] = (uint8_t)(index & 1); /* opt-out or not: so order is by that first */
        out[5] = 20;
        out[6] = (uint8_t)index;
        out[27] = 1;
        out[28] = 0x40;
        return 29;
    default:
        wire_put_u16(out, covered);
        out[2] = 13;
        out[17] = (uint8_t)index;
        return 60;
    }
}

static inline unsigned edits_order(uint16_t type, unsigned position)
{
    /* Of NSEC3, those without opt-out come first. */
    return type == DNS_TYPE_NSEC3 ? (position < 4 ? position * 2 : (position - 4) * 2 + 1)
                                  : position;
}

/* `set`: which of the eight rdatas; 0 gives an RRset without records: put, it removes. */
static inline const struct dns_rrset *edits_set(uint16_t type, uint16_t covered, unsigned set,
                                                uint32_t ttl, struct edits_rrset *out)
{
    uint8_t *at = out->packed;
    out->rrset =
        (struct dns_rrset){.packed = out->packed, .ttl = ttl, .type = type, .covered = covered};
    for (unsigned position = 0; position < EDITS_RDATAS; position++) {
        unsigned index = edits_order(type, position);
        if ((set >> index & 1) != 0) {
            size_t length = edits_rdata(type, covered, index, at + 2);
            wire_put_u16(at, (uint16_t)length);
            at += 2 + length;
            out->rrset.count++;
        }
    }
    out->rrset.bytes = (uint32_t)(at - out->packed);
    return &out->rrset;
}

struct edits {
    struct random_seeded random;
    struct dns_name apex;
    size_t count; /* names that were touched once: they are touched again */
    struct dns_name names[EDITS_NAMES_MAX];
};

static inline unsigned edits_below(struct edits *edits, unsigned bound)
{
    return random_seeded_below(&edits->random, bound);
}

static inline void edits_init(struct edits *edits, const char *apex, uint64_t seed)
{
    edits->random.state = seed;
    ASSERT(dns_name_from_text(apex, strlen(apex), NULL, &edits->apex) == SG_OK);
    edits->count = 1;
    edits->names[0] = edits->apex;
}

static inline struct dns_name edits_name(struct edits *edits)
{
    if (edits->count == EDITS_NAMES_MAX || edits_below(edits, 3) > 0) {
        return edits
            ->names[edits_below(edits, 4) == 0 ? 0 : edits_below(edits, (unsigned)edits->count)];
    }
    edits->names[edits->count] = naive_random_name(&edits->random, &edits->apex);
    return edits->names[edits->count++];
}

static inline void edits_put(struct zone_edit *edit, const struct dns_name *owner,
                             enum zone_layer layer, const struct dns_rrset *rrset)
{
    enum sg_result result = zone_edit_put_rrset(edit, owner, layer, rrset);
    ASSERT(result == SG_OK || (result == SG_NOT_FOUND && layer == ZONE_GENERATED));
}

static inline void edits_put_soa(struct edits *edits, struct zone_edit *edit, uint32_t serial,
                                 enum zone_layer layer)
{
    struct edits_rrset buffer;
    edits_set(DNS_TYPE_SOA, 0, 1, 300, &buffer);
    wire_put_u32(buffer.packed + 4, serial);
    edits_put(edit, &edits->apex, layer, &buffer.rrset);
}

/* An NSEC3 or its signatures; never without a label of 32 bytes. */
static inline void edits_change_hash(struct edits *edits, struct zone_edit *edit)
{
    struct dns_name owner = edits->apex;
    struct edits_rrset buffer;
    bool signatures = edits_below(edits, 2) == 0;
    memmove(owner.wire + 33, owner.wire, owner.length);
    memset(owner.wire, 'a', 33);
    owner.wire[0] = 32;
    owner.wire[32] = (uint8_t)('a' + edits_below(edits, EDITS_HASHES) / 4);
    owner.wire[1 + edits_below(edits, 3)] = 'b';
    owner.length = (uint8_t)(owner.length + 33);
    owner.labels++;
    edits_put(edit, &owner, ZONE_SOURCE,
              edits_set(signatures ? DNS_TYPE_RRSIG : DNS_TYPE_NSEC3,
                        signatures ? DNS_TYPE_NSEC3 : 0,
                        edits_below(edits, 3) == 0 ? 0 : edits_below(edits, 256),
                        300 + edits_below(edits, 3), &buffer));
}

static inline void edits_change_something(struct edits *edits, struct zone_edit *edit)
{
    struct edits_rrset buffer;
    if (edits_below(edits, 5) == 0) {
        edits_change_hash(edits, edit);
        return;
    }
    struct dns_name owner = edits_name(edits);
    bool apex = dns_name_equal(&owner, &edits->apex);
    uint16_t type = edits_types[edits_below(edits, EDITS_TYPES)];
    type = type == DNS_TYPE_SOA && !apex ? DNS_TYPE_A : type;
    unsigned set = edits_below(edits, 3) == 0 ? 0 : edits_below(edits, 256);
    if (edits_below(edits, 12) == 0 && !apex) { /* the whole name */
        for (unsigned i = 0; i < EDITS_TYPES; i++) {
            edits_put(edit, &owner, ZONE_SOURCE, edits_set(edits_types[i], 0, 0, 300, &buffer));
            edits_put(edit, &owner, ZONE_SOURCE,
                      edits_set(DNS_TYPE_RRSIG, edits_types[i], 0, 300, &buffer));
        }
        return;
    }
    enum zone_layer layer = edits_below(edits, 2) == 0 ? ZONE_SOURCE : ZONE_GENERATED;
    if (type == DNS_TYPE_SOA && apex) {
        if (layer == ZONE_GENERATED && edits_below(edits, 3) == 0) {
            edits_put(edit, &owner, layer, edits_set(type, 0, 0, 300, &buffer));
        } else {
            edits_put_soa(edits, edit, 1 + edits_below(edits, 1000), layer);
        }
        return;
    }
    set = type == DNS_TYPE_SOA || type == DNS_TYPE_CNAME ? set & 1 : set;
    bool signatures = edits_below(edits, 3) == 0;
    edits_put(edit, &owner, layer,
              edits_set(signatures ? DNS_TYPE_RRSIG : type, signatures ? type : 0, set,
                        300 + edits_below(edits, 3), &buffer));
}

/* --- plain answers -------------------------------------------------------------------------- */

struct edits_walk {
    size_t count;
    struct edits_named {
        struct dns_name owner;
        struct zone_node node;
    } * names;
};

static inline struct edits_walk edits_walk(const struct zone_version *version, bool nsec3)
{
    size_t room = nsec3 ? EDITS_HASHES : zone_version_facts(version)->names;
    struct edits_walk walk = {0, mem_alloc_zero(room + 1, sizeof(struct edits_named))};
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    if (nsec3) {
        zone_cursor_start_nsec3(cursor, version);
    } else {
        zone_cursor_start(cursor, version);
    }
    while (zone_cursor_next(cursor)) {
        ASSERT(walk.count < room);
        walk.names[walk.count].node = cursor->node;
        zone_version_owner(version, &cursor->node, &walk.names[walk.count++].owner);
    }
    mem_free(cursor);
    return walk;
}

static inline bool edits_same_layer(const struct zone_node *a, const struct zone_node *b,
                                    enum zone_layer layer)
{
    struct zone_rrset_walk walk_a = zone_node_walk_layer(a, layer);
    struct zone_rrset_walk walk_b = zone_node_walk_layer(b, layer);
    for (;;) {
        bool more_a = zone_node_walk_next(&walk_a);
        bool more_b = zone_node_walk_next(&walk_b);
        if (!more_a || !more_b) {
            return more_a == more_b;
        }
        const struct dns_rrset *left = &walk_a.rrset, *right = &walk_b.rrset;
        if (left->type != right->type || left->covered != right->covered ||
            left->ttl != right->ttl || left->count != right->count || left->bytes != right->bytes ||
            memcmp(left->packed, right->packed, left->bytes) != 0) {
            return false;
        }
    }
}

static inline bool edits_same_node(const struct zone_node *a, const struct zone_node *b)
{
    return edits_same_layer(a, b, ZONE_SOURCE) && edits_same_layer(a, b, ZONE_GENERATED);
}

/* Every layer of every name, and the hashes. */
static inline void edits_check_same(const struct zone_version *a, const struct zone_version *b,
                                    bool source_only)
{
    for (unsigned nsec3 = 0; nsec3 < (source_only ? 1 : 2); nsec3++) {
        struct edits_walk left = edits_walk(a, nsec3 != 0);
        struct edits_walk right = edits_walk(b, nsec3 != 0);
        ASSERT(left.count == right.count);
        for (size_t i = 0; i < left.count; i++) {
            ASSERT(dns_name_equal(&left.names[i].owner, &right.names[i].owner));
            ASSERT(edits_same_layer(&left.names[i].node, &right.names[i].node, ZONE_SOURCE));
            ASSERT(source_only ||
                   edits_same_layer(&left.names[i].node, &right.names[i].node, ZONE_GENERATED));
        }
        mem_free(left.names);
        mem_free(right.names);
    }
    const struct zone_facts *left = zone_version_facts(a), *right = zone_version_facts(b);
    ASSERT(left->names == right->names);
    ASSERT(source_only || (left->records == right->records && left->serial == right->serial));
    ASSERT(source_only || left->source_serial == right->source_serial);
}
