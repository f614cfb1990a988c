#include "dns/rdata.h"
#include "zone/lineage.h"
#include "zone/owner.h"

/* Invariant (1): one SOA in each view. */
static void check_apex(const struct zone_version *version)
{
    struct dns_rrset soa;
    ASSERT(zone_node_rrset(&version->apex_node, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, &soa));
    ASSERT(soa.count == 1);
    ASSERT(zone_node_rrset(&version->apex_node, ZONE_VIEW_SIGNED, DNS_TYPE_SOA, &soa));
    ASSERT(soa.count == 1);
    ASSERT((version->apex_node.flags & ZONE_NODE_APEX) != 0);
}

/* Invariant (4), and that entries are in order without doubles. */
static void check_layer(const struct zone_node *node, enum zone_layer layer)
{
    struct zone_rrset_walk walk = zone_node_walk_layer(node, layer);
    uint32_t last_rank = 0;
    while (zone_node_walk_next(&walk)) {
        const struct dns_rrset *rrset = &walk.rrset;
        uint32_t rank =
            rrset->type == DNS_TYPE_RRSIG ? UINT32_C(0x10000) + rrset->covered : rrset->type;
        ASSERT(rrset->count > 0 && rank > last_rank);
        last_rank = rank;
        struct span last = {NULL, 0};
        for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
            ASSERT(last.bytes == NULL || dns_rdata_compare(rrset->type, last, c.rdata) < 0);
            last = c.rdata;
        }
        ASSERT(last.bytes + last.length == rrset->packed + rrset->bytes);
    }
}

/* Invariants (2), (3) and (4) over one tree. */
static struct zone_counts check_tree(const struct zone_version *version, bool nsec3)
{
    struct zone_counts sum = {0};
    struct dns_name last = {0};
    struct zone_cursor cursor;
    if (nsec3) {
        zone_cursor_start_nsec3(&cursor, version);
    } else {
        zone_cursor_start(&cursor, version);
    }
    while (zone_cursor_next(&cursor)) {
        const struct zone_node *node = &cursor.node;
        struct dns_name owner;
        zone_version_owner(version, node, &owner);
        ASSERT(last.length == 0 || dns_name_compare(&last, &owner) < 0);
        last = owner;
        ASSERT(node->flags == block_flags(node->source));
        check_layer(node, ZONE_SOURCE);
        check_layer(node, ZONE_GENERATED);

        const struct tree_cell *root = nsec3 ? &version->nsec3 : &version->names;
        const struct tree_cell *leaf = tree_find(version->chunks, root, zone_node_owner(node));
        ASSERT(leaf != NULL && tree_source(version->chunks, leaf) == node->source);
        struct zone_counts counts = version_count_leaf(version->chunks, leaf, nsec3);
        sum.names += counts.names;
        sum.records += counts.records;
        sum.nsec3_records += counts.nsec3_records;
        sum.generated += counts.generated;
        sum.wildcards += counts.wildcards;
        sum.cuts_and_dnames += counts.cuts_and_dnames;
        sum.opt_outs += counts.opt_outs;
    }
    return sum;
}

void zone_version_check(const struct zone_version *version)
{
    check_apex(version);
    struct zone_counts names = check_tree(version, false);
    struct zone_counts nsec3 = check_tree(version, true);
    const struct zone_counts *counts = &version->counts;
    ASSERT(counts->names == names.names && counts->records == names.records);
    ASSERT(counts->generated == names.generated && counts->wildcards == names.wildcards);
    ASSERT(counts->cuts_and_dnames == names.cuts_and_dnames);
    ASSERT(counts->nsec3_records == nsec3.nsec3_records && counts->opt_outs == nsec3.opt_outs);
}
