/*
 * zone/node.h - what one owner name holds: immutable packed blocks
 *
 * A name has up to two blocks. The *source* block is what came from the zone file, an update or a
 * transfer. The *generated* block is what Signet made for it: NSEC, RRSIGs, and at the apex the
 * SOA as it is served, DNSKEY, CDS, CDNSKEY, NSEC3PARAM. The unsigned view of a zone looks at
 * source blocks alone; the signed view looks in the generated block first, then in the source.
 * A zone that was signed elsewhere has source blocks only, RRSIGs and NSECs among them.
 *
 *   block: header | entries, by type | RRSIG entries, by type covered | owner | packed rdatas
 *
 * Owner names are relative to the apex, lower case, without the root label; the apex's is empty.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dns/rrset.h"
#include "dns/rrtype.h"

enum zone_layer { ZONE_SOURCE, ZONE_GENERATED };
enum zone_view { ZONE_VIEW_SIGNED, ZONE_VIEW_UNSIGNED };

/* Flags of a name; kept in the tree's leaf, so that a search reads no block to learn them. They
 * tell of this name's own records, never of its ancestors': an update touches one name. */
enum zone_node_flag {
    ZONE_NODE_APEX = 1,
    ZONE_NODE_CUT = 2, /* owns NS and is not the apex */
    ZONE_NODE_DNAME = 4,
    ZONE_NODE_CNAME = 8,
    ZONE_NODE_WILDCARD = 16, /* its first label is "*" */
    ZONE_NODE_DS = 32,
};

struct zone_block; /* opaque: the layout is node.c's business */

/* A name as a search or a walk shows it. Borrowed from its version; a value of three words. */
struct zone_node {
    const struct zone_block *source;    /* NULL: no such name */
    const struct zone_block *generated; /* may be NULL */
    uint32_t flags;
};

/* The relative owner name: `length` bytes of labels without the root label. */
struct span zone_node_owner(const struct zone_node *node);

static inline bool zone_node_is_cut(const struct zone_node *node)
{
    return (node->flags & ZONE_NODE_CUT) != 0;
}

/*
 * The RRset of `type` (not RRSIG) in `view`. False, and `out_rrset` untouched, if there is none.
 * Thread: any that holds the version. Never blocks, never allocates.
 */
bool zone_node_rrset(const struct zone_node *node, enum zone_view view, uint16_t type,
                     struct dns_rrset *out_rrset);
/* The RRSIGs that cover `type`: as an rrset of type RRSIG. */
bool zone_node_signatures(const struct zone_node *node, enum zone_view view, uint16_t type,
                          struct dns_rrset *out_rrset);

/* Every RRset of a name in ascending type, signature sets behind all others. */
struct zone_rrset_walk {
    struct dns_rrset rrset; /* the present one */
    const struct zone_block *blocks[2];
    uint32_t next[2];
    bool signatures;
};
struct zone_rrset_walk zone_node_walk(const struct zone_node *node, enum zone_view view);
/* Only one layer's RRsets, e.g. to copy a block with a change. */
struct zone_rrset_walk zone_node_walk_layer(const struct zone_node *node, enum zone_layer layer);
bool zone_node_walk_next(struct zone_rrset_walk *walk);

/*
 * A worker's own pile of finished blocks, to be adopted whole by an edit (zone_edit_adopt), so
 * that signing in parallel needs no lock and no copy. Thread: one at a time.
 */
struct zone_pile;
struct zone_pile *zone_pile_new(void);
void zone_pile_free(struct zone_pile *pile); /* not after adoption */

typedef uint32_t zone_block_ref; /* within its pile until adopted; 0: none */

/*
 * Pack a block: `rrsets` in any order; entries of type RRSIG go by their `covered`. `owner` is
 * relative (empty for generated blocks of the name tree). Sorted and duplicate-free rdatas within
 * each rrset are the caller's promise. SG_LIMIT above 16 MiB.
 */
MUST_USE enum sg_result zone_pile_add(struct zone_pile *pile, struct span owner,
                                      const struct dns_rrset *rrsets, size_t count,
                                      zone_block_ref *out_ref);
