/*
 * zone/lineage.h - the versions of one zone and the memory they share (private to zone/)
 *
 * Versions form a chain from old to new. A version is
 *
 *   held     somebody has a reference: whoever sealed it, the publisher, a transfer, an edit
 *   leaving  the last reference was dropped; readers that found it published may still look at it,
 *            and may even take a reference again, until a grace period has passed (base/epoch.h)
 *   gone     nobody can reach it any more. Only its place in the chain is left, and what it
 *            retired: the pieces of the arena that its successor no longer uses.
 *
 * What a version retired may also be part of older versions, never of newer ones. So it goes back
 * to the arena when the version and all older ones are gone. Only the holder of the baton touches
 * arena and chain, so that happens when the next edit is opened; going from held to leaving to
 * gone is one atomic word and may happen in any thread.
 *
 * A sealed version may prove useless: its commit failed, so it was never published. It is dropped
 * like any other, and when the next edit begins at its predecessor, all that it made is freed and
 * what its predecessor had retired is in use again.
 *
 * Whoever holds an old version keeps all that its successors replaced. So that slow transfers
 * cannot make a busy zone grow without end, the oldest version that is held is *unwanted* when what
 * is kept for it is too much: transfers of it are cut. Other holders finish soon. How many versions
 * are held does not matter: what is kept for the oldest is all that is kept.
 *
 * The lineage lives as long as any version that is not gone, or any edit.
 */
#pragma once

#include "base/epoch.h"
#include "zone/tree.h"
#include "zone/version.h"

/* What the leaves of both trees add up to, kept by the edit as leaves come and go. */
struct zone_counts {
    uint64_t names;
    uint64_t records;       /* of names, in the signed view */
    uint64_t nsec3_records; /* of the tree of hashes */
    uint32_t generated;     /* names with a generated block */
    uint32_t wildcards;
    uint32_t cuts_and_dnames;
    uint32_t opt_outs;
};

enum {
    LINEAGE_KEPT_FRACTION = 3, /* of the arena: a zone takes half as much again */
    LINEAGE_KEPT_BYTES_MIN = 16 << 20,
};

struct zone_lineage {
    struct arena arena;
    uint64_t kept_bytes; /* of all versions of the chain */
    struct zone_version *oldest, *newest;
    uint32_t holders; /* versions that are not gone, and edits; atomic */
    uint16_t rrclass;
    struct dns_name apex;
};

struct zone_version {
    /* What a query reads first. */
    uint8_t *const *chunks;
    struct tree_cell names;
    struct tree_cell nsec3;
    struct zone_lineage *lineage;

    uint32_t state; /* references, and the two bits below; atomic */
    bool unwanted;  /* relaxed atomic */
    struct zone_counts counts;
    struct zone_version *older, *newer;
    struct epoch_retired leaving;

    struct pieces made;    /* by the edit that sealed it; until the next edit begins */
    struct pieces retired; /* by the edit that began at this version */
    uint64_t kept_bytes;   /* because of these, lists included */
    struct arena_old_table *retired_tables;

    struct zone_node apex_node;
    struct zone_facts facts;
};

enum {
    VERSION_REFS = 0x3fffffff,
    VERSION_LEAVING = 0x40000000,
};
static const uint32_t VERSION_GONE = UINT32_C(1) << 31;

/* An empty lineage without versions, held by its first edit. */
struct zone_lineage *lineage_new(const struct dns_name *apex, uint16_t rrclass,
                                 const struct arena_sizes *sizes);
/* One holder less; the last one frees everything. */
void lineage_unref(struct zone_lineage *lineage);

/* Memory of the zone: its arena, and one version's own. */
uint64_t lineage_bytes(const struct zone_lineage *lineage);

/* A version that is not yet in the chain: what an edit drafts. */
struct zone_version *lineage_draft(struct zone_lineage *lineage, const struct zone_version *base);
/* The sealed draft becomes the newest version; its one reference is the caller's. */
void lineage_append(struct zone_lineage *lineage, struct zone_version *version);
/* An edit that began at `base` is sealed: takes what it replaced. */
void lineage_retire(struct zone_version *base, struct pieces *retired);
/*
 * Before an edit begins at `base`: undo versions behind it, which were never published, release
 * what nobody can see any more, and see whether older ones keep too much. Adds the edit as a
 * holder.
 */
void lineage_begin_edit(struct zone_lineage *lineage, const struct zone_version *base);

/* Recompute what the version says of itself. SG_MALFORMED: its apex has no SOA. O(log zone). */
MUST_USE enum sg_result version_learn_facts(struct zone_version *version);
/* What a leaf adds to the counts. */
struct zone_counts version_count_leaf(uint8_t *const *chunks, const struct tree_cell *leaf,
                                      bool nsec3);
/* The same from what is known already: RRs in the signed view, NSEC3s with opt-out. */
struct zone_counts version_counts(const struct zone_node *node, bool nsec3, uint64_t records,
                                  uint32_t opt_outs);
/* Does the node of the NSEC3 tree have a record with these parameters? */
bool version_nsec3_fits(const struct zone_node *node, const struct nsec3_params *params);
