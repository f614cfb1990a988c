/*
 * zone/changeset.h - the difference between two versions, as bytes (RFC 1995 with layers)
 *
 * What a commit record stores and what an outgoing IXFR is made from. Made from two sealed
 * versions, never by hand; applied to an edit of the older one it gives the newer one again,
 * signatures included, so that recovery signs nothing.
 *
 *   header: magic, serial from and to (of the signed view), source serial from and to, how many
 *           entries, public ones and RRs deleted and added in public
 *   entry:  flags | owner | type | covered | ttl | deleted rdatas | ttl | added rdatas
 *
 * An entry is one RRset of one layer. With ZONE_CHANGE_PUBLIC it is part of the signed view, which
 * is what secondaries see; with ZONE_CHANGE_APPLY it is part of the zone data. The two part ways at
 * the apex alone, where DNSKEY, CDS, CDNSKEY and the SOA mix ours with the source's. A change of
 * TTL deletes and adds every rdata (RFC 1995 3 knows no other way).
 *
 * The bytes come from the disk: everything is checked before it is used (fuzz_changeset).
 */
#pragma once

#include "base/buffer.h"
#include "zone/edit.h"

enum zone_change_flag {
    ZONE_CHANGE_PUBLIC = 1,
    ZONE_CHANGE_APPLY = 2,
    ZONE_CHANGE_GENERATED = 4, /* the generated layer, else the source */
    ZONE_CHANGE_NSEC3 = 8,     /* in the tree of hashes */
};

struct zone_changeset_header {
    uint32_t serial_from, serial_to;               /* of the signed view */
    uint32_t source_serial_from, source_serial_to; /* of the unsigned view */
    uint32_t entries;
    uint64_t deleted, added; /* RRs in public, both SOAs included */
};

struct zone_change {
    unsigned flags;
    struct span owner;        /* relative, lower case */
    struct dns_rrset deleted; /* count 0: none; type, covered and ttl are set in both */
    struct dns_rrset added;
};

/* Append the changeset from `old` to `new` to `out_bytes`. `old` NULL: everything is added.
 * O(change) for versions of one lineage. SG_LIMIT above 4 GiB. */
MUST_USE enum sg_result zone_changeset_make(const struct zone_version *old,
                                            const struct zone_version *new,
                                            struct buffer *out_bytes);
/* SG_MALFORMED. */
MUST_USE enum sg_result zone_changeset_header(struct span bytes,
                                              struct zone_changeset_header *out_header);

/* A walk over the entries; borrows the bytes. `failed` after the last tells of malformed bytes. */
struct zone_changeset_walk {
    struct zone_change change; /* the present one */
    struct reader reader;
    uint32_t left;
    bool failed;
};
struct zone_changeset_walk zone_changeset_walk(struct span bytes);
bool zone_changeset_next(struct zone_changeset_walk *walk);

/*
 * Apply all entries with ZONE_CHANGE_APPLY (with `source_only`: of the source layer alone, SOA
 * left as it is). SG_CONFLICT when what is to be deleted is not there or what is to be added is:
 * the changeset does not belong to this version (not with `source_only`: there it is done as far
 * as it goes); SG_MALFORMED; SG_LIMIT. On failure the edit is to be abandoned.
 */
MUST_USE enum sg_result zone_changeset_apply(struct zone_edit *edit, struct span bytes,
                                             bool source_only);
