/*
 * keeper/parent_lookup.h - the addresses of the name servers of a zone's parent (`checkds yes`)
 *
 *   NS of the name above the zone -- none there: NS of the zone that says so --.
 *        '-> for each name server: A, AAAA -> agents <-----------------------'
 *
 * A stub: it asks resolvers, one question at a time, and the next resolver where one fails. Either
 * it finds every address of every name server (of the families that this host has), or it fails as
 * a whole: "all of the parent's servers" must not come to mean "those that were easy to find".
 *
 * Pure: no clock, no socket. Thread: keeper.
 */
#pragma once

#include "dns/lookup_reply.h"
#include "keeper/remote.h"

enum {
    PARENT_LOOKUP_RESOLVERS_MAX = 8,
    PARENT_LOOKUP_SERVERS_MAX = 32,
    PARENT_LOOKUP_ADDRESSES_MAX = 128,
};

struct parent_lookup_settings {
    const struct remote *resolvers; /* borrowed; at most PARENT_LOOKUP_RESOLVERS_MAX are used */
    size_t resolvers_count;
    bool ipv4, ipv6; /* which addresses this host can reach at all */
    uint16_t port;   /* of the parent's servers: 53 */
};

struct parent_lookup_order {
    const struct remote *resolver;
    const struct dns_name *name; /* borrowed until the next call of anything here */
    uint16_t type;
    bool tcp; /* else UDP; RD set, no EDNS */
};

struct parent_lookup;

/* Find the parent of `zone`. SG_UNSUPPORTED: the root has none; there is no
 * resolver; this host reaches nobody. */
MUST_USE enum sg_result parent_lookup_new(const struct parent_lookup_settings *settings,
                                          const struct dns_name *zone,
                                          struct parent_lookup **out_lookup);
void parent_lookup_free(struct parent_lookup *lookup); /* NULL is fine */

/* The question to put next; then parent_lookup_heard(). False: it has ended. */
bool parent_lookup_next(const struct parent_lookup *lookup, struct parent_lookup_order *out_order);
/* SG_OK and the message, which answers that question (id and question are checked), or why there
 * was none. */
void parent_lookup_heard(struct parent_lookup *lookup, enum sg_result result,
                         const struct dns_message *message);

/*
 * How it ended: SG_OK and the addresses (at least one; borrowed), and for how many seconds they
 * hold. SG_CANCELLED: it has not ended; else it failed, and `out_problem` (the caller frees) tells
 * where, in operators' words.
 */
MUST_USE enum sg_result parent_lookup_result(const struct parent_lookup *lookup,
                                             const struct remote **out_addresses, size_t *out_count,
                                             uint32_t *out_ttl, char **out_problem);
/* The parent zone, once it is known; NULL before. */
const struct dns_name *parent_lookup_parent(const struct parent_lookup *lookup);
