"""Who serves our zone is told of each change (RFC 1996), and then fetches it."""

import re
import subprocess

import dns.rcode
import pytest

from support.fake_primary import FakePrimary
from support.judges import assert_zone_validates
from support.material import small_zone
from support.notify_listener import NotifyListener, tell
from support.peers import KEY, PEERS
from support.server import HOST
from support.waiting import wait_until

ZONE = "example.test."
FIRST = small_zone(ZONE)
SECOND = FIRST.replace("hostmaster 1 ", "hostmaster 2 ") + "added IN A 192.0.2.200\n"

SECONDARY = pytest.mark.parametrize("kind", PEERS, ids=[peer.__name__.lower() for peer in PEERS])
# How long changes are gathered is test_many_changes_are_few_notifies.
AT_ONCE = " notify-delay 0;"
WITH_KEY = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "tsig"])


def also_notify(ports, key=None):
    with_key = f' key "{key.name}"' if key else ""
    return "notify explicit; also-notify { " + "".join(
        f"{HOST} port {port}{with_key}; " for port in ports) + "};"


def change(signet, path, text):
    """Edit the file and load it."""
    path.write_text(text)
    assert signet.rndc("reload", ZONE).returncode == 0


@pytest.fixture
def listener(run_server):
    def make(**options):
        return run_server(NotifyListener(**options))
    return make


# --- BIND, Knot, NSD as secondaries -------------------------------------------------------------

@SECONDARY
@WITH_KEY
def test_a_secondary_has_a_change_within_seconds(signet, run_server, tmp_path, kind, key):
    secondary = kind(tmp_path / "secondary", fetched=[(ZONE, signet.port)], key=key)
    only = f'allow-transfer {{ key "{key.name}"; }};' if key else "allow-transfer { any; };"
    path = signet.add_zone(ZONE, FIRST, statements=also_notify([secondary.port], key) + AT_ONCE)
    signet.zones[-1] = signet.zones[-1].replace("allow-transfer { any; };", only)
    signet.add_key(key)
    signet.start()
    run_server(secondary)
    wait_until(lambda: secondary.serial(ZONE) == 1, 30, "the first version")

    change(signet, path, SECOND)
    # Its refresh is in two hours: this is the NOTIFY.
    wait_until(lambda: secondary.serial(ZONE) == 2, 20, "the second version")
    dig_key = f"{key.algorithm}:{key.name}:{key.secret}" if key else None
    ours = signet.axfr_lines(ZONE, tmp_path / "ours", dig_key)
    assert secondary.axfr_lines(ZONE, tmp_path / "theirs") == ours
    assert "IXFR started" in signet.log(), "the change left as IXFR"


@SECONDARY
def test_a_signed_change_arrives_signed(signet, run_server, tmp_path, kind):
    secondary = kind(tmp_path / "secondary", fetched=[(ZONE, signet.port)], key=KEY)
    path = signet.add_zone(ZONE, FIRST, policy="default",
                           statements=also_notify([secondary.port], KEY) + AT_ONCE)
    signet.add_key(KEY)
    signet.start()
    signet.wait_until_signed(ZONE)
    run_server(secondary)
    wait_until(lambda: secondary.serial(ZONE) == signet.serial(ZONE), 30, "the first version")

    change(signet, path, SECOND)
    wait_until(lambda: secondary.answers_with("added." + ZONE, "A"), 20, "the new name")
    wait_until(lambda: secondary.serial(ZONE) == signet.serial(ZONE), 20, "the last version")
    assert_zone_validates(ZONE, secondary.axfr(ZONE, tmp_path / "theirs"))
    ours = signet.axfr_lines(ZONE, tmp_path / "ours")
    assert secondary.axfr_lines(ZONE, tmp_path / "theirs") == ours


@SECONDARY
def test_a_secondary_passes_it_on(signet, run_server, tmp_path, kind):
    """Primary in Python -> Signet -> another secondary."""
    primary = run_server(FakePrimary(ZONE, FIRST))
    secondary = kind(tmp_path / "secondary", fetched=[(ZONE, signet.port)])
    signet.add_secondary(ZONE, [primary.port], statements=also_notify([secondary.port]) + AT_ONCE)
    signet.start()
    wait_until(lambda: signet.serial(ZONE) == 1, 20, "Signet has the first version")
    run_server(secondary)
    wait_until(lambda: secondary.serial(ZONE) == 1, 30, "the first version")
    primary.serve(SECOND)
    assert signet.rndc("refresh", ZONE).returncode == 0
    wait_until(lambda: secondary.serial(ZONE) == 2, 20, "the second version")


def test_secondaries_several_versions_behind_get_one_difference(signet, run_server, tmp_path):
    """Nobody told them of five changes. What came and went meanwhile is not in it."""
    peers = [kind(tmp_path / kind.name, fetched=[(ZONE, signet.port)]) for kind in PEERS]
    path = signet.add_zone(ZONE, FIRST, policy="default", statements="notify no;")
    signet.start()
    first = signet.wait_until_signed(ZONE)
    for peer in peers:
        run_server(peer)
        wait_until(lambda peer=peer: peer.serial(ZONE) == first, 30, "the first version")
    for more in ("passing IN A 192.0.2.201", "passing IN A 192.0.2.202", "added IN A 192.0.2.200",
                 "added IN A 192.0.2.203", "added IN A 192.0.2.203\nlast.a.b IN TXT last"):
        change(signet, path, FIRST.replace("x.new   IN A 192.0.2.17\n", "") + more + "\n")
        wait_until(lambda: signet.answers_with(more.split()[0] + "." + ZONE, "A"), 20, more)
    wait_until(lambda: signet.answers_with("last.a.b." + ZONE, "TXT"), 20, "the last one")
    last = signet.serial(ZONE)
    assert last == first + 5

    told = subprocess.run(["dig", f"@{HOST}", "-p", str(signet.port), ZONE, f"IXFR={first}",
                           "+nocomments", "+nocmd", "+nostats"], capture_output=True, text=True)
    soas = [int(line.split()[6]) for line in told.stdout.splitlines() if line.split()[3] == "SOA"]
    assert soas == [last, first, last, last], "one difference"
    assert "passing" not in told.stdout

    ours = signet.axfr_lines(ZONE, tmp_path / "ours")
    begin = len(signet.log())
    for peer in peers:
        tell(peer)
        wait_until(lambda peer=peer: peer.serial(ZONE) == last, 30, f"{peer.name} has the last")
        assert peer.axfr_lines(ZONE, tmp_path / peer.name / "theirs") == ours, peer.name
    log = signet.log()[begin:]
    assert log.count(f"IXFR started (serial {first} -> {last})") == 3 and "AXFR" not in log, log
    for peer, sent in zip(peers, re.findall(r"IXFR ended: .*, (\d+) bytes", log)):
        assert f"{sent} bytes" in peer.log(), f"{peer.name} says that it took something else"
    assert_zone_validates(ZONE, tmp_path / "ours")


# --- what is said -------------------------------------------------------------------------------

@WITH_KEY
def test_a_notify_says_what_it_should(signet, listener, key):
    told = listener(key=key)
    path = signet.add_zone(ZONE, FIRST, statements=also_notify([told.port], key) + AT_ONCE)
    signet.add_key(key)
    signet.start()
    wait_until(lambda: told.serials(ZONE) == [1], 20, "told at the start")
    change(signet, path, SECOND)
    wait_until(lambda: 2 in told.serials(ZONE), 20, "told of the change")
    for heard in told.heard:
        assert heard.authoritative, "RFC 1996 4.5: AA is set"
        assert heard.signed == bool(key)


def test_many_changes_are_few_notifies(signet, listener):
    told = listener()
    path = signet.add_zone(ZONE, FIRST, statements=also_notify([told.port]))
    signet.start()
    wait_until(lambda: told.serials(ZONE) == [1], 20, "told at the start")
    for serial in range(2, 22):
        change(signet, path, FIRST.replace("hostmaster 1 ", f"hostmaster {serial} "))
        wait_until(lambda: signet.serial(ZONE) == serial, 20, f"serial {serial}")
    wait_until(lambda: told.serials(ZONE)[-1] == 21, 20, "told of the last one")
    spans = [b.at - a.at for a, b in zip(told.heard, told.heard[1:])]
    # Of the 5 s of notify-delay, what the listener may have been late for the one before.
    assert all(span > 3 for span in spans), f"closer than notify-delay: {spans}"
    assert len(told.heard) < 21


@pytest.mark.slow
def test_who_is_silent_is_told_again_and_nobody_else(signet, listener):
    """How long it is waited each time is the unit tests' (test_notify_send.c)."""
    silent, answers = listener(rcode=None), listener()
    unwilling = [listener(rcode=rcode)
                 for rcode in (dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.NOTAUTH)]
    signet.add_zone(ZONE, FIRST, statements=also_notify(
        [told.port for told in (silent, answers, *unwilling)]))
    signet.start()
    wait_until(lambda: len(silent.heard) >= 2, 40, "told again")
    first, second = (heard.at for heard in silent.heard[:2])
    assert 10 < second - first < 25, silent.heard
    assert len(answers.heard) == 1, "who has answered is left in peace"
    for told in unwilling:
        assert len(told.heard) == 1, f"{dns.rcode.to_text(told.rcode)}: not asked twice"


def test_notify_no_tells_nobody(signet, listener):
    """Another zone tells when all that is to be told has been."""
    told = listener()
    quiet = also_notify([told.port]).replace("explicit", "no")
    signet.add_zone("quiet.test.", small_zone("quiet.test."), statements=quiet)
    signet.add_zone(ZONE, FIRST, statements=also_notify([told.port]))
    signet.start()
    wait_until(lambda: told.serials(ZONE), 20, "told of the other zone")
    assert not told.serials("quiet.test.")


def test_name_servers_of_the_zone_are_told(signet, listener):
    """Name servers are told at port 53; so this one has an address of its own."""
    text = FIRST.replace("ns2     IN A 192.0.2.2", "ns2     IN A 127.0.0.53")
    signet.add_zone(ZONE, text, statements="notify yes;")
    try:
        told = listener(host="127.0.0.53", port=53)
    except OSError as error:
        pytest.skip(f"MISSING: port 53 of 127.0.0.53: {error}")
    signet.start()
    wait_until(lambda: told.serials(ZONE) == [1], 20, "the name server was told")


def test_a_busy_start_keeps_to_its_rate(make_signet, listener):
    told = listener()
    signet = make_signet(options="startup-notify-rate 10;")
    zones = [f"z{number}.test." for number in range(40)]
    for zone in zones:
        signet.add_zone(zone, small_zone(zone), statements=also_notify([told.port]))
    signet.start()
    wait_until(lambda: len(told.heard) >= 40, 30, "all zones told")
    at = sorted(heard.at for heard in told.heard)
    assert at[-1] - at[0] >= 2.5, "40 at 10 a second"
    within = max(sum(1 for other in at if moment <= other < moment + 0.9) for moment in at)
    assert within <= 21, f"{within} within a second"
    assert {heard.zone for heard in told.heard} == set(zones)
