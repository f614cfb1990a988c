"""
Keys roll by themselves, with policies whose durations are seconds: the zone's servers are a BIND, a
Knot and an NSD that fetch it from Signet, a resolver asks them and validates all the while, with a
query every 100 ms, and the DS at a parent of one of these kinds follows the CDS. Every roll takes
less than a minute, also where the server is killed in each state of each key.
"""

import math
import time

import pytest
from support.chain import Chain
from support.judges import assert_zone_validates
from support.peers import PEERS, Bind, Knot, Nsd
from support.rolls import (CHILD, CSK, SPLIT, dnskeys, key_files, policy, set_states, settle_keys,
                           short_zone, signers)
from support.server import HOST
from support.waiting import stays, wait_until

RECORDS = ("DNSKEY", "ZRRSIG", "KRRSIG", "DS")
ROLL_S = 60
NSEC3 = "nsec3param iterations 0 optout no salt-length 0;"


def states_of(files):
    """Tag, record and state."""
    return {(tag, record, fields[f"{record}State"]) for tag, fields in files.items()
            for record in RECORDS if f"{record}State" in fields}


def is_hidden(fields):
    return {fields[f"{record}State"] for record in RECORDS if f"{record}State" in fields} == {"hidden"}


class Scene:
    def __init__(self, make_signet, run_server, folder, parent, kills):
        self.folder = folder
        self.parent_kind, self.kills = parent, kills
        self.signet, self.run_server = make_signet(extra=policy(SPLIT)), run_server
        self.killed_in = set()
        self.kill_again_at = math.inf
        self.began = None
        self.chain = None

    def begin(self, keys, more=""):
        signet = self.signet
        ds = settle_keys(signet.folder, keys, more)
        secondaries = [kind(self.folder / f"secondary-{kind.name}", fetched=[(CHILD, signet.port)])
                       for kind in PEERS]
        told = "".join(f"{HOST} port {server.port}; " for server in secondaries)
        signet.extra = policy(keys, more)
        signet.add_zone(CHILD, short_zone(), policy="rolls",
                        statements=f"notify explicit; also-notify {{ {told}}}; notify-delay 0;")
        signet.start()
        signet.wait_until_signed(CHILD)
        self.killed_in = states_of(key_files(signet.folder))
        for server in secondaries:
            self.run_server(server)
            wait_until(lambda: server.serial(CHILD), 20, f"{server.name} has the zone")
        self.chain = Chain(self.run_server, self.folder, self.parent_kind, signet, ds, secondaries)
        self.chain.wait_until_secure()
        self.began = time.monotonic()

    def order(self, key):
        done = self.signet.rndc("dnssec", "-rollover", "-key", str(key[0]), CHILD)
        assert done.returncode == 0, done.stderr

    def change_policy(self, keys, more=""):
        self.signet.extra = policy(keys, more)
        self.reconfigure()

    def reconfigure(self):
        self.signet.configure()
        done = self.signet.rndc("reconfig")
        assert done.returncode == 0, done.stderr

    def kill_in_new_states(self):
        """As soon as a file tells of one, which is before it is committed; and once it is served."""
        is_new = states_of(key_files(self.signet.folder)) - self.killed_in
        if self.kills and (is_new or time.monotonic() > self.kill_again_at):
            self.kill_again_at = time.monotonic() + 0.5 if is_new else math.inf
            self.signet.kill()
            self.killed_in |= states_of(key_files(self.signet.folder))
            self.signet.start()

    def wait_until(self, condition, what, within_s=ROLL_S):
        def comes_true():
            value = condition()
            self.kill_in_new_states()
            return value
        return wait_until(comes_true, within_s, what)

    def wait_until_only(self, wanted):
        """`wanted` alone are published, and the zone is signed by nothing else."""
        self.wait_until(lambda: wanted(dnskeys(self.signet)), "the roll's end")
        path = self.signet.axfr(CHILD, self.folder / "signed")
        assert_zone_validates(CHILD, path,
                              algorithms=len({algorithm for _, algorithm in dnskeys(self.signet)}))
        self.assert_was_short()

    def assert_was_short(self):
        """The roll, all that was done since the one before or since the chain stood."""
        ended = time.monotonic()
        assert ended - self.began < ROLL_S
        self.began = ended

    def assert_killed_in(self, old, new):
        """In each state of each record of the keys."""
        def is_over():
            files = key_files(self.signet.folder)
            return all(tag not in files or is_hidden(files[tag]) for tag, _ in old)
        if not self.kills:
            return
        self.wait_until(is_over, "the old keys are hidden")
        self.wait_until(lambda: self.kill_again_at == math.inf, "the last kill")
        wanted = [(tag, {"omnipresent", "unretentive", "hidden"}) for tag, _ in old]
        wanted += [(tag, {"rumoured", "omnipresent"}) for tag, _ in new]
        for tag, states in wanted:
            for record in RECORDS:
                found = {state for t, r, state in self.killed_in if (t, r) == (tag, record)}
                hidden = {"hidden"} if record == "DS" else set()
                assert not found or found >= states | hidden, (tag, record, found)


@pytest.fixture
def make_scene(make_signet, run_server, tmp_path):
    made = []

    def make(parent, kills):
        made.append(Scene(make_signet, run_server, tmp_path, parent, kills))
        return made[0]

    yield make
    for scene in made:
        scene.chain.stop()


def roll_zsk_by_its_life(scene):
    """It gets one by an edit, and has lived longer by then."""
    scene.begin(SPLIT)
    signet = scene.signet
    first = signers(signet)
    assert dnskeys(signet, 256) == first and len(first) == 1
    scene.change_policy(SPLIT.replace("zsk lifetime unlimited", "zsk lifetime PT40S"))
    scene.wait_until(lambda: len(dnskeys(signet, 256)) == 2, "a successor")
    assert signers(signet) == first, "published before it signs"
    second = dnskeys(signet, 256) - first
    scene.wait_until(lambda: signers(signet) == second, "the successor signs")
    assert first < dnskeys(signet), "what caches hold can still be verified"
    scene.wait_until(lambda: not first & dnskeys(signet), "the old key is gone")
    scene.assert_was_short()
    old, = first
    scene.wait_until(lambda: old[0] not in key_files(signet.folder), "purged")
    scene.assert_killed_in(first, second)


def roll_by_order(scene, keys, flags):
    scene.begin(keys)
    old, = dnskeys(scene.signet, flags)
    scene.order(old)
    scene.wait_until(lambda: len(dnskeys(scene.signet, flags)) == 2, "a successor")
    new, = dnskeys(scene.signet, flags) - {old}
    scene.wait_until_only(lambda now: now and old not in now)
    scene.assert_killed_in({old}, {new})


def roll_ksk(scene):
    roll_by_order(scene, SPLIT, 257)


def roll_zsk(scene):
    roll_by_order(scene, SPLIT, 256)


def roll_csk(scene):
    roll_by_order(scene, CSK, 257)


def roll_algorithm(scene):
    scene.begin(SPLIT)
    old = dnskeys(scene.signet)
    scene.change_policy(SPLIT.replace("13", "15"))
    scene.wait_until(lambda: {a for _, a in dnskeys(scene.signet)} == {13, 15}, "both algorithms")
    scene.wait_until_only(lambda now: {a for _, a in now} == {15})
    scene.assert_killed_in(old, dnskeys(scene.signet))


def roll_from_rsasha1_to_nsec3(scene):
    """RSASHA1 by its first number says that there is no NSEC3 (RFC 5155 2): that comes when all
    caches have forgotten the last of its keys, which the policy wanted at once."""
    scene.begin(SPLIT.replace("13", "5"))
    signet = scene.signet
    scene.change_policy(SPLIT, NSEC3)

    def has_nsec3():
        old = [fields for fields in key_files(signet.folder).values() if fields["Algorithm"] == "5"]
        has = signet.answers_with(CHILD, "NSEC3PARAM") is not None
        assert not has or all(fields["DNSKEYState"] == "hidden" for fields in old)
        return has
    scene.wait_until(has_nsec3, "NSEC3")
    scene.wait_until_only(lambda now: {a for _, a in now} == {13})


def roll_from_nsec3rsasha1_to_nsec(scene):
    scene.begin(SPLIT.replace("13", "7"), NSEC3)
    signet = scene.signet
    assert signet.answers_with(CHILD, "NSEC3PARAM")
    scene.change_policy(SPLIT)
    scene.wait_until(lambda: {a for _, a in dnskeys(signet)} == {7, 13}, "both algorithms")
    scene.wait_until_only(lambda now: {a for _, a in now} == {13})
    assert signet.serial(CHILD) and not signet.answers_with(CHILD, "NSEC3PARAM")


def roll_one_key_to_two_and_back(scene):
    scene.begin(CSK)
    before = dnskeys(scene.signet)
    scene.change_policy(SPLIT)
    scene.wait_until_only(lambda now: now and not before & now and len(now) == 2)
    before = dnskeys(scene.signet)
    scene.change_policy(CSK)
    scene.wait_until_only(lambda now: now and not before & now and len(now) == 1)


def go_insecure_and_come_back(scene):
    """The built-in policy waits for a day and more, and its DNSKEY TTL counts for an hour; the
    operator knows that all caches have forgotten what they had, and says so."""
    scene.begin(SPLIT)
    signet, watcher = scene.signet, scene.chain.watcher
    old = dnskeys(signet)
    ksk, zsk = (min(dnskeys(signet, flags))[0] for flags in (257, 256))
    signed = signet.zones[0]
    watcher.must_be_secure = False
    signet.zones[0] = signed.replace('dnssec-policy "rolls"', 'dnssec-policy "insecure"')
    scene.reconfigure()
    scene.wait_until(lambda: not scene.chain.parent.shown(), "no DS")
    cds = wait_until(lambda: signet.answers_with(CHILD, "CDS"), 10)
    assert [rdata.to_text() for rdata in cds] == ["0 0 0 00"]
    stays(lambda: dnskeys(signet), 3, "signed as long as a DS may be cached")
    set_states(signet, ksk, "-d", "HIDDEN")
    scene.wait_until(lambda: not dnskeys(signet) and signet.serial(CHILD), "unsigned")
    assert not signet.answers_with(CHILD, "CDS")
    scene.assert_was_short()
    set_states(signet, ksk, "-k", "HIDDEN", "-r", "HIDDEN")
    set_states(signet, zsk, "-k", "HIDDEN", "-z", "HIDDEN")
    scene.assert_killed_in(old, set())
    signet.zones[0] = signed
    scene.reconfigure()
    scene.wait_until(lambda: len(dnskeys(signet)) == 2, "signed again")
    stays(lambda: not signet.answers_with(CHILD, "CDS"), 3,
          "no CDS before the keys are known everywhere")
    set_states(signet, min(dnskeys(signet, 256))[0], "-k", "OMNIPRESENT")
    set_states(signet, min(dnskeys(signet, 257))[0], "-k", "OMNIPRESENT", "-r", "OMNIPRESENT")
    scene.wait_until(lambda: scene.chain.parent.shown(), "a DS")
    scene.chain.wait_until_secure()
    scene.assert_was_short()
    new = dnskeys(signet)
    assert not old & new
    if scene.kills:
        ksk = min(dnskeys(signet, 257))[0]
        scene.wait_until(lambda: key_files(signet.folder)[ksk]["DSState"] == "omnipresent", "the DS")
        scene.assert_killed_in(set(), new)


ROLLS = (roll_zsk_by_its_life, roll_zsk, roll_ksk, roll_csk, roll_algorithm,
         roll_from_rsasha1_to_nsec3, roll_from_nsec3rsasha1_to_nsec,
         roll_one_key_to_two_and_back, go_insecure_and_come_back)
# Each roll, and each parent, with and without kills; all of them with each other take a while.
COVER = {
    (roll_zsk_by_its_life, Bind, False), (roll_ksk, Knot, False), (roll_algorithm, Nsd, False),
    (roll_from_rsasha1_to_nsec3, Bind, False),
    (roll_one_key_to_two_and_back, Bind, False), (go_insecure_and_come_back, Knot, False),
    (roll_zsk, Knot, True), (roll_ksk, Nsd, True), (roll_csk, Bind, True),
    (roll_algorithm, Knot, True), (go_insecure_and_come_back, Nsd, True),
}


@pytest.mark.slow
@pytest.mark.parametrize("roll, parent, kills", [
    pytest.param(roll, parent, kills, id=f"{roll.__name__}-{parent.name}{'-killed' * kills}",
                 marks=() if (roll, parent, kills) in COVER else pytest.mark.long)
    for roll in ROLLS for parent in PEERS for kills in (False, True)])
def test_never_bogus(make_scene, roll, parent, kills):
    roll(make_scene(parent, kills))
