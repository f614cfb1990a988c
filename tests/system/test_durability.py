"""kill -9 at any moment loses no acknowledged change, lowers no serial, makes no key twice and
costs no signature (RFC 2136 3.5: NOERROR promises stable storage)."""

import random
import signal
import threading
import time

import dns.exception
import dns.rcode
import pytest

from support import figures
from support.contents import Contents
from support.disk_faults import (DIE_AFTER, DIE_BEFORE, FAULTS, FOR_EVER, LASTING, DiskFaults)
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
pytestmark = pytest.mark.slow
SEED = 20261127


@pytest.fixture
def rounds(request):
    return 200 if request.config.getoption("--long") else 20


def key_files(server):
    """What each key file of the folder holds that may never change."""
    return {path.name: path.read_bytes() for path in server.folder.glob("K*.private")}


WAITS = (b"Publish: ", b"Activate: ", b"SyncPublish: ")


def but_waits(key_file):
    """What is waited for counts from the first signed version, which may come only after the
    restart."""
    return [line for line in key_file.splitlines() if not line.startswith(WAITS)]


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


# --- killed at each single write ------------------------------------------------------------------

def steps(request, most, sample):
    """Numbers of writes: all of them with --long, else a sample spread over the whole."""
    if request.config.getoption("--long") or most <= sample:
        return range(1, most + 1)
    return sorted({1 + round(i * (most - 1) / (sample - 1)) for i in range(sample)})


def wait_until_dead(server, within_s=60):
    wait_until(lambda: not server.is_running(), within_s, "the server dies of the fault")
    assert server.process.returncode == -signal.SIGKILL, server.log()[-3000:]


@DENIAL
def test_a_first_signing_is_cut_off_at_each_write(make_signet, tmp_path, request, policy):
    """Keys are made and a zone signed for the first time: no key twice, no half of anything."""
    faults = DiskFaults(tmp_path)

    def begin(name):
        server = make_signet(name)
        server.extra = POLICIES
        server.add_zone("one.test.", small_zone("one.test."), policy=policy, statements=DYNAMIC)
        return server

    faults.disarm()
    whole = begin("whole")
    whole.start(environment=faults.environment)
    whole.wait_until_signed("one.test.")
    whole.terminate()
    calls = faults.calls
    key_count = len(key_files(whole))
    assert calls > 10 and key_count == (1 if policy == "nsec" else 2)

    for number in steps(request, calls - 1, 12):
        server = begin(f"at{number}")
        faults.arm(number, DIE_AFTER if number % 2 else DIE_BEFORE)
        server.start(ready=False, environment=faults.environment)
        if server.is_running():
            wait_until(lambda: faults.fired or not server.is_running()
                       or "zones loaded" in server.log(), 60, "it dies or has loaded")
            if not faults.fired:
                server.terminate()  # fewer writes than last time: it dies as it stops
                if not faults.fired:  # or writes even less: only its last ones may fall away
                    assert number > calls * 3 // 4, f"{faults.calls} writes, not {calls}"
                    continue
        wait_until_dead(server)
        faults.disarm()
        there = key_files(server)
        server.start()
        server.wait_until_signed("one.test.")
        keys = key_files(server)
        assert len(keys) == key_count, f"at write {number}: a key was made twice: {list(keys)}"
        assert all(but_waits(keys[name]) == but_waits(there[name]) for name in there), \
            f"at write {number}"
        judge(server, "one.test.", server.axfr("one.test.", tmp_path / "signed"))
        server.stop()


def test_updates_are_cut_off_at_each_write(signet, tmp_path, request):
    """Also while the image of a large zone is written, which its changes have earned."""
    faults = DiskFaults(tmp_path)
    zones = {"one.test.": "nsec", "two.test.": "nsec3", "big.test.": "nsec"}
    signet.extra = POLICIES
    for zone, policy in zones.items():
        text = generated("flat", 1000, zone) if zone == "big.test." else small_zone(zone)
        signet.add_zone(zone, text, policy=policy, statements=DYNAMIC)
    restart(signet, zones)
    small = Crowd(signet, ["one.test.", "two.test."], 2, SEED)
    large = Crowd(signet, ["big.test."], 1, SEED, burst=120)
    images = set()

    for number in steps(request, 60, 15):
        images |= {path.name for path in (signet.folder / "signet-store/images").iterdir()}
        signet.kill()
        signet.start(environment=faults.environment)
        for zone in zones:
            signet.wait_until_signed(zone)
        faults.arm(number * 3, DIE_AFTER if number % 2 else DIE_BEFORE)
        small.start()
        large.start()
        wait_until_dead(signet)
        small.stop()
        large.stop()
        faults.disarm()
        restart(signet, zones)
        for zone in zones:
            path = signet.axfr(zone, tmp_path / zone)
            (large if zone == "big.test." else small).assert_kept(zone, Contents(path))
            if number % 4 == 1:
                judge(signet, zone, path)
    assert len(images) > 1, f"no image but the first was written to a file: {images}"
    assert set(small.rcodes + large.rcodes) == {"NOERROR"}


@DENIAL
def test_a_reload_is_cut_off_at_each_write(signet, tmp_path, request, policy):
    """After the next start the zone is what its file says, with a serial above all before."""
    faults = DiskFaults(tmp_path)
    signet.extra = POLICIES
    path = signet.add_zone("one.test.", small_zone("one.test."), policy=policy)
    restart(signet, ["one.test."])
    keys = key_files(signet)
    contents = Contents(signet.axfr("one.test.", tmp_path / "signed"))
    most = 8

    for number in steps(request, most, most):
        signet.kill()
        signet.start(environment=faults.environment)
        signet.wait_until_signed("one.test.")
        path.write_text(small_zone("one.test.") + f"added{number} IN A 192.0.2.{number}\n")
        faults.arm(number, DIE_AFTER if number % 2 else DIE_BEFORE)
        signet.rndc("reload", "one.test.")
        wait_until(lambda: not signet.is_running() or f"published: serial={contents.serial + 1} "
                   in signet.log(), 30, "dead, or the reload needs fewer writes")
        faults.disarm()
        restart(signet, ["one.test."])
        wait_until(lambda: signet.answers_with(f"added{number}.one.test.", "A"), 30, "the new file")
        signed = signet.axfr("one.test.", tmp_path / "signed")
        judge(signet, "one.test.", signed)
        fresh = Contents(signed)
        assert fresh.serial > contents.serial
        assert not fresh.signed_anew_since(contents)
        assert key_files(signet) == keys
        contents = fresh


# --- a disk that fails ----------------------------------------------------------------------------

@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_write_loses_nothing(signet, tmp_path, request, fault):
    """The n-th write or sync fails: SERVFAIL at most, and all is well a second later."""
    faults = DiskFaults(tmp_path)
    zones = {"one.test.": "nsec", "two.test.": "nsec3", "big.test.": "nsec"}
    signet.extra = POLICIES
    for zone, policy in zones.items():
        text = generated("flat", 500, zone) if zone == "big.test." else small_zone(zone)
        signet.add_zone(zone, text, policy=policy, statements=DYNAMIC)
    signet.start(environment=faults.environment)
    for zone in zones:
        signet.wait_until_signed(zone)
    keys = key_files(signet)
    small = Crowd(signet, ["one.test.", "two.test."], 3, SEED)
    large = Crowd(signet, ["big.test."], 1, SEED, burst=60)
    seen = 0

    for number in steps(request, 30, 8):
        faults.arm(number, FAULTS[fault])
        small.start()
        large.start()
        wait_until(lambda: faults.fired, 60, f"write {number}")
        assert signet.query("www.one.test.", "A").rcode() == 0, "queries are answered"
        faults.disarm()
        acknowledged = small.acknowledged
        wait_until(lambda: small.acknowledged > acknowledged + 10, 90, "updates are taken again")
        small.stop()
        large.stop()
        assert signet.is_running()
        seen += 1
        if seen % 3 == 0:
            signet.kill()
            signet.start(environment=faults.environment)
        for zone in zones:
            path = signet.axfr(zone, tmp_path / zone)
            (large if zone == "big.test." else small).assert_kept(zone, Contents(path))
            if seen % 4 == 0:
                judge(signet, zone, path)
    assert set(small.rcodes + large.rcodes) <= {"NOERROR", "SERVFAIL"}
    assert (small.rcodes + large.rcodes)["SERVFAIL"], "no fault was ever noticed"
    assert key_files(signet) == keys
    assert "writing failed" in signet.log() and "writing works again" in signet.log()


def test_no_kill_after_a_failed_write_loses_an_acknowledged_update(signet, tmp_path, rounds, watch):
    """The n-th write or sync fails under a stream of updates, each round another one, and the server
    is killed in the midst of what it makes of that, or when it has gone on by itself."""
    faults = DiskFaults(tmp_path)
    chance = random.Random(SEED)
    zones = {"one.test.": "nsec", "two.test.": "nsec3"}
    signet.extra = POLICIES
    for zone, policy in zones.items():
        signet.add_zone(zone, small_zone(zone), policy=policy, statements=DYNAMIC)
    signet.start(environment=faults.environment)
    for zone in zones:
        signet.wait_until_signed(zone)
    keys = key_files(signet)
    watching = watch(signet, zones)
    crowd = Crowd(signet, list(zones), 3, SEED)

    for number in range(rounds):
        fault = list(FAULTS)[number % len(FAULTS)]
        what = f"round {number}: write {number + 1}: {fault}"
        crowd.start()
        faults.arm(number + 1, FAULTS[fault])
        wait_until(lambda: faults.fired, 30, what)
        if number % 2:
            acknowledged = crowd.acknowledged
            wait_until(lambda: crowd.acknowledged > acknowledged + 6, 60, f"{what}: it goes on")
        else:
            time.sleep(chance.uniform(0.0, 0.1))  # the moment of the kill
        signet.kill()
        crowd.stop()
        faults.disarm()
        signet.start(environment=faults.environment)
        for zone in zones:
            signet.wait_until_signed(zone)
            path = signet.axfr(zone, tmp_path / zone)
            fresh = Contents(path)
            crowd.assert_kept(zone, fresh)
            watching.see(zone, fresh.serial)
            ldns_verify_zone(path, 120)
        assert key_files(signet) == keys, what
        assert set(crowd.rcodes) <= {"NOERROR", "SERVFAIL"}, what

    for zone in zones:
        judge(signet, zone, signet.axfr(zone, tmp_path / zone))
    assert crowd.rcodes["SERVFAIL"], "no fault was ever noticed"
    figures.note(f"kill -9 after a failed write: {rounds} times, {crowd.acknowledged} updates "
                 f"acknowledged, {crowd.rcodes['SERVFAIL']} not taken, all kept")


def test_a_disk_that_cannot_be_written_for_a_while(signet, tmp_path):
    """It fails under way, as with errors=remount-ro: zones are served and nothing is acknowledged,
    who asks is told, and all goes on by itself."""
    faults = DiskFaults(tmp_path)
    zones = {"one.test.": "nsec", "two.test.": "nsec3", "plain.test.": None}
    signet.extra = POLICIES
    for zone, policy in zones.items():
        signet.add_zone(zone, small_zone(zone), policy=policy, statements=DYNAMIC)
    signet.start(environment=faults.environment)
    signed = [zone for zone in zones if zones[zone]]
    for zone in signed:
        signet.wait_until_signed(zone)
    crowd = Crowd(signet, list(zones), 1, SEED)
    client = crowd.clients[0]

    def status(zone):
        return signet.rndc("zonestatus", zone, program="signet")

    for fault, words in (("EIO", "Input/output error"), ("read-only", "Read-only file system")):
        begin = len(signet.log())
        assert [client.step() for _ in range(6)] == [dns.rcode.NOERROR] * 6
        before = {zone: signet.serial(zone) for zone in zones}
        assert all(status(zone).returncode == 0 for zone in zones)
        faults.arm(1, LASTING[fault], FOR_EVER)
        assert [client.step() for _ in range(4)] == [dns.rcode.SERVFAIL] * 4
        for zone in zones:
            told = status(zone)
            assert told.returncode == 2 and "store: cannot be written: " in told.stdout, told.stdout
            assert signet.answers_with(f"mail.{zone}", "A")
            assert signet.serial(zone) == before[zone], "what is not durable is not seen"
        faults.disarm()
        for zone in zones:
            client.zones = [zone]
            wait_until(lambda: client.step() == dns.rcode.NOERROR, 60, "an update is taken", 0.1)
            assert status(zone).returncode == 0, "an update that was taken ends the trouble"
        client.zones = list(zones)
        log = signet.log()[begin:]
        assert words in next(line for line in log.splitlines() if "store: writing failed" in line)
        assert log.count("store: writing failed") == log.count("store: writing works again") == 1

    restart(signet, signed)
    for zone in zones:
        path = signet.axfr(zone, tmp_path / zone)
        crowd.assert_kept(zone, Contents(path))
        if zones[zone]:
            judge(signet, zone, path)
