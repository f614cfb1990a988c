#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { HOST_TEXT_BYTES = INET6_ADDRSTRLEN + IF_NAMESIZE, LOCAL_ADDRESSES_MAX = 65536 };

/* The scope that follows '%': an interface by name or by index. False: no such interface. */
static bool read_scope(const char *text, uint32_t *out_scope)
{
    uint32_t scope = if_nametoindex(text);
    if (scope == 0) {
        char *end;
        errno = 0;
        unsigned long number = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX) {
            return false;
        }
        scope = (uint32_t)number;
    }
    *out_scope = scope;
    return true;
}

enum sg_result net_address_from_text(const char *text, uint16_t port,
                                     struct net_address *out_address)
{
    char host[HOST_TEXT_BYTES + 1];
    struct net_address address = {0};

    size_t length = strnlen(text, sizeof(host));
    if (length == sizeof(host)) {
        return SG_MALFORMED;
    }
    memcpy(host, text, length + 1);
    if (inet_pton(AF_INET, host, &address.at.v4.sin_addr) == 1) {
        address.at.v4.sin_family = AF_INET;
        address.at.v4.sin_port = htons(port);
        *out_address = address;
        return SG_OK;
    }
    char *scope = strchr(host, '%');
    if (scope != NULL) {
        *scope++ = '\0';
        if (!read_scope(scope, &address.at.v6.sin6_scope_id)) {
            return SG_MALFORMED;
        }
    }
    if (inet_pton(AF_INET6, host, &address.at.v6.sin6_addr) != 1) {
        return SG_MALFORMED;
    }
    address.at.v6.sin6_family = AF_INET6;
    address.at.v6.sin6_port = htons(port);
    *out_address = address;
    return SG_OK;
}

const char *net_address_host_text(const struct net_address *address,
                                  char out_text[NET_ADDRESS_TEXT_BYTES])
{
    if (address->at.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->at.v4.sin_addr, out_text, NET_ADDRESS_TEXT_BYTES);
        return out_text;
    }
    if (address->at.any.sa_family != AF_INET6) {
        memcpy(out_text, "unknown", sizeof("unknown"));
        return out_text;
    }
    inet_ntop(AF_INET6, &address->at.v6.sin6_addr, out_text, NET_ADDRESS_TEXT_BYTES);
    if (address->at.v6.sin6_scope_id != 0) {
        char name[IF_NAMESIZE];
        size_t length = strlen(out_text);
        if (if_indextoname(address->at.v6.sin6_scope_id, name) != NULL) {
            snprintf(out_text + length, NET_ADDRESS_TEXT_BYTES - length, "%%%s", name);
        } else {
            snprintf(out_text + length, NET_ADDRESS_TEXT_BYTES - length, "%%%u",
                     address->at.v6.sin6_scope_id);
        }
    }
    return out_text;
}

const char *net_address_to_text(const struct net_address *address,
                                char out_text[NET_ADDRESS_TEXT_BYTES])
{
    net_address_host_text(address, out_text);
    size_t length = strlen(out_text);
    snprintf(out_text + length, NET_ADDRESS_TEXT_BYTES - length, "#%u",
             (unsigned)net_address_port(address));
    return out_text;
}

bool net_address_is_v6(const struct net_address *address)
{
    return address->at.any.sa_family == AF_INET6;
}

const uint8_t *net_address_bytes(const struct net_address *address, unsigned *out_length)
{
    if (address->at.any.sa_family == AF_INET6) {
        const uint8_t *bytes = address->at.v6.sin6_addr.s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&address->at.v6.sin6_addr)) {
            *out_length = 4;
            return bytes + 12;
        }
        *out_length = 16;
        return bytes;
    }
    *out_length = 4;
    return (const uint8_t *)&address->at.v4.sin_addr;
}

uint16_t net_address_port(const struct net_address *address)
{
    return ntohs(net_address_is_v6(address) ? address->at.v6.sin6_port : address->at.v4.sin_port);
}

void net_address_set_port(struct net_address *address, uint16_t port)
{
    if (net_address_is_v6(address)) {
        address->at.v6.sin6_port = htons(port);
    } else {
        address->at.v4.sin_port = htons(port);
    }
}

bool net_address_same_host(const struct net_address *a, const struct net_address *b)
{
    unsigned a_length;
    unsigned b_length;
    const uint8_t *a_bytes = net_address_bytes(a, &a_length);
    const uint8_t *b_bytes = net_address_bytes(b, &b_length);

    if (a_length != b_length || memcmp(a_bytes, b_bytes, a_length) != 0) {
        return false;
    }
    return a_length == 4 || a->at.v6.sin6_scope_id == b->at.v6.sin6_scope_id;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return net_address_port(a) == net_address_port(b) && net_address_same_host(a, b);
}

socklen_t net_address_length(const struct net_address *address)
{
    return net_address_is_v6(address) ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

bool net_address_is_wildcard(const struct net_address *address)
{
    static const uint8_t zeros[16];
    unsigned length;
    const uint8_t *bytes = net_address_bytes(address, &length);
    return memcmp(bytes, zeros, length) == 0;
}

enum sg_result net_address_local(struct net_address **out_addresses, size_t *out_count)
{
    struct ifaddrs *interfaces;
    size_t count = 0;

    if (getifaddrs(&interfaces) != 0) {
        return SG_IO;
    }
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        count++;
    }
    struct net_address *addresses = mem_alloc_zero(count + 1, sizeof(*addresses));
    count = 0;
    for (const struct ifaddrs *at = interfaces; at != NULL && count < LOCAL_ADDRESSES_MAX;
         at = at->ifa_next) {
        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0) {
            continue;
        }
        if (at->ifa_addr->sa_family == AF_INET) {
            memcpy(&addresses[count++].at.v4, at->ifa_addr, sizeof(struct sockaddr_in));
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            memcpy(&addresses[count++].at.v6, at->ifa_addr, sizeof(struct sockaddr_in6));
        }
    }
    freeifaddrs(interfaces);
    *out_addresses = addresses;
    *out_count = count;
    return SG_OK;
}
