#include "zone/check_target.h"

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/check_names.h"

enum target {
    TARGET_FOUND, /* it has an address */
    TARGET_OUTSIDE,
    TARGET_NONE,
    TARGET_CNAME,
    TARGET_DNAME,
    TARGET_DELEGATED, /* at or below a zone cut: its address is another zone's to know */
};

static bool has_address(const struct zone_node *node)
{
    struct dns_rrset rrset;
    return zone_node_rrset(node, ZONE_VIEW_UNSIGNED, DNS_TYPE_A, &rrset) ||
           zone_node_rrset(node, ZONE_VIEW_UNSIGNED, DNS_TYPE_AAAA, &rrset);
}

static enum target classify(const struct zone_node *node)
{
    if (has_address(node)) {
        return TARGET_FOUND;
    }
    return (node->flags & ZONE_NODE_CNAME) != 0 ? TARGET_CNAME : TARGET_NONE;
}

/* A wildcard answers for a name that does not exist (RFC 4592). */
static enum target find_by_wildcard(const struct zone_version *draft, const struct dns_name *name,
                                    unsigned encloser_labels)
{
    struct dns_name wildcard;
    struct zone_node node;
    unsigned kept = encloser_labels + zone_version_apex(draft)->labels;
    struct dns_name encloser = dns_name_parent(name, name->labels - kept);
    if (dns_name_wildcard(&encloser, &wildcard) != SG_OK ||
        !zone_version_node(draft, &wildcard, &node)) {
        return TARGET_NONE;
    }
    return classify(&node);
}

static enum target find_target(const struct zone_version *draft, const struct dns_name *name)
{
    struct zone_match match;
    if (zone_version_find(draft, name, &match) != SG_OK) {
        return TARGET_OUTSIDE;
    }
    if (match.cut.source != NULL) {
        bool above = match.cut_labels + zone_version_apex(draft)->labels < name->labels;
        if (zone_node_is_cut(&match.cut)) {
            return TARGET_DELEGATED;
        }
        if (above) {
            return TARGET_DNAME;
        }
    }
    switch (match.kind) {
    case ZONE_MATCH_NAME:
        return classify(&match.node);
    case ZONE_MATCH_EMPTY:
        return TARGET_NONE;
    case ZONE_MATCH_NONE:
        return find_by_wildcard(draft, name, match.encloser_labels);
    }
    UNREACHABLE();
}

/* The name at `wire`, lower case, if it may lie in the zone. Most targets of a large zone do not:
 * their last byte or two tell. */
static bool target_in_zone(const struct zone_check *check, struct span wire,
                           struct dns_name *out_name)
{
    const struct dns_name *apex = check->apex;
    size_t length = dns_name_wire_length(wire.bytes);
    if (length < apex->length) {
        return false;
    }
    const uint8_t *tail = wire.bytes + length - apex->length;
    for (size_t i = apex->length; i-- > 0;) {
        if (dns_lower[tail[i]] != apex->wire[i]) {
            return false;
        }
    }
    return dns_name_from_wire(wire, out_name) == SG_OK &&
           (dns_name_lower(out_name), dns_name_is_at_or_below(out_name, apex));
}

/* The target, which ends the rdata of every type that has one. */
static struct span target_wire(uint16_t type, struct span rdata)
{
    size_t offset = dns_rdata_name_offset(type, rdata);
    return (struct span){rdata.bytes + offset, rdata.length - offset};
}

static void check_glue(const struct zone_check *check, struct span rdata,
                       const struct dns_name *target)
{
    struct zone_node glue;
    struct dns_name owner;
    if (zone_version_node(check->draft, target, &glue) && has_address(&glue)) {
        return;
    }
    zone_version_owner(check->draft, check->node, &owner);
    if (dns_name_is_at_or_below(target, &owner)) {
        check_target_problem(check, CHECK_WARN, DNS_TYPE_NS, rdata, target,
                             "has no REQUIRED GLUE address records (A or AAAA)");
    } else {
        check_target_problem(check, check->options->sibling, DNS_TYPE_NS, rdata, target,
                             "has no SIBLING GLUE address records (A or AAAA)");
    }
}

static void check_name(const struct zone_check *check, uint16_t type, struct span rdata,
                       enum check_mode none, enum check_mode alias)
{
    struct dns_name target;
    if (!target_in_zone(check, target_wire(type, rdata), &target)) {
        return;
    }
    switch (find_target(check->draft, &target)) {
    case TARGET_FOUND:
    case TARGET_OUTSIDE:
        break;
    case TARGET_NONE:
        check_target_problem(check, none, type, rdata, &target,
                             "has no address records (A or AAAA)");
        break;
    case TARGET_CNAME:
        check_target_problem(check, alias, type, rdata, &target, "is a CNAME (illegal)");
        break;
    case TARGET_DNAME:
        check_target_problem(check, alias, type, rdata, &target, "is below a DNAME (illegal)");
        break;
    case TARGET_DELEGATED:
        if (type == DNS_TYPE_NS && !check_is_at_apex(check)) {
            check_glue(check, rdata, &target);
        }
        break;
    }
}

static void check_address(const struct zone_check *check, enum check_mode mode, uint16_t type,
                          struct span rdata)
{
    struct dns_name target;
    const uint8_t *wire = target_wire(type, rdata).bytes;
    struct span span = {wire, dns_name_wire_length(wire)};
    /* An address begins with a digit, or with a colon as "::1" does. */
    if (mode == CHECK_IGNORE || wire[0] == 0 ||
        (wire[1] > ':' && memchr(wire, ':', span.length) == NULL)) {
        return;
    }
    if (dns_name_from_wire(span, &target) == SG_OK && check_is_address(&target, check->apex)) {
        check_target_problem(check, mode, type, rdata, &target, "appears to be an address");
    }
}

bool check_has_target(uint16_t type)
{
    return type == DNS_TYPE_NS || type == DNS_TYPE_MX || type == DNS_TYPE_SRV;
}

bool check_server_is_reached(const struct zone_version *draft, const struct dns_name *target)
{
    switch (find_target(draft, target)) {
    case TARGET_FOUND:
    case TARGET_OUTSIDE:
    case TARGET_DELEGATED:
        return true;
    case TARGET_NONE:
    case TARGET_CNAME:
    case TARGET_DNAME:
        return false;
    }
    UNREACHABLE();
}

void check_target(const struct zone_check *check, uint16_t type, struct span rdata)
{
    const struct zone_check_options *options = check->options;
    bool at_apex = check_is_at_apex(check);
    switch (type) {
    case DNS_TYPE_NS:
        check_address(check, options->ns, type, rdata);
        if (at_apex) {
            /* Without them nobody finds the zone, so integrity checks or not. */
            check_name(check, type, rdata, CHECK_FAIL, CHECK_FAIL);
        } else if (options->integrity) {
            check_name(check, type, rdata, CHECK_WARN, CHECK_WARN);
        }
        break;
    case DNS_TYPE_MX:
        check_address(check, options->mx, type, rdata);
        if (options->integrity) {
            check_name(check, type, rdata, CHECK_WARN, options->mx_cname);
        }
        break;
    case DNS_TYPE_SRV:
        if (options->integrity) {
            check_name(check, type, rdata, CHECK_WARN, options->srv_cname);
        }
        break;
    default:
        break;
    }
}
