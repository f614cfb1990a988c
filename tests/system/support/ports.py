"""Ports on 127.0.0.1 that nobody uses, for UDP and TCP alike."""

import socket

_given = set()


def free_port():
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                try:
                    tcp.bind(("127.0.0.1", port))
                except OSError:
                    continue
        if port not in _given:
            _given.add(port)
            return port
    raise AssertionError("no free port")
