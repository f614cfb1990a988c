#include "zone/lineage.h"

/*
 * NSEC3 records looked at to learn which of several NSEC3PARAMs has a chain. Chains of one zone
 * are interleaved at random, so that one of two is missed with a chance of 2^-64.
 */
enum { CHAIN_SAMPLE_MAX = 64 };

/* In any label: above `x.*.example` the wildcard exists as an empty non-terminal (RFC 4592 2.2.2).
 */
static bool has_asterisk(struct span owner)
{
    for (size_t at = 0; at < owner.length; at += 1U + owner.bytes[at]) {
        if (owner.bytes[at] == 1 && owner.bytes[at + 1] == '*') {
            return true;
        }
    }
    return false;
}

struct zone_counts version_counts(const struct zone_node *node, bool nsec3, uint64_t records,
                                  uint32_t opt_outs)
{
    if (nsec3) {
        return (struct zone_counts){.nsec3_records = records, .opt_outs = opt_outs};
    }
    return (struct zone_counts){
        .names = 1,
        .records = records,
        .generated = node->generated != NULL,
        .wildcards = has_asterisk(zone_node_owner(node)),
        .cuts_and_dnames = (node->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) != 0,
    };
}

struct zone_counts version_count_leaf(uint8_t *const *chunks, const struct tree_cell *leaf,
                                      bool nsec3)
{
    struct zone_node node = tree_node(chunks, leaf);
    if (nsec3 || node.generated == NULL) {
        return version_counts(&node, nsec3, block_records(node.source),
                              nsec3 ? block_opt_outs(node.source) : 0);
    }
    uint64_t records = 0;
    struct zone_rrset_walk walk = zone_node_walk(&node, ZONE_VIEW_SIGNED);
    while (zone_node_walk_next(&walk)) {
        records += walk.rrset.count;
    }
    return version_counts(&node, false, records, 0);
}

/* SOA rdata ends with five numbers: serial, refresh, retry, expire, minimum (RFC 1035 3.3.13). */
static bool read_soa(const struct zone_node *apex, enum zone_view view, uint32_t *out_serial,
                     uint32_t *out_negative_ttl)
{
    enum { SERIAL_FROM_END = 20, MINIMUM_FROM_END = 4 };

    struct dns_rrset soa;
    if (!zone_node_rrset(apex, view, DNS_TYPE_SOA, &soa) || soa.count != 1) {
        return false;
    }
    struct span rdata = dns_rrset_first(&soa);
    if (rdata.length < SERIAL_FROM_END + 2) {
        return false;
    }
    const uint8_t *end = rdata.bytes + rdata.length;
    uint32_t minimum = wire_get_u32(end - MINIMUM_FROM_END);
    *out_serial = wire_get_u32(end - SERIAL_FROM_END);
    *out_negative_ttl = minimum < soa.ttl ? minimum : soa.ttl;
    return true;
}

static bool has_chain(const struct zone_version *version, const struct nsec3_params *params)
{
    struct zone_cursor cursor;
    zone_cursor_start_nsec3(&cursor, version);
    for (unsigned seen = 0; seen < CHAIN_SAMPLE_MAX && zone_cursor_next(&cursor); seen++) {
        if (version_nsec3_fits(&cursor.node, params)) {
            return true;
        }
    }
    return false;
}

/* The first of the apex's NSEC3PARAMs that has records. */
static bool choose_params(const struct zone_version *version, const struct zone_node *apex,
                          struct nsec3_params *out_params)
{
    struct dns_rrset rrset;
    if (!zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC3PARAM, &rrset)) {
        return false;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        struct nsec3_params params;
        /* RFC 5155 4.1.2: one with flags is not to be used. */
        if (nsec3_params_from_rdata(c.rdata, &params) == SG_OK && params.flags == 0 &&
            has_chain(version, &params)) {
            *out_params = params;
            return true;
        }
    }
    return false;
}

bool version_nsec3_fits(const struct zone_node *node, const struct nsec3_params *params)
{
    struct dns_rrset rrset;
    if (!zone_node_rrset(node, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC3, &rrset)) {
        return false;
    }
    for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
        struct nsec3_params there;
        if (nsec3_params_from_rdata(c.rdata, &there) == SG_OK &&
            there.iterations == params->iterations && there.salt_length == params->salt_length &&
            memcmp(there.salt, params->salt, params->salt_length) == 0) {
            return true;
        }
    }
    return false;
}

enum sg_result version_learn_facts(struct zone_version *version)
{
    const struct zone_counts *counts = &version->counts;
    struct zone_facts *facts = &version->facts;
    facts->opt_out = counts->opt_outs > 0;
    facts->has_wildcards = counts->wildcards > 0;
    facts->has_cuts_or_dnames = counts->cuts_and_dnames > 0;
    facts->signed_here = counts->generated > 0;
    facts->names = counts->names;
    facts->records = counts->records + counts->nsec3_records;
    facts->bytes = lineage_bytes(version->lineage);
    facts->denial = ZONE_DENIAL_NONE;

    const struct tree_cell *leaf =
        tree_find(version->chunks, &version->names, (struct span){NULL, 0});
    if (leaf == NULL) {
        version->apex_node = (struct zone_node){0};
        return SG_MALFORMED;
    }
    version->apex_node = tree_node(version->chunks, leaf);
    const struct zone_node *apex = &version->apex_node;
    struct dns_rrset nsec;
    if (choose_params(version, apex, &facts->nsec3)) {
        facts->denial = ZONE_DENIAL_NSEC3;
    } else if (zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_NSEC, &nsec)) {
        facts->denial = ZONE_DENIAL_NSEC;
    }
    if (!read_soa(apex, ZONE_VIEW_UNSIGNED, &facts->source_serial, &facts->source_negative_ttl) ||
        !read_soa(apex, ZONE_VIEW_SIGNED, &facts->serial, &facts->negative_ttl)) {
        return SG_MALFORMED;
    }
    return SG_OK;
}
