/*
 * conf/acl.h - an address match list, compiled
 *
 * The first matching element decides; no match is "no". Runs of addresses and prefixes become
 * sorted disjoint ranges, so that a list of a hundred thousand prefixes costs one binary search;
 * `any` and `none` cost one comparison. `localhost` and `localnets` are what the host's
 * interfaces were when the configuration was loaded.
 *
 * A nested list that refuses a client does not decide for the list around it: matching goes on
 * with the next element. That is what makes `{ !{ !10/8; any; }; key k; }` mean "from 10/8 and
 * with key k".
 */
#pragma once

#include "dns/tsig.h"
#include "net/address.h"

struct conf_acl;

/*
 * Does the client match? `key` is the verified TSIG key or NULL. Thread: any. Never blocks, never
 * allocates. A NULL acl is for the caller to interpret (its option's default).
 */
bool conf_acl_matches(const struct conf_acl *acl, const struct net_address *client,
                      const struct net_address *local, const struct tsig_key *key);
bool conf_acl_is_any(const struct conf_acl *acl);
bool conf_acl_is_none(const struct conf_acl *acl);
/* Does any element ask for a key? Then the list is more than addresses. */
bool conf_acl_has_keys(const struct conf_acl *acl);
