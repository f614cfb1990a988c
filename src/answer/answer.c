#include "answer/answer.h"

#include "answer/additional.h"
#include "answer/builder.h"
#include "answer/denial.h"
#include "answer/positive.h"
#include "answer/referral.h"

static void fail(struct answer_builder *builder, enum answer_kind kind, uint16_t rcode)
{
    builder->answer->kind = kind;
    builder->answer->rcode = rcode;
    builder->answer->authoritative = false;
}

/* Questions that ask for no record: BIND's answers to them. 0: it is an ordinary one. */
static uint16_t refuse_type(uint16_t qtype)
{
    switch (qtype) {
    case DNS_TYPE_ANY:
        return DNS_RCODE_NOERROR;
    case DNS_TYPE_MAILA:
    case DNS_TYPE_MAILB:
        return DNS_RCODE_NOTIMP;
    default:
        return qtype != 0 && dns_type_is_meta(qtype) ? DNS_RCODE_FORMERR : DNS_RCODE_NOERROR;
    }
}

/* The name does not exist: a wildcard may stand for it (RFC 1034 4.3.2 3c, RFC 4592 3.3). */
static enum positive_step expand(struct answer_builder *builder)
{
    const struct zone_facts *facts = zone_version_facts(builder->version);
    struct zone_match wildcard;

    if (facts->has_wildcards) {
        denial_wildcard_at(builder, builder->match.encloser_labels);
        if (zone_version_find(builder->version, &builder->wildcard, &wildcard) != SG_OK) {
            UNREACHABLE(); /* It lies below the closest encloser. */
        }
        if (wildcard.kind == ZONE_MATCH_NAME) {
            return positive_answer(builder, &wildcard.node, true);
        }
        if (wildcard.kind == ZONE_MATCH_EMPTY) {
            denial_of_wildcard_type(builder);
            return POSITIVE_DONE;
        }
    }
    denial_of_name(builder);
    return POSITIVE_DONE;
}

/* One element of the chain (RFC 1034 4.3.2 3). */
static enum positive_step answer_name(struct answer_builder *builder)
{
    const struct zone_match *match = &builder->match;

    if (zone_version_find(builder->version, builder->name, &builder->match) != SG_OK) {
        fail(builder, ANSWER_SERVFAIL, DNS_RCODE_SERVFAIL); /* the caller's table and slot differ */
        return POSITIVE_DONE;
    }
    if (match->cut.source != NULL) {
        bool below = labels_below_apex(builder) > match->cut_labels;
        bool is_cut = zone_node_is_cut(&match->cut);
        /* RFC 4035 3.1.4.1: at the delegation itself, DS is the parent's. */
        if (is_cut && (below || builder->qtype != DNS_TYPE_DS)) {
            referral_add(builder);
            return POSITIVE_DONE;
        }
        if (!is_cut && below) {
            return positive_redirect(builder);
        }
    }
    switch (match->kind) {
    case ZONE_MATCH_NAME:
        return positive_answer(builder, &match->node, false);
    case ZONE_MATCH_EMPTY:
        denial_of_type(builder);
        return POSITIVE_DONE;
    case ZONE_MATCH_NONE:
        return expand(builder);
    }
    UNREACHABLE();
}

/* Who validates asks for these, and wants nothing beside them; the peers agree. */
static bool is_key_material(uint16_t qtype)
{
    return qtype == DNS_TYPE_DNSKEY || qtype == DNS_TYPE_DS || qtype == DNS_TYPE_CDNSKEY ||
           qtype == DNS_TYPE_CDS;
}

static void prepare(struct answer_builder *builder, const struct answer_context *context,
                    const struct dns_message *question, struct answer *answer)
{
    bool recursive = (question->flags & DNS_FLAG_RD) != 0;

    builder->context = context;
    builder->question = question;
    builder->answer = answer;
    builder->qtype = question->qtype;
    builder->dnssec = question->edns.dnssec_ok;
    builder->authority = context->minimal == ANSWER_MINIMAL_NO ||
                         (context->minimal == ANSWER_MINIMAL_NO_AUTH_RECURSIVE && !recursive);
    builder->additional = context->minimal != ANSWER_MINIMAL_YES;
    if (is_key_material(builder->qtype)) {
        builder->authority = false;
        builder->additional = false;
    }
    builder->name = &question->qname;
    builder->owner = (struct answer_owner){NULL, 0, ANSWER_OWNER_QUESTION};
    builder->slot = context->slot;
    builder->version = zone_slot_version(context->slot);

    answer->kind = ANSWER_POSITIVE;
    answer->rcode = DNS_RCODE_NOERROR;
    answer->authoritative = true;
    answer->count = 0;
    answer->names_used = 0;
    answer->synthesized_used = 0;
}

/* NS of the zone that answered, for who has no minimal-responses (RFC 1034 3.7). */
static void add_authority(struct answer_builder *builder)
{
    const struct answer_owner apex = {NULL, 0, ANSWER_OWNER_RELATIVE};
    struct dns_rrset ns;
    const struct zone_node *node = zone_version_apex_node(builder->version);

    if (zone_node_rrset(node, ZONE_VIEW_SIGNED, DNS_TYPE_NS, &ns) &&
        !builder_has(builder, ns.packed)) {
        (void)builder_add(builder, ANSWER_SECTION_AUTHORITY, &apex, node, DNS_TYPE_NS);
        if (builder->additional && builder->qtype != DNS_TYPE_ANY) {
            additional_add_targets(builder, &ns);
        }
    }
}

void answer_build(const struct answer_context *context, const struct dns_message *question,
                  struct answer *out_answer)
{
    struct answer_builder builder; /* Not cleared: what is used is set. */

    prepare(&builder, context, question, out_answer);
    uint16_t refused = refuse_type(question->qtype);
    if (refused != DNS_RCODE_NOERROR) {
        fail(&builder, ANSWER_ERROR, refused);
        return;
    }
    if (builder.version == NULL) {
        fail(&builder, ANSWER_SERVFAIL, DNS_RCODE_SERVFAIL);
        return;
    }
    /* Ends: each step but the last takes one of ANSWER_CHAIN_MAX names. */
    for (unsigned step = 0; step <= ANSWER_CHAIN_MAX; step++) {
        if (answer_name(&builder) == POSITIVE_DONE) {
            break;
        }
    }
    if (builder.additional && builder.qtype != DNS_TYPE_ANY) {
        additional_add(&builder);
    }
    if (builder.authority && out_answer->kind == ANSWER_POSITIVE &&
        out_answer->rcode == DNS_RCODE_NOERROR) {
        add_authority(&builder);
    }
}
