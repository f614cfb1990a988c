"""Clients that send updates without a pause and keep a ledger of what was acknowledged."""

import collections
import random
import socket
import struct
import threading

import dns.exception
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update

from support.server import HOST

TTL = 300
# More of a client's names than this: it begins to delete.
NAMES_MAX = 60
# One answer may take its time on a busy machine; who hears nothing longer asks anew.
ANSWER_S = 20
# Who is refused tries the next one a little later.
REFUSED_S = 0.02


def add_name(server, zone, name):
    """One update, without a program of its own; its rcode."""
    update = dns.update.UpdateMessage(zone)
    update.add(name, TTL, "A", "192.0.2.9")
    return dns.query.tcp(update, HOST, port=server.port, timeout=ANSWER_S).rcode()


class Client(threading.Thread):
    """
    One connection, one update after the other, to names of its own. `known` has what each name
    holds since the last acknowledged update (None: nothing), `doubts` what it may hold instead:
    updates that were sent and never answered.
    """

    def __init__(self, server, number, zones, seed, burst=1):
        """`burst`: so many names in one update."""
        super().__init__(daemon=True)
        self.burst = burst
        self.server = server
        self.number = number
        self.zones = zones
        self.random = random.Random(seed * 1000 + number)
        self.known = {}
        self.doubts = collections.defaultdict(list)
        self.acknowledged = 0
        self.rcodes = collections.Counter()
        self.count = 0
        self.ending = threading.Event()
        self.connection = None

    def again(self):
        """The same client, ready to run once more."""
        other = Client(self.server, self.number, self.zones, 0, self.burst)
        for name in ("random", "known", "doubts", "acknowledged", "rcodes", "count"):
            setattr(other, name, getattr(self, name))
        return other

    # --- updates --------------------------------------------------------------------------------

    def _choose(self, zone):
        """A name of ours and what it shall hold."""
        mine = [name for name, value in self.known.items() if value and name.endswith("." + zone)]
        self.count += 1
        value = f"192.0.2.{self.random.randrange(1, 250)}"
        dice = self.random.random()
        if len(mine) > NAMES_MAX * self.burst or (mine and dice < 0.25):
            return self.random.choice(mine), None
        if mine and dice < 0.5:
            return self.random.choice(mine), value
        deep = "sub.deep." if dice < 0.6 else ""
        return f"c{self.number}-{self.count}.{deep}{zone}", value

    @staticmethod
    def _request(zone, wishes):
        update = dns.update.UpdateMessage(zone)
        for name, value in wishes.items():
            if value is None:
                update.delete(name)
            else:
                update.replace(name, TTL, "A", value)
        return update

    def _ask(self, request):
        """The response; OSError or EOFError when there is none."""
        if self.connection is None:
            self.connection = socket.create_connection((HOST, self.server.port), ANSWER_S)
        wire = request.to_wire()
        self.connection.sendall(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", self._receive(2))
        response = dns.message.from_wire(self._receive(length))
        assert response.id == request.id, "an answer to another request"
        return response

    def _receive(self, length):
        got = b""
        while len(got) < length:
            more = self.connection.recv(length - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def step(self):
        """One update; its rcode, or None where nothing was answered."""
        zone = self.random.choice(self.zones)
        wishes = dict(self._choose(zone) for _ in range(self.burst))
        rcode = None
        try:
            rcode = self._ask(self._request(zone, wishes)).rcode()
            self.rcodes[dns.rcode.to_text(rcode)] += 1
        except (OSError, EOFError):
            self.hang_up()
        # An answer other than NOERROR promises nothing: it "may prove committed".
        for name, value in wishes.items():
            if rcode == dns.rcode.NOERROR:
                self.known[name] = value
                self.doubts.pop(name, None)
            else:
                self.doubts[name].append(value)
        self.acknowledged += rcode == dns.rcode.NOERROR
        return rcode

    def run(self):
        while not self.ending.is_set():
            rcode = self.step()
            if rcode is None:
                return
            if rcode != dns.rcode.NOERROR:
                self.ending.wait(REFUSED_S)

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    # --- the ledger -----------------------------------------------------------------------------

    def settle(self, zone, held):
        """Compare with `held` (name -> address) of the zone; what was in doubt is known then."""
        wrong = []
        for name in set(self.known) | set(self.doubts):
            if not name.endswith("." + zone):
                continue
            found = held.get(name)
            if found != self.known.get(name) and found not in self.doubts.get(name, ()):
                wrong.append(f"{name}: {found}, not {self.known.get(name)}"
                             f" nor {self.doubts.get(name, [])}")
            self.known[name] = found
            self.doubts.pop(name, None)
        return wrong


class Crowd:
    """Several clients at once."""

    def __init__(self, server, zones, count, seed, burst=1):
        self.zones = zones
        self.clients = [Client(server, number, zones, seed, burst) for number in range(count)]

    def start(self):
        self.clients = [client.again() for client in self.clients]
        for client in self.clients:
            client.start()
        return self

    def stop(self):
        """Let each hear its last answer."""
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            if client.ident is not None:
                client.join(ANSWER_S + 10)
            assert not client.is_alive(), "a client waits for ever"
            client.hang_up()

    @property
    def acknowledged(self):
        return sum(client.acknowledged for client in self.clients)

    @property
    def rcodes(self):
        return sum((client.rcodes for client in self.clients), collections.Counter())

    def assert_kept(self, zone, records):
        """`records`: of contents.Contents, as an AXFR of the zone has them."""
        held = {owner: rdata for owner, rdtype, rdata in records if rdtype == "A"}
        wrong = [line for client in self.clients for line in client.settle(zone, held)]
        assert not wrong, f"{len(wrong)} acknowledged updates are lost:\n" + "\n".join(wrong[:10])
