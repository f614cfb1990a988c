"""Keys roll by themselves, with policies whose durations are seconds; a resolver validates all the
while, with a query every 100 ms, and the parent's DS follows the CDS."""

import subprocess
import time

import dns.dnssec
import dns.rdatatype
import pytest
from support.chain import CHILD, Chain
from support.judges import assert_zone_validates
from support.material import small_zone
from support.waiting import stays, wait_until

TIMES = """
    dnskey-ttl PT1S; max-zone-ttl PT2S; zone-propagation-delay PT1S; publish-safety PT1S;
    retire-safety PT1S; signatures-validity PT12S; signatures-refresh PT8S; signatures-jitter PT0S;
    signatures-validity-dnskey PT12S; parent-ds-ttl PT1S; parent-propagation-delay PT1S;
    purge-keys PT4S;
"""


def policy(name, keys, more=""):
    return f'dnssec-policy "{name}" {{ keys {{ {keys} }}; {TIMES} {more} }};\n'


def short_zone():
    return small_zone(CHILD).replace("$TTL 3600", "$TTL 2")


def dnskeys(server, flags=None):
    """Tag and algorithm of what is published."""
    found = server.answers_with(CHILD, "DNSKEY") or []
    return {(dns.dnssec.key_id(rdata), int(rdata.algorithm)) for rdata in found
            if flags in (None, rdata.flags)}


def signers(server, rdtype="SOA"):
    response = server.query(CHILD, rdtype)
    return {(rdata.key_tag, int(rdata.algorithm)) for rrset in response.answer
            if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset}


class Scene:
    def __init__(self, make_signet, run_server, folder, keys, more=""):
        self.folder = folder
        self.signet = make_signet(extra=policy("rolls", keys, more))
        self.signet.add_zone(CHILD, short_zone(), policy="rolls")
        self.signet.start()
        self.signet.wait_until_signed(CHILD)
        self.chain = Chain(make_signet, run_server, folder, self.signet)
        self.chain.wait_until_secure()

    def change_policy(self, keys, more=""):
        self.signet.extra = policy("rolls", keys, more)
        self.reconfigure()

    def reconfigure(self):
        self.signet.configure()
        done = self.signet.rndc("reconfig")
        assert done.returncode == 0, done.stderr

    def wait_until_only(self, wanted, within_s=60):
        """`wanted` alone are published, and the zone is signed by nothing else."""
        wait_until(lambda: wanted(dnskeys(self.signet)), within_s, "the roll's end")
        path = self.signet.axfr(CHILD, self.folder / "signed")
        assert_zone_validates(CHILD, path,
                              algorithms=len({algorithm for _, algorithm in dnskeys(self.signet)}))


def set_states(signet, tag, *states):
    """An operator's edit: pairs of dnssec-settime's letter and a state."""
    words = [word for i in range(0, len(states), 2) for word in (*states[i:i + 2], "now")]
    key = next(signet.folder.glob(f"K*+{tag:05}.key"))
    subprocess.run(["dnssec-settime", "-s", *words, key], check=True, capture_output=True)
    assert signet.rndc("loadkeys", CHILD).returncode == 0


@pytest.fixture
def make_scene(make_signet, run_server, tmp_path):
    made = []

    def make(keys, more=""):
        made.append(Scene(make_signet, run_server, tmp_path, keys, more))
        return made[0]

    yield make
    for scene in made:
        scene.chain.stop()


SPLIT = "ksk lifetime unlimited algorithm 13; zsk lifetime unlimited algorithm 13;"
pytestmark = pytest.mark.slow


def test_zsk_rolls_at_the_end_of_its_life(make_scene):
    scene = make_scene("ksk lifetime unlimited algorithm 13; zsk lifetime PT15S algorithm 13;")
    signet = scene.signet
    wait_until(lambda: len(dnskeys(signet, 256)) == 2, 40, "a successor")
    first = signers(signet)
    second = dnskeys(signet, 256) - first
    assert len(first) == 1, "published before it signs"
    wait_until(lambda: signers(signet) == second, 20, "the successor signs")
    assert first < dnskeys(signet), "what caches hold can still be verified"
    wait_until(lambda: not first & dnskeys(signet), 40, "the old key is gone")
    tag = min(first)[0]
    wait_until(lambda: not list(signet.folder.glob(f"K*+{tag:05}.*")), 20, "purged")


@pytest.mark.parametrize("keys, flags", [(SPLIT, 257), ("csk lifetime unlimited algorithm 13;", 257),
                                         (SPLIT, 256)], ids=["ksk", "csk", "zsk"])
def test_key_rolls_by_order(make_scene, keys, flags):
    scene = make_scene(keys)
    signet = scene.signet
    old = dnskeys(signet, flags)
    wait_until(lambda: signet.rndc("dnssec", "-rollover", "-key", str(min(old)[0]),
                                   CHILD).returncode == 0, 10, "the order is taken")
    wait_until(lambda: len(dnskeys(signet, flags)) == 2, 30, "a successor")
    scene.wait_until_only(lambda now: not old & now and len(now) == len(keys.split(";")) - 1)


def test_algorithm_rolls_by_an_edit(make_scene):
    scene = make_scene(SPLIT)
    scene.change_policy(SPLIT.replace("13", "15"))
    wait_until(lambda: {a for _, a in dnskeys(scene.signet)} == {13, 15}, 30, "both algorithms")
    scene.wait_until_only(lambda now: {a for _, a in now} == {15})


def test_one_key_becomes_two_and_one_again(make_scene):
    scene = make_scene("csk lifetime unlimited algorithm 13;")
    before = dnskeys(scene.signet)
    scene.change_policy(SPLIT)
    scene.wait_until_only(lambda now: not before & now and len(now) == 2)
    before = dnskeys(scene.signet)
    scene.change_policy("csk lifetime unlimited algorithm 13;")
    scene.wait_until_only(lambda now: not before & now and len(now) == 1)


def test_insecure_and_secure_again(make_scene):
    """The built-in policy waits for a day and more, and its DNSKEY TTL counts for an hour; the
    operator knows that all caches have forgotten what they had, and says so."""
    scene = make_scene(SPLIT)
    signet, watcher = scene.signet, scene.chain.watcher
    ksk = min(dnskeys(signet, 257))[0]
    signed = signet.zones[0]
    watcher.must_be_secure = False
    signet.zones[0] = signed.replace('dnssec-policy "rolls"', 'dnssec-policy "insecure"')
    scene.reconfigure()
    wait_until(lambda: not scene.chain.parent.answers_with(CHILD, "DS"), 20, "no DS")
    cds = signet.answers_with(CHILD, "CDS")
    assert [rdata.to_text() for rdata in cds] == ["0 0 0 00"]
    stays(lambda: dnskeys(signet), 5, "signed as long as a DS may be cached")
    set_states(signet, ksk, "-d", "HIDDEN")
    wait_until(lambda: not dnskeys(signet), 20, "unsigned")
    assert not signet.answers_with(CHILD, "CDS")
    signet.zones[0] = signed
    scene.reconfigure()
    wait_until(lambda: len(dnskeys(signet)) == 2, 20, "signed again")
    stays(lambda: not signet.answers_with(CHILD, "CDS"), 5,
          "no CDS before the keys are known everywhere")
    set_states(signet, min(dnskeys(signet, 256))[0], "-k", "OMNIPRESENT")
    set_states(signet, min(dnskeys(signet, 257))[0], "-k", "OMNIPRESENT", "-r", "OMNIPRESENT")
    scene.chain.wait_until_secure()
    assert ksk not in {tag for tag, _ in dnskeys(signet)}


@pytest.mark.parametrize("keys", [SPLIT, "csk lifetime unlimited algorithm 13;"],
                         ids=["split", "csk"])
def test_killed_in_every_state(make_scene, keys):
    """Every second or so of a roll the server is killed, and goes on where it was."""
    scene = make_scene(keys)
    signet, watcher = scene.signet, scene.chain.watcher
    old = dnskeys(signet, 257)
    assert signet.rndc("dnssec", "-rollover", "-key", str(min(old)[0]), CHILD).returncode == 0
    watcher.may_be_down = True
    watcher.must_be_secure = False  # what is expired from caches meanwhile cannot be had
    deadline = time.monotonic() + 90
    kills = 0
    while old & (dnskeys(signet, 257) or old) or len(dnskeys(signet, 257)) != 1:
        assert time.monotonic() < deadline, "the roll ends"
        time.sleep(0.2 + 0.31 * (kills % 5))
        signet.kill()
        kills += 1
        signet.start()
    assert kills > 3
    watcher.may_be_down = False
    scene.wait_until_only(lambda now: not old & now)
