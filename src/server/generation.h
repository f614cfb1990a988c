/*
 * server/generation.h - one configuration and what keeper and front desk are told of it
 *
 * Made at a start or a reload, given to the keeper, which releases it when the last zone, job and
 * reader is done with it. Thread: keeper; generation_new() also in a worker.
 */
#pragma once

#include "keeper/keeper.h"
#include "server/front.h"
#include "server/system_resolvers.h"

struct generation {
    struct keeper_generation keeper; /* first member; its `owner` is not used */
    struct conf *conf;
    struct zone_peers *peers; /* of all zones, by next */
    struct system_resolvers system;
    struct tsig_key *added_key; /* NULL: none; see generation_add_key() */
    struct tsig_key **keys;     /* the configuration's and that one */
};

/* Takes conf. SG_EXISTS: a view has `out_twice` twice, and conf is still the caller's. */
MUST_USE enum sg_result generation_new(struct conf *conf, struct generation **out_generation,
                                       const struct conf_zone **out_twice);
/* For one that the keeper did not take. */
void generation_free(struct generation *generation);

/* One more key beside the configuration's own: copied. Before it is published, once. */
void generation_add_key(struct generation *generation, const struct tsig_key *key);
/* What queries shall see. After keeper_configure(), which made the slots. */
struct front *generation_front(const struct generation *generation);
