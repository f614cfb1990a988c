/*
 * server/system_resolvers.h - the host's own resolvers, whom `checkds yes` asks for the parent's
 * name servers, and whether it has a way by IPv6
 *
 * Read anew with each configuration: a lease of DHCP may have brought others. Blocks on the disk.
 */
#pragma once

#include "keeper/remote.h"

enum { SYSTEM_RESOLVERS_MAX = 3 }; /* as the C library's */

struct system_resolvers {
    struct remote resolvers[SYSTEM_RESOLVERS_MAX];
    size_t count;
    bool ipv4, ipv6; /* may be used */
};

/*
 * From a file such as /etc/resolv.conf (NULL: that one). A file that names none or is not there:
 * this host's own, as resolv.conf(5) has it.
 */
void system_resolvers_read(const char *path, struct system_resolvers *out_system);
/* Right now. Thread: any; blocks for no longer than a system call. */
bool system_has_ipv6_route(void);
