/*
 * answer/denial.h - what does not exist, and the proof (RFC 2308, 4035 3.1.3, 5155 7.2, 6840 4)
 *
 * A zone signed elsewhere may have a broken chain: a proof that is not there is left out.
 */
#pragma once

#include "answer/builder.h"

/* Negative answers: SOA and, where asked for, the proof. */
/* The name does not exist, and no wildcard stands for it. */
void denial_of_name(struct answer_builder *builder);
/* The name exists, as a node or as an empty non-terminal, but owns nothing of the type. */
void denial_of_type(struct answer_builder *builder);
/* The same of the wildcard `builder->wildcard`, which stands for the name. */
void denial_of_wildcard_type(struct answer_builder *builder);

/* Proofs that other answers need; only where the client asked for DNSSEC. */
/* The name itself does not exist, so that a wildcard may speak for it (RFC 4035 3.1.3.3). */
void denial_of_exact_name(struct answer_builder *builder);
/* The delegation `builder->match.cut` has no DS (RFC 4035 3.1.4, RFC 5155 7.2.7). */
void denial_of_ds(struct answer_builder *builder);

/* Set `builder->wildcard` to `*.` in front of the last `depth` labels below the apex. */
void denial_wildcard_at(struct answer_builder *builder, unsigned depth);
