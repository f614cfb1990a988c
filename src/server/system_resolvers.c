#include "server/system_resolvers.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/zone_peers.h"

enum { LINE_BYTES = 512, LINES_MAX = 10000, DNS_PORT = 53 };
static const char blanks[] = " \t\r\n";

static void add(struct system_resolvers *system, const char *text)
{
    struct net_address address;
    if (system->count < SYSTEM_RESOLVERS_MAX &&
        net_address_from_text(text, DNS_PORT, &address) == SG_OK) {
        remote_of_address(&address, &system->resolvers[system->count++]);
    }
}

static void read_line(struct system_resolvers *system, char *line)
{
    char *rest = NULL;
    const char *word = strtok_r(line, blanks, &rest);
    if (word != NULL && strcmp(word, "nameserver") == 0) {
        word = strtok_r(NULL, blanks, &rest);
        if (word != NULL) {
            add(system, word);
        }
    }
}

/* Is there a way to the world by IPv6? Nothing is sent: a datagram socket asks the kernel's routes.
 * Most hosts have ::1, and those with a private network only cannot reach a parent. */
bool system_has_ipv6_route(void)
{
    struct net_address far;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    enum sg_result result = net_address_from_text("2001:7fd::1", DNS_PORT, &far); /* the root's K */
    bool reaches = result == SG_OK && connect(fd, &far.at.any, sizeof(far.at.v6)) == 0;
    close(fd);
    return reaches;
}

void system_resolvers_read(const char *path, struct system_resolvers *out_system)
{
    char line[LINE_BYTES];
    FILE *file = fopen(path != NULL ? path : "/etc/resolv.conf", "re");
    *out_system = (struct system_resolvers){.ipv4 = true, .ipv6 = true};
    for (int i = 0; file != NULL && i < LINES_MAX && fgets(line, sizeof(line), file) != NULL; i++) {
        read_line(out_system, line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (out_system->count == 0) {
        add(out_system, "127.0.0.1");
    }
}
