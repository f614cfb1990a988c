#include "answer/positive.h"

#include "answer/denial.h"

/* Go on at `name`, the last of answer->names, if its zone is here. */
static enum positive_step follow(struct answer_builder *builder, const struct dns_name *name)
{
    const struct answer_context *context = builder->context;
    const struct zone_slot *slot = builder->slot;

    if (context->table != NULL) {
        slot = zone_table_find(context->table, name, builder->qtype == DNS_TYPE_DS);
    } else if (!dns_name_is_at_or_below(name, &slot->apex)) {
        slot = NULL;
    }
    if (slot != builder->slot) {
        const struct zone_version *version = NULL;
        if (slot != NULL &&
            (context->may_enter == NULL || context->may_enter(context->argument, slot))) {
            version = zone_slot_version(slot);
        }
        if (version == NULL) {
            builder->authority = false;
            return POSITIVE_DONE; /* The asker goes on elsewhere. */
        }
        /* The same zone keeps its version, though a new one may be out by now. */
        builder->slot = slot;
        builder->version = version;
    }
    builder->name = name;
    builder->owner = owner_of_name(name);
    return POSITIVE_FOLLOW;
}

/* The next free name of the chain, or NULL at its bound. */
static struct dns_name *next_name(struct answer_builder *builder)
{
    struct answer *answer = builder->answer;

    return answer->names_used < ANSWER_CHAIN_MAX ? &answer->names[answer->names_used++] : NULL;
}

static enum positive_step follow_cname(struct answer_builder *builder,
                                       const struct answer_item *cname)
{
    struct dns_name *name = next_name(builder);

    if (name == NULL || dns_name_from_wire(dns_rrset_first(&cname->rrset), name) != SG_OK) {
        builder->authority = false;
        return POSITIVE_DONE;
    }
    dns_name_lower(name);
    return follow(builder, name);
}

/* Every RRset of the node, its signatures whether asked for or not: ANY matches them too. */
static void add_any(struct answer_builder *builder, const struct zone_node *node)
{
    struct zone_rrset_walk walk = zone_node_walk(node, ZONE_VIEW_SIGNED);

    while (zone_node_walk_next(&walk) && walk.rrset.type != DNS_TYPE_RRSIG) {
        struct answer_item *item = builder_append(builder, ANSWER_SECTION_ANSWER, &builder->owner);
        if (item == NULL) {
            return;
        }
        item->rrset = walk.rrset;
        if (builder->dnssec || !builder->context->minimal_any) {
            (void)zone_node_signatures(node, ZONE_VIEW_SIGNED, walk.rrset.type, &item->signatures);
        }
        if (builder->context->minimal_any) {
            return; /* RFC 8482 4.1: any one will do */
        }
    }
}

/* Every set of signatures. False: the node has none. */
static bool add_signatures(struct answer_builder *builder, const struct zone_node *node)
{
    struct zone_rrset_walk walk = zone_node_walk(node, ZONE_VIEW_SIGNED);
    bool any = false;

    while (zone_node_walk_next(&walk)) {
        if (walk.rrset.type != DNS_TYPE_RRSIG) {
            continue;
        }
        struct answer_item *item = builder_append(builder, ANSWER_SECTION_ANSWER, &builder->owner);
        if (item == NULL) {
            break;
        }
        item->rrset = walk.rrset;
        any = true;
    }
    return any;
}

/* What the node owns of the question's type. False: nothing. */
static bool add_data(struct answer_builder *builder, const struct zone_node *node)
{
    switch (builder->qtype) {
    case DNS_TYPE_ANY:
        add_any(builder, node);
        return true; /* A node owns something, else it would not be one. */
    case DNS_TYPE_RRSIG:
        return add_signatures(builder, node);
    default:
        return builder_add(builder, ANSWER_SECTION_ANSWER, &builder->owner, node, builder->qtype) !=
               NULL;
    }
}

static void deny_type(struct answer_builder *builder, bool expanded)
{
    if (expanded) {
        denial_of_wildcard_type(builder);
    } else {
        denial_of_type(builder);
    }
}

/* Have we been at this owner's CNAME before? Its owner name tells, for the RRset of a wildcard or a
 * DNAME may stand for several. */
static bool is_loop(const struct answer_builder *builder)
{
    const struct answer *answer = builder->answer;

    if (answer->names_used == 0) {
        return false;
    }
    for (unsigned i = 0; i + 1 < answer->names_used; i++) {
        if (dns_name_equal(&answer->names[i], builder->name)) {
            return true;
        }
    }
    return dns_name_equal(&builder->question->qname, builder->name);
}

enum positive_step positive_answer(struct answer_builder *builder, const struct zone_node *node,
                                   bool expanded)
{
    struct answer_item *cname = NULL;

    if (is_loop(builder)) {
        builder->authority = false;
        return POSITIVE_DONE; /* All there is to say has been said. */
    }
    if (!add_data(builder, node)) {
        /* Also for NSEC in a zone with NSEC3: no proof of NODATA is good beside a CNAME
         * (RFC 6840 4.3). */
        if ((node->flags & ZONE_NODE_CNAME) != 0) {
            cname =
                builder_add(builder, ANSWER_SECTION_ANSWER, &builder->owner, node, DNS_TYPE_CNAME);
        }
        if (cname == NULL) {
            deny_type(builder, expanded);
            return POSITIVE_DONE;
        }
    }
    if (expanded) {
        denial_of_exact_name(builder);
    }
    return cname != NULL ? follow_cname(builder, cname) : POSITIVE_DONE;
}

/*
 * The present name with the DNAME's owner replaced by its target. The labels in front keep the
 * case in which they were asked for. SG_LIMIT when it grows too long.
 */
static enum sg_result substitute(const struct answer_builder *builder, struct span target,
                                 struct dns_name *out_name)
{
    const struct dns_name *name = builder->name;
    unsigned labels = labels_below_apex(builder) - builder->match.cut_labels;
    size_t bytes = (size_t)(dns_name_skip(name, labels) - name->wire);
    bool asked = builder->owner.kind == ANSWER_OWNER_QUESTION;

    if (bytes + target.length > DNS_NAME_BYTES_MAX) {
        return SG_LIMIT;
    }
    out_name->length = (uint8_t)(bytes + target.length);
    out_name->labels = (uint8_t)(labels + dns_name_wire_labels(target.bytes));
    memcpy(out_name->wire, asked ? builder->question->wire.bytes + DNS_HEADER_BYTES : name->wire,
           bytes);
    memcpy(out_name->wire + bytes, target.bytes, target.length);
    return SG_OK;
}

enum positive_step positive_redirect(struct answer_builder *builder)
{
    struct answer *answer = builder->answer;
    struct answer_owner owner = owner_of_node(&builder->match.cut);
    struct dns_rrset dname;

    if (is_loop(builder)) {
        builder->authority = false;
        return POSITIVE_DONE; /* Another round would repeat its CNAMEs (RFC 2181 5). */
    }
    if (!zone_node_rrset(&builder->match.cut, ZONE_VIEW_SIGNED, DNS_TYPE_DNAME, &dname)) {
        UNREACHABLE(); /* The node's flag said so: invariant (3) of a version. */
    }
    if (!builder_has(builder, dname.packed)) {
        (void)builder_add(builder, ANSWER_SECTION_ANSWER, &owner, &builder->match.cut,
                          DNS_TYPE_DNAME);
    }
    struct dns_name *name = next_name(builder);
    if (name == NULL) {
        builder->authority = false;
        return POSITIVE_DONE;
    }
    if (substitute(builder, dns_rrset_first(&dname), name) != SG_OK) {
        answer->rcode = DNS_RCODE_YXDOMAIN; /* RFC 6672 3.2 3c */
        return POSITIVE_DONE;
    }
    struct answer_item *cname = builder_append(builder, ANSWER_SECTION_ANSWER, &builder->owner);
    if (cname == NULL) {
        return POSITIVE_DONE;
    }
    uint8_t *packed = answer->synthesized[answer->synthesized_used++];
    wire_put_u16(packed, name->length);
    memcpy(packed + 2, name->wire, name->length);
    cname->rrset = (struct dns_rrset){packed, 2u + name->length, dname.ttl, DNS_TYPE_CNAME, 0, 1};
    dns_name_lower(name);
    /* The CNAME is the answer to who asked for one (RFC 1034 4.3.2 3a). */
    if (builder->qtype == DNS_TYPE_CNAME || builder->qtype == DNS_TYPE_ANY) {
        return POSITIVE_DONE;
    }
    return follow(builder, name);
}
