"""`checkds-validate`: what a parental agent says of the DS counts only if signatures prove it."""

import re
import subprocess

import pytest
from support.peers import Bind, Knot, Unbound
from support.ports import free_port
from support.server import HOST
from support.waiting import wait_until
from test_parent import (CHILD, PARENT, POLICY, RETRY, ROLLS, SEEN, Parent, agents_of, ds_of,
                         ds_of_key, ds_tags, ksk_tags, roll, wait_for_status)

ZONE = "example.test."


class SignedParent(Parent):
    """`test.`, signed by dnssec-signzone with a key of its own; `denial`, `times`: more words for that."""

    def __init__(self, kind, folder, denial=(), **options):
        self.folder, self.denial, self.times = folder, denial, ()
        folder.mkdir(parents=True)
        self.name = self.run("dnssec-keygen", "-q", "-a", "13", "-f", "KSK", "test.").strip()
        self.path = folder / "signed"
        self.address, self.serial = HOST, 0
        self.write("")
        self.server = kind(folder / kind.name, zones=[("test.", self.path)], **options)

    def run(self, *words):
        return subprocess.run(words, cwd=self.folder, check=True, capture_output=True,
                              text=True).stdout

    def anchor(self):
        """Its DS as a trust anchor."""
        words = self.run("dnssec-dsfromkey", "-2", self.name).split()
        return f'"test." static-ds {" ".join(words[3:6])} "{"".join(words[6:])}";'

    def write(self, ds):
        self.serial += 1
        key = (self.folder / f"{self.name}.key").read_text()
        text = PARENT.format(serial=self.serial, ds=ds, address=self.address)
        (self.folder / "zone").write_text(text + key)
        self.run("dnssec-signzone", "-z", "-P", "-q", *self.times, *self.denial, "-o", "test.",
                 "-f", "signed", "zone")


def start_child(make_signet, anchor, agents, policy=POLICY, statements=""):
    signet = make_signet(extra=f"trust-anchors {{ {anchor} }};\n{policy}")
    signet.add_zone(ZONE, CHILD, policy=re.search('"(.*?)"', policy)[1],
                    statements=f"parental-agents {{ {agents} }}; {RETRY} checkds-validate yes; "
                               + statements)
    signet.start()
    signet.wait_until_signed(ZONE)
    return signet


@pytest.mark.parametrize("kind, denial", [(Bind, ()), (Knot, ("-3", "ab", "-H", "2"))])
def test_a_ksk_rolls_by_answers_that_are_proven(make_signet, run_server, tmp_path, kind, denial):
    parent = SignedParent(kind, tmp_path / "parent", denial)
    run_server(parent.server)
    signet = start_child(make_signet, parent.anchor(), agents_of(parent), ROLLS)
    old, = ksk_tags(signet)
    wait_for_status(signet, f"parental agent {HOST}#{parent.port} has no DS, not what is waited")
    parent.show(ds_of_key(signet, old))
    signet.wait_for_log(f"{SEEN}{old} seen published")
    new = roll(signet, old)
    parent.show(ds_of_key(signet, old) + ds_of_key(signet, new))
    signet.wait_for_log(f"{SEEN}{new} seen published")
    parent.show(ds_of_key(signet, new))
    signet.wait_for_log(f"{SEEN}{old} seen withdrawn")
    wait_until(lambda: ksk_tags(signet) == {new}, 60, "the old key is gone")
    assert ds_tags(parent.server) == {new}
    assert "is not believed" not in signet.log()


def test_a_forged_ds_is_not_believed(make_signet, run_server, tmp_path):
    parent = SignedParent(Bind, tmp_path / "parent")
    run_server(parent.server)
    forger = Parent(Knot, tmp_path / "forger")  # not signed
    run_server(forger.server)
    stranger = SignedParent(Bind, tmp_path / "stranger")  # signed by another key
    run_server(stranger.server)
    signet = start_child(make_signet, parent.anchor(), agents_of(parent, forger, stranger))
    for each in (parent, forger, stranger):
        each.show(ds_of(signet))
    not_believed = "is not believed, its answer does not validate"
    wait_for_status(signet, f"{HOST}#{parent.port} has DS records, as it should be")
    wait_for_status(signet, f"{HOST}#{forger.port} {not_believed} "
                            f"(the DS of {ZONE}: the answer is not signed)")
    wait_for_status(signet, f"{HOST}#{stranger.port} {not_believed} "
                            "(the DNSKEY of test.: none is a trust anchor)")
    assert re.search(rf"^parent: +parental agent {HOST}#{forger.port} {not_believed} \(the DS of ",
                     signet.rndc("dnssec", "-status", ZONE).stdout, re.MULTILINE)
    rounds = [line for line in signet.log().splitlines() if "is not believed" in line]
    assert len(rounds) == 2, "told once of each, however often they are asked"
    assert SEEN not in signet.log()


def test_an_absence_that_is_not_proven_is_none(make_signet, run_server, tmp_path):
    """A key whose DS was there is not let go because somebody says, unsigned, that it has gone."""
    parent = SignedParent(Bind, tmp_path / "parent")
    run_server(parent.server)
    signet = start_child(make_signet, parent.anchor(), agents_of(parent))
    parent.show(ds_of(signet))
    signet.wait_for_log(SEEN)
    text = PARENT.format(serial=parent.serial + 1, ds="", address=HOST)
    parent.path.write_text(text)  # no signatures
    parent.server.reload()
    wait_until(lambda: not parent.server.answers_with(ZONE, "DS"), 20, "no DS")
    wait_for_status(signet, f"(the DS of {ZONE}: the answer is not signed)")
    assert "the parent has turned back" not in signet.log()
    parent.serial += 1
    parent.show("")
    signet.wait_for_log("the parent has turned back: the DS of key")


def test_expired_signatures_prove_nothing(make_signet, run_server, tmp_path):
    parent = SignedParent(Bind, tmp_path / "parent")
    run_server(parent.server)
    signet = start_child(make_signet, parent.anchor(), agents_of(parent))
    parent.times = ("-s", "20200101000000", "-e", "20200201000000")
    parent.show(ds_of(signet))
    wait_for_status(signet, "(the DNSKEY of test.: its signature has expired)")
    assert SEEN not in signet.log()
    parent.times = ()
    parent.show(ds_of(signet))
    signet.wait_for_log(SEEN)


def test_a_resolver_that_cannot_be_asked_is_told(make_signet, run_server, tmp_path):
    """The anchor is the root's: the parent's DS has to be asked of a resolver."""
    parent = SignedParent(Bind, tmp_path / "parent")
    run_server(parent.server)
    anchor = parent.anchor().replace('"test."', '"."')
    signet = start_child(make_signet, anchor, agents_of(parent),
                         statements=f"parent-resolvers port {free_port()} {{ {HOST}; }};")
    parent.show(ds_of(signet))
    wait_for_status(signet, "is not believed, its answer does not validate (the DS of test.: ")
    assert SEEN not in signet.log()


def test_a_resolver_as_agent_is_proven_by_its_answers(make_signet, run_server, tmp_path):
    parent = SignedParent(Bind, tmp_path / "parent")
    run_server(parent.server)
    resolver = Unbound(tmp_path / "resolver", parent.server, [("test.", "")])
    run_server(resolver)
    signet = start_child(make_signet, parent.anchor(), f"{HOST} port {resolver.port};")
    wait_for_status(signet, f"parental agent {HOST}#{resolver.port} ")
    parent.show(ds_of(signet))
    signet.wait_for_log(SEEN)
