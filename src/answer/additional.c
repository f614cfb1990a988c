#include "answer/additional.h"

#include "dns/rdata.h"

/* Names looked up for one answer: beyond it they would not fit a datagram anyway. */
enum { ADDITIONAL_LOOKUPS_MAX = 64, SVCB_TARGET_OFFSET = 2 };

/* Does rdata of the type name a host whose addresses help? Where its name begins. */
static bool target_offset(uint16_t type, struct span rdata, size_t *out_offset)
{
    switch (type) {
    case DNS_TYPE_NS:
    case DNS_TYPE_MX:
    case DNS_TYPE_AFSDB:
    case DNS_TYPE_RT:
    case DNS_TYPE_KX:
    case DNS_TYPE_SRV:
    case DNS_TYPE_NAPTR:
        *out_offset = dns_rdata_name_offset(type, rdata);
        return true;
    case DNS_TYPE_SVCB:
    case DNS_TYPE_HTTPS:
        *out_offset = SVCB_TARGET_OFFSET;
        return true;
    default:
        return false;
    }
}

/* The lower-case name at `offset`, if it may own something in the present version. */
static bool target_in_zone(const struct answer_builder *builder, struct span rdata, size_t offset,
                           struct dns_name *out_name)
{
    if (offset > rdata.length ||
        dns_name_from_wire((struct span){rdata.bytes + offset, rdata.length - offset}, out_name) !=
            SG_OK) {
        return false;
    }
    dns_name_lower(out_name);
    return dns_name_is_at_or_below(out_name, zone_version_apex(builder->version));
}

/* What can be said about the name: its own records, or with `glue` what lies below a cut. */
static bool find_host(const struct answer_builder *builder, const struct dns_name *name, bool glue,
                      struct zone_node *out_node)
{
    struct zone_match match;

    if (zone_version_find(builder->version, name, &match) != SG_OK) {
        return false;
    }
    if (match.cut.source != NULL && zone_node_is_cut(&match.cut)) {
        return glue && zone_version_node(builder->version, name, out_node);
    }
    /* Not below a DNAME: the name then has no records, whatever the file says (RFC 6672 2.4). */
    if (match.cut.source != NULL && match.cut.source != match.node.source) {
        return false;
    }
    *out_node = match.node;
    return match.kind == ZONE_MATCH_NAME;
}

static void add_addresses(struct answer_builder *builder, const struct zone_node *node,
                          bool required)
{
    static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
    const struct answer_owner owner = owner_of_node(node);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct dns_rrset rrset;
        if (!zone_node_rrset(node, ZONE_VIEW_SIGNED, types[i], &rrset) ||
            builder_has(builder, rrset.packed)) {
            continue;
        }
        struct answer_item *item =
            builder_add(builder, ANSWER_SECTION_ADDITIONAL, &owner, node, types[i]);
        if (item != NULL) {
            item->required = required;
        }
    }
}

void additional_add_targets(struct answer_builder *builder, const struct dns_rrset *rrset)
{
    unsigned lookups = 0;

    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        struct dns_name name;
        struct zone_node node;
        size_t offset;
        if (!target_offset(rrset->type, c.rdata, &offset) || lookups == ADDITIONAL_LOOKUPS_MAX) {
            return;
        }
        if (!target_in_zone(builder, c.rdata, offset, &name)) {
            continue;
        }
        lookups++;
        if (find_host(builder, &name, rrset->type == DNS_TYPE_NS, &node)) {
            add_addresses(builder, &node, false);
        }
    }
}

void additional_add_glue(struct answer_builder *builder, const struct dns_rrset *ns)
{
    const struct dns_name cut =
        dns_name_parent(builder->name, labels_below_apex(builder) - builder->match.cut_labels);
    bool others = false;
    unsigned lookups = 0;

    /* RFC 9471 2.1: addresses of servers below the delegation are required, so they go first. */
    for (struct dns_rdata_cursor c = dns_rrset_walk(ns); dns_rdata_next(&c);) {
        struct dns_name name;
        struct zone_node node;
        if (lookups == ADDITIONAL_LOOKUPS_MAX) {
            break;
        }
        if (!target_in_zone(builder, c.rdata, 0, &name)) {
            continue;
        }
        if (!dns_name_is_at_or_below(&name, &cut)) {
            others = true;
            continue;
        }
        lookups++;
        if (zone_version_node(builder->version, &name, &node)) {
            add_addresses(builder, &node, true);
        }
    }
    if (others) {
        additional_add_targets(builder, ns);
    }
}

void additional_add(struct answer_builder *builder)
{
    const struct zone_version *version = builder->version;
    struct answer *answer = builder->answer;
    unsigned count = answer->count; /* What is added here has no targets. */

    for (unsigned i = 0; i < count; i++) {
        struct dns_rrset rrset = answer->items[i].rrset;
        if (rrset.type != DNS_TYPE_A && answer->items[i].section == ANSWER_SECTION_ANSWER) {
            builder->version = answer->items[i].version;
            additional_add_targets(builder, &rrset);
        }
    }
    builder->version = version;
}
