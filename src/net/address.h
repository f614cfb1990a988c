/*
 * net/address.h - IPv4 and IPv6 addresses with ports, as values
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/result.h"

enum { NET_ADDRESS_TEXT_BYTES = 64 };

struct net_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
};

/* "192.0.2.1", "2001:db8::1%eth0"; the port is set apart. */
MUST_USE enum sg_result net_address_from_text(const char *text, uint16_t port,
                                              struct net_address *out_address);
/* BIND's form, "192.0.2.1#53". */
const char *net_address_to_text(const struct net_address *address,
                                char out_text[NET_ADDRESS_TEXT_BYTES]);
/* Without the port. */
const char *net_address_host_text(const struct net_address *address,
                                  char out_text[NET_ADDRESS_TEXT_BYTES]);
bool net_address_is_v6(const struct net_address *address);
/* The 4 or 16 bytes of the address; an IPv4-mapped IPv6 address counts as IPv4. */
const uint8_t *net_address_bytes(const struct net_address *address, unsigned *out_length);
uint16_t net_address_port(const struct net_address *address);
void net_address_set_port(struct net_address *address, uint16_t port);
bool net_address_equal(const struct net_address *a, const struct net_address *b); /* with port */
bool net_address_same_host(const struct net_address *a, const struct net_address *b);
/* 0.0.0.0 or ::, any port. */
bool net_address_is_wildcard(const struct net_address *address);
socklen_t net_address_length(const struct net_address *address);

/* The host's own addresses (getifaddrs): the caller frees with mem_free(). */
MUST_USE enum sg_result net_address_local(struct net_address **out_addresses, size_t *out_count);
