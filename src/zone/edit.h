/*
 * zone/edit.h - a draft of the next version
 *
 * An edit begins empty (first load) or as a copy-on-write draft of a version, collects changes,
 * and ends sealed or abandoned. Exactly one thread holds it at a time (the baton); signing
 * workers fill piles of their own, which it adopts. Everything that a change replaces is retired
 * when the version it belonged to, and all older ones, are gone.
 *
 * Cost: O(depth of the tree) for each name touched; nothing is O(zone) but the first load.
 */
#pragma once

#include "zone/version.h"

struct zone_edit;

/* A new zone without records. The edit is the caller's. */
struct zone_edit *zone_edit_new(const struct dns_name *apex, uint16_t rrclass);
/*
 * A draft of what follows `base`, the newest version of its zone that was published or will be.
 * Versions sealed after it whose commit failed have been dropped by now; what they made is freed
 * here. Takes a reference.
 */
struct zone_edit *zone_edit_open(const struct zone_version *base);
/* Is `base` the version that this is a draft of? */
bool zone_edit_continues(const struct zone_edit *edit, const struct zone_version *base);
/* Throw the draft away. NULL is fine. */
void zone_edit_abandon(struct zone_edit *edit);

/* The draft, for reading with the functions of version.h until the next change. */
const struct zone_version *zone_edit_draft(struct zone_edit *edit);

/*
 * Add one RR to the source layer. `owner` is lower case and absolute. Records of one owner that
 * follow each other are collected and packed once. The RR's rdata is sorted in; a duplicate is
 * dropped (SG_EXISTS); a TTL that differs from its RRset's is lowered to the smaller of the two,
 * `out_ttl` telling what stands in both cases. SG_OUT_OF_ZONE, SG_LIMIT (an RRset above 65535
 * records, a name above 16 MiB, a zone above 32 GiB), SG_MALFORMED (an RRSIG too short to tell
 * what it covers). RRSIG rdata goes to the signature sets, NSEC3 and its RRSIG to the tree of
 * hashes.
 */
MUST_USE enum sg_result zone_edit_add_record(struct zone_edit *edit, const struct dns_name *owner,
                                             uint16_t type, uint32_t ttl, struct span rdata,
                                             uint32_t *out_ttl);

/*
 * Set one whole RRset of a layer; `rrset->count` 0 removes it. For type RRSIG `covered` tells
 * which. `owner` is lower case, absolute, in the zone. A name that has no source RRset left is
 * removed with everything generated for it. To remove what is not there is SG_OK; to generate for
 * a name that does not exist is SG_NOT_FOUND. NSEC3 and its RRSIG go to the tree of hashes,
 * whatever the layer.
 */
MUST_USE enum sg_result zone_edit_put_rrset(struct zone_edit *edit, const struct dns_name *owner,
                                            enum zone_layer layer, const struct dns_rrset *rrset);

/* Take over a pile's memory: its block refs may be placed from now on, each once. Frees the pile
 * itself, even on failure (SG_LIMIT).
 * What zone_pile_add() returned plus `out_base` is the ref to give to zone_edit_place(). */
MUST_USE enum sg_result zone_edit_adopt(struct zone_edit *edit, struct zone_pile *pile,
                                        zone_block_ref *out_base);
/* Let the block be the generated block of an existing name (or none: 0). SG_NOT_FOUND. */
MUST_USE enum sg_result zone_edit_place(struct zone_edit *edit, const struct dns_name *owner,
                                        zone_block_ref block);
/* Let the block, whose owner is a hash label, stand in the tree of NSEC3 records. */
MUST_USE enum sg_result zone_edit_place_nsec3(struct zone_edit *edit, zone_block_ref block);
/* Remove one NSEC3 owner name. SG_NOT_FOUND. */
MUST_USE enum sg_result zone_edit_remove_nsec3(struct zone_edit *edit,
                                               const struct dns_name *owner);
/* Remove the whole NSEC3 tree, or every generated block: O(zone). */
void zone_edit_clear_nsec3(struct zone_edit *edit);
void zone_edit_clear_generated(struct zone_edit *edit);

/*
 * Set the SOA serial of a layer: rewrites the SOA rdata (the generated SOA is made from the
 * source's if there is none). SG_NOT_FOUND without any SOA.
 */
MUST_USE enum sg_result zone_edit_set_serial(struct zone_edit *edit, enum zone_layer layer,
                                             uint32_t serial);

/*
 * Make the draft the next version. Takes the edit. SG_MALFORMED when the apex has not exactly one
 * SOA, SG_LIMIT when records did not fit (the edit is then abandoned). The caller holds one
 * reference to `out_version`; to drop it unpublished is how a failed commit is undone.
 */
MUST_USE enum sg_result zone_edit_seal(struct zone_edit *edit,
                                       const struct zone_version **out_version);
