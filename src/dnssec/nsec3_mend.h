/*
 * dnssec/nsec3_mend.h - the circle of NSEC3s mended where names came, went or changed
 *
 * A name's hash is in the circle when the name is authoritative and, with opt-out, no insecure
 * delegation; or when such a name is below it. First hashes that go are taken out of the draft and
 * those that come are staked out, so that the draft's tree of hashes is the circle to be; then each
 * NSEC3 whose bitmap may have changed, or whose next hash did, is made from it. Private to dnssec/.
 */
#pragma once

#include "dnssec/sign_work.h"
#include "dnssec/touched.h"

/* An NSEC3 to be made. */
struct nsec3_mended {
    uint8_t hash[NSEC3_HASH_BYTES];
    uint32_t name; /* index of a touched name; UINT32_MAX: it is not known, only its next changes */
    struct sign_made made;
};

struct nsec3_mend {
    struct sign_work *work;
    const struct zone_version *base;
    const struct zone_version *draft; /* after nsec3_mend_plan() */
    struct touched *touched;          /* borrowed; ancestors are added */
    struct nsec3_mended *items;       /* by hash */
    size_t count, max;
};

/*
 * `draft` is the edit's and has the source as it shall be, but base's NSEC3s. SG_CONFLICT: a new
 * name has the hash of another.
 *
 * Cost O(change), with one exception: with opt-out, when a name that had an NSEC3 goes, and nothing
 * else that changed needs the empty non-terminal above it, then the names below that are looked
 * through up to the first one that does.
 */
MUST_USE enum sg_result nsec3_mend_plan(struct nsec3_mend *mend, struct zone_edit *edit);
/* Make all of it, by all workers. Failures are the work's. */
void nsec3_mend_sign(struct nsec3_mend *mend);
MUST_USE enum sg_result nsec3_mend_place(const struct nsec3_mend *mend, struct zone_edit *edit,
                                         const zone_block_ref *bases);
void nsec3_mend_clear(struct nsec3_mend *mend);
