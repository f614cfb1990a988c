"""How many signatures the difference between two unsigned zone files needs, counted from the
files alone: RRsets that are new or others, and links of the denial chain that are."""

import dns.dnssec
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.zone

NEVER_AT_CUT = ("DS", "NSEC")
APEX_OF_OURS = {"DNSKEY"}


def read(path, zone):
    return dns.zone.from_file(str(path), zone, relativize=False, check_origin=False)


class Signed:
    """What is signed of an unsigned zone: (owner, type) -> what a signature covers."""

    def __init__(self, path, zone, nsec3):
        self.origin = dns.name.from_text(zone)
        self.zone = read(path, zone)
        self.nsec3 = nsec3
        self.cuts = {name for name, node in self.zone.nodes.items()
                     if name != self.origin and node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.NS)}
        self.covered = {}
        self.types = {}  # authoritative name -> its bitmap
        for name, node in self.zone.nodes.items():
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
        owner = name.canonicalize()
        types = set()
        for rdataset in node.rdatasets:
            rdtype = dns.rdatatype.to_text(rdataset.rdtype)
            if name in self.cuts and rdtype not in ("NS", "DS"):
                continue  # glue
            types.add(rdtype)
            if name not in self.cuts or rdtype == "DS":
                self.covered[owner, rdtype] = (rdataset.ttl, frozenset(
                    rdata.to_digestable(self.origin) for rdata in rdataset))
        if name == self.origin:
            types |= APEX_OF_OURS
        self.types[owner] = types

    def _link(self):
        soa = self.zone.get_rdataset(self.origin, "SOA")
        ttl = min(soa.ttl, soa[0].minimum)
        if self.nsec3:
            names = set(self.types)
            for name in self.types:  # empty non-terminals
                while name != self.origin.canonicalize():
                    name = name.parent()
                    names.add(name)
            chain = sorted((dns.dnssec.nsec3_hash(name, None, 0, 1), name) for name in names)
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
