"""Serials rise as `serial-update-method` says, and never fall, whatever the file says."""

import os
import threading
import time

import dns.exception
import dns.rcode

from support.judges import assert_zone_validates
from support.material import small_zone
from support.peers import PEERS, Bind
from support.server import HOST
from support.updates import add_name
from support.waiting import wait_until

AHEAD = "is ahead of what serial-update-method"
# Name, method, the file's serial.
METHODS = [("plus.test.", "increment", 7), ("unix.test.", "unixtime", 7), ("date.test.", "date", 7),
           ("keep.test.", "keep", 7), ("far.test.", "unixtime", 3000000000),
           ("late.test.", "date", 2100010199)]


def text_of(zone, serial, more=""):
    return small_zone(zone).replace("hostmaster 1 ", f"hostmaster {serial} ") + more


def edit(path, text):
    """Write the file anew, with a later time for who looks at seconds."""
    before = path.stat().st_mtime
    path.write_text(text)
    os.utime(path, (before + 2, before + 2))


class Serials:
    """What each zone of METHODS was served with, one change after the other."""

    def __init__(self, server):
        self.server = server
        self.paths = {}
        for zone, method, serial in METHODS:
            self.paths[zone] = server.add_zone(
                zone, text_of(zone, serial), policy="default",
                statements=f"serial-update-method {method}; allow-update {{ any; }};")

    def update(self, zone, name):
        """The serial before, after, and the seconds in which it was made."""
        before, begin = self.server.serial(zone), int(time.time())
        assert add_name(self.server, zone, name) == dns.rcode.NOERROR
        return before, self.server.serial(zone), range(begin, int(time.time()) + 1)

    def load(self, zone, serial, name):
        """The same for an edit of the file while the zone is frozen."""
        before, begin = self.server.serial(zone), int(time.time())
        assert self.server.rndc("freeze", zone).returncode == 0
        edit(self.paths[zone], text_of(zone, serial, f"{name} A 192.0.2.8\n"))
        assert self.server.rndc("thaw", zone).returncode == 0
        wait_until(lambda: self.server.answers_with(f"{name}.{zone}", "A"), 20, "the edit")
        return before, self.server.serial(zone), range(begin, int(time.time()) + 1)

    def warnings(self, zone):
        """How often the log told that the clock's serial is not reached."""
        return sum(AHEAD in line and zone.rstrip(".") in line
                   for line in self.server.log().splitlines())


def date_serials(first, seconds):
    return {int(time.strftime("%Y%m%d", time.gmtime(second))) * 100 + first for second in seconds}


def test_serials_rise_as_the_method_says(signet):
    """What an update gets, and an edit with a serial that is lower, equal and higher."""
    serials = Serials(signet)
    signet.start()
    begin = int(time.time())
    first = {zone: signet.wait_until_signed(zone) for zone in serials.paths}
    seconds = range(begin - 60, int(time.time()) + 1)
    assert first["plus.test."] == first["keep.test."] == 7
    assert first["unix.test."] in seconds
    assert first["date.test."] in date_serials(0, seconds)
    assert first["far.test."] == 3000000000
    assert first["late.test."] == 2100010199

    before, after, _ = serials.update("plus.test.", "one")
    assert after == before + 1
    before, after, _ = serials.load("plus.test.", 3, "lower")
    assert after == before + 1, "the file went back, the signed serial did not"
    assert serials.load("plus.test.", 100, "higher")[1] == 100, "the file's own, where it is above"
    assert serials.load("plus.test.", 100, "same")[1] == 101

    for change in (lambda: serials.update("unix.test.", "one"),
                   lambda: serials.load("unix.test.", 3, "lower")):
        wait_until(lambda: int(time.time()) > signet.serial("unix.test."), 5, "the next second")
        before, after, seconds = change()
        assert after > before and after in seconds
    before, after, _ = serials.update("unix.test.", "two")
    assert after > before

    for change in (lambda: serials.update("date.test.", "one"),
                   lambda: serials.load("date.test.", 3, "lower")):
        before, after, seconds = change()
        assert after == before + 1 or after in date_serials(0, seconds), "or it is midnight"

    before, after, _ = serials.update("keep.test.", "one")
    assert after == before + 1
    assert serials.load("keep.test.", 50, "higher")[1] == 50
    assert signet.rndc("freeze", "keep.test.").returncode == 0
    edit(serials.paths["keep.test."], text_of("keep.test.", 50, "again A 192.0.2.8\n"))
    signet.rndc("thaw", "keep.test.")
    signet.wait_for_log("serial 50 has to be above 50, which is served: raise it to 51 or more")
    assert signet.serial("keep.test.") == 50
    assert signet.answers_with("again.keep.test.", "A") is None

    # One more than the clock does not reach, and that is told.
    for zone in ("far.test.", "late.test."):
        before, after, _ = serials.update(zone, "one")
        assert after == before + 1, zone
        assert serials.warnings(zone) == 1, signet.log()[-3000:]
        before, after, _ = serials.update(zone, "two")
        assert after == before + 1 and serials.warnings(zone) == 1, "not of each update"
        before, after, _ = serials.load(zone, first[zone] - 1000, "lower")
        assert after == before + 1 and serials.warnings(zone) == 2, "but at a reload"
    assert f"serial {first['far.test.']} {AHEAD} unixtime gives now" in signet.log()
    for zone in ("plus.test.", "unix.test.", "date.test.", "keep.test."):
        assert not serials.warnings(zone), zone


class UpdatedBind(Bind):
    """With zones that take updates: pairs of their path and method."""

    updated = {}

    def configure(self):
        super().configure()
        with open(self.folder / "named.conf", "a", encoding="ascii") as file:
            for zone, (path, method) in self.updated.items():
                file.write(f'zone "{zone}" {{ type primary; file "{path}"; check-names ignore; '
                           f"allow-update {{ any; }}; serial-update-method {method}; }};\n")


def test_updates_raise_serials_as_those_of_bind(signet, run_server, tmp_path):
    """Unsigned, so that nothing but updates raises them."""
    bind = UpdatedBind(tmp_path / "bind")
    methods = [row for row in METHODS if row[1] != "keep"]
    for zone, method, serial in methods:
        signet.add_zone(zone, text_of(zone, serial), statements=f"serial-update-method {method}; "
                        "allow-update { any; };")
        (tmp_path / zone).write_text(text_of(zone, serial))
        bind.updated[zone] = (tmp_path / zone, method)
    run_server(signet)
    run_server(bind)
    for number in range(2):
        for zone, method, _ in methods:
            for server in (signet, bind):
                begin = int(time.time())
                wait_until(lambda: server.serial(zone) != int(time.time()), 5, "the next second")
                assert add_name(server, zone, f"n{number}") == dns.rcode.NOERROR
                if zone == "unix.test.":
                    assert begin <= server.serial(zone) <= time.time(), server.name
            if zone == "date.test." and signet.serial(zone) != bind.serial(zone):
                continue  # midnight between the two
            if zone != "unix.test.":
                assert signet.serial(zone) == bind.serial(zone), f"{zone}: update {number}"


class Unbroken(threading.Thread):
    """Asks all the time: the zone is there, and its serial never falls."""

    def __init__(self, server, zone):
        super().__init__(daemon=True)
        self.server, self.zone = server, zone
        self.may_be_down = False
        self.highest, self.asked = 0, 0
        self.wrong = []
        self.ending = threading.Event()

    def run(self):
        while not self.ending.wait(0.005):
            was_down = self.may_be_down
            try:
                answer = self.server.query(self.zone, "SOA", timeout=2)
            except (OSError, EOFError, dns.exception.DNSException) as problem:
                if not (was_down or self.may_be_down):
                    self.wrong.append(str(problem))
                continue
            self.asked += 1
            serial = answer.answer[0][0].serial if answer.answer else None
            types = {rrset.rdtype for rrset in answer.answer}
            if answer.rcode() != dns.rcode.NOERROR or dns.rdatatype.RRSIG not in types \
                    or serial < self.highest:
                self.wrong.append(f"{dns.rcode.to_text(answer.rcode())} {serial} {types}")
            else:
                self.highest = serial

    def stop(self):
        self.ending.set()
        self.join(10)
        assert not self.wrong and self.asked > 100, (self.wrong[:10], self.asked)


def test_a_serial_that_goes_back_is_served_all_the_same(signet, run_server, tmp_path):
    """BIND's most reported surprise: at a reload, and where the file was edited while no server
    ran. The signed serial rises, it is told, and the secondaries follow."""
    zone = "back.test."
    peers = [kind(tmp_path / kind.name, fetched=[(zone, signet.port)]) for kind in PEERS]
    told = " ".join(f"{HOST} port {peer.port};" for peer in peers)
    path = signet.add_zone(zone, text_of(zone, 100), policy="default", statements="notify explicit; "
                           f"notify-delay 0; also-notify {{ {told} }};")
    signet.start()
    signet.wait_until_signed(zone)
    for peer in peers:
        run_server(peer)

    def all_follow():
        ours = signet.axfr_lines(zone, tmp_path / "ours")
        for peer in peers:
            wait_until(lambda peer=peer: peer.serial(zone) == signet.serial(zone), 30,
                       f"{peer.name} follows")
            assert peer.axfr_lines(zone, tmp_path / peer.name / "theirs") == ours, peer.name
        assert_zone_validates(zone, tmp_path / "ours")

    all_follow()
    watch = Unbroken(signet, zone)
    watch.start()
    for serial, name in ((50, "lower"), (50, "same"), (4294967295, "round-the-circle")):
        before = signet.serial(zone)
        edit(path, text_of(zone, serial, f"{name} A 192.0.2.9\n"))
        assert signet.rndc("reload", zone).returncode == 0
        wait_until(lambda: signet.answers_with(f"{name}.{zone}", "A"), 20, "the edit")
        assert signet.serial(zone) == before + 1
    assert "its serial 50 did not rise above 100" in signet.log()
    assert "its serial 50 did not rise above 50" in signet.log()
    assert "its serial 4294967295 did not rise above 50" in signet.log()
    all_follow()

    for serial, name in ((20, "while-down"), (20, "same-while-down")):
        before = signet.serial(zone)
        watch.may_be_down = True
        signet.stop()
        edit(path, text_of(zone, serial, f"{name} A 192.0.2.10\n"))
        signet.start()
        watch.may_be_down = False
        wait_until(lambda: signet.answers_with(f"{name}.{zone}", "A"), 20, "the edit")
        assert signet.serial(zone) == before + 1
        all_follow()
    assert "its serial 20 did not rise above 4294967295" not in signet.log(), "4294967295 + 21 is 20"
    assert "its serial 20 did not rise above 20" in signet.log()
    watch.stop()
