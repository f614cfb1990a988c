#include "net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

enum {
    /* The kernel's default of 208 KiB holds some 250 small queries: one burst. */
    RECEIVE_BUFFER_BYTES = 4 << 20,
    SEND_BUFFER_BYTES = 1 << 20,
};

static void close_keeping_errno(int fd)
{
    int reason = errno;
    close(fd);
    errno = reason;
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* The forced form passes the system's limit where we may; the plain one goes as far as that. */
static void enlarge_buffers(int fd)
{
    if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)) {
        (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    }
    if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES)) {
        (void)set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES);
    }
}

/* What a UDP socket wants besides its address. */
static bool set_udp_options(int fd, const struct net_address *address)
{
    bool v6 = net_address_is_v6(address);

    enlarge_buffers(fd);
    /* A forged "fragmentation needed" must not shrink what we send; 1232 bytes pass anywhere. */
    if (v6) {
        (void)set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
        (void)set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 0);
    } else {
        (void)set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
    }
    if (!net_address_is_wildcard(address)) {
        return true;
    }
    return v6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
              : set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static bool set_shared_options(int fd, const struct net_address *address, int type, bool shared)
{
    if (net_address_is_v6(address)) {
        /* An address whose uniqueness is still being tested (DAD) cannot be bound otherwise. */
        (void)set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
        if (!set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
            return false;
        }
    }
    /* For TCP alone: past connections in TIME_WAIT. For UDP it would share the port with all. */
    if (type == SOCK_STREAM && !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) {
        return false;
    }
    return !shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* -1 with errno when it fails. `shared`: with others of the same address. */
static int open_bound(const struct net_address *address, int type, bool shared)
{
    int fd = socket(address->at.any.sa_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    bool ready = set_shared_options(fd, address, type & ~SOCK_NONBLOCK, shared) &&
                 ((type & ~SOCK_NONBLOCK) == SOCK_STREAM || set_udp_options(fd, address));
    if (!ready || bind(fd, &address->at.any, net_address_length(address)) != 0) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

enum sg_result net_listen_probe(const struct net_address *address)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        int fd = open_bound(address, types[i], false);
        /* With SO_REUSEADDR two TCP sockets may be bound, but not both may listen. */
        if (fd >= 0 && types[i] == SOCK_STREAM && listen(fd, 1) != 0) {
            close_keeping_errno(fd);
            fd = -1;
        }
        if (fd < 0) {
            return SG_IO;
        }
        close(fd);
    }
    return SG_OK;
}

enum sg_result net_listen_udp(const struct net_address *address, int *out_fd)
{
    int fd = open_bound(address, SOCK_DGRAM, true);
    if (fd < 0) {
        return SG_IO;
    }
    *out_fd = fd;
    return SG_OK;
}

enum sg_result net_listen_tcp(const struct net_address *address, int backlog, int *out_fd)
{
    int fd = open_bound(address, SOCK_STREAM | SOCK_NONBLOCK, true);
    if (fd < 0) {
        return SG_IO;
    }
    if (listen(fd, backlog) != 0) {
        close_keeping_errno(fd);
        return SG_IO;
    }
    *out_fd = fd;
    return SG_OK;
}
