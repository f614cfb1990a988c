"""A zone ran with Signet, then with named, whose keys rolled, and comes back to the old store."""

import re

import dns.dnssec
import dns.exception
import dns.name
import dns.rcode
import pytest
from support.chain import Chain
from support.judges import assert_zone_validates
from support.notify_listener import tell
from support.peers import Bind, Knot
from support.rolls import CHILD, CSK, SPLIT, dnskeys, key_files, policy, settle_keys, short_zone
from support.server import HOST
from support.updates import add_name
from support.waiting import wait_until
from test_takeover_rolls import SigningNamed

pytestmark = pytest.mark.slow

MOVED_ON = "another signer has had its keys since"
APEX = dns.name.from_text(CHILD)


def lasting(keys):
    """What was signed by this policy is valid for two weeks: nothing is due when it comes back."""
    return re.sub(r"signatures-(\S+) PT\d+S", lambda found: f"signatures-{found[1]} " + {
        "validity": "P14D", "validity-dnskey": "P14D", "refresh": "P5D", "jitter": "PT0S",
    }[found[1]], policy(keys))


class Return:
    """Signet, then named, then Signet on the same folder of keys and the same zone file."""

    def __init__(self, make_signet, run_server, folder, keys, statements=""):
        self.keys, self.folder = keys, folder
        self.signet = make_signet(extra=lasting(keys))
        self.secondary = Bind(folder / "secondary", fetched=[(CHILD, self.signet.port)])
        self.zone_file = self.signet.add_zone(
            CHILD, short_zone(), policy="rolls", statements=f"{statements} notify explicit; "
            f"also-notify {{ {HOST} port {self.secondary.port}; }};")
        self.signet.configure()  # for rndc, whoever is asked
        self.chain = Chain(run_server, folder, Knot, self.signet, settle_keys(self.signet.folder,
                                                                              keys))
        self.chain.watcher.rests = True
        self.named = SigningNamed(folder / "named", self.signet, self.zone_file)
        self.signet.start()
        self.signet.wait_until_signed(CHILD)
        run_server(self.secondary)

    def let_named_roll(self, flags, is_enough):
        """Returns the tag of the key that rolled, what caches know then, and the serial."""
        (old, _), = dnskeys(self.signet, flags)
        self.signet.stop()
        self.signet.extra = policy(self.keys)
        follower = self.chain.follower
        # named takes "withdrawn" of a key that is not published yet for the end of the roll.
        follower.looks_away = True
        follower.child = self.named
        self.named.start()
        try:
            def is_served():
                try:
                    assert_zone_validates(CHILD, self.named.axfr(CHILD, self.folder / "begin"))
                except AssertionError:
                    return False
                return True
            wait_until(is_served, 30, "named has signed", pause_s=0.2)
            ordered = self.named.rndc("dnssec", "-rollover", "-key", str(old), CHILD)
            assert ordered.returncode == 0, ordered.stderr
            if flags == 257:
                wait_until(lambda: old not in self.shown(), 30, "the parent's new DS")
                follower.looks_away = False
            wait_until(lambda: is_enough(key_files(self.signet.folder).get(old)), 60, "the roll")
            serial = self.let_secondary_follow(self.named)
            return old, self.named.answers_with(CHILD, "DNSKEY"), serial
        finally:
            self.named.stop()

    def let_secondary_follow(self, server):
        """Returns the serial that both have."""
        def follows():
            tell(self.secondary, CHILD)
            serial = self.secondary.serial(CHILD)
            return serial if serial is not None and serial == server.serial(CHILD) else None
        return wait_until(follows, 20, "the secondary", pause_s=0.2)

    def shown(self):
        return {int(text.split()[0]) for text in self.chain.parent.shown()}

    def return_to_signet(self):
        self.signet.extra = lasting(self.keys)
        # What named was told of the DS is in the files: nobody tells it again.
        self.chain.follower.child, self.chain.follower.looks_away = self.signet, True
        watcher = self.chain.watcher
        watcher.rests, watcher.may_be_down = False, True
        self.signet.start()

    def assert_valid_by(self, known, names):
        """The first answer to each question, for a resolver with these keys in its cache, and one
        that has the parent's DS alone."""
        for name, rdtype in names:
            def answer(name=name, rdtype=rdtype):
                try:
                    found = self.signet.query(name, rdtype, timeout=2)
                except (dns.exception.Timeout, OSError):
                    return None
                return found if found.rcode() != dns.rcode.SERVFAIL else None
            sections = wait_until(answer, 20, f"{name} {rdtype}").answer
            rrset, signatures = sections[0], sections[1]
            dns.dnssec.validate(rrset, signatures, {APEX: known})
        published = self.signet.answers_with(CHILD, "DNSKEY")
        made = next(rrset for rrset in self.signet.query(CHILD, "DNSKEY").answer
                    if rrset.rdtype == dns.rdatatype.RRSIG)
        shown = self.shown()
        trusted = [key for key in published if dns.dnssec.key_id(key) in shown]
        assert trusted, f"DS of {shown}, DNSKEY of {dnskeys(self.signet)}"
        anchor = dns.rrset.from_rdata_list(APEX, 1, trusted)
        dns.dnssec.validate(published, made, {APEX: anchor})

    def stop(self):
        self.chain.stop()
        self.named.stop()


@pytest.fixture
def come_back(make_signet, run_server, tmp_path):
    made = []

    def make(keys, statements=""):
        made.append(Return(make_signet, run_server, tmp_path, keys, statements))
        return made[0]

    yield make
    for one in made:
        one.stop()


def has_left(fields):
    return fields is None or fields.get("DNSKEYState") == "hidden"


@pytest.mark.parametrize("keys, flags, purges", [
    pytest.param(SPLIT, 256, False, id="zsk"), pytest.param(SPLIT, 257, False, id="ksk"),
    pytest.param(SPLIT, 256, True, id="zsk purged"),
    pytest.param(SPLIT, 257, True, id="ksk purged", marks=pytest.mark.long),
    pytest.param(CSK, 257, False, id="csk", marks=pytest.mark.long)])
def test_what_was_signed_by_keys_of_before_is_not_served(come_back, tmp_path, keys, flags, purges):
    again = come_back(keys, "allow-update { any; };" if flags == 256 else "")
    signet = again.signet
    if flags == 256:
        assert add_name(signet, CHILD, "updated") == dns.rcode.NOERROR
    before = again.let_secondary_follow(signet)
    old, known, of_named = again.let_named_roll(flags, has_left)
    if purges:  # named looks for such keys once an hour
        for path in signet.folder.glob(f"K*+{old:05}.*"):
            path.unlink()
    signet.log_path.rename(tmp_path / "first log")
    again.return_to_signet()
    again.assert_valid_by(known, [(f"www.{CHILD}", "A"), (CHILD, "SOA"), (CHILD, "NS")])
    if flags == 256:
        assert signet.answers_with(f"updated.{CHILD}", "A"), "it was acknowledged"
    assert of_named > before
    wait_until(lambda: signet.serial(CHILD) > of_named, 20, "a serial above that of named")
    wait_until(lambda: again.secondary.serial(CHILD) == signet.serial(CHILD), 20, "the secondary")
    assert_zone_validates(CHILD, again.secondary.axfr(CHILD, tmp_path / "followed"), algorithms=2)
    assert MOVED_ON in signet.log()
    again.chain.wait_until_secure()
    again.chain.watcher.may_be_down = False
    # Two keys sign: kzonecheck is not asked.
    assert_zone_validates(CHILD, signet.axfr(CHILD, tmp_path / "again"), algorithms=2)
    # It goes on: the old key leaves, and no other is made.
    wait_until(lambda: old not in {tag for tag, _ in dnskeys(signet)}, 60, "the old key is gone")
    assert len(dnskeys(signet)) == len(re.findall("algorithm", keys))
    # What is committed now is of now.
    signet.stop()
    signet.log_path.rename(tmp_path / "second log")
    again.chain.watcher.may_be_down = True
    signet.start()
    signet.wait_until_signed(CHILD)
    assert MOVED_ON not in signet.log()
    assert "recovered serial" in signet.log()
