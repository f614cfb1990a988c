"""Clients that fetch a zone slowly, side by side, while it changes."""

import socket
import struct

import dns.message

from support.material import generated
from support.nsupdate import nsupdate
from support.server import HOST

ZONE = "big.test."
CLIENTS = 14


class SlowClient:
    """It asks for the zone, reads its first message, and then as it is told."""

    def __init__(self, server):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(60)
        self.socket.connect((HOST, server.port))
        query = dns.message.make_query(ZONE, "AXFR").to_wire()
        self.socket.sendall(struct.pack("!H", len(query)) + query)
        first = dns.message.from_wire(self.read_message(), xfr=True)
        soa = first.answer[0][0]
        self.serial = soa.serial
        # The end of the rdata, which never is compressed, tells the SOA at the end as well.
        self.numbers = struct.pack("!5I", soa.serial, soa.refresh, soa.retry, soa.expire,
                                   soa.minimum)

    def read_exactly(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            assert piece, "the transfer was cut"
            data += piece
        return data

    def read_message(self):
        length, = struct.unpack("!H", self.read_exactly(2))
        return self.read_exactly(length)

    def read_to_the_end(self):
        while self.numbers not in self.read_message():
            pass
        self.socket.close()


def test_slow_transfers_do_not_cut_each_other(signet):
    """Each of them began with another version of the zone, and more than eight are under way."""
    signet.options = f"transfers-out {CLIENTS};"
    signet.add_zone(ZONE, generated("flat", 20000, ZONE), policy="default",
                    statements="allow-update { any; };")
    signet.start()
    signet.wait_until_signed(ZONE)
    clients, serials = [], []
    for number in range(CLIENTS):
        clients.append(SlowClient(signet))
        serials.append(clients[-1].serial)
        line = f"update add new{number}.{ZONE} 60 A 192.0.2.7"
        assert nsupdate(signet, ZONE, [line]) == "NOERROR"
    assert len(set(serials)) == CLIENTS
    for number in range(CLIENTS):
        clients[number].read_message()
        line = f"update add new{number}.{ZONE} 60 A 192.0.2.8"
        assert nsupdate(signet, ZONE, [line]) == "NOERROR"
    for client in clients:
        client.read_to_the_end()
    assert "it is too slow" not in signet.log()
