/*
 * zone/draft.h - an edit inside (private to zone/)
 */
#pragma once

#include "zone/bulk.h"
#include "zone/edit.h"
#include "zone/gather.h"
#include "zone/image.h"
#include "zone/lineage.h"

struct zone_edit {
    struct zone_lineage *lineage;
    const struct zone_version *base; /* NULL: a new zone */
    struct zone_version *draft;      /* what zone_edit_seal() will return */
    struct tree_writer writer;
    struct gather gather;
    struct bulk *bulk;     /* of both trees, while a new zone is loaded; else NULL */
    enum sg_result failed; /* what kept records out; then the edit cannot be sealed */
};

/* zone_edit_new() with other sizes of memory. */
struct zone_edit *draft_new(const struct dns_name *apex, uint16_t rrclass,
                            const struct arena_sizes *sizes);
/* Gather for this owner from now on; it begins with what the source has already. */
void draft_gather(struct zone_edit *edit, bool nsec3, struct span owner);
/* Bring all that was gathered into the trees. If there is no room, the edit has `failed`. */
void draft_flush(struct zone_edit *edit);

static inline struct tree_cell *draft_tree(struct zone_edit *edit, bool nsec3)
{
    return nsec3 ? &edit->draft->nsec3 : &edit->draft->names;
}

/* Does a record or signature set belong to the tree of hashes? (RFC 5155 7.1) */
static inline bool draft_is_nsec3(uint16_t type, uint16_t covered)
{
    return type == DNS_TYPE_NSEC3 || (type == DNS_TYPE_RRSIG && covered == DNS_TYPE_NSEC3);
}

/*
 * Let the name have these blocks: `source` 0 takes the name out with all it has. Blocks that are
 * replaced are discarded. The new block is the tree's if SG_OK, else the caller's.
 */
MUST_USE enum sg_result draft_set_source(struct zone_edit *edit, bool nsec3, struct span owner,
                                         arena_ref source);
/* SG_NOT_FOUND: no such name. */
MUST_USE enum sg_result draft_set_generated(struct zone_edit *edit, struct span owner,
                                            arena_ref generated);

/* A name as it will stand in the tree, and what it adds. */
struct draft_name {
    struct tree_cell leaf;
    struct zone_counts counts;
    uint32_t ttl_max; /* of its source */
};
/*
 * Put a whole name behind all others of an edit that began with nothing; its blocks are the edit's,
 * even on failure. SG_MALFORMED: it does not belong there, SG_LIMIT. Nothing else may be added
 * before draft_flush().
 */
MUST_USE enum sg_result draft_append(struct zone_edit *edit, bool nsec3,
                                     const struct draft_name *name);
/* zone_image_read() into an edit that began with nothing; on failure it is to be abandoned. */
MUST_USE enum sg_result image_read_draft(struct zone_edit *edit, zone_image_source *source,
                                         void *argument);
