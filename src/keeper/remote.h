/*
 * keeper/remote.h - a server that is told or asked, in the keeper's own words
 *
 * The keeper knows no sockets; whoever wires it turns this into an address and back.
 */
#pragma once

#include "dns/tsig.h"

struct remote {
    uint8_t address[16];
    uint8_t address_length; /* 4 or 16 */
    uint16_t port;
    uint32_t scope;             /* of a link-local address, else 0 */
    const struct tsig_key *key; /* borrowed from the configuration; NULL: none given */
    const void *origin; /* whatever the configuration says besides, e.g. a source; or NULL */
};

/* The same host, whatever the port. */
static inline bool remote_same_host(const struct remote *a, const struct remote *b)
{
    return a->address_length == b->address_length && a->scope == b->scope &&
           memcmp(a->address, b->address, a->address_length) == 0;
}

static inline bool remote_equal(const struct remote *a, const struct remote *b)
{
    return a->port == b->port && remote_same_host(a, b);
}
