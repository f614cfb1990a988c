/*
 * A zone as a sorted array of names, and every question answered by looking at all of them: what
 * the property tests and the fuzz target hold the trees against.
 */
#pragma once

#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "zone/edit.h"

enum naive_kind {
    NAIVE_SOA,
    NAIVE_NS,
    NAIVE_A,
    NAIVE_TXT,
    NAIVE_CNAME,
    NAIVE_DNAME,
    NAIVE_DS,
    NAIVE_NSEC,
    NAIVE_SIG_A,
    NAIVE_SIG_TXT,
    NAIVE_KINDS
};

enum { NAIVE_NAMES_MAX = 600, NAIVE_PACKED_MAX = 4096, NAIVE_ALPHABET = 14 };

/* What a name owns: an RRset is a kind and a variant, 0 is none. */
struct naive_name {
    struct dns_name name;
    uint8_t sets[2][NAIVE_KINDS]; /* by enum zone_layer */
};

struct naive_zone {
    struct dns_name apex;
    size_t count;
    struct naive_name names[NAIVE_NAMES_MAX]; /* in canonical order */
};

struct naive_rrset {
    uint8_t packed[NAIVE_PACKED_MAX];
    struct dns_rrset rrset;
};

static inline uint16_t naive_type(enum naive_kind kind)
{
    static const uint16_t types[NAIVE_KINDS] = {
        DNS_TYPE_SOA,   DNS_TYPE_NS, DNS_TYPE_A,    DNS_TYPE_TXT,   DNS_TYPE_CNAME,
        DNS_TYPE_DNAME, DNS_TYPE_DS, DNS_TYPE_NSEC, DNS_TYPE_RRSIG, DNS_TYPE_RRSIG,
    };
    return types[kind];
}

static inline uint16_t naive_covered(enum naive_kind kind)
{
    return kind == NAIVE_SIG_A ? DNS_TYPE_A : kind == NAIVE_SIG_TXT ? DNS_TYPE_TXT : 0;
}

/* Rdata number `index` of a variant; numbers ascend in canonical order. */
static inline size_t naive_rdata(enum naive_kind kind, unsigned variant, unsigned index,
                                 uint8_t *out)
{
    memset(out, 0, 600);
    switch (kind) {
    case NAIVE_SOA: /* two root names, five numbers, the first of them the serial */
        out[5] = (uint8_t)variant;
        out[21] = 60;
        return 22;
    case NAIVE_NS:
    case NAIVE_CNAME:
    case NAIVE_DNAME:
        out[0] = 2;
        out[1] = (uint8_t)variant;
        out[2] = (uint8_t)index;
        return 4;
    case NAIVE_A:
        out[0] = (uint8_t)variant;
        out[3] = (uint8_t)index;
        return 4;
    case NAIVE_TXT: /* of any size up to 255 */
        out[0] = (uint8_t)variant;
        out[variant] = (uint8_t)index;
        return 1U + variant;
    case NAIVE_DS:
        out[1] = (uint8_t)variant;
        out[3] = (uint8_t)index;
        return 36;
    case NAIVE_NSEC:
        out[2] = (uint8_t)variant; /* root, window 0 ... */
        out[1] = 0;
        out[2] = 1;
        out[3] = (uint8_t)variant;
        return 4;
    default: /* RRSIG */
        wire_put_u16(out, naive_covered(kind));
        out[2] = 13;
        out[17] = (uint8_t)index;
        out[19] = (uint8_t)variant;
        return 60;
    }
}

static inline unsigned naive_count(enum naive_kind kind, unsigned variant)
{
    bool single =
        kind == NAIVE_SOA || kind == NAIVE_NSEC || kind == NAIVE_CNAME || kind == NAIVE_DNAME;
    return single ? 1 : 1 + variant % 4;
}

static inline uint32_t naive_ttl(unsigned variant)
{
    return 300 + variant;
}

/* Variant 0 gives an RRset without records: put, it removes. */
static inline const struct dns_rrset *naive_set(enum naive_kind kind, unsigned variant,
                                                struct naive_rrset *out)
{
    uint8_t *at = out->packed;
    unsigned count = variant > 0 ? naive_count(kind, variant) : 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t rdata[600];
        size_t length = naive_rdata(kind, variant, i, rdata);
        wire_put_u16(at, (uint16_t)length);
        memcpy(at + 2, rdata, length);
        at += 2 + length;
    }
    out->rrset = (struct dns_rrset){
        .packed = out->packed,
        .bytes = (uint32_t)(at - out->packed),
        .ttl = naive_ttl(variant),
        .type = naive_type(kind),
        .covered = naive_covered(kind),
        .count = (uint16_t)count,
    };
    return &out->rrset;
}

static inline void naive_init(struct naive_zone *zone, const struct dns_name *apex)
{
    zone->apex = *apex;
    zone->count = 0;
}

static inline void naive_copy(struct naive_zone *to, const struct naive_zone *from)
{
    to->apex = from->apex;
    to->count = from->count;
    memcpy(to->names, from->names, from->count * sizeof(from->names[0]));
}

static inline struct naive_name *naive_find(struct naive_zone *zone, const struct dns_name *name)
{
    for (size_t i = 0; i < zone->count; i++) {
        if (dns_name_equal(&zone->names[i].name, name)) {
            return &zone->names[i];
        }
    }
    return NULL;
}

static inline void naive_remove(struct naive_zone *zone, struct naive_name *name)
{
    size_t index = (size_t)(name - zone->names);
    memmove(name, name + 1, (zone->count - index - 1) * sizeof(*name));
    zone->count--;
}

static inline bool naive_owns_source(const struct naive_name *name)
{
    for (unsigned kind = 0; kind < NAIVE_KINDS; kind++) {
        if (name->sets[ZONE_SOURCE][kind] != 0) {
            return true;
        }
    }
    return false;
}

/* What zone_edit_put_rrset() does. */
static inline enum sg_result naive_put(struct naive_zone *zone, const struct dns_name *owner,
                                       enum zone_layer layer, enum naive_kind kind,
                                       unsigned variant)
{
    struct naive_name *name = naive_find(zone, owner);
    if (name == NULL) {
        if (variant == 0) {
            return SG_OK;
        }
        if (layer == ZONE_GENERATED) {
            return SG_NOT_FOUND;
        }
        size_t at = 0;
        while (at < zone->count && dns_name_compare(&zone->names[at].name, owner) < 0) {
            at++;
        }
        name = &zone->names[at];
        memmove(name + 1, name, (zone->count - at) * sizeof(*name));
        memset(name, 0, sizeof(*name));
        name->name = *owner;
        zone->count++;
    }
    name->sets[layer][kind] = (uint8_t)variant;
    if (!naive_owns_source(name)) {
        naive_remove(zone, name);
    }
    return SG_OK;
}

static inline bool naive_is_cut(const struct naive_zone *zone, const struct naive_name *name)
{
    bool apex = dns_name_equal(&name->name, &zone->apex);
    return (name->sets[ZONE_SOURCE][NAIVE_NS] != 0 && !apex) ||
           name->sets[ZONE_SOURCE][NAIVE_DNAME] != 0;
}

/* The topmost cut strictly above `name`, or NULL. */
static inline const struct naive_name *naive_cut_above(const struct naive_zone *zone,
                                                       const struct dns_name *name)
{
    const struct naive_name *topmost = NULL;
    for (size_t i = 0; i < zone->count; i++) {
        const struct naive_name *there = &zone->names[i];
        if (there->name.labels < name->labels && dns_name_is_at_or_below(name, &there->name) &&
            naive_is_cut(zone, there) &&
            (topmost == NULL || there->name.labels < topmost->name.labels)) {
            topmost = there;
        }
    }
    return topmost;
}

/* Does the name or anything below it own records? */
static inline bool naive_exists(const struct naive_zone *zone, const struct dns_name *name)
{
    for (size_t i = 0; i < zone->count; i++) {
        if (dns_name_is_at_or_below(&zone->names[i].name, name)) {
            return true;
        }
    }
    return false;
}

static inline void naive_check_sets(const struct naive_name *expected, const struct zone_node *node)
{
    for (unsigned layer = 0; layer < 2; layer++) {
        unsigned sets = 0;
        for (unsigned kind = 0; kind < NAIVE_KINDS; kind++) {
            sets += expected->sets[layer][kind] != 0;
        }
        struct zone_rrset_walk walk = zone_node_walk_layer(node, (enum zone_layer)layer);
        while (zone_node_walk_next(&walk)) {
            unsigned kind = 0;
            while (naive_type((enum naive_kind)kind) != walk.rrset.type ||
                   naive_covered((enum naive_kind)kind) != walk.rrset.covered) {
                kind++;
                ASSERT(kind < NAIVE_KINDS);
            }
            struct naive_rrset buffer;
            const struct dns_rrset *set =
                naive_set((enum naive_kind)kind, expected->sets[layer][kind], &buffer);
            ASSERT(walk.rrset.count == set->count && walk.rrset.ttl == set->ttl);
            ASSERT(walk.rrset.bytes == set->bytes);
            ASSERT(memcmp(walk.rrset.packed, set->packed, set->bytes) == 0);
            sets--;
        }
        ASSERT(sets == 0);
    }
}

/* The version holds exactly what the zone holds, in the same order. */
static inline void naive_check_content(const struct naive_zone *zone,
                                       const struct zone_version *version)
{
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    zone_cursor_start(cursor, version);
    for (size_t i = 0; i < zone->count; i++) {
        ASSERT(zone_cursor_next(cursor));
        struct dns_name owner;
        zone_version_owner(version, &cursor->node, &owner);
        ASSERT(dns_name_compare(&owner, &zone->names[i].name) == 0);
        ASSERT(cursor->below_cut == (naive_cut_above(zone, &owner) != NULL));
        naive_check_sets(&zone->names[i], &cursor->node);
    }
    ASSERT(!zone_cursor_next(cursor));
    mem_free(cursor);
    ASSERT(zone_version_facts(version)->names == zone->count);
}

static inline void naive_check_node_is(const struct zone_version *version,
                                       const struct zone_node *node, const struct naive_name *name)
{
    struct dns_name owner;
    ASSERT(node->source != NULL);
    zone_version_owner(version, node, &owner);
    ASSERT(dns_name_equal(&owner, &name->name));
    ASSERT(owner.labels == name->name.labels);
}

static inline void naive_check_find(struct naive_zone *zone, const struct zone_version *version,
                                    const struct dns_name *name)
{
    struct zone_match match;
    ASSERT(zone_version_find(version, name, &match) == SG_OK);
    unsigned apex_labels = zone->apex.labels;
    const struct naive_name *cut = naive_cut_above(zone, name);
    const struct naive_name *here = naive_find(zone, name);
    struct zone_node node;
    ASSERT(zone_version_node(version, name, &node) == (here != NULL));
    if (here != NULL) {
        naive_check_node_is(version, &node, here);
    }
    if (cut != NULL) {
        naive_check_node_is(version, &match.cut, cut);
        ASSERT(match.cut_labels == cut->name.labels - apex_labels);
        return;
    }
    unsigned encloser = name->labels - apex_labels;
    for (; encloser > 0; encloser--) {
        struct dns_name above = dns_name_parent(name, name->labels - apex_labels - encloser);
        if (naive_exists(zone, &above)) {
            break;
        }
    }
    ASSERT(match.encloser_labels == encloser);
    if (here == NULL) {
        ASSERT(match.node.source == NULL && match.cut.source == NULL);
        ASSERT(match.kind == (naive_exists(zone, name) ? ZONE_MATCH_EMPTY : ZONE_MATCH_NONE));
        return;
    }
    ASSERT(match.kind == ZONE_MATCH_NAME);
    naive_check_node_is(version, &match.node, here);
    ASSERT((match.cut.source != NULL) == naive_is_cut(zone, here));
    if (match.cut.source != NULL) {
        naive_check_node_is(version, &match.cut, here);
        ASSERT(match.cut_labels == name->labels - apex_labels);
    }
}

/* Seeking gives all names from `name` on. */
static inline void naive_check_seek(const struct naive_zone *zone,
                                    const struct zone_version *version, const struct dns_name *name)
{
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    zone_cursor_seek(cursor, version, name);
    for (size_t i = 0; i < zone->count; i++) {
        if (dns_name_compare(&zone->names[i].name, name) < 0) {
            continue;
        }
        ASSERT(zone_cursor_next(cursor));
        naive_check_node_is(version, &cursor->node, &zone->names[i]);
        ASSERT(cursor->below_cut == (naive_cut_above(zone, &zone->names[i].name) != NULL));
    }
    ASSERT(!zone_cursor_next(cursor));
    mem_free(cursor);
}

/* The nearest name at or before `name` that owns an NSEC and is above all cuts. */
static inline void naive_check_nsec(const struct naive_zone *zone,
                                    const struct zone_version *version, const struct dns_name *name)
{
    const struct naive_name *expected = NULL;
    for (size_t i = 0; i < zone->count; i++) {
        const struct naive_name *there = &zone->names[i];
        if (dns_name_compare(&there->name, name) <= 0 &&
            (there->sets[ZONE_SOURCE][NAIVE_NSEC] != 0 ||
             there->sets[ZONE_GENERATED][NAIVE_NSEC] != 0)) {
            expected = there;
        }
    }
    struct zone_node node;
    ASSERT(zone_version_nsec(version, name, &node) == (expected != NULL));
    if (expected != NULL) {
        naive_check_node_is(version, &node, expected);
    }
}

/* A name in the zone of few and strange bytes, so that many names are neighbours or ancestors. */
static inline struct dns_name naive_random_name(struct random_seeded *random,
                                                const struct dns_name *apex)
{
    static const uint8_t alphabet[NAIVE_ALPHABET] = {0,   '!', '*', ',', '-', '.', '0',
                                                     ':', '_', '`', 'a', 'z', '{', 0xff};
    struct dns_name name = *apex;
    for (unsigned labels = random_seeded_below(random, 5); labels > 0; labels--) {
        unsigned length = 1 + (random_seeded_below(random, 4) == 0);
        if (random_seeded_below(random, 200) == 0) {
            length = DNS_LABEL_BYTES_MAX;
        }
        if (name.length + 1 + length > DNS_NAME_BYTES_MAX) {
            break;
        }
        memmove(name.wire + 1 + length, name.wire, name.length);
        name.wire[0] = (uint8_t)length;
        for (unsigned i = 0; i < length; i++) {
            name.wire[1 + i] = alphabet[random_seeded_below(random, NAIVE_ALPHABET)];
        }
        name.length = (uint8_t)(name.length + 1 + length);
        name.labels++;
    }
    return name;
}
