/*
 * answer/referral.h - a name at or below a delegation (RFC 1034 4.3.2 3b, RFC 4035 3.1.4)
 */
#pragma once

#include "answer/builder.h"

/* NS, then DS or the proof that there is none, then glue. `builder->match.cut` is the cut. */
void referral_add(struct answer_builder *builder);
