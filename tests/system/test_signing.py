"""A zone file and a policy become a zone that every judge accepts (RFC 4034, 4035, 5155)."""

import time

import pytest
from support import figures
from support.judges import assert_zone_validates
from support.material import generated, gov_days, small_zone

POLICIES = """
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm 13; };
                        nsec3param iterations 0 optout no salt-length 8; };
dnssec-policy "optout" { keys { csk lifetime unlimited algorithm 13; };
                         nsec3param iterations 0 optout yes salt-length 0; };
dnssec-policy "split" { keys { ksk lifetime unlimited algorithm 13;
                               zsk lifetime unlimited algorithm 13; }; };
dnssec-policy "two" { keys { csk lifetime unlimited algorithm 13;
                             csk lifetime unlimited algorithm 15; }; };
dnssec-policy "rsa" { keys { ksk lifetime unlimited algorithm rsasha256 2048;
                             zsk lifetime unlimited algorithm rsasha256 2048; }; };
dnssec-policy "p384" { keys { csk lifetime unlimited algorithm 14; }; };
dnssec-policy "ed448" { keys { csk lifetime unlimited algorithm 16; }; };
"""
DENIAL = ["nsec", "nsec3", "optout"]


def signed_file(signet, zone, text, policy, path, within_s=120):
    signet.extra = POLICIES
    signet.add_zone(zone, text, policy=policy)
    signet.start()
    signet.wait_until_signed(zone, within_s=within_s)
    return signet.axfr(zone, path)


@pytest.mark.parametrize("policy", ["default", *DENIAL, "split", "two", "rsa", "p384", "ed448"])
def test_small_zone_validates_with_every_policy(signet, tmp_path, policy):
    path = signed_file(signet, "example.test.", small_zone(), policy, tmp_path / "signed")
    assert_zone_validates("example.test.", path, algorithms=2 if policy == "two" else 1)


@pytest.mark.parametrize("policy", DENIAL)
@pytest.mark.parametrize("kind", ["flat", "tld"])
def test_generated_zone_validates(signet, tmp_path, kind, policy):
    text = generated(kind, 3000, "big.test.")
    path = signed_file(signet, "big.test.", text, policy, tmp_path / "signed")
    assert_zone_validates("big.test.", path)


@pytest.mark.parametrize("policy", DENIAL)
def test_real_zone_validates_each_day(make_signet, tmp_path, request, policy):
    count = 40 if request.config.getoption("--long") else 1
    for day in gov_days(tmp_path / "days", count):
        signet = make_signet(day.stem)
        path = signed_file(signet, "gov.", day.read_text(), policy, tmp_path / f"{day.stem}.signed")
        assert_zone_validates("gov.", path)
        signet.stop()


@pytest.mark.long
@pytest.mark.parametrize("policy", DENIAL)
def test_a_million_names_validate(signet, tmp_path, policy):
    text = generated("flat", 1000000, "million.test.")
    begin = time.monotonic()
    path = signed_file(signet, "million.test.", text, policy, tmp_path / f"million-{policy}",
                       within_s=1800)
    signet.stop()
    figures.note(f"million-{policy}: signed and transferred in {time.monotonic() - begin:.0f} s, "
                 f"{path.stat().st_size >> 20} MB of text")
    assert_zone_validates("million.test.", path, within_s=7200)


def test_restart_keeps_the_keys(signet):
    signet.add_zone("example.test.", small_zone(), policy="default")
    signet.start()
    signet.wait_until_signed("example.test.")
    before = {rdata.to_text() for rdata in signet.answers_with("example.test.", "DNSKEY")}
    assert signet.terminate() == 0
    signet.start()
    signet.wait_until_signed("example.test.")
    assert {rdata.to_text() for rdata in signet.answers_with("example.test.", "DNSKEY")} == before
