"""No room left: zones are served, updates get SERVFAIL, operators are told, and all goes on by
itself once there is room."""

import random
import time

import dns.rcode
import pytest

from support.contents import Contents
from support.judges import dnssec_verify, ldns_verify_zone
from support.material import generated, small_zone
from support.small_disk import SignetOnSmallDisk, SmallDisk
from support.updates import Crowd
from support.waiting import wait_until

POLICIES = """
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm 13; };
                        nsec3param iterations 0 optout no salt-length 4; };
"""
ZONES = {"one.test.": "nsec", "two.test.": "nsec3", "plain.test.": None}
SEED = 20261128
pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path, request):
    made = SmallDisk(tmp_path / "disk", getattr(request, "param", 6))
    yield made
    made.unmount()


@pytest.fixture
def server(tmp_path, disk, run_server):
    made = SignetOnSmallDisk(tmp_path / "signet", disk)
    made.extra = POLICIES
    for zone, policy in ZONES.items():
        made.add_zone(zone, small_zone(zone), policy=policy, statements="allow-update { any; };")
    run_server(made)
    wait_until_served(made)
    return made


@pytest.fixture
def rounds(request):
    return 100 if request.config.getoption("--long") else 6


def key_files(disk):
    return {path.name: path.read_bytes() for path in disk.seen.glob("K*.private")}


def wait_until_served(server):
    for zone, policy in ZONES.items():
        if policy:
            server.wait_until_signed(zone)
        else:
            wait_until(lambda zone=zone: server.answers_with(zone, "SOA"), 60, zone)


def status_of(server, zone):
    return server.rndc("zonestatus", zone).stdout


def fill_until_refused(server, disk, crowd):
    """Steps of updates beside a disk that is full; the first SERVFAIL ends them."""
    disk.fill()
    wait_until(lambda: crowd.clients[0].step() == dns.rcode.SERVFAIL, 60, "an update is refused")


def wait_until_taken(crowd, within_s=90):
    wait_until(lambda: crowd.clients[0].step() == dns.rcode.NOERROR, within_s, "an update is taken",
               pause_s=0.2)


def assert_sound(server, crowd, folder):
    for zone, policy in ZONES.items():
        path = server.axfr(zone, folder / zone)
        crowd.assert_kept(zone, Contents(path))
        if policy:
            ldns_verify_zone(path, 120)
            dnssec_verify(zone, path, 120)


def test_a_full_disk_refuses_updates_and_nothing_else(server, disk, tmp_path):
    crowd = Crowd(server, list(ZONES), 2, SEED, burst=10)
    wait_until_taken(crowd)

    def says_so(zone):
        crowd.clients[0].step()  # the store looks for room by itself, and may find a little
        status = status_of(server, zone)
        return "problem: " in status and "space" in status

    for _ in range(3):
        fill_until_refused(server, disk, crowd)
        for zone in ZONES:
            assert server.query(f"www.{zone}", "A").rcode() == dns.rcode.NOERROR
            wait_until(lambda zone=zone: says_so(zone), 30, "zonestatus says so")
        assert_sound(server, crowd, tmp_path)
        assert server.is_running()
        disk.make_room()
        wait_until_taken(crowd)
        for zone in ZONES:
            wait_until(lambda: "problem: " not in status_of(server, zone), 20, "all is well")
        assert_sound(server, crowd, tmp_path)
    # In one line, with where and what to do.
    told = [line for line in server.log().splitlines() if " failed: " in line and "store" in line
            and "zone " not in line]
    assert told and all("store: writing failed: " in line for line in told), told
    assert "store" in told[0] and "; zones are served on, " in told[0]
    assert "free space there" in told[0]
    assert "store: writing works again" in server.log()
    assert "the store can be written again" not in server.log(), "it is said once"


def test_a_zone_file_that_finds_no_room_is_said_to(tmp_path, disk, make_signet):
    """The zone's folder is full, its store is not: the zone goes on, and freeze says why not."""
    server = make_signet()
    server.add_zone("one.test.", small_zone("one.test."), statements="allow-update { any; };")
    file = f"/proc/{disk.holder.pid}/root{disk.folder}/one.zone"
    server.zones[0] = server.zones[0].replace(f"{server.folder}/one.test.zone", file)
    (disk.seen / "one.zone").write_text(small_zone("one.test."))
    server.start()
    wait_until(lambda: server.answers_with("one.test.", "SOA"), 60, "the zone")
    disk.fill()
    for command in ("sync", "freeze"):
        result = server.rndc(command, "one.test")
        assert result.returncode == 1
        assert "one.zone' could not be written: No space left on device" in result.stderr
        assert "No space left on device" in status_of(server, "one.test")
    assert "frozen: no" in status_of(server, "one.test")
    disk.make_room()
    assert server.rndc("sync", "one.test").returncode == 0
    assert "problem: " not in status_of(server, "one.test")


def test_a_server_starts_on_a_full_disk(server, disk, tmp_path):
    """It serves what was committed, takes no updates, and goes on once there is room."""
    crowd = Crowd(server, list(ZONES), 2, SEED, burst=10)
    crowd.start()
    wait_until(lambda: crowd.acknowledged > 50, 60, "some updates")
    crowd.stop()
    fill_until_refused(server, disk, crowd)
    for _ in range(2):
        server.kill()
        server.start()
        wait_until_served(server)
        assert_sound(server, crowd, tmp_path)
        crowd.stop()  # hang up: the other end is gone
        assert crowd.clients[0].step() in (dns.rcode.SERVFAIL, dns.rcode.NOERROR)
    disk.make_room()
    wait_until_taken(crowd)
    assert_sound(server, crowd, tmp_path)


def test_a_server_starts_on_a_disk_that_can_only_be_read(server, disk, tmp_path):
    """As after errors=remount-ro. It serves what was committed, and goes on by itself."""
    crowd = Crowd(server, list(ZONES), 2, SEED, burst=10)
    crowd.start()
    wait_until(lambda: crowd.acknowledged > 50, 60, "some updates")
    crowd.stop()
    server.kill()
    disk.remount("ro")
    server.start()
    wait_until_served(server)
    assert_sound(server, crowd, tmp_path)
    assert crowd.clients[0].step() == dns.rcode.SERVFAIL
    assert "Read-only file system" in server.log()
    for zone in ZONES:
        assert "problem: " in status_of(server, zone), zone
    disk.remount("rw")
    wait_until_taken(crowd)
    assert_sound(server, crowd, tmp_path)
    for zone in ZONES:
        wait_until(lambda zone=zone: "problem: " not in status_of(server, zone), 60, "all is well")


def test_a_stream_of_updates_fills_the_disk(server, disk, tmp_path):
    """The disk fills up under way, again and again, wherever that hits."""
    crowd = Crowd(server, list(ZONES), 4, SEED, burst=10)
    for _ in range(5):
        servfails = crowd.rcodes["SERVFAIL"]
        crowd.start()
        disk.fill()
        wait_until(lambda: crowd.rcodes["SERVFAIL"] > servfails, 60, "the disk is full")
        disk.make_room()
        acknowledged = crowd.acknowledged
        wait_until(lambda: crowd.acknowledged > acknowledged + 20, 120, "updates are taken again")
        crowd.stop()
        assert_sound(server, crowd, tmp_path)
    assert set(crowd.rcodes) == {"NOERROR", "SERVFAIL"}


@pytest.mark.parametrize("disk", [24], indirect=True, ids=["MiB"])  # the zones grow
def test_no_kill_on_a_full_disk_loses_an_acknowledged_update(server, disk, tmp_path, rounds):
    """The disk fills up under a stream of updates, the server dies at any moment before, while or
    after, and starts on the full disk or on one with room again; many times in a row."""
    chance = random.Random(SEED)
    crowd = Crowd(server, list(ZONES), 4, SEED, burst=3)
    keys = key_files(disk)
    serials = dict.fromkeys(ZONES, 0)
    for _ in range(rounds):
        acknowledged = crowd.acknowledged
        crowd.start()
        wait_until(lambda: crowd.acknowledged > acknowledged + 5, 120, "updates are taken")
        time.sleep(chance.uniform(0.0, 0.3))
        disk.fill()
        time.sleep(chance.uniform(0.0, 0.5))  # the moment of the kill
        server.kill()
        crowd.stop()
        stays_full = chance.random() < 0.5
        if not stays_full:
            disk.make_room()
        server.start()
        wait_until_served(server)
        assert_sound(server, crowd, tmp_path)
        for zone in ZONES:
            assert server.serial(zone) >= serials[zone], zone
            serials[zone] = server.serial(zone)
        if stays_full:
            disk.make_room()
    assert crowd.rcodes["SERVFAIL"] > 0, "the disk was never full in time"
    assert set(crowd.rcodes) == {"NOERROR", "SERVFAIL"}
    assert key_files(disk) == keys, "a key was made twice, or changed"


def test_a_zone_that_found_no_room_is_signed_once_there_is(tmp_path, disk, run_server):
    """The image of a new zone, and its keys, wait for room too."""
    server = SignetOnSmallDisk(tmp_path / "signet", disk)
    server.extra = POLICIES
    server.add_zone("small.test.", small_zone("small.test."))
    server.add_zone("big.test.", generated("flat", 3000, "big.test."), policy="nsec")
    disk.fill()
    disk.make_room()
    with open(disk.seen / "filling", "wb") as file:  # room for the store's tables alone
        file.write(bytes(5 << 20))
    run_server(server)
    wait_until(lambda: "problem: " in status_of(server, "big.test."), 60, "no room is noticed")
    assert server.query("www.small.test.", "A").rcode() == dns.rcode.NOERROR
    disk.make_room()
    server.wait_until_signed("big.test.", within_s=60)
    assert len(list(disk.seen.glob("K*.private"))) == 1
    ldns_verify_zone(server.axfr("big.test.", tmp_path / "signed"), 120)
