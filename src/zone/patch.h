/*
 * zone/patch.h - changes to the source layer of a draft, made all at once or not at all (private
 * to zone/)
 *
 * What an update or a transfer asks for is collected here first: the names it touches are looked
 * up once, and their RRsets changed beside the draft. So whoever finds, halfway, that nothing may
 * be done frees the patch, and the draft has never known of it. A patch that is written packs each
 * name's block once, however many records came for it. Cost: O(names and records touched).
 */
#pragma once

#include "zone/edit.h"
#include "zone/rdata_list.h"

struct patch;
struct patch_name;

/*
 * One RRset of a name as it would be. Rdatas are `packed` bytes: a length in two bytes, then the
 * rdata, in canonical order. Borrowed from the patch until its name is changed.
 */
struct patch_rrset {
    struct dns_rrset before;  /* in the draft; count 0: it was not there */
    struct rdata_list rdatas; /* from when it is touched; until then it is as before */
    bool touched;
    uint32_t count;
    uint32_t ttl;
    uint16_t type;
    uint16_t covered; /* of RRSIG */
};

/* Borrows the edit, which must not change meanwhile. */
struct patch *patch_new(struct zone_edit *edit);
void patch_free(struct patch *patch);

/* The name with that owner, relative and lower case; it need not exist in the zone. */
struct patch_name *patch_find_name(struct patch *patch, bool nsec3, struct span owner);
/* The names that were looked for, in that order; NULL: behind the last. */
struct patch_name *patch_at(const struct patch *patch, unsigned index);
struct span patch_name_owner(const struct patch_name *name);
/* How many RRsets it owns. */
unsigned patch_name_rrsets(const struct patch_name *name);
/* The RRset at `index`, empty ones included; NULL: behind the last. */
const struct patch_rrset *patch_name_at(const struct patch_name *name, unsigned index);
/* The RRset, or NULL if there is none or no record is left in it. */
const struct patch_rrset *patch_name_rrset(const struct patch_name *name, uint16_t type,
                                           uint16_t covered);
/* The `index`th rdata. */
struct span patch_rrset_rdata(const struct patch_rrset *rrset, uint32_t index);
bool patch_rrset_has(const struct patch_rrset *rrset, struct span rdata);
/* Is it other than in the draft? */
bool patch_rrset_is_changed(const struct patch_rrset *rrset);
bool patch_name_is_changed(const struct patch_name *name, uint16_t type);

/*
 * Add one RR; `packed` stays where it is until the patch is written or freed. The RRset gets the
 * TTL. SG_EXISTS: only the TTL was set; SG_LIMIT: a block or RRset would grow too large, nothing
 * was done.
 */
MUST_USE enum sg_result patch_add(struct patch_name *name, uint16_t type, uint32_t ttl,
                                  const uint8_t *packed);
/* Remove one RR. SG_NOT_FOUND. */
MUST_USE enum sg_result patch_remove(struct patch_name *name, uint16_t type, struct span rdata);
/* Remove a whole RRset, if there is one. */
void patch_clear(struct patch_name *name, uint16_t type, uint16_t covered);

/*
 * Write all of it into the draft. `out_changes` counts the RRsets that are not as they were.
 * SG_LIMIT: the arena is full, and the edit is to be abandoned.
 */
MUST_USE enum sg_result patch_write(struct patch *patch, uint64_t *out_changes);
