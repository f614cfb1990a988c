"""Everything at once: queries, updates, reloads, AXFR, IXFR, slow and hostile TCP clients; nothing
is lost, nothing is refused, and memory and open files stay what they are. An hour with --long."""

import statistics
import time

import dns.zone
import pytest

from support import figures
from support.contents import Contents
from support.judges import assert_zone_validates
from support.load import (Editor, Follower, Footprint, Hostile, Questions, SlowReader, Transfers,
                          fetch)
from support.material import small_zone
from support.updates import Crowd
from support.waiting import wait_until

pytestmark = pytest.mark.slow
SEED = 20261128
ZONES = {"one.test.": "nsec", "two.test.": "nsec3"}
STATIC = "files.test."
LARGE = "large.test."
POLICIES = """
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm 13; };
                        nsec3param iterations 0 optout no salt-length 4; };
"""
OPTIONS = "max-journal-size 1m; tcp-clients 60; tcp-idle-timeout 50;"


def flat(name, names):
    head = f"$ORIGIN {name}\n@ 300 SOA ns hostmaster 1 7200 900 1209600 300\n@ 300 NS ns\n"
    return head + "".join(f"n{i} A 192.0.2.{i % 250}\n" for i in range(names)) + "ns A 192.0.2.1\n"


def quarter(values, which):
    size = len(values) // 4
    return statistics.median(values[which * size:(which + 1) * size])


@pytest.fixture
def seconds(request):
    return 3600 if request.config.getoption("--long") else 25


def test_mixed_load(make_signet, tmp_path, seconds):
    server = make_signet(options=OPTIONS, extra=POLICIES)
    for zone, policy in ZONES.items():
        server.add_zone(zone, small_zone(zone), policy=policy, statements="allow-update { any; };")
    path = server.add_zone(STATIC, flat(STATIC, 300), policy="nsec")
    server.add_zone(LARGE, flat(LARGE, 5000), policy="nsec")
    server.start()
    names = [*ZONES, STATIC, LARGE]
    for zone in names:
        server.wait_until_signed(zone)

    questions = [(f"{owner}.{zone}", rdtype) for zone in ZONES
                 for owner in ("www", "a.wild", "nothing", "x.secure") for rdtype in ("A", "TXT")]
    questions += [(f"n{i}.{zone}", "A") for zone in (STATIC, LARGE) for i in range(0, 300, 7)]
    asking = Questions(server, questions, tmp_path / "questions", seconds, 2000)
    crowd = Crowd(server, list(ZONES), 3, SEED).start()
    followers = {zone: Follower(server, zone) for zone in [*ZONES, STATIC]}
    footprint = Footprint(server)
    actors = [Editor(server, STATIC, path), Transfers(server, names), footprint,
              *(SlowReader(server, LARGE, seed) for seed in range(4)),
              *(Hostile(server, seed) for seed in range(4)), *followers.values()]
    for actor in actors:
        actor.start()
    time.sleep(seconds)
    crowd.stop()
    for actor in actors:
        actor.stop()
    sent, lost, rcodes = asking.stop()

    assert set(crowd.rcodes) == {"NOERROR"}, crowd.rcodes
    assert set(rcodes) == {"NOERROR", "NXDOMAIN"}, rcodes
    assert lost <= sent // 1000, f"{lost} of {sent} questions are lost"
    wait_until(lambda: server.serial(STATIC) is not None, what="the last reload")
    for zone in names:
        fresh = server.axfr(zone, tmp_path / zone)
        assert_zone_validates(zone, fresh)
        if zone in ZONES:
            crowd.assert_kept(zone, Contents(fresh))
    for zone, follower in followers.items():
        whole = dns.zone.Zone(zone, relativize=False)
        fetch(server, whole)
        assert follower.is_like(whole), f"{zone}: IXFR has led elsewhere"
    wrong = [line for line in server.log().splitlines() if " error: " in line]
    assert not wrong, wrong[:10]
    assert max(footprint.files) < 200, max(footprint.files)
    before, after = quarter(footprint.kilobytes, 1), quarter(footprint.kilobytes, 3)
    assert after < 1.1 * before + 4096, f"memory grew from {before} to {after} kB"
    steps = ", ".join(f"{actor.steps} {type(actor).__name__}" for actor in actors[:3])
    figures.note(f"mixed load, {seconds} s: {sent} questions, {lost} lost, {crowd.acknowledged} "
                 f"updates, {steps}; {before:.0f} kB in the second quarter, {after:.0f} in the "
                 f"last")
