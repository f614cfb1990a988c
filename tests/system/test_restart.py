"""After a restart a zone is what it was, at once and at no cost; without its store it is built
anew, under a serial that secondaries will take."""

import re
import shutil
import subprocess
import time

import dns.update
import dns.query
import dns.rcode
import pytest

from support import figures
from support.judges import assert_zone_validates, ldns_verify_zone
from support.material import generated, small_zone
from support.peers import PEERS
from support.server import HOST
from support.waiting import wait_until

POLICIES = """
dnssec-policy "nsec" { keys { ksk lifetime unlimited algorithm 13;
                              zsk lifetime unlimited algorithm 13; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm 13; };
                        nsec3param iterations 0 optout no salt-length 8; };
"""
ZONE = "example.test."
DYNAMIC = "allow-update { any; };"


def sorted_file(path):
    subprocess.run(["sort", "-o", path, path], check=True, env={"LC_ALL": "C"})
    return path


def add(server, name, zone=ZONE):
    update = dns.update.UpdateMessage(zone)
    update.add(name, 300, "A", "192.0.2.7")
    assert dns.query.tcp(update, HOST, port=server.port, timeout=20).rcode() == dns.rcode.NOERROR


@pytest.mark.slow
@pytest.mark.parametrize(
    "how, policy",
    [("kill", "nsec3"), ("stop", "nsec"), pytest.param("kill", "nsec", marks=pytest.mark.long),
     pytest.param("stop", "nsec3", marks=pytest.mark.long)],
)
def test_a_large_zone_restarts_as_it_was(signet, tmp_path, policy, how):
    zone = "large.test."
    signet.extra = POLICIES
    signet.add_zone(zone, generated("flat", 100000, zone), policy=policy, statements=DYNAMIC)
    signet.start()
    signet.wait_until_signed(zone, within_s=300)
    add(signet, "added", zone)
    before = sorted_file(signet.axfr(zone, tmp_path / "before"))

    (signet.kill if how == "kill" else signet.terminate)()
    begin = len(signet.log())
    started = time.monotonic()
    signet.start()
    signet.wait_until_signed(zone, within_s=60)
    figures.note(f"restart of 100,000 names ({policy}): {time.monotonic() - started:.2f} s, "
                 "until the first answer, this test's own process and all")
    after = sorted_file(signet.axfr(zone, tmp_path / "after"))
    assert subprocess.run(["cmp", before, after]).returncode == 0
    signet.rndc("sign", "nowhere.test.")  # a word through the keeper: its first jobs are done
    made = re.findall(r"published: .* signatures=(\d+)", signet.log()[begin:])
    assert set(made) == {"0"}, made


# --- the store is gone ----------------------------------------------------------------------------

def secrets(server):
    """Each key but for its times: what nobody knows to be published waits anew."""
    return {path.name: re.search("^PrivateKey: .*$", path.read_text(), re.M).group()
            for path in server.folder.glob("K*.private")}


@pytest.mark.parametrize("kind", PEERS, ids=[peer.__name__.lower() for peer in PEERS])
def test_a_lost_store_is_rebuilt_above_what_secondaries_have(signet, run_server, tmp_path, kind):
    """From file and keys; the signed serial is far above the file's by then."""
    secondary = kind(tmp_path / "secondary", fetched=[(ZONE, signet.port)])
    signet.extra = POLICIES
    path = signet.add_zone(ZONE, small_zone(ZONE), policy="nsec", statements=f"""
        notify explicit; notify-delay 0; also-notify {{ {HOST} port {secondary.port}; }};""")
    run_server(signet)
    signet.wait_until_signed(ZONE)
    run_server(secondary)
    wait_until(lambda: secondary.serial(ZONE) == signet.serial(ZONE), 60, "the first version")
    # Raise the signed serial above the file's: three edits whose serial stays.
    for number in range(3):
        path.write_text(small_zone(ZONE) + f"added{number} IN A 192.0.2.{number}\n")
        assert signet.rndc("reload", ZONE).returncode == 0
        wait_until(lambda: signet.answers_with(f"added{number}.{ZONE}", "A"), 30, "the edit")
    serial = signet.serial(ZONE)
    assert serial == 4
    wait_until(lambda: secondary.serial(ZONE) == serial, 60, "the last version")
    keys = secrets(signet)

    signet.kill()
    shutil.rmtree(signet.folder / "signet-store")
    path.write_text(small_zone(ZONE) + "rebuilt IN A 192.0.2.200\n")
    signet.start()
    signet.wait_until_signed(ZONE)
    wait_until(lambda: secondary.answers_with(f"rebuilt.{ZONE}", "A"), 60, "it took the new zone")
    assert signet.serial(ZONE) > serial
    assert secrets(signet) == keys
    assert_zone_validates(ZONE, secondary.axfr(ZONE, tmp_path / "theirs"))


def test_a_lost_store_is_rebuilt_without_secondaries_too(signet, tmp_path):
    signet.extra = POLICIES
    signet.add_zone(ZONE, small_zone(ZONE), policy="nsec3", statements="""
        notify explicit; also-notify { 127.0.0.1 port 9; };""")
    signet.start()
    signet.wait_until_signed(ZONE)
    keys = secrets(signet)
    signet.kill()
    shutil.rmtree(signet.folder / "signet-store")
    signet.start()
    signet.wait_until_signed(ZONE, within_s=30)  # nobody answers: it does not wait for ever
    assert secrets(signet) == keys
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed"))


# --- the store is damaged -------------------------------------------------------------------------

def damage_image(server):
    """Flip bits in the middle of every image file; there must be one."""
    images = [path for path in (server.folder / "signet-store/images").iterdir() if path.is_file()]
    assert images, "no image is a file"
    for image in images:
        content = bytearray(image.read_bytes())
        content[len(content) // 2] ^= 0xff
        image.write_bytes(content)


def test_a_damaged_dynamic_zone_is_never_taken_from_its_old_file(signet):
    """What its file lacks was acknowledged: nothing is better than less, or a lower serial."""
    zone = "large.test."
    signet.extra = POLICIES
    signet.add_zone(zone, generated("flat", 3000, zone), policy="nsec", statements=DYNAMIC)
    signet.start()
    signet.wait_until_signed(zone)
    add(signet, "added", zone)
    signet.kill()
    damage_image(signet)
    signet.start()
    wait_until(lambda: "cannot be read" in signet.rndc("zonestatus", zone).stdout, 30, "status")
    for _ in range(3):
        signet.rndc("reload", zone)
        signet.rndc("loadkeys", zone)
    assert "problem: " in signet.rndc("zonestatus", zone).stdout
    assert signet.query(zone, "SOA").rcode() == dns.rcode.SERVFAIL


def test_a_damaged_dynamic_zone_is_taken_from_its_file_when_its_operator_says_so(signet):
    """`reload -force` gives up what updates brought; secondaries see a serial above it."""
    zone = "large.test."
    signet.extra = POLICIES
    signet.add_zone(zone, generated("flat", 3000, zone), policy="nsec", statements=DYNAMIC)
    signet.start()
    signet.wait_until_signed(zone)
    add(signet, "added", zone)
    serial = signet.serial(zone)
    forced = signet.rndc("reload", "-force", zone)   # not of a zone that is well
    assert forced.returncode == 1 and "freeze it, edit the file, thaw it" in forced.stderr
    assert signet.answers_with(f"added.{zone}", "A")
    signet.kill()
    damage_image(signet)
    signet.start()
    wait_until(lambda: "`reload -force` takes the file" in signet.rndc("zonestatus", zone).stdout,
               30, "the advice")
    forced = signet.rndc("reload", "-force", zone)
    assert forced.returncode == 0, forced.stderr
    assert signet.wait_until_signed(zone) > serial
    assert signet.query(f"added.{zone}", "A").rcode() == dns.rcode.NXDOMAIN
    assert "problem: " not in signet.rndc("zonestatus", zone).stdout
    add(signet, "again", zone)
    signet.kill()
    signet.start()
    wait_until(lambda: signet.answers_with(f"again.{zone}", "A"), 30, "the update after it")


def test_a_damaged_static_zone_is_built_anew_above_its_serial(signet, tmp_path):
    """Even where its file is broken at that moment, and mended later."""
    zone = "large.test."
    text = generated("flat", 3000, zone)
    signet.extra = POLICIES
    path = signet.add_zone(zone, text, policy="nsec")
    signet.start()
    signet.wait_until_signed(zone)
    path.write_text(text + "added 300 IN A 192.0.2.7\n")
    signet.rndc("reload", zone)
    wait_until(lambda: signet.answers_with(f"added.{zone}", "A"), 60, "the edit")
    serial = signet.serial(zone)
    signet.kill()
    damage_image(signet)
    path.write_text("this is no zone\n")
    signet.start()
    wait_until(lambda: "problem: " in signet.rndc("zonestatus", zone).stdout, 30, "status")
    path.write_text(text)
    signet.rndc("reload", zone)
    signet.wait_until_signed(zone)
    assert signet.serial(zone) > serial
    ldns_verify_zone(signet.axfr(zone, tmp_path / "signed"), 120)


# --- what was not stored until now ----------------------------------------------------------------

@pytest.mark.parametrize("becomes", ["dynamic", "signed"])
@pytest.mark.parametrize("step", ["update", "freeze"])
def test_a_static_zone_that_becomes_more_is_whole_after_a_restart(signet, becomes, step):
    policy = 'dnssec-policy "nsec"; inline-signing yes;' if becomes == "signed" else ""
    signet.extra = POLICIES
    signet.add_zone(ZONE, small_zone(ZONE))
    signet.start()
    wait_until(lambda: signet.answers_with(ZONE, "SOA"), 20, "the static zone")
    signet.zones[0] = signet.zones[0].replace("allow-transfer", f"{DYNAMIC} {policy} allow-transfer")
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    wait_until(lambda: "dynamic: yes" in signet.rndc("zonestatus", ZONE).stdout, 20, "dynamic")
    if becomes == "signed":
        signet.wait_until_signed(ZONE)
    if step == "update":
        add(signet, "added")
    else:
        assert signet.rndc("freeze", ZONE).returncode == 0
    signet.kill()
    signet.start()
    wait_until(lambda: signet.answers_with(ZONE, "SOA"), 20, "the zone")
    assert signet.answers_with(f"www.{ZONE}", "CNAME")
    if step == "update":
        assert signet.answers_with(f"added.{ZONE}", "A")
    else:
        assert "frozen: yes" in signet.rndc("zonestatus", ZONE).stdout
