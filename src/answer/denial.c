#include "answer/denial.h"

#include "answer/nsec3_memo.h"

enum { ITERATIONS_MAX = 150 }; /* of NSEC3 hashes made while a client waits: RFC 9276 3.2 */

static void add_soa(struct answer_builder *builder)
{
    const struct answer_owner apex = {NULL, 0, ANSWER_OWNER_RELATIVE};
    struct answer_item *item = builder_add(builder, ANSWER_SECTION_AUTHORITY, &apex,
                                           zone_version_apex_node(builder->version), DNS_TYPE_SOA);

    if (item != NULL) {
        /* RFC 2308 5: how long the denial may be kept. */
        item->rrset.ttl = zone_version_facts(builder->version)->negative_ttl;
        item->signatures.ttl = item->rrset.ttl;
    }
}

/* In the authority section: as an answer, a wildcard's NSEC may stand under another name. */
static bool has_proof(const struct answer_builder *builder, const uint8_t *packed)
{
    for (unsigned i = 0; i < builder->answer->count; i++) {
        const struct answer_item *item = &builder->answer->items[i];
        if (item->section == ANSWER_SECTION_AUTHORITY && item->rrset.packed == packed) {
            return true;
        }
    }
    return false;
}

/* One NSEC or NSEC3 with its signatures, once. */
static void add_proof(struct answer_builder *builder, const struct zone_node *node, uint16_t type)
{
    struct dns_rrset rrset;

    if (!zone_node_rrset(node, ZONE_VIEW_SIGNED, type, &rrset) ||
        has_proof(builder, rrset.packed)) {
        return;
    }
    struct answer_owner owner = owner_of_node(node);
    struct answer_item *item = builder_append(builder, ANSWER_SECTION_AUTHORITY, &owner);
    if (item == NULL) {
        return;
    }
    item->rrset = rrset;
    (void)zone_node_signatures(node, ZONE_VIEW_SIGNED, type, &item->signatures);
    /* RFC 9077 3: a denial by NSEC lives no longer than one by SOA. */
    uint32_t ttl_max = zone_version_facts(builder->version)->negative_ttl;
    if (rrset.ttl > ttl_max) {
        item->rrset.ttl = ttl_max;
        item->signatures.ttl = ttl_max;
    }
}

static void add_nsec(struct answer_builder *builder, const struct dns_name *name)
{
    struct zone_node node;

    if (zone_version_nsec(builder->version, name, &node)) {
        add_proof(builder, &node, DNS_TYPE_NSEC);
    }
}

/* What matches or covers the present name's last `depth` labels below the apex. */
static bool find_nsec3_at(const struct answer_builder *builder, unsigned depth,
                          struct zone_node *out_node, bool *out_exact)
{
    const struct dns_name *name = builder->name;
    const struct nsec3_params *params = &zone_version_facts(builder->version)->nsec3;
    const uint8_t *wire = dns_name_skip(name, labels_below_apex(builder) - depth);
    size_t length = (size_t)(name->wire + name->length - wire);
    uint8_t hash[NSEC3_HASH_BYTES];

    /* Enclosers come again. A name that does not exist hardly does, and would only push others
     * out of the memo. */
    if (depth <= builder->match.encloser_labels) {
        nsec3_memo_hash(builder->context->hasher, params, wire, length, hash);
    } else {
        nsec3_hash(builder->context->hasher, params, wire, length, hash);
    }
    return zone_version_nsec3(builder->version, hash, out_node, out_exact);
}

/*
 * RFC 5155 7.2.1: an NSEC3 that matches the closest encloser, one that covers the next closer
 * name. Opt-out leaves names without NSEC3, so the search goes up from `depth` to the closest
 * provable encloser, whose depth is `out_depth`. False: the chain is broken.
 */
static bool add_encloser(struct answer_builder *builder, unsigned depth, unsigned *out_depth)
{
    struct zone_node encloser;
    struct zone_node next_closer;
    bool exact;
    bool covered = false;

    for (;; depth--) {
        if (!find_nsec3_at(builder, depth, &encloser, &exact)) {
            return false;
        }
        if (exact) {
            break;
        }
        next_closer = encloser;
        covered = true;
        if (depth == 0) {
            return false;
        }
    }
    if (!covered) {
        covered = find_nsec3_at(builder, depth + 1, &next_closer, &exact) && !exact;
    }
    add_proof(builder, &encloser, DNS_TYPE_NSEC3);
    if (covered) {
        add_proof(builder, &next_closer, DNS_TYPE_NSEC3);
    }
    *out_depth = depth;
    return true;
}

/* The NSEC3 that matches the name at `depth`; for want of it, that opt-out explains why. */
static void add_nsec3_match(struct answer_builder *builder, unsigned depth)
{
    struct zone_node node;
    bool exact;
    unsigned ignored;

    if (!find_nsec3_at(builder, depth, &node, &exact)) {
        return;
    }
    if (exact) {
        add_proof(builder, &node, DNS_TYPE_NSEC3);
    } else if (depth > 0) {
        (void)add_encloser(builder, depth - 1, &ignored);
    }
}

/* What matches or covers the wildcard. */
static void add_nsec3_of_wildcard(struct answer_builder *builder)
{
    uint8_t hash[NSEC3_HASH_BYTES];
    struct zone_node node;
    bool exact;

    nsec3_memo_hash(builder->context->hasher, &zone_version_facts(builder->version)->nsec3,
                    builder->wildcard.wire, builder->wildcard.length, hash);
    if (zone_version_nsec3(builder->version, hash, &node, &exact)) {
        add_proof(builder, &node, DNS_TYPE_NSEC3);
    }
}

static enum zone_denial proofs(const struct answer_builder *builder)
{
    const struct zone_facts *facts = zone_version_facts(builder->version);

    if (!builder->dnssec ||
        (facts->denial == ZONE_DENIAL_NSEC3 && facts->nsec3.iterations > ITERATIONS_MAX)) {
        return ZONE_DENIAL_NONE;
    }
    return facts->denial;
}

static void begin(struct answer_builder *builder, enum answer_kind kind, uint16_t rcode)
{
    builder->answer->kind = kind;
    builder->answer->rcode = rcode;
    add_soa(builder);
}

void denial_wildcard_at(struct answer_builder *builder, unsigned depth)
{
    const struct dns_name *name = builder->name;
    unsigned above = labels_below_apex(builder) - depth;
    const uint8_t *encloser = dns_name_skip(name, above);
    size_t bytes = (size_t)(name->wire + name->length - encloser);

    /* It fits: at least one label of the name gives way to "*". */
    ASSERT(above > 0);
    builder->wildcard.length = (uint8_t)(bytes + 2);
    builder->wildcard.labels = (uint8_t)(name->labels - above + 1);
    builder->wildcard.wire[0] = 1;
    builder->wildcard.wire[1] = '*';
    memcpy(builder->wildcard.wire + 2, encloser, bytes);
}

void denial_of_name(struct answer_builder *builder)
{
    unsigned depth = builder->match.encloser_labels;

    begin(builder, ANSWER_NXDOMAIN, DNS_RCODE_NXDOMAIN);
    switch (proofs(builder)) {
    case ZONE_DENIAL_NONE:
        break;
    case ZONE_DENIAL_NSEC:
        add_nsec(builder, builder->name);
        denial_wildcard_at(builder, depth);
        add_nsec(builder, &builder->wildcard);
        break;
    case ZONE_DENIAL_NSEC3: /* RFC 5155 7.2.2 */
        if (add_encloser(builder, depth, &depth)) {
            denial_wildcard_at(builder, depth);
            add_nsec3_of_wildcard(builder);
        }
        break;
    }
}

void denial_of_type(struct answer_builder *builder)
{
    begin(builder, ANSWER_NODATA, DNS_RCODE_NOERROR);
    switch (proofs(builder)) {
    case ZONE_DENIAL_NONE:
        break;
    case ZONE_DENIAL_NSEC:
        add_nsec(builder, builder->name);
        break;
    case ZONE_DENIAL_NSEC3: /* RFC 5155 7.2.3, 7.2.4 */
        add_nsec3_match(builder, labels_below_apex(builder));
        break;
    }
}

void denial_of_wildcard_type(struct answer_builder *builder)
{
    unsigned ignored;

    begin(builder, ANSWER_NODATA, DNS_RCODE_NOERROR);
    switch (proofs(builder)) {
    case ZONE_DENIAL_NONE:
        break;
    case ZONE_DENIAL_NSEC: /* RFC 4035 3.1.3.4 */
        add_nsec(builder, builder->name);
        add_nsec(builder, &builder->wildcard);
        break;
    case ZONE_DENIAL_NSEC3: /* RFC 5155 7.2.5 */
        if (add_encloser(builder, builder->match.encloser_labels, &ignored)) {
            add_nsec3_of_wildcard(builder);
        }
        break;
    }
}

void denial_of_exact_name(struct answer_builder *builder)
{
    struct zone_node node;
    bool exact;

    switch (proofs(builder)) {
    case ZONE_DENIAL_NONE:
        break;
    case ZONE_DENIAL_NSEC:
        add_nsec(builder, builder->name);
        break;
    case ZONE_DENIAL_NSEC3: /* RFC 5155 7.2.6: the next closer name is enough */
        if (find_nsec3_at(builder, builder->match.encloser_labels + 1u, &node, &exact) && !exact) {
            add_proof(builder, &node, DNS_TYPE_NSEC3);
        }
        break;
    }
}

void denial_of_ds(struct answer_builder *builder)
{
    switch (proofs(builder)) {
    case ZONE_DENIAL_NONE:
        break;
    case ZONE_DENIAL_NSEC:
        add_proof(builder, &builder->match.cut, DNS_TYPE_NSEC);
        break;
    case ZONE_DENIAL_NSEC3:
        add_nsec3_match(builder, builder->match.cut_labels);
        break;
    }
}
