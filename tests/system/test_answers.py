"""The same signed zone served by Signet, BIND, Knot and NSD: what differs is explained by an RFC."""

import collections
import functools
import itertools
import socket
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from support import figures, nasty
from support.peers import Bind, Knot, Nsd, Unbound
from support.server import HOST

DENIAL = pytest.mark.parametrize("denial", ["nsec", "nsec3", "optout"])

Reply = collections.namedtuple("Reply", "rcode flags answer authority additional")


def wire_query(number, question):
    owner, rdtype, want_dnssec, payload = question
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
    """One connected socket to a server; as many queries under way as its buffer takes replies."""

    WINDOW = 50

    def __init__(self, server):
        self.name = server.name
        self.known = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect((HOST, server.port))

    def send(self, wires):
        for wire in wires:
            self.socket.send(wire)

    def collect(self, wires, tries=3):
        """The replies to what was sent, in its order; None for what was asked thrice in vain."""
        missing = {wire[:2]: wire for wire in wires}
        replies = {}
        while missing:
            try:
                reply = self.socket.recv(65535)
            except socket.timeout:
                tries -= 1
                if tries == 0:
                    break
                self.send(missing.values())
                continue
            if missing.pop(reply[:2], None):
                replies[reply[:2]] = reply
        return [replies.get(wire[:2]) for wire in wires]

    def parse(self, wire, question, answer):
        """The reply, taken apart; parsed once where only the question's case differs."""
        assert answer, f"{self.name} {question}: no reply"
        owner, *rest = question
        end = 12 + len(dns.name.from_text(owner).to_wire()) + 4
        # The question comes back as it was asked, bit by bit (draft-vixie-dnsext-dns0x20).
        assert answer[12:end] == wire[12:end], f"{self.name} {question}: {answer.hex()}"
        what_counts = answer[2:12] + answer[end:]
        known = self.known.get((owner.lower(), *rest))
        if known is None or known[0] != what_counts:
            known = self.known[owner.lower(), *rest] = what_counts, reply_of(answer)
        return known[1]


def asked(questions, askers):
    """Each question with the replies of all, which work on a batch of questions side by side."""
    numbered = enumerate(questions)
    while batch := list(itertools.islice(numbered, Asker.WINDOW)):
        wires = [wire_query(number, question) for number, question in batch]
        for asker in askers:
            asker.send(wires)
        columns = [asker.collect(wires) for asker in askers]
        for (_, question), wire, *answers in zip(batch, wires, *columns):
            yield question, [asker.parse(wire, question, answer)
                             for asker, answer in zip(askers, answers)]


def is_referral(reply):
    return reply.rcode == dns.rcode.NOERROR and "AA" not in reply.flags


def glue(reply, cut_of):
    """The addresses in the additional section that lie below the delegation itself."""
    cuts = [name for name, _, rdtype, _, _ in reply.authority if rdtype == cut_of]
    return {record for record in reply.additional
            if any(record[0].is_subdomain(cut) for cut in cuts)}


def has_loop(reply):
    """A chain of CNAMEs that comes back to where it was."""
    aliases = {name: dns.name.from_wire(target, 0)[0] for name, _, rdtype, _, target in reply.answer
               if rdtype == dns.rdatatype.CNAME}
    return bool(aliases) and all(target in aliases for target in aliases.values())


ALIASES = {line.split()[0].lower() for line in nasty.TEXT.splitlines() if " CNAME " in line}


def is_alias(owner):
    """Does the name own a CNAME, or get one from the wildcard `*.cname`?"""
    labels = owner.lower().split(".")
    return labels[0] in ALIASES or "cname" in labels


def explain(question, ours, theirs, peer):
    """Why a peer may answer otherwise: a citation, or None. Kept as short as it can be."""
    owner, rdtype, want_dnssec, payload = question
    if rdtype == "ANY":
        return "RFC 8482 4: what ANY returns is the server's choice, a DNAME's CNAME included"
    if rdtype == "NSEC" and peer in ("named", "knotd") and is_alias(owner):
        return "RFC 4035 2.5: NSEC may stand beside a CNAME, so these do not follow it for NSEC"
    if rdtype == "NSEC" and peer == "named" and is_referral(ours):
        return "RFC 4035 3.1.4.1: at a cut the parent answers for DS; named does so for NSEC too"
    if peer == "nsd" and rdtype == "NSEC3" and is_alias(owner) and not theirs.answer:
        return "RFC 1034 4.3.2 (3a): a CNAME is followed for every QTYPE but its own"
    if ours.answer is None or theirs.answer is None:
        if ours.rcode == theirs.rcode and (payload or 512) <= 1232:
            return "RFC 2181 9: where datagrams are full, servers differ in what they leave out"
        return None
    if rdtype == "RRSIG" and ours.rcode == theirs.rcode:
        return "RFC 8482 7: RRSIG queries may be answered with a subset"
    if peer == "named" and theirs.rcode == dns.rcode.SERVFAIL and has_loop(ours):
        return "RFC 1034 3.6.2: CNAME loops are errors of the data; the chain may be returned"
    same_but_authority = ours._replace(authority=None) == theirs._replace(authority=None)
    if same_but_authority and ours.authority > theirs.authority:
        return "RFC 4035 3.1.3: a proof that the peer leaves out"
    if same_but_authority and peer == "nsd" and owner.startswith("*.") and not ours.answer:
        return "RFC 5155 7.2.3: the name `*` itself exists, no encloser need be proven"
    if same_but_authority and peer == "nsd" and ".ent3." in "." + owner.lower():
        return "RFC 5155 7.1: empty non-terminals may have an NSEC3 under opt-out; NSD overlooks it"
    if ours._replace(additional=None) == theirs._replace(additional=None):
        if not is_referral(ours):
            return "RFC 1034 4.3.2 (6): additional data is optional outside referrals"
        if glue(ours, dns.rdatatype.NS) >= glue(theirs, dns.rdatatype.NS):
            return "RFC 9471 3.1: all in-domain glue is there; what else is added is optional"
    return None


@DENIAL
def test_answers_are_those_of_the_peers(make_signet, run_server, tmp_path, request, denial):
    count = 50000 if request.config.getoption("--long") else 2000
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
    askers = [Asker(server) for server in (signet, *peers)]

    wrong = []
    explained = collections.Counter()
    for question, (ours, *others) in asked(nasty.questions(count, seed=denial), askers):
        for peer, theirs in zip(peers, others):
            if ours == theirs:
                continue
            reason = explain(question, ours, theirs, peer.name)
            if reason:
                explained[peer.name, reason] += 1
            else:
                wrong.append((peer.name, question, ours, theirs))
    for (peer, reason), times in sorted(explained.items()):
        figures.note(f"{denial}: {times} of {count} differ from {peer}: {reason}")
    assert not wrong, f"{len(wrong)} of {count}: " + "\n\n".join(
        f"{peer} {question}\n  ours   {ours}\n  theirs {theirs}"
        for peer, question, ours, theirs in wrong[:8])


def leaves_or_loops(response, rdtype):
    """A chain whose end is not here: the resolver will look for servers that do not exist."""
    if not response.answer:
        return False
    complete = any(r.rdtype == dns.rdatatype.from_text(rdtype) for r in response.answer)
    denied = any(r.rdtype == dns.rdatatype.SOA for r in response.authority)
    return not complete and not denied


def is_beyond_unbound(owner, rdtype, response):
    """
    DS of the apex is the parent's to answer, who is not here. Unbound 1.17 wants the CNAME that is
    made from a DNAME to be signed when it was CNAME or DNAME that it asked for (RFC 6672 5.3.1).
    """
    synthesized = any(r.rdtype == dns.rdatatype.DNAME for r in response.answer)
    return (rdtype == "DS" and owner.lower() == nasty.ZONE
            or rdtype in ("CNAME", "DNAME") and synthesized)


def can_be_validated(owner, rdtype, direct):
    """Referrals lead to servers that do not exist; ANY and RRSIG are not validated."""
    if rdtype in ("ANY", "RRSIG"):
        return False
    response = direct(owner.lower(), rdtype)
    return (bool(response.flags & dns.flags.AA) and not leaves_or_loops(response, rdtype)
            and not is_beyond_unbound(owner, rdtype, response))


def is_led_astray(question, direct):
    """
    NSEC may stand beside a CNAME and then is the answer (RFC 4035 2.5), as Signet and its peers
    say. Unbound 1.17 follows a CNAME that it holds nevertheless, and with a TTL of 0 it holds what
    it got within the same second: asked for a CNAME just before that loops or leads to servers
    that do not exist, it gives up or waits for them.
    """
    owner, rdtype, *_ = question
    return rdtype == "NSEC" and leaves_or_loops(direct(owner.lower(), "A"), "A")


def not_validated(asker, questions):
    """Those that meet SERVFAIL or nothing at all."""
    numbered = enumerate(questions)
    while batch := list(itertools.islice(numbered, Asker.WINDOW)):
        wires = [wire_query(number, question) for number, question in batch]
        asker.send(wires)
        for (_, question), answer in zip(batch, asker.collect(wires)):
            if answer is None or answer[3] & 0xf == dns.rcode.SERVFAIL:
                yield question


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

    direct = functools.lru_cache(maxsize=None)(signet.query)
    asker = Asker(resolver)
    questions = [(owner, rdtype, True, 4096)
                 for owner, rdtype, _, _ in nasty.questions(count, seed=f"u{denial}")
                 if can_be_validated(owner, rdtype, direct)]
    apart = [question for question in questions if is_led_astray(question, direct)]
    bogus = list(not_validated(asker, (question for question in questions
                                       if not is_led_astray(question, direct))))
    time.sleep(1.1)  # a span of time on purpose: now Unbound holds no CNAME
    bogus += not_validated(asker, apart)
    figures.note(f"{denial}: Unbound validated {len(questions) - len(bogus)} of {count}; the other "
                 f"{count - len(questions)} have nothing to validate")
    assert not bogus, f"{len(bogus)}: {bogus[:20]}\n{resolver.log()[-3000:]}"
