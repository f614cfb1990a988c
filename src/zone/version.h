/*
 * zone/version.h - one immutable copy of a zone, at one SOA serial
 *
 * A version is made once, by zone_edit_seal(), and never changes afterwards, so readers need no
 * lock. A net thread may look at the current version until its batch is answered (base/epoch.h);
 * whoever needs longer, such as an outgoing AXFR, takes a reference.
 *
 *   v7 --zone_edit_open()--> edit --zone_edit_seal()--> v8 --publish()--> new readers see v8
 *    \________________ nodes that did not change are shared ________________/
 *
 * Two qp-tries: names in canonical order (RFC 4034 6.1), and the owner names of NSEC3 records, in
 * the order of their hashes. Empty non-terminals are not stored: they follow from the tree.
 *
 * Invariants, asserted by zone_version_check() after every seal in builds with SIGNET_CHECKS:
 *   (1) the apex owns exactly one SOA RR, in each view;
 *   (2) a walk gives names in strictly ascending canonical order;
 *   (3) a name's flags say what its blocks hold;
 *   (4) rdatas within an RRset are in canonical order without duplicates.
 */
#pragma once

#include "base/epoch.h"
#include "dns/nsec3_hash.h"
#include "zone/node.h"

struct zone_version; /* opaque: defined in zone/version.c */

enum zone_denial { ZONE_DENIAL_NONE, ZONE_DENIAL_NSEC, ZONE_DENIAL_NSEC3 };

/* What the whole version is like; computed once, at the seal. */
struct zone_facts {
    uint32_t serial;        /* SOA serial of the signed view (of the only one, when not signed) */
    uint32_t source_serial; /* SOA serial of the unsigned view */
    uint32_t negative_ttl;  /* min(SOA TTL, SOA minimum), RFC 2308 5, 9077 3 */
    uint32_t source_negative_ttl; /* the same of the unsigned view: in a draft, what is to be */
    uint32_t ttl_max;             /* the largest TTL in the source */
    enum zone_denial denial;
    bool opt_out;       /* some NSEC3 has the flag */
    bool has_wildcards; /* some name has a label "*", so that a wildcard exists, perhaps empty */
    bool has_cuts_or_dnames;
    bool signed_here;          /* some name has a generated block */
    struct nsec3_params nsec3; /* with ZONE_DENIAL_NSEC3 */
    uint64_t names;            /* owner names */
    uint64_t records;          /* of the signed view, NSEC3 included */
    uint64_t bytes;            /* of memory, all versions together */
};
const struct zone_facts *zone_version_facts(const struct zone_version *version);
const struct dns_name *zone_version_apex(const struct zone_version *version);
uint16_t zone_version_class(const struct zone_version *version);
/* The apex's node: found once, at the seal. */
const struct zone_node *zone_version_apex_node(const struct zone_version *version);

enum zone_match_kind {
    ZONE_MATCH_NAME,  /* the name owns records */
    ZONE_MATCH_EMPTY, /* an empty non-terminal: only names below it own records */
    ZONE_MATCH_NONE,  /* the name does not exist */
};

/* Where a name falls in a zone. */
struct zone_match {
    enum zone_match_kind kind;
    struct zone_node node;   /* with ZONE_MATCH_NAME, else .source is NULL */
    struct zone_node cut;    /* the topmost delegation or DNAME owner at or above the name, the
                                apex's DNAME included; .source NULL: none. Below a cut, `kind`
                                and `encloser_labels` are not determined. */
    uint8_t cut_labels;      /* of the cut's owner, relative to the apex */
    uint8_t encloser_labels; /* of the closest encloser (RFC 4592 3.3.1), relative to the apex;
                                of the name itself when it exists */
};

/*
 * Find where `name` (lower case, absolute) falls. The search stops at the topmost delegation or
 * DNAME strictly above the name; a cut *at* the name is reported in `node` and `cut` both.
 *
 * Thread: any, inside an epoch or holding a reference. Never blocks, never allocates.
 * Returns SG_OK, or SG_OUT_OF_ZONE when the name is not at or below the apex.
 */
MUST_USE enum sg_result zone_version_find(const struct zone_version *version,
                                          const struct dns_name *name,
                                          struct zone_match *out_match);

/* Just the node of a name, cuts above it ignored (glue lookup). False: owns no records. */
bool zone_version_node(const struct zone_version *version, const struct dns_name *name,
                       struct zone_node *out_node);

/*
 * The node whose NSEC matches or covers `name` (lower case): the name itself or its nearest
 * predecessor that owns an NSEC, i.e. is neither glue nor occluded. False when the zone has none.
 */
bool zone_version_nsec(const struct zone_version *version, const struct dns_name *name,
                       struct zone_node *out_node);
/*
 * The NSEC3 whose owner hash equals `hash` (`out_exact` true) or that covers it: the nearest
 * predecessor, the last one of the chain before the first. With NSEC3 of several parameters, only
 * those of facts->nsec3. False when there is none. The node's owner is one label, the hash in
 * base32hex.
 */
bool zone_version_nsec3(const struct zone_version *version, const uint8_t hash[NSEC3_HASH_BYTES],
                        struct zone_node *out_node, bool *out_exact);

/*
 * A walk in canonical order. The cursor is a value on the stack; it holds no reference.
 * `below_cut` is true for glue and occluded names: strictly below a delegation or a DNAME.
 */
enum { ZONE_TREE_DEPTH_MAX = 520 };
struct zone_cursor {
    struct zone_node node; /* the present one */
    bool below_cut;
    const struct zone_version *version; /* the rest is private */
    bool nsec3;
    uint16_t depth;
    struct dns_name cut; /* relative owner of the cut above, length 0: none */
    struct {
        const void *twigs;
        uint16_t index, count;
    } path[ZONE_TREE_DEPTH_MAX];
};
/* Before the first name. */
void zone_cursor_start(struct zone_cursor *cursor, const struct zone_version *version);
/* The same over the NSEC3 owner names. */
void zone_cursor_start_nsec3(struct zone_cursor *cursor, const struct zone_version *version);
/* Before the first name at or after `name`: how an AXFR resumes. */
void zone_cursor_seek(struct zone_cursor *cursor, const struct zone_version *version,
                      const struct dns_name *name);
/* The same among the NSEC3 owner names; `label` is one, with its length in front. */
void zone_cursor_seek_nsec3(struct zone_cursor *cursor, const struct zone_version *version,
                            struct span label);
bool zone_cursor_next(struct zone_cursor *cursor);

/* The absolute owner name of a node of this version. */
void zone_version_owner(const struct zone_version *version, const struct zone_node *node,
                        struct dns_name *out_owner);

/* Keep a version past the current epoch. Each ref is paired with one unref. Thread: any. */
const struct zone_version *zone_version_ref(const struct zone_version *version);
void zone_version_unref(const struct zone_version *version);
/* It is old, and what is kept for it has become too much: whoever can do without it lets it go
 * within seconds. Thread: any that holds a reference. */
bool zone_version_is_unwanted(const struct zone_version *version);

/* Abort if an invariant does not hold. */
void zone_version_check(const struct zone_version *version);
