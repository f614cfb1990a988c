"""A parent whose DS follows the child's CDS, and a resolver that validates all the while."""

import subprocess
import threading
import time

import dns.dnssec
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from support.peers import Unbound
from support.rolls import CHILD, PARENT
from support.server import HOST
from support.waiting import wait_until

PARENT_TEXT = """$TTL 1
@ 1 SOA ns hostmaster {serial} 3600 600 86400 1
@ NS ns
ns A 127.0.0.1
child NS ns.child
ns.child A 127.0.0.1
{key}
"""


class Parent:
    """The zone `test.` at a server of any kind, signed anew whenever its DS change."""

    def __init__(self, kind, folder, ds):
        folder.mkdir(parents=True)
        self.folder = folder
        name = self.run("dnssec-keygen", "-q", "-a", "13", "-f", "KSK", PARENT).stdout.strip()
        self.key = (folder / f"{name}.key").read_text()
        self.serial = 0
        self.write(ds)
        self.server = kind(folder / kind.name, zones=[(PARENT, folder / "signed")])

    def run(self, *words):
        return subprocess.run(words, cwd=self.folder, check=True, capture_output=True, text=True)

    def write(self, ds):
        self.serial += 1
        text = PARENT_TEXT.format(serial=self.serial, key=self.key)
        text += "".join(f"{CHILD} DS {rdata}\n" for rdata in sorted(ds))
        (self.folder / "zone").write_text(text)
        self.run("dnssec-signzone", "-z", "-P", "-q", "-o", PARENT, "-f", "signed", "zone")

    def shown(self):
        found = self.server.answers_with(CHILD, "DS")
        return {rdata.to_text() for rdata in found} if found else set()

    def show(self, ds):
        self.write(ds)
        self.server.reload()
        wait_until(lambda: self.shown() == ds, 20, "the parent's new DS")


class Follower(threading.Thread):
    """Makes the parent's DS what the child's CDS ask for, and tells the child what it sees there."""

    def __init__(self, parent, child):
        super().__init__(daemon=True)
        self.parent, self.child = parent, child
        self.ending = threading.Event()
        self.turn = threading.Lock()  # held by who wants no part of it done meanwhile
        self.rests = False  # when told so: what was asked for waits
        self.looks_away = False  # when told so: the child hears nothing of it
        self.told = set()
        self.problem = None

    def wanted(self):
        """DS records in text; None: leave them as they are."""
        found = self.child.answers_with(CHILD, "CDS")
        if not found:
            return None
        return {rdata.to_text() for rdata in found if rdata.algorithm != 0}

    def tell(self):
        shown = {int(text.split()[0]) for text in self.parent.shown()}
        keys = self.child.answers_with(CHILD, "DNSKEY") or []
        tags = {dns.dnssec.key_id(key) for key in keys if key.flags == 257}
        for tag in tags | shown:
            word = "published" if tag in shown else "withdrawn"
            if (tag, word) not in self.told and self.child.rndc(
                    "dnssec", "-checkds", "-key", str(tag), word, CHILD).returncode == 0:
                self.told.add((tag, word))

    def follow(self):
        wanted = self.wanted()
        if wanted is not None and not self.rests and self.parent.shown() != wanted:
            self.parent.show(wanted)
        if not self.looks_away:
            self.tell()

    def run(self):
        while not self.ending.wait(0.2):
            try:
                with self.turn:
                    self.follow()
            except (OSError, dns.exception.DNSException):
                pass  # the child was killed; it comes back
            except Exception as problem:
                self.problem = problem
                raise

    def stop(self):
        self.ending.set()
        self.join(30)
        assert self.problem is None, self.problem


def is_of_dnssec(answer):
    """By its extended error (RFC 8914 4.6 to 4.13), not since nobody could be reached."""
    return any(5 <= int(option.code) <= 12 for option in answer.options
               if isinstance(option, dns.edns.EDEOption))


class Watcher(threading.Thread):
    """A query every 100 ms: what it answers is never bogus, and secure while it shall be."""

    def __init__(self, unbound):
        super().__init__(daemon=True)
        self.unbound = unbound
        self.ending = threading.Event()
        self.must_be_secure = False
        self.may_be_down = False  # the child
        self.rests = False  # nothing is asked
        self.asked = self.unanswered = self.secure_in_a_row = 0
        self.bogus = []

    def questions(self):
        yield f"www.{CHILD}", "A"
        yield CHILD, "SOA"
        yield f"no{self.asked}.{CHILD}", "A"
        yield f"x{self.asked}.wild.{CHILD}", "A"
        yield CHILD, "DNSKEY"

    def ask(self, name, rdtype):
        query = dns.message.make_query(name, rdtype, want_dnssec=True)
        query.flags |= dns.flags.AD
        try:
            answer = dns.query.udp(query, HOST, port=self.unbound.port, timeout=3)
        except (OSError, dns.exception.Timeout):
            self.unanswered += 1
            return
        self.asked += 1
        is_secure = bool(answer.flags & dns.flags.AD)
        self.secure_in_a_row = self.secure_in_a_row + 1 if is_secure else 0
        if answer.rcode() == dns.rcode.SERVFAIL and self.may_be_down and not is_of_dnssec(answer):
            self.unanswered += 1
        elif answer.rcode() == dns.rcode.SERVFAIL:
            self.bogus.append(f"{time.strftime('%H:%M:%S')} {name} {rdtype}")
        elif self.must_be_secure and not is_secure:
            self.bogus.append(f"{time.strftime('%H:%M:%S')} {name} {rdtype} is insecure")

    def run(self):
        while True:
            for name, rdtype in self.questions():
                if self.ending.wait(0.1):
                    return
                if not self.rests:
                    self.ask(name, rdtype)

    def stop(self):
        self.ending.set()
        self.join(30)


class CachingUnbound(Unbound):
    """Caches as long as TTLs allow, but for a TTL that is above 2 seconds, which is the built-in
    policies' alone, and wants every algorithm that a DS has. Asks all of `servers` for the child."""

    def __init__(self, folder, parent, servers, anchors):
        super().__init__(folder, parent, [(PARENT, anchors)])
        self.servers = servers

    def configure(self):
        super().configure()
        path = self.folder / "unbound.conf"
        text = path.read_text().replace("cache-max-ttl: 0", "cache-max-ttl: 2").replace(
            "  cache-max-negative-ttl: 0\n",
            "  harden-algo-downgrade: yes\n  ede: yes\n  val-bogus-ttl: 1\n  infra-host-ttl: 1\n"
            "  infra-cache-max-rtt: 1000\n")
        addresses = "".join(f"  stub-addr: {HOST}@{server.port}\n" for server in self.servers)
        path.write_text(f'{text}stub-zone:\n  name: "{CHILD}"\n{addresses}')


class Chain:
    """A parent of some kind with the DS, a child, its secondaries, and the resolver of them all."""

    def __init__(self, run_server, folder, kind, child, ds=(), secondaries=()):
        self.parent = Parent(kind, folder / "parent", set(ds))
        run_server(self.parent.server)
        servers = secondaries or [child]
        self.unbound = run_server(
            CachingUnbound(folder / "unbound", self.parent.server, servers, self.parent.key))
        self.follower = Follower(self.parent, child)
        self.watcher = Watcher(self.unbound)
        self.follower.start()
        self.watcher.start()

    def wait_until_secure(self):
        """Every question is answered so, also what was cached before."""
        self.watcher.secure_in_a_row = 0
        wait_until(lambda: self.watcher.secure_in_a_row > 10, 40, "the chain of trust")
        self.watcher.must_be_secure = True

    def stop(self):
        self.watcher.stop()
        self.follower.stop()
        assert not self.watcher.bogus, self.watcher.bogus[:10]
        assert self.watcher.asked > 20
