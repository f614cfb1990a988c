/*
 * answer/positive.h - a name that exists, or that a wildcard stands for (RFC 1034 4.3.2 3a, 3c)
 */
#pragma once

#include "answer/builder.h"

enum positive_step {
    POSITIVE_DONE,
    POSITIVE_FOLLOW, /* a CNAME or DNAME leads on: the builder's name and zone are set anew */
};

/* From `node`, whose records answer under the present name; `expanded`: it is a wildcard. */
enum positive_step positive_answer(struct answer_builder *builder, const struct zone_node *node,
                                   bool expanded);
/* Below a DNAME, which is `builder->match.cut` (RFC 6672 3.2). */
enum positive_step positive_redirect(struct answer_builder *builder);
