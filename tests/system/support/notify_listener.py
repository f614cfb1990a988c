"""Who hears NOTIFY and writes down what was said; answers, or is silent. And who says it."""

import collections
import socket
import threading
import time

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsigkeyring

from support.ports import free_port
from support.server import HOST

Heard = collections.namedtuple("Heard", "at zone serial authoritative signed id")


def tell(server, zone="example.test."):
    """A NOTIFY from 127.0.0.1, without a hint; what is answered."""
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    message.flags = dns.opcode.to_flags(dns.opcode.NOTIFY) | dns.flags.AA
    return dns.query.udp(message, HOST, port=server.port, timeout=15)


class NotifyListener:
    def __init__(self, key=None, rcode=dns.rcode.NOERROR, host=HOST, port=None):
        """`rcode` None: no answer."""
        self.host = host
        self.port = port or free_port()
        self.key = key
        self.keyring = dns.tsigkeyring.from_text({key.name: (key.algorithm, key.secret)}) \
            if key else None
        self.rcode = rcode
        self.heard = []
        self.socket = None

    def start(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.host, self.port))
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def stop(self):
        self.socket.close()

    def serials(self, zone):
        return [heard.serial for heard in list(self.heard) if heard.zone == zone]

    def _listen(self):
        while True:
            try:
                wire, client = self.socket.recvfrom(65535)
                message = dns.message.from_wire(wire, keyring=self.keyring)
            except OSError:
                return
            except dns.exception.DNSException:
                continue
            if message.opcode() != dns.opcode.NOTIFY:
                continue
            serial = message.answer[0][0].serial if message.answer else None
            self.heard.append(Heard(time.monotonic(), message.question[0].name.to_text(), serial,
                                    bool(message.flags & dns.flags.AA), message.had_tsig,
                                    message.id))
            if self.rcode is not None:
                response = dns.message.make_response(message)
                response.set_rcode(self.rcode)
                try:
                    self.socket.sendto(response.to_wire(), client)
                except OSError:
                    return  # stopped meanwhile
