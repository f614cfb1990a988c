"""kill -9 at any moment loses no acknowledged change, lowers no serial, makes no key twice and
costs no signature (RFC 2136 3.5: NOERROR promises stable storage)."""

import random
import signal
import threading
import time

import dns.exception
import pytest

from support import figures
from support.contents import Contents
from support.judges import assert_zone_validates, dnssec_verify, ldns_verify_zone
from support.material import generated, small_zone
from support.updates import Crowd
from support.waiting import wait_until

POLICIES = """
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { ksk lifetime unlimited algorithm 13 tag-range 32768 65535;
                               zsk lifetime unlimited algorithm 13 tag-range 0 32767; };
                        nsec3param iterations 0 optout no salt-length 4; };
"""
ZONES = {"one.test.": "nsec", "two.test.": "nsec3", "three.test.": "nsec"}
DYNAMIC = "allow-update { any; };"
DENIAL = pytest.mark.parametrize("policy", ["nsec", "nsec3"])
SEED = 20261127


@pytest.fixture
def rounds(request):
    return 200 if request.config.getoption("--long") else 20


def key_files(server):
    """What each key file of the folder holds that may never change."""
    return {path.name: path.read_bytes() for path in server.folder.glob("K*.private")}


class SerialWatch(threading.Thread):
    """Asks for the serials all the time: they rise or stay."""

    def __init__(self, server, zones):
        super().__init__(daemon=True)
        self.server = server
        self.highest = dict.fromkeys(zones, 0)
        self.fallen = []
        self.ending = threading.Event()

    def run(self):
        while not self.ending.wait(0.01):
            for zone in self.highest:
                try:
                    answer = self.server.query(zone, "SOA", timeout=0.5).answer
                except (OSError, EOFError, dns.exception.DNSException):
                    continue
                for rrset in answer:
                    if rrset.rdtype == dns.rdatatype.SOA:
                        self.see(zone, rrset[0].serial)

    def see(self, zone, serial):
        if serial < self.highest[zone]:
            self.fallen.append(f"{zone}: {serial} after {self.highest[zone]}")
        self.highest[zone] = max(self.highest[zone], serial)


@pytest.fixture
def watch():
    """A SerialWatch over a server's zones, which must never have seen one fall."""
    watching = []

    def begin(server, zones):
        watching.append(SerialWatch(server, zones))
        watching[-1].start()
        return watching[-1]

    yield begin
    for each in watching:
        each.ending.set()
        each.join(10)
        assert not each.fallen, each.fallen


def restart(server, zones):
    """Killed before, or killed now; until all zones are served signed."""
    if server.is_running():
        server.kill()
    server.start()
    for zone in zones:
        server.wait_until_signed(zone)


def signatures_made(log):
    """Numbers of the lines that say what a version cost."""
    return [int(line.split("signatures=")[1].split()[0])
            for line in log.splitlines() if " published: " in line]


def assert_costs_nothing(server, zones, before, folder):
    """Start once more: byte for byte the same zone, and the log tells of no signature."""
    begin = len(server.log())
    restart(server, zones)
    for zone in zones:
        again = Contents(server.axfr(zone, folder / f"{zone}again"))
        assert set(again.lines.values()) == set(before[zone].lines.values()), f"{zone} changed"
    made = signatures_made(server.log()[begin:])
    assert made and not any(made), f"a restart signed: {made}"


def judge(server, zone, path):
    ldns_verify_zone(path, 120)
    dnssec_verify(zone, path, 120)


# --- the stream of updates ------------------------------------------------------------------------

def test_no_kill_loses_an_acknowledged_update(signet, tmp_path, rounds, watch):
    chance = random.Random(SEED)
    signet.extra = POLICIES
    for zone, policy in ZONES.items():
        signet.add_zone(zone, small_zone(zone), policy=policy, statements=DYNAMIC)
    restart(signet, ZONES)
    keys = key_files(signet)
    watching = watch(signet, ZONES)
    crowd = Crowd(signet, list(ZONES), 6, SEED)
    contents = {zone: Contents(signet.axfr(zone, tmp_path / zone)) for zone in ZONES}
    assert len(keys) == 4, keys

    for number in range(rounds):
        acknowledged = crowd.acknowledged
        crowd.start()
        wait_until(lambda: crowd.acknowledged > acknowledged, 30, "updates are taken")
        time.sleep(chance.uniform(0.0, 1.0))  # the moment of the kill
        signet.kill()
        crowd.stop()
        restart(signet, ZONES)
        for zone in ZONES:
            path = signet.axfr(zone, tmp_path / zone)
            fresh = Contents(path)
            crowd.assert_kept(zone, fresh)
            watching.see(zone, fresh.serial)
            anew = fresh.signed_anew_since(contents[zone], lambda owner: owner.startswith("c"))
            assert not anew, f"round {number}: {zone}: signed anew: {anew[:5]}"
            contents[zone] = fresh
            if number % 5 == 4 or number == rounds - 1:
                judge(signet, zone, path)
        assert key_files(signet) == keys, "a key was made twice"
        if number % 4 == 0:
            assert_costs_nothing(signet, ZONES, contents, tmp_path)

    assert set(crowd.rcodes) == {"NOERROR"}, crowd.rcodes
    figures.note(f"kill -9: {rounds} times, {crowd.acknowledged} updates acknowledged, all kept")
