"""A secondary fetches its zone and keeps it fresh (RFC 1034 4.3.5, 1995, 1996, 5936, 8945)."""

import email.utils
import os
import subprocess
import threading
import time

import dns.message
import dns.query
import dns.rcode
import pytest

from support import fake_primary
from support.fake_primary import FakePrimary
from support.judges import assert_zone_validates, ldns_verify_zone
from support.material import small_zone
from support.notify_listener import NotifyListener, tell
from support.peers import KEY, OTHER_KEY, PEERS, Bind
from support.server import HOST
from support.waiting import wait_until

ZONE = "example.test."
FIRST = small_zone(ZONE)
# Added, deleted and changed records, and a name that comes and goes.
SECOND = (FIRST.replace("hostmaster 1 ", "hostmaster 2 ").replace("192.0.2.25", "192.0.2.26")
          .replace("x.new   IN A 192.0.2.17\n", "") + "added IN A 192.0.2.200\n")
# Timers of seconds, for what would take hours.
BRISK = "min-refresh-time 1; min-retry-time 1;"

WITH_KEY = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "tsig"])
PRIMARY = pytest.mark.parametrize("kind", PEERS, ids=[peer.__name__.lower() for peer in PEERS])


def brisk(text, refresh=1, retry=1, expire=1209600):
    return text.replace("7200 3600 1209600", f"{refresh} {retry} {expire}")


def dig_key(key):
    return f"{key.algorithm}:{key.name}:{key.secret}" if key else None


def edit(path, text):
    """Write the file anew, with a later time for who looks at seconds."""
    before = path.stat().st_mtime
    path.write_text(text)
    os.utime(path, (before + 2, before + 2))


def wait_for_serial(server, serial, within_s=20):
    wait_until(lambda: server.serial(ZONE) == serial, within_s,
               f"{server.name} serving serial {serial}")


def times_of(signet):
    """What zonestatus tells of the zone's timers, in seconds since 1970."""
    lines = dict(line.split(": ", 1) for line in signet.rndc("zonestatus", ZONE).stdout.splitlines())
    return {name: email.utils.parsedate_to_datetime(lines[name]).timestamp()
            for name in ("next refresh", "expires")}


@pytest.fixture
def fake(run_server):
    """A primary in Python that serves the first zone."""
    def make(text=FIRST, **options):
        return run_server(FakePrimary(ZONE, text, **options))
    return make


@pytest.fixture
def fetched(signet, fake):
    """signetd with the first zone of a fake primary: both, once the zone has come."""
    def make(key=None, text=FIRST, statements="", **options):
        primary = fake(text, key=key)
        signet.add_secondary(ZONE, [primary.port], key=key, statements=statements, **options)
        signet.start()
        wait_for_serial(signet, 1)
        return signet, primary
    return make


# --- BIND, Knot, NSD as primaries ---------------------------------------------------------------

@PRIMARY
@WITH_KEY
def test_a_zone_comes_and_each_change_after_its_notify(signet, run_server, tmp_path, kind, key):
    path = tmp_path / "zone"
    path.write_text(FIRST)
    primary = run_server(kind(tmp_path / "primary", zones=[(ZONE, path)], notify=[signet.port],
                              key=key))
    signet.add_secondary(ZONE, [primary.port], key=key)
    signet.start()
    wait_for_serial(signet, 1)
    theirs = primary.axfr_lines(ZONE, tmp_path / "theirs1", dig_key(key))
    assert signet.axfr_lines(ZONE, tmp_path / "ours1") == theirs

    edit(path, SECOND)
    primary.reload()
    # Its refresh is in two hours: this is the NOTIFY.
    wait_for_serial(signet, 2)
    theirs = primary.axfr_lines(ZONE, tmp_path / "theirs2", dig_key(key))
    assert signet.axfr_lines(ZONE, tmp_path / "ours2") == theirs
    out = primary.transfers_out(ZONE)
    assert out.count("IXFR") == 1 and "do not fit" not in signet.log(), f"the change came as {out}"


@PRIMARY
def test_bump_in_the_wire_signs_what_comes(signet, run_server, tmp_path, kind):
    path = tmp_path / "zone"
    path.write_text(FIRST)
    primary = run_server(kind(tmp_path / "primary", zones=[(ZONE, path)], notify=[signet.port],
                              key=KEY))
    signet.add_secondary(ZONE, [primary.port], key=KEY, policy="default")
    signet.start()
    before = signet.wait_until_signed(ZONE)
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed1"))
    kept = signet.answers_with("ns1." + ZONE, "RRSIG")

    edit(path, SECOND)
    primary.reload()
    wait_until(lambda: signet.answers_with("added." + ZONE, "A"), 20, "the new name")
    assert signet.serial(ZONE) > before
    assert_zone_validates(ZONE, signet.axfr(ZONE, tmp_path / "signed2"))
    assert signet.query("x.new." + ZONE, "A").rcode() == dns.rcode.NXDOMAIN
    assert signet.answers_with("ns1." + ZONE, "RRSIG") == kept, \
        "what did not change keeps its signatures"


def test_a_policy_taken_away_never_leaves_the_zone_half_signed(signet, run_server, tmp_path):
    """Its primary signs: what we serve is that, or what we signed, and nothing in between."""
    path = tmp_path / "zone"
    path.write_text(FIRST)
    subprocess.run(["dnssec-keygen", "-q", "-a", "13", "-f", "KSK", ZONE], cwd=tmp_path, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["dnssec-signzone", "-S", "-z", "-o", ZONE, "-f", "signed", "zone"],
                   cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    primary = run_server(Bind(tmp_path / "primary", zones=[(ZONE, tmp_path / "signed")]))
    port = primary.port
    signet.add_secondary(ZONE, [port], policy="default")
    signet.start()
    signet.wait_until_signed(ZONE)
    ldns_verify_zone(signet.axfr(ZONE, tmp_path / "ours"), 60)

    primary.answers = False
    signet.zones.clear()
    signet.add_secondary(ZONE, [port])
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    signet.wait_for_log("the whole zone is fetched anew")
    ldns_verify_zone(signet.axfr(ZONE, tmp_path / "kept"), 60)
    assert signet.answers_with("ns1." + ZONE, "RRSIG")

    primary.start()
    assert signet.rndc("refresh", ZONE).returncode == 0
    theirs = primary.axfr_lines(ZONE, tmp_path / "theirs")
    wait_until(lambda: signet.axfr_lines(ZONE, tmp_path / "now") == theirs, 30, "the source")


@PRIMARY
@pytest.mark.parametrize("theirs, ours, words", [
    (KEY, OTHER_KEY, f"TSIG key '{KEY.name}': BADSIG: the secret differs there"),
    (KEY, KEY._replace(name="other.key"), "TSIG key 'other.key': BADKEY: it does not know the key"),
    (KEY, None, "must permit transfers to this address or key"),
], ids=["another-secret", "another-name", "no-key"])
def test_what_a_primary_refuses_is_told(signet, run_server, tmp_path, kind, theirs, ours, words):
    path = tmp_path / "zone"
    path.write_text(FIRST)
    primary = run_server(kind(tmp_path / "primary", zones=[(ZONE, path)], key=theirs))
    signet.add_secondary(ZONE, [primary.port], key=ours)
    signet.start()
    signet.wait_for_log("no primary is left")
    line = next(line for line in signet.log().splitlines() if "no primary is left" in line)
    assert words in line and f"{HOST}#{primary.port}" in line, line
    status = signet.rndc("zonestatus", ZONE).stdout
    assert f"\nlast refresh failed: " in status and words in status, status


def test_a_primary_that_does_not_serve_the_zone_is_named(signet, run_server, tmp_path):
    primary = run_server(Bind(tmp_path / "primary"))
    signet.add_secondary(ZONE, [primary.port])
    signet.start()
    signet.wait_for_log("no primary is left")
    assert f"refresh: REFUSED by {HOST}#{primary.port}: does it serve the zone" in signet.log()


def test_what_came_is_written_to_the_zone_s_file(fetched, tmp_path):
    """By itself, as named does; again after a change, but not at once."""
    signet, primary = fetched()
    file = signet.folder / f"{ZONE}secondary"
    wait_until(file.exists, 20, "the file")

    def content(path):
        read = subprocess.run(["named-compilezone", "-q", "-k", "ignore", "-i", "none", "-s", "full", "-o", "-", ZONE,
                               str(path)], capture_output=True, text=True, timeout=30)
        return sorted(" ".join(line.split()) for line in read.stdout.splitlines() if line and line[0] != ";")

    def served(name):
        path = signet.axfr(ZONE, tmp_path / name)
        return content(path)

    assert content(file) == served("first")
    primary.serve(SECOND)
    tell(signet)
    wait_for_serial(signet, 2)
    # Its next write is in five minutes; a restart is sooner.
    signet.stop()
    signet.start()
    wait_until(lambda: content(file) == served("second"), 20, "the new content in the file")
    assert not list(signet.folder.glob(f"{ZONE}secondary.*"))


# --- IXFR and AXFR ------------------------------------------------------------------------------

@WITH_KEY
@pytest.mark.parametrize("behaviour", [
    fake_primary.differences, fake_primary.whole, fake_primary.knows_no_ixfr,
    fake_primary.hangs_up_at_ixfr, fake_primary.misfits], ids=lambda f: f.__name__)
def test_a_change_comes_by_ixfr_or_else_by_axfr(fetched, tmp_path, behaviour, key):
    signet, primary = fetched(key)
    primary.behaviour = behaviour
    primary.serve(SECOND)
    tell(signet)
    wait_for_serial(signet, 2)
    assert signet.answers_with("added." + ZONE, "A")[0].address == "192.0.2.200"
    assert signet.answers_with("mail." + ZONE, "A")[0].address == "192.0.2.26"
    assert signet.query("x.new." + ZONE, "A").rcode() == dns.rcode.NXDOMAIN
    assert primary.count("IXFR") == 1
    by_axfr = behaviour not in (fake_primary.differences, fake_primary.whole)
    assert primary.count("AXFR") == 1 + by_axfr


def test_without_request_ixfr_it_is_axfr(fetched):
    signet, primary = fetched(statements="request-ixfr no;")
    primary.serve(SECOND)
    tell(signet)
    wait_for_serial(signet, 2)
    assert primary.count("IXFR") == 0 and primary.count("AXFR") == 2


# --- transfers that go wrong --------------------------------------------------------------------

BAD = [fake_primary.breaks_off, fake_primary.resets, fake_primary.stops_in_a_message,
       fake_primary.ends_with_another_soa, fake_primary.is_older_than_promised,
       fake_primary.does_not_begin_with_the_soa, fake_primary.has_no_name_servers,
       fake_primary.refuses, fake_primary.answers_another_question, fake_primary.sends_garbage]
BAD_SIGNED = [fake_primary.is_not_signed, fake_primary.is_changed_on_the_way]


@pytest.mark.parametrize("behaviour, key",
                         [(b, None) for b in BAD] + [(b, KEY) for b in BAD[:4] + BAD_SIGNED],
                         ids=lambda value: getattr(value, "__name__", "tsig" if value else "plain"))
def test_a_bad_transfer_leaves_the_zone_as_it_was(fetched, tmp_path, behaviour, key):
    signet, primary = fetched(key)
    before = signet.axfr_lines(ZONE, tmp_path / "before")
    primary.behaviour = behaviour
    primary.serve(SECOND)
    tell(signet)
    wait_until(lambda: primary.count("IXFR") >= 1, 20, "a transfer")
    # A second check begins when the first is over, with a question.
    asked = primary.count("SOA")
    tell(signet)
    wait_until(lambda: primary.count("SOA") > asked, 20, "asked once more")
    assert signet.serial(ZONE) == 1
    assert signet.axfr_lines(ZONE, tmp_path / "after") == before
    if behaviour in (fake_primary.breaks_off, fake_primary.resets):
        assert "it closed the connection in the midst of the transfer, after " in signet.log()

    primary.behaviour = fake_primary.whole
    tell(signet)
    wait_for_serial(signet, 2)


def test_a_transfer_that_never_ends_is_ended(fetched, tmp_path):
    signet, primary = fetched(statements="max-records 2000; request-ixfr no;")
    before = signet.axfr_lines(ZONE, tmp_path / "before")
    primary.behaviour = fake_primary.never_ends
    primary.serve(SECOND)
    tell(signet)
    wait_until(lambda: primary.count("AXFR") >= 2, 20, "the transfer")
    assert signet.serial(ZONE) == 1
    primary.behaviour = fake_primary.whole
    tell(signet)  # asked once more as soon as the endless one is over
    wait_for_serial(signet, 2, within_s=60)
    assert signet.axfr_lines(ZONE, tmp_path / "after") != before


@pytest.mark.parametrize("ours, theirs", [(OTHER_KEY, KEY), (None, KEY), (KEY, None)],
                         ids=["another secret", "no key", "a key that nobody knows"])
def test_nothing_comes_without_the_right_key(signet, run_server, tmp_path, ours, theirs):
    path = tmp_path / "zone"
    path.write_text(FIRST)
    primary = run_server(Bind(tmp_path / "primary", zones=[(ZONE, path)], key=theirs))
    signet.add_secondary(ZONE, [primary.port], key=ours)
    signet.start(ready=False)
    signet.wait_until_answering()
    wait_until(lambda: "example.test./IN: refresh:" in signet.log(), 30, "the primary was asked")
    assert signet.query(ZONE, "SOA").rcode() == dns.rcode.SERVFAIL


# --- refresh, retry, expire ---------------------------------------------------------------------

def test_without_notify_a_change_is_seen_at_the_refresh(fetched):
    signet, primary = fetched(text=brisk(FIRST), statements=BRISK)
    primary.serve(brisk(SECOND))
    wait_for_serial(signet, 2)


def test_zonestatus_tells_when_the_primary_is_asked_and_when_the_zone_expires(fetched):
    signet, _ = fetched(text=brisk(FIRST, refresh=3600, expire=86400))
    text = signet.rndc("zonestatus", ZONE).stdout
    names = [line.split(":")[0] for line in text.splitlines()]
    assert names[names.index("last loaded"):][:4] == ["last loaded", "next refresh", "expires",
                                                      "secure"]
    times, now = times_of(signet), time.time()
    assert now + 2600 < times["next refresh"] < now + 3601
    assert now + 86300 < times["expires"] < now + 86401


@pytest.mark.slow
def test_a_zone_whose_primary_is_gone_says_so_before_it_expires(fetched):
    signet, primary = fetched(text=brisk(FIRST, expire=60), statements=BRISK)
    told = signet.rndc("zonestatus", ZONE, program="signet")
    assert told.returncode == 0 and "primaries: unheard" not in told.stdout
    primary.answers = False

    def warned():
        result = signet.rndc("zonestatus", ZONE, program="signet")
        return result if result.returncode == 3 else None
    result = wait_until(warned, 60, "exit status 3")
    assert "\nprimaries: unheard for half of the time after which the zone expires" in result.stdout
    assert "zones with a problem: 1" in signet.rndc("status").stdout
    assert signet.query(ZONE, "SOA").rcode() == dns.rcode.NOERROR


def test_a_zone_that_would_expire_in_a_year_is_no_trouble_after_one_refresh(fetched):
    """EXPIRE has a bound of half a year: half of a year before that is in the past."""
    signet, primary = fetched(text=brisk(FIRST, expire=365 * 86400), statements=BRISK)
    primary.answers = False
    signet.rndc("refresh", ZONE)
    wait_until(lambda: "last refresh failed" in signet.rndc("zonestatus", ZONE).stdout, 30,
               "a refresh that failed")
    told = signet.rndc("zonestatus", ZONE, program="signet")
    assert told.returncode == 0 and "primaries: unheard" not in told.stdout


def test_a_zone_whose_primary_is_gone_expires_and_comes_back(fetched):
    signet, primary = fetched(text=brisk(FIRST, expire=3), statements=BRISK)
    primary.answers = False
    wait_until(lambda: signet.query(ZONE, "SOA").rcode() == dns.rcode.SERVFAIL, 30, "expired")
    primary.answers = True
    tell(signet)
    wait_for_serial(signet, 1)
    assert primary.count("AXFR") <= 2


@pytest.mark.slow
def test_a_restart_serves_what_it_had_and_does_not_put_the_expiry_off(fetched, tmp_path):
    signet, primary = fetched(text=brisk(FIRST, refresh=1, retry=1, expire=12), statements=BRISK)
    before = signet.axfr_lines(ZONE, tmp_path / "before")
    primary.answers = False
    asked = primary.count("SOA")
    wait_until(lambda: primary.count("SOA") > asked, 20, "asked in vain")
    expires = times_of(signet)["expires"]
    signet.stop()
    signet.start(ready=False)
    wait_for_serial(signet, 1)
    assert signet.axfr_lines(ZONE, tmp_path / "after") == before
    assert times_of(signet)["expires"] == expires
    wait_until(lambda: signet.query(ZONE, "SOA").rcode() == dns.rcode.SERVFAIL, 60, "expired")
    assert expires <= time.time() < expires + 5
    signet.stop()
    signet.start(ready=False)
    signet.wait_until_answering()
    assert signet.query(ZONE, "SOA").rcode() == dns.rcode.SERVFAIL


def test_a_bogus_server_is_neither_asked_nor_told_but_answered(signet, fake, run_server):
    primary = fake()
    told, other = run_server(NotifyListener()), run_server(NotifyListener(host="127.0.0.2"))
    bogus = f"server {HOST} {{ bogus yes; }};\n"
    signet.extra += bogus
    signet.add_secondary(ZONE, [primary.port])
    signet.add_zone("here.test.", small_zone("here.test."), statements="notify explicit; also-notify "
                    f"{{ {HOST} port {told.port}; 127.0.0.2 port {other.port}; }};")
    signet.start(ready=False)
    wait_until(lambda: other.serials("here.test.") == [1], 20, "the other one is told")
    wait_until(lambda: "bogus" in signet.rndc("zonestatus", ZONE).stdout, 20, "the reason")
    assert signet.serial("here.test.") == 1, "its own questions are answered"
    assert primary.count("SOA") == primary.count("AXFR") == 0 and not told.heard

    signet.extra = signet.extra.replace(bogus, "")
    signet.configure()
    assert signet.rndc("reconfig").returncode == 0
    wait_for_serial(signet, 1)


@pytest.mark.slow
def test_silence_over_udp_is_met_over_tcp(signet, fake):
    primary = fake(udp=False)
    signet.add_secondary(ZONE, [primary.port])
    signet.start(ready=False)
    wait_for_serial(signet, 1, within_s=40)
    assert primary.count("SOA", "tcp") >= 1


def test_the_next_primary_is_asked_when_the_first_is_silent_or_bad(signet, fake):
    silent, bad, good = fake(), fake(), fake()
    silent.stop()
    bad.behaviour = fake_primary.breaks_off
    signet.add_secondary(ZONE, [silent.port, bad.port, good.port])
    signet.start(ready=False)
    wait_for_serial(signet, 1, within_s=40)
    assert bad.count("AXFR") >= 1 and good.count("AXFR") == 1


def test_a_primary_that_is_behind_is_passed_over(fetched, fake):
    signet, primary = fetched()
    primary.serve(SECOND)
    tell(signet)
    wait_for_serial(signet, 2)
    primary.serve(FIRST)
    asked = primary.count("SOA")
    tell(signet)
    wait_until(lambda: primary.count("SOA") > asked, 20, "asked again")
    tell(signet)
    wait_until(lambda: primary.count("SOA") > asked + 1, 20, "and again")
    assert signet.serial(ZONE) == 2


def test_a_primary_that_stays_behind_does_not_hide_a_newer_one(signet, fake):
    frozen, ahead = fake(), fake()
    signet.add_secondary(ZONE, [frozen.port, ahead.port])
    signet.start()
    wait_for_serial(signet, 1)
    ahead.serve(SECOND)
    tell(signet)
    wait_for_serial(signet, 2)
    assert frozen.count("IXFR") == 0 and ahead.count("IXFR") == 1


def test_a_serial_may_wrap_around(signet, fake):
    primary = fake(FIRST.replace("hostmaster 1 ", "hostmaster 4294967295 "))
    signet.add_secondary(ZONE, [primary.port])
    signet.start()
    wait_for_serial(signet, 4294967295)
    primary.serve(SECOND)
    tell(signet)
    wait_for_serial(signet, 2)


# --- NOTIFY in, commands ------------------------------------------------------------------------

def test_only_primaries_and_allow_notify_may_tell(signet):
    """We tell from 127.0.0.1, which is no primary's address here."""
    away = "primaries { 127.0.0.8 port 1; };"
    for zone, allowed in ((ZONE, ""), ("other.test.", f"allow-notify {{ {HOST}; }};"),
                          ("third.test.", "allow-notify { 127.0.0.9; };")):
        signet.zones.append(f'zone "{zone}" {{ type secondary; file "{zone}secondary"; '
                            f'{away} {allowed} }};')
    signet.start(ready=False)
    signet.wait_until_answering()
    assert tell(signet).rcode() == dns.rcode.REFUSED
    assert tell(signet, "other.test.").rcode() == dns.rcode.NOERROR
    assert tell(signet, "third.test.").rcode() == dns.rcode.REFUSED
    assert tell(signet, "nobodys.test.").rcode() == dns.rcode.NOTAUTH


@pytest.mark.parametrize("words", [["reload", ZONE], ["reload", "-force", ZONE]], ids=["plain", "force"])
def test_a_reload_of_a_secondary_asks_its_primaries(fetched, words):
    """As in BIND: its file is what came from them when it was last written."""
    signet, primary = fetched()
    primary.serve(SECOND)
    assert signet.rndc(*words).stdout == "zone refresh queued\n"
    wait_for_serial(signet, 2)


def test_refresh_and_retransfer_do_as_they_say(fetched):
    signet, primary = fetched()
    primary.serve(SECOND)
    assert signet.rndc("refresh", ZONE).returncode == 0
    wait_for_serial(signet, 2)
    before = primary.count("AXFR")
    assert signet.rndc("retransfer", ZONE).returncode == 0
    wait_until(lambda: primary.count("AXFR") > before, 20, "AXFR although nothing is newer")
    assert signet.serial(ZONE) == 2


@pytest.mark.slow
def test_a_transfer_that_trickles_is_given_up(signet, fake):
    """Its messages keep it from being idle, but bring too little in a minute."""
    primary = fake()

    def trickles(primary, query):
        for wire in fake_primary.messages(query, [primary.soa] + primary.records[1:] * 40):
            yield wire
            time.sleep(4)
    primary.behaviour = trickles
    signet.add_secondary(ZONE, [primary.port], statements="min-transfer-rate-in 100000 1;")
    signet.start()
    wait_until(lambda: "it comes too slowly for min-transfer-rate-in" in signet.log(), 75,
               "the transfer being given up")
    assert "last refresh failed: " in signet.rndc("zonestatus", ZONE).stdout
    primary.behaviour = fake_primary.whole
    assert signet.rndc("refresh", ZONE).returncode == 0
    wait_for_serial(signet, 1)


# --- what status counts -------------------------------------------------------------------------

def test_status_counts_what_secondaries_are_at(signet, run_server):
    """Of three zones that were never fetched one asks, one fetches, and one waits for that."""
    names = ["silent.test", "first.test", "second.test"]
    primaries = [run_server(FakePrimary(name, small_zone(name + "."))) for name in names]
    go_on = threading.Event()

    def waits(primary, query):
        assert go_on.wait(60)
        yield from fake_primary.whole(primary, query)
    primaries[0].answers = False
    signet.options = "transfers-in 1;"
    for name, primary in zip(names, primaries):
        primary.behaviour = waits
        signet.add_secondary(name, [primary.port])
    signet.start()

    def counts():
        lines = dict(line.split(": ", 1) for line in signet.rndc("status").stdout.splitlines()
                     if ": " in line)
        return [int(lines[name]) for name in ("xfers running", "xfers deferred",
                                              "xfers first refresh", "soa queries in progress")]
    wait_until(lambda: counts() == [1, 1, 3, 1], what="a transfer, a wait and a question")
    go_on.set()
    wait_until(lambda: counts()[:3] == [0, 0, 1], what="both transfers")
