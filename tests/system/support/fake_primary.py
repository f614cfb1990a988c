"""A primary that does what a test says: tells the truth, breaks off, lies, never ends."""

import socket
import struct
import threading

import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.renderer
import dns.tsig
import dns.tsigkeyring
import dns.zone

from support.ports import free_port
from support.server import HOST

RECORDS_A_MESSAGE = 5


class HangUp(Exception):
    """Raised by a behaviour: close the connection; `reset`: without a word."""

    def __init__(self, reset=False):
        super().__init__()
        self.reset = reset


class FakePrimary:
    def __init__(self, zone, text, key=None, udp=True):
        self.zone = dns.name.from_text(zone)
        self.port = free_port()
        self.key = key
        self.keyring = dns.tsigkeyring.from_text({key.name: (key.algorithm, key.secret)}) \
            if key else None
        self.answers_udp = udp
        self.answers = True      # False: silent
        self.behaviour = whole   # what a transfer is
        self.asked = []          # (transport, type) of each question
        self.lock = threading.Lock()
        self.stopping = False
        self.serve(text)

    def serve(self, text):
        """From now on this is the zone; the former one is what an IXFR begins with."""
        self.former = getattr(self, "records", None)
        zone = dns.zone.from_text(text, self.zone, relativize=False, check_origin=False)
        soa = [(name, ttl, rdata) for name, ttl, rdata in zone.iterate_rdatas("SOA")]
        others = [(name, ttl, rdata) for name, ttl, rdata in zone.iterate_rdatas()
                  if rdata.rdtype != dns.rdatatype.SOA]
        self.records = soa + others

    @property
    def soa(self):
        return self.records[0]

    @property
    def serial(self):
        return self.soa[2].serial

    def count(self, rdtype, transport=None):
        with self.lock:
            return sum(1 for how, what in self.asked
                       if what == rdtype and transport in (None, how))

    # --- the server -----------------------------------------------------------------------------

    def start(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((HOST, self.port))
        self.tcp = socket.create_server((HOST, self.port))
        for run in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=run, daemon=True).start()
        return self

    def stop(self):
        self.stopping = True
        for server in (self.udp, self.tcp):
            try:
                server.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            server.close()

    def log(self):
        return ""

    def _parse(self, wire, transport):
        try:
            query = dns.message.from_wire(wire, keyring=self.keyring)
        except dns.exception.DNSException:
            return None
        if not query.question or query.opcode() != dns.opcode.QUERY:
            return None
        with self.lock:
            self.asked.append((transport, dns.rdatatype.to_text(query.question[0].rdtype)))
        return query if self.answers else None

    def answer_soa(self, query):
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.answer = [rrset_of(self.soa)]
        return response

    def _serve_udp(self):
        while not self.stopping:
            try:
                wire, client = self.udp.recvfrom(65535)
            except OSError:
                return
            query = self._parse(wire, "udp")
            if query and self.answers_udp:
                self.udp.sendto(self.answer_soa(query).to_wire(), client)

    def _serve_tcp(self):
        while not self.stopping:
            try:
                client, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_client, args=(client,), daemon=True).start()

    def _serve_client(self, client):
        client.settimeout(60)
        try:
            while True:
                (length,) = struct.unpack("!H", receive(client, 2))
                query = self._parse(receive(client, length), "tcp")
                if query is None:
                    continue
                if query.question[0].rdtype == dns.rdatatype.SOA:
                    send(client, self.answer_soa(query).to_wire())
                else:
                    for wire in self.behaviour(self, query):
                        send(client, wire)
        except HangUp as end:
            if end.reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (OSError, EOFError):
            pass
        finally:
            client.close()


def receive(client, length):
    data = b""
    while len(data) < length:
        more = client.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def send(client, wire):
    client.sendall(struct.pack("!H", len(wire)) + wire)


def rrset_of(record):
    name, ttl, rdata = record
    return dns.rrset.from_rdata(name, ttl, rdata)


def messages(query, records, sign=True):
    """The records as messages, signed one after the other if the query was."""
    context = None
    records = iter(records)
    while True:
        some = [record for _, record in zip(range(RECORDS_A_MESSAGE), records)]
        if not some:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.answer = [rrset_of(record) for record in some]
        if not sign:
            response.tsig = None
            response.keyring = None
        wire = response.to_wire(multi=True, tsig_ctx=context, max_size=65535)
        context = response.tsig_ctx
        yield wire


# --- behaviours: (primary, query) -> wires --------------------------------------------------------

def whole(primary, query):
    """AXFR, and the same for an IXFR (RFC 1995 4)."""
    yield from messages(query, primary.records + [primary.soa])


def differences(primary, query):
    """An IXFR from the former zone to this one; AXFR as usual."""
    if query.question[0].rdtype != dns.rdatatype.IXFR or primary.former is None:
        yield from whole(primary, query)
        return
    old, new = set(primary.former[1:]), set(primary.records[1:])
    yield from messages(query, [primary.soa, primary.former[0], *sorted(old - new, key=str),
                                primary.soa, *sorted(new - old, key=str), primary.soa])


def misfits(primary, query):
    """Differences that delete what was never there; AXFR as usual."""
    if query.question[0].rdtype != dns.rdatatype.IXFR:
        yield from whole(primary, query)
        return
    ghost = (dns.name.from_text("ghost", primary.zone), 300,
             dns.rdata.from_text("IN", "A", "192.0.2.66"))
    yield from messages(query, [primary.soa, primary.former[0], ghost, primary.soa, primary.soa])


def knows_no_ixfr(primary, query):
    if query.question[0].rdtype != dns.rdatatype.IXFR:
        yield from whole(primary, query)
        return
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.NOTIMP)
    yield response.to_wire()


def hangs_up_at_ixfr(primary, query):
    if query.question[0].rdtype == dns.rdatatype.IXFR:
        raise HangUp()
    yield from whole(primary, query)


def breaks_off(primary, query):
    half = len(primary.records) // 2
    yield from messages(query, primary.records[:half])
    raise HangUp()


def resets(primary, query):
    half = len(primary.records) // 2
    yield from messages(query, primary.records[:half])
    raise HangUp(reset=True)


def stops_in_a_message(primary, query):
    """Half of the bytes of the last message."""
    wires = list(messages(query, primary.records + [primary.soa]))
    yield from wires[:-1]
    yield wires[-1][:len(wires[-1]) // 2]
    raise HangUp()


def ends_with_another_soa(primary, query):
    name, ttl, rdata = primary.soa
    yield from messages(query, primary.records +
                        [(name, ttl, rdata.replace(serial=rdata.serial + 1))])
    raise HangUp()


def is_older_than_promised(primary, query):
    name, ttl, rdata = primary.soa
    old = (name, ttl, rdata.replace(serial=rdata.serial - 2))
    yield from messages(query, [old, *primary.records[1:], old])
    raise HangUp()


def does_not_begin_with_the_soa(primary, query):
    yield from messages(query, [*primary.records[1:], primary.soa, primary.soa])
    raise HangUp()


def has_no_name_servers(primary, query):
    """A zone that nobody could serve."""
    records = [record for record in primary.records if record[2].rdtype != dns.rdatatype.NS]
    yield from messages(query, records + [primary.soa])
    raise HangUp()


def refuses(primary, query):
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.REFUSED)
    yield response.to_wire()


def answers_another_question(primary, query):
    response = dns.message.make_response(query)
    response.question = [dns.rrset.RRset(dns.name.from_text("other."), 1, dns.rdatatype.AXFR)]
    response.answer = [rrset_of(primary.soa)]
    yield response.to_wire()
    raise HangUp()


def sends_garbage(primary, query):
    yield struct.pack("!HHHHHH", query.id, 0x8400, 1, 900, 0, 0) + b"\xff" * 200
    raise HangUp()


def never_ends(primary, query):
    def endless():
        yield from primary.records
        number = 0
        while not primary.stopping:
            number += 1
            yield (dns.name.from_text(f"n{number}", primary.zone), 300,
                   dns.rdata.from_text("IN", "A", "192.0.2.1"))
    yield from messages(query, endless())


def is_not_signed(primary, query):
    yield from messages(query, primary.records + [primary.soa], sign=False)
    raise HangUp()


def is_changed_on_the_way(primary, query):
    """The TTL of the first record, behind header, question, pointer, type and class."""
    first, *others = messages(query, primary.records + [primary.soa])
    at = 12 + len(primary.zone.to_wire()) + 4 + 2 + 4 + 3
    yield first[:at] + bytes([first[at] ^ 1]) + first[at + 1:]
    yield from others
    raise HangUp()
