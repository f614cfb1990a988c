/*
 * answer/additional.h - addresses that the asker will want next (RFC 1034 4.3.2 6, RFC 9471)
 */
#pragma once

#include "answer/builder.h"

/* Addresses of the name servers `ns` of the delegation `builder->match.cut`. */
void additional_add_glue(struct answer_builder *builder, const struct dns_rrset *ns);
/* Addresses of the hosts that an RRset of the present zone names, if its type names hosts. */
void additional_add_targets(struct answer_builder *builder, const struct dns_rrset *rrset);
/* The same of every RRset in the answer section. */
void additional_add(struct answer_builder *builder);
