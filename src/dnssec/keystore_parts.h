/*
 * dnssec/keystore_parts.h - what keystore.c, which reads one key, and keystore_index.c, which knows
 * what keys there are, want of each other (private to them)
 */
#pragma once

#include "dnssec/keyfile.h"
#include "dnssec/keystore.h"

struct keystore_reporter {
    keystore_report *report; /* NULL: nobody is told */
    void *argument;
};
void keystore_tell(const struct keystore_reporter *reporter, const char *path, const char *problem);

/*
 * That the two halves of a key belong together takes a signature to see. Who has seen it remembers
 * a hash of both, keyed by what nobody else knows, and need not look again.
 */
struct keystore_proof {
    const uint8_t *hash_key; /* 16 bytes */
    uint64_t *hash;          /* of the halves that were tried last; 0: none were */
};

typedef enum sg_result keystore_parse(struct span text, struct signing_key *key,
                                      struct keyfile_problem *out_problem);
/* Read `base`.`suffix` and parse it into the key. SG_NOT_FOUND is not reported. */
MUST_USE enum sg_result keystore_read_part(const struct keystore_reporter *reporter,
                                           const char *base, const char *suffix,
                                           keystore_parse *parse, struct signing_key *key);
/* The key of this name, without suffix, and which must be what its name says. `proof` may be
 * NULL. */
MUST_USE enum sg_result keystore_read_listed(const struct keystore_reporter *reporter,
                                             const char *folder, const char *name,
                                             const struct keystore_proof *proof,
                                             struct signing_key **out_key);
/* By algorithm, then tag. */
void keystore_sort(struct key_list *list);
