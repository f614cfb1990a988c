/*
 * answer/builder.h - what the files of answer/ share while they collect one answer
 *
 * answer.c walks RFC 1034 4.3.2 and calls one of positive, referral and denial for each element
 * of a chain, then additional. Each adds RRsets here; none of them writes a byte.
 */
#pragma once

#include "answer/answer.h"

struct answer_builder {
    const struct answer_context *context;
    const struct dns_message *question;
    struct answer *answer;
    uint16_t qtype;
    bool dnssec;    /* DO: with signatures and proofs */
    bool authority; /* add the zone's NS to a positive answer; not when its chain led elsewhere */
    bool additional;

    /* The name looked for now: the question's, then where the chain leads. */
    const struct dns_name *name;
    struct answer_owner owner; /* the same, as an owner name */
    const struct zone_slot *slot;
    const struct zone_version *version;
    struct zone_match match;
    struct dns_name wildcard; /* at the closest encloser; set by wildcard_name() */
};

static inline struct answer_owner owner_of_node(const struct zone_node *node)
{
    struct span labels = zone_node_owner(node);
    return (struct answer_owner){labels.bytes, (uint8_t)labels.length, ANSWER_OWNER_RELATIVE};
}

static inline struct answer_owner owner_of_name(const struct dns_name *name)
{
    return (struct answer_owner){name->wire, (uint8_t)(name->length - 1), ANSWER_OWNER_ABSOLUTE};
}

/* Labels of the present name that lie below the apex. */
static inline unsigned labels_below_apex(const struct answer_builder *builder)
{
    return (unsigned)(builder->name->labels - zone_version_apex(builder->version)->labels);
}

/* Is the very same RRset in the answer already, in whichever section? */
static inline bool builder_has(const struct answer_builder *builder, const uint8_t *packed)
{
    for (unsigned i = 0; i < builder->answer->count; i++) {
        if (builder->answer->items[i].rrset.packed == packed) {
            return true;
        }
    }
    return false;
}

/*
 * Append an RRset that the caller fills in, signatures absent. NULL when there is no more room:
 * no zone that is fit to be served comes near it, except by additional data.
 */
static inline struct answer_item *builder_append(struct answer_builder *builder,
                                                 enum answer_section section,
                                                 const struct answer_owner *owner)
{
    struct answer *answer = builder->answer;

    if (answer->count == ANSWER_RRSETS_MAX) {
        return NULL;
    }
    struct answer_item *item = &answer->items[answer->count++];
    item->signatures.packed = NULL;
    item->owner = *owner;
    item->section = (uint8_t)section;
    item->required = false;
    item->version = builder->version;
    return item;
}

/* The RRset of `type` at `node` and its signatures where wanted; NULL if there is none. */
static inline struct answer_item *builder_add(struct answer_builder *builder,
                                              enum answer_section section,
                                              const struct answer_owner *owner,
                                              const struct zone_node *node, uint16_t type)
{
    struct dns_rrset rrset;

    if (!zone_node_rrset(node, ZONE_VIEW_SIGNED, type, &rrset)) {
        return NULL;
    }
    struct answer_item *item = builder_append(builder, section, owner);
    if (item != NULL) {
        item->rrset = rrset;
        if (builder->dnssec) {
            (void)zone_node_signatures(node, ZONE_VIEW_SIGNED, type, &item->signatures);
        }
    }
    return item;
}
