/*
 * server/interfaces.h - which addresses shall we listen on?
 *
 * `listen-on` names addresses by an access list that the host's own addresses are held against.
 * "any" becomes the wildcard address, which also serves addresses that come later; where another
 * program holds the port on one of them, the others are taken one by one.
 */
#pragma once

#include "conf/conf.h"
#include "net/net.h"

/*
 * Serve what `conf` says, from now on; what cannot be bound is logged. `out_wanted` is how many
 * addresses were meant. Returns how many are served. Thread: keeper.
 */
size_t interfaces_bind(struct net *net, const struct conf *conf, size_t *out_wanted);

/*
 * After a bind: what of `listen-on` did not come true, for whoever asked for the reload. NULL:
 * nothing; `any` takes what can be had and is never missed. The caller frees. Thread: keeper.
 */
char *interfaces_problem(const struct net *net, const struct conf *conf);
