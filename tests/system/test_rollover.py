"""Keys roll by themselves, with a policy whose durations are seconds."""

import dns.dnssec
import dns.rdatatype
import pytest
from support.judges import assert_zone_validates
from support.material import small_zone
from support.waiting import wait_until

ZONE = "example.test."
TIMES = """
    dnskey-ttl PT1S; max-zone-ttl PT2S; zone-propagation-delay PT1S; publish-safety PT1S;
    retire-safety PT1S; signatures-validity PT12S; signatures-refresh PT8S; signatures-jitter PT0S;
    signatures-validity-dnskey PT12S; parent-ds-ttl PT1S; parent-propagation-delay PT1S;
    purge-keys PT4S;
"""


def policy(name, keys):
    return f'dnssec-policy "{name}" {{ keys {{ {keys} }}; {TIMES} }};\n'


def short_zone():
    return small_zone(ZONE).replace("$TTL 3600", "$TTL 2")


def dnskey_tags(server):
    found = server.answers_with(ZONE, "DNSKEY")
    return {dns.dnssec.key_id(rdata) for rdata in found} if found else set()


def signer_tags(server, rdtype="SOA"):
    response = server.query(ZONE, rdtype)
    return {rdata.key_tag for rrset in response.answer
            if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset}


def zsk_tags(server):
    found = server.answers_with(ZONE, "DNSKEY")
    return {dns.dnssec.key_id(rdata) for rdata in found if rdata.flags == 256} if found else set()


def checkds(server, what):
    """The parent has done what was asked for."""
    def told():
        done = server.rndc("dnssec", "-checkds", what, ZONE)
        return done if done.returncode == 0 else None
    return wait_until(told, 30, f"DS {what}")


def test_zsk_rolls_at_the_end_of_its_life(make_signet, tmp_path):
    signet = make_signet(extra=policy("fast", "ksk lifetime unlimited algorithm 13; "
                                              "zsk lifetime PT15S algorithm 13;"))
    signet.add_zone(ZONE, short_zone(), policy="fast")
    signet.start()
    signet.wait_until_signed(ZONE)
    first = zsk_tags(signet)
    assert len(first) == 1
    checkds(signet, "published")
    wait_until(lambda: len(zsk_tags(signet)) == 2, 40, "a successor")
    assert signer_tags(signet) == first, "published before it signs"
    second = zsk_tags(signet) - first
    wait_until(lambda: signer_tags(signet) == second, 20, "the successor signs")
    assert first < zsk_tags(signet), "what caches hold can still be verified"
    wait_until(lambda: zsk_tags(signet) == second, 40, "the old key is gone")
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))
    wait_until(lambda: not list(signet.folder.glob(f"K*+{min(first):05}.*")), 20, "purged")
