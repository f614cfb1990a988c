#!/usr/bin/python3
"""Write the corpora of fuzz_update and fuzz_transfer: real messages for the zone of zone_fixture.h;
and that of fuzz_trust_chain.

Run by hand when there is something new to begin from: tests/fuzz/make_messages.py
"""

import pathlib
import random
import struct

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update
from cryptography.hazmat.primitives.asymmetric import ec

ZONE = dns.name.from_text("e.")
CORPUS = pathlib.Path(__file__).parent / "corpus"


def write(target, name, options, messages):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    packed = bytes([options]) + b"".join(struct.pack("!H", len(m)) + m for m in messages)
    (folder / name).write_bytes(packed)


# --- updates ---

def update(*steps):
    message = dns.update.UpdateMessage(ZONE, id=1)
    for verb, *arguments in steps:
        getattr(message, verb)(*arguments)
    return message.to_wire()


UPDATES = {
    "add": [update(("add", "new", 60, "A", "192.0.2.7"), ("add", "new", 60, "MX", "10 www"))],
    "ttl": [update(("add", "www", 60, "A", "192.0.2.80"))],
    "delete": [update(("delete", "www", "A", "192.0.2.80"), ("delete", "www", "TXT"))],
    "delete-name": [update(("delete", "www"), ("delete", "deep.ent"))],
    "delete-apex": [update(("delete", "@"), ("delete", "@", "NS"), ("delete", "@", "SOA"))],
    "replace": [update(("replace", "www", 30, "A", "192.0.2.99"))],
    "prerequisites": [update(("present", "www"), ("present", "www", "A"), ("absent", "none"),
                             ("absent", "www", "MX"), ("add", "x", 1, "TXT", "y"))],
    "values": [update(("present", "ns1", "A", "192.0.2.1"), ("present", "alias", "CNAME", "www"),
                      ("add", "x", 1, "TXT", "y"))],
    "cname": [update(("add", "www", 60, "CNAME", "ns1"), ("add", "alias", 60, "CNAME", "ns1"),
                     ("add", "alias", 60, "A", "192.0.2.1"))],
    "soa": [update(("add", "@", 60, "SOA", "ns1 host 30 1 2 3 4"),
                   ("add", "@", 60, "SOA", "ns1 host 3 1 2 3 4"))],
    "ns": [update(("add", "@", 60, "NS", "new"), ("add", "new", 60, "AAAA", "2001:db8::1"),
                  ("delete", "@", "NS", "ns1"), ("delete", "@", "NS", "ns2"))],
    "delegation": [update(("add", "d", 60, "NS", "ns.d"), ("add", "d", 60, "DS", "1 13 2 " + "00" * 32),
                          ("add", "ns.d", 60, "A", "192.0.2.3")), update(("delete", "d", "NS"))],
    "keys": [update(("add", "@", 60, "DNSKEY", "257 3 13 CCCC"), ("delete", "@", "DNSKEY")),
             update(("add", "@", 60, "CDS", "7 14 2 " + "00" * 32))],
    "chain": [update(("add", "@", 60, "NSEC3PARAM", "1 0 0 -")), update(("add", "@", 0, "TYPE65534", r"\# 5 0d00010001"))],
    "refused": [update(("add", "www", 60, "NSEC", "a. A")), update(("add", "_h", 60, "A", "192.0.2.1"))],
    "outside": [update(("add", "www.f.", 60, "A", "192.0.2.1"))],
    "wildcard": [update(("add", "*.x", 60, "A", "192.0.2.1"), ("add", "*", 60, "NS", "ns1"))],
    "dname": [update(("add", "old", 60, "DNAME", "ns1"), ("add", "alias", 60, "DNAME", "ns1"))],
    "many": [update(*[("add", f"n{i}", 60, "A", f"192.0.2.{i}") for i in range(255)])],
    "twice": [update(("add", "new", 60, "A", "192.0.2.7"))] * 2 + [update(("delete", "new"))],
}


# --- transfers ---

SOA = "ns1 host {} 3600 600 86400 300"


def rr(owner, rdtype, text, ttl=300):
    rdtype = dns.rdatatype.from_text(rdtype)
    rdata = dns.rdata.from_text("IN", rdtype, text, origin=ZONE, relativize=False)
    name = dns.name.from_text(owner, ZONE)
    return dns.rrset.from_rdata(name, ttl, rdata)


def transfer(rdtype, records, split):
    """Messages of `split()` records each."""
    messages = []
    while records:
        message = dns.message.make_response(dns.message.make_query(ZONE, rdtype, id=1))
        if messages and random.random() < 0.5:
            message.question = []
        count = split()
        message.answer = records[:count]
        records = records[count:]
        messages.append(message.to_wire(max_size=65535))
    return messages


def soa(serial):
    return rr("@", "SOA", SOA.format(serial))


BODY = [rr("@", "NS", "ns1"), rr("ns1", "A", "192.0.2.1"), rr("www", "A", "192.0.2.80"),
        rr("www", "TXT", '"x" "y"'), rr("a.b.c", "MX", "10 www"), rr("*.w", "A", "192.0.2.2")]
SIGNED = [rr("www", "RRSIG", "A 13 2 300 20300101000000 20200101000000 1 e. AAAA"),
          rr("www", "NSEC", "e. A RRSIG"), rr("@", "NSEC3PARAM", "1 0 0 -"),
          rr("0123456789abcdefghijklmnopqrstuv", "NSEC3",
             "1 0 0 - 0123456789abcdefghijklmnopqrstuv A"),
          rr("0123456789abcdefghijklmnopqrstuv", "RRSIG",
             "NSEC3 13 2 300 20300101000000 20200101000000 1 e. AAAA")]
DIFFERENCE = [soa(10), rr("www", "TXT", "x"), rr("www", "A", "192.0.2.80"), soa(11),
              rr("new", "A", "192.0.2.7"), soa(11), rr("new", "A", "192.0.2.7"), soa(12),
              rr("new", "A", "192.0.2.8")]

IXFR, STRIP, TIGHT = 1, 2, 4
TRANSFERS = {
    "axfr": (0, "AXFR", [soa(7)] + BODY + [soa(7)]),
    "axfr-signed": (0, "AXFR", [soa(7)] + BODY + SIGNED + [soa(7)]),
    "axfr-strip": (STRIP, "AXFR", [soa(7)] + BODY + SIGNED + [soa(7)]),
    "axfr-tight": (TIGHT, "AXFR", [soa(7)] + BODY + [soa(7)]),
    "axfr-other-end": (0, "AXFR", [soa(7)] + BODY + [soa(8)]),
    "axfr-style": (IXFR, "IXFR", [soa(12)] + BODY + [soa(12)]),
    "ixfr": (IXFR, "IXFR", [soa(12)] + DIFFERENCE + [soa(12)]),
    "ixfr-strip": (IXFR | STRIP, "IXFR", [soa(12)] + DIFFERENCE + SIGNED + [soa(12)]),
    "ixfr-current": (IXFR, "IXFR", [soa(10)]),
    "ixfr-older": (IXFR, "IXFR", [soa(9)]),
    "ixfr-newer": (IXFR, "IXFR", [soa(11)]),
    "ixfr-conflict": (IXFR, "IXFR", [soa(11), soa(10), rr("no", "A", "192.0.2.1"), soa(11), soa(11)]),
    "ixfr-no-chain": (IXFR, "IXFR", [soa(13), soa(10), soa(11), soa(12), soa(13), soa(13)]),
}


# --- chains of trust ---

NOW = 1700000000
DENIED = {
    "nsec": [("e.t.", "NSEC", "x.t. NS RRSIG")],
    "nsec3": [("JISE29PL9KE3URGK2IEK188B0S6CD8V0.t.", "NSEC3",
               "1 0 0 - JISE29PL9KE3URGK2IEK188B0S6CD8V1 NS")],
    "opt-out": [("P6GB3QK6STTLNMO4L2G1HVKLJET7UTF7.t.", "NSEC3",
                 "1 1 0 - P6GB3QK6STTLNMO4L2G1HVKLJET7UTF6 NS SOA")],
}


class Signer:
    def __init__(self, name):
        self.name = dns.name.from_text(name)
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.key = dns.dnssec.make_dnskey(self.private.public_key(), "ECDSAP256SHA256", flags=257)

    def sign(self, rrset):
        rrsig = dns.dnssec.sign(rrset, self.private, self.name, self.key, inception=NOW - 9,
                                expiration=NOW + 9)
        return dns.rrset.from_rdata(rrset.name, rrset.ttl, rrsig)

    def keys(self):
        return dns.rrset.from_rdata(self.name, 60, self.key)


def reply(name, rdtype, signer, answer, authority=()):
    message = dns.message.make_response(dns.message.make_query(name, rdtype), our_payload=1232)
    message.flags |= dns.flags.AA
    for section, rrsets in ((message.answer, answer), (message.authority, authority)):
        for rrset in rrsets:
            section += [rrset, signer.sign(rrset)]
    return message.to_wire()


def write_chains():
    root, parent, child = Signer("."), Signer("t."), Signer("e.t.")
    keys = reply("t.", "DNSKEY", parent, [parent.keys()])

    def ds_of(zone):
        return dns.rrset.from_rdata(zone.name, 60,
                                    dns.dnssec.make_ds(zone.name, zone.key, "SHA256"))
    shown = reply("e.t.", "DS", parent, [ds_of(child)])
    up = [reply("t.", "DS", root, [ds_of(parent)]), reply(".", "DNSKEY", root, [root.keys()])]
    chains = {"ds": (0, parent, [shown, keys]), "from-root": (1, root, [shown, keys] + up)}
    for name, records in DENIED.items():
        rrsets = [dns.rrset.from_text(owner, 60, "IN", rdtype, rdata)
                  for owner, rdtype, rdata in records]
        chains[name] = 0, parent, [reply("e.t.", "DS", parent, [], rrsets), keys]
    for name, (at_root, anchor, messages) in chains.items():
        write("fuzz_trust_chain", name, at_root, [anchor.key.to_wire()] + messages)


def main():
    write_chains()
    random.seed(1995)
    for name, messages in UPDATES.items():
        write("fuzz_update", name, 1 if name in ("keys", "chain", "refused") else 0, messages)
        write("fuzz_update", name + "-strict", 63, messages)
    for name, (options, rdtype, records) in TRANSFERS.items():
        write("fuzz_transfer", name, options, transfer(rdtype, records, lambda: 1000))
        write("fuzz_transfer", name + "-split", options,
              transfer(rdtype, records, lambda: random.randint(1, 3)))


main()
