/*
 * One walk over the draft. What a name's own records tell is decided where they stand; targets of
 * NS, MX and SRV are looked up only where they lie in the zone. Severities are those of
 * named-checkzone 9.18, whose every warning of this kind is one here.
 */
#include "zone/check.h"

#include <stdio.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/cds_fit.h"
#include "zone/check_names.h"
#include "zone/check_problem.h"
#include "zone/check_target.h"

enum { IDENTICAL_RECORDS_MAX = 64, FOLDED_BYTES_MAX = 1024, SPF_BYTES = 6, NODES_AHEAD = 16 };

const struct zone_check_options zone_check_defaults = {
    .names = CHECK_FAIL,
    .ns = CHECK_WARN,
    .mx = CHECK_WARN,
    .mx_cname = CHECK_WARN,
    .srv_cname = CHECK_WARN,
    .dup_records = CHECK_WARN,
    .wildcard = CHECK_WARN,
    .sibling = CHECK_WARN,
    .cds = CHECK_FAIL,
    .integrity = true,
    .spf = true,
};

/* What kinds of records a name has. */
enum { HAS_CNAME = 1, HAS_OTHER = 2, HAS_NS = 4, HAS_DS = 8, HAS_SPF = 16, HAS_SPF_TXT = 32 };

/* ---- names ---- */

static void check_owner_hostname(const struct zone_check *check, uint16_t type)
{
    struct dns_name owner;
    if (check->apex_is_hostname && check_is_hostname(zone_node_owner(check->node), true)) {
        return;
    }
    zone_version_owner(check->draft, check->node, &owner);
    if (type != DNS_TYPE_A || !check_is_special_owner((struct span){owner.wire, owner.length})) {
        check_owner_problem(check, check->options->names, type, ": bad owner name (check-names)");
    }
}

static void check_rdata_name(const struct zone_check *check, uint16_t type, struct span rdata,
                             const uint8_t *wire, bool mailbox)
{
    char name[DNS_NAME_TEXT_BYTES];
    char text[DNS_NAME_TEXT_BYTES + 200];
    struct dns_name target;
    struct span span = {wire, dns_name_wire_length(wire)};
    if (mailbox ? check_is_mailbox(span) : check_is_hostname(span, false)) {
        return;
    }
    if (check->options->names != CHECK_IGNORE && dns_name_from_wire(span, &target) == SG_OK) {
        snprintf(text, sizeof(text), "%s: bad name (check-names)",
                 dns_name_to_text_short(&target, name));
        check_record_problem(check, check->options->names, type, rdata, text);
    }
}

/* check-names where the RFCs ask for a host or a mailbox in rdata. */
static void check_rdata_names(const struct zone_check *check, uint16_t type, struct span rdata)
{
    const uint8_t *name = rdata.bytes;
    switch (type) {
    case DNS_TYPE_PTR:
        if (!check->apex_is_reverse) {
            return;
        } /* fall through */
    case DNS_TYPE_NS:
        check_rdata_name(check, type, rdata, name, false);
        return;
    case DNS_TYPE_MX:
    case DNS_TYPE_AFSDB:
    case DNS_TYPE_RT:
    case DNS_TYPE_SVCB:
    case DNS_TYPE_HTTPS:
        check_rdata_name(check, type, rdata, name + 2, false);
        return;
    case DNS_TYPE_SRV:
        check_rdata_name(check, type, rdata, name + 6, false);
        return;
    case DNS_TYPE_SOA:
        check_rdata_name(check, type, rdata, name, false);
        check_rdata_name(check, type, rdata, name + dns_name_wire_length(name), true);
        return;
    case DNS_TYPE_RP:
        check_rdata_name(check, type, rdata, name, true);
        return;
    case DNS_TYPE_MINFO:
        check_rdata_name(check, type, rdata, name, true);
        check_rdata_name(check, type, rdata, name + dns_name_wire_length(name), true);
        return;
    default:
        return;
    }
}

/* ---- RRsets ---- */

/* Copy rdata with its names lowered. False: too long to bother. */
static bool fold(uint16_t type, struct span rdata, uint8_t out_folded[FOLDED_BYTES_MAX])
{
    struct dns_rdata_names names = dns_rdata_names(type);
    if (rdata.length > FOLDED_BYTES_MAX) {
        return false;
    }
    memcpy(out_folded, rdata.bytes, rdata.length);
    uint8_t *name = out_folded + dns_rdata_name_offset(type, rdata);
    for (unsigned i = 0; i < names.count; i++) {
        size_t length = dns_name_wire_length(name);
        dns_name_wire_lower(name, name, length);
        name += length;
    }
    return true;
}

static bool is_same_but_for_case(uint16_t type, struct span a, struct span b)
{
    uint8_t folded_a[FOLDED_BYTES_MAX];
    uint8_t folded_b[FOLDED_BYTES_MAX];
    return a.length == b.length && fold(type, a, folded_a) && fold(type, b, folded_b) &&
           memcmp(folded_a, folded_b, a.length) == 0;
}

static bool comes_again(uint16_t type, const struct dns_rdata_cursor *at)
{
    struct dns_rdata_cursor rest = *at;
    while (dns_rdata_next(&rest)) {
        if (is_same_but_for_case(type, at->rdata, rest.rdata)) {
            return true;
        }
    }
    return false;
}

/* Records that DNSSEC tells apart and plain DNS does not: of types whose names are not lowered to
 * be signed. All others fell together when they were added. */
static void check_identical(const struct zone_check *check, const struct dns_rrset *rrset)
{
    struct dns_rdata_names names = dns_rdata_names(rrset->type);
    if (names.count == 0 || names.lower || rrset->count > IDENTICAL_RECORDS_MAX) {
        return;
    }
    struct dns_rdata_cursor cursor = dns_rrset_walk(rrset);
    while (dns_rdata_next(&cursor)) {
        if (comes_again(rrset->type, &cursor)) {
            char what[DNS_TYPE_TEXT_BYTES + 64];
            char type_text[DNS_TYPE_TEXT_BYTES];
            snprintf(what, sizeof(what), "/%s has semantically identical records",
                     dns_type_to_text(rrset->type, type_text));
            check_owner_problem(check, check->options->dup_records, rrset->type, what);
            return;
        }
    }
}

static bool is_spf(struct span rdata)
{
    size_t first = rdata.bytes[0];
    return first >= SPF_BYTES && memcmp(rdata.bytes + 1, "v=spf1", SPF_BYTES) == 0 &&
           (first == SPF_BYTES || rdata.bytes[1 + SPF_BYTES] == ' ');
}

static void check_rdatas(const struct zone_check *check, const struct dns_rrset *rrset,
                         unsigned *kinds)
{
    bool names = check->options->names != CHECK_IGNORE;
    struct dns_rdata_cursor cursor = dns_rrset_walk(rrset);
    while (dns_rdata_next(&cursor)) {
        if (names) {
            check_rdata_names(check, rrset->type, cursor.rdata);
        }
        if (check_has_target(rrset->type) && !check->below_cut) {
            check_target(check, rrset->type, cursor.rdata);
        }
        if (rrset->type == DNS_TYPE_TXT && is_spf(cursor.rdata)) {
            *kinds |= HAS_SPF_TXT;
        }
    }
}

static void check_rrset(const struct zone_check *check, const struct dns_rrset *rrset,
                        unsigned *kinds)
{
    bool at_apex = check_is_at_apex(check);
    uint16_t type = rrset->type;
    *kinds |= type == DNS_TYPE_CNAME ? HAS_CNAME : dns_type_is_beside_cname(type) ? 0u : HAS_OTHER;
    switch (type) {
    case DNS_TYPE_A:
    case DNS_TYPE_AAAA:
    case DNS_TYPE_WKS:
        if (check->options->names != CHECK_IGNORE) {
            check_owner_hostname(check, type);
        }
        return; /* Nothing of what follows is for addresses, which are most of all records. */
    case DNS_TYPE_NS:
        *kinds |= HAS_NS;
        if ((check->node->flags & ZONE_NODE_WILDCARD) != 0) {
            check_owner_problem(check, CHECK_FAIL, type, ": invalid NS owner name (wildcard)");
        }
        break;
    case DNS_TYPE_DS:
        *kinds |= HAS_DS;
        if (at_apex) {
            check_owner_problem(check, CHECK_FAIL, type, ": DS record at top of zone");
        }
        return;
    case DNS_TYPE_MX:
        if (check->options->names != CHECK_IGNORE) {
            check_owner_hostname(check, type);
        }
        break;
    case DNS_TYPE_SPF:
        *kinds |= HAS_SPF;
        return;
    case DNS_TYPE_RRSIG:
        return;
    default:
        break;
    }
    if (rrset->count > 1 && dns_type_is_singleton(type) && type != DNS_TYPE_SOA) {
        check_conflict(check, ZONEFILE_SECOND, type, ": multiple RRs of singleton type");
    }
    check_rdatas(check, rrset, kinds);
    if (rrset->count > 1) {
        check_identical(check, rrset);
    }
}

/* ---- owner names ---- */

/* Only addresses are seen below a delegation, and nothing below a DNAME. */
static bool is_hidden(const struct zone_check *check, uint16_t type)
{
    bool glue = type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
    return check->below_cut && (check->under_dname || !glue) && !dns_type_is_generated(type);
}

static void check_node(const struct zone_check *check)
{
    unsigned kinds = 0;
    bool hidden = false;
    struct zone_rrset_walk walk = zone_node_walk_layer(check->node, ZONE_SOURCE);
    while (zone_node_walk_next(&walk)) {
        check_rrset(check, &walk.rrset, &kinds);
        hidden = hidden || is_hidden(check, walk.rrset.type);
    }
    if (check->options->wildcard != CHECK_IGNORE &&
        check_has_inner_wildcard(zone_node_owner(check->node))) {
        check_owner_problem(check, check->options->wildcard, 0,
                            " contains a non-terminal wildcard");
    }
    if ((kinds & HAS_CNAME) != 0 && (kinds & HAS_OTHER & ~(unsigned)HAS_CNAME) != 0) {
        check_conflict(check, ZONEFILE_BESIDE_CNAME, 0, ": CNAME and other data");
    }
    if (check->options->spf && (kinds & HAS_SPF) != 0 && (kinds & HAS_SPF_TXT) == 0) {
        check_owner_problem(
            check, CHECK_WARN, DNS_TYPE_SPF,
            " has an SPF record but no SPF TXT record, add matching type TXT record");
    }
    if ((kinds & HAS_DS) != 0 && (kinds & HAS_NS) == 0 && !check->below_cut) {
        check_owner_problem(check, CHECK_WARN, DNS_TYPE_DS, ": DS without NS");
    }
    if (hidden) {
        check_owner_problem(check, CHECK_WARN, 0,
                            check->under_dname
                                ? " is below a DNAME, its records will not be found"
                                : " is below a zone cut, its records are not of this zone");
    }
}

/*
 * Blocks lie in memory as their names came in, so that a walk in canonical order waits for memory
 * at each of them. Walking some names ahead lets them be fetched in time.
 */
static void check_nodes(struct zone_check *check)
{
    struct {
        struct zone_node node;
        bool below_cut;
    } ahead[NODES_AHEAD];
    struct zone_cursor cursor;
    zone_cursor_start(&cursor, check->draft);
    size_t walked = 0;
    size_t checked = 0;
    bool more = true;
    while (more || checked < walked) {
        more = more && zone_cursor_next(&cursor);
        if (more) {
            __builtin_prefetch(cursor.node.source);
            ahead[walked % NODES_AHEAD].node = cursor.node;
            ahead[walked % NODES_AHEAD].below_cut = cursor.below_cut;
            walked++;
        }
        if (more && walked < NODES_AHEAD) {
            continue;
        }
        if (checked == walked) {
            break;
        }
        check->node = &ahead[checked % NODES_AHEAD].node;
        check->below_cut = ahead[checked % NODES_AHEAD].below_cut;
        if (!check->below_cut) {
            check->under_dname =
                !zone_node_is_cut(check->node) && (check->node->flags & ZONE_NODE_DNAME) != 0;
        }
        check_node(check);
        checked++;
    }
}

static struct cds_algorithms list_algorithms(const struct zone_node *apex, uint16_t type)
{
    struct cds_algorithms algorithms = CDS_ALGORITHMS_NONE;
    struct dns_rrset rrset;
    if (zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, type, &rrset)) {
        for (struct dns_rdata_cursor c = dns_rrset_walk(&rrset); dns_rdata_next(&c);) {
            cds_note(&algorithms, type, c.rdata);
        }
    }
    return algorithms;
}

static void check_cds(const struct zone_check *check, const struct zone_node *apex)
{
    static const struct {
        uint16_t type;
        const char *text;
    } sets[] = {
        {DNS_TYPE_CDS,
         ": bad CDS (one has an algorithm that no DNSKEY has, or DELETE has company)"},
        {DNS_TYPE_CDNSKEY,
         ": bad CDNSKEY (one has an algorithm that no DNSKEY has, or DELETE has company)"},
    };
    struct cds_algorithms keys = list_algorithms(apex, DNS_TYPE_DNSKEY);
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        struct cds_algorithms set = list_algorithms(apex, sets[i].type);
        if (!cds_is_fit(&set, &keys)) {
            check_owner_problem(check, check->options->cds, sets[i].type, sets[i].text);
        }
    }
}

static void check_apex(struct zone_check *check)
{
    struct zone_node node;
    struct dns_rrset soa = {0};
    struct dns_rrset ns = {0};
    if (zone_version_node(check->draft, check->apex, &node)) {
        (void)zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, &soa);
        (void)zone_node_rrset(&node, ZONE_VIEW_UNSIGNED, DNS_TYPE_NS, &ns);
        check->node = &node;
        check_cds(check, &node);
    }
    if (soa.count != 1) {
        char text[64];
        struct zonefile_subject second = {check->apex, DNS_TYPE_SOA, ZONEFILE_SECOND, {NULL, 0}};
        snprintf(text, sizeof(text), "has %u SOA records", (unsigned)soa.count);
        zonefile_report_add_about(check->report, ZONEFILE_ERROR, &second, text);
    }
    if (ns.count == 0) {
        zonefile_report_add(check->report, ZONEFILE_ERROR, NULL, 0, "has no NS records");
    }
}

static bool is_reverse(const struct dns_name *apex)
{
    static const char *const suffixes[] = {"in-addr.arpa", "ip6.arpa", "ip6.int"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        struct dns_name suffix;
        if (dns_name_from_text(suffixes[i], strlen(suffixes[i]), NULL, &suffix) == SG_OK &&
            dns_name_is_at_or_below(apex, &suffix)) {
            return true;
        }
    }
    return false;
}

enum sg_result zone_check(const struct zone_version *draft,
                          const struct zone_check_options *options, struct zonefile_report *report)
{
    /* Hostnames and SPF are matters of the Internet class. */
    struct zone_check_options present = *options;
    if (zone_version_class(draft) != DNS_CLASS_IN) {
        present.names = CHECK_IGNORE;
        present.spf = false;
    }
    const struct dns_name *apex = zone_version_apex(draft);
    struct zone_check check = {
        .draft = draft,
        .options = &present,
        .report = report,
        .apex = apex,
        .apex_is_reverse = is_reverse(apex),
        .apex_is_hostname = check_is_hostname((struct span){apex->wire, apex->length}, false),
    };
    size_t errors = report->errors;
    check_apex(&check);
    check_nodes(&check);
    return report->errors > errors ? SG_MALFORMED : SG_OK;
}
