"""The same signed zone served by Signet, BIND, Knot and NSD: what differs is explained by an RFC."""

import collections
import socket

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from support import nasty
from support.peers import Bind, Knot, Nsd, Unbound
from support.server import HOST

DENIAL = pytest.mark.parametrize("denial", ["nsec", "nsec3", "optout"])

Reply = collections.namedtuple("Reply", "rcode flags answer authority additional")


def wire_query(number, owner, rdtype, want_dnssec, payload):
    query = dns.message.make_query(owner, rdtype, want_dnssec=want_dnssec and payload is not None,
                                   use_edns=0 if payload else -1, payload=payload or 0)
    query.flags &= ~dns.flags.RD
    query.id = number % 65536
    return query.to_wire()


def records(section):
    found = set()
    for rrset in section:
        for rdata in rrset:
            found.add((rrset.name.canonicalize(), rrset.ttl, rrset.rdtype, rdata.covers(),
                       rdata.to_digestable()))
    return found


def reply_of(wire):
    message = dns.message.from_wire(wire)
    flags = dns.flags.to_text(message.flags & ~dns.flags.RD)
    if message.flags & dns.flags.TC:
        return Reply(message.rcode(), flags, None, None, None)
    return Reply(message.rcode(), flags, records(message.answer), records(message.authority),
                 records(message.additional))


class Asker:
    """One connected socket to a server; queries one at a time."""

    def __init__(self, server):
        self.name = server.name
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(3)
        self.socket.connect((HOST, server.port))

    def ask(self, wire):
        self.socket.send(wire)
        while True:
            answer = self.socket.recv(65535)
            if answer[:2] == wire[:2]:
                return answer


def explain(question, ours, theirs, peer):
    """Why a peer may answer otherwise: a citation, or None. Kept as short as it can be."""
    owner, rdtype, want_dnssec, payload = question
    if ours.answer is None or theirs.answer is None:
        if ours.rcode == theirs.rcode and (payload or 512) <= 1232:
            return "RFC 2181 9: where datagrams are full, servers differ in what they leave out"
    if rdtype == "ANY":
        return "RFC 8482 4: what ANY returns is the server's choice"
    if rdtype == "RRSIG" and ours.rcode == theirs.rcode:
        return "RFC 8482 7: RRSIG queries may be answered with a subset"
    if ours._replace(additional=None) == theirs._replace(additional=None):
        if ours.rcode == dns.rcode.NOERROR and "AA" not in ours.flags:
            missing = theirs.additional - ours.additional
            if not missing:
                return "RFC 9471 3.1: all in-domain glue; sibling glue is optional"
            return None
        return "RFC 1034 4.3.2 (6): additional data is optional outside referrals"
    return None


@DENIAL
def test_answers_are_those_of_the_peers(make_signet, run_server, tmp_path, request, denial):
    count = 50000 if request.config.getoption("--long") else 3000
    plain = tmp_path / "plain.zone"
    plain.write_text(nasty.text())
    signed, _ = nasty.sign(tmp_path, plain, denial)
    signet = make_signet(options="minimal-responses yes;")
    signet.add_zone(nasty.ZONE, signed.read_text(), statements="check-names ignore;")
    signet.start()
    peers = [run_server(cls(tmp_path / cls.name, [(nasty.ZONE, signed)]))
             for cls in (Bind, Knot, Nsd)]
    for server in (signet, *peers):
        server.wait_until_answering()
    us, others = Asker(signet), [Asker(peer) for peer in peers]

    wrong = []
    explained = collections.Counter()
    for number, question in enumerate(nasty.questions(count, seed=denial)):
        wire = wire_query(number, *question)
        ours = reply_of(us.ask(wire))
        for other in others:
            theirs = reply_of(other.ask(wire))
            if ours == theirs:
                continue
            reason = explain(question, ours, theirs, other.name)
            if reason:
                explained[other.name, reason] += 1
            else:
                wrong.append((other.name, question, ours, theirs))
    print(*explained.items(), sep="\n")
    assert not wrong, f"{len(wrong)} of {count}: " + "\n\n".join(
        f"{peer} {question}\n  ours   {ours}\n  theirs {theirs}"
        for peer, question, ours, theirs in wrong[:8])


@DENIAL
def test_unbound_validates_every_answer(make_signet, run_server, tmp_path, request, denial):
    count = 50000 if request.config.getoption("--long") else 2000
    plain = tmp_path / "plain.zone"
    plain.write_text(nasty.text())
    signed, keys = nasty.sign(tmp_path, plain, denial)
    signet = make_signet()
    signet.add_zone(nasty.ZONE, signed.read_text(), statements="check-names ignore;")
    signet.start()
    resolver = run_server(Unbound(tmp_path / "unbound", signet, [(nasty.ZONE, keys)]))

    bogus = []
    zone = dns.name.from_text(nasty.ZONE)
    for number, (owner, rdtype, _, _) in enumerate(nasty.questions(count, seed=f"u{denial}")):
        direct = signet.query(owner, rdtype)
        if "AA" not in dns.flags.to_text(direct.flags) or rdtype == "ANY":
            continue  # referrals lead to servers that do not exist
        if any(not r.name.is_subdomain(zone) for r in direct.answer):
            continue
        if direct.answer and direct.answer[-1].rdtype in (dns.rdatatype.CNAME,) \
                and rdtype != "CNAME":
            continue  # chains that leave the zone or loop
        try:
            answer = resolver.query(owner, rdtype)
        except dns.exception.Timeout:
            bogus.append((owner, rdtype, "timeout"))
            continue
        if answer.rcode() != direct.rcode():
            bogus.append((owner, rdtype, dns.rcode.to_text(answer.rcode())))
    assert not bogus, f"{len(bogus)}: {bogus[:20]}\n{resolver.log()[-3000:]}"
