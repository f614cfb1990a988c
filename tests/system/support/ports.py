"""Ports on 127.0.0.1 that nobody uses, for UDP and TCP alike: no test in another process either.

A process takes a block of ports for itself, below those that the kernel gives to clients. The
lock of a block is a name that one process can bind and that vanishes with it. (Where the kernel
begins below 20000, a client may still come in between; on Debian it begins at 32768.)
"""

import itertools
import pathlib
import socket

FIRST = 10000
BLOCK = 250
EPHEMERAL = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

_lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def _own_block():
    """Begins anew when all were given: by then the first one's server has stopped long ago."""
    for first in range(FIRST, max(EPHEMERAL, 20000) - BLOCK + 1, BLOCK):
        try:
            _lock.bind(f"\0signet tests: ports from {first}")
        except OSError:
            continue
        return itertools.cycle(range(first, first + BLOCK))
    raise AssertionError("every block of ports is in use")


def _is_free(port):
    """Also on any other address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        try:
            udp.bind(("", port))
            tcp.bind(("", port))
        except OSError:
            return False
    return True


_block = _own_block()


def free_port():
    for _ in range(BLOCK):
        port = next(_block)
        if _is_free(port):
            return port
    raise AssertionError("no free port")
