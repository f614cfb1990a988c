"""What watchers of logs look for: a roll tells each of its steps in BIND's words, in their order."""

import re

import pytest
from support.material import small_zone
from support.waiting import wait_until
from test_keys_status import FAST, ZONE, make_keys

ROLES = "ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;"


@pytest.fixture
def rolling(make_signet):
    policy = FAST.replace("csk lifetime unlimited algorithm 13;", ROLES)
    assert policy != FAST
    signet = make_signet(extra=policy)
    signet.add_zone(ZONE, small_zone(f"{ZONE}.").replace("$TTL 3600", "$TTL 2"), policy="p")
    make_keys(signet.folder, policy, ds="OMNIPRESENT")
    signet.start()
    signet.wait_until_signed(ZONE)
    return signet


def tag_of(server, role):
    status = server.rndc("dnssec", "-status", ZONE).stdout
    (tag,) = re.findall(rf"^key: (\d+) \(ECDSAP256SHA256\), {role}$", status, re.MULTILINE)
    return tag


def assert_in_order(log, patterns):
    at = 0
    for pattern in patterns:
        found = re.compile(pattern).search(log, at)
        assert found, f"{pattern!r} is not in, behind what came before: {log[at:]}"
        at = found.end()


def key(tag, role):
    return rf"{re.escape(ZONE)}/ECDSAP256SHA256/{tag} \({role}\)"


def test_a_zsk_roll_tells_of_its_steps(rolling):
    log = rolling.log()
    old = tag_of(rolling, "ZSK")
    for role in ("KSK", "ZSK"):
        assert re.search(rf"zone {re.escape(ZONE)}/IN: Fetching {key(tag_of(rolling, role), role)} "
                         r"from key repository\.", log), log
    assert rolling.rndc("dnssec", "-rollover", "-key", old, ZONE).returncode == 0
    wait_until(lambda: "purge DNSKEY" in rolling.log(), 60, "the old key is purged")
    log = rolling.log()
    (new,) = re.findall(rf"keymgr: DNSKEY {key('([0-9]+)', 'ZSK')} created for policy p", log)
    assert_in_order(log, [
        "reconfiguring zone keys",
        rf"created for policy p\n(.*\n)*?.*DNSKEY {key(new, 'ZSK')} is now published",
        rf"keymgr: retire DNSKEY {key(old, 'ZSK')}|DNSKEY {key(new, 'ZSK')} is now active",
        rf"DNSKEY {key(old, 'ZSK')} is now deleted",
        rf"keymgr: purge DNSKEY {key(old, 'ZSK')}: its files are removed"])
    for line in (rf"DNSKEY {key(new, 'ZSK')} is now active", rf"DNSKEY {key(old, 'ZSK')} is now inactive",
                 rf"keymgr: retire DNSKEY {key(old, 'ZSK')}",
                 r"next key event: \d\d-\w{3}-\d{4} \d\d:\d\d:\d\d\.\d{3}"):
        assert re.search(line, log), (line, log)
    assert len(re.findall("reconfiguring zone keys", log)) < 15, "a look that finds nothing is not told at this level"


def test_a_ksk_roll_tells_of_its_steps(rolling):
    old = tag_of(rolling, "KSK")
    assert rolling.rndc("dnssec", "-rollover", "-key", old, ZONE).returncode == 0
    wait_until(lambda: f"CDS (SHA-256) for key {ZONE}/ECDSAP256SHA256/{old} is now deleted" in rolling.log(), 60,
               "the CDS of the new key alone")
    (new,) = re.findall(rf"keymgr: DNSKEY {key('([0-9]+)', 'KSK')} created for policy p", rolling.log())
    for program, tag, what in (("rndc", new, "published"), ("signet", old, "withdrawn")):
        done = rolling.rndc("dnssec", "-checkds", "-key", tag, "-alg", "13", "-when", "now", what, ZONE,
                            program=program)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(rf"KSK {tag}: Marked DS as {what} since \d\d-\w{{3}}-\d{{4}} \d\d:\d\d:\d\d\.000\n",
                            done.stdout)
        status = rolling.rndc("dnssec", "-status", ZONE).stdout
        assert re.search(rf"key: {tag} .*\n(  .*\n)*?  ds at parent:   not seen; said to be {what} since \w{{3}} ", status), status
    wait_until(lambda: f"purge DNSKEY {ZONE}/ECDSAP256SHA256/{old}" in rolling.log(), 60, "the old key is purged")
    cds = rf"for key {re.escape(ZONE)}/ECDSAP256SHA256/"
    assert_in_order(rolling.log(), [
        rf"DNSKEY {key(new, 'KSK')} is now published", rf"CDS \(SHA-256\) {cds}{new} is now published|"
        rf"CDS \(SHA-256\) {cds}{old} is now deleted", rf"DNSKEY {key(old, 'KSK')} is now deleted",
        rf"keymgr: purge DNSKEY {key(old, 'KSK')}"])
    for line in (rf"CDNSKEY {cds}{new} is now published", rf"CDNSKEY {cds}{old} is now deleted",
                 rf"DNSKEY {key(new, 'KSK')} is now active", rf"DNSKEY {key(old, 'KSK')} is now inactive"):
        assert re.search(line, rolling.log()), line
