"""How many signatures the difference between two unsigned zone files needs, counted from the
files alone: RRsets that are new or others, and links of the denial chain that are."""

import functools

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype

APEX_OF_OURS = {"DNSKEY"}


@functools.lru_cache(maxsize=None)
def _record(line):
    """Owner, type, TTL and canonical rdata. A day has almost all lines of the day before."""
    owner, ttl, rdclass, rdtype, text = line.split(None, 4)
    assert owner.endswith(".") and rdclass == "IN" and "(" not in text, line
    rdata = dns.rdata.from_text(rdclass, rdtype, text, dns.name.root, relativize=False)
    return _name(owner), rdtype, int(ttl), rdata.to_digestable()


@functools.lru_cache(maxsize=None)
def _name(text):
    return dns.name.from_text(text).canonicalize()


@functools.lru_cache(maxsize=None)
def _nsec3_hash(name):
    return dns.dnssec.nsec3_hash(name, None, 0, 1)


def read(path):
    """A master file with a whole record on each line: owner -> type -> (TTL, set of rdata)."""
    nodes = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.strip() and line[0] != ";":
                owner, rdtype, ttl, rdata = _record(line)
                nodes.setdefault(owner, {}).setdefault(rdtype, (ttl, set()))[1].add(rdata)
    return nodes


class Signed:
    """What is signed of an unsigned zone: (owner, type) -> what a signature covers."""

    def __init__(self, path, zone, nsec3):
        self.origin = dns.name.from_text(zone).canonicalize()
        self.nodes = read(path)
        self.nsec3 = nsec3
        self.cuts = {name for name, node in self.nodes.items()
                     if name != self.origin and "NS" in node}
        self.covered = {}
        self.types = {}  # authoritative name -> its bitmap
        for name, node in self.nodes.items():
            if not self._is_below_cut(name):
                self._take(name, node)
        self._link()

    def _is_below_cut(self, name):
        while name != self.origin:
            name = name.parent()
            if name in self.cuts:
                return True
        return False

    def _take(self, name, node):
        types = set()
        for rdtype, rrset in node.items():
            if name in self.cuts and rdtype not in ("NS", "DS"):
                continue  # glue
            types.add(rdtype)
            if name not in self.cuts or rdtype == "DS":
                self.covered[name, rdtype] = rrset
        if name == self.origin:
            types |= APEX_OF_OURS
        self.types[name] = types

    def _link(self):
        soa_ttl, soa = self.nodes[self.origin]["SOA"]
        ttl = min(soa_ttl, int.from_bytes(next(iter(soa))[-4:], "big"))
        if self.nsec3:
            names = set(self.types)
            for name in self.types:  # empty non-terminals
                while name != self.origin:
                    name = name.parent()
                    names.add(name)
            chain = sorted((_nsec3_hash(name), name) for name in names)
        else:
            chain = [(name, name) for name in sorted(self.types)]
        for at, (owner, name) in enumerate(chain):
            following = chain[(at + 1) % len(chain)][0]
            self.covered[owner, "denial"] = (ttl, following, frozenset(self.types.get(name, ())))


def signatures_needed(before, after):
    """With one key that signs everything; the SOA is always signed anew."""
    other = [key for key, value in after.covered.items()
             if before.covered.get(key) != value and key[1] != "SOA"]
    return len(other) + 1
