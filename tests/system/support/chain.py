"""A parent whose DS follows the child's CDS, and a resolver that validates all the while."""

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

from support.nsupdate import nsupdate
from support.peers import Unbound
from support.server import HOST
from support.waiting import wait_until

PARENT = "test."
CHILD = "child.test."
PARENT_TEXT = """$TTL 2
@ SOA ns hostmaster 1 3600 600 86400 2
@ NS ns
ns A 127.0.0.1
child NS ns.child
ns.child A 127.0.0.1
"""


class Follower(threading.Thread):
    """Makes the parent's DS what the child's CDS ask for, and tells the child."""

    def __init__(self, parent, child):
        super().__init__(daemon=True)
        self.parent, self.child = parent, child
        self.ending = threading.Event()

    def wanted(self):
        """DS records in text; None: leave them as they are."""
        try:
            found = self.child.answers_with(CHILD, "CDS")
        except (OSError, dns.exception.DNSException):
            return None
        if not found:
            return None
        return {rdata.to_text() for rdata in found if rdata.algorithm != 0}

    def present(self):
        found = self.parent.answers_with(CHILD, "DS")
        return {rdata.to_text() for rdata in found} if found else set()

    def follow(self):
        wanted = self.wanted()
        if wanted is None:
            return
        if self.present() != wanted:
            lines = [f"update delete {CHILD} DS"]
            lines += [f"update add {CHILD} 1 DS {text}" for text in sorted(wanted)]
            assert nsupdate(self.parent, PARENT, lines) == "NOERROR"
        for word in ("published", "withdrawn"):
            self.child.rndc("dnssec", "-checkds", word, CHILD)

    def run(self):
        while not self.ending.wait(0.3):
            try:
                self.follow()
            except (OSError, dns.exception.DNSException):
                pass  # the child was killed; it comes back

    def stop(self):
        self.ending.set()
        self.join(30)


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
                self.ask(name, rdtype)

    def stop(self):
        self.ending.set()
        self.join(30)


class CachingUnbound(Unbound):
    """Caches as long as TTLs allow, but for a TTL that is above 2 seconds, which is the built-in
    policies' alone, and wants every algorithm that a DS has."""

    def __init__(self, folder, parent, child, anchors):
        super().__init__(folder, parent, [(PARENT, anchors)])
        self.child = child

    def configure(self):
        super().configure()
        path = self.folder / "unbound.conf"
        text = path.read_text().replace("cache-max-ttl: 0", "cache-max-ttl: 2").replace(
            "  cache-max-negative-ttl: 0\n",
            "  harden-algo-downgrade: yes\n  ede: yes\n  val-bogus-ttl: 1\n  infra-host-ttl: 1\n"
            "  infra-cache-max-rtt: 1000\n")
        path.write_text(text + f'stub-zone:\n  name: "{CHILD}"\n'
                               f"  stub-addr: {HOST}@{self.child.port}\n")


class Chain:
    """Parent, child and resolver, with the DS in place."""

    def __init__(self, make_signet, run_server, folder, child):
        self.child = child
        self.parent = make_signet("parent", extra='dnssec-policy "parent" { keys { csk lifetime '
                                                  'unlimited algorithm 13; }; dnskey-ttl PT2S; };')
        self.parent.add_zone(PARENT, PARENT_TEXT, policy="parent",
                             statements="allow-update { any; };")
        self.parent.start()
        self.parent.wait_until_signed(PARENT)
        anchors = "".join(f"{PARENT} 2 IN DNSKEY {key.to_text()}\n"
                          for key in self.parent.answers_with(PARENT, "DNSKEY"))
        self.unbound = run_server(CachingUnbound(folder / "unbound", self.parent, child, anchors))
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
