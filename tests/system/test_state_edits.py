"""Edits of .state files by dnssec-settime: what would break the chain of trust is not carried out."""

import re
import subprocess

import dns.dnssec
import pytest
from support.judges import assert_zone_validates
from support.material import small_zone

ZONE = "edits.test."
POLICY = """dnssec-policy "p" {
    keys { ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13; }; };
"""
LONG_AGO = "20240101000000"


def settime(folder, name, *words):
    subprocess.run(["dnssec-settime", "-s", *words, name], cwd=folder, check=True, capture_output=True)


def state(folder, name):
    return dict(re.findall(r"^(\w+): (\S+)", (folder / f"{name}.state").read_text(), re.MULTILINE))


@pytest.fixture
def settled(make_signet, tmp_path):
    """The server, and the names of its KSK and ZSK: all is known to all caches, the DS as well."""
    signet = make_signet(extra=POLICY)
    signet.add_zone(ZONE, small_zone(ZONE), policy="p", statements="checkds no;")
    (tmp_path / "policy").write_text(POLICY)
    names = subprocess.run(["dnssec-keygen", "-q", "-k", "p", "-l", tmp_path / "policy", ZONE], cwd=signet.folder,
                           check=True, capture_output=True, text=True).stdout.split()
    names.sort(key=lambda name: state(signet.folder, name)["KSK"] == "no")
    for name, letters in zip(names, ("kdr", "kz")):
        records = [word for letter in letters for word in (f"-{letter}", "OMNIPRESENT", LONG_AGO)]
        settime(signet.folder, name, "-P", LONG_AGO, "-A", LONG_AGO, "-g", "OMNIPRESENT", *records)
    signet.start()
    signet.wait_until_signed(ZONE)
    return signet, *names


def tag(name):
    return int(name[-5:])


def look(signet):
    assert signet.rndc("loadkeys", ZONE).returncode == 0
    return signet.rndc("dnssec", "-status", ZONE).stdout  # It waits until keys were looked at.


def served(signet):
    return {dns.dnssec.key_id(rdata) for rdata in signet.answers_with(ZONE, "DNSKEY")}


@pytest.mark.parametrize("words", [("-g", "HIDDEN"), ("-g", "HIDDEN", "-k", "HIDDEN", "now"),
                                   ("-g", "HIDDEN", "-k", "HIDDEN", "now", "-r", "HIDDEN", "now", "-d", "HIDDEN", "now")])
def test_a_key_that_is_told_to_leave_is_followed(settled, tmp_path, words):
    signet, ksk, zsk = settled
    settime(signet.folder, ksk, *words)
    status = look(signet)
    now = state(signet.folder, ksk)
    assert (now["DNSKEYState"], now["KRRSIGState"], now["DSState"]) == ("omnipresent",) * 3
    assert now["GoalState"] == "hidden" and int(now["Successor"]) in served(signet)
    assert served(signet) == {tag(ksk), tag(zsk), int(now["Successor"])}
    assert "tells it to leave: it does once its successor has taken over" in signet.log()
    if len(words) > 2:
        assert "says that it is withdrawn (DNSKEY" in signet.log()
    assert re.search(rf"^key: {tag(ksk)} .*?^  in short: +signs DNSKEY; ", status, re.MULTILINE | re.DOTALL)
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


@pytest.mark.parametrize("which, letter, record", [("ksk", "-k", "DNSKEY"), ("ksk", "-r", "KRRSIG"),
                                                   ("zsk", "-z", "ZRRSIG"), ("zsk", "-k", "DNSKEY")])
def test_a_record_of_a_key_that_stays_is_not_withdrawn(settled, tmp_path, which, letter, record):
    signet, ksk, zsk = settled
    name = ksk if which == "ksk" else zsk
    settime(signet.folder, name, letter, "HIDDEN", "now")
    look(signet)
    assert state(signet.folder, name)[f"{record}State"] == "omnipresent"
    assert served(signet) == {tag(ksk), tag(zsk)}
    assert f"says that it is withdrawn ({record}), and it is not" in signet.log()
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))
