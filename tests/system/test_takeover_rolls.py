"""A zone's keys change hands in the middle of a roll, from named to Signet and back, at each state."""

import shutil
import subprocess
import time

import pytest
from support.chain import Chain
from support.judges import assert_zone_validates
from support.peers import Bind, Knot
from support.rolls import (CHILD, CSK, SPLIT, dnskeys, key_files, policy, settle_keys, short_zone,
                           signers)
from support.server import HOST
from support.waiting import wait_until

pytestmark = pytest.mark.slow

STATES = ("DNSKEYState", "ZRRSIGState", "KRRSIGState", "DSState")
ORDER = ("hidden", "rumoured", "omnipresent", "unretentive")


class SigningNamed(Bind):
    """Debian's named with the same policy, key files and zone file, at the addresses of `signet`."""

    def __init__(self, folder, signet, zone_file):
        super().__init__(folder, [(CHILD, zone_file)])
        self.signet = signet
        self.port = signet.port

    def configure(self):
        super().configure()
        signet = self.signet
        path = self.folder / "named.conf"
        text = path.read_text().replace(
            "controls { };",
            f'controls {{ inet {HOST} port {signet.control_port} allow {{ {HOST}; }} '
            'keys { "control"; }; };\n'
            'key "control" { algorithm hmac-sha256; secret "c2lnbmV0IHN5c3RlbSB0ZXN0cyE="; };\n'
            + signet.extra)
        path.write_text(text.replace("ixfr-from-differences yes;",
                                     'dnssec-policy "rolls"; inline-signing yes; '
                                     f'key-directory "{signet.folder}";'))

    def rndc(self, *words):
        return self.signet.rndc(*words)


def old_and_new(files):
    """Of the role that rolls."""
    new = [tag for tag, fields in files.items()
           if "Predecessor" in fields or fields["Algorithm"] == "15"]
    old = [tag for tag, fields in files.items()
           if "Successor" in fields or (new and files[new[0]]["Algorithm"] != fields["Algorithm"])]
    return (files[old[0]], files[new[0]]) if old and new else ({}, {})


def has_come(record):
    """Of the new key; on a busy machine it may have got further by now."""
    return lambda files: old_and_new(files)[1].get(f"{record}State") in ("rumoured", "omnipresent")


def has_gone(record):
    return lambda files: old_and_new(files)[0].get(f"{record}State") in ("unretentive", "hidden")


def ds_is_seen(files):
    return "DSPublish" in old_and_new(files)[1]


PUBLISHED = ("the new key is published", has_come("DNSKEY"))
SIGNS = ("the new key signs", has_come("ZRRSIG"))
SWAP = ("the DS are to be swapped", has_come("DS"))
SEEN = ("the DS are seen", ds_is_seen)
WITHDRAWN = ("the old key is withdrawn", has_gone("DNSKEY"))
STAGES = {"zsk": [PUBLISHED, SIGNS, WITHDRAWN], "ksk": [PUBLISHED, SWAP, SEEN, WITHDRAWN],
          "csk": [PUBLISHED, SWAP, SEEN, WITHDRAWN],
          "algorithm": [PUBLISHED, SWAP, SEEN, WITHDRAWN]}


class Reign:
    """Who serves and signs the zone now."""

    def __init__(self, signet, named, chain):
        self.signet, self.named, self.chain = signet, named, chain
        self.server = None

    def begin(self, server, path):
        self.server = server
        # What either has signed in an earlier reign is not what was served last.
        shutil.rmtree(self.signet.folder / "signet-store", ignore_errors=True)
        for old in self.signet.folder.glob("child.test.zone.*"):
            old.unlink()
        server.start()
        if server is self.named:
            self.wait_until_named_has_signed(path)
        else:
            server.wait_until_signed(CHILD)

    def wait_until_named_has_signed(self, path):
        """It serves the zone before it has signed it, and then portion by portion."""
        def has_signed():
            if not dnskeys(self.named):
                return False
            try:
                assert_zone_validates(CHILD, self.named.axfr(CHILD, path), algorithms=2)
            except AssertionError:
                return False
            return True
        wait_until(has_signed, 30, "named has signed", pause_s=0.2)

    def hand_over(self, path):
        """A server stops, the other goes on from the same files."""
        watcher, follower = self.chain.watcher, self.chain.follower
        successor = self.named if self.server is self.signet else self.signet
        # named serves what it has not signed yet: that would be its own fault.
        watcher.rests = successor is self.named
        watcher.may_be_down, watcher.must_be_secure = True, False
        self.server.stop()
        before = key_files(self.signet.folder)
        follower.child = successor
        self.begin(successor, path)
        watcher.rests = False
        self.chain.wait_until_secure()
        watcher.may_be_down = False  # Unbound remembers for five seconds whom it could not reach.
        return before


def assert_goes_on(before, after):
    """No key is made, and what is known of each stays: of its records none has gone backward, and
    where one has not moved, its time is that of then, or later where it has begun to wait anew."""
    assert set(after) <= set(before)
    for tag, was in before.items():
        now = after.get(tag)
        if now is None:
            # Purged, which what was on its way out may be by the time that it is looked at.
            assert {was[state] for state in STATES if state in was} <= {"hidden", "unretentive"}
            continue
        for name in STATES:
            assert (name in was) == (name in now), (tag, name)
            if name not in was:
                continue
            steps = (ORDER.index(now[name]) - ORDER.index(was[name])) % len(ORDER)
            change = name.replace("State", "Change")
            assert steps <= 2, f"key {tag}: {name} was {was[name]} and is {now[name]}"
            if steps == 0 and was[name] in ("rumoured", "unretentive"):
                assert now[change] >= was[change]
            elif steps == 0:
                assert now[change] == was[change], f"key {tag}: {change} {was} {now}"
        kept = {name: value for name, value in was.items()
                if not name.endswith(("State", "Change")) and name != "Length"}
        kept.pop("DSPublish", None) if now.get("DSState") == "unretentive" else None
        # A forecast, until the DNSKEY goes.
        kept.pop("Removed", None) if now["DNSKEYState"] in ("unretentive", "hidden") else None
        assert kept.items() <= now.items(), f"key {tag}: {kept.items() - now.items()}"


@pytest.fixture
def make_reign(make_signet, run_server, tmp_path):
    made = []

    def make(keys, parent):
        signet = make_signet(extra=policy(keys))
        zone_file = signet.add_zone(CHILD, short_zone(), policy="rolls")
        signet.configure()  # for rndc, whoever is asked
        ds = settle_keys(signet.folder, keys)
        chain = Chain(run_server, tmp_path, parent, signet, ds)
        chain.watcher.rests = True
        named = SigningNamed(tmp_path / "named", signet, zone_file)
        made.append(Reign(signet, named, chain))
        return made[0]

    yield make
    for reign in made:
        reign.chain.stop()
        reign.named.stop()


def test_who_signed_signs_on_until_the_other_key_is_known(make_signet):
    """Another signer has rolled the ZSK meanwhile, and what was committed here knows nothing of it:
    what is served first tells caches of the old key alone."""
    signet = make_signet(extra=policy(SPLIT))
    signet.add_zone(CHILD, short_zone(), policy="rolls")
    settle_keys(signet.folder, SPLIT)
    signet.start()
    signet.wait_until_signed(CHILD)
    old, = dnskeys(signet, 256)
    signet.stop()
    name, = subprocess.run(["dnssec-keygen", "-q", "-a", "13", "-L", "1", CHILD], text=True,
                           cwd=signet.folder, check=True, capture_output=True).stdout.split()
    for key, goal, state in ((name, "OMNIPRESENT", "OMNIPRESENT"),
                             (f"K{CHILD}+013+{old[0]:05}", "HIDDEN", "HIDDEN")):
        subprocess.run(["dnssec-settime", "-s", "-g", goal, "-k", state, "now", "-z", state, "now",
                        key], cwd=signet.folder, check=True, capture_output=True)
    new = (int(name.split("+")[-1]), 13)
    signet.start()
    wait_until(lambda: new in dnskeys(signet), 20, "the new key")
    published_at = time.monotonic()
    while old in signers(signet):
        assert old in dnskeys(signet)
    assert time.monotonic() - published_at > 2, "its TTL, and what the secondaries take"
    wait_until(lambda: dnskeys(signet, 256) == signers(signet) == {new}, 30, "the old key is gone")


@pytest.mark.parametrize("first", ["named", "signet"])
@pytest.mark.parametrize("role, keys", [
    pytest.param("zsk", SPLIT, id="zsk"), pytest.param("ksk", SPLIT, id="ksk"),
    pytest.param("csk", CSK, id="csk", marks=pytest.mark.long),
    pytest.param("algorithm", CSK, id="algorithm", marks=pytest.mark.long)])
def test_a_roll_goes_on_in_other_hands(make_reign, tmp_path, first, role, keys):
    reign = make_reign(keys, Bind if first == "named" else Knot)
    signet, follower = reign.signet, reign.chain.follower
    follower.rests = follower.looks_away = True
    settled = key_files(signet.folder)
    reign.begin(getattr(reign, first), tmp_path / "begin")
    follower.child = reign.server
    reign.chain.watcher.rests = False
    reign.chain.wait_until_secure()
    old, = dnskeys(reign.server, 256 if role == "zsk" else 257)
    assert set(settled) == {tag for tag, _ in dnskeys(reign.server)}
    if role == "algorithm":
        signet.extra = policy(keys.replace("13", "15"))
        reign.server.configure()
        ordered = reign.server.rndc("reconfig")
    else:
        ordered = reign.server.rndc("dnssec", "-rollover", "-key", str(old[0]), CHILD)
    assert ordered.returncode == 0, ordered.stderr
    for number, (what, is_reached) in enumerate(STAGES[role]):
        follower.rests = follower.looks_away = what in (PUBLISHED[0], SWAP[0])
        wait_until(lambda: is_reached(key_files(signet.folder)), 30, what)
        with follower.turn:
            before = reign.hand_over(tmp_path / f"signed{number}")
            assert_goes_on(before, key_files(signet.folder))
        assert_zone_validates(CHILD, reign.server.axfr(CHILD, tmp_path / f"stage{number}"),
                              algorithms=2)
    wait_until(lambda: old not in dnskeys(reign.server), 40, "the old key is gone")

    def is_purged():
        reign.server.rndc("loadkeys", CHILD)  # named looks once an hour
        return old[0] not in key_files(signet.folder)
    wait_until(is_purged, 20, "its files as well", pause_s=0.5)
    assert len(key_files(signet.folder)) == len(settled)
