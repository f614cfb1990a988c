"""Clients of many kinds that go on until they are told to stop: what a server meets in an hour."""

import os
import random
import re
import socket
import struct
import subprocess
import threading

import dns.message
import dns.query
import dns.zone

from support.server import HOST


class Actor(threading.Thread):
    """Does `step()` again and again; an exception that is not expected ends it and is kept."""

    pause_s = 0.0
    expected = ()

    def __init__(self, server, seed=0):
        super().__init__(daemon=True)
        self.server = server
        self.random = random.Random(f"{type(self).__name__} {seed}")
        self.ending = threading.Event()
        self.steps = 0
        self.failure = None

    def step(self):
        raise NotImplementedError

    def run(self):
        while not self.ending.wait(self.pause_s):
            try:
                self.step()
            except self.expected:
                pass
            except Exception as failure:  # noqa: BLE001: told by the test that has started it
                self.failure = failure
                return
            self.steps += 1

    def stop(self):
        self.ending.set()
        self.join(60)
        assert not self.is_alive(), f"{type(self).__name__} hangs"
        if self.failure is not None:
            raise AssertionError(f"{type(self).__name__}: {self.failure!r}") from self.failure
        assert self.steps > 0, f"{type(self).__name__} did nothing"

    def connect(self):
        return socket.create_connection((HOST, self.server.port), 10)


class Editor(Actor):
    """Edits the file of a static zone and has it reloaded."""

    pause_s = 0.5

    def __init__(self, server, zone, path):
        super().__init__(server)
        self.zone, self.path = zone, path
        self.serial = 1

    def step(self):
        self.serial += 1
        lines = self.path.read_text().splitlines()
        lines[1] = re.sub(r"(SOA \S+ \S+) \d+", rf"\1 {self.serial}", lines[1])
        for _ in range(3):
            at = self.random.randrange(3, len(lines))
            owner = lines[at].split()[0]
            lines[at] = f"{owner} A 192.0.2.{self.random.randrange(1, 250)}"
        self.path.write_text("\n".join(lines) + "\n")
        done = self.server.rndc("reload", self.zone)
        assert done.returncode == 0, done.stderr + done.stdout


def fetch(server, zone):
    """By IXFR, where `zone` has something already."""
    dns.query.inbound_xfr(HOST, zone, port=server.port, timeout=20, lifetime=60)


class Follower(Actor):
    """A secondary: takes each change by IXFR, so that its zone is always one that was served."""

    pause_s = 0.05

    def __init__(self, server, zone):
        super().__init__(server)
        self.zone = dns.zone.Zone(zone, relativize=False)

    def step(self):
        """IXFR from what it has; AXFR while it has nothing."""
        fetch(self.server, self.zone)

    def is_like(self, fresh):
        """The same records as the zone that was just fetched whole."""
        self.step()
        return self.zone == fresh


class Transfers(Actor):
    """Whole zones, as fast as they come."""

    pause_s = 0.2

    def __init__(self, server, zones):
        super().__init__(server)
        self.zones = zones

    def step(self):
        name = self.random.choice(self.zones)
        zone = dns.zone.Zone(name, relativize=False)
        fetch(self.server, zone)
        assert zone.get_soa() is not None


def framed(message):
    wire = message.to_wire()
    return struct.pack("!H", len(wire)) + wire


class SlowReader(Actor):
    """Asks for a zone and takes it by the spoonful, and perhaps goes in the midst of it."""

    expected = (OSError,)  # It may be cut.

    def __init__(self, server, zone, seed):
        super().__init__(server, seed)
        self.zone = zone

    def step(self):
        spoons = self.random.randrange(5, 100)
        with self.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(framed(dns.message.make_query(self.zone, "AXFR")))
            for _ in range(spoons):
                if self.ending.wait(0.05) or not connection.recv(500):
                    return


class Hostile(Actor):
    """Breaks the rules of DNS over TCP in every way that it can think of."""

    expected = (OSError,)
    pause_s = 0.02

    def step(self):
        getattr(self, self.random.choice(("silence", "stump", "rubbish", "flood", "reset", "zeros",
                                          "half_closed")))()

    def silence(self):
        with self.connect():
            self.ending.wait(self.random.uniform(0, 2))

    def stump(self):
        """The beginning of a message that never ends."""
        whole = framed(dns.message.make_query("www.hostile.test", "A"))
        with self.connect() as connection:
            connection.sendall(whole[:self.random.randrange(1, len(whole))])
            self.ending.wait(self.random.uniform(0, 1))

    def rubbish(self):
        with self.connect() as connection:
            connection.sendall(self.random.randbytes(self.random.randrange(1, 5000)))
            connection.settimeout(0.2)
            connection.recv(10)

    def flood(self):
        """Many questions whose answers nobody reads."""
        one = framed(dns.message.make_query("one.test", "DNSKEY", want_dnssec=True))
        with self.connect() as connection:
            connection.settimeout(0.5)
            connection.sendall(one * 500)

    def reset(self):
        with self.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(framed(dns.message.make_query("two.test", "AXFR")))

    def zeros(self):
        with self.connect() as connection:
            connection.sendall(bytes(100))
            connection.settimeout(0.2)
            connection.recv(10)

    def half_closed(self):
        with self.connect() as connection:
            connection.sendall(framed(dns.message.make_query("www.one.test", "A")))
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            connection.recv(1000)


class Questions:
    """dnsperf, at a rate that leaves room for the rest."""

    def __init__(self, server, questions, path, seconds, rate):
        path.write_text("".join(f"{name} {rdtype}\n" for name, rdtype in questions))
        self.process = subprocess.Popen(
            ["dnsperf", "-s", HOST, "-p", str(server.port), "-d", path, "-l", str(seconds),
             "-Q", str(rate), "-D", "-t", "10"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        """The numbers of questions that were sent and lost, and of answers by RCODE."""
        text = self.process.communicate(timeout=120)[0]
        sent = re.search(r"Queries sent:\s+(\d+)", text)
        lost = re.search(r"Queries lost:\s+(\d+)", text)
        assert sent and lost, text
        rcodes = re.search(r"Response codes:\s+(.*)", text)
        return int(sent[1]), int(lost[1]), dict(re.findall(r"(\w+) (\d+)", rcodes[1]))


class Footprint(Actor):
    """What the process holds, once a second: memory in kB, and open files."""

    pause_s = 1.0

    def __init__(self, server):
        super().__init__(server)
        self.kilobytes, self.files = [], []

    def step(self):
        proc = f"/proc/{self.server.process.pid}"
        with open(f"{proc}/status", encoding="ascii") as status:
            self.kilobytes += [int(line.split()[1]) for line in status if line.startswith("VmRSS:")]
        self.files.append(len(os.listdir(f"{proc}/fd")))
