"""What a zone holds, from the master file that dig writes of an AXFR: one record a line."""

import collections

Record = collections.namedtuple("Record", "owner rdtype rdata")


class Contents:
    """The records of one zone: `owner type rdata` each, and the line that it came from."""

    def __init__(self, path):
        self.lines = {}
        with open(path, encoding="ascii") as lines:
            for line in lines:
                if line[0] not in ";\n":
                    owner, ttl, _, rdtype, rdata = line.split(None, 4)
                    record = Record(owner.lower(), rdtype, rdata.strip())
                    self.lines[record] = f"{record.owner} {ttl} {rdtype} {record.rdata}"

    def __iter__(self):
        return iter(self.lines)

    @property
    def serial(self):
        return next(int(r.rdata.split()[2]) for r in self if r.rdtype == "SOA")

    def of(self, *rdtypes):
        return {line for record, line in self.lines.items() if record.rdtype in rdtypes}

    def signatures(self):
        """(owner, type covered, TTL) -> its signatures."""
        found = collections.defaultdict(set)
        for record, line in self.lines.items():
            if record.rdtype == "RRSIG":
                found[record.owner, record.rdata.split()[0], line.split()[1]].add(record.rdata)
        return found

    def sets(self):
        """(owner, type, TTL) -> its rdata, signatures aside."""
        found = collections.defaultdict(set)
        for record, line in self.lines.items():
            if record.rdtype != "RRSIG":
                found[record.owner, record.rdtype, line.split()[1]].add(record.rdata)
        return found

    def signed_anew_since(self, before, touched=lambda owner: False):
        """RRsets that are the same as in `before` and have other signatures; chain and SOA aside,
        which may have changed forth and back."""
        ours, theirs = self.sets(), before.sets()
        new, old = self.signatures(), before.signatures()
        return [key for key in ours
                if ours[key] == theirs.get(key) and new.get(key) != old.get(key)
                and key[1] not in ("NSEC", "NSEC3", "SOA") and not touched(key[0])]
