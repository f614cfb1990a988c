/*
 * server/zone_peers.h - whom a zone tells and asks, as the keeper wants it, from a configuration
 *
 * Zones that say the same share one: what a hundred thousand zones have in common is made once.
 * Borrows the configuration. Thread: keeper, or a worker while the generation is made.
 */
#pragma once

#include "conf/conf.h"
#include "keeper/keeper.h"
#include "keeper/parent_telling.h"
#include "net/address.h"

struct zone_peers {
    struct zone_peers *next;
    const void *key[2]; /* view and options, for whoever looks for it */
    struct zone_notify_settings notify;
    struct refresh_settings refresh;
    bool has_primaries;
    struct ds_watch_settings parent;
    struct parent_telling_settings telling;
    bool is_telling; /* the parent is told something at all */
    struct remote *also, *agents, *resolvers, *push;
    const char **submit, **retract; /* words of commands; NULL: none */
    struct refresh_primary *primaries;
};

struct system_resolvers;

/* Of a zone with these options in this view. `system` is borrowed: whom `checkds yes` asks where
 * the configuration names no resolvers. */
struct zone_peers *zone_peers_new(const struct conf_view *view,
                                  const struct conf_zone_options *options,
                                  const struct system_resolvers *system);
void zone_peers_free(struct zone_peers *peers); /* one, not what is next */

void remote_of_address(const struct net_address *address, struct remote *out_remote);
void remote_address(const struct remote *remote, struct net_address *out_address);
